#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scheduler/policy/replace.h"

/* A PRIMARY deployment by itself, of which nothing is stopping. */
static struct rollout_counts alone(uint32_t desired, uint32_t healthy, uint32_t young,
                                   uint32_t pending, uint32_t unhealthy)
{
    uint32_t kept = healthy + young + pending + unhealthy;
    return (struct rollout_counts){.desired = desired,
                                   .kept = kept,
                                   .kept_healthy = healthy,
                                   .kept_pending = pending,
                                   .kept_unhealthy = unhealthy,
                                   .counted = kept};
}

static void test_a_replacement_is_started_first(void **state)
{
    (void)state;
    struct rollout_bounds bounds = rollout_bounds(4, 100, 150);
    struct rollout_counts counts = alone(4, 3, 0, 0, 1);
    assert_int_equal(replace_starts(&counts, bounds), 1);
    assert_int_equal(replace_over(&counts), 0);
    counts = alone(4, 3, 0, 1, 1); /* it stands in, and is no surplus, until it is healthy */
    assert_int_equal(replace_starts(&counts, bounds), 0);
    assert_int_equal(replace_standing(&counts), 1);
    assert_int_equal(replace_over(&counts), 0);
    assert_int_equal(rollout_stops(&counts, bounds).surplus, 0);
    counts = alone(4, 4, 0, 0, 1);
    assert_int_equal(replace_standing(&counts), 0);
    assert_int_equal(replace_over(&counts), 1);
    counts = alone(4, 3, 0, 0, 2); /* or is unhealthy as well: back to four */
    assert_int_equal(replace_over(&counts), 1);
    counts = alone(4, 4, 0, 1, 0); /* the unhealthy one has recovered */
    assert_int_equal(replace_standing(&counts), 0);
    assert_int_equal(rollout_stops(&counts, bounds).surplus, 1);
}

static void test_replacements_share_the_room_under_the_ceiling(void **state)
{
    (void)state;
    struct rollout_bounds bounds = rollout_bounds(4, 50, 150); /* 2 to 6 */
    struct rollout_counts counts = alone(4, 0, 0, 0, 4);
    assert_int_equal(replace_starts(&counts, bounds), 2);
    assert_false(replace_stops_first(&counts, bounds).kept);
    counts = alone(4, 0, 0, 0, 3); /* what the desired count lacks comes first */
    assert_int_equal(rollout_starts(&counts, bounds), 1);
    assert_int_equal(replace_starts(&counts, bounds), 2);
    counts.counted = 5; /* two are stopping */
    assert_int_equal(replace_starts(&counts, bounds), 0);
    counts = alone(4, 0, 0, 2, 4);
    assert_false(replace_stops_first(&counts, bounds).kept); /* two are on their way */
    counts = alone(4, 0, 2, 0, 4);
    assert_true(replace_stops_first(&counts, bounds).kept); /* two have no replacement */
    counts = alone(4, 2, 2, 0, 2);
    assert_false(replace_stops_first(&counts, bounds).kept); /* both have */
}

static void test_without_room_one_goes_first(void **state)
{
    (void)state;
    struct rollout_bounds bounds = rollout_bounds(4, 50, 100);
    struct rollout_counts counts = alone(4, 2, 0, 0, 2);
    assert_int_equal(replace_starts(&counts, bounds), 0);
    assert_true(replace_stops_first(&counts, bounds).kept);
    counts = alone(4, 2, 0, 0, 1);
    counts.counted = 4; /* it is stopping: one at a time */
    assert_false(replace_stops_first(&counts, bounds).kept);
    counts = alone(4, 2, 0, 1, 1); /* and the replacement is starting */
    assert_false(replace_stops_first(&counts, bounds).kept);
    counts = alone(4, 2, 1, 0, 1);
    assert_true(replace_stops_first(&counts, bounds).kept);
    counts = alone(4, 0, 0, 0, 4); /* two must go on running */
    assert_true(replace_stops_first(&counts, bounds).kept);
}

