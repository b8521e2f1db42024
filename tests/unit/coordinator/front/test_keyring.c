/* test_keyring.c - two lists of keys, in files that people and the coordinator both write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/core/err.h"
#include "common/core/file.h"
#include "common/core/mem.h"
#include "common/model/tool_message.h"
#include "common/net/keys.h"
#include "common/net/net.h"
#include "common/net/zap.h"
#include "coordinator/front/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct fixture {
    char folder[64];
    struct net *net;
    struct net_zap *zap;
    struct keyring *ring;
    struct net_keys mac, tool;
};

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof *fx);

    *state = fx;
    snprintf(fx->folder, sizeof fx->folder, "/tmp/espalier-keyring-XXXXXX");
    return mkdtemp(fx->folder) && (fx->net = net_new(1, NULL)) &&
                   (fx->zap = net_zap_start(fx->net, NULL)) && net_keys_make(&fx->mac, NULL) == 0 &&
                   net_keys_make(&fx->tool, NULL) == 0 &&
                   (fx->ring = keyring_new(fx->folder, fx->zap, NULL))
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    keyring_free(fx->ring);
    net_zap_stop(fx->zap);
    net_free(fx->net);
    file_remove_tree(fx->folder, NULL);
    free(fx);
    return 0;
}

static char *allow(struct fixture *fx, const char *public_key, int kind, int role, const char *name)
{
    struct key wanted;
    char *id = NULL;

    record_init(&key_type, &wanted);
    wanted.public_key = (char *)(uintptr_t)public_key;
    wanted.kind = kind;
    wanted.role = role;
    wanted.name = (char *)(uintptr_t)name;
    assert_int_equal(keyring_allow(fx->ring, &wanted, &id, NULL), 0);
    return id;
}

static void write_list(const struct fixture *fx, const char *name, const char *text)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", fx->folder, name);
    assert_int_equal(file_write_atomic(path, 0600, text, strlen(text), NULL), 0);
}

static void an_allowed_key_is_a_device_or_a_tool_and_survives_a_restart(void **state)
{
    struct fixture *fx = *state;
    char *device = allow(fx, fx->mac.public_key, KEY_KIND_AGENT, ROLE_UNSET, "lab mac 1");
    char *tool = allow(fx, fx->tool.public_key, KEY_KIND_TOOL, ROLE_OPERATOR, NULL);
    char user[128];
    const struct key *keys;
    size_t count;

    snprintf(user, sizeof user, "operator:%s", tool);
    keyring_free(fx->ring);
    fx->ring = keyring_new(fx->folder, fx->zap, NULL);
    assert_non_null(fx->ring);
    keys = keyring_keys(fx->ring, &count);
    assert_int_equal(count, 2);
    assert_string_equal(keys[0].name, "lab mac 1");
    assert_string_equal(keyring_agent(fx->ring, device)->public_key, fx->mac.public_key);
    assert_int_equal(keyring_tool_role(fx->ring, user), ROLE_OPERATOR);
    assert_int_equal(keyring_tool_role(fx->ring, device), ROLE_UNSET);
    mem_free(device);
    mem_free(tool);
}

static void allowing_twice_changes_role_and_name_and_adds_nothing(void **state)
{
    struct fixture *fx = *state;
    char *first = allow(fx, fx->tool.public_key, KEY_KIND_TOOL, ROLE_VIEWER, "old");
    char *second = allow(fx, fx->tool.public_key, KEY_KIND_TOOL, ROLE_OPERATOR, "new");
    const struct key *keys;
    size_t count;

    keys = keyring_keys(fx->ring, &count);
    assert_int_equal(count, 1);
    assert_string_equal(first, second);
    assert_int_equal(keys[0].role, ROLE_OPERATOR);
    assert_string_equal(keys[0].name, "new");
    mem_free(first);
    mem_free(second);
}

static void each_change_of_the_lists_has_another_version(void **state)
{
    struct fixture *fx = *state;
    uint64_t empty = keyring_version(fx->ring), one, none;
    char *id = allow(fx, fx->mac.public_key, KEY_KIND_AGENT, ROLE_UNSET, NULL), *gone = NULL;

    one = keyring_version(fx->ring);
    assert_true(empty > 0); /* what 0 stands for was never found on a list */
    assert_true(one != empty);
    assert_int_equal(keyring_refresh(fx->ring, NULL), 0);
    assert_int_equal(keyring_version(fx->ring), one);
    assert_int_equal(keyring_forget(fx->ring, id, &gone, NULL), 0);
    none = keyring_version(fx->ring);
    assert_true(none != one && none != empty);
    mem_free(gone);
    mem_free(id);
}

