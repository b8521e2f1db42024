/* draw.h - numbers drawn from a seed: the same seed draws the same numbers on every machine.
 *
 * For searches and simulations, never for secrets. The generator is SplitMix64 (Steele, Lea, Flood
 * 2014): one word of state, any seed is good. A draw belongs to one caller; distinct streams of one
 * seed come from draw_stream, so that what one part draws does not move another's numbers. */
#ifndef COORDINATOR_PLANNER_DRAW_H
#define COORDINATOR_PLANNER_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct draw {
    uint64_t state;
};

struct draw draw_stream(uint64_t seed, uint64_t a, uint64_t b); /* a, b: which stream */
uint64_t draw_next(struct draw *d);
double draw_share(struct draw *d);              /* uniform, 0 <= x < 1 */
size_t draw_below(struct draw *d, size_t most); /* uniform, 0 .. most - 1; most > 0 */
bool draw_chance(struct draw *d, double probability);
double draw_normal(struct draw *d); /* mean 0, deviation 1 (Box-Muller, one of the pair) */

#endif
