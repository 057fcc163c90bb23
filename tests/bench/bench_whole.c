/*
 * bench_whole.c -- the whole path of the scheduler: RunTask with memberOf, distinctInstance, static
 * ports, GPUs, spread over zones then binpack; the agent's word that it runs; StopTask; the agent's
 * word that it has ended. Every step goes through the loop, whose store keeps records.
 *
 * 10,000 instances hold some 100,000 tasks. Each turn places one task and ends the oldest one;
 * rates are tasks ended per CPU second. What was timed is checked: every task was placed, nothing
 * that waits, and a controller loaded from the store equals the one that ran.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scheduler/base/mem.h"
#include "scheduler/core/loop.h"
#include "scheduler/core/what_if.h"
#include "scheduler/ecs/task_def_json.h"
#include "scheduler/store/store.h"

enum { INSTANCES = 10000, TASKS = 100000, TURNS = 100000, ROUNDS = 5, FAMILIES = 40 };

struct placed {
    task_id task;
    instance_id instance;
};

struct bench {
    struct loop *loop;
    struct store store;
    struct step_time now;
    VEC(struct placed) tasks;
    size_t first; /* oldest live one */
    uint64_t reports, refused;
};

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "bench_whole: %s\n", what);
    exit(1);
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void on_send(void *context, struct step_time decided, const struct message *message)
{
    struct bench *bench = context;
    (void)decided;
    if (message->kind == MESSAGE_PAYLOAD && message->u.payload.desired_running)
        *vec_push(&bench->tasks) = (struct placed){message->u.payload.task, message->instance};
}

static void on_reply(void *context, struct step_time decided, const struct reply *reply)
{
    struct bench *bench = context;
    (void)decided;
    bench->refused += reply->status != REPLY_OK || reply->u.run_task.refused_count > 0;
}

static void step(struct bench *bench, const struct event *event)
{
    struct berth_error err = BERTH_ERROR_INIT;
    bench->now.mono_ns += 100000;
    bench->now.wall_ns += 100000;
    check(loop_step(bench->loop, bench->now, event, &err) == BERTH_OK, "a step failed");
    if (loop_next_deadline(bench->loop) <= bench->now.mono_ns) {
        struct event timer = {.kind = EVENT_TIMER};
        check(loop_step(bench->loop, bench->now, &timer, &err) == BERTH_OK, "a step failed");
    }
}

static void define(struct bench *bench, uint32_t family)
{
    static const char gpu[] = ",\"resourceRequirements\":[{\"type\":\"GPU\",\"value\":\"1\"}]";
    char document[700], ports[128] = "";
    struct berth_error err = BERTH_ERROR_INIT;
    struct event event = {.kind = EVENT_REGISTER_TASK_DEFINITION};
    if (family % 4 == 1)
        (void)snprintf(ports, sizeof ports,
                       ",\"portMappings\":[{\"containerPort\":80,\"hostPort\":%u}]", 8000 + family);
    (void)snprintf(document, sizeof document,
                   "{\"family\":\"f%u\",\"containerDefinitions\":[{\"name\":\"main\",\"image\":"
                   "\"app\",\"cpu\":%u,\"memory\":%u%s%s}]}",
                   family, 64 + family % 7 * 64, 256 + family % 5 * 256, ports,
                   family % 16 == 0 ? gpu : "");
    check(task_def_from_document(document, &event.u.task_def, &err) == BERTH_OK, err.text);
    step(bench, &event);
}

static void register_instance(struct bench *bench, uint32_t number)
{
    static const char *const zones[] = {"zone-a", "zone-b", "zone-c"};
    static const char *const types[] = {"m5.large", "m5.xlarge", "c5.xlarge", "g4.xlarge"};
    struct attribute_text attributes[] = {{"ecs.availability-zone", zones[number % 3]},
                                          {"ecs.instance-type", types[number / 3 % 4]},
                                          {"stack", number % 10 == 0 ? "test" : "prod"}};
    struct event event = {.kind = EVENT_REGISTER_INSTANCE,
                          .u.register_instance = {.existing = INSTANCE_NONE,
                                                  .cpu_units = 6144,
                                                  .mem_mib = 16384,
                                                  .gpu_count = number / 3 % 4 == 3 ? 4 : 0,
                                                  .attributes = attributes,
                                                  .attribute_count = 3}};
    step(bench, &event);
}

static struct event_run_task call_of(uint32_t number)
{
    static const struct placement_strategy_spec chain[] = {
        {"spread", "attribute:ecs.availability-zone"}, {"binpack", "memory"}};
    static const struct placement_constraint_spec constraints[][2] = {
        {{"memberOf", "attribute:stack == prod and attribute:ecs.instance-type =~ m5.*"},
         {"distinctInstance", NULL}},
        {{"memberOf", "attribute:ecs.instance-type == g4.xlarge"}, {"distinctInstance", NULL}}};
    static char names[FAMILIES][8], groups[FAMILIES * 16][16];
    uint32_t family = number % FAMILIES, group = number % (FAMILIES * 16);
    (void)snprintf(names[family], sizeof names[0], "f%u", family);
    (void)snprintf(groups[group], sizeof groups[0], "job-%u", group);
    return (struct event_run_task){.task_definition = names[family],
                                   .group = groups[group],
                                   .count = 1,
                                   .strategies = chain,
                                   .strategy_count = 2,
                                   .constraints = constraints[family % 16 == 0],
                                   .constraint_count = family % 3 == 0 ? 2 : 1,
                                   .cpu_units = OVERRIDE_NONE,
                                   .mem_mib = OVERRIDE_NONE};
}

