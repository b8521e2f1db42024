/* num.h - numbers, strictly read and plainly written.
 *
 * Whole text or nothing: no blanks, no plus sign, no leading zeros, no trailing characters. `text`
 * needs no NUL after it; NULL is an empty text. An error names `name`, the text and what was
 * wanted; *out is then untouched. */
#ifndef COMMON_CORE_NUM_H
#define COMMON_CORE_NUM_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* A decimal integer, min..max. */
int num_parse_i64(const char *text, size_t len, int64_t min, int64_t max, int64_t *out,
                  const char *name, struct err *err);

/* A number as JSON writes them, finite, min..max; one too small to tell from 0 is refused. */
int num_parse_f64(const char *text, size_t len, double min, double max, double *out,
                  const char *name, struct err *err);

/* The same without limits: NULL, or what is wrong with it, to follow the text in a sentence of the
 * caller's ("is no number", "is too large", ...). */
const char *num_read_f64(const char *text, size_t len, double *out);

/* Bytes: "1024", "512MB", "1.5GiB"; B, kB, MB, GB, TB (1000) and KiB, MiB, GiB, TiB (1024). A part
 * of a byte is dropped. */
int num_parse_bytes(const char *text, size_t len, int64_t min, int64_t max, int64_t *out,
                    const char *name, struct err *err);

/* Milliseconds: "250ms", "5s", "1.5h"; ms, s, m, h, d. Only "0" may go without a unit. */
int num_parse_duration_ms(const char *text, size_t len, int64_t min, int64_t max, int64_t *out,
                          const char *name, struct err *err);

#define NUM_BYTES_TEXT_MAX 24
#define NUM_F64_TEXT_MAX 32

/* "512 B", "5.73 GB": three digits, SI units; "unknown" for UNKNOWN_I64. Returns out. */
char *num_format_bytes(int64_t bytes, char out[NUM_BYTES_TEXT_MAX]);

/* The shortest text that num_parse_f64 reads back as the same number; "unknown" for NaN, "inf" and
 * "-inf" for what is not a number of JSON. Returns out. */
char *num_format_f64(double value, char out[NUM_F64_TEXT_MAX]);

#endif
