/* signature_message.h - what a tool and the coordinator say of signatures.
 *
 * Plain structs, one per message of proto/espalier/v1/signature.proto, field for field; ranges and
 * units stand in the tables of signature_message.c. `datum` is the message Value: any JSON value,
 * since the fields of a signature that was made at run time are known to nobody beforehand. It is
 * the one record that holds itself. Unknown is as in tool_message.h; every pointer is owned. */
#ifndef COMMON_MODEL_SIGNATURE_MESSAGE_H
#define COMMON_MODEL_SIGNATURE_MESSAGE_H

#include "common/model/enums.h"

#include <stddef.h>
#include <stdint.h>

struct usage;

/* any JSON value */
struct datum {
    int form;            /* enum value_form: which of the others holds it */
    char *text;          /* of form text */
    int64_t integer;     /* of form integer */
    double number;       /* of form number */
    int truth;           /* enum tristate: of form truth */
    struct datum *items; /* of form list */
    size_t items_count;
    struct named_datum *members; /* of form map */
    size_t members_count;
};
RECORD_DECLARE(datum);

/* a value and its name */
struct named_datum {
    char *name;
    struct datum *value;
};
RECORD_DECLARE(named_datum);

/* one field of a signature */
struct signature_field_info {
    char *name;
    int direction;     /* enum signature_direction */
    int role;          /* enum signature_role */
    char *type;        /* as Python spells it; absent: str */
    char *description; /* what it holds */
    char *fallback;    /* an input's text when none is given */
    char *constraints; /* its bounds in words */
};
RECORD_DECLARE(signature_field_info);

/* a typed contract for a language model */
struct signature_info {
    char *name;
    char *extends; /* the signature whose fields come first */
    int category;  /* enum signature_category */
    char *instructions;
    struct signature_field_info *fields; /* inputs, then outputs */
    size_t fields_count;
    char *typed;      /* record of its typed outputs */
    int is_typed;     /* enum tristate: this is that form */
    char *no_context; /* why it asks for no hardware or performance context */
};
RECORD_DECLARE(signature_info);

/* which signature, in which form */
struct signature_choice {
    char *name;                     /* one that the coordinator has */
    struct signature_info *defined; /* or one that comes along */
    int typed;                      /* enum tristate: its typed form */
    int module;                     /* enum signature_module */
    char *no_context;               /* of a name that is a line: why it asks for no context */
};
RECORD_DECLARE(signature_choice);

/* list the signatures there are */
struct signature_list_request {
    int category; /* enum signature_category: only these */
};
RECORD_DECLARE(signature_list_request);

/* show one */
struct signature_show_request {
    struct signature_choice *signature;
    int python; /* enum tristate: as Python source too */
};
RECORD_DECLARE(signature_show_request);

/* a signature for a domain */
struct factory_spec {
    char *domain;
    struct named_datum *hardware; /* facts, which become the default of hardware_constraints */
    size_t hardware_count;
    struct signature_field_info *fields; /* outputs of the caller's own */
    size_t fields_count;
};
RECORD_DECLARE(factory_spec);

/* a signature from one line */
struct line_spec {
    char *line;         /* "a, b: int -> c: float" */
    char *name;         /* of the new signature */
    char *instructions; /* absent: made from the fields */
};
RECORD_DECLARE(line_spec);

/* a field and where it goes */
struct insertion {
    int64_t index; /* within its own section; -1: after the last */
    struct signature_field_info *field;
};
RECORD_DECLARE(insertion);

/* a signature made from others */
struct compose_spec {
    char **bases; /* names; several are a new signature with the fields of all */
    size_t bases_count;
    char *name;                   /* of the new signature; absent: the base's */
    char *instructions;           /* absent: the base's */
    struct insertion *insertions; /* one after the other */
    size_t insertions_count;
    char **without; /* fields to leave out */
    size_t without_count;
    char *append_instructions; /* after a blank line */
};
RECORD_DECLARE(compose_spec);

/* make a signature: exactly one way */
struct signature_create_request {
    struct factory_spec *factory;
    struct line_spec *line;
    struct compose_spec *composition;
    int python;       /* enum tristate: as Python source too */
    char *no_context; /* why it has no hardware or performance context */
};
RECORD_DECLARE(signature_create_request);

/* one message of a prompt */
struct rendered_message {
    char *role; /* system, user or assistant */
    char *content;
};
RECORD_DECLARE(rendered_message);

/* a question to a model */
struct signature_question {
    struct signature_choice *signature;
    struct named_datum *inputs;
    size_t inputs_count;
    int adapter;      /* enum signature_adapter */
    char *framing;    /* text of a framing file; absent: the built-in one */
    char *state;      /* text of a saved program; absent: none */
    char *state_path; /* predictor in it; absent: the only one */
    int as_text;      /* enum tristate: its demos are not held against the types */
};
RECORD_DECLARE(signature_question);

/* show the messages of a question */
struct signature_render_request {
    struct signature_question *question;
};
RECORD_DECLARE(signature_render_request);

/* hold a saved program against a signature */
struct signature_check_request {
    struct signature_choice *signature;
    char *state;      /* text of the file */
    char *state_path; /* predictor in it; absent: the only one */
    int as_text;      /* enum tristate */
};
RECORD_DECLARE(signature_check_request);

/* ask the coordinator's model */
struct signature_run_request {
    struct signature_question *question;
    int retry;    /* enum tristate: one more call that shows the model what was wrong */
    int fallback; /* enum tristate: chat goes on as JSON where its reply cannot be read */
};
RECORD_DECLARE(signature_run_request);

/* one finding of the linter */
struct finding {
    char *rule;
    int level;   /* enum finding_level */
    char *field; /* absent: the whole signature */
    char *why;
    char *what; /* to do */
};
RECORD_DECLARE(finding);

/* the signatures there are */
struct signatures_reply {
    struct signature_info *signatures;
    size_t signatures_count;
};
RECORD_DECLARE(signatures_reply);

/* one signature, and what there is to say of it */
struct signature_reply {
    struct signature_info *signature;
    char *definition;         /* its data file */
    char *line;               /* its string form */
    struct finding *findings; /* of the linter */
    size_t findings_count;
    char *python; /* where it was asked for */
};
RECORD_DECLARE(signature_reply);

/* the messages of a question */
struct prompt_reply {
    struct rendered_message *messages;
    size_t messages_count;
    char *response_format; /* JSON that goes with them; absent: none */
    char **notes;
    size_t notes_count;
};
RECORD_DECLARE(prompt_reply);

/* one thing that a saved program changes */
struct state_difference {
    char *what;
    char *was;     /* absent: nothing */
    char *becomes; /* absent: nothing */
};
RECORD_DECLARE(state_difference);

/* what a saved program would change */
struct signature_check_reply {
    char *state_path; /* predictor that was held against it */
    char *dspy;       /* version that wrote it */
    struct state_difference *changes;
    size_t changes_count;
    int64_t demos; /* that fit */
    char **notes;
    size_t notes_count;
};
RECORD_DECLARE(signature_check_reply);

/* what came of a run */
struct signature_run_reply {
    struct named_datum *outputs;
    size_t outputs_count;
    int adapter;  /* enum signature_adapter: whose answer was used */
    char **steps; /* each call: how it was asked, and what came of it */
    size_t steps_count;
    char **notes; /* what was forgiven, repaired or dropped */
    size_t notes_count;
    char *reply;         /* the model's last reply as text */
    char *failure;       /* why there are no outputs */
    struct usage *usage; /* what it cost */
};
RECORD_DECLARE(signature_run_reply);
#endif
