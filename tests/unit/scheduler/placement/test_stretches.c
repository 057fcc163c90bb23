#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"
#include "scheduler/placement/stretches.h"

#define POSITIONS 1000

static struct room draw_room(struct rng *rng)
{
    return (struct room){(int32_t)rng_below(rng, 60) * 64, (int32_t)rng_below(rng, 10000)};
}

static uint32_t next_by_scan(const struct stretches *stretches, struct room wanted, uint32_t from)
{
    for (uint32_t at = from; at < stretches->rooms.count; at++)
        if (room_has(stretches->rooms.items[at], wanted))
            return at;
    return STRETCHES_NONE;
}

/* While rooms come and change, for sizes that have a level and others. */
static void it_finds_what_a_scan_finds(void **state)
{
    (void)state;
    struct rng rng = {rng_key(9, "stretches", 0), 0};
    struct skylines_levels levels = {{ROOM_NONE}, 1};
    struct stretches stretches = {.rooms = VEC_INIT};
    for (int step = 0; step < 20000; step++) {
        struct room wanted = draw_room(&rng);
        if (stretches.rooms.count < POSITIONS && rng_below(&rng, 4) == 0)
            stretches_append(&stretches, &levels, draw_room(&rng));
        if (rng_below(&rng, 100) == 0 && skylines_learn(&levels, wanted.cpu))
            stretches_split(&stretches, levels.count, skylines_level(&levels, wanted.cpu));
        if (stretches.rooms.count == 0)
            continue;
        uint32_t at = (uint32_t)rng_below(&rng, stretches.rooms.count);
        stretches_set(&stretches, &levels, at, draw_room(&rng));
        wanted.cpu = wanted.cpu == 0 ? ROOM_ANY : 3000 + wanted.cpu / 6; /* what few have */
        wanted.mem = 8000 + wanted.mem / 5;
        uint32_t from = (uint32_t)rng_below(&rng, stretches.rooms.count);
        assert_int_equal(stretches_next(&stretches, &levels, wanted, from),
                         next_by_scan(&stretches, wanted, from));
    }
    stretches_audit(&stretches, &levels);
    assert_int_equal(stretches.rooms.count, POSITIONS);
    stretches_free(&stretches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_what_a_scan_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
