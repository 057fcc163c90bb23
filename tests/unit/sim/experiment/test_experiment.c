#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/experiment.h"
#include "sim/experiment/files.h"
#include "sim/experiment/summary.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

struct heard {
    uint32_t done, total;
    char notice[200];
};

static void on_progress(void *context, uint32_t done, uint32_t total)
{
    struct heard *heard = context;
    heard->done = done;
    heard->total = total;
}

static void on_notice(void *context, const char *line)
{
    struct heard *heard = context;
    snprintf(heard->notice, sizeof heard->notice, "%s", line);
}

/* The summary of a whole run, as text; owned by the caller. */
static char *run(const struct scenario_set *set, const char *parts, uint32_t jobs,
                 uint32_t replications, const uint64_t *seed, struct heard *heard)
{
    struct experiment_options options = {.parts = parts,
                                         .seed = seed,
                                         .replications = replications,
                                         .jobs = jobs,
                                         .progress = on_progress,
                                         .notice = on_notice,
                                         .context = heard};
    struct experiment *experiment = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    struct text text = TEXT_INIT;
    memset(heard, 0, sizeof *heard);
    if (experiment_run(set, &options, &experiment, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    summary_format(experiment, &text);
    experiment_destroy(experiment);
    return text.bytes;
}

static void test_jobs_do_not_matter(void **state)
{
    (void)state;
    struct scenario_set *set = tiny_load("");
    struct heard heard;
    char *one = run(set, scratch_path("one"), 1, 0, NULL, &heard);
    assert_int_equal(heard.done, 8);
    assert_int_equal(heard.total, 8);
    char *three = run(set, scratch_path("three"), 3, 0, NULL, &heard);
    assert_string_equal(one, three);
    mem_free(three);
    char *again = run(set, scratch_path("one"), 2, 0, NULL, &heard);
    assert_string_equal(one, again);
    assert_int_equal(heard.total, 0); /* nothing was left to do */
    mem_free(again);
    mem_free(one);
    scenario_set_destroy(set);
}

static void test_what_is_missing_is_computed(void **state)
{
    (void)state;
    struct scenario_set *set = tiny_load("");
    struct heard heard;
    char *whole = run(set, scratch_path("parts"), 2, 0, NULL, &heard);
    size_t length;
    char *bytes = scratch_read(scratch_path("parts/parts"), &length);
    bytes[length / 2] ^= 1;
    scratch_write("parts/parts", bytes, length - 1);
    mem_free(bytes);
    char *mended = run(set, scratch_path("parts"), 2, 0, NULL, &heard);
    assert_string_equal(whole, mended);
    assert_string_equal(heard.notice, "continuing: 6 of 8 replications are done");
    char *longer = run(set, scratch_path("parts"), 2, 6, NULL, &heard);
    assert_string_equal(heard.notice, "continuing: 8 of 12 replications are done");
    assert_string_not_equal(whole, longer);
    mem_free(longer);
    mem_free(mended);
    mem_free(whole);
    scenario_set_destroy(set);
}

static void test_parts_of_another_run_are_discarded(void **state)
{
    (void)state;
    struct scenario_set *set = tiny_load("");
    struct heard heard;
    uint64_t seed = 99;
    char *first = run(set, scratch_path("mixed"), 2, 0, NULL, &heard);
    char *other = run(set, scratch_path("mixed"), 2, 0, &seed, &heard);
    assert_non_null(strstr(heard.notice, "was discarded"));
    assert_int_equal(heard.total, 8);
    char *fresh = run(set, scratch_path("fresh"), 2, 0, &seed, &heard);
    assert_string_equal(other, fresh);
    assert_string_not_equal(first, other);
    mem_free(fresh);
    mem_free(other);
    mem_free(first);
    scenario_set_destroy(set);
}

static void test_until_it_is_precise(void **state)
{
    (void)state;
    struct scenario_set *set =
        tiny_load(",\"precision\":{\"metric\":\"tasksPlaced\",\"relativeHalfWidth\":0.05,"
                  "\"maximumReplications\":60}");
    struct experiment_options options = {.parts = scratch_path("precise"), .jobs = 2};
    struct experiment *experiment = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(experiment_run(set, &options, &experiment, &err), BERTH_OK);
    assert_in_range(experiment->replication_count, 5, 60);
    for (uint32_t v = 0; v < experiment->variant_count; v++) {
        struct statistics_summary summary = experiment->variants[v].summaries[METRIC_TASKS_PLACED];
        assert_true(experiment->replication_count == 60 ||
                    (summary.high - summary.low) / 2 <= 0.05 * summary.mean);
    }
    experiment_destroy(experiment);
    options.replications = 3; /* asked for by number: no more, no fewer */
    assert_int_equal(experiment_run(set, &options, &experiment, &err), BERTH_OK);
    assert_int_equal(experiment->replication_count, 3);
    experiment_destroy(experiment);
    scenario_set_destroy(set);
}

static void test_interrupted_with_what_is_done(void **state)
{
    (void)state;
    struct scenario_set *set = tiny_load("");
    struct heard heard;
    static volatile sig_atomic_t stop = 1;
    mem_free(run(set, scratch_path("stopped"), 2, 2, NULL, &heard));
    struct experiment_options options = {
        .parts = scratch_path("stopped"), .jobs = 2, .stop = &stop};
    struct experiment *experiment = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(experiment_run(set, &options, &experiment, &err), BERTH_ERR_INTERRUPTED);
    assert_non_null(experiment);
    assert_int_equal(experiment->replication_count, 2);
    assert_non_null(strstr(err.text, "4 of 8 replications are finished"));
    experiment_destroy(experiment);
    options.parts = scratch_path("at-once");
    assert_int_equal(experiment_run(set, &options, &experiment, &err), BERTH_ERR_INTERRUPTED);
    assert_null(experiment);
    scenario_set_destroy(set);
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
        cmocka_unit_test(test_jobs_do_not_matter),
        cmocka_unit_test(test_what_is_missing_is_computed),
        cmocka_unit_test(test_parts_of_another_run_are_discarded),
        cmocka_unit_test(test_until_it_is_precise),
        cmocka_unit_test(test_interrupted_with_what_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