static void one_key_is_never_on_both_lists(void **state)
{
    struct fixture *fx = *state;
    char *id = allow(fx, fx->mac.public_key, KEY_KIND_AGENT, ROLE_UNSET, NULL);
    struct err err = {0};
    struct key wanted;
    char *other = NULL;

    record_init(&key_type, &wanted);
    wanted.public_key = fx->mac.public_key;
    wanted.kind = KEY_KIND_TOOL;
    assert_int_equal(keyring_allow(fx->ring, &wanted, &other, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    wanted.public_key = (char *)"too short";
    assert_int_equal(keyring_allow(fx->ring, &wanted, &other, &err), -1);
    assert_non_null(strstr(err.text, "public_key"));
    assert_null(other);
    mem_free(id);
}

/* A Mac that was set up anew: another key, the same device. */
static void a_key_can_take_the_place_of_a_device_s(void **state)
{
    struct fixture *fx = *state;
    struct net_keys fresh;
    struct key wanted;
    char *device = allow(fx, fx->mac.public_key, KEY_KIND_AGENT, 0, "desk"), *id = NULL,
         *other = NULL;
    struct err err;
    size_t count;

    assert_int_equal(net_keys_make(&fresh, NULL), 0);
    record_init(&key_type, &wanted);
    wanted.kind = KEY_KIND_AGENT;
    wanted.public_key = fresh.public_key;
    wanted.device_id = (char *)(uintptr_t) "dnobody";
    assert_int_equal(keyring_allow(fx->ring, &wanted, &id, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    wanted.device_id = device;
    assert_int_equal(keyring_allow(fx->ring, &wanted, &id, NULL), 0);
    assert_string_equal(id, device);
    assert_string_equal(keyring_agent(fx->ring, device)->public_key, fresh.public_key);
    assert_string_equal(keyring_agent(fx->ring, device)->name, "desk");
    keyring_keys(fx->ring, &count);
    assert_int_equal(count, 1);

    keyring_free(fx->ring); /* and after a restart */
    assert_non_null(fx->ring = keyring_new(fx->folder, fx->zap, NULL));
    assert_string_equal(keyring_agent(fx->ring, device)->public_key, fresh.public_key);

    wanted.public_key = fx->mac.public_key; /* the old key makes the id that is taken */
    wanted.device_id = NULL;
    assert_int_equal(keyring_allow(fx->ring, &wanted, &other, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_null(other);
    wanted.device_id = device; /* and can be put back */
    assert_int_equal(keyring_allow(fx->ring, &wanted, &other, NULL), 0);
    assert_string_equal(keyring_agent(fx->ring, device)->public_key, fx->mac.public_key);
    mem_free(other);
    mem_free(device);
    mem_free(id);
    net_keys_wipe(&fresh);
}

static void forgetting_takes_an_id_or_a_key(void **state)
{
    struct fixture *fx = *state;
    char *device = allow(fx, fx->mac.public_key, KEY_KIND_AGENT, ROLE_UNSET, NULL);
    char *tool = allow(fx, fx->tool.public_key, KEY_KIND_TOOL, ROLE_UNSET, NULL);
    struct err err = {0};
    char *forgotten = NULL;
    size_t count;

    assert_int_equal(keyring_forget(fx->ring, device, &forgotten, &err), 0);
    assert_string_equal(forgotten, device);
    assert_null(keyring_agent(fx->ring, device));
    assert_int_equal(keyring_forget(fx->ring, device, &forgotten, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(keyring_forget(fx->ring, fx->tool.public_key, &forgotten, &err), 0);
    assert_null(forgotten);
    keyring_keys(fx->ring, &count);
    assert_int_equal(count, 0);
    mem_free(device);
    mem_free(tool);
}

static void a_file_changed_by_hand_is_taken_up_whole_or_not_at_all(void **state)
{
    struct fixture *fx = *state;
    struct err err = {0};
    char text[256];
    size_t count;

    assert_int_equal(keyring_refresh(fx->ring, &err), 0);
    snprintf(text, sizeof text, "# a comment\n\n%s my-device  a name with blanks\n",
             fx->mac.public_key);
    write_list(fx, "agents.keys", text);
    assert_int_equal(keyring_refresh(fx->ring, &err), 1);
    assert_string_equal(keyring_agent(fx->ring, "my-device")->name, "a name with blanks");

    snprintf(text, sizeof text, "%s viewer\n%s\n", fx->tool.public_key, fx->mac.public_key);
    write_list(fx, "tools.keys", text);
    assert_int_equal(keyring_refresh(fx->ring, &err), -1);
    assert_non_null(strstr(err.text, "tools.keys: line 2"));
    assert_non_null(keyring_agent(fx->ring, "my-device"));
    keyring_keys(fx->ring, &count);
    assert_int_equal(count, 1);

    snprintf(text, sizeof text, "%s emperor\n", fx->tool.public_key);
    write_list(fx, "tools.keys", text);
    assert_int_equal(keyring_refresh(fx->ring, &err), -1);
    assert_non_null(strstr(err.text, "\"emperor\", wanted one of viewer, operator"));
}

static void lost_memory_never_loses_a_key(void **state)
{
    struct fixture *fx = *state;
    char *id = allow(fx, fx->mac.public_key, KEY_KIND_AGENT, ROLE_UNSET, "kept");
    struct key wanted;
    char *tool = NULL;
    size_t count = 0;
    int rc, nth = 0;

    record_init(&key_type, &wanted);
    wanted.public_key = fx->tool.public_key;
    wanted.kind = KEY_KIND_TOOL;
    do {
        mem_fail_at((unsigned)++nth);
        rc = keyring_allow(fx->ring, &wanted, &tool, NULL);
        mem_fail_at(0);
        assert_non_null(keyring_agent(fx->ring, id));
    } while (rc < 0 && nth < 500);
    assert_in_range(nth, 2, 499);
    keyring_keys(fx->ring, &count);
    assert_int_equal(count, 2);
    mem_free(id);
    mem_free(tool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_allowed_key_is_a_device_or_a_tool_and_survives_a_restart,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(allowing_twice_changes_role_and_name_and_adds_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_change_of_the_lists_has_another_version, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_key_is_never_on_both_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_can_take_the_place_of_a_device_s, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgetting_takes_an_id_or_a_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_changed_by_hand_is_taken_up_whole_or_not_at_all,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(lost_memory_never_loses_a_key, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
