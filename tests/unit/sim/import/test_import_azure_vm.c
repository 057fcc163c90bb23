#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "sim/import/import.h"
#include "sim/scenario/scenario.h"
#include "tests/support/scratch.h"
#include "tests/support/traces.h"

#define HEADER "vm,batch,arrival_s,flavor,vcpu,mem_gb,dur_bin,dur_lo_s,dur_hi_s,censored\n"

static enum berth_err import(const char *vms, const char *folder, char **report,
                             struct berth_error *err)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s", scratch_path("report.txt"));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    *err = (struct berth_error)BERTH_ERROR_INIT;
    enum berth_err code = import_azure_vm(vms, folder, file, err);
    fclose(file);
    *report = code == BERTH_OK ? scratch_read(path, NULL) : NULL;
    return code;
}

static void assert_prints(const char *report, const char *const *lines)
{
    for (; *lines != NULL; lines++)
        if (strstr(report, *lines) == NULL)
            fail_msg("no \"%s\" in:\n%s", *lines, report);
}

static void test_small(void **state)
{
    (void)state;
    /*
     * 0..300 a (2 vCPU, 3.5 GB), 0..150 b (1, 0.75; below the least lifetime), 300.. b censored to
     * the end, 900 = 600 + one bin: 600 s; 600..900 a for 7000 s, of which 300 count.
     */
    static const char *const lines[] = {
        "VMs: 4 of 2 flavors in 3 batches; 1 still running at the end\n",
        "replay over 900 s on an unlimited cluster",
        /* VMs (300 + 150 + 600 + 300) / 900; vCPU (600 + 150 + 600 + 600) / 900;
           GB (1050 + 112.5 + 450 + 1050) / 900 */
        "  time averages: 1.5 VMs, 2.1667 vCPU, 2.9583 GB\n", "  peaks: 2 VMs, 3 vCPU, 4.25 GB\n",
        "fleet: 50 machines of 64 vCPU and 256 GiB", NULL};
    struct berth_error err;
    char *report;
    const char *vms = scratch_write_text("vms.csv", HEADER "0,0,0,a,2,3.5,1,300,300,0\n"
                                                           "1,0,0,b,1,0.75,0,0,300,0\n"
                                                           "2,1,300,b,1,0.75,1,300,300,1\n"
                                                           "3,2,600,a,2,3.5,9,7000,9000,0\n");
    if (import(vms, scratch_path("small"), &report, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    assert_prints(report, lines);
    mem_free(report);
    char *csv = scratch_read(scratch_path("small/workload.csv"), NULL);
    assert_string_equal(csv, "arrival,lifetime,taskDefinition,group\n"
                             "0,300,vm-a,batch-0\n0,150,vm-b,batch-0\n"
                             "300,,vm-b,batch-1\n600,7000,vm-a,batch-2\n");
    mem_free(csv);
    struct scenario_set *set;
    if (scenario_load(scratch_path("small/scenario.json"), &set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    const struct scenario *scenario = set->variants[0];
    assert_true(set->variant_count >= 6);
    assert_int_equal(scenario->task_def_count, 2);
    const struct scenario_task_def *b = scenario_find_task_def(scenario, "vm-b");
    assert_int_equal(b->def->demand.cpu_units, 1024);
    assert_int_equal(b->def->demand.mem_mib, 768);
    assert_true(b->is_endless);
    assert_int_equal(scenario->run.duration_ns, 900 * BERTH_NS_PER_S);
    scenario_set_destroy(set);
}

static void test_machines_grow_with_the_largest_vm(void **state)
{
    (void)state;
    struct berth_error err;
    char *report;
    const char *vms = scratch_write_text("vms.csv", HEADER "0,0,0,big,48,700,1,300,300,0\n");
    if (import(vms, scratch_path("big"), &report, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    /* 700 GB is to be at most half of a machine: 256 doubled three times */
    assert_prints(report, (const char *const[]){"machines of 512 vCPU and 2048 GiB", NULL});
    mem_free(report);
}

static void test_bad_input(void **state)
{
    (void)state;
    static const struct {
        const char *rows, *message;
    } cases[] = {
        {"", "vms.csv:1: no VMs"},
        {"0,0,300,a,1,1,1,300,300,0\n1,1,0,a,1,1,1,300,300,0\n",
         "vms.csv:3: column \"arrival_s\": 0 is before the row above it; sort the rows"},
        {"0,0,0,a,1,1,1,300,300,2\n", "vms.csv:2: column \"censored\": \"2\" is too large"},
        {"0,0,0,a,x,1,1,300,300,0\n", "vms.csv:2: column \"vcpu\": \"x\" is not a number"},
        {"0,0,0,a,1,-1,1,300,300,0\n", "vms.csv:2: column \"mem_gb\": \"-1\" is negative"},
        {"0,0,0,a,1,1,1,1e309,300,0\n", "column \"dur_lo_s\": \"1e309\" is too large"},
        {"0,0,0,,1,1,1,300,300,0\n", "vms.csv:2: column \"flavor\": a flavor is a name"},
        {"0,0,0,a,1,1,1,300,300,0\n1,1,0,a,2,1,1,300,300,0\n",
         "vms.csv:3: column \"flavor\": a had another size in line 2"},
        {"0,{},0,a,1,1,1,300,300,0\n", "vms.csv:2: column \"batch\": a batch is a name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text text = TEXT_INIT;
        struct berth_error err;
        char *report;
        text_addf(&text, "%s%s", HEADER, cases[i].rows);
        const char *vms = scratch_write_text("vms.csv", text.bytes);
        if (import(vms, scratch_path("bad"), &report, &err) != BERTH_ERR_INPUT ||
            strstr(err.text, cases[i].message) == NULL)
            fail_msg("case %zu: %s", i, err.text);
        text_free(&text);
        assert_int_not_equal(access(scratch_path("bad/workload.csv"), F_OK), 0);
        assert_int_not_equal(access(scratch_path("bad/.workload.csv.part"), F_OK), 0);
    }
    const char *vms = scratch_write_text("vms.csv", "arrival_s,vcpu\n");
    struct berth_error err;
    char *report;
    assert_int_equal(import(vms, scratch_path("bad2"), &report, &err), BERTH_ERR_INPUT);
    assert_non_null(strstr(err.text, "vms.csv:1: no column \"flavor\""));
    assert_int_not_equal(access(scratch_path("bad2"), F_OK), 0);
}

/* The trace's own oracle, to the last digit given. */
static void test_trace(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "VMs: 259159 of 16 flavors in 53109 batches; 14317 still running at the end\n",
        "replay over 300000 s on an unlimited cluster",
        "  time averages: 10120.1295 VMs, 22549.996 vCPU, 47338.2106 GB\n",
        "  peaks: 18860 VMs, 41654 vCPU, 111159 GB\n", NULL};
    const char *vms = traces_path("azure-v1-vm/azure_v1_dev_vms.csv.gz", "azure-vm's oracle");
    struct berth_error err;
    char *report;
    if (vms == NULL)
        return;
    if (import(vms, scratch_path("azure"), &report, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    assert_prints(report, lines);
    mem_free(report);
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
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_machines_grow_with_the_largest_vm),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_trace),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
