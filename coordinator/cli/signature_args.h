/* signature_args.h - options of the signature commands, as records of the protocol.
 *
 * A field is written NAME, NAME:TYPE, NAME=DESCRIPTION or NAME:TYPE=DESCRIPTION, types as Python
 * spells them ("tags:list[str]=Short labels"). Errors name the option. */
#ifndef COORDINATOR_CLI_SIGNATURE_ARGS_H
#define COORDINATOR_CLI_SIGNATURE_ARGS_H

#include <stdbool.h>
#include <stddef.h>

struct args;
struct catalog;
struct err;
struct signature_choice;
struct signature_create_request;
struct signature_field_info;
struct signature_question;

/* Files of the user's: a definition or a framing, a saved program, inputs. */
#define SIGNATURE_INPUTS_MAX (4 * 1024 * 1024)
#define SIGNATURE_FRAMING_MAX 65536
#define SIGNATURE_STATE_MAX (8 * 1024 * 1024)

/* The built-in signatures and those of --folder; yours to catalog_free. */
struct catalog *signature_args_catalog(const struct args *a, struct err *err);

/* One field, of `direction` (0: the text begins with input: or output:) into an empty record. */
int signature_args_field(const char *option, const char *text, int direction,
                         struct signature_field_info *out, struct err *err);

/* --domain and its fellows, or a line, or --base and its fellows, into an empty record. */
int signature_args_create(const struct args *a, const char *line,
                          struct signature_create_request *out, struct err *err);

/* The signature of that name with --typed and --module, into an empty record. */
int signature_args_choice(const struct args *a, const char *name, struct signature_choice *out,
                          struct err *err);

/* The same with --inputs, --adapter, --framing, --state, --predictor and --as-text: files are read
 * here. */
int signature_args_question(const struct args *a, const char *name, struct signature_question *out,
                            struct err *err);

#endif
