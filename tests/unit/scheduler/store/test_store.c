#include "scheduler/store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/controller.h"

static void put(struct store *store, uint64_t batch, const char *key, const char *value)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct store_write write = {.key = key, .value = value, .revision = batch};
    assert_int_equal(store->ops->append(store->self, batch, &write, 1, &err), BERTH_OK);
}

static void assert_progress(struct store *store, uint64_t durable_batch, bool has_failed)
{
    struct store_progress progress = store->ops->progress(store->self);
    assert_int_equal(progress.durable_batch, durable_batch);
    assert_int_equal(progress.has_failed, has_failed);
}

/* The live records as "a=1 b=2". */
static void assert_records(struct store *store, const char *wanted)
{
    struct berth_error err = BERTH_ERROR_INIT;
    const struct record *records;
    size_t count;
    assert_int_equal(store->ops->load(store->self, &records, &count, &err), BERTH_OK);
    struct text text = TEXT_INIT;
    text_add(&text, "");
    for (size_t i = 0; i < count; i++)
        text_addf(&text, "%s%s=%s", i > 0 ? " " : "", records[i].key, records[i].value);
    assert_string_equal(text.bytes, wanted);
    text_free(&text);
}

static void test_volatile_is_durable_at_once_and_keeps_nothing(void **state)
{
    (void)state;
    struct store store = store_volatile_open();
    assert_false(store.ops->keeps_records);
    assert_progress(&store, 0, false);
    put(&store, 1, "a", "1");
    assert_progress(&store, 1, false);
    assert_records(&store, "");
    store.ops->reset(store.self);
    put(&store, 2, "a", "1");
    assert_progress(&store, 2, false);
    store.ops->destroy(store.self);
}

static void test_memory_keeps_the_last_value_in_key_order(void **state)
{
    (void)state;
    struct store store = store_memory_open(0);
    assert_true(store.ops->keeps_records);
    put(&store, 1, "task/2", "x");
    put(&store, 2, "task/10", "y");
    put(&store, 3, "instance/1", "z");
    assert_progress(&store, 3, false);
    assert_records(&store, "instance/1=z task/10=y task/2=x");
    put(&store, 4, "task/2", "x2");
    put(&store, 5, "task/10", NULL);
    put(&store, 6, "never", NULL);
    assert_records(&store, "instance/1=z task/2=x2");
    put(&store, 7, "task/10", "again");
    assert_records(&store, "instance/1=z task/10=again task/2=x2");
    store.ops->destroy(store.self);
}

static void test_a_batch_is_applied_in_order(void **state)
{
    (void)state;
    struct store store = store_memory_open(0);
    struct berth_error err = BERTH_ERROR_INIT;
    char key[] = "k", value[] = "1";
    struct store_write writes[] = {{key, value, 1}, {"l", "2", 2}, {"k", NULL, 3}, {"k", "4", 4}};
    assert_int_equal(store.ops->append(store.self, 1, writes, 4, &err), BERTH_OK);
    key[0] = value[0] = '?'; /* borrowed for the call only */
    assert_records(&store, "k=4 l=2");
    assert_int_equal(store.ops->append(store.self, 2, NULL, 0, &err), BERTH_OK);
    assert_progress(&store, 2, false);
    store.ops->destroy(store.self);
}

static void test_late_batches_wait_for_newer_ones(void **state)
{
    (void)state;
    struct store store = store_memory_open(2);
    put(&store, 1, "a", "1");
    put(&store, 2, "b", "2");
    assert_progress(&store, 0, false);
    assert_records(&store, "");
    put(&store, 3, "a", "3");
    assert_progress(&store, 1, false);
    assert_records(&store, "a=1");
    store_memory_flush(&store);
    assert_progress(&store, 3, false);
    assert_records(&store, "a=3 b=2");
    store.ops->destroy(store.self);
}

