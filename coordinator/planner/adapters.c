/* adapters.c - the table of rules, and their traffic. */
#include "coordinator/planner/adapters.h"

#include "common/core/err.h"
#include "common/model/enums.h"
#include "common/model/job.h"

#include <stdio.h>

/* A sentence where a pair is refused, NULL where it goes. */
struct row {
    const char *mixed, *private_sum, *secure, *async;
    const char *care_private, *care_secure, *care_async; /* goes, but */
};

#define ONE_RANK "its factors must have one rank; wanted tuning.rank_policy common"

static const struct row rows[] = {
    [ADAPTERS_NAIVE] = {.mixed = ONE_RANK,
                        .care_private = "the noise on both factors of an adapter is multiplied "
                                        "where they meet: aggregation.adapters ffa_lora has one "
                                        "factor only"},
    [ADAPTERS_HETLORA] = {.secure = "it weighs each client by the norm of its update, which "
                                    "nobody may see",
                          .care_private = "clip the whole padded vector, not each factor",
                          .care_async = "the server must count per slice of ranks how many "
                                        "updates of a buffer have it"},
    [ADAPTERS_FLEXLORA] = {.secure = "it needs the product of each client's factors",
                           .async = "it needs the products of a whole round",
                           .care_private = "the SVD comes after the noise, never before"},
    [ADAPTERS_FLORA] = {.private_sum = "it hands every client's own update to all others",
                        .secure = "it stacks every client's own update",
                        .async = "it stacks the updates of a whole round"},
    [ADAPTERS_FFA_LORA] = {.mixed = "all clients share one frozen A, which has one rank"},
    [ADAPTERS_FEDSA_LORA] = {.mixed = ONE_RANK},
    [ADAPTERS_RAFLORA] = {.care_private = "clip the whole padded vector, not each slice",
                          .care_secure = "every client pads its update to the largest rank before "
                                         "masking it",
                          .care_async = "the server must count per slice of ranks how many updates "
                                        "of a buffer have it"},
};

static const struct row scaffold = {
    .mixed = "control variates have one shape for all; wanted tuning.rank_policy common",
    .async = "control variates belong to one round",
    .care_private = "update and control variate are clipped and noised as one vector",
    .care_secure = "update and control variate are masked as two vectors"};

static const struct row nothing = {0};

static const struct row *row_of(const struct mixture *m)
{
    return m->lora && m->adapters > ADAPTERS_AUTO ? &rows[m->adapters] : &nothing;
}

static bool is_async(const struct mixture *m)
{
    return m->strategy == AGGREGATION_FEDBUFF;
}

int adapters_resolve(int adapters, bool private_sum, bool mixed_ranks, char *why, size_t why_size)
{
    if (adapters && adapters != ADAPTERS_AUTO) {
        snprintf(why, why_size, "the job states %s", enum_name(&adapters_names, adapters));
        return adapters;
    }
    if (private_sum) {
        snprintf(why, why_size,
                 "auto: under differential privacy A is frozen, so that noise is not multiplied "
                 "with noise; the training program must freeze it, alike on all clients");
        return ADAPTERS_FFA_LORA;
    }
    if (mixed_ranks) {
        snprintf(why, why_size,
                 "auto: ranks differ, so each slice of ranks is averaged over the clients that "
                 "have it");
        return ADAPTERS_RAFLORA;
    }
    snprintf(why, why_size, "auto: one rank for all, so both factors are averaged");
    return ADAPTERS_NAIVE;
}

bool adapters_mix(int adapters)
{
    return adapters > ADAPTERS_AUTO && !rows[adapters].mixed;
}

static int refuse(struct err *err, const char *field, const char *a, const char *with,
                  const char *why)
{
    return err_set(err, ERR_UNSUPPORTED, "%s: %s does not go with %s: %s", field, a, with, why);
}

