#include "scheduler/policy/rebalance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ZONES 3

/* The reading of the reference, word for word. */
static bool is_floor_or_ceiling(const uint32_t *tasks)
{
    uint32_t all = tasks[0] + tasks[1] + tasks[2];
    for (size_t i = 0; i < ZONES; i++)
        if (tasks[i] != all / ZONES && tasks[i] != (all + ZONES - 1) / ZONES)
            return false;
    return true;
}

static void test_balanced_is_floor_or_ceiling(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < 8; a++)
        for (uint32_t b = 0; b < 8; b++)
            for (uint32_t c = 0; c < 8; c++) {
                uint32_t tasks[ZONES] = {a, b, c};
                assert_int_equal(rebalance_is_balanced(tasks, ZONES), is_floor_or_ceiling(tasks));
            }
    assert_true(rebalance_is_balanced((uint32_t[]){1, 2, 2}, 3)); /* D=5, Z=3: any order */
    assert_true(rebalance_is_balanced((uint32_t[]){2, 1, 2}, 3));
    assert_false(rebalance_is_balanced((uint32_t[]){3, 2, 0}, 3));
    assert_true(rebalance_is_balanced((uint32_t[]){7}, 1));
    assert_true(rebalance_is_balanced(NULL, 0));
}

/* From any start, moves end at a balance, each no more than needed. */
static void test_moves_end_at_a_balance(void **state)
{
    static const bool none_full[ZONES] = {false, false, false};
    (void)state;
    for (uint32_t start = 0; start < 512; start++) {
        uint32_t tasks[ZONES] = {start & 7, start >> 3 & 7, start >> 6};
        uint32_t all = tasks[0] + tasks[1] + tasks[2], needed = 0, moves = 0;
        for (size_t i = 0; i < ZONES; i++)
            needed += tasks[i] > all / ZONES ? tasks[i] - all / ZONES : 0;
        while (!rebalance_is_balanced(tasks, ZONES)) {
            size_t to = rebalance_to(tasks, none_full, ZONES);
            tasks[rebalance_from(tasks, ZONES)]--;
            tasks[to]++;
            moves++;
        }
        assert_true(moves <= needed);
        assert_int_equal(rebalance_to(tasks, none_full, ZONES), SIZE_MAX);
    }
}

static void test_a_full_zone_is_passed_over(void **state)
{
    static const bool full[ZONES] = {false, true, false};
    (void)state;
    assert_int_equal(rebalance_to((uint32_t[]){5, 0, 3}, full, ZONES), 2);
    assert_int_equal(rebalance_to((uint32_t[]){4, 0, 3}, full, ZONES), SIZE_MAX);
    assert_int_equal(rebalance_from((uint32_t[]){2, 4, 4}, ZONES), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_balanced_is_floor_or_ceiling),
        cmocka_unit_test(test_moves_end_at_a_balance),
        cmocka_unit_test(test_a_full_zone_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
