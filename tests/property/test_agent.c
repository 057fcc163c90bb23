/*
 * Random histories of one agent: payloads and stops, repeats, manifests, lost and late messages,
 * runtimes that succeed, fail, or answer twice, disconnections and host restarts. After every step:
 *
 *   the gate never grants more than was registered, and its sum is that of the tasks that hold it;
 *   a container is started at most once without a host restart in between;
 *   a task whose stop was ordered never runs again, and a STOPPED report is never taken back;
 *   a payload is acknowledged whenever the connection is up.
 *
 * At the end the faults stop: every report is acknowledged, every task ordered to stop is gone.
 */
#include "scheduler/agent/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/rng.h"

#define TASKS 24
#define CONTAINERS 3
#define CPU 1000
#define MEM 1000

/* What the outside knows of a task. */
struct known {
    bool was_sent, stop_sent, stopped_told, is_removed;
    bool holds; /* it has runtime orders and no STOPPED report yet: the gate must count it */
    enum { NOTHING, PULLING, STARTING, RUNNING } runtime[CONTAINERS];
    uint32_t starts[CONTAINERS];
    uint32_t place;                      /* as its last order named it */
    enum task_health health[CONTAINERS]; /* what the check of the container that runs said last */
    struct task_def def;
    struct container_def containers[CONTAINERS];
    struct container_dependency depends[CONTAINERS];
};

struct world {
    struct rng rng;
    struct agent *agent;
    struct agent_action_list actions;
    struct known tasks[TASKS + 1];
    berth_ns now_ns;
    uint64_t seq;
    bool is_connected;
    bool is_faulty;
    uint64_t unacked[4096]; /* report numbers heard and not acknowledged */
    task_id unacked_task[4096];
    size_t unacked_count;
    uint32_t restarts, engine_restarts, container_restarts, kills_of_starting;
    uint32_t told_of[TASK_HEALTH_COUNT];
};

static bool chance(struct world *world, uint64_t one_in)
{
    return rng_below(&world->rng, one_in) == 0;
}

static void draw_task(struct world *world, task_id task)
{
    struct known *known = &world->tasks[task];
    known->def = (struct task_def){.family = "job", .revision = 1, .containers = known->containers};
    known->def.container_count = chance(world, 2) ? 1 : 1 + rng_below(&world->rng, CONTAINERS);
    known->def.demand.cpu_units = (int32_t)rng_below(&world->rng, 600);
    known->def.demand.mem_mib = (int32_t)rng_below(&world->rng, 600);
    for (uint16_t i = 0; i < known->def.container_count; i++) {
        known->containers[i] = (struct container_def){.name = "c",
                                                      .is_essential = i == 0 || chance(world, 2),
                                                      .stop_timeout_ns = BERTH_NS_NEVER,
                                                      .start_timeout_ns = BERTH_NS_NEVER};
        if (chance(world, 3))
            known->containers[i].stop_timeout_ns =
                (berth_ns)rng_below(&world->rng, 5) * BERTH_NS_PER_S;
        if (chance(world, 2))
            known->containers[i].health.interval_ns = BERTH_NS_PER_S;
        if (chance(world, 3))
            known->containers[i].restart = (struct restart_policy){
                .is_enabled = true,
                .attempt_period_ns = (berth_ns)rng_below(&world->rng, 5) * BERTH_NS_PER_S};
        if (i == 0 || chance(world, 2))
            continue;
        /* On an earlier one, so that there is no cycle; essential ones never complete. */
        uint16_t on = (uint16_t)rng_below(&world->rng, i);
        known->depends[i] = (struct container_dependency){
            on, known->containers[on].is_essential
                    ? (chance(world, 2) ? DEPENDS_START : DEPENDS_HEALTHY)
                    : (enum dependency_condition)rng_below(&world->rng, 4)};
        if (known->depends[i].condition == DEPENDS_HEALTHY)
            known->containers[on].health.interval_ns = BERTH_NS_PER_S;
        known->containers[i].depends_on = &known->depends[i];
        known->containers[i].depends_on_count = 1;
        if (chance(world, 3))
            known->containers[on].start_timeout_ns = 3 * BERTH_NS_PER_S;
    }
}

