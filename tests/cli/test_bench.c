/* test_bench.c -- `berth bench` and the gate over its files; the ratios themselves are CI's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "scheduler/base/mem.h"
#include "tests/support/berth.h"
#include "tests/support/scratch.h"

static void test_one_line(void **state)
{
    (void)state;
    struct berth_answer answer = berth_run(NULL, "bench --quick S3");
    if (answer.status != 0)
        fail_msg("%s%s", answer.out, answer.err);
    assert_string_equal(answer.err, "");
    assert_true(strncmp(answer.out, "S3  berth run, start to exit: 10000 machines", 40) == 0);
    assert_non_null(strstr(answer.out, "must 0.1, aim 0.03: "));
    assert_non_null(strstr(answer.out, "10000 of 10000 machines were placed; 0 run at the end"));
    assert_non_null(strstr(answer.out, "\npassed: 1 lines; figures: "));
    berth_answer_free(&answer);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *says;
    } cases[] = {{"bench P0", "no line \"P0\"; did you mean P1?"},
                 {"bench nothing-like-it", "see berth bench --help"},
                 {"bench --quik", "did you mean --quick?"},
                 {"bench --seed x", "--seed: \"x\" is not a whole number"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct berth_answer answer = berth_run(NULL, "%s", cases[i].arguments);
        assert_int_equal(answer.status, 2);
        assert_non_null(strstr(answer.err, cases[i].says));
        berth_answer_free(&answer);
    }
}

static void test_left_out_without_traces(void **state)
{
    (void)state;
    struct berth_answer answer = berth_run("BERTH_TRACES=/nowhere", "bench S5");
    assert_int_equal(answer.status, 0);
    assert_non_null(strstr(answer.out, "    left out: /nowhere/"));
    berth_answer_free(&answer);
}

static char *measured; /* a file of --json */

static void gate(const char *options, const char *result, int status, const char *says)
{
    struct berth_answer answer = berth_run(NULL, "gate %s '%s' '%s'", options, measured, result);
    if (answer.status != status ||
        (strstr(answer.out, says) == NULL && strstr(answer.err, says) == NULL))
        fail_msg("gate %s: exit status %d, wanted %d and \"%s\"\n%s%s", options, answer.status,
                 status, says, answer.out, answer.err);
    berth_answer_free(&answer);
}

/* The file with every round's ratio of E1 times `factor`, and `quick` as said; or an empty list. */
static const char *edited(double factor, bool is_quick, bool has_lines)
{
    json_t *json = json_load_file(measured, 0, NULL);
    json_t *line = json_array_get(json_object_get(json, "lines"), 0);
    json_t *figure = json_array_get(json_object_get(line, "figures"), 0);
    json_t *values = json_object_get(json_object_get(figure, "ratio"), "values");
    for (size_t i = 0; i < json_array_size(values); i++)
        (void)json_array_set_new(values, i,
                                 json_real(json_number_value(json_array_get(values, i)) * factor));
    (void)json_object_set_new(json, "quick", json_boolean(is_quick));
    if (!has_lines)
        (void)json_object_set_new(json, "lines", json_array());
    const char *path = scratch_path("edited.json");
    assert_int_equal(json_dump_file(json, path, JSON_INDENT(2)), 0);
    json_decref(json);
    return path;
}

/* The ratio is not judged here: other tests run at the same time, and sanitizers. */
static void test_json_and_gate(void **state)
{
    (void)state;
    struct berth_answer answer = berth_run(NULL, "bench --quick --json --seed 7 E1");
    json_t *json = json_loads(answer.out, 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "format")), "berth-bench/1");
    assert_int_equal(json_integer_value(json_object_get(json, "seed")), 7);
    assert_non_null(json_string_value(json_object_get(json, "buildId")));
    json_decref(json);
    measured = mem_copy_text(scratch_write_text("measured.json", answer.out));
    berth_answer_free(&answer);
    gate("", measured, 0, "passed: 0 slower, 1 alike, 0 faster");
    gate("", edited(0.3, true, true), 1, "SLOWER");
    gate("--tolerance E1=80%", edited(0.3, true, true), 0, "passed");
    gate("--tolerance 80", edited(0.3, true, true), 0, "passed");
    gate("", edited(3, true, true), 0, "1 faster");
    gate("", edited(1, false, true), 2, "their workloads differ");
    gate("", edited(1, true, false), 2, "has no ratio of E1 to the binary heap");
    gate("--tolerance cost=5%", measured, 2, "has no ratio of a line \"cost\"");
    gate("", scratch_write_text("other.json", "{}"), 2, "is not what berth bench --json writes");
    gate("", scratch_path("none.json"), 2, "none.json");
    mem_free(measured);
}

static int clean(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_line),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_left_out_without_traces),
        cmocka_unit_test(test_json_and_gate),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
