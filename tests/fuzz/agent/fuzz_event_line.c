/* fuzz_event_line.c - any line of an events file: refused without a trace, or a sound measurement.
 */
#include "agent/apply/event_line.h"
#include "common/core/err.h"
#include "common/model/agent_message.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct measurement *m = measurement_new(NULL), *before = NULL;
    struct err err = {ERR_NONE, ""};

    if (!m || text_set(&m->plan_id, "p", NULL) < 0 || text_set(&m->job_id, "j", NULL) < 0)
        abort();
    m->generation = m->sequence = 1;
    before = measurement_dup(m, NULL);
    if (event_line_read((const char *)data, size, m, &err) < 0 &&
        !record_equal(&measurement_type, m, before)) {
        fprintf(stderr, "refused, and changed: %s\n", err.text);
        abort();
    }
    if (record_check(&measurement_type, m, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    measurement_free(before);
    measurement_free(m);
    return 0;
}