static void forget_acked(struct world *world, size_t index)
{
    world->unacked_count--;
    world->unacked[index] = world->unacked[world->unacked_count];
    world->unacked_task[index] = world->unacked_task[world->unacked_count];
}

/* What the report of a task must say whose essential containers all run; else nothing is known. */
static void check_health(struct world *world, const struct known *known, enum task_health told)
{
    bool has_check = false, is_unknown = false, is_unhealthy = false;
    for (size_t i = 0; i < known->def.container_count; i++) {
        if (!known->containers[i].is_essential)
            continue;
        if (known->stop_sent || known->runtime[i] != RUNNING)
            return;
        if (known->containers[i].health.interval_ns == 0)
            continue;
        has_check = true;
        is_unknown = is_unknown || known->health[i] == HEALTH_UNKNOWN;
        is_unhealthy = is_unhealthy || known->health[i] == HEALTH_UNHEALTHY;
    }
    enum task_health wanted = is_unhealthy               ? HEALTH_UNHEALTHY
                              : is_unknown || !has_check ? HEALTH_UNKNOWN
                                                         : HEALTH_HEALTHY;
    assert_int_equal(told, wanted);
    world->told_of[told]++;
}

static void hear_report(struct world *world, const struct message *message)
{
    const struct task_report *report = &message->u.report;
    struct known *known = &world->tasks[report->task];
    assert_true(world->is_connected);
    assert_true(known->was_sent);
    assert_false(known->is_removed);
    if (report->status == TASK_STOPPED) {
        assert_true(report->cause != EXIT_NONE);
        known->stopped_told = true;
    } else {
        assert_int_equal(report->status, TASK_RUNNING);
        assert_false(known->stopped_told);
        check_health(world, known, report->health);
    }
    for (size_t i = 0; i < world->unacked_count; i++)
        if (world->unacked[i] == message->seq) {
            assert_int_equal(world->unacked_task[i], report->task);
            return;
        }
    for (size_t i = 0; i < world->unacked_count; i++)
        if (world->unacked_task[i] == report->task) { /* superseded: it will not come again */
            forget_acked(world, i);
            break;
        }
    assert_true(world->unacked_count < 4096);
    world->unacked[world->unacked_count] = message->seq;
    world->unacked_task[world->unacked_count++] = report->task;
}

static void hear(struct world *world, const struct agent_action *action)
{
    struct known *known = &world->tasks[action->task];
    uint16_t container = action->container;
    if (action->kind != AGENT_ACTION_SEND)
        known->place = action->place;
    switch (action->kind) {
    case AGENT_ACTION_SEND:
        assert_true(world->is_connected);
        if (action->message.kind == MESSAGE_TASK_STATE)
            hear_report(world, &action->message);
        break;
    case AGENT_ACTION_PULL:
        assert_false(known->stopped_told);
        assert_true(known->runtime[container] == NOTHING || known->runtime[container] == PULLING);
        assert_ptr_equal(action->payload.def, &known->def);
        known->runtime[container] = PULLING;
        known->holds = true;
        break;
    case AGENT_ACTION_START:
        assert_false(known->stopped_told);
        assert_false(known->stop_sent);
        assert_int_equal(known->runtime[container], NOTHING); /* never two of one container */
        known->starts[container]++;
        if (known->starts[container] > 1)
            assert_true(known->containers[container].restart.is_enabled);
        world->container_restarts += known->starts[container] > 1;
        known->runtime[container] = STARTING;
        known->health[container] = HEALTH_UNKNOWN;
        break;
    case AGENT_ACTION_TERMINATE:
        assert_int_equal(known->runtime[container], RUNNING);
        break;
    case AGENT_ACTION_KILL:
        assert_true(known->runtime[container] == STARTING || known->runtime[container] == RUNNING);
        world->kills_of_starting += known->runtime[container] == STARTING;
        if (known->runtime[container] == STARTING)
            known->runtime[container] = NOTHING;
        break;
    case AGENT_ACTION_REMOVE:
        assert_true(known->stopped_told);
        known->is_removed = true;
        break;
    case AGENT_ACTION_KIND_COUNT:
        fail();
    }
}

