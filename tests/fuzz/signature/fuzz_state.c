/* A saved program: taken apart, and each predictor held against signatures of several shapes. What
 * was applied must print to a state that reads back with as many demos, and render as examples in
 * either layout, which no text in them may break out of. */
#include "common/core/mem.h"
#include "common/core/text.h"
#include "coordinator/signature/chat.h"
#include "coordinator/signature/framing.h"
#include "coordinator/signature/json_layout.h"
#include "coordinator/signature/program_state.h"
#include "coordinator/signature/signature.h"
#include "coordinator/signature/string_form.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const lines[] = {
    "question -> answer",
    "question, k: int -> reasoning, score: float",
    "a: dict[str, Any] -> b: list[str], c: Optional[bool], d: Literal['x', 3]",
    "question -> reasoning, answer",
};
#define LINES (sizeof lines / sizeof lines[0])

static struct signature *signatures[LINES];
static struct framing *framing;

static void check_notes(const struct notes *n)
{
    for (size_t i = 0; i < n->count; i++)
        if (!text_utf8_valid(n->items[i], strlen(n->items[i])) || strchr(n->items[i], '\n'))
            abort();
}

static void print_and_read(const struct state_application *a)
{
    struct state_export e = {"p", a->sig, a->demos, a->demos_count};
    char *text = program_state_print(&e, 1, NULL, NULL);
    struct program_state *s;

    if (!text || !(s = program_state_read("x", text, strlen(text), NULL)) || s->count != 1 ||
        s->predictors[0].demos_count != a->demos_count)
        abort();
    mem_free(text);
    program_state_free(s);
}

/* Each message of an example has a marker for each field that it shows, and no other. */
static void check_markers(const struct signature *sig, const struct prompt *p)
{
    for (size_t i = 1; i < p->count; i++) {
        size_t markers = 0;

        for (const char *at = p->messages[i].text; (at = strstr(at, "[[ ##")); at++)
            markers++;
        if (markers > 2 * (sig->inputs + sig->outputs) + 2)
            abort();
    }
}

static void render(const struct state_application *a)
{
    const struct prompt_content content = {.demos = a->demos, .demos_count = a->demos_count};
    struct prompt p;

    if (!framing && !(framing = framing_builtin(NULL)))
        abort();
    if (chat_render(a->sig, framing, &content, &p, NULL) == 0) {
        check_markers(a->sig, &p);
        prompt_clear(&p);
    } else if (a->demos_count < PROMPT_MESSAGES_MAX / 2 - 1) {
        abort(); /* what was read strictly renders */
    }
    if (json_layout_render(a->sig, framing, &content, &p, NULL) == 0)
        prompt_clear(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct program_state *s;

    for (size_t i = 0; i < LINES && !signatures[i]; i++)
        signatures[i] = string_form_read(NULL, lines[i], strlen(lines[i]), NULL, NULL);
    if (!(s = program_state_read("x", (const char *)data, size, NULL)))
        return 0;
    check_notes(&s->notes);
    for (size_t i = 0; i < s->count && i < 8; i++)
        for (size_t k = 0; k < 2 * LINES; k++) {
            struct state_application a;

            if (program_state_apply(&s->predictors[i], signatures[k / 2], k % 2, &a, NULL) < 0)
                continue;
            check_notes(&a.notes);
            print_and_read(&a);
            render(&a);
            state_application_clear(&a);
        }
    program_state_free(s);
    return 0;
}
