/* mem.c - see mem.h. The countdown of mem_fail_at is one per thread, so a sweep in a test does not
 * disturb actors that run beside it. */
#include "common/core/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local unsigned fail_in; /* 0: off; 1: the next allocation fails */

void mem_fail_at(unsigned nth)
{
    fail_in = nth;
}

/* True when the test asked for this allocation to fail. */
static int must_fail(void)
{
    return fail_in > 0 && --fail_in == 0;
}

void *mem_alloc(size_t size)
{
    if (must_fail())
        return NULL;
    return malloc(size ? size : 1);
}

void *mem_zalloc(size_t size)
{
    return mem_calloc(1, size);
}

void *mem_calloc(size_t n, size_t size)
{
    if (must_fail())
        return NULL;
    if (n == 0 || size == 0)
        n = size = 1;
    return calloc(n, size); /* checks the product itself */
}

void *mem_realloc_array(void *p, size_t n, size_t size)
{
    if (must_fail() || (size && n > SIZE_MAX / size))
        return NULL;
    return realloc(p, n && size ? n * size : 1);
}

void mem_free(void *p)
{
    free(p);
}

void *mem_dup(const void *p, size_t len)
{
    char *copy;

    if (len == SIZE_MAX || !(copy = mem_alloc(len + 1)))
        return NULL;
    if (len)
        memcpy(copy, p, len);
    copy[len] = '\0';
    return copy;
}

char *mem_strdup(const char *text)
{
    return mem_dup(text, strlen(text));
}

char *mem_strndup(const char *text, size_t max)
{
    return mem_dup(text, strnlen(text, max));
}

void mem_wipe(void *p, size_t len)
{
    if (!len)
        return;
    memset(p, 0, len);
    __asm__ __volatile__("" : : "r"(p) : "memory"); /* p is "read", so the zeros must be there */
}
