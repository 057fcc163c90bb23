/*
 * What a step of the controller costs with 5,000 instances and 50,000 tasks: standalone tasks that
 * come, run and end; a service's tasks that crash and are replaced; and a full cluster with 100,000
 * tasks waiting in many classes. Prints nanoseconds of CPU time per event and per placement, and
 * checks that what was timed is what was meant.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scheduler/core/controller.h"
#include "scheduler/base/mem.h"
#include "scheduler/ecs/task_def_json.h"

struct bench {
    struct controller *controller;
    struct step_time now;
    struct action_list actions;
    VEC(task_id) running; /* what the agents run, oldest first */
    VEC(instance_id) places;
    size_t first;
    uint64_t events, placements, reports;
};

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "bench_controller: %s\n", what);
    exit(1);
}

static void step(struct bench *bench, const struct event *event)
{
    bench->now.mono_ns += 1000;
    bench->now.wall_ns += 1000;
    controller_step(bench->controller, bench->now, event, &bench->actions);
    bench->events++;
    for (size_t i = 0; i < bench->actions.count; i++) {
        const struct message *message = &bench->actions.items[i].u.send;
        if (bench->actions.items[i].kind != ACTION_SEND || message->kind != MESSAGE_PAYLOAD ||
            !message->u.payload.desired_running)
            continue;
        *vec_push(&bench->running) = message->u.payload.task;
        *vec_push(&bench->places) = message->instance;
        bench->placements++;
    }
}

static void report(struct bench *bench, size_t at, enum task_status status)
{
    struct event event = {.kind = EVENT_MESSAGE};
    event.u.message = (struct message){
        .kind = MESSAGE_TASK_STATE,
        .instance = bench->places.items[at],
        .seq = ++bench->reports,
        .u.report = {.task = bench->running.items[at],
                     .status = status,
                     .cause = status == TASK_STOPPED ? EXIT_ESSENTIAL : EXIT_NONE}};
    step(bench, &event);
}

static void define(struct bench *bench, const char *document)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct event event = {.kind = EVENT_REGISTER_TASK_DEFINITION};
    check(task_def_from_document(document, &event.u.task_def, &err) == BERTH_OK, err.text);
    step(bench, &event);
}

static void open_fleet(struct bench *bench, uint32_t instances)
{
    static const char *const zones[] = {"zone-a", "zone-b", "zone-c"};
    struct controller_options options = {.cluster = "default",
                                         .account = "123456789012",
                                         .region = "eu-central-1",
                                         .random_key = 1,
                                         .instance_lost_ns = BERTH_NS_NEVER,
                                         .waiting_give_up_ns = BERTH_NS_NEVER};
    memset(bench, 0, sizeof *bench);
    bench->controller = controller_create(&options);
    define(bench, "{\"family\":\"job\",\"containerDefinitions\":[{\"name\":\"main\",\"image\":"
                  "\"app\",\"cpu\":256,\"memory\":512}]}");
    for (uint32_t i = 0; i < instances; i++) {
        struct attribute_text zone = {"ecs.availability-zone", zones[i % 3]};
        struct event event = {.kind = EVENT_REGISTER_INSTANCE,
                              .u.register_instance = {.existing = INSTANCE_NONE,
                                                      .cpu_units = 4096,
                                                      .mem_mib = 16384,
                                                      .attributes = &zone,
                                                      .attribute_count = 1}};
        step(bench, &event);
    }
}

static void close_fleet(struct bench *bench)
{
    controller_destroy(bench->controller);
    action_list_free(&bench->actions);
    vec_free(&bench->running);
    vec_free(&bench->places);
}

