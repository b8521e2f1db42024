/* turn_remap.c - a proposal speaks of the classes that were asked about; the fleet has moved on
 * since. */
#include "coordinator/cycle/turn.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/proposal.h"
#include "common/model/snapshot.h"

#include <string.h>

/* How many members of old class `o` are now in new class `n`: both client lists are sorted by
 * device id, so one pass over them counts all pairs. */
static int count_moves(const struct snapshot *asked, const struct snapshot *now, size_t *moves)
{
    size_t i = 0, j = 0;

    while (i < asked->clients_count && j < now->clients_count) {
        int order = strcmp(asked->clients[i].device_id, now->clients[j].device_id);

        if (order == 0)
            moves[asked->clients[i].class_index * now->classes_count +
                  now->clients[j].class_index]++;
        if (order <= 0)
            i++;
        if (order >= 0)
            j++;
    }
    return 0;
}

static size_t class_index(const struct snapshot *s, const char *id)
{
    for (size_t i = 0; i < s->classes_count; i++)
        if (strcmp(s->classes[i].id, id) == 0)
            return i;
    return s->classes_count;
}

/* The old class that most members of new class `n` come from; asked->classes_count: from none. */
static size_t origin_of(const struct snapshot *asked, const struct snapshot *now,
                        const size_t *moves, size_t n)
{
    size_t best = asked->classes_count, most = 0;

    for (size_t o = 0; o < asked->classes_count; o++) {
        size_t members = moves[o * now->classes_count + n];

        if (members > most) {
            most = members;
            best = o;
        }
    }
    return best;
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
                           const struct snapshot *now, const size_t *moves, struct err *err)
{
    struct federated_proposal fresh;
    int rc = -1;

    record_init(&federated_proposal_type, &fresh);
    for (size_t n = 0; n < now->classes_count; n++) {
        size_t o = origin_of(asked, now, moves, n);
        const struct client_optimization *entry =
            o < asked->classes_count ? entry_of(f, asked->classes[o].id) : NULL;

        if (entry && add_copy(&fresh, entry, now->classes[n].id, err) < 0)
            goto out;
    }
    for (size_t i = 0; i < f->client_optimization_count; i++) {
        const char *id = f->client_optimization[i].client_class;

        if (class_index(asked, id) == asked->classes_count &&
            class_index(now, id) == now->classes_count &&
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
    return rc;
}

/* A stage's class becomes the new class that holds most of the old one's members. */
static int remap_pipeline(struct pipeline_proposal *p, const struct snapshot *asked,
                          const struct snapshot *now, const size_t *moves, struct err *err)
{
    for (size_t i = 0; i < p->resource_scheduling_count; i++) {
        struct stage_schedule *s = &p->resource_scheduling[i];
        size_t o = s->client_class ? class_index(asked, s->client_class) : asked->classes_count;
        size_t best = now->classes_count, most = 0;

        if (o == asked->classes_count)
            continue;
        for (size_t n = 0; n < now->classes_count; n++) {
            if (moves[o * now->classes_count + n] > most) {
                most = moves[o * now->classes_count + n];
                best = n;
            }
        }
        if (text_set(&s->client_class, best < now->classes_count ? now->classes[best].id : NULL,
                     err) < 0)
            return -1;
    }
    return 0;
}

int turn_remap(struct proposal *proposal, const struct snapshot *asked, const struct snapshot *now,
               struct err *err)
{
    size_t *moves;
    int rc = 0;

    if (asked == now || asked->classes_count == 0 || now->classes_count == 0)
        return 0;
    if (!(moves = mem_calloc(asked->classes_count * now->classes_count, sizeof *moves)))
        return err_set(err, ERR_NOMEM, "map of %zu classes", asked->classes_count);
    count_moves(asked, now, moves);
    if (proposal->federated)
        rc = remap_federated(proposal->federated, asked, now, moves, err);
    if (rc == 0 && proposal->pipeline)
        rc = remap_pipeline(proposal->pipeline, asked, now, moves, err);
    mem_free(moves);
    return rc;
}
