/* pipeline_graph.c - a pipeline job and a fleet made into numbers: stages, edges, devices, seconds.
 *
 * A large fleet is reduced to SITES_MAX candidates: the devices that stages are pinned to, the ones
 * with most memory, members of the classes that an engine names, then the fastest classes first, of
 * each no more members than there are stages, or all where a stage answers requests and may have
 * replicas. More could not change a schedule of so few stages by much. */
#include "coordinator/planner/pipeline_turn.h"

#include "common/core/err.h"
#include "common/core/map.h"
#include "common/core/mem.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/proposal.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/policy.h"
#include "coordinator/planner/rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SITES_MAX 256
#define SITES_LARGEST 16 /* kept for stages that need much memory */

/* Shares of the peak rates that stages reach: measured for training and for prefill; decoding's
 * bandwidth share of a 4-bit model, the lowest of three. */
#define EFFICIENCY_TRAINING 0.42
#define EFFICIENCY_INFERENCE 0.6
#define EFFICIENCY_BANDWIDTH 0.56

const struct heft_schedule *pipeline_schedule(const struct pipeline_turn *t)
{
    return t->schedule ? t->schedule : t->own;
}

const struct machine *site_machine(const struct pipeline_turn *t, const struct site *s)
{
    return &t->machines[s->class_index];
}

size_t pipeline_stage(const struct pipeline_turn *t, const char *name)
{
    const char *at = name ? map_get(t->stage_ids, name) : NULL;

    return at ? (size_t)((const struct stage *)(const void *)at - t->pipeline->stages) : SIZE_MAX;
}

static int read_names(struct pipeline_turn *t, struct err *err)
{
    const struct pipeline_job *p = t->pipeline;

    if (p->stages_count == 0)
        return err_set(err, ERR_INVALID, "pipeline.stages: empty, wanted at least one");
    if (!(t->stage_ids = map_new(p->stages_count)))
        return err_set(err, ERR_NOMEM, "names of %zu stages", p->stages_count);
    for (size_t i = 0; i < p->stages_count; i++) {
        const char *name = p->stages[i].name;

        if (!name || !name[0])
            return err_set(err, ERR_INVALID, "pipeline.stages[%zu].name: missing", i);
        if (map_get(t->stage_ids, name))
            return err_set(err, ERR_INVALID, "pipeline.stages[%zu].name: \"%.64s\" is used twice",
                           i, name);
        if (map_put(t->stage_ids, name, &p->stages[i], NULL) < 0)
            return err_set(err, ERR_NOMEM, "names of %zu stages", p->stages_count);
    }
    return 0;
}

static int read_edges(struct pipeline_turn *t, struct err *err)
{
    const struct pipeline_job *p = t->pipeline;
    size_t total = 0;

    for (size_t i = 0; i < p->stages_count; i++)
        total += p->stages[i].after_count;
    if (!(t->edges = mem_calloc(total + 1, sizeof *t->edges)))
        return err_set(err, ERR_NOMEM, "%zu edges", total);
    for (size_t i = 0; i < p->stages_count; i++) {
        for (size_t k = 0; k < p->stages[i].after_count; k++) {
            size_t from = pipeline_stage(t, p->stages[i].after[k]);
            int64_t bytes;

            if (from == SIZE_MAX)
                return err_set(err, ERR_INVALID,
                               "pipeline.stages[%zu].after: \"%.64s\" is no stage of this job", i,
                               p->stages[i].after[k]);
            for (size_t e = 0; e < k; e++)
                if (strcmp(p->stages[i].after[e], p->stages[i].after[k]) == 0)
                    return err_set(err, ERR_INVALID, "pipeline.stages[%zu].after: \"%.64s\" twice",
                                   i, p->stages[i].after[k]);
            bytes = p->stages[from].output_bytes;
            t->edges[t->edges_count++] =
                (struct heft_edge){.from = from,
                                   .to = i,
                                   .latency_seconds = t->latency,
                                   .bits = known_i64(bytes) ? (double)bytes * 8 : 0};
        }
    }
    return 0;
}

static int read_order(struct pipeline_turn *t, struct err *err)
{
    const struct pipeline_job *p = t->pipeline;
    struct heft_problem h = {
        .tasks = p->stages_count, .edges = t->edges, .edges_count = t->edges_count};
    size_t in_cycle = SIZE_MAX;

    if (!(t->topological = mem_calloc(p->stages_count + 1, sizeof *t->topological)))
        return err_set(err, ERR_NOMEM, "order of %zu stages", p->stages_count);
    if (heft_topological(&h, t->topological, &in_cycle, err) == 0)
        return 0;
    if (in_cycle == SIZE_MAX)
        return -1;
    return err_set(
        err, ERR_INVALID,
        "pipeline.stages[%zu].after: \"%.64s\" waits for itself, by way of the stages it "
        "names",
        in_cycle, p->stages[in_cycle].name);
}

