/* simulate_federated.c - rounds of a federated job.
 *
 * By hand means: of the configurations that fit the Mac with the least memory, the one with most
 * tokens per second there; for every client the updates that the slowest does in the plan's round.
 * A round is cut at one and a half times its predicted length (at the plan's deadline, where that
 * is later), for all policies alike: who is half as slow again as predicted is not waited for. */
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/plan.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/cost.h"
#include "coordinator/planner/draw.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/roster.h"
#include "coordinator/planner/simulate_pick.h"
#include "coordinator/planner/simulate_play.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WAIT_SECONDS 600.0 /* until somebody is there again */
#define SLACK 1.5

/* A policy's work for one client. */
struct work {
    bool in;
    double step_seconds, steps, tokens;
};

struct member {
    size_t client; /* in the snapshot */
    double fixed_seconds, up_bytes, down_bytes;
    struct work plan, hand;
    struct power power;
    struct availability there;
};

struct play {
    const struct snapshot *snapshot;
    const struct job *job;
    const struct simulate_settings *set;
    struct plan *plan;
    struct envelope *envelope;
    struct member *members;
    size_t count;
    struct pick_client *picks; /* beside the members: for those who select */
    double deadline;           /* of the plan */
    double hand_deadline;
    int64_t min_reports;
    size_t wanted; /* clients of a policy that selects */
    int64_t wanted_reports;
    char hand_text[300];
};

/* ---- the members ---- */

static void member_fill(struct play *y, struct member *m, const struct assignment *a)
{
    const struct training *t = a->training;
    const struct prediction *p = a->prediction;
    const struct federated_want *w = envelope_want(y->envelope);

    m->plan.in = true;
    m->plan.step_seconds = p->step_seconds;
    m->plan.steps = (double)t->local_steps;
    m->plan.tokens = (double)(t->local_steps * t->batch_size * t->grad_accumulation) *
                     federated_want_tokens(w, t->sequence_length);
    m->fixed_seconds = fmax(p->round_seconds - m->plan.steps * p->step_seconds, 0);
    m->up_bytes = known_i64(p->upload_bytes) ? (double)p->upload_bytes : 0;
    m->down_bytes = known_i64(p->download_bytes) ? (double)p->download_bytes : 0;
    m->power = power_of(y->snapshot->classes[y->snapshot->clients[m->client].class_index].profile);
    m->there = availability_of(y->snapshot, y->set, m->client);
}

/* Assignments are those of the snapshot's clients, in its order. */
static int members_make(struct play *y, struct err *err)
{
    y->members = mem_calloc(y->plan->assignments_count + 1, sizeof *y->members);
    y->picks = mem_calloc(y->plan->assignments_count + 1, sizeof *y->picks);
    if (!y->members || !y->picks)
        return err_set(err, ERR_NOMEM, "%zu clients", y->plan->assignments_count);
    for (size_t i = 0; i < y->plan->assignments_count; i++) {
        const struct assignment *a = &y->plan->assignments[i];
        struct member *m = &y->members[y->count];

        if (a->participate != TRI_TRUE || !a->training || !a->prediction)
            continue;
        m->client = i;
        member_fill(y, m, a);
        y->count++;
    }
    return 0;
}

/* ---- the configuration by hand ---- */

static bool same(const struct configuration *a, const struct configuration *b)
{
    return a->model_format == b->model_format && a->grad_checkpoint == b->grad_checkpoint &&
           a->layers == b->layers && a->sequence_length == b->sequence_length &&
           a->batch_size == b->batch_size && a->grad_accumulation == b->grad_accumulation;
}

/* The class with the least memory among the members. */
static size_t smallest_class(const struct play *y)
{
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < y->count; i++) {
        size_t k = y->snapshot->clients[y->members[i].client].class_index;

        if (least == SIZE_MAX || envelope_summary(y->envelope, k)->memory_limit_bytes <
                                     envelope_summary(y->envelope, least)->memory_limit_bytes)
            least = k;
    }
    return least;
}

