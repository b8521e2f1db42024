/* device_class.c - the written list of what makes a class, and how each value is rounded.
 *
 * Two steps: cut (copy the listed fields, rounded) and print. A key is printed from rounded values,
 * and the records of a class hold the same rounded values, so neither can say what the other does
 * not. A state has no text among its listed fields, so it is cut on the stack: a report costs no
 * allocation here. Nor does it cost a key as long as its rounded numbers are those of the device's
 * class (class_state_is): printing a key takes ten times as long as comparing them. */
#include "coordinator/fleet/device_class.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/model/device.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum rule_kind {
    RULE_TEXT,    /* as it is */
    RULE_INT,     /* enums and tristates, as they are */
    RULE_I64,     /* as it is */
    RULE_BYTES,   /* down: see round_down */
    RULE_F64,     /* down: see round_down */
    RULE_BUCKETS, /* double: to a listed value */
};

struct rule {
    const char *name;
    enum rule_kind kind;
    bool up; /* to the bucket above, else below */
    size_t offset;
    int64_t step; /* smallest step, for RULE_BYTES and RULE_F64 */
    int64_t part; /* step is at least 1/part of the power of two below the value; 0: step alone */
    const double *buckets; /* rising; ends with a negative */
};

#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)
#define AT(s, m) .name = #m, .offset = offsetof(struct s, m)

static const double idle_buckets[] = {0,    60,   300,   600,   900,   1800,
                                      3600, 7200, 14400, 28800, 86400, -1};
static const double load_buckets[] = {0.05, 0.25, 0.5, 0.75, 1, -1};

static const struct rule profile_rules[] = {
    {AT(profile, origin), .kind = RULE_INT},
    {AT(profile, chip), .kind = RULE_TEXT},
    {AT(profile, model_identifier), .kind = RULE_TEXT},
    {AT(profile, memory_bytes), .kind = RULE_I64},
    {AT(profile, memory_usable_bytes), .kind = RULE_I64},
    {AT(profile, gpu_cores), .kind = RULE_I64},
    {AT(profile, neural_engine_cores), .kind = RULE_I64},
    {AT(profile, cpu_cores), .kind = RULE_I64},
    {AT(profile, os_name), .kind = RULE_TEXT},
    {AT(profile, os_version), .kind = RULE_TEXT},
    {AT(profile, wired_limit_bytes), .kind = RULE_I64},
    {AT(profile, gpu_flops), .kind = RULE_F64, .step = 1, .part = 16},
    {AT(profile, memory_bandwidth_bytes_per_s), .kind = RULE_F64, .step = 1, .part = 16},
};

static const struct rule level_rules[] = {
    {AT(cpu_level, name), .kind = RULE_TEXT},
    {AT(cpu_level, cores), .kind = RULE_I64},
    {AT(cpu_level, l2_bytes), .kind = RULE_I64},
    {AT(cpu_level, cpus_per_l2), .kind = RULE_I64},
};

static const struct rule metal_rules[] = {
    {AT(metal, name), .kind = RULE_TEXT},
    {AT(metal, working_set_bytes), .kind = RULE_I64},
    {AT(metal, max_buffer_bytes), .kind = RULE_I64},
    {AT(metal, threadgroup_memory_bytes), .kind = RULE_I64},
    {AT(metal, unified_memory), .kind = RULE_INT},
    {AT(metal, family), .kind = RULE_TEXT},
    {AT(metal, metal_version), .kind = RULE_TEXT},
    {AT(metal, architecture), .kind = RULE_TEXT},
};

