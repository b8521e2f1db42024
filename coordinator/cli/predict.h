/* predict.h - the parts of `espalier predict`: the machine it is about, and its page. */
#ifndef COORDINATOR_CLI_PREDICT_H
#define COORDINATOR_CLI_PREDICT_H

#include <stddef.h>

struct err;
struct json;
struct page;
struct estimate;
struct estimate_ask;
struct profile;
struct state;

/* A machine file: recorded or composed (common/recording); a device as `espalier devices ID --json`
 * prints it; or an object of chip, gpu_cores, memory_gb (2^30 bytes each) or memory_bytes, any of
 * which may be missing. *profile is yours to profile_free, *state (NULL: none) to state_free. */
int predict_machine_read(const char *text, size_t len, struct profile **profile,
                         struct state **state, struct err *err);

/* For people, and as JSON (yours to json_free; NULL without memory). */
void show_predict(struct page *p, const struct estimate_ask *ask, const struct profile *profile,
                  const struct estimate *q);
struct json *predict_json(const struct estimate_ask *ask, const struct profile *profile,
                          const struct estimate *q);

#endif
