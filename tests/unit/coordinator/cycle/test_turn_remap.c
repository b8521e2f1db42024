/* test_turn_remap.c - a proposal's classes follow their members when the fleet has moved on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/proposal.h"
#include "common/model/snapshot.h"
#include "coordinator/cycle/turn.h"

#include <stdio.h>
#include <string.h>

/* A snapshot whose i-th client (d0, d1, ...) is in the class that the i-th digit names; '-': not
 * there. */
static struct snapshot *snapshot_of(const char *digits, size_t classes)
{
    size_t clients = 0;
    struct snapshot *s;

    for (const char *c = digits; *c; c++)
        clients += *c != '-';
    s = snapshot_new(classes, clients, NULL);
    assert_non_null(s);
    for (size_t i = 0; i < classes; i++)
        snprintf(s->classes[i].id, sizeof s->classes[i].id, "c%zu", i + 1);
    for (size_t i = 0, at = 0; digits[i]; i++) {
        char id[8];

        if (digits[i] == '-')
            continue;
        snprintf(id, sizeof id, "d%zu", i);
        s->clients[at].device_id = mem_strdup(id);
        s->clients[at++].class_index = (size_t)(digits[i] - '1');
    }
    return s;
}

/* A federated proposal with batch sizes 1, 2, ... for the classes named. */
static struct proposal *proposal_for(const char *const *ids)
{
    struct proposal *p = proposal_new(NULL);

    p->engine = ENGINE_KIND_LM;
    p->federated = federated_proposal_new(NULL);
    for (size_t i = 0; ids[i]; i++) {
        struct client_optimization *o =
            records_add(&client_optimization_type, &p->federated->client_optimization,
                        &p->federated->client_optimization_count, NULL);

        assert_int_equal(text_set(&o->client_class, ids[i], NULL), 0);
        o->batch_size = (int64_t)i + 1;
    }
    return p;
}

/* "c1=2 c3=1": the class ids and batch sizes that the proposal has now. */
static void assert_classes(const struct proposal *p, const char *wanted)
{
    char text[256] = "";

    for (size_t i = 0; i < p->federated->client_optimization_count; i++) {
        const struct client_optimization *o = &p->federated->client_optimization[i];

        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s=%d", i ? " " : "",
                 o->client_class, (int)o->batch_size);
    }
    assert_string_equal(text, wanted);
}

static void check(const char *asked, size_t asked_classes, const char *now, size_t now_classes,
                  const char *const *ids, const char *wanted)
{
    struct snapshot *a = snapshot_of(asked, asked_classes), *n = snapshot_of(now, now_classes);
    struct proposal *p = proposal_for(ids);

    assert_int_equal(turn_remap(p, a, n, NULL), 0);
    assert_classes(p, wanted);
    proposal_free(p);
    snapshot_unref(a);
    snapshot_unref(n);
}

static void classes_are_renumbered_with_their_members(void **state)
{
    (void)state;
    check("1122", 2, "2211", 2, (const char *const[]){"c1", "c2", NULL}, "c1=2 c2=1");
}

static void a_class_that_split_gives_its_values_to_each_part(void **state)
{
    (void)state;
    check("1111", 1, "1122", 2, (const char *const[]){"c1", NULL}, "c1=1 c2=1");
}

static void classes_that_merged_follow_the_majority(void **state)
{
    (void)state;
    check("112", 2, "111", 1, (const char *const[]){"c1", "c2", NULL}, "c1=1");
    check("122", 2, "111", 1, (const char *const[]){"c1", "c2", NULL}, "c1=2");
}

static void newcomers_get_nothing_and_the_gone_are_forgotten(void **state)
{
    (void)state;
    check("11--", 1, "--11", 1, (const char *const[]){"c1", NULL}, "");
    check("1-", 1, "12", 2, (const char *const[]){"c1", NULL}, "c1=1");
}

static void a_class_that_never_was_stays_for_verification_to_name(void **state)
{
    (void)state;
    check("11", 1, "11", 1, (const char *const[]){"c1", "c999", NULL}, "c1=1 c999=2");
}

static void a_stage_follows_the_most_of_its_class(void **state)
{
    struct snapshot *a = snapshot_of("1112", 2), *n = snapshot_of("2213", 3);
    struct proposal *p = proposal_new(NULL);
    const char *stages[] = {"c1", "c2", "c7", NULL};
    const char *wanted[] = {"c2", "c3", "c7", NULL};

    (void)state;
    p->pipeline = pipeline_proposal_new(NULL);
    for (size_t i = 0; stages[i]; i++) {
        struct stage_schedule *s =
            records_add(&stage_schedule_type, &p->pipeline->resource_scheduling,
                        &p->pipeline->resource_scheduling_count, NULL);

        assert_int_equal(text_set(&s->client_class, stages[i], NULL), 0);
    }
    assert_int_equal(turn_remap(p, a, n, NULL), 0);
    for (size_t i = 0; wanted[i]; i++)
        assert_string_equal(p->pipeline->resource_scheduling[i].client_class, wanted[i]);
    proposal_free(p);
    snapshot_unref(a);
    snapshot_unref(n);
}

static void lost_memory_leaves_a_whole_proposal(void **state)
{
    struct snapshot *a = snapshot_of("1122", 2), *n = snapshot_of("2231", 3);
    int rc, nth = 0;

    (void)state;
    do {
        struct proposal *p = proposal_for((const char *const[]){"c1", "c2", NULL});

        mem_fail_at((unsigned)++nth);
        rc = turn_remap(p, a, n, NULL);
        mem_fail_at(0);
        assert_int_equal(record_check(&federated_proposal_type, p->federated, NULL), 0);
        proposal_free(p);
    } while (rc < 0 && nth < 100);
    assert_in_range(nth, 2, 99);
    snapshot_unref(a);
    snapshot_unref(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_renumbered_with_their_members),
        cmocka_unit_test(a_class_that_split_gives_its_values_to_each_part),
        cmocka_unit_test(classes_that_merged_follow_the_majority),
        cmocka_unit_test(newcomers_get_nothing_and_the_gone_are_forgotten),
        cmocka_unit_test(a_class_that_never_was_stays_for_verification_to_name),
        cmocka_unit_test(a_stage_follows_the_most_of_its_class),
        cmocka_unit_test(lost_memory_leaves_a_whole_proposal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
