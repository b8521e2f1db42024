/* signatures.c - requests about signatures: carried out by the cycle's actor, since a saved program
 * may be large and a model slow. */
#include "coordinator/application.h"

#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/log.h"
#include "common/model/tool_message.h"
#include "coordinator/cycle/cycle.h"

#include <stdio.h>
#include <string.h>

void ask_desk(struct coordinator *c, struct pending *p)
{
    struct err err = {0};

    p->kind = PENDING_TURN;
    p->number = c->next_turn++;
    if (p->request->signature_run)
        log_info(p->tool.user_id, "request %s: a signature is run", p->tool.request_id);
    if (cycle_ask(c->cycle, p->number, &p->request, &err) < 0)
        answer_error(c, p, &err, NULL);
}

void desk_answered(struct coordinator *c, struct pending *p, struct cycle_note *note)
{
    char field[NAME_TEXT_MAX + 1];
    size_t len;

    if (note->response) {
        answer(c, p, note->response);
        return;
    }
    len = strcspn(note->err.text, ":");
    snprintf(field, sizeof field, "%.*s", (int)(len < NAME_TEXT_MAX ? len : NAME_TEXT_MAX),
             note->err.text);
    answer_error(c, p, &note->err, note->err.code == ERR_NOMEM ? NULL : field);
}
