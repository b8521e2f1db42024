/* test_server_rules.c - adapters and what goes with them, masks and their thresholds, buffers. */
#include "coordinator/planner/adapters.h"
#include "coordinator/planner/buffered.h"
#include "coordinator/planner/secure.h"

#include "planner_kit.h"

#include "common/core/err.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/job.h"

#include <math.h>

/* Columns of the table: equal ranks, mixed ranks, privacy, secure aggregation, asynchronous. */
enum { EQUAL, MIXED, PRIVATE, SECURE, ASYNC, COLUMNS };

static struct mixture mixture_at(int adapters, int strategy, int column)
{
    struct mixture m = {.strategy = strategy, .adapters = adapters, .lora = true};

    m.mixed_ranks = column == MIXED;
    m.private_sum = column == PRIVATE;
    m.secure = column == SECURE;
    m.secure_protocol = SECURE_PROTOCOL_BONAWITZ;
    if (column == ASYNC && strategy != AGGREGATION_SCAFFOLD)
        m.strategy = AGGREGATION_FEDBUFF;
    return m;
}

static void the_table_is_kept(void **state)
{
    static const struct {
        int adapters, strategy;
        bool goes[COLUMNS];
        const char *name;
    } rows[] = {
        {ADAPTERS_NAIVE, AGGREGATION_FEDAVG, {true, false, true, true, true}, "naive"},
        {ADAPTERS_NAIVE, AGGREGATION_FEDPROX, {true, false, true, true, true}, "naive"},
        {ADAPTERS_FFA_LORA, AGGREGATION_FEDAVG, {true, false, true, true, true}, "ffa_lora"},
        {ADAPTERS_FEDSA_LORA, AGGREGATION_FEDAVG, {true, false, true, true, true}, "fedsa_lora"},
        {ADAPTERS_RAFLORA, AGGREGATION_FEDAVG, {true, true, true, true, true}, "raflora"},
        {ADAPTERS_HETLORA, AGGREGATION_FEDAVG, {true, true, true, false, true}, "hetlora"},
        {ADAPTERS_FLEXLORA, AGGREGATION_FEDAVG, {true, true, true, false, false}, "flexlora"},
        {ADAPTERS_FLORA, AGGREGATION_FEDAVG, {true, true, false, false, false}, "flora"},
        {ADAPTERS_NAIVE, AGGREGATION_SCAFFOLD, {true, false, true, true, true}, "naive"},
    };
    static const char *const with[] = {"", "mixed ranks", "privacy.epsilon",
                                       "privacy.secure_aggregation",
                                       "aggregation.strategy fedbuff"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int c = 0; c < COLUMNS; c++) {
            struct mixture m = mixture_at(rows[i].adapters, rows[i].strategy, c);
            struct err err = {0};
            int rc = adapters_check(&m, &err);

            if ((rc == 0) != rows[i].goes[c])
                fail_msg("%s, column %d: %d %s", rows[i].name, c, rc, err.text);
            if (rc == 0)
                continue;
            assert_int_equal(err.code, ERR_UNSUPPORTED);
            assert_non_null(strstr(err.text, rows[i].name)); /* both of the pair */
            assert_non_null(strstr(err.text, with[c]));
        }
    }
}

static void other_pairs_are_refused_by_name(void **state)
{
    static const struct {
        struct mixture m;
        const char *a, *b;
    } rows[] = {
        {{.strategy = AGGREGATION_FEDNOVA, .private_sum = true}, "fednova", "privacy.epsilon"},
        {{.lora = true, .adapters = ADAPTERS_FLORA, .quantised = true}, "flora", "quantised"},
        {{.secure = true, .top_k = true}, "top-k", "privacy.secure_aggregation"},
        {{.secure = true,
          .strategy = AGGREGATION_FEDBUFF,
          .secure_protocol = SECURE_PROTOCOL_BONAWITZ},
         "bonawitz",
         "fedbuff"},
    };
    struct mixture works = {.secure = true,
                            .strategy = AGGREGATION_FEDBUFF,
                            .secure_protocol = SECURE_PROTOCOL_LIGHTSECAGG};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};

        assert_int_equal(adapters_check(&rows[i].m, &err), -1);
        assert_non_null(strstr(err.text, rows[i].a));
        assert_non_null(strstr(err.text, rows[i].b));
    }
    assert_int_equal(adapters_check(&works, NULL), 0);
}

static void auto_follows_privacy_then_ranks(void **state)
{
    char why[200];

    (void)state;
    assert_int_equal(adapters_resolve(ADAPTERS_AUTO, true, false, why, sizeof why),
                     ADAPTERS_FFA_LORA);
    assert_int_equal(adapters_resolve(0, false, true, why, sizeof why), ADAPTERS_RAFLORA);
    assert_int_equal(adapters_resolve(0, false, false, why, sizeof why), ADAPTERS_NAIVE);
    assert_int_equal(adapters_resolve(ADAPTERS_FLORA, true, true, why, sizeof why), ADAPTERS_FLORA);
    assert_non_null(strstr(why, "the job states flora"));
}

