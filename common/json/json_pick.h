/* json_pick.h - checked fields out of a JSON object, with errors that name them.
 *
 * `where` is the path of the object ("round", "clients[3]"; "" or NULL at the top), so an error
 * says "round.clients is \"many\", want an integer 1..100000". `want` demands the field; `may`
 * leaves *out as it is, and succeeds, when it is absent: put the default there first. null counts
 * as a value of the wrong type. Texts and values are borrowed from the tree. Failures are
 * ERR_INVALID. */
#ifndef COMMON_JSON_JSON_PICK_H
#define COMMON_JSON_JSON_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct json;

/* Refuse members whose name is not in the list (which ends with NULL), naming the first, and the
 * likeliest name meant. Also refuses what is no object. */
int json_only(const struct json *object, const char *where, const char *const *names,
              struct err *err);

/* Text of 0..max_len bytes. */
int json_want_text(const struct json *object, const char *where, const char *name, size_t max_len,
                   const char **out, struct err *err);
int json_may_text(const struct json *object, const char *where, const char *name, size_t max_len,
                  const char **out, struct err *err);

int json_want_i64(const struct json *object, const char *where, const char *name, int64_t min,
                  int64_t max, int64_t *out, struct err *err);
int json_may_i64(const struct json *object, const char *where, const char *name, int64_t min,
                 int64_t max, int64_t *out, struct err *err);

int json_want_f64(const struct json *object, const char *where, const char *name, double min,
                  double max, double *out, struct err *err);
int json_may_f64(const struct json *object, const char *where, const char *name, double min,
                 double max, double *out, struct err *err);

int json_want_bool(const struct json *object, const char *where, const char *name, bool *out,
                   struct err *err);
int json_may_bool(const struct json *object, const char *where, const char *name, bool *out,
                  struct err *err);

/* One of the names (the list ends with NULL): *out is its place in the list, from 0. */
int json_want_enum(const struct json *object, const char *where, const char *name,
                   const char *const *names, int *out, struct err *err);
int json_may_enum(const struct json *object, const char *where, const char *name,
                  const char *const *names, int *out, struct err *err);

int json_want_object(const struct json *object, const char *where, const char *name,
                     const struct json **out, struct err *err);
int json_may_object(const struct json *object, const char *where, const char *name,
                    const struct json **out, struct err *err);

/* An array of at most max_count items. */
int json_want_array(const struct json *object, const char *where, const char *name,
                    size_t max_count, const struct json **out, struct err *err);
int json_may_array(const struct json *object, const char *where, const char *name, size_t max_count,
                   const struct json **out, struct err *err);

#endif
