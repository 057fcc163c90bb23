/* test_compare.c -- a table written and read back; slower is told from noise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/bench/compare.h"

static struct bench_file_ratio ratio_of(double a, double b, double c)
{
    return (struct bench_file_ratio){NULL, NULL, NULL, {a, b, c}, 3};
}

static void test_slower_and_noise(void **state)
{
    (void)state;
    struct bench_file_ratio before = ratio_of(10, 10.5, 11);
    struct bench_file_ratio noise = ratio_of(7, 10.1, 12), little = ratio_of(9, 9.2, 9.4);
    struct bench_file_ratio slower = ratio_of(7.5, 7.9, 9.9), faster = ratio_of(13, 14, 15);
    assert_int_equal(bench_compare(&before, &before, BENCH_TOLERANCE), BENCH_ALIKE);
    assert_int_equal(bench_compare(&before, &noise, BENCH_TOLERANCE), BENCH_ALIKE);
    assert_int_equal(bench_compare(&before, &little, BENCH_TOLERANCE), BENCH_ALIKE);
    assert_int_equal(bench_compare(&before, &little, 0.1), BENCH_SLOWER);
    assert_int_equal(bench_compare(&before, &slower, BENCH_TOLERANCE), BENCH_SLOWER);
    assert_int_equal(bench_compare(&before, &slower, 0.5), BENCH_ALIKE);
    assert_int_equal(bench_compare(&before, &faster, BENCH_TOLERANCE), BENCH_FASTER);
}

static void test_written_and_read(void **state)
{
    (void)state;
    const struct bench_line line = {
        "T1",
        {{.unit = "M/s", .must = 1, .aim = 2, .naive = "toy", .ratio_least = 2},
         {.unit = "GiB", .what = "peak memory", .must = 1, .aim = 1}},
        2,
        false,
        NULL};
    struct bench_result results[2] = {{.line = &line, .round_count = 2}, {.line = &line}};
    const struct bench_setting setting = {.is_quick = true, .seed = 3};
    for (int i = 0; i < 2; i++)
        results[0].rounds[i] = (struct bench_round){
            .workload = "toys", .values = {1.5 + i, 0.5}, .ratios = {2.5 + i, 0}};
    results[1].round_count = 1;
    memcpy(results[1].rounds[0].left_out, "no toys", 8);
    struct text text = TEXT_INIT;
    struct bench_file *file;
    struct berth_error err = BERTH_ERROR_INIT;
    bench_file_format(results, 2, &setting, &text);
    json_t *json = json_loads(text.bytes, 0, NULL);
    assert_true(bench_file_is(json));
    assert_int_equal(bench_file_read(json, "t.json", &file, &err), BERTH_OK);
    assert_true(file->is_quick);
    assert_int_equal(file->ratios.count, 1);
    const struct bench_file_ratio *ratio = &file->ratios.items[0];
    assert_string_equal(ratio->id, "T1");
    assert_string_equal(ratio->to, "toy");
    assert_int_equal(ratio->count, 2);
    assert_true(ratio->values[0] == 2.5 && ratio->values[1] == 3.5);
    assert_ptr_equal(bench_file_find(file, ratio), ratio);
    bench_file_destroy(file);
    json_decref(json);
    text_free(&text);
}

static void test_other_files(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}", "{\"format\":\"berth-bench/0\"}", "[]",
                                        "{\"format\":\"berth-bench/1\",\"lines\":[{}]}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct bench_file *file;
        struct berth_error err = BERTH_ERROR_INIT;
        json_t *json = json_loads(texts[i], 0, NULL);
        assert_int_equal(bench_file_read(json, "t.json", &file, &err), BERTH_ERR_INPUT);
        assert_null(file);
        assert_non_null(strstr(err.text, "t.json"));
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slower_and_noise),
        cmocka_unit_test(test_written_and_read),
        cmocka_unit_test(test_other_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
