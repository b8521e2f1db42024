/* random.c - see random.h. getentropy is on Linux, macOS and the BSDs, needs no descriptor and
 * gives at most 256 bytes a call. */
#include "common/core/random.h"
#include "common/core/err.h"
#include "common/core/mem.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#define ENTROPY_CALL_MAX 256

int random_bytes(void *p, size_t len, struct err *err)
{
    unsigned char *at = p;

    while (len > 0) {
        size_t n = len < ENTROPY_CALL_MAX ? len : ENTROPY_CALL_MAX;

        if (getentropy(at, n) < 0)
            return err_set_errno(err, errno, "random bytes");
        at += n;
        len -= n;
    }
    return 0;
}

int random_hex(char *out, size_t digits, struct err *err)
{
    unsigned char bytes[32] = {0};

    assert(digits % 2 == 0 && digits / 2 <= sizeof bytes);
    if (random_bytes(bytes, digits / 2, err) < 0)
        return -1;
    for (size_t i = 0; i < digits; i++)
        out[i] = "0123456789abcdef"[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
    out[digits] = '\0';
    mem_wipe(bytes, sizeof bytes); /* the text may be a secret */
    return 0;
}
