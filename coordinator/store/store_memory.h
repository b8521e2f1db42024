/* store_memory.h - what the files of the memory backend share. */
#ifndef COORDINATOR_STORE_STORE_MEMORY_H
#define COORDINATOR_STORE_STORE_MEMORY_H

#include "coordinator/store/store_backend.h"

struct map;

struct memory_plan {
    struct plan *plan; /* with its assignments, by device id */
    struct job *job;
    struct delivery *deliveries; /* one per assignment, in the same order */
    size_t deliveries_count;
    int64_t created_ms;
    struct store_charge *charge; /* NULL: none */
};

struct memory_answer {
    int64_t at_ms;
    uint8_t *bytes;
    size_t len;
};

struct memory_store {
    struct store_backend base; /* first */
    bool in_transaction;
    int64_t request_keep_ms, reply_keep_ms;
    int64_t purged_ms; /* when old answers were last dropped */
    char coordinator_id[33];
    struct memory_plan *plans; /* oldest first */
    size_t plans_count;
    struct device_measurement *measurements; /* oldest first */
    size_t measurements_count;
    struct map *devices;      /* id -> struct store_device */
    struct map *keys;         /* public key -> struct key */
    struct map *requests;     /* id -> struct memory_answer */
    struct map *replies;      /* digest -> struct memory_answer */
    struct map *calibrations; /* key -> struct calibration */
    struct map *measured;     /* "plan/device/generation/sequence" -> anything */
};

/* One more item, zeroed, at the end of a block that doubles; NULL without memory. */
void *memory_add(void *block, size_t *count, size_t size, struct err *err);

int memory_read(struct memory_store *s, const struct store_op *op, struct store_result *r,
                struct err *err);
int memory_put_reply(struct memory_store *s, const struct store_op *op, struct err *err);
int memory_find_reply(struct memory_store *s, const struct store_op *op, struct store_result *r,
                      struct err *err);
void memory_answer_free(void *answer); /* struct memory_answer; NULL is fine */
int memory_load(struct store_backend *b, struct store_contents *out, struct err *err);
int memory_spent(const struct memory_store *s, const char *job_id, struct store_spent *out,
                 struct err *err);

#endif
