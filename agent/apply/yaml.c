/* yaml.c - see yaml.h. */
#include "agent/apply/yaml.h"
#include "common/core/buf.h"
#include "common/core/num.h"
#include "common/core/text.h"

#include <inttypes.h>
#include <string.h>

/* The code point of a well-formed character of `len` bytes. */
static uint32_t code_point(const char *p, size_t len)
{
    const unsigned char *u = (const unsigned char *)p;
    uint32_t code = len == 1 ? u[0] : u[0] & (0x7f >> len);

    for (size_t i = 1; i < len; i++)
        code = code << 6 | (u[i] & 0x3f);
    return code;
}

void yaml_text(struct buf *b, const char *text)
{
    size_t left = strlen(text), len;

    buf_addc(b, '"');
    for (const char *p = text; left > 0; p += len, left -= len) {
        uint32_t code = 0xfffd; /* a byte that is no UTF-8: replaced, as records hold none */

        if ((len = text_utf8_len(p, left)) > 0)
            code = code_point(p, len);
        else
            len = 1;
        if (code == '"' || code == '\\')
            buf_addf(b, "\\%c", (int)code);
        else if (code >= 0x20 && code < 0x7f)
            buf_addc(b, (char)code);
        else if (code > 0xffff)
            buf_addf(b, "\\U%08" PRIX32, code);
        else
            buf_addf(b, "\\u%04" PRIX32, code);
    }
    buf_addc(b, '"');
}

void yaml_f64(struct buf *b, double value)
{
    char text[NUM_F64_TEXT_MAX];
    size_t mantissa = strcspn(num_format_f64(value, text), "eE");

    buf_add(b, text, mantissa);
    if (!memchr(text, '.', mantissa))
        buf_adds(b, ".0");
    if (text[mantissa]) {
        const char *exponent = text + mantissa + 1;

        buf_addc(b, 'e');
        if (*exponent != '-' && *exponent != '+')
            buf_addc(b, '+');
        buf_adds(b, exponent);
    }
}

void yaml_i64(struct buf *b, int64_t value)
{
    buf_addf(b, "%" PRId64, value);
}

void yaml_bool(struct buf *b, bool value)
{
    buf_adds(b, value ? "true" : "false");
}