static void run(struct bench *bench, uint32_t count, int32_t cpu_units, bool waits)
{
    static const struct placement_strategy_spec chain[] = {
        {"spread", "attribute:ecs.availability-zone"}, {"binpack", "memory"}};
    struct event event = {.kind = EVENT_RUN_TASK,
                          .u.run_task = {.task_definition = "job",
                                         .count = count,
                                         .waits = waits,
                                         .strategies = chain,
                                         .strategy_count = 2,
                                         .cpu_units = cpu_units,
                                         .mem_mib = OVERRIDE_NONE}};
    step(bench, &event);
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void tell(const char *what, const struct bench *bench, uint64_t events, uint64_t placements,
                 double took)
{
    (void)printf("%-44s %8.0f ns/event %10.0f events/s %10.0f placements/s\n", what,
                 took * 1e9 / (double)(bench->events - events),
                 (double)(bench->events - events) / took,
                 (double)(bench->placements - placements) / took);
}

/* Each round: one task is asked for and reported RUNNING, the oldest one ends. */
static void bench_standalone(void)
{
    enum { ROUNDS = 300000 };
    struct bench bench;
    open_fleet(&bench, 5000);
    run(&bench, 50000, OVERRIDE_NONE, false);
    check(bench.running.count == 50000, "50,000 tasks were to be placed");
    for (size_t i = 0; i < 50000; i++)
        report(&bench, i, TASK_RUNNING);
    uint64_t events = bench.events, placements = bench.placements;
    double start = seconds();
    for (int i = 0; i < ROUNDS; i++) {
        run(&bench, 1, OVERRIDE_NONE, false);
        report(&bench, bench.running.count - 1, TASK_RUNNING);
        report(&bench, bench.first++, TASK_STOPPED);
    }
    tell("RunTask, RUNNING, STOPPED; 50,000 tasks", &bench, events, placements, seconds() - start);
    check(bench.placements - placements == ROUNDS, "every round was to place a task");
    close_fleet(&bench);
}

/* 100 services of 500 tasks; each round one task crashes, its replacement runs. */
static void bench_services(void)
{
    enum { ROUNDS = 300000 };
    struct bench bench;
    char name[16];
    open_fleet(&bench, 5000);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "web-%d", i);
        struct event event = {.kind = EVENT_CREATE_SERVICE,
                              .u.service = {.service = name,
                                            .task_definition = "job",
                                            .desired_count = 500,
                                            .minimum_healthy_percent = OVERRIDE_NONE,
                                            .maximum_percent = OVERRIDE_NONE}};
        step(&bench, &event);
    }
    check(bench.running.count == 50000, "50,000 tasks were to be placed");
    for (size_t i = 0; i < 50000; i++)
        report(&bench, i, TASK_RUNNING);
    uint64_t events = bench.events, placements = bench.placements;
    double start = seconds();
    for (int i = 0; i < ROUNDS; i++) {
        report(&bench, bench.first++, TASK_STOPPED);
        report(&bench, bench.running.count - 1, TASK_RUNNING);
    }
    tell("crash and RUNNING; 100 services, 50,000 tasks", &bench, events, placements,
         seconds() - start);
    check(bench.placements - placements == ROUNDS, "every crash was to be replaced");
    close_fleet(&bench);
}

/* A full cluster refuses, and says which instance came closest. */
static void bench_refused(void)
{
    enum { ROUNDS = 5000 };
    struct bench bench;
    open_fleet(&bench, 5000);
    run(&bench, 80000, OVERRIDE_NONE, false);
    uint64_t events = bench.events;
    double start = seconds();
    for (int i = 0; i < ROUNDS; i++) {
        struct event event = {.kind = EVENT_RUN_TASK,
                              .token = 1,
                              .u.run_task = {.task_definition = "job",
                                             .count = 1,
                                             .cpu_units = OVERRIDE_NONE,
                                             .mem_mib = OVERRIDE_NONE}};
        step(&bench, &event);
        check(bench.actions.items[0].u.reply.u.run_task.refused_count == 1,
              "a full cluster was to refuse");
    }
    tell("RunTask refused; 5,000 instances", &bench, events, bench.placements, seconds() - start);
    close_fleet(&bench);
}

/* A full cluster; 100,000 tasks wait in `classes` sizes; each end lets some of them go. */
static void bench_waiting(uint32_t classes)
{
    enum { ROUNDS = 50000 };
    struct bench bench;
    char what[64];
    open_fleet(&bench, 5000);
    run(&bench, 80000, OVERRIDE_NONE, true);
    for (size_t i = 0; i < bench.running.count; i++)
        report(&bench, i, TASK_RUNNING);
    for (uint32_t i = 0; i < 100000; i++)
        run(&bench, 1, 200 + (int32_t)(i * 7919 % classes), true);
    check(controller_waiting_count(bench.controller) == 100000, "100,000 tasks were to wait");
    uint64_t events = bench.events, placements = bench.placements;
    double start = seconds();
    for (int i = 0; i < ROUNDS; i++) {
        report(&bench, bench.first++, TASK_STOPPED);
        while (bench.running.count > 80000 + (size_t)i + 1)
            bench.running.count--;
    }
    (void)snprintf(what, sizeof what, "STOPPED; 100,000 waiting in %lu classes",
                   (unsigned long)classes);
    tell(what, &bench, events, placements, seconds() - start);
    check(bench.placements > placements, "waiting tasks were to be let go");
    close_fleet(&bench);
}

int main(void)
{
    bench_standalone();
    bench_services();
    bench_refused();
    bench_waiting(1);
    bench_waiting(100);
    bench_waiting(3000);
    return 0;
}
