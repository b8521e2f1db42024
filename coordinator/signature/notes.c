/* notes.c - a bounded list of sentences. */
#include "coordinator/signature/notes.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void note_add(struct notes *n, const char *fmt, ...)
{
    char raw[2 * NOTE_TEXT_MAX], clean[NOTE_TEXT_MAX + 1];
    char *copy, **items;
    va_list args;

    if (!n)
        return;
    if (n->count == NOTES_MAX) {
        n->left_off++;
        return;
    }
    va_start(args, fmt);
    vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    text_clean(clean, sizeof clean, raw);
    copy = mem_strdup(clean);
    items = copy ? mem_realloc_array(n->items, n->count + 1, sizeof *items) : NULL;
    if (!items) {
        mem_free(copy);
        n->no_memory = true;
        return;
    }
    n->items = items;
    n->items[n->count++] = copy;
}

int notes_ok(const struct notes *n, struct err *err)
{
    if (n && n->no_memory)
        return err_set(err, ERR_NOMEM, "notes");
    return 0;
}

void notes_clear(struct notes *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->count; i++)
        mem_free(n->items[i]);
    mem_free(n->items);
    memset(n, 0, sizeof *n);
}

char *note_quote(char out[NOTE_QUOTE_MAX + 4], const char *text, size_t len)
{
    char part[NOTE_QUOTE_MAX + 1];
    size_t n = len < NOTE_QUOTE_MAX ? len : NOTE_QUOTE_MAX;

    if (n < len && text_utf8_fit(text, len, n) > 0)
        n = text_utf8_fit(text, len, n);
    if (n > 0)
        memcpy(part, text, n);
    part[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (part[i] == '\0')
            part[i] = '?';
    text_clean(out, NOTE_QUOTE_MAX + 1, part);
    if (n < len)
        memcpy(out + strlen(out), "...", sizeof "...");
    return out;
}