static const struct rule state_rules[] = {
    {AT(state, synthetic), .kind = RULE_INT},
    {AT(state, memory_available_bytes), .kind = RULE_BYTES, .step = 256 * MIB, .part = 64},
    {AT(state, memory_pressure), .kind = RULE_INT},
    {AT(state, plan_memory_bytes), .kind = RULE_BYTES, .step = 256 * MIB, .part = 64},
    {AT(state, cpu_load), .kind = RULE_BUCKETS, .buckets = load_buckets, .up = true},
    {AT(state, gpu_load), .kind = RULE_BUCKETS, .buckets = load_buckets, .up = true},
    {AT(state, thermal), .kind = RULE_INT},
    {AT(state, power_source), .kind = RULE_INT},
    {AT(state, battery_percent), .kind = RULE_F64, .step = 5},
    {AT(state, has_battery), .kind = RULE_INT},
    {AT(state, low_power_mode), .kind = RULE_INT},
    {AT(state, user_idle_seconds), .kind = RULE_BUCKETS, .buckets = idle_buckets},
    {AT(state, lid_closed), .kind = RULE_INT},
    {AT(state, disk_free_bytes), .kind = RULE_BYTES, .step = GIB, .part = 16},
};

/* Rates whose origin (measured, published) the planner tells apart. */
static const char *const sourced_fields[] = {"gpu_flops", "memory_bandwidth_bytes_per_s"};

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* --- rounding --- */

static int64_t round_bytes(const struct rule *r, int64_t value)
{
    int64_t step = r->step, least = value / r->part / 2;

    while (least >= step) /* until it is at least 1/part of the power of two */
        step *= 2;
    return value - value % step;
}

static double round_rate(const struct rule *r, double value)
{
    double step = (double)r->step;
    int exponent;

    if (r->part && value > 0) {
        frexp(value, &exponent); /* value = x * 2^exponent, x in [0.5, 1) */
        step = fmax(step, ldexp(1.0, exponent - 1) / (double)r->part);
    }
    return floor(value / step) * step;
}

static double round_bucket(const struct rule *r, double value)
{
    double found = r->buckets[0];

    for (const double *b = r->buckets; *b >= 0; b++) {
        if (r->up && *b >= value)
            return *b;
        if (r->up || *b <= value)
            found = *b;
    }
    return found; /* above the last when going up: the last, which is the field's maximum */
}

/* The listed number of `from`, rounded, into the same place of `to`. */
static void rule_cut_number(const struct rule *r, const void *from, void *to)
{
    const void *src = (const char *)from + r->offset;
    void *dst = (char *)to + r->offset;
    int64_t i;
    double d;

    switch (r->kind) {
    case RULE_TEXT:
        break;
    case RULE_INT:
        memcpy(dst, src, sizeof(int));
        break;
    case RULE_I64:
    case RULE_BYTES:
        memcpy(&i, src, sizeof i);
        if (r->kind == RULE_BYTES && known_i64(i))
            i = round_bytes(r, i);
        memcpy(dst, &i, sizeof i);
        break;
    case RULE_F64:
    case RULE_BUCKETS:
        memcpy(&d, src, sizeof d);
        if (known_f64(d))
            d = r->kind == RULE_F64 ? round_rate(r, d) : round_bucket(r, d);
        memcpy(dst, &d, sizeof d);
        break;
    }
}

/* All listed fields of a record; texts are copied. */
static int rules_cut(const struct rule *rules, size_t count, const void *from, void *to,
                     struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct rule *r = &rules[i];

        if (r->kind != RULE_TEXT)
            rule_cut_number(r, from, to);
        else if (text_set((char **)((char *)to + r->offset),
                          *(char *const *)((const char *)from + r->offset), err) < 0)
            return -1;
    }
    return 0;
}

/* --- the key --- */

/* Faster than printf, which would be half the cost of a report. */
static void key_add_i64(struct buf *key, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do
        digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0)
        digits[--at] = '-';
    buf_add(key, digits + at, sizeof digits - at);
}

static void key_add_text(struct buf *key, const char *text)
{
    key_add_i64(key, (int64_t)strlen(text)); /* so that no text can look like the next field */
    buf_addc(key, ':');
    buf_adds(key, text);
}

