/* test_store_ledger.c - the privacy budget: each round once, the dearer charge, never given back.
 */
#include "coordinator/store/store_ledger.h"

#include "store_fixture.h"

#include "common/core/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct suite {
    struct store_fixture fx;
    struct store *s;
};

static int setup(void **state, bool memory)
{
    struct suite *t = mem_zalloc(sizeof *t);

    fixture_open(&t->fx);
    t->s = fixture_store(&t->fx, memory);
    *state = t;
    return 0;
}

static int setup_sqlite(void **state)
{
    return setup(state, false);
}

static int setup_memory(void **state)
{
    return setup(state, true);
}

static int teardown(void **state)
{
    struct suite *t = *state;

    store_close(t->s);
    fixture_close(&t->fx);
    mem_free(t);
    return 0;
}

static enum err_code code_of(struct store *s, struct store_op *op)
{
    struct store_result *r = store_call(s, op);
    enum err_code code = r->err.code;

    assert_true(code == ERR_NONE || r->err.text[0]);
    store_result_free(r);
    return code;
}

/* One round at noise sigma, at three orders; the others never matter. */
static struct store_op *charged_plan(const char *id, int64_t first, int64_t last, double sigma,
                                     double target)
{
    struct store_op *op = plan_op(id, "j1", 1, 1);
    struct store_charge *c = op->charge = mem_zalloc(sizeof *op->charge);

    *c = (struct store_charge){.round_first = first,
                               .round_last = last,
                               .sigma = sigma,
                               .epsilon = target,
                               .delta = 1e-5,
                               .target = target,
                               .rate = 1};
    c->rho = (double)(last - first + 1) / (2 * sigma * sigma);
    for (int k = 0; k < STORE_ORDERS; k++) {
        c->orders[k] = k + 2;
        c->spend[k] = (k + 2) / (2 * sigma * sigma);
        c->limit[k] = target - 11.5 / (k + 1); /* as ln(1 / delta) / (order - 1) */
    }
    return op;
}

/* A round is charged once, the dearer charge counts, and what is spent stays spent. */
static void the_ledger_refuses_what_passes_the_target(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_result *r = store_call(s, charged_plan("p1", 1, 20, 5, 8));
    struct store_op *op;
    double spent;

    assert_int_equal(r->err.code, ERR_NONE);
    spent = r->spent->charged_epsilon;
    assert_true(spent > 3 && spent < 8);
    store_result_free(r);
    r = store_call(s, charged_plan("p2", 1, 20, 5, 8)); /* replanned: the same rounds */
    assert_int_equal(r->err.code, ERR_NONE);
    assert_true(r->spent->charged_epsilon == spent);
    store_result_free(r);
    r = store_call(s, charged_plan("p3", 1, 20, 9, 8)); /* more noise gives nothing back */
    assert_true(r->err.code == ERR_NONE && r->spent->charged_epsilon == spent);
    store_result_free(r);
    r = store_call(s, charged_plan("p4", 1, 90, 5, 8));
    assert_int_equal(r->err.code, ERR_INFEASIBLE);
    assert_non_null(strstr(r->err.text, "rounds 1 to 90"));
    assert_non_null(strstr(r->err.text, "is spent and is not given back"));
    store_result_free(r);
    assert_int_equal(code_of(s, get_op(STORE_GET_PLAN, "p4", NULL)), ERR_NOT_FOUND);
    assert_int_equal(code_of(s, charged_plan("p5", 1, 20, 2, 8)), ERR_INFEASIBLE); /* less noise */
    assert_int_equal(code_of(s, charged_plan("p6", 1, 1, 9, 1)), ERR_INFEASIBLE); /* less allowed */
    op = store_op_new(STORE_PLAN_STATE, 0, 1, NULL);
    assert_int_equal(text_set(&op->plan_id, "p3", NULL), 0);
    op->plan_state = PLAN_STATE_CANCELLED;
    store_expect(s, op);
    r = store_call(s, charged_plan("p7", 21, 21, 5, 8)); /* cancelling refunded nothing */
    assert_true(r->err.code == ERR_NONE && r->spent->charged_epsilon > spent);
    store_result_free(r);
}

static void privacy_sums_up(void **state)
{
    struct store *s = ((struct suite *)*state)->s;
    struct store_result *r;
    char id[8];

    for (int i = 1; i <= 3; i++) {
        struct store_op *op;

        snprintf(id, sizeof id, "p%d", i);
        op = plan_op(id, i == 3 ? "other" : "j1", 1, i);
        op->charge = mem_zalloc(sizeof *op->charge);
        *op->charge = (struct store_charge){1, 10, 0.25, 1.1, 2, 1e-6, .target = 8, .rate = 1};
        r = store_call(s, op);
        assert_int_equal(r->err.code, ERR_NONE);
        assert_int_equal(r->spent->charges, i == 3 ? 1 : i);
        assert_true(r->spent->rho == (i == 3 ? 0.25 : 0.25 * i));
        assert_true(r->spent->epsilon == (i == 3 ? 2.0 : 2.0 * i));
        assert_string_equal(r->spent->job_id, i == 3 ? "other" : "j1");
        store_result_free(r);
    }
}

/* Charges from before vectors were kept: their rho stands for every order. */
static void old_charges_count_by_their_rho(void **state)
{
    struct ledger *l = ledger_new(NULL);
    struct store_op *op = charged_plan("p1", 11, 20, 5, 8);
    double spent = 0, alone = 0;

    (void)state;
    assert_non_null(l);
    assert_int_equal(ledger_charge(l, "j1", op->charge, &alone, NULL), 0);
    ledger_free(l);
    l = ledger_new(NULL);
    assert_int_equal(ledger_add(l, 1, 10, 10 / 50.0, NULL, NULL), 0);
    assert_int_equal(ledger_charge(l, "j1", op->charge, &spent, NULL), 0);
    assert_true(spent > alone);
    ledger_free(l);
    l = ledger_new(NULL);
    assert_int_equal(ledger_add(l, 5, 15, 11 / 50.0, NULL, NULL), 0); /* half of it overlaps */
    assert_int_equal(ledger_charge(l, "j1", op->charge, &alone, NULL), 0);
    assert_true(alone < spent);
    ledger_free(l);
    store_op_free(op);
}

static void lost_memory_charges_nothing(void **state)
{
    struct store_op *op = charged_plan("p1", 1, 20, 5, 8);
    struct err err = {0};
    int nth = 0, rc = -1;

    (void)state;
    while (rc < 0 && ++nth < 100) {
        struct ledger *l;
        double spent;

        mem_fail_at(nth);
        l = ledger_new(&err);
        rc = l ? ledger_charge(l, "j1", op->charge, &spent, &err) : -1;
        assert_true(rc == 0 || err.code == ERR_NOMEM);
        ledger_free(l);
    }
    mem_fail_at(0);
    assert_in_range(nth, 3, 99);
    store_op_free(op);
}

#define BOTH(test)                                           \
    {"sqlite: " #test, test, setup_sqlite, teardown, NULL},  \
    {                                                        \
        "memory: " #test, test, setup_memory, teardown, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_ledger_refuses_what_passes_the_target),
        BOTH(privacy_sums_up),
        cmocka_unit_test(old_charges_count_by_their_rho),
        cmocka_unit_test(lost_memory_charges_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
