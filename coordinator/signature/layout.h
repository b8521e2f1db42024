/* layout.h - what the layouts have in common; for chat_render.c and json_render.c. */
#ifndef COORDINATOR_SIGNATURE_LAYOUT_H
#define COORDINATOR_SIGNATURE_LAYOUT_H

#include "coordinator/signature/prompt.h"

struct buf;
struct framing;
struct signature;
struct signature_field;

/* What an answer says of a field that it does not hold. */
enum layout_missing {
    LAYOUT_DEMO, /* the framing's words for it */
    LAYOUT_TURN, /* None: a turn of a conversation */
};

/* Where two layouts differ. */
struct layout {
    /* the middle of the system message: how an answer looks */
    int (*add_structure)(struct buf *b, const struct signature *sig, const struct framing *fr,
                         struct err *err);
    /* the end of the question: which fields, in order */
    void (*add_reminder)(struct buf *b, const struct signature *sig, const struct framing *fr);
    /* an answer, of an example or a turn */
    int (*add_answer)(struct buf *b, const struct signature *sig, const struct framing *fr,
                      const struct state_demo *demo, enum layout_missing missing, struct err *err);
};

/* Refused: a value that names no input or one twice, that is not UTF-8 or not JSON. */
int layout_render(const struct layout *l, const struct signature *sig, const struct framing *fr,
                  const struct prompt_content *content, struct prompt *out, struct err *err);

/* ---- parts ---- */

int layout_add_system(struct prompt *out, const struct layout *l, const struct signature *sig,
                      const struct framing *fr, struct err *err);

/* Each field's marker and placeholder, with a blank line before each: the inputs. */
void layout_add_inputs(struct buf *b, const struct signature *sig);

/* "[[ ## name ## ]]" and a line break: a prompt with 16 examples has hundreds of them. */
void layout_add_marker(struct buf *b, const char *name);

/* The same with the name in braces below it: where its value goes. */
void layout_add_placeholder(struct buf *b, const struct signature_field *f);

/* What an output that is not text must look like; goes behind its placeholder. */
int layout_add_note(struct buf *b, const struct framing *fr, const struct signature_field *f,
                    struct err *err);

/* The reminder's word on a type that is not text. */
void layout_add_type(struct buf *b, const struct framing *fr, const struct signature_field *f);

/* A slot with the type's name for {type}. */
void layout_add_slot(struct buf *b, const char *slot, const struct signature_field *f);

/* Blanks off the end (and beginning) of what stands in b from `from` on. */
void layout_trim(struct buf *b, size_t from);

/* The JSON of the demo's value; NULL: it has none. */
const char *layout_demo_value(const struct state_demo *demo, const char *name);

/* A value, with whatever in it looks like a marker broken up; adds to *broken how often. */
int layout_add_value(struct buf *b, const struct signature_field *f, const char *json,
                     size_t *broken, struct err *err);

#endif
