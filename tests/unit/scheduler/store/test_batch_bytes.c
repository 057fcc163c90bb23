#include "scheduler/store/batch_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"

static const struct store_write writes[] = {{"a", "1", 0}, {"b", NULL, 0}, {"c", "", 0}};

static void test_a_batch_comes_back(void **state)
{
    (void)state;
    struct text bytes = TEXT_INIT;
    struct batch_writes out = VEC_INIT;
    batch_bytes_add(&bytes, 7, writes, 3);
    size_t first = bytes.length;
    batch_bytes_add(&bytes, 8, NULL, 0);
    assert_int_equal(batch_bytes_read(bytes.bytes, bytes.length, 7, &out), first);
    assert_int_equal(out.count, 3);
    assert_string_equal(out.items[0].key, "a");
    assert_string_equal(out.items[0].value, "1");
    assert_string_equal(out.items[1].key, "b");
    assert_null(out.items[1].value);
    assert_string_equal(out.items[2].value, "");
    size_t second = batch_bytes_read(bytes.bytes + first, bytes.length - first, 8, &out);
    assert_int_equal(second, bytes.length - first);
    assert_int_equal(out.count, 0);
    vec_free(&out);
    text_free(&bytes);
}

static void test_what_is_torn_or_changed_is_refused(void **state)
{
    (void)state;
    struct text bytes = TEXT_INIT;
    struct batch_writes out = VEC_INIT;
    batch_bytes_add(&bytes, 7, writes, 3);
    for (size_t length = 0; length < bytes.length; length++)
        assert_int_equal(batch_bytes_read(bytes.bytes, length, 7, &out), 0);
    assert_int_equal(batch_bytes_read(bytes.bytes, bytes.length, 8, &out), 0);
    for (size_t i = 0; i < bytes.length; i++) {
        bytes.bytes[i] ^= 1;
        assert_int_equal(batch_bytes_read(bytes.bytes, bytes.length, 7, &out), 0);
        bytes.bytes[i] ^= 1;
    }
    vec_free(&out);
    text_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_batch_comes_back),
                                       cmocka_unit_test(test_what_is_torn_or_changed_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
