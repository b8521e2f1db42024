/* format.h - numbers and names as a person wants to see them.
 *
 * Every function writes into the caller's `out`, which it returns, so several fit in one printf.
 * What is not known is "?". No number shows more digits than it deserves: three at most. Sizes are
 * in units of 1000, as the planner's sentences have them; the memory of a Mac alone is named as
 * Apple names it, 8 GB for 8 x 2^30 bytes. Thread: none, pure functions. */
#ifndef COORDINATOR_CLI_FORMAT_H
#define COORDINATOR_CLI_FORMAT_H

#include <stddef.h>
#include <stdint.h>

struct field;

#define FORMAT_MAX 48 /* bytes with the NUL: the longest is a date */

char *format_bytes(int64_t bytes, char out[FORMAT_MAX]);              /* 5.73 GB */
char *format_memory(int64_t bytes, char out[FORMAT_MAX]);             /* physical memory: 8 GB */
char *format_used(int64_t used, int64_t limit, char out[FORMAT_MAX]); /* 4.91 of 5.73 GB */
char *format_seconds(double seconds,
                     char out[FORMAT_MAX]);               /* 850 ms, 3.4 s, 1 min 35 s, 2 h 5 min */
char *format_age(int64_t age_ms, char out[FORMAT_MAX]);   /* 3 s ago; "never" when unknown */
char *format_when(int64_t wall_ms, char out[FORMAT_MAX]); /* 2026-11-23 06:41:00 UTC */
char *format_integer(int64_t value, char out[FORMAT_MAX]); /* 1,234,567 */
char *format_amount(double value, char out[FORMAT_MAX]);   /* 812, 12.3 k, 3.42 M */
char *format_share(double share, char out[FORMAT_MAX]);    /* 0.734 is 73 % */
char *format_bits_rate(double bps, char out[FORMAT_MAX]);  /* 20 Mbit/s */

/* How much larger `now` is than `before`: +130 %, -42 %; "" where that cannot be said. */
char *format_change(double now, double before, char out[FORMAT_MAX]);

/* The chip without its maker: "Apple M4 Max" is "M4 Max". Borrowed from chip; "?" for NULL. */
const char *format_chip(const char *chip);

/* One known number, truth value or word of a record, by its row's type and unit. */
char *format_field(const struct field *f, const void *record, char out[FORMAT_MAX]);

/* Columns that a text takes on a terminal: wide characters two, combining ones none. Bytes that are
 * not UTF-8 count as one each. */
size_t format_columns(const char *text);

/* Bytes of `text` that fit in so many columns, ending after a whole character. */
size_t format_fit(const char *text, size_t columns);

#endif
