/* federated_choose.c - the planner's own values for what is common to all clients.
 *
 * Fewer layers, a lower rank or a coarser upload let more Macs take part and teach each of them
 * less. How much less is weighed by `worth`: the number of clients times the square root of the
 * share of layers kept, times the fourth root of the share of rank kept. Both exponents are
 * assumptions; they say that the last layers and ranks matter less than the first. */
#include "coordinator/planner/federated_solve.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/adapters.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/roster.h"
#include "coordinator/planner/secure.h"

#include <math.h>

#define WORTH_INT8 0.97 /* of an update that loses nothing: assumptions */
#define WORTH_INT4 0.9

struct class_fit {
    bool fits;
    double memory_bytes, step_seconds;
};

static void class_fit(const struct roster *r, const struct federated_settings *s, size_t k,
                      struct class_fit *out)
{
    const struct machine *m = envelope_machine(r->envelope, k);
    struct fit_place p = {.want = envelope_want(r->envelope),
                          .machine = m,
                          .activation_factor = envelope_policy(r->envelope)->activation_factor,
                          .rank = s->rank,
                          .layers = s->layers,
                          .batch_max = (int64_t)1 << 40};
    struct fit f;

    out->fits = false;
    if (!known_i64(m->limit_bytes) || !s->classes[k].participate ||
        envelope_refusal(r->envelope, k))
        return;
    p.room = (double)m->limit_bytes * s->memory_share;
    out->fits = fit_any(&p, &s->classes[k].ask, &f);
    if (out->fits) {
        out->memory_bytes = f.memory_bytes;
        out->step_seconds = f.time.step_seconds;
    }
}

/* Can this client do the fewest steps before the deadline, its upload within its share? */
static bool in_time(const struct federated_want *w, const struct roster_client *c, double up,
                    double down, double step_seconds, bool with_link)
{
    struct cost_link link = {c->up_bps, c->down_bps, w->latency_seconds};
    double fixed = cost_fixed_seconds(&link, down, up, w->warmup_seconds);

    if (!known_f64(w->deadline) || !with_link)
        return true;
    return up * 8 / c->up_bps <= w->upload_share_max * w->deadline &&
           cost_steps_within(w->deadline, fixed, step_seconds) >= w->steps_min;
}

/* SIZE_MAX without memory. */
static size_t count(const struct roster *r, const struct federated_settings *s, bool with_link)
{
    const struct federated_want *w = envelope_want(r->envelope);
    const struct snapshot *snap = r->snapshot;
    struct link_options links;
    double up, down;
    struct class_fit *fits = mem_calloc(snap->classes_count + 1, sizeof *fits);
    size_t n = 0;

    if (!fits)
        return SIZE_MAX;
    federated_link_options(w, s, &links);
    up = links.items[links.count - 1].up_bytes; /* whoever cannot send that cannot take part */
    down = links.items[links.count - 1].down_bytes;
    for (size_t k = 0; k < snap->classes_count; k++)
        class_fit(r, s, k, &fits[k]);
    for (size_t i = 0; i < snap->clients_count; i++) {
        const struct roster_client *c = &r->clients[i];
        const struct class_fit *f = &fits[snap->clients[i].class_index];
        const struct machine *machine = envelope_machine(r->envelope, snap->clients[i].class_index);
        double room = (double)c->limit_bytes * s->memory_share;

        if (c->constraint != CONSTRAINT_NONE || !f->fits)
            continue;
        if (f->memory_bytes > room &&
            fit_smallest(w, machine, envelope_policy(r->envelope)->activation_factor, s->rank,
                         s->layers) > room)
            continue;
        n += in_time(w, c, up, down, f->step_seconds, with_link);
    }
    mem_free(fits);
    return n;
}

size_t federated_count(const struct roster *r, const struct federated_settings *s)
{
    return count(r, s, true);
}

/* From all wanted layers down: fewer are taken where they bring enough clients. */
static int choose_layers(const struct roster *r, struct federated_settings *s, struct err *err)
{
    static const int quarters[] = {4, 3, 2, 1, 0};
    const struct federated_want *w = envelope_want(r->envelope);
    int64_t best = w->layers, last = 0;
    double best_worth = 0;

    for (size_t i = 0; i < sizeof quarters / sizeof quarters[0]; i++) {
        int64_t k = w->layers * quarters[i] / 4;
        double worth;
        size_t n;

        k = k < w->layers_min ? w->layers_min : k;
        if (k == last)
            continue;
        last = s->layers = k;
        if ((n = count(r, s, false)) == SIZE_MAX)
            return err_set(err, ERR_NOMEM, "choice of layers");
        worth = (double)n * sqrt((double)k / (double)w->layers);
        if (worth > best_worth) {
            best_worth = worth;
            best = k;
        }
        if (n == r->allowed) /* fewer layers bring nobody */
            break;
    }
    s->layers = best;
    return 0;
}

static double format_worth(int format)
{
    if (format == UPLOAD_FORMAT_INT8)
        return WORTH_INT8;
    return format == UPLOAD_FORMAT_INT4 ? WORTH_INT4 : 1;
}

