/* federated_warn.c - what a person should know of a plan before it runs. */
#include "coordinator/planner/federated_server.h"

#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/aggregation.h"
#include "coordinator/planner/federated_turn.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/policy.h"
#include "coordinator/planner/privacy.h"
#include "coordinator/planner/selection.h"
#include "coordinator/planner/plan_warn.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define NOISE_USELESS 10 /* noise over the mean's clip norm, all coordinates: an assumption */
#define STACK_LARGE 256  /* ranks that FLoRA sends to every client: an assumption */

static bool is_private(const struct federated_turn *t)
{
    return known_f64(t->want->epsilon);
}

/* The privacy rule that people get wrong. */
static int warn_amplification(const struct federated_turn *t, struct plan *plan, struct err *err)
{
    const struct federated_want *w = t->want;
    const struct federated_solution *s = turn_solution(t);
    double rate, sigma = UNKNOWN_F64;

    if (!is_private(t) || w->selection == SELECTION_ALL)
        return 0;
    if (w->selection == SELECTION_RANDOM)
        return plan_warn(
            plan, err,
            "each client serves in a round with a chance of %.3g by a coin of its own: "
            "epsilon is reckoned with that rate, which holds only while nobody else learns "
            "who serves when",
            t->accounted_rate);
    rate = selection_rate(w->clients_wanted, s->selectable, w->dropout_rate);
    if (rate < 1 && privacy_noise(rate, w->rounds, w->epsilon, w->delta, &sigma, NULL) == 0)
        return plan_warn(
            plan, err,
            "selection %s voids amplification by sampling: epsilon is reckoned as if every "
            "client served in every round (noise %.4g); round.selection random would need "
            "noise %.4g",
            enum_name(&selection_names, w->selection), t->noise_multiplier, sigma);
    return plan_warn(
        plan, err,
        "selection %s voids amplification by sampling: epsilon is reckoned as if every "
        "client served in every round",
        enum_name(&selection_names, w->selection));
}

static int warn_privacy(const struct federated_turn *t, struct plan *plan, struct err *err)
{
    const struct federated_solution *s = turn_solution(t);
    double n = fmax(federated_clients_per_round(s), 1), all = (double)s->clients;
    double noise = t->noise_multiplier * sqrt(s->sent_parameters) / n, delta_most = pow(all, -1.1);

    if (!is_private(t))
        return 0;
    if (noise > NOISE_USELESS &&
        plan_warn(
            plan, err,
            "epsilon %g is not useful here: noise of %.3g times clip_norm on each of %.3g values, "
            "%.0f times the largest mean update of %.0f clients; more clients, fewer rounds or "
            "fewer trained values would help",
            t->want->epsilon, t->noise_multiplier, s->sent_parameters, noise, n) < 0)
        return -1;
    if (t->want->delta > delta_most &&
        plan_warn(plan, err, "privacy.delta %g is weak for %zu clients: at most %.3g is usual",
                  t->want->delta, s->clients, delta_most) < 0)
        return -1;
    return plan_warn(plan, err, "under differential privacy every update has the same weight");
}

static int warn_secure(const struct federated_turn *t, struct plan *plan, struct err *err)
{
    if (!t->want->secure_aggregation)
        return 0;
    return plan_warn(
        plan, err,
        "secure aggregation: the training program must mask updates (%s, values of "
        "%" PRId64 " bits in a ring of %" PRId64 ", weights applied before masking) and "
        "%" PRId64 " of %.0f must report, or the sum cannot be opened",
        enum_name(&secure_protocol_names, t->want->secure_protocol), t->secure.value_bits,
        t->secure.ring_bits, t->min_reports, federated_clients_per_round(turn_solution(t)));
}

/* What goes together only with care, and what mlx_lm.lora itself does not do. */
static int warn_mixture(const struct federated_turn *t, struct plan *plan, struct err *err)
{
    const struct federated_want *w = t->want;
    const struct federated_solution *s = turn_solution(t);
    struct mixture m = {.strategy = t->aggregation,
                        .adapters = t->adapters,
                        .lora = w->method != FINE_TUNE_METHOD_FULL,
                        .private_sum = is_private(t),
                        .secure = w->secure_aggregation};
    const char *notes[ADAPTERS_NOTES_MAX];
    int n = adapters_notes(&m, notes);

    for (int i = 0; i < n; i++)
        if (plan_warn(plan, err, "aggregation %s, adapters %s: %s",
                      enum_name(&aggregation_names, t->aggregation),
                      enum_name(&adapters_names, t->adapters), notes[i]) < 0)
            return -1;
    if (t->adapters == ADAPTERS_FLORA && (int64_t)s->clients * s->rank_most > STACK_LARGE &&
        plan_warn(plan, err,
                  "flora stacks %zu clients of up to rank %" PRId64
                  ": every client downloads them all",
                  s->clients, s->rank_most) < 0)
        return -1;
    if (s->top_k &&
        plan_warn(
            plan, err,
            "top-k updates converge only with error feedback: the training program must add what "
            "an update left out to the next one") < 0)
        return -1;
    if (t->aggregation == AGGREGATION_FEDPROX)
        return plan_warn(
            plan, err,
            "fedprox: mlx_lm.lora has no proximal term, the training program must add it");
    if (t->aggregation == AGGREGATION_SCAFFOLD)
        return plan_warn(
            plan, err,
            "scaffold: twice the traffic, a control variate kept by each client, and a "
            "training program that corrects its gradients: mlx_lm.lora does not");
    if (t->aggregation == AGGREGATION_FEDBUFF)
        return plan_warn(
            plan, err,
            "fedbuff: %" PRId64 " clients at a time, a server update every %.3g s from %" PRId64
            " updates, which missed %.2g others in the mean and count %.2g of a fresh one",
            t->buffered.concurrency, 1 / t->buffered.updates_per_second, t->buffered.buffer_size,
            t->buffered.staleness_mean, t->buffered.weight_mean);
    return 0;
}

static int warn_selection(const struct federated_turn *t, struct plan *plan, struct err *err)
{
    const struct federated_want *w = t->want;
    const struct federated_solution *s = turn_solution(t);

    if (w->selection == SELECTION_ALL)
        return 0;
    if ((int64_t)s->selectable < w->clients_wanted)
        return plan_warn(plan, err, "round.clients_wanted: %" PRId64 ", only %zu can take part",
                         w->clients_wanted, s->selectable);
    return 0;
}

int federated_server_warn(const struct federated_turn *t, struct plan *plan, struct err *err)
{
    if (warn_selection(t, plan, err) < 0 || warn_amplification(t, plan, err) < 0 ||
        warn_privacy(t, plan, err) < 0 || warn_secure(t, plan, err) < 0)
        return -1;
    return warn_mixture(t, plan, err);
}
