/* test_table.c - columns that fit the page, and pages that no stranger's text can spoil. */
#include "common/core/err.h"
#include "common/core/mem.h"
#include "coordinator/cli/format.h"
#include "coordinator/cli/page.h"
#include "coordinator/cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct column columns[] = {
    {.title = "client", .most = 12},
    {.title = "memory", .right = true},
    {.title = "seq", .right = true, .keep = 1},
    {.title = "state", .keep = 2},
};

static void add(struct table *t, const char *name, const char *memory, const char *seq,
                const char *state)
{
    table_cell(t, STYLE_PLAIN, "%s", name);
    table_cell(t, STYLE_PLAIN, "%s", memory);
    table_cell(t, STYLE_PLAIN, "%s", seq);
    table_cell(t, STYLE_GOOD, "%s", state);
    table_row(t);
}

static void assert_page(struct page *p, const char *wanted)
{
    assert_false(p->text.failed);
    assert_string_equal(p->text.data ? p->text.data : "", wanted);
    page_clear(p);
}

static void rows_stand_in_columns(void **state)
{
    struct table *t = table_new(columns, 4);
    struct page p;
    char *hidden;

    (void)state;
    page_init(&p, 80, false);
    add(t, "mac-1", "8 GB", "512", "applied");
    add(t, "Ren\xc3\xa9s Mac", "192 GB", "1024", "sent");
    table_print(t, &p);
    assert_page(&p, "client     memory   seq  state\n"
                    "mac-1        8 GB   512  applied\n"
                    "Ren\xc3\xa9s Mac  192 GB  1024  sent\n");
    hidden = table_hidden(t);
    assert_string_equal(hidden, "");
    mem_free(hidden);
    table_free(t);
}

/* A long list goes out in pieces: one header, widths that stay. */
static void later_rows_keep_the_widths(void **state)
{
    struct table *t = table_new(columns, 4);
    struct page p;

    (void)state;
    page_init(&p, 80, false);
    add(t, "mac-number-1", "8 GB", "512", "applied");
    table_print(t, &p);
    page_clear(&p);
    add(t, "m", "8 GB", "512", "sent");
    table_print(t, &p);
    assert_page(&p, "m               8 GB  512  sent\n");
    table_print(t, &p); /* nothing more */
    assert_page(&p, "");
    table_free(t);
}

static void narrow_pages_drop_columns_then_cut_texts(void **state)
{
    static const struct column wide[] = {{.title = "client"},
                                         {.title = "key", .whole = true},
                                         {.title = "a", .keep = 1},
                                         {.title = "b", .keep = 2}};
    struct table *t = table_new(wide, 4);
    struct page p;
    char *hidden;

    (void)state;
    page_init(&p, 40, false);
    table_cell(t, STYLE_PLAIN, "a client with a very long name indeed");
    table_cell(t, STYLE_PLAIN, "0123456789012345");
    table_cell(t, STYLE_PLAIN, "first to go");
    table_cell(t, STYLE_PLAIN, "second to go");
    table_row(t);
    table_print(t, &p);
    assert_page(&p, "client            key\n"
                    "a client with...  0123456789012345\n");
    table_cell(t, STYLE_PLAIN, "x");
    table_cell(t, STYLE_PLAIN, "%030d", 7); /* so wide that texts are cut further */
    table_row(t);
    table_print(t, &p);
    assert_page(&p, "x         000000000000000000000000000007\n");
    hidden = table_hidden(t);
    assert_string_equal(hidden, "a, b");
    mem_free(hidden);
    table_free(t);
}

static void a_span_wraps_beneath_itself(void **state)
{
    struct table *t = table_new(columns, 4);
    struct page p;

    (void)state;
    page_init(&p, 50, false);
    add(t, "mac-1", "8 GB", "512", "applied");
    table_cell(t, STYLE_PLAIN, "mac-2");
    table_span(t, STYLE_PLAIN, "left out: no Metal device; rules.allow_cpu would let it in");
    table_row(t);
    add(t, "mac-3", "8 GB", "512", "applied");
    table_print(t, &p);
    assert_page(&p, "client  memory  seq  state\n"
                    "mac-1     8 GB  512  applied\n"
                    "mac-2   left out: no Metal device; rules.allow_cpu\n"
                    "        would let it in\n"
                    "mac-3     8 GB  512  applied\n");
    table_free(t);
}

