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
#include "sim/import/import.h"
#include "sim/scenario/scenario.h"
#include "tests/support/scratch.h"
#include "tests/support/traces.h"

#define NODES                                    \
    "sn,cpu_milli,memory_mib,gpu,model\n"        \
    "n0,32000,262144,0,\nn1,96000,393216,8,G2\n" \
    "n2,32000,262144,0,\nn3,96001,393216,8,T4\n"
#define PODS_HEADER \
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time\n"

/* Runs the importer; *report is what it printed (mem_free), NULL when it failed. */
static enum berth_err import_filled(const char *nodes, const char *pods, struct import_fill fill,
                                    const char *folder, char **report, struct berth_error *err)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s", scratch_path("report.txt"));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    *err = (struct berth_error)BERTH_ERROR_INIT;
    enum berth_err code = import_openb(nodes, pods, &fill, folder, file, err);
    fclose(file);
    *report = code == BERTH_OK ? scratch_read(path, NULL) : NULL;
    return code;
}

static enum berth_err import(const char *nodes, const char *pods, const char *folder, char **report,
                             struct berth_error *err)
{
    return import_filled(nodes, pods, (struct import_fill){0, 0}, folder, report, err);
}

static void assert_prints(const char *report, const char *const *lines)
{
    for (; *lines != NULL; lines++)
        if (strstr(report, *lines) == NULL)
            fail_msg("no \"%s\" in:\n%s", *lines, report);
}

