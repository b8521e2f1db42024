/* planner_kit.c - models, fleets and jobs for the planner's tests. */
#include "planner_kit.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/device.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/federated.h"
#include "coordinator/planner/pipeline.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define GIB 1073741824.0

void kit_shape(enum kit_model model, struct model_shape *out)
{
    /* layers, hidden, MLP, heads, KV heads, head size, vocabulary, tied, parameters */
    static const double rows[KIT_MODELS][9] = {
        {16, 2048, 8192, 32, 8, 64, 128256, 1, 1.2358e9},
        {36, 2560, 9728, 32, 8, 128, 151936, 1, 4.022e9},
        {36, 4096, 12288, 32, 8, 128, 151936, 0, 8.1907e9},
        {32, 4096, 14336, 32, 8, 128, 128256, 0, 8.0303e9},
        {32, 4096, 14336, 32, 8, 128, 32000, 0, 7.2417e9},
        {8, 768, 2048, 12, 4, 64, 32000, 0, 99496704},
    };
    const double *r = rows[model];

    record_init(&model_shape_type, out);
    out->layers = (int64_t)r[0];
    out->hidden_size = (int64_t)r[1];
    out->intermediate_size = (int64_t)r[2];
    out->attention_heads = (int64_t)r[3];
    out->kv_heads = (int64_t)r[4];
    out->head_dim = (int64_t)r[5];
    out->vocab_size = (int64_t)r[6];
    out->tied_embeddings = (int)r[7];
    out->parameters = (int64_t)r[8];
}

void kit_close_at(double a, double b, double tolerance, const char *file, int line)
{
    if (fabs(a - b) <= tolerance)
        return;
    print_error("%.10g is not within %.3g of %.10g\n", a, tolerance, b);
    _fail(file, line);
}

struct placed {
    const struct kit_mac *mac;
    size_t class_index;
};

static int placed_compare(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    return strcmp(x->mac->id, y->mac->id);
}

static void class_fill(struct device_class *c, const struct kit_mac *m, size_t number)
{
    double available = m->available_gib > 0 ? m->available_gib : m->memory_gib * 7 / 8;

    snprintf(c->id, sizeof c->id, "c%zu", number);
    c->profile = profile_new(NULL);
    c->state = state_new(NULL);
    assert_non_null(c->profile);
    assert_non_null(c->state);
    c->profile->origin = DEVICE_ORIGIN_COMPOSED;
    assert_int_equal(text_set(&c->profile->chip, m->chip, NULL), 0);
    assert_int_equal(text_set(&c->profile->os_name, "macOS", NULL), 0);
    assert_int_equal(text_set(&c->profile->os_version, "26.1", NULL), 0);
    if (m->gpu_cores)
        c->profile->gpu_cores = m->gpu_cores;
    c->profile->memory_bytes = (int64_t)(m->memory_gib * GIB);
    if (m->chip) {
        c->profile->metal = metal_new(NULL);
        assert_non_null(c->profile->metal);
        c->profile->metal->working_set_bytes = (int64_t)(m->memory_gib * GIB * 0.75);
    }
    c->state->memory_available_bytes = (int64_t)(available * GIB);
    c->state->memory_pressure = MEMORY_PRESSURE_NORMAL;
    c->state->thermal = THERMAL_NOMINAL;
    c->state->power_source = POWER_SOURCE_AC;
    c->state->low_power_mode = TRI_FALSE;
    c->state->user_idle_seconds = 3600;
    c->state->disk_free_bytes = 100000000000;
}

struct snapshot *kit_fleet(const struct kit_mac *macs, size_t count)
{
    struct placed *placed = calloc(count + 1, sizeof *placed);
    size_t *class_of = calloc(count + 1, sizeof *class_of), classes = 0;
    struct snapshot *s = snapshot_new(count, count, NULL);

    assert_non_null(placed);
    assert_non_null(class_of);
    assert_non_null(s);
    for (size_t i = 0; i < count; i++) {
        if (macs[i].same_class_as) {
            class_of[i] = class_of[macs[i].same_class_as - 1];
        } else {
            class_of[i] = classes;
            class_fill(&s->classes[classes], &macs[i], classes + 1);
            classes++;
        }
        placed[i] = (struct placed){&macs[i], class_of[i]};
        s->classes[class_of[i]].devices++;
    }
    s->classes_count = classes;
    if (count > 1)
        qsort(placed, count, sizeof *placed, placed_compare);
    for (size_t i = 0; i < count; i++) {
        struct client *c = &s->clients[i];
        const struct kit_mac *m = placed[i].mac;

        c->device_id = mem_strdup(m->id);
        assert_non_null(c->device_id);
        c->class_index = placed[i].class_index;
        c->liveness = LIVENESS_ONLINE;
        c->state_age_ms = 1000;
        c->up_bps = m->up_mbps > 0 ? m->up_mbps * 1e6 : UNKNOWN_F64;
        c->down_bps = m->down_mbps > 0 ? m->down_mbps * 1e6 : UNKNOWN_F64;
    }
    free(placed);
    free(class_of);
    return s;
}