/* Nothing runs of a task that was told to be STOPPED; so the gate's sum is that of the rest. */
static void check(struct world *world)
{
    int32_t cpu, mem, cpu_held = 0, mem_held = 0;
    agent_granted(world->agent, &cpu, &mem);
    assert_in_range(cpu, 0, CPU);
    assert_in_range(mem, 0, MEM);
    for (task_id task = 1; task <= TASKS; task++) {
        const struct known *known = &world->tasks[task];
        bool runs = false;
        for (size_t i = 0; i < known->def.container_count; i++)
            runs = runs || known->runtime[i] == STARTING || known->runtime[i] == RUNNING;
        if (known->stopped_told)
            assert_false(runs);
        if (runs) {
            cpu_held += known->def.demand.cpu_units;
            mem_held += known->def.demand.mem_mib;
        }
    }
    assert_true(cpu_held <= cpu && mem_held <= mem);
}

static void step(struct world *world, const struct agent_event *event)
{
    struct step_time now = {world->now_ns, world->now_ns + 1};
    agent_step(world->agent, now, event, &world->actions);
    for (size_t i = 0; i < world->actions.count; i++)
        hear(world, &world->actions.items[i]);
    check(world);
}

static void send_payload(struct world *world, task_id task, bool desired_running)
{
    struct known *known = &world->tasks[task];
    struct message message = {.kind = MESSAGE_PAYLOAD, .seq = ++world->seq};
    message.u.payload = (struct task_payload){.task = task,
                                              .def = &known->def,
                                              .cpu_units = known->def.demand.cpu_units,
                                              .mem_mib = known->def.demand.mem_mib,
                                              .desired_running = desired_running};
    /* As the controller does: never a start again once STOPPED was acknowledged. */
    if (desired_running && known->is_removed)
        return;
    if (world->is_connected) {
        known->was_sent = true;
        known->stop_sent = known->stop_sent || !desired_running;
        if (known->is_removed) /* a late stop: known again, told again */
            known->is_removed = known->stopped_told = false;
    }
    struct agent_event event = {.kind = AGENT_EVENT_MESSAGE, .message = &message};
    step(world, &event);
    if (world->is_connected) {
        assert_true(world->actions.count >= 1);
        assert_int_equal(world->actions.items[0].message.kind, MESSAGE_ACK);
        assert_true(world->actions.items[0].message.seq == message.seq);
    } else {
        assert_int_equal(world->actions.count, 0);
    }
}

static void send_ack(struct world *world, size_t index)
{
    struct message message = {.kind = MESSAGE_REPORT_ACK, .seq = world->unacked[index]};
    struct agent_event event = {.kind = AGENT_EVENT_MESSAGE, .message = &message};
    forget_acked(world, index);
    step(world, &event);
    if (world->is_faulty && chance(world, 4))
        step(world, &event); /* twice */
}

static void send_manifest(struct world *world)
{
    task_id listed[TASKS];
    struct message message = {.kind = MESSAGE_MANIFEST};
    message.u.list.tasks = listed;
    for (task_id task = 1; task <= TASKS; task++)
        if (chance(world, 2))
            listed[message.u.list.count++] = task;
    if (!chance(world, 5))
        world->seq++; /* else the number of the last payload, and so it is stale */
    message.seq = world->seq;
    struct agent_event event = {.kind = AGENT_EVENT_MESSAGE, .message = &message};
    step(world, &event);
    for (size_t i = 0; i < world->actions.count; i++) {
        const struct message *answer = &world->actions.items[i].message;
        if (answer->kind != MESSAGE_STOP_VERIFICATION || chance(world, 2))
            continue;
        struct message stop = message_copy(answer);
        stop.kind = MESSAGE_STOP_VERIFICATION_ACK;
        for (uint32_t j = 0; j < stop.u.list.count; j++)
            world->tasks[stop.u.list.tasks[j]].stop_sent = true;
        event.message = &stop;
        step(world, &event);
        message_release(&stop);
        return;
    }
}

