/* test_args.c - the command line, and where it says the coordinator is. */
#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/core/unknown.h"
#include "coordinator/cli/args.h"
#include "coordinator/cli/cli.h"
#include "coordinator/cli/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID" /* the example key of ZeroMQ's RFC 26 */
#define DASH_KEY "-ne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

static char *const no_env[] = {NULL};

#define PARSE(a, env, ...)                                                          \
    args_parse((int)(sizeof((char *[]){"espalier", __VA_ARGS__}) / sizeof(char *)), \
               (char *[]){"espalier", __VA_ARGS__}, env, a, &err)

static void words_and_options_in_any_order(void **state)
{
    struct args a;
    struct err err = {0};

    (void)state;
    assert_int_equal(PARSE(&a, no_env, "--json", "plan", "federated", "--engine", "lm", "job.json",
                           "--timeout=90s", "--", "--wait"),
                     0);
    assert_int_equal(a.count, 4);
    assert_string_equal(a.words[2], "job.json");
    assert_string_equal(a.words[3], "--wait"); /* after -- it is a word */
    assert_true(args_has(&a, OPTION_JSON));
    assert_false(args_has(&a, OPTION_WAIT));
    assert_string_equal(a.value[OPTION_ENGINE], "lm");
    assert_int_equal(a.timeout_ms, 90000);
    assert_int_equal(args_parse(0, NULL, NULL, &a, &err), 0);
    assert_int_equal(a.count, 0);
    assert_true(a.timeout_ms == UNKNOWN_I64);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *words[4];
        const char *says;
    } rows[] = {
        {{"--foo"}, "--foo: no such option"},
        {{"-x"}, "-x: no such option"},
        {{"--json=yes"}, "--json takes no value"},
        {{"--engine"}, "--engine: the value is missing"},
        {{"--engine", "llm"}, "--engine: \"llm\", wanted analytic|lm|mlx|llama.cpp"},
        {{"--tool=root"}, "wanted viewer|operator"},
        {{"--timeout", "soon"}, "--timeout"},
        {{"--timeout", "0s"}, "--timeout"},
        {{"--socket="}, "--socket: the value is empty"},
        {{"--name", "\xff"}, "--name: the value is not UTF-8"},
        {{"plan", "\xff"}, "word 2 is not UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *argv[6] = {"espalier"};
        struct args a = {.count = 77};
        struct err err = {0};
        int argc = 1;

        for (size_t k = 0; k < 4 && rows[i].words[k]; k++)
            argv[argc++] = (char *)(uintptr_t)rows[i].words[k];
        assert_int_equal(args_parse(argc, argv, no_env, &a, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, rows[i].says));
        assert_int_equal(a.count, 77); /* as it was */
    }
}

static void as_many_words_as_there_may_be(void **state)
{
    char *argv[ARGS_WORDS_MAX + 2];
    struct args a;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < ARGS_WORDS_MAX + 2; i++)
        argv[i] = "w";
    assert_int_equal(args_parse(ARGS_WORDS_MAX + 1, argv, no_env, &a, &err), 0);
    assert_int_equal(a.count, ARGS_WORDS_MAX);
    assert_int_equal(args_parse(ARGS_WORDS_MAX + 2, argv, no_env, &a, &err), -1);
}

/* Keys are text in Z85, which has a dash. */
static void a_key_may_begin_with_a_dash(void **state)
{
    struct args a;
    struct err err = {0};

    (void)state;
    assert_int_equal(PARSE(&a, no_env, "devices", "allow", DASH_KEY), 0);
    assert_string_equal(a.words[2], DASH_KEY);
}

static void the_command_line_wins_over_the_environment(void **state)
{
    char *const env[] = {"ESPALIER_SOCKET=/run/e.sock", "ESPALIER_TOOL_TIMEOUT=5s",
                         "ESPALIER_DATA_DIR=", NULL};
    char *const bad[] = {"ESPALIER_TOOL_TIMEOUT=soon", NULL};
    struct args a;
    struct err err = {0};

    (void)state;
    assert_int_equal(PARSE(&a, env, "status"), 0);
    assert_string_equal(a.value[OPTION_SOCKET], "/run/e.sock");
    assert_true(a.from_env[OPTION_SOCKET]);
    assert_int_equal(a.timeout_ms, 5000);
    assert_false(args_has(&a, OPTION_DATA_DIR)); /* an empty variable is none */
    assert_int_equal(PARSE(&a, env, "status", "--socket", "/x", "--timeout", "1m"), 0);
    assert_string_equal(a.value[OPTION_SOCKET], "/x");
    assert_false(a.from_env[OPTION_SOCKET]);
    assert_int_equal(a.timeout_ms, 60000);
    assert_int_equal(PARSE(&a, bad, "status"), -1);
    assert_non_null(strstr(err.text, "ESPALIER_TOOL_TIMEOUT"));
}