/* One row's answer to what the job asks of it. */
static int check_row(const struct mixture *m, const struct row *r, const char *field,
                     const char *name, struct err *err)
{
    if (m->mixed_ranks && r->mixed)
        return refuse(err, field, name, "mixed ranks", r->mixed);
    if (m->private_sum && r->private_sum)
        return refuse(err, field, name, "privacy.epsilon", r->private_sum);
    if (m->secure && r->secure)
        return refuse(err, field, name, "privacy.secure_aggregation", r->secure);
    if (is_async(m) && r->async)
        return refuse(err, field, name, "aggregation.strategy fedbuff", r->async);
    return 0;
}

int adapters_check(const struct mixture *m, struct err *err)
{
    if (check_row(m, row_of(m), "aggregation.adapters", enum_name(&adapters_names, m->adapters),
                  err) < 0)
        return -1;
    if (m->strategy == AGGREGATION_SCAFFOLD &&
        check_row(m, &scaffold, "aggregation.strategy", "scaffold", err) < 0)
        return -1;
    if (m->strategy == AGGREGATION_FEDNOVA && m->private_sum)
        return refuse(err, "aggregation.strategy", "fednova", "privacy.epsilon",
                      "it weighs clients by their steps, so one clipped update could move the sum "
                      "by more than privacy.clip_norm");
    if (m->lora && m->adapters == ADAPTERS_FLORA && m->quantised)
        return refuse(err, "aggregation.adapters", "flora", "quantised variants",
                      "the stack is merged into the base; wanted bf16, f16 or f32 alone");
    if (m->secure && m->top_k)
        return refuse(err, "communication.top_k_share", "a top-k update",
                      "privacy.secure_aggregation", "masked vectors are dense");
    if (m->secure && is_async(m) && m->secure_protocol != SECURE_PROTOCOL_LIGHTSECAGG)
        return refuse(
            err, "privacy.secure_protocol", enum_name(&secure_protocol_names, m->secure_protocol),
            "aggregation.strategy fedbuff", "its masks belong to one round; wanted lightsecagg");
    return 0;
}

static int note(const char *notes[ADAPTERS_NOTES_MAX], int n, bool applies, const char *text)
{
    if (applies && text && n < ADAPTERS_NOTES_MAX)
        notes[n++] = text;
    return n;
}

int adapters_notes(const struct mixture *m, const char *notes[ADAPTERS_NOTES_MAX])
{
    const struct row *r = m->strategy == AGGREGATION_SCAFFOLD ? &scaffold : row_of(m);
    int n = note(notes, 0, m->private_sum, r->care_private);

    n = note(notes, n, m->secure, r->care_secure);
    return note(notes, n, is_async(m), r->care_async);
}

/* Values of B over values of both, summed over the matrices that get adapters. */
static double share_of_b(const struct model_shape *s, int targets)
{
    double h = (double)s->hidden_size, f = (double)s->intermediate_size;
    double q = (double)(s->attention_heads * s->head_dim);
    double kv = (double)(s->kv_heads * s->head_dim);
    double out = q + kv, in = 2 * h; /* q and v */

    if (targets != LORA_TARGETS_QV) {
        out += kv + h + 2 * f + h; /* k, o, gate and up, down */
        in += h + q + 2 * h + f;
    }
    return out / (out + in);
}

double adapters_up_share(const struct model_shape *s, int targets, int adapters, int strategy)
{
    double share = 1;

    if (adapters == ADAPTERS_FFA_LORA)
        share = share_of_b(s, targets);
    if (adapters == ADAPTERS_FEDSA_LORA)
        share = 1 - share_of_b(s, targets);
    return strategy == AGGREGATION_SCAFFOLD ? 2 * share : share;
}

double adapters_down_share(const struct model_shape *s, int targets, int adapters, int strategy,
                           size_t clients)
{
    double share = adapters_up_share(s, targets, adapters, strategy);

    return adapters == ADAPTERS_FLORA ? share * (double)(clients > 0 ? clients : 1) : share;
}
