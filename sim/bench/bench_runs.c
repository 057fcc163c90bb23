/*
 * bench_runs.c -- S1, S6, S7: whole simulations, with controller, agents, network and metrics.
 *
 * A rate counts tasks that have ended by the CPU time of the replication, its beginning with an
 * empty fleet included; loading the scenario is not.
 */
#include "sim/bench/lines.h"
#include "sim/bench/runs.h"
#include "sim/bench/scenarios.h"

static void measure_churn(const struct churn *churn, const struct bench_setting *setting,
                          struct bench_round *round)
{
    struct text json = TEXT_INIT;
    struct bench_run run;
    scenario_write_churn(churn, &json);
    bench_describe(round,
                   "run-task churn, binpack(memory), %u instances, %u %% of memory reserved, tasks "
                   "live %u s, %u s simulated",
                   (unsigned)churn->instances, (unsigned)churn->fill_percent,
                   (unsigned)churn->life_s, (unsigned)churn->duration_s);
    if (!bench_run(&json, ".", setting, round, &run))
        return;
    round->values[0] = run.ended / run.run_s * 1e-6;
    round->values[1] = bench_peak_gib();
    bench_set_yardstick(round, run.ended / run.run_s);
    bench_run_check_books(&run, round);
    (void)bench_check(round, (double)run.stopped == run.ended && run.ended > 0,
                      "%.0f ended and are described as STOPPED, %.0f live (%.0f were meant)",
                      run.ended, (double)run.live, scenario_churn_tasks(churn));
    bench_run_free(&run);
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

void bench_s7(const struct bench_setting *setting, struct bench_round *round)
{
    const struct start_up start_up = {5000, 1000, 1000, 300};
    struct text json = TEXT_INIT;
    struct bench_run run;
    scenario_write_start_up(&start_up, &json);
    bench_describe(round,
                   "%u services of %u tasks on %u instances, pulls and starts, %u s simulated",
                   (unsigned)start_up.services, (unsigned)start_up.copies,
                   (unsigned)start_up.instances, (unsigned)start_up.duration_s);
    if (!bench_run(&json, ".", setting, round, &run))
        return;
    const struct run_sample *last = &run.result.samples[run.result.sample_count - 1];
    round->values[0] = run.run_s;
    bench_set_yardstick(round, 1e6 / run.run_s);
    bench_run_check_books(&run, round);
    (void)bench_check(round, last->tasks_running == last->tasks_desired,
                      "%.0f of %.0f tasks run in the last %.0f s", last->tasks_running,
                      last->tasks_desired, start_up.duration_s / 200.0);
    bench_run_free(&run);
    text_free(&json);
}
