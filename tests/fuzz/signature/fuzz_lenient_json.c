/* JSON as models write it. What was read must print, and read back strictly to the same text. */
#include "common/core/mem.h"
#include "common/json/json.h"
#include "coordinator/signature/lenient_json.h"
#include "coordinator/signature/notes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct notes notes = {0};
    struct json *v, *again;
    char *text, *same;

    if (size == 0)
        return 0;
    v = lenient_json_parse("field", (const char *)data + 1, size - 1,
                           data[0] & 1 ? LENIENT_ARRAY : LENIENT_OBJECT, &notes, NULL);
    notes_clear(&notes);
    if (!v)
        return 0;
    if (!(text = json_print(v, false, NULL)) || !(again = json_parse(text, strlen(text), NULL)) ||
        !(same = json_print(again, false, NULL)) || strcmp(text, same) != 0)
        abort();
    mem_free(text);
    mem_free(same);
    json_free(again);
    json_free(v);
    return 0;
}
