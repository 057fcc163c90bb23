#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scheduler/base/map.h"
#include "scheduler/base/rng.h"

static void test_empty(void **state)
{
    (void)state;
    struct map map = MAP_INIT;
    assert_true(map_get(&map, 0) == MAP_ABSENT);
    assert_false(map_remove(&map, 0));
    map_free(&map);
    map_free(&map);
}

/* Key 0 and the largest key are keys like others; a second put replaces. */
static void test_edge_keys_and_replacing(void **state)
{
    (void)state;
    struct map map = MAP_INIT;
    map_put(&map, 0, 7);
    map_put(&map, UINT64_MAX, 0);
    assert_int_equal(map_get(&map, 0), 7);
    assert_int_equal(map_get(&map, UINT64_MAX), 0);
    map_put(&map, 0, 8);
    assert_int_equal(map_get(&map, 0), 8);
    assert_int_equal(map.count, 2);
    assert_true(map_remove(&map, 0));
    assert_false(map_remove(&map, 0));
    assert_true(map_get(&map, 0) == MAP_ABSENT);
    assert_int_equal(map_get(&map, UINT64_MAX), 0);
    map_free(&map);
    assert_int_equal(map.count, 0);
}

/*
 * Random puts and removals against a plain array. Few keys make removals hit the middle of probe
 * chains often; `stride` spreads or crowds them.
 */
static void test_against_array(void **state)
{
    (void)state;
    enum { KEYS = 300, STEPS = 20000 };
    static const uint64_t strides[] = {1, 16, UINT64_C(1) << 32, UINT64_C(0x9e3779b97f4a7c15)};
    for (uint64_t seed = 0; seed < 12; seed++) {
        uint32_t model[KEYS];
        size_t count = 0;
        struct rng rng = {.key = seed};
        struct map map = MAP_INIT;
        uint64_t stride = strides[seed % 4];
        for (int i = 0; i < KEYS; i++)
            model[i] = MAP_ABSENT;
        for (int step = 0; step < STEPS; step++) {
            uint64_t k = rng_below(&rng, KEYS);
            uint64_t wave = step / 2500 % 2 == 0 ? 65 : 35;
            if (rng_below(&rng, 100) < wave) {
                uint32_t value = (uint32_t)rng_below(&rng, MAP_ABSENT);
                count += model[k] == MAP_ABSENT;
                map_put(&map, k * stride, model[k] = value);
            } else {
                count -= model[k] != MAP_ABSENT;
                assert_int_equal(map_remove(&map, k * stride), model[k] != MAP_ABSENT);
                model[k] = MAP_ABSENT;
            }
            assert_int_equal(map.count, count);
            if (step % 97 == 0)
                for (uint64_t i = 0; i < KEYS; i++)
                    if (map_get(&map, i * stride) != model[i])
                        fail_msg("seed %llu, step %d", (unsigned long long)seed, step);
        }
        map_free(&map);
    }
}

/* At most two thirds full, a power of two in size, and still right after many doublings. */
static void test_growth(void **state)
{
    (void)state;
    struct map map = MAP_INIT;
    for (uint32_t i = 0; i < 100000; i++) {
        map_put(&map, (uint64_t)i << 20, i);
        assert_true(map.count * 3 <= map.capacity * 2);
    }
    assert_int_equal(map.capacity & (map.capacity - 1), 0);
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(map_get(&map, (uint64_t)i << 20), i);
    assert_true(map_get(&map, 1) == MAP_ABSENT);
    map_free(&map);
}

/* The mix is a bijection's worth of mixing: one flipped bit flips half of all bits on average. */
static void test_mix_avalanche(void **state)
{
    (void)state;
    struct rng rng = {.key = 2};
    double flipped = 0;
    assert_true(map_mix(0) == 0);
    assert_true(map_mix(1) == UINT64_C(0x5692161d100b05e5));
    for (int n = 0; n < 1000; n++) {
        uint64_t key = rng_next(&rng);
        for (int bit = 0; bit < 64; bit++) {
            uint64_t difference = map_mix(key) ^ map_mix(key ^ UINT64_C(1) << bit);
            flipped += __builtin_popcountll(difference);
        }
    }
    assert_true(flipped / 64000 > 31.5 && flipped / 64000 < 32.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),         cmocka_unit_test(test_edge_keys_and_replacing),
        cmocka_unit_test(test_against_array), cmocka_unit_test(test_growth),
        cmocka_unit_test(test_mix_avalanche),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
