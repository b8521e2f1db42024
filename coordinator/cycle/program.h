/* program.h - a planning signature as it is asked: typed, reasoning first, and with the words and
 * examples of a saved program where there is one.
 *
 * A program that does not fit the signature is refused as a whole, before anything is planned with
 * it: program_state.h says what is checked. Reads the file; otherwise pure. */
#ifndef COORDINATOR_CYCLE_PROGRAM_H
#define COORDINATOR_CYCLE_PROGRAM_H

#include "coordinator/signature/program_state.h"

struct catalog;
struct err;
struct signature;

struct program {
    struct signature *sig;
    struct state_demo *demos;
    size_t demos_count;
    struct state_application applied; /* owns what the others point to */
};

/* `name` is the signature's; state_file: what DSPy saved, of one predictor; NULL: none. What is
 * unusual about it is logged. program_close takes a zeroed one, too. */
int program_open(struct program *p, const struct catalog *catalog, const char *name,
                 const char *state_file, struct err *err);
void program_close(struct program *p);

#endif
