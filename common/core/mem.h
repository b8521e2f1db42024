/* mem.h - all memory of the project.
 *
 * Thin over malloc, so that a test can fail the nth allocation and prove that the code survives it.
 * Every call returns NULL when memory is out (or the size overflows) and changes nothing then. A
 * request for 0 bytes gives a pointer that may be freed. What is made here goes to mem_free. */
#ifndef COMMON_CORE_MEM_H
#define COMMON_CORE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);           /* filled with zeros */
void *mem_calloc(size_t n, size_t size); /* n * size zeros, checked for overflow */
void *mem_realloc_array(void *p, size_t n,
                        size_t size); /* on failure p is as it was, still yours */
void mem_free(void *p);               /* NULL is fine */

char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t max); /* at most max bytes of it */
void *mem_dup(const void *p, size_t len);        /* with a NUL after it, not counted */

/* Overwrite a secret in a way that the compiler may not leave out. */
void mem_wipe(void *p, size_t len);

/* The nth allocation from now on, in this thread, fails; the others go on. 0 switches it off. */
void mem_fail_at(unsigned nth);

#endif
