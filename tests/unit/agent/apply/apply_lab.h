/* apply_lab.h - an apply in a folder of its own, assignments for it, and what it told. */
#ifndef TESTS_UNIT_AGENT_APPLY_LAB_H
#define TESTS_UNIT_AGENT_APPLY_LAB_H

#include "agent/apply/apply.h"
#include "common/model/agent_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAB_TOLD_MAX 4096
#define LAB_PATIENCE_MS 20000 /* far more than a machine under load needs */
#define LAB_MEMORY 8000000000LL

struct lab {
    char *folder;
    struct apply_settings settings;
    struct apply *apply;
    struct plan_limits limits; /* what the machine has */
    int64_t skew_ms;           /* added to the clock */
    struct agent_message *told[LAB_TOLD_MAX];
    uint64_t tags[LAB_TOLD_MAX];
    size_t told_count;
    bool deaf; /* what is told is not settled */
};

/* A federated assignment of the job "job-1", plan "plan-1", that fits; yours. */
struct assignment *lab_assignment(int64_t generation);

/* In a new folder; argv may be NULL. */
void lab_start(struct lab *lab, char *const *argv);
void lab_open(struct lab *lab);  /* the apply alone, in the folder that is there */
void lab_close(struct lab *lab); /* the apply alone: as if the agent had ended */
void lab_stop(struct lab *lab);

/* Give it the assignment, and free it. */
void lab_assign(struct lab *lab, struct assignment *a);
void lab_cancel(struct lab *lab, const char *job, const char *plan, int64_t generation);

/* One turn: tick, and take what it tells. */
void lab_turn(struct lab *lab);

/* Turns until this generation told that state; the status, borrowed. Fails after the patience. */
const struct assignment_status *lab_wait(struct lab *lab, int64_t generation, int state);

/* What was told so far: how often a state of a generation (0: any), how many measurements. */
int lab_count(const struct lab *lab, int64_t generation, int state);
int lab_measurements(const struct lab *lab, int64_t generation);

struct apply_clock lab_clock(const struct lab *lab);

/* Turns until it holds, or the test has failed. */
#define LAB_UNTIL(lab, condition)                                             \
    do {                                                                      \
        int64_t until = clock_mono_ms() + LAB_PATIENCE_MS;                    \
        while (!(condition)) {                                                \
            lab_turn(lab);                                                    \
            if (clock_mono_ms() > until)                                      \
                fail_msg("waited %d ms for %s", LAB_PATIENCE_MS, #condition); \
        }                                                                     \
    } while (0)

#endif
