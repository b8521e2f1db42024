/* place.h - where the coordinator is, and with which keys one goes there.
 *
 * Without a word: the ipc socket of the coordinator that runs on this machine as this user, where
 * coordinator/config puts it. With --coordinator: TCP, its public key (--server-key) and our own
 * key pair, which is made at first use and must be let in there (`espalier devices allow KEY --tool
 * ...`). */
#ifndef COORDINATOR_CLI_PLACE_H
#define COORDINATOR_CLI_PLACE_H

#include "common/core/limits.h"
#include "common/net/keys.h"

#include <stdbool.h>

struct args;
struct err;

#define PLACE_TOOLS_PORT 7421 /* of tools, as the coordinator has it unless told otherwise */
#define PLACE_ENDPOINT_MAX 255

struct place {
    bool local;                            /* ipc: no keys */
    char endpoint[PLACE_ENDPOINT_MAX + 1]; /* ipc://... or tcp://... */
    char path[PLACE_ENDPOINT_MAX + 1];     /* of the socket; "" for tcp */
    char server_key[NET_KEY_CHARS + 1];
    struct net_keys keys;
};

/* Files named by the options are read, and our key file made, here. ERR_INVALID names the option.
 */
int place_find(const struct args *a, char *const *env, struct place *out, struct err *err);
void place_clear(struct place *p); /* wipes the keys; a zeroed one is fine */

/* The key file of this tool: --key, else tool.keys in the folder of --data-dir, else in the user's
 * configuration folder. Yours to mem_free. */
char *place_key_path(const struct args *a, char *const *env, struct err *err);

/* 0 when something listens on the ipc socket. ERR_NOT_FOUND, ERR_DENIED and ERR_IO say what is
 * amiss and what to do about it. libzmq alone would wait in silence. */
int place_check_socket(const struct place *p, struct err *err);

#endif