static void cells_too_many_or_too_few(void **state)
{
    struct table *t = table_new(columns, 1);
    struct page p;

    (void)state;
    page_init(&p, 80, false);
    table_cell(t, STYLE_PLAIN, "one");
    table_cell(t, STYLE_PLAIN, "no column for it");
    table_span(t, STYLE_PLAIN, "nor for this");
    table_row(t);
    table_row(t); /* an empty row */
    table_print(t, &p);
    assert_page(&p, "client\none\n\n");
    table_free(t);
    table_free(NULL);
    table_cell(NULL, STYLE_PLAIN, "x");
    table_row(NULL);
    table_print(NULL, &p); /* what table_new gives without memory */
    assert_true(p.text.failed);
    page_clear(&p);
}

/* Escape sequences, line breaks, bidirectional overrides and bytes that are no text. */
static void strangers_cannot_reach_the_terminal(void **state)
{
    static const char evil[] = "mac\033[2J\033]0;owned\a\r\nfake\xe2\x80\xae\xff";
    struct table *t = table_new(columns, 4);
    struct page p;

    (void)state;
    page_init(&p, 80, true);
    add(t, evil, evil, evil, evil);
    table_print(t, &p);
    page_line(&p, STYLE_PLAIN, "%s", evil);
    page_wrap(&p, 2, STYLE_PLAIN, "%s", evil);
    page_pair(&p, evil, "%s", evil);
    page_prose(&p, 2, evil);
    page_flow(&p, 0, evil);
    for (size_t i = 0; i < p.text.len; i++) {
        unsigned char c = (unsigned char)p.text.data[i];

        if (c == 033) { /* ours alone: colours */
            assert_int_equal(p.text.data[i + 1], '[');
            i += 1 + strspn(p.text.data + i + 2, "0123456789");
            assert_int_equal(p.text.data[i + 1], 'm');
        } else {
            assert_true(c == '\n' || c >= 0x20);
            assert_int_not_equal(c, 0xff);
        }
    }
    assert_null(strstr(p.text.data, "\xe2\x80\xae"));
    page_clear(&p);
    table_free(t);
}

static void pages_wrap_words(void **state)
{
    struct page p;

    (void)state;
    page_init(&p, 1, false); /* narrower than a page may be */
    assert_int_equal(p.width, PAGE_WIDTH_MIN);
    page_blank(&p); /* not at the top */
    page_wrap(&p, 4, STYLE_PLAIN, "one two three four five six seven eight nine ten");
    page_blank(&p);
    page_blank(&p); /* once is enough */
    page_pair(&p, "label", "one two three four five six seven eight");
    page_pair(&p, "a label that is too long", "value");
    page_wrap(&p, 0, STYLE_PLAIN, "0123456789012345678901234567890123456789abc");
    page_prose(&p, 2, "first\n\n\tsecond");
    assert_page(&p, "    one two three four five six seven\n"
                    "    eight nine ten\n"
                    "\n"
                    "  label         one two three four five\n"
                    "                six seven eight\n"
                    "  a label that is too long value\n"
                    "0123456789012345678901234567890123456789\n"
                    "abc\n"
                    "  first\n"
                    "\n"
                    "      second\n");
}

static void lost_memory_is_reported(void **state)
{
    struct err err;
    int nth = 0, rc;

    (void)state;
    do {
        struct table *t;
        struct page p;

        memset(&err, 0, sizeof err);
        page_init(&p, 60, true);
        mem_fail_at((unsigned)++nth);
        t = table_new(columns, 4);
        add(t, "mac-1 with a name", "8 GB", "512", "applied");
        table_cell(t, STYLE_PLAIN, "mac-2");
        table_span(t, STYLE_PLAIN, "left out");
        table_row(t);
        table_print(t, &p);
        page_pair(&p, "a", "b");
        page_wrap(&p, 0, STYLE_PLAIN, "c");
        page_prose(&p, 0, "d\ne");
        page_flow(&p, 0, "f");
        mem_fail_at(0);
        table_free(t);
        rc = p.text.failed ? page_write(&p, NULL, &err) : 0;
        if (rc < 0)
            assert_int_equal(err.code, ERR_NOMEM);
        page_clear(&p);
    } while (rc < 0 && nth < 1000);
    assert_in_range(nth, 10, 999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_stand_in_columns),
        cmocka_unit_test(later_rows_keep_the_widths),
        cmocka_unit_test(narrow_pages_drop_columns_then_cut_texts),
        cmocka_unit_test(a_span_wraps_beneath_itself),
        cmocka_unit_test(cells_too_many_or_too_few),
        cmocka_unit_test(strangers_cannot_reach_the_terminal),
        cmocka_unit_test(pages_wrap_words),
        cmocka_unit_test(lost_memory_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
