#include "sim/fleet/behaviour.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct distribution exponential = {
    .kind = DISTRIBUTION_EXPONENTIAL, .p = {10}, .max = DBL_MAX};

static struct distribution constant(double seconds)
{
    return (struct distribution){.p = {seconds}, .max = DBL_MAX};
}

static void test_draws_follow_the_copy_and_the_purpose(void **state)
{
    (void)state;
    uint64_t key = behaviour_key(1, "service:web", 7);
    berth_ns one = behaviour_draw_ns(&exponential, key, "lifetime", 0);
    assert_int_equal(one, behaviour_draw_ns(&exponential, key, "lifetime", 0));
    assert_int_not_equal(one, behaviour_draw_ns(&exponential, key, "stop", 0));
    assert_int_not_equal(one, behaviour_draw_ns(&exponential, key, "lifetime", 1));
    assert_int_not_equal(
        one, behaviour_draw_ns(&exponential, behaviour_key(1, "service:web", 8), "lifetime", 0));
    assert_int_not_equal(
        one, behaviour_draw_ns(&exponential, behaviour_key(1, "service:api", 7), "lifetime", 0));
    assert_int_not_equal(
        one, behaviour_draw_ns(&exponential, behaviour_key(2, "service:web", 7), "lifetime", 0));
}

static void test_chance_is_the_probability(void **state)
{
    (void)state;
    uint32_t hits = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        hits += behaviour_chance(0.3, behaviour_key(5, "family:job", i), "crash", 0);
        assert_false(behaviour_chance(0, behaviour_key(5, "family:job", i), "crash", 0));
        assert_true(behaviour_chance(1, behaviour_key(5, "family:job", i), "crash", 0));
    }
    assert_in_range(hits, 5800, 6200); /* 6000, three standard deviations are 194 */
}

static void test_how_a_container_ends(void **state)
{
    (void)state;
    const berth_ns s = BERTH_NS_PER_S;
    struct scenario_task_def endless = {.is_endless = true};
    struct scenario_task_def mortal = {.lifetime = constant(20)};
    struct scenario_task_def bad = {
        .is_endless = true, .crash_probability = 1, .crash_after = constant(5)};
    struct scenario_task_def greedy = bad;
    greedy.oom_probability = 1;
    greedy.oom_after = constant(4);
    const struct {
        const struct scenario_task_def *def;
        berth_ns lifetime_ns;
        bool is_main;
        berth_ns after_ns;
        int32_t exit_code;
    } cases[] = {
        {&endless, BERTH_NS_NEVER, true, BERTH_NS_NEVER, 0},
        {&endless, 3 * s, true, 3 * s, 0}, /* the source's word counts */
        {&mortal, BERTH_NS_NEVER, true, 20 * s, 0},
        {&mortal, 3 * s, true, 3 * s, 0},
        {&mortal, BERTH_NS_NEVER, false, BERTH_NS_NEVER, 0}, /* a sidecar runs until stopped */
        {&bad, BERTH_NS_NEVER, true, 5 * s, 1},
        {&bad, 3 * s, true, 3 * s, 0}, /* over before it could crash */
        {&greedy, BERTH_NS_NEVER, true, 4 * s, 137},
        {&greedy, BERTH_NS_NEVER, false, BERTH_NS_NEVER, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct container_end end =
            behaviour_end(cases[i].def, 1, cases[i].lifetime_ns, cases[i].is_main, 0);
        assert_int_equal(end.after_ns, cases[i].after_ns);
        assert_int_equal(end.exit_code, cases[i].exit_code);
        assert_int_equal(end.is_out_of_memory, end.exit_code == 137);
    }
}

static void test_time_does_not_overflow(void **state)
{
    (void)state;
    assert_int_equal(behaviour_later(5, 6), 11);
    assert_int_equal(behaviour_later(5, BERTH_NS_NEVER), BERTH_NS_NEVER);
    assert_int_equal(behaviour_later(BERTH_NS_NEVER, 0), BERTH_NS_NEVER);
    assert_int_equal(behaviour_later(BERTH_NS_NEVER - 1, 0), BERTH_NS_NEVER - 1);
}

static void test_the_main_container_is_the_first_essential_one(void **state)
{
    (void)state;
    struct container_def containers[3] = {
        {.is_essential = false}, {.is_essential = true}, {.is_essential = true}};
    struct task_def def = {.containers = containers, .container_count = 3};
    assert_int_equal(behaviour_main_container(&def), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws_follow_the_copy_and_the_purpose),
        cmocka_unit_test(test_chance_is_the_probability),
        cmocka_unit_test(test_how_a_container_ends),
        cmocka_unit_test(test_time_does_not_overflow),
        cmocka_unit_test(test_the_main_container_is_the_first_essential_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
