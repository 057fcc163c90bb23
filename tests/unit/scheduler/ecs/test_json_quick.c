/*
 * test_json_quick.c -- what the quick reader reads, jansson reads alike; what jansson refuses, it
 * leaves to jansson. fuzz_json goes further.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/ecs/json_quick.h"

static json_t *by_jansson(const char *text, size_t length)
{
    return json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
}

static void same(const char *text)
{
    json_t *json = by_jansson(text, strlen(text)), *quick = json_read_quick(text, strlen(text), 8);
    if (json == NULL || quick == NULL || !json_equal(json, quick))
        fail_msg("%s", text);
    json_decref(json);
    json_decref(quick);
}

static void test_reads_all_of_json(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}",
                                        "[]",
                                        " [ ] ",
                                        "\t{ \"a\" :\r\n1 , \"b\":[ 2 , [3] ] } ",
                                        "0",
                                        "-0",
                                        "-7",
                                        "999999999999999999",
                                        "9223372036854775807",
                                        "-9223372036854775808",
                                        "1.5",
                                        "-2e10",
                                        "1E-3",
                                        "true",
                                        "[false,null]",
                                        "\"\"",
                                        "\"plain / text\x7f\"",
                                        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\udc33\"",
                                        "\"\xc3\xa9\xe2\x82\xac\"",
                                        "{\"\\u0041\":1,\"B\":{\"\":2}}",
                                        "{\"a\\\"b\":[{},{\"c\":[]}]}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        same(texts[i]);
}

static void test_leaves_what_is_wrong(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        " ",
                                        "{",
                                        "[",
                                        "[1",
                                        "[1,",
                                        "[1,]",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{1:1}",
                                        "{\"a\":1 \"b\":2}",
                                        "01",
                                        "-",
                                        "-a",
                                        "+1",
                                        "1.",
                                        ".5",
                                        "1e",
                                        "1a",
                                        "9223372036854775808",
                                        "1e999",
                                        "nul",
                                        "truth",
                                        "NaN",
                                        "\"open",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\ud800\"",
                                        "\"\\",
                                        "\"a\nb\"",
                                        "\"\xff\"",
                                        "\"\xc3\"",
                                        "[1] 2",
                                        "{\"a\":1,\"a\":2}",
                                        "{\"a\":1,\"\\u0061\":2}",
                                        "{\"\\u0000\":1}",
                                        "\"\\u0000\""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_null(by_jansson(texts[i], strlen(texts[i])));
        if (json_read_quick(texts[i], strlen(texts[i]), 8) != NULL)
            fail_msg("%s", texts[i]);
    }
}

/* One byte of a document changed, everywhere and to everything: never another meaning. */
static void test_no_byte_makes_a_difference(void **state)
{
    (void)state;
    char text[] =
        "{\"a\":[1,-20,3.5e3],\"bc\":{\"d\":\"t\\u00e9\\n\",\"\xc3\xa9\":true}, \"n\":null}";
    const size_t length = strlen(text);
    for (size_t at = 0; at < length; at++) {
        char kept = text[at];
        for (int byte = 0; byte < 256; byte++) {
            text[at] = (char)byte;
            json_t *json = by_jansson(text, length), *quick = json_read_quick(text, length, 8);
            if (quick != NULL && !json_equal(json, quick)) /* json_equal(NULL, ...) is false */
                fail_msg("byte %zu is %d", at, byte);
            json_decref(json);
            json_decref(quick);
        }
        text[at] = kept;
    }
}

static void test_leaves_what_nests_deeper(void **state)
{
    (void)state;
    const char *three = "[{\"a\":[],\"b\":[]}]", *four = "[{\"a\":[[]],\"b\":[]}]";
    json_t *json = json_read_quick(three, strlen(three), 3);
    assert_non_null(json);
    json_decref(json);
    assert_null(json_read_quick(four, strlen(four), 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reads_all_of_json),
                                       cmocka_unit_test(test_leaves_what_is_wrong),
                                       cmocka_unit_test(test_leaves_what_nests_deeper),
                                       cmocka_unit_test(test_no_byte_makes_a_difference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
