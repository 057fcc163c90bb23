/*
 * bench_files.c -- S3, S4, R2: machines like virtual ones, from a file that the bench writes.
 *
 * S3 is `berth run` on it as a user starts it: another process, from start to exit. S4 is a day. R2
 * only reads it, as the workload that it is.
 */
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

#include "scheduler/base/mem.h"
#include "sim/bench/folder.h"
#include "sim/bench/lines.h"
#include "sim/bench/process.h"
#include "sim/bench/runs.h"
#include "sim/bench/scenarios.h"
#include "sim/experiment/files.h"
#include "sim/scenario/scenario.h"
#include "sim/workload/source.h"

struct trace {
    uint32_t machines;
    double window_s; /* in which they arrive */
    double life_s;   /* the mean of an exponential time, and at least a minute */
    double life_max_s;
};

/* Arrivals are spread evenly at random: as many as are left over the time that is left. */
static bool write_trace(const char *path, const struct trace *trace, uint64_t seed)
{
    struct bench_dice dice = {seed};
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    double at_s = 0;
    (void)fputs("arrival,lifetime,taskDefinition\n", file);
    for (uint32_t i = 0; i < trace->machines; i++) {
        double left = trace->machines - i;
        double share = (1 + bench_roll(&dice, 1000000)) * 1e-6;
        at_s += (trace->window_s - at_s) * (1 - pow(share, 1 / left));
        double life_s = -trace->life_s * log((1 + bench_roll(&dice, 1000000)) * 1e-6);
        life_s = fmin(fmax(life_s, 60), trace->life_max_s);
        uint32_t flavor = bench_roll(&dice, 8); /* half of them of the smallest */
        (void)fprintf(file, "%.3f,%.3f,vm%u\n", at_s, life_s,
                      flavor < 4   ? 0U
                      : flavor < 6 ? 1U
                                   : (unsigned)flavor - 4);
    }
    return fclose(file) == 0;
}

void bench_s3(const struct bench_setting *setting, struct bench_round *round)
{
    const struct trace trace = {10000, 4 * 3600, 4 * 3600, 24 * 3600};
    const uint32_t hosts = 1000;
    struct text json = TEXT_INIT;
    struct berth_error err = BERTH_ERROR_INIT;
    struct bench_process process;
    char *folder = bench_folder_make(round);
    if (folder == NULL)
        return;
    char *csv = files_join(folder, "machines.csv"), *file = files_join(folder, "scenario.json");
    scenario_write_machines(hosts, "machines.csv", 30 * 3600, &json);
    bench_describe(round, "berth run, start to exit: %u machines on %u hosts, to their end",
                   (unsigned)trace.machines, (unsigned)hosts);
    if (bench_check(round,
                    write_trace(csv, &trace, setting->seed) &&
                        files_write(file, &json, &err) == BERTH_OK,
                    "the input was written%s", err.text) &&
        bench_berth_run(folder, "scenario.json", round, &process)) {
        double placed = bench_process_metric(&process, METRIC_TASKS_PLACED);
        double running = bench_process_last(&process, "tasksRunning");
        round->values[0] = process.cpu_s;
        bench_set_yardstick(round, 1e6 / process.cpu_s);
        (void)bench_check(round, placed == trace.machines, "%.0f of %u machines were placed",
                          placed, (unsigned)trace.machines);
        (void)bench_check(round, running == 0, "%.0f run at the end", running);
        bench_process_free(&process);
    }
    mem_free(csv);
    mem_free(file);
    text_free(&json);
    bench_folder_remove(folder);
}

void bench_s4(const struct bench_setting *setting, struct bench_round *round)
{
    struct trace trace = {1000000, 86400, 4 * 3600, 86400};
    uint32_t hosts = 10000;
    if (setting->is_quick) {
        trace.machines /= 10;
        hosts /= 10;
        round->is_smaller = true;
    }
    struct text json = TEXT_INIT;
    struct bench_run run;
    char *folder = bench_folder_make(round);
    if (folder == NULL)
        return;
    char *csv = files_join(folder, "machines.csv");
    scenario_write_machines(hosts, "machines.csv", 86400, &json);
    bench_describe(round, "one day of %u machines from a CSV on %u hosts, read and run",
                   (unsigned)trace.machines, (unsigned)hosts);
    if (bench_check(round, write_trace(csv, &trace, setting->seed), "the input was written") &&
        bench_run(&json, folder, setting, round, &run)) {
        round->values[0] = run.load_s + run.run_s;
        round->values[1] = bench_peak_gib();
        bench_set_yardstick(round, 1e6 / round->values[0]);
        bench_run_check_books(&run, round);
        (void)bench_check(round, run.placed == trace.machines && run.ended > 0,
                          "%.0f machines of the CSV have ended, %.0f live", run.ended,
                          (double)run.live);
        bench_run_free(&run);
    }
    mem_free(csv);
    text_free(&json);
    bench_folder_remove(folder);
}

/* Every row as a request; how many. */
static uint64_t read_rows(char *csv, struct bench_round *round)
{
    const struct scenario_arrival arrival = {.name = "trace",
                                             .process = ARRIVAL_CSV,
                                             .csv_path = csv,
                                             .limit = UINT64_MAX,
                                             .end_ns = BERTH_NS_NEVER};
    struct berth_error err = BERTH_ERROR_INIT;
    struct source *source = NULL;
    struct source_task task;
    bool has_task = true;
    uint64_t rows = 0;
    enum berth_err code = source_open(&arrival, 1, BERTH_NS_NEVER, &source, &err);
    while (code == BERTH_OK && has_task) {
        code = source_next(source, &task, &has_task, &err);
        rows += has_task;
    }
    source_close(source);
    (void)bench_check(round, code == BERTH_OK, "the CSV is right%s", err.text);
    return rows;
}

void bench_r2(const struct bench_setting *setting, struct bench_round *round)
{
    struct trace trace = {1000000, 86400, 4 * 3600, 86400};
    if (setting->is_quick)
        trace.machines /= 5; /* A speed: as good from a shorter file. */
    struct stat info = {.st_size = 0};
    char *folder = bench_folder_make(round);
    if (folder == NULL)
        return;
    char *csv = files_join(folder, "machines.csv");
    if (bench_check(round, write_trace(csv, &trace, setting->seed) && stat(csv, &info) == 0,
                    "the input was written")) {
        double megabytes = (double)info.st_size * 1e-6;
        bench_describe(round, "a workload CSV of %u rows, %.1f MB, read into requests",
                       (unsigned)trace.machines, megabytes);
        double begin = bench_cpu_s();
        uint64_t rows = read_rows(csv, round);
        round->values[0] = megabytes / (bench_cpu_s() - begin);
        bench_set_yardstick(round, round->values[0] * 1e6);
        (void)bench_check(round, rows == trace.machines, "%.0f of %u rows were read", (double)rows,
                          (unsigned)trace.machines);
    }
    mem_free(csv);
    bench_folder_remove(folder);
}
