#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scheduler/base/id_table.h"
#include "scheduler/base/rng.h"

static void test_empty(void **state)
{
    (void)state;
    struct id_table table = {.count = 0};
    uint64_t id;
    uint32_t value;
    assert_true(id_table_get(&table, 0) == ID_ABSENT);
    assert_false(id_table_next(&table, 0, &id, &value));
    id_table_free(&table);
    id_table_free(&table);
}

static void test_edges(void **state)
{
    (void)state;
    struct id_table table = {.count = 0};
    uint64_t id = 0;
    uint32_t value = 0;
    id_table_put(&table, UINT64_MAX, 1);
    id_table_put(&table, 63, 2);
    id_table_put(&table, 64, 3);
    id_table_put(&table, 64, 4);
    assert_int_equal(table.count, 3);
    assert_int_equal(id_table_get(&table, UINT64_MAX), 1);
    assert_true(id_table_next(&table, 0, &id, &value));
    assert_true(id == 63 && value == 2);
    assert_true(id_table_next(&table, id, &id, &value));
    assert_true(id == 64 && value == 4);
    assert_true(id_table_next(&table, 1000, &id, &value));
    assert_true(id == UINT64_MAX && value == 1);
    assert_false(id_table_next(&table, id, &id, &value));
    id_table_free(&table);
}

/* Ids rise, most go soon, some stay for long: against an array of what should be there. */
static void test_against_an_array(void **state)
{
    enum { IDS = 20000 };
    static uint32_t values[IDS];
    struct id_table table = {.count = 0};
    struct rng rng = {7, 0};
    size_t count = 0;
    (void)state;
    for (uint64_t i = 0; i < IDS; i++)
        values[i] = ID_ABSENT;
    for (uint64_t step = 0; step < 4 * IDS; step++) {
        uint64_t newest = step / 4, id = newest - rng_below(&rng, newest < 900 ? newest + 1 : 900);
        if (values[id] == ID_ABSENT && step % 3 > 0) {
            values[id] = (uint32_t)step;
            id_table_put(&table, id, values[id]);
            count++;
        } else if (values[id] != ID_ABSENT && id % 500 != 0) {
            values[id] = ID_ABSENT;
            id_table_remove(&table, id);
            count--;
        }
        assert_int_equal(id_table_get(&table, id), values[id]);
        assert_int_equal(table.count, count);
    }
    uint64_t at = 0, id;
    uint32_t value;
    for (id = 1; id < IDS; id++) {
        assert_int_equal(id_table_get(&table, id), values[id]);
        if (values[id] == ID_ABSENT)
            continue;
        assert_true(id_table_next(&table, at, &at, &value));
        assert_true(at == id && value == values[id]);
    }
    assert_false(id_table_next(&table, at, &at, &value));
    id_table_free(&table);
}

/* What is kept follows what lives: a window that moves on for long needs a few pages. */
static void test_flat(void **state)
{
    (void)state;
    struct id_table table = {.count = 0};
    id_table_put(&table, 1, 1);
    for (uint64_t id = 2; id < 1000000; id++) {
        id_table_put(&table, id, 0);
        if (id > 300)
            id_table_remove(&table, id - 298);
    }
    assert_true(table.pages.count < 10 && table.by_number.capacity <= 32);
    assert_int_equal(table.place_count, 16);
    assert_int_equal(id_table_get(&table, 1), 1); /* its place has been another's since */
    id_table_free(&table);
}

/* Pages that meet at one place, the newer and the older ones coming and going in turn. */
static void test_meeting_places(void **state)
{
    const uint64_t far = UINT64_C(1) << 40; /* of ids that meet */
    struct id_table table = {.count = 0};
    (void)state;
    id_table_put(&table, far, 1);
    id_table_put(&table, 3 * far, 3);
    id_table_put(&table, 2 * far, 2); /* older than who has the place */
    for (uint32_t i = 1; i <= 3; i++)
        assert_int_equal(id_table_get(&table, i * far), i);
    assert_true(id_table_get(&table, 4 * far) == ID_ABSENT);
    id_table_remove(&table, 3 * far);
    assert_true(id_table_get(&table, 3 * far) == ID_ABSENT);
    assert_int_equal(id_table_get(&table, far), 1);
    assert_int_equal(id_table_get(&table, 2 * far), 2);
    id_table_remove(&table, far);
    id_table_put(&table, far + 1, 4); /* in the page that was given up */
    assert_true(id_table_get(&table, far) == ID_ABSENT);
    assert_int_equal(id_table_get(&table, far + 1), 4);
    assert_int_equal(id_table_get(&table, 2 * far), 2);
    id_table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_against_an_array),
        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_meeting_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
