#include "common/core/mem.h"
#include "tests/unit/coordinator/signature/cases.h"

static void a_note_is_one_clean_line(void **state)
{
    struct notes n = {0};

    (void)state;
    note_add(&n, "%s: %s", "rank", "a\nb\033[31mred");
    assert_int_equal(n.count, 1);
    assert_null(strchr(n.items[0], '\n'));
    assert_null(strchr(n.items[0], '\033'));
    assert_memory_equal(n.items[0], "rank: a", 7);
    assert_int_equal(notes_ok(&n, NULL), 0);
    notes_clear(&n);
    assert_int_equal(n.count, 0);
    notes_clear(&n); /* twice */
    note_add(NULL, "nobody wants to know");
}

static void notes_are_bounded(void **state)
{
    struct notes n = {0};
    char longer[3 * NOTE_TEXT_MAX];

    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    for (int i = 0; i < NOTES_MAX + 3; i++)
        note_add(&n, "%s", longer);
    assert_int_equal(n.count, NOTES_MAX);
    assert_int_equal(n.left_off, 3);
    assert_int_equal(strlen(n.items[0]), NOTE_TEXT_MAX);
    notes_clear(&n);
}

static void lost_memory_is_said_once(void **state)
{
    struct err err = {0};

    (void)state;
    for (unsigned nth = 1; nth <= 2; nth++) {
        struct notes n = {0};

        mem_fail_at(nth);
        note_add(&n, "lost");
        mem_fail_at(0);
        assert_int_equal(n.count, 0);
        assert_int_equal(notes_ok(&n, &err), -1);
        assert_int_equal(err.code, ERR_NOMEM);
        notes_clear(&n);
    }
}

static void a_quote_is_short_and_whole(void **state)
{
    char out[NOTE_QUOTE_MAX + 4], longer[200];

    (void)state;
    assert_string_equal(note_quote(out, "short", 5), "short");
    assert_string_equal(note_quote(out, NULL, 0), "");
    assert_string_equal(note_quote(out, "a\0b", 3), "a?b");
    for (int i = 0; i < 99; i++)
        memcpy(longer + 2 * i, "\xc3\xa9", 2); /* é */
    note_quote(out, longer, 198);
    assert_int_equal(strlen(out), NOTE_QUOTE_MAX + 3);
    assert_string_equal(out + NOTE_QUOTE_MAX - 2, "\xc3\xa9...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_is_one_clean_line),
        cmocka_unit_test(notes_are_bounded),
        cmocka_unit_test(lost_memory_is_said_once),
        cmocka_unit_test(a_quote_is_short_and_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
