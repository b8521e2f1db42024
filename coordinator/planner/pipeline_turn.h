/* pipeline_turn.h - one planning turn of a pipeline: the graph, the devices, what an engine asked.
 *
 * Room-internal. Stages are numbered as the job lists them, devices as chosen here (`sites`). */
#ifndef COORDINATOR_PLANNER_PIPELINE_TURN_H
#define COORDINATOR_PLANNER_PIPELINE_TURN_H

#include "coordinator/planner/decisions.h"
#include "coordinator/planner/heft.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/power.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct job;
struct map;
struct pipeline_job;
struct pipeline_proposal;
struct plan;
struct policy;
struct rules;
struct snapshot;
struct stage_part;

/* A device that may get stages. */
struct site {
    size_t client; /* in the snapshot */
    size_t class_index;
    double room; /* bytes a stage may use: the limit less the headroom */
    double out_bps, in_bps;
    struct power power;
};

/* What an engine decides, checked. */
struct pipeline_ask {
    size_t max_devices; /* 0: no limit */
    size_t *class_of;   /* of each stage; SIZE_MAX: open */
    int64_t *priority;  /* of each stage */
    bool *priority_given;
    size_t *group; /* of each stage; HEFT_NO_GROUP: alone */
    size_t groups;
};

struct pipeline_turn {
    const struct snapshot *snapshot;
    const struct job *job;
    const struct pipeline_job *pipeline;
    const struct policy *policy;
    struct rules *rules;
    struct chip_table *chips;
    struct machine *machines; /* per class */
    struct map *stage_ids;    /* name -> number + 1 */
    struct heft_edge *edges;
    size_t edges_count;
    size_t *topological;
    double headroom, error_ratio, default_bps, latency;
    struct site *sites;
    size_t sites_count;
    double *seconds; /* stages x sites; INFINITY: may not */
    double *out_bps, *in_bps;
    struct heft_schedule *own, *schedule; /* schedule NULL: own stands */
    double single_seconds;                /* all on one device; INFINITY: none can */
    size_t single_site;
    bool *used_scratch;    /* of each site */
    bool *is_replica;      /* of each site: it answers requests of a service */
    double *replica_bytes; /* of each site: what services keep there */
    size_t extra;          /* devices that only answer requests */
    struct notes notes;
    char replaced[200];
};

const struct heft_schedule *pipeline_schedule(const struct pipeline_turn *t);
const struct machine *site_machine(const struct pipeline_turn *t, const struct site *s);

/* pipeline_graph.c: names, edges, order, devices, times. `p` may name classes that must be among
 * the sites; NULL is fine. pipeline_clear frees a half-made one. */
int pipeline_begin(struct pipeline_turn *t, const struct snapshot *s, const struct job *job,
                   const struct policy *policy, const struct pipeline_proposal *p, struct err *err);
void pipeline_clear(struct pipeline_turn *t);
/* SIZE_MAX: no such stage. */
size_t pipeline_stage(const struct pipeline_turn *t, const char *name);
/* Why a device may have no stage, or CONSTRAINT_NONE; the text into `text`. */
int pipeline_refusal(const struct pipeline_turn *t, size_t client, char *text, size_t size);

/* pipeline.c: pipeline_begin, and the planner's own schedule (t->own); pipeline_clear it in any
 * case. */
int pipeline_turn_begin(struct pipeline_turn *t, const struct snapshot *s, const struct job *job,
                        const struct policy *policy, const struct pipeline_proposal *p,
                        struct err *err);

/* pipeline_place.c: the graph and the devices as a scheduling problem, nothing asked. */
struct heft_problem pipeline_problem(const struct pipeline_turn *t);

/* pipeline_place.c: the best schedule under an ask (NULL: open). */
struct heft_schedule *pipeline_place(const struct pipeline_turn *t, const struct pipeline_ask *ask,
                                     struct err *err);
int pipeline_single(struct pipeline_turn *t, struct err *err);
bool pipeline_can(const struct pipeline_turn *t, size_t stage, size_t site);

/* pipeline_merge.c: an engine's ask, checked; and the notes once the schedule is known. */
int pipeline_ask_make(struct pipeline_turn *t, const struct pipeline_proposal *p,
                      struct pipeline_ask *out, struct err *err);
void pipeline_ask_clear(struct pipeline_ask *a);
void pipeline_settle(struct pipeline_turn *t, const struct pipeline_ask *a);

/* pipeline_watch.c, pipeline_deploy.c: thresholds and steps, of the plan and of each stage. */
int pipeline_watch(struct pipeline_turn *t, const struct pipeline_proposal *p, struct plan *plan,
                   struct err *err);
int pipeline_deploy(struct pipeline_turn *t, const struct pipeline_proposal *p, struct plan *plan,
                    struct err *err);

/* pipeline_place.c: Wh at the wall of a schedule, and what it costs by the job's prices. */
double pipeline_energy(const struct pipeline_turn *t, const struct heft_schedule *s);
double pipeline_price(const struct pipeline_turn *t, const struct heft_schedule *s);

/* pipeline_service.c: replicas of stages that answer requests, into the plan's parts; then how many
 * devices are used in all. ERR_INFEASIBLE names what cannot be kept. */
int pipeline_services(struct pipeline_turn *t, struct plan *plan, struct err *err);
size_t pipeline_devices(const struct pipeline_turn *t);

/* pipeline_plan.c */
int pipeline_write(struct pipeline_turn *t, int engine, const struct pipeline_proposal *p,
                   struct plan *plan, struct err *err);

#endif
