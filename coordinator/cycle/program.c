/* program.c - a signature, and what an optimiser found for it. */
#include "coordinator/cycle/program.h"

#include "common/core/err.h"
#include "common/core/log.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/signature.h"

#include <string.h>

static void log_notes(const char *file, const struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        log_warn(NULL, "%s: %s", file, notes->items[i]);
}

static int apply(struct program *p, const struct signature *sig, const char *file, struct err *err)
{
    struct program_state *state = program_state_load(file, err);
    const struct state_predictor *only;
    int rc = -1;

    if (!state)
        return -1;
    if (!(only = program_state_only(state, err)) ||
        program_state_apply(only, sig, false, &p->applied, err) < 0) {
        err_prefix(err, "%s", file);
    } else {
        log_notes(file, &state->notes);
        log_notes(file, &p->applied.notes);
        log_info(NULL, "%s: %zu changes to the words of %s, %zu examples", file,
                 p->applied.changes_count, sig->name, p->applied.demos_count);
        rc = 0;
    }
    program_state_free(state);
    return rc;
}

int program_open(struct program *p, const struct catalog *catalog, const char *name,
                 const char *state_file, struct err *err)
{
    const struct signature *base = catalog_find(catalog, name);
    struct signature *sig;

    memset(p, 0, sizeof *p);
    if (!base)
        return err_set(err, ERR_NOT_FOUND, "no signature %s", name);
    if (!(sig = signature_derive(base, SIGNATURE_TYPED | SIGNATURE_CHAIN_OF_THOUGHT, err)))
        return -1;
    if (state_file) {
        int rc = apply(p, sig, state_file, err);

        signature_free(sig);
        if (rc < 0)
            return -1;
    } else {
        p->applied.sig = sig;
    }
    p->sig = p->applied.sig;
    p->demos = p->applied.demos;
    p->demos_count = p->applied.demos_count;
    return 0;
}

void program_close(struct program *p)
{
    state_application_clear(&p->applied);
    memset(p, 0, sizeof *p);
}
