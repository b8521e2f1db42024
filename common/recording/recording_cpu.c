/* recording_cpu.c - the CPU's performance levels, any number of them, fastest first.
 *
 * The sysctls hw.perflevelN are the one full source. What system_profiler prints has the same
 * numbers in two shapes: "10 (4 Performance and 6 Efficiency)" with names, and "proc 10:4:6"
 * without; newer ones print four numbers, a 0 for each kind of core that the chip has not, the
 * order changing with the release but always fastest first, so the zeros are passed over and no
 * names are given. */
#include "common/recording/recording_source.h"

#include "common/core/err.h"
#include "common/document/document_words.h"
#include "common/json/json.h"
#include "common/model/device.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX 16 /* as the row of profile.cpu_levels */
#define KEY_MAX 64
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct cpu_level *add_level(struct recording *r, int64_t cores)
{
    struct profile *p = r->profile;
    struct cpu_level *level =
        records_add(&cpu_level_type, &p->cpu_levels, &p->cpu_levels_count, r->err);

    if (level && cores > 0)
        level->cores = cores;
    return level;
}

static void drop_levels(struct profile *p, size_t kept)
{
    while (p->cpu_levels_count > kept)
        record_clear(&cpu_level_type, &p->cpu_levels[--p->cpu_levels_count]);
}

/* ---- hw.perflevelN ---- */

/* One field of level n from the first of the keys: 1, 0, -1. */
static int level_field(struct recording *r, struct cpu_level *level, int n, const char *field,
                       enum source_kind kind, const char *const *keys, size_t count)
{
    char names[4][KEY_MAX], detail[DETAIL_MAX];
    struct source sources[4];
    int how;

    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], KEY_MAX, "hw.perflevel%d.%s", n, keys[i]);
        sources[i] =
            (struct source){"sysctl", names[i], kind, 1, FACT_SOURCE_READ, kind == SOURCE_NUMBER};
    }
    return recording_resolve(r, &cpu_level_type, level, field, sources, count, detail, &how);
}

/* 1 when the recording says anything of level n. */
static int read_level(struct recording *r, int n)
{
    static const char *const cores[] = {"physicalcpu", "physicalcpu_max", "logicalcpu",
                                        "logicalcpu_max"};
    static const char *const name[] = {"name"}, *const l2[] = {"l2cachesize"},
                             *const sharing[] = {"cpusperl2"};
    struct cpu_level *level = add_level(r, 0);
    int a, b, c, d;

    if (!level || (a = level_field(r, level, n, "cores", SOURCE_NUMBER, cores, COUNT(cores))) < 0 ||
        (b = level_field(r, level, n, "name", SOURCE_TEXT, name, 1)) < 0 ||
        (c = level_field(r, level, n, "l2_bytes", SOURCE_NUMBER, l2, 1)) < 0 ||
        (d = level_field(r, level, n, "cpus_per_l2", SOURCE_NUMBER, sharing, 1)) < 0)
        return -1;
    return a || b || c || d;
}

/* With hw.nperflevels that many levels are asked for; without it, as many as answer. A level at the
 * end of which nothing is known is no level. */
static int levels_of_sysctl(struct recording *r, bool *complete)
{
    struct profile *p = r->profile;
    int levels = LEVELS_MAX, rc;
    int said = recording_integer(r, "sysctl", "hw.nperflevels", 1, LEVELS_MAX, &levels);
    size_t last = 0;

    if (said < 0)
        return -1;
    for (int n = 0; n < levels; n++) {
        if ((rc = read_level(r, n)) < 0)
            return -1;
        if (rc)
            last = p->cpu_levels_count;
        else if (!said)
            break;
    }
    drop_levels(p, last);
    *complete = said && last == (size_t)levels;
    if (last == 0)
        return 0;
    return recording_note(&p->facts, &p->facts_count, "", "cpu_levels", FACT_SOURCE_READ,
                          said ? "sysctl.hw.perflevelN"
                               : "sysctl.hw.perflevelN; hw.nperflevels is not recorded, there may "
                                 "be more",
                          r->err);
}

/* ---- printed counts ---- */

