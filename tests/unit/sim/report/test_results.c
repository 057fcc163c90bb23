/* The whole folder, of a real run: results.c, plots.c and html.c together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/version.h"
#include "sim/experiment/files.h"
#include "sim/report/plots.h"
#include "sim/report/results.h"
#include "tests/support/berth.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

static char said[500];

static void on_notice(void *context, const char *line)
{
    (void)context;
    snprintf(said, sizeof said, "%s", line);
}

/* A run into `folder`; what was written. */
static struct results_written run(const char *folder, const char *run_keys, bool wants_plots)
{
    struct scenario_set *set = tiny_load(run_keys);
    char *parts = files_join(folder, ".parts");
    struct experiment_options options = {.parts = parts, .jobs = 2};
    struct results_options writing = {
        .folder = folder, .parts = parts, .wants_plots = wants_plots, .notice = on_notice};
    struct results_written written = {false, false};
    struct experiment *experiment = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    said[0] = '\0';
    if (experiment_run(set, &options, &experiment, &err) != BERTH_OK ||
        results_write(experiment, &writing, &written, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    assert_false(files_exist(parts));
    experiment_destroy(experiment);
    mem_free(parts);
    scenario_set_destroy(set);
    return written;
}

static bool has(const char *folder, const char *name)
{
    char *path = files_join(folder, name);
    struct stat status;
    bool is_there = stat(path, &status) == 0 && (S_ISDIR(status.st_mode) || status.st_size > 0);
    mem_free(path);
    return is_there;
}

static void assert_says_its_origin(const char *folder, const char *name)
{
    char *path = files_join(folder, name);
    size_t length;
    char *text = scratch_read(path, &length);
    assert_non_null(text);
    if (strstr(text, berth_build_id) == NULL || strstr(text, "eed") == NULL)
        fail_msg("%s does not say which build and seed", name);
    mem_free(text);
    mem_free(path);
}

static void test_everything_is_there_and_signed(void **state)
{
    (void)state;
    char *folder = mem_copy_text(scratch_path("all"));
    struct results_written written = run(folder, ",\"events\":true", true);
    if (!written.has_plots && strstr(said, "gnuplot is not installed") != NULL) {
        mem_free(folder);
        skip();
    }
    assert_string_equal(said, "");
    assert_true(written.has_plots);
    assert_true(written.has_events);
    static const char *const signed_files[] = {
        "summary.json",      "metrics.csv",           "timeline.csv",    "events.jsonl",
        "report.html",       "plots/reservation.svg", "plots/waits.svg", "plots/heat.svg",
        "plots/metrics.svg", "services.csv",          "marks.csv"};
    for (size_t i = 0; i < sizeof signed_files / sizeof signed_files[0]; i++)
        assert_says_its_origin(folder, signed_files[i]);
    assert_true(has(folder, "plots/metrics.png"));
    assert_true(has(folder, "plots/reservation.png"));
    assert_true(has(folder, "plots/waits.png"));
    assert_true(has(folder, "plots/heat.png"));
    char *other = mem_copy_text(scratch_path("all-again"));
    (void)run(other, ",\"events\":true", true);
    berth_assert_same_folder(folder, other);
    mem_free(other);
    mem_free(folder);
}

/* One file that needs nothing else: nothing in it is fetched. */
static void test_report_stands_alone(void **state)
{
    (void)state;
    char *folder = mem_copy_text(scratch_path("alone")), *path = files_join(folder, "report.html");
    struct results_written written = run(folder, "", true);
    size_t length;
    char *html = scratch_read(path, &length);
    assert_non_null(html);
    assert_null(strstr(html, "src=\"http"));
    assert_null(strstr(html, "<link"));
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "url(http"));
    assert_non_null(strstr(html, "Which one?"));
    int pictures = 0;
    for (const char *at = html; (at = strstr(at, "<svg")) != NULL; at++)
        pictures++;
    assert_int_equal(pictures, written.has_plots ? PLOT_COUNT : 0);
    mem_free(html);
    mem_free(path);
    mem_free(folder);
}

static void test_what_is_old_goes(void **state)
{
    (void)state;
    char *folder = mem_copy_text(scratch_path("old"));
    (void)run(folder, ",\"events\":true", true);
    scratch_write_text("old/notes.txt", "mine");
    struct results_written written = run(folder, "", false);
    assert_false(written.has_plots);
    assert_false(written.has_events);
    assert_false(has(folder, "plots"));
    assert_false(has(folder, "events.jsonl"));
    assert_true(has(folder, "notes.txt"));
    assert_true(has(folder, "summary.json"));
    mem_free(folder);
}

static void test_without_gnuplot(void **state)
{
    (void)state;
    char *folder = mem_copy_text(scratch_path("without")), *path = mem_copy_text(getenv("PATH"));
    setenv("PATH", scratch_folder(), 1);
    struct results_written written = run(folder, "", true);
    setenv("PATH", path, 1);
    assert_false(written.has_plots);
    assert_non_null(strstr(said, "apt-get install gnuplot-nox"));
    assert_false(has(folder, "plots"));
    assert_true(has(folder, "report.html"));
    assert_true(has(folder, "summary.json"));
    mem_free(path);
    mem_free(folder);
}

static void test_gnuplot_that_fails(void **state)
{
    (void)state;
    char *folder = mem_copy_text(scratch_path("failing")), *path = mem_copy_text(getenv("PATH"));
    struct text search = TEXT_INIT;
    scratch_write_text("gnuplot", "#!/bin/sh\necho no canvas >&2\nexit 3\n");
    assert_int_equal(chmod(scratch_path("gnuplot"), 0755), 0);
    text_addf(&search, "%s:%s", scratch_folder(), path);
    setenv("PATH", search.bytes, 1);
    struct results_written written = run(folder, "", true);
    setenv("PATH", path, 1);
    assert_false(written.has_plots);
    assert_non_null(strstr(said, "gnuplot failed: no canvas"));
    assert_true(has(folder, "report.html"));
    text_free(&search);
    mem_free(path);
    mem_free(folder);
}

static void test_stopped_before_the_end(void **state)
{
    (void)state;
    static volatile sig_atomic_t stop = 1;
    struct scenario_set *set = tiny_load("");
    char *folder = mem_copy_text(scratch_path("stopped")), *parts = files_join(folder, ".parts");
    struct experiment_options options = {.parts = parts, .jobs = 2};
    struct results_options writing = {.folder = folder, .parts = parts, .stop = &stop};
    struct results_written written;
    struct experiment *experiment = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(experiment_run(set, &options, &experiment, &err), BERTH_OK);
    assert_int_equal(results_write(experiment, &writing, &written, &err), BERTH_ERR_INTERRUPTED);
    assert_non_null(strstr(err.text, "all replications are finished and kept"));
    assert_false(has(folder, "summary.json"));
    assert_true(has(folder, ".parts"));
    experiment_destroy(experiment);
    mem_free(parts);
    mem_free(folder);
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
        cmocka_unit_test(test_everything_is_there_and_signed),
        cmocka_unit_test(test_report_stands_alone),
        cmocka_unit_test(test_what_is_old_goes),
        cmocka_unit_test(test_without_gnuplot),
        cmocka_unit_test(test_gnuplot_that_fails),
        cmocka_unit_test(test_stopped_before_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
