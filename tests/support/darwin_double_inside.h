/* darwin_double_inside.h - what the files of the double share. */
#ifndef TESTS_SUPPORT_DARWIN_DOUBLE_INSIDE_H
#define TESTS_SUPPORT_DARWIN_DOUBLE_INSIDE_H

#include <stddef.h>
#include <stdint.h>

struct darwin_calls;
struct json;

/* Our own mistake, or the probe's: says so and ends the program. */
_Noreturn void double_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *double_alloc(size_t size); /* zeroed; never NULL; to free() */

const struct json *double_root(void);
/* A member of a member: double_at("host", "vm"); NULL when there is none. */
const struct json *double_at(const char *group, const char *name);
/* A number of an object that may be NULL. */
int64_t double_i64(const struct json *object, const char *name, int64_t otherwise);
/* Note that this was read. */
void double_note(const char *what, const char *key);

/* Each fills its part of the table, and says how many of its objects are out. */
void double_fill_system(struct darwin_calls *calls);
void double_fill_registry(struct darwin_calls *calls);
void double_fill_metal(struct darwin_calls *calls);
void double_start_system(void); /* counters that go on from call to call */
size_t double_system_live(void);
size_t double_registry_live(void);
size_t double_metal_live(void);

/* The answers that a recorded machine gives, of the form of an invented one; to json_free. */
struct json *double_from_recording(const struct json *recording);

#endif