int pipeline_refusal(const struct pipeline_turn *t, size_t client, char *text, size_t size)
{
    const struct client *c = &t->snapshot->clients[client];
    struct verdict v;

    if (rules_allow_client(t->rules, c, &v) &&
        rules_allow_class(t->rules, &t->snapshot->classes[c->class_index], &v) &&
        !known_i64(t->machines[c->class_index].limit_bytes)) {
        v.constraint = CONSTRAINT_UNKNOWN_FACT;
        snprintf(v.text, sizeof v.text, "memory %s", t->machines[c->class_index].limit_text);
    }
    if (v.constraint != CONSTRAINT_NONE)
        snprintf(text, size, "%s", v.text);
    return v.constraint;
}

/* ---- which devices ---- */

struct pool {
    bool *allowed; /* per client */
    bool *taken;
    size_t *of_class;     /* taken per class */
    size_t *first, *next; /* members of each class, by client; SIZE_MAX ends */
};

static void take_site(struct pipeline_turn *t, struct pool *pool, size_t i)
{
    const struct client *c = &t->snapshot->clients[i];
    const struct machine *m = &t->machines[c->class_index];
    struct site *s;

    if (!pool->allowed[i] || pool->taken[i] || t->sites_count == SITES_MAX)
        return;
    pool->taken[i] = true;
    pool->of_class[c->class_index]++;
    s = &t->sites[t->sites_count++];
    s->client = i;
    s->class_index = c->class_index;
    s->room =
        (double)machine_limit(m, client_committed_bytes(c, t->job->job_id)) * (1 - t->headroom);
    s->out_bps = known_f64(c->up_bps) && c->up_bps > 0 ? c->up_bps : t->default_bps;
    s->power = power_of(t->snapshot->classes[c->class_index].profile);
    s->in_bps = known_f64(c->down_bps) && c->down_bps > 0 ? c->down_bps : t->default_bps;
}

static void take_class(struct pipeline_turn *t, struct pool *pool, size_t k, size_t most)
{
    for (size_t i = pool->first[k]; i != SIZE_MAX && pool->of_class[k] < most; i = pool->next[i])
        take_site(t, pool, i);
}

/* The client of that id, SIZE_MAX when there is none; a snapshot is sorted by id. */
static size_t client_find(const struct snapshot *s, const char *id)
{
    size_t low = 0, high = s->clients_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(s->clients[mid].device_id, id);

        if (order == 0)
            return mid;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return SIZE_MAX;
}

static void take_pinned(struct pipeline_turn *t, struct pool *pool)
{
    for (size_t k = 0; k < t->pipeline->stages_count; k++) {
        const char *id = t->pipeline->stages[k].device_id;
        size_t i = id ? client_find(t->snapshot, id) : SIZE_MAX;

        if (i != SIZE_MAX)
            take_site(t, pool, i);
    }
}

static void take_named(struct pipeline_turn *t, struct pool *pool,
                       const struct pipeline_proposal *p)
{
    for (size_t i = 0; p && i < p->resource_scheduling_count; i++)
        for (size_t k = 0; k < t->snapshot->classes_count; k++)
            if (p->resource_scheduling[i].client_class &&
                strcmp(p->resource_scheduling[i].client_class, t->snapshot->classes[k].id) == 0)
                take_class(t, pool, k, 4);
}

struct class_rank {
    double key;
    size_t class_index;
};

static int class_rank_compare(const void *a, const void *b)
{
    const struct class_rank *x = a, *y = b;

    if (x->key != y->key)
        return x->key > y->key ? -1 : 1;
    return x->class_index < y->class_index ? -1 : x->class_index > y->class_index;
}

static int site_compare(const void *a, const void *b)
{
    const struct site *x = a, *y = b;

    return x->client < y->client ? -1
                                 : x->client > y->client; /* the snapshot's order: by device id */
}

