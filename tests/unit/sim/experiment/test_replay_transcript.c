#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/replay.h"
#include "sim/run/run.h"
#include "tests/support/scratch.h"
#include "tests/support/tiny.h"

/* The transcript of one replication, owned by the caller. */
static char *record(void)
{
    struct scenario_set *set = tiny_load("");
    FILE *file = fopen(scratch_path("t.txt"), "w");
    struct run_options options = {.seed = 5, .replication = 1, .transcript = file};
    struct run_result result;
    struct berth_error err = BERTH_ERROR_INIT;
    if (run_replication(set->variants[0], &options, &result, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    assert_int_equal(fclose(file), 0);
    run_result_free(&result);
    scenario_set_destroy(set);
    return scratch_read(scratch_path("t.txt"), &(size_t){0});
}

static struct replay_outcome play(const char *text)
{
    struct replay_outcome outcome;
    struct berth_error err = BERTH_ERROR_INIT;
    if (replay_transcript(scratch_write_text("played.txt", text), &outcome, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return outcome;
}

static uint64_t count_lines(const char *text, char first)
{
    uint64_t count = 0;
    for (const char *at = text; at != NULL; at = strchr(at, '\n')) {
        at += at != text;
        count += *at == first;
    }
    return count;
}

static void test_the_same_again(void **state)
{
    (void)state;
    char *text = record();
    struct replay_outcome outcome = play(text);
    assert_int_equal(outcome.different_line, 0);
    assert_true(outcome.event_count > 100);
    assert_int_equal(outcome.event_count, count_lines(text, '>'));
    assert_int_equal(outcome.action_count, count_lines(text, '<'));
    replay_outcome_free(&outcome);
    mem_free(text);
}

static void test_a_changed_action(void **state)
{
    (void)state;
    char *text = record();
    char *action = strstr(text, "\n< Change");
    action = strstr(action + 400, "\n< Change");
    action[4] = 'X';
    uint64_t line = 2;
    for (const char *at = text; at < action; at++)
        line += *at == '\n';
    struct replay_outcome outcome = play(text);
    assert_int_equal(outcome.different_line, line);
    assert_non_null(strstr(outcome.expected.bytes, "< CXange"));
    assert_non_null(strstr(outcome.found.bytes, "< Change"));
    replay_outcome_free(&outcome);
    mem_free(text);
}

static void test_a_lost_and_an_added_action(void **state)
{
    (void)state;
    char *text = record();
    char *action = strstr(strstr(text, "\n< Send"), "\n< Change");
    struct text lost = TEXT_INIT, added = TEXT_INIT;
    text_add_n(&lost, text, (size_t)(action - text));
    text_add(&lost, strchr(action + 1, '\n'));
    struct replay_outcome outcome = play(lost.bytes);
    assert_true(outcome.different_line > 2);
    replay_outcome_free(&outcome);
    text_add(&added, text);
    text_add(&added, "< Change revision=999999\n");
    outcome = play(added.bytes);
    assert_int_equal(outcome.found.length, 0);
    assert_string_equal(outcome.expected.bytes, "< Change revision=999999");
    replay_outcome_free(&outcome);
    text_free(&added);
    text_free(&lost);
    mem_free(text);
}

#define HEAD "berth-transcript 1\n"
#define CONTROLLER "! Controller cluster=a account=1 region=c random-key=1\n"
static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", ":1: is not"},
        {"berth-transcript 2\n", ":1: is not"},
        {HEAD, ":1: "},
        {HEAD "@ mono=0 wall=0\n", ":2: the line after the header"},
        {HEAD CONTROLLER "hello\n", ":3: "},
        {HEAD CONTROLLER "> Nothing\n", ":3: "},
        {HEAD CONTROLLER "@ mono=5 wall=5\n@ mono=4 wall=5\n", ":4: time runs backwards"},
        {HEAD CONTROLLER "@ mono=-5 wall=5\n", ":3: time runs backwards"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct replay_outcome outcome;
        struct berth_error err = BERTH_ERROR_INIT;
        const char *path = scratch_write_text("bad.txt", cases[i].text);
        assert_int_equal(replay_transcript(path, &outcome, &err), BERTH_ERR_INPUT);
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].says);
        replay_outcome_free(&outcome);
    }
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
        cmocka_unit_test(test_the_same_again),
        cmocka_unit_test(test_a_changed_action),
        cmocka_unit_test(test_a_lost_and_an_added_action),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
