/* hash.c - see hash.h. Numbers go in as little-endian bytes, so every machine gets the same. */
#include "common/core/hash.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* FNV-1a's own offset basis and prime for 64 bits. */
#define FNV_BASIS 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

uint64_t hash64_init(void)
{
    return FNV_BASIS;
}

uint64_t hash64_add(uint64_t hash, const void *p, size_t len)
{
    const unsigned char *bytes = p;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    return hash;
}

uint64_t hash64_add_text(uint64_t hash, const char *text)
{
    if (!text)
        return hash64_add_i64(hash, -1);
    hash = hash64_add_i64(hash, (int64_t)strlen(text));
    return hash64_add(hash, text, strlen(text));
}

uint64_t hash64_add_i64(uint64_t hash, int64_t value)
{
    unsigned char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)value >> (8 * i));
    return hash64_add(hash, bytes, sizeof bytes);
}

uint64_t hash64_add_f64(uint64_t hash, double value)
{
    int64_t bits;

    if (isnan(value))
        value = (double)NAN;
    if (value == 0.0)
        value = 0.0; /* drops the sign */
    memcpy(&bits, &value, sizeof bits);
    return hash64_add_i64(hash, bits);
}

char *hash64_hex(uint64_t hash, char out[17])
{
    snprintf(out, 17, "%016llx", (unsigned long long)hash);
    return out;
}
