/* fleet_input.h - the fleet that a command plans for by itself: a snapshot, as the coordinator
 * makes them.
 *
 * --fleet DIR: the machine files of a folder. --synthetic N: made-up Macs (planner/synthetic.h)
 * from
 * --seed. Neither: the coordinator's devices, asked for page by page; what other plans hold of
 * their memory is not in that list and counts as free. Classes are made by coordinator/fleet, so a
 * plan made here is the one that the coordinator would make. */
#ifndef COORDINATOR_CLI_FLEET_INPUT_H
#define COORDINATOR_CLI_FLEET_INPUT_H

#include <stdbool.h>
#include <stdint.h>

struct cli;
struct snapshot;

struct fleet_input {
    const struct snapshot *snapshot; /* yours: fleet_input_clear */
    bool made_up;                    /* some of it is composed or synthetic */
    char text[200];                  /* where it comes from, for people */
};

#define FLEET_INPUT_MAX 1000000 /* devices: as many as a coordinator takes */

/* CLI_OK, or another exit code; then it was said why. */
int fleet_input_read(struct cli *c, struct fleet_input *out);
void fleet_input_clear(struct fleet_input *in); /* a zeroed one is fine */

/* Whether an option names a fleet, so that no coordinator is asked. */
bool fleet_input_given(const struct cli *c);

/* --seed, 1 where it is not given; a wrong one was said. */
int fleet_input_seed(struct cli *c, uint64_t *seed);

#endif
