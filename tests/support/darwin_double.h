/* darwin_double.h - macOS's calls (agent/probe/darwin_calls.h), answered from a file.
 *
 * So that the real probes of a Mac run on any system. Two kinds of file: a recorded machine
 * (tests/data/machines), of which what a Mac printed becomes the answer of the call that the
 * printing program made (darwin_recorded.c has the list; what an author only states is no answer);
 * and an invented one (tests/data/darwin, whose README has the form). What a file does not hold is
 * refused as a Mac refuses it: ENOENT, no such service, an empty list.
 *
 * It keeps account: an object that is released twice, used after its release or asked for what it
 * is not ends the test at once; one never released is found by darwin_double_close. It also notes
 * how often each thing is read. One double at a time, one thread; its own memory is not mem.h's, so
 * that sweeps count the probe's allocations alone. */
#ifndef TESTS_SUPPORT_DARWIN_DOUBLE_H
#define TESTS_SUPPORT_DARWIN_DOUBLE_H

#include <stdbool.h>
#include <stdint.h>

struct darwin_calls;
struct json;

/* `changes` is JSON that is laid over the file's: objects are merged, null takes a member away, all
 * else replaces. NULL: none. Fails the test when a file or text does not read. */
const struct darwin_calls *darwin_double_open(const char *path, const char *changes);

/* A file as the double reads it: integers beyond 2^53 are texts. To json_free. */
struct json *darwin_double_read(const char *path);

/* Lay more changes over it: the machine goes on living. */
void darwin_double_change(const char *changes);

/* Fails the test when anything that was handed out has not come back. */
void darwin_double_close(void);

/* ---- how often things are read ---- */

void darwin_double_clock(int64_t now_ms); /* the time from now on */
unsigned darwin_double_reads(void);       /* all readings so far */
/* The first thing that was read twice within 1000 ms; NULL: none was. */
const char *darwin_double_too_soon(void);

#endif