static void commands_take_their_options_alone(void **state)
{
    struct args a;
    struct err err = {0};
    size_t used;
    const struct command *show;
    static const char *const words[] = {"plan", "show", "p1"};
    static const char *const devices[] = {"devices", "d123"};

    (void)state;
    show = command_find(words, 3, &used);
    assert_string_equal(show->words, "plan show");
    assert_int_equal(used, 2);
    assert_string_equal(command_find(devices, 2, &used)->words, "devices");
    assert_int_equal(used, 1);
    assert_null(command_find(words, 1, &used)); /* "plan" alone is none */
    assert_null(command_find(words, 0, &used));
    assert_int_equal(PARSE(&a, no_env, "plan", "show", "p1", "--proposal"), 0);
    assert_int_equal(args_allow(&a, show->options, show->words, &err), 0);
    assert_int_equal(PARSE(&a, no_env, "plan", "show", "p1", "--wait"), 0);
    assert_int_equal(args_allow(&a, show->options, show->words, &err), -1);
    assert_string_equal(err.text, "espalier plan show takes no --wait");
}

/* Each row stands in help once, and no two have the same words. */
static void the_table_of_commands_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < commands_count; i++) {
        assert_non_null(commands[i].run);
        assert_true(commands[i].least <= commands[i].most);
        assert_true(commands[i].options & OPTION_BIT(OPTION_HELP));
        assert_true((*commands[i].form == '\0') == (commands[i].most == 0));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(commands[i].words, commands[k].words);
    }
    for (int id = 0; id < OPTION_COUNT; id++)
        assert_true(strncmp(args_options[id].name, "--", 2) == 0 && *args_options[id].help);
}

/* ---- places ---- */

static void the_local_socket_is_the_default(void **state)
{
    char *const env[] = {"HOME=/home/ada", NULL};
    struct args a;
    struct place place;
    struct err err = {0};

    (void)state;
    assert_int_equal(PARSE(&a, env, "status"), 0);
    assert_int_equal(place_find(&a, env, &place, &err), 0);
    assert_true(place.local);
    assert_non_null(strstr(place.endpoint, "ipc:///home/ada/"));
    assert_non_null(strstr(place.endpoint, "/run/coordinator.sock"));
    assert_int_equal(PARSE(&a, env, "status", "--data-dir", "/srv/e"), 0);
    assert_int_equal(place_find(&a, env, &place, &err), 0);
    assert_string_equal(place.endpoint, "ipc:///srv/e/run/coordinator.sock");
    assert_int_equal(PARSE(&a, env, "status", "--data-dir", "/srv/e", "--socket", "/s"), 0);
    assert_int_equal(place_find(&a, env, &place, &err), 0);
    assert_string_equal(place.endpoint, "ipc:///s");
    place_clear(&place);
    assert_int_equal(PARSE(&a, no_env, "status"), 0);
    assert_int_equal(place_find(&a, no_env, &place, &err), -1); /* no HOME, no folder */
}

static void write_text(const char *dir, const char *name, const char *text, char *path, size_t size)
{
    struct err err = {0};

    snprintf(path, size, "%s/%s", dir, name);
    assert_int_equal(file_write_atomic(path, 0600, text, strlen(text), &err), 0);
}

