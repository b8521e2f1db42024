/* lora_yaml.c - see lora_yaml.h. */
#include "agent/apply/lora_yaml.h"
#include "agent/apply/yaml.h"
#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/plan.h"

#include <inttypes.h>
#include <stdlib.h>

#define YAML_MAX 32768 /* three paths of 4096 bytes, each byte escaped, would be more: refused */

/* What mlx-lm uses where the plan says nothing. */
#define DEFAULT_RANK 8
#define DEFAULT_SCALE 20.0
#define DEFAULT_DROPOUT 0.0

#define REPORT_EVERY 10 /* micro-steps, mlx-lm's own: a first step time after a minute at most */
#define REPORT_MIN 5    /* often enough to see a run go; each report waits for the GPU */
#define REPORT_MAX 20
#define SAVE_EVERY 100 /* micro-steps, mlx-lm's own */
#define VAL_BATCHES 25 /* mlx-lm's own; used only where there is a valid.jsonl */

static void key(struct buf *b, const char *name)
{
    buf_adds(b, name);
    buf_adds(b, ": ");
}

static void add_text(struct buf *b, const char *name, const char *value)
{
    key(b, name);
    yaml_text(b, value);
    buf_addc(b, '\n');
}

static void add_i64(struct buf *b, const char *name, int64_t value)
{
    key(b, name);
    yaml_i64(b, value);
    buf_addc(b, '\n');
}

static void add_f64(struct buf *b, const char *name, double value)
{
    key(b, name);
    yaml_f64(b, value);
    buf_addc(b, '\n');
}

static void add_bool(struct buf *b, const char *name, int value)
{
    key(b, name);
    yaml_bool(b, value == TRI_TRUE);
    buf_addc(b, '\n');
}

/* How full the last interval of reports is, 0 to 1. */
static double last_interval(int64_t iters, int64_t every)
{
    int64_t rest = iters % every;

    return rest == 0 ? 1.0 : (double)rest / (double)every;
}

/* mlx-lm divides by the whole interval also at the end, so a shorter last one shows too high a
 * speed: take the interval that leaves the last one fullest, and among those the one nearest to
 * mlx-lm's. */
static int64_t report_every(int64_t iters)
{
    int64_t best = iters < REPORT_MIN ? iters : REPORT_MIN;

    for (int64_t n = best; n <= REPORT_MAX && n <= iters; n++) {
        double full = last_interval(iters, n), before = last_interval(iters, best);

        if (full > before ||
            (full == before && llabs(n - REPORT_EVERY) < llabs(best - REPORT_EVERY)))
            best = n;
    }
    return best;
}

/* Without keys mlx-lm adapts every linear layer of a block, whatever the family calls them: that is
 * "all". */
static void add_lora_parameters(struct buf *b, const struct training *t)
{
    buf_adds(b, "lora_parameters:\n");
    add_i64(b, "  rank", known_i64(t->rank) ? t->rank : DEFAULT_RANK);
    add_f64(b, "  scale", known_f64(t->scale) ? t->scale : DEFAULT_SCALE);
    add_f64(b, "  dropout", known_f64(t->dropout) ? t->dropout : DEFAULT_DROPOUT);
    if (t->targets == LORA_TARGETS_QV)
        buf_adds(b, "  keys: [\"self_attn.q_proj\", \"self_attn.v_proj\"]\n");
}

/* mlx-lm joins a linear warm-up of its own to the schedule, and both advance once per optimizer
 * update. A constant rate with a warm-up is a line from the rate to the same rate. */
static void add_schedule(struct buf *b, const struct training *t)
{
    int64_t warmup = known_i64(t->warmup_steps) ? t->warmup_steps : 0;
    int64_t steps = t->local_steps > warmup ? t->local_steps - warmup : 1;
    const char *name = t->lr_schedule == LR_SCHEDULE_COSINE ? "cosine_decay" : "linear_schedule";

    if (t->lr_schedule != LR_SCHEDULE_COSINE && t->lr_schedule != LR_SCHEDULE_LINEAR && warmup == 0)
        return;
    buf_adds(b, "lr_schedule:\n");
    add_text(b, "  name", name);
    buf_adds(b, "  arguments: [");
    yaml_f64(b, t->learning_rate);
    if (t->lr_schedule != LR_SCHEDULE_COSINE) {
        buf_adds(b, ", ");
        yaml_f64(b, t->lr_schedule == LR_SCHEDULE_LINEAR ? 0.0 : t->learning_rate);
    }
    buf_addf(b, ", %" PRId64 "]\n", steps);
    if (warmup > 0)
        add_i64(b, "  warmup", warmup);
}

static void add_training(struct buf *b, const struct training *t)
{
    add_text(b, "fine_tune_type", enum_name(&fine_tune_method_names, t->method));
    add_text(b, "optimizer", enum_name(&optimizer_names, t->optimizer));
    add_i64(b, "num_layers", t->layers);
    add_i64(b, "batch_size", t->batch_size);
    add_i64(b, "iters", t->iters);
    add_f64(b, "learning_rate", t->learning_rate);
    add_i64(b, "max_seq_length", t->sequence_length);
    add_bool(b, "grad_checkpoint", t->grad_checkpoint);
    add_i64(b, "grad_accumulation_steps", t->grad_accumulation);
    add_i64(b, "seed", known_i64(t->seed) ? t->seed : 0);
    add_i64(b, "steps_per_report", report_every(t->iters));
    add_i64(b, "steps_per_eval", t->iters); /* at the first and the last step, no more */
    add_i64(b, "save_every", t->iters < SAVE_EVERY ? t->iters : SAVE_EVERY);
    add_i64(b, "val_batches", VAL_BATCHES);
    if (t->method != FINE_TUNE_METHOD_FULL)
        add_lora_parameters(b, t);
    add_schedule(b, t);
}

static int check(const struct training *t, struct err *err)
{
    if (!t)
        return err_set(err, ERR_INVALID, "training: absent, nothing to write a lora.yaml from");
    if (!enum_name(&fine_tune_method_names, t->method) || t->method == FINE_TUNE_METHOD_UNSET)
        return err_set(err, ERR_UNSUPPORTED, "training.method: %d is none of ours", t->method);
    if (!enum_name(&optimizer_names, t->optimizer) || t->optimizer == OPTIMIZER_UNSET)
        return err_set(err, ERR_UNSUPPORTED, "training.optimizer: %d is none of ours",
                       t->optimizer);
    if (!known_i64(t->iters) || t->iters < 1)
        return err_set(err, ERR_INVALID, "training.iters: wanted 1 or more");
    return 0;
}

char *lora_yaml(const struct assignment *a, const struct lora_paths *paths, struct err *err)
{
    const struct training *t = a->training;
    struct buf b;
    char *text;

    if (check(t, err) < 0)
        return NULL;
    buf_init(&b, YAML_MAX);
    buf_adds(&b,
             "# Written by espalier-agent from plan.json beside it: mlx_lm.lora -c lora.yaml\n");
    add_text(&b, "model", paths->model);
    buf_adds(&b, "train: true\n");
    add_text(&b, "data", paths->data);
    add_text(&b, "adapter_path", paths->adapters);
    add_training(&b, t);
    add_text(&b, "espalier_plan_id", a->plan_id);
    add_text(&b, "espalier_job_id", a->job_id);
    add_i64(&b, "espalier_generation", a->generation);
    if (!(text = buf_take(&b, NULL, err)))
        err_prefix(err, "lora.yaml");
    return text;
}
