/* test_json_compact.c -- the fast writer and jansson's write the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scheduler/ecs/json_compact.h"

struct dice {
    uint64_t state;
};

static uint32_t roll(struct dice *dice, uint32_t sides)
{
    dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(dice->state >> 33) % sides;
}

/* Letters, all that must be escaped, and characters of two, three and four bytes. */
static json_t *any_text(struct dice *dice)
{
    static const char *const pieces[] = {"a",
                                         "Z9",
                                         " ",
                                         "/",
                                         "\"",
                                         "\\",
                                         "\b",
                                         "\f",
                                         "\n",
                                         "\r",
                                         "\t",
                                         "\1",
                                         "\x1f",
                                         "\x7f",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x90\xb3",
                                         "key"};
    char bytes[128] = "";
    size_t length = 0;
    for (uint32_t i = roll(dice, 9); i > 0; i--)
        for (const char *at = pieces[roll(dice, sizeof pieces / sizeof pieces[0])]; *at; at++)
            bytes[length++] = *at;
    return json_stringn(bytes, length);
}

static json_t *any_number(struct dice *dice)
{
    static const json_int_t whole[] = {0, -1, 7, 1024, INT64_MAX, INT64_MIN, -4503599627370497};
    static const double real[] = {0.0, -0.0, 0.1, 1.0 / 3, 1e300, -2.5e-300, 1e17, 123456789.125};
    return roll(dice, 2) == 0 ? json_integer(whole[roll(dice, sizeof whole / sizeof whole[0])])
                              : json_real(real[roll(dice, sizeof real / sizeof real[0])]);
}

static json_t *any_value(struct dice *dice, uint32_t depth)
{
    json_t *json = NULL;
    switch (roll(dice, depth == 0 ? 5 : 8)) {
    case 0:
        return any_text(dice);
    case 1:
    case 2:
        return any_number(dice);
    case 3:
        return json_boolean(roll(dice, 2));
    case 4:
        return json_null();
    case 5:
        json = json_array();
        for (uint32_t i = roll(dice, 6); i > 0; i--)
            (void)json_array_append_new(json, any_value(dice, depth - 1));
        return json;
    default:
        json = json_object();
        for (uint32_t i = roll(dice, 20); i > 0; i--) {
            json_t *key = any_text(dice);
            (void)json_object_set_new(json, json_string_value(key), any_value(dice, depth - 1));
            json_decref(key);
        }
        return json;
    }
}

static void compare(const json_t *json, enum json_order order, size_t flags)
{
    struct text text = TEXT_INIT;
    char *wanted =
        json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17) | flags);
    assert_non_null(wanted);
    json_write_compact(&text, json, order);
    assert_string_equal(text.bytes, wanted);
    text_free(&text);
    free(wanted);
}

static void test_bytes_are_jansson_s(void **state)
{
    (void)state;
    struct dice dice = {1};
    for (int i = 0; i < 4000; i++) {
        json_t *json = any_value(&dice, 4);
        compare(json, JSON_AS_WRITTEN, 0);
        compare(json, JSON_BY_KEY, JSON_SORT_KEYS);
        json_decref(json);
    }
}

static void add_piece(void *context, const char *bytes, size_t length)
{
    text_add_n(context, bytes, length);
}

/* Pieces of a document of megabytes, one after the other, are its text. */
static void test_pieces_make_the_whole(void **state)
{
    (void)state;
    struct dice dice = {2};
    struct text whole = TEXT_INIT, pieces = TEXT_INIT;
    json_t *json = json_object();
    for (int i = 0; i < 20000; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "%d", i);
        (void)json_object_set_new(json, key, any_value(&dice, 2));
    }
    json_write_compact(&whole, json, JSON_BY_KEY);
    json_write_pieces(json, JSON_BY_KEY, add_piece, &pieces);
    assert_true(whole.length > 1 << 18);
    assert_int_equal(pieces.length, whole.length);
    assert_string_equal(pieces.bytes, whole.bytes);
    text_free(&whole);
    text_free(&pieces);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes_are_jansson_s),
                                       cmocka_unit_test(test_pieces_make_the_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
