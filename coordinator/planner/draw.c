/* draw.c - SplitMix64 and what is made of it. */
#include "coordinator/planner/draw.h"

#include <math.h>

uint64_t draw_next(struct draw *d)
{
    uint64_t z = (d->state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct draw draw_stream(uint64_t seed, uint64_t a, uint64_t b)
{
    struct draw d = {seed};

    d.state = draw_next(&d) ^ a;
    d.state = draw_next(&d) ^ b;
    d.state = draw_next(&d);
    return d;
}

double draw_share(struct draw *d)
{
    return (double)(draw_next(d) >> 11) / 9007199254740992.0; /* 2^53 */
}

size_t draw_below(struct draw *d, size_t most)
{
    return (size_t)(draw_next(d) % most); /* the bias is under most / 2^64 */
}

bool draw_chance(struct draw *d, double probability)
{
    return draw_share(d) < probability;
}

double draw_normal(struct draw *d)
{
    double u = 1 - draw_share(d), v = draw_share(d); /* u > 0 */

    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}
