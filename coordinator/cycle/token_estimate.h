/* token_estimate.h - how many tokens a text is likely to cost, without a tokenizer.
 *
 * Models differ: one that keeps three digits together needs fewer tokens for a table of numbers
 * than one that takes each digit alone. The estimate is made for the dearer kind, since it guards a
 * budget: a run of letters costs one token for each four of them begun, every digit one, every
 * other sign one, a line break one, a blank one before a digit and else none (it rides with the
 * next word), a byte that is no ASCII one. Held against qwen's tokenizer and o200k_base in
 * tests/interop on tables of fleets and on prose: never below the dearer of the two, at most twice
 * it. Pure. */
#ifndef COORDINATOR_CYCLE_TOKEN_ESTIMATE_H
#define COORDINATOR_CYCLE_TOKEN_ESTIMATE_H

#include <stddef.h>

size_t token_estimate(const char *text, size_t len);

#endif
