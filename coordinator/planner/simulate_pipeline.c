/* simulate_pipeline.c - runs of a pipeline: placements, played with each device's luck.
 *
 * Every policy places the stages once, but for the random one, which does so anew in each run; what
 * is played keeps the order of the stages, with the times and links of that run. */
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/draw.h"
#include "coordinator/planner/pipeline_turn.h"
#include "coordinator/planner/simulate_play.h"

#include <math.h>
#include <string.h>

struct runs {
    struct pipeline_turn t;
    const struct simulate_settings *set;
    size_t tasks, sites;
    struct heft_problem p; /* as planned */
    double *seconds;       /* of one run */
    double *out_bps, *in_bps;
    double *busy;   /* per site, in one run */
    size_t *device; /* where each stage runs */
    const size_t *order;
};

static bool may(const struct runs *r, size_t task, size_t site)
{
    return !isinf(r->p.seconds[task * r->sites + site]);
}

/* The n-th column that the task may run on, from `from` on, round and round. */
static size_t next_site(const struct runs *r, size_t task, size_t from)
{
    for (size_t i = 0; i < r->sites; i++)
        if (may(r, task, (from + i) % r->sites))
            return (from + i) % r->sites;
    return 0;
}

static void place_random(struct runs *r, uint64_t number)
{
    struct draw d = draw_stream(r->set->seed, 0x706c616365, number);

    for (size_t i = 0; i < r->tasks; i++)
        r->device[i] = next_site(r, i, draw_below(&d, r->sites));
}

static void place_in_turn(struct runs *r)
{
    size_t next = 0;

    for (size_t i = 0; i < r->tasks; i++) {
        size_t task = r->order[i];

        r->device[task] = next_site(r, task, next);
        next = r->device[task] + 1;
    }
}

/* Stages in the order of the graph, as many on each device as its share of all memory. */
static void place_by_memory(struct runs *r)
{
    size_t real = r->sites - r->p.gangs, site = 0;
    double all = 0, upto = 0;

    for (size_t d = 0; d < real; d++)
        all += r->t.sites[d].room;
    upto = r->t.sites[0].room;
    for (size_t i = 0; i < r->tasks; i++) {
        size_t task = r->order[i];

        while (site + 1 < real && ((double)i + 0.5) / (double)r->tasks > upto / all)
            upto += r->t.sites[++site].room;
        r->device[task] = next_site(r, task, site);
    }
}

static void run_luck(struct runs *r, uint64_t number)
{
    for (size_t d = 0; d < r->sites; d++) {
        const size_t *members = &d;
        size_t n = 1;
        double slow = 0, link = 0;

        if (d >= r->sites - r->p.gangs) {
            size_t gang = d - (r->sites - r->p.gangs);

            members = &r->p.gang_members[r->p.gang_at[gang]];
            n = r->p.gang_at[gang + 1] - r->p.gang_at[gang];
        }
        for (size_t i = 0; i < n; i++) { /* a gang is as slow as its slowest */
            uint64_t client = r->t.sites[members[i]].client;

            slow = fmax(slow, luck(r->set, client, number, 1));
            link = fmax(link, luck(r->set, client, number, 2));
        }
        for (size_t i = 0; i < r->tasks; i++)
            r->seconds[i * r->sites + d] = r->p.seconds[i * r->sites + d] * slow;
        r->out_bps[d] = r->p.out_bps[d] / link;
        r->in_bps[d] = r->p.in_bps[d] / link;
    }
}

static void busy_add(struct runs *r, size_t device, double seconds)
{
    size_t real = r->sites - r->p.gangs;

    if (device < real) {
        r->busy[device] += seconds;
        return;
    }
    for (size_t i = r->p.gang_at[device - real]; i < r->p.gang_at[device - real + 1]; i++)
        r->busy[r->p.gang_members[i]] += seconds;
}

/* What one run used: energy, busy time, whether a device went away under it. */
static void run_count(struct runs *r, const struct heft_schedule *s, double start, struct tally *t)
{
    bool held = true;
    double busy = 0;
    size_t used = 0;

    memset(r->busy, 0, r->sites * sizeof *r->busy);
    for (size_t i = 0; i < r->tasks; i++)
        busy_add(r, s->device[i], s->finish[i] - s->start[i]);
    for (size_t d = 0; d < r->sites - r->p.gangs; d++) {
        const struct site *site = &r->t.sites[d];
        struct availability there;
        struct power w;

        if (!(r->busy[d] > 0))
            continue;
        used++;
        there = availability_of(r->t.snapshot, r->set, site->client);
        w = power_of(r->t.snapshot->classes[site->class_index].profile);
        held = held && availability_left(&there, start) >= s->makespan;
        busy += r->busy[d];
        t->wh += power_wh(&w, s->makespan, r->busy[d]);
    }
    for (size_t e = 0; e < r->t.edges_count; e++)
        if (s->device[r->t.edges[e].from] != s->device[r->t.edges[e].to])
            t->bytes += r->t.edges[e].bits / 8;
    tally_round(t, held ? s->makespan : UNKNOWN_F64);
    t->void_rounds += !held;
    t->clients += (double)used;
    t->client_seconds += (double)used * s->makespan;
    t->busy += held ? busy : 0;
}

