/* answer.c - sections to a record.
 *
 * Each section is read into JSON by itself; together they are the members of one document, which
 * common/document reads into the record, dropping what it cannot take. A member that makes the
 * document unreadable as a whole is found by trying each alone, and left out. */
#include "coordinator/signature/answer.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/document/document.h"
#include "common/json/json.h"
#include "common/model/proposal.h"
#include "common/model/record.h"
#include "coordinator/signature/chat.h"
#include "coordinator/signature/lenient_json.h"
#include "coordinator/signature/notes.h"
#include "coordinator/signature/signature.h"

#include <stdbool.h>
#include <string.h>

char *answer_prose(const char *text, size_t len, size_t max, struct err *err)
{
    size_t at = 0, n;
    char *out = mem_alloc((len < max ? len : max) + 1);

    if (!out) {
        err_set(err, ERR_NOMEM, "text of %zu bytes", len);
        return NULL;
    }
    for (size_t i = 0; i < len && at < max; i += n ? n : 1) {
        unsigned char c = (unsigned char)text[i];
        bool plain = (c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t';

        n = plain ? text_utf8_len(text + i, len - i) : 0;
        if (n == 2 && c == 0xc2 && (unsigned char)text[i + 1] < 0xa0) { /* U+0080 to U+009F */
            out[at++] = '?';
            continue;
        }
        if (at + n > max)
            break;
        if (n == 0)
            out[at++] = '?';
        for (size_t j = 0; j < n; j++)
            out[at++] = text[i + j];
    }
    out[at] = '\0';
    return out;
}

/* Prose, no longer than its row allows; what had to go is noted. */
static struct json *read_text(const struct field *row, const char *text, struct notes *notes,
                              struct err *err)
{
    size_t len = strlen(text), max = (size_t)row->max;
    char *prose = answer_prose(text, len, max, err);
    struct json *v = prose ? json_new_text(prose) : NULL;

    if (prose && !v)
        err_set(err, ERR_NOMEM, "%s", row->name);
    if (prose && len > max)
        note_add(notes, "%s: %zu bytes, cut at %zu", row->name, len, max);
    mem_free(prose);
    return v;
}

/* {"optimization_strategy": {...}} where {...} was wanted: the inner one, taken out. */
static struct json *unwrap(struct json *v, const char *name, struct notes *notes)
{
    const struct json *only = json_first(v);

    if (json_type_of(v) != JSON_OBJECT || !only || json_next(only) ||
        !text_equals_ci(json_name(only), name) ||
        (json_type_of(only) != JSON_OBJECT && json_type_of(only) != JSON_ARRAY))
        return v;
    struct json *inner = json_remove(v, json_name(only));

    note_add(notes, "%s: wrapped in its own name, unwrapped", name);
    json_free(v);
    return inner;
}

/* The field that names an item: the required text of its row. */
static const struct field *item_key(const struct record_type *item)
{
    for (size_t i = 0; i < item->count; i++)
        if (item->fields[i].type == FIELD_TEXT && (item->fields[i].flags & FIELD_REQUIRED))
            return &item->fields[i];
    return NULL;
}

/* {"c1": {...}, "c2": {...}} where a list was wanted: each member is an item of that name. */
static struct json *list_members(struct json *map, const struct field *row, struct notes *notes,
                                 struct err *err)
{
    const struct field *key = row->type == FIELD_RECORDS ? item_key(row->record) : NULL;
    struct json *list;

    if (json_type_of(map) != JSON_OBJECT || !key || !json_first(map))
        return map;
    for (const struct json *m = json_first(map); m; m = json_next(m))
        if (json_type_of(m) != JSON_OBJECT)
            return map;
    if (!(list = json_array()))
        goto fail;
    for (const struct json *m = json_first(map); m; m = json_next(m)) {
        struct json *item = json_dup(m);

        if (!item ||
            (!json_member(item, key->name) && json_set_text(item, key->name, json_name(m)) < 0)) {
            json_free(item);
            goto fail;
        }
        if (json_append(list, &item) < 0)
            goto fail;
    }
    note_add(notes, "%s: an object by %s, read as a list", row->name, key->name);
    json_free(map);
    return list;
fail:
    err_set(err, ERR_NOMEM, "%s", row->name);
    json_free(list);
    json_free(map);
    return NULL;
}

/* One section as JSON; NULL with err. */
static struct json *read_section(const struct field *row, const char *text, struct notes *notes,
                                 struct err *err)
{
    enum lenient_want want = row->type == FIELD_RECORD ? LENIENT_OBJECT : LENIENT_ARRAY;
    struct json *v;

    switch (row->type) {
    case FIELD_TEXT:
    case FIELD_PROSE:
        return read_text(row, text, notes, err);
    case FIELD_RECORD:
    case FIELD_RECORDS:
    case FIELD_TEXTS:
    case FIELD_I64S:
        v = lenient_json_parse(row->name, text, strlen(text), want, notes, err);
        if (!v)
            return NULL;
        v = unwrap(v, row->name, notes);
        return list_members(v, row, notes, err);
    default: /* numbers, truth and words: document reads them from text */
        if (!(v = json_new_text(text)))
            err_set(err, ERR_MALFORMED, "%s: not a text", row->name);
        return v;
    }
}

/* {name}, as the prompt shows it: a small model copies the structure instead of filling it. */
static bool is_placeholder(const char *section, const char *name)
{
    size_t len = strlen(name);

    return section[0] == '{' && strncmp(section + 1, name, len) == 0 && section[len + 1] == '}';
}

static int read_sections(const struct signature *sig, const struct answer *a, struct json *root,
                         struct notes *notes, struct err *err)
{
    for (size_t i = 0; i < a->count; i++) {
        const char *name = signature_outputs(sig)[i].name;
        const struct field *row = record_field(sig->typed, name);
        struct err why = {0};
        struct json *v;

        if (!a->sections[i] || !row ||
            (a->is_json[i] && strcmp(a->sections[i], "null") == 0)) /* it says that it has none */
            continue;
        if (!*a->sections[i] || is_placeholder(a->sections[i], name)) {
            note_add(notes, "%s: %s", name, *a->sections[i] ? "its placeholder, dropped" : "empty");
            continue;
        }
        v = read_section(row, a->sections[i], notes, &why);
        if (!v && why.code == ERR_NOMEM)
            return err_set(err, ERR_NOMEM, "%s", name);
        if (!v)
            note_add(notes, "%s, dropped", why.text);
        if (a->is_json[i])
            lenient_drop_nulls(v); /* the form of a schema: each member is there */
        if (v && json_set(root, name, &v) < 0)
            return err_set(err, ERR_NOMEM, "%s", name);
    }
    return 0;
}

static int read_document(const struct record_type *type, const struct json *root, void **out,
                         struct notes *notes, struct err *err)
{
    char **found = NULL;
    size_t count = 0;

    if (document_read_lenient(type, root, out, &found, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        note_add(notes, "%s", found[i]);
    document_notes_free(found, count);
    return 0;
}

/* Leave out the members that cannot be read even alone. */
static int drop_unreadable(const struct record_type *type, struct json *root, struct notes *notes,
                           struct err *err)
{
    for (size_t i = 0; i < type->count; i++) {
        const char *name = type->fields[i].name;
        struct json *alone = json_object(), *copy = json_dup(json_member(root, name));
        bool there = copy != NULL;
        struct err why = {0};
        void *record = NULL;
        int rc = 0;

        if (there && (!alone || json_set(alone, name, &copy) < 0))
            err_set(&why, ERR_NOMEM, "%s", name);
        else if (there)
            rc = read_document(type, alone, &record, NULL, &why);
        record_free(type, record);
        json_free(alone);
        if (why.code == ERR_NOMEM)
            return err_set(err, ERR_NOMEM, "%s", name);
        if (rc < 0) {
            note_add(notes, "%s, dropped", why.text);
            json_free(json_remove(root, name));
        }
    }
    return 0;
}

/* Whether it says anything but prose and names. */
static bool has_value(const struct record_type *type, const void *record)
{
    for (size_t i = 0; i < type->count; i++) {
        const struct field *f = &type->fields[i];
        const char *at = field_at(f, record);

        if (!field_is_known(f, record) || f->type == FIELD_PROSE ||
            (f->type == FIELD_TEXT && (f->flags & FIELD_REQUIRED)))
            continue;
        if (f->type == FIELD_RECORD) {
            if (has_value(f->record, *(void *const *)at))
                return true;
        } else if (f->type == FIELD_RECORDS) {
            const char *items = *(char *const *)at;

            for (size_t j = 0; j < field_count(f, record); j++)
                if (has_value(f->record, items + j * f->record->size))
                    return true;
        } else {
            return true;
        }
    }
    return false;
}

static int read_root(const struct signature *sig, struct json *root, void **out,
                     struct notes *notes, struct err *err)
{
    struct err why = {0};
    void *record = NULL;

    if (read_document(sig->typed, root, &record, notes, &why) < 0) {
        if (why.code == ERR_NOMEM)
            return err_set(err, ERR_NOMEM, "answer");
        if (drop_unreadable(sig->typed, root, notes, err) < 0 ||
            read_document(sig->typed, root, &record, notes, err) < 0)
            return -1;
    }
    if (!has_value(sig->typed, record)) {
        err_set(err, ERR_MALFORMED, "%s: no field of the answer holds a usable value", sig->name);
        record_free(sig->typed, record);
        return -1;
    }
    *out = record;
    return 0;
}

int answer_read(const struct signature *sig, const struct answer *a, void **out,
                struct notes *notes, struct err *err)
{
    struct json *root = NULL;
    void *record = NULL;
    int rc = -1;

    if (!sig->typed || a->count != sig->outputs)
        return err_set(err, ERR_UNSUPPORTED, "signature %s: no record for this answer", sig->name);
    if (!(root = json_object()))
        err_set(err, ERR_NOMEM, "answer");
    else if (read_sections(sig, a, root, notes, err) == 0 &&
             read_root(sig, root, &record, notes, err) == 0)
        rc = notes_ok(notes, err);
    json_free(root);
    if (rc < 0)
        record_free(sig->typed, record);
    else
        *out = record;
    return rc;
}

static int read_as(const struct record_type *type, const struct signature *sig,
                   const struct answer *a, void **out, struct notes *notes, struct err *err)
{
    if (sig->typed != type)
        return err_set(err, ERR_UNSUPPORTED, "signature %s does not answer with a %s", sig->name,
                       type->name);
    return answer_read(sig, a, out, notes, err);
}

int answer_read_federated(const struct signature *sig, const struct answer *a,
                          struct federated_proposal **out, struct notes *notes, struct err *err)
{
    void *record;

    if (read_as(&federated_proposal_type, sig, a, &record, notes, err) < 0)
        return -1;
    *out = record;
    return 0;
}

int answer_read_pipeline(const struct signature *sig, const struct answer *a,
                         struct pipeline_proposal **out, struct notes *notes, struct err *err)
{
    void *record;

    if (read_as(&pipeline_proposal_type, sig, a, &record, notes, err) < 0)
        return -1;
    *out = record;
    return 0;
}

int answer_read_lora(const struct signature *sig, const struct answer *a,
                     struct lora_proposal **out, struct notes *notes, struct err *err)
{
    void *record;

    if (read_as(&lora_proposal_type, sig, a, &record, notes, err) < 0)
        return -1;
    *out = record;
    return 0;
}

int answer_read_diffusion(const struct signature *sig, const struct answer *a,
                          struct diffusion_proposal **out, struct notes *notes, struct err *err)
{
    void *record;

    if (read_as(&diffusion_proposal_type, sig, a, &record, notes, err) < 0)
        return -1;
    *out = record;
    return 0;
}
