/* program_state.c - a saved program taken apart.
 *
 * The tree (json.h) says what is where; the texts of demo values are cut from the file beside it
 * (raw_json.h), both walked in step. */
#include "coordinator/signature/program_state.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/json/json.h"
#include "common/json/json_pick.h"
#include "coordinator/signature/instructions.h"
#include "coordinator/signature/raw_json.h"
#include "coordinator/signature/signature.h"

#include <stdio.h>
#include <string.h>

#define WHERE_MAX 160
#define AS_JSON "save it in DSPy with program.save(\"program.json\")"
#define PICKLE_FIRST_BYTE '\x80' /* of every protocol since 2 */

void state_demos_free(struct state_demo *demos, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t v = 0; v < demos[i].count; v++) {
            mem_free(demos[i].values[v].name);
            mem_free(demos[i].values[v].json);
        }
        mem_free(demos[i].values);
    }
    mem_free(demos);
}

static void predictor_clear(struct state_predictor *p)
{
    for (size_t i = 0; i < p->fields_count; i++) {
        mem_free(p->fields[i].prefix);
        mem_free(p->fields[i].description);
    }
    mem_free(p->fields);
    state_demos_free(p->demos, p->demos_count);
    mem_free(p->instructions);
    mem_free(p->path);
}

void program_state_free(struct program_state *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        predictor_clear(&s->predictors[i]);
    mem_free(s->predictors);
    mem_free(s->python);
    mem_free(s->dspy);
    mem_free(s->cloudpickle);
    notes_clear(&s->notes);
    mem_free(s);
}

/* ---- demos ---- */

int state_demo_read(struct state_demo *demo, const struct json *v, struct raw_value raw,
                    const char *where, struct err *err)
{
    size_t count = json_count(v);
    struct raw_json r;

    if (json_type_of(v) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "%s: %s, wanted an object", where,
                       json_type_name(json_type_of(v)));
    if (count > STATE_DEMO_VALUES_MAX)
        return err_set(err, ERR_TOO_BIG, "%s: %zu values, limit %d", where, count,
                       STATE_DEMO_VALUES_MAX);
    if (!(demo->values = mem_calloc(count, sizeof *demo->values)))
        return err_set(err, ERR_NOMEM, "%s", where);
    raw_json_open(&r, raw.text);
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        struct state_value *value = &demo->values[demo->count++];
        struct raw_value text;
        struct buf b;

        if (!raw_json_next(&r, &text))
            return err_set(err, ERR_INTERNAL, "%s: text and tree differ", where);
        buf_init(&b, JSON_TEXT_MAX);
        raw_json_add(&b, text);
        if (!(value->json = buf_take(&b, NULL, err)))
            return -1;
        if (!(value->name = mem_strdup(json_name(m))))
            return err_set(err, ERR_NOMEM, "%s", where);
    }
    return 0;
}

