#include "scheduler/agent/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/text.h"

#define S BERTH_NS_PER_S
#define WALL (INT64_C(1700000000) * S)

/* One agent, one action list, and the actions of the last step as one line of text. */
struct bench {
    struct agent *agent;
    struct agent_action_list actions;
    struct text said;
    uint64_t seq;
    berth_ns now_ns;
};

static struct bench bench_open(int32_t cpu_units, int32_t mem_mib)
{
    struct agent_config config = {.instance = 7,
                                  .cpu_units = cpu_units,
                                  .mem_mib = mem_mib,
                                  .gpu_count = 2,
                                  .stop_timeout_ns = 30 * S,
                                  .report_retry_ns = 10 * S};
    struct bench bench = {.agent = agent_create(&config)};
    return bench;
}

static void bench_close(struct bench *bench)
{
    agent_destroy(bench->agent);
    agent_action_list_free(&bench->actions);
    text_free(&bench->said);
}

static void describe(const struct agent_action *action, struct text *out)
{
    const struct message *message = &action->message;
    if (out->length > 0)
        text_add(out, "; ");
    if (action->kind != AGENT_ACTION_SEND) {
        text_addf(out, "%s %llu", agent_action_kind_names[action->kind],
                  (unsigned long long)action->task);
        if (action->kind != AGENT_ACTION_REMOVE)
            text_addf(out, "/%u", action->container);
        return;
    }
    text_addf(out, "%s #%llu", message_kind_names[message->kind], (unsigned long long)message->seq);
    if (message->kind == MESSAGE_TASK_STATE) {
        const struct task_report *report = &message->u.report;
        text_addf(out, " %llu %s", (unsigned long long)report->task,
                  task_status_names[report->status]);
        if (report->status == TASK_STOPPED)
            text_addf(out, " %s %d", exit_cause_names[report->cause], report->exit_code);
    }
    if (message->kind == MESSAGE_STOP_VERIFICATION)
        for (uint32_t i = 0; i < message->u.list.count; i++)
            text_addf(out, " %llu", (unsigned long long)message->u.list.tasks[i]);
}

static const char *step(struct bench *bench, const struct agent_event *event)
{
    struct step_time now = {bench->now_ns, WALL + bench->now_ns};
    agent_step(bench->agent, now, event, &bench->actions);
    text_clear(&bench->said);
    for (size_t i = 0; i < bench->actions.count; i++) {
        if (bench->actions.items[i].kind == AGENT_ACTION_SEND)
            assert_int_equal(bench->actions.items[i].message.instance, 7);
        describe(&bench->actions.items[i], &bench->said);
    }
    return bench->said.bytes == NULL ? "" : bench->said.bytes;
}

static const char *happen(struct bench *bench, enum agent_event_kind kind, task_id task,
                          uint16_t container)
{
    struct agent_event event = {.kind = kind, .task = task, .container = container};
    return step(bench, &event);
}

static const char *exits(struct bench *bench, task_id task, uint16_t container, int32_t exit_code)
{
    struct agent_event event = {
        .kind = AGENT_EVENT_EXITED, .task = task, .container = container, .exit_code = exit_code};
    return step(bench, &event);
}

static const char *receive(struct bench *bench, const struct message *message)
{
    struct agent_event event = {.kind = AGENT_EVENT_MESSAGE, .message = message};
    return step(bench, &event);
}

static const char *payload(struct bench *bench, task_id task, const struct task_def *def,
                           bool desired_running)
{
    struct message message = {.kind = MESSAGE_PAYLOAD, .instance = 7, .seq = ++bench->seq};
    message.u.payload = (struct task_payload){.task = task,
                                              .def = def,
                                              .group = "service:web",
                                              .cpu_units = def->demand.cpu_units,
                                              .mem_mib = def->demand.mem_mib,
                                              .desired_running = desired_running};
    return receive(bench, &message);
}

static const char *ack(struct bench *bench, uint64_t seq)
{
    struct message message = {.kind = MESSAGE_REPORT_ACK, .instance = 7, .seq = seq};
    return receive(bench, &message);
}

static const char *list(struct bench *bench, enum message_kind kind, uint64_t seq, task_id *tasks,
                        uint32_t count)
{
    struct message message = {.kind = kind, .instance = 7, .seq = seq};
    message.u.list.tasks = tasks;
    message.u.list.count = count;
    return receive(bench, &message);
}

static const char *timer(struct bench *bench, berth_ns at_ns)
{
    assert_int_equal(agent_next_deadline(bench->agent), at_ns);
    bench->now_ns = at_ns;
    return happen(bench, AGENT_EVENT_TIMER, 0, 0);
}

static void assert_granted(struct bench *bench, int32_t cpu_units, int32_t mem_mib)
{
    int32_t cpu, mem;
    agent_granted(bench->agent, &cpu, &mem);
    assert_int_equal(cpu, cpu_units);
    assert_int_equal(mem, mem_mib);
}

#define ONE_CONTAINER                                                            \
    {                                                                            \
        .name = "main", .is_essential = true, .stop_timeout_ns = BERTH_NS_NEVER, \
        .start_timeout_ns = BERTH_NS_NEVER                                       \
    }

static struct container_def main_container[] = {ONE_CONTAINER};
static struct task_def web = {.family = "web",
                              .revision = 1,
                              .demand = {.cpu_units = 256, .mem_mib = 512},
                              .containers = main_container,
                              .container_count = 1};

