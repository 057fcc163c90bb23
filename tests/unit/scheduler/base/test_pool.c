#include "scheduler/base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct thing {
    uint32_t link;
    uint32_t value;
};

static void test_items_stay_and_numbers_come_again(void **state)
{
    (void)state;
    struct pool pool = POOL_INIT(struct thing);
    struct thing *first = NULL;
    for (uint32_t i = 0; i < 3 * POOL_PAGE + 1; i++) {
        assert_int_equal(pool_take(&pool), i);
        struct thing *thing = pool_at(&pool, i);
        assert_int_equal(thing->link, 0);
        assert_int_equal(thing->value, 0);
        thing->value = i + 1;
        first = i == 0 ? thing : first;
    }
    assert_ptr_equal(pool_at(&pool, 0), first);
    assert_int_equal((uintptr_t)first % 64, 0);
    assert_int_equal((uintptr_t)pool_at(&pool, POOL_PAGE) % 64, 0);
    pool_give(&pool, 7);
    pool_give(&pool, 600);
    assert_int_equal(pool_take(&pool), 600);
    assert_int_equal(((struct thing *)pool_at(&pool, 600))->value, 601);
    assert_int_equal(pool_take(&pool), 7);
    assert_int_equal(pool_take(&pool), 3 * POOL_PAGE + 1);
    pool_free(&pool);
    assert_int_equal(pool_take(&pool), 0);
    pool_free(&pool);
}

static void test_numbers_from_elsewhere(void **state)
{
    (void)state;
    struct pool pool = POOL_INIT(struct thing);
    pool_reach(&pool, 2 * POOL_PAGE);
    assert_int_equal(pool.count, 2 * POOL_PAGE + 1);
    assert_int_equal(((struct thing *)pool_at(&pool, 2 * POOL_PAGE))->value, 0);
    ((struct thing *)pool_at(&pool, 3))->value = 5;
    pool_reach(&pool, 3);
    assert_int_equal(((struct thing *)pool_at(&pool, 3))->value, 5);
    assert_int_equal(pool.count, 2 * POOL_PAGE + 1);
    pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_stay_and_numbers_come_again),
        cmocka_unit_test(test_numbers_from_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
