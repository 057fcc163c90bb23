/*
 * The simulated hosts against a controller that is only an ear: what it is told, and when. Hosts,
 * agents, network and runtime are the real ones; times are checked to the nanosecond.
 */
#include "sim/fleet/fleet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"

#define S BERTH_NS_PER_S
#define MS BERTH_NS_PER_MS

struct told {
    berth_ns at_ns;
    enum event_kind kind;
    instance_id instance;
    enum task_status status; /* reports */
    enum task_health health;
    enum exit_cause cause;
    int32_t exit_code;
};

struct world {
    struct scenario_set *set;
    struct sim_queue *queue;
    struct fleet *fleet;
    berth_ns now_ns, lifetime_ns;
    instance_id next_instance;
    uint64_t seq;
    int serving;
    uint32_t up;
    VEC(struct told) told;    /* acks left out */
    struct message_fate fate; /* of host 0's messages in one direction */
    bool fate_is_up;
};

static void on_event(void *context, const struct event *event)
{
    struct world *world = context;
    struct told told = {.at_ns = world->now_ns, .kind = event->kind};
    switch (event->kind) {
    case EVENT_REGISTER_INSTANCE:
        told.instance = event->u.register_instance.existing;
        fleet_registered(world->fleet, world->now_ns, event->token,
                         told.instance != INSTANCE_NONE ? told.instance : world->next_instance++);
        break;
    case EVENT_DEREGISTER_INSTANCE:
        told.instance = event->u.deregister_instance.instance;
        break;
    case EVENT_UPDATE_INSTANCE_STATE:
        told.instance = event->u.update_instance_state.instance;
        assert_int_equal(event->u.update_instance_state.status, INSTANCE_DRAINING);
        break;
    case EVENT_MESSAGE:
        told.instance = event->u.message.instance;
        if (event->u.message.kind != MESSAGE_TASK_STATE)
            return;
        told.status = event->u.message.u.report.status;
        told.health = event->u.message.u.report.health;
        told.cause = event->u.message.u.report.cause;
        told.exit_code = event->u.message.u.report.exit_code;
        struct message ack = {
            .kind = MESSAGE_REPORT_ACK, .instance = told.instance, .seq = event->u.message.seq};
        fleet_send(world->fleet, world->now_ns, &ack);
        break;
    default:
        told.instance = event->u.agent;
        break;
    }
    *vec_push(&world->told) = told;
}

static berth_ns on_lifetime(void *context, const char *group, uint64_t reference)
{
    (void)group;
    (void)reference;
    return ((struct world *)context)->lifetime_ns;
}

static berth_ns on_crash(void *context, uint32_t host, uint64_t key, uint16_t container)
{
    (void)context;
    (void)host;
    (void)key;
    (void)container;
    return BERTH_NS_NEVER;
}

static void on_serving(void *context, uint32_t service, task_id task, int change)
{
    assert_int_equal(service, 0);
    (void)task;
    ((struct world *)context)->serving += change;
}

static void on_power(void *context, uint32_t host, enum host_power before, enum host_power after)
{
    (void)host;
    assert_int_not_equal(before, after);
    ((struct world *)context)->up += (uint32_t)((after == HOST_UP) - (before == HOST_UP));
}

static void on_fate(void *context, uint32_t host, bool is_up, struct message_fate *fate)
{
    const struct world *world = context;
    if (host == 0 && is_up == world->fate_is_up)
        *fate = world->fate;
}

static const struct fleet_ops ops = {
    .event = on_event,
    .lifetime = on_lifetime,
    .crash = on_crash,
    .serving = on_serving,
    .power = on_power,
    .fate = on_fate,
};

static const char scenario_text[] =
    "{\"version\":1,\"name\":\"x\","
    "\"fleet\":{\"g\":{\"count\":2,\"cpu\":2048,\"memory\":4096,\"zones\":[\"a\",\"b\"],"
    "\"pullMiBps\":50}},"
    "\"taskDefinitions\":{\"web\":{\"definition\":{\"containerDefinitions\":[{\"name\":\"c\","
    "\"image\":\"w:1\",\"cpu\":512,\"memory\":512}]},\"imageMiB\":100}},"
    "\"services\":{\"web\":{\"taskDefinition\":\"web\",\"desiredCount\":1}},"
    "\"delays\":{\"boot\":60,\"network\":2,\"containerStart\":1,\"containerStop\":3,"
    "\"pullOverhead\":0.1},"
    "\"run\":{\"duration\":1000}}";