static void choose_sites(struct pipeline_turn *t, struct pool *pool, struct class_rank *ranks,
                         const struct pipeline_proposal *p)
{
    size_t classes = t->snapshot->classes_count, most = t->pipeline->stages_count;

    for (size_t i = 0; i < t->pipeline->stages_count; i++)
        if (t->pipeline->stages[i].service)
            most = SITES_MAX; /* its replicas */
    take_pinned(t, pool);
    take_named(t, pool, p);
    for (size_t k = 0; k < classes; k++)
        ranks[k] = (struct class_rank){(double)t->machines[k].limit_bytes, k};
    qsort(ranks, classes, sizeof *ranks, class_rank_compare);
    for (size_t k = 0; k < classes && k < SITES_LARGEST; k++)
        take_class(t, pool, ranks[k].class_index, 1);
    for (size_t k = 0; k < classes; k++)
        ranks[k] = (struct class_rank){t->machines[k].rates.flops / t->machines[k].slow, k};
    qsort(ranks, classes, sizeof *ranks, class_rank_compare);
    for (size_t k = 0; k < classes; k++)
        take_class(t, pool, ranks[k].class_index, most);
    if (t->sites_count > 1)
        qsort(t->sites, t->sites_count, sizeof *t->sites, site_compare);
}

static int read_sites(struct pipeline_turn *t, const struct pipeline_proposal *p, struct err *err)
{
    size_t clients = t->snapshot->clients_count, classes = t->snapshot->classes_count;
    struct pool pool = {.allowed = mem_calloc(clients + 1, sizeof(bool)),
                        .taken = mem_calloc(clients + 1, sizeof(bool)),
                        .of_class = mem_calloc(classes + 1, sizeof(size_t)),
                        .first = mem_calloc(classes + 1, sizeof(size_t)),
                        .next = mem_calloc(clients + 1, sizeof(size_t))};
    struct class_rank *ranks = mem_calloc(classes + 1, sizeof *ranks);
    char text[VERDICT_TEXT_MAX];
    int rc = -1;

    t->sites = mem_calloc(SITES_MAX, sizeof *t->sites);
    if (!pool.allowed || !pool.taken || !pool.of_class || !pool.first || !pool.next || !ranks ||
        !t->sites) {
        err_set(err, ERR_NOMEM, "candidates among %zu devices", clients);
    } else {
        for (size_t k = 0; k < classes; k++)
            pool.first[k] = SIZE_MAX;
        for (size_t i = clients; i-- > 0;) {
            size_t k = t->snapshot->clients[i].class_index;

            pool.allowed[i] = pipeline_refusal(t, i, text, sizeof text) == CONSTRAINT_NONE;
            pool.next[i] = pool.first[k];
            pool.first[k] = i;
        }
        choose_sites(t, &pool, ranks, p);
        rc = 0;
    }
    mem_free(pool.allowed);
    mem_free(pool.taken);
    mem_free(pool.of_class);
    mem_free(pool.first);
    mem_free(pool.next);
    mem_free(ranks);
    return rc;
}

/* ---- how long, and whether ---- */

static double stage_seconds(const struct stage *s, const struct machine *m)
{
    double efficiency = s->kind == STAGE_KIND_INFERENCE || s->kind == STAGE_KIND_EVALUATION
                            ? EFFICIENCY_INFERENCE
                            : EFFICIENCY_TRAINING;
    double flop = known_f64(s->flop) ? s->flop : 0;
    double bytes = known_f64(s->bytes_moved) ? s->bytes_moved : 0;
    double fixed = known_f64(s->fixed_seconds) ? s->fixed_seconds : 0;

    return fixed + m->slow * fmax(flop / (efficiency * m->rates.flops),
                                  bytes / (EFFICIENCY_BANDWIDTH * m->rates.bandwidth));
}

bool pipeline_can(const struct pipeline_turn *t, size_t stage, size_t site)
{
    const struct stage *s = &t->pipeline->stages[stage];
    const struct site *d = &t->sites[site];

    if (s->device_id && strcmp(s->device_id, t->snapshot->clients[d->client].device_id) != 0)
        return false;
    if (s->needs_metal != TRI_FALSE && site_machine(t, d)->backend != COST_METAL)
        return false;
    return !known_i64(s->memory_bytes) || (double)s->memory_bytes <= d->room;
}

