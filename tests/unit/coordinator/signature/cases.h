/* cases.h - what the tests of this room share. */
#ifndef TESTS_SIGNATURE_CASES_H
#define TESTS_SIGNATURE_CASES_H

#include "common/core/err.h"
#include "coordinator/signature/catalog.h"
#include "coordinator/signature/framing.h"
#include "coordinator/signature/notes.h"
#include "coordinator/signature/signature.h"

#include <stdbool.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* A framing of letters: what a prompt has beside them is the layout's own. */
static const char plain_framing[] __attribute__((unused)) =
    "{\"inputs_heading\": \"I\", \"outputs_heading\": \"O\", \"constraints_label\": \"C: \","
    " \"structure_heading\": \"S\", \"json_inputs_heading\": \"JI\","
    " \"json_outputs_heading\": \"JO\", \"objective_heading\": \"T\", \"note_lead\": \"#\","
    " \"note_bool\": \"b\", \"note_number\": \"a {type}!\", \"note_enum\": \"e\","
    " \"note_literal\": \"l\", \"note_schema\": \"s\", \"reminder_lead\": \"R\","
    " \"reminder_type\": \"({type})\", \"reminder_end\": \".\", \"json_reminder\": \"JR\","
    " \"demo_incomplete\": \"D\", \"demo_missing\": \"M \", \"schema_form\": \"short\","
    " \"turn_form\": \"bare\"}";

/* The federated signature as plans ask it, and the built-in framing. */
struct asked {
    struct catalog *catalog;
    struct framing *framing;
    struct signature *federated, *pipeline, *text; /* text: federated, DSPy's Predict */
};

static inline int asked_setup(void **state)
{
    static struct asked a;
    const unsigned both = SIGNATURE_TYPED | SIGNATURE_CHAIN_OF_THOUGHT;
    struct err err = {0};

    if (!(a.catalog = catalog_new(&err)) || !(a.framing = framing_builtin(&err)))
        return -1;
    a.federated = signature_derive(catalog_find(a.catalog, "FederatedLearning"), both, &err);
    a.pipeline = signature_derive(catalog_find(a.catalog, "MLPipelineOptimization"), both, &err);
    a.text = signature_derive(catalog_find(a.catalog, "FederatedLearning"), 0, &err);
    *state = &a;
    return a.federated && a.pipeline && a.text ? 0 : -1;
}

static inline int asked_teardown(void **state)
{
    struct asked *a = *state;

    signature_free(a->federated);
    signature_free(a->pipeline);
    signature_free(a->text);
    framing_free(a->framing);
    catalog_free(a->catalog);
    return 0;
}

static inline bool notes_have(const struct notes *n, const char *part)
{
    for (size_t i = 0; i < n->count; i++)
        if (strstr(n->items[i], part))
            return true;
    return false;
}

static inline void notes_print(const struct notes *n)
{
    for (size_t i = 0; i < n->count; i++)
        print_message("note: %s\n", n->items[i]);
}

#endif
