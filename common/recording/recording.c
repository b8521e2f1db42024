/* recording.c - a machine file as a whole: its form, its kind, then the parts. */
#include "common/recording/recording.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/document/document.h"
#include "common/document/document_words.h"
#include "common/json/json.h"
#include "common/model/device.h"
#include "common/recording/recording_source.h"

#include <stdbool.h>
#include <string.h>

static struct json *parse(const char *text, size_t len, struct err *err)
{
    size_t quoted_len = 0;
    struct json *v = NULL;
    char *quoted;

    if (len > RECORDING_TEXT_MAX) {
        err_set(err, ERR_TOO_BIG, "machine file of %zu bytes, wanted at most %d", len,
                RECORDING_TEXT_MAX);
        return NULL;
    }
    quoted = recording_quote_wide(text, len, &quoted_len, err);
    if (quoted)
        v = json_parse(quoted, quoted_len, err);
    mem_free(quoted);
    return v;
}

/* ---- the form ---- */

static const struct {
    const char *name;
    enum json_type type;
    const char *wanted;
} members[] = {
    {"id", JSON_STRING, "a text"},
    {"source", JSON_STRING, "a text"},
    {"source_date", JSON_STRING, "a text"},
    {"kind", JSON_STRING, "a text"},
    {"confidence", JSON_STRING, "a text"},
    {"notes", JSON_ARRAY, "a list"},
    {"stated", JSON_OBJECT, "an object"},
    {"sysctl", JSON_OBJECT, "an object"},
    {"metal", JSON_OBJECT, "an object"},
    {"ioreg", JSON_OBJECT, "an object"},
    {"system_profiler", JSON_OBJECT, "an object"},
    {"os", JSON_OBJECT, "an object"},
    {"other", JSON_OBJECT, "an object"},
    {"composed", JSON_OBJECT, "an object"},
    {"state", JSON_OBJECT, "an object"},
};

#define MEMBERS (sizeof members / sizeof members[0])

static int check_member(const struct json *m, struct err *err)
{
    char shown[DOCUMENT_VALUE_MAX];

    for (size_t i = 0; i < MEMBERS; i++) {
        if (strcmp(members[i].name, json_name(m)) != 0)
            continue;
        if (json_type_of(m) == members[i].type)
            return 0;
        return err_set(err, ERR_INVALID, "%s: %s, wanted %s", members[i].name,
                       document_shown(m, shown), members[i].wanted);
    }
    return err_set(err, ERR_INVALID,
                   "%.64s: no such member of a machine file; wanted id, source, source_date, kind, "
                   "confidence, notes, stated, sysctl, metal, ioreg, system_profiler, os, other, "
                   "composed, state",
                   json_name(m));
}

static int check_form(const struct json *root, struct err *err)
{
    static const char *const needed[] = {"id", "kind"};
    char shown[DOCUMENT_VALUE_MAX];

    if (json_type_of(root) != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "machine file: %s, wanted an object",
                       document_shown(root, shown));
    for (const struct json *m = json_first(root); m; m = json_next(m))
        if (check_member(m, err) < 0)
            return -1;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!json_member(root, needed[i]))
            return err_set(err, ERR_INVALID, "%s: missing, wanted a text", needed[i]);
    return 0;
}

static bool is_composed(const struct json *root)
{
    return strcmp(json_text(json_member(root, "kind")), "composed") == 0;
}

/* A composed machine has nothing that looks read, a recorded one nothing that was made up. */
static int check_kind(const struct json *root, struct err *err)
{
    static const char *const recorded[] = {"stated",          "sysctl", "metal", "ioreg",
                                           "system_profiler", "os",     "other"};
    static const char *const composed[] = {"composed", "state"};

    if (!is_composed(root)) {
        for (size_t i = 0; i < sizeof composed / sizeof composed[0]; i++)
            if (json_member(root, composed[i]))
                return err_set(err, ERR_INVALID,
                               "%s: only a machine of the kind \"composed\" has it", composed[i]);
        return 0;
    }
    if (!json_member(root, "composed"))
        return err_set(err, ERR_INVALID, "composed: missing, wanted an object");
    for (size_t i = 0; i < sizeof recorded / sizeof recorded[0]; i++)
        if (json_count(json_member(root, recorded[i])) > 0)
            return err_set(err, ERR_INVALID, "%s: a composed machine has nothing read or stated",
                           recorded[i]);
    return 0;
}