/* Names what keeps a stage from every device, and the nearest that would do. */
static int stage_stuck(const struct pipeline_turn *t, size_t stage, struct err *err)
{
    const struct stage *s = &t->pipeline->stages[stage];
    char need[NUM_BYTES_TEXT_MAX], have[NUM_BYTES_TEXT_MAX], why[VERDICT_TEXT_MAX];
    double most = 0;
    size_t metal = 0;

    if (s->device_id) {
        size_t i = client_find(t->snapshot, s->device_id);

        if (i == SIZE_MAX)
            return err_set(err, ERR_INFEASIBLE, "stage %.64s: device_id %.64s is not in the fleet",
                           s->name, s->device_id);
        if (pipeline_refusal(t, i, why, sizeof why) != CONSTRAINT_NONE)
            return err_set(err, ERR_INFEASIBLE, "stage %.64s: device %.40s is left out: %.100s",
                           s->name, s->device_id, why);
    }
    for (size_t d = 0; d < t->sites_count; d++) {
        bool has = site_machine(t, &t->sites[d])->backend == COST_METAL;

        metal += has;
        if (has || s->needs_metal == TRI_FALSE)
            most = fmax(most, t->sites[d].room);
    }
    if (t->sites_count == 0)
        return err_set(err, ERR_INFEASIBLE, "no device of %zu may take part in this pipeline",
                       t->snapshot->clients_count);
    if (s->needs_metal != TRI_FALSE && metal == 0)
        return err_set(err, ERR_INFEASIBLE, "stage %.64s: needs a Metal device, none may take part",
                       s->name);
    return err_set(err, ERR_INFEASIBLE,
                   "stage %.64s: memory_bytes %s, the nearest that fits %s is %s after headroom",
                   s->name, num_format_bytes(s->memory_bytes, need),
                   s->device_id ? "there" : "anywhere", num_format_bytes((int64_t)most, have));
}

static int read_seconds(struct pipeline_turn *t, struct err *err)
{
    size_t stages = t->pipeline->stages_count;

    t->seconds = mem_calloc(stages * t->sites_count + 1, sizeof *t->seconds);
    t->out_bps = mem_calloc(t->sites_count + 1, sizeof *t->out_bps);
    t->in_bps = mem_calloc(t->sites_count + 1, sizeof *t->in_bps);
    t->used_scratch = mem_calloc(t->sites_count + 1, sizeof *t->used_scratch);
    if (!t->seconds || !t->out_bps || !t->in_bps || !t->used_scratch)
        return err_set(err, ERR_NOMEM, "times of %zu stages", stages);
    for (size_t d = 0; d < t->sites_count; d++) {
        t->out_bps[d] = t->sites[d].out_bps;
        t->in_bps[d] = t->sites[d].in_bps;
    }
    for (size_t i = 0; i < stages; i++) {
        bool any = false;

        for (size_t d = 0; d < t->sites_count; d++) {
            bool can = pipeline_can(t, i, d);

            any = any || can;
            t->seconds[i * t->sites_count + d] =
                can ? stage_seconds(&t->pipeline->stages[i], site_machine(t, &t->sites[d]))
                    : INFINITY;
        }
        if (!any)
            return stage_stuck(t, i, err);
    }
    return 0;
}

static double or_f64(double value, double otherwise)
{
    return known_f64(value) ? value : otherwise;
}

int pipeline_begin(struct pipeline_turn *t, const struct snapshot *s, const struct job *job,
                   const struct policy *policy, const struct pipeline_proposal *p, struct err *err)
{
    const struct pipeline_job *pj = job->pipeline;

    memset(t, 0, sizeof *t);
    if (!pj)
        return err_set(err, ERR_INVALID, "pipeline: missing");
    t->snapshot = s;
    t->job = job;
    t->pipeline = pj;
    t->policy = policy;
    t->headroom =
        or_f64(pj->performance ? pj->performance->memory_headroom_share : UNKNOWN_F64, 0.1);
    t->error_ratio =
        or_f64(pj->performance ? pj->performance->stage_error_ratio : UNKNOWN_F64, 0.01);
    t->default_bps = or_f64(pj->links ? pj->links->default_bps : UNKNOWN_F64, 100e6);
    t->latency = or_f64(pj->links ? pj->links->latency_seconds : UNKNOWN_F64, 0.01);
    if (!(t->rules = rules_new(pj->rules, err)) || !(t->chips = chip_table_new(err)))
        return -1;
    if (!(t->machines = mem_calloc(s->classes_count + 1, sizeof *t->machines)))
        return err_set(err, ERR_NOMEM, "%zu classes", s->classes_count);
    for (size_t k = 0; k < s->classes_count; k++)
        machine_of(&s->classes[k], t->chips, policy, &t->machines[k]);
    if (read_names(t, err) < 0 || read_edges(t, err) < 0 || read_order(t, err) < 0 ||
        read_sites(t, p, err) < 0)
        return -1;
    return read_seconds(t, err);
}

void pipeline_clear(struct pipeline_turn *t)
{
    rules_free(t->rules);
    chip_table_free(t->chips);
    map_free(t->stage_ids, NULL);
    mem_free(t->machines);
    mem_free(t->edges);
    mem_free(t->topological);
    mem_free(t->sites);
    mem_free(t->seconds);
    mem_free(t->out_bps);
    mem_free(t->in_bps);
    mem_free(t->used_scratch);
    mem_free(t->is_replica);
    mem_free(t->replica_bytes);
    heft_schedule_free(t->own);
    heft_schedule_free(t->schedule);
    decision_notes_clear(&t->notes);
}
