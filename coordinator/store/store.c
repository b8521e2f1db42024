/* store.c - the actor around a backend.
 *
 * A submitted operation travels inside the result that will answer it, so that the thread needs no
 * memory to say how it went. The thread takes what waits (up to GROUP_MAX), carries it out in one
 * transaction, commits once, and only then answers. When the transaction itself fails, every
 * operation of it is tried again in one of its own: so only those fail that cannot succeed. */
#include "coordinator/store/store_backend.h"

#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/net/actor.h"

#include <string.h>

/* Operations in one transaction. One fsync costs as much as some hundred small writes; more in a
 * group only makes the first of them wait longer. */
#define GROUP_MAX 256

struct store {
    struct store_backend *backend; /* the actor's while it runs */
    struct actor *actor;
    struct store_contents *contents; /* until store_load */
    size_t pending;
};

struct group {
    struct store_result *results[GROUP_MAX];
    size_t count;
};

/* --- the actor's thread --- */

static void apply_one(struct store_backend *b, struct store_result *r)
{
    struct err err = {ERR_NONE, ""};

    store_result_reset(r);
    if (store_op_check(r->op, &err) < 0 || b->type->apply(b, r->op, r, &err) < 0) {
        store_result_reset(r);
        r->err = err;
        if (r->err.code == ERR_NONE)
            err_set(&r->err, ERR_INTERNAL, "store %s failed", store_kind_name(r->kind));
    }
}

/* All in one transaction; -1 when that failed as a whole. */
static int apply_together(struct store_backend *b, struct group *g, struct err *err)
{
    if (b->type->begin(b, err) < 0)
        return -1;
    for (size_t i = 0; i < g->count; i++) {
        apply_one(b, g->results[i]);
        if (!b->type->in_transaction(b)) {
            *err = g->results[i]->err;
            return -1;
        }
    }
    if (b->type->commit(b, err) < 0) {
        b->type->rollback(b);
        return -1;
    }
    return 0;
}

/* Each in its own; the error of one is its own. */
static void apply_apart(struct store_backend *b, struct group *g)
{
    for (size_t i = 0; i < g->count; i++) {
        struct group one = {{g->results[i]}, 1};
        struct err err = {ERR_NONE, ""};

        if (apply_together(b, &one, &err) == 0)
            continue;
        b->type->rollback(b);
        store_result_reset(g->results[i]);
        g->results[i]->err = err;
    }
}

static void serve(struct store_backend *b, struct group *g)
{
    struct err err = {ERR_NONE, ""};

    if (apply_together(b, g, &err) == 0)
        return;
    b->type->rollback(b);
    apply_apart(b, g);
}

static void run(struct actor_pipe *pipe, void *arg)
{
    struct store *s = arg;
    struct group g;
    bool more = true;
    void *msg;

    actor_ready(pipe);
    while (more) {
        int got = pipe_receive(pipe, -1, &msg);

        if (got == 0)
            continue;
        more = got == 1;
        g.count = 0;
        if (more)
            g.results[g.count++] = msg;
        while (g.count < GROUP_MAX &&
               (more ? pipe_receive(pipe, 0, &msg) : pipe_leftover(pipe, &msg)) == 1)
            g.results[g.count++] = msg;
        if (g.count)
            serve(s->backend, &g);
        for (size_t i = 0; i < g.count; i++)
            pipe_send(pipe, g.results[i]);
        more = more || g.count == GROUP_MAX; /* stopping: until nothing is left over */
    }
}

static void free_result(void *msg)
{
    store_result_free(msg);
}

static const struct actor_type store_type = {"store", run, free_result, free_result};

/* --- the owner's side --- */

struct store *store_open(struct net *net, const struct store_settings *settings, struct err *err)
{
    struct store_settings full = *settings;
    struct store *s = mem_zalloc(sizeof *s);

    if (!s || !(s->contents = mem_zalloc(sizeof *s->contents))) {
        err_set(err, ERR_NOMEM, "store");
        goto fail;
    }
    if (full.request_keep_ms <= 0)
        full.request_keep_ms = STORE_DAY_MS;
    if (full.reply_keep_ms <= 0)
        full.reply_keep_ms = STORE_DAY_MS;
    s->backend = full.path ? store_sqlite_open(&full, err) : store_memory_open(&full, err);
    if (!s->backend || s->backend->type->load(s->backend, s->contents, err) < 0 ||
        !(s->actor = actor_start(net, &store_type, s, err)))
        goto fail;
    return s;
fail:
    store_close(s);
    return NULL;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    actor_stop(s->actor);
    if (s->backend)
        s->backend->type->close(s->backend);
    store_contents_free(s->contents);
    mem_free(s);
}

struct store_contents *store_load(struct store *s, struct err *err)
{
    struct store_contents *c = s->contents;

    if (!c)
        err_set(err, ERR_INTERNAL, "the store's contents were taken already");
    s->contents = NULL;
    return c;
}

int store_submit(struct store *s, struct store_op **op, struct err *err)
{
    struct store_result *r;

    if (s->pending >= STORE_QUEUE_MAX)
        return err_set(err, ERR_BUSY, "store %s: %zu operations wait for the disk",
                       store_kind_name((*op)->kind), s->pending);
    if (!(r = mem_zalloc(sizeof *r)))
        return err_set(err, ERR_NOMEM, "store %s", store_kind_name((*op)->kind));
    r->kind = (*op)->kind;
    r->tag = (*op)->tag;
    r->op = *op;
    if (actor_send(s->actor, r) < 0) {
        err_set(err, ERR_BUSY, "store %s: the disk does not keep up", store_kind_name(r->kind));
        mem_free(r); /* the operation stays the caller's */
        return -1;
    }
    *op = NULL;
    s->pending++;
    return 0;
}

struct store_result *store_receive(struct store *s)
{
    struct store_result *r = actor_receive(s->actor);

    if (r)
        s->pending--;
    return r;
}

struct actor *store_actor(struct store *s)
{
    return s->actor;
}

size_t store_pending(const struct store *s)
{
    return s->pending;
}
