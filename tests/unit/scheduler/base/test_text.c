#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/rng.h"
#include "scheduler/base/text.h"

static void test_adding(void **state)
{
    (void)state;
    struct text text = TEXT_INIT;
    text_clear(&text); /* of nothing */
    text_add(&text, "");
    assert_string_equal(text.bytes, "");
    text_addf(&text, "%d-%s", 42, "x");
    text_add_n(&text, "abc", 2);
    assert_string_equal(text.bytes, "42-xab");
    assert_int_equal(text.length, 6);
    text_clear(&text);
    assert_string_equal(text.bytes, "");
    for (int i = 0; i < 1000; i++)
        text_addf(&text, "%*d", 100, i);
    assert_int_equal(text.length, 100000);
    assert_int_equal(strlen(text.bytes), 100000);
    text_free(&text);
    assert_null(text.bytes);
}

static void test_digits(void **state)
{
    static const struct {
        uint64_t value;
        size_t digits;
        const char *text;
    } rows[] = {{0, 1, "0"},
                {7, 8, "00000007"},
                {123456789, 8, "123456789"},
                {UINT64_MAX, 20, "18446744073709551615"},
                {0, 20, "00000000000000000000"}};
    struct text text = TEXT_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        text_clear(&text);
        text_add_digits(&text, rows[i].value, rows[i].digits);
        assert_string_equal(text.bytes, rows[i].text);
    }
    text_free(&text);
}

static void test_json(void **state)
{
    (void)state;
    struct text text = TEXT_INIT;
    text_add_json(&text, "a\"b\\c\n\x7f \xc3\xa9");
    assert_string_equal(text.bytes, "\"a\\\"b\\\\c\\u000a\\u007f \xc3\xa9\"");
    text_clear(&text);
    text_add_json(&text, NULL);
    assert_string_equal(text.bytes, "null");
    text_free(&text);
}

static void test_line(void **state)
{
    (void)state;
    struct text text = TEXT_INIT;
    text_word(&text, "RunTask");
    text_field_u64(&text, "token", UINT64_MAX);
    text_field(&text, "family", "job");
    text_field(&text, "none", NULL);
    text_field(&text, "empty", "");
    text_field_i64(&text, "low", INT64_MIN);
    text_field(&text, "odd", "a b=c,d%\n\x7f\xc3\xa9");
    text_end(&text);
    assert_string_equal(text.bytes,
                        "RunTask token=18446744073709551615 family=job empty= "
                        "low=-9223372036854775808 odd=a%20b%3Dc%2Cd%25%0A%7F\xc3\xa9\n");
    text_free(&text);
}

static void test_reading(void **state)
{
    (void)state;
    char line[] =
        "Stop token=18446744073709551615 low=-9223372036854775808 e= odd=a%20b%3D%25 n=-0";
    struct text_line parsed;
    struct berth_error err = BERTH_ERROR_INIT;
    uint64_t u = 3;
    int64_t i = 4;
    assert_int_equal(text_parse_line(line, &parsed, &err), BERTH_OK);
    assert_string_equal(parsed.word, "Stop");
    assert_int_equal(parsed.field_count, 5);
    assert_string_equal(text_get(&parsed, "odd"), "a b=%");
    assert_string_equal(text_get(&parsed, "e"), "");
    assert_null(text_get(&parsed, "absent"));
    assert_true(text_get_u64(&parsed, "token", &u) && u == UINT64_MAX);
    assert_true(text_get_i64(&parsed, "low", &i) && i == INT64_MIN);
    assert_true(text_get_i64(&parsed, "n", &i) && i == 0);
    u = 3;
    i = 4;
    assert_false(text_get_u64(&parsed, "low", &u));
    assert_false(text_get_u64(&parsed, "e", &u));
    assert_false(text_get_u64(&parsed, "absent", &u));
    assert_false(text_get_i64(&parsed, "token", &i)); /* beyond int64 */
    assert_false(text_get_i64(&parsed, "odd", &i));
    assert_false(text_get_i64(&parsed, "absent", &i));
    assert_true(u == 3 && i == 4);
}

