/* replies.c - what models said, between the cycle that asks and the store that keeps. */
#include "coordinator/application.h"

#include "common/core/err.h"
#include "common/core/log.h"
#include "common/core/mem.h"
#include "common/model/record.h"
#include "coordinator/cycle/cycle.h"
#include "coordinator/store/store.h"

#include <string.h>

void find_reply(struct coordinator *c, struct cycle_note *note)
{
    struct pending *p = NULL;
    struct store_op *op = NULL;
    struct err err = {0};

    if (!(p = pending_new(c, PENDING_REPLY, NULL, &err)) ||
        !(op = store_op_new(STORE_FIND_REPLY, 0, c->wall_ms, &err)) ||
        text_set(&op->digest, note->text, &err) < 0)
        goto none;
    p->order = note->order;
    note->order = NULL;
    if (submit(c, &op, p, &err) == 0)
        return;
    note->order = p->order;
    p->order = NULL;
none:
    store_op_free(op);
    pending_free(c, p);
    log_warn(NULL, "a kept answer cannot be looked for, asking the model: %s", err.text);
    cycle_found(c->cycle, &note->order, NULL, 0);
}

void reply_looked_up(struct coordinator *c, struct pending *p, struct store_result *r)
{
    if (r->err.code != ERR_NONE)
        log_warn(NULL, "a kept answer cannot be read, asking the model: %s", r->err.text);
    cycle_found(c->cycle, &p->order, r->err.code == ERR_NONE ? r->answer : NULL, r->answer_len);
    pending_free(c, p);
}

void keep_reply(struct coordinator *c, struct cycle_note *note)
{
    struct store_op *op = NULL;
    struct err err = {0};

    if (!(op = store_op_new(STORE_REPLY, 0, c->wall_ms, &err)) ||
        text_set(&op->digest, note->text, &err) < 0) {
        store_op_free(op);
        log_warn(NULL, "an answer of the model is not kept: %s", err.text);
        return;
    }
    op->answer_len = strlen(note->record);
    op->answer = (uint8_t *)note->record;
    note->record = NULL;
    submit_write(c, &op);
}
