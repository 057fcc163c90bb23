#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler/base/iso_time.h"

static void test_moments(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds, ns;
    } moments[] = {
        {"1970-01-01", 0, 0},
        {"1970-01-01T00:00:01Z", 1, 0},
        {"2018-06-18", 1529280000, 0},
        {"2018-06-18T22:28:28", 1529360908, 0},
        {"2018-06-18T22:28:28Z", 1529360908, 0},
        {"2018-06-18T22:28:28+00:00", 1529360908, 0},
        {"2018-06-19T00:28:28+02:00", 1529360908, 0},
        {"2018-06-18T17:58:28-0430", 1529360908, 0},
        {"2024-02-29T12:00:00.123456+00:00", 1709208000, 123456000},
        {"2000-02-29", 951782400, 0},
        {"2261-12-31", 9214560000, 0},
        {"2018-06-18T22:28:28.1234567899Z", 1529360908, 123456789},
    };
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        berth_ns at = -1;
        assert_true(iso_time_parse(moments[i].text, &at));
        assert_int_equal(at, moments[i].seconds * BERTH_NS_PER_S + moments[i].ns);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "2018",
        "2018-6-18",
        "2018-13-01",
        "2018-02-29",
        "1900-01-01",
        "2262-01-01",
        "2018-00-01",
        "2018-01-00",
        "2018-06-18 22:28:28",
        "2018-06-18T",
        "2018-06-18T24:00:00",
        "2018-06-18T22:28",
        "2018-06-18T22:28:60Z",
        "2018-06-18T22:28:28.",
        "2018-06-18T22:28:28Zx",
        "2018-06-18T22:28:28+25:00",
        "2018-06-18T22:28:28+2:00",
        "2018-06-18Z",
        " 2018-06-18",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        berth_ns at = 42;
        assert_false(iso_time_parse(wrong[i], &at));
        assert_int_equal(at, 42);
    }
}

static void test_written_and_read_again(void **state)
{
    (void)state;
    char text[ISO_TIME_BYTES];
    berth_ns back;
    iso_time_format(0, 0, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    iso_time_format(INT64_C(1735689612) * BERTH_NS_PER_S + 987654321, 3, text);
    assert_string_equal(text, "2025-01-01T00:00:12.987Z");
    iso_time_format(-1, 9, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999999999Z");
    for (int64_t day = 0; day < 80000; day += 13) {
        berth_ns at = (day * 86400 + day % 86400) * BERTH_NS_PER_S + day;
        iso_time_format(at, 9, text);
        assert_true(iso_time_parse(text, &back));
        assert_int_equal(back, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_written_and_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
