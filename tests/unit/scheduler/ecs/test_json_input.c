#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "scheduler/ecs/json_input.h"

struct refusal {
    const char *text;
    size_t length; /* 0: strlen */
    const char *message;
};

static const struct refusal refusals[] = {
    {"", 0, "f:1:1: the file is empty; a JSON document is expected"},
    {" \n\t ", 0, "f:1:1: the file is empty; a JSON document is expected"},
    {"{\"a\": 1,\n \"a\": 2}", 0, "f:2:4: duplicate object key near '\"a\"'; keep one of the two"},
    {"{\"a\": NaN}", 0, "f:1:9: invalid token near 'NaN'; correct the JSON here"},
    {"{\"a\": 1e309}", 0,
     "f:1:11: real number overflow near '1e309'; write a whole number within 64 bits, or a real "
     "one below 1.8e308"},
    {"[9223372036854775808]", 0,
     "f:1:20: too big integer near '9223372036854775808'; write a whole number within 64 bits, or "
     "a real one below 1.8e308"},
    {"{} {}", 0,
     "f:1:4: end of file expected near '{'; one JSON value is expected; remove what follows it"},
    {"{\"a\": [1, 2", 0,
     "f:1:11: ']' expected near end of file; the text ends too early; is the file complete?"},
    {"[\"\xff\"]", 0, "f:1:2: unable to decode byte 0xff near '\"'; save the file as UTF-8"},
    {"[\"a\0b\"]", 7, "f:1:3: control character 0x0 near '\"a'; correct the JSON here"},
    {"\xff\xfe{\0}\0", 6, "f:1:1: UTF-16 text; save the file as UTF-8"},
};

static void test_refuses_with_place_and_cure(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        json_t *json = (json_t *)1;
        size_t length = refusals[i].length ? refusals[i].length : strlen(refusals[i].text);
        assert_int_equal(json_read_text(refusals[i].text, length, "f", &json, &err),
                         BERTH_ERR_INPUT);
        assert_string_equal(err.text, refusals[i].message);
        assert_null(json);
    }
}

static enum berth_err read_nested(size_t depth, struct berth_error *err)
{
    char *text = malloc(2 * depth);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    json_t *json = NULL;
    enum berth_err code = json_read_text(text, 2 * depth, "deep", &json, err);
    json_decref(json);
    free(text);
    return code;
}

static void test_depth_is_bounded(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(read_nested(200, &err), BERTH_OK);
    assert_int_equal(read_nested(201, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text,
                        "deep:1:201: nested deeper than 200 levels; flatten the document");
    assert_int_equal(read_nested(1000000, &err), BERTH_ERR_INPUT);
    /* Brackets inside texts do not count, escaped quotes do not end them. */
    char text[1200] = "[\"\\\"";
    memset(text + 4, '[', 1000);
    memcpy(text + 1004, "\"]", 3);
    json_t *json = NULL;
    assert_int_equal(json_read_text(text, strlen(text), "t", &json, &err), BERTH_OK);
    json_decref(json);
}

static void test_byte_order_mark_is_skipped(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    json_t *json = NULL;
    assert_int_equal(json_read_text("\xef\xbb\xbf{\"a\":1}", 10, "t", &json, &err), BERTH_OK);
    assert_int_equal(json_integer_value(json_object_get(json, "a")), 1);
    json_decref(json);
}

static void write_file(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static void test_reads_plain_and_gzip_and_finds_cuts(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    char path[] = "/tmp/berth-json-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    json_t *json = NULL;
    write_file(path, "{\"b\":[1,2.5],\"a\":\"x\"}", 21);
    assert_int_equal(json_read_file(path, &json, &err), BERTH_OK);
    char *sorted = json_write_sorted(json, 0);
    assert_string_equal(sorted, "{\"a\":\"x\",\"b\":[1,2.5]}");
    free(sorted);
    json_decref(json);

    gzFile out = gzopen(path, "wb");
    for (int i = 0; i < 1000; i++)
        gzprintf(out, "%s%d", i == 0 ? "[" : ",", i * 7919);
    gzputs(out, "]");
    gzclose(out);
    assert_int_equal(json_read_file(path, &json, &err), BERTH_OK);
    assert_int_equal(json_array_size(json), 1000);
    json_decref(json);

    unsigned char bytes[8192];
    FILE *file = fopen(path, "rb");
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    char wanted[160];
    (void)snprintf(wanted, sizeof wanted,
                   "%s: the gzip stream ends too early; the file is cut, fetch it again", path);
    for (size_t cut = 20; cut < length; cut += length / 7) {
        write_file(path, bytes, cut);
        assert_int_equal(json_read_file(path, &json, &err), BERTH_ERR_INPUT);
        assert_string_equal(err.text, wanted);
    }
    bytes[length / 2] ^= 0x55;
    write_file(path, bytes, length);
    assert_int_equal(json_read_file(path, &json, &err), BERTH_ERR_INPUT);
    unlink(path);
}

static void test_missing_file_and_folder(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    json_t *json = NULL;
    assert_int_equal(json_read_file("/nonexistent/x.json", &json, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "/nonexistent/x.json: no such file; check the path");
    assert_int_equal(json_read_file("/", &json, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "/: is a folder; name a file");
}

static void test_unknown_keys(void **state)
{
    (void)state;
    static const char *const names[] = {"instances", "tasks", NULL};
    struct berth_error err = BERTH_ERROR_INIT;
    json_t *json = json_pack("{s:i,s:i}", "tasks", 1, "$schema", 2);
    assert_int_equal(json_check_keys(json, "c.json:", names, &err), BERTH_OK);
    json_object_set_new(json, "instnces", json_null());
    assert_int_equal(json_check_keys(json, "c.json:", names, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "c.json:/instnces: unknown key; did you mean \"instances\"?");
    json_object_del(json, "instnces");
    json_object_set_new(json, "zz\n\"top", json_null());
    assert_int_equal(json_check_keys(json, "c.json:", names, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "c.json:/zz?\"top: unknown key; remove it");
    json_decref(json);
}

static void test_shown_texts_are_cut_between_characters(void **state)
{
    (void)state;
    char out[12];
    json_show(out, sizeof out, "short", 5);
    assert_string_equal(out, "short");
    json_show(out, sizeof out, "0123456789abcdef", 16);
    assert_string_equal(out, "01234567...");
    json_show(out, sizeof out, "0123456\xc3\xa9\xc3\xa9\xc3\xa9", 13);
    assert_string_equal(out, "0123456...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses_with_place_and_cure),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_byte_order_mark_is_skipped),
        cmocka_unit_test(test_reads_plain_and_gzip_and_finds_cuts),
        cmocka_unit_test(test_missing_file_and_folder),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_shown_texts_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
