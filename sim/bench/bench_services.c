/*
 * bench_services.c -- S2: services that lose tasks all the time, through the whole of `berth run
 * --audit --no-plots`: the replication in a process of its own, under the auditor, its part, its
 * statistics, its report and tables in a folder.
 */
#include "scheduler/base/mem.h"
#include "sim/bench/folder.h"
#include "sim/bench/lines.h"
#include "sim/bench/scenarios.h"
#include "sim/experiment/experiment.h"
#include "sim/experiment/files.h"
#include "sim/report/results.h"

static bool run(const struct scenario_set *set, const char *folder, uint64_t seed,
                struct experiment **out, struct bench_round *round)
{
    struct berth_error err = BERTH_ERROR_INIT;
    char *parts = files_join(folder, ".parts");
    const struct experiment_options options = {
        .parts = parts, .seed = &seed, .replications = 1, .jobs = 1, .audits = true};
    const struct results_options writing = {.folder = folder, .parts = parts};
    struct results_written written;
    enum berth_err code = experiment_run(set, &options, out, &err);
    if (code == BERTH_OK)
        code = results_write(*out, &writing, &written, &err);
    mem_free(parts);
    return bench_check(round, code == BERTH_OK, "no invariant was violated%s", err.text);
}

static void check(const struct experiment *experiment, const struct service_churn *churn,
                  const char *folder, double ended, struct bench_round *round)
{
    const struct experiment_variant *variant = &experiment->variants[0];
    const struct run_sample *last = &variant->samples[variant->sample_count - 1];
    double deployed = variant->values[METRIC_DEPLOYMENTS_COMPLETED][0];
    (void)bench_check(round, deployed == churn->deployed, "%.0f of %u deployments completed",
                      deployed, (unsigned)churn->deployed);
    (void)bench_check(round, ended > 0 && last->tasks_running > 0.98 * last->tasks_desired,
                      "%.0f tasks ended; at the end %.0f of %.0f run", ended, last->tasks_running,
                      last->tasks_desired);
    static const char *const names[] = {"summary.json", "metrics.csv", "timeline.csv",
                                        "services.csv", "marks.csv",   "report.html"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = files_join(folder, names[i]);
        if (!files_exist(path))
            (void)bench_check(round, false, "%s was written", names[i]);
        mem_free(path);
    }
}

void bench_s2(const struct bench_setting *setting, struct bench_round *round)
{
    struct service_churn churn = {10000, 1000, 80, 100, 600, 3600};
    if (setting->is_quick) {
        churn = (struct service_churn){1000, 100, 80, 10, 600, 3600};
        round->is_smaller = true;
    }
    struct text json = TEXT_INIT;
    struct berth_error err = BERTH_ERROR_INIT;
    struct scenario_set *set = NULL;
    struct experiment *experiment = NULL;
    char *folder = bench_folder_make(round);
    scenario_write_services(&churn, &json);
    bench_describe(round,
                   "%u services of %u tasks on %u instances, tasks live %u s, health checks and "
                   "ill copies, %u deployments, audit and result files, %u s simulated",
                   (unsigned)churn.services, (unsigned)churn.copies, (unsigned)churn.instances,
                   (unsigned)churn.life_s, (unsigned)churn.deployed, (unsigned)churn.duration_s);
    if (folder != NULL &&
        bench_check(round, scenario_load_text(json.bytes, json.length, ".", &set, &err) == BERTH_OK,
                    "the scenario is right%s", err.text)) {
        double begin = bench_cpu_s();
        if (run(set, folder, setting->seed, &experiment, round)) {
            const struct experiment_variant *variant = &experiment->variants[0];
            double spent = bench_cpu_s() - begin;
            double ended = variant->values[METRIC_TASKS_PLACED][0] -
                           variant->samples[variant->sample_count - 1].tasks_running;
            round->values[0] = ended / spent * 1e-3;
            bench_set_yardstick(round, ended / spent);
            check(experiment, &churn, folder, ended, round);
        }
    }
    experiment_destroy(experiment);
    scenario_set_destroy(set);
    text_free(&json);
    bench_folder_remove(folder);
}
