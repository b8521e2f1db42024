/* keyring.h - which keys may speak to the coordinator, and as whom.
 *
 * Two lists, agents.keys and tools.keys, plain text in the coordinator's folder, a key a line:
 *     KEY DEVICE_ID [NAME...]          in agents.keys
 *     KEY viewer|operator [NAME...]    in tools.keys
 * Lines that start with "# " are comments. A person or a provisioning tool may edit them; a change
 * is taken up within a second or so, whole or not at all: a faulty file is refused by line, and the
 * list read before stays in force. Allowing and forgetting here rewrites the file atomically, so a
 * key that was let in survives any crash. The lists go to ZAP, which maps a connection's key to the
 * user id that messages carry: the device id, or "operator:ID" / "viewer:ID".
 *
 * One thread, the loop's. */
#ifndef COORDINATOR_FRONT_KEYRING_H
#define COORDINATOR_FRONT_KEYRING_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct key;
struct net_zap;
struct keyring;

#define KEYRING_AGENTS_DOMAIN "agents"
#define KEYRING_TOOLS_DOMAIN "tools"
#define KEYRING_KEYS_MAX 1000000 /* per list; DEVICES_MAX of the fleet */

/* Reads both lists (an absent file is an empty list) and hands them to `zap`, which stays the
 * caller's and may be NULL in tests. */
struct keyring *keyring_new(const char *folder, struct net_zap *zap, struct err *err);
void keyring_free(struct keyring *k);

/* Look whether a file changed; 1 when a list was taken up anew, 0 when not, -1 when a changed file
 * is refused (the old list stays; the same fault is reported once). */
int keyring_refresh(struct keyring *k, struct err *err);

/* Let one key in: kind, role (of a tool) and name from `wanted`. On success *id (to free) is its
 * device id or the key id. A key that is there already gets the new role and name. With a device_id
 * (of an agent) the key takes the place of that device's, whose name stays unless there is a new
 * one; ERR_NOT_FOUND when no such device is let in, ERR_EXISTS when the key stands for another one.
 */
int keyring_allow(struct keyring *k, const struct key *wanted, char **id, struct err *err);

/* Shut out by device id, tool id or public key; ERR_NOT_FOUND when nobody has it. `device_id` gets
 * the device's id when it was an agent's key, else NULL. */
int keyring_forget(struct keyring *k, const char *id, char **device_id, struct err *err);

/* All keys: agents, then tools, each in the order of the file. Borrowed until the next change. */
const struct key *keyring_keys(const struct keyring *k, size_t *count);

/* The role (enum role) behind a tool's user id as it stands now, ROLE_UNSET once it was forgotten.
 */
int keyring_tool_role(const struct keyring *k, const char *user_id);
/* The key of that device; NULL when it is not let in. */
const struct key *keyring_agent(const struct keyring *k, const char *device_id);

/* Another number, never 0, whenever the lists became others: what was found before may be wrong. */
uint64_t keyring_version(const struct keyring *k);

#endif