struct snapshot *kit_fleet_mixed(void)
{
    static const struct kit_mac macs[] = {
        {"mac-1", "Apple M1", 8, 8, 0, 20, 100, 0},
        {"mac-2", "Apple M2 Pro", 19, 16, 0, 50, 200, 0},
        {"mac-3", "Apple M3 Max", 40, 48, 0, 100, 500, 0},
        {"mac-4", "Apple M2 Ultra", 76, 192, 0, 1000, 1000, 0},
    };

    return kit_fleet(macs, sizeof macs / sizeof macs[0]);
}

struct job *kit_job(enum kit_model model)
{
    struct job *j = job_new(NULL);
    struct federated_job *f;
    struct model_variant *v;

    assert_non_null(j);
    j->format_version = 1;
    assert_int_equal(text_set(&j->job_id, "notes", NULL), 0);
    f = j->federated = federated_job_new(NULL);
    assert_non_null(f);
    f->model = model_spec_new(NULL);
    f->tuning = tuning_spec_new(NULL);
    f->round = round_spec_new(NULL);
    assert_non_null(f->model);
    assert_non_null(f->tuning);
    assert_non_null(f->round);
    f->model->shape = model_shape_new(NULL);
    assert_non_null(f->model->shape);
    kit_shape(model, f->model->shape);
    assert_int_equal(text_set(&f->model->shape->model_type, "llama", NULL), 0);
    for (int i = 0; i < 2; i++) {
        v = records_add(&model_variant_type, &f->model->variants, &f->model->variants_count, NULL);
        assert_non_null(v);
        v->format = i == 0 ? MODEL_FORMAT_BF16 : MODEL_FORMAT_Q4G64;
        assert_int_equal(text_set(&v->path, i == 0 ? "base-bf16" : "base-4bit", NULL), 0);
    }
    f->tuning->method = FINE_TUNE_METHOD_LORA;
    f->tuning->rank = 8;
    f->tuning->sequence_length = 512;
    f->round->rounds = 5;
    f->round->deadline_seconds = 600;
    return j;
}

struct plan *kit_plan(const struct snapshot *s, const struct job *job, int engine,
                      const struct federated_proposal *p, struct err *err)
{
    struct policy policy = policy_default();
    struct envelope *e = envelope_build(s, job, &policy, err);
    struct plan *plan = NULL;
    struct err why = {0};

    if (!e)
        return NULL;
    if (federated_verify(s, job, e, (enum engine_kind)engine, p, &plan, err) == 0 &&
        record_check(&plan_type, plan, &why) < 0)
        fail_msg("the plan breaks its own rows: %s", why.text);
    envelope_free(e);
    return plan;
}

struct plan *kit_pipeline_plan(const struct snapshot *s, const struct job *job, int engine,
                               const struct pipeline_proposal *p, struct err *err)
{
    struct policy policy = policy_default();
    struct plan *plan = NULL;
    struct err why = {0};

    if (pipeline_verify(s, job, &policy, (enum engine_kind)engine, p, &plan, err) == 0 &&
        record_check(&plan_type, plan, &why) < 0)
        fail_msg("the plan breaks its own rows: %s", why.text);
    return plan;
}

struct assignment *kit_assignment(const struct plan *plan, const char *device_id)
{
    for (size_t i = 0; i < plan->assignments_count; i++)
        if (strcmp(plan->assignments[i].device_id, device_id) == 0)
            return &plan->assignments[i];
    fail_msg("no assignment for %s", device_id);
    return NULL;
}

const char *kit_reason(const struct assignment *a, const char *field)
{
    for (size_t i = 0; i < a->reasons_count; i++)
        if (strcmp(a->reasons[i].field, field) == 0)
            return a->reasons[i].text;
    fail_msg("%s has no reason for %s", a->device_id, field);
    return NULL;
}

const struct decision *kit_decision(const struct plan *plan, const char *subject, const char *field)
{
    for (size_t i = 0; i < plan->decisions_count; i++) {
        const struct decision *d = &plan->decisions[i];

        if (strcmp(d->field, field) == 0 && strcmp(d->subject ? d->subject : "", subject) == 0)
            return d;
    }
    fail_msg("no decision on %s of %s", field, subject);
    return NULL;
}

