/* hash.h - FNV-1a, 64 bits.
 *
 * For noticing change (a digest of a profile, of a snapshot) and nothing else: anybody can make two
 * inputs with one hash, so it proves nothing about a stranger's bytes. Maps have their own. */
#ifndef COMMON_CORE_HASH_H
#define COMMON_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash64_init(void);
uint64_t hash64_add(uint64_t hash, const void *p, size_t len);

/* A text with its length, so that ("ab", "c") and ("a", "bc") differ; NULL differs from "". */
uint64_t hash64_add_text(uint64_t hash, const char *text);
uint64_t hash64_add_i64(uint64_t hash, int64_t value); /* the same on every machine */
uint64_t hash64_add_f64(uint64_t hash, double value);  /* 0 and -0 alike, all NaN alike */

/* 16 hexadecimal digits. Returns out. */
char *hash64_hex(uint64_t hash, char out[17]);

#endif
