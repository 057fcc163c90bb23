#include "sim/bench/runs.h"

#include <string.h>

struct look {
    struct bench_run *run;
    double spent_s;
};

static enum berth_err look(void *context, const struct controller *controller,
                           struct berth_error *err)
{
    struct look *looked = context;
    struct task_view task;
    double begin = bench_cpu_s();
    (void)err;
    for (task_id after = 0; controller_next_task(controller, after, &task); after = task.task)
        looked->run->live += task.last_status != TASK_STOPPED;
    looked->run->stopped = controller_stopped_count(controller);
    controller_audit(controller);
    cluster_audit(controller_cluster(controller));
    looked->spent_s = bench_cpu_s() - begin;
    return BERTH_OK;
}

bool bench_run(const struct text *json, const char *folder, const struct bench_setting *setting,
               struct bench_round *round, struct bench_run *run)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct look looked = {.run = run};
    const struct run_observer observer = {.finished = look, .context = &looked};
    const struct run_options options = {.seed = setting->seed, .observer = &observer};
    *run = (struct bench_run){.set = NULL};
    double begin = bench_cpu_s();
    if (scenario_load_text(json->bytes, json->length, folder, &run->set, &err) != BERTH_OK)
        return bench_check(round, false, "the scenario is read: %s", err.text);
    double loaded = bench_cpu_s();
    if (run_replication(run->set->variants[0], &options, &run->result, &err) != BERTH_OK)
        return bench_check(round, false, "the run comes to its end: %s", err.text);
    run->load_s = loaded - begin;
    run->run_s = bench_cpu_s() - loaded - looked.spent_s;
    run->requested = run->result.metrics[METRIC_TASKS_REQUESTED];
    run->placed = run->result.metrics[METRIC_TASKS_PLACED];
    run->ended = run->placed - (double)run->live;
    return true;
}

void bench_run_free(struct bench_run *run)
{
    run_result_free(&run->result);
    scenario_set_destroy(run->set);
}

void bench_run_check_books(const struct bench_run *run, struct bench_round *round)
{
    (void)bench_check(round, run->placed == run->requested && run->placed > 0,
                      "%.0f of %.0f tasks were placed", run->placed, run->requested);
    (void)bench_check(round, true, "the books of controller and cluster balance");
}