static void test_a_failed_batch_and_all_after_it_are_lost(void **state)
{
    (void)state;
    struct store store = store_memory_open(2);
    struct berth_error err = BERTH_ERROR_INIT;
    put(&store, 1, "a", "1");
    store_memory_fail_after(&store, 2);
    put(&store, 2, "a", "2");
    put(&store, 3, "a", "3"); /* the one that fails */
    put(&store, 4, "a", "4");
    assert_progress(&store, 2, false);
    put(&store, 5, "a", "5");
    assert_progress(&store, 2, true);
    struct store_write write = {"a", "6", 6};
    assert_int_equal(store.ops->append(store.self, 6, &write, 1, &err), BERTH_ERR_ENVIRONMENT);
    assert_non_null(strstr(err.text, "batch 3"));
    store_memory_flush(&store);
    assert_progress(&store, 2, true);
    store.ops->reset(store.self);
    assert_progress(&store, 2, false);
    assert_records(&store, "a=2");
    put(&store, 3, "a", "7"); /* numbered on from what is durable */
    store_memory_flush(&store);
    assert_records(&store, "a=7");
    store.ops->destroy(store.self);
}

static void test_a_failure_can_be_called_off(void **state)
{
    (void)state;
    struct store store = store_memory_open(0);
    store_memory_fail_after(&store, 1);
    store_memory_fail_after(&store, 0);
    put(&store, 1, "a", "1");
    assert_progress(&store, 1, false);
    store.ops->destroy(store.self);
}

static void test_held_batches_wait_for_a_flush(void **state)
{
    (void)state;
    struct store store = store_memory_open(0);
    store_memory_hold(&store, true);
    for (uint64_t i = 1; i <= 4; i++)
        put(&store, i, "a", "1");
    assert_progress(&store, 0, false);
    store_memory_flush_to(&store, 2);
    assert_progress(&store, 2, false);
    store_memory_flush_to(&store, 1);
    assert_progress(&store, 2, false);
    store_memory_flush_to(&store, 9);
    assert_progress(&store, 4, false);
    store_memory_hold(&store, false);
    put(&store, 5, "a", "2");
    assert_progress(&store, 5, false);
    store.ops->destroy(store.self);
}

/* Wherever the writing stopped: whole batches are there, and of the torn one nothing. */
static void test_a_torn_tail_is_discarded_whole(void **state)
{
    (void)state;
    unsigned seen[3] = {0}, torn = 0;
    for (uint32_t kept = 0; kept <= 1000; kept += 7) {
        struct berth_error err = BERTH_ERROR_INIT;
        struct store store = store_memory_open(0);
        struct store_write second[] = {{"a", "2", 2}, {"b", NULL, 3}, {"c", "with = and\n", 4}};
        put(&store, 1, "b", "old");
        store_memory_hold(&store, true);
        put(&store, 2, "a", "1");
        assert_int_equal(store.ops->append(store.self, 3, second, 3, &err), BERTH_OK);
        torn += store_memory_tear(&store, kept);
        store.ops->reset(store.self);
        uint64_t durable = store.ops->progress(store.self).durable_batch;
        assert_in_range(durable, 1, 3);
        seen[durable - 1]++;
        assert_records(&store, durable == 1   ? "b=old"
                               : durable == 2 ? "a=1 b=old"
                                              : "a=2 c=with = and\n");
        store_memory_hold(&store, false);
        put(&store, durable + 1, "z", "9");
        assert_progress(&store, durable + 1, false);
        store.ops->destroy(store.self);
    }
    assert_true(seen[0] > 10 && seen[1] > 10 && torn > 100);
    struct store store = store_memory_open(0);
    store_memory_hold(&store, true);
    put(&store, 1, "a", "1");
    assert_false(store_memory_tear(&store, 1000));
    store.ops->reset(store.self);
    assert_records(&store, "a=1");
    store.ops->destroy(store.self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_held_batches_wait_for_a_flush),
        cmocka_unit_test(test_a_torn_tail_is_discarded_whole),
        cmocka_unit_test(test_volatile_is_durable_at_once_and_keeps_nothing),
        cmocka_unit_test(test_memory_keeps_the_last_value_in_key_order),
        cmocka_unit_test(test_a_batch_is_applied_in_order),
        cmocka_unit_test(test_late_batches_wait_for_newer_ones),
        cmocka_unit_test(test_a_failed_batch_and_all_after_it_are_lost),
        cmocka_unit_test(test_a_failure_can_be_called_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
