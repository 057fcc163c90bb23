#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scheduler/policy/managed_scaling.h"

static const struct scaling_bounds full = {.target_percent = 100, .step_min = 1, .step_max = 10000};
static const struct scaling_bounds half = {.target_percent = 50, .step_min = 1, .step_max = 10000};

/* The worked examples of the deep-dive: M = 2, N = 3. */
static void test_two_needed_of_three(void **state)
{
    (void)state;
    struct scaling_counts counts = {.in_service = 3, .busy = 2};
    assert_int_equal(scaling_reservation_milli(&counts, &full), 66666);
    assert_int_equal(scaling_desired(&counts, &full), 2);
    assert_int_equal(scaling_desired(&counts, &half), 4);
}

static void test_an_empty_group(void **state)
{
    (void)state;
    struct scaling_counts idle = {.in_service = 0}, waiting = {.waits = true, .need = 7};
    assert_int_equal(scaling_reservation_milli(&idle, &full), 100000);
    assert_int_equal(scaling_desired(&idle, &full), 0);
    assert_int_equal(scaling_reservation_milli(&waiting, &full), 200000);
    assert_int_equal(scaling_desired(&waiting, &full), 2);
}

static void test_waiting_tasks_ask_for_a_step(void **state)
{
    (void)state;
    struct scaling_counts counts = {.in_service = 4, .busy = 4, .waits = true, .need = 6};
    struct scaling_bounds narrow = {.target_percent = 100, .step_min = 2, .step_max = 3};
    assert_int_equal(scaling_reservation_milli(&counts, &full), 250000);
    assert_int_equal(scaling_desired(&counts, &full), 10);
    assert_int_equal(scaling_desired(&counts, &narrow), 7);
    counts.need = 1;
    assert_int_equal(scaling_desired(&counts, &narrow), 6);
    assert_int_equal(scaling_desired(&counts, &half), 10);
}

static void test_spare_capacity_is_kept(void **state)
{
    (void)state;
    struct scaling_bounds spare = {.target_percent = 90, .step_min = 1, .step_max = 10000};
    struct scaling_counts counts = {.in_service = 10, .busy = 9};
    assert_int_equal(scaling_desired(&counts, &spare), 10);
    counts.busy = 10;
    assert_int_equal(scaling_desired(&counts, &spare), 12);
}

static void test_removals_are_at_most_half(void **state)
{
    (void)state;
    assert_int_equal(scaling_removals(10, 9), 1);
    assert_int_equal(scaling_removals(10, 2), 5);
    assert_int_equal(scaling_removals(3, 0), 1);
    assert_int_equal(scaling_removals(1, 0), 1);
    assert_int_equal(scaling_removals(5, 5), 0);
    assert_int_equal(scaling_removals(5, 6), 0);
}

static void test_need_by_the_tightest_resource(void **state)
{
    (void)state;
    struct scaling_size machine = {
        .cpu_units = 4096, .mem_mib = 8192, .gpu_milli = 2000, .interfaces = 3};
    struct scaling_group group = {.each = {.cpu_units = 1024, .mem_mib = 1024}, .count = 10};
    assert_int_equal(scaling_need(&group, &machine, &machine), 3);
    group.each.mem_mib = 4096;
    assert_int_equal(scaling_need(&group, &machine, &machine), 5);
    group.each.gpu_milli = 2000;
    assert_int_equal(scaling_need(&group, &machine, &machine), 10);
    group.each = (struct scaling_size){.cpu_units = 10, .interfaces = 1};
    assert_int_equal(scaling_need(&group, &machine, &machine), 4);
    group.one_each = true;
    assert_int_equal(scaling_need(&group, &machine, &machine), 10);
}

/* The count is by the largest type; what does not fit on the smallest is left out. */
static void test_need_with_several_types(void **state)
{
    (void)state;
    struct scaling_size small = {.cpu_units = 1024, .mem_mib = 2048};
    struct scaling_size large = {.cpu_units = 4096, .mem_mib = 8192};
    struct scaling_group group = {.each = {.cpu_units = 1024, .mem_mib = 1024}, .count = 9};
    assert_int_equal(scaling_need(&group, &small, &large), 3);
    group.each.cpu_units = 2048;
    assert_int_equal(scaling_need(&group, &small, &large), 0);
    group.count = 0;
    assert_int_equal(scaling_need(&group, &large, &large), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_needed_of_three),
        cmocka_unit_test(test_an_empty_group),
        cmocka_unit_test(test_waiting_tasks_ask_for_a_step),
        cmocka_unit_test(test_spare_capacity_is_kept),
        cmocka_unit_test(test_removals_are_at_most_half),
        cmocka_unit_test(test_need_by_the_tightest_resource),
        cmocka_unit_test(test_need_with_several_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
