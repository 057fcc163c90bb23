#include "scheduler/store/write_group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"

static void test_texts_are_copied_and_come_back(void **state)
{
    (void)state;
    struct write_group group = {0};
    char key[] = "a", value[] = "1";
    assert_true(write_group_is_empty(&group));
    const struct store_write first[] = {{key, value, 5}, {"b", NULL, 6}};
    write_group_add(&group, 1, first, 2);
    write_group_add(&group, 2, &(struct store_write){"c", "", 7}, 1);
    key[0] = value[0] = '?';
    assert_false(write_group_is_empty(&group));
    assert_int_equal(group.last_batch, 2);
    assert_int_equal(group.writes.count, 3);
    struct store_write write = write_group_write(&group, 0);
    assert_string_equal(write.key, "a");
    assert_string_equal(write.value, "1");
    assert_int_equal(write.revision, 5);
    assert_null(write_group_write(&group, 1).value);
    assert_string_equal(write_group_write(&group, 2).value, "");
    write_group_clear(&group);
    assert_true(write_group_is_empty(&group));
    write_group_free(&group);
}

static void test_a_batch_without_writes_counts(void **state)
{
    (void)state;
    struct write_group group = {0};
    write_group_add(&group, 9, NULL, 0);
    assert_false(write_group_is_empty(&group));
    write_group_clear(&group);
    assert_true(write_group_is_empty(&group));
    write_group_free(&group);
}

static void test_notes_belong_to_a_batch(void **state)
{
    (void)state;
    struct write_group group = {0};
    char text[] = "one";
    write_group_add_note(&group, &(struct store_note){5, "service", "web", text});
    write_group_stamp(&group, 1, 3);
    text[0] = '?';
    write_group_add_note(&group, &(struct store_note){6, "task", "7", "two"});
    write_group_stamp(&group, 1, 4);
    assert_false(write_group_is_empty(&group));
    assert_int_equal(group.last_batch, 0);
    struct store_note note = write_group_note(&group, 0);
    assert_int_equal(note.wall_ns, 5);
    assert_string_equal(note.kind, "service");
    assert_string_equal(note.subject, "web");
    assert_string_equal(note.text, "one");
    assert_int_equal(group.notes.items[0].batch, 3);
    assert_int_equal(group.notes.items[1].batch, 4);
    write_group_free(&group);
}

/* The memory of a group that was outsize is given back. */
static void test_an_outsize_group_shrinks(void **state)
{
    (void)state;
    struct write_group group = {0};
    char *value = mem_alloc(2000001);
    memset(value, 'v', 2000000);
    write_group_add(&group, 1, &(struct store_write){"a", value, 1}, 1);
    assert_in_range(write_group_bytes(&group), 2000000, 2100000);
    write_group_clear(&group);
    assert_int_equal(group.bytes.capacity, 0);
    value[100] = '\0';
    write_group_add(&group, 2, &(struct store_write){"a", value, 1}, 1);
    write_group_clear(&group);
    assert_true(group.bytes.capacity > 0);
    mem_free(value);
    write_group_free(&group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_are_copied_and_come_back),
        cmocka_unit_test(test_a_batch_without_writes_counts),
        cmocka_unit_test(test_notes_belong_to_a_batch),
        cmocka_unit_test(test_an_outsize_group_shrinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
