/* program_state.h - what DSPy's save("program.json") wrote: instructions, descriptions and demos
 * that an optimiser found, per predictor.
 *
 * A saved program names neither its signatures nor their fields: words stand by position, inputs
 * then outputs. So loading has two steps. program_state_read takes the file apart, whichever DSPy
 * wrote it (2.4 to 3.x). program_state_apply holds one predictor against a signature, and gives
 * either the signature with the new words and the demos that fit it, with a list of all that
 * differs, or an error that names what does not fit; nothing is changed in place.
 * program_state_print writes a file that DSPy loads.
 *
 * The file is a stranger's. Model settings in it (endpoints, headers) are never taken, only named.
 * What Python alone can read, pickles and code, is refused, naming the JSON save as the way.
 * Thread: none, pure functions, but program_state_load, which reads the file. */
#ifndef COORDINATOR_SIGNATURE_PROGRAM_STATE_H
#define COORDINATOR_SIGNATURE_PROGRAM_STATE_H

#include "coordinator/signature/notes.h"
#include "coordinator/signature/raw_json.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct json;
struct signature;

#define STATE_PREDICTORS_MAX 1000
#define STATE_DEMOS_MAX 10000      /* of one predictor: optimisers keep 4 to 16 */
#define STATE_DEMO_VALUES_MAX 1000 /* of one demo: data set columns may remain in it */
#define STATE_PATH_MAX 1024        /* bytes of a predictor's attribute path */

/* One value of a demo as compact JSON text, token for token: 1.0 stays 1.0. */
struct state_value {
    char *name;
    char *json;
};

struct state_demo {
    struct state_value *values;
    size_t count;
};

struct state_field {
    char *prefix;
    char *description;
};

enum state_form {
    STATE_CURRENT = 1, /* 2.6 to 3.x */
    STATE_2_5,         /* extended_signature beside signature */
    STATE_2_4,         /* instructions and the last field's prefix, no more */
};

struct state_predictor {
    char *path; /* "" for a bare Predict, "predict" for a bare ChainOfThought */
    enum state_form form;
    char *instructions;
    struct state_field *fields; /* inputs, then outputs; STATE_2_4: the last output, or none */
    size_t fields_count;
    struct state_demo *demos;
    size_t demos_count;
};

struct program_state {
    struct state_predictor *predictors;
    size_t count;
    char *python, *dspy, *cloudpickle; /* versions that wrote it; NULL: not said */
    struct notes notes;                /* what of the file is left alone */
};

/* `file` goes before the error. Yours to program_state_free. */
struct program_state *program_state_read(const char *file, const char *text, size_t len,
                                         struct err *err);
/* The same from a path; a save_program folder and a pickle are refused by what they are. */
struct program_state *program_state_load(const char *path, struct err *err);
void program_state_free(struct program_state *s); /* NULL is fine */

/* The predictor for a path: "predict" also finds what DSPy 2.5 called "self", "a.predict" its "a".
 * NULL: none. */
const struct state_predictor *program_state_find(const struct program_state *s, const char *path);

/* The predictor of a program that has one only, whatever its path. ERR_NOT_FOUND lists the paths.
 */
const struct state_predictor *program_state_only(const struct program_state *s, struct err *err);

/* Whether each path of a program is in the state: ERR_NOT_FOUND names the first that is not. A
 * path of the state that the program lacks is noted. */
int program_state_check_paths(const struct program_state *s, const char *const *paths, size_t count,
                              struct notes *notes, struct err *err);

/* ---- program_state_apply.c ---- */

/* One thing that differs: instructions, a field's description or prefix, the demos. */
struct state_change {
    char *what;    /* "instructions", "question description", "demos" */
    char *was;     /* NULL: nothing */
    char *becomes; /* NULL: nothing */
};

struct state_application {
    struct signature *sig;    /* with the words of the state */
    struct state_demo *demos; /* fields of the signature only */
    size_t demos_count;
    struct state_change *changes;
    size_t changes_count;
    struct notes notes; /* unusual prefixes, columns left out, demos of no use */
};

/* `sig` as it is asked: with its chain of thought, if the program had one. A demo's value must be
 * of its field's type, unless as_text, when types are not looked at. On failure *out is as it
 * was; state_application_clear frees it. */
int program_state_apply(const struct state_predictor *p, const struct signature *sig, bool as_text,
                        struct state_application *out, struct err *err);
void state_application_clear(struct state_application *a); /* a zeroed one is fine */

/* The changes as a table, a block of lines each: what, from, to. */
void state_application_print(struct buf *b, const struct state_application *a);

/* ---- program_state_print.c ---- */

struct state_export {
    const char *path; /* "" for a bare Predict, which must then be the only one */
    const struct signature *sig;
    const struct state_demo *demos;
    size_t demos_count;
};

/* A file that DSPy loads, yours to mem_free. `from` is the state whose versions it names; NULL:
 * none. Fields without words of their own get those DSPy makes up. */
char *program_state_print(const struct state_export *predictors, size_t count,
                          const struct program_state *from, struct err *err);

/* ---- for those who hold demos ---- */

/* A demo of a JSON object: `v` and `raw` are the same value, as a tree and as text. `where` goes
 * before the error. Whatever came, state_demos_free frees it. */
int state_demo_read(struct state_demo *demo, const struct json *v, struct raw_value raw,
                    const char *where, struct err *err);

void state_demos_free(struct state_demo *demos, size_t count);

#endif
