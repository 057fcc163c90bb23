/* Health by its transitions, draining, repeats, who takes requests, traffic weights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sim/world/balancer.h"

#define S BERTH_NS_PER_S

struct scene {
    struct scenario_target_group group;
    struct scenario scenario;
    struct sim_queue *queue;
    struct balancer *balancer;
    berth_ns now_ns;
    VEC(struct answer) answers;
    VEC(berth_ns) times;
    int taking;
};

static void on_answer(void *context, const struct answer *answer)
{
    struct scene *scene = context;
    *vec_push(&scene->answers) = *answer;
    *vec_push(&scene->times) = scene->now_ns;
}

static void on_taking(void *context, berth_ns now_ns, uint64_t deployment, task_id task, int change)
{
    struct scene *scene = context;
    assert_true(now_ns == scene->now_ns && deployment == 7 && task > 0);
    scene->taking += change;
}

static const struct balancer_ops ops = {on_answer, on_taking};

static void open_scene(struct scene *scene)
{
    static char name[] = "web";
    memset(scene, 0, sizeof *scene);
    scene->group = (struct scenario_target_group){.name = name,
                                                  .interval_ns = 30 * S,
                                                  .timeout_ns = 5 * S,
                                                  .healthy_count = 5,
                                                  .unhealthy_count = 2,
                                                  .deregistration_ns = 300 * S};
    scene->scenario.target_groups = &scene->group;
    scene->scenario.target_group_count = 1;
    scene->queue = sim_queue_create();
    scene->balancer =
        balancer_create(&scene->scenario, 1, BERTH_NS_NEVER, scene->queue, &ops, scene);
}

static void close_scene(struct scene *scene)
{
    balancer_destroy(scene->balancer);
    sim_queue_destroy(scene->queue);
    vec_free(&scene->answers);
    vec_free(&scene->times);
}

static void ask(struct scene *scene, enum request_kind kind, task_id task, const char *group)
{
    struct request request = {.kind = kind, .service = 0, .deployment = 7};
    request.u.target.task = task;
    request.u.target.target_group = group;
    balancer_request(scene->balancer, scene->now_ns, &request);
}

static void run_until(struct scene *scene, berth_ns until_ns)
{
    struct sim_event event;
    berth_ns at_ns;
    while (sim_queue_peek(scene->queue, &at_ns) && at_ns <= until_ns) {
        (void)sim_queue_take(scene->queue, &at_ns, &event);
        scene->now_ns = at_ns;
        balancer_dispatch(scene->balancer, at_ns, &event);
    }
    scene->now_ns = until_ns;
}

static void expect_last(const struct scene *scene, size_t count, enum target_state state)
{
    assert_int_equal(scene->answers.count, count);
    assert_int_equal(scene->answers.items[count - 1].u.target.state, state);
}

static void test_becomes_healthy(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    balancer_serving(scene.balancer, 0, 1, 1);
    ask(&scene, REQUEST_REGISTER_TARGET, 1, "web");
    assert_int_equal(scene.answers.count, 0); /* never while the request is being made */
    run_until(&scene, 0);
    expect_last(&scene, 1, TARGET_INITIAL);
    run_until(&scene, 120 * S - 1); /* four intervals after the first check at the earliest */
    assert_int_equal(scene.answers.count, 1);
    run_until(&scene, 150 * S);
    expect_last(&scene, 2, TARGET_HEALTHY);
    assert_int_equal(scene.taking, 1);
    assert_int_equal(balancer_healthy(scene.balancer, 7).count, 1);
    assert_int_equal(balancer_healthy(scene.balancer, 7).tasks[0], 1);
    assert_int_equal(balancer_healthy(scene.balancer, 8).count, 0);
    ask(&scene, REQUEST_REGISTER_TARGET, 1, "web"); /* a repeat: the state that it has */
    run_until(&scene, 1000 * S);
    expect_last(&scene, 3, TARGET_HEALTHY);
    close_scene(&scene);
}

static void test_failure_is_noticed(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    balancer_serving(scene.balancer, 0, 1, 1);
    ask(&scene, REQUEST_REGISTER_TARGET, 1, "web");
    run_until(&scene, 200 * S);
    balancer_serving(scene.balancer, 200 * S, 1, -1);
    run_until(&scene, 234 * S); /* two checks: the second is at least one interval away */
    assert_int_equal(scene.answers.count, 2);
    run_until(&scene, 265 * S);
    expect_last(&scene, 3, TARGET_UNHEALTHY);
    assert_int_equal(scene.taking, 0);
    assert_int_equal((scene.times.items[2] - scene.times.items[1] - 5 * S) % (30 * S), 0);
    balancer_serving(scene.balancer, 300 * S, 1, 1);
    run_until(&scene, 330 * S);
    balancer_serving(scene.balancer, 330 * S, 1, -1); /* before it was noticed: it never is */
    run_until(&scene, 2000 * S);
    assert_int_equal(scene.answers.count, 3);
    close_scene(&scene);
}

