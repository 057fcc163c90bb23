#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/lab/process.h"
#include "tests/support/scratch.h"

static enum berth_err run(const char *script, const char *input, int seconds, struct text *output,
                          struct berth_error *err)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct lab_program program = {
        .argv = argv, .input = input, .netns = -1, .output = output, .seconds = seconds};
    return lab_program_run(&program, err);
}

static void test_input_and_output(void **state)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct text output = TEXT_INIT;
    (void)state;
    assert_int_equal(run("cat; echo two", "one\n", 10, &output, &err), BERTH_OK);
    assert_string_equal(output.bytes, "one\ntwo\n");
    text_free(&output);
}

static void test_failures(void **state)
{
    struct berth_error err = BERTH_ERROR_INIT;
    static const char *const none[] = {"no-such-program", NULL};
    const struct lab_program missing = {.argv = none, .netns = -1, .seconds = 1};
    (void)state;
    assert_int_equal(run("echo first; echo why >&2; exit 3", NULL, 10, NULL, &err),
                     BERTH_ERR_ENVIRONMENT);
    assert_string_equal(err.text, "sh: why");
    assert_int_equal(run("exit 3", NULL, 10, NULL, &err), BERTH_ERR_ENVIRONMENT);
    assert_string_equal(err.text, "sh: it said nothing");
    assert_int_equal(lab_program_run(&missing, &err), BERTH_ERR_ENVIRONMENT);
    assert_string_equal(err.text, "no-such-program: not on this machine");
}

static void test_the_time_limit(void **state)
{
    struct berth_error err = BERTH_ERROR_INIT;
    int64_t begin = lab_now_ms();
    (void)state;
    assert_int_equal(run("exec sleep 60", NULL, 1, NULL, &err), BERTH_ERR_ENVIRONMENT);
    assert_string_equal(err.text, "sh: no end within 1 s");
    assert_in_range(lab_now_ms() - begin, 900, 20000);
}

static void test_files(void **state)
{
    struct text read = TEXT_INIT;
    char path[300];
    (void)state;
    (void)snprintf(path, sizeof path, "%s", scratch_path("a/b/c"));
    assert_true(lab_make_folders(path));
    assert_true(lab_make_folders(path));
    (void)snprintf(path, sizeof path, "%s", scratch_path("a/b/c/file"));
    assert_false(lab_write_file(path, "x"));
    assert_true(lab_replace_file(path, "one"));
    assert_true(lab_replace_file(path, "two"));
    assert_true(lab_read_file(path, &read));
    assert_string_equal(read.bytes, "two");
    assert_false(lab_read_file(scratch_path("none"), &read));
    text_free(&read);
    scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input_and_output),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_the_time_limit),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
