/* What functions answer, when, that a repeat of a call ends likewise, and that a run has an end. */
#include "sim/world/hooks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define S BERTH_NS_PER_S
#define CALLS 400

static const char scenario_text[] =
    "{\"version\":1,\"name\":\"x\",\"fleet\":{\"g\":{\"count\":1,\"cpu\":1024,\"memory\":1024}},"
    "\"hooks\":{\"plain\":{},"
    "\"never\":{\"failureProbability\":1,\"inProgressProbability\":1,\"delay\":7},"
    "\"slow\":{\"inProgressProbability\":1,\"delay\":90},"
    "\"odd\":{\"failureProbability\":0.25,\"inProgressProbability\":0.5,"
    "\"delay\":{\"distribution\":\"uniform\",\"min\":2,\"max\":20}}},"
    "\"run\":{\"duration\":1000}}";

struct scene {
    struct scenario_set *set;
    struct sim_queue *queue;
    struct hooks *hooks;
};

static void open_scene(struct scene *scene)
{
    struct berth_error err = BERTH_ERROR_INIT;
    scene->set = NULL;
    if (scenario_load_text(scenario_text, strlen(scenario_text), ".", &scene->set, &err) !=
        BERTH_OK)
        fail_msg("%s", err.text);
    scene->queue = sim_queue_create();
    scene->hooks = hooks_create(scene->set->variants[0], 5, 1000 * S, scene->queue);
}

static void close_scene(struct scene *scene)
{
    hooks_destroy(scene->hooks);
    sim_queue_destroy(scene->queue);
    scenario_set_destroy(scene->set);
}

static void invoke(struct scene *scene, berth_ns now_ns, const char *name, uint64_t call)
{
    struct request request = {.kind = REQUEST_INVOKE_HOOK, .service = 3, .deployment = 8};
    request.u.hook.name = name;
    request.u.hook.call = call;
    hooks_invoke(scene->hooks, now_ns, &request);
}

static struct answer take(struct scene *scene, berth_ns *at_ns)
{
    struct sim_event event;
    assert_true(sim_queue_take(scene->queue, at_ns, &event));
    assert_int_equal(event.kind, WORLD_HOOK);
    struct answer answer = hooks_answer(scene->hooks, &event);
    assert_int_equal(answer.kind, ANSWER_HOOK);
    assert_true(answer.u.hook.service == 3 && answer.u.hook.deployment == 8);
    return answer;
}

static void expect(struct scene *scene, berth_ns wanted_ns, uint64_t call, enum hook_status status)
{
    berth_ns at_ns;
    struct answer answer = take(scene, &at_ns);
    assert_true(at_ns == wanted_ns);
    assert_int_equal(answer.u.hook.call, call);
    assert_int_equal(answer.u.hook.status, status);
}

static void test_each_says_what_it_is_made_to(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    invoke(&scene, 100 * S, "slow", 1);
    invoke(&scene, 100 * S, "never", 2);
    invoke(&scene, 100 * S, "plain", 3);
    expect(&scene, 101 * S, 3, HOOK_SUCCEEDED);
    expect(&scene, 107 * S, 2, HOOK_FAILED);
    expect(&scene, 190 * S, 1, HOOK_IN_PROGRESS);
    close_scene(&scene);
}

static void test_a_repeat_ends_likewise(void **state)
{
    struct scene scene;
    uint32_t seen[HOOK_STATUS_COUNT] = {0};
    (void)state;
    open_scene(&scene);
    for (uint64_t call = 1; call <= CALLS; call++) {
        berth_ns first_ns, second_ns;
        invoke(&scene, 0, "odd", call);
        struct answer first = take(&scene, &first_ns);
        invoke(&scene, 0, "odd", call);
        struct answer second = take(&scene, &second_ns);
        assert_true(first_ns == second_ns && first_ns >= 2 * S && first_ns <= 20 * S);
        assert_int_equal(first.u.hook.call, call);
        assert_int_equal(first.u.hook.status, second.u.hook.status);
        seen[first.u.hook.status]++;
    }
    /* 100, 150 and 150 are expected: six standard deviations are 52 and 58. */
    assert_in_range(seen[HOOK_FAILED], 48, 152);
    assert_in_range(seen[HOOK_IN_PROGRESS], 92, 208);
    assert_in_range(seen[HOOK_SUCCEEDED], 92, 208);
    close_scene(&scene);
}

static void test_nothing_comes_after_the_end(void **state)
{
    struct scene scene;
    berth_ns at_ns;
    (void)state;
    open_scene(&scene);
    invoke(&scene, 910 * S, "slow", 1);
    invoke(&scene, 999 * S, "plain", 2);
    assert_false(sim_queue_peek(scene.queue, &at_ns));
    invoke(&scene, 909 * S, "slow", 3);
    expect(&scene, 999 * S, 3, HOOK_IN_PROGRESS);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_says_what_it_is_made_to),
        cmocka_unit_test(test_a_repeat_ends_likewise),
        cmocka_unit_test(test_nothing_comes_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
