/* document.h - records of the model as JSON text, by their rows.
 *
 * A record's document is an object with a member for every known field: numbers, true and false,
 * texts, the words of enums, objects for records, arrays for lists. Unknown fields are left out,
 * never null. So a new field of the model is in every file, answer and reference page as soon as it
 * has its row.
 *
 * Two readers. The strict one is for what people and programs write: what it cannot take as it
 * stands is refused by path, with the value and what was wanted. The lenient one is for what a
 * language model answers: it takes what it can, and notes all that it forgave or dropped. Thread:
 * none, pure functions. */
#ifndef COMMON_DOCUMENT_DOCUMENT_H
#define COMMON_DOCUMENT_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct json;
struct record_type;

/* Notes of one lenient reading; one more says that there were more. A model that earns this many
 * has not understood the task, and who reads them has long stopped. */
#define DOCUMENT_NOTES_MAX 500

/* *out is a checked record, yours to record_free (or the type's own _free). Unknown keys, wrong
 * kinds, ranges, missing fields are ERR_INVALID: "round.rounds: \"many\", wanted an integer from 1
 * to 1000000". */
int document_read(const struct record_type *type, const struct json *value, void **out,
                  struct err *err);

/* The same for what a language model wrote. Accepted and noted: numbers and truth values as text,
 * words and keys in another case or with other separators, one item where a list is wanted, a list
 * of one where an item is. Dropped and noted: members that do not exist, whose value is of no use
 * or out of range, and list items that lack what they must have. Fails when `value` is no object,
 * when the record itself lacks what it must have, and without memory; *notes is then untouched.
 * *notes is the caller's: each text and the list are mem_free'd (document_notes_free). */
int document_read_lenient(const struct record_type *type, const struct json *value, void **out,
                          char ***notes, size_t *notes_count, struct err *err);
void document_notes_free(char **notes, size_t count); /* NULL is fine */

/* json_parse, then document_read. */
int document_parse(const struct record_type *type, const char *text, size_t len, void **out,
                   struct err *err);

/* The record as JSON, members in the order of the rows; yours to json_free. */
struct json *document_write(const struct record_type *type, const void *record, struct err *err);

/* The same as text, yours to mem_free. */
char *document_print(const struct record_type *type, const void *record, bool pretty,
                     struct err *err);

/* A JSON schema of what document_read takes: types, ranges, lengths, words, required members, all
 * in one tree without references. Yours to json_free. */
struct json *document_schema(const struct record_type *type, struct err *err);

/* The reference for people: every field of the record and of those under it with kind, range, unit,
 * words and help, as text for a terminal. Yours to mem_free. */
char *document_describe(const struct record_type *type, struct err *err);

#endif
