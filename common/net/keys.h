/* keys.h - CURVE key pairs, the file that holds one, and what an id is made of.
 *
 * Keys are text in Z85, 40 characters, as libzmq and its bindings write them. A key file is two
 * labelled lines, readable by its owner alone:
 *
 *     espalier-public-key <40 characters>
 *     espalier-secret-key <40 characters>
 */
#ifndef COMMON_NET_KEYS_H
#define COMMON_NET_KEYS_H

#include "common/core/limits.h"

#define NET_KEY_CHARS 40 /* Z85 of 32 bytes */

struct err;

struct net_keys {
    char public_key[NET_KEY_CHARS + 1];
    char secret_key[NET_KEY_CHARS + 1];
};

int net_keys_make(struct net_keys *out, struct err *err);

/* Read the pair at path. ERR_NOT_FOUND when there is none; ERR_DENIED, with the command that mends
 * it, when others than the owner may read or write the file; ERR_MALFORMED when it holds anything
 * but a pair whose halves belong together. */
int net_keys_load(const char *path, struct net_keys *out, struct err *err);

/* As net_keys_load; a file that is absent is made first (0600, its folder 0700), whole or not at
 * all, and synced. */
int net_keys_load_or_make(const char *path, struct net_keys *out, struct err *err);

/* The public half of a secret one. */
int net_keys_derive_public(const char *secret_key, char out[NET_KEY_CHARS + 1], struct err *err);

/* Overwrite both halves; call it when a pair goes out of use. NULL is fine. */
void net_keys_wipe(struct net_keys *keys);

/* Is this a key (of either kind) as text: 40 characters of Z85 that stand for 32 bytes? The error
 * shows the text, so do not check secrets of strangers with it. */
int net_key_check(const char *text, struct err *err);

/* "d" and 16 characters from the BLAKE2b hash of the public key: 80 bits, so among a million
 * devices two alike are less likely than one in a trillion. Lower-case letters and digits without
 * those that look alike (i l o u), so that people can read it out. ERR_INVALID for what is no key.
 */
#define NET_DEVICE_ID_CHARS 17
int net_device_id(const char *public_key, char out[ID_TEXT_MAX + 1], struct err *err);

#endif
