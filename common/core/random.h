/* random.h - bytes from the system's generator, good for keys and ids. */
#ifndef COMMON_CORE_RANDOM_H
#define COMMON_CORE_RANDOM_H

#include <stddef.h>

struct err;

int random_bytes(void *p, size_t len, struct err *err);

/* digits hexadecimal digits (an even number, up to 64) and a NUL. */
int random_hex(char *out, size_t digits, struct err *err);

#endif
