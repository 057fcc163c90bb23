/* test_explore.c -- `berth explore` as a user meets it, and CI's own share of seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/berth.h"
#include "tests/support/scratch.h"

static void assert_status(const struct berth_answer *answer, int status)
{
    if (answer->status != status)
        fail_msg("exit status %d, not %d\n%s%s", answer->status, status, answer->out, answer->err);
}

static void test_bad_usage(void **state)
{
    static const char *const cases[][2] = {
        {"explore x.json", "berth run --audit"},
        {"explore --profile huge", "small, medium, large"},
        {"explore --replay 1 --shrink 2", "one of them"},
        {"explore -o x.json", "--replay"},
        {"explore --seeds many", "--seeds"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct berth_answer answer = berth_run(NULL, "%s", cases[i][0]);
        assert_status(&answer, 2);
        assert_non_null(strstr(answer.err, cases[i][1]));
        berth_answer_free(&answer);
    }
}

/* The lines before the speed, which is the machine's. */
static void cut_speed(char *text)
{
    char *at = strstr(text, " failed, ");
    if (at != NULL)
        *at = '\0';
}

static void test_the_same_for_any_number_of_processes(void **state)
{
    (void)state;
    struct berth_answer one = berth_run(NULL, "explore --seeds 30 --jobs 1");
    struct berth_answer three = berth_run(NULL, "explore --seeds 30 --jobs 3");
    assert_status(&one, 0);
    assert_status(&three, 0);
    cut_speed(one.out);
    cut_speed(three.out);
    assert_string_equal(one.out, three.out);
    berth_answer_free(&one);
    berth_answer_free(&three);
}

static void test_a_scenario_can_be_written_and_run(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", scratch_path("seed.json"));
    struct berth_answer answer = berth_run(NULL, "explore --replay 7 -o '%s'", path);
    assert_status(&answer, 0);
    assert_non_null(strstr(answer.out, "every invariant held"));
    berth_answer_free(&answer);
    answer = berth_run(NULL, "validate '%s'", path);
    assert_status(&answer, 0);
    berth_answer_free(&answer);
    answer =
        berth_run(NULL, "run --audit --no-plots --quiet --out '%s' '%s'", scratch_path("o"), path);
    assert_status(&answer, 0);
    berth_answer_free(&answer);
}

/* A scenario that asks for what cannot be: the words of a violation, and the exit status. */
static void test_a_violation_is_told(void **state)
{
    (void)state;
    const char *path = scratch_write_text(
        "never.json",
        "{\"version\":1,\"name\":\"never\",\"fleet\":{\"g\":{\"count\":1,\"cpu\":1024,"
        "\"memory\":1024}},\"taskDefinitions\":{\"d\":{\"containerDefinitions\":[{\"name\":\"c\","
        "\"image\":\"i\",\"memory\":600}]}},\"services\":{\"s\":{\"taskDefinition\":\"d\","
        "\"desiredCount\":2}},\"run\":{\"duration\":600,\"replications\":1,\"audit\":{"
        "\"steadyBy\":300}}}");
    struct berth_answer answer =
        berth_run(NULL, "run --audit --no-plots --quiet --out '%s' '%s'", scratch_path("n"), path);
    assert_status(&answer, 1);
    assert_non_null(strstr(answer.err, "steady: service s: 1 of 2 run"));
    berth_answer_free(&answer);
    answer = berth_run(NULL, "run --no-plots --quiet --out '%s' '%s'", scratch_path("n"), path);
    assert_status(&answer, 0);
    berth_answer_free(&answer);
}

/* What seeds have found before and is mended, each as small as it could be made. */
static void test_what_was_found(void **state)
{
    static const char *const names[] = {"drain-and-scale-in",        "message-to-a-successor",
                                        "overtaken-payload",         "rebalance-and-floor",
                                        "disk-fails-past-the-end",   "load-after-a-restart",
                                        "message-fault-and-new-host"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct berth_answer answer =
            berth_run(NULL, "run --audit --no-plots --quiet --out '%s' tests/explore/%s.json",
                      scratch_path("found"), names[i]);
        assert_status(&answer, 0);
        berth_answer_free(&answer);
    }
}

/* CI's share. */
static void test_share_of_seeds(void **state)
{
    static const struct {
        const char *profile;
        unsigned seeds;
    } shares[] = {{"small", 800}, {"medium", 150}, {"large", 6}};
    (void)state;
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        struct berth_answer answer =
            berth_run(NULL, "explore --quiet --seeds %u --profile %s%s", shares[i].seeds,
                      shares[i].profile, i == 0 ? " --require-coverage" : "");
        assert_status(&answer, 0);
        berth_answer_free(&answer);
    }
}

static int end(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_usage),
        cmocka_unit_test(test_the_same_for_any_number_of_processes),
        cmocka_unit_test(test_a_scenario_can_be_written_and_run),
        cmocka_unit_test(test_a_violation_is_told),
        cmocka_unit_test(test_what_was_found),
        cmocka_unit_test(test_share_of_seeds),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
