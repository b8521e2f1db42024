/* reply.c - room for the sections of a reply, and what every layout does around its cutting. */
#include "coordinator/signature/reply.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "coordinator/signature/marker.h"
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

static int answer_count(struct answer *a, const struct signature *sig, struct err *err)
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

static int nothing_found(const struct signature *sig, const char *reply, size_t len,
                         struct err *err)
{
    char quote[NOTE_QUOTE_MAX + 4];

    if (len == 0)
        return err_set(err, ERR_MALFORMED, "the reply is empty");
    return err_set(err, ERR_MALFORMED,
                   "the reply has none of the %zu fields wanted, %s to %s: it begins \"%s\"",
                   sig->outputs, signature_outputs(sig)[0].name,
                   signature_outputs(sig)[sig->outputs - 1].name, note_quote(quote, reply, len));
}

static int cut_and_count(const struct signature *sig, const char *reply, size_t len,
                         answer_cut_fn *cut, struct answer *a, struct err *err)
{
    if (cut(sig, reply, len, a, err) < 0 || answer_count(a, sig, err) < 0)
        return -1;
    return a->missing == a->count && a->count ? nothing_found(sig, reply, len, err) : 0;
}

int answer_parse(const struct signature *sig, const char *reply, size_t len, answer_cut_fn *cut,
                 struct answer *out, struct err *err)
{
    struct answer a;

    if (!reply) {
        reply = "";
        len = 0;
    }
    if (len > REPLY_TEXT_MAX)
        return err_set(err, ERR_TOO_BIG, "reply of %zu bytes, limit %d", len, REPLY_TEXT_MAX);
    marker_trim(&reply, &len);
    if (answer_init(&a, sig, err) < 0)
        return -1;
    if (cut_and_count(sig, reply, len, cut, &a, err) < 0) {
        answer_clear(&a);
        return -1;
    }
    *out = a;
    return 0;
}
