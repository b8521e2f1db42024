/* fuzz_model_shape.c - a stranger's config.json: a shape that is taken is sound and fits its
 * limits. */
#include "common/core/err.h"
#include "common/document/model_shape.h"
#include "common/model/job.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {ERR_NONE, ""};
    struct model_shape *shape = NULL;

    if (model_shape_read((const char *)data, size, &shape, &err) == 0) {
        if (record_check(&model_shape_type, shape, &err) < 0 ||
            shape->parameters < shape->vocab_size * shape->hidden_size)
            abort();
    } else if (err.code == ERR_NONE || !err.text[0]) {
        abort();
    }
    model_shape_free(shape);
    return 0;
}