static int read_demos(struct state_predictor *p, const struct json *v, struct raw_value raw,
                      const char *path, struct err *err)
{
    size_t count = json_count(v);
    char where[WHERE_MAX];
    struct raw_json r;

    if (json_type_of(v) == JSON_NULL)
        return 0;
    if (json_type_of(v) != JSON_ARRAY)
        return err_set(err, ERR_INVALID, "%sdemos: %s, wanted an array", path,
                       json_type_name(json_type_of(v)));
    if (count > STATE_DEMOS_MAX)
        return err_set(err, ERR_TOO_BIG, "%sdemos: %zu, limit %d", path, count, STATE_DEMOS_MAX);
    if (!(p->demos = mem_calloc(count, sizeof *p->demos)))
        return err_set(err, ERR_NOMEM, "demos");
    raw_json_open(&r, raw.text);
    for (const struct json *item = json_first(v); item; item = json_next(item)) {
        struct raw_value text;

        snprintf(where, sizeof where, "%sdemos[%zu]", path, p->demos_count);
        if (!raw_json_next(&r, &text))
            return err_set(err, ERR_INTERNAL, "%s: text and tree differ", where);
        if (state_demo_read(&p->demos[p->demos_count++], item, text, where, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- words ---- */

static int take_instructions(struct state_predictor *p, const char *text, struct err *err)
{
    p->instructions = instructions_clean(text, strlen(text), err);
    return p->instructions ? 0 : -1;
}

static int add_field(struct state_predictor *p, const char *prefix, const char *description,
                     struct err *err)
{
    struct state_field *f = &p->fields[p->fields_count++];

    f->prefix = mem_strdup(prefix);
    f->description = description ? mem_strdup(description) : NULL;
    if (!f->prefix || (description && !f->description))
        return err_set(err, ERR_NOMEM, "field");
    return 0;
}

static int read_words(struct state_predictor *p, const struct json *sig, const char *where,
                      struct err *err)
{
    const char *instructions = NULL, *prefix = NULL, *description = NULL;
    const struct json *fields = NULL;
    char at[WHERE_MAX];

    if (json_want_text(sig, where, "instructions", TEXT_MAX, &instructions, err) < 0 ||
        json_want_array(sig, where, "fields", SIGNATURE_FIELDS_MAX, &fields, err) < 0 ||
        take_instructions(p, instructions, err) < 0)
        return -1;
    if (!(p->fields = mem_calloc(json_count(fields), sizeof *p->fields)))
        return err_set(err, ERR_NOMEM, "%s", where);
    for (const struct json *f = json_first(fields); f; f = json_next(f)) {
        snprintf(at, sizeof at, "%s.fields[%zu]", where, p->fields_count);
        if (json_want_text(f, at, "prefix", TEXT_MAX, &prefix, err) < 0 ||
            json_want_text(f, at, "description", TEXT_MAX, &description, err) < 0 ||
            add_field(p, prefix, description, err) < 0)
            return -1;
    }
    return 0;
}

/* Texts beside each other, the extended ones before the plain; no other field's words. */
static int read_words_2_4(struct state_predictor *p, const struct json *v, const char *where,
                          struct err *err)
{
    bool extended = json_member(v, "extended_signature_instructions") != NULL;
    const char *instructions = NULL, *prefix = NULL;

    if (json_want_text(v, where,
                       extended ? "extended_signature_instructions" : "signature_instructions",
                       TEXT_MAX, &instructions, err) < 0 ||
        json_may_text(v, where, extended ? "extended_signature_prefix" : "signature_prefix",
                      TEXT_MAX, &prefix, err) < 0 ||
        take_instructions(p, instructions, err) < 0)
        return -1;
    if (!prefix)
        return 0;
    if (!(p->fields = mem_calloc(1, sizeof *p->fields)))
        return err_set(err, ERR_NOMEM, "%s", where);
    return add_field(p, prefix, NULL, err);
}

/* ---- predictors ---- */

static enum state_form form_of(const struct json *v)
{
    if (json_type_of(json_member(v, "extended_signature")) == JSON_OBJECT)
        return STATE_2_5;
    if (json_type_of(json_member(v, "signature")) == JSON_OBJECT)
        return STATE_CURRENT;
    if (json_member(v, "signature_instructions") ||
        json_member(v, "extended_signature_instructions"))
        return STATE_2_4;
    return 0;
}

/* A model's settings may send prompts, and keys, anywhere: only its name is told. */
static void note_model(struct notes *notes, const struct json *v, const char *path)
{
    const char *model = json_text(json_member(json_member(v, "lm"), "model"));
    char shown[NOTE_QUOTE_MAX + 4];

    if (model)
        note_add(notes, "%s%slm: was saved with the model %s; its settings are not taken", path,
                 *path ? ": " : "", note_quote(shown, model, strlen(model)));
}

/* "steps[0].predict." for errors; the path is a stranger's text. */
static const char *shown_path(char out[WHERE_MAX], const char *path)
{
    size_t len = text_clean(out, WHERE_MAX / 2, path);

    if (len)
        snprintf(out + len, WHERE_MAX - len, ".");
    return out;
}

static int read_predictor(struct program_state *s, const char *path, const struct json *v,
                          struct raw_value raw, struct err *err)
{
    struct state_predictor *p = &s->predictors[s->count++];
    char shown[WHERE_MAX], where[WHERE_MAX + 32];
    struct raw_value text;
    struct raw_json r;
    int rc;

    p->form = form_of(v);
    shown_path(shown, path);
    if (!(p->path = mem_strdup(path)))
        return err_set(err, ERR_NOMEM, "%s", shown);
    snprintf(where, sizeof where, "%s%s", shown,
             p->form == STATE_2_5 ? "extended_signature" : "signature");
    if (p->form == STATE_2_4)
        rc = read_words_2_4(p, v, shown, err);
    else
        rc =
            read_words(p, json_member(v, p->form == STATE_2_5 ? "extended_signature" : "signature"),
                       where, err);
    if (rc < 0)
        return -1;
    note_model(&s->notes, v, p->path);
    raw_json_open(&r, raw.text);
    for (const struct json *m = json_first(v); m && raw_json_next(&r, &text); m = json_next(m))
        if (strcmp(json_name(m), "demos") == 0)
            return read_demos(p, m, text, shown, err);
    return 0;
}

static int refuse_flex(const char *path, struct err *err)
{
    char shown[WHERE_MAX];

    return err_set(err, ERR_UNSUPPORTED,
                   "%smodule_src: a dspy.Flex module is Python code, which is not run here: make "
                   "it a module of its own, and " AS_JSON,
                   shown_path(shown, path));
}

static int read_paths(struct program_state *s, const struct json *root, struct raw_value raw,
                      struct err *err)
{
    struct raw_value text;
    struct raw_json r;

    raw_json_open(&r, raw.text);
    for (const struct json *m = json_first(root); m && raw_json_next(&r, &text); m = json_next(m)) {
        const char *path = json_name(m);
        char shown[NOTE_QUOTE_MAX + 4];

        if (strcmp(path, "metadata") == 0)
            continue;
        if (json_member(m, "module_src"))
            return refuse_flex(path, err);
        if (!form_of(m)) {
            note_add(&s->notes, "%s: holds no signature, left alone",
                     note_quote(shown, path, strlen(path)));
            continue;
        }
        if (strlen(path) > STATE_PATH_MAX)
            return err_set(err, ERR_TOO_BIG, "a path of %zu bytes, limit %d", strlen(path),
                           STATE_PATH_MAX);
        if (read_predictor(s, path, m, text, err) < 0)
            return -1;
    }
    return 0;
}

static int read_version(const struct json *versions, const char *name, char **out, struct err *err)
{
    const char *text = json_text(json_member(versions, name));
    char clean[NAME_TEXT_MAX];

    if (!text)
        return 0;
    text_clean(clean, sizeof clean, text);
    if (!(*out = mem_strdup(clean)))
        return err_set(err, ERR_NOMEM, "metadata");
    return 0;
}

static int read_root(struct program_state *s, const struct json *root, const char *text,
                     struct err *err)
{
    const struct json *versions = json_member(json_member(root, "metadata"), "dependency_versions");
    struct raw_value raw = {text, text};
    size_t count = json_count(root);

    if (json_type_of(root) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "%s, wanted the object of a saved program",
                       json_type_name(json_type_of(root)));
    if (json_member(root, "module_src"))
        return refuse_flex("", err);
    if (count > STATE_PREDICTORS_MAX)
        return err_set(err, ERR_TOO_BIG, "%zu predictors, limit %d", count, STATE_PREDICTORS_MAX);
    if (!(s->predictors = mem_calloc(count ? count : 1, sizeof *s->predictors)))
        return err_set(err, ERR_NOMEM, "state");
    if ((form_of(root) ? read_predictor(s, "", root, raw, err) : read_paths(s, root, raw, err)) < 0)
        return -1;
    if (s->count == 0 && json_member(root, "dependency_versions"))
        return err_set(err, ERR_UNSUPPORTED,
                       "belongs to a save_program folder, whose program is a pickle: " AS_JSON);
    if (s->count == 0)
        return err_set(err, ERR_INVALID, "holds no predictor's signature: " AS_JSON);
    if (read_version(versions, "python", &s->python, err) < 0 ||
        read_version(versions, "dspy", &s->dspy, err) < 0 ||
        read_version(versions, "cloudpickle", &s->cloudpickle, err) < 0)
        return -1;
    return notes_ok(&s->notes, err);
}

struct program_state *program_state_read(const char *file, const char *text, size_t len,
                                         struct err *err)
{
    struct program_state *s = NULL;
    struct json *root = NULL;
    char *copy = NULL; /* with a NUL behind it, which the cutting needs */
    int rc = -1;

    if (len && text[0] == PICKLE_FIRST_BYTE)
        err_set(err, ERR_UNSUPPORTED, "a pickle, which only Python can read: " AS_JSON);
    else if (len > JSON_TEXT_MAX)
        err_set(err, ERR_TOO_BIG, "%zu bytes, limit %d", len, JSON_TEXT_MAX);
    else if ((root = json_parse(text, len, err))) {
        if (!(copy = mem_dup(text, len)) || !(s = mem_zalloc(sizeof *s)))
            err_set(err, ERR_NOMEM, "state");
        else
            rc = read_root(s, root, copy, err);
    }
    json_free(root);
    mem_free(copy);
    if (rc == 0)
        return s;
    program_state_free(s);
    err_prefix(err, "%s", file);
    return NULL;
}

static bool is_program_folder(const char *path)
{
    char *program = file_path(NULL, "%s/program.pkl", path);
    bool is = program && file_exists(program);

    mem_free(program);
    return is;
}

struct program_state *program_state_load(const char *path, struct err *err)
{
    struct program_state *s;
    char *text = NULL;
    size_t len;

    if (is_program_folder(path)) {
        err_set(err, ERR_UNSUPPORTED,
                "%.120s: a save_program folder, whose program.pkl only Python can read: " AS_JSON,
                path);
        return NULL;
    }
    if (file_read(path, JSON_TEXT_MAX, &text, &len, err) < 0)
        return NULL;
    s = program_state_read(path, text, len, err);
    mem_free(text);
    return s;
}

/* ---- finding ---- */

/* Whether the state's path is what an old DSPy called `path`. */
static bool is_old_name(const struct state_predictor *p, const char *path)
{
    static const char predict[] = ".predict";
    size_t len = strlen(path), tail = strlen(predict);

    if (p->form == STATE_CURRENT)
        return false;
    if (strcmp(p->path, "self") == 0)
        return !*path || strcmp(path, "predict") == 0;
    return len > tail && strcmp(path + len - tail, predict) == 0 && strlen(p->path) == len - tail &&
           memcmp(p->path, path, len - tail) == 0;
}

const struct state_predictor *program_state_find(const struct program_state *s, const char *path)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->predictors[i].path, path) == 0)
            return &s->predictors[i];
    for (size_t i = 0; i < s->count; i++)
        if (is_old_name(&s->predictors[i], path))
            return &s->predictors[i];
    return NULL;
}

static void add_paths(struct buf *b, const struct program_state *s)
{
    char shown[NOTE_QUOTE_MAX + 4];

    for (size_t i = 0; i < s->count; i++) {
        const char *path = s->predictors[i].path;

        buf_addf(b, "%s%s", i ? ", " : "",
                 *path ? note_quote(shown, path, strlen(path)) : "a bare Predict");
    }
}

static int refuse_path(const struct program_state *s, const char *wanted, struct err *err)
{
    struct buf b;

    buf_init(&b, TEXT_MAX);
    add_paths(&b, s);
    err_set(err, ERR_NOT_FOUND, "wanted %.80s, the state has %zu: %.120s", wanted, s->count,
            b.data ? b.data : "");
    buf_clear(&b);
    return -1;
}

const struct state_predictor *program_state_only(const struct program_state *s, struct err *err)
{
    if (s->count == 1)
        return &s->predictors[0];
    refuse_path(s, "one predictor", err);
    return NULL;
}

int program_state_check_paths(const struct program_state *s, const char *const *paths, size_t count,
                              struct notes *notes, struct err *err)
{
    char shown[NOTE_QUOTE_MAX + 4];

    for (size_t i = 0; i < count; i++)
        if (!program_state_find(s, paths[i]))
            return refuse_path(s, *paths[i] ? paths[i] : "a bare Predict", err);
    for (size_t i = 0; i < s->count; i++) {
        bool used = false;

        for (size_t k = 0; k < count && !used; k++)
            used = program_state_find(s, paths[k]) == &s->predictors[i];
        if (!used)
            note_add(notes, "%s: the program has no such predictor",
                     note_quote(shown, s->predictors[i].path, strlen(s->predictors[i].path)));
    }
    return 0;
}
