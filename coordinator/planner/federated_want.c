/* federated_want.c - the defaults of a federated job, and what its fields demand of each other. */
#include "coordinator/planner/federated_want.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RANK_DEFAULT 8     /* mlx-lm's */
#define RANK_ENGINE_MAX 64 /* the largest that studies of federated adapters use */
#define RANK_MIN_DEFAULT 4
#define LAYERS_MIN_DEFAULT 4
#define SCALE_DEFAULT 20 /* mlx-lm's */
#define LR_TIMES_SCALE \
    2e-4 /* mlx-lm pairs 1e-5 with a scale of 20: an update moves the weights by both */
#define LR_FULL 1e-5
#define EFFECTIVE_BATCH_LEAST 8
#define EFFECTIVE_TOKENS 1024    /* an update of fewer tokens wastes a GPU: plan at least these */
#define ADAPTIVE_SERVER_RATE 0.1 /* Reddi et al.'s and Flower's for Adam and Yogi on a server */
#define TIERS_DEFAULT 5          /* TiFL's own */
#define RANDOM_ROUNDS_MAX 10000
#define SECURE_CLIENTS_MIN 3 /* a sum of two tells each what the other sent */

static int64_t or_i64(int64_t value, int64_t otherwise)
{
    return known_i64(value) ? value : otherwise;
}

static double or_f64(double value, double otherwise)
{
    return known_f64(value) ? value : otherwise;
}

static int or_enum(int value, int otherwise)
{
    return value ? value : otherwise;
}

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int pair_check(const char *low_name, int64_t low, const char *high_name, int64_t high,
                      struct err *err)
{
    if (low <= high)
        return 0;
    return err_set(err, ERR_INVALID, "%s: %" PRId64 ", wanted at most %s, %" PRId64, low_name, low,
                   high_name, high);
}

/* Training all weights needs them in full: quantised variants are passed over. */
static int read_model(struct federated_want *w, const struct model_spec *m, struct err *err)
{
    const struct model_shape *s = m->shape;

    if (!s)
        return err_set(err, ERR_INVALID, "federated.model.shape: missing");
    if (known_i64(s->experts)) /* what its experts' adapters and routing cost was never measured */
        return err_set(err, ERR_UNSUPPORTED,
                       "federated.model: %s has experts; only models without are planned for "
                       "training",
                       s->model_type);
    w->shape = s;
    for (size_t i = 0; i < m->variants_count && w->formats_count < VARIANTS_MAX; i++) {
        int format = m->variants[i].format;

        if (w->method == FINE_TUNE_METHOD_FULL && cost_format_is_quantised(format))
            continue;
        if (federated_want_format(w, format) >= 0)
            return err_set(err, ERR_INVALID, "federated.model.variants[%zu].format: %s twice", i,
                           enum_name(&model_format_names, format));
        w->paths[w->formats_count] = m->variants[i].path;
        w->formats[w->formats_count++] = format;
    }
    if (w->formats_count == 0)
        return err_set(err, ERR_INFEASIBLE,
                       "federated.model.variants: training all weights (method full) needs a "
                       "variant that is not quantised: bf16, f16 or f32");
    return 0;
}

static int read_tuning(struct federated_want *w, const struct tuning_spec *t, struct err *err)
{
    int64_t all = w->shape->layers;

    w->targets = or_enum(t->targets, LORA_TARGETS_ALL);
    w->optimizer = or_enum(t->optimizer, OPTIMIZER_ADAMW);
    w->lr_schedule = or_enum(t->lr_schedule, LR_SCHEDULE_CONSTANT);
    w->rank = or_i64(t->rank, RANK_DEFAULT);
    w->rank_min = or_i64(t->rank_min, min_i64(RANK_MIN_DEFAULT, w->rank));
    w->rank_max = known_i64(t->rank) ? w->rank : RANK_ENGINE_MAX;
    w->layers = or_i64(t->layers, all);
    w->layers_min = or_i64(t->layers_min, min_i64(LAYERS_MIN_DEFAULT, w->layers));
    w->sequence = t->sequence_length;
    w->sequence_min = t->sequence_length_min;
    if (!known_i64(w->sequence_min))
        w->sequence_min = w->sequence >= 64 ? w->sequence / 2 : w->sequence;
    w->batch_size = t->batch_size;
    w->effective_stated = known_i64(t->effective_batch);
    w->effective_batch = or_i64(w->batch_size, EFFECTIVE_BATCH_LEAST);
    if (!known_i64(w->batch_size))
        while (w->effective_batch * w->sequence < EFFECTIVE_TOKENS)
            w->effective_batch *= 2;
    w->effective_batch = or_i64(t->effective_batch, w->effective_batch);
    w->grad_checkpoint = t->grad_checkpoint;
    w->scale = or_f64(t->scale, SCALE_DEFAULT);
    w->dropout = or_f64(t->dropout, 0);
    w->learning_rate_stated = known_f64(t->learning_rate);
    w->learning_rate =
        or_f64(t->learning_rate, w->method == FINE_TUNE_METHOD_FULL
                                     ? LR_FULL
                                     : fmin(fmax(LR_TIMES_SCALE / w->scale, 1e-9), 10));
    w->seed = or_i64(t->seed, 0);
    if (w->layers > all)
        return err_set(err, ERR_INVALID,
                       "tuning.layers: %" PRId64 ", wanted at most the model's %" PRId64, w->layers,
                       all);
    if (pair_check("tuning.rank_min", w->rank_min, "tuning.rank", w->rank, err) < 0 ||
        pair_check("tuning.layers_min", w->layers_min, "tuning.layers", w->layers, err) < 0 ||
        pair_check("tuning.sequence_length_min", w->sequence_min, "tuning.sequence_length",
                   w->sequence, err) < 0)
        return -1;
    if (known_i64(w->batch_size))
        return pair_check("tuning.batch_size", w->batch_size, "tuning.effective_batch",
                          w->effective_batch, err);
    return 0;
}