static void a_coordinator_elsewhere_wants_keys(void **state)
{
    static const struct {
        const char *given, *endpoint;
    } rows[] = {
        {"mac.lan", "tcp://mac.lan:7421"},      {"tcp://mac.lan", "tcp://mac.lan:7421"},
        {"mac.lan:99", "tcp://mac.lan:99"},     {"tcp://[::1]", "tcp://[::1]:7421"},
        {"[fe80::1]:99", "tcp://[fe80::1]:99"},
    };
    char dir[] = "/tmp/espalier-args-XXXXXX", own[80], file[80];
    char *path = NULL;
    struct args a;
    struct place place = {0}, again = {0};
    struct err err = {0};

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(own, sizeof own, "%s/keys/tool.keys", dir);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(PARSE(&a, no_env, "status", "--coordinator",
                               (char *)(uintptr_t)rows[i].given, "--server-key", KEY, "--key", own),
                         0);
        assert_int_equal(place_find(&a, no_env, &place, &err), 0);
        assert_false(place.local);
        assert_string_equal(place.endpoint, rows[i].endpoint);
        assert_string_equal(place.server_key, KEY);
    }
    write_text(dir, "server", "espalier-secret-key " DASH_KEY "\nespalier-public-key " KEY "\n",
               file, sizeof file);
    assert_int_equal(
        PARSE(&a, no_env, "status", "--coordinator", "h", "--server-key", file, "--key", own), 0);
    assert_int_equal(place_find(&a, no_env, &again, &err), 0);
    assert_string_equal(again.server_key, KEY);
    assert_string_equal(again.keys.public_key, place.keys.public_key); /* made once */
    place_clear(&place);
    place_clear(&again);
    assert_int_equal(place.keys.secret_key[0], '\0');
    assert_int_equal(PARSE(&a, no_env, "key", "--data-dir", dir), 0);
    path = place_key_path(&a, no_env, &err);
    assert_non_null(strstr(path, "/tool.keys"));
    mem_free(path);
    assert_int_equal(file_remove_tree(dir, &err), 0);
}

static void places_that_are_none(void **state)
{
    static const struct {
        const char *words[6];
        const char *says;
    } rows[] = {
        {{"--coordinator", "h"}, "--server-key"},
        {{"--coordinator", "h", "--server-key", "nofile"}, "neither a key"},
        {{"--coordinator", "ipc://x", "--server-key", KEY}, "--coordinator"},
        {{"--coordinator", "h:", "--server-key", KEY}, "--coordinator"},
        {{"--coordinator", ":7421", "--server-key", KEY}, "--coordinator"},
        {{"--coordinator", "a b", "--server-key", KEY}, "--coordinator"},
        {{"--coordinator", "h", "--server-key", "/dev/null"}, "no public key in"},
        {{"--coordinator", "h", "--socket", "/s"}, "both given"},
        {{"--coordinator", "h", "--server-key", KEY}, "--key: not given"}, /* and no HOME */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *argv[8] = {"espalier", "status"};
        struct args a;
        struct place place = {.local = true};
        struct err err = {0};
        int argc = 2;

        for (size_t k = 0; k < 6 && rows[i].words[k]; k++)
            argv[argc++] = (char *)(uintptr_t)rows[i].words[k];
        assert_int_equal(args_parse(argc, argv, no_env, &a, &err), 0);
        assert_int_equal(place_find(&a, no_env, &place, &err), -1);
        assert_non_null(strstr(err.text, rows[i].says));
        assert_true(place.local); /* as it was */
    }
}

static void a_socket_path_has_a_limit(void **state)
{
    char path[105];
    struct args a;
    struct place place;
    struct err err = {0};

    (void)state;
    memset(path, 'p', sizeof path);
    path[0] = '/';
    path[103] = '\0';
    assert_int_equal(PARSE(&a, no_env, "status", "--socket", path), 0);
    assert_int_equal(place_find(&a, no_env, &place, &err), 0);
    path[103] = 'p';
    path[104] = '\0';
    assert_int_equal(PARSE(&a, no_env, "status", "--socket", path), 0);
    assert_int_equal(place_find(&a, no_env, &place, &err), -1);
    assert_non_null(strstr(err.text, "103 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_options_in_any_order),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(as_many_words_as_there_may_be),
        cmocka_unit_test(a_key_may_begin_with_a_dash),
        cmocka_unit_test(the_command_line_wins_over_the_environment),
        cmocka_unit_test(commands_take_their_options_alone),
        cmocka_unit_test(the_table_of_commands_is_sound),
        cmocka_unit_test(the_local_socket_is_the_default),
        cmocka_unit_test(a_coordinator_elsewhere_wants_keys),
        cmocka_unit_test(places_that_are_none),
        cmocka_unit_test(a_socket_path_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
