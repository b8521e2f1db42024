/* text.h - UTF-8, and strangers' text on a terminal. */
#ifndef COMMON_CORE_TEXT_H
#define COMMON_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character that starts at p (1-4), of which `left` bytes may be read; 0 when it is
 * not well-formed UTF-8: cut short, overlong, a surrogate, above U+10FFFF. A NUL has length 1. */
size_t text_utf8_len(const char *p, size_t left);

/* Well-formed UTF-8 without NUL. Empty is fine, also NULL with len 0. */
bool text_utf8_valid(const char *p, size_t len);

/* The number of bytes, at most max, that cut the text after a whole character. */
size_t text_utf8_fit(const char *p, size_t len, size_t max);

/* Copy src for a terminal or a log: one '?' for each control character (also U+0080-9F), escape
 * sequence, change of writing direction and byte that is not UTF-8. What does not fit in size bytes
 * (NUL included) is left off between characters. Returns the length written; NULL src is "". */
size_t text_clean(char *dst, size_t size, const char *src);

/* Equal when upper and lower case ASCII letters are the same. */
bool text_equals_ci(const char *a, const char *b);

#endif
