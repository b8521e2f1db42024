/* raw_json.h - a JSON text cut into the texts of its values.
 *
 * A tree keeps a number as a double: 1.0 and 1 become one. Where that difference must survive (the
 * demos of a saved program), the text of each value is kept instead. The text must have passed
 * json_parse; the cuts then come in the order of the tree's own json_first and json_next. */
#ifndef COORDINATOR_SIGNATURE_RAW_JSON_H
#define COORDINATOR_SIGNATURE_RAW_JSON_H

#include <stdbool.h>

struct buf;

struct raw_json {
    const char *p; /* behind what was given last */
    bool object;
};

struct raw_value {
    const char *text;
    const char *end;
};

/* Stand before the first item of the array or object that the text is. */
void raw_json_open(struct raw_json *r, const char *text);

/* The next item, or the value of the next member; false when there is none. */
bool raw_json_next(struct raw_json *r, struct raw_value *out);

/* Its text without blanks outside strings. */
void raw_json_add(struct buf *b, struct raw_value v);

#endif
