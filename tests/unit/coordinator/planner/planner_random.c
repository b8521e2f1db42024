/* planner_random.c - fleets and hostile values from a seed. */
#include "planner_random.h"

#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/model/snapshot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define GIB 1073741824.0

uint64_t current_seed;

static int macs_most = MACS_MAX; /* of random_fleet */
static jmp_buf *case_jump;       /* NULL: no case runs under cases_hold */
static const char *case_what;

_Noreturn void case_failed(const char *what)
{
    case_what = what;
    if (case_jump)
        longjmp(*case_jump, 1);
    fail_msg("seed %llu: %s", (unsigned long long)current_seed, what);
    abort(); /* fail_msg does not come back, and does not say so */
}

/* What a failing case held is lost: the test ends there. */
static bool case_holds(uint64_t seed, int macs, random_case_fn *fn, void *arg)
{
    jmp_buf here;
    bool held = false;

    current_seed = seed;
    macs_most = macs;
    case_jump = &here;
    if (setjmp(here) == 0) {
        fn(seed, arg);
        held = true;
    }
    case_jump = NULL;
    macs_most = MACS_MAX;
    return held;
}

void cases_hold(uint64_t seeds, random_case_fn *fn, void *arg)
{
    const char *only = getenv("PLANNER_SEED"), *macs = getenv("PLANNER_MACS");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1;
    int most = macs ? atoi(macs) : MACS_MAX;

    for (uint64_t seed = first; seed <= (only ? first : seeds); seed++) {
        int least = 1;

        if (case_holds(seed, most, fn, arg))
            continue;
        while (least < most && case_holds(seed, least, fn, arg))
            least++;
        case_holds(seed, least, fn, arg); /* for its words */
        fail_msg("seed %llu, shrunk to %d Macs at most: %s", (unsigned long long)seed, least,
                 case_what);
    }
}

struct snapshot *random_fleet(struct kit_random *r)
{
    static const struct {
        const char *chip;
        int cores;
        double memory[3];
    } kinds[] = {{"Apple M1", 8, {8, 16, 16}},
                 {"Apple M1 Max", 24, {32, 64, 64}},
                 {"Apple M2 Ultra", 60, {64, 128, 192}},
                 {"Apple M3", 8, {8, 16, 24}},
                 {"Apple M4", 10, {16, 24, 32}},
                 {"Apple M4 Max", 40, {48, 64, 128}},
                 {"Apple M5 Ultra", 80, {96, 256, 512}},
                 {"Apple M8 Pro", 30, {24, 48, 64}},
                 {NULL, 0, {16, 32, 64}}};
    struct kit_mac macs[MACS_MAX];
    char ids[MACS_MAX][24];
    size_t n = (size_t)kit_range(r, 1, MACS_MAX);
    struct snapshot *s;

    n = n < (size_t)macs_most ? n : (size_t)macs_most;

    for (size_t i = 0; i < n; i++) {
        size_t k = (size_t)kit_range(r, 0, sizeof kinds / sizeof kinds[0] - 1);
        double memory = kinds[k].memory[kit_range(r, 0, 2)];

        snprintf(ids[i], sizeof ids[i], "d%05d-%zu", (int)kit_range(r, 0, 99999), i);
        macs[i] = (struct kit_mac){ids[i],
                                   kinds[k].chip,
                                   kit_chance(r, 0.9) ? kinds[k].cores : 0,
                                   memory,
                                   kit_uniform(r, 0.3, 1) * memory,
                                   kit_chance(r, 0.8) ? kit_uniform(r, 0.5, 900) : 0,
                                   kit_chance(r, 0.8) ? kit_uniform(r, 1, 900) : 0,
                                   i > 0 && kit_chance(r, 0.3) ? kit_range(r, 1, (int64_t)i) : 0};
    }
    s = kit_fleet(macs, n);
    for (size_t k = 0; k < s->classes_count; k++) {
        struct state *st = s->classes[k].state;

        if (!s->classes[k].profile->chip)
            s->classes[k].profile->origin = DEVICE_ORIGIN_LINUX;
        st->thermal = (int)kit_range(r, 0, 4);
        st->power_source = (int)kit_range(r, 0, 3);
        st->battery_percent = kit_chance(r, 0.5) ? kit_uniform(r, 0, 100) : UNKNOWN_F64;
        st->low_power_mode = (int)kit_range(r, -1, 1);
        if (kit_chance(r, 0.1))
            st->memory_available_bytes = UNKNOWN_I64;
        if (kit_chance(r, 0.1))
            s->classes[k].profile->memory_bytes = UNKNOWN_I64;
    }
    for (size_t i = 0; i < n; i++) {
        s->clients[i].liveness = (enum liveness)kit_range(r, 0, 3);
        if (kit_chance(r, 0.7))
            s->clients[i].liveness = LIVENESS_ONLINE;
        if (kit_chance(r, 0.2)) {
            s->clients[i].committed_job_ids = mem_calloc(1, sizeof(char *));
            s->clients[i].committed_job_bytes = mem_calloc(1, sizeof(int64_t));
            assert_non_null(s->clients[i].committed_job_ids);
            assert_non_null(s->clients[i].committed_job_bytes);
            s->clients[i].committed_job_ids[0] = mem_strdup("other");
            s->clients[i].committed_job_bytes[0] = (int64_t)(kit_uniform(r, 0, 32) * GIB);
            s->clients[i].committed_jobs = 1;
        }
    }
    return s;
}

int64_t maybe(struct kit_random *r, int64_t low, int64_t high)
{
    return kit_chance(r, 0.5) ? kit_range(r, low, high) : UNKNOWN_I64;
}

int64_t hostile_i64(struct kit_random *r, int64_t low, int64_t high)
{
    static const int64_t odd[] = {0, -1, INT64_MAX, INT64_MIN + 1, 4097, 1LL << 53};

    if (kit_chance(r, 0.3))
        return UNKNOWN_I64;
    return kit_chance(r, 0.3) ? odd[kit_range(r, 0, 5)] : kit_range(r, low, high);
}

double hostile_f64(struct kit_random *r, double low, double high)
{
    const double odd[] = {0, -1, INFINITY, -INFINITY, 1e308, 5e-324};

    if (kit_chance(r, 0.3))
        return UNKNOWN_F64;
    return kit_chance(r, 0.3) ? odd[kit_range(r, 0, 5)] : kit_uniform(r, low, high);
}

int hostile_enum(struct kit_random *r, int high)
{
    return kit_chance(r, 0.1) ? (int)kit_range(r, -5, 99) : (int)kit_range(r, 0, high);
}
