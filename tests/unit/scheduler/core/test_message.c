#include "scheduler/core/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/core/action.h"

static void test_copies_own_their_list(void **state)
{
    (void)state;
    const enum message_kind kinds[] = {MESSAGE_MANIFEST, MESSAGE_STOP_VERIFICATION,
                                       MESSAGE_STOP_VERIFICATION_ACK};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        task_id tasks[3] = {4, 5, 6};
        struct message message = {.kind = kinds[i], .instance = 2, .seq = 9};
        message.u.list.tasks = tasks;
        message.u.list.count = 3;
        struct message copy = message_copy(&message);
        tasks[1] = 99; /* the original's memory may be used again */
        assert_int_equal(copy.kind, kinds[i]);
        assert_int_equal(copy.instance, 2);
        assert_int_equal(copy.seq, 9);
        assert_int_equal(copy.u.list.count, 3);
        assert_int_equal(copy.u.list.tasks[0], 4);
        assert_int_equal(copy.u.list.tasks[1], 5);
        assert_int_equal(copy.u.list.tasks[2], 6);
        message_release(&copy);
        assert_null(copy.u.list.tasks);
        message_release(&copy); /* twice is harmless */
    }
}

static void test_an_empty_list_needs_no_memory(void **state)
{
    (void)state;
    struct message message = {.kind = MESSAGE_MANIFEST};
    struct message copy = message_copy(&message);
    assert_null(copy.u.list.tasks);
    assert_int_equal(copy.u.list.count, 0);
    message_release(&copy);
}

static void test_other_kinds_are_copied_by_value(void **state)
{
    (void)state;
    struct task_def def = {.revision = 3};
    struct message message = {.kind = MESSAGE_PAYLOAD, .instance = 1, .seq = 7};
    message.u.payload = (struct task_payload){
        .task = 11, .def = &def, .group = "service:web", .cpu_units = 256, .desired_running = true};
    struct message copy = message_copy(&message);
    assert_int_equal(copy.u.payload.task, 11);
    assert_ptr_equal(copy.u.payload.def, &def);
    assert_string_equal(copy.u.payload.group, "service:web");
    assert_true(copy.u.payload.desired_running);
    message_release(&copy);
    assert_ptr_equal(copy.u.payload.def, &def); /* lent: release leaves it alone */

    struct message report = {.kind = MESSAGE_TASK_STATE, .seq = 1};
    report.u.report = (struct task_report){
        .task = 5, .status = TASK_STOPPED, .cause = EXIT_ESSENTIAL, .exit_code = -9};
    copy = message_copy(&report);
    assert_int_equal(copy.u.report.exit_code, -9);
    assert_int_equal(copy.u.report.cause, EXIT_ESSENTIAL);
    message_release(&copy);
}

static void test_a_copied_payload_outlives_its_task(void **state)
{
    (void)state;
    struct gpu_grant grants[2] = {{0, 1000}, {3, 460}};
    struct message message = {.kind = MESSAGE_PAYLOAD, .seq = 1};
    message.u.payload.grants = grants;
    message.u.payload.grant_count = 2;
    struct message copy = message_copy(&message);
    struct message second = message_copy(&copy);
    memset(grants, 0, sizeof grants); /* the controller has forgotten the task */
    message_release(&copy);
    assert_int_equal(second.u.payload.grant_count, 2);
    assert_int_equal(second.u.payload.grants[0].milli, 1000);
    assert_int_equal(second.u.payload.grants[1].device, 3);
    assert_int_equal(second.u.payload.grants[1].milli, 460);
    message_release(&second);
    assert_null(second.u.payload.grants);
    message_release(&message); /* lent grants are not its to free */
    assert_ptr_equal(message.u.payload.grants, grants);
}

static void test_ids_are_32_hex_digits_in_order(void **state)
{
    (void)state;
    const struct {
        uint64_t number;
        const char *text;
    } cases[] = {
        {0, "00000000000000000000000000000000"},
        {1, "00000000000000000000000000000001"},
        {255, "000000000000000000000000000000ff"},
        {UINT64_C(0x123456789abcdef0), "0000000000000000123456789abcdef0"},
        {UINT64_MAX, "0000000000000000ffffffffffffffff"},
    };
    char text[33], before[33] = "";
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        id_format(cases[i].number, text);
        assert_string_equal(text, cases[i].text);
        assert_true(strcmp(before, text) < 0);
        memcpy(before, text, sizeof before);
    }
}

/* A gap in a table of names would be a NULL, and two equal names could not be read back. */
static void assert_names(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_non_null(names[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(names[i], names[j]);
    }
}

static void test_every_value_has_a_name_of_its_own(void **state)
{
    (void)state;
    assert_names(task_status_names, TASK_STATUS_COUNT);
    assert_names(message_kind_names, MESSAGE_KIND_COUNT);
    assert_names(exit_cause_names, EXIT_CAUSE_COUNT);
    assert_names(event_kind_names, EVENT_KIND_COUNT);
    assert_names(action_kind_names, ACTION_KIND_COUNT);
    assert_names(record_kind_names, RECORD_KIND_COUNT);
    assert_names(stop_code_names, STOP_CODE_COUNT);
    assert_names(stop_reason_names, STOP_REASON_COUNT);
    assert_names(service_event_kind_names, SERVICE_EVENT_KIND_COUNT);
    assert_string_equal(stop_code_names[STOP_NONE], "");
    assert_string_equal(task_status_names[TASK_STOPPED], "STOPPED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_own_their_list),
        cmocka_unit_test(test_an_empty_list_needs_no_memory),
        cmocka_unit_test(test_other_kinds_are_copied_by_value),
        cmocka_unit_test(test_a_copied_payload_outlives_its_task),
        cmocka_unit_test(test_ids_are_32_hex_digits_in_order),
        cmocka_unit_test(test_every_value_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
