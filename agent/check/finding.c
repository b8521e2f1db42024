/* finding.c - see finding.h. */
#include "agent/check/finding.h"
#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/text.h"
#include "common/json/json.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PAGE_MAX 65536 /* FINDINGS_MAX findings with both texts at their limits are 13,000 */
#define INDENT 11      /* "  warning  " */
#define WIDTH_MIN 40   /* narrower pages are written as if they were that wide */

struct finding *finding_add(struct findings *f, const char *what, enum finding_grade grade,
                            const char *seen, ...)
{
    struct finding *item;
    char text[2 * sizeof item->seen];
    va_list args;

    assert(f->count < FINDINGS_MAX);
    item = &f->items[f->count < FINDINGS_MAX ? f->count++ : FINDINGS_MAX - 1];
    *item = (struct finding){.what = what, .grade = grade};
    va_start(args, seen);
    vsnprintf(text, sizeof text, seen, args);
    va_end(args);
    text_clean(item->seen, sizeof item->seen, text);
    return item;
}

void finding_todo(struct finding *f, const char *todo, ...)
{
    char text[2 * sizeof f->todo];
    va_list args;

    va_start(args, todo);
    vsnprintf(text, sizeof text, todo, args);
    va_end(args);
    text_clean(f->todo, sizeof f->todo, text);
}

enum finding_grade findings_worst(const struct findings *f)
{
    enum finding_grade worst = FINDING_OK;

    for (size_t i = 0; i < f->count; i++) {
        enum finding_grade grade = f->items[i].grade;

        if (grade == FINDING_FAIL || (grade == FINDING_WARN && worst == FINDING_OK))
            worst = grade;
    }
    return worst;
}

const char *finding_grade_name(enum finding_grade grade)
{
    static const char *const names[] = {"?", "ok", "warning", "wrong", "skipped"};

    return (unsigned)grade < sizeof names / sizeof names[0] ? names[grade] : names[0];
}

/* Words of the text, each line but the first indented; a word that is longer than a line stays
 * whole: it is a key or a path. */
static void add_wrapped(struct buf *b, const char *text, size_t width)
{
    size_t at = INDENT;

    while (*text) {
        size_t word = strcspn(text, " ");

        if (at > INDENT && at + 1 + word > width) {
            buf_addf(b, "\n%*s", INDENT, "");
            at = INDENT;
        } else if (at > INDENT) {
            buf_addc(b, ' ');
            at++;
        }
        buf_add(b, text, word);
        at += word;
        text += word;
        text += strspn(text, " ");
    }
    buf_addc(b, '\n');
}

char *findings_print(const struct findings *f, size_t width, struct err *err)
{
    struct buf b;
    char line[sizeof f->items[0].seen + 64];

    if (width < WIDTH_MIN)
        width = WIDTH_MIN;
    buf_init(&b, PAGE_MAX);
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *item = &f->items[i];

        snprintf(line, sizeof line, "%s: %s", item->what, item->seen);
        buf_addf(&b, "  %-*s", INDENT - 2, finding_grade_name(item->grade));
        add_wrapped(&b, line, width);
        if (item->todo[0]) {
            buf_addf(&b, "%*s", INDENT, "");
            add_wrapped(&b, item->todo, width);
        }
    }
    return buf_take(&b, NULL, err);
}

static int add_json(struct json *list, const struct finding *item)
{
    struct json *one = json_append_object(list);

    return one && json_set_text(one, "what", item->what) == 0 &&
                   json_set_text(one, "grade", finding_grade_name(item->grade)) == 0 &&
                   json_set_text(one, "seen", item->seen) == 0 &&
                   (!item->todo[0] || json_set_text(one, "todo", item->todo) == 0)
               ? 0
               : -1;
}

char *findings_json(const struct findings *f, struct err *err)
{
    struct json *doc = json_object(), *list = doc ? json_set_array(doc, "findings") : NULL;
    char *text = NULL;
    bool made = list != NULL;

    for (size_t i = 0; made && i < f->count; i++)
        made = add_json(list, &f->items[i]) == 0;
    if (made && json_set_text(doc, "worst", finding_grade_name(findings_worst(f))) == 0)
        text = json_print(doc, true, err);
    else
        err_set(err, ERR_NOMEM, "findings");
    json_free(doc);
    return text;
}