static int read_selection(struct federated_want *w, const struct round_spec *r, struct err *err)
{
    bool wanted = known_i64(r->clients_wanted);

    w->selection = or_enum(r->selection, wanted ? SELECTION_FASTEST : SELECTION_ALL);
    w->selection_seed = r->selection_seed;
    w->tiers = or_i64(r->tiers, TIERS_DEFAULT);
    w->rounds_done = or_i64(r->rounds_done, 0);
    w->preferred_seconds = r->preferred_seconds;
    w->utility_last = r->utility_last;
    w->utility_before = r->utility_before;
    if (w->selection == SELECTION_ALL && wanted)
        return err_set(err, ERR_INVALID,
                       "round.clients_wanted: %" PRId64 ", wanted absent with round.selection all",
                       r->clients_wanted);
    if (w->selection != SELECTION_ALL && !wanted)
        return err_set(err, ERR_INVALID,
                       "round.clients_wanted: missing, wanted with round.selection %s",
                       enum_name(&selection_names, w->selection));
    if (w->selection == SELECTION_RANDOM && w->rounds > RANDOM_ROUNDS_MAX)
        return err_set(err, ERR_INVALID,
                       "round.rounds: %" PRId64 ", wanted at most %d with round.selection random: "
                       "each client is told its rounds",
                       w->rounds, RANDOM_ROUNDS_MAX);
    return 0;
}

static int read_round(struct federated_want *w, const struct round_spec *r, struct err *err)
{
    w->rounds = or_i64(r->rounds, 1);
    w->deadline = r->deadline_seconds;
    w->token_goal = r->token_goal;
    w->steps_min = or_i64(r->local_steps_min, 1);
    w->steps_max = or_i64(r->local_steps_max, w->steps_min > 1000 ? w->steps_min : 1000);
    w->min_reports = r->min_reports;
    w->clients_wanted = r->clients_wanted;
    w->dropout_rate = or_f64(r->dropout_rate, 0.06);
    w->warmup_seconds = or_f64(r->warmup_seconds, 30);
    if (pair_check("round.local_steps_min", w->steps_min, "round.local_steps_max", w->steps_max,
                   err) < 0)
        return -1;
    return read_selection(w, r, err);
}

static void read_links(struct federated_want *w, const struct communication_spec *c)
{
    w->upload_format = or_enum(c ? c->upload_format : 0, UPLOAD_FORMAT_F16);
    w->default_up_bps = or_f64(c ? c->default_up_bps : UNKNOWN_F64, 20e6);
    w->default_down_bps = or_f64(c ? c->default_down_bps : UNKNOWN_F64, 100e6);
    w->latency_seconds = or_f64(c ? c->latency_seconds : UNKNOWN_F64, 0.05);
    w->upload_share_max = or_f64(c ? c->upload_share_max : UNKNOWN_F64, 0.2);
    w->compression = or_enum(c ? c->compression : 0, COMPRESSION_BY_LINK);
    w->top_k_share = c ? c->top_k_share : UNKNOWN_F64;
}

/* A promise of privacy that cannot be kept is refused, never loosened. */
static int read_privacy(struct federated_want *w, const struct privacy_spec *p, struct err *err)
{
    w->epsilon = p ? p->epsilon : UNKNOWN_F64;
    w->delta = p ? p->delta : UNKNOWN_F64;
    w->clip_norm = or_f64(p ? p->clip_norm : UNKNOWN_F64, 1);
    w->secure_aggregation = p && p->secure_aggregation == TRI_TRUE;
    w->min_clients = or_i64(p ? p->min_clients : UNKNOWN_I64, 1);
    w->secure_protocol = or_enum(p ? p->secure_protocol : 0, SECURE_PROTOCOL_BONAWITZ);
    w->malicious_server = p && p->malicious_server == TRI_TRUE;
    w->value_bits = p ? p->value_bits : UNKNOWN_I64;
    if (w->secure_aggregation && w->min_clients < SECURE_CLIENTS_MIN)
        w->min_clients = SECURE_CLIENTS_MIN;
    if (known_f64(w->epsilon) && !known_f64(w->delta))
        return err_set(err, ERR_INVALID,
                       "privacy.delta: missing, wanted with privacy.epsilon (at most 1 / clients)");
    return 0;
}

