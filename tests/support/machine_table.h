/* machine_table.h - the table of what recorded machines say, and a profile in its words.
 *
 * tests/data/machines/expected.csv was derived from the recordings by a program that shares nothing
 * with ours; two tests hold it against what the loader and what the probes of a Mac make of them.
 */
#ifndef TESTS_SUPPORT_MACHINE_TABLE_H
#define TESTS_SUPPORT_MACHINE_TABLE_H

#include <stddef.h>

#define MACHINE_COLUMNS_MAX 40
#define MACHINE_CELL_MAX 256

struct profile;
struct state;

struct machine_table {
    char *text;
    char *names[MACHINE_COLUMNS_MAX]; /* of the columns */
    size_t columns;
    char *next; /* start of the next row; "" at the end */
};

/* To mem_free(text). A table that does not read fails the test. */
struct machine_table machine_table_open(const char *path);
/* The cells of the next row, borrowed from the table. */
void machine_table_row(struct machine_table *t, char *cells[MACHINE_COLUMNS_MAX], size_t *count);

/* What a profile and a state (NULL: none) have for a column, as the table writes it; "" when it is
 * unknown. */
void machine_shown(const struct profile *p, const struct state *s, const char *column,
                   char out[MACHINE_CELL_MAX]);

#endif
