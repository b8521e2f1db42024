/* cli_lab.h - a folder, a fake coordinator in it, and runs of the whole program with what they
 * print. */
#ifndef TESTS_UNIT_COORDINATOR_CLI_CLI_LAB_H
#define TESTS_UNIT_COORDINATOR_CLI_CLI_LAB_H

#include "fake_coordinator.h"

#include <stddef.h>

struct samples {
    struct devices_reply *devices;
    struct status_reply *status;
    struct plan_reply *federated, *pipeline;
    struct plans_reply *plans;
    struct keys_reply *keys;
};

struct lab {
    char dir[64];
    char endpoint[128];
    char socket_env[160], home_env[96];
    char *env[3];
    struct fake fake;
    struct samples samples;
    size_t watches;  /* DeliveriesRequests answered, in the fake's thread */
    size_t open;     /* of how many answers to them an assignment is still on its way */
    bool lost;       /* the last assignment fails in the end */
    char *out, *err; /* of the last run */
    int rc;
};

void lab_make(struct lab *lab);
void lab_clear(struct lab *lab);

/* The fake answers in this manner from now on; requests of before are forgotten. */
void lab_answer(struct lab *lab, enum fake_manner manner);

/* espalier with these words, NULL at the end; the exit code. */
int lab_run(struct lab *lab, ...);

/* Write a file into the folder; its path, valid until the next call. */
const char *lab_file(struct lab *lab, const char *name, const char *text);

#endif
