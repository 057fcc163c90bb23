#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/version.h"
#include "sim/report/csv.h"
#include "tests/support/made.h"

static const char *const names[] = {"plain", "a/x=1,y=\"2\"", NULL};

static void test_metrics(void **state)
{
    (void)state;
    struct made made;
    struct text text = TEXT_INIT;
    made_open(&made, names, 2);
    made_value(&made, 0, 1, METRIC_TASKS_REQUESTED, 12.5);
    made_value(&made, 1, 0, METRIC_TASKS_REQUESTED, NAN);
    made_conclude(&made);
    csv_format_metrics(made.experiment, &text);
    assert_int_equal(strncmp(text.bytes, "# berth ", 8), 0);
    assert_non_null(strstr(text.bytes, berth_build_id));
    assert_non_null(strstr(text.bytes, made.set->hash));
    assert_non_null(
        strstr(text.bytes, "seed 7, 2 replications\nvariant,replication,tasksRequested,"));
    assert_non_null(strstr(text.bytes, "\nplain,0,0,0,"));
    assert_non_null(strstr(text.bytes, "\nplain,1,12.5,0,"));
    assert_non_null(strstr(text.bytes, "\n\"a/x=1,y=\"\"2\"\"\",0,,0,"));
    text_free(&text);
    made_close(&made);
}

static void test_timeline(void **state)
{
    (void)state;
    struct made made;
    struct text text = TEXT_INIT;
    made_open(&made, names, 2);
    made_conclude(&made);
    csv_format_timeline(made.experiment, &text);
    assert_non_null(strstr(text.bytes, "\nvariant,seconds,tasksRunning,"));
    assert_non_null(strstr(text.bytes, "\nplain,1800,0,0,0.5,0,0,0,0,0,0\n"));
    text_free(&text);
    made_close(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_timeline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
