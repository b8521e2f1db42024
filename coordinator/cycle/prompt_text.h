/* prompt_text.h - values written into the texts of a prompt: short numbers, cleaned names.
 *
 * A model needs three digits to decide by. A name is a stranger's one-line text: cleaned of control
 * characters and changes of writing direction, cut, and without what parts the columns of a table
 * or marks a field. Prose keeps its line breaks and loses the rest of these. Thread: none. */
#ifndef COORDINATOR_CYCLE_PROMPT_TEXT_H
#define COORDINATOR_CYCLE_PROMPT_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct enum_names;

#define PROMPT_NAME_MAX 256 /* bytes: the most that prompt_name writes */

/* Three digits and no exponent up to a million; "?" where unknown. */
void prompt_number(struct buf *b, double v);

double prompt_scaled(int64_t v, double unit); /* NaN where unknown */
double prompt_whole(int64_t v);

void prompt_name(struct buf *b, const char *text, size_t max); /* "?" for none */

/* A line "label value unit" where the value is known. */
void prompt_fact(struct buf *b, const char *label, double v, const char *unit);
void prompt_word(struct buf *b, const char *label, const struct enum_names *names, int v);
void prompt_truth(struct buf *b, const char *label, int v);
void prompt_named(struct buf *b, const char *label, const char *text, size_t max);

/* What the job's author wrote, marked so where it follows something else. */
void prompt_prose(struct buf *b, const char *text);

struct prompt_range {
    double min, max; /* NaN: nothing known was taken */
};
void prompt_range_take(struct prompt_range *r, double v);
/* ", label min to max unit"; nothing where nothing is known. */
void prompt_range_add(struct buf *b, const char *label, const struct prompt_range *r,
                      const char *unit);

#endif
