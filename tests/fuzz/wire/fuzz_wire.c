/* fuzz_wire.c - a stranger's bytes to wire_decode. FUZZ_TYPE and FUZZ_MODE say which message.
 *
 * What decodes must be sound, must encode, and must come back from its own encoding unchanged. */
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/agent_message.h"
#include "common/model/tool_message.h"
#include "common/wire/wire.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int held, const char *what, const struct err *err)
{
    if (held)
        return;
    fprintf(stderr, "%s: %s\n", what, err->text);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct record_type *type = &FUZZ_TYPE;
    struct err err = {.code = ERR_NONE, .text = ""};
    void *record = NULL, *again = NULL;
    struct wire_stats stats;
    uint8_t *bytes = NULL;
    size_t len = 0;

    if (wire_decode(type, FUZZ_MODE, data, size, wire_max(type), &record, &stats, &err) < 0) {
        must(err.code != ERR_NONE && err.code != ERR_INTERNAL && err.text[0], "refused unnamed",
             &err);
        return 0;
    }
    must(record_check(type, record, &err) == 0, "decoded unsound", &err);
    must(wire_encode(type, record, &bytes, &len, &err) == 0, "does not encode", &err);
    must(wire_decode(type, WIRE_COMMAND, bytes, len, wire_max(type), &again, &stats, &err) == 0,
         "does not come back", &err);
    must(record_equal(type, record, again), "comes back different", &err);
    must(stats.unknown_fields == 0 && stats.unknown_values == 0, "made unknown fields", &err);
    mem_free(bytes);
    record_free(type, record);
    record_free(type, again);
    return 0;
}
