#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/report/table.h"
#include "tests/support/made.h"

static const char *const names[] = {"spread", "pack", NULL};

static void make(struct made *made, uint32_t replications)
{
    made_open(made, names, replications);
    made_series(made, 0, METRIC_AVAILABILITY, 0.5, 0.01);
    made_series(made, 1, METRIC_AVAILABILITY, 0.4, 0.01);
    made_series(made, 0, METRIC_COST, 20, 0);
    made_series(made, 1, METRIC_COST, 15, 0);
    made_conclude(made);
}

static void test_table(void **state)
{
    (void)state;
    struct made made;
    make(&made, 3);
    struct ranking *ranking = ranking_create(made.experiment);
    struct text text = TEXT_INIT;
    table_format(ranking, &text);
    assert_string_equal(text.bytes, "\n"
                                    "            availability   cost\n"
                                    "  strategy             %      $\n"
                                    "  ------------------------------\n"
                                    "  spread              51*    20\n"
                                    "  pack                41     15*\n"
                                    "  mean of 3 replications;  * best of its column\n");
    text_free(&text);
    ranking_destroy(ranking);
    made_close(&made);
}

static void answer(struct made *made, const char *wanted)
{
    struct ranking *ranking = ranking_create(made->experiment);
    struct text text = TEXT_INIT;
    table_format_answer(ranking, &text);
    if (strcmp(text.bytes, wanted) != 0)
        fail_msg("\n\"%s\" is not\n\"%s\"", text.bytes, wanted);
    text_free(&text);
    ranking_destroy(ranking);
    made_close(made);
}

static void test_a_lead_and_its_price(void **state)
{
    (void)state;
    struct made made;
    make(&made, 3);
    answer(&made, "spread leads: availability 51% against 41% of pack (higher by 10 points in "
                  "every replication); its price: cost 20 $ against 15 $ of pack.");
}

static void test_one_run_proves_nothing(void **state)
{
    (void)state;
    struct made made;
    make(&made, 1);
    answer(&made, "spread leads: availability 50% against 40% of pack (one pair of runs: it "
                  "may be chance).");
}

static void test_nothing_tells_them_apart(void **state)
{
    (void)state;
    struct made made;
    made_open(&made, names, 4);
    for (uint32_t k = 0; k < 4; k++) {
        made_value(&made, 0, k, METRIC_COST, k % 2 == 0 ? 10 : 20);
        made_value(&made, 1, k, METRIC_COST, k % 2 == 0 ? 21 : 10);
    }
    made_conclude(&made);
    answer(&made, "4 replications do not tell the strategies apart in any figure above.");
}

static void test_level_first_and_apart_later(void **state)
{
    (void)state;
    static const char *const three[] = {"a", "b", "c", NULL};
    struct made made;
    made_open(&made, three, 4);
    made_series(&made, 0, METRIC_AVAILABILITY, 0.9, 0);
    made_series(&made, 1, METRIC_AVAILABILITY, 0.9, 0);
    made_series(&made, 2, METRIC_AVAILABILITY, 0.5, 0);
    made_series(&made, 0, METRIC_COST, 8, 0);
    made_series(&made, 1, METRIC_COST, 6, 0);
    made_series(&made, 2, METRIC_COST, 4, 0);
    made_conclude(&made);
    answer(&made, "b leads: availability 90% against 50% of c (higher by 40 points in every "
                  "replication); a is level there but behind in cost, 8 $ against 6 $; its "
                  "price: cost 6 $ against 4 $ of c.");
}

static void test_an_interval(void **state)
{
    (void)state;
    struct made made;
    made_open(&made, names, 4);
    made_series(&made, 0, METRIC_COST, 10, 1);
    made_series(&made, 1, METRIC_COST, 20, 2);
    made_conclude(&made);
    /* differences 10, 11, 12, 13: 11.5 and 3.1824 times 1.2910 / 2 */
    answer(&made,
           "spread leads: cost 11.50 $ against 23.00 $ of pack (lower by 9.45 to 13.55 $ with "
           "95% confidence); no price for it shows in the other figures.");
}

static void test_alone(void **state)
{
    (void)state;
    static const char *const one[] = {"base", NULL};
    struct made made;
    made_open(&made, one, 2);
    made_series(&made, 0, METRIC_COST, 8, 0);
    made_conclude(&made);
    answer(&made, "base alone, with nothing to compare: cost 8 $.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_a_lead_and_its_price),
        cmocka_unit_test(test_one_run_proves_nothing),
        cmocka_unit_test(test_nothing_tells_them_apart),
        cmocka_unit_test(test_level_first_and_apart_later),
        cmocka_unit_test(test_an_interval),
        cmocka_unit_test(test_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
