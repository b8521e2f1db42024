/* turn_remap.c - a proposal speaks of the classes that were asked about; the fleet has moved on
 * since. */
#include "coordinator/cycle/turn.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/proposal.h"
#include "common/model/snapshot.h"

#include <stdlib.h>
#include <string.h>

/* One device that is in both snapshots: from which class it came, into which it went. */
struct move {
    size_t from, to;
};

static int by_from(const void *a, const void *b)
{
    const struct move *x = a, *y = b;

    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

/* For each class of `asked` the class of `now` that most of its members are in; SIZE_MAX: none is.
 * With `swapped`, for each class of `now` the one of `asked` that most of its members come from.
 * Both lists of clients are sorted by device id, so one pass finds those that are in both. */
static size_t *majorities(const struct snapshot *asked, const struct snapshot *now, bool swapped,
                          struct err *err)
{
    size_t classes = swapped ? now->classes_count : asked->classes_count;
    struct move *moves = mem_calloc(asked->clients_count + 1, sizeof *moves);
    size_t *best = mem_calloc(classes + 1, sizeof *best);
    size_t count = 0, i = 0, j = 0, most = 0;

    if (!moves || !best) {
        mem_free(moves);
        mem_free(best);
        err_set(err, ERR_NOMEM, "map of %zu classes", classes);
        return NULL;
    }
    while (i < asked->clients_count && j < now->clients_count) {
        const struct client *old = &asked->clients[i], *new = &now->clients[j];
        int order = strcmp(old->device_id, new->device_id);

        if (order == 0)
            moves[count++] = swapped ? (struct move){new->class_index, old->class_index}
                                     : (struct move){old->class_index, new->class_index};
        i += order <= 0;
        j += order >= 0;
    }
    qsort(moves, count, sizeof *moves, by_from);
    for (i = 0; i < classes; i++)
        best[i] = SIZE_MAX;
    for (i = 0; i < count; i = j) {
        for (j = i; j < count && by_from(&moves[i], &moves[j]) == 0;)
            j++;
        if (best[moves[i].from] == SIZE_MAX || j - i > most) {
            best[moves[i].from] = moves[i].to;
            most = j - i;
        }
    }
    mem_free(moves);
    return best;
}

static size_t class_index(const struct snapshot *s, const char *id)
{
    for (size_t i = 0; i < s->classes_count; i++)
        if (strcmp(s->classes[i].id, id) == 0)
            return i;
    return SIZE_MAX;
}

static const struct client_optimization *entry_of(const struct federated_proposal *f,
                                                  const char *id)
{
    for (size_t i = 0; i < f->client_optimization_count; i++)
        if (strcmp(f->client_optimization[i].client_class, id) == 0)
            return &f->client_optimization[i];
    return NULL;
}

static int add_copy(struct federated_proposal *to, const struct client_optimization *from,
                    const char *id, struct err *err)
{
    struct client_optimization *copy = client_optimization_dup(from, err), *item;
    int rc = -1;

    if (!copy || text_set(&copy->client_class, id, err) < 0)
        goto out;
    item = records_add(&client_optimization_type, &to->client_optimization,
                       &to->client_optimization_count, err);
    if (!item)
        goto out;
    *item = *copy;
    mem_free(copy);
    return 0;
out:
    client_optimization_free(copy);
    return rc;
}

/* Entries about classes that never were are kept as they are: verification names them. */
static int remap_federated(struct federated_proposal *f, const struct snapshot *asked,
                           const struct snapshot *now, struct err *err)
{
    size_t *origin = majorities(asked, now, true, err);
    struct federated_proposal fresh;
    int rc = -1;

    if (!origin)
        return -1;
    record_init(&federated_proposal_type, &fresh);
    for (size_t n = 0; n < now->classes_count; n++) {
        const struct client_optimization *entry =
            origin[n] != SIZE_MAX ? entry_of(f, asked->classes[origin[n]].id) : NULL;

        if (entry && add_copy(&fresh, entry, now->classes[n].id, err) < 0)
            goto out;
    }
    for (size_t i = 0; i < f->client_optimization_count; i++) {
        const char *id = f->client_optimization[i].client_class;

        if (class_index(asked, id) == SIZE_MAX && class_index(now, id) == SIZE_MAX &&
            add_copy(&fresh, &f->client_optimization[i], id, err) < 0)
            goto out;
    }
    for (size_t i = 0; i < f->client_optimization_count; i++)
        record_clear(&client_optimization_type, &f->client_optimization[i]);
    mem_free(f->client_optimization);
    f->client_optimization = fresh.client_optimization;
    f->client_optimization_count = fresh.client_optimization_count;
    record_init(&federated_proposal_type, &fresh);
    rc = 0;
out:
    record_clear(&federated_proposal_type, &fresh);
    mem_free(origin);
    return rc;
}

/* A stage's class becomes the new class that holds most of the old one's members; with none left it
 * is the planner's to choose. */
static int remap_pipeline(struct pipeline_proposal *p, const struct snapshot *asked,
                          const struct snapshot *now, struct err *err)
{
    size_t *best = majorities(asked, now, false, err);
    int rc = best ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < p->resource_scheduling_count; i++) {
        struct stage_schedule *s = &p->resource_scheduling[i];
        size_t old = s->client_class ? class_index(asked, s->client_class) : SIZE_MAX;

        if (old == SIZE_MAX)
            continue; /* no class that was asked about: verification names it */
        rc = text_set(&s->client_class, best[old] != SIZE_MAX ? now->classes[best[old]].id : NULL,
                      err);
    }
    mem_free(best);
    return rc;
}

int turn_remap(struct proposal *proposal, const struct snapshot *asked, const struct snapshot *now,
               struct err *err)
{
    if (asked == now)
        return 0;
    if (proposal->federated && remap_federated(proposal->federated, asked, now, err) < 0)
        return -1;
    return proposal->pipeline ? remap_pipeline(proposal->pipeline, asked, now, err) : 0;
}
