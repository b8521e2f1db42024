/* lora_turn.h - one planning turn of a LoRA job: settings in, the device's training out.
 *
 * Room-internal. The job is read as a federated job of one client (federated_want.h), so that a
 * default and a set-up that fits have one meaning in both. */
#ifndef COORDINATOR_PLANNER_LORA_TURN_H
#define COORDINATOR_PLANNER_LORA_TURN_H

#include "common/model/job.h"
#include "coordinator/planner/decisions.h"
#include "coordinator/planner/device_part.h"
#include "coordinator/planner/federated_fit.h"
#include "coordinator/planner/federated_want.h"

#include <stdbool.h>
#include <stdint.h>

struct class_summary;
struct err;
struct lora_proposal;
struct policy;

/* What an engine decides, checked and complete. */
struct lora_settings {
    int64_t rank, layers; /* at most */
    int targets;
    double scale, dropout, memory_share, learning_rate;
    int lr_schedule;
    int64_t warmup_steps;
    int64_t updates; /* at most; UNKNOWN_I64: as many as the job wants */
    struct fit_ask ask;
};

/* What follows from them. */
struct lora_solution {
    struct fit fit;
    int64_t rank, layers;
    int why_rank, why_layers; /* enum constraint */
    int64_t updates;
    int why_updates;
    double scale; /* kept where the rank had to fall: alpha / rank is the engine's */
    double parameters, tokens, epochs, training_seconds;
};

struct lora_turn {
    const struct lora_job *lora;
    const struct policy *policy;
    /* the job as federated_want reads it; borrows the job's records */
    struct job view;
    struct federated_job federated;
    struct round_spec round;
    struct data_spec data;

    struct federated_want *want;
    struct device_part device;
    double epochs, deadline, warmup; /* deadline NaN: none */
    int64_t updates;                 /* UNKNOWN_I64: epochs say */
    struct lora_settings own, settings;
    struct lora_solution own_solution, solution;
    bool proposed; /* settings and solution stand; else own */
    struct notes notes;
    char replaced[200]; /* why the proposal's plan was not taken; "": it was */
};

/* Of which kind its runs are, for what measurements taught. */
struct learned_kind lora_turn_kind(const struct lora_turn *t, bool grad_checkpoint);

/* What stands. */
const struct lora_settings *lora_turn_settings(const struct lora_turn *t);
const struct lora_solution *lora_turn_solution(const struct lora_turn *t);

/* lora_solve.c: false where nothing fits. ERR_INFEASIBLE names the deadline that could be met. */
bool lora_fits(const struct lora_turn *t, const struct lora_settings *s, struct lora_solution *out);
int lora_solve(const struct lora_turn *t, const struct lora_settings *s, struct lora_solution *out,
               struct err *err);

/* Peak bytes of the smallest set-up that the job allows. */
double lora_smallest(const struct lora_turn *t);

/* The grid of set-ups that fit, counted into the class's summary. */
void lora_count(const struct lora_turn *t, struct class_summary *out);

/* lora_merge.c: settings from `own` with the proposal over them, a note for every field; and the
 * notes once the solution is known. */
void lora_merge(struct lora_turn *t, const struct lora_proposal *p);
void lora_settle(struct lora_turn *t, const struct lora_proposal *p);

/* lora_plan.c: the plan in full. */
int lora_write(struct lora_turn *t, int engine, struct plan *plan, struct err *err);

#endif
