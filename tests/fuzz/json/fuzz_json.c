/* fuzz_json.c - what json_parse takes, it must print, and read back to the same text. */
#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/json/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *printed(const char *text, size_t len, bool pretty)
{
    struct err err = {ERR_NONE, ""};
    struct json *v = json_parse(text, len, &err);
    char *out = v ? json_print(v, pretty, &err) : NULL;

    if (!out) {
        fprintf(stderr, "what was printed is refused: %s\n", err.text);
        abort();
    }
    json_free(v);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {ERR_NONE, ""};
    struct json *v = json_parse((const char *)data, size, &err);
    char *dense, *again, *pretty;

    if (!v) {
        if (err.code == ERR_NONE || !err.text[0])
            abort();
        return 0;
    }
    json_free(v);
    dense = printed((const char *)data, size, false);
    pretty = printed(dense, strlen(dense), true);
    again = printed(pretty, strlen(pretty), false);
    if (strcmp(dense, again) != 0) {
        fprintf(stderr, "%s\nbecame\n%s\n", dense, again);
        abort();
    }
    mem_free(dense);
    mem_free(pretty);
    mem_free(again);
    return 0;
}
