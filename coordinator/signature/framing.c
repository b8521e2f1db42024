/* framing.c - a framing's slots as a table. */
#include "coordinator/signature/framing.h"

#include "common/core/embed.h"
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "common/json/json_pick.h"

#include <string.h>

extern const struct embedded_file signature_framings[];
extern const size_t signature_framings_count;

#define SLOT(m)                         \
    {                                   \
#m, offsetof(struct framing, m) \
    }

static const struct slot {
    const char *name;
    size_t offset;
} slots[] = {
    SLOT(inputs_heading),    SLOT(outputs_heading),     SLOT(constraints_label),
    SLOT(structure_heading), SLOT(json_inputs_heading), SLOT(json_outputs_heading),
    SLOT(objective_heading), SLOT(note_lead),           SLOT(note_bool),
    SLOT(note_number),       SLOT(note_enum),           SLOT(note_literal),
    SLOT(note_schema),       SLOT(reminder_lead),       SLOT(reminder_type),
    SLOT(reminder_end),      SLOT(json_reminder),       SLOT(demo_incomplete),
    SLOT(demo_missing),      SLOT(schema_form),         SLOT(turn_form),
};
#define SLOTS (sizeof slots / sizeof slots[0])

static char **slot_at(struct framing *f, size_t i)
{
    return (char **)((char *)f + slots[i].offset);
}

void framing_free(struct framing *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        mem_free(*slot_at(f, i));
    mem_free(f);
}

static int read_slots(struct framing *f, const struct json *root, struct err *err)
{
    const char *names[SLOTS + 1] = {NULL};
    const char *text = NULL;

    for (size_t i = 0; i < SLOTS; i++)
        names[i] = slots[i].name;
    if (json_only(root, "", names, err) < 0)
        return -1;
    for (size_t i = 0; i < SLOTS; i++) {
        if (json_want_text(root, "", slots[i].name, TEXT_MAX, &text, err) < 0)
            return -1;
        if (!(*slot_at(f, i) = mem_strdup(text)))
            return err_set(err, ERR_NOMEM, "framing");
    }
    return 0;
}

static int check_word(const char *name, const char *value, const char *a, const char *b,
                      struct err *err)
{
    if (strcmp(value, a) == 0 || strcmp(value, b) == 0)
        return 0;
    return err_set(err, ERR_INVALID, "%s is \"%.40s\", want \"%s\" or \"%s\"", name, value, a, b);
}

struct framing *framing_read(const char *file, const char *text, size_t len, struct err *err)
{
    struct json *root = json_parse(text, len, err);
    struct framing *f = NULL;

    if (!root)
        goto fail;
    if (!(f = mem_zalloc(sizeof *f))) {
        err_set(err, ERR_NOMEM, "framing");
        goto fail;
    }
    if (read_slots(f, root, err) < 0 ||
        check_word("schema_form", f->schema_form, "short", "json", err) < 0 ||
        check_word("turn_form", f->turn_form, "bare", "reminded", err) < 0)
        goto fail;
    json_free(root);
    return f;
fail:
    err_prefix(err, "%s", file);
    framing_free(f);
    json_free(root);
    return NULL;
}

struct framing *framing_load(const char *path, struct err *err)
{
    struct framing *f;
    char *text = NULL;
    size_t len;

    if (file_read(path, JSON_TEXT_MAX, &text, &len, err) < 0)
        return NULL;
    f = framing_read(path, text, len, err);
    mem_free(text);
    return f;
}

struct framing *framing_builtin(struct err *err)
{
    const struct embedded_file *f =
        embed_find(signature_framings, signature_framings_count, "framing.json");

    return framing_read(f->name, (const char *)f->data, f->len, err);
}
