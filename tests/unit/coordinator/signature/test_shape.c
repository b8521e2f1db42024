#include "common/core/buf.h"
#include "common/core/mem.h"
#include "common/model/proposal.h"
#include "common/model/record.h"
#include "coordinator/signature/shape.h"
#include "tests/unit/coordinator/signature/cases.h"

static char *shape(const struct record_type *type, const char *name)
{
    struct buf b;

    buf_init(&b, 10000);
    shape_add(&b, record_field(type, name));
    return buf_take(&b, NULL, NULL);
}

static void rows_are_said_in_few_words(void **state)
{
    static const struct {
        const struct record_type *type;
        const char *name, *shape;
    } rows[] = {
        {&federated_proposal_type, "resource_allocation",
         "{\"rank\": integer 1..1024, \"layers\": integer 1..4096, \"memory_share\": number"
         " 0.1..1, "
         "\"rationale\": \"<why>\"}"},
        {&federated_proposal_type, "communication_protocol",
         "{\"upload_format\": \"f32|f16|bf16|int8|int4\", \"rationale\": \"<why>\"}"},
        {&pipeline_proposal_type, "pipeline_architecture",
         "{\"max_devices\": integer 1..1000000, \"colocate\": [{\"stages\": [\"<their names>\", "
         "...]}, ...], \"rationale\": \"<why>\"}"},
        {&client_optimization_type, "participate", "true|false"},
        {&proposal_type, "notes", "[\"<what was forgiven or dropped while reading it>\", ...]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = shape(rows[i].type, rows[i].name);

        assert_string_equal(text, rows[i].shape);
        mem_free(text);
    }
}

static void types_have_names(void **state)
{
    static const struct {
        const struct record_type *type;
        const char *name, *shown;
    } rows[] = {
        {NULL, NULL, "str"},
        {&client_optimization_type, "batch_size", "int"},
        {&convergence_strategy_type, "learning_rate", "float"},
        {&client_optimization_type, "participate", "bool"},
        {&client_optimization_type, "rationale", "str"},
        {&client_optimization_type, "model_format", "ModelFormat"},
        {&federated_proposal_type, "resource_allocation", "ResourceAllocation"},
        {&federated_proposal_type, "client_optimization", "list[ClientOptimization]"},
        {&stage_group_type, "stages", "list[str]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf b;
        char *text;

        buf_init(&b, 100);
        shape_add_name(&b, rows[i].type ? record_field(rows[i].type, rows[i].name) : NULL);
        text = buf_take(&b, NULL, NULL);
        assert_string_equal(text, rows[i].shown);
        mem_free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_said_in_few_words),
        cmocka_unit_test(types_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
