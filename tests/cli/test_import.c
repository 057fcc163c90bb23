#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/berth.h"
#include "tests/support/scratch.h"

#define VMS                                            \
    "arrival_s,flavor,vcpu,mem_gb,dur_lo_s,censored\n" \
    "0,a,1,1.75,300,0\n0,b,2,3.5,900,0\n300,a,1,1.75,600,1\n"

static void assert_fails(int status, const char *message, const char *arguments)
{
    struct berth_answer answer = berth_run(NULL, "%s", arguments);
    if (answer.status != status || strstr(answer.err, message) == NULL || answer.out[0] != '\0')
        fail_msg("%s: status %d, out \"%s\", err \"%s\"", arguments, answer.status, answer.out,
                 answer.err);
    char *end = strchr(answer.err, '\n');
    assert_true(end != NULL && end[1] == '\0'); /* one line */
    berth_answer_free(&answer);
}

static void test_usage_errors(void **state)
{
    (void)state;
    assert_fails(2, "what is to be imported?", "import");
    assert_fails(2, "cannot import \"azure\"", "import azure x -o y");
    assert_fails(2, "did you mean openb?", "import openbb x y -o z");
    assert_fails(2, "not enough inputs given; usage: berth import openb NODES", "import openb x");
    assert_fails(2, "too many inputs given", "import azure-vm x y -o z");
    assert_fails(2, "-o DIR is missing", "import azure-vm x");
    assert_fails(2, "did you mean --output?", "import azure-vm x --outptu z");
}

static void test_bad_files(void **state)
{
    (void)state;
    char arguments[4096];
    (void)snprintf(arguments, sizeof arguments, "import azure-vm '%s' -o '%s'",
                   scratch_path("none.csv"), scratch_path("out"));
    assert_fails(2, "none.csv: cannot be opened: No such file or directory", arguments);
    assert_int_not_equal(access(scratch_path("out"), F_OK), 0);
    (void)snprintf(arguments, sizeof arguments, "import azure-vm '%s' -o '%s'",
                   scratch_write_text("vms.csv", VMS), scratch_write_text("plain", "x"));
    assert_fails(3, "plain: is not a folder; give another with -o", arguments);
}

/* Imported, then run: what runs is what was reported. */
static void test_import_and_run(void **state)
{
    (void)state;
    const char *vms = scratch_write_text("vms.csv", VMS), *out = scratch_path("az");
    struct berth_answer answer = berth_run(NULL, "import azure-vm '%s' -o '%s'", vms, out);
    assert_int_equal(answer.status, 0);
    assert_string_equal(answer.err, "");
    /* VMs (300 + 600 + 300) / 600, vCPU (300 + 1200 + 300) / 600 */
    assert_non_null(strstr(answer.out, "time averages: 2 VMs, 3 vCPU, 5.25 GB\n"));
    berth_answer_free(&answer);
    answer = berth_run(NULL,
                       "run --quiet --no-plots --replications 1 --format csv --out '%s' "
                       "'%s/scenario.json'",
                       scratch_path("results"), out);
    assert_int_equal(answer.status, 0);
    assert_non_null(strstr(answer.out, "tasksRunningMean"));
    berth_answer_free(&answer);
}

/* The same bytes again, from gzip under a name that says nothing. */
static void test_again_from_gzip(void **state)
{
    (void)state;
    const char *vms = scratch_write_gzip("packed.csv", VMS, strlen(VMS));
    struct berth_answer answer =
        berth_run(NULL, "import azure-vm '%s' --output='%s'", vms, scratch_path("again"));
    assert_int_equal(answer.status, 0);
    berth_answer_free(&answer);
    berth_assert_same_folder(scratch_path("az"), scratch_path("again"));
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
        cmocka_unit_test(test_usage_errors),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_import_and_run),
        cmocka_unit_test(test_again_from_gzip),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
