/* show_signature.h - signatures, findings, prompts and runs as pages for people. */
#ifndef COORDINATOR_CLI_SHOW_SIGNATURE_H
#define COORDINATOR_CLI_SHOW_SIGNATURE_H

#include "coordinator/cli/page.h"

struct prompt_reply;
struct signature_check_reply;
struct signature_reply;
struct signature_run_reply;
struct signatures_reply;

void show_signatures(struct page *p, const struct signatures_reply *reply);
void show_signature(struct page *p, const struct signature_reply *reply);
void show_findings(struct page *p, const struct signature_reply *reply);
void show_state_check(struct page *p, const struct signature_check_reply *reply);
void show_prompt(struct page *p, const struct prompt_reply *reply);
void show_run(struct page *p, const struct signature_run_reply *reply);

#endif
