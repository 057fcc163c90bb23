/* test_measure.c -- rounds, medians and verdicts; a line that crashes is one failed line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/bench/bench.h"

static void measure_well(const struct bench_setting *setting, struct bench_round *round)
{
    bench_describe(round, "a line of seed %u", (unsigned)setting->seed);
    round->values[0] = 3;
    round->ratios[0] = 1.5;
    (void)bench_check(round, true, "all is well");
}

static void measure_and_crash(const struct bench_setting *setting, struct bench_round *round)
{
    (void)setting;
    (void)round;
    abort();
}

static void measure_wrongly(const struct bench_setting *setting, struct bench_round *round)
{
    measure_well(setting, round);
    (void)bench_check(round, false, "%d is not %d", 1, 2);
}

static struct bench_line line_of(void (*measure)(const struct bench_setting *,
                                                 struct bench_round *))
{
    return (struct bench_line){
        "T1",
        {{.unit = "M/s", .must = 2, .aim = 4, .naive = "toy", .ratio_least = 1.25}},
        1,
        false,
        measure};
}

static const struct bench_setting setting = {.seed = 5};

static void test_five_rounds(void **state)
{
    (void)state;
    struct bench_line line = line_of(measure_well);
    struct bench_result result;
    struct text text = TEXT_INIT;
    bench_measure(&line, &setting, &result);
    assert_int_equal(result.round_count, BENCH_ROUNDS_MAX);
    assert_true(bench_value(&result, 0).median == 3 && bench_value(&result, 0).spread == 0);
    assert_int_equal(bench_judge(&result, 0), BENCH_MET);
    assert_false(bench_has_failed(&result));
    bench_format(&result, &text);
    assert_non_null(strstr(text.bytes, "T1  a line of seed 5\n"));
    assert_non_null(strstr(text.bytes, "met; 1.5x the toy (at least 1.25x)"));
    text_free(&text);
}

static void test_what_fails(void **state)
{
    (void)state;
    struct bench_line lines[] = {line_of(measure_and_crash), line_of(measure_wrongly),
                                 line_of(measure_well)};
    struct bench_result results[3];
    struct text text = TEXT_INIT;
    lines[2].figures[0].ratio_least = 2;
    for (int i = 0; i < 3; i++)
        bench_measure(&lines[i], &setting, &results[i]);
    assert_int_equal(results[0].round_count, 1);
    assert_true(bench_has_failed(&results[0]));
    assert_non_null(strstr(results[0].rounds[0].checks[0].what, "signal 6"));
    assert_int_equal(results[1].round_count, 1);
    assert_true(bench_has_failed(&results[1]));
    assert_int_equal(bench_has_failed(&results[2]), bench_judges_ratios);
    bench_format_summary(results, 2, &text);
    assert_non_null(strstr(text.bytes, "FAILED: 2 lines"));
    assert_non_null(strstr(text.bytes, "failed in T1, T1\n"));
    text_free(&text);
}

static void test_verdicts(void **state)
{
    (void)state;
    struct bench_line line = line_of(measure_well);
    struct bench_result result = {.line = &line, .round_count = 1};
    result.rounds[0].values[0] = 4;
    assert_int_equal(bench_judge(&result, 0), BENCH_AIMED);
    result.rounds[0].values[0] = 1.9;
    assert_int_equal(bench_judge(&result, 0), BENCH_MISSED);
    line.figures[0].is_lower_better = true;
    assert_int_equal(bench_judge(&result, 0), BENCH_AIMED);
    result.rounds[0].is_smaller = true;
    assert_int_equal(bench_judge(&result, 0), BENCH_NOT_JUDGED);
}

static void test_numbers(void **state)
{
    (void)state;
    const double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2};
    assert_true(bench_number_of(odd, 3).median == 3);
    assert_true(bench_number_of(odd, 3).spread == 4.0 / 3);
    assert_true(bench_number_of(even, 4).median == 2.5);
    struct bench_dice dice = {9};
    uint32_t seen[6] = {0};
    for (int i = 0; i < 6000; i++)
        seen[bench_roll(&dice, 6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 850, 1150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_five_rounds),
        cmocka_unit_test(test_what_fails),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
