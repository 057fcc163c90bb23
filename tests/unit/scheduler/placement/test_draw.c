#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/placement/draw.h"

#define MEMBERS_MAX 8

struct members {
    instance_id ids[MEMBERS_MAX];
    size_t count;
    unsigned listed; /* how often counting was needed */
};

static bool contains(void *context, instance_id id)
{
    const struct members *members = context;
    for (size_t i = 0; i < members->count; i++)
        if (members->ids[i] == id)
            return true;
    return false;
}

static size_t list(void *context, const instance_id **ids)
{
    struct members *members = context;
    members->listed++;
    *ids = members->ids;
    return members->count;
}

static uint32_t hits[MEMBERS_MAX];

static void draw_many(struct members *members, uint32_t number_count, instance_id exclude,
                      int times)
{
    struct draw_set set = {members, number_count, contains, list};
    struct rng rng = {rng_key(9, "draw", number_count), 0};
    for (size_t i = 0; i < MEMBERS_MAX; i++)
        hits[i] = 0;
    for (int i = 0; i < times; i++) {
        instance_id id = draw_member(&set, exclude, &rng);
        size_t at = 0;
        while (members->ids[at] != id)
            assert_true(++at < members->count);
        hits[at]++;
    }
}

/* By rejection where members are many, by counting where they are one in a hundred thousand. */
static void every_member_is_as_likely(void **state)
{
    (void)state;
    static const uint32_t totals[] = {10, 100, 100000};
    for (size_t i = 0; i < 3; i++) {
        struct members members = {{1, 2, 5, 9}, 4, 0};
        draw_many(&members, totals[i], INSTANCE_NONE, 8000);
        for (size_t at = 0; at < 4; at++)
            assert_in_range(hits[at], 1800, 2200); /* 2000, sd 39 */
        assert_true(i == 2 ? members.listed > 7000 : i == 0 ? members.listed == 0 : true);
    }
}

static void the_excluded_is_never_drawn(void **state)
{
    (void)state;
    static const uint32_t totals[] = {10, 100000};
    for (size_t i = 0; i < 2; i++) {
        struct members members = {{1, 2, 5, 9}, 4, 0};
        draw_many(&members, totals[i], 2, 6000);
        assert_int_equal(hits[1], 0);
        for (size_t at = 0; at < 4; at++)
            assert_true(at == 1 || (hits[at] > 1800 && hits[at] < 2200));
    }
}

static void an_empty_set_gives_none(void **state)
{
    (void)state;
    struct members one = {{3}, 1, 0}, none = {{0}, 0, 0};
    struct draw_set set = {&none, 0, contains, list};
    struct rng rng = {rng_key(9, "draw", 0), 0};
    assert_int_equal(draw_member(&set, INSTANCE_NONE, &rng), INSTANCE_NONE);
    assert_int_equal(rng.counter, 0);
    set = (struct draw_set){&one, 4, contains, list};
    assert_int_equal(draw_member(&set, 3, &rng), INSTANCE_NONE);
    assert_int_equal(draw_member(&set, INSTANCE_NONE, &rng), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_as_likely),
        cmocka_unit_test(the_excluded_is_never_drawn),
        cmocka_unit_test(an_empty_set_gives_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
