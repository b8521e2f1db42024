/* lenient_json.h - JSON as language models write it.
 *
 * Valid JSON is read by the strict reader. Else the text is searched for where a value begins, and
 * read while forgiving: a code fence or prose around it, single quotes, bare keys and words,
 * Python's True, False and None, comments, missing commas, commas too many, line breaks and quotes
 * inside strings, an end that never comes. Each kind of forgiveness leaves one note. Work is
 * bounded by the size of the text. */
#ifndef COORDINATOR_SIGNATURE_LENIENT_JSON_H
#define COORDINATOR_SIGNATURE_LENIENT_JSON_H

#include <stddef.h>

struct err;
struct json;
struct notes;

#define LENIENT_VALUES_MAX 100000 /* values in all: ten fields each for 10,000 classes */
#define LENIENT_MEMBERS_MAX 512   /* members of one object: finding one walks them all */

enum lenient_want {
    LENIENT_OBJECT, /* several objects in a row are merged, a later member winning */
    LENIENT_ARRAY,  /* several objects in a row become the items of one array; so does a single one
                     */
    LENIENT_KEEP = 4, /* with one of the others: nulls stay, and so does a text that was cut */
};

/* The value, of the kind wanted (an object may come back for LENIENT_ARRAY: the caller knows what
 * its members mean); `name` goes before notes and the error. Yours to json_free. */
struct json *lenient_json_parse(const char *name, const char *text, size_t len,
                                enum lenient_want want, struct notes *notes, struct err *err);

/* Take out every member, in all depth, that is null: where a schema wants each member to be there,
 * that is how one is left out. NULL is fine. */
void lenient_drop_nulls(struct json *v);

#endif