/* The runtime answers one order, or lies. */
static void runtime(struct world *world, task_id task, uint16_t container)
{
    struct known *known = &world->tasks[task];
    /* The place is a hint: of every third task it is a wrong one. */
    uint32_t place = task % 3 == 0 ? (uint32_t)task % 5 : known->place;
    struct agent_event event = {.task = task, .container = container, .place = place};
    bool fails = world->is_faulty && chance(world, 8);
    switch (known->runtime[container]) {
    case PULLING:
        event.kind = fails ? AGENT_EVENT_PULL_FAILED : AGENT_EVENT_PULLED;
        known->runtime[container] = NOTHING;
        break;
    case STARTING:
        event.kind = fails ? AGENT_EVENT_START_FAILED : AGENT_EVENT_STARTED;
        known->runtime[container] = fails ? NOTHING : RUNNING;
        break;
    case RUNNING:
        if (known->containers[container].health.interval_ns > 0 && world->is_faulty &&
            !chance(world, 10)) {
            event.kind = AGENT_EVENT_HEALTH;
            event.health = chance(world, 3) ? HEALTH_UNHEALTHY : HEALTH_HEALTHY;
            known->health[container] = event.health;
            break;
        }
        event.kind = AGENT_EVENT_EXITED;
        event.exit_code = (int32_t)rng_below(&world->rng, 2);
        event.is_out_of_memory = chance(world, 4);
        known->runtime[container] = NOTHING;
        break;
    case NOTHING:
        if (!world->is_faulty || !chance(world, 10))
            return;
        event.kind = AGENT_EVENT_EXITED; /* a second time, or of nothing at all */
        break;
    }
    step(world, &event);
    bool is_restarted = event.kind == AGENT_EVENT_EXITED && known->runtime[container] != NOTHING;
    if (world->is_faulty && event.kind != AGENT_EVENT_PULLED && !is_restarted && chance(world, 6))
        step(world, &event);
}

static void connection(struct world *world, bool is_connected)
{
    struct agent_event event = {.kind = is_connected ? AGENT_EVENT_CONNECTED
                                                     : AGENT_EVENT_DISCONNECTED};
    world->is_connected = is_connected;
    step(world, &event);
    if (is_connected)
        assert_true(world->actions.count >= world->unacked_count);
}

static void host_restart(struct world *world)
{
    struct agent_event event = {.kind = AGENT_EVENT_HOST_RESTARTED};
    connection(world, false);
    for (task_id task = 1; task <= TASKS; task++)
        for (size_t i = 0; i < CONTAINERS; i++) {
            world->tasks[task].runtime[i] = NOTHING;
            world->tasks[task].starts[i] = 0;
        }
    world->restarts++;
    step(world, &event);
}

static void engine_restart(struct world *world, bool keeps)
{
    struct agent_event event = {.kind = AGENT_EVENT_ENGINE_RESTARTED, .keeps_containers = keeps};
    for (task_id task = 1; task <= TASKS; task++)
        for (size_t i = 0; i < CONTAINERS; i++) {
            struct known *known = &world->tasks[task];
            known->health[i] = HEALTH_UNKNOWN;
            if (!keeps && known->runtime[i] != PULLING)
                known->runtime[i] = NOTHING;
        }
    world->engine_restarts++;
    step(world, &event);
}

static void timer(struct world *world)
{
    struct agent_event event = {.kind = AGENT_EVENT_TIMER};
    berth_ns due_ns = agent_next_deadline(world->agent);
    if (due_ns == BERTH_NS_NEVER)
        return;
    if (due_ns > world->now_ns)
        world->now_ns = due_ns;
    step(world, &event);
    assert_true(agent_next_deadline(world->agent) > world->now_ns);
}

