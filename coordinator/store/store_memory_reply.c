/* store_memory_reply.c - what models said, in memory: few enough to be walked. */
#include "coordinator/store/store_memory.h"

#include "common/core/err.h"
#include "common/core/map.h"
#include "common/core/mem.h"

/* The oldest; *bytes: of all. NULL: there is none. */
static const struct map_entry *oldest(const struct memory_store *s, size_t *bytes)
{
    const struct map_entry *e, *found = NULL;
    size_t cursor = 0;

    *bytes = 0;
    while ((e = map_next(s->replies, &cursor))) {
        const struct memory_answer *a = e->value, *old = found ? found->value : NULL;

        *bytes += a->len;
        if (!old || a->at_ms < old->at_ms)
            found = e;
    }
    return found;
}

/* Too old, too many or too large: the oldest go. */
static void trim(struct memory_store *s, int64_t now_ms)
{
    const struct map_entry *e;
    size_t bytes;

    while ((e = oldest(s, &bytes))) {
        const struct memory_answer *a = e->value;

        if (a->at_ms > now_ms - s->reply_keep_ms && map_count(s->replies) <= STORE_REPLIES_MAX &&
            bytes <= STORE_REPLIES_BYTES)
            return;
        memory_answer_free(map_remove(s->replies, e->key));
    }
}

int memory_put_reply(struct memory_store *s, const struct store_op *op, struct err *err)
{
    struct memory_answer *a = mem_zalloc(sizeof *a);
    void *replaced = NULL;

    if (!a || !(a->bytes = mem_dup(op->answer, op->answer_len)) ||
        map_put(s->replies, op->digest, a, &replaced) < 0) {
        memory_answer_free(a);
        return err_set(err, ERR_NOMEM, "reply of %zu bytes", op->answer_len);
    }
    a->at_ms = op->now_ms;
    a->len = op->answer_len;
    memory_answer_free(replaced);
    trim(s, op->now_ms);
    return 0;
}

int memory_find_reply(struct memory_store *s, const struct store_op *op, struct store_result *r,
                      struct err *err)
{
    const struct memory_answer *a = map_get(s->replies, op->digest);

    if (!a || a->at_ms <= op->now_ms - s->reply_keep_ms)
        return 0;
    if (!(r->answer = mem_dup(a->bytes, a->len)))
        return err_set(err, ERR_NOMEM, "reply of %zu bytes", a->len);
    r->answer_len = a->len;
    return 0;
}
