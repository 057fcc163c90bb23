#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"
#include "scheduler/placement/shares.h"

static void shares_are_exact_on_easy_numbers(void **state)
{
    (void)state;
    static const struct {
        int64_t amount;
        int32_t registered;
        int64_t share;
    } cases[] = {
        {0, 1000, 0},
        {1000, 1000, SHARES_ONE},
        {500, 1000, SHARES_ONE / 2},
        {-500, 1000, -SHARES_ONE / 2},
        {7, 0, 7 * SHARES_ONE}, /* registered nothing: as if one unit */
        {INT32_MAX, 1, SHARES_ONE << 10},
        {INT32_MIN, 1, -(SHARES_ONE << 10)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(shares_of(cases[i].amount, cases[i].registered), cases[i].share);
    assert_int_equal(shares_sum(500, 1000, 250, 1000), SHARES_ONE * 3 / 4);
    assert_int_equal(shares_sum(4096, 4096, 0, 16384), SHARES_ONE);
}

/* The index sorts by the key and stops at the first higher score: no key may come down again. */
static void the_sum_never_falls_while_the_key_rises(void **state)
{
    (void)state;
    static const int32_t sizes[] = {0, 1, 2, 3, 1000, 65536, 196608, 1 << 24, INT32_MAX};
    struct rng rng = {rng_key(3, "shares", 0), 0};
    for (int i = 0; i < 200000; i++) {
        int32_t cpu = sizes[rng_below(&rng, 9)], mem = sizes[rng_below(&rng, 9)];
        int64_t a = (int64_t)rng_below(&rng, UINT64_C(1) << 32) - (INT64_C(1) << 31);
        int64_t b = (int64_t)rng_below(&rng, UINT64_C(1) << 32) - (INT64_C(1) << 31);
        int64_t c = rng_below(&rng, 2) == 0 ? a + 1 : (int64_t)rng_below(&rng, 1 << 20);
        int64_t d = rng_below(&rng, 2) == 0 ? b : (int64_t)rng_below(&rng, 1 << 20);
        int64_t key_1 = shares_key(a, cpu, b, mem), key_2 = shares_key(c, cpu, d, mem);
        int64_t sum_1 = shares_sum(a, cpu, b, mem), sum_2 = shares_sum(c, cpu, d, mem);
        if (key_1 <= key_2)
            assert_true(sum_1 <= sum_2);
        else
            assert_true(sum_1 >= sum_2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_exact_on_easy_numbers),
        cmocka_unit_test(the_sum_never_falls_while_the_key_rises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
