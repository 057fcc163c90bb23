#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"
#include "scheduler/placement/sizes.h"

static struct room draw_room(struct rng *rng)
{
    return (struct room){(int32_t)rng_below(rng, 12) * 64, (int32_t)rng_below(rng, 12) * 128};
}

static void each_is_numbered_once(void **state)
{
    (void)state;
    struct sizes sizes = {.count = 0};
    assert_int_equal(sizes_find(&sizes, (struct room){64, 128}), SIZE_NONE);
    assert_int_equal(sizes_learn(&sizes, (struct room){64, 128}), 0);
    assert_int_equal(sizes_learn(&sizes, (struct room){ROOM_ANY, 128}), 1);
    assert_int_equal(sizes_find(&sizes, (struct room){64, 128}), 0);
    assert_int_equal(sizes_find(&sizes, (struct room){ROOM_ANY, 128}), 1);
    assert_int_equal(sizes_find(&sizes, (struct room){128, 64}), SIZE_NONE);
    for (int32_t i = 2; i < SIZES_MAX; i++)
        assert_int_equal(sizes_learn(&sizes, (struct room){i, -i}), i);
    assert_int_equal(sizes_learn(&sizes, (struct room){1000, 1000}), SIZE_NONE);
    assert_int_equal(sizes_find(&sizes, (struct room){1000, 1000}), SIZE_NONE);
    assert_int_equal(sizes_find(&sizes, (struct room){63, -63}), 63);
}

/* The word says of every size what a comparison with it says. */
static void a_room_takes_what_fits(void **state)
{
    (void)state;
    struct rng rng = {rng_key(7, "sizes", 0), 0};
    struct sizes sizes = {.count = 0};
    for (int step = 0; step < 5000; step++) {
        struct room wanted = draw_room(&rng), room = draw_room(&rng);
        if (rng_below(&rng, 40) == 0 && sizes_find(&sizes, wanted) == SIZE_NONE)
            (void)sizes_learn(&sizes, wanted);
        if (rng_below(&rng, 20) == 0)
            room = (struct room){ROOM_NONE, ROOM_NONE};
        uint64_t within = sizes_within(&sizes, room);
        for (uint32_t i = 0; i < sizes.count; i++)
            assert_int_equal(within >> i & 1, room_has(room, sizes.items[i]));
        assert_int_equal(sizes.count < 64 ? within >> sizes.count : 0, 0);
    }
    assert_int_equal(sizes.count, SIZES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_numbered_once),
        cmocka_unit_test(a_room_takes_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