static void test_number_limits(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool is_u64, is_i64;
    } cases[] = {
        {"0", true, true},
        {"18446744073709551615", true, false},
        {"18446744073709551616", false, false},
        {"99999999999999999999999", false, false},
        {"9223372036854775807", true, true},
        {"9223372036854775808", true, false},
        {"-9223372036854775808", false, true},
        {"-9223372036854775809", false, false},
        {"-", false, false},
        {"--1", false, false},
        {"+1", false, false},
        {"1x", false, false},
        {"0x1", false, false},
        {"1.0", false, false},
    };
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        struct text text = TEXT_INIT;
        struct text_line parsed;
        struct berth_error err = BERTH_ERROR_INIT;
        uint64_t u;
        int64_t i;
        text_addf(&text, "W v=%s", cases[n].value);
        assert_int_equal(text_parse_line(text.bytes, &parsed, &err), BERTH_OK);
        assert_int_equal(text_get_u64(&parsed, "v", &u), cases[n].is_u64);
        assert_int_equal(text_get_i64(&parsed, "v", &i), cases[n].is_i64);
        text_free(&text);
    }
}

static void test_bad_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"Run x", "column 5: a field is written name=value"},
        {"Run =1", "column 5: a field is written name=value"},
        {"Run a=1  b=2", "column 9: a field is written name=value"},
        {"Run a=1 ", "column 9: a field is written name=value"},
        {"Run a=%2", "column 7: an escape is written %XX"},
        {"Run a=%2g", "column 7: an escape is written %XX"},
        {"Run a=%00", "column 7: an escape is written %XX"}, /* a text holds no NUL */
        {"Run a=%", "column 7: an escape is written %XX"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[64];
        struct text_line parsed;
        struct berth_error err = BERTH_ERROR_INIT;
        memcpy(line, cases[i].line, strlen(cases[i].line) + 1);
        assert_int_equal(text_parse_line(line, &parsed, &err), BERTH_ERR_INPUT);
        assert_string_equal(err.text, cases[i].message);
    }
    struct text many = TEXT_INIT;
    struct text_line parsed;
    struct berth_error err = BERTH_ERROR_INIT;
    text_word(&many, "W");
    for (int i = 0; i < TEXT_FIELDS_MAX; i++)
        text_field_i64(&many, "a", i);
    char *copy = mem_copy_text(many.bytes);
    assert_int_equal(text_parse_line(copy, &parsed, &err), BERTH_OK);
    assert_int_equal(parsed.field_count, TEXT_FIELDS_MAX);
    text_field_i64(&many, "a", 0);
    assert_int_equal(text_parse_line(many.bytes, &parsed, &err), BERTH_ERR_INPUT);
    assert_non_null(strstr(err.text, "too many fields"));
    mem_free(copy);
    text_free(&many);
}

/* Any bytes but NUL, written as values, are read back as they were. */
static void test_round_trip(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 500; seed++) {
        enum { FIELDS = 5, LENGTH = 40 };
        static const char *const names[FIELDS] = {"a", "b", "c", "d", "e"};
        char values[FIELDS][LENGTH];
        struct rng rng = {.key = seed};
        struct text text = TEXT_INIT;
        struct text_line parsed;
        struct berth_error err = BERTH_ERROR_INIT;
        text_word(&text, "Word");
        for (int f = 0; f < FIELDS; f++) {
            size_t length = rng_below(&rng, LENGTH);
            for (size_t i = 0; i < length; i++)
                values[f][i] = (char)(1 + rng_below(&rng, 255));
            values[f][length] = '\0';
            text_field(&text, names[f], values[f]);
        }
        assert_null(memchr(text.bytes, '\n', text.length));
        assert_int_equal(text_parse_line(text.bytes, &parsed, &err), BERTH_OK);
        assert_string_equal(parsed.word, "Word");
        assert_int_equal(parsed.field_count, FIELDS);
        for (int f = 0; f < FIELDS; f++)
            if (strcmp(text_get(&parsed, names[f]), values[f]) != 0)
                fail_msg("seed %llu", (unsigned long long)seed);
        text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adding),        cmocka_unit_test(test_json),
        cmocka_unit_test(test_line),          cmocka_unit_test(test_reading),
        cmocka_unit_test(test_number_limits), cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
