/* plot.h - a simulation as a picture: how long rounds take under each policy, and what they use. */
#ifndef COORDINATOR_CLI_PLOT_H
#define COORDINATOR_CLI_PLOT_H

#include <stddef.h>

struct err;
struct simulation;

/* SVG text, yours to mem_free. Left: the share of rounds that are over after so long, a line per
 * policy. Right: useful-work utilisation and energy per round, a bar per policy. */
char *plot_simulation(const struct simulation *s, size_t *len, struct err *err);

#endif
