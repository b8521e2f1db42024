/* limits.h - limits that more than one room must agree on, each with its reason.
 *
 * A value past its limit is refused with an error, never cut. Texts count in bytes, no NUL. */
#ifndef COMMON_CORE_LIMITS_H
#define COMMON_CORE_LIMITS_H

/* Ids are ours: hex digits, or a prefix and hex digits. Twice what the longest (32 hex digits and a
 * prefix) needs. */
#define ID_TEXT_MAX 64

/* What people call devices, jobs, stages, fields: one line of a table. */
#define NAME_TEXT_MAX 128

/* A reason or message about one thing, as in struct err. */
#define REASON_TEXT_MAX 512

/* Free text of a job, a signature's instructions, one output of a model: some 16,000 tokens, more
 * than small local models read at once. */
#define TEXT_MAX 65536

/* A file's path: PATH_MAX on Linux; macOS allows 1024, the system says so then. */
#define PATH_TEXT_MAX 4096

/* JSON that we read at once: a job that names 100,000 devices with their data has 9 MB. */
#define JSON_TEXT_MAX (16 * 1024 * 1024)

/* JSON that we print: a plan of 20,000 clients, 3 KB each with the reasons of every field. */
#define JSON_PRINT_MAX (64 * 1024 * 1024)

/* RFC 8259 lets a reader limit nesting. Our own files nest 8 deep; each level costs stack. */
#define JSON_DEPTH_MAX 64

/* Integers that a double, and so every JSON reader, holds exactly: up to 2^53. */
#define JSON_INTEGER_MAX 9007199254740992LL

/* Enrolled devices: a hundred times the largest fleet we simulate; about 2 KiB each. */
#define DEVICES_MAX 1000000

#endif