bool kit_warned(const struct plan *plan, const char *part)
{
    for (size_t i = 0; i < plan->warnings_count; i++)
        if (strstr(plan->warnings[i], part))
            return true;
    return false;
}

static void dump_record(struct buf *b, const struct record_type *type, const void *record,
                        int depth);

static void dump_value(struct buf *b, const struct field *f, const void *record)
{
    const void *at = field_at(f, record);

    if (f->type == FIELD_I64)
        buf_addf(b, "%" PRId64, *(const int64_t *)at);
    else if (f->type == FIELD_F64) /* six digits: libraries differ in the last ones */
        buf_addf(b, "%.6g", *(const double *)at);
    else if (f->type == FIELD_BOOL)
        buf_adds(b, *(const int *)at == TRI_TRUE ? "true" : "false");
    else if (f->type == FIELD_ENUM)
        buf_adds(b, enum_name(f->names, *(const int *)at));
    else
        buf_adds(b, *(char *const *)at);
    buf_addc(b, '\n');
}

static void dump_field(struct buf *b, const struct field *f, const void *record, int depth)
{
    bool points = f->type != FIELD_I64 && f->type != FIELD_F64 && f->type != FIELD_BOOL &&
                  f->type != FIELD_ENUM;
    void *block = points ? *(void **)field_at(f, record) : NULL;

    buf_addf(b, "%*s%s:", depth * 2, "", f->name);
    if (f->type == FIELD_RECORD) {
        buf_addc(b, '\n');
        dump_record(b, f->record, block, depth + 1);
    } else if (f->type == FIELD_RECORDS) {
        buf_addc(b, '\n');
        for (size_t i = 0; i < field_count(f, record); i++) {
            buf_addf(b, "%*s- %zu\n", depth * 2 + 2, "", i);
            dump_record(b, f->record, (const char *)block + i * f->record->size, depth + 2);
        }
    } else if (f->type == FIELD_TEXTS) {
        buf_addc(b, '\n');
        for (size_t i = 0; i < field_count(f, record); i++)
            buf_addf(b, "%*s- %s\n", depth * 2 + 2, "", ((char **)block)[i]);
    } else {
        buf_addc(b, ' ');
        dump_value(b, f, record);
    }
}

static void dump_record(struct buf *b, const struct record_type *type, const void *record,
                        int depth)
{
    for (size_t i = 0; i < type->count; i++)
        if (field_is_known(&type->fields[i], record))
            dump_field(b, &type->fields[i], record, depth);
}

char *kit_dump(const struct record_type *type, const void *record)
{
    struct buf b;
    char *text;

    buf_init(&b, (size_t)64 * 1024 * 1024);
    dump_record(&b, type, record, 0);
    text = buf_take(&b, NULL, NULL);
    assert_non_null(text);
    return text;
}

struct stage *kit_stage(struct job *j, const char *name, int kind, const char *after, double flop,
                        double memory_gib, double output_gb)
{
    struct stage *s =
        records_add(&stage_type, &j->pipeline->stages, &j->pipeline->stages_count, NULL);

    assert_non_null(s);
    assert_int_equal(text_set(&s->name, name, NULL), 0);
    s->kind = kind;
    s->flop = flop;
    s->memory_bytes = (int64_t)(memory_gib * GIB);
    s->output_bytes = (int64_t)(output_gb * 1e9);
    if (after)
        assert_int_equal(texts_add(&s->after, &s->after_count, after, NULL), 0);
    return s;
}

struct job *kit_pipeline(void)
{
    struct job *j = job_new(NULL);

    assert_non_null(j);
    j->format_version = 1;
    assert_int_equal(text_set(&j->job_id, "line", NULL), 0);
    j->pipeline = pipeline_job_new(NULL);
    assert_non_null(j->pipeline);
    kit_stage(j, "load", STAGE_KIND_DATA_LOADING, NULL, 1e13, 1, 0.1);
    kit_stage(j, "train", STAGE_KIND_TRAINING, "load", 5e15, 20, 0.05);
    kit_stage(j, "deploy", STAGE_KIND_DEPLOYMENT, "train", 1e13, 2, 0);
    return j;
}

/* splitmix64 */
uint64_t kit_next(struct kit_random *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double kit_uniform(struct kit_random *r, double low, double high)
{
    return low + (high - low) * ((double)(kit_next(r) >> 11) / 9007199254740992.0);
}

int64_t kit_range(struct kit_random *r, int64_t low, int64_t high)
{
    return low + (int64_t)(kit_next(r) % (uint64_t)(high - low + 1));
}

bool kit_chance(struct kit_random *r, double probability)
{
    return kit_uniform(r, 0, 1) < probability;
}
