#include "sim/fleet/task_table.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"

static void test_put_get_remove(void **state)
{
    (void)state;
    struct task_table table = {0};
    assert_int_equal(task_table_get(&table, 1), TASK_TABLE_ABSENT);
    task_table_put(&table, 1, 0);
    task_table_put(&table, 1000, 7);
    assert_int_equal(task_table_get(&table, 1), 0);
    assert_int_equal(task_table_get(&table, 1000), 7);
    assert_int_equal(task_table_get(&table, 999), TASK_TABLE_ABSENT);
    assert_int_equal(task_table_get(&table, 500), TASK_TABLE_ABSENT);
    task_table_remove(&table, 1);
    assert_int_equal(task_table_get(&table, 1), TASK_TABLE_ABSENT);
    assert_null(table.pages.items[0]);
    task_table_put(&table, 2, 9);
    assert_int_equal(task_table_get(&table, 2), 9);
    task_table_free(&table);
}

/* Against a plain array, with tasks that come in order and go in any. */
static void test_equals_an_array(void **state)
{
    (void)state;
    enum { TASKS = 5000 };
    static uint32_t plain[TASKS];
    struct task_table table = {0};
    struct rng rng = {.key = 3};
    for (task_id next = 0; next < TASKS; next++) {
        plain[next] = (uint32_t)rng_below(&rng, 1000);
        task_table_put(&table, next, plain[next]);
        task_id gone = rng_below(&rng, next + 1);
        if (plain[gone] != TASK_TABLE_ABSENT && rng_below(&rng, 4) > 0) {
            task_table_remove(&table, gone);
            plain[gone] = TASK_TABLE_ABSENT;
        }
        task_id any = rng_below(&rng, next + 1);
        assert_int_equal(task_table_get(&table, any), plain[any]);
    }
    for (task_id i = 0; i < TASKS; i++)
        assert_int_equal(task_table_get(&table, i), plain[i]);
    task_table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_get_remove),
        cmocka_unit_test(test_equals_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
