/* fuzz_recording.c - a stranger's bytes as a machine file and as a state file.
 *
 * What is taken must be a sound profile that its own document gives back. */
#include "common/recording/recording.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/document/document.h"
#include "common/model/device.h"

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

static void check(const struct record_type *type, const void *record)
{
    struct err err = {ERR_NONE, ""};
    void *again = NULL;
    char *text;

    must(record_check(type, record, &err) == 0, "record_check", &err);
    text = document_print(type, record, false, &err);
    must(text != NULL, "document_print", &err);
    must(document_parse(type, text, strlen(text), &again, &err) == 0, "document_parse", &err);
    must(record_equal(type, record, again), "the document changed it", &err);
    record_free(type, again);
    mem_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {ERR_NONE, ""};
    struct profile *p = NULL;
    struct state *s = NULL;

    if (recording_read((const char *)data, size, &p, &s, &err) == 0) {
        check(&profile_type, p);
        if (s)
            check(&state_type, s);
    } else {
        must(err.code != ERR_NONE && err.text[0], "refused without a reason", &err);
    }
    profile_free(p);
    state_free(s);
    s = NULL;
    if (recording_state_read((const char *)data, size, &s, &err) == 0)
        check(&state_type, s);
    state_free(s);
    return 0;
}
