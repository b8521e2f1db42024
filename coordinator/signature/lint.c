/* lint.c - the rules of lint.h, a function each. */
#include "coordinator/signature/lint.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/lint_words.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/value_type.h"

#include <stdarg.h>
#include <string.h>

#define FINDINGS_MAX 500 /* 64 fields with every rule broken are fewer */
#define WHY_MAX 1024     /* bytes: two field names, a signature's name and a sentence */

enum rule_index {
    RULE_HARDWARE,
    RULE_PERFORMANCE,
    RULE_HINTS,
    RULE_REUSE,
    RULE_FALLBACK,
    RULE_NAMES,
    RULE_DEGRADE,
    RULE_OUTPUTS,
    RULE_CONFLICT,
};

const struct lint_rule lint_rules[] = {
    [RULE_HARDWARE] = {"hardware-context", "an input says what machines there are"},
    [RULE_PERFORMANCE] = {"performance-context", "an input says how fast, how soon or what for"},
    [RULE_HINTS] = {"performance-hints", "a description names what is measured"},
    [RULE_REUSE] = {"reuse-parts", "fields of another signature are inherited, not copied"},
    [RULE_FALLBACK] = {"fallback", "there is an answer when the first one fails"},
    [RULE_NAMES] = {"consistent-names", "a name means the same in related signatures"},
    [RULE_DEGRADE] = {"degrade-gracefully", "a device that nobody listed still has a place"},
    [RULE_OUTPUTS] = {"actionable-outputs", "somebody can act on every output"},
    [RULE_CONFLICT] = {"name-conflict", "no two names can be taken for each other"},
};
const size_t lint_rules_count = sizeof lint_rules / sizeof lint_rules[0];

struct lint {
    const struct signature *sig;
    const struct catalog *catalog;
    struct lint_report report;
    struct err *err;
};

typedef int lint_fn(struct lint *l);

void lint_clear(struct lint_report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        mem_free(r->findings[i].field);
        mem_free(r->findings[i].why);
        mem_free(r->findings[i].what);
    }
    mem_free(r->findings);
    *r = (struct lint_report){0};
}

