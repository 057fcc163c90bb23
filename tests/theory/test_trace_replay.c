/*
 * test_trace_replay.c -- imported traces, run from end to end, against the traces' own oracles.
 *
 * The oracles are exact time averages on an unlimited cluster. The imported fleets have room for
 * everything and nothing takes time, so each variant must show them, to the last digit given; CPU
 * of openb is rounded up to whole units, by less than 0.001 vCPU in the average.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "sim/import/import.h"
#include "sim/run/run.h"
#include "tests/support/scratch.h"
#include "tests/support/traces.h"

static const struct scenario *variant(const struct scenario_set *set, const char *name)
{
    for (uint32_t i = 0; i < set->variant_count; i++)
        if (strcmp(set->variants[i]->variant, name) == 0)
            return set->variants[i];
    fail_msg("no variant %s", name);
    return NULL;
}

static void assert_near(const struct run_result *result, enum metric metric, double expected,
                        double tolerance)
{
    if (!(fabs(result->metrics[metric] - expected) <= tolerance))
        fail_msg("%s: %.10g, not %.10g", metric_infos[metric].name, result->metrics[metric],
                 expected);
}

static void run_variant(const char *folder, const char *name, struct run_result *result)
{
    char path[1024];
    struct scenario_set *set;
    struct berth_error err = BERTH_ERROR_INIT;
    const struct run_options options = {.seed = 1};
    (void)snprintf(path, sizeof path, "%s/scenario.json", folder);
    if (scenario_load(path, &set, &err) != BERTH_OK ||
        run_replication(variant(set, name), &options, result, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    scenario_set_destroy(set);
}

static void test_openb(void **state)
{
    (void)state;
    static const char *const names[] = {"spread", "binpack-cpu", "two-choices"};
    const char *nodes = traces_path("openb/openb_node_list_all_node.csv.gz", "openb's replay");
    const char *pods = traces_path("openb/openb_pod_list_default.csv.gz", "openb's replay");
    struct berth_error err = BERTH_ERROR_INIT;
    if (nodes == NULL || pods == NULL)
        return;
    FILE *report = fopen(scratch_path("report"), "w");
    if (import_openb(nodes, pods, &(struct import_fill){0, 0}, scratch_path("openb"), report,
                     &err) != BERTH_OK)
        fail_msg("%s", err.text);
    fclose(report);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct run_result result;
        run_variant(scratch_path("openb"), names[i], &result);
        assert_near(&result, METRIC_TASKS_RUNNING_MEAN, 16.3251, 0.00005);
        assert_near(&result, METRIC_CPU_RESERVED_MEAN, 194.7358, 0.001);
        assert_near(&result, METRIC_GPU_RESERVED_MEAN, 14.3968, 0.00005);
        assert_near(&result, METRIC_TASKS_RUNNING_MAX, 56, 0);
        assert_near(&result, METRIC_TASKS_PLACED, 8152, 0);
        run_result_free(&result);
    }
}

static void test_azure_vm(void **state)
{
    (void)state;
    const char *vms = traces_path("azure-v1-vm/azure_v1_dev_vms.csv.gz", "azure-vm's replay");
    struct berth_error err = BERTH_ERROR_INIT;
    struct run_result result;
    if (vms == NULL)
        return;
    FILE *report = fopen(scratch_path("report"), "w");
    if (import_azure_vm(vms, scratch_path("azure"), report, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    fclose(report);
    run_variant(scratch_path("azure"), "binpack-memory", &result);
    assert_near(&result, METRIC_TASKS_RUNNING_MEAN, 10120.1295, 0.00005);
    assert_near(&result, METRIC_CPU_RESERVED_MEAN, 22549.996, 0.00005);
    assert_near(&result, METRIC_MEMORY_RESERVED_MEAN, 47338.2106, 0.00005);
    assert_near(&result, METRIC_TASKS_RUNNING_MAX, 18860, 0);
    assert_near(&result, METRIC_TASKS_REFUSED, 0, 0);
    run_result_free(&result);
}

static int clean(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openb),
        cmocka_unit_test(test_azure_vm),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
