/* framing.h - the sentences around fields and markers.
 *
 * A layout (chat.h) decides where fields, markers and values stand; every word between them is a
 * slot of a framing, a JSON object of texts. The built-in one (framing.json) is ours, and short,
 * since each of its tokens is paid for in every request; a program that was optimised elsewhere is
 * best replayed under the words it was optimised with, so another file may be loaded: the script
 * deploy/dspy/export_framing.py writes the one of an installed DSPy, under which our messages are
 * its own to the byte. In a slot, {type} stands for a type's name. */
#ifndef COORDINATOR_SIGNATURE_FRAMING_H
#define COORDINATOR_SIGNATURE_FRAMING_H

#include <stddef.h>

struct err;

struct framing {
    char *inputs_heading;       /* before the list of inputs */
    char *outputs_heading;      /* before the list of outputs */
    char *constraints_label;    /* before what bounds a field, in those lists */
    char *structure_heading;    /* before the structure of an answer */
    char *json_inputs_heading;  /* JSON layout: before the structure of the inputs */
    char *json_outputs_heading; /* JSON layout: before that of the outputs */
    char *objective_heading;    /* before the instructions */
    char *note_lead;            /* before every note on an output that is not text */
    char *note_bool;            /* what a truth value must be */
    char *note_number;          /* what a number must be; {type} */
    char *note_enum;            /* before the words of an enum */
    char *note_literal;         /* before the words of a Literal */
    char *note_schema;          /* before the shape of a record or list */
    char *reminder_lead;        /* after the last input, before the outputs in order */
    char *reminder_type;        /* after an output that is not text; {type} */
    char *reminder_end;         /* ends the reminder, naming the completed marker */
    char *json_reminder;        /* JSON layout: what reminder_lead is to the other */
    char *demo_incomplete;      /* before the question of an example that lacks something */
    char *demo_missing;         /* where such an example has no answer */
    char *schema_form;          /* how a record's shape is told: "short" or "json", its schema */
    char *turn_form;            /* an earlier question: "bare", or "reminded" as the last one is */
};

/* Every slot must be there and nothing else, each form one of its words; `file` goes before an
 * error. */
struct framing *framing_read(const char *file, const char *text, size_t len, struct err *err);
struct framing *framing_load(const char *path, struct err *err); /* from a file */
struct framing *framing_builtin(struct err *err);
void framing_free(struct framing *f); /* NULL is fine */

#endif
