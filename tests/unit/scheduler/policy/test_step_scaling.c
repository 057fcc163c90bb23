#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scheduler/policy/step_scaling.h"

/* null..-20: -3 | -20..0: -1 | 0..10: +1 | 10..20: +2 | 20..null: +4 */
static const struct scaling_step steps[] = {
    {false, true, 0, -20000, -3},  {true, true, -20000, 0, -1}, {true, true, 0, 10000, 1},
    {true, true, 10000, 20000, 2}, {true, false, 20000, 0, 4},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

static int adjustment_at(int64_t distance_milli, bool is_high)
{
    const struct scaling_step *step = steps_find(steps, STEPS, distance_milli, is_high);
    return step == NULL ? 99 : step->adjustment;
}

static void test_above_holds_its_lower_bound(void **state)
{
    (void)state;
    assert_int_equal(adjustment_at(1, true), 1);
    assert_int_equal(adjustment_at(9999, true), 1);
    assert_int_equal(adjustment_at(10000, true), 2);
    assert_int_equal(adjustment_at(20000, true), 4);
    assert_int_equal(adjustment_at(INT64_MAX / 2, true), 4);
}

static void test_below_holds_its_upper_bound(void **state)
{
    (void)state;
    assert_int_equal(adjustment_at(-1, false), -1);
    assert_int_equal(adjustment_at(-19999, false), -1);
    assert_int_equal(adjustment_at(-20000, false), -3);
    assert_int_equal(adjustment_at(INT64_MIN / 2, false), -3);
}

static void test_the_threshold_itself_is_the_alarms(void **state)
{
    (void)state;
    assert_int_equal(adjustment_at(0, true), 1);
    assert_int_equal(adjustment_at(0, false), -1);
}

static void test_no_step_for_a_distance(void **state)
{
    (void)state;
    assert_null(steps_find(steps + 3, 1, 5000, true));
    assert_null(steps_find(steps + 3, 1, 20000, true));
}

static void test_no_gaps_and_no_overlaps(void **state)
{
    (void)state;
    struct scaling_step two[2] = {{true, true, 0, 10000, 1}, {true, false, 10000, 0, 2}};
    struct scaling_step many[STEPS_MAX + 1] = {{false, false, 0, 0, 1}};
    assert_null(steps_check(steps, STEPS));
    assert_null(steps_check(two, 2));
    two[1].lower_milli = 11000;
    assert_non_null(steps_check(two, 2));
    two[1].lower_milli = 9000;
    assert_non_null(steps_check(two, 2));
    two[1] = (struct scaling_step){false, true, 0, 20000, 1};
    assert_non_null(steps_check(two, 2));
    two[0].has_upper = false;
    assert_non_null(steps_check(two, 2));
    two[0] = (struct scaling_step){true, true, 5, 5, 1};
    assert_non_null(steps_check(two, 1));
    assert_null(steps_check(many, 1));
    assert_non_null(steps_check(many, 0));
    assert_non_null(steps_check(many, STEPS_MAX + 1));
}

static uint32_t capacity(enum adjustment_type type, int32_t adjustment, uint32_t least,
                         uint32_t running)
{
    struct scaling_step step = {.adjustment = adjustment};
    return step_capacity(&step, type, least, running);
}

static void test_changes_and_exact_sizes(void **state)
{
    (void)state;
    assert_int_equal(capacity(ADJUST_CHANGE, 3, 0, 10), 13);
    assert_int_equal(capacity(ADJUST_CHANGE, -3, 0, 10), 7);
    assert_int_equal(capacity(ADJUST_CHANGE, -30, 0, 10), 0);
    assert_int_equal(capacity(ADJUST_EXACT, 4, 0, 10), 4);
}

/* 12.7 becomes 12; 0.67 becomes 1; -0.58 becomes -1; -6.67 becomes -6. */
static void test_percents_are_rounded_as_documented(void **state)
{
    (void)state;
    assert_int_equal(capacity(ADJUST_PERCENT, 127, 0, 10), 22);
    assert_int_equal(capacity(ADJUST_PERCENT, 67, 0, 1), 2);
    assert_int_equal(capacity(ADJUST_PERCENT, -58, 0, 1), 0);
    assert_int_equal(capacity(ADJUST_PERCENT, -29, 0, 23), 17);
    assert_int_equal(capacity(ADJUST_PERCENT, -100, 0, 7), 0);
    assert_int_equal(capacity(ADJUST_PERCENT, 0, 0, 7), 7);
}

static void test_percents_have_a_least_magnitude(void **state)
{
    (void)state;
    assert_int_equal(capacity(ADJUST_PERCENT, 25, 2, 4), 6);
    assert_int_equal(capacity(ADJUST_PERCENT, -25, 2, 4), 2);
    assert_int_equal(capacity(ADJUST_PERCENT, 100, 2, 4), 8);
    assert_int_equal(capacity(ADJUST_PERCENT, 25, 2, 0), 2);
}

static void test_steps_are_texts_both_ways(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "1",
                                        "1:2",
                                        "1:2:",
                                        "1:2:x",
                                        ":::1",
                                        "x:2:1",
                                        "1:2:3:4",
                                        "1 :2:1",
                                        "+1:2:1",
                                        "1:2:1 ",
                                        "1:2:9999999",
                                        "9999999999999999999::1"};
    for (uint32_t i = 0; i < STEPS; i++) {
        char text[STEP_TEXT_MAX], again[STEP_TEXT_MAX];
        struct scaling_step step;
        step_format(&steps[i], text);
        assert_true(step_parse(text, &step));
        step_format(&step, again);
        assert_string_equal(text, again);
        assert_int_equal(step.adjustment, steps[i].adjustment);
        assert_int_equal(step.lower_milli, steps[i].lower_milli);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct scaling_step step;
        if (step_parse(wrong[i], &step))
            fail_msg("%s is taken", wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_above_holds_its_lower_bound),
        cmocka_unit_test(test_below_holds_its_upper_bound),
        cmocka_unit_test(test_the_threshold_itself_is_the_alarms),
        cmocka_unit_test(test_no_step_for_a_distance),
        cmocka_unit_test(test_no_gaps_and_no_overlaps),
        cmocka_unit_test(test_changes_and_exact_sizes),
        cmocka_unit_test(test_percents_are_rounded_as_documented),
        cmocka_unit_test(test_percents_have_a_least_magnitude),
        cmocka_unit_test(test_steps_are_texts_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