static bool hand_choose(const struct play *y, struct configuration *out)
{
    size_t k = smallest_class(y), cursor = 0;
    struct configuration c;
    bool any = false;

    while (k != SIZE_MAX && envelope_next(y->envelope, k, &cursor, &c))
        if (!any || c.tokens_per_second > out->tokens_per_second) {
            *out = c;
            any = true;
        }
    return any;
}

/* The step time of the configuration on each class; NaN where it does not fit. */
static double *hand_steps_of(const struct play *y, const struct configuration *hand)
{
    size_t n = y->snapshot->classes_count;
    double *seconds = mem_calloc(n + 1, sizeof *seconds);

    for (size_t k = 0; seconds && k < n; k++) {
        size_t cursor = 0;
        struct configuration c;

        seconds[k] = UNKNOWN_F64;
        while (envelope_next(y->envelope, k, &cursor, &c))
            if (same(&c, hand)) {
                seconds[k] = c.step_seconds;
                break;
            }
    }
    return seconds;
}

/* Updates for all: what the slowest does in the plan's time, or what the job's goal needs. */
static double hand_updates(const struct play *y, double tokens_per_step)
{
    const struct federated_want *w = envelope_want(y->envelope);
    double steps = INFINITY, clients = 0;

    for (size_t i = 0; i < y->count; i++) {
        const struct member *m = &y->members[i];

        if (!m->hand.in)
            continue;
        clients++;
        steps = fmin(steps, (double)cost_steps_within(y->plan->forecast->round_seconds,
                                                      m->fixed_seconds, m->hand.step_seconds));
    }
    if (known_f64(w->token_goal) && !known_f64(w->deadline))
        steps = ceil(w->token_goal / (tokens_per_step * fmax(clients, 1)));
    return fmin(fmax(steps, 1), (double)w->steps_max);
}

static void hand_text(struct play *y, const struct configuration *c, double steps)
{
    snprintf(y->hand_text, sizeof y->hand_text,
             "one configuration for all, sized for the smallest: %s, batch %" PRId64 " x %" PRId64
             ", %" PRId64 " tokens, %s, %.0f updates",
             enum_name(&model_format_names, c->model_format), c->batch_size, c->grad_accumulation,
             c->sequence_length, c->grad_checkpoint ? "checkpointed" : "not checkpointed", steps);
}

static int hand_make(struct play *y, struct err *err)
{
    const struct federated_want *w = envelope_want(y->envelope);
    struct roster *roster = roster_new(y->snapshot, y->envelope, err);
    struct configuration c = {0};
    double *seconds = NULL, steps, rows, tokens;
    bool any = hand_choose(y, &c);

    if (!roster || !(seconds = hand_steps_of(y, &c))) {
        roster_free(roster);
        return err_set(err, ERR_NOMEM, "%zu classes", y->snapshot->classes_count);
    }
    rows = (double)(c.batch_size * c.grad_accumulation);
    tokens = rows * federated_want_tokens(w, c.sequence_length);
    for (size_t i = 0; i < y->count && any; i++) {
        struct member *m = &y->members[i];

        m->hand.step_seconds = seconds[y->snapshot->clients[m->client].class_index];
        m->hand.in = known_f64(m->hand.step_seconds);
    }
    steps = hand_updates(y, tokens);
    for (size_t i = 0; i < y->count; i++) {
        struct member *m = &y->members[i];
        int64_t examples = roster->clients[m->client].examples;

        m->hand.steps = steps;
        if (known_i64(examples)) /* at most one pass over its data */
            m->hand.steps = fmax(1, fmin(steps, floor((double)examples / rows)));
        m->hand.tokens = m->hand.steps * tokens;
        if (m->hand.in)
            y->hand_deadline =
                fmax(y->hand_deadline,
                     SLACK * (m->fixed_seconds + m->hand.steps * m->hand.step_seconds));
    }
    hand_text(y, &c, steps);
    mem_free(seconds);
    roster_free(roster);
    return 0;
}

/* ---- rounds ---- */

struct round {
    double start, end; /* s; since the start of a week, and after start */
    size_t selected, reports;
    double busy, tokens, bytes, wh;
};