/* Rank and upload format, where a deadline makes a slow link matter. Masked updates stay dense. */
static int choose_upload(const struct roster *r, struct federated_settings *s, struct err *err)
{
    const struct federated_want *w = envelope_want(r->envelope);
    int formats[] = {s->upload_format, UPLOAD_FORMAT_INT8, UPLOAD_FORMAT_INT4};
    int64_t best_rank = s->rank;
    int best_format = s->upload_format;
    double best_worth = 0;

    if (!known_f64(w->deadline))
        return 0;
    for (int64_t rank = w->rank;; rank = rank / 2 < w->rank_min ? w->rank_min : rank / 2) {
        for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
            double worth;
            size_t n;

            if (i > 0 &&
                (w->secure_aggregation || s->by_link ||
                 cost_update_bytes(1000, formats[i]) >= cost_update_bytes(1000, formats[0])))
                continue;
            s->rank = rank;
            s->upload_format = formats[i];
            if ((n = count(r, s, true)) == SIZE_MAX)
                return err_set(err, ERR_NOMEM, "choice of rank");
            worth =
                (double)n * format_worth(formats[i]) * sqrt(sqrt((double)rank / (double)w->rank));
            if (worth > best_worth) {
                best_worth = worth;
                best_rank = rank;
                best_format = formats[i];
            }
            if (n == r->allowed && rank == w->rank && i == 0)
                return 0; /* everybody takes part with what is wanted */
        }
        if (rank == w->rank_min || w->method == FINE_TUNE_METHOD_FULL || s->mix_ranks)
            break;
    }
    s->rank = best_rank;
    s->upload_format = best_format;
    return 0;
}

/* Clients of one round, before anything is known of the links. */
static int64_t clients_expected(const struct roster *r)
{
    const struct federated_want *w = envelope_want(r->envelope);
    int64_t all = (int64_t)r->allowed;

    return known_i64(w->clients_wanted)
               ? cost_over_selection(w->clients_wanted, w->dropout_rate, all)
               : all;
}

/* How adapters are combined decides how many of their values travel, and whether ranks may differ;
 * masks add their own bytes. */
static int choose_adapters(const struct roster *r, struct federated_settings *s, struct err *err)
{
    const struct federated_want *w = envelope_want(r->envelope);
    bool lora = w->method != FINE_TUNE_METHOD_FULL, is_auto = w->adapters == ADAPTERS_AUTO;
    bool private_sum = known_f64(w->epsilon), may_mix;
    char why[200];

    may_mix =
        is_auto ? !private_sum && w->strategy != AGGREGATION_SCAFFOLD : adapters_mix(w->adapters);
    if (lora && w->rank_policy == RANK_POLICY_BY_CLIENT) {
        struct mixture m = {.strategy = w->strategy,
                            .lora = true,
                            .mixed_ranks = true,
                            .adapters =
                                adapters_resolve(w->adapters, private_sum, true, why, sizeof why)};

        if (adapters_check(&m, err) < 0)
            return -1;
        may_mix = true;
    }
    s->mix_ranks = lora && may_mix && w->rank_policy != RANK_POLICY_COMMON;
    s->adapters = adapters_resolve(w->adapters, private_sum, false, why, sizeof why);
    s->by_link = w->compression == COMPRESSION_BY_LINK && !w->secure_aggregation;
    if (s->adapters == ADAPTERS_FLORA)
        s->stacked_clients = (size_t)clients_expected(r);
    if (w->secure_aggregation) {
        int64_t n = clients_expected(r);
        struct secure_ask ask = {w->secure_protocol, w->malicious_server, n,
                                 n - (int64_t)ceil((double)n * w->dropout_rate), w->value_bits};
        struct secure_terms terms;

        if (secure_terms_of(&ask, &terms, NULL) == 0) /* else it is refused once n is known */
            s->mask_factor = (double)terms.ring_bits / 32 * (1 + terms.offline_share);
    }
    return 0;
}

struct federated_settings *federated_choose(const struct roster *r, struct err *err)
{
    const struct federated_want *w = envelope_want(r->envelope);
    struct federated_settings *s = federated_settings_new(r->snapshot->classes_count, err);

    if (!s)
        return NULL;
    s->rank = w->rank;
    s->layers = w->layers;
    s->memory_share = envelope_policy(r->envelope)->memory_share;
    s->upload_format = w->secure_aggregation ? UPLOAD_FORMAT_F32 : w->upload_format;
    s->learning_rate = w->learning_rate;
    s->lr_schedule = w->lr_schedule;
    s->warmup_steps = 0; /* rounds are short and adapters go on from the last one */
    s->steps_max = w->steps_max;
    s->server_learning_rate = w->server_learning_rate;
    s->proximal_mu = w->proximal_mu;
    if (choose_adapters(r, s, err) < 0 || choose_layers(r, s, err) < 0 ||
        choose_upload(r, s, err) < 0) {
        federated_settings_free(s);
        return NULL;
    }
    return s;
}