/* Whole numbers, and shares of whole percents, which is what rounded loads are, by hand. */
static void key_add_f64(struct buf *key, double value)
{
    int percent = value > 0 && value < 1 ? (int)(value * 100 + 0.5) : 0;

    if (value == floor(value) && fabs(value) < 0x1p62) {
        key_add_i64(key, (int64_t)value);
    } else if (percent > 0 && value == percent / 100.0) {
        const char digits[] = {'0', '.', (char)('0' + percent / 10), (char)('0' + percent % 10)};

        buf_add(key, digits, percent % 10 ? 4 : 3);
    } else {
        buf_addf(key, "%.17g", value);
    }
}

static void key_add_rule(struct buf *key, const struct rule *r, const void *record)
{
    const void *at = (const char *)record + r->offset;
    const char *text;
    int64_t i;
    double d;
    int n;

    buf_adds(key, r->name);
    buf_addc(key, '=');
    switch (r->kind) {
    case RULE_TEXT:
        memcpy(&text, at, sizeof text);
        if (text)
            key_add_text(key, text);
        else
            buf_addc(key, '?');
        break;
    case RULE_INT:
        memcpy(&n, at, sizeof n);
        key_add_i64(key, n); /* unset and TRI_UNKNOWN are values like any other */
        break;
    case RULE_I64:
    case RULE_BYTES:
        memcpy(&i, at, sizeof i);
        if (known_i64(i))
            key_add_i64(key, i);
        else
            buf_addc(key, '?');
        break;
    case RULE_F64:
    case RULE_BUCKETS:
        memcpy(&d, at, sizeof d);
        if (known_f64(d))
            key_add_f64(key, d);
        else
            buf_addc(key, '?');
        break;
    }
    buf_addc(key, '|');
}

/* One field of a record that is not rounded yet. */
static void key_add_rounded(struct buf *key, const struct rule *r, const void *record)
{
    union {
        struct profile profile;
        struct metal metal;
        struct cpu_level level;
        struct state state;
    } rounded; /* only the place of this one field is written and read */

    if (r->kind == RULE_TEXT) {
        key_add_rule(key, r, record);
        return;
    }
    rule_cut_number(r, record, &rounded);
    key_add_rule(key, r, &rounded);
}

static void key_add_rules(struct buf *key, const struct rule *rules, size_t count,
                          const void *record)
{
    for (size_t i = 0; i < count; i++)
        key_add_rounded(key, &rules[i], record);
}

static int fact_source_of(const struct profile *p, const char *field)
{
    for (size_t i = 0; i < p->facts_count; i++)
        if (p->facts[i].field && strcmp(p->facts[i].field, field) == 0)
            return p->facts[i].source;
    return FACT_SOURCE_UNSET;
}

/* No Metal device, or nobody knows: a rule on Metal must tell them apart. */
static bool metal_is_unknown(const struct profile *p)
{
    for (size_t i = 0; i < p->unknown_count; i++)
        if (p->unknown[i].field && strcmp(p->unknown[i].field, "metal") == 0)
            return true;
    return false;
}

void class_key_add_profile(struct buf *key, const struct profile *p)
{
    struct profile none;

    if (!p) {
        record_init(&profile_type, &none);
        p = &none;
    }
    key_add_rules(key, profile_rules, COUNT(profile_rules), p);
    for (size_t i = 0; i < COUNT(sourced_fields); i++) {
        buf_adds(key, "source=");
        key_add_i64(key, fact_source_of(p, sourced_fields[i]));
        buf_addc(key, '|');
    }
    for (size_t i = 0; i < p->cpu_levels_count; i++) {
        buf_adds(key, "level|");
        key_add_rules(key, level_rules, COUNT(level_rules), &p->cpu_levels[i]);
    }
    if (p->metal) {
        buf_adds(key, "metal|");
        key_add_rules(key, metal_rules, COUNT(metal_rules), p->metal);
    } else {
        buf_adds(key, metal_is_unknown(p) ? "metal=?|" : "metal=none|");
    }
}

