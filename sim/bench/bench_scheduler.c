/*
 * bench_scheduler.c -- P4, P6: the controller with all that it writes, and what-if on it.
 *
 * A turn of P4 is RunTask, the agent's word that it runs, StopTask, and its word that it has ended:
 * four steps of the loop, each with its records given to a store that keeps them.
 */
#include <string.h>

#include "scheduler/core/what_if.h"
#include "sim/bench/lines.h"
#include "sim/bench/whole.h"

/* The same call, compiled anew, asked by the plain reading of the rules. */
static instance_id scan(struct cluster *cluster, const struct task_def *def,
                        const struct event_run_task *call)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct placement_plan *plan;
    struct rng stream = {0, 0};
    if (placement_plan_create(cluster_symbols(cluster), def, call->strategies, call->strategy_count,
                              call->constraints, call->constraint_count,
                              PLACEMENT_DEFAULT_STANDALONE, &plan, &err) != BERTH_OK)
        return INSTANCE_NONE;
    struct placement_request request = {
        .plan = plan,
        .demand = &def->demand,
        .group = cluster_group(cluster, symbols_add(cluster_symbols(cluster), call->group)),
        .stream = &stream};
    instance_id chosen = placement_choose_by_scan(cluster, &request);
    placement_plan_destroy(plan);
    return chosen;
}

/* The next calls of the turns are asked both ways. */
static void check_sample(struct whole *whole, uint32_t samples, struct bench_round *round)
{
    uint32_t equal = 0;
    for (uint32_t i = 0; i < samples; i++) {
        struct controller *controller = loop_controller(whole->loop);
        struct event_run_task call = whole_call(whole, whole->called);
        const struct task_def *def =
            task_def_find(controller_task_defs(controller), call.task_definition);
        instance_id expected = scan(controller_cluster(controller), def, &call);
        whole_start(whole);
        equal += whole->tasks.items[whole->tasks.count - 1].instance == expected;
        whole_end_oldest(whole);
    }
    (void)bench_check(round, equal == samples, "%u choices equal placement_choose_by_scan's",
                      (unsigned)samples);
}

void bench_p4(const struct bench_setting *setting, struct bench_round *round)
{
    const uint32_t instances = 10000, tasks = 100000;
    const uint32_t turns = setting->is_quick ? 20000 : 100000;
    struct whole whole;
    whole_open(&whole, instances, setting->seed);
    while (whole.called < tasks)
        whole_start(&whole);
    double begin = bench_cpu_s();
    for (uint32_t i = 0; i < turns; i++) {
        whole_end_oldest(&whole);
        whole_start(&whole);
    }
    double turn_s = (bench_cpu_s() - begin) / turns;
    bench_describe(round,
                   "RunTask to STOPPED with records: memberOf, distinctInstance, ports, GPUs, zone "
                   "spread, binpack; %u instances, %u tasks",
                   (unsigned)instances, (unsigned)tasks);
    round->values[0] = 1e-3 / turn_s;
    bench_set_yardstick(round, 1 / turn_s);
    check_sample(&whole, 50, round);
    (void)bench_check(round, whole.refused + whole.failed == 0 && whole.tasks.count == whole.called,
                      "every one of %zu tasks was placed and ran", whole.tasks.count);
    size_t records = 0;
    bool is_equal = whole_reloads_equal(&whole, &records);
    (void)bench_check(round, is_equal, "a controller loaded from the %zu records equals it",
                      records);
    whole_close(&whole);
}

static double ask_to_place(struct whole *whole, uint32_t questions,
                           enum placement_verdict *verdicts, struct bench_round *round)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct what_if_answer answer;
    uint32_t failed = 0;
    double begin = bench_cpu_s();
    for (uint32_t i = 0; i < questions; i++) {
        struct event_run_task call = whole_call(whole, whole->called + i);
        failed += controller_what_if_place(loop_controller(whole->loop), &call, &answer, verdicts,
                                           &err) != BERTH_OK;
    }
    double spent = bench_cpu_s() - begin;
    if (failed > 0)
        (void)bench_check(round, false, "questions are answered: %s", err.text);
    return spent * 1e3 / questions;
}

static double ask_to_drain(struct whole *whole, uint32_t questions, uint32_t *moves)
{
    struct what_if_moves answer = {NULL, 0, 0};
    double begin = bench_cpu_s();
    for (uint32_t i = 0; i < questions; i++) {
        controller_what_if_drain(loop_controller(whole->loop), i * 7, &answer, NULL);
        for (size_t m = 0; m < answer.count; m++)
            *moves += answer.items[m].fate == WHAT_IF_MOVES;
    }
    double spent = bench_cpu_s() - begin;
    vec_free(&answer);
    return spent * 1e3 / questions;
}

static void check_in_earnest(struct whole *whole, struct bench_round *round)
{
    const uint32_t samples = 200;
    uint32_t equal = 0;
    for (uint32_t i = 0; i < samples; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        struct what_if_answer answer = {.to = INSTANCE_NONE};
        struct event_run_task call = whole_call(whole, whole->called);
        if (controller_what_if_place(loop_controller(whole->loop), &call, &answer, NULL, &err) !=
            BERTH_OK)
            break;
        whole_start(whole);
        equal += whole->tasks.items[whole->tasks.count - 1].instance == answer.to;
    }
    (void)bench_check(round, equal == samples, "%u of %u answers are what RunTask then did",
                      (unsigned)equal, (unsigned)samples);
}

void bench_p6(const struct bench_setting *setting, struct bench_round *round)
{
    const uint32_t instances = 5000, services = 100, copies = 250, standalone = 25000;
    const uint32_t questions = setting->is_quick ? 200 : 700;
    struct whole whole;
    struct text before = TEXT_INIT, after = TEXT_INIT;
    uint32_t moves = 0;
    whole_open(&whole, instances, setting->seed);
    whole_serve(&whole, services, copies);
    while (whole.called < standalone)
        whole_start(&whole);
    enum placement_verdict *verdicts = mem_alloc(instances * sizeof *verdicts);
    controller_dump(loop_controller(whole.loop), &before);
    round->values[0] = ask_to_place(&whole, questions, NULL, round);
    round->values[1] = ask_to_drain(&whole, questions, &moves);
    round->values[2] = ask_to_place(&whole, questions, verdicts, round);
    controller_dump(loop_controller(whole.loop), &after);
    bench_describe(round, "what-if on the live state of %u instances and %zu tasks",
                   (unsigned)instances, whole.tasks.count);
    (void)bench_check(round, strcmp(before.bytes, after.bytes) == 0,
                      "the state is what it was, to the last of %zu bytes", before.length);
    (void)bench_check(round, whole.tasks.count == services * copies + standalone,
                      "every task was placed; %u drained instances would move %u",
                      (unsigned)questions, (unsigned)moves);
    check_in_earnest(&whole, round);
    text_free(&before);
    text_free(&after);
    mem_free(verdicts);
    whole_close(&whole);
}