static void test_a_task_runs_and_exits(void **state)
{
    (void)state;
    struct bench bench = bench_open(1024, 2048);
    assert_string_equal(happen(&bench, AGENT_EVENT_CONNECTED, 0, 0), "");
    bench.now_ns = 1 * S;
    assert_string_equal(payload(&bench, 3, &web, true), "AckRequest #1; Pull 3/0");
    assert_granted(&bench, 256, 512);
    assert_ptr_equal(bench.actions.items[1].payload.def, &web);
    assert_string_equal(bench.actions.items[1].payload.group, "service:web");
    bench.now_ns = 2 * S;
    assert_string_equal(happen(&bench, AGENT_EVENT_PULLED, 3, 0), "Start 3/0");
    bench.now_ns = 3 * S;
    assert_string_equal(happen(&bench, AGENT_EVENT_STARTED, 3, 0),
                        "SubmitTaskStateChange #1 3 RUNNING");
    const struct task_report running = bench.actions.items[0].message.u.report;
    assert_int_equal(running.pull_started_ns, WALL + 1 * S);
    assert_int_equal(running.pull_stopped_ns, WALL + 2 * S);
    assert_int_equal(running.started_ns, WALL + 3 * S);
    assert_int_equal(running.stopped_ns, 0);
    assert_string_equal(ack(&bench, 1), "");
    assert_int_equal(agent_next_deadline(bench.agent), BERTH_NS_NEVER);
    bench.now_ns = 60 * S;
    assert_string_equal(exits(&bench, 3, 0, 2),
                        "SubmitTaskStateChange #2 3 STOPPED essential-exit 2");
    const struct task_report stopped = bench.actions.items[0].message.u.report;
    assert_int_equal(stopped.started_ns, WALL + 3 * S);
    assert_int_equal(stopped.stopped_ns, WALL + 60 * S);
    assert_granted(&bench, 0, 0);
    assert_int_equal(agent_task_count(bench.agent), 1);
    assert_string_equal(ack(&bench, 2), "Remove 3");
    assert_int_equal(agent_task_count(bench.agent), 0);
    assert_string_equal(ack(&bench, 2), ""); /* a repeated ack */
    bench_close(&bench);
}

static void test_stop_terminates_then_kills(void **state)
{
    (void)state;
    struct container_def containers[] = {ONE_CONTAINER};
    containers[0].stop_timeout_ns = 5 * S;
    struct task_def slow = web;
    slow.containers = containers;
    const struct {
        const struct task_def *def;
        berth_ns kill_ns; /* after the stop at second 1 */
    } cases[] = {{&web, 31 * S}, {&slow, 6 * S}};
    for (size_t i = 0; i < 2; i++) {
        struct bench bench = bench_open(1024, 2048);
        happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
        payload(&bench, 3, cases[i].def, true);
        happen(&bench, AGENT_EVENT_PULLED, 3, 0);
        happen(&bench, AGENT_EVENT_STARTED, 3, 0);
        ack(&bench, 1);
        bench.now_ns = 1 * S;
        assert_string_equal(payload(&bench, 3, cases[i].def, false),
                            "AckRequest #2; Terminate 3/0");
        assert_string_equal(payload(&bench, 3, cases[i].def, false), "AckRequest #3");
        assert_string_equal(payload(&bench, 3, cases[i].def, true), "AckRequest #4");
        assert_string_equal(timer(&bench, cases[i].kill_ns), "Kill 3/0");
        assert_granted(&bench, 256, 512); /* held until it is gone */
        assert_int_equal(agent_next_deadline(bench.agent), BERTH_NS_NEVER);
        assert_string_equal(exits(&bench, 3, 0, 137),
                            "SubmitTaskStateChange #2 3 STOPPED stopped 137");
        assert_granted(&bench, 0, 0);
        bench_close(&bench);
    }
}

static void test_stop_at_every_stage(void **state)
{
    (void)state;
    struct bench bench = bench_open(256, 512);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    payload(&bench, 1, &web, true); /* pulling */
    payload(&bench, 2, &web, true); /* in the gate */
    assert_string_equal(payload(&bench, 2, &web, false),
                        "AckRequest #3; SubmitTaskStateChange #1 2 STOPPED stopped 0");
    assert_string_equal(payload(&bench, 1, &web, false),
                        "AckRequest #4; SubmitTaskStateChange #2 1 STOPPED stopped 0");
    assert_string_equal(happen(&bench, AGENT_EVENT_PULLED, 1, 0), ""); /* too late */
    payload(&bench, 3, &web, true);
    assert_string_equal(happen(&bench, AGENT_EVENT_PULLED, 3, 0), "Start 3/0");
    assert_string_equal(payload(&bench, 3, &web, false), "AckRequest #6"); /* while it starts */
    assert_string_equal(happen(&bench, AGENT_EVENT_STARTED, 3, 0), "Terminate 3/0");
    assert_string_equal(exits(&bench, 3, 0, 143), "SubmitTaskStateChange #3 3 STOPPED stopped 143");
    assert_string_equal(payload(&bench, 9, &web, false), /* never heard of */
                        "AckRequest #7; SubmitTaskStateChange #4 9 STOPPED stopped 0");
    assert_string_equal(payload(&bench, 9, &web, true), "AckRequest #8"); /* never revived */
    assert_string_equal(ack(&bench, 4), "Remove 9");
    assert_granted(&bench, 0, 0);
    bench_close(&bench);
}

