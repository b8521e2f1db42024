/* plan_input.h - plans that a command is given: by id, or as JSON files. */
#ifndef COORDINATOR_CLI_PLAN_INPUT_H
#define COORDINATOR_CLI_PLAN_INPUT_H

#include <stdbool.h>

struct cli;
struct json;
struct plan;
struct response;

/* All return an exit code; what is not CLI_OK was said. */

/* A plan, all pages of it, or one client's part (device_id; NULL: all); with the engine's whole
 * answer where that is wanted. The response is yours. */
int plan_input_ask(struct cli *c, const char *plan_id, const char *device_id, bool proposal,
                   struct response **out);

/* A plan's id, or a file (a word with a slash, or that ends in .json) with what `plan show --json`
 * prints. Yours to plan_free. */
int plan_input_read(struct cli *c, const char *word, struct plan **out);

/* ---- parts, for files that may be something else ---- */

bool plan_input_is_file(const char *word);
int plan_input_json(struct cli *c, const char *path, struct json **out); /* yours to json_free */
/* The plan within: the value itself or its member "plan"; NULL where it is none. Borrowed. */
const struct json *plan_input_within(const struct json *value);
int plan_input_plan(struct cli *c, const char *path, const struct json *value, struct plan **out);

#endif