static void report(struct bench *bench, const struct placed *placed, enum task_status status)
{
    struct event event = {.kind = EVENT_MESSAGE};
    event.u.message = (struct message){
        .kind = MESSAGE_TASK_STATE,
        .instance = placed->instance,
        .seq = ++bench->reports,
        .u.report = {.task = placed->task,
                     .status = status,
                     .cause = status == TASK_STOPPED ? EXIT_ESSENTIAL : EXIT_NONE}};
    step(bench, &event);
}

static void start(struct bench *bench, uint32_t number)
{
    struct event event = {.kind = EVENT_RUN_TASK, .u.run_task = call_of(number)};
    step(bench, &event);
    report(bench, &bench->tasks.items[bench->tasks.count - 1], TASK_RUNNING);
}

static void end_oldest(struct bench *bench)
{
    const struct placed oldest = bench->tasks.items[bench->first++];
    struct event event = {.kind = EVENT_STOP_TASK, .u.stop_task = {oldest.task, "moved"}};
    step(bench, &event);
    report(bench, &oldest, TASK_STOPPED);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static void check_reload(struct bench *bench, const struct controller_options *options)
{
    const struct record *records;
    size_t count;
    struct controller *loaded;
    struct berth_error err = BERTH_ERROR_INIT;
    struct text ran = TEXT_INIT, read = TEXT_INIT;
    check(bench->store.ops->load(bench->store.self, &records, &count, &err) == BERTH_OK, "load");
    check(controller_load(options, records, count, task_def_from_document, &loaded, &err) ==
              BERTH_OK,
          err.text);
    controller_dump(loop_controller(bench->loop), &ran);
    controller_dump(loaded, &read);
    check(strcmp(ran.bytes, read.bytes) == 0, "the loaded controller differs");
    (void)printf("%zu records, %zu bytes of text; loaded again, they give the same\n", count,
                 ran.length);
    text_free(&ran);
    text_free(&read);
    controller_destroy(loaded);
}

/* What-if on the same fleet: one copy of each kind, and instances drained. */
static void ask(struct bench *bench)
{
    enum { QUESTIONS = 400 };
    struct controller *controller = loop_controller(bench->loop);
    struct what_if_answer answer;
    struct what_if_moves moves = {NULL, 0, 0};
    struct berth_error err = BERTH_ERROR_INIT;
    double begun = seconds();
    for (uint32_t i = 0; i < QUESTIONS; i++) {
        struct event_run_task call = call_of(i);
        check(controller_what_if_place(controller, &call, &answer, NULL, &err) == BERTH_OK,
              err.text);
    }
    double middle = seconds();
    for (uint32_t i = 0; i < QUESTIONS; i++)
        controller_what_if_drain(controller, i, &moves, NULL);
    (void)printf("what-if: place %.1f us, drain (standalone tasks) %.1f us\n",
                 (middle - begun) * 1e6 / QUESTIONS, (seconds() - middle) * 1e6 / QUESTIONS);
    vec_free(&moves);
}

int main(int argc, char **argv)
{
    bool keeps = argc < 2 || strcmp(argv[1], "volatile") != 0;
    struct controller_options options = {.cluster = "default",
                                         .account = "123456789012",
                                         .region = "eu-central-1",
                                         .random_key = 1,
                                         .instance_lost_ns = BERTH_NS_NEVER,
                                         .waiting_give_up_ns = BERTH_NS_NEVER};
    struct loop_ops ops = {.send = on_send, .reply = on_reply};
    struct bench bench = {.store = keeps ? store_memory_open(0) : store_volatile_open()};
    double rates[ROUNDS];
    uint32_t number = 0;
    bench.loop = loop_create(controller_create(&options), &options, task_def_from_document,
                             &bench.store, &ops, &bench);
    for (uint32_t i = 0; i < FAMILIES; i++)
        define(&bench, i);
    for (uint32_t i = 0; i < INSTANCES; i++)
        register_instance(&bench, i);
    while (number < TASKS && bench.refused == 0)
        start(&bench, number++);
    check(bench.refused == 0 && bench.tasks.count == TASKS, "100,000 tasks were to be placed");
    for (int round = 0; round < ROUNDS; round++) {
        double begun = seconds();
        for (int i = 0; i < TURNS; i++) {
            end_oldest(&bench);
            start(&bench, number++);
        }
        rates[round] = TURNS / (seconds() - begun);
    }
    check(bench.refused == 0 && bench.tasks.count == number, "every task was to be placed");
    qsort(rates, ROUNDS, sizeof rates[0], compare);
    (void)printf("whole path, %d instances, %d tasks, store %s: %.0f tasks/s (%.0f to %.0f)\n",
                 INSTANCES, TASKS, bench.store.ops->name, rates[ROUNDS / 2], rates[0],
                 rates[ROUNDS - 1]);
    ask(&bench);
    if (keeps)
        check_reload(&bench, &options);
    loop_destroy(bench.loop);
    bench.store.ops->destroy(bench.store.self);
    vec_free(&bench.tasks);
    return 0;
}
