#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"
#include "scheduler/placement/skyline.h"

static void levels_are_half_octaves(void **state)
{
    (void)state;
    static const struct {
        int32_t cpu;
        unsigned level;
    } cases[] = {{ROOM_NONE, 0}, {-1, 0},    {0, 0},      {15, 0},     {16, 1},        {23, 1},
                 {24, 2},        {31, 2},    {32, 3},     {48, 4},     {1024, 13},     {1535, 13},
                 {1536, 14},     {2048, 15}, {24576, 22}, {32768, 23}, {INT32_MAX, 23}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(skyline_level(cases[i].cpu), cases[i].level);
}

/* One has the CPU, the other the memory: maxima would say yes. */
static void two_halves_are_no_room(void **state)
{
    (void)state;
    static const struct room rooms[] = {{4096, 100}, {100, 4096}};
    struct skyline skyline;
    skyline_of(&skyline, rooms, 2);
    assert_true(skyline_has(&skyline, (struct room){4096, 100}));
    assert_true(skyline_has(&skyline, (struct room){64, 4096}));
    assert_false(skyline_has(&skyline, (struct room){1024, 1024}));
    assert_true(skyline_has(&skyline, (struct room){ROOM_ANY, 4096}));
    skyline_of(&skyline, rooms, 0);
    assert_false(skyline_has(&skyline, (struct room){ROOM_ANY, ROOM_ANY}));
}

static struct room any_room(struct rng *rng)
{
    int32_t scale = (int32_t)1 << rng_below(rng, 17);
    return (struct room){(int32_t)rng_below(rng, (uint64_t)scale) - 5,
                         (int32_t)rng_below(rng, 10000) - 5};
}

/* It never says no to an instance that is there; adding one by one is computing at once. */
static void it_never_refuses_what_is_there(void **state)
{
    (void)state;
    struct rng rng = {rng_key(6, "skyline", 0), 0};
    for (int round = 0; round < 2000; round++) {
        struct room rooms[20];
        struct skyline at_once, one_by_one, without_last;
        size_t count = 1 + (size_t)rng_below(&rng, 20);
        skyline_clear(&one_by_one);
        for (size_t i = 0; i < count; i++) {
            rooms[i] = any_room(&rng);
            skyline_add(&one_by_one, rooms[i]);
        }
        skyline_of(&at_once, rooms, count);
        assert_memory_equal(&at_once, &one_by_one, sizeof at_once);
        struct room wanted = any_room(&rng);
        for (size_t i = 0; i < count; i++)
            if (room_has(rooms[i], wanted))
                assert_true(skyline_has(&at_once, wanted));
        skyline_of(&without_last, rooms, count - 1);
        if (!skyline_needs(&at_once, rooms[count - 1]))
            assert_memory_equal(&at_once, &without_last, sizeof at_once);
        skyline_merge(&without_last, &at_once);
        assert_memory_equal(&at_once, &without_last, sizeof at_once);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_half_octaves),
        cmocka_unit_test(two_halves_are_no_room),
        cmocka_unit_test(it_never_refuses_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
