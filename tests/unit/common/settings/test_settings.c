/* test_settings.c - one table drives flags, environment, file, help, sample and show. */
#include "common/settings/settings.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct demo {
    char *url;
    char *dir;
    char **command;
    int64_t port;
    int64_t size_bytes;
    int64_t wait_ms;
    double share;
    bool loud;
    int level;
    char *key;
};

static const char *const levels[] = {"low", "high", NULL};

static const struct setting rows[] = {
    SETTING_ROW(demo, url, .type = SETTING_TEXT, .max = 40, .group = "First",
                .help = "where to ask", .standard_help = "nobody is asked",
                .flags = SETTING_RELOADABLE),
    SETTING_ROW(demo, dir, .type = SETTING_PATH, .standard = "/tmp", .help = "where to write"),
    SETTING_ROW(demo, command, .type = SETTING_WORDS, .help = "what to run"),
    SETTING_ROW(demo, port, .type = SETTING_INT, .standard = "7", .min = 1, .max = 65535,
                .help = "port"),
    SETTING_ROW_AS(demo, size_bytes, "size", .type = SETTING_BYTES, .standard = "1GiB", .min = 0,
                   .max = 0x1p40, .help = "size"),
    SETTING_ROW_AS(demo, wait_ms, "wait", .type = SETTING_DURATION, .standard = "5s", .min = 100,
                   .max = 3600000, .help = "how long to wait", .flags = SETTING_RELOADABLE),
    SETTING_ROW(demo, share, .type = SETTING_F64, .standard = "0.5", .min = 0, .max = 1,
                .group = "Second", .help = "a share"),
    SETTING_ROW(demo, loud, .type = SETTING_BOOL, .standard = "no", .help = "say more"),
    SETTING_ROW(demo, level, .type = SETTING_CHOICE, .standard = "low", .choices = levels,
                .help = "how high"),
    SETTING_ROW(demo, key, .type = SETTING_TEXT, .help = "a secret",
                .flags = SETTING_SECRET | SETTING_NO_FLAG | SETTING_NO_FILE),
};

static int check(const void *values, struct err *err)
{
    const struct demo *d = values;

    return d->loud && d->level ? err_set(err, ERR_INVALID, "loud: not with level high") : 0;
}

static const struct settings_spec spec = {.program = "demo",
                                          .rows = rows,
                                          .count = sizeof rows / sizeof *rows,
                                          .size = sizeof(struct demo),
                                          .check = check};

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "settings-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/demo.conf", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return file_remove_tree(folder, NULL);
}

/* argv and env are lists of words, NULL at the end (argv without the program); file: its text,
 * NULL: none. */
static struct settings *load(char *const *argv, char *const *env, const char *file, struct err *err)
{
    char *words[32] = {(char *)(uintptr_t) "demo"};
    struct settings_input in = {1, words, env, file ? path : NULL};

    remove(path);
    if (file)
        assert_int_equal(file_write_atomic(path, 0600, file, strlen(file), NULL), 0);
    for (; argv && *argv; argv++)
        words[in.argc++] = *argv;
    memset(err, 0, sizeof *err);
    return settings_load(&spec, &in, err);
}

#define WORDS(...) ((char *const[]){__VA_ARGS__, NULL})

static void sources_override_each_other(void **unused)
{
    struct err err;
    struct settings *s =
        load(WORDS("--port", "3", "--loud", "word", "--wait=250ms", "--", "--port"),
             WORDS("ESPALIER_PORT=2", "ESPALIER_SIZE=2MiB", "ESPALIER_KEY=abc", "HOME=/home/anna",
                   "ESPALIER_OTHER=x", "ESPALIER_URL="),
             "# a comment\n"
             "port = 1\n"
             "  size = 3MB ; another\n"
             "url = http://x/y\n"
             "dir = ~/data\n"
             "command = run \"a b\"  c\n"
             "share = 0.25\r\n",
             &err);
    const struct demo *d;
    char *const *args;
    size_t count;

    (void)unused;
    assert_non_null(s);
    d = settings_values(s);
    assert_int_equal(d->port, 3);
    assert_int_equal(d->size_bytes, 2 << 20);
    assert_string_equal(d->url, "http://x/y"); /* an empty variable is none */
    assert_string_equal(d->dir, "/home/anna/data");
    assert_string_equal(d->command[0], "run");
    assert_string_equal(d->command[1], "a b");
    assert_string_equal(d->command[2], "c");
    assert_null(d->command[3]);
    assert_true(d->share == 0.25);
    assert_int_equal(d->wait_ms, 250);
    assert_true(d->loud);
    assert_int_equal(d->level, 0);
    assert_string_equal(d->key, "abc");
    assert_string_equal(settings_file(s), path);
    args = settings_args(s, &count);
    assert_int_equal(count, 2);
    assert_string_equal(args[0], "word");
    assert_string_equal(args[1], "--port");
    assert_null(args[2]);
    settings_free(s);
}

