#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/report/ranking.h"
#include "tests/support/made.h"

static const char *const names[] = {"a", "b", "c", "d", NULL};

static const struct ranking_column *column_of(const struct ranking *ranking, enum metric metric)
{
    for (uint32_t c = 0; c < ranking->column_count; c++)
        if (ranking->columns[c].metric == metric)
            return &ranking->columns[c];
    fail_msg("no column %s", metric_infos[metric].name);
    return NULL;
}

static void test_ranks(void **state)
{
    (void)state;
    struct made made;
    made_open(&made, names, 8);
    made_series(&made, 0, METRIC_AVAILABILITY, 0.8, 0.01);
    made_series(&made, 1, METRIC_AVAILABILITY, 0.9, 0.01);
    made_series(&made, 2, METRIC_AVAILABILITY, 0.9, 0.01);
    for (uint32_t k = 0; k < 8; k++)
        made_value(&made, 3, k, METRIC_AVAILABILITY, k % 2 == 0 ? 0.99 : 0.85);
    made_conclude(&made);
    struct ranking *ranking = ranking_create(made.experiment);
    const struct ranking_column *column = column_of(ranking, METRIC_AVAILABILITY);
    assert_int_equal(column->best, 1);
    assert_int_equal(column->cells[0].rank, RANK_WORSE);
    assert_int_equal(column->cells[1].rank, RANK_BEST);
    assert_int_equal(column->cells[2].rank, RANK_BEST);
    assert_int_equal(column->cells[3].rank, RANK_TIED);
    ranking_destroy(ranking);
    made_close(&made);
}

static void test_lower_is_better(void **state)
{
    (void)state;
    struct made made;
    made_open(&made, names, 3);
    for (uint32_t v = 0; v < 4; v++)
        made_series(&made, v, METRIC_COST, 10 - v, 0);
    made_series(&made, 3, METRIC_COST, NAN, 0);
    made_conclude(&made);
    struct ranking *ranking = ranking_create(made.experiment);
    const struct ranking_column *column = column_of(ranking, METRIC_COST);
    assert_int_equal(column->best, 2);
    assert_int_equal(column->cells[1].rank, RANK_WORSE);
    assert_int_equal(column->cells[3].rank, RANK_NONE);
    ranking_destroy(ranking);
    made_close(&made);
}

static void test_one_replication_tests_nothing(void **state)
{
    (void)state;
    struct made made;
    made_open(&made, names, 1);
    for (uint32_t v = 0; v < 4; v++)
        made_series(&made, v, METRIC_COST, 10 - v, 0);
    made_conclude(&made);
    struct ranking *ranking = ranking_create(made.experiment);
    const struct ranking_column *column = column_of(ranking, METRIC_COST);
    assert_int_equal(column->cells[3].rank, RANK_BEST);
    assert_int_equal(column->cells[0].rank, RANK_UNTESTED);
    ranking_destroy(ranking);
    made_close(&made);
}

static void test_columns(void **state)
{
    (void)state;
    char *wanted[] = {(char[]){"events"}, (char[]){"cost"}};
    struct made made;
    made_open(&made, names, 2);
    made_conclude(&made);
    struct ranking *ranking = ranking_create(made.experiment);
    assert_int_equal(ranking->column_count, 0); /* everything is 0 */
    ranking_destroy(ranking);
    made.scenarios[0].run.metrics = wanted;
    made.scenarios[0].run.metric_count = 2;
    ranking = ranking_create(made.experiment);
    assert_int_equal(ranking->column_count, 2);
    assert_int_equal(ranking->columns[0].metric, METRIC_EVENTS);
    assert_int_equal(ranking->columns[0].best, RANKING_NOBODY);
    assert_int_equal(ranking->columns[1].metric, METRIC_COST);
    ranking_destroy(ranking);
    made_close(&made);
}

static void test_digits_show_what_is_significant(void **state)
{
    (void)state;
    struct made made;
    made_open(&made, names, 5);
    for (uint32_t v = 0; v < 4; v++)
        made_series(&made, v, METRIC_AVAILABILITY, 0.99991 + 0.00001 * v, 0);
    made_conclude(&made);
    struct ranking *ranking = ranking_create(made.experiment);
    const struct ranking_column *column = column_of(ranking, METRIC_AVAILABILITY);
    assert_int_equal(ranking_decimals(ranking, column), 3);
    struct text text = TEXT_INIT;
    ranking_format_value(METRIC_AVAILABILITY, 0.99994, 3, &text);
    ranking_format_value(METRIC_AVAILABILITY, NAN, 3, &text);
    ranking_format_value(METRIC_COST, -0.0, 1, &text);
    ranking_format_value(METRIC_COST, 0.0001, 2, &text);
    assert_string_equal(text.bytes, "99.994-0.0<0.01");
    text_free(&text);
    ranking_destroy(ranking);
    made_close(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_lower_is_better),
        cmocka_unit_test(test_one_replication_tests_nothing),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_digits_show_what_is_significant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