/* ---- a state that was written down ---- */

static int note_state(struct state *s, struct err *err)
{
    int how = s->synthetic == TRI_TRUE ? FACT_SOURCE_SYNTHETIC : FACT_SOURCE_READ;
    const char *detail = s->synthetic == TRI_TRUE ? "made up" : "the state file";

    for (size_t i = 0; i < state_type.count; i++) {
        const struct field *f = &state_type.fields[i];
        bool is_mark = strcmp(f->name, "synthetic") == 0 || strcmp(f->name, "facts") == 0 ||
                       strcmp(f->name, "unknown") == 0;

        if (is_mark || !field_is_known(f, s))
            continue;
        if (recording_note(&s->facts, &s->facts_count, "", f->name, how, detail, err) < 0)
            return -1;
    }
    return 0;
}

static struct state *read_state(const struct json *v, struct err *err)
{
    void *record = NULL;
    struct state *s;

    if (document_read(&state_type, v, &record, err) < 0)
        return NULL;
    s = record;
    if (!known_tri(s->synthetic))
        s->synthetic = TRI_TRUE;
    if (s->facts_count == 0 && note_state(s, err) < 0) {
        state_free(s);
        return NULL;
    }
    return s;
}

static int composed_state(struct recording *r)
{
    const struct json *v = json_member(r->root, "state");
    const struct json *synthetic = json_member(v, "synthetic");
    char shown[DOCUMENT_VALUE_MAX];

    if (!v)
        return 0;
    if (!json_bool_value(synthetic))
        return err_set(r->err, ERR_INVALID,
                       "state.synthetic: %s, wanted true: no composed machine has a real state",
                       synthetic ? document_shown(synthetic, shown) : "missing");
    r->state = read_state(v, r->err);
    if (r->state)
        return 0;
    return err_set(r->err, r->err->code, "state.%s", r->err->text);
}

/* ---- the whole ---- */

static int read_parts(struct recording *r)
{
    bool composed = is_composed(r->root);
    int rc;

    if (composed)
        rc = recording_composed(r) < 0 || composed_state(r) < 0 ? -1 : 0;
    else
        rc = recording_facts(r) < 0 || recording_cpu(r) < 0 || recording_features(r) < 0 ||
                     recording_os(r) < 0
                 ? -1
                 : 0;
    if (rc < 0)
        return -1;
    r->profile->origin = composed ? DEVICE_ORIGIN_COMPOSED : DEVICE_ORIGIN_RECORDED;
    if (text_set(&r->profile->recording_id, json_text(json_member(r->root, "id")), r->err) < 0 ||
        recording_unknown(r, composed ? "no table gives it"
                                      : "no source in the recording gives it") < 0 ||
        record_check(&profile_type, r->profile, r->err) < 0)
        return -1;
    return r->state ? record_check(&state_type, r->state, r->err) : 0;
}

int recording_read(const char *text, size_t len, struct profile **profile, struct state **state,
                   struct err *err)
{
    struct err why = {ERR_NONE, ""};
    struct recording r = {.err = &why};
    struct json *root = parse(text, len, &why);
    int rc = -1;

    r.root = root;
    if (root && check_form(root, &why) == 0 && check_kind(root, &why) == 0 &&
        (r.profile = profile_new(&why)))
        rc = read_parts(&r);
    json_free(root);
    if (rc < 0) {
        profile_free(r.profile);
        state_free(r.state);
        return err_set(err, why.code, "%s", why.text);
    }
    *profile = r.profile;
    if (state)
        *state = r.state;
    else
        state_free(r.state);
    return 0;
}

int recording_state_read(const char *text, size_t len, struct state **state, struct err *err)
{
    struct recording r = {.err = err};
    struct json *v = parse(text, len, err);

    r.state = v ? read_state(v, err) : NULL;
    json_free(v);
    if (!r.state || recording_unknown(&r, "the state file does not say") < 0 ||
        record_check(&state_type, r.state, err) < 0) {
        state_free(r.state);
        return -1;
    }
    *state = r.state;
    return 0;
}
