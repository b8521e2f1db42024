/* cast_text.h - scalars as models write them: numbers, truth, nothing; for cast.c. */
#ifndef COORDINATOR_SIGNATURE_CAST_TEXT_H
#define COORDINATOR_SIGNATURE_CAST_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct json;

#define CAST_NUMBER_MAX 512 /* bytes of a number's text: no field of ours means a longer one */

/* The number that the text is, as JSON writes it, into out: "+1_000" is 1000, "0x10" is 16, "1." is
 * 1.0. `zeros`: leading ones are passed over, as they are where a number is wanted, and nowhere
 * else. False: it is none, or not finite. */
bool cast_number(const char *text, size_t len, bool zeros, char out[CAST_NUMBER_MAX]);

/* The number, as cast_number gives one, as a float that JSON writes: 1 is 1.0, and an integer keeps
 * the digits that a double has. False: no double holds it. */
bool cast_float(const char *number, char out[CAST_NUMBER_MAX]);

/* "yes", "Off", "T", "1", ... 1, 0, or -1 for none. */
int cast_truth(const char *text);

/* Whether the number is a whole one; *out then is the integer as JSON writes it. */
bool cast_integer(const char *number, char out[CAST_NUMBER_MAX]);

#endif
