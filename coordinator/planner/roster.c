/* roster.c - rules and facts of every client, tried once. */
#include "coordinator/planner/roster.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "common/model/job.h"
#include "common/model/snapshot.h"
#include "coordinator/planner/envelope.h"
#include "coordinator/planner/federated_want.h"
#include "coordinator/planner/machine.h"
#include "coordinator/planner/rules.h"

#include <stdio.h>

/* The class's rules first: their reasons name facts; then the client's own. */
static void client_verdict(const struct roster *r, size_t i, struct verdict *v)
{
    const struct client *c = &r->snapshot->clients[i];
    const struct federated_want *w = envelope_want(r->envelope);
    const struct machine *m = envelope_machine(r->envelope, c->class_index);

    if (!rules_allow_client(envelope_rules(r->envelope), c, v))
        return;
    *v = *envelope_verdict(r->envelope, c->class_index);
    if (v->constraint != CONSTRAINT_NONE)
        return;
    if (!known_i64(m->limit_bytes)) {
        v->constraint = CONSTRAINT_UNKNOWN_FACT;
        snprintf(v->text, sizeof v->text, "memory %s", m->limit_text);
    } else if (federated_want_examples(w, c->device_id) == 0) {
        v->constraint = CONSTRAINT_DATA;
        snprintf(v->text, sizeof v->text, "has no examples; one would let it in");
    }
}

struct roster *roster_new(const struct snapshot *s, const struct envelope *e, struct err *err)
{
    struct roster *r = mem_zalloc(sizeof *r);
    const struct federated_want *w = envelope_want(e);

    if (!r || !(r->clients = mem_calloc(s->clients_count + 1, sizeof *r->clients))) {
        roster_free(r);
        err_set(err, ERR_NOMEM, "roster of %zu clients", s->clients_count);
        return NULL;
    }
    r->snapshot = s;
    r->envelope = e;
    for (size_t i = 0; i < s->clients_count; i++) {
        const struct client *c = &s->clients[i];
        struct roster_client *out = &r->clients[i];
        struct verdict v;

        client_verdict(r, i, &v);
        out->constraint = v.constraint;
        out->limit_bytes = machine_limit(envelope_machine(e, c->class_index),
                                         client_committed_bytes(c, w->job->job_id));
        out->examples = federated_want_examples(w, c->device_id);
        out->up_bps = known_f64(c->up_bps) && c->up_bps > 0 ? c->up_bps : w->default_up_bps;
        out->down_bps =
            known_f64(c->down_bps) && c->down_bps > 0 ? c->down_bps : w->default_down_bps;
        r->allowed += v.constraint == CONSTRAINT_NONE;
    }
    return r;
}

void roster_free(struct roster *r)
{
    if (!r)
        return;
    mem_free(r->clients);
    mem_free(r);
}

void roster_why(const struct roster *r, size_t client, struct verdict *out)
{
    client_verdict(r, client, out);
}
