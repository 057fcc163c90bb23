#include "scheduler/store/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Published values of FNV-1a, 64 bit. */
static void test_known_values(void **state)
{
    (void)state;
    assert_true(checksum_add(CHECKSUM_INIT, "", 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(checksum_add(CHECKSUM_INIT, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(checksum_add(CHECKSUM_INIT, "foobar", 6) == UINT64_C(0x85944171f73967e8));
}

static void test_pieces_add_up(void **state)
{
    (void)state;
    uint64_t first = checksum_add(CHECKSUM_INIT, "foo", 3);
    assert_true(checksum_add(first, "bar", 3) == checksum_add(CHECKSUM_INIT, "foobar", 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_values),
                                       cmocka_unit_test(test_pieces_add_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
