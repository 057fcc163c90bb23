#include "sim/fleet/parcels.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_a_parcel_is_a_copy(void **state)
{
    (void)state;
    struct parcels parcels = PARCELS_INIT;
    task_id tasks[2] = {7, 8};
    struct message message = {.kind = MESSAGE_MANIFEST, .seq = 3};
    message.u.list.tasks = tasks;
    message.u.list.count = 2;
    uint32_t slot = parcels_hold(&parcels, &message);
    tasks[0] = 99;
    const struct message *opened = parcels_open(&parcels, slot);
    assert_int_equal(opened->seq, 3);
    assert_int_equal(opened->u.list.count, 2);
    assert_int_equal(opened->u.list.tasks[0], 7);
    parcels_release(&parcels, slot);
    assert_int_equal(parcels.held_count, 0);
    parcels_free(&parcels);
}

static void test_slots_are_used_again(void **state)
{
    (void)state;
    struct parcels parcels = PARCELS_INIT;
    struct message message = {.kind = MESSAGE_ACK};
    uint32_t first = parcels_hold(&parcels, &message);
    uint32_t second = parcels_hold(&parcels, &message);
    assert_int_not_equal(first, second);
    parcels_release(&parcels, first);
    assert_int_equal(parcels_hold(&parcels, &message), first);
    assert_int_equal(parcels.pool.count, 2);
    assert_int_equal(parcels.held_count, 2);
    parcels_free(&parcels);
}

/* What is still on its way when a run ends is released with the rest (the sanitizer looks). */
static void test_what_is_held_is_freed(void **state)
{
    (void)state;
    struct parcels parcels = PARCELS_INIT;
    task_id task = 1;
    struct message message = {.kind = MESSAGE_STOP_VERIFICATION};
    message.u.list.tasks = &task;
    message.u.list.count = 1;
    (void)parcels_hold(&parcels, &message);
    parcels_free(&parcels);
    assert_int_equal(parcels.held_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_parcel_is_a_copy),
        cmocka_unit_test(test_slots_are_used_again),
        cmocka_unit_test(test_what_is_held_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
