/* darwin_double_objects.h - Objective-C's objects in the double: kinds, references, the pool. */
#ifndef TESTS_SUPPORT_DARWIN_DOUBLE_OBJECTS_H
#define TESTS_SUPPORT_DARWIN_DOUBLE_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

struct darwin_calls;
struct json;

enum double_kind {
    DOUBLE_LIST,
    DOUBLE_DEVICE,
    DOUBLE_STRING, /* its text is a value, or `text` */
    DOUBLE_ARCHITECTURE,
    DOUBLE_CLASS,
    DOUBLE_QUEUE,
    DOUBLE_LIBRARY,
    DOUBLE_FUNCTION,
    DOUBLE_PIPELINE,
    DOUBLE_BUFFER,
    DOUBLE_COMMANDS,
    DOUBLE_ENCODER,
    DOUBLE_ERROR
};

struct double_object {
    enum double_kind kind;
    const struct json *value;
    unsigned references;          /* 0: autoreleased, the pool's */
    struct double_object *device; /* of a list: its first, held by it */
    struct double_object *next;   /* in the pool */
    /* of what computes */
    struct double_object *at;                    /* of an encoder: its commands; borrowed */
    const char *text;                            /* of a string, function, pipeline, error */
    struct double_object *pipeline, *buffers[3]; /* of an encoder, borrowed */
    unsigned long bytes;                         /* of a buffer */
    double seconds;                              /* of commands: what they take */
    bool ended, committed, waited;
};

/* references 0: the pool's, of which there must be one. */
struct double_object *double_object_new(enum double_kind kind, const struct json *value,
                                        unsigned references);
/* self is an object of this kind, or the test ends. */
struct double_object *double_want(void *self, enum double_kind kind, const void *selector);
bool double_is(const void *selector, const char *name);

/* ---- darwin_double_compute.c: false: not one of its messages ---- */

bool double_compute_void(void *self, void *selector);
bool double_compute_object(void *self, void *selector, void **out);
uint64_t double_compute_status(void *self, void *selector);
void double_fill_compute(struct darwin_calls *calls);

#endif
