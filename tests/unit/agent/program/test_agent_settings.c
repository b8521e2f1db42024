/* test_agent_settings.c - the agent's rows, and what is made of them. */
#include "agent/agent_settings.h"
#include "common/net/keys.h"
#include "common/settings/settings.h"
#include "tests/unit/agent/folder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Settings from flags, up to a NULL; NULL with the error when they are refused. */
static struct settings *load(struct err *err, ...)
{
    char *argv[16] = {"espalier-agent"};
    struct settings_input in = {.argc = 1, .argv = argv};
    va_list args;
    char *arg;

    va_start(args, err);
    while ((arg = va_arg(args, char *)))
        argv[in.argc++] = arg;
    va_end(args);
    return settings_load(&agent_settings_spec, &in, err);
}

static void flags_fill_the_settings(void **state)
{
    const struct agent_settings *s;
    struct settings *loaded;
    struct err err;

    (void)state;
    loaded = load(&err, "--coordinator", "tcp://here:7420", "--on-plan",
                  "mlx_lm.lora -c \"my lora.yaml\"", "--memory-limit", "8GiB", "--state-interval",
                  "2s", "run", NULL);
    if (!loaded)
        fail_msg("%s", err.text);
    s = settings_values(loaded);
    assert_string_equal(s->coordinator, "tcp://here:7420");
    assert_string_equal(s->on_plan[0], "mlx_lm.lora");
    assert_string_equal(s->on_plan[2], "my lora.yaml");
    assert_null(s->on_plan[3]);
    assert_int_equal(s->memory_limit_bytes, 8LL << 30);
    assert_int_equal(s->state_interval_ms, 2000);
    assert_int_equal(s->on_plan_time_limit_ms, 24 * 3600 * 1000);
    assert_false(s->allow_root);
    settings_free(loaded);
}

static void nothing_set_is_a_whole_answer_too(void **state)
{
    struct settings *loaded = load(NULL, NULL);
    const struct agent_settings *s = settings_values(loaded);

    (void)state;
    assert_null(s->on_plan);
    assert_null(s->coordinator);
    assert_int_equal(s->memory_limit_bytes, 0);
    settings_free(loaded);
}

static void settings_that_contradict_are_refused_by_name(void **state)
{
    struct err err;

    (void)state;
    assert_null(load(&err, "--state", "x.json", NULL));
    assert_non_null(strstr(err.text, "state"));
    assert_null(load(&err, "--on-plan-user", "nobody", NULL));
    assert_non_null(strstr(err.text, "on_plan_user"));
    assert_null(load(&err, "--state-interval", "1ms", NULL));
    assert_null(load(&err, "--on-plan-nice", "-5", NULL));
}

static void a_server_key_is_text_or_in_a_file(void **state)
{
    char *dir = folder_make(), *path = file_path(NULL, "%s/server.key", dir), text[256];
    char key[AGENT_KEY_TEXT_MAX];
    struct agent_settings s = {0};
    struct net_keys keys;
    struct err err;

    (void)state;
    assert_int_equal(net_keys_make(&keys, NULL), 0);
    assert_int_equal(agent_server_key(&s, key, &err), -1);
    s.server_key = keys.public_key;
    assert_int_equal(agent_server_key(&s, key, &err), 0);
    assert_string_equal(key, keys.public_key);
    s.server_key = path;
    assert_int_equal(agent_server_key(&s, key, &err), -1);
    snprintf(text, sizeof text, "  %s\n", keys.public_key);
    folder_put(dir, "server.key", text);
    assert_int_equal(agent_server_key(&s, key, &err), 0);
    assert_string_equal(key, keys.public_key);
    snprintf(text, sizeof text, "espalier-public-key %s\nespalier-secret-key %s\n", keys.public_key,
             keys.secret_key);
    folder_put(dir, "server.key", text);
    assert_int_equal(agent_server_key(&s, key, &err), 0);
    assert_string_equal(key, keys.public_key);
    folder_put(dir, "server.key", "no key here\n");
    assert_int_equal(agent_server_key(&s, key, &err), -1);
    assert_non_null(strstr(err.text, "server.key"));
    mem_free(path);
    folder_remove(dir);
}

static void a_data_dir_is_absolute(void **state)
{
    struct agent_settings s = {.data_dir = "relative/dir"};
    char *dir = agent_data_dir(&s, NULL);

    (void)state;
    assert_int_equal(dir[0], '/');
    assert_non_null(strstr(dir, "/relative/dir"));
    mem_free(dir);
    s.data_dir = NULL;
#ifndef __APPLE__
    setenv("XDG_STATE_HOME", "/state", 1);
    dir = agent_data_dir(&s, NULL);
    assert_string_equal(dir, "/state/espalier-agent");
    mem_free(dir);
    unsetenv("XDG_STATE_HOME");
#endif
    setenv("HOME", "", 1);
    assert_null(agent_data_dir(&s, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_fill_the_settings),
        cmocka_unit_test(nothing_set_is_a_whole_answer_too),
        cmocka_unit_test(settings_that_contradict_are_refused_by_name),
        cmocka_unit_test(a_server_key_is_text_or_in_a_file),
        cmocka_unit_test(a_data_dir_is_absolute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