/* Seconds of one member's round when nothing goes wrong, by this round's luck. */
static double member_seconds(const struct play *y, const struct member *m, const struct work *w,
                             uint64_t round, double *busy)
{
    *busy = w->steps * w->step_seconds * luck(y->set, m->client, round, 1);
    return m->fixed_seconds * luck(y->set, m->client, round, 2) + *busy;
}

/* It reports, is lost, or is late; `useful` counts what it did if the round holds. */
static void member_play(const struct play *y, const struct member *m, const struct work *w,
                        uint64_t number, double deadline, struct round *r, bool *reports)
{
    double busy, seconds = member_seconds(y, m, w, number, &busy);
    double left = availability_left(&m->there, r->start), until = fmin(deadline, left);

    *reports = seconds <= until;
    if (!*reports) { /* what it did until then is lost */
        busy = fmin(busy, fmax(0, until - (seconds - busy)));
        seconds = until;
    } else {
        r->reports++;
        r->busy += busy;
        r->tokens += w->tokens;
        r->bytes += m->up_bytes;
    }
    r->selected++;
    r->bytes += m->down_bytes;
    r->end = fmax(r->end, seconds);
    r->wh += power_wh(&m->power, 0, busy); /* idle watts when the round's length is known */
}

enum policy_kind { PLAY_PLAN, PLAY_HAND, PLAY_RANDOM, PLAY_OORT };

static const struct work *work_of(const struct member *m, enum policy_kind kind)
{
    return kind == PLAY_PLAN ? &m->plan : &m->hand;
}

/* Who serves: everybody who is there, or those that the policy picks among them. */
static int choose(struct play *y, enum policy_kind kind, double start, int64_t number, bool *serves,
                  struct err *err)
{
    size_t there = 0;

    for (size_t i = 0; i < y->count; i++) {
        const struct member *m = &y->members[i];

        serves[i] = work_of(m, kind)->in && availability_left(&m->there, start) > 0;
        there += serves[i];
    }
    if (kind == PLAY_RANDOM && there > y->wanted)
        pick_random(y->set->seed, number, y->wanted, serves, y->count);
    if (kind == PLAY_OORT && there > y->wanted)
        return pick_oort(y->picks, y->set->seed, number, y->wanted, serves, y->count, err);
    return 0;
}

static void round_count(struct play *y, enum policy_kind kind, struct tally *t,
                        const struct round *r, const bool *serves, const bool *reports,
                        int64_t number)
{
    double idle = 0;
    int64_t least = kind == PLAY_PLAN || kind == PLAY_HAND ? y->min_reports : y->wanted_reports;
    bool held = r->reports > 0 && (int64_t)r->reports >= least;

    for (size_t i = 0; i < y->count; i++) {
        if (!serves[i])
            continue;
        idle += power_wh(&y->members[i].power, r->end, 0);
        t->useful[i] += held && reports[i];
        pick_served(&y->picks[i], number);
    }
    tally_round(t, r->end);
    t->void_rounds += !held;
    t->clients += (double)r->selected;
    t->client_seconds += (double)r->selected * r->end;
    t->busy += held ? r->busy : 0;
    t->tokens += held ? r->tokens : 0;
    t->bytes += r->bytes;
    t->wh += r->wh + idle;
}

static void play_round(struct play *y, enum policy_kind kind, double start, int64_t number,
                       const bool *serves, bool *reports, struct tally *t)
{
    struct round r = {.start = start};
    double deadline = kind == PLAY_PLAN ? y->deadline : y->hand_deadline;

    for (size_t i = 0; i < y->count; i++)
        if (serves[i])
            member_play(y, &y->members[i], work_of(&y->members[i], kind), (uint64_t)number,
                        deadline, &r, &reports[i]);
    round_count(y, kind, t, &r, serves, reports, number);
}

