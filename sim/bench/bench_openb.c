/*
 * bench_openb.c -- S5: a public trace until its cluster is full.
 *
 * openb's default list of pods in an order drawn by the seed, with more of them drawn until they
 * ask for 130% of all GPUs of its GPU nodes; they come one by one and never leave. Timed is `berth
 * run` on what `berth import openb --fill` wrote, start to report.
 */
#include <stdio.h>

#include "scheduler/base/mem.h"
#include "sim/bench/folder.h"
#include "sim/bench/lines.h"
#include "sim/bench/process.h"
#include "sim/experiment/files.h"
#include "sim/import/import.h"

#define DEMAND_PERCENT 130

/* The importer's scenario compares strategies; here it is binpack alone, once. */
static bool make_input(const char *nodes, const char *pods, const char *folder, uint64_t seed,
                       struct bench_round *round)
{
    const struct import_fill fill = {DEMAND_PERCENT, seed};
    struct berth_error err = BERTH_ERROR_INIT;
    struct text json = TEXT_INIT;
    char *path = files_join(folder, "binpack.json");
    FILE *report = fopen("/dev/null", "w");
    text_add(&json, "{\"version\":1,\"name\":\"binpack\",\"include\":[\"scenario.json\"],"
                    "\"compare\":null,\"run\":{\"replications\":1,\"placementStrategy\":"
                    "[{\"type\":\"binpack\",\"field\":\"memory\"}]}}");
    enum berth_err code = import_openb(nodes, pods, &fill, folder, report, &err);
    if (code == BERTH_OK)
        code = files_write(path, &json, &err);
    if (report != NULL)
        (void)fclose(report);
    text_free(&json);
    mem_free(path);
    return bench_check(round, code == BERTH_OK, "the trace was read%s", err.text);
}

static void check(const struct bench_process *process, struct bench_round *round)
{
    double requested = bench_process_metric(process, METRIC_TASKS_REQUESTED);
    double placed = bench_process_metric(process, METRIC_TASKS_PLACED);
    double refused = bench_process_metric(process, METRIC_TASKS_REFUSED);
    double filled = bench_process_last(process, "gpuReservedRatio");
    (void)bench_check(round, placed + refused == requested && refused > 0,
                      "of %.0f pods %.0f have a place and %.0f have none", requested, placed,
                      refused);
    (void)bench_check(round, filled > 0.8, "%.1f %% of all GPUs are taken in the end",
                      100 * filled);
    (void)bench_check(round, bench_process_last(process, "tasksRunning") > 0.99 * placed,
                      "those that have a place stay");
}

void bench_s5(const struct bench_setting *setting, struct bench_round *round)
{
    struct bench_process process;
    struct text at = TEXT_INIT;
    char *folder = NULL;
    text_addf(&at, "%s/openb", setting->traces);
    char *nodes = files_join(at.bytes, "openb_node_list_gpu_node.csv.gz");
    char *pods = files_join(at.bytes, "openb_pod_list_default.csv.gz");
    bench_describe(round,
                   "openb's default pods on its GPU nodes until they ask for %d %% of the "
                   "GPUs, berth run, start to exit",
                   DEMAND_PERCENT);
    if (!files_exist(nodes) || !files_exist(pods)) {
        bench_leave_out(round, "%s is not there; BERTH_TRACES names the folder of traces",
                        files_exist(nodes) ? pods : nodes);
    } else if ((folder = bench_folder_make(round)) != NULL &&
               make_input(nodes, pods, folder, setting->seed, round) &&
               bench_berth_run(folder, "binpack.json", round, &process)) {
        round->values[0] = process.cpu_s;
        bench_set_yardstick(round, 1e6 / process.cpu_s);
        check(&process, round);
        bench_process_free(&process);
    }
    mem_free(nodes);
    mem_free(pods);
    text_free(&at);
    bench_folder_remove(folder);
}
