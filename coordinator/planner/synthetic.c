/* synthetic.c - one row of the table, one of its memory sizes, and a drawn state. */
#include "coordinator/planner/synthetic.h"

#include "common/core/embed.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "coordinator/planner/draw.h"

#include <math.h>
#include <string.h>

extern const struct embedded_file planner_files[];
extern const size_t planner_files_count;

#define KINDS_MAX 256
#define MEMORY_MAX 8
#define CHIP_MAX 32
#define GIB 1073741824.0

enum tier { TIER_PLAIN, TIER_PRO, TIER_MAX, TIER_ULTRA, TIERS };

/* Shares of the tiers in a fleet, and of the states: assumptions, there is no public census. */
static const double tier_share[TIERS] = {0.5, 0.25, 0.17, 0.08};
#define SHARE_PRESSURE 0.08 /* memory pressure: warn */
#define SHARE_FAIR 0.12
#define SHARE_SERIOUS 0.03
#define SHARE_BATTERY 0.15 /* of the plain, Pro and Max ones: laptops unplugged */
#define SHARE_LOW_POWER 0.03
#define AVAILABLE_LEAST 0.45 /* of the memory */
#define AVAILABLE_MOST 0.85
#define LINK_LEAST 1e6 /* bits/s */
#define LINK_MOST 1e9

struct kind {
    char chip[CHIP_MAX];
    enum tier tier;
    int64_t gpu_cores;
    int64_t memory_gib[MEMORY_MAX];
    size_t memories;
};

struct synthetic {
    struct kind kinds[KINDS_MAX];
    size_t count;
    size_t of_tier[TIERS];
};

static enum tier tier_of(const char *chip)
{
    static const char *const words[] = {"", " Pro", " Max", " Ultra"};
    size_t len = strlen(chip);

    for (int t = TIER_PRO; t < TIERS; t++)
        if (len > strlen(words[t]) && strcmp(chip + len - strlen(words[t]), words[t]) == 0)
            return (enum tier)t;
    return TIER_PLAIN;
}

/* "8;16;24" */
static void memories_read(struct kind *k, const char *text, size_t len)
{
    while (len > 0 && k->memories < MEMORY_MAX) {
        const char *end = memchr(text, ';', len);
        size_t part = end ? (size_t)(end - text) : len;

        if (num_parse_i64(text, part, 1, 4096, &k->memory_gib[k->memories], "chips.csv", NULL) == 0)
            k->memories++;
        text += end ? part + 1 : part;
        len -= end ? part + 1 : part;
    }
}

/* chip,gpu_cores,bandwidth,memory,...; a row without cores or memory is no kind. */
static void kind_read(struct synthetic *s, const char *line, size_t len)
{
    const char *at[4], *p = line, *end = line + len;
    struct kind *k = &s->kinds[s->count];
    size_t size[4];

    for (int i = 0; i < 4; i++) {
        const char *comma = memchr(p, ',', (size_t)(end - p));

        if (!comma)
            return;
        at[i] = p;
        size[i] = (size_t)(comma - p);
        p = comma + 1;
    }
    memset(k, 0, sizeof *k);
    if (size[0] >= CHIP_MAX ||
        num_parse_i64(at[1], size[1], 1, 1024, &k->gpu_cores, "chips.csv", NULL) < 0)
        return;
    memcpy(k->chip, at[0], size[0]);
    memories_read(k, at[3], size[3]);
    if (k->memories == 0)
        return;
    k->tier = tier_of(k->chip);
    s->of_tier[k->tier]++;
    s->count++;
}

struct synthetic *synthetic_new(struct err *err)
{
    const struct embedded_file *f = embed_find(planner_files, planner_files_count, "chips.csv");
    struct synthetic *s = mem_zalloc(sizeof *s);
    const char *p = f ? (const char *)f->data : "", *end = p + (f ? f->len : 0);

    if (!s) {
        err_set(err, ERR_NOMEM, "table of chips");
        return NULL;
    }
    p = memchr(p, '\n', (size_t)(end - p)); /* the heading */
    while (p && ++p < end && s->count < KINDS_MAX) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));

        kind_read(s, p, (size_t)((line_end ? line_end : end) - p));
        p = line_end;
    }
    return s;
}

