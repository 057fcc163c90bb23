/*
 * test_naive_scan.c -- the plain scan that placement is measured against gives placement's answers,
 * on fleets of odd sizes, full and empty.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/bench/crowd.h"

static const struct placement_strategy_spec binpack[] = {{"binpack", "memory"}};
static const struct placement_strategy_spec spread[] = {
    {"spread", "attribute:ecs.availability-zone"}, {"spread", "instanceId"}};

static struct crowd_plan plan_of(uint32_t instances, bool is_spread)
{
    return (struct crowd_plan){.instances = instances,
                               .groups = 7,
                               .cpu_steps = 32,
                               .mem_steps = 80,
                               .strategies = is_spread ? spread : binpack,
                               .strategy_count = is_spread ? 2 : 1,
                               .is_spread = is_spread};
}

/* Turn by turn: the index, the naive scan and the plain reading of the rules. */
static void hold_together(uint32_t instances, uint32_t percent, bool is_spread)
{
    enum { TURNS = 400 };
    struct crowd_plan plan = plan_of(instances, is_spread);
    struct crowd crowd;
    struct naive_crowd naive;
    instance_id chosen[TURNS], expected[TURNS];
    crowd_open(&crowd, &plan, instances);
    crowd_fill(&crowd, percent);
    naive_crowd_open(&naive, &crowd);
    for (uint32_t group = 0; group < plan.groups; group++) {
        for (uint32_t shape = 0; shape < CROWD_SHAPES; shape++) {
            struct placement_request request = crowd_request(&crowd, group, shape);
            assert_int_equal(naive_crowd_choose(&naive, group, shape),
                             placement_choose_by_scan(crowd.cluster, &request));
        }
    }
    (void)crowd_turns(&crowd, TURNS, chosen);
    (void)naive_crowd_turns(&naive, TURNS, expected);
    assert_memory_equal(chosen, expected, sizeof chosen);
    naive_crowd_close(&naive);
    crowd_close(&crowd);
}

static void test_binpack(void **state)
{
    static const uint32_t sizes[] = {1, 2, 3, 63, 64, 65, 200, 1000};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        hold_together(sizes[i], 50, false);
        hold_together(sizes[i], 85, false);
        hold_together(sizes[i], 100, false);
    }
}

static void test_spread(void **state)
{
    static const uint32_t sizes[] = {1, 2, 3, 63, 64, 65, 200, 1000};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        hold_together(sizes[i], 50, true);
        hold_together(sizes[i], 85, true);
        hold_together(sizes[i], 100, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binpack),
        cmocka_unit_test(test_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