static void test_drains(void **state)
{
    struct scene scene;
    uint32_t states[TARGET_STATE_COUNT];
    (void)state;
    open_scene(&scene);
    balancer_serving(scene.balancer, 0, 1, 1);
    ask(&scene, REQUEST_REGISTER_TARGET, 1, "web");
    run_until(&scene, 200 * S);
    ask(&scene, REQUEST_DEREGISTER_TARGET, 1, "web");
    assert_int_equal(scene.taking, 0); /* no new requests from now on */
    ask(&scene, REQUEST_DEREGISTER_TARGET, 1, "web");
    balancer_serving(scene.balancer, 200 * S, 1, -1);
    balancer_states(scene.balancer, states);
    assert_int_equal(states[TARGET_DRAINING], 1);
    run_until(&scene, 500 * S - 1);
    assert_int_equal(scene.answers.count, 2);
    run_until(&scene, 500 * S);
    expect_last(&scene, 3, TARGET_UNUSED);
    ask(&scene, REQUEST_DEREGISTER_TARGET, 1, "web"); /* long gone: said again */
    ask(&scene, REQUEST_REGISTER_TARGET, 2, "nobody");
    run_until(&scene, 600 * S);
    expect_last(&scene, 4, TARGET_UNUSED);
    balancer_states(scene.balancer, states);
    for (int i = 0; i < TARGET_STATE_COUNT; i++)
        assert_int_equal(states[i], 0);
    close_scene(&scene);
}

static void test_pool_keeps_the_others(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    for (task_id task = 1; task <= 5; task++) {
        balancer_serving(scene.balancer, 0, task, 1);
        ask(&scene, REQUEST_REGISTER_TARGET, task, "web");
    }
    run_until(&scene, 200 * S);
    assert_int_equal(balancer_healthy(scene.balancer, 7).count, 5);
    ask(&scene, REQUEST_DEREGISTER_TARGET, 2, "web");
    ask(&scene, REQUEST_DEREGISTER_TARGET, 5, "web");
    struct balancer_pool pool = balancer_healthy(scene.balancer, 7);
    task_id sum = 0;
    for (uint32_t i = 0; i < pool.count; i++)
        sum += pool.tasks[i];
    assert_int_equal(pool.count, 3);
    assert_int_equal(sum, 1 + 3 + 4);
    close_scene(&scene);
}

static void test_traffic(void **state)
{
    struct scene scene;
    struct request request = {.kind = REQUEST_SHIFT_TRAFFIC, .service = 3, .deployment = 9};
    (void)state;
    open_scene(&scene);
    assert_int_equal(balancer_permille(scene.balancer, 3, 9, false), BALANCER_UNSHIFTED);
    request.u.traffic.weights[0] = (struct traffic_weight){8, 950};
    request.u.traffic.weights[1] = (struct traffic_weight){9, 50};
    request.u.traffic.count = 2;
    balancer_request(scene.balancer, 0, &request);
    run_until(&scene, 10 * S);
    assert_int_equal(scene.answers.count, 1);
    assert_int_equal(scene.answers.items[0].kind, ANSWER_TRAFFIC);
    assert_int_equal(scene.answers.items[0].u.traffic.permille, 50);
    assert_int_equal(balancer_permille(scene.balancer, 3, 8, false), 950);
    assert_int_equal(balancer_permille(scene.balancer, 3, 4, false), 0);
    assert_int_equal(balancer_permille(scene.balancer, 3, 9, true), BALANCER_UNSHIFTED);
    request = (struct request){.kind = REQUEST_SHIFT_TRAFFIC, .service = 3, .deployment = 10};
    balancer_request(scene.balancer, 10 * S, &request); /* weights no more */
    run_until(&scene, 20 * S);
    assert_int_equal(scene.answers.count, 2);
    assert_int_equal(scene.answers.items[1].u.traffic.deployment, 10);
    assert_int_equal(scene.answers.items[1].u.traffic.permille, 1000);
    assert_int_equal(balancer_permille(scene.balancer, 3, 8, false), BALANCER_UNSHIFTED);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_becomes_healthy), cmocka_unit_test(test_failure_is_noticed),
        cmocka_unit_test(test_drains),          cmocka_unit_test(test_pool_keeps_the_others),
        cmocka_unit_test(test_traffic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
