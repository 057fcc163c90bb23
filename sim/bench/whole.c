#include "sim/bench/whole.h"

#include <stdio.h>
#include <string.h>

#include "scheduler/ecs/task_def_json.h"

enum { FAMILIES = 40, GROUPS = 640 };

static void on_send(void *context, struct step_time decided, const struct message *message)
{
    struct whole *whole = context;
    (void)decided;
    if (message->kind == MESSAGE_PAYLOAD && message->u.payload.desired_running)
        *vec_push(&whole->tasks) = (struct whole_task){message->u.payload.task, message->instance};
}

static void on_reply(void *context, struct step_time decided, const struct reply *reply)
{
    struct whole *whole = context;
    (void)decided;
    whole->refused += reply->status != REPLY_OK || reply->u.run_task.refused_count > 0;
}

static void step(struct whole *whole, const struct event *event)
{
    const struct event timer = {.kind = EVENT_TIMER};
    struct berth_error err = BERTH_ERROR_INIT;
    whole->now.mono_ns += 100000;
    whole->now.wall_ns += 100000;
    whole->failed += loop_step(whole->loop, whole->now, event, &err) != BERTH_OK;
    if (loop_next_deadline(whole->loop) <= whole->now.mono_ns)
        whole->failed += loop_step(whole->loop, whole->now, &timer, &err) != BERTH_OK;
}

static void report(struct whole *whole, struct whole_task task, enum task_status status)
{
    struct event event = {.kind = EVENT_MESSAGE};
    event.u.message = (struct message){
        .kind = MESSAGE_TASK_STATE,
        .instance = task.instance,
        .seq = ++whole->reports,
        .u.report = {.task = task.task,
                     .status = status,
                     .cause = status == TASK_STOPPED ? EXIT_ESSENTIAL : EXIT_NONE}};
    step(whole, &event);
}

static void report_running(struct whole *whole)
{
    while (whole->running < whole->tasks.count)
        report(whole, whole->tasks.items[whole->running++], TASK_RUNNING);
}

static void define(struct whole *whole, uint32_t family)
{
    static const char gpu[] = ",\"resourceRequirements\":[{\"type\":\"GPU\",\"value\":\"1\"}]";
    struct berth_error err = BERTH_ERROR_INIT;
    struct event event = {.kind = EVENT_REGISTER_TASK_DEFINITION};
    struct text document = TEXT_INIT;
    text_addf(&document,
              "{\"family\":\"f%u\",\"containerDefinitions\":[{\"name\":\"main\",\"image\":"
              "\"app\",\"cpu\":%u,\"memory\":%u",
              (unsigned)family, (unsigned)(64 + family % 7 * 64),
              (unsigned)(256 + family % 5 * 256));
    if (family % 4 == 1)
        text_addf(&document, ",\"portMappings\":[{\"containerPort\":80,\"hostPort\":%u}]",
                  (unsigned)(8000 + family));
    text_addf(&document, "%s}]}", family % 16 == 0 ? gpu : "");
    if (task_def_from_document(document.bytes, &event.u.task_def, &err) == BERTH_OK)
        step(whole, &event);
    else
        whole->failed++;
    text_free(&document);
}

static void register_instance(struct whole *whole, uint32_t number)
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
    step(whole, &event);
}

void whole_open(struct whole *whole, uint32_t instances, uint64_t seed)
{
    const struct loop_ops ops = {.send = on_send, .reply = on_reply};
    *whole = (struct whole){.options = {.cluster = "default",
                                        .account = "123456789012",
                                        .region = "eu-central-1",
                                        .random_key = seed,
                                        .instance_lost_ns = BERTH_NS_NEVER,
                                        .waiting_give_up_ns = BERTH_NS_NEVER},
                            .store = store_memory_open(0)};
    whole->loop = loop_create(controller_create(&whole->options), &whole->options,
                              task_def_from_document, &whole->store, &ops, whole);
    for (uint32_t i = 0; i < FAMILIES; i++)
        define(whole, i);
    for (uint32_t i = 0; i < instances; i++)
        register_instance(whole, i);
}

void whole_close(struct whole *whole)
{
    loop_destroy(whole->loop);
    whole->store.ops->destroy(whole->store.self);
    vec_free(&whole->tasks);
}

static const struct placement_strategy_spec chain[] = {
    {"spread", "attribute:ecs.availability-zone"}, {"binpack", "memory"}};

struct event_run_task whole_call(struct whole *whole, uint32_t number)
{
    static const struct placement_constraint_spec on_production[] = {
        {"memberOf", "attribute:stack == prod and attribute:ecs.instance-type =~ m5.*"},
        {"distinctInstance", NULL}};
    static const struct placement_constraint_spec with_gpus[] = {
        {"memberOf", "attribute:ecs.instance-type == g4.xlarge"}, {"distinctInstance", NULL}};
    uint32_t family = number % FAMILIES;
    (void)snprintf(whole->family, sizeof whole->family, "f%u", (unsigned)family);
    (void)snprintf(whole->group, sizeof whole->group, "job-%u", (unsigned)(number % GROUPS));
    return (struct event_run_task){.task_definition = whole->family,
                                   .group = whole->group,
                                   .count = 1,
                                   .strategies = chain,
                                   .strategy_count = 2,
                                   .constraints = family % 16 == 0 ? with_gpus : on_production,
                                   .constraint_count = family % 3 == 0 ? 2 : 1,
                                   .cpu_units = OVERRIDE_NONE,
                                   .mem_mib = OVERRIDE_NONE};
}

void whole_start(struct whole *whole)
{
    struct event event = {.kind = EVENT_RUN_TASK, .u.run_task = whole_call(whole, whole->called++)};
    step(whole, &event);
    report_running(whole);
}

void whole_end_oldest(struct whole *whole)
{
    const struct whole_task oldest = whole->tasks.items[whole->ended++];
    struct event event = {.kind = EVENT_STOP_TASK, .u.stop_task = {oldest.task, "moved"}};
    step(whole, &event);
    report(whole, oldest, TASK_STOPPED);
}

void whole_serve(struct whole *whole, uint32_t services, uint32_t copies)
{
    for (uint32_t i = 0; i < services; i++) {
        char name[16], family[8];
        (void)snprintf(name, sizeof name, "web-%u", (unsigned)i);
        (void)snprintf(family, sizeof family, "f%u", (unsigned)(i % 10 * 4 + 2));
        struct event event = {.kind = EVENT_CREATE_SERVICE,
                              .u.service = {.service = name,
                                            .task_definition = family,
                                            .desired_count = (int32_t)copies,
                                            .minimum_healthy_percent = OVERRIDE_NONE,
                                            .maximum_percent = OVERRIDE_NONE}};
        step(whole, &event);
        report_running(whole);
    }
}

bool whole_reloads_equal(struct whole *whole, size_t *record_count)
{
    const struct record *records;
    struct controller *loaded = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    struct text ran = TEXT_INIT, read = TEXT_INIT;
    bool is_equal =
        whole->store.ops->load(whole->store.self, &records, record_count, &err) == BERTH_OK &&
        controller_load(&whole->options, records, *record_count, task_def_from_document, &loaded,
                        &err) == BERTH_OK;
    if (is_equal) {
        controller_dump(loop_controller(whole->loop), &ran);
        controller_dump(loaded, &read);
        is_equal = strcmp(ran.bytes, read.bytes) == 0;
    }
    text_free(&ran);
    text_free(&read);
    controller_destroy(loaded);
    return is_equal;
}
