/* synthetic.h - made-up Macs, drawn from the table of chips.
 *
 * For simulations: a chip that was sold with the memory that it was sold with, and a state that is
 * drawn. Everything says that it is made up: the profile's origin is composed with the recording id
 * "synthetic", the state is synthetic. Kinds of chips are drawn first (plain, Pro, Max, Ultra), so
 * that a fleet has mostly small Macs. The same seed and number give the same Mac, whatever the
 * size of the fleet: a larger fleet has the smaller one in it. */
#ifndef COORDINATOR_PLANNER_SYNTHETIC_H
#define COORDINATOR_PLANNER_SYNTHETIC_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct profile;
struct state;
struct synthetic;

struct synthetic *synthetic_new(struct err *err);  /* reads the table */
void synthetic_free(struct synthetic *s);          /* NULL is fine */
size_t synthetic_kinds(const struct synthetic *s); /* chip and number of GPU cores */

/* Mac `number` of a seed. Both are yours. */
int synthetic_mac(const struct synthetic *s, uint64_t seed, uint64_t number,
                  struct profile **profile, struct state **state, struct err *err);

#endif
