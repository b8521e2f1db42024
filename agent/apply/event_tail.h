/* event_tail.h - the events file of one run, line by line, each sent once and none forgotten.
 *
 * The file belongs to the command, which may write half a line, garbage, or a line without end. A
 * line counts when its newline is there (the last one also without, once the command has ended).
 * Its number is its Measurement's sequence. Lines are handed out in order, at most
 * EVENT_TAIL_WINDOW unsettled at a time; the position up to which all are settled is kept on disk,
 * so that a restart goes on from there: what was under way is sent again, under the same numbers,
 * which the coordinator knows. */
#ifndef AGENT_APPLY_EVENT_TAIL_H
#define AGENT_APPLY_EVENT_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct event_tail;
struct measurement;

#define EVENT_TAIL_WINDOW 128 /* unsettled lines: twice what the link has under way */
#define EVENT_FILE_MAX (256LL * 1024 * 1024) /* bytes read of one run: 600,000 events */

struct event_counts {
    int64_t lines;    /* complete ones read */
    int64_t garbage;  /* of these: no JSON object */
    int64_t oversize; /* of these: longer than EVENT_LINE_MAX */
};

/* `folder` is the plan's; the position there is read, and is the start where there is none. The
 * file need not exist yet. */
struct event_tail *event_tail_new(const char *folder, struct err *err);
void event_tail_free(struct event_tail *t); /* NULL is fine; does not save */

/* Read on. *out is a measurement with its sequence, without the plan's ids, yours to
 * measurement_free; its time is now_wall_ms where the line has none. 1: there is one; 0: none now;
 * -1: the file cannot be read, or memory is out: try again later. `ended`: the command writes no
 * more. */
int event_tail_next(struct event_tail *t, bool ended, int64_t now_wall_ms, struct measurement **out,
                    struct err *err);

/* The coordinator has this line, or does not want it. */
void event_tail_settle(struct event_tail *t, int64_t sequence);

/* Keep the position on disk where it changed. */
int event_tail_save(struct event_tail *t, struct err *err);

/* Nothing left: all that is in the file now has been handed out and settled. */
bool event_tail_is_done(struct event_tail *t);

struct event_counts event_tail_counts(const struct event_tail *t);

/* End an unfinished last line, so that another run can write on. Nothing happens without a file. */
int event_file_close_line(const char *folder, struct err *err);

#endif
