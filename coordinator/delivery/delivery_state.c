/* delivery_state.c - what an event does in a state, as a table.
 *
 * Reading a row: an agent's word moves a delivery forward, also over states that were never seen (a
 * report may be late). It never moves it back. A final state stays, but for two cases: a delivery
 * that expired while it was on its way is received after all, and a command that failed may be run
 * again where the agent's own settings say so, which only a newer report may tell. */
#include "coordinator/delivery/delivery.h"

#include <assert.h>

enum { KEEP = 0 };
#define IF_NEWER 0x100 /* only when the agent's time of it is after the last one */

#define P DELIVERY_STATE_PENDING
#define S DELIVERY_STATE_SENT
#define R DELIVERY_STATE_RECEIVED
#define A DELIVERY_STATE_APPLIED
#define U DELIVERY_STATE_RUNNING
#define D DELIVERY_STATE_DONE
#define F DELIVERY_STATE_FAILED
#define N DELIVERY_STATE_REFUSED
#define O DELIVERY_STATE_SUPERSEDED
#define C DELIVERY_STATE_CANCELLED
#define E DELIVERY_STATE_EXPIRED
#define K KEEP
#define UN (IF_NEWER | DELIVERY_STATE_RUNNING)
#define DN (IF_NEWER | DELIVERY_STATE_DONE)

/* clang-format off */
static const int table[DELIVERY_STATE_EXPIRED + 1][DELIVERY_EVENTS] = {
    /*        sent received applied running done failed refused superseded cancelled expired */
    [P] = {   S,   R,       A,      U,      D,   F,     N,      O,         C,        E },
    [S] = {   K,   R,       A,      U,      D,   F,     N,      O,         C,        E },
    [R] = {   K,   K,       A,      U,      D,   F,     N,      O,         C,        K },
    [A] = {   K,   K,       K,      U,      D,   F,     N,      O,         C,        K },
    [U] = {   K,   K,       K,      K,      D,   F,     K,      O,         C,        K },
    [D] = {   K,   K,       K,      K,      K,   K,     K,      K,         K,        K },
    [F] = {   K,   K,       K,      UN,     DN,  K,     K,      K,         K,        K },
    [N] = {   K,   K,       K,      K,      K,   K,     K,      K,         K,        K },
    [O] = {   K,   K,       K,      K,      K,   K,     K,      K,         K,        K },
    [C] = {   K,   K,       K,      K,      K,   K,     K,      K,         K,        K },
    [E] = {   K,   R,       A,      U,      D,   F,     N,      O,         C,        K },
};
/* clang-format on */

enum delivery_state delivery_next(enum delivery_state state, enum delivery_event event, bool newer)
{
    int next;

    assert(state >= P && state <= E && event < DELIVERY_EVENTS);
    next = table[state][event];
    if (next == KEEP || ((next & IF_NEWER) && !newer))
        return state;
    return (enum delivery_state)(next & ~IF_NEWER);
}

bool delivery_is_final(enum delivery_state state)
{
    return state >= DELIVERY_STATE_DONE;
}