void class_key_add_state(struct buf *key, const struct state *s)
{
    struct state none;

    if (!s) {
        record_init(&state_type, &none);
        s = &none;
    }
    key_add_rules(key, state_rules, COUNT(state_rules), s);
}

/* --- the records --- */

static int cut_levels(const struct profile *p, struct profile *out, struct err *err)
{
    for (size_t i = 0; i < p->cpu_levels_count; i++) {
        struct cpu_level *level =
            records_add(&cpu_level_type, &out->cpu_levels, &out->cpu_levels_count, err);

        if (!level || rules_cut(level_rules, COUNT(level_rules), &p->cpu_levels[i], level, err) < 0)
            return -1;
    }
    return 0;
}

static int cut_metal(const struct profile *p, struct profile *out, struct err *err)
{
    struct unknown_fact *u;

    if (p->metal)
        return (out->metal = metal_new(err))
                   ? rules_cut(metal_rules, COUNT(metal_rules), p->metal, out->metal, err)
                   : -1;
    if (!metal_is_unknown(p))
        return 0;
    if (!(u = records_add(&unknown_fact_type, &out->unknown, &out->unknown_count, err)) ||
        text_set(&u->field, "metal", err) < 0 ||
        text_set(&u->reason, "not known to the agents of this class", err) < 0)
        return -1;
    return 0;
}

static int cut_sources(const struct profile *p, struct profile *out, struct err *err)
{
    for (size_t i = 0; i < COUNT(sourced_fields); i++) {
        int source = fact_source_of(p, sourced_fields[i]);
        struct fact_note *note;

        if (source == FACT_SOURCE_UNSET)
            continue;
        if (!(note = records_add(&fact_note_type, &out->facts, &out->facts_count, err)) ||
            text_set(&note->field, sourced_fields[i], err) < 0)
            return -1;
        note->source = source;
    }
    return 0;
}

struct profile *class_profile_new(const struct profile *p, struct err *err)
{
    struct profile *out = profile_new(err);

    if (!out || !p)
        return out;
    if (rules_cut(profile_rules, COUNT(profile_rules), p, out, err) < 0 ||
        cut_levels(p, out, err) < 0 || cut_metal(p, out, err) < 0 || cut_sources(p, out, err) < 0) {
        profile_free(out);
        return NULL;
    }
    return out;
}

struct state *class_state_new(const struct state *s, struct err *err)
{
    struct state *out = state_new(err);

    if (out && s)
        for (size_t i = 0; i < COUNT(state_rules); i++)
            rule_cut_number(&state_rules[i], s, out);
    return out;
}

/* The same number in both records, or unknown in both. */
static bool rule_same_number(const struct rule *r, const void *a, const void *b)
{
    const void *x = (const char *)a + r->offset, *y = (const char *)b + r->offset;

    switch (r->kind) {
    case RULE_TEXT:
        break;
    case RULE_INT:
        return *(const int *)x == *(const int *)y;
    case RULE_I64:
    case RULE_BYTES:
        return *(const int64_t *)x == *(const int64_t *)y;
    case RULE_F64:
    case RULE_BUCKETS:
        return *(const double *)x == *(const double *)y ||
               (!known_f64(*(const double *)x) && !known_f64(*(const double *)y));
    }
    return false;
}

bool class_state_is(const struct state *cut, const struct state *s)
{
    struct state rounded,
        none; /* of rounded only the places of listed fields are written and read */

    if (!s) {
        record_init(&state_type, &none);
        s = &none;
    }
    for (size_t i = 0; i < COUNT(state_rules); i++) {
        rule_cut_number(&state_rules[i], s, &rounded);
        if (!rule_same_number(&state_rules[i], cut, &rounded))
            return false;
    }
    return true;
}