static void read_aggregation(struct federated_want *w, const struct aggregation_spec *a)
{
    bool adaptive;

    w->strategy = or_enum(a ? a->strategy : 0, AGGREGATION_AUTO);
    adaptive = w->strategy == AGGREGATION_FEDADAM || w->strategy == AGGREGATION_FEDYOGI;
    w->server_learning_rate =
        or_f64(a ? a->server_learning_rate : UNKNOWN_F64, adaptive ? ADAPTIVE_SERVER_RATE : 1);
    w->proximal_mu = or_f64(a ? a->proximal_mu : UNKNOWN_F64, 0.01);
    w->adapters = w->method == FINE_TUNE_METHOD_FULL ? ADAPTERS_NAIVE
                                                     : or_enum(a ? a->adapters : 0, ADAPTERS_AUTO);
    w->beta1 = or_f64(a ? a->beta1 : UNKNOWN_F64, 0.9);
    w->beta2 = or_f64(a ? a->beta2 : UNKNOWN_F64, 0.99);
    w->adaptivity = or_f64(a ? a->adaptivity : UNKNOWN_F64, 1e-3);
    w->local_momentum = or_f64(a ? a->local_momentum : UNKNOWN_F64, 0);
    w->buffer_size = a ? a->buffer_size : UNKNOWN_I64;
    w->concurrency = a ? a->concurrency : UNKNOWN_I64;
    w->staleness_max = a ? a->staleness_max : UNKNOWN_I64;
}

static int data_compare(const void *a, const void *b)
{
    const struct want_data *x = a, *y = b;

    return strcmp(x->device_id, y->device_id);
}

static int read_data(struct federated_want *w, const struct data_spec *d, struct err *err)
{
    w->tokens_per_example = d ? d->tokens_per_example : UNKNOWN_F64;
    w->examples = d ? d->examples_per_client : UNKNOWN_I64;
    w->data_count = d ? d->clients_count : 0;
    w->data = mem_calloc(w->data_count + 1, sizeof *w->data);
    if (!w->data)
        return err_set(err, ERR_NOMEM, "data of %zu clients", w->data_count);
    for (size_t i = 0; i < w->data_count; i++)
        w->data[i] = (struct want_data){d->clients[i].device_id, d->clients[i].examples,
                                        d->clients[i].mean_square_loss, d->clients[i].last_round,
                                        or_i64(d->clients[i].picks, 0)};
    if (w->data_count > 1)
        qsort(w->data, w->data_count, sizeof *w->data, data_compare);
    for (size_t i = 1; i < w->data_count; i++)
        if (strcmp(w->data[i - 1].device_id, w->data[i].device_id) == 0)
            return err_set(err, ERR_INVALID, "data.clients: device %s twice", w->data[i].device_id);
    return 0;
}

struct federated_want *federated_want_new(const struct job *job, struct err *err)
{
    struct federated_want *w = mem_zalloc(sizeof *w);
    const struct federated_job *f = job->federated;
    const struct aggregation_spec *a = f ? f->aggregation : NULL;

    if (!w) {
        err_set(err, ERR_NOMEM, "job");
        return NULL;
    }
    if (!f || !f->model || !f->tuning || !f->round) {
        err_set(err, ERR_INVALID, "federated: missing, wanted model, tuning and round");
        goto fail;
    }
    w->job = job;
    w->method = f->tuning->method;
    w->rank_policy = f->tuning->rank_policy;
    read_aggregation(w, a);
    read_links(w, f->communication);
    if (read_model(w, f->model, err) < 0 || read_tuning(w, f->tuning, err) < 0 ||
        read_round(w, f->round, err) < 0 || read_privacy(w, f->privacy, err) < 0 ||
        read_data(w, f->data, err) < 0)
        goto fail;
    return w;
fail:
    federated_want_free(w);
    return NULL;
}

void federated_want_free(struct federated_want *w)
{
    if (!w)
        return;
    mem_free(w->data);
    mem_free(w);
}

const struct want_data *federated_want_data(const struct federated_want *w, const char *device_id)
{
    size_t low = 0, high = w->data_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(w->data[mid].device_id, device_id);

        if (order == 0)
            return &w->data[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

int64_t federated_want_examples(const struct federated_want *w, const char *device_id)
{
    const struct want_data *d = federated_want_data(w, device_id);

    return d ? d->examples : w->examples;
}

double federated_want_tokens(const struct federated_want *w, int64_t sequence)
{
    double all = (double)sequence;

    return known_f64(w->tokens_per_example) ? fmin(w->tokens_per_example, all) : all;
}

int federated_want_format(const struct federated_want *w, int format)
{
    for (size_t i = 0; i < w->formats_count; i++)
        if (w->formats[i] == format)
            return (int)i;
    return -1;
}