static void defaults_stand_alone(void **unused)
{
    struct err err;
    struct settings *s = load(NULL, NULL, NULL, &err);
    const struct demo *d = settings_values(s);

    (void)unused;
    assert_null(d->url);
    assert_string_equal(d->dir, "/tmp");
    assert_null(d->command);
    assert_int_equal(d->port, 7);
    assert_int_equal(d->size_bytes, 1 << 30);
    assert_int_equal(d->wait_ms, 5000);
    assert_null(settings_file(s));
    assert_false(settings_wants_help(s) || settings_wants_version(s));
    settings_free(s);
    settings_free(NULL);
}

struct refusal {
    const char *argv[4];
    const char *env;
    const char *file;
    const char *says; /* part of the error */
};

static void what_is_wrong_is_named(void **unused)
{
    static const struct refusal cases[] = {
        {{"--port", "0"}, NULL, NULL, "--port: port"},
        {{"--port", "65536"}, NULL, NULL, "65536"},
        {{"--port", "x"}, NULL, NULL, "\"x\""},
        {{"--port"}, NULL, NULL, "--port: wanted a value"},
        {{"--prot", "1"}, NULL, NULL, "unknown flag --prot"},
        {{"-p"}, NULL, NULL, "unknown flag -p"},
        {{"--key", "abc"}, NULL, NULL, "use ESPALIER_KEY"},
        {{"--loud=maybe"}, NULL, NULL, "wanted yes or no"},
        {{"--level=mid"}, NULL, NULL, "one of low, high"},
        {{"--share", "1.5"}, NULL, NULL, "share"},
        {{"--share", "nan"}, NULL, NULL, "share"},
        {{"--wait", "5"}, NULL, NULL, "wait"},
        {{"--wait", "50ms"}, NULL, NULL, "100ms"},
        {{"--size", "-1"}, NULL, NULL, "size"},
        {{"--url", "12345678901234567890123456789012345678901"}, NULL, NULL, "at most 40 bytes"},
        {{"--url", "a\nb"}, NULL, NULL, "control characters"},
        {{"--url", "\xff"}, NULL, NULL, "UTF-8"},
        {{"--command", "run \"x"}, NULL, NULL, "a quote at the end"},
        {{"--dir", "~/x"}, NULL, NULL, "HOME is not set"},
        {{"--loud", "--level", "high"}, NULL, NULL, "not with level"},
        {{"--config", "/nonexistent/x.conf"}, NULL, NULL, "/nonexistent/x.conf"},
        {{"--config"}, NULL, NULL, "--config: wanted a file"},
        {{NULL}, "ESPALIER_PORT=-4", NULL, "ESPALIER_PORT: port"},
        {{NULL}, "ESPALIER_CONFIG=/nonexistent/y.conf", NULL, "y.conf"},
        {{NULL}, NULL, "port = 1\nprot = 2\n", "demo.conf:2: unknown setting \"prot\""},
        {{NULL}, NULL, "port = 1\n\nport = 2\n", "demo.conf:3: port is set twice, first in"},
        {{NULL}, NULL, "# x\nport = many\n", "demo.conf:2: port"},
        {{"--port", "5"}, NULL, "port = many\n", "demo.conf:1: port"}, /* also where a flag wins */
        {{NULL}, NULL, "just words\n", "demo.conf:1: wanted NAME = VALUE"},
        {{NULL}, NULL, "port = 1\n[other]\nwait = 5s\n", "demo.conf:3: section [other]"},
        {{NULL}, NULL, "key = abc\n", "demo.conf:1: key cannot be set in a file"},
        {{NULL}, NULL, "config = x\n", "unknown setting \"config\""},
        {{NULL}, NULL, "port =\n", "demo.conf:1: port"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct refusal *c = &cases[i];
        char *env[2] = {(char *)(uintptr_t)c->env, NULL};
        struct err err;

        assert_null(load((char *const *)(uintptr_t)c->argv, env, c->file, &err));
        if (!strstr(err.text, c->says))
            fail_msg("case %zu says \"%s\", wanted \"%s\"", i, err.text, c->says);
    }
}

static void a_long_line_is_refused_whole(void **unused)
{
    char text[1200];
    struct err err;

    (void)unused;
    memset(text, 'a', sizeof text);
    memcpy(text, "port = 2\ndir = /", 16);
    memcpy(text + sizeof text - 11, "\nwait = 9s", 11);
    assert_null(load(NULL, NULL, text, &err));
    assert_non_null(strstr(err.text, "demo.conf:2: a line of"));
}

static void secrets_are_never_shown(void **unused)
{
    char longer[5000];
    struct err err;
    struct settings *s = load(NULL, WORDS("ESPALIER_KEY=hunter2"), NULL, &err);
    char *shown = settings_show(s, NULL), *help = settings_help(&spec, NULL), *value;

    (void)unused;
    assert_null(strstr(shown, "hunter2"));
    assert_non_null(strstr(shown, "key = (set)"));
    assert_non_null(strstr(shown, "# ESPALIER_KEY"));
    assert_null(strstr(help, "--key"));
    assert_non_null(strstr(help, "ESPALIER_KEY"));
    assert_int_equal(settings_value(s, 9, &value, NULL, NULL, NULL), 0);
    assert_string_equal(value, "(set)");
    mem_free(value);
    mem_free(shown);
    mem_free(help);
    settings_free(s);
    memset(longer, 'z', sizeof longer);
    memcpy(longer, "ESPALIER_KEY=", 13);
    longer[sizeof longer - 1] = '\0';
    assert_null(load(NULL, WORDS(longer), NULL, &err));
    assert_null(strstr(err.text, "zzz"));
}

static void help_and_version_come_first(void **unused)
{
    struct err err;
    struct settings *s = load(WORDS("--prot", "-h"), NULL, "nonsense", &err);

    (void)unused;
    assert_true(settings_wants_help(s));
    settings_free(s);
    s = load(WORDS("--version"), NULL, "nonsense", &err);
    assert_true(settings_wants_version(s));
    settings_free(s);
}

static void texts_come_from_the_rows(void **unused)
{
    char *help = settings_help(&spec, NULL), *sample = settings_sample(&spec, NULL), *shown;
    struct settings *s, *t;
    struct err err;

    (void)unused;
    assert_non_null(strstr(help, "usage: demo"));
    assert_non_null(strstr(help, "--port N"));
    assert_non_null(strstr(help, "port (7; 1 to 65535)"));
    assert_non_null(strstr(help, "(5s; 100ms to 1h)"));
    assert_non_null(strstr(help, "(nobody is asked)"));
    assert_non_null(strstr(help, "one of low, high"));
    assert_null(strstr(sample, "#key"));
    /* the sample is a file that changes nothing */
    s = load(NULL, NULL, sample, &err);
    t = load(NULL, NULL, NULL, &err);
    assert_non_null(s);
    for (size_t i = 0; i < spec.count; i++) {
        char *a, *b;

        settings_value(s, i, &a, NULL, NULL, NULL);
        settings_value(t, i, &b, NULL, NULL, NULL);
        assert_true(a == b || strcmp(a, b) == 0);
        mem_free(a);
        mem_free(b);
    }
    settings_free(s);
    settings_free(t);
    s = load(WORDS("--size", "1536KiB", "--command", "a \"b c\"", "--wait", "90s"), NULL,
             "port = 9\n", &err);
    shown = settings_show(s, NULL);
    assert_non_null(strstr(shown, "size = 1536KiB"));
    assert_non_null(strstr(shown, "command = a \"b c\""));
    assert_non_null(strstr(shown, "wait = 90s"));
    assert_non_null(strstr(shown, "url = (nobody is asked)"));
    assert_non_null(strstr(shown, "demo.conf:1"));
    assert_non_null(strstr(shown, "# --size"));
    assert_non_null(strstr(shown, "# default"));
    mem_free(shown);
    settings_free(s);
    mem_free(help);
    mem_free(sample);
}

static void a_sample_with_its_marks_removed_loads(void **unused)
{
    char *sample = settings_sample(&spec, NULL);
    struct err err;
    struct settings *s;

    (void)unused;
    for (char *p = sample; *p; p++)
        if (*p == '#' && p[1] != ' ' && (p == sample || p[-1] == '\n'))
            *p = ' ';
    s = load(NULL, NULL, sample, &err);
    if (!s)
        fail_msg("%s", err.text);
    assert_int_equal(((const struct demo *)settings_values(s))->wait_ms, 5000);
    assert_null(((const struct demo *)settings_values(s))->url);
    settings_free(s);
    mem_free(sample);
}

static void a_reload_takes_what_may_change(void **unused)
{
    char *words[] = {(char *)(uintptr_t) "demo", NULL};
    struct settings_input in = {1, words, NULL, path};
    struct err err;
    struct settings *s = load(NULL, NULL, "wait = 1s\nport = 5\n", &err), *t;
    size_t changed = 99;

    (void)unused;
    file_write_atomic(path, 0600, "wait = 2s\nport = 5\nurl=x\n", 25, NULL);
    t = settings_reload(s, &in, &changed, &err);
    assert_non_null(t);
    assert_int_equal(changed, 2);
    assert_int_equal(((const struct demo *)settings_values(t))->wait_ms, 2000);
    settings_free(t);
    file_write_atomic(path, 0600, "wait = 2s\nport = 6\n", 19, NULL);
    assert_null(settings_reload(s, &in, &changed, &err));
    assert_non_null(strstr(err.text, "demo.conf:2: port cannot change while running"));
    file_write_atomic(path, 0600, "wait = 0s\n", 10, NULL);
    assert_null(settings_reload(s, &in, &changed, &err));
    assert_int_equal(((const struct demo *)settings_values(s))->wait_ms, 1000);
    settings_free(s);
}

/* A row whose default does not pass its own check is our bug, found at the first start. */
static void a_wrong_default_is_found(void **unused)
{
    static const struct setting bad[] = {SETTING_ROW(
        demo, port, .type = SETTING_INT, .standard = "0", .min = 1, .max = 2, .help = "")};
    const struct settings_spec bad_spec = {
        .program = "bad", .rows = bad, .count = 1, .size = sizeof(struct demo)};
    struct settings_input in = {0};
    struct err err;

    (void)unused;
    assert_null(settings_load(&bad_spec, &in, &err));
    assert_non_null(strstr(err.text, "default: port"));
}

static void too_many_words_are_refused(void **unused)
{
    char *words[SETTINGS_ARGS_MAX + 3];
    struct settings_input in = {SETTINGS_ARGS_MAX + 1, words, NULL, NULL};
    struct settings *s;
    size_t count;
    struct err err;

    (void)unused;
    for (size_t i = 0; i < SETTINGS_ARGS_MAX + 2; i++)
        words[i] = (char *)(uintptr_t) "w";
    s = settings_load(&spec, &in, &err);
    settings_args(s, &count);
    assert_int_equal(count, SETTINGS_ARGS_MAX);
    settings_free(s);
    in.argc++;
    assert_null(settings_load(&spec, &in, &err));
    assert_int_equal(err.code, ERR_TOO_BIG);
}

static void loading_survives_lost_memory(void **unused)
{
    char *words[] = {(char *)(uintptr_t) "demo", (char *)(uintptr_t) "--command",
                     (char *)(uintptr_t) "a b", (char *)(uintptr_t) "w", NULL};
    struct settings_input in = {4, words, WORDS("ESPALIER_KEY=k"), path};
    struct settings *s = NULL;
    unsigned nth = 0;

    (void)unused;
    file_write_atomic(path, 0600, "url = x\nport = 4\n", 17, NULL);
    while (!s && nth < 1000) {
        mem_fail_at(++nth);
        s = settings_load(&spec, &in, NULL);
    }
    mem_fail_at(0);
    assert_in_range(nth, 10, 999);
    settings_free(s);
}

/* Whatever bit of a file is flipped: it loads, or says why with the file's name. */
static void any_flipped_bit_is_survived(void **unused)
{
    static const char good[] = "port = 4\nwait = 2s\nurl = http://x\ncommand = \"a b\" c\n";
    char text[sizeof good];

    (void)unused;
    for (size_t bit = 0; bit < (sizeof good - 1) * 8; bit++) {
        char *words[] = {(char *)(uintptr_t) "demo", NULL};
        struct settings_input in = {1, words, NULL, path};
        struct err err = {ERR_NONE, ""};
        struct settings *s;

        memcpy(text, good, sizeof good);
        text[bit / 8] ^= (char)(1 << bit % 8);
        file_write_atomic(path, 0600, text, sizeof good - 1, NULL);
        if (!(s = settings_load(&spec, &in, &err)))
            assert_non_null(strstr(err.text, "demo.conf"));
        settings_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_override_each_other),
        cmocka_unit_test(defaults_stand_alone),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_long_line_is_refused_whole),
        cmocka_unit_test(secrets_are_never_shown),
        cmocka_unit_test(help_and_version_come_first),
        cmocka_unit_test(texts_come_from_the_rows),
        cmocka_unit_test(a_sample_with_its_marks_removed_loads),
        cmocka_unit_test(a_reload_takes_what_may_change),
        cmocka_unit_test(a_wrong_default_is_found),
        cmocka_unit_test(too_many_words_are_refused),
        cmocka_unit_test(loading_survives_lost_memory),
        cmocka_unit_test(any_flipped_bit_is_survived),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