/* All rounds of one policy, one after another from the same moment of the week. */
static int play_policy(struct play *y, enum policy_kind kind, struct tally *t, struct err *err)
{
    struct draw d = draw_stream(y->set->seed, 0x7374617274, 0);
    double now = AVAILABILITY_PERIOD * draw_share(&d), waited = 0;
    bool *serves = mem_calloc(y->count + 1, sizeof *serves);
    bool *reports = mem_calloc(y->count + 1, sizeof *reports);
    int rc = serves && reports ? 0 : err_set(err, ERR_NOMEM, "%zu clients", y->count);

    for (size_t i = 0; i < y->count; i++) {
        const struct member *m = &y->members[i];

        pick_reset(&y->picks[i], y->set->seed, i, m->hand.tokens,
                   m->fixed_seconds + m->hand.steps * m->hand.step_seconds);
    }
    for (int64_t number = 1; rc == 0 && number <= y->set->rounds;) {
        size_t any = 0;

        rc = choose(y, kind, now, number, serves, err);
        for (size_t i = 0; i < y->count; i++)
            any += serves[i];
        if (rc == 0 && any == 0 && waited < AVAILABILITY_PERIOD) {
            waited += WAIT_SECONDS;
            now += WAIT_SECONDS;
            continue;
        }
        if (rc == 0)
            play_round(y, kind, now, number, serves, reports, t);
        now += t->count ? t->seconds[t->count - 1] : 0;
        waited = 0;
        number++;
    }
    mem_free(serves);
    mem_free(reports);
    return rc;
}

static int add_policy(struct play *y, enum policy_kind kind, const char *name, const char *text,
                      struct simulation *out, struct err *err)
{
    struct tally t;
    int rc;

    if (tally_make(&t, y->set->rounds, y->count, err) < 0)
        return -1;
    rc = play_policy(y, kind, &t, err);
    if (rc == 0)
        rc = tally_write(&t, name, text, out, err);
    tally_clear(&t);
    return rc;
}

static void limits_fill(struct play *y)
{
    const struct round_spec *r = y->job->federated->round;
    const struct federated_plan *f = y->plan->federated;

    y->deadline = SLACK * y->plan->forecast->round_seconds;
    if (known_f64(f->deadline_seconds))
        y->deadline = fmax(y->deadline, f->deadline_seconds);
    y->min_reports = known_i64(f->min_reports) ? f->min_reports : 1;
    y->wanted = r && known_i64(r->clients_wanted) ? (size_t)r->clients_wanted : (y->count + 1) / 2;
    y->wanted_reports = r && known_i64(r->min_reports) ? r->min_reports : (int64_t)y->wanted / 2;
    if (y->wanted_reports > (int64_t)y->wanted)
        y->wanted = (size_t)y->wanted_reports;
}

static int play_all(struct play *y, struct simulation *out, struct err *err)
{
    char text[400];

    if (add_policy(y, PLAY_PLAN, "plan", "each client its own configuration and updates", out,
                   err) < 0 ||
        add_policy(y, PLAY_HAND, "by-hand", y->hand_text, out, err) < 0)
        return -1;
    snprintf(text, sizeof text, "that configuration on %zu clients drawn at random each round",
             y->wanted);
    if (add_policy(y, PLAY_RANDOM, "random", text, out, err) < 0)
        return -1;
    snprintf(text, sizeof text,
             "that configuration on %zu clients by Oort's utility; losses are drawn", y->wanted);
    return add_policy(y, PLAY_OORT, "oort", text, out, err);
}

static int warnings_copy(const struct plan *plan, struct simulation *out, struct err *err)
{
    for (size_t i = 0; i < plan->warnings_count; i++)
        if (texts_add(&out->warnings, &out->warnings_count, plan->warnings[i], err) < 0)
            return -1;
    return 0;
}

int simulate_federated(const struct snapshot *s, const struct job *job, const struct policy *policy,
                       const struct simulate_settings *set, struct simulation *out, struct err *err)
{
    struct play y = {.snapshot = s, .job = job, .set = set};
    int rc = -1;

    if (!(y.envelope = envelope_build(s, job, policy, err)) ||
        federated_verify(s, job, y.envelope, ENGINE_KIND_ANALYTIC, NULL, &y.plan, err) < 0 ||
        members_make(&y, err) < 0)
        goto out;
    limits_fill(&y);
    out->taking_part = (int64_t)y.count;
    if (hand_make(&y, err) == 0 && warnings_copy(y.plan, out, err) == 0)
        rc = play_all(&y, out, err);
out:
    mem_free(y.members);
    mem_free(y.picks);
    plan_free(y.plan);
    envelope_free(y.envelope);
    return rc;
}
