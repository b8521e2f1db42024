/* program_state_print.c - a saved program as DSPy 3.x reads it: every key that its loader asks for,
 * and no other, since it turns others into attributes. */
#include "coordinator/signature/program_state.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/prefix.h"
#include "coordinator/signature/signature.h"

#include <string.h>

/* A text as JSON has it; -1: no memory, or not UTF-8. */
static int add_text(struct buf *b, const char *text, struct err *err)
{
    struct json *v = json_new_text(text);
    char *printed = v ? json_print(v, false, err) : NULL;

    if (!v)
        err_set(err, ERR_NOMEM, "state");
    json_free(v);
    if (!printed)
        return -1;
    buf_adds(b, printed);
    mem_free(printed);
    return 0;
}

static int add_field(struct buf *b, const struct signature_field *f, const char *indent,
                     struct err *err)
{
    char *prefix = prefix_of(f, err);
    struct buf name;
    int rc;

    if (!prefix)
        return -1;
    buf_init(&name, NAME_TEXT_MAX);
    buf_addf(&name, "${%s}", f->name);
    buf_addf(b, "%s      {\"prefix\": ", indent);
    rc = add_text(b, prefix, err);
    mem_free(prefix);
    buf_adds(b, ", \"description\": ");
    if (rc == 0)
        rc = add_text(b, f->description ? f->description : name.data ? name.data : "", err);
    buf_clear(&name);
    buf_adds(b, "}");
    return rc;
}

static int add_demo(struct buf *b, const struct state_demo *demo, struct err *err)
{
    buf_addc(b, '{');
    for (size_t i = 0; i < demo->count; i++) {
        buf_adds(b, i ? ", " : "");
        if (add_text(b, demo->values[i].name, err) < 0)
            return -1;
        buf_addf(b, ": ");
        buf_adds(b, demo->values[i].json);
    }
    buf_addc(b, '}');
    return 0;
}

/* The members of a predictor, without braces around them. */
static int add_predictor(struct buf *b, const struct state_export *e, const char *indent,
                         struct err *err)
{
    size_t fields = e->sig->inputs + e->sig->outputs;

    buf_addf(b, "%s  \"traces\": [],\n%s  \"train\": [],\n%s  \"demos\": [", indent, indent,
             indent);
    for (size_t i = 0; i < e->demos_count; i++) {
        buf_addf(b, "%s\n%s    ", i ? "," : "", indent);
        if (add_demo(b, &e->demos[i], err) < 0)
            return -1;
    }
    if (e->demos_count)
        buf_addf(b, "\n%s  ", indent);
    buf_addf(b, "],\n%s  \"signature\": {\n%s    \"instructions\": ", indent, indent);
    if (add_text(b, e->sig->instructions, err) < 0)
        return -1;
    buf_addf(b, ",\n%s    \"fields\": [", indent);
    for (size_t i = 0; i < fields; i++) {
        buf_adds(b, i ? ",\n" : "\n");
        if (add_field(b, &e->sig->fields[i], indent, err) < 0)
            return -1;
    }
    buf_addf(b, "\n%s    ]\n%s  },\n%s  \"lm\": null", indent, indent, indent);
    return 0;
}

static int add_metadata(struct buf *b, const struct program_state *from, struct err *err)
{
    const char *names[] = {"python", "dspy", "cloudpickle"};
    const char *versions[] = {from ? from->python : NULL, from ? from->dspy : NULL,
                              from ? from->cloudpickle : NULL};
    const char *between = "";

    buf_adds(b, "  \"metadata\": {\"dependency_versions\": {");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!versions[i])
            continue;
        buf_addf(b, "%s\"%s\": ", between, names[i]);
        if (add_text(b, versions[i], err) < 0)
            return -1;
        between = ", ";
    }
    buf_adds(b, "}}\n}\n");
    return 0;
}

static int add_all(struct buf *b, const struct state_export *predictors, size_t count,
                   const struct program_state *from, struct err *err)
{
    buf_adds(b, "{\n");
    for (size_t i = 0; i < count; i++) {
        bool bare = !*predictors[i].path;

        if (!bare) {
            buf_adds(b, "  ");
            if (add_text(b, predictors[i].path, err) < 0)
                return -1;
            buf_adds(b, ": {\n");
        }
        if (add_predictor(b, &predictors[i], bare ? "" : "  ", err) < 0)
            return -1;
        buf_adds(b, bare ? ",\n" : "\n  },\n");
    }
    return add_metadata(b, from, err);
}

char *program_state_print(const struct state_export *predictors, size_t count,
                          const struct program_state *from, struct err *err)
{
    struct buf b;

    for (size_t i = 0; i < count; i++) {
        if (!*predictors[i].path && count > 1) {
            err_set(err, ERR_INVALID, "a bare Predict is a whole program: %zu do not fit in one",
                    count);
            return NULL;
        }
        for (size_t k = i + 1; k < count; k++)
            if (strcmp(predictors[i].path, predictors[k].path) == 0) {
                err_set(err, ERR_EXISTS, "path %.100s stands twice", predictors[i].path);
                return NULL;
            }
    }
    buf_init(&b, JSON_TEXT_MAX);
    if (add_all(&b, predictors, count, from, err) < 0) {
        buf_clear(&b);
        return NULL;
    }
    return buf_take(&b, NULL, err);
}