void synthetic_free(struct synthetic *s)
{
    mem_free(s);
}

size_t synthetic_kinds(const struct synthetic *s)
{
    return s->count;
}

static const struct kind *kind_draw(const struct synthetic *s, struct draw *d)
{
    double share = draw_share(d);
    int tier = TIER_PLAIN;
    size_t nth;

    while (tier + 1 < TIERS && (share >= tier_share[tier] || s->of_tier[tier] == 0))
        share -= tier_share[tier++];
    if (s->of_tier[tier] == 0)
        return NULL;
    nth = draw_below(d, s->of_tier[tier]);
    for (size_t i = 0; i < s->count; i++)
        if ((int)s->kinds[i].tier == tier && nth-- == 0)
            return &s->kinds[i];
    return NULL;
}

static int profile_fill(struct profile *p, const struct kind *k, struct draw *d, uint64_t number,
                        struct err *err)
{
    p->origin = DEVICE_ORIGIN_COMPOSED;
    p->gpu_cores = k->gpu_cores;
    p->memory_bytes = (int64_t)((double)k->memory_gib[draw_below(d, k->memories)] * GIB);
    return text_set(&p->recording_id, "synthetic", err) < 0 ||
                   text_set(&p->chip, k->chip, err) < 0 ||
                   text_set(&p->os_name, "macOS", err) < 0 ||
                   text_set(&p->os_version, "26.2", err) < 0 ||
                   text_setf(&p->name, err, "synthetic %llu", (unsigned long long)number + 1) < 0
               ? -1
               : 0;
}

/* Uniform in the logarithm. */
static double link_draw(struct draw *d)
{
    return exp(log(LINK_LEAST) + draw_share(d) * (log(LINK_MOST) - log(LINK_LEAST)));
}

static void state_fill(struct state *st, const struct profile *p, enum tier tier, struct draw *d)
{
    double share = AVAILABLE_LEAST + (AVAILABLE_MOST - AVAILABLE_LEAST) * draw_share(d);
    double heat = draw_share(d), one = link_draw(d), other = link_draw(d);
    bool unplugged = draw_chance(d, SHARE_BATTERY) && tier != TIER_ULTRA;

    st->synthetic = TRI_TRUE;
    st->memory_available_bytes = (int64_t)(share * (double)p->memory_bytes);
    st->memory_pressure =
        draw_chance(d, SHARE_PRESSURE) ? MEMORY_PRESSURE_WARN : MEMORY_PRESSURE_NORMAL;
    st->thermal = heat < SHARE_SERIOUS                ? THERMAL_SERIOUS
                  : heat < SHARE_SERIOUS + SHARE_FAIR ? THERMAL_FAIR
                                                      : THERMAL_NOMINAL;
    st->power_source = unplugged ? POWER_SOURCE_BATTERY : POWER_SOURCE_AC;
    if (unplugged)
        st->battery_percent = floor(20 + 80 * draw_share(d));
    st->low_power_mode = draw_chance(d, SHARE_LOW_POWER) ? TRI_TRUE : TRI_FALSE;
    st->user_idle_seconds = floor(-1800 * log(1 - draw_share(d)));
    st->disk_free_bytes = (int64_t)(50e9 + 450e9 * draw_share(d));
    st->up_bps = fmin(one, other); /* up is the slower way */
    st->down_bps = fmax(one, other);
}

int synthetic_mac(const struct synthetic *s, uint64_t seed, uint64_t number,
                  struct profile **profile, struct state **state, struct err *err)
{
    struct draw d = draw_stream(seed, 0x6d6163, number);
    const struct kind *k = kind_draw(s, &d);
    struct profile *p = profile_new(err);
    struct state *st = p ? state_new(err) : NULL;

    if (!k)
        err_set(err, ERR_NOT_FOUND, "the table of chips has no such kind");
    if (!p || !st || !k || profile_fill(p, k, &d, number, err) < 0) {
        profile_free(p);
        state_free(st);
        return -1;
    }
    state_fill(st, p, k->tier, &d);
    *profile = p;
    *state = st;
    return 0;
}
