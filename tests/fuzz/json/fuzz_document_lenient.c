/* fuzz_document_lenient.c - a model's answer: what is kept of it is sound, and strict readers take
 * it. */
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/text.h"
#include "common/document/document.h"
#include "common/json/json.h"
#include "common/model/proposal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int held, const char *what, const struct err *err)
{
    if (held)
        return;
    fprintf(stderr, "%s: %s\n", what, err->text);
    abort();
}

static void check(const void *record, char *const *notes, size_t count)
{
    const struct record_type *type = &federated_proposal_type;
    struct err err = {ERR_NONE, ""};
    void *again = NULL;
    char *text;

    must(record_check(type, record, &err) == 0, "record_check", &err);
    for (size_t i = 0; i < count; i++)
        must(text_utf8_valid(notes[i], strlen(notes[i])) && !strchr(notes[i], '\n'), notes[i],
             &err);
    text = document_print(type, record, true, &err);
    must(text != NULL, "document_print", &err);
    must(document_parse(type, text, strlen(text), &again, &err) == 0, "document_parse", &err);
    must(record_equal(type, record, again), "the document changed it", &err);
    record_free(type, again);
    mem_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {ERR_NONE, ""};
    struct json *v = json_parse((const char *)data, size, &err);
    void *record = NULL;
    char **notes = NULL;
    size_t count = 0;

    if (v && document_read_lenient(&federated_proposal_type, v, &record, &notes, &count, &err) == 0)
        check(record, notes, count);
    else
        must(err.code != ERR_NONE && err.text[0], "refused without a reason", &err);
    record_free(&federated_proposal_type, record);
    document_notes_free(notes, count);
    json_free(v);
    return 0;
}
