/* The published table can be made: every cell of it is there, and its claims are those of ECS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "tests/support/berth.h"
#include "tests/support/scratch.h"

static double cell(const char *table, const char *row, int column)
{
    const char *at = strstr(table, row);
    if (at == NULL)
        fail_msg("no row %s in:\n%s", row, table);
    for (; column > 0; column--)
        at = strchr(at + 1, '|');
    return strtod(at + 1, NULL);
}

static char *make_table(const char *folder)
{
    struct text command = TEXT_INIT, table = TEXT_INIT;
    char piece[4096];
    text_addf(&command, "awk -f scenarios/convergence/table.awk '%s/metrics.csv'", folder);
    FILE *pipe = popen(command.bytes, "r");
    assert_non_null(pipe);
    for (size_t got; (got = fread(piece, 1, sizeof piece, pipe)) > 0;)
        text_add_n(&table, piece, got);
    assert_int_equal(pclose(pipe), 0);
    text_free(&command);
    return table.bytes;
}

static void test_every_cell(void **state)
{
    (void)state;
    char *folder = mem_copy_text(scratch_path("convergence-100"));
    struct berth_answer run = berth_run(NULL,
                                        "run --replications 2 --no-plots --quiet --out '%s' "
                                        "scenarios/convergence/100.json",
                                        folder);
    if (run.status != 0)
        print_error("%s", run.err);
    assert_int_equal(run.status, 0);
    char *table = make_table(folder);
    int rows = 0;
    for (const char *at = table; (at = strstr(at, "| 100 |")) != NULL; at++)
        rows++;
    assert_int_equal(rows, 6 * 4);
    /* Missed after 180 s and declared lost 300 s later: nothing can be sooner than that. */
    double zone_s = cell(table, "| zone-loss | binpack memory | 100 ", 3);
    assert_true(zone_s > 480 && zone_s < 900);
    /* A partition harms nobody: its tasks run on and are replaced. */
    assert_true(cell(table, "| partition | random | 100 ", 4) == 0);
    assert_true(cell(table, "| partition | random | 100 ", 6) > 50);
    /* The scheduler is away for two minutes. */
    double crash_s = cell(table, "| controller-crash | spread zone, spread instance | 100 ", 3);
    assert_true(crash_s > 90 && crash_s < 200);
    /* The breaker takes a bad release back before anybody misses anything. */
    assert_true(cell(table, "| bad-release | random | 100 ", 5) == 100);
    mem_free(table);
    mem_free(folder);
    berth_answer_free(&run);
    scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_cell)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
