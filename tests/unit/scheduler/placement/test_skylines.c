#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"
#include "scheduler/placement/skylines.h"

#define STRETCHES 40

static void levels_are_learnt_in_order(void **state)
{
    (void)state;
    struct skylines_levels levels = {{ROOM_NONE}, 1};
    assert_true(skylines_learn(&levels, 512));
    assert_true(skylines_learn(&levels, 128));
    assert_true(skylines_learn(&levels, 2048));
    assert_false(skylines_learn(&levels, 512));
    assert_false(skylines_learn(&levels, ROOM_ANY));
    assert_int_equal(levels.count, 4);
    assert_int_equal(skylines_level(&levels, ROOM_ANY), 0);
    assert_int_equal(skylines_level(&levels, 127), 0);
    assert_int_equal(skylines_level(&levels, 128), 1);
    assert_int_equal(skylines_level(&levels, 2047), 2);
    assert_int_equal(skylines_level(&levels, INT32_MAX), 3);
    for (int32_t cpu = 1; levels.count < SKYLINES_LEVELS_MAX; cpu++)
        assert_true(skylines_learn(&levels, cpu));
    assert_false(skylines_learn(&levels, 4096));
}

/* The most memory among the rooms that reach a level is never above what is noted. */
static void it_never_refuses_what_is_there(void **state)
{
    (void)state;
    struct rng rng = {rng_key(6, "skylines", 0), 0};
    struct skylines_levels levels = {{ROOM_NONE}, 1};
    struct skylines skylines = {NULL, 0, 0};
    int32_t truth[STRETCHES][SKYLINES_LEVELS_MAX];
    struct room rooms[STRETCHES][20];
    unsigned counts[STRETCHES] = {0};
    for (int step = 0; step < 4000; step++) {
        uint32_t at = (uint32_t)rng_below(&rng, STRETCHES);
        int32_t cpu = (int32_t)rng_below(&rng, 60) * 64;
        if (skylines.count < STRETCHES && rng_below(&rng, 20) == 0)
            skylines_push(&skylines, levels.count);
        if (rng_below(&rng, 10) == 0 && skylines_learn(&levels, cpu))
            skylines_split(&skylines, levels.count, skylines_level(&levels, cpu));
        if (at >= skylines.count)
            continue;
        if (counts[at] < 20) {
            struct room room = {cpu, (int32_t)rng_below(&rng, 10000)};
            rooms[at][counts[at]++] = room;
            skylines_raise(&skylines, at, skylines_level(&levels, cpu), room.mem);
        }
        for (unsigned level = 0; level < levels.count; level++) {
            truth[at][level] = ROOM_NONE;
            for (unsigned i = 0; i < counts[at]; i++)
                if (rooms[at][i].cpu >= levels.cpu[level] && rooms[at][i].mem > truth[at][level])
                    truth[at][level] = rooms[at][i].mem;
            assert_true(*skylines_at(&skylines, level, at) >= truth[at][level]);
            assert_true(level == 0 || *skylines_at(&skylines, level, at) <=
                                          *skylines_at(&skylines, level - 1, at));
        }
    }
    assert_int_equal(skylines.count, STRETCHES);
    skylines_free(&skylines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_learnt_in_order),
        cmocka_unit_test(it_never_refuses_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