static struct scenario_set *load(const char *folder)
{
    char path[1024];
    struct scenario_set *set;
    struct berth_error err = BERTH_ERROR_INIT;
    (void)snprintf(path, sizeof path, "%s/scenario.json", folder);
    if (scenario_load(path, &set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return set;
}

/* The pods out of order, with every shape of GPU request; one is gone as it comes. */
static void test_small(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "nodes: 4 in 3 groups; 256.001 vCPU, 1310720 MiB, 16 GPUs\n",
        "  rounding: their CPU down to whole units (1/1024 vCPU), 0.024 units less\n",
        "pods: 5; 2 without GPU, 1 sharing one, 1 with one, 1 with several; 2 limited",
        "replay over 100 s on an unlimited cluster, creation to deletion:\n",
        /*
         * pods (50 + 100 + 0 + 10.5 + 30) / 100; CPU (8 x 50 + 1 x 100 + 10.5 + 0.001 x 30) / 100;
         * GPUs (50 + 0.46 x 10.5 + 2 x 30) / 100
         */
        "  time averages: 1.905 pods, 5.1053 vCPU, 1.1483 GPUs",
        "  peaks: 3 pods, 9 vCPU, 2.46 GPUs", NULL};
    char *report, *csv;
    struct berth_error err;
    const char *nodes = scratch_write_text("nodes.csv", NODES);
    const char *pods =
        scratch_write_text("pods.csv", PODS_HEADER "a,8000,1024,1,1000,G2|T4,LS,50,100\n"
                                                   "b,1000,512,0,0,,BE,0,\n"
                                                   "c,9000,1,0,0,,BE,60,60\n"
                                                   "d,1000,256,1,460,T4,LS,10,20.5\n"
                                                   "e,1,256,2,1000,,LS,10.25,40.25\n");
    char folder[1024];
    (void)snprintf(folder, sizeof folder, "%s", scratch_path("small"));
    if (import(nodes, pods, folder, &report, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    assert_prints(report, lines);
    csv = scratch_read(scratch_path("small/workload.csv"), NULL);
    assert_string_equal(csv, "arrival,lifetime,cpu,memory,gpu,constraint,x-line\n"
                             "0,,1024,512,0,,3\n"
                             "10,10.5,1024,256,0.46,\"attribute:gpu-model in [T4]\",5\n"
                             "10.25,30,2,256,2,,6\n"
                             "50,50,8192,1024,1,\"attribute:gpu-model in [G2,T4]\",2\n"
                             "60,0,9216,1,0,,4\n");
    mem_free(csv);
    mem_free(report);
}

static void test_scenario_loads(void **state)
{
    (void)state;
    struct scenario_set *set = load(scratch_path("small"));
    assert_string_equal(set->name, "openb");
    assert_string_equal(set->baseline, "spread");
    assert_true(set->variant_count >= 6);
    const struct scenario *scenario = set->variants[0];
    assert_int_equal(scenario->group_count, 3);
    assert_int_equal(scenario->groups[0].count, 2);
    assert_int_equal(scenario->groups[0].cpu_units, 32768);
    assert_string_equal(scenario->groups[1].name, "G2-8gpu-96000m-393216MiB");
    assert_int_equal(scenario->groups[1].gpu_count, 8);
    assert_string_equal(scenario->groups[1].attributes[0].name, "gpu-model");
    assert_string_equal(scenario->groups[1].attributes[0].value, "G2");
    assert_int_equal(scenario->groups[2].cpu_units, 98305); /* 96001 x 1.024 = 98305.024 */
    assert_int_equal(scenario->run.duration_ns, 100 * BERTH_NS_PER_S);
    assert_int_equal(scenario->arrival_count, 1);
    assert_int_equal(scenario->arrivals[0].process, ARRIVAL_CSV);
    scenario_set_destroy(set);
}

static void test_population_without_times(void **state)
{
    (void)state;
    char *report;
    struct berth_error err;
    const char *nodes = scratch_write_text("nodes.csv", NODES);
    const char *pods =
        scratch_write_text("pods.csv", "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n"
                                       "a,8000,1024,1,1000\nb,500,9,2,250\n");
    if (import(nodes, pods, scratch_path("population"), &report, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    char *csv = scratch_read(scratch_path("population/workload.csv"), NULL);
    assert_string_equal(csv, "arrival,lifetime,cpu,memory,gpu,constraint,x-line\n"
                             "0,,8192,1024,1,,2\n1,,512,9,0.25+0.25,,3\n");
    mem_free(csv);
    mem_free(report);
    struct scenario_set *set = load(scratch_path("population"));
    assert_int_equal(set->variants[0]->run.duration_ns, 2 * BERTH_NS_PER_S);
    scenario_set_destroy(set);
}

/* 16 GPUs are in the nodes: 130 % are 20.8 of them. */
static char *fill(uint64_t seed, const char *folder, char **workload)
{
    struct berth_error err;
    char *report, path[1024];
    const char *nodes = scratch_write_text("nodes.csv", NODES);
    const char *pods = scratch_write_text("pods.csv", PODS_HEADER "a,1000,1024,0,0,,LS,5,9\n"
                                                                  "b,1000,1024,1,500,,LS,7,8\n"
                                                                  "c,2000,1024,2,1000,T4,LS,1,2\n");
    if (import_filled(nodes, pods, (struct import_fill){130, seed}, folder, &report, &err) !=
        BERTH_OK)
        fail_msg("%s", err.text);
    (void)snprintf(path, sizeof path, "%s/workload.csv", folder);
    *workload = scratch_read(path, NULL);
    return report;
}

static void test_filled(void **state)
{
    (void)state;
    char folder[1024], *workload, *again, *other;
    (void)snprintf(folder, sizeof folder, "%s", scratch_path("filled"));
    char *report = fill(7, folder, &workload);
    assert_non_null(strstr(report, "  3 of the list, in an order drawn by seed 7, and "));
    int rows = -1, line;
    double gpus = 0, before_last = 0;
    unsigned seen = 0;
    for (char *at = workload; *at != '\0'; at = strchr(at, '\n') + 1, rows++) {
        if (rows < 0)
            continue;
        assert_int_equal(atoi(at), rows); /* one a second, endless: no lifetime */
        assert_non_null(strstr(at, ",,"));
        (void)sscanf(strchr(at, '\n') - 2, ",%d", &line);
        seen |= rows < 3 ? 1U << line : 0;
        before_last = gpus;
        gpus += line == 2 ? 0 : line == 3 ? 0.5 : 2;
    }
    assert_int_equal(seen, 1U << 2 | 1U << 3 | 1U << 4); /* the list itself comes first */
    assert_true(gpus >= 20.8 && before_last < 20.8);
    mem_free(report);
    mem_free(fill(7, folder, &again));
    assert_string_equal(workload, again);
    mem_free(fill(8, folder, &other));
    assert_string_not_equal(workload, other);
    scenario_set_destroy(load(folder));
    mem_free(other);
    mem_free(again);
    mem_free(workload);
}

static void test_bad_input(void **state)
{
    (void)state;
    static const struct {
        const char *nodes, *pods, *message;
    } cases[] = {
        {"sn,cpu,memory_mib,gpu,model\n", "", "nodes.csv:1: no column \"cpu_milli\""},
        {"cpu_milli,memory_mib,gpu,model\n", "", "nodes.csv: no nodes"},
        {"cpu_milli,memory_mib,gpu,model\n1,x,0,\n", "",
         "nodes.csv:2: column \"memory_mib\": \"x\""},
        {"cpu_milli,memory_mib,gpu,model\n0,9,0,\n", "",
         "nodes.csv:2: column \"cpu_milli\": a node"},
        {"cpu_milli,memory_mib,gpu,model\n9,9,65,\n", "", "column \"gpu\": \"65\" is too large"},
        {"cpu_milli,memory_mib,gpu,model\n9,9,1,a b\n", "", "column \"model\": a GPU model is"},
        {NODES, "a\n", "pods.csv:1: no column \"cpu_milli\""},
        {NODES, PODS_HEADER, "pods.csv: no pods"},
        {NODES, PODS_HEADER "a,-8,1,0,0,,LS,0,1\n",
         "pods.csv:2: column \"cpu_milli\": \"-8\" is neg"},
        {NODES, PODS_HEADER "a,1,1,1,0,,LS,0,1\n", "column \"gpu_milli\": a share of 0 of 1 cards"},
        {NODES, PODS_HEADER "a,1,1,1,1001,,LS,0,1\n",
         "column \"gpu_milli\": \"1001\" is too large"},
        {NODES, PODS_HEADER "a,1,1,17,500,,LS,0,1\n", "column \"num_gpu\": shares of more than 16"},
        {NODES, PODS_HEADER "a,1,1,1,1000,A||B,LS,0,1\n", "column \"gpu_spec\": not a list"},
        {NODES, PODS_HEADER "a,1,1,1,1000,A]{,LS,0,1\n", "column \"gpu_spec\": not a list"},
        {NODES, PODS_HEADER "a,1,1,0,0,,LS,5,4\n",
         "pods.csv:2: column \"deletion_time\": 4 is before the creation, 5"},
        {NODES, PODS_HEADER "a,1,1,0,0,,LS,0,nan\n", "column \"deletion_time\": \"nan\" is not a"},
        {NODES, PODS_HEADER "a,1,1,0,0,,LS,0,1e30\n", "\"1e30\" is too large"},
        {NODES, PODS_HEADER "a,1,1,0,0,,LS,0,0\n", "pods.csv: all times are 0"},
        {NODES, PODS_HEADER "a,1,1,0,0\n", "pods.csv:2: 5 cells, but the header names 9 columns"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *report;
        struct berth_error err;
        const char *nodes = scratch_write_text("nodes.csv", cases[i].nodes);
        const char *pods = scratch_write_text("pods.csv", cases[i].pods);
        enum berth_err code = import(nodes, pods, scratch_path("bad"), &report, &err);
        if (code != BERTH_ERR_INPUT || strstr(err.text, cases[i].message) == NULL)
            fail_msg("case %zu: %s", i, err.text);
    }
    assert_int_not_equal(access(scratch_path("bad"), F_OK), 0); /* nothing was begun */
}

/* The trace's own oracle, to the last digit given. */
static void test_trace(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "nodes: 1523 in ",
        "pods: 8152; 1088 without GPU, 3078 sharing one, 3911 with one, 75 with",
        "  all together: 85436 vCPU, 296432 GiB, 6086.8 GPUs\n",
        "replay over 12902960 s on an unlimited cluster",
        "  time averages: 16.3251 pods, 194.7358 vCPU, 14.3968 GPUs, ",
        "  peaks: 56 pods, 778.52 vCPU, 65.59 GPUs, ",
        NULL};
    const char *nodes = traces_path("openb/openb_node_list_all_node.csv.gz", "openb's oracle");
    const char *pods = traces_path("openb/openb_pod_list_default.csv.gz", "openb's oracle");
    char *report;
    struct berth_error err;
    if (nodes == NULL || pods == NULL)
        return;
    if (import(nodes, pods, scratch_path("openb"), &report, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    assert_prints(report, lines);
    mem_free(report);
    struct scenario_set *set = load(scratch_path("openb"));
    uint32_t instances = 0;
    for (uint32_t i = 0; i < set->variants[0]->group_count; i++)
        instances += set->variants[0]->groups[i].count;
    assert_int_equal(instances, 1523);
    scenario_set_destroy(set);
}

static void test_variants_of_the_trace(void **state)
{
    (void)state;
    static const struct {
        const char *nodes, *pods, *line;
    } cases[] = {
        {"gpu_node", "default",
         "nodes: 1213 in 15 groups; 107018 vCPU, 503828480 MiB, 6212 GPUs\n"},
        {"all_node", "cpu050", "pods: 7439;"},
        {"all_node", "cpu200", "pods: 8832;"},
        {"all_node", "gpushare60", "pods: 8152;"},
        {"all_node", "gpuspec33", "; 2388 limited to GPU models\n"},
        {"all_node", "multigpu20", "pods: 8324;"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char nodes_name[64], pods_name[64], *report;
        struct berth_error err;
        (void)snprintf(nodes_name, sizeof nodes_name, "openb/openb_node_list_%s.csv.gz",
                       cases[i].nodes);
        (void)snprintf(pods_name, sizeof pods_name, "openb/openb_pod_list_%s.csv.gz",
                       cases[i].pods);
        const char *nodes = traces_path(nodes_name, "a variant of openb");
        const char *pods = traces_path(pods_name, "a variant of openb");
        if (nodes == NULL || pods == NULL)
            continue;
        if (import(nodes, pods, scratch_path("variant"), &report, &err) != BERTH_OK)
            fail_msg("%s", err.text);
        assert_prints(report, (const char *const[]){cases[i].line, NULL});
        mem_free(report);
    }
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
        cmocka_unit_test(test_scenario_loads),
        cmocka_unit_test(test_population_without_times),
        cmocka_unit_test(test_filled),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_variants_of_the_trace),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
