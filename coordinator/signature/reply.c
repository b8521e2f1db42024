/* reply.c - room for the sections of a reply. */
#include "coordinator/signature/reply.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "coordinator/signature/signature.h"

#include <string.h>

int answer_init(struct answer *a, const struct signature *sig, struct err *err)
{
    memset(a, 0, sizeof *a);
    a->count = sig->outputs;
    a->sections = mem_calloc(a->count, sizeof *a->sections);
    a->is_json = mem_calloc(a->count, sizeof *a->is_json);
    if (a->sections && a->is_json)
        return 0;
    answer_clear(a);
    return err_set(err, ERR_NOMEM, "reply");
}

int answer_count(struct answer *a, const struct signature *sig, struct err *err)
{
    a->missing = 0;
    for (size_t i = 0; i < a->count; i++) {
        if (a->sections[i])
            continue;
        a->missing++;
        note_add(&a->notes, "%s: missing", signature_outputs(sig)[i].name);
    }
    return notes_ok(&a->notes, err);
}

void answer_clear(struct answer *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->count && a->sections; i++)
        mem_free(a->sections[i]);
    mem_free(a->sections);
    mem_free(a->is_json);
    notes_clear(&a->notes);
    memset(a, 0, sizeof *a);
}