static void anything(struct world *world)
{
    task_id task = 1 + rng_below(&world->rng, TASKS);
    uint16_t container = (uint16_t)rng_below(&world->rng, world->tasks[task].def.container_count);
    world->now_ns += (berth_ns)rng_below(&world->rng, BERTH_NS_PER_S);
    switch (rng_below(&world->rng, 24)) {
    case 0:
        connection(world, !world->is_connected);
        break;
    case 1:
        if (chance(world, 4))
            host_restart(world);
        else if (chance(world, 4))
            engine_restart(world, chance(world, 2));
        break;
    case 2:
        send_manifest(world);
        break;
    case 3:
    case 4:
        timer(world);
        break;
    case 5:
    case 6:
        send_payload(world, task, false);
        break;
    case 7:
    case 8:
    case 9:
    case 10:
        send_payload(world, task, true);
        break;
    case 11:
    case 12:
    case 13:
        if (world->unacked_count > 0)
            send_ack(world, rng_below(&world->rng, world->unacked_count));
        break;
    default:
        runtime(world, task, container);
        break;
    }
}

/* No more faults: order everything to stop, and see that it comes to rest. */
static void settle(struct world *world)
{
    world->is_faulty = false;
    connection(world, true);
    for (task_id task = 1; task <= TASKS; task++)
        if (world->tasks[task].was_sent && !world->tasks[task].is_removed)
            send_payload(world, task, false);
    for (int round = 0; round < 1000 && agent_task_count(world->agent) > 0; round++) {
        for (task_id task = 1; task <= TASKS; task++)
            for (uint16_t i = 0; i < world->tasks[task].def.container_count; i++)
                if (world->tasks[task].runtime[i] != NOTHING)
                    runtime(world, task, i);
        while (world->unacked_count > 0)
            send_ack(world, 0);
        timer(world);
    }
    int32_t cpu, mem;
    agent_granted(world->agent, &cpu, &mem);
    assert_int_equal(cpu, 0);
    assert_int_equal(mem, 0);
    assert_int_equal(agent_task_count(world->agent), 0);
    assert_true(agent_next_deadline(world->agent) == BERTH_NS_NEVER);
}

static void test_random_histories(void **state)
{
    (void)state;
    const uint64_t seed = 4417;
    uint64_t told = 0, restarts = 0, again = 0, kills = 0, engines = 0;
    uint64_t told_of[TASK_HEALTH_COUNT] = {0};
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint64_t history = 0; history < 400; history++) {
        struct world *world = mem_alloc(sizeof *world);
        struct agent_config config = {.cpu_units = CPU,
                                      .mem_mib = MEM,
                                      .stop_timeout_ns = 2 * BERTH_NS_PER_S,
                                      .report_retry_ns = BERTH_NS_PER_S,
                                      .pull_timeout_ns = 20 * BERTH_NS_PER_S,
                                      .create_timeout_ns = BERTH_NS_PER_S,
                                      .start_timeout_ns = BERTH_NS_PER_S};
        world->rng = (struct rng){rng_key(seed, "history", history), 0};
        world->agent = agent_create(&config);
        world->is_faulty = true;
        for (task_id task = 1; task <= TASKS; task++)
            draw_task(world, task);
        connection(world, true);
        for (int i = 0; i < 600; i++)
            anything(world);
        for (task_id task = 1; task <= TASKS; task++)
            told += world->tasks[task].stopped_told;
        restarts += world->restarts;
        engines += world->engine_restarts;
        again += world->container_restarts;
        kills += world->kills_of_starting;
        for (int i = 0; i < TASK_HEALTH_COUNT; i++)
            told_of[i] += world->told_of[i];
        settle(world);
        agent_destroy(world->agent);
        agent_action_list_free(&world->actions);
        mem_free(world);
    }
    /* The histories must have had something to show. */
    assert_true(told > 4000);
    assert_true(restarts > 400);
    assert_true(engines > 400);
    assert_true(again > 40);
    assert_true(kills > 40);
    for (int i = 0; i < TASK_HEALTH_COUNT; i++)
        assert_true(told_of[i] > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_histories)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
