/* A group grows with machines that boot, keeps its size when one is lost, and gives back. */
#include "sim/world/groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define S BERTH_NS_PER_S

/* Two machine types: one dear, one cheap with room for a single machine more. */
static const char scenario_text[] =
    "{\"version\":1,\"name\":\"x\",\"fleet\":{"
    "\"dear\":{\"count\":1,\"maxSize\":5,\"cpu\":1024,\"memory\":1024,\"pricePerHour\":2,"
    "\"boot\":100,\"zones\":[\"a\"]},"
    "\"cheap\":{\"count\":1,\"minSize\":1,\"maxSize\":2,\"cpu\":1024,\"memory\":1024,"
    "\"pricePerHour\":1,\"boot\":60,\"zones\":[\"a\"]}},"
    "\"capacityProviders\":{\"p\":{\"group\":[\"dear\",\"cheap\"]}},"
    "\"fargate\":{\"startDelay\":20,\"capacity\":1},"
    "\"run\":{\"duration\":1000}}";

enum { DEAR = 0, CHEAP = 1 };

struct scene {
    struct scenario_set *set;
    struct sim_queue *queue;
    struct fleet *fleet;
    struct groups *groups;
    berth_ns now_ns;
    instance_id next_instance;
    struct answer last;
    uint32_t answers, joined;
};

static void on_event(void *context, const struct event *event)
{
    struct scene *scene = context;
    if (event->kind == EVENT_REGISTER_INSTANCE)
        fleet_registered(scene->fleet, scene->now_ns, event->token, scene->next_instance++);
}

static berth_ns on_lifetime(void *context, const char *group, uint64_t reference)
{
    (void)context;
    (void)group;
    (void)reference;
    return BERTH_NS_NEVER;
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
    (void)context;
    fail_msg("service %u has task %llu: %d", service, (unsigned long long)task, change);
}

static void on_power(void *context, uint32_t host, enum host_power before, enum host_power after)
{
    struct scene *scene = context;
    if (scene->groups != NULL)
        groups_power(scene->groups, scene->now_ns, host, before, after);
}

static const struct fleet_ops fleet_ops = {
    .event = on_event,
    .lifetime = on_lifetime,
    .crash = on_crash,
    .serving = on_serving,
    .power = on_power,
};

static void on_answer(void *context, const struct answer *answer)
{
    struct scene *scene = context;
    assert_int_equal(answer->kind, ANSWER_GROUP);
    scene->last = *answer;
    scene->answers++;
}

static void on_joined(void *context, uint32_t host)
{
    struct scene *scene = context;
    assert_int_equal(host + 1, fleet_host_count(scene->fleet));
    scene->joined++;
}

static const struct groups_ops groups_ops = {on_answer, on_joined};

static void run_until(struct scene *scene, berth_ns until_ns)
{
    berth_ns at_ns;
    struct sim_event event;
    while (sim_queue_peek(scene->queue, &at_ns) && at_ns <= until_ns) {
        assert_true(sim_queue_take(scene->queue, &at_ns, &event));
        scene->now_ns = at_ns;
        if (event.kind == WORLD_GROUP)
            groups_dispatch(scene->groups, at_ns, &event);
        else
            fleet_dispatch(scene->fleet, at_ns, &event);
    }
    scene->now_ns = until_ns;
}

static void open_scene(struct scene *scene)
{
    struct berth_error err = BERTH_ERROR_INIT;
    *scene = (struct scene){0};
    if (scenario_load_text(scenario_text, strlen(scenario_text), ".", &scene->set, &err) !=
        BERTH_OK)
        fail_msg("%s", err.text);
    const struct scenario *scenario = scene->set->variants[0];
    scene->queue = sim_queue_create();
    scene->fleet = fleet_create(scenario, 1, 1000 * S, scene->queue, &fleet_ops, scene);
    scene->groups =
        groups_create(scenario, 2, 1000 * S, scene->queue, scene->fleet, &groups_ops, scene);
    fleet_start(scene->fleet);
    groups_start(scene->groups);
    run_until(scene, 10 * S);
}

static void close_scene(struct scene *scene)
{
    groups_destroy(scene->groups);
    fleet_destroy(scene->fleet);
    sim_queue_destroy(scene->queue);
    scenario_set_destroy(scene->set);
}

