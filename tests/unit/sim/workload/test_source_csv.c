#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "sim/scenario/scenario.h"
#include "sim/workload/source.h"
#include "tests/support/scratch.h"

#define S BERTH_NS_PER_S

static struct scenario_arrival replay(void)
{
    return (struct scenario_arrival){.name = "trace",
                                     .process = ARRIVAL_CSV,
                                     .csv_path = "w.csv",
                                     .limit = UINT64_MAX,
                                     .end_ns = BERTH_NS_NEVER,
                                     .count = 2,
                                     .task_definition = "job"};
}

static struct source *open_text(const struct scenario_arrival *arrival, const char *text)
{
    struct source *source;
    struct berth_error err = BERTH_ERROR_INIT;
    if (source_open_text(arrival, 1, 1000 * S, text, strlen(text), &source, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return source;
}

static bool next(struct source *source, struct source_task *task)
{
    bool has_task;
    struct berth_error err = BERTH_ERROR_INIT;
    if (source_next(source, task, &has_task, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return has_task;
}

static void test_every_column(void **state)
{
    (void)state;
    struct scenario_arrival arrival = replay();
    struct source *source = open_text(
        &arrival, "x-note,arrival,lifetime,taskDefinition,cpu,memory,gpu,group,count,constraint\n"
                  "hi,1.5,20,web,1024,512,1+0.46,g,3,\"attribute:gpu-model in [A,B]\"\n"
                  ",1.5,,,,,,,,\n"
                  ",2,0,,0,0,0,,,\n"
                  ",2,0.000000001,,,,8,,,\n");
    struct source_task task;
    assert_true(next(source, &task));
    assert_int_equal(task.at_ns, 1500000000);
    assert_int_equal(task.number, 0);
    assert_string_equal(task.task_definition, "web");
    assert_string_equal(task.group, "g");
    assert_string_equal(task.constraint, "attribute:gpu-model in [A,B]");
    assert_int_equal(task.count, 3);
    assert_int_equal(task.cpu_units, 1024);
    assert_int_equal(task.mem_mib, 512);
    assert_true(task.overrides_gpus);
    assert_int_equal(task.gpu_count, 2);
    assert_int_equal(task.gpus[0].milli, 1000);
    assert_int_equal(task.gpus[1].milli, 460);
    assert_true(task.has_lifetime);
    assert_int_equal(task.lifetime_ns, 20 * S);

    assert_true(next(source, &task)); /* empty: what the scenario says */
    assert_int_equal(task.number, 1);
    assert_string_equal(task.task_definition, "job");
    assert_null(task.group);
    assert_null(task.constraint);
    assert_int_equal(task.count, 2);
    assert_int_equal(task.cpu_units, OVERRIDE_NONE);
    assert_int_equal(task.mem_mib, OVERRIDE_NONE);
    assert_false(task.overrides_gpus);
    assert_false(task.has_lifetime);

    assert_true(next(source, &task)); /* zeros are values */
    assert_int_equal(task.cpu_units, 0);
    assert_int_equal(task.mem_mib, 0);
    assert_true(task.overrides_gpus);
    assert_int_equal(task.gpu_count, 0);
    assert_true(task.has_lifetime);
    assert_int_equal(task.lifetime_ns, 0);

    assert_true(next(source, &task));
    assert_int_equal(task.lifetime_ns, 1);
    assert_int_equal(task.gpus[0].milli, 8000);
    assert_false(next(source, &task));
    assert_false(next(source, &task));
    source_close(source);
}

/* startAt moves all rows; what comes at or past the end, or past the limit, does not come. */
static void test_window_and_limit(void **state)
{
    (void)state;
    static const char text[] = "arrival\n0\n10\n20\n30\n";
    struct scenario_arrival arrival = replay();
    struct source_task task;
    arrival.start_ns = 5 * S;
    arrival.end_ns = 25 * S;
    struct source *source = open_text(&arrival, text);
    assert_true(next(source, &task) && task.at_ns == 5 * S);
    assert_true(next(source, &task) && task.at_ns == 15 * S);
    assert_false(next(source, &task));
    assert_false(next(source, &task));
    source_close(source);
    arrival.end_ns = BERTH_NS_NEVER;
    arrival.limit = 3;
    source = open_text(&arrival, text);
    for (int i = 0; i < 3; i++)
        assert_true(next(source, &task));
    assert_false(next(source, &task));
    source_close(source);
}

/* Rows without a lifetime draw it by their number: a row's own lifetime moves no other's. */
static void test_draws_are_keyed_by_row(void **state)
{
    (void)state;
    struct scenario_arrival arrival = replay();
    arrival.has_lifetime = arrival.has_cpu = true;
    arrival.lifetime =
        (struct distribution){.kind = DISTRIBUTION_EXPONENTIAL, .p = {60}, .max = DBL_MAX};
    arrival.cpu =
        (struct distribution){.kind = DISTRIBUTION_UNIFORM, .p = {100, 900}, .max = DBL_MAX};
    struct source *a = open_text(&arrival, "arrival,lifetime,cpu\n1,,\n2,,\n3,,\n");
    struct source *b = open_text(&arrival, "arrival,lifetime,cpu\n1,7,77\n2,,\n3,,\n");
    struct source_task from_a, from_b;
    for (int i = 0; i < 3; i++) {
        assert_true(next(a, &from_a) && next(b, &from_b));
        assert_true(from_a.has_lifetime && from_b.has_lifetime);
        assert_true(from_a.lifetime_ns == BERTH_NS_NEVER);
        assert_true(from_b.lifetime_ns == (i == 0 ? 7 * S : BERTH_NS_NEVER));
        assert_int_equal(source_lifetime(a, (uint64_t)i), source_lifetime(b, (uint64_t)i));
        assert_int_equal(from_a.cpu_units == from_b.cpu_units, i > 0);
    }
    source_close(a);
    source_close(b);
}

static void test_bad_rows(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"arival\n1\n", "w.csv:1: no column \"arrival\"; rename \"arival\" if that is it"},
        {"arrival,lifetme\n", "w.csv:1: column \"lifetme\": unknown; did you mean \"lifetime\"?"},
        {"arrival,zzzzzz\n",
         "w.csv:1: column \"zzzzzz\": unknown; begin the name with x- to have it ignored"},
        {"arrival\nabc\n", "w.csv:2: column \"arrival\": \"abc\" is not a number; write seconds"},
        {"arrival\n-1\n", "w.csv:2: column \"arrival\": \"-1\" is negative"},
        {"arrival\n1e300\n", "w.csv:2: column \"arrival\": \"1e300\" is too large"},
        {"arrival\n5\n4.9\n",
         "w.csv:3: column \"arrival\": 4.9 is before the row above it; sort the rows"},
        {"arrival,lifetime\n,1\n", "w.csv:2: column \"arrival\": the cell is empty"},
        {"arrival,cpu\n1,1.5\n", "w.csv:2: column \"cpu\": \"1.5\" has too many decimal places"},
        {"arrival,cpu\n1,2147483648\n", "w.csv:2: column \"cpu\": \"2147483648\" is too large"},
        {"arrival,memory\n1,1GB\n", "w.csv:2: column \"memory\": \"1GB\" is not a number"},
        {"arrival,count\n1,0\n", "w.csv:2: column \"count\": 0 is less than 1"},
        {"arrival,gpu\n1,1.5\n",
         "w.csv:2: column \"gpu\": request 1 is more than one card, and not whole"},
        {"arrival,gpu\n1,1+\n", "w.csv:2: column \"gpu\": request 2 is not a number"},
        {"arrival,gpu\n1,65\n", "w.csv:2: column \"gpu\": request 1 is too large"},
        {"arrival,gpu\n1,0.0001\n",
         "w.csv:2: column \"gpu\": request 1 has too many decimal places"},
        {"arrival,gpu\n1,1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1\n",
         "w.csv:2: column \"gpu\": more than 16 requests"},
        {"arrival,gpu\n1,11111111111111111111111111111111111\n",
         "w.csv:2: column \"gpu\": request 1 is not a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scenario_arrival arrival = replay();
        struct source *source;
        struct source_task task;
        struct berth_error err = BERTH_ERROR_INIT;
        bool has_task = true;
        enum berth_err code = source_open_text(&arrival, 1, 1000 * S, cases[i].text,
                                               strlen(cases[i].text), &source, &err);
        while (code == BERTH_OK && has_task)
            code = source_next(source, &task, &has_task, &err);
        source_close(source);
        if (code != BERTH_ERR_INPUT ||
            strncmp(err.text, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("case %zu: %s", i, err.text);
    }
    struct scenario_arrival arrival = replay();
    arrival.task_definition = NULL;
    struct source *source = open_text(&arrival, "arrival\n1\n");
    struct source_task task;
    bool has_task;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(source_next(source, &task, &has_task, &err), BERTH_ERR_INPUT);
    assert_non_null(strstr(err.text, "w.csv:2: the row names no task definition"));
    source_close(source);
}

/* The caller's own complaint stands at the row's place. */
static void test_fail_at_the_row(void **state)
{
    (void)state;
    struct scenario_arrival arrival = replay();
    struct source *source = open_text(&arrival, "arrival,constraint\n1,oops\n");
    struct source_task task;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_true(next(source, &task));
    assert_int_equal(source_fail(source, "constraint", &err, "at %d", 3), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "w.csv:2: column \"constraint\": at 3");
    source_close(source);
}

static void test_files(void **state)
{
    (void)state;
    enum { ROWS = 30000 };
    struct text text = TEXT_INIT;
    text_add(&text, "arrival,lifetime,cpu\n");
    for (int i = 0; i < ROWS; i++)
        text_addf(&text, "%d.%d,%d,%d\n", i / 10, i % 10, i % 77, i % 1024);
    struct scenario_arrival arrival = replay();
    const char *paths[2] = {scratch_write("a.csv", text.bytes, text.length),
                            scratch_write_gzip("b.csv.gz", text.bytes, text.length)};
    for (int f = 0; f < 2; f++) {
        struct source *source;
        struct source_task task;
        struct berth_error err = BERTH_ERROR_INIT;
        char path[1024];
        (void)snprintf(path, sizeof path, "%s", paths[f]);
        arrival.csv_path = path;
        if (source_open(&arrival, 1, 10000 * S, &source, &err) != BERTH_OK)
            fail_msg("%s", err.text);
        for (int i = 0; i < ROWS; i++) {
            assert_true(next(source, &task));
            assert_int_equal(task.at_ns, i * (S / 10));
            assert_int_equal(task.number, i);
            assert_int_equal(task.lifetime_ns, i % 77 * S);
            assert_int_equal(task.cpu_units, i % 1024);
        }
        assert_false(next(source, &task));
        source_close(source);
    }
    struct source *source;
    struct berth_error err = BERTH_ERROR_INIT;
    arrival.csv_path = (char[]){"no-such-file.csv"};
    assert_int_equal(source_open(&arrival, 1, S, &source, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "no-such-file.csv: cannot be opened: No such file or directory");
    text_free(&text);
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
        cmocka_unit_test(test_every_column),           cmocka_unit_test(test_window_and_limit),
        cmocka_unit_test(test_draws_are_keyed_by_row), cmocka_unit_test(test_bad_rows),
        cmocka_unit_test(test_fail_at_the_row),        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
