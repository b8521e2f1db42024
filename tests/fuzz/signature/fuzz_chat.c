/* A model's whole reply: cut into fields, cast to a proposal, checked. The first byte chooses the
 * signature; what comes out must pass record_check, and its notes must be clean. */
#include "common/core/text.h"
#include "common/model/proposal.h"
#include "common/model/record.h"
#include "coordinator/signature/answer.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/chat.h"
#include "coordinator/signature/signature.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct signature *signatures[2];

static void prepare(void)
{
    const unsigned both = SIGNATURE_TYPED | SIGNATURE_CHAIN_OF_THOUGHT;
    struct catalog *c = catalog_new(NULL);

    signatures[0] = signature_derive(catalog_find(c, "FederatedLearning"), both, NULL);
    signatures[1] = signature_derive(catalog_find(c, "MLPipelineOptimization"), both, NULL);
    catalog_free(c);
}

static void check_notes(const struct notes *n)
{
    for (size_t i = 0; i < n->count; i++)
        if (!text_utf8_valid(n->items[i], strlen(n->items[i])) || strchr(n->items[i], '\n'))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct signature *sig;
    struct notes notes = {0};
    struct answer a;
    void *record;

    if (!signatures[0])
        prepare();
    if (size == 0)
        return 0;
    sig = signatures[data[0] & 1];
    if (chat_parse(sig, (const char *)data + 1, size - 1, &a, NULL) < 0)
        return 0;
    if (answer_read(sig, &a, &record, &notes, NULL) == 0) {
        if (record_check(sig->typed, record, NULL) < 0)
            abort();
        record_free(sig->typed, record);
    }
    check_notes(&a.notes);
    check_notes(&notes);
    notes_clear(&notes);
    answer_clear(&a);
    return 0;
}
