/* sha256.h - SHA-256 (FIPS 180-4), for keys that name a content: two inputs with one hash are not
 * to be found. For passwords and signatures there is libsodium. */
#ifndef COMMON_CORE_SHA256_H
#define COMMON_CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_HEX_SIZE 65 /* 64 hexadecimal digits and a NUL */

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;          /* added so far */
    unsigned char block[64]; /* of which bytes % 64 wait */
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *p, size_t len);
/* A text with its length before it, so that ("ab", "c") and ("a", "bc") differ; NULL is not "". */
void sha256_add_text(struct sha256 *h, const char *text);
/* Ends the hash, which needs sha256_init to be used again. Returns out. */
char *sha256_hex(struct sha256 *h, char out[SHA256_HEX_SIZE]);

#endif
