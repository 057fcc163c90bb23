/* test_run.c -- `berth run` and `berth replay` as a user meets them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/files.h"
#include "sim/run/metrics.h"
#include "tests/support/berth.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

/* A second or more of work for one process. */
#define LONG ",\"replications\":300,\"sample\":100"

static char *tiny_path(void)
{
    return mem_copy_text(scratch_write_text("tiny.json", tiny_text("")));
}

static void assert_status(const struct berth_answer *answer, int status)
{
    if (answer->status != status)
        fail_msg("exit status %d, not %d\n%s", answer->status, status, answer->err);
}

static void test_table_and_files(void **state)
{
    (void)state;
    char *file = tiny_path();
    struct berth_answer answer = berth_run(NULL, "run --out '%s' '%s'", scratch_path("o"), file);
    assert_status(&answer, 0);
    assert_string_equal(answer.err, ""); /* progress is for a terminal */
    static const char *const words[] = {"spread",  "binpack",     "Question: Which one?",
                                        "Answer:", "report.html", "mean of 4 replications"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_non_null(strstr(answer.out, words[i]));
    static const char *const names[] = {"o/summary.json", "o/metrics.csv", "o/timeline.csv",
                                        "o/report.html"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(files_exist(scratch_path(names[i])));
    assert_false(files_exist(scratch_path("o/.parts")));
    berth_answer_free(&answer);
    mem_free(file);
}

static void test_formats(void **state)
{
    (void)state;
    char *file = tiny_path();
    static const char *const cases[][2] = {{"json", "f/summary.json"}, {"csv", "f/metrics.csv"}};
    for (int i = 0; i < 2; i++) {
        struct berth_answer answer = berth_run(NULL, "run --format %s --no-plots --out '%s' '%s'",
                                               cases[i][0], scratch_path("f"), file);
        size_t length;
        char *written = scratch_read(scratch_path(cases[i][1]), &length);
        assert_status(&answer, 0);
        assert_string_equal(answer.out, written);
        mem_free(written);
        berth_answer_free(&answer);
    }
    mem_free(file);
}

static void test_default_folder_and_options(void **state)
{
    (void)state;
    char *file = tiny_path();
    char folder[4000];
    struct text program = TEXT_INIT;
    assert_non_null(getcwd(folder, sizeof folder));
    const char *berth = getenv("BERTH") == NULL ? "build/berth" : getenv("BERTH");
    text_addf(&program, "%s%s%s", berth[0] == '/' ? "" : folder, berth[0] == '/' ? "" : "/", berth);
    setenv("BERTH", program.bytes, 1);
    text_free(&program);
    assert_int_equal(chdir(scratch_folder()), 0);
    struct berth_answer answer =
        berth_run(NULL, "run --seed 12 --replications 2 --jobs 1 --no-plots --quiet tiny.json");
    assert_int_equal(chdir(folder), 0);
    assert_status(&answer, 0);
    assert_non_null(strstr(answer.out, "tiny, seed 12"));
    assert_non_null(strstr(answer.out, "mean of 2 replications"));
    assert_true(files_exist(scratch_path("results/tiny/summary.json")));
    berth_answer_free(&answer);
    mem_free(file);
}

static void test_bad_requests(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *says;
    } cases[] = {
        {"run", "a scenario FILE is missing"},
        {"run a b", "one scenario FILE at a time"},
        {"run --jobs 0 x.json", "--jobs: \"0\" is not a whole number from 1"},
        {"run --replications -3 x.json", "--replications: \"-3\""},
        {"run --seed 9223372036854775808 x.json", "--seed: "},
        {"run --format yaml x.json", "--format: \"yaml\" is none of"},
        {"run --ot x x.json", "did you mean --out?"},
        {"run --out '' x.json", "--out: needs"},
        {"run no-such-file.json", "no-such-file.json"},
        {"replay", "needs one file"},
        {"replay no-such-file.json", "no-such-file.json"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct berth_answer answer = berth_run(NULL, "%s", cases[i].arguments);
        assert_status(&answer, 2);
        assert_string_equal(answer.out, "");
        if (strstr(answer.err, cases[i].says) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", answer.err, cases[i].says);
        berth_answer_free(&answer);
    }
}

static void test_folder_that_cannot_be(void **state)
{
    (void)state;
    char *file = tiny_path();
    scratch_write_text("plain", "");
    struct berth_answer answer =
        berth_run(NULL, "run --out '%s' '%s'", scratch_path("plain/x"), file);
    assert_status(&answer, 3);
    assert_non_null(strstr(answer.err, "a file stands where a folder is needed"));
    berth_answer_free(&answer);
    mem_free(file);
}

static void test_two_runs_in_one_folder(void **state)
{
    (void)state;
    char *file = tiny_path(), *folder = mem_copy_text(scratch_path("busy"));
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(files_make_folder(folder, &err), BERTH_OK);
    char before[300];
    snprintf(before, sizeof before, "flock '%s'", folder);
    struct berth_answer answer = berth_run(before, "run --no-plots --out '%s' '%s'", folder, file);
    assert_status(&answer, 3);
    assert_non_null(strstr(answer.err, "another berth run is at work there"));
    berth_answer_free(&answer);
    answer = berth_run(NULL, "run --no-plots --out '%s' '%s'", folder, file);
    assert_status(&answer, 0);
    berth_answer_free(&answer);
    mem_free(folder);
    mem_free(file);
}

/* A limit on the size of files stands for a full disk. */
static void test_no_room(void **state)
{
    (void)state;
    char *file = tiny_path();
    struct berth_answer answer = berth_run(
        "ulimit -f 8; trap '' XFSZ;", "run --no-plots --out '%s' '%s'", scratch_path("full"), file);
    assert_status(&answer, 3);
    assert_false(files_exist(scratch_path("full/summary.json")));
    assert_false(files_exist(scratch_path("full/metrics.csv")));
    berth_answer_free(&answer);
    answer = berth_run(NULL, "run --no-plots --out '%s' '%s'", scratch_path("full"), file);
    assert_status(&answer, 0);
    berth_answer_free(&answer);
    mem_free(file);
}

/* Interrupted in the middle and continued: the same bytes as in one go. */
static void test_interrupted_and_continued(void **state)
{
    (void)state;
    static const char *const signals[] = {"INT", "TERM"};
    char *file = mem_copy_text(scratch_write_text("tiny.json", tiny_text(LONG)));
    char *whole = mem_copy_text(scratch_path("whole")), *cut = mem_copy_text(scratch_path("cut"));
    struct berth_answer answer = berth_run(NULL, "run --no-plots --out '%s' '%s'", whole, file);
    assert_status(&answer, 0);
    berth_answer_free(&answer);
    for (int i = 0; i < 2; i++) {
        files_empty_folder(cut);
        char before[100];
        snprintf(before, sizeof before, "timeout --preserve-status -s %s 0.2", signals[i]);
        answer = berth_run(before, "run --jobs 1 --no-plots --out '%s' '%s'", cut, file);
        assert_status(&answer, 130);
        assert_non_null(strstr(answer.err, "replications are finished and kept in"));
        assert_false(files_exist(scratch_path("cut/summary.json")));
        assert_true(files_exist(scratch_path("cut/.parts")));
        berth_answer_free(&answer);
        answer = berth_run(NULL, "run --no-plots --out '%s' '%s'", cut, file);
        assert_status(&answer, 0);
        assert_non_null(strstr(answer.err, "continuing: "));
        berth_assert_same_folder(whole, cut);
        berth_answer_free(&answer);
    }
    mem_free(cut);
    mem_free(whole);
    mem_free(file);
}

static void test_replay(void **state)
{
    (void)state;
    char *file = tiny_path(), *out = mem_copy_text(scratch_path("r"));
    struct berth_answer answer = berth_run(NULL, "run --no-plots --out '%s' '%s'", out, file);
    assert_status(&answer, 0);
    berth_answer_free(&answer);
    for (int k = 0; k < 4; k++) {
        answer = berth_run(NULL, "replay '%s' --variant %s --replication %d --transcript '%s'", out,
                           k % 2 == 0 ? "spread" : "binpack", k, scratch_path("t.txt"));
        assert_status(&answer, 0);
        char all[32];
        (void)snprintf(all, sizeof all, "all %d values are those of", METRIC_COUNT);
        assert_non_null(strstr(answer.out, all));
        size_t length;
        char *transcript = scratch_read(scratch_path("t.txt"), &length);
        assert_non_null(strstr(transcript, "# berth "));
        assert_non_null(strstr(transcript, "scenarioHash "));
        mem_free(transcript);
        berth_answer_free(&answer);
        answer = berth_run(NULL, "replay '%s'", scratch_path("t.txt"));
        assert_status(&answer, 0);
        assert_non_null(strstr(answer.out, "all the same"));
        berth_answer_free(&answer);
    }
    answer = berth_run(NULL, "replay '%s/summary.json' --variant spraed --replication 0", out);
    assert_status(&answer, 2);
    assert_non_null(strstr(answer.err, "did you mean \"spread\"?"));
    berth_answer_free(&answer);
    answer = berth_run(NULL, "replay '%s' --variant spread --replication 4", out);
    assert_status(&answer, 2);
    berth_answer_free(&answer);
    mem_free(out);
    mem_free(file);
}

static void test_replay_of_something_else(void **state)
{
    (void)state;
    char *file = tiny_path(), *out = mem_copy_text(scratch_path("e"));
    struct berth_answer answer = berth_run(NULL, "run --no-plots --out '%s' '%s'", out, file);
    berth_answer_free(&answer);
    scratch_write_text("tiny.json", tiny_text(",\"seed\":77"));
    answer = berth_run(NULL, "replay '%s' --variant spread --replication 0", out);
    assert_status(&answer, 2);
    assert_non_null(strstr(answer.err, "another scenario"));
    berth_answer_free(&answer);
    answer = berth_run(NULL, "replay '%s' --variant spread --replication 0 --force", out);
    assert_status(&answer, 0); /* the summary's seed decides, and nothing else was changed */
    berth_answer_free(&answer);
    answer = berth_run(NULL, "replay '%s' --variant spread --replication 0 --force --seed 5", out);
    assert_status(&answer, 1);
    assert_non_null(strstr(answer.err, "values differ"));
    assert_non_null(strstr(answer.out, "DIFFERS"));
    berth_answer_free(&answer);
    answer = berth_run(NULL, "replay '%s' --variant binpack --replication 2 --events -", file);
    assert_status(&answer, 0); /* a scenario: nothing to compare with */
    assert_int_equal(answer.out[0], '{');
    assert_non_null(strstr(answer.err, "availability"));
    berth_answer_free(&answer);
    mem_free(out);
    mem_free(file);
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
        cmocka_unit_test(test_table_and_files),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_default_folder_and_options),
        cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_folder_that_cannot_be),
        cmocka_unit_test(test_two_runs_in_one_folder),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_interrupted_and_continued),
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_replay_of_something_else),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
