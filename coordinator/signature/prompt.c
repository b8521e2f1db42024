/* prompt.c - a list of messages. */
#include "coordinator/signature/prompt.h"

#include "common/core/err.h"
#include "common/core/mem.h"

#include <string.h>

int prompt_add(struct prompt *p, const char *role, char **moved, struct err *err)
{
    char *text = *moved;
    struct prompt_message *grown;

    *moved = NULL;
    if (p->count == PROMPT_MESSAGES_MAX) {
        mem_free(text);
        return err_set(err, ERR_TOO_BIG, "prompt: more than %d messages", PROMPT_MESSAGES_MAX);
    }
    if (!(grown = mem_realloc_array(p->messages, p->count + 1, sizeof *grown))) {
        mem_free(text);
        return err_set(err, ERR_NOMEM, "prompt");
    }
    p->messages = grown;
    p->messages[p->count].role = role;
    p->messages[p->count++].text = text;
    return 0;
}

void prompt_clear(struct prompt *p)
{
    for (size_t i = 0; i < p->count; i++)
        mem_free(p->messages[i].text);
    mem_free(p->messages);
    notes_clear(&p->notes);
    memset(p, 0, sizeof *p);
}
