/* test_patch.c -- merge patches as RFC 7386 shows them, pointers as RFC 6901 does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/scenario/patch.h"

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &error);
    assert_non_null(json);
    return json;
}

static void assert_json(const json_t *json, const char *expected)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
    assert_string_equal(text, expected);
    free(text);
}

/* The table of RFC 7386's appendix A, but its rows whose patch is not an object in the end. */
static void test_merge_follows_the_rfc(void **state)
{
    static const char *const rows[][3] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *patch = parse(rows[i][1]);
        json_t *merged = patch_merge(parse(rows[i][0]), patch);
        assert_json(merged, rows[i][2]);
        json_decref(merged);
        json_decref(patch);
    }
}

/* What is the same is shared; what is changed afterwards, by patch or pointer, was copied before.
 */
static void test_merge_leaves_the_patch_alone(void **state)
{
    static const char *const pointers[] = {"/a/b", "/a/b/1/c", "/a", "/d"};
    (void)state;
    for (size_t i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
        json_t *patch = parse("{\"a\":{\"b\":[1,{\"c\":2}]}}"), *value = parse("3");
        json_t *second = parse("{\"a\":{\"e\":4,\"b\":null}}");
        json_t *merged = patch_merge(NULL, patch);
        struct pointer_tokens tokens;
        size_t missing;
        assert_true(pointer_parse(pointers[i], &tokens));
        assert_true(pointer_set(merged, &tokens, value, &missing));
        merged = patch_merge(merged, second);
        assert_json(patch, "{\"a\":{\"b\":[1,{\"c\":2}]}}");
        assert_json(second, "{\"a\":{\"e\":4,\"b\":null}}");
        pointer_free(&tokens);
        json_decref(merged);
        json_decref(second);
        json_decref(value);
        json_decref(patch);
    }
}

static void test_pointer_tokens(void **state)
{
    (void)state;
    struct pointer_tokens tokens;
    assert_true(pointer_parse("/a~1b/~0~01//0", &tokens));
    assert_int_equal(tokens.list.count, 4);
    assert_string_equal(tokens.list.items[0], "a/b");
    assert_string_equal(tokens.list.items[1], "~~1");
    assert_string_equal(tokens.list.items[2], "");
    assert_string_equal(tokens.list.items[3], "0");
    pointer_free(&tokens);
    assert_true(pointer_parse("", &tokens));
    assert_int_equal(tokens.list.count, 0);
    static const char *const wrong[] = {"a", "a/b", "/a~", "/a~2", "/~/b", "#/a"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(pointer_parse(wrong[i], &tokens));
}

/* Document, pointer, value; then the result, or the number of the token that leads nowhere. */
static void test_pointer_sets_what_exists(void **state)
{
    static const struct {
        const char *document, *pointer, *value, *expected;
        size_t missing;
    } rows[] = {
        {"{\"a\":1}", "/a", "2", "{\"a\":2}", 0},
        {"{\"a\":{}}", "/a/b", "[]", "{\"a\":{\"b\":[]}}", 0},
        {"{\"a\":[1,2]}", "/a/1", "9", "{\"a\":[1,9]}", 0},
        {"{\"a\":[{\"b\":1}]}", "/a/0/b", "9", "{\"a\":[{\"b\":9}]}", 0},
        {"{\"a\":1,\"b\":2}", "/a", "null", "{\"b\":2}", 0},
        {"{\"a\":[1,2,3]}", "/a/1", "null", "{\"a\":[1,3]}", 0},
        {"{\"a/b\":{\"~\":1}}", "/a~1b/~0", "2", "{\"a/b\":{\"~\":2}}", 0},
        {"{\"a\":[1,2]}", "/a/2", "9", NULL, 1},
        {"{\"a\":[1,2]}", "/a/-", "9", NULL, 1},
        {"{\"a\":[1,2]}", "/a/01", "9", NULL, 1},
        {"{\"a\":[1,2]}", "/a/99999999999999999999", "9", NULL, 1},
        {"{\"a\":1}", "/a/b", "9", NULL, 1},
        {"{\"a\":1}", "/b/c/d", "9", NULL, 0},
        {"{\"a\":{}}", "/a/b/c", "9", NULL, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *document = parse(rows[i].document), *value = parse(rows[i].value);
        struct pointer_tokens tokens;
        size_t missing;
        assert_true(pointer_parse(rows[i].pointer, &tokens));
        bool is_set = pointer_set(document, &tokens, value, &missing);
        assert_int_equal(is_set, rows[i].expected != NULL);
        assert_json(document, is_set ? rows[i].expected : rows[i].document);
        if (!is_set)
            assert_int_equal(missing, rows[i].missing);
        pointer_free(&tokens);
        json_decref(document);
        json_decref(value);
    }
}

/* The nulls of a variant's patch wait for the variant; those of the file itself act at once. */
static void test_a_file_keeps_the_nulls_of_its_variants(void **state)
{
    (void)state;
    json_t *base =
        parse("{\"run\":{\"seed\":1},\"compare\":{\"variants\":{\"a\":{\"x\":1},\"b\":{}}}}");
    json_t *file =
        parse("{\"run\":{\"seed\":null},\"compare\":{\"variants\":{\"a\":{\"y\":{\"z\":null}},"
              "\"b\":null}}}");
    json_t *merged = patch_merge_file(base, file);
    assert_json(merged,
                "{\"run\":{},\"compare\":{\"variants\":{\"a\":{\"x\":1,\"y\":{\"z\":null}}}}}");
    json_decref(merged);
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_keeps_the_nulls_of_its_variants),
        cmocka_unit_test(test_merge_follows_the_rfc),
        cmocka_unit_test(test_merge_leaves_the_patch_alone),
        cmocka_unit_test(test_pointer_tokens),
        cmocka_unit_test(test_pointer_sets_what_exists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
