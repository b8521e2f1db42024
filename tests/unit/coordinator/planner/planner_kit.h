/* planner_kit.h - models, fleets and jobs for the planner's tests. */
#ifndef TESTS_PLANNER_KIT_H
#define TESTS_PLANNER_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

struct assignment;
struct decision;
struct err;
struct job;
struct model_shape;
struct snapshot;
struct stage;

/* Public models, by their published shapes; the last two are ours, for tests. */
enum kit_model {
    KIT_LLAMA_1B,
    KIT_QWEN_4B,
    KIT_QWEN_8B,
    KIT_LLAMA_8B,
    KIT_MISTRAL_7B,
    KIT_TINY_100M,
    KIT_MODELS,
};

/* Fills the numbers only: owns nothing. */
void kit_shape(enum kit_model model, struct model_shape *out);

/* |a - b| <= tolerance, or the test fails and prints both. */
void kit_close_at(double a, double b, double tolerance, const char *file, int line);
#define kit_close(a, b, tolerance) kit_close_at(a, b, tolerance, __FILE__, __LINE__)

/* One Mac of a test fleet; 0 and NULL mean the usual. */
struct kit_mac {
    const char *id;
    const char *chip;
    int64_t gpu_cores;
    double memory_gib;
    double available_gib; /* 0: seven eighths of it */
    double up_mbps, down_mbps;
    int64_t same_class_as; /* index + 1 of an earlier Mac of its class */
};

/* Macs sorted by id here; each its own class unless it says otherwise. */
struct snapshot *kit_fleet(const struct kit_mac *macs, size_t count);

/* An M1 with 8 GB, an M2 Pro with 16, an M3 Max with 48, an M2 Ultra with 192; ids mac-1 .. mac-4.
 */
struct snapshot *kit_fleet_mixed(void);

/* LoRA rank 8 on all linears of all layers, 512 tokens, bf16 and q4g64, 600 s. */
struct job *kit_job(enum kit_model model);

struct envelope;
struct federated_proposal;
struct plan;
struct pipeline_proposal;
struct record_type;

/* The federated plan of a job on a fleet under the default policy; NULL proposals are the planner's
 * own. NULL where the job cannot be planned, err then says why. A plan is checked against its own
 * rows. */
struct plan *kit_plan(const struct snapshot *s, const struct job *job, int engine,
                      const struct federated_proposal *p, struct err *err);
struct plan *kit_pipeline_plan(const struct snapshot *s, const struct job *job, int engine,
                               const struct pipeline_proposal *p, struct err *err);

/* An assignment and one of its reasons; the test fails when there is none. */
struct assignment *kit_assignment(const struct plan *plan, const char *device_id);
const char *kit_reason(const struct assignment *a, const char *field);
const struct decision *kit_decision(const struct plan *plan, const char *subject,
                                    const char *field);
bool kit_warned(const struct plan *plan, const char *part);

/* A record as text, a line per known field; the caller frees it. */
char *kit_dump(const struct record_type *type, const void *record);

/* Three stages on one line: load -> train -> deploy. */
struct job *kit_pipeline(void);
struct stage *kit_stage(struct job *j, const char *name, int kind, const char *after, double flop,
                        double memory_gib, double output_gb);

/* Numbers from a seed, the same everywhere. */
struct kit_random {
    uint64_t state;
};
uint64_t kit_next(struct kit_random *r);
double kit_uniform(struct kit_random *r, double low, double high);
int64_t kit_range(struct kit_random *r, int64_t low, int64_t high); /* both included */
bool kit_chance(struct kit_random *r, double probability);

#endif
