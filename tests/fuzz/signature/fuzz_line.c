/* A signature of one line: what was read prints to a line that reads back to the same. */
#include "common/core/mem.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/string_form.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct signature *sig = string_form_read(NULL, (const char *)data, size, NULL, NULL), *again;
    char *text, *same;

    if (!sig)
        return 0;
    if (!(text = string_form_print(sig, NULL)) ||
        !(again = string_form_read(NULL, text, strlen(text), NULL, NULL)) ||
        !(same = string_form_print(again, NULL)) || strcmp(text, same) != 0)
        abort();
    mem_free(text);
    mem_free(same);
    signature_free(sig);
    signature_free(again);
    return 0;
}
