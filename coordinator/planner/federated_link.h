/* federated_link.h - in which forms an update may travel, from the best to the smallest.
 *
 * Room-internal. An option is a rank and an upload format. A client gets the first whose upload
 * takes no more than its share of the round (planning by link), so a slow uplink costs that client
 * some precision or some ranks and nobody else anything. */
#ifndef COORDINATOR_PLANNER_FEDERATED_LINK_H
#define COORDINATOR_PLANNER_FEDERATED_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct federated_settings;
struct federated_want;

#define LINK_OPTIONS_MAX 16

struct link_option {
    int64_t rank;
    int format; /* enum upload_format; of the values where only some are sent */
    bool top_k; /* only the largest values, each with its index */
    double up_bytes, down_bytes;
};

struct link_options {
    struct link_option items[LINK_OPTIONS_MAX];
    size_t count; /* at least 1; the first is what is wanted */
};

void federated_link_options(const struct federated_want *w, const struct federated_settings *s,
                            struct link_options *out);

/* The first option whose upload at this rate takes at most the job's share of `seconds`; else the
 * last. */
const struct link_option *federated_link_pick(const struct federated_want *w,
                                              const struct link_options *o, double up_bps,
                                              double seconds);

#endif
