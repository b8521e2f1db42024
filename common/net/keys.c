/* keys.c - see keys.h. The arithmetic is libzmq's and libsodium's. */
#include "common/net/keys.h"
#include "common/net/net_internal.h"
#include "common/core/err.h"
#include "common/core/mem.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <zmq.h>

#define KEY_BYTES 32

/* Put before the key, so that the hash is of no use elsewhere. Never change it: ids depend on it.
 */
#define DEVICE_ID_CONTEXT "espalier device id 1"
#define DEVICE_ID_HASH_BYTES                                             \
    16 /* the shortest BLAKE2b that libsodium gives; 10 of them are used \
        */

/* 40 characters of Z85 to 32 bytes; -1 when they are not the text of any. zmq_z85_decode lets some
 * texts through that stand for no 32-bit number, so compare with what encoding gives. */
static int key_decode(const char *text, uint8_t out[KEY_BYTES])
{
    char again[NET_KEY_CHARS + 1];
    int rc = -1;

    if (text && strnlen(text, NET_KEY_CHARS + 1) == NET_KEY_CHARS && zmq_z85_decode(out, text) &&
        zmq_z85_encode(again, out, KEY_BYTES) && strcmp(again, text) == 0)
        rc = 0;
    mem_wipe(again, sizeof again);
    return rc;
}

int net_key_check(const char *text, struct err *err)
{
    uint8_t bytes[KEY_BYTES];

    if (!text)
        return err_set(err, ERR_INVALID, "key is absent");
    if (strnlen(text, NET_KEY_CHARS + 1) != NET_KEY_CHARS)
        return err_set(err, ERR_INVALID, "key '%.60s' has %zu characters, wanted %d of Z85", text,
                       strlen(text), NET_KEY_CHARS);
    if (key_decode(text, bytes) < 0)
        return err_set(err, ERR_INVALID, "key '%s' is not Z85 of 32 bytes", text);
    return 0;
}

int net_keys_make(struct net_keys *out, struct err *err)
{
    struct net_keys keys = {"", ""};

    if (zmq_curve_keypair(keys.public_key, keys.secret_key) < 0)
        return net_err_zmq(err, errno, "a key pair");
    *out = keys;
    net_keys_wipe(&keys);
    return 0;
}

int net_keys_derive_public(const char *secret_key, char out[NET_KEY_CHARS + 1], struct err *err)
{
    uint8_t bytes[KEY_BYTES];
    char key[NET_KEY_CHARS + 1];
    int rc = key_decode(secret_key, bytes);

    mem_wipe(bytes, sizeof bytes);
    if (rc < 0) /* does not show it: it may be most of a real one */
        return err_set(err, ERR_INVALID, "secret key is not %d characters of Z85", NET_KEY_CHARS);
    if (zmq_curve_public(key, secret_key) < 0)
        return net_err_zmq(err, errno, "public half of a secret key");
    memcpy(out, key, sizeof key);
    return 0;
}

void net_keys_wipe(struct net_keys *keys)
{
    if (keys)
        mem_wipe(keys, sizeof *keys);
}

int net_device_id(const char *public_key, char out[ID_TEXT_MAX + 1], struct err *err)
{
    uint8_t input[sizeof DEVICE_ID_CONTEXT - 1 + KEY_BYTES];
    uint8_t hash[DEVICE_ID_HASH_BYTES];

    if (net_key_check(public_key, err) < 0)
        return -1;
    memcpy(input, DEVICE_ID_CONTEXT, sizeof DEVICE_ID_CONTEXT - 1);
    key_decode(public_key, input + sizeof DEVICE_ID_CONTEXT - 1);
    if (sodium_init() < 0 || crypto_generichash(hash, sizeof hash, input, sizeof input, NULL, 0))
        return err_set(err, ERR_INTERNAL, "libsodium does not start");
    out[0] = 'd';
    for (int i = 0; i < NET_DEVICE_ID_CHARS - 1; i++) {
        int bit = 5 * i;
        unsigned pair = (unsigned)hash[bit / 8] << 8 | hash[bit / 8 + 1];

        out[1 + i] = NET_ID_ALPHABET[pair >> (11 - bit % 8) & 31];
    }
    out[NET_DEVICE_ID_CHARS] = '\0';
    return 0;
}
