/*
 * bench_reading.c -- R1, R3: how long it takes to begin: a large scenario is loaded, a small one is
 * run from start to table.
 */
#include "scheduler/base/mem.h"
#include "sim/bench/folder.h"
#include "sim/bench/lines.h"
#include "sim/bench/process.h"
#include "sim/bench/scenarios.h"
#include "sim/experiment/files.h"
#include "sim/scenario/scenario.h"

void bench_r1(const struct bench_setting *setting, struct bench_round *round)
{
    const uint32_t count = setting->is_quick ? 2000 : 17500;
    struct text json = TEXT_INIT;
    struct berth_error err = BERTH_ERROR_INIT;
    struct scenario_set *set = NULL;
    scenario_write_large(count, &json);
    round->is_smaller = setting->is_quick;
    bench_describe(round, "%.1f MB of %u groups, definitions and services each",
                   (double)json.length * 1e-6, (unsigned)count);
    double begin = bench_cpu_s();
    enum berth_err code = scenario_load_text(json.bytes, json.length, ".", &set, &err);
    round->values[0] = bench_cpu_s() - begin;
    bench_set_yardstick(round, 1e6 / round->values[0]);
    if (bench_check(round, code == BERTH_OK, "the scenario is right%s", err.text)) {
        const struct scenario *scenario = set->variants[0];
        (void)bench_check(round,
                          scenario->group_count == count && scenario->task_def_count == count &&
                              scenario->service_count == count,
                          "%u groups, %u definitions, %u services were read",
                          (unsigned)scenario->group_count, (unsigned)scenario->task_def_count,
                          (unsigned)scenario->service_count);
    }
    scenario_set_destroy(set);
    text_free(&json);
}

void bench_r3(const struct bench_setting *setting, struct bench_round *round)
{
    const struct service_churn churn = {10, 4, 3, 1, 120, 900};
    struct text json = TEXT_INIT;
    struct berth_error err = BERTH_ERROR_INIT;
    struct bench_process process;
    char *folder = bench_folder_make(round);
    (void)setting;
    if (folder == NULL)
        return;
    char *file = files_join(folder, "scenario.json");
    scenario_write_services(&churn, &json);
    bench_describe(round, "berth run, start to exit: %u services on %u instances, %u s simulated",
                   (unsigned)churn.services, (unsigned)churn.instances, (unsigned)churn.duration_s);
    if (bench_check(round, files_write(file, &json, &err) == BERTH_OK, "the input was written%s",
                    err.text) &&
        bench_berth_run(folder, "scenario.json", round, &process)) {
        round->values[0] = process.cpu_s * 1e3;
        bench_set_yardstick(round, 1e6 / process.cpu_s);
        (void)bench_check(round, bench_process_metric(&process, METRIC_TASKS_PLACED) > 0,
                          "%.0f tasks were placed",
                          bench_process_metric(&process, METRIC_TASKS_PLACED));
        bench_process_free(&process);
    }
    mem_free(file);
    text_free(&json);
    bench_folder_remove(folder);
}
