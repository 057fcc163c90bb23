/*
 * bench_memory.c -- M1: what a task, an instance and a stopped task cost in memory, and whether a
 * year costs more than two months.
 *
 * All of a simulation counts: controller, agents, events, metrics. A cost is the difference of two
 * runs, each in a process of its own, of which one has N more of a thing and nothing else is
 * different: what the process then occupies, divided by N.
 */
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/bench/lines.h"
#include "sim/bench/scenarios.h"
#include "sim/run/run.h"

#define DAY_S 86400

struct memory_run {
    struct population population;
    uint64_t seed;
    berth_ns early_ns; /* when to look for the first time; the second is at the end */
    struct {
        double early, late; /* bytes */
        double live, stopped;
        bool is_done;
        char error[BENCH_TEXT_MAX];
    } found;
};

static void look_early(void *context, berth_ns now_ns, const struct controller *controller)
{
    struct memory_run *run = context;
    (void)controller;
    if (now_ns >= run->early_ns && run->found.early == 0)
        run->found.early = bench_resident_bytes();
}

static enum berth_err look_late(void *context, const struct controller *controller,
                                struct berth_error *err)
{
    struct memory_run *run = context;
    struct task_view task;
    (void)err;
    run->found.late = bench_resident_bytes();
    for (task_id after = 0; controller_next_task(controller, after, &task); after = task.task)
        run->found.live += task.last_status == TASK_RUNNING;
    run->found.stopped = controller_stopped_count(controller);
    return BERTH_OK;
}

static void work(void *context)
{
    struct memory_run *run = context;
    struct text json = TEXT_INIT;
    struct scenario_set *set = NULL;
    struct run_result result = {.samples = NULL};
    struct berth_error err = BERTH_ERROR_INIT;
    const struct run_observer observer = {
        .after_event = look_early, .finished = look_late, .context = run};
    const struct run_options options = {.seed = run->seed, .observer = &observer};
    scenario_write_population(&run->population, &json);
    if (scenario_load_text(json.bytes, json.length, ".", &set, &err) == BERTH_OK &&
        run_replication(set->variants[0], &options, &result, &err) == BERTH_OK)
        run->found.is_done = true;
    memcpy(run->found.error, err.text, sizeof run->found.error - 1);
    run_result_free(&result);
    scenario_set_destroy(set);
    text_free(&json);
}

static bool run_in_child(struct memory_run *run, struct bench_round *round)
{
    int status = 0;
    if (bench_in_child(work, run, &run->found, sizeof run->found, &status) && run->found.is_done)
        return true;
    return bench_check(round, false, "a run comes to its end (status %d): %s", status,
                       run->found.error);
}

/* 100,000 running tasks more. */
static void measure_task(uint64_t seed, struct bench_round *round)
{
    const uint32_t more = 100000;
    struct memory_run less = {
        {.instances = 20000, .at_once = more, .at_once_life_s = DAY_S, .duration_s = 120},
        seed,
        BERTH_NS_NEVER,
        {.live = 0}};
    struct memory_run full = less;
    full.population.at_once += more;
    if (!run_in_child(&less, round) || !run_in_child(&full, round))
        return;
    round->values[0] = (full.found.late - less.found.late) / more;
    (void)bench_check(round, full.found.live == 2 * more && less.found.live == more,
                      "%.0f and %.0f tasks run", less.found.live, full.found.live);
}

/* 20,000 instances more, with as many tasks in all. */
static void measure_instance(uint64_t seed, struct bench_round *round)
{
    const uint32_t more = 20000, tasks = 100000;
    struct memory_run less = {
        {.instances = more, .at_once = tasks, .at_once_life_s = DAY_S, .duration_s = 120},
        seed,
        BERTH_NS_NEVER,
        {.live = 0}};
    struct memory_run full = less;
    full.population.instances += more;
    if (!run_in_child(&less, round) || !run_in_child(&full, round))
        return;
    round->values[1] = (full.found.late - less.found.late) / more;
    (void)bench_check(round, full.found.live == tasks && less.found.live == tasks,
                      "%.0f tasks run on %u and on %u instances", full.found.live, (unsigned)more,
                      2 * (unsigned)more);
}

/* 25 minutes more of tasks that live a minute: all that ended are described for an hour. */
static void measure_stopped(uint64_t seed, struct bench_round *round)
{
    struct memory_run less = {
        {.instances = 5000, .per_hour = 480000, .life_s = 60, .duration_s = 1500},
        seed,
        BERTH_NS_NEVER,
        {.live = 0}};
    struct memory_run full = less;
    full.population.duration_s *= 2;
    if (!run_in_child(&less, round) || !run_in_child(&full, round))
        return;
    double more = full.found.stopped - less.found.stopped;
    round->values[2] = (full.found.late - less.found.late) / more;
    (void)bench_check(round, more > 190000, "%.0f and %.0f stopped tasks are described",
                      less.found.stopped, full.found.stopped);
}

/*
 * A small cluster with jobs and a service; 264,000 tasks in the year. Where the heap comes to lie
 * moves this by 100 KiB from run to run. A quick bench takes 72 days, and looks after 12.
 */
static void check_year(const struct bench_setting *setting, struct bench_round *round)
{
    const uint32_t days = setting->is_quick ? 72 : 365, early = setting->is_quick ? 12 : 60;
    struct memory_run run = {
        {.instances = 20, .per_hour = 20, .life_s = 3000, .copies = 10, .duration_s = days * DAY_S},
        setting->seed,
        early * DAY_S * BERTH_NS_PER_S,
        {.live = 0}};
    if (!run_in_child(&run, round))
        return;
    double grown = run.found.late - run.found.early;
    (void)bench_check(round, grown <= 256 * 1024, "flat: %.2f MiB after %u days, %.2f MiB after %u",
                      run.found.early / 1048576, (unsigned)early, run.found.late / 1048576,
                      (unsigned)days);
}

void bench_m1(const struct bench_setting *setting, struct bench_round *round)
{
    bench_describe(round, "memory of all of a simulation: 100,000 tasks more, 20,000 instances "
                          "more, 200,000 stopped tasks more, a year");
    measure_task(setting->seed, round);
    measure_instance(setting->seed, round);
    measure_stopped(setting->seed, round);
    check_year(setting, round);
}