static void run_until(struct world *world, berth_ns until_ns)
{
    berth_ns at_ns;
    struct sim_event event;
    while (sim_queue_peek(world->queue, &at_ns) && at_ns <= until_ns) {
        assert_true(sim_queue_take(world->queue, &at_ns, &event));
        assert_true(at_ns >= world->now_ns);
        world->now_ns = at_ns;
        fleet_dispatch(world->fleet, at_ns, &event);
        fleet_audit(world->fleet);
    }
    world->now_ns = until_ns;
}

static void open_world_of(struct world *world, const char *text)
{
    struct berth_error err = BERTH_ERROR_INIT;
    *world = (struct world){.lifetime_ns = BERTH_NS_NEVER, .fate.twice_after_ns = BERTH_NS_NEVER};
    if (scenario_load_text(text, strlen(text), ".", &world->set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    const struct scenario *scenario = world->set->variants[0];
    world->queue = sim_queue_create();
    world->fleet = fleet_create(scenario, 1, scenario->run.duration_ns, world->queue, &ops, world);
    fleet_define(world->fleet, 0, scenario->task_defs[0].def);
    fleet_start(world->fleet);
    run_until(world, 0);
}

static void open_world(struct world *world)
{
    open_world_of(world, scenario_text);
}

static void close_world(struct world *world)
{
    fleet_destroy(world->fleet);
    sim_queue_destroy(world->queue);
    scenario_set_destroy(world->set);
    vec_free(&world->told);
}

static const char *const service_group = "service:web";

static void send_task(struct world *world, instance_id instance, task_id task, bool desired_running)
{
    struct message message = {.kind = MESSAGE_PAYLOAD, .instance = instance, .seq = ++world->seq};
    message.u.payload = (struct task_payload){
        .task = task,
        .def = world->set->variants[0]->task_defs[0].def,
        .group = service_group,
        .reference = task,
        .cpu_units = 512,
        .mem_mib = 512,
        .desired_running = desired_running,
    };
    fleet_send(world->fleet, world->now_ns, &message);
}

static void assert_told(const struct world *world, const struct told *wanted, size_t count)
{
    for (size_t i = 0; i < count && i < world->told.count; i++) {
        const struct told *is = &world->told.items[i];
        assert_int_equal(is->kind, wanted[i].kind);
        assert_int_equal(is->at_ns, wanted[i].at_ns);
        assert_int_equal(is->instance, wanted[i].instance);
        assert_int_equal(is->status, wanted[i].status);
        assert_int_equal(is->cause, wanted[i].cause);
        assert_int_equal(is->exit_code, wanted[i].exit_code);
    }
    assert_int_equal(world->told.count, count);
}

#define ASSERT_TOLD(world, ...)                            \
    assert_told(world, (const struct told[]){__VA_ARGS__}, \
                sizeof((const struct told[]){__VA_ARGS__}) / sizeof(struct told))

#define REGISTERED(at, of)                                               \
    {                                                                    \
        .at_ns = (at), .kind = EVENT_REGISTER_INSTANCE, .instance = (of) \
    }
#define LEFT(at, of)                                                      \
    {                                                                     \
        .at_ns = (at), .kind = EVENT_AGENT_DISCONNECTED, .instance = (of) \
    }
#define CAME(at, of)                                                   \
    {                                                                  \
        .at_ns = (at), .kind = EVENT_AGENT_CONNECTED, .instance = (of) \
    }
#define GONE(at, of)                                                       \
    {                                                                      \
        .at_ns = (at), .kind = EVENT_DEREGISTER_INSTANCE, .instance = (of) \
    }
#define REPORT(at, of, is, why, code)                                                           \
    {                                                                                           \
        .at_ns = (at), .kind = EVENT_MESSAGE, .instance = (of), .status = (is), .cause = (why), \
        .exit_code = (code)                                                                     \
    }

/* Everyone's first two words. */
#define START REGISTERED(0, INSTANCE_NONE), REGISTERED(0, INSTANCE_NONE)
/* The task of `running_world` as it came up on instance 0. */
#define RUNNING REPORT(7100 * MS, 0, TASK_RUNNING, EXIT_NONE, 0)

static void test_the_fleet_is_up_at_time_0(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    ASSERT_TOLD(&world, START);
    assert_int_equal(world.up, 2);
    assert_int_equal(fleet_host_of(world.fleet, 1), 1);
    assert_int_equal(fleet_host_of(world.fleet, 2), HOST_NONE);
    assert_string_equal(fleet_host(world.fleet, 1).zone, "b");
    close_world(&world);
}

/* 2 there, 0.1 and 100 MiB at 50 MiB/s, 1 to start, 2 back; and what it is told to stop, stops. */
static void test_a_task_takes_its_time(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    send_task(&world, 0, 1, true);
    run_until(&world, 20 * S);
    ASSERT_TOLD(&world, START, RUNNING);
    assert_int_equal(world.serving, 1);
    send_task(&world, 0, 1, false); /* there at 22, ends at 25 */
    run_until(&world, 24 * S);
    assert_int_equal(world.serving, 0);
    send_task(&world, 0, 2, true); /* there at 26, image there: started at 27 */
    run_until(&world, 100 * S);
    ASSERT_TOLD(&world, START, RUNNING, REPORT(27 * S, 0, TASK_STOPPED, EXIT_STOPPED, 143),
                REPORT(29 * S, 0, TASK_RUNNING, EXIT_NONE, 0));
    assert_int_equal(fleet_task_count(world.fleet), 1);
    close_world(&world);
}

static void open_running_world(struct world *world)
{
    open_world(world);
    send_task(world, 0, 1, true);
    run_until(world, 20 * S);
    assert_int_equal(world->serving, 1);
}

static void test_terminate(void **state)
{
    (void)state;
    struct world world;
    open_running_world(&world);
    uint32_t loss = fleet_lose(world.fleet, world.now_ns, 0, LOSS_TERMINATE);
    assert_int_equal(world.serving, 0);
    assert_int_equal(fleet_task_count(world.fleet), 0);
    run_until(&world, 300 * S);
    fleet_return(world.fleet, world.now_ns, 0, loss);
    run_until(&world, 500 * S);
    ASSERT_TOLD(&world, START, RUNNING, GONE(20 * S, 0), REGISTERED(360 * S, INSTANCE_NONE));
    assert_int_equal(fleet_host(world.fleet, 0).instance, 2);
    assert_int_equal(fleet_host_of(world.fleet, 0), HOST_NONE);
    close_world(&world);
}

static void test_stop(void **state)
{
    (void)state;
    struct world world;
    open_running_world(&world);
    uint32_t loss = fleet_lose(world.fleet, world.now_ns, 0, LOSS_STOP);
    assert_int_equal(world.serving, 0);
    run_until(&world, 300 * S);
    fleet_return(world.fleet, world.now_ns, 0, loss);
    run_until(&world, 500 * S);
    ASSERT_TOLD(&world, START, RUNNING, LEFT(200 * S, 0), REGISTERED(360 * S, 0), CAME(360 * S, 0),
                REPORT(362 * S, 0, TASK_STOPPED, EXIT_HOST_LOST, 0));
    assert_int_equal(fleet_task_count(world.fleet), 0);
    close_world(&world);
}

static void test_hang(void **state)
{
    (void)state;
    struct world world;
    open_running_world(&world);
    uint32_t loss = fleet_lose(world.fleet, world.now_ns, 0, LOSS_HANG);
    assert_int_equal(world.serving, 0); /* runs on, but serves nobody */
    run_until(&world, 300 * S);
    fleet_return(world.fleet, world.now_ns, 0, loss);
    assert_int_equal(world.serving, 1);
    run_until(&world, 500 * S);
    ASSERT_TOLD(&world, START, RUNNING, LEFT(200 * S, 0), CAME(300 * S, 0));
    close_world(&world);
}

static void test_disconnect_shorter_than_detection(void **state)
{
    (void)state;
    struct world world;
    open_running_world(&world);
    uint32_t loss = fleet_lose(world.fleet, world.now_ns, 0, LOSS_DISCONNECT);
    assert_int_equal(world.serving, 1);
    run_until(&world, 50 * S);
    fleet_return(world.fleet, world.now_ns, 0, loss);
    run_until(&world, 500 * S);
    ASSERT_TOLD(&world, START, RUNNING, LEFT(50 * S, 0), CAME(50 * S, 0));
    assert_int_equal(world.serving, 1);
    close_world(&world);
}

/* Its end is known to the agent only when it wakes; the report is not lost. */
static void test_what_ends_while_the_agent_cannot_tell(void **state)
{
    (void)state;
    static const enum loss_mode modes[] = {LOSS_HANG, LOSS_DISCONNECT};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        open_world(&world);
        world.lifetime_ns = 100 * S;
        struct message message = {.kind = MESSAGE_PAYLOAD, .instance = 0, .seq = 1};
        message.u.payload = (struct task_payload){.task = 1,
                                                  .def = world.set->variants[0]->task_defs[0].def,
                                                  .group = "family:web",
                                                  .reference = 1,
                                                  .desired_running = true};
        fleet_send(world.fleet, 0, &message);
        run_until(&world, 20 * S); /* started at 5.1 */
        uint32_t loss = fleet_lose(world.fleet, world.now_ns, 0, modes[i]);
        run_until(&world, 150 * S);
        fleet_return(world.fleet, world.now_ns, 0, loss);
        run_until(&world, 500 * S);
        ASSERT_TOLD(&world, START, RUNNING, LEFT(150 * S, 0), CAME(150 * S, 0),
                    REPORT(152 * S, 0, TASK_STOPPED, EXIT_ESSENTIAL, 0));
        assert_int_equal(world.serving, 0);
        close_world(&world);
    }
}

static void test_a_worse_cause_takes_over_and_the_last_one_counts(void **state)
{
    (void)state;
    struct world world;
    open_running_world(&world);
    uint32_t loss = fleet_lose(world.fleet, world.now_ns, 0, LOSS_DISCONNECT);
    run_until(&world, 30 * S);
    assert_int_equal(fleet_lose(world.fleet, world.now_ns, 0, LOSS_STOP), loss);
    assert_int_equal(fleet_host(world.fleet, 0).power, HOST_OFF);
    assert_int_equal(fleet_lose(world.fleet, world.now_ns, 0, LOSS_HANG), loss);
    run_until(&world, 40 * S);
    fleet_return(world.fleet, world.now_ns, 0, loss);
    fleet_return(world.fleet, world.now_ns, 0, loss);
    assert_true(fleet_host(world.fleet, 0).is_lost);
    fleet_return(world.fleet, world.now_ns, 0, loss);
    assert_int_equal(fleet_host(world.fleet, 0).power, HOST_BOOTING);
    fleet_return(world.fleet, world.now_ns, 0, loss); /* over: nothing is left to give back */
    run_until(&world, 150 * S);
    ASSERT_TOLD(&world, START, RUNNING, LEFT(100 * S, 0), REGISTERED(100 * S, 0), CAME(100 * S, 0),
                REPORT(102 * S, 0, TASK_STOPPED, EXIT_HOST_LOST, 0));
    close_world(&world);
}

/* ECS deregisters only what it can talk to: the old instance stays, and is missed. */
static void test_terminated_while_disconnected_leaves_a_zombie(void **state)
{
    (void)state;
    struct world world;
    open_running_world(&world);
    (void)fleet_lose(world.fleet, world.now_ns, 0, LOSS_STOP);
    (void)fleet_lose(world.fleet, world.now_ns, 0, LOSS_TERMINATE);
    fleet_recover(world.fleet, world.now_ns, 0);
    run_until(&world, 500 * S);
    ASSERT_TOLD(&world, START, RUNNING, LEFT(80 * S, 0), REGISTERED(80 * S, INSTANCE_NONE));
    assert_int_equal(fleet_host(world.fleet, 0).instance, 2);
    close_world(&world);
}

static void test_lost_on_the_way(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    send_task(&world, 0, 1, true);
    run_until(&world, 1 * S);
    uint32_t loss = fleet_lose(world.fleet, world.now_ns, 0, LOSS_DISCONNECT);
    send_task(&world, 0, 2, true); /* there is no connection to send it on */
    fleet_return(world.fleet, world.now_ns, 0, loss);
    run_until(&world, 100 * S);
    assert_int_equal(fleet_task_count(world.fleet), 0);
    send_task(&world, 0, 1, true);
    run_until(&world, 200 * S);
    assert_int_equal(fleet_task_count(world.fleet), 1);
    close_world(&world);
}

static void test_lost_while_booting(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    (void)fleet_lose(world.fleet, world.now_ns, 0, LOSS_TERMINATE);
    fleet_recover(world.fleet, world.now_ns, 0);
    run_until(&world, 30 * S);
    assert_int_equal(fleet_host(world.fleet, 0).power, HOST_BOOTING);
    (void)fleet_lose(world.fleet, world.now_ns, 0, LOSS_HANG);
    assert_int_equal(fleet_host(world.fleet, 0).power, HOST_OFF);
    run_until(&world, 100 * S);
    fleet_recover(world.fleet, world.now_ns, 0);
    run_until(&world, 200 * S);
    ASSERT_TOLD(&world, START, GONE(0, 0), REGISTERED(160 * S, INSTANCE_NONE));
    assert_int_equal(world.up, 2);
    close_world(&world);
}

static void test_a_spot_notice_drains(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    run_until(&world, 10 * S);
    fleet_notice(world.fleet, world.now_ns, 1);
    run_until(&world, 20 * S);
    (void)fleet_lose(world.fleet, world.now_ns, 1, LOSS_DISCONNECT);
    fleet_notice(world.fleet, world.now_ns, 1); /* cannot be told */
    run_until(&world, 100 * S);
    ASSERT_TOLD(&world, START,
                {.at_ns = 12 * S, .kind = EVENT_UPDATE_INSTANCE_STATE, .instance = 1});
    close_world(&world);
}

static void test_a_payload_lost_on_a_live_connection_ends_it(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    world.fate.is_lost = true;
    send_task(&world, 0, 1, true);
    world.fate.is_lost = false;
    send_task(&world, 1, 2, true);
    run_until(&world, 100 * S);
    ASSERT_TOLD(&world, START, REPORT(7100 * MS, 1, TASK_RUNNING, EXIT_NONE, 0), LEFT(60 * S, 0),
                CAME(60 * S, 0));
    close_world(&world);
}

static void test_an_ack_lost_on_a_live_connection_ends_it(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    world.fate = (struct message_fate){.is_lost = true, .twice_after_ns = BERTH_NS_NEVER};
    world.fate_is_up = true;
    send_task(&world, 0, 1, true);
    run_until(&world, 4 * S);
    world.fate.is_lost = false;
    run_until(&world, 100 * S);
    ASSERT_TOLD(&world, START, RUNNING, LEFT(62 * S, 0), CAME(62 * S, 0));
    close_world(&world);
}

static void test_messages_late_twice_and_overtaken(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    world.fate =
        (struct message_fate){.is_overtaken = true, .extra_ns = 10 * S, .twice_after_ns = 5 * S};
    send_task(&world, 0, 1, true); /* at 12 s, again at 17 s */
    world.fate = (struct message_fate){.twice_after_ns = BERTH_NS_NEVER};
    send_task(&world, 0, 2, true); /* at 2 s */
    run_until(&world, 100 * S);
    /* The second had come: the first is refused without an ack, and so the connection ends. */
    ASSERT_TOLD(&world, START, RUNNING, LEFT(60 * S, 0), CAME(60 * S, 0));
    close_world(&world);
}

static void test_a_short_partition_loses_and_a_long_one_disconnects(void **state)
{
    (void)state;
    for (enum fleet_block block = FLEET_BLOCK_BOTH; block <= FLEET_BLOCK_UP; block++) {
        struct world world;
        open_world(&world);
        run_until(&world, 10 * S);
        fleet_block(world.fleet, world.now_ns, 0, block);
        run_until(&world, 60 * S);
        fleet_unblock(world.fleet, world.now_ns, 0, block);
        run_until(&world, 400 * S);
        ASSERT_TOLD(&world, START);
        fleet_block(world.fleet, world.now_ns, 0, block);
        fleet_block(world.fleet, world.now_ns, 0, FLEET_BLOCK_BOTH);
        run_until(&world, 600 * S);
        fleet_unblock(world.fleet, world.now_ns, 0, block);
        run_until(&world, 610 * S);
        fleet_unblock(world.fleet, world.now_ns, 0, FLEET_BLOCK_BOTH);
        run_until(&world, 700 * S);
        ASSERT_TOLD(&world, START, LEFT(580 * S, 0), CAME(610 * S, 0));
        close_world(&world);
    }
}

static void test_a_clogged_way_holds_what_comes(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    send_task(&world, 0, 1, true);
    fleet_block(world.fleet, world.now_ns, 0, FLEET_BLOCK_CLOG);
    run_until(&world, 30 * S);
    ASSERT_TOLD(&world, START);
    fleet_unblock(world.fleet, world.now_ns, 0, FLEET_BLOCK_CLOG);
    run_until(&world, 100 * S);
    ASSERT_TOLD(&world, START, REPORT(35100 * MS, 0, TASK_RUNNING, EXIT_NONE, 0));
    close_world(&world);
}

static void test_a_host_comes_up_behind_a_partition(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    uint32_t loss = fleet_lose(world.fleet, world.now_ns, 0, LOSS_TERMINATE);
    fleet_block(world.fleet, world.now_ns, 0, FLEET_BLOCK_DOWN);
    fleet_return(world.fleet, world.now_ns, 0, loss);
    run_until(&world, 100 * S);
    ASSERT_TOLD(&world, START, GONE(0, 0));
    fleet_unblock(world.fleet, world.now_ns, 0, FLEET_BLOCK_DOWN);
    ASSERT_TOLD(&world, START, GONE(0, 0), REGISTERED(100 * S, INSTANCE_NONE));
    close_world(&world);
}

static void test_a_disconnect_is_seen_late_or_never(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    fleet_blind(world.fleet, 0);
    uint32_t loss = fleet_lose(world.fleet, world.now_ns, 0, LOSS_DISCONNECT);
    run_until(&world, 300 * S);
    ASSERT_TOLD(&world, START);
    assert_true(fleet_see(world.fleet, world.now_ns, 0));
    ASSERT_TOLD(&world, START, LEFT(300 * S, 0));
    fleet_return(world.fleet, world.now_ns, 0, loss);
    ASSERT_TOLD(&world, START, LEFT(300 * S, 0), CAME(300 * S, 0));
    fleet_blind(world.fleet, 0);
    loss = fleet_lose(world.fleet, world.now_ns, 0, LOSS_DISCONNECT);
    run_until(&world, 600 * S);
    fleet_return(world.fleet, world.now_ns, 0, loss);
    assert_false(fleet_see(world.fleet, world.now_ns, 0));
    ASSERT_TOLD(&world, START, LEFT(300 * S, 0), CAME(300 * S, 0), CAME(600 * S, 0));
    close_world(&world);
}

/* Nothing would ever tell of the old instance once another one has taken its place. */
static void test_a_successor_ends_its_predecessor_while_the_controller_is_blind(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    fleet_blind(world.fleet, 0);
    uint32_t loss = fleet_lose(world.fleet, world.now_ns, 0, LOSS_WIPE);
    fleet_return(world.fleet, world.now_ns, 0, loss);
    run_until(&world, 300 * S);
    ASSERT_TOLD(&world, START, LEFT(60 * S, 0), REGISTERED(60 * S, INSTANCE_NONE));
    assert_false(fleet_see(world.fleet, world.now_ns, 0));
    run_until(&world, 600 * S);
    ASSERT_TOLD(&world, START, LEFT(60 * S, 0), REGISTERED(60 * S, INSTANCE_NONE));
    close_world(&world);
}

static void test_agents_find_a_controller_that_is_back(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    run_until(&world, 10 * S);
    fleet_controller_down(world.fleet, world.now_ns);
    uint32_t loss = fleet_lose(world.fleet, world.now_ns, 1, LOSS_STOP);
    run_until(&world, 400 * S);
    ASSERT_TOLD(&world, START);
    fleet_controller_up(world.fleet, world.now_ns);
    run_until(&world, 405 * S);
    assert_int_equal(world.told.count, 4); /* the new connection replaces one it believed in */
    assert_int_equal(world.told.items[2].kind, EVENT_AGENT_DISCONNECTED);
    assert_int_equal(world.told.items[3].kind, EVENT_AGENT_CONNECTED);
    assert_int_equal(world.told.items[3].instance, 0);
    run_until(&world, 580 * S);
    assert_int_equal(world.told.count, 5); /* the other does not come, and is missed */
    assert_int_equal(world.told.items[4].kind, EVENT_AGENT_DISCONNECTED);
    assert_int_equal(world.told.items[4].instance, 1);
    fleet_return(world.fleet, world.now_ns, 1, loss);
    run_until(&world, 900 * S);
    assert_int_equal(world.told.items[world.told.count - 1].kind, EVENT_AGENT_CONNECTED);
    close_world(&world);
}

/* One container with a check every 10 s, two failures of at most 2 s, 60 s of start period. */
#define CHECKED_SCENARIO(behaviour)                                                               \
    "{\"version\":1,\"name\":\"x\",\"fleet\":{\"g\":{\"count\":1,\"cpu\":2048,\"memory\":4096}}," \
    "\"taskDefinitions\":{\"web\":{\"definition\":{\"containerDefinitions\":[{\"name\":\"c\","    \
    "\"image\":\"w:1\",\"cpu\":512,\"memory\":512,\"restartPolicy\":{\"enabled\":true,"           \
    "\"restartAttemptPeriod\":60},\"healthCheck\":{\"command\":[\"CMD\",\"x\"],\"interval\":10,"  \
    "\"timeout\":2,\"retries\":2,\"startPeriod\":60}}]}" behaviour "}},"                          \
    "\"services\":{\"web\":{\"taskDefinition\":\"web\",\"desiredCount\":1}},"                     \
    "\"delays\":{\"network\":2,\"containerStart\":1,\"containerStop\":3,\"pullOverhead\":0.9},"   \
    "\"run\":{\"duration\":1000}}"

/* Reports that the task runs, with this health: the time that they were sent, or -1. */
static berth_ns told_health(const struct world *world, size_t from, enum task_health health)
{
    for (size_t i = from; i < world->told.count; i++)
        if (world->told.items[i].status == TASK_RUNNING && world->told.items[i].health == health)
            return world->told.items[i].at_ns - 2 * S;
    return -1;
}

static void test_a_copy_falls_ill_and_recovers(void **state)
{
    (void)state;
    struct world world;
    open_world_of(&world, CHECKED_SCENARIO(",\"healthyAfter\":5,\"unhealthyAfter\":100,"
                                           "\"recoversAfter\":50"));
    send_task(&world, 0, 1, true); /* there at 2, pulled at 2.9, started at 3.9 */
    run_until(&world, 8899 * MS);
    assert_int_equal(world.serving, 0); /* it runs, but does not answer yet */
    run_until(&world, 8900 * MS);
    assert_int_equal(world.serving, 1);
    run_until(&world, 108900 * MS);
    assert_int_equal(world.serving, 0);
    run_until(&world, 158899 * MS);
    assert_int_equal(world.serving, 0);
    run_until(&world, 200 * S);
    assert_int_equal(world.serving, 1);
    /* The probe within 10 s of each turn sees it; bad health needs 12 s more. */
    berth_ns well_ns = told_health(&world, 0, HEALTH_HEALTHY);
    assert_in_range(well_ns, 8900 * MS, 18900 * MS);
    berth_ns ill_ns = told_health(&world, 0, HEALTH_UNHEALTHY);
    assert_in_range(ill_ns, 120900 * MS, 130900 * MS);
    size_t last = world.told.count - 1;
    assert_in_range(told_health(&world, last, HEALTH_HEALTHY), 158900 * MS, 168900 * MS);
    close_world(&world);
}

static void test_a_bad_release_is_never_healthy(void **state)
{
    (void)state;
    struct world world;
    open_world_of(&world, CHECKED_SCENARIO(",\"unhealthyProbability\":1"));
    send_task(&world, 0, 1, true);
    run_until(&world, 900 * S);
    assert_int_equal(told_health(&world, 0, HEALTH_HEALTHY), -1);
    /* Started at 3.9; failures do not count for 60 s. */
    assert_in_range(told_health(&world, 0, HEALTH_UNHEALTHY), 75900 * MS, 85900 * MS);
    assert_int_equal(world.serving, 0);
    assert_int_equal(world.told.count, 3); /* registered, RUNNING, RUNNING and UNHEALTHY */
    close_world(&world);
}

static void test_out_of_memory_and_restart_in_place(void **state)
{
    (void)state;
    struct world world;
    open_world_of(&world, CHECKED_SCENARIO(",\"oomProbability\":1,\"oomAfter\":60"));
    send_task(&world, 0, 1, true);
    run_until(&world, 300 * S); /* dies at 63.9, starts at 64.9, and so on: always old enough */
    assert_int_equal(world.serving, 1);
    for (size_t i = 1; i < world.told.count; i++)
        assert_int_equal(world.told.items[i].status, TASK_RUNNING);
    close_world(&world);
    open_world_of(&world, CHECKED_SCENARIO(",\"oomProbability\":1,\"oomAfter\":59"));
    send_task(&world, 0, 1, true);
    run_until(&world, 100 * S);
    const struct told *end = &world.told.items[world.told.count - 1];
    assert_int_equal(end->status, TASK_STOPPED);
    assert_int_equal(end->cause, EXIT_OUT_OF_MEMORY);
    assert_int_equal(end->exit_code, 137);
    assert_int_equal(end->at_ns, 64900 * MS);
    close_world(&world);
}

static void test_engine_restarts(void **state)
{
    (void)state;
    struct world world;
    open_world_of(&world, CHECKED_SCENARIO(""));
    send_task(&world, 0, 1, true);
    run_until(&world, 30 * S);
    assert_true(told_health(&world, 0, HEALTH_HEALTHY) > 0);
    size_t before = world.told.count;
    fleet_engine_restart(world.fleet, world.now_ns, 0, true);
    run_until(&world, 50 * S);
    assert_int_equal(told_health(&world, before, HEALTH_UNKNOWN), 30 * S);
    assert_in_range(told_health(&world, before, HEALTH_HEALTHY), 30 * S, 40 * S);
    assert_int_equal(world.serving, 1);
    run_until(&world, 100 * S);
    fleet_engine_restart(world.fleet, world.now_ns, 0, false); /* restarted by its policy */
    assert_int_equal(world.serving, 0);
    run_until(&world, 110 * S);
    assert_int_equal(world.serving, 1);
    fleet_engine_restart(world.fleet, world.now_ns, 0, false); /* too soon */
    run_until(&world, 120 * S);
    const struct told *end = &world.told.items[world.told.count - 1];
    assert_int_equal(end->status, TASK_STOPPED);
    assert_int_equal(end->cause, EXIT_ESSENTIAL);
    assert_int_equal(end->exit_code, 137);
    close_world(&world);
}

static void test_a_hung_host_learns_of_the_engine_later(void **state)
{
    (void)state;
    struct world world;
    open_running_world(&world);
    uint32_t loss = fleet_lose(world.fleet, world.now_ns, 0, LOSS_HANG);
    fleet_engine_restart(world.fleet, world.now_ns, 0, false);
    run_until(&world, 30 * S);
    fleet_return(world.fleet, world.now_ns, 0, loss);
    assert_int_equal(world.serving, 0);
    run_until(&world, 100 * S);
    const struct told *end = &world.told.items[world.told.count - 1];
    assert_int_equal(end->cause, EXIT_ESSENTIAL);
    assert_int_equal(end->exit_code, 137);
    assert_int_equal(end->at_ns, 32 * S);
    close_world(&world);
}

/* 20 there, 1 and 20 to pull, 10 to start, 20 back; then as fast as ever. */
static void test_a_slow_host(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    fleet_set_slow(world.fleet, world.now_ns, 0, 10);
    send_task(&world, 0, 1, true);
    run_until(&world, 200 * S);
    assert_int_equal(world.told.items[2].status, TASK_RUNNING);
    assert_int_equal(world.told.items[2].at_ns, 71 * S);
    fleet_set_slow(world.fleet, world.now_ns, 0, 1);
    send_task(&world, 0, 1, false);
    run_until(&world, 300 * S);
    assert_int_equal(world.told.items[world.told.count - 1].at_ns, 207 * S);
    close_world(&world);
}

/* The checkpoint is gone: it comes back as another instance, and the old one is only missed. */
static void test_wipe(void **state)
{
    (void)state;
    struct world world;
    open_running_world(&world);
    uint32_t loss = fleet_lose(world.fleet, world.now_ns, 0, LOSS_WIPE);
    assert_int_equal(world.serving, 0);
    assert_int_equal(fleet_task_count(world.fleet), 0);
    run_until(&world, 300 * S);
    fleet_return(world.fleet, world.now_ns, 0, loss);
    run_until(&world, 500 * S);
    ASSERT_TOLD(&world, START, RUNNING, LEFT(200 * S, 0), REGISTERED(360 * S, INSTANCE_NONE));
    assert_int_equal(fleet_host(world.fleet, 0).instance, 2);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_payload_lost_on_a_live_connection_ends_it),
        cmocka_unit_test(test_an_ack_lost_on_a_live_connection_ends_it),
        cmocka_unit_test(test_messages_late_twice_and_overtaken),
        cmocka_unit_test(test_a_short_partition_loses_and_a_long_one_disconnects),
        cmocka_unit_test(test_a_clogged_way_holds_what_comes),
        cmocka_unit_test(test_a_host_comes_up_behind_a_partition),
        cmocka_unit_test(test_a_disconnect_is_seen_late_or_never),
        cmocka_unit_test(test_a_successor_ends_its_predecessor_while_the_controller_is_blind),
        cmocka_unit_test(test_agents_find_a_controller_that_is_back),
        cmocka_unit_test(test_the_fleet_is_up_at_time_0),
        cmocka_unit_test(test_a_task_takes_its_time),
        cmocka_unit_test(test_terminate),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_hang),
        cmocka_unit_test(test_disconnect_shorter_than_detection),
        cmocka_unit_test(test_what_ends_while_the_agent_cannot_tell),
        cmocka_unit_test(test_a_worse_cause_takes_over_and_the_last_one_counts),
        cmocka_unit_test(test_terminated_while_disconnected_leaves_a_zombie),
        cmocka_unit_test(test_lost_on_the_way),
        cmocka_unit_test(test_lost_while_booting),
        cmocka_unit_test(test_a_spot_notice_drains),
        cmocka_unit_test(test_a_copy_falls_ill_and_recovers),
        cmocka_unit_test(test_a_bad_release_is_never_healthy),
        cmocka_unit_test(test_out_of_memory_and_restart_in_place),
        cmocka_unit_test(test_engine_restarts),
        cmocka_unit_test(test_a_hung_host_learns_of_the_engine_later),
        cmocka_unit_test(test_a_slow_host),
        cmocka_unit_test(test_wipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
