/* federated_want.h - what a federated job wants, every default filled in.
 *
 * Room-internal. The planner reads the job's records here and nowhere else, so that a default has
 * one place. Borrows the job. */
#ifndef COORDINATOR_PLANNER_FEDERATED_WANT_H
#define COORDINATOR_PLANNER_FEDERATED_WANT_H

#include "coordinator/planner/cost.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct job;

#define VARIANTS_MAX 16

/* A client whose rows the job states. */
struct want_data {
    const char *device_id;
    int64_t examples;
    double mean_square_loss;   /* NaN: never measured */
    int64_t last_round, picks; /* UNKNOWN_I64: never; 0: never */
};

struct federated_want {
    const struct job *job;
    const struct model_shape *shape;
    int formats[VARIANTS_MAX]; /* as the job lists them: the wanted one first */
    const char *paths[VARIANTS_MAX];
    size_t formats_count;

    int method, targets, optimizer, lr_schedule;
    int grad_checkpoint; /* enum tristate */
    int upload_format;
    int strategy; /* enum aggregation, may be auto */
    bool effective_stated, learning_rate_stated, secure_aggregation;

    int64_t rank, rank_min, rank_max; /* rank_max: what an engine may go up to */
    int64_t layers, layers_min;
    int64_t batch_size;      /* UNKNOWN_I64: the planner chooses */
    int64_t effective_batch; /* sequences per update */
    int64_t sequence, sequence_min;
    double scale, dropout, learning_rate;
    int64_t seed;

    int64_t rounds, steps_min, steps_max;
    double deadline, token_goal;         /* NaN: not given */
    int64_t min_reports, clients_wanted; /* UNKNOWN_I64: not given */
    double dropout_rate, warmup_seconds;
    double default_up_bps, default_down_bps, latency_seconds, upload_share_max;

    double epsilon, delta, clip_norm; /* epsilon NaN: no differential privacy */
    int64_t min_clients;              /* in any sum; 1 where not given */
    double server_learning_rate, proximal_mu;

    int selection;          /* enum selection: never unset */
    int64_t selection_seed; /* UNKNOWN_I64: the turn makes one */
    int64_t tiers, rounds_done;
    double preferred_seconds;            /* NaN: the round's own */
    double utility_last, utility_before; /* NaN: not given */

    int compression, rank_policy, adapters; /* rank_policy may be unset: as it turns out */
    double top_k_share;                     /* NaN: no top-k */
    int secure_protocol;
    bool malicious_server;
    int64_t value_bits; /* UNKNOWN_I64: the planner chooses */
    double beta1, beta2, adaptivity, local_momentum;
    int64_t buffer_size, concurrency, staleness_max; /* UNKNOWN_I64: the planner chooses */

    double tokens_per_example; /* NaN: the sequence length */
    int64_t examples;          /* of a client not listed; UNKNOWN_I64: not given */
    struct want_data *data;    /* sorted by device id */
    size_t data_count;
};

/* ERR_INVALID names the field that contradicts another. */
struct federated_want *federated_want_new(const struct job *job, struct err *err);
void federated_want_free(struct federated_want *w); /* NULL is fine */

/* Rows that a device has; UNKNOWN_I64 where the job does not say. */
int64_t federated_want_examples(const struct federated_want *w, const char *device_id);

/* What the job says of a device's data; NULL where it says nothing. */
const struct want_data *federated_want_data(const struct federated_want *w, const char *device_id);

/* Tokens of use in one sequence: rows shorter than the sequence are padded. */
double federated_want_tokens(const struct federated_want *w, int64_t sequence);

/* Index into formats; -1 when the job does not list it. */
int federated_want_format(const struct federated_want *w, int format);

#endif
