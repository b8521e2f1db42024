/* adapters.h - how LoRA adapters are combined, what it costs, and what goes with what.
 *
 * An adapter is two factors: B (d_out x r) and A (r x d_in), and the mean of B times the mean of A
 * is not the mean of B A. Each rule deals with that in its own way: naive (both means, biased),
 * HetLoRA (zero padding, weighted by norm), FlexLoRA (mean of products, SVD), FLoRA (stacking,
 * merged into the base), FFA-LoRA (A frozen), FedSA-LoRA (B stays), raFLoRA (slices of ranks). The
 * table of what goes with mixed ranks, differential privacy, secure aggregation and asynchronous
 * rounds is one table here; each refusal names the pair. */
#ifndef COORDINATOR_PLANNER_ADAPTERS_H
#define COORDINATOR_PLANNER_ADAPTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct model_shape;

#define ADAPTERS_NOTES_MAX 3

/* What a job combines. */
struct mixture {
    int strategy;        /* enum aggregation: resolved, or auto */
    int adapters;        /* enum adapters: resolved */
    bool lora;           /* adapters are trained at all */
    bool mixed_ranks;    /* clients differ in rank */
    bool private_sum;    /* differential privacy */
    bool secure;         /* secure aggregation */
    int secure_protocol; /* enum secure_protocol */
    bool top_k;          /* some client sends a top-k update */
    bool quantised;      /* some client trains over a quantised base */
};

/* `auto` resolved, with the reason: FFA-LoRA under differential privacy, slices where ranks may
 * differ, else the plain means. Another rule stands. */
int adapters_resolve(int adapters, bool private_sum, bool mixed_ranks, char *why, size_t why_size);

/* Refuses (ERR_UNSUPPORTED) naming the two that do not go together. */
int adapters_check(const struct mixture *m, struct err *err);

/* What goes together only with care: sentences for the plan's warnings, borrowed. How many. */
int adapters_notes(const struct mixture *m, const char *notes[ADAPTERS_NOTES_MAX]);

/* Share of an adapter's values that travels up: B's under FFA-LoRA, A's under FedSA-LoRA, else 1.
 * Twice under SCAFFOLD, whose control variates travel too. */
double adapters_up_share(const struct model_shape *s, int targets, int adapters, int strategy);
/* The same down; FLoRA sends every client the stack of all `clients`. */
double adapters_down_share(const struct model_shape *s, int targets, int adapters, int strategy,
                           size_t clients);
/* May clients differ in rank? */
bool adapters_mix(int adapters);

#endif
