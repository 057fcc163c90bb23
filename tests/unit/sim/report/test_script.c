#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/report/script.h"
#include "tests/support/made.h"

static const char *const names[] = {"a", "a rather long name of a strategy", "c", NULL};

static void test_quoting(void **state)
{
    (void)state;
    struct text text = TEXT_INIT;
    script_quote("it's `date` \"x\"\n\\", &text);
    assert_string_equal(text.bytes, "'it''s `date` \"x\"?\\'");
    text_free(&text);
}

static void test_steps_are_round(void **state)
{
    (void)state;
    static const struct {
        double low, high;
        int most;
        double step;
        int decimals;
    } cases[] = {{0, 10, 5, 2, 0},       {0, 1, 5, 0.2, 1},   {0.4, 0.5, 4, 0.025, 3},
                 {0, 99, 4, 25, 0},      {95, 97.4, 4, 1, 0}, {0, 1e6, 5, 200000, 0},
                 {0, 2.5e-5, 4, 1e-5, 5}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double step = script_step(cases[i].low, cases[i].high, cases[i].most);
        if (fabs(step - cases[i].step) > 1e-9 * step)
            fail_msg("case %zu: step %g", i, step);
        assert_true((cases[i].high - cases[i].low) / step <= cases[i].most + 1e-9);
        assert_int_equal(script_step_decimals(step), cases[i].decimals);
    }
}

static void test_units_of_time(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *unit;
        double end, step;
    } cases[] = {{300, "s", 300, 25},
                 {7200, "min", 120, 10},
                 {6 * 3600, "h", 6, 1},
                 {48 * 3600, "h", 48, 4},
                 {100 * 86400.0, "days", 100, 10}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made made;
        made_open(&made, names, 1);
        for (int v = 0; v < 3; v++)
            made.scenarios[v].run.duration_ns =
                (berth_ns)(cases[i].seconds * (double)BERTH_NS_PER_S);
        struct script_time time = script_time(made.experiment);
        assert_string_equal(time.unit, cases[i].unit);
        assert_true(time.end == cases[i].end);
        assert_true(time.step == cases[i].step);
        made_close(&made);
    }
}

static void test_legends_flow(void **state)
{
    (void)state;
    struct made made;
    made_open(&made, names, 1);
    made_conclude(&made);
    struct ranking *ranking = ranking_create(made.experiment);
    struct text text = TEXT_INIT;
    struct script script = {.ranking = ranking, .out = &text, .width = 1000, .height = 100};
    assert_int_equal(script_legend_extra_height(&script, 20, 3), 0);
    script.width = 200;
    assert_int_equal(script_legend_extra_height(&script, 20, 3), 34);
    script_legend(&script, 20, 20, 3);
    assert_non_null(strstr(text.bytes, "'a rather long name of a strategy'"));
    text_free(&text);
    ranking_destroy(ranking);
    made_close(&made);
}

/* Without waits and without heat there is nothing to draw, and no half of a plot. */
static void test_nothing_to_draw(void **state)
{
    (void)state;
    struct made made;
    made_open(&made, names, 2);
    made_conclude(&made);
    struct ranking *ranking = ranking_create(made.experiment);
    struct text text = TEXT_INIT;
    struct script script = {.ranking = ranking, .out = &text};
    assert_false(script_waits(&script));
    assert_false(script_heat(&script));
    assert_false(script_metrics(&script));
    assert_int_equal(text.length, 0);
    assert_true(script_reservation(&script));
    assert_non_null(strstr(text.bytes, "CPU reserved, %"));
    assert_null(strstr(text.bytes, "memory reserved, %"));
    text_free(&text);
    ranking_destroy(ranking);
    made_close(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quoting),         cmocka_unit_test(test_steps_are_round),
        cmocka_unit_test(test_units_of_time),   cmocka_unit_test(test_legends_flow),
        cmocka_unit_test(test_nothing_to_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