static void test_pull_and_start_failures(void **state)
{
    (void)state;
    struct bench bench = bench_open(1024, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    payload(&bench, 1, &web, true);
    assert_string_equal(happen(&bench, AGENT_EVENT_PULL_FAILED, 1, 0),
                        "SubmitTaskStateChange #1 1 STOPPED pull-failed 0");
    assert_int_equal(bench.actions.items[0].message.u.report.started_ns, 0);
    payload(&bench, 2, &web, true);
    happen(&bench, AGENT_EVENT_PULLED, 2, 0);
    assert_string_equal(happen(&bench, AGENT_EVENT_START_FAILED, 2, 0),
                        "SubmitTaskStateChange #2 2 STOPPED start-failed 0");
    payload(&bench, 3, &web, true);
    happen(&bench, AGENT_EVENT_PULLED, 3, 0);
    payload(&bench, 3, &web, false);
    assert_string_equal(happen(&bench, AGENT_EVENT_START_FAILED, 3, 0),
                        "SubmitTaskStateChange #3 3 STOPPED stopped 0"); /* the first cause stays */
    assert_granted(&bench, 0, 0);
    bench_close(&bench);
}

static void test_gate_is_first_in_first_out(void **state)
{
    (void)state;
    struct task_def small = web, large = web;
    small.demand.cpu_units = 100;
    large.demand.cpu_units = 900;
    struct bench bench = bench_open(1000, 4096);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    assert_string_equal(payload(&bench, 1, &web, true), "AckRequest #1; Pull 1/0");
    assert_string_equal(payload(&bench, 2, &large, true), "AckRequest #2");
    assert_string_equal(payload(&bench, 3, &small, true),
                        "AckRequest #3"); /* would fit: behind 2 */
    assert_granted(&bench, 256, 512);
    happen(&bench, AGENT_EVENT_PULLED, 1, 0);
    happen(&bench, AGENT_EVENT_STARTED, 1, 0);
    assert_string_equal(exits(&bench, 1, 0, 0), "Pull 2/0; Pull 3/0");
    assert_granted(&bench, 1000, 1024);
    bench_close(&bench);
}

static void test_gate_opens_when_the_blocking_head_is_stopped(void **state)
{
    (void)state;
    struct task_def impossible = web;
    impossible.demand.mem_mib = 99999;
    struct bench bench = bench_open(1000, 4096);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    assert_string_equal(payload(&bench, 1, &impossible, true), "AckRequest #1");
    assert_string_equal(payload(&bench, 2, &web, true), "AckRequest #2");
    assert_string_equal(payload(&bench, 3, &web, true), "AckRequest #3");
    assert_string_equal(
        payload(&bench, 1, &impossible, false),
        "AckRequest #4; SubmitTaskStateChange #1 1 STOPPED stopped 0; Pull 2/0; Pull 3/0");
    bench_close(&bench);
}

static const char *gpu_payload(struct bench *bench, task_id task, const struct gpu_grant *grants,
                               uint16_t count)
{
    struct message message = {.kind = MESSAGE_PAYLOAD, .instance = 7, .seq = ++bench->seq};
    message.u.payload = (struct task_payload){.task = task,
                                              .def = &web,
                                              .cpu_units = 1,
                                              .mem_mib = 1,
                                              .grants = grants,
                                              .grant_count = count,
                                              .desired_running = true};
    return receive(bench, &message);
}

static void test_gate_counts_gpus_by_card(void **state)
{
    (void)state;
    struct bench bench = bench_open(1024, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    struct gpu_grant lent[2] = {{0, 600}, {1, 1000}};
    assert_string_equal(gpu_payload(&bench, 1, lent, 2), "AckRequest #1; Pull 1/0");
    lent[0] = (struct gpu_grant){1, 1}; /* lent for the step only: the agent has its own */
    assert_string_equal(gpu_payload(&bench, 2, (struct gpu_grant[]){{0, 400}}, 1),
                        "AckRequest #2; Pull 2/0");
    assert_string_equal(gpu_payload(&bench, 3, (struct gpu_grant[]){{1, 500}}, 1), "AckRequest #3");
    assert_string_equal(happen(&bench, AGENT_EVENT_PULL_FAILED, 1, 0),
                        "SubmitTaskStateChange #1 1 STOPPED pull-failed 0; Pull 3/0");
    assert_string_equal(gpu_payload(&bench, 4, (struct gpu_grant[]){{1, 500}, {0, 601}}, 2),
                        "AckRequest #4"); /* card 1 alone would do; nothing is kept of it */
    assert_string_equal(gpu_payload(&bench, 5, (struct gpu_grant[]){{2, 1}}, 1), "AckRequest #5");
    assert_string_equal(happen(&bench, AGENT_EVENT_PULL_FAILED, 2, 0),
                        "SubmitTaskStateChange #2 2 STOPPED pull-failed 0; Pull 4/0");
    bench_close(&bench);
}

static void test_gate_counts_fixed_ports(void **state)
{
    (void)state;
    uint16_t http[] = {80, 443}, other[] = {81, 443};
    struct task_def a = web, b = web;
    a.demand.tcp_ports = http;
    b.demand.tcp_ports = other;
    a.demand.tcp_port_count = b.demand.tcp_port_count = 2;
    struct bench bench = bench_open(1024, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    assert_string_equal(payload(&bench, 1, &a, true), "AckRequest #1; Pull 1/0");
    assert_string_equal(payload(&bench, 2, &b, true), "AckRequest #2");
    assert_string_equal(payload(&bench, 1, &a, false),
                        "AckRequest #3; SubmitTaskStateChange #1 1 STOPPED stopped 0; Pull 2/0");
    a.demand.udp_ports = other; /* the same numbers of the other protocol do not clash */
    a.demand.udp_port_count = 2;
    a.demand.tcp_port_count = 0;
    assert_string_equal(payload(&bench, 3, &a, true), "AckRequest #4; Pull 3/0");
    bench_close(&bench);
}

static void test_reports_repeat_until_acknowledged(void **state)
{
    (void)state;
    struct bench bench = bench_open(1024, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    payload(&bench, 1, &web, true);
    happen(&bench, AGENT_EVENT_PULLED, 1, 0);
    happen(&bench, AGENT_EVENT_STARTED, 1, 0);
    assert_string_equal(timer(&bench, 10 * S), "SubmitTaskStateChange #1 1 RUNNING");
    assert_string_equal(timer(&bench, 20 * S), "SubmitTaskStateChange #1 1 RUNNING");
    happen(&bench, AGENT_EVENT_DISCONNECTED, 0, 0);
    assert_int_equal(agent_next_deadline(bench.agent), BERTH_NS_NEVER);
    bench.now_ns = 25 * S;
    assert_string_equal(exits(&bench, 1, 0, 1), ""); /* waits for the ack of RUNNING, too */
    bench.now_ns = 3600 * S;
    assert_string_equal(happen(&bench, AGENT_EVENT_CONNECTED, 0, 0),
                        "SubmitTaskStateChange #1 1 RUNNING");
    assert_string_equal(ack(&bench, 1), "SubmitTaskStateChange #2 1 STOPPED essential-exit 1");
    assert_int_equal(bench.actions.items[0].message.u.report.stopped_ns, WALL + 25 * S);
    assert_string_equal(timer(&bench, 3610 * S),
                        "SubmitTaskStateChange #2 1 STOPPED essential-exit 1");
    assert_string_equal(ack(&bench, 1), ""); /* late, of a repeat */
    assert_string_equal(ack(&bench, 2), "Remove 1");
    assert_int_equal(agent_next_deadline(bench.agent), BERTH_NS_NEVER);
    bench_close(&bench);
}

static void test_reports_of_a_disconnection_go_out_in_order(void **state)
{
    (void)state;
    struct bench bench = bench_open(1024, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    for (task_id task = 1; task <= 3; task++) {
        payload(&bench, task, &web, true);
        happen(&bench, AGENT_EVENT_PULLED, task, 0);
    }
    happen(&bench, AGENT_EVENT_DISCONNECTED, 0, 0);
    for (task_id task = 3; task >= 1; task--)
        assert_string_equal(happen(&bench, AGENT_EVENT_STARTED, task, 0), "");
    assert_string_equal(happen(&bench, AGENT_EVENT_CONNECTED, 0, 0),
                        "SubmitTaskStateChange #1 3 RUNNING; SubmitTaskStateChange #2 2 RUNNING; "
                        "SubmitTaskStateChange #3 1 RUNNING");
    assert_string_equal(ack(&bench, 2), "");
    assert_string_equal(timer(&bench, 10 * S), "SubmitTaskStateChange #1 3 RUNNING; "
                                               "SubmitTaskStateChange #3 1 RUNNING");
    bench_close(&bench);
}

static void test_messages_of_a_lost_connection_are_dropped(void **state)
{
    (void)state;
    struct bench bench = bench_open(1024, 2048);
    assert_string_equal(payload(&bench, 1, &web, true), "");
    assert_int_equal(agent_task_count(bench.agent), 0);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    payload(&bench, 2, &web, true);
    assert_string_equal(happen(&bench, AGENT_EVENT_PULL_FAILED, 2, 0),
                        "SubmitTaskStateChange #1 2 STOPPED pull-failed 0");
    happen(&bench, AGENT_EVENT_DISCONNECTED, 0, 0);
    assert_string_equal(ack(&bench, 1), "Remove 2"); /* a reply needs no control connection */
    bench_close(&bench);
}

/* A start that was overtaken by all that followed must not bring the task back to life. */
static void test_a_start_that_comes_after_its_task_is_forgotten(void **state)
{
    (void)state;
    struct bench bench = bench_open(1024, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    bench.seq = 1;
    payload(&bench, 1, &web, false); /* the stop, number 2, comes first */
    assert_string_equal(ack(&bench, 1), "Remove 1");
    bench.seq = 0;
    assert_string_equal(payload(&bench, 1, &web, true), "");
    assert_int_equal(agent_task_count(bench.agent), 0);
    bench.seq = 2;
    assert_string_equal(payload(&bench, 2, &web, true), "AckRequest #3; Pull 2/0");
    bench.seq = 0;
    assert_string_equal(payload(&bench, 2, &web, true), "AckRequest #1"); /* a repeat is harmless */
    bench_close(&bench);
}

static void test_manifest_names_what_is_not_listed(void **state)
{
    (void)state;
    struct bench bench = bench_open(600, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    for (task_id task = 1; task <= 3; task++)
        payload(&bench, task, &web, true);         /* 3 waits in the gate */
    happen(&bench, AGENT_EVENT_PULL_FAILED, 1, 0); /* 1 has stopped: 3 runs */
    payload(&bench, 4, &web, true);
    task_id listed[] = {2, 77};
    assert_string_equal(list(&bench, MESSAGE_MANIFEST, 4, listed, 2), ""); /* as old as payload 4 */
    assert_string_equal(list(&bench, MESSAGE_MANIFEST, 9, listed, 2),
                        "AckRequest #9; TaskStopVerificationMessage #9 3 4");
    assert_string_equal(list(&bench, MESSAGE_MANIFEST, 9, listed, 2), "");
    task_id stop[] = {4, 3, 77};
    assert_string_equal(list(&bench, MESSAGE_STOP_VERIFICATION_ACK, 8, stop, 3), "");
    assert_string_equal(list(&bench, MESSAGE_STOP_VERIFICATION_ACK, 9, stop, 3),
                        "SubmitTaskStateChange #2 4 STOPPED stopped 0; "
                        "SubmitTaskStateChange #3 3 STOPPED stopped 0");
    assert_string_equal(list(&bench, MESSAGE_MANIFEST, 10, listed, 2), "AckRequest #10");
    bench_close(&bench);
}

static void test_host_restart_loses_started_containers(void **state)
{
    (void)state;
    struct bench bench = bench_open(700, 4096);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    payload(&bench, 1, &web, true);
    happen(&bench, AGENT_EVENT_PULLED, 1, 0);
    happen(&bench, AGENT_EVENT_STARTED, 1, 0);
    ack(&bench, 1);
    payload(&bench, 2, &web, true); /* pulling: nothing is lost yet */
    payload(&bench, 3, &web, true); /* in the gate */
    happen(&bench, AGENT_EVENT_DISCONNECTED, 0, 0);
    assert_string_equal(happen(&bench, AGENT_EVENT_HOST_RESTARTED, 0, 0), "Pull 2/0; Pull 3/0");
    assert_string_equal(happen(&bench, AGENT_EVENT_CONNECTED, 0, 0),
                        "SubmitTaskStateChange #2 1 STOPPED host-lost 0");
    assert_string_equal(exits(&bench, 1, 0, 0), "");
    assert_string_equal(happen(&bench, AGENT_EVENT_PULLED, 2, 0), "Start 2/0");
    assert_string_equal(payload(&bench, 2, &web, false), "AckRequest #4");
    assert_string_equal(happen(&bench, AGENT_EVENT_HOST_RESTARTED, 0, 0),
                        "SubmitTaskStateChange #3 2 STOPPED stopped 0; Pull 3/0");
    bench_close(&bench);
}

/* app (essential) depends on init SUCCESS and log START; log is not essential. */
static struct container_dependency app_depends[] = {{1, DEPENDS_SUCCESS}, {2, DEPENDS_START}};
static struct container_def trio_containers[] = {
    {.name = "app",
     .is_essential = true,
     .stop_timeout_ns = BERTH_NS_NEVER,
     .start_timeout_ns = BERTH_NS_NEVER,
     .depends_on = app_depends,
     .depends_on_count = 2},
    {.name = "init", .stop_timeout_ns = BERTH_NS_NEVER, .start_timeout_ns = 20 * S},
    {.name = "log", .stop_timeout_ns = 2 * S, .start_timeout_ns = BERTH_NS_NEVER},
};
static struct task_def trio = {.family = "trio",
                               .revision = 1,
                               .demand = {.cpu_units = 10, .mem_mib = 10},
                               .containers = trio_containers,
                               .container_count = 3};

static struct bench trio_started(void)
{
    struct bench bench = bench_open(1024, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    assert_string_equal(payload(&bench, 1, &trio, true), "AckRequest #1; Pull 1/1; Pull 1/2");
    assert_string_equal(happen(&bench, AGENT_EVENT_PULLED, 1, 1), "Start 1/1");
    assert_string_equal(happen(&bench, AGENT_EVENT_STARTED, 1, 1), "");
    assert_string_equal(happen(&bench, AGENT_EVENT_PULLED, 1, 2), "Start 1/2");
    assert_string_equal(happen(&bench, AGENT_EVENT_STARTED, 1, 2), "");
    return bench;
}

static void test_containers_start_in_order_and_stop_in_reverse(void **state)
{
    (void)state;
    struct bench bench = trio_started();
    assert_string_equal(exits(&bench, 1, 1, 0), "Pull 1/0");
    assert_string_equal(happen(&bench, AGENT_EVENT_PULLED, 1, 0), "Start 1/0");
    assert_string_equal(happen(&bench, AGENT_EVENT_STARTED, 1, 0),
                        "SubmitTaskStateChange #1 1 RUNNING");
    ack(&bench, 1);
    bench.now_ns = 100 * S;
    assert_string_equal(payload(&bench, 1, &trio, false), "AckRequest #2; Terminate 1/0");
    bench.now_ns = 101 * S;
    assert_string_equal(exits(&bench, 1, 0, 143), "Terminate 1/2"); /* log outlives app */
    assert_string_equal(timer(&bench, 103 * S), "Kill 1/2");
    assert_string_equal(exits(&bench, 1, 2, 137), "SubmitTaskStateChange #2 1 STOPPED stopped 143");
    assert_int_equal(bench.actions.items[0].message.u.report.stopped_ns, WALL + 101 * S);
    bench_close(&bench);
}

static void test_essential_exit_stops_the_others(void **state)
{
    (void)state;
    struct bench bench = trio_started();
    exits(&bench, 1, 1, 0);
    happen(&bench, AGENT_EVENT_PULLED, 1, 0);
    happen(&bench, AGENT_EVENT_STARTED, 1, 0);
    ack(&bench, 1);
    assert_string_equal(exits(&bench, 1, 0, 3), "Terminate 1/2");
    assert_string_equal(exits(&bench, 1, 2, 0),
                        "SubmitTaskStateChange #2 1 STOPPED essential-exit 3");
    bench_close(&bench);
}

static void test_non_essential_exit_has_no_effect(void **state)
{
    (void)state;
    struct bench bench = trio_started();
    assert_string_equal(exits(&bench, 1, 2, 9), ""); /* has run: the condition START holds */
    assert_string_equal(exits(&bench, 1, 1, 0), "Pull 1/0");
    happen(&bench, AGENT_EVENT_PULLED, 1, 0);
    assert_string_equal(happen(&bench, AGENT_EVENT_STARTED, 1, 0),
                        "SubmitTaskStateChange #1 1 RUNNING");
    bench_close(&bench);
}

static void test_failed_dependencies_fail_the_task(void **state)
{
    (void)state;
    struct bench bench = trio_started(); /* init fails: SUCCESS can never be */
    assert_string_equal(exits(&bench, 1, 1, 1), "Terminate 1/2");
    assert_string_equal(exits(&bench, 1, 2, 0), "SubmitTaskStateChange #1 1 STOPPED dependency 0");
    bench_close(&bench);

    bench = trio_started(); /* init takes longer than its startTimeout of 20 s */
    assert_string_equal(timer(&bench, 20 * S), "Terminate 1/1; Terminate 1/2");
    exits(&bench, 1, 2, 0);
    assert_string_equal(exits(&bench, 1, 1, 137),
                        "SubmitTaskStateChange #1 1 STOPPED dependency 0");
    bench_close(&bench);

    bench = bench_open(1024, 2048); /* log cannot be pulled: it never starts */
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    payload(&bench, 1, &trio, true);
    assert_string_equal(happen(&bench, AGENT_EVENT_PULL_FAILED, 1, 2),
                        "SubmitTaskStateChange #1 1 STOPPED dependency 0");
    bench_close(&bench);
}

#define CHECKED .health = {.interval_ns = 10 * S, .timeout_ns = 2 * S, .retries = 3}

static const char *check(struct bench *bench, task_id task, uint16_t container,
                         enum task_health health)
{
    struct agent_event event = {
        .kind = AGENT_EVENT_HEALTH, .task = task, .container = container, .health = health};
    return step(bench, &event);
}

/* app waits for the end of init and the health of log; log has 20 s from its start. */
static const struct task_def *a_healthy_trio(struct container_def containers[3])
{
    static const struct container_dependency depends[] = {{1, DEPENDS_COMPLETE},
                                                          {2, DEPENDS_HEALTHY}};
    static struct container_dependency copy[2];
    static struct task_def def;
    memcpy(containers, trio_containers, 3 * sizeof containers[0]);
    memcpy(copy, depends, sizeof copy);
    containers[0].depends_on = copy;
    containers[2].health = (struct health_check){.interval_ns = 10 * S, .retries = 3};
    containers[2].start_timeout_ns = 20 * S;
    def = trio;
    def.containers = containers;
    return &def;
}

static void test_complete_and_healthy_conditions(void **state)
{
    (void)state;
    struct container_def containers[3];
    const struct task_def *def = a_healthy_trio(containers);
    struct bench bench = bench_open(1024, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    payload(&bench, 1, def, true);
    happen(&bench, AGENT_EVENT_PULLED, 1, 1);
    happen(&bench, AGENT_EVENT_STARTED, 1, 1);
    happen(&bench, AGENT_EVENT_PULLED, 1, 2);
    assert_string_equal(happen(&bench, AGENT_EVENT_STARTED, 1, 2), "");
    assert_string_equal(check(&bench, 1, 2, HEALTH_UNHEALTHY), "");
    assert_string_equal(exits(&bench, 1, 1, 5), ""); /* COMPLETE: any exit code */
    assert_string_equal(check(&bench, 1, 2, HEALTH_HEALTHY), "Pull 1/0");
    /* Looked at only at the start: what becomes of it later is nobody's business. */
    assert_string_equal(check(&bench, 1, 2, HEALTH_UNHEALTHY), "");
    assert_string_equal(happen(&bench, AGENT_EVENT_PULLED, 1, 0), "Start 1/0");
    assert_string_equal(happen(&bench, AGENT_EVENT_STARTED, 1, 0),
                        "SubmitTaskStateChange #1 1 RUNNING");
    bench_close(&bench);
}

static void test_healthy_condition_ends_by_timeout_or_exit(void **state)
{
    (void)state;
    struct container_def containers[3];
    const struct task_def *def = a_healthy_trio(containers);
    for (int is_exit = 0; is_exit < 2; is_exit++) {
        struct bench bench = bench_open(1024, 2048);
        happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
        payload(&bench, 1, def, true);
        happen(&bench, AGENT_EVENT_PULL_FAILED, 1, 1);
        assert_string_equal(bench.said.bytes, /* init never ran: neither will app */
                            "SubmitTaskStateChange #1 1 STOPPED dependency 0");
        payload(&bench, 2, def, true);
        happen(&bench, AGENT_EVENT_PULLED, 2, 1);
        happen(&bench, AGENT_EVENT_STARTED, 2, 1);
        exits(&bench, 2, 1, 0);
        happen(&bench, AGENT_EVENT_PULLED, 2, 2);
        happen(&bench, AGENT_EVENT_STARTED, 2, 2);
        ack(&bench, 1);
        if (is_exit) { /* it will never be healthy */
            assert_string_equal(exits(&bench, 2, 2, 0),
                                "SubmitTaskStateChange #2 2 STOPPED dependency 0");
        } else {
            assert_string_equal(timer(&bench, 20 * S), "Terminate 2/2");
            assert_string_equal(exits(&bench, 2, 2, 0),
                                "SubmitTaskStateChange #2 2 STOPPED dependency 0");
        }
        bench_close(&bench);
    }
}

static struct container_def pair_containers[] = {
    {.name = "app",
     .is_essential = true,
     .stop_timeout_ns = BERTH_NS_NEVER,
     .start_timeout_ns = BERTH_NS_NEVER,
     CHECKED},
    {.name = "db",
     .is_essential = true,
     .stop_timeout_ns = BERTH_NS_NEVER,
     .start_timeout_ns = BERTH_NS_NEVER,
     CHECKED},
    {.name = "plain",
     .is_essential = true,
     .stop_timeout_ns = BERTH_NS_NEVER,
     .start_timeout_ns = BERTH_NS_NEVER},
    {.name = "extra",
     .stop_timeout_ns = BERTH_NS_NEVER,
     .start_timeout_ns = BERTH_NS_NEVER,
     CHECKED},
};
static struct task_def checked = {.family = "checked",
                                  .revision = 1,
                                  .demand = {.cpu_units = 10, .mem_mib = 10},
                                  .containers = pair_containers,
                                  .container_count = 4};

static struct bench checked_running(void)
{
    struct bench bench = bench_open(1024, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    payload(&bench, 1, &checked, true);
    for (uint16_t i = 0; i < 4; i++) {
        happen(&bench, AGENT_EVENT_PULLED, 1, i);
        happen(&bench, AGENT_EVENT_STARTED, 1, i);
    }
    assert_string_equal(bench.said.bytes, "SubmitTaskStateChange #1 1 RUNNING");
    assert_int_equal(bench.actions.items[0].message.u.report.health, HEALTH_UNKNOWN);
    return bench;
}

static enum task_health told_health(const struct bench *bench)
{
    assert_int_equal(bench->actions.count, 1);
    assert_int_equal(bench->actions.items[0].message.u.report.status, TASK_RUNNING);
    return bench->actions.items[0].message.u.report.health;
}

/* Essential containers that define a check, and each change is a report of its own. */
static void test_health_rolls_up(void **state)
{
    (void)state;
    struct bench bench = checked_running();
    ack(&bench, 1);
    assert_string_equal(check(&bench, 1, 0, HEALTH_HEALTHY), "");   /* db is not known yet */
    assert_string_equal(check(&bench, 1, 2, HEALTH_UNHEALTHY), ""); /* no such check */
    assert_string_equal(check(&bench, 1, 3, HEALTH_UNHEALTHY), ""); /* not essential */
    assert_string_equal(check(&bench, 1, 1, HEALTH_HEALTHY), "SubmitTaskStateChange #2 1 RUNNING");
    assert_int_equal(told_health(&bench), HEALTH_HEALTHY);
    assert_string_equal(check(&bench, 1, 1, HEALTH_HEALTHY), "");
    ack(&bench, 2);
    assert_int_equal(agent_next_deadline(bench.agent), BERTH_NS_NEVER);
    assert_string_equal(check(&bench, 1, 0, HEALTH_UNHEALTHY),
                        "SubmitTaskStateChange #3 1 RUNNING");
    assert_int_equal(told_health(&bench), HEALTH_UNHEALTHY);
    /* A newer report takes the place of one that is not acknowledged. */
    assert_string_equal(check(&bench, 1, 0, HEALTH_HEALTHY), "SubmitTaskStateChange #4 1 RUNNING");
    assert_string_equal(ack(&bench, 3), "");
    assert_string_equal(timer(&bench, 10 * S), "SubmitTaskStateChange #4 1 RUNNING");
    assert_int_equal(told_health(&bench), HEALTH_HEALTHY);
    /* So does STOPPED, since the task is known to have run. */
    exits(&bench, 1, 0, 1);
    exits(&bench, 1, 1, 143);
    exits(&bench, 1, 2, 143);
    assert_string_equal(exits(&bench, 1, 3, 143),
                        "SubmitTaskStateChange #5 1 STOPPED essential-exit 1");
    assert_string_equal(ack(&bench, 4), "");
    assert_string_equal(ack(&bench, 5), "Remove 1");
    bench_close(&bench);
}

static void test_first_running_is_acknowledged_before_stopped(void **state)
{
    (void)state;
    struct bench bench = checked_running();
    check(&bench, 1, 0, HEALTH_HEALTHY);
    assert_string_equal(check(&bench, 1, 1, HEALTH_HEALTHY), "SubmitTaskStateChange #2 1 RUNNING");
    assert_string_equal(exits(&bench, 1, 0, 1), "Terminate 1/1; Terminate 1/2; Terminate 1/3");
    for (uint16_t i = 1; i < 4; i++)
        assert_string_equal(exits(&bench, 1, i, 143), "");
    assert_string_equal(ack(&bench, 1), ""); /* of the one that was superseded */
    assert_string_equal(ack(&bench, 2), "SubmitTaskStateChange #3 1 STOPPED essential-exit 1");
    bench_close(&bench);
}

static struct bench restartable_running(struct task_def *def, struct container_def *container,
                                        int32_t *ignored)
{
    *container = pair_containers[0];
    container->restart = (struct restart_policy){.is_enabled = true,
                                                 .attempt_period_ns = 60 * S,
                                                 .ignored_exit_codes = ignored,
                                                 .ignored_count = 1};
    *def = checked;
    def->containers = container;
    def->container_count = 1;
    struct bench bench = bench_open(1024, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    payload(&bench, 1, def, true);
    happen(&bench, AGENT_EVENT_PULLED, 1, 0);
    happen(&bench, AGENT_EVENT_STARTED, 1, 0);
    ack(&bench, 1);
    return bench;
}

static void test_restart_in_place(void **state)
{
    (void)state;
    struct task_def def;
    struct container_def container;
    int32_t ignored = 7;
    struct bench bench = restartable_running(&def, &container, &ignored);
    check(&bench, 1, 0, HEALTH_HEALTHY);
    ack(&bench, 2);
    bench.now_ns = 60 * S; /* the task stays RUNNING, of unknown health again */
    assert_string_equal(exits(&bench, 1, 0, 1), "Start 1/0; SubmitTaskStateChange #3 1 RUNNING");
    assert_int_equal(bench.actions.items[1].message.u.report.health, HEALTH_UNKNOWN);
    assert_string_equal(check(&bench, 1, 0, HEALTH_HEALTHY), ""); /* of the one before */
    bench.now_ns = 65 * S;
    assert_string_equal(happen(&bench, AGENT_EVENT_STARTED, 1, 0), "");
    ack(&bench, 3);
    bench.now_ns = 124 * S; /* 59 s after its restart: final */
    assert_string_equal(exits(&bench, 1, 0, 1),
                        "SubmitTaskStateChange #4 1 STOPPED essential-exit 1");
    bench_close(&bench);

    bench = restartable_running(&def, &container, &ignored);
    bench.now_ns = 600 * S; /* an ignored exit code is final */
    assert_string_equal(exits(&bench, 1, 0, 7),
                        "SubmitTaskStateChange #2 1 STOPPED essential-exit 7");
    bench_close(&bench);

    bench = restartable_running(&def, &container, &ignored);
    bench.now_ns = 600 * S;
    assert_string_equal(payload(&bench, 1, &def, false), "AckRequest #2; Terminate 1/0");
    assert_string_equal(exits(&bench, 1, 0, 143), "SubmitTaskStateChange #2 1 STOPPED stopped 143");
    bench_close(&bench);
}

static void test_stop_while_a_container_restarts(void **state)
{
    (void)state;
    struct task_def def;
    struct container_def container;
    int32_t ignored = 7;
    struct bench bench = restartable_running(&def, &container, &ignored);
    bench.now_ns = 100 * S;
    assert_string_equal(exits(&bench, 1, 0, 1), "Start 1/0");
    assert_string_equal(payload(&bench, 1, &def, false), "AckRequest #2");
    assert_string_equal(happen(&bench, AGENT_EVENT_STARTED, 1, 0), "Terminate 1/0");
    assert_string_equal(timer(&bench, 130 * S), "Kill 1/0");
    assert_string_equal(exits(&bench, 1, 0, 137), "SubmitTaskStateChange #2 1 STOPPED stopped 137");
    bench_close(&bench);

    bench = restartable_running(&def, &container, &ignored);
    bench.now_ns = 100 * S;
    exits(&bench, 1, 0, 1);
    assert_string_equal(happen(&bench, AGENT_EVENT_START_FAILED, 1, 0),
                        "SubmitTaskStateChange #2 1 STOPPED start-failed 0");
    bench_close(&bench);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct bench bench = bench_open(1024, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    payload(&bench, 1, &web, true);
    happen(&bench, AGENT_EVENT_PULLED, 1, 0);
    struct agent_event event = {
        .kind = AGENT_EVENT_EXITED, .task = 1, .exit_code = 137, .is_out_of_memory = true};
    assert_string_equal(step(&bench, &event),
                        "SubmitTaskStateChange #1 1 STOPPED out-of-memory 137");
    bench_close(&bench);
}

/* Defaults: 2 h for a pull, 4 min and 3 min to create and to start. */
static void test_a_silent_runtime_is_given_up(void **state)
{
    (void)state;
    struct bench bench = bench_open(1024, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    payload(&bench, 1, &web, true);
    assert_string_equal(timer(&bench, 7200 * S), "SubmitTaskStateChange #1 1 STOPPED timeout 0");
    ack(&bench, 1);
    assert_string_equal(happen(&bench, AGENT_EVENT_PULLED, 1, 0), "");
    payload(&bench, 2, &web, true);
    happen(&bench, AGENT_EVENT_PULLED, 2, 0);
    assert_string_equal(timer(&bench, 7620 * S),
                        "Kill 2/0; SubmitTaskStateChange #2 2 STOPPED timeout 0");
    assert_granted(&bench, 0, 0);
    bench_close(&bench);

    /* Shorter ones than ECS allows are raised to what it allows. */
    struct agent_config config = {.cpu_units = 1024,
                                  .mem_mib = 2048,
                                  .pull_timeout_ns = 5 * S,
                                  .create_timeout_ns = S,
                                  .start_timeout_ns = S,
                                  .instance = 7};
    bench = (struct bench){.agent = agent_create(&config)};
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    payload(&bench, 1, &web, true);
    assert_int_equal(agent_next_deadline(bench.agent), 5 * S);
    happen(&bench, AGENT_EVENT_PULLED, 1, 0);
    assert_string_equal(timer(&bench, 105 * S),
                        "Kill 1/0; SubmitTaskStateChange #1 1 STOPPED timeout 0");
    bench_close(&bench);
}

static const char *engine_restarts(struct bench *bench, bool keeps)
{
    struct agent_event event = {.kind = AGENT_EVENT_ENGINE_RESTARTED, .keeps_containers = keeps};
    return step(bench, &event);
}

static void test_engine_restart_keeps_containers(void **state)
{
    (void)state;
    struct bench bench = checked_running();
    ack(&bench, 1);
    assert_string_equal(engine_restarts(&bench, true), "");
    check(&bench, 1, 0, HEALTH_HEALTHY);
    check(&bench, 1, 1, HEALTH_HEALTHY);
    ack(&bench, 2);
    assert_string_equal(engine_restarts(&bench, true), "SubmitTaskStateChange #3 1 RUNNING");
    assert_int_equal(told_health(&bench), HEALTH_UNKNOWN);
    bench_close(&bench);
}

static void test_engine_restart_loses_containers(void **state)
{
    (void)state;
    struct bench bench = checked_running();
    ack(&bench, 1);
    payload(&bench, 2, &web, true); /* pulling: again */
    assert_string_equal(engine_restarts(&bench, false),
                        "SubmitTaskStateChange #2 1 STOPPED essential-exit 137; Pull 2/0");
    bench_close(&bench);

    struct task_def def;
    struct container_def container;
    int32_t ignored = 7;
    bench = restartable_running(&def, &container, &ignored);
    bench.now_ns = 60 * S;
    assert_string_equal(engine_restarts(&bench, false), "Start 1/0");
    bench.now_ns = 61 * S; /* too soon for another restart */
    assert_string_equal(engine_restarts(&bench, false),
                        "SubmitTaskStateChange #2 1 STOPPED essential-exit 137");
    bench_close(&bench);

    bench = restartable_running(&def, &container, &ignored);
    payload(&bench, 1, &def, false);
    assert_string_equal(engine_restarts(&bench, false), /* the first cause stays */
                        "SubmitTaskStateChange #2 1 STOPPED stopped 137");
    bench_close(&bench);
}

static void test_strange_events_change_nothing(void **state)
{
    (void)state;
    struct bench bench = bench_open(1024, 2048);
    happen(&bench, AGENT_EVENT_CONNECTED, 0, 0);
    payload(&bench, 1, &web, true);
    assert_string_equal(happen(&bench, AGENT_EVENT_STARTED, 1, 0), "");
    assert_string_equal(happen(&bench, AGENT_EVENT_PULLED, 1, 5), "");  /* no such container */
    assert_string_equal(happen(&bench, AGENT_EVENT_PULLED, 42, 0), ""); /* no such task */
    assert_string_equal(exits(&bench, 1, 0, 0), "");
    assert_string_equal(happen(&bench, AGENT_EVENT_PULLED, 1, 0), "Start 1/0");
    assert_string_equal(happen(&bench, AGENT_EVENT_PULLED, 1, 0), "");
    assert_string_equal(happen(&bench, AGENT_EVENT_TIMER, 0, 0), "");
    struct message own = {.kind = MESSAGE_TASK_STATE, .instance = 7};
    assert_string_equal(receive(&bench, &own), "");
    /* An exit tells of the start, too, when that got lost. */
    assert_string_equal(exits(&bench, 1, 0, 4),
                        "SubmitTaskStateChange #1 1 STOPPED essential-exit 4");
    bench_close(&bench);
}

static void test_names_are_complete(void **state)
{
    (void)state;
    for (int i = 0; i < AGENT_EVENT_KIND_COUNT; i++)
        assert_non_null(agent_event_kind_names[i]);
    for (int i = 0; i < AGENT_ACTION_KIND_COUNT; i++)
        assert_non_null(agent_action_kind_names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_task_runs_and_exits),
        cmocka_unit_test(test_stop_terminates_then_kills),
        cmocka_unit_test(test_stop_at_every_stage),
        cmocka_unit_test(test_pull_and_start_failures),
        cmocka_unit_test(test_gate_is_first_in_first_out),
        cmocka_unit_test(test_gate_opens_when_the_blocking_head_is_stopped),
        cmocka_unit_test(test_gate_counts_gpus_by_card),
        cmocka_unit_test(test_gate_counts_fixed_ports),
        cmocka_unit_test(test_reports_repeat_until_acknowledged),
        cmocka_unit_test(test_reports_of_a_disconnection_go_out_in_order),
        cmocka_unit_test(test_messages_of_a_lost_connection_are_dropped),
        cmocka_unit_test(test_a_start_that_comes_after_its_task_is_forgotten),
        cmocka_unit_test(test_manifest_names_what_is_not_listed),
        cmocka_unit_test(test_host_restart_loses_started_containers),
        cmocka_unit_test(test_containers_start_in_order_and_stop_in_reverse),
        cmocka_unit_test(test_essential_exit_stops_the_others),
        cmocka_unit_test(test_non_essential_exit_has_no_effect),
        cmocka_unit_test(test_failed_dependencies_fail_the_task),
        cmocka_unit_test(test_complete_and_healthy_conditions),
        cmocka_unit_test(test_healthy_condition_ends_by_timeout_or_exit),
        cmocka_unit_test(test_health_rolls_up),
        cmocka_unit_test(test_first_running_is_acknowledged_before_stopped),
        cmocka_unit_test(test_restart_in_place),
        cmocka_unit_test(test_stop_while_a_container_restarts),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_a_silent_runtime_is_given_up),
        cmocka_unit_test(test_engine_restart_keeps_containers),
        cmocka_unit_test(test_engine_restart_loses_containers),
        cmocka_unit_test(test_strange_events_change_nothing),
        cmocka_unit_test(test_names_are_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