/* "4 Performance and 6 Efficiency)": a level for each number, with the word after it. */
static int levels_of_words(struct recording *r, const char *text, int64_t *sum)
{
    while (*text && *text != ')') {
        struct cpu_level *level;
        char *after;
        int64_t cores = strtol(text, &after, 10);
        size_t len;
        char name[KEY_MAX];

        text = after + strspn(after, " ");
        len = strcspn(text, " ,)");
        if (cores < 1 || cores > 4096 || len == 0 || len >= sizeof name)
            return -1;
        snprintf(name, sizeof name, "%.*s", (int)len, text);
        level = r->profile->cpu_levels_count < LEVELS_MAX ? add_level(r, cores) : NULL;
        if (!level || text_set(&level->name, name, r->err) < 0)
            return -1;
        *sum += cores;
        text += len;
        text += strspn(text, " ,");
        if (strncmp(text, "and ", 4) == 0)
            text += 4;
    }
    return *text == ')' ? 0 : -1;
}

/* ":4:6": a level for each number that is not 0. */
static int levels_of_numbers(struct recording *r, const char *text, int64_t *sum)
{
    while (*text == ':') {
        char *after;
        int64_t cores = strtol(text + 1, &after, 10);

        if (after == text + 1 || cores < 0 || cores > 4096)
            return -1;
        if (cores > 0 && (r->profile->cpu_levels_count >= LEVELS_MAX || !add_level(r, cores)))
            return -1;
        *sum += cores;
        text = after;
    }
    return *text ? -1 : 0;
}

/* 1 when the text gives levels, 0 when it is only a number. */
static int levels_of_print(struct recording *r, const char *group, const char *key, int how)
{
    struct profile *p = r->profile;
    const struct json *v = recording_value(r, group, key);
    const char *text = json_text(v);
    char shown[DOCUMENT_VALUE_MAX], detail[DETAIL_MAX];
    int64_t total, sum = 0;
    char *after;
    int rc;

    if (!text)
        return 0;
    total = strtol(strncmp(text, "proc ", 5) == 0 ? text + 5 : text, &after, 10);
    after += strspn(after, " ");
    if (!*after)
        return 0;
    r->err->code = ERR_NONE;
    rc = *after == '(' ? levels_of_words(r, after + 1, &sum) : levels_of_numbers(r, after, &sum);
    if (rc < 0 && r->err->code == ERR_NOMEM)
        return -1;
    if (rc < 0 || sum != total || sum == 0)
        return err_set(r->err, ERR_INVALID,
                       "%s.%s: %s, wanted a number of cores and those of each level, which add up",
                       group, key, document_shown(v, shown));
    snprintf(detail, sizeof detail, "%s.%s: %s", group, key, document_shown(v, shown));
    return recording_note(&p->facts, &p->facts_count, "", "cpu_levels", how, detail, r->err) < 0
               ? -1
               : 1;
}

/* ---- the device tree: "<06000000>", 4 bytes, lowest first ---- */

static int tree_cores(const struct json *v, int64_t *out)
{
    const char *text = json_text(v);
    unsigned byte[4];
    int used = 0;

    if (json_is_integer(v)) {
        *out = json_integer(v);
        return *out >= 0 && *out <= 4096 ? 0 : -1;
    }
    if (!text ||
        sscanf(text, "<%2x%2x%2x%2x>%n", &byte[0], &byte[1], &byte[2], &byte[3], &used) != 4 ||
        used == 0 || text[used])
        return -1;
    *out = (int64_t)(byte[0] | byte[1] << 8 | byte[2] << 16 | byte[3] << 24);
    return *out <= 4096 ? 0 : -1;
}

/* The cluster types of the device tree, fastest first; the letters are not the levels' names. */
static int levels_of_tree(struct recording *r)
{
    static const char *const keys[] = {"p-core-count", "m-core-count", "e-core-count"};
    struct profile *p = r->profile;
    char shown[DOCUMENT_VALUE_MAX];

    for (size_t i = 0; i < COUNT(keys); i++) {
        const struct json *v = recording_value(r, "ioreg", keys[i]);
        int64_t cores;

        if (!v)
            continue;
        if (tree_cores(v, &cores) < 0)
            return err_set(r->err, ERR_INVALID,
                           "ioreg.%s: %s, wanted a count such as \"<06000000>\"", keys[i],
                           document_shown(v, shown));
        if (cores > 0 && !add_level(r, cores))
            return -1;
    }
    if (p->cpu_levels_count == 0)
        return 0;
    return recording_note(&p->facts, &p->facts_count, "", "cpu_levels", FACT_SOURCE_READ,
                          "ioreg.p-core-count, m-core-count, e-core-count", r->err);
}

