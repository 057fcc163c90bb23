#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "scheduler/base/symbols.h"

static void test_numbers_in_order_of_first_sight(void **state)
{
    (void)state;
    struct symbols *symbols = symbols_create();
    assert_int_equal(symbols_add(symbols, "b"), 1);
    assert_int_equal(symbols_add(symbols, "a"), 2);
    assert_int_equal(symbols_add(symbols, "b"), 1);
    assert_int_equal(symbols_add(symbols, ""), 3);
    assert_int_equal(symbols_add(symbols, NULL), SYMBOL_NONE);
    assert_int_equal(symbols_find(symbols, "a"), 2);
    assert_int_equal(symbols_find(symbols, "c"), SYMBOL_NONE);
    assert_string_equal(symbols_text(symbols, 2), "a");
    assert_string_equal(symbols_text(symbols, 3), "");
    assert_null(symbols_text(symbols, SYMBOL_NONE));
    symbols_destroy(symbols);
    symbols_destroy(NULL);
}

/* A part of a text is the same symbol as the whole text of those bytes; NULs are bytes. */
static void test_lengths(void **state)
{
    (void)state;
    struct symbols *symbols = symbols_create();
    symbol web = symbols_add(symbols, "web");
    assert_int_equal(symbols_add_n(symbols, "website", 3), web);
    assert_int_not_equal(symbols_add_n(symbols, "website", 4), web);
    assert_int_not_equal(symbols_add_n(symbols, "web\0", 4), web);
    assert_int_equal(symbols_add_n(symbols, "x", 0), symbols_add(symbols, ""));
    symbols_destroy(symbols);
}

/* Texts stay where they are while the table grows. */
static void test_many(void **state)
{
    (void)state;
    struct symbols *symbols = symbols_create();
    char text[32];
    symbol first = symbols_add(symbols, "first");
    const char *lent = symbols_text(symbols, first);
    for (unsigned i = 0; i < 50000; i++) {
        (void)snprintf(text, sizeof text, "name-%u", i);
        assert_int_equal(symbols_add(symbols, text), i + 2);
    }
    for (unsigned i = 0; i < 50000; i++) {
        (void)snprintf(text, sizeof text, "name-%u", i);
        assert_int_equal(symbols_find(symbols, text), i + 2);
        assert_string_equal(symbols_text(symbols, i + 2), text);
    }
    assert_ptr_equal(symbols_text(symbols, first), lent);
    symbols_destroy(symbols);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_in_order_of_first_sight),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
