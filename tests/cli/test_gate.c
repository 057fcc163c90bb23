/* test_gate.c -- `berth gate` as a line in someone's CI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/files.h"
#include "sim/run/metrics.h"
#include "tests/support/berth.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

static char *baseline; /* the summary of a run; its folder is `same` */
static char *same;

static int make_results(void **state)
{
    (void)state;
    same = mem_copy_text(scratch_path("same"));
    struct berth_answer answer =
        berth_run(NULL, "run --no-plots --out '%s' '%s'", same,
                  scratch_write_text("tiny.json", tiny_text(",\"replications\":8")));
    berth_answer_free(&answer);
    baseline = files_join(same, "summary.json");
    return answer.status;
}

static int clean(void **state)
{
    (void)state;
    mem_free(baseline);
    mem_free(same);
    scratch_remove();
    return 0;
}

static void gate(const char *options, const char *result, int status, const char *says)
{
    struct berth_answer answer = berth_run(NULL, "gate %s '%s' '%s'", options, baseline, result);
    if (answer.status != status ||
        (strstr(answer.out, says) == NULL && strstr(answer.err, says) == NULL))
        fail_msg("gate %s: exit status %d, wanted %d and \"%s\"\n%s%s", options, answer.status,
                 status, says, answer.out, answer.err);
    berth_answer_free(&answer);
}

/* The baseline with the first `from` in it turned into `to`. */
static const char *edited(const char *from, const char *to)
{
    size_t length;
    char *text = scratch_read(baseline, &length);
    char *at = strstr(text, from);
    assert_non_null(at);
    struct text out = TEXT_INIT;
    text_add_n(&out, text, (size_t)(at - text));
    text_add(&out, to);
    text_add(&out, at + strlen(from));
    mem_free(text);
    const char *path = scratch_write_text("edited.json", out.bytes);
    text_free(&out);
    return path;
}

static void test_equal_results_pass(void **state)
{
    (void)state;
    gate("", same, 0, "passed: 0 worse");
    char equal[32];
    (void)snprintf(equal, sizeof equal, "%d equal", 2 * METRIC_COUNT);
    gate("", baseline, 0, equal);
}

/* Eight instances' cost instead of six: every replication is dearer by a third. */
static void test_a_regression_fails(void **state)
{
    (void)state;
    char *text = mem_copy_text(tiny_text(",\"replications\":8"));
    char *count = strstr(text, "\"count\":6");
    assert_non_null(count);
    count[8] = '8';
    char *file = mem_copy_text(scratch_write_text("dear.json", text));
    char *dear = mem_copy_text(scratch_path("dear"));
    struct berth_answer answer = berth_run(NULL, "run --no-plots --out '%s' '%s'", dear, file);
    assert_int_equal(answer.status, 0);
    berth_answer_free(&answer);
    gate("", dear, 1, "FAILED");
    gate("", dear, 1, "The scenarios differ");
    gate("--brief --tolerance cost=30%", dear, 1, "cost");
    gate("--tolerance cost=40% --tolerance=instanceHours=40 --tolerance 500%", dear, 0,
         "tolerated");
    mem_free(dear);
    mem_free(file);
    mem_free(text);
}

static void test_what_is_missing(void **state)
{
    (void)state;
    gate("", edited("\"name\": \"binpack\"", "\"name\": \"bin\""), 2, "has no variant \"binpack\"");
    gate("", edited("\"availability\": {", "\"availabilty\": {"), 2,
         "did you mean \"availability\"?");
    gate("", edited("\"scenarioHash\"", "\"scenarioHsh\""), 2, "is this the summary.json");
    gate("", scratch_path("none.json"), 2, "none.json");
}

/* Means are enough: then the tolerance alone decides. */
static void test_a_reduced_baseline(void **state)
{
    (void)state;
    const char *reduced = scratch_write_text(
        "reduced.json", "{\"scenarioHash\":\"x\",\"buildId\":\"y\",\"seed\":1,\"variants\":["
                        "{\"name\":\"spread\",\"metrics\":{\"cost\":{\"mean\":0.1}}}]}");
    struct berth_answer answer = berth_run(NULL, "gate '%s' '%s'", reduced, same);
    assert_int_equal(answer.status, 1);
    assert_non_null(strstr(answer.out, "WORSE"));
    berth_answer_free(&answer);
    answer = berth_run(NULL, "gate --tolerance cost=90%% '%s' '%s'", reduced, same);
    assert_int_equal(answer.status, 0);
    berth_answer_free(&answer);
}

static void test_bad_requests(void **state)
{
    (void)state;
    gate("--tolerance cost", same, 2, "is not of the form METRIC=N%");
    gate("--tolerance cost=x%", same, 2, "is not of the form");
    gate("--tolerance cost=-1%", same, 2, "is not of the form");
    gate("--tolerance cost=nan", same, 2, "is not of the form");
    gate("--tolerance cots=1%", same, 2, "did you mean \"cost\"?");
    gate("--brif", same, 2, "did you mean --brief?");
    gate("more", same, 2, "needs BASELINE and RESULT");
    struct berth_answer answer = berth_run(NULL, "gate --tolerance");
    assert_int_equal(answer.status, 2);
    berth_answer_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_results_pass), cmocka_unit_test(test_a_regression_fails),
        cmocka_unit_test(test_what_is_missing),    cmocka_unit_test(test_a_reduced_baseline),
        cmocka_unit_test(test_bad_requests),
    };
    return cmocka_run_group_tests(tests, make_results, clean);
}
