/*
 * bench_runs.c -- S1, S6: whole simulations, with controller, agents, network and metrics.
 *
 * A rate counts tasks that have ended by the CPU time of the replication, its beginning with an
 * empty fleet included; loading the scenario is not.
 */
#include "sim/bench/lines.h"
#include "sim/bench/scenarios.h"
#include "sim/run/run.h"

/* What a run left behind, looked at when it is over; looking is not timed. */
struct end_state {
    uint64_t live, stopped;
    double looked_s;
};

static enum berth_err look(void *context, const struct controller *controller,
                           struct berth_error *err)
{
    struct end_state *end = context;
    struct task_view task;
    double begin = bench_cpu_s();
    (void)err;
    for (task_id after = 0; controller_next_task(controller, after, &task); after = task.task)
        end->live++;
    end->stopped = controller_stopped_count(controller);
    controller_audit(controller);
    cluster_audit(controller_cluster(controller));
    end->looked_s = bench_cpu_s() - begin;
    return BERTH_OK;
}

static bool load(const struct text *json, struct scenario_set **set, struct bench_round *round)
{
    struct berth_error err = BERTH_ERROR_INIT;
    return scenario_load_text(json->bytes, json->length, ".", set, &err) == BERTH_OK ||
           bench_check(round, false, "%s", err.text);
}

static void measure_churn(const struct churn *churn, const struct bench_setting *setting,
                          struct bench_round *round)
{
    struct text json = TEXT_INIT;
    struct scenario_set *set;
    struct run_result result;
    struct end_state end = {.live = 0};
    struct berth_error err = BERTH_ERROR_INIT;
    const struct run_observer observer = {.finished = look, .context = &end};
    const struct run_options options = {.seed = setting->seed, .observer = &observer};
    scenario_write_churn(churn, &json);
    if (!load(&json, &set, round))
        return;
    double begin = bench_cpu_s();
    enum berth_err code = run_replication(set->variants[0], &options, &result, &err);
    double spent = bench_cpu_s() - begin - end.looked_s;
    if (!bench_check(round, code == BERTH_OK, "the run came to its end%s", err.text))
        return;
    double requested = result.metrics[METRIC_TASKS_REQUESTED];
    double placed = result.metrics[METRIC_TASKS_PLACED], ended = placed - (double)end.live;
    round->values[0] = ended / spent * 1e-6;
    round->values[1] = bench_peak_gib();
    bench_describe(round,
                   "run-task churn, %u instances, %u %% of memory reserved, tasks live %u s, %u s "
                   "simulated",
                   (unsigned)churn->instances, (unsigned)churn->fill_percent,
                   (unsigned)churn->life_s, (unsigned)churn->duration_s);
    (void)bench_check(round, placed == requested && placed > 0, "%.0f of %.0f tasks were placed",
                      placed, requested);
    (void)bench_check(round, (double)end.stopped == ended && ended > 0,
                      "%.0f ended and are described as STOPPED, %.0f live", ended,
                      (double)end.live);
    (void)bench_check(round, true, "the books of controller and cluster balance");
    run_result_free(&result);
    scenario_set_destroy(set);
    text_free(&json);
}

void bench_s1(const struct bench_setting *setting, struct bench_round *round)
{
    struct churn churn = {10000, 80, 600, setting->is_quick ? 900 : 3600};
    round->is_smaller = setting->is_quick;
    measure_churn(&churn, setting, round);
}

void bench_s6(const struct bench_setting *setting, struct bench_round *round)
{
    struct churn churn = {100000, 80, 600, 1800};
    measure_churn(&churn, setting, round);
}