static int levels_of_author(struct recording *r)
{
    static const char *const keys[] = {"p_cores", "e_cores"};
    struct profile *p = r->profile;

    for (size_t i = 0; i < COUNT(keys); i++) {
        int cores = 0, rc = recording_integer(r, "stated", keys[i], 0, 4096, &cores);

        if (rc < 0 || (cores > 0 && !add_level(r, cores)))
            return -1;
    }
    if (p->cpu_levels_count == 0)
        return 0;
    return recording_note(&p->facts, &p->facts_count, "", "cpu_levels", FACT_SOURCE_STATED,
                          "stated.p_cores, e_cores", r->err);
}

static int read_levels(struct recording *r, bool *complete)
{
    static const struct {
        const char *group, *key;
        int how;
    } prints[] = {
        {"system_profiler", "Total Number of Cores", FACT_SOURCE_DERIVED},
        {"system_profiler", "number_processors", FACT_SOURCE_DERIVED},
        {"other", "processors", FACT_SOURCE_STATED},
    };

    if (levels_of_sysctl(r, complete) < 0)
        return -1;
    if (r->profile->cpu_levels_count > 0)
        return 0;
    *complete = true;
    for (size_t i = 0; i < COUNT(prints); i++) {
        int rc = levels_of_print(r, prints[i].group, prints[i].key, prints[i].how);

        if (rc < 0)
            drop_levels(r->profile, 0);
        if (rc != 0)
            return rc < 0 ? -1 : 0;
    }
    if (levels_of_tree(r) < 0)
        return -1;
    return r->profile->cpu_levels_count > 0 ? 0 : levels_of_author(r);
}

/* ---- all cores ---- */

static int sum_levels(struct recording *r)
{
    struct profile *p = r->profile;
    int64_t sum = 0;

    for (size_t i = 0; i < p->cpu_levels_count; i++) {
        if (!known_i64(p->cpu_levels[i].cores))
            return 0;
        sum += p->cpu_levels[i].cores;
    }
    if (sum == 0)
        return 0;
    p->cpu_cores = sum;
    return recording_note(&p->facts, &p->facts_count, "", "cpu_cores", FACT_SOURCE_DERIVED,
                          "sum of cpu_levels", r->err);
}

int recording_cpu(struct recording *r)
{
    /* Apple Silicon has one logical CPU a core, so counts of those serve where there is no other.
     */
    static const struct source cores[] = {
        {"sysctl", "hw.physicalcpu", SOURCE_NUMBER, 1, FACT_SOURCE_READ, false},
        {"sysctl", "hw.physicalcpu_max", SOURCE_NUMBER, 1, FACT_SOURCE_READ, false},
        {"sysctl", "machdep.cpu.core_count", SOURCE_NUMBER, 1, FACT_SOURCE_READ, false},
        {"system_profiler", "Total Number of Cores", SOURCE_FIRST, 1, FACT_SOURCE_READ, false},
        {"system_profiler", "number_processors", SOURCE_FIRST, 1, FACT_SOURCE_READ, false},
        {"sysctl", "hw.ncpu", SOURCE_NUMBER, 1, FACT_SOURCE_DERIVED, false},
        {"sysctl", "hw.logicalcpu", SOURCE_NUMBER, 1, FACT_SOURCE_DERIVED, false},
        {"other", "processors", SOURCE_FIRST, 1, FACT_SOURCE_STATED, false},
    };
    struct profile *p = r->profile;
    bool complete = false;
    int rc;

    if (read_levels(r, &complete) < 0)
        return -1;
    rc = recording_fact(r, &profile_type, p, "", "cpu_cores", cores, COUNT(cores), &p->facts,
                        &p->facts_count);
    return rc == 0 && complete ? sum_levels(r) : rc < 0 ? -1 : 0;
}
