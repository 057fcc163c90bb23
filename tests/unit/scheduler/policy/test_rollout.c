#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "scheduler/policy/rollout.h"

static void test_bounds_round_the_safe_way(void **state)
{
    (void)state;
    static const struct {
        uint32_t desired, minimum, maximum, lower, upper;
    } cases[] = {
        {6, 100, 200, 6, 12}, {6, 50, 200, 3, 12}, {2, 75, 100, 2, 2},  {3, 100, 125, 3, 3},
        {4, 50, 200, 2, 8},   {1, 50, 150, 1, 1},  {0, 100, 200, 0, 0}, {7, 33, 133, 3, 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rollout_bounds bounds =
            rollout_bounds(cases[i].desired, cases[i].minimum, cases[i].maximum);
        assert_int_equal(bounds.lower, cases[i].lower);
        assert_int_equal(bounds.upper, cases[i].upper);
    }
    assert_int_equal(rollout_bounds(1000000, 100, 100000000).upper,
                     1000000000000ULL > UINT32_MAX ? UINT32_MAX : 0);
}

/*
 * A rollout on a cluster with room for `room` tasks, where stopped tasks free their place and new
 * ones become healthy between the passes, told as AWS tells its examples (semantics 4.3).
 */
static void tell_rollout(uint32_t desired, uint32_t minimum, uint32_t maximum, uint32_t room,
                         char story[256])
{
    struct rollout_bounds bounds = rollout_bounds(desired, minimum, maximum);
    uint32_t old = desired, fresh = 0;
    story[0] = '\0';
    for (int pass = 0; pass < 50; pass++) {
        struct rollout_counts counts = {.desired = desired,
                                        .kept = fresh,
                                        .kept_healthy = fresh,
                                        .outgoing_healthy = old,
                                        .counted = old + fresh};
        uint32_t stop = rollout_stops(&counts, bounds).healthy;
        assert_true(old + fresh - stop >= bounds.lower);
        old -= stop;
        counts.counted -= stop;
        uint32_t start = rollout_starts(&counts, bounds);
        if (start > room - old - fresh)
            start = room - old - fresh;
        fresh += start;
        assert_true(old + fresh <= bounds.upper);
        size_t at = strlen(story);
        if (stop > 0)
            at += (size_t)snprintf(story + at, 256 - at, "stop %u ", (unsigned)stop);
        if (start > 0)
            (void)snprintf(story + at, 256 - at, "start %u ", (unsigned)start);
    }
    assert_int_equal(old, 0);
    assert_int_equal(fresh, desired);
}

static void test_worked_examples(void **state)
{
    (void)state;
    char story[256];
    tell_rollout(6, 100, 200, 8, story);
    assert_string_equal(story, "start 2 stop 2 start 2 stop 2 start 2 stop 2 ");
    tell_rollout(6, 50, 200, 8, story);
    assert_string_equal(story, "stop 3 start 5 stop 3 start 1 ");
    tell_rollout(6, 50, 200, 10, story);
    assert_string_equal(story, "stop 3 start 6 stop 3 ");
    tell_rollout(4, 50, 100, 4, story); /* two old may stop before two new start */
    assert_string_equal(story, "stop 2 start 2 stop 2 start 2 ");
    tell_rollout(4, 100, 200, 8, story); /* four new may start before four old stop */
    assert_string_equal(story, "start 4 stop 4 ");
}

static void test_deadlock(void **state)
{
    (void)state;
    static const struct {
        uint32_t desired, minimum, maximum;
        bool is_stuck;
    } cases[] = {
        {2, 75, 100, true},   {3, 100, 125, true},  {1, 100, 100, true},
        {10, 100, 100, true}, {1, 100, 199, true},  {1, 100, 200, false},
        {2, 50, 100, false},  {4, 100, 125, false}, {3, 100, 134, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rollout_bounds bounds =
            rollout_bounds(cases[i].desired, cases[i].minimum, cases[i].maximum);
        struct rollout_counts counts = {.desired = cases[i].desired,
                                        .outgoing_healthy = cases[i].desired,
                                        .counted = cases[i].desired};
        assert_int_equal(rollout_is_deadlocked(&counts, bounds), cases[i].is_stuck);
        bool moves =
            rollout_starts(&counts, bounds) > 0 || rollout_stops(&counts, bounds).healthy > 0;
        assert_int_equal(moves, !cases[i].is_stuck);
        counts.counted++; /* one on its way: wait for it */
        assert_false(rollout_is_deadlocked(&counts, bounds));
    }
}

static void test_what_is_not_healthy_costs_no_budget(void **state)
{
    (void)state;
    struct rollout_bounds bounds = rollout_bounds(4, 100, 200);
    struct rollout_counts counts = {.desired = 4,
                                    .kept = 2,
                                    .kept_healthy = 2,
                                    .outgoing_pending = 1,
                                    .outgoing_young = 2,
                                    .outgoing_healthy = 1,
                                    .counted = 6};
    struct rollout_stops stops = rollout_stops(&counts, bounds);
    assert_true(stops.pending);
    assert_false(stops.young); /* 3 healthy of 4: they may yet be needed */
    assert_int_equal(stops.healthy, 0);
    counts.kept = counts.kept_healthy = 3;
    assert_true(rollout_stops(&counts, bounds).young);
    counts.desired = 2; /* scaled in meanwhile: what is kept is too much already */
    assert_int_equal(rollout_stops(&counts, rollout_bounds(2, 100, 200)).surplus, 1);
}

/* Scaled in while an instance drains: of the two that are kept, the healthy one may be surplus. */
static void test_scale_in_and_drain_share_one_floor(void **state)
{
    (void)state;
    struct rollout_counts counts = {
        .desired = 1, .kept = 2, .kept_healthy = 1, .outgoing_healthy = 2, .counted = 4};
    struct rollout_stops stops = rollout_stops(&counts, rollout_bounds(1, 75, 100));
    assert_int_equal(stops.surplus, 1);
    assert_int_equal(stops.healthy, 1); /* not both: the floor is one */
    counts.kept = 1;
    stops = rollout_stops(&counts, rollout_bounds(1, 75, 100));
    assert_int_equal(stops.surplus, 0);
    assert_int_equal(stops.healthy, 2);
}

static void test_throttle_progression(void **state)
{
    (void)state;
    static const berth_ns seconds[] = {0, 0, 0, 10, 20, 40, 80, 160, 320, 640, 1280, 1620, 1620};
    for (uint32_t k = 0; k < sizeof seconds / sizeof seconds[0]; k++)
        assert_int_equal(throttle_delay_ns(k), seconds[k] * BERTH_NS_PER_S);
    assert_int_equal(throttle_delay_ns(UINT32_MAX), 1620 * BERTH_NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_round_the_safe_way),
        cmocka_unit_test(test_worked_examples),
        cmocka_unit_test(test_deadlock),
        cmocka_unit_test(test_what_is_not_healthy_costs_no_budget),
        cmocka_unit_test(test_scale_in_and_drain_share_one_floor),
        cmocka_unit_test(test_throttle_progression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
