/* inquiry.h - what can be asked of signatures, answered from the protocol's own records.
 *
 * One place for the coordinator, which takes these records off the wire, and for the command line
 * tool, which fills them itself and needs no coordinator. Every reply is the caller's to free. An
 * error names the field of the request. Thread: none, pure functions. */
#ifndef COORDINATOR_SIGNATURE_INQUIRY_H
#define COORDINATOR_SIGNATURE_INQUIRY_H

#include "coordinator/signature/program_state.h"
#include "coordinator/signature/prompt.h"

#include <stdbool.h>
#include <stddef.h>

struct catalog;
struct err;
struct framing;
struct module;
struct prompt_reply;
struct signature;
struct signature_check_reply;
struct signature_check_request;
struct signature_choice;
struct signature_create_request;
struct signature_list_request;
struct signature_question;
struct signature_render_request;
struct signature_reply;
struct signature_run_reply;
struct signature_run_request;
struct signature_show_request;
struct signatures_reply;

/* The signature that is meant, in the form that is wanted; yours to signature_free. A name that
 * holds "->" is a signature in string form, which needs context, or a reason for having none. */
struct signature *inquiry_choose(const struct catalog *c, const struct signature_choice *choice,
                                 struct err *err);

int inquiry_list(const struct catalog *c, const struct signature_list_request *asked,
                 struct signatures_reply **out, struct err *err);
int inquiry_show(const struct catalog *c, const struct signature_show_request *asked,
                 struct signature_reply **out, struct err *err);

/* ---- inquiry_create.c ---- */

/* The signature alone; yours. One without hardware and performance context is refused, unless it
 * says why. */
struct signature *inquiry_make(const struct catalog *c,
                               const struct signature_create_request *asked, struct err *err);
int inquiry_create(const struct catalog *c, const struct signature_create_request *asked,
                   struct signature_reply **out, struct err *err);

/* What there is to say of a signature: itself, its data file, its string form, the linter's
 * findings (of the text form: the typed one has its types from elsewhere), and the Python class
 * where that is wanted. */
int inquiry_describe(const struct catalog *c, const struct signature *sig, bool python,
                     struct signature_reply **out, struct err *err);

/* ---- inquiry_question.c ---- */

/* A question made ready for a layout. */
struct inquiry_question {
    struct signature *sig;         /* with the words of the saved program */
    struct framing *own;           /* that came along; NULL: the built-in one */
    const struct framing *framing; /* whichever holds */
    int adapter;                   /* enum signature_adapter */
    struct prompt_value *values;   /* of the inputs; their json is owned */
    size_t values_count;
    struct state_application program; /* its demos */
    struct notes notes;               /* of the program */
};

/* `builtin` stays the caller's and must outlive *out, which inquiry_question_clear frees. */
int inquiry_question_make(const struct catalog *c, const struct framing *builtin,
                          const struct signature_question *asked, struct inquiry_question *out,
                          struct err *err);
void inquiry_question_clear(struct inquiry_question *q); /* a zeroed one is fine */

/* Its messages for this layout; prompt_clear frees them. */
int inquiry_question_render(const struct inquiry_question *q, int adapter, struct prompt *out,
                            struct err *err);

int inquiry_render(const struct catalog *c, const struct framing *builtin,
                   const struct signature_render_request *asked, struct prompt_reply **out,
                   struct err *err);

/* ---- inquiry_run.c ---- */

/* The module that asks the question, which must outlive it; yours to module_free. */
struct module *inquiry_module(const struct inquiry_question *q,
                              const struct signature_run_request *asked, struct err *err);

/* What came of it, once the module is over: values or the reason why there are none, each call, and
 * what it cost. `model` is the name that was asked for; NULL: none. */
int inquiry_report(const struct inquiry_question *q, const struct module *m, const char *model,
                   struct signature_run_reply **out, struct err *err);

/* ---- inquiry_check.c ---- */

/* The predictor of that path; NULL: the only one there is. */
const struct state_predictor *inquiry_predictor(const struct program_state *state, const char *path,
                                                struct err *err);

int inquiry_check(const struct catalog *c, const struct signature_check_request *asked,
                  struct signature_check_reply **out, struct err *err);

#endif
