/* test_config.c - the coordinator's own rows: defaults, paths, the model's key, what may change
 * while running. */
#include "coordinator/config/config.h"

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/settings/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char folder[64], home[80];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "config-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(home, sizeof home, "HOME=%s", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return file_remove_tree(folder, NULL);
}

#define WORDS(...) ((char *const[]){(char *)(uintptr_t) "espalier-coordinator", __VA_ARGS__, NULL})
#define ENV(...) ((char *const[]){__VA_ARGS__, NULL})

static int load(char *const *argv, char *const *env, struct config_loaded *out, struct err *err)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    memset(out, 0, sizeof *out);
    memset(err, 0, sizeof *err);
    return config_load(argc, argv, env, out, err);
}

static char *file_in(const char *name, const char *text, mode_t mode)
{
    char *path = file_path(NULL, "%s/%s", folder, name);

    assert_int_equal(file_write_atomic(path, mode, text, strlen(text), NULL), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static void defaults_are_those_of_the_design(void **unused)
{
    struct config_loaded c;
    struct err err;

    (void)unused;
    assert_int_equal(load(WORDS(NULL), ENV(home), &c, &err), 0);
    assert_string_equal(c.config.agents_endpoint, "tcp://*:7420");
    assert_string_equal(c.config.tools_endpoint, "tcp://*:7421");
    assert_string_equal(c.config.events_endpoint, "tcp://*:7422");
    assert_int_equal(c.config.state_interval_ms, 5000);
    assert_int_equal(c.config.reserve_bytes, 1 << 30);
    assert_int_equal(c.config.request_keep_ms, 86400000);
    assert_int_equal(c.config.lm_connect_timeout_ms, 5000);
    assert_int_equal(c.config.lm_first_byte_timeout_ms, 120000);
    assert_int_equal(c.config.lm_total_timeout_ms, 300000);
    assert_int_equal(c.config.lm_max_tokens, 2048);
    assert_int_equal(c.config.log_level, LOGL_INFO);
    assert_null(c.config.lm_url);
    assert_null(c.config.lm_key);
    assert_non_null(strstr(c.config.data_dir, folder));
    assert_non_null(strstr(c.config.ipc_path, "/run/coordinator.sock"));
    config_clear(&c);
    config_clear(&c);
}

static void folders_follow_the_platform(void **unused)
{
    char *dir = config_data_dir(ENV("HOME=/home/anna"), NULL);
    struct err err;

    (void)unused;
#ifdef __APPLE__
    assert_string_equal(dir, "/home/anna/Library/Application Support/Espalier");
#else
    assert_string_equal(dir, "/home/anna/.local/state/espalier");
    mem_free(dir);
    dir = config_data_dir(ENV("HOME=/home/anna", "XDG_STATE_HOME=/var/x"), NULL);
    assert_string_equal(dir, "/var/x/espalier");
    mem_free(dir);
    dir = config_data_dir(ENV("HOME=/home/anna", "XDG_STATE_HOME=relative"), NULL);
    assert_string_equal(dir, "/home/anna/.local/state/espalier");
#endif
    mem_free(dir);
    assert_null(config_data_dir(NULL, &err));
    assert_non_null(strstr(err.text, "HOME"));
}

static void a_socket_path_always_fits(void **unused)
{
    char longest[200], *path, *other;
    struct err err;

    (void)unused;
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    for (size_t len = 60; len < sizeof longest; len++) {
        char dir[201];

        snprintf(dir, sizeof dir, "%.*s", (int)len, longest);
        path = config_ipc_path(dir, NULL, NULL);
        assert_in_range(strlen(path), 10, CONFIG_SOCKET_PATH_MAX);
        mem_free(path);
    }
    longest[150] = '\0';
    path = config_ipc_path(longest, NULL, NULL);
    longest[149] = 'b';
    other = config_ipc_path(longest, NULL, NULL);
    assert_string_not_equal(path, other); /* two coordinators, two sockets */
    assert_memory_equal(path, "/tmp/espalier-", 14);
    mem_free(path);
    mem_free(other);
    longest[149] = 'a';
    {
        char temporary[160];

        snprintf(temporary, sizeof temporary, "TMPDIR=%.*s", 120, longest);
        assert_null(config_ipc_path(longest, ENV(temporary), &err));
        assert_int_equal(err.code, ERR_TOO_BIG);
    }
}

static void a_file_in_the_data_folder_is_read(void **unused)
{
    char *path =
        file_in("coordinator.conf", "state_interval = 1s\nlate = 3s\noffline = 9s\n", 0600);
    struct config_loaded c;
    struct err err;
    char *shown;

    (void)unused;
    assert_int_equal(load(WORDS("--data-dir", folder, "--late", "4s"), ENV(home), &c, &err), 0);
    assert_int_equal(c.config.state_interval_ms, 1000);
    assert_int_equal(c.config.late_ms, 4000);
    assert_int_equal(c.config.offline_ms, 9000);
    shown = config_show(&c, NULL);
    assert_non_null(strstr(shown, "coordinator.conf:1"));
    assert_non_null(strstr(shown, "# --late"));
    mem_free(shown);
    config_clear(&c);
    remove(path);
    mem_free(path);
}

static void keys_come_from_file_or_environment(void **unused)
{
    char *path = file_in("key", "sk-123\n", 0600);
    struct config_loaded c;
    struct err err;
    char *shown;

    (void)unused;
    assert_int_equal(load(WORDS("--lm-key-file", path), ENV(home), &c, &err), 0);
    assert_string_equal(c.config.lm_key, "sk-123");
    shown = config_show(&c, NULL);
    assert_null(strstr(shown, "sk-123"));
    mem_free(shown);
    config_clear(&c);
    assert_int_equal(load(WORDS("--lm-key-file", path), ENV(home, "ESPALIER_LM_KEY=env"), &c, &err),
                     0);
    assert_string_equal(c.config.lm_key, "env");
    config_clear(&c);
    assert_int_equal(load(WORDS("--lm-key", "x"), ENV(home), &c, &err), -1);
    assert_non_null(strstr(err.text, "ESPALIER_LM_KEY"));
    chmod(path, 0644);
    assert_int_equal(load(WORDS("--lm-key-file", path), ENV(home), &c, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    mem_free(path);
    path = file_in("key", "two\nlines\n", 0600);
    assert_int_equal(load(WORDS("--lm-key-file", path), ENV(home), &c, &err), -1);
    assert_null(strstr(err.text, "two"));
    mem_free(path);
    path = file_in("key", "\n", 0600);
    assert_int_equal(load(WORDS("--lm-key-file", path), ENV(home), &c, &err), -1);
    mem_free(path);
    assert_int_equal(load(WORDS("--lm-key-file", "/nonexistent"), ENV(home), &c, &err), -1);
    assert_non_null(strstr(err.text, "lm_key_file"));
}

static void settings_that_contradict_are_refused(void **unused)
{
    static const struct {
        const char *flags[4];
        const char *says;
    } cases[] = {
        {{"--late", "5s"}, "late: 5000 ms, wanted more than state_interval"},
        {{"--late", "60s"}, "offline: 60000 ms, wanted more than late"},
        {{"--agents-endpoint", "*:7420"}, "agents_endpoint"},
        {{"--events-endpoint", ""}, "events_endpoint"},
        {{"--lm-url", "ftp://x", "--lm-model", "m"}, "lm_url"},
        {{"--lm-url", "http://x"}, "lm_model: not set"},
        {{"--lm-record", "x"}, "lm_record: there is nothing to record without lm_url"},
        {{"--lm-cache-age", "366d"}, "lm_cache_age"},
        {{"--lm-retries", "11"}, "lm_retries"},
        {{"--io-threads", "0"}, "io_threads"},
        {{"--max-devices", "1000001"}, "max_devices"},
        {{"--ipc-path", "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
         "at most 103 bytes"},
        {{"--log-level", "loud"}, "one of err, warn, info, debug"},
    };
    struct config_loaded c;
    struct err err;

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *words[6] = {(char *)(uintptr_t) "c"};

        for (size_t j = 0; j < 4; j++)
            words[j + 1] = (char *)(uintptr_t)cases[i].flags[j];
        assert_int_equal(load(words, ENV(home), &c, &err), -1);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu says \"%s\"", i, err.text);
    }
    assert_int_equal(load(WORDS(NULL), NULL, &c, &err), -1); /* no HOME at all */
    assert_non_null(strstr(err.text, "data_dir"));
}

static void a_reload_changes_only_what_may(void **unused)
{
    char *path = file_in("coordinator.conf", "log_level = debug\nreserve = 2GiB\n", 0600), *again;
    char *const *argv = WORDS("--data-dir", folder);
    struct config_loaded c;
    struct err err;

    (void)unused;
    assert_int_equal(load(argv, ENV(home), &c, &err), 0);
    assert_int_equal(c.config.log_level, LOGL_DEBUG);
    again = file_in("coordinator.conf", "log_level = warn\n", 0600);
    mem_free(again);
    assert_int_equal(config_reload(&c, 3, argv, ENV(home), &err), 0);
    assert_int_equal(c.config.log_level, LOGL_WARN);
    assert_int_equal(c.config.reserve_bytes, 1 << 30);
    again = file_in("coordinator.conf", "io_threads = 4\n", 0600);
    mem_free(again);
    assert_int_equal(config_reload(&c, 3, argv, ENV(home), &err), -1);
    assert_non_null(strstr(err.text, "io_threads cannot change while running"));
    assert_int_equal(c.config.log_level, LOGL_WARN);
    config_clear(&c);
    remove(path);
    mem_free(path);
}

static void help_and_sample_name_every_setting(void **unused)
{
    char *help = config_help(NULL), *sample = config_sample(NULL);
    struct config_loaded c;
    struct err err;

    (void)unused;
    assert_non_null(strstr(help, "--lm-url URL"));
    assert_non_null(strstr(help, "ESPALIER_LM_KEY"));
    assert_non_null(strstr(sample, "#reserve = 1GiB"));
    assert_non_null(strstr(sample, "#state_interval = 5s"));
    mem_free(help);
    mem_free(sample);
    assert_int_equal(load(WORDS("--help"), NULL, &c, &err), 0);
    assert_true(settings_wants_help(c.settings));
    config_clear(&c);
}

static void loading_survives_lost_memory(void **unused)
{
    char *path = file_in("key", "sk-123\n", 0600);
    char *words[] = {(char *)(uintptr_t) "c", (char *)(uintptr_t) "--lm-key-file", path, NULL};
    struct config_loaded c = {0};
    unsigned nth = 0;
    int rc = -1;

    (void)unused;
    while (rc < 0 && nth < 2000) {
        mem_fail_at(++nth);
        rc = config_load(3, words, ENV(home), &c, NULL);
    }
    mem_fail_at(0);
    assert_in_range(nth, 20, 1999);
    assert_string_equal(c.config.lm_key, "sk-123");
    config_clear(&c);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_design),
        cmocka_unit_test(folders_follow_the_platform),
        cmocka_unit_test(a_socket_path_always_fits),
        cmocka_unit_test(a_file_in_the_data_folder_is_read),
        cmocka_unit_test(keys_come_from_file_or_environment),
        cmocka_unit_test(settings_that_contradict_are_refused),
        cmocka_unit_test(a_reload_changes_only_what_may),
        cmocka_unit_test(help_and_sample_name_every_setting),
        cmocka_unit_test(loading_survives_lost_memory),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
