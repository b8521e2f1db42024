/* prefix.c - a name cut into words: in front of capitals, around digits, at each _.
 *
 * Three passes over the text, as DSPy makes three substitutions; each looks at what the one before
 * left. */
#include "coordinator/signature/prefix.h"

#include "common/core/buf.h"
#include "common/core/err.h"
#include "common/core/limits.h"
#include "common/core/mem.h"
#include "coordinator/signature/signature.h"

#include <string.h>

/* Three passes add at most a _ in front of each byte, and each _ becomes one blank. */
#define PREFIX_TEXT_MAX (4 * ID_TEXT_MAX + 16)

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return is_upper(c) || is_lower(c);
}

/* Whether a word begins at p, seen from the pass: the text goes on to a NUL, and there is a
 * character before. `free` is false where the pass already used that character. */
static bool word_begins(int pass, const char *p, bool free)
{
    switch (pass) {
    case 0: /* a capital that small letters follow */
        return free && is_upper(p[0]) && is_lower(p[1]);
    case 1: /* a capital after a small letter or digit */
        return (is_lower(p[-1]) || is_digit(p[-1])) && is_upper(p[0]);
    default: /* between letters and digits */
        return (is_letter(p[-1]) && is_digit(p[0])) || (is_digit(p[-1]) && is_letter(p[0]));
    }
}

static int split(char *text, int pass)
{
    char in[PREFIX_TEXT_MAX];
    size_t len = strlen(text), out = 0, used = 0; /* used: up to where this pass has matched */

    memcpy(in, text, len + 1);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && word_begins(pass, in + i, i - 1 >= used)) {
            text[out++] = '_';
            used = i + 1;
            while (pass == 0 && is_lower(in[used]))
                used++;
        }
        text[out++] = in[i];
        if (out + 2 >= PREFIX_TEXT_MAX)
            return -1;
    }
    text[out] = '\0';
    return 0;
}

/* All capitals stay; any other word gets one capital and small letters. */
static void capitalise(char *word, size_t len)
{
    bool upper = false, lower = false;

    for (size_t i = 0; i < len; i++) {
        upper |= is_upper(word[i]);
        lower |= is_lower(word[i]) || (unsigned char)word[i] >= 0x80;
    }
    if (upper && !lower)
        return;
    for (size_t i = 0; i < len; i++)
        if (i == 0 && is_lower(word[i]))
            word[i] = (char)(word[i] - 'a' + 'A');
        else if (i > 0 && is_upper(word[i]))
            word[i] = (char)(word[i] - 'A' + 'a');
}

/* Into `out`, of PREFIX_TEXT_MAX bytes. */
static int infer(const char *name, char *out)
{
    size_t start = 0;

    if (strlen(name) > ID_TEXT_MAX)
        return -1;
    memcpy(out, name, strlen(name) + 1);
    for (int pass = 0; pass < 3; pass++)
        if (split(out, pass) < 0)
            return -1;
    for (size_t i = 0;; i++) {
        if (out[i] && out[i] != '_')
            continue;
        capitalise(out + start, i - start);
        if (!out[i])
            return 0;
        out[i] = ' ';
        start = i + 1;
    }
}

char *prefix_infer(const char *name, struct err *err)
{
    char text[PREFIX_TEXT_MAX], *copy;

    if (!name || infer(name, text) < 0) {
        err_set(err, ERR_TOO_BIG, "a name of more than %d bytes", ID_TEXT_MAX);
        return NULL;
    }
    if (!(copy = mem_strdup(text)))
        err_set(err, ERR_NOMEM, "prefix of %s", name);
    return copy;
}

char *prefix_of(const struct signature_field *f, struct err *err)
{
    char text[PREFIX_TEXT_MAX];
    struct buf b;

    buf_init(&b, TEXT_MAX);
    if (f->prefix)
        buf_adds(&b, f->prefix);
    else if (infer(f->name, text) == 0)
        buf_addf(&b, "%s:", text);
    return buf_take(&b, NULL, err);
}

bool prefix_is_inferred(const char *name, const char *prefix)
{
    char text[PREFIX_TEXT_MAX];
    size_t len;

    if (infer(name, text) < 0)
        return false;
    len = strlen(text);
    return strncmp(prefix, text, len) == 0 && strcmp(prefix + len, ":") == 0;
}
