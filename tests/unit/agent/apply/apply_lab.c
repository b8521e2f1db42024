/* apply_lab.c - see apply_lab.h. */
#include "tests/unit/agent/apply/apply_lab.h"
#include "common/core/clock.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

struct assignment *lab_assignment(int64_t generation)
{
    struct assignment *a = assignment_new(NULL);
    struct training *t = a->training = training_new(NULL);

    text_set(&a->coordinator_id, "c1", NULL);
    text_set(&a->plan_id, "plan-1", NULL);
    text_set(&a->job_id, "job-1", NULL);
    text_set(&a->device_id, "dtest", NULL);
    text_set(&a->reason, "it fits", NULL);
    a->generation = generation;
    a->kind = PLAN_KIND_FEDERATED;
    a->participate = TRI_TRUE;
    text_set(&t->model_path, "models/tiny", NULL);
    t->model_format = MODEL_FORMAT_Q4G64;
    t->method = FINE_TUNE_METHOD_LORA;
    t->targets = LORA_TARGETS_QV;
    t->rank = 8;
    t->scale = 20;
    t->dropout = 0;
    t->layers = 4;
    t->batch_size = 2;
    t->grad_accumulation = 2;
    t->sequence_length = 512;
    t->grad_checkpoint = TRI_FALSE;
    t->local_steps = 3;
    t->iters = 6;
    t->learning_rate = 1e-4;
    t->optimizer = OPTIMIZER_ADAMW;
    t->memory_limit_bytes = LAB_MEMORY / 2;
    t->upload_format = UPLOAD_FORMAT_F16;
    assert_int_equal(record_check(&assignment_type, a, NULL), 0);
    return a;
}

static void limits(void *arg, const int64_t *groups, size_t count, struct plan_limits *out)
{
    struct lab *lab = arg;

    (void)groups;
    *out = lab->limits;
    /* what ends first gives its memory back: a billion for each, here */
    if (known_i64(out->memory_bytes))
        out->memory_bytes += (int64_t)count * 1000000000;
}

struct apply_clock lab_clock(const struct lab *lab)
{
    return (struct apply_clock){clock_mono_ms() + lab->skew_ms, 1790000000000};
}

void lab_open(struct lab *lab)
{
    struct apply_handlers handlers = {lab, limits};
    struct err err;

    if (!(lab->apply = apply_open(&lab->settings, &handlers, lab_clock(lab), &err)))
        fail_msg("%s", err.text);
    assert_int_equal(apply_identity(lab->apply, "c1", "dtest", NULL), 0);
}

void lab_start(struct lab *lab, char *const *argv)
{
    *lab = (struct lab){
        .limits = {LAB_MEMORY, "made up", LAB_MEMORY},
    };
    assert_non_null(lab->folder = folder_make());
    lab->settings = (struct apply_settings){
        .folder = lab->folder,
        .command = {.argv = argv, .grace_ms = 300, .output_max_bytes = 65536},
    };
    lab_open(lab);
}

void lab_close(struct lab *lab)
{
    apply_free(lab->apply);
    lab->apply = NULL;
}

void lab_stop(struct lab *lab)
{
    lab_close(lab);
    for (size_t i = 0; i < lab->told_count; i++)
        agent_message_free(lab->told[i]);
    folder_remove(lab->folder);
}

static void take_reports(struct lab *lab)
{
    struct agent_message *m;
    uint64_t tag;

    while ((m = apply_next_report(lab->apply, lab_clock(lab), &tag))) {
        assert_int_equal(record_check(&agent_message_type, m, NULL), 0);
        assert_true(lab->told_count < LAB_TOLD_MAX);
        lab->tags[lab->told_count] = tag;
        lab->told[lab->told_count++] = m;
        if (!lab->deaf)
            apply_settled(lab->apply, tag);
    }
}

void lab_assign(struct lab *lab, struct assignment *a)
{
    apply_assignment(lab->apply, a, lab_clock(lab));
    assignment_free(a);
    take_reports(lab);
}

void lab_cancel(struct lab *lab, const char *job, const char *plan, int64_t generation)
{
    struct cancel *c = cancel_new(NULL);

    text_set(&c->job_id, job, NULL);
    text_set(&c->plan_id, plan, NULL);
    c->generation = generation;
    apply_cancel(lab->apply, c, lab_clock(lab));
    cancel_free(c);
    take_reports(lab);
}

void lab_turn(struct lab *lab)
{
    apply_tick(lab->apply, lab_clock(lab));
    take_reports(lab);
    nanosleep(&(struct timespec){0, 2000000}, NULL);
}

static const struct assignment_status *find(const struct lab *lab, int64_t generation, int state)
{
    for (size_t i = lab->told_count; i-- > 0;) {
        const struct assignment_status *s = lab->told[i]->status;

        if (s && (generation == 0 || s->generation == generation) && s->state == state)
            return s;
    }
    return NULL;
}

const struct assignment_status *lab_wait(struct lab *lab, int64_t generation, int state)
{
    int64_t until = clock_mono_ms() + LAB_PATIENCE_MS;

    while (!find(lab, generation, state)) {
        lab_turn(lab);
        if (clock_mono_ms() > until)
            fail_msg("generation %lld was not %s in time", (long long)generation,
                     enum_name(&delivery_state_names, state));
    }
    return find(lab, generation, state);
}

int lab_count(const struct lab *lab, int64_t generation, int state)
{
    int count = 0;

    for (size_t i = 0; i < lab->told_count; i++) {
        const struct assignment_status *s = lab->told[i]->status;

        count += s && (generation == 0 || s->generation == generation) && s->state == state;
    }
    return count;
}

int lab_measurements(const struct lab *lab, int64_t generation)
{
    int count = 0;

    for (size_t i = 0; i < lab->told_count; i++) {
        const struct measurement *m = lab->told[i]->measurement;

        count += m && m->generation == generation;
    }
    return count;
}