enum placer { PLACE_FIXED, PLACE_ANEW };

static int play(struct runs *r, enum placer placer, const char *name, const char *text,
                struct simulation *out, struct err *err)
{
    struct draw d = draw_stream(r->set->seed, 0x7374617274, 1);
    struct heft_problem p = r->p;
    struct tally t;
    int rc = tally_make(&t, r->set->rounds, 0, err);

    p.seconds = r->seconds;
    p.out_bps = r->out_bps;
    p.in_bps = r->in_bps;
    p.max_devices = 0; /* limits bind plans, not what is compared with them */
    for (int64_t i = 0; rc == 0 && i < r->set->rounds; i++) {
        double start = AVAILABILITY_PERIOD * draw_share(&d);
        struct heft_schedule *s;

        if (placer == PLACE_ANEW)
            place_random(r, (uint64_t)i);
        run_luck(r, (uint64_t)i);
        s = heft_schedule_fixed(&p, r->device, r->order, err);
        if (!s)
            rc = -1;
        else
            run_count(r, s, start, &t);
        heft_schedule_free(s);
    }
    if (rc == 0)
        rc = tally_write(&t, name, text, out, err);
    tally_clear(&t);
    return rc;
}

static int play_schedule(struct runs *r, const struct heft_schedule *s, const char *name,
                         const char *text, struct simulation *out, struct err *err)
{
    const size_t *order = r->order;
    int rc;

    memcpy(r->device, s->device, r->tasks * sizeof *r->device);
    r->order = s->order;
    rc = play(r, PLACE_FIXED, name, text, out, err);
    r->order = order;
    return rc;
}

static int play_heft(struct runs *r, struct simulation *out, struct err *err)
{
    struct heft_problem p = r->p;
    struct heft_schedule *s;
    int rc;

    p.max_devices = 0;
    if (!(s = heft_schedule(&p, NULL, err)))
        return -1;
    rc = play_schedule(r, s, "heft", "list scheduling alone, without limits or search", out, err);
    heft_schedule_free(s);
    return rc;
}

static int play_all(struct runs *r, struct simulation *out, struct err *err)
{
    if (play_schedule(r, r->t.own, "plan", "the planner's placement", out, err) < 0)
        return -1;
    if (!isinf(r->t.single_seconds)) {
        for (size_t i = 0; i < r->tasks; i++)
            r->device[i] = r->t.single_site;
        if (play(r, PLACE_FIXED, "by-hand", "everything on the one device that does it soonest",
                 out, err) < 0)
            return -1;
    }
    if (play(r, PLACE_ANEW, "random", "each stage on a device drawn at random, anew in each run",
             out, err) < 0)
        return -1;
    place_in_turn(r);
    if (play(r, PLACE_FIXED, "round-robin", "stages on the devices in turn", out, err) < 0)
        return -1;
    place_by_memory(r);
    if (play(r, PLACE_FIXED, "by-memory", "stages in proportion to memory, as exo spreads layers",
             out, err) < 0)
        return -1;
    return play_heft(r, out, err);
}

static int runs_make(struct runs *r, struct err *err)
{
    size_t cells;

    r->p = pipeline_problem(&r->t);
    r->tasks = r->p.tasks;
    r->sites = r->p.devices;
    r->order = r->t.topological;
    cells = r->tasks * r->sites + 1;
    r->seconds = mem_calloc(cells, sizeof *r->seconds);
    r->out_bps = mem_calloc(r->sites + 1, sizeof *r->out_bps);
    r->in_bps = mem_calloc(r->sites + 1, sizeof *r->in_bps);
    r->busy = mem_calloc(r->sites + 1, sizeof *r->busy);
    r->device = mem_calloc(r->tasks + 1, sizeof *r->device);
    if (r->seconds && r->out_bps && r->in_bps && r->busy && r->device)
        return 0;
    return err_set(err, ERR_NOMEM, "runs of %zu stages", r->tasks);
}

int simulate_pipeline(const struct snapshot *s, const struct job *job, const struct policy *policy,
                      const struct simulate_settings *set, struct simulation *out, struct err *err)
{
    struct runs r = {.set = set};
    int rc = -1;

    if (pipeline_turn_begin(&r.t, s, job, policy, NULL, err) == 0 && runs_make(&r, err) == 0) {
        out->taking_part = (int64_t)r.t.own->devices_used;
        rc = play_all(&r, out, err);
    }
    mem_free(r.seconds);
    mem_free(r.out_bps);
    mem_free(r.in_bps);
    mem_free(r.busy);
    mem_free(r.device);
    pipeline_clear(&r.t);
    return rc;
}
