/* factory.c - the rows that every domain has, then the caller's. */
#include "coordinator/signature/factory.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/instructions.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value_type.h"

#include <stdbool.h>
#include <string.h>

#define CLASS_NAME_MAX (FACTORY_DOMAIN_MAX + sizeof "OptimizationSignature")

/* A description is what stands before the domain's name, the name where `domain` is set, and what
 * stands after it. */
struct row {
    const char *name, *before, *after;
    enum signature_direction direction;
    enum signature_role role;
    bool domain, takes_hardware;
};

static const struct row rows[] = {
    {"domain_context", "Specific context and requirements for ", " domain", SIGNATURE_INPUT,
     SIGNATURE_ROLE_TASK, true, false},
    {"hardware_constraints", "Apple Silicon hardware constraints and capabilities", "",
     SIGNATURE_INPUT, SIGNATURE_ROLE_HARDWARE, false, true},
    {"optimization_objective", "Primary optimization objective (speed, quality, efficiency)", "",
     SIGNATURE_INPUT, SIGNATURE_ROLE_OBJECTIVE, false, false},
    {"optimized_approach", "Optimized approach for ", " on Apple Silicon", SIGNATURE_OUTPUT,
     SIGNATURE_ROLE_STRATEGY, true, false},
    {"implementation_details", "Specific implementation details and code patterns", "",
     SIGNATURE_OUTPUT, SIGNATURE_ROLE_STRATEGY, false, false},
    {"performance_predictions", "Expected performance improvements and metrics", "",
     SIGNATURE_OUTPUT, SIGNATURE_ROLE_PREDICTION, false, false},
};

static int check_domain(const char *domain, struct err *err)
{
    size_t len = domain ? strlen(domain) : 0;

    if (len == 0 || len > FACTORY_DOMAIN_MAX)
        return err_set(err, ERR_INVALID, "domain: %zu bytes, wanted 1 to %d", len,
                       FACTORY_DOMAIN_MAX);
    for (const char *p = domain; *p; p++)
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') && *p != '_' &&
            (p == domain || !(*p >= '0' && *p <= '9')))
            return err_set(err, ERR_INVALID,
                           "domain: \"%.64s\", wanted letters, digits and _, no digit first",
                           domain);
    return 0;
}

/* Each letter that follows no letter becomes a capital, any other a small one: Computer_Vision. */
static void title_case(char *text)
{
    bool inside = false;

    for (char *p = text; *p; p++) {
        bool lower = *p >= 'a' && *p <= 'z', upper = *p >= 'A' && *p <= 'Z';

        if (lower && !inside)
            *p = (char)(*p - 'a' + 'A');
        else if (upper && inside)
            *p = (char)(*p - 'A' + 'a');
        inside = lower || upper;
    }
}

/* "device: M2_Max, memory: 64GB"; NULL with ERR_NONE when nothing is known. */
static char *hardware_text(const struct json *hardware, struct err *err)
{
    struct buf b;
    const char *between = "";

    buf_init(&b, TEXT_MAX);
    buf_adds(&b, "");
    for (const struct json *m = json_first(hardware); m; m = json_next(m), between = ", ") {
        char *value = json_text(m) ? mem_strdup(json_text(m)) : json_print(m, false, err);

        if (!value) {
            buf_clear(&b);
            err_set(err, ERR_NOMEM, "hardware");
            return NULL;
        }
        buf_addf(&b, "%s%s: %s", between, json_name(m), value);
        mem_free(value);
    }
    return buf_take(&b, NULL, err);
}

static int put_row(struct signature *sig, const struct row *row, const char *domain,
                   const char *hardware, struct err *err)
{
    struct signature_field f = {.direction = row->direction, .role = row->role};
    struct buf b;
    int rc = -1;

    buf_init(&b, TEXT_MAX);
    buf_addf(&b, "%s%s%s", row->before, row->domain ? domain : "", row->after);
    f.name = mem_strdup(row->name);
    f.description = buf_take(&b, NULL, err);
    if (row->takes_hardware && *hardware)
        f.fallback = mem_strdup(hardware);
    if (!f.name || !f.description || (row->takes_hardware && *hardware && !f.fallback))
        err_set(err, ERR_NOMEM, "field %s", row->name);
    else
        rc = signature_put_field(sig, &f, err);
    mem_free(f.name);
    mem_free(f.description);
    mem_free(f.fallback);
    return rc;
}

static int refuse_conflict(const struct signature_field *old, const struct factory_field *custom,
                           size_t i, struct err *err)
{
    return err_set(err, ERR_EXISTS,
                   "fields[%zu]: %.64s is an %s already (\"%.60s\"), and would mean \"%.60s\" too",
                   i, old->name, old->direction == SIGNATURE_INPUT ? "input" : "output",
                   old->description ? old->description : "",
                   custom->description ? custom->description : "");
}

static int put_custom(struct signature *sig, const struct factory_field *custom, size_t i,
                      struct err *err)
{
    struct signature_field f = {.direction = SIGNATURE_OUTPUT, .role = SIGNATURE_ROLE_OTHER};
    const struct signature_field *old;
    int rc = -1;

    if (signature_check_field_name(custom->name, err) < 0) {
        err_prefix(err, "fields[%zu]", i);
        return -1;
    }
    if ((old = signature_field(sig, custom->name)))
        return refuse_conflict(old, custom, i, err);
    if (custom->type && !(f.type = value_type_read(custom->type, strlen(custom->type), err))) {
        err_prefix(err, "fields[%zu]", i);
        return -1;
    }
    f.name = mem_strdup(custom->name);
    f.description = custom->description ? mem_strdup(custom->description) : NULL;
    if (!f.name || (custom->description && !f.description))
        err_set(err, ERR_NOMEM, "field %s", custom->name);
    else
        rc = signature_put_field(sig, &f, err);
    mem_free(f.name);
    mem_free(f.description);
    value_type_free(f.type);
    return rc;
}

static struct signature *empty_signature(const char *domain, struct err *err)
{
    char name[CLASS_NAME_MAX];
    struct signature *sig = NULL;
    struct buf b;
    char *words;

    memcpy(name, domain, strlen(domain) + 1);
    title_case(name);
    strncat(name, "OptimizationSignature", sizeof name - strlen(name) - 1);
    buf_init(&b, TEXT_MAX);
    buf_addf(&b, "Dynamic signature for %s optimization on Apple Silicon", domain);
    if ((words = buf_take(&b, NULL, err)))
        sig = signature_new(name, words, err);
    mem_free(words);
    return sig;
}

struct signature *factory_make(const char *domain, const struct json *hardware,
                               const struct factory_field *fields, size_t count, struct err *err)
{
    struct signature *sig = NULL;
    char *facts;

    if (check_domain(domain, err) < 0)
        return NULL;
    if (hardware && json_type_of(hardware) != JSON_OBJECT) {
        err_set(err, ERR_INVALID, "hardware: %s, wanted an object of facts",
                json_type_name(json_type_of(hardware)));
        return NULL;
    }
    if (!(facts = hardware_text(hardware, err)))
        return NULL;
    if (!(sig = empty_signature(domain, err)))
        goto fail;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (put_row(sig, &rows[i], domain, facts, err) < 0)
            goto fail;
    for (size_t i = 0; i < count; i++)
        if (put_custom(sig, &fields[i], i, err) < 0)
            goto fail;
    mem_free(facts);
    return sig;
fail:
    signature_free(sig);
    mem_free(facts);
    return NULL;
}