static void test_the_floor_can_forbid_it(void **state)
{
    (void)state;
    static const struct {
        uint32_t desired, minimum, maximum;
        bool is_stuck;
    } cases[] = {
        {2, 100, 100, true}, {1, 50, 100, true},   {1, 0, 100, false},
        {4, 75, 100, false}, {3, 100, 134, false}, {3, 100, 132, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rollout_bounds bounds =
            rollout_bounds(cases[i].desired, cases[i].minimum, cases[i].maximum);
        struct rollout_counts counts = alone(cases[i].desired, cases[i].desired - 1, 0, 0, 1);
        bool moves =
            replace_stops_first(&counts, bounds).kept || replace_starts(&counts, bounds) > 0;
        assert_int_equal(replace_is_stuck(&counts, bounds), cases[i].is_stuck);
        assert_int_equal(moves, !cases[i].is_stuck);
        counts.counted++; /* something is on its way */
        assert_false(replace_is_stuck(&counts, bounds));
    }
}

static void test_old_tasks_are_replaced_in_their_own_revision(void **state)
{
    (void)state;
    struct rollout_bounds bounds = rollout_bounds(4, 75, 150); /* 3 to 6 */
    struct rollout_counts counts = {.desired = 4,
                                    .outgoing_young = 2,
                                    .outgoing_unhealthy = 2,
                                    .old_unhealthy = 2,
                                    .outgoing_healthy = 2,
                                    .counted = 4};
    assert_int_equal(replace_own_starts(&counts, bounds), 1); /* what the floor lacks */
    counts.outgoing_pending = 1;
    counts.counted = 5;
    assert_int_equal(replace_own_starts(&counts, bounds), 0);
    assert_int_equal(replace_own_standing(&counts, bounds), 1);
    counts.kept = counts.kept_healthy = 1; /* PRIMARY holds the floor: they may go */
    counts.counted = 6;
    assert_int_equal(replace_own_standing(&counts, bounds), 0);
    assert_true(rollout_stops(&counts, bounds).young);
    counts.kept = counts.kept_healthy = 0; /* no room: one of the two goes first */
    counts.outgoing_pending = 0;
    counts.counted = 4;
    bounds.upper = 4;
    assert_int_equal(replace_own_starts(&counts, bounds), 0);
    assert_true(replace_stops_first(&counts, bounds).outgoing);
}

/*
 * From any settled counts with room above the floor, replacing ends with the desired count of
 * healthy tasks: whatever starts becomes healthy.
 */
static void test_it_ends(void **state)
{
    (void)state;
    static const uint32_t bounds_of[][2] = {{100, 200}, {50, 100}, {100, 125}, {0, 100}, {75, 150}};
    for (size_t i = 0; i < sizeof bounds_of / sizeof bounds_of[0]; i++)
        for (uint32_t sick = 0; sick <= 8; sick++) {
            struct rollout_bounds bounds = rollout_bounds(8, bounds_of[i][0], bounds_of[i][1]);
            uint32_t healthy = 8 - sick, unhealthy = sick;
            for (int pass = 0; pass < 20; pass++) {
                struct rollout_counts counts = alone(8, healthy, 0, 0, unhealthy);
                unhealthy -= replace_over(&counts);
                counts = alone(8, healthy, 0, 0, unhealthy);
                healthy -= rollout_stops(&counts, bounds).surplus;
                counts = alone(8, healthy, 0, 0, unhealthy);
                unhealthy -= replace_stops_first(&counts, bounds).kept;
                assert_true(healthy + unhealthy >= bounds.lower);
                counts = alone(8, healthy, 0, 0, unhealthy);
                healthy += rollout_starts(&counts, bounds) + replace_starts(&counts, bounds);
                assert_true(healthy + unhealthy <= bounds.upper);
            }
            assert_int_equal(healthy, 8);
            assert_int_equal(unhealthy, 0);
        }
}

/* A pass asks nothing more of a service that is complete: each answer would be none. */
static void test_of_a_complete_service_nobody_stops_or_starts(void **state)
{
    (void)state;
    uint32_t complete = 0;
    for (uint32_t mix = 0; mix < 5 * 5 * 3 * 3 * 3 * 3; mix++) {
        uint32_t desired = mix % 5, healthy = mix / 5 % 5, rest = mix / 25;
        struct rollout_counts counts = alone(desired, healthy, rest % 3, rest / 3 % 3, rest / 27);
        uint32_t stopping = rest / 9 % 3;
        counts.counted += stopping;
        if (!rollout_is_complete(&counts))
            continue;
        complete++;
        for (uint32_t minimum = 0; minimum <= 100; minimum += 50) {
            struct rollout_bounds bounds = rollout_bounds(desired, minimum, 100 + minimum);
            struct rollout_stops stops = rollout_stops(&counts, bounds);
            struct rollout_stops stalled = rollout_stops_stalled(&counts, bounds);
            struct replace_first first = replace_stops_first(&counts, bounds);
            assert_int_equal(stops.surplus + stops.healthy + stops.pending + stops.young, 0);
            assert_int_equal(stalled.surplus + stalled.healthy + stalled.pending + stalled.young,
                             0);
            assert_true(!first.kept && !first.outgoing);
            assert_int_equal(replace_over(&counts), 0);
            assert_int_equal(rollout_starts(&counts, bounds), 0);
            assert_int_equal(replace_starts(&counts, bounds), 0);
            assert_int_equal(replace_own_starts(&counts, bounds), 0);
        }
    }
    assert_true(complete > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_replacement_is_started_first),
        cmocka_unit_test(test_replacements_share_the_room_under_the_ceiling),
        cmocka_unit_test(test_without_room_one_goes_first),
        cmocka_unit_test(test_the_floor_can_forbid_it),
        cmocka_unit_test(test_old_tasks_are_replaced_in_their_own_revision),
        cmocka_unit_test(test_it_ends),
        cmocka_unit_test(test_of_a_complete_service_nobody_stops_or_starts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
