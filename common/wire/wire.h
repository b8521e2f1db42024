/* wire.h - bytes <-> model: the only room that knows protobuf.
 *
 * One pair of calls serves every record of the model. The rows of a record's type are matched with
 * the protobuf message of the same name once, at the first call; from then on nothing here changes,
 * so any thread may call. Bytes are a stranger's: they are walked before anything is allocated for
 * them, and what decodes has passed record_check. Errors name the path: "round.rounds: 0, wanted an
 * integer from 1 to 1000000 rounds". Ownership: what a call returns is the caller's. */
#ifndef COMMON_WIRE_WIRE_H
#define COMMON_WIRE_WIRE_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct record_type;

/* Limits of one encoded message. The socket's own limit lies above them, so that a message between
 * the two is refused with a reason; past the socket's, the connection is lost.
 *
 * AgentMessage: a Profile with every text and list at its limit has 182,000 bytes; real ones have
 * 2,000 to 6,000. */
#define WIRE_AGENT_MAX (256 * 1024)
/* CoordinatorMessage: an Assignment of 1,000 stages, each with two inputs, a rule and a step, has
 * half of this. */
#define WIRE_COORDINATOR_MAX (1024 * 1024)
/* Request: a Job that names 100,000 devices with their data, includes and excludes has 9 MB. */
#define WIRE_REQUEST_MAX (16 * 1024 * 1024)
/* ToolMessage: a Plan of 10,000 clients with every reason has some 15 MB. Below what a socket of
 * common/net takes when nobody says otherwise (32 MiB). */
#define WIRE_TOOL_MAX (30 * 1024 * 1024)
/* Event: five texts at their limits have 1 KB. */
#define WIRE_EVENT_MAX (4 * 1024)
/* Any other record encoded by itself (the store's plans): a Plan of 100,000 clients. */
#define WIRE_RECORD_MAX (256 * 1024 * 1024)

/* Fields that a newer protocol added, in one message. Each costs an allocation while decoding; a
 * protocol that grew so much would be another version. */
#define WIRE_UNKNOWN_MAX 4096

enum wire_mode {
    WIRE_REPORT,  /* unknown fields and enum values are absent, and counted */
    WIRE_COMMAND, /* an unknown enum value or body is refused: it may be a rule that protects
                     somebody */
};

struct wire_stats {
    size_t unknown_fields; /* fields that this version does not know */
    size_t unknown_values; /* enum values that it does not know, taken as absent */
};

/* The limit of that type's message, as above. */
size_t wire_max(const struct record_type *type);

/* The record as protobuf, checked first; *out is freed with mem_free. Refuses what wire_max does
 * not allow: no reader would take it. */
int wire_encode(const struct record_type *type, const void *record, uint8_t **out, size_t *len,
                struct err *err);

/* A record from bytes, freed with record_free; `max` is the limit of this kind of message and
 * `stats`, which may be NULL, is set in success and failure. ERR_MALFORMED: no such protobuf.
 * ERR_TOO_BIG: past a limit. ERR_UNSUPPORTED: of a newer protocol. ERR_INVALID: a value is wrong.
 */
int wire_decode(const struct record_type *type, enum wire_mode mode, const uint8_t *buf, size_t len,
                size_t max, void **out, struct wire_stats *stats, struct err *err);

/* The sequence of an AgentMessage, also where the rest of it does not decode: a Refusal names it,
 * so that the agent does not send the same bytes again. UNKNOWN_I64: it has none. */
int64_t wire_agent_sequence(const uint8_t *buf, size_t len);

#endif