static void resize(struct scene *scene, uint32_t wanted)
{
    struct request request = {.kind = REQUEST_RESIZE_GROUP, .service = SERVICE_NONE};
    request.u.group.provider = "p";
    request.u.group.wanted = wanted;
    groups_request(scene->groups, scene->now_ns, &request);
}

static void launch(struct scene *scene, task_id task)
{
    struct request request = {.kind = REQUEST_LAUNCH_FARGATE, .service = SERVICE_NONE};
    request.u.group.provider = "FARGATE";
    request.u.group.task = task;
    request.u.group.cpu_units = 256;
    request.u.group.mem_mib = 512;
    groups_request(scene->groups, scene->now_ns, &request);
}

static void expect_group(const struct scene *scene, uint32_t in_service, uint32_t launching)
{
    assert_string_equal(scene->last.u.group.provider, "p");
    assert_int_equal(scene->last.u.group.in_service, in_service);
    assert_int_equal(scene->last.u.group.launching, launching);
}

static void test_grows_by_the_cheapest_with_room(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    assert_int_equal(scene.answers, 1);
    expect_group(&scene, 2, 0);
    assert_int_equal(scene.last.u.group.minimum, 1);
    assert_int_equal(scene.last.u.group.maximum, 7);
    resize(&scene, 4);
    assert_int_equal(scene.answers, 1); /* never while the request is being made */
    run_until(&scene, 10 * S);
    expect_group(&scene, 2, 2);
    assert_int_equal(fleet_host(scene.fleet, 2).group, CHEAP);
    assert_int_equal(fleet_host(scene.fleet, 3).group, DEAR);
    resize(&scene, 4); /* a repeat */
    resize(&scene, 3); /* and groups do not shrink so */
    run_until(&scene, 70 * S);
    expect_group(&scene, 3, 1);
    run_until(&scene, 110 * S);
    expect_group(&scene, 4, 0);
    assert_int_equal(scene.joined, 2);
    resize(&scene, 100);
    run_until(&scene, 300 * S);
    expect_group(&scene, 7, 0);
    assert_int_equal(scene.joined, 5);
    close_scene(&scene);
}

static void test_what_is_lost_is_replaced(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    (void)fleet_lose(scene.fleet, scene.now_ns, 1, LOSS_TERMINATE);
    run_until(&scene, 10 * S);
    expect_group(&scene, 1, 1);
    run_until(&scene, 80 * S);
    expect_group(&scene, 2, 0);
    assert_int_equal(fleet_host(scene.fleet, 2).group, CHEAP);
    close_scene(&scene);
}

static void test_what_is_given_back_is_not(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    struct request request = {.kind = REQUEST_TERMINATE_INSTANCE, .service = SERVICE_NONE};
    request.u.group.provider = "p";
    request.u.group.instance = fleet_host(scene.fleet, 0).instance;
    groups_request(scene.groups, scene.now_ns, &request);
    groups_request(scene.groups, scene.now_ns, &request);
    run_until(&scene, 300 * S);
    expect_group(&scene, 1, 0);
    assert_int_equal(scene.joined, 0);
    assert_true(fleet_host(scene.fleet, 0).is_retired);
    assert_false(fleet_host(scene.fleet, 1).is_retired);
    close_scene(&scene);
}

static void test_fargate_has_a_machine_for_a_task(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    launch(&scene, 71);
    launch(&scene, 71); /* a repeat */
    launch(&scene, 72); /* there is room for one */
    run_until(&scene, 29 * S);
    assert_int_equal(scene.joined, 1);
    assert_int_equal(scene.last.u.group.refused_task, 72);
    assert_int_equal(fleet_host(scene.fleet, 2).power, HOST_BOOTING);
    assert_int_equal(fleet_host(scene.fleet, 2).fargate_task, 71);
    assert_int_equal(fleet_host(scene.fleet, 2).mem_mib, 512);
    run_until(&scene, 30 * S);
    assert_int_equal(fleet_host(scene.fleet, 2).power, HOST_UP);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_by_the_cheapest_with_room),
        cmocka_unit_test(test_what_is_lost_is_replaced),
        cmocka_unit_test(test_what_is_given_back_is_not),
        cmocka_unit_test(test_fargate_has_a_machine_for_a_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