static void traffic_follows_the_rule(void **state)
{
    struct model_shape s;
    double b, a;

    (void)state;
    kit_shape(KIT_LLAMA_8B, &s);
    b = adapters_up_share(&s, LORA_TARGETS_ALL, ADAPTERS_FFA_LORA, AGGREGATION_FEDAVG);
    a = adapters_up_share(&s, LORA_TARGETS_ALL, ADAPTERS_FEDSA_LORA, AGGREGATION_FEDAVG);
    kit_close(a + b, 1, 1e-12);
    /* d_out: q 4096, k and v 1024, o 4096, gate and up 14336, down 4096; d_in: six times 4096,
     * 14336 */
    kit_close(b, 43008. / (43008 + 38912), 1e-12);
    kit_close(adapters_up_share(&s, LORA_TARGETS_QV, ADAPTERS_FFA_LORA, AGGREGATION_FEDAVG),
              5120. / (5120 + 8192), 1e-12);
    kit_close(adapters_up_share(&s, 0, ADAPTERS_NAIVE, AGGREGATION_SCAFFOLD), 2, 0);
    kit_close(adapters_down_share(&s, 0, ADAPTERS_FLORA, AGGREGATION_FEDAVG, 12), 12, 0);
}

static struct secure_terms terms(int protocol, bool malicious, int64_t n, int64_t survivors)
{
    struct secure_ask ask = {protocol, malicious, n, survivors, UNKNOWN_I64};
    struct secure_terms t = {0};

    assert_int_equal(secure_terms_of(&ask, &t, NULL), 0);
    return t;
}

static void thresholds_are_the_protocols(void **state)
{
    struct secure_terms t;

    (void)state;
    assert_int_equal(terms(SECURE_PROTOCOL_BONAWITZ, false, 10, 8).threshold, 6); /* t > n / 2 */
    assert_int_equal(terms(SECURE_PROTOCOL_BONAWITZ, false, 11, 8).threshold, 6);
    assert_int_equal(terms(SECURE_PROTOCOL_BONAWITZ, true, 10, 8).threshold, 7); /* 2n/3 + 1 */
    assert_int_equal(terms(SECURE_PROTOCOL_BONAWITZ, false, 3, 3).threshold, 2); /* at least 2 */
    t = terms(SECURE_PROTOCOL_SECAGG_PLUS, false, 1000, 900);
    assert_in_range(t.neighbours, 10, 100);
    assert_int_equal(t.threshold, t.neighbours / 2 + 1);
    assert_int_equal(t.min_reports, 501);
    assert_int_equal(terms(SECURE_PROTOCOL_SECAGG_PLUS, false, 5, 4).neighbours, 4);
    t = terms(SECURE_PROTOCOL_LIGHTSECAGG, false, 100, 90);
    assert_int_equal(t.dropouts, 10);
    assert_true(t.privacy_threshold + t.dropouts < 100 && t.privacy_threshold < t.threshold &&
                t.threshold <= 100 - t.dropouts);
    kit_close(t.offline_share, 100. / (double)(t.threshold - t.privacy_threshold), 1e-12);
}

/* n (2^bits - 1) < 2^ring. */
static void the_ring_holds_the_sum(void **state)
{
    struct secure_ask ask = {SECURE_PROTOCOL_BONAWITZ, false, 1024, 900, UNKNOWN_I64};
    struct secure_terms t;
    struct err err = {0};

    (void)state;
    assert_int_equal(secure_terms_of(&ask, &t, NULL), 0);
    assert_int_equal(t.value_bits, 22); /* 2^10 values of 22 bits */
    assert_int_equal(t.ring_bits, 32);
    ask.clients = 1025;
    assert_int_equal(secure_terms_of(&ask, &t, NULL), 0);
    assert_int_equal(t.value_bits, 21);
    ask.value_bits = 22;
    assert_int_equal(secure_terms_of(&ask, &t, NULL), 0);
    assert_int_equal(t.ring_bits, 64);
    ask.value_bits = UNKNOWN_I64;
    ask.clients = 1 << 25;
    assert_int_equal(secure_terms_of(&ask, &t, &err), -1);
    assert_non_null(strstr(err.text, "ring of 32"));
    ask.clients = 2;
    assert_int_equal(secure_terms_of(&ask, &t, &err), -1);
    assert_non_null(strstr(err.text, "at least 3"));
    ask = (struct secure_ask){SECURE_PROTOCOL_LIGHTSECAGG, false, 4, 1, UNKNOWN_I64};
    assert_int_equal(secure_terms_of(&ask, &t, &err), -1);
    assert_non_null(strstr(err.text, "lightsecagg"));
}

static void buffers_fill_at_the_clients_rate(void **state)
{
    static const double alike[] = {10, 10, 10, 10, 10, 10, 10, 10};
    static const double unlike[] = {10, 40};
    struct buffered b = buffered_of(alike, 8, 4, 8);

    (void)state;
    kit_close(b.updates_per_second, 8 / 10. / 4, 1e-12);
    kit_close(b.staleness_mean, 2, 1e-12); /* concurrency / buffer: 8 / 4 */
    kit_close(b.staleness_most, 2, 1e-12);
    kit_close(b.weight_mean, 1 / sqrt(3), 1e-12);
    b = buffered_of(unlike, 2, 1, 2);
    kit_close(b.updates_per_second, 0.125, 1e-12);
    kit_close(b.staleness_most, 5, 1e-12);
    kit_close(b.staleness_mean, 0.8 * 1.25 + 0.2 * 5, 1e-12);
    b = buffered_of(alike, 8, 10, 4); /* no more than are ever under way */
    assert_int_equal(b.buffer_size, 4);
    kit_close(b.updates_per_second, 0.4 / 4, 1e-12);
    kit_close(buffered_weight(3), 0.5, 0);
    assert_int_equal(buffered_of(alike, 0, 10, 4).buffer_size, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_kept),
        cmocka_unit_test(other_pairs_are_refused_by_name),
        cmocka_unit_test(auto_follows_privacy_then_ranks),
        cmocka_unit_test(traffic_follows_the_rule),
        cmocka_unit_test(thresholds_are_the_protocols),
        cmocka_unit_test(the_ring_holds_the_sum),
        cmocka_unit_test(buffers_fill_at_the_clients_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
