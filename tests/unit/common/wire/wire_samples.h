/* wire_samples.h - one filled message of every kind that travels, for sweeps and for the fuzz
 * corpus. */
#ifndef TESTS_WIRE_SAMPLES_H
#define TESTS_WIRE_SAMPLES_H

#include "common/wire/wire.h"

#include <stddef.h>

struct wire_sample {
    const char *name; /* as a file name: "request-plan-federated" */
    const struct record_type *type;
    const char *body; /* for struct fill */
    enum wire_mode mode;
};

extern const struct wire_sample wire_samples[];
extern const size_t wire_samples_count;

/* A record of that kind; freed with record_free. Small: one item in each list. */
void *wire_sample_record(const struct wire_sample *sample);

#endif