/* One more finding: the `what` follows the `why` after a '|' in the format. */
static int found(struct lint *l, enum rule_index rule, enum lint_level level, const char *field,
                 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static int found(struct lint *l, enum rule_index rule, enum lint_level level, const char *field,
                 const char *fmt, ...)
{
    struct lint_finding f = {.rule = &lint_rules[rule], .level = level}, *grown;
    struct buf b;
    const char *bar;
    va_list args;
    char *text;

    if (l->report.count == FINDINGS_MAX)
        return 0;
    buf_init(&b, WHY_MAX);
    va_start(args, fmt);
    buf_addv(&b, fmt, args);
    va_end(args);
    if (!(text = buf_take(&b, NULL, l->err)))
        return -1;
    bar = strchr(text, '|');
    f.why = mem_strndup(text, bar ? (size_t)(bar - text) : strlen(text));
    f.what = mem_strdup(bar ? bar + 1 : "");
    f.field = field ? mem_strdup(field) : NULL;
    mem_free(text);
    grown = mem_realloc_array(l->report.findings, l->report.count + 1, sizeof *grown);
    if (grown)
        l->report.findings = grown;
    if (!grown || !f.why || !f.what || (field && !f.field)) {
        mem_free(f.why);
        mem_free(f.what);
        mem_free(f.field);
        return err_set(l->err, ERR_NOMEM, "lint of %s", l->sig->name);
    }
    l->report.findings[l->report.count++] = f;
    l->report.errors |= level == LINT_ERROR;
    return 0;
}

/* ---- what a field is about: by its role, or by its name where nobody gave one ---- */

static bool is_about(const struct signature_field *f, enum signature_role role)
{
    static const char *const hardware[] = {"hardware", "device", "machine", "cluster", NULL};
    static const char *const performance[] = {"performance", "latency",  "throughput", "speed",
                                              "objective",   "deadline", NULL};

    if (f->role == role)
        return true;
    if (f->role != SIGNATURE_ROLE_OTHER)
        return role == SIGNATURE_ROLE_PERFORMANCE && f->role == SIGNATURE_ROLE_OBJECTIVE;
    if (role == SIGNATURE_ROLE_HARDWARE)
        return lint_words_part(f->name, hardware);
    return role == SIGNATURE_ROLE_PERFORMANCE && lint_words_part(f->name, performance);
}

static bool has_input_about(const struct signature *sig, enum signature_role role)
{
    for (size_t i = 0; i < sig->inputs; i++)
        if (is_about(&sig->fields[i], role))
            return true;
    return false;
}

int lint_context(const struct signature *sig, struct err *err)
{
    bool hardware = has_input_about(sig, SIGNATURE_ROLE_HARDWARE);
    bool performance = has_input_about(sig, SIGNATURE_ROLE_PERFORMANCE);

    if (sig->no_context || (hardware && performance))
        return 0;
    return err_set(err, ERR_INVALID,
                   "signature %.80s: no input gives %s: add one with that role, or say why not in "
                   "no_context",
                   sig->name,
                   hardware      ? "performance"
                   : performance ? "hardware"
                                 : "hardware, none performance");
}

static int check_hardware(struct lint *l)
{
    if (l->sig->no_context || has_input_about(l->sig, SIGNATURE_ROLE_HARDWARE))
        return 0;
    return found(l, RULE_HARDWARE, LINT_ERROR, NULL,
                 "no input says what machines there are, so every answer is for none in particular|"
                 "add an input with the role hardware, or say why not in no_context");
}

static int check_performance(struct lint *l)
{
    if (l->sig->no_context || has_input_about(l->sig, SIGNATURE_ROLE_PERFORMANCE))
        return 0;
    return found(l, RULE_PERFORMANCE, LINT_ERROR, NULL,
                 "no input says how fast or what for, so good and bad answers look alike|"
                 "add an input with the role performance or objective, or say why not in "
                 "no_context");
}

static int check_hints(struct lint *l)
{
    static const char *const metrics[] = {"latency",   "throughput",  "memory",   "speed",
                                          "bandwidth", "performance", "tokens",   "time",
                                          "seconds",   "quality",     "accuracy", NULL};

    if (l->sig->no_context)
        return 0;
    for (size_t i = 0; i < l->sig->inputs + l->sig->outputs; i++)
        if (!is_about(&l->sig->fields[i], SIGNATURE_ROLE_HARDWARE) &&
            lint_words_any(l->sig->fields[i].description, metrics))
            return 0;
    return found(l, RULE_HINTS, LINT_ADVICE, NULL,
                 "no description names anything that is measured|"
                 "name it where it belongs: latency, throughput, memory, time");
}

/* ---- related signatures ---- */

static bool extends(const struct lint *l, const struct signature *other)
{
    const struct signature *s = l->sig;

    for (int depth = 0; s && depth < 32; depth++) {
        if (strcmp(s->name, other->name) == 0)
            return true;
        s = s->base ? catalog_find(l->catalog, s->base) : NULL;
    }
    return false;
}

static size_t copied_fields(const struct signature *sig, const struct signature *other)
{
    size_t copied = 0;

    for (size_t i = 0; i < other->inputs + other->outputs; i++) {
        const struct signature_field *f = signature_field(sig, other->fields[i].name);

        copied += f && signature_field_same(f, &other->fields[i]);
    }
    return copied;
}

/* All fields of a signature that it does not extend: that one is a base in all but name. */
static int check_reuse(struct lint *l)
{
    const struct signature *other;
    size_t cursor = 0;

    while ((other = catalog_next(l->catalog, &cursor)))
        if (!extends(l, other) && other->inputs + other->outputs >= 2 &&
            copied_fields(l->sig, other) == other->inputs + other->outputs &&
            found(l, RULE_REUSE, LINT_ADVICE, NULL,
                  "it repeats every field of %s, and will not follow when those change|"
                  "extend %s, and keep only what is new",
                  other->name, other->name) < 0)
            return -1;
    return 0;
}

static int compare_name(struct lint *l, const struct signature_field *f,
                        const struct signature *other, const struct signature_field *there)
{
    if (f->direction != there->direction)
        return found(l, RULE_NAMES, LINT_ERROR, f->name,
                     "in %s this name is an %s|choose another name here, or there", other->name,
                     there->direction == SIGNATURE_INPUT ? "input" : "output");
    if (f->role != there->role && f->role != SIGNATURE_ROLE_OTHER &&
        there->role != SIGNATURE_ROLE_OTHER)
        return found(l, RULE_NAMES, LINT_ERROR, f->name,
                     "in %s this name is about something else|choose another name here, or there",
                     other->name);
    if (!signature_field_same(f, there))
        return found(l, RULE_NAMES, LINT_ADVICE, f->name,
                     "in %s this name has another description or type|"
                     "use the same words for the same thing",
                     other->name);
    return 0;
}

static int check_names(struct lint *l)
{
    const struct signature *other;

    for (size_t i = 0; i < l->sig->inputs + l->sig->outputs; i++) {
        const struct signature_field *f = &l->sig->fields[i], *there;
        size_t cursor = 0;

        while ((other = catalog_next(l->catalog, &cursor)))
            if (strcmp(other->name, l->sig->name) != 0 &&
                (there = signature_field(other, f->name)) && !signature_field_same(f, there)) {
                if (compare_name(l, f, other, there) < 0)
                    return -1;
                break; /* one signature is enough to show it */
            }
    }
    return 0;
}

/* ---- fields by themselves ---- */

static int check_fallback(struct lint *l)
{
    static const char *const words[] = {"fallback",  "fall back",   "recover", "degrade",
                                        "otherwise", "alternative", "instead", NULL};

    if (l->sig->typed || lint_words_any(l->sig->instructions, words))
        return 0; /* a typed answer that cannot be used is replaced by the planner's own */
    for (size_t i = l->sig->inputs; i < l->sig->inputs + l->sig->outputs; i++) {
        const struct signature_field *f = &l->sig->fields[i];

        if (lint_words_part(f->name, words) || lint_words_any(f->description, words) ||
            value_type_takes_null(f->type))
            return 0;
    }
    return found(l, RULE_FALLBACK, LINT_ADVICE, NULL,
                 "nothing says what to do when the answer does not work out|"
                 "add an output with the fallback, or let an output be null");
}

static int check_degrade(struct lint *l)
{
    static const char *const open[] = {"etc",  "e.g.",  "such as", "for example",
                                       "like", "other", "any",     NULL};

    for (size_t i = 0; i < l->sig->inputs + l->sig->outputs; i++) {
        const struct signature_field *f = &l->sig->fields[i];
        bool listed = false;

        if (f->type && f->type->kind == VALUE_LITERAL)
            for (const struct json *w = json_first(f->type->words); w; w = json_next(w))
                listed |= json_text(w) && lint_words_chip(json_text(w));
        if (listed && found(l, RULE_DEGRADE, LINT_ERROR, f->name,
                            "its words are a list of chips, and next year's is not among them|"
                            "make it str, and let the device say what it reports") < 0)
            return -1;
        if (!listed && f->description && lint_words_chip(f->description) &&
            !lint_words_any(f->description, open) &&
            found(l, RULE_DEGRADE, LINT_ADVICE, f->name,
                  "its description names chips as if there were no others|"
                  "name them as examples, or leave them out") < 0)
            return -1;
    }
    if (lint_words_chip(l->sig->instructions) && !lint_words_any(l->sig->instructions, open))
        return found(l, RULE_DEGRADE, LINT_ADVICE, NULL,
                     "the instructions name chips as if there were no others|"
                     "name them as examples, or leave them out");
    return 0;
}

static int check_outputs(struct lint *l)
{
    for (size_t i = l->sig->inputs; i < l->sig->inputs + l->sig->outputs; i++) {
        const struct signature_field *f = &l->sig->fields[i];
        int rc = 0;

        if (f->role == SIGNATURE_ROLE_REASONING)
            continue;
        if (!f->description || !*f->description)
            rc = found(l, RULE_OUTPUTS, LINT_ERROR, f->name,
                       "without a description the model guesses what is wanted|"
                       "say what it holds and in which terms");
        else if (lint_words_count(f->description) < 3 && !f->row && value_type_is_text(f->type))
            rc = found(l, RULE_OUTPUTS, LINT_ADVICE, f->name,
                       "\"%.60s\" says too little to act on|"
                       "say what it decides, for whom, and in which terms",
                       f->description);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int check_conflict(struct lint *l)
{
    size_t count = l->sig->inputs + l->sig->outputs;

    for (size_t i = 0; i < count; i++) {
        const struct signature_field *f = &l->sig->fields[i];

        for (size_t j = i + 1; j < count; j++)
            if (lint_words_alike(f->name, l->sig->fields[j].name) &&
                found(l, RULE_CONFLICT, LINT_ERROR, f->name,
                      "a reader, and a model, takes it for %s|choose names that differ in letters",
                      l->sig->fields[j].name) < 0)
                return -1;
        if (strcmp(f->name, "reasoning") == 0 && f->role != SIGNATURE_ROLE_REASONING &&
            found(l, RULE_CONFLICT, LINT_ADVICE, f->name,
                  "a chain of thought adds an output of this name, and is refused here|"
                  "choose another name") < 0)
            return -1;
    }
    return 0;
}

int lint_signature(const struct signature *sig, const struct catalog *catalog,
                   struct lint_report *out, struct err *err)
{
    static lint_fn *const checks[] = {check_hardware, check_performance, check_hints,
                                      check_reuse,    check_fallback,    check_names,
                                      check_degrade,  check_outputs,     check_conflict};
    struct lint l = {.sig = sig, .catalog = catalog, .err = err};

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (checks[i](&l) < 0) {
            lint_clear(&l.report);
            return -1;
        }
    *out = l.report;
    return 0;
}

void lint_print(struct buf *b, const struct lint_report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct lint_finding *f = &r->findings[i];

        buf_addf(b, "%s %s%s%s: %s; %s\n", f->level == LINT_ERROR ? "error" : "advice",
                 f->rule->name, f->field ? " " : "", f->field ? f->field : "", f->why, f->what);
    }
}
