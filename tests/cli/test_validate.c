/* test_validate.c -- what `berth validate` prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <jansson.h>

#include "scheduler/base/mem.h"
#include "tests/support/scratch.h"

#define GROUP "\"fleet\":{\"g\":{\"count\":2,\"cpu\":1024,\"memory\":1024}}"

static char *out, *err_out; /* of the last run */

static int validate(const char *arguments)
{
    char command[2000], out_path[300], err_path[300];
    const char *program = getenv("BERTH");
    (void)snprintf(out_path, sizeof out_path, "%s", scratch_path("stdout"));
    (void)snprintf(err_path, sizeof err_path, "%s", scratch_path("stderr"));
    (void)snprintf(command, sizeof command, "'%s' validate %s >'%s' 2>'%s'",
                   program == NULL ? "build/berth" : program, arguments, out_path, err_path);
    int status = system(command);
    assert_true(WIFEXITED(status));
    size_t length;
    mem_free(out);
    mem_free(err_out);
    out = scratch_read(out_path, &length);
    err_out = scratch_read(err_path, &length);
    return WEXITSTATUS(status);
}

static void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("wanted \"%s\" in\n%s", part, text);
}

static int write_files(void **state)
{
    (void)state;
    (void)scratch_write_text("good.json",
                             "{\"version\":1,\"name\":\"good\",\"run\":{\"duration\":60}," GROUP
                             ",\"arrivals\":{\"a\":{\"csv\":\"rows.csv\"}},"
                             "\"taskDefinitions\":{\"j\":{\"containerDefinitions\":[{"
                             "\"name\":\"j\",\"image\":\"j\",\"memory\":4}]}}}");
    (void)scratch_write_text("rows.csv", "arrival,taskDefinition\n1,j\n2,j\n3,j\n");
    (void)scratch_write_text("bad.json",
                             "{\"version\":1,\"name\":\"bad\",\"run\":{\"duration\":60},"
                             "\"fleet\":{\"g\":{}}}");
    (void)scratch_write_text(
        "warned.json",
        "{\"version\":1,\"name\":\"warned\",\"run\":{\"duration\":60}," GROUP
        ",\"timeline\":{\"late\":{\"at\":\"2m\",\"drain\":{}}},\"compare\":{\"variants\":{\"a\":{},"
        "\"b\":{\"timeline\":{\"late\":{\"drain\":{\"instance\":7}}}}}}}");
    return 0;
}

static void test_a_line_for_each_file(void **state)
{
    char arguments[900];
    (void)state;
    (void)snprintf(arguments, sizeof arguments, "%s %s", scratch_path("good.json"),
                   scratch_path("warned.json"));
    assert_int_equal(validate(arguments), 0);
    assert_string_equal(err_out, "");
    assert_says(out, "good.json: ok: 2 instances, 0 services, 1 arrivals, 1 variants, hash ");
    assert_says(out, "\n  3 rows in 1 workload files\n");
    assert_says(out, "warned.json: ok: 2 instances, 0 services, 0 arrivals, 2 variants, hash ");
    assert_says(out, "\n  warning: timeline/late: comes after the end of the run\n");
    assert_says(out, "\n  warning: timeline/late: selects no instance of the fleet (in 1 of 2 "
                     "variants, the first is b)\n");
}

static void test_rows_that_fit_nowhere(void **state)
{
    (void)state;
    (void)scratch_write_text(
        "wide.json", "{\"version\":1,\"name\":\"wide\",\"run\":{\"duration\":60}," GROUP
                     ",\"arrivals\":{\"a\":{\"csv\":\"wide.csv\",\"taskDefinition\":\"j\"}},"
                     "\"taskDefinitions\":{\"j\":{\"containerDefinitions\":[{"
                     "\"name\":\"j\",\"image\":\"j\",\"memory\":4}]}}}");
    (void)scratch_write_text("wide.csv", "arrival,cpu,constraint\n"
                                         "1,1,\n2,1,attribute:rack == x\n3,99999999,\n");
    assert_int_equal(validate(scratch_path("wide.json")), 0);
    assert_says(out, "warning: 2 of 3 rows fit on no instance of the fleet, even an empty one; ");
    assert_says(out, "wide.csv:3: MemberOf placement constraint unsatisfied\n");
    (void)scratch_write_text("wide.csv", "arrival,constraint\n1,attribute:rack is x\n");
    assert_int_equal(validate(scratch_path("wide.json")), 2);
    assert_says(err_out, "wide.csv:2: column \"constraint\": ");
}

static void test_json(void **state)
{
    char arguments[900];
    (void)state;
    (void)snprintf(arguments, sizeof arguments, "--format json %s %s %s", scratch_path("good.json"),
                   scratch_path("bad.json"), scratch_path("warned.json"));
    assert_int_equal(validate(arguments), 2);
    assert_says(err_out, "bad.json:/fleet/g: \"count\" is missing; ");
    json_t *list = json_loads(out, 0, NULL);
    assert_int_equal(json_array_size(list), 3);
    const json_t *good = json_array_get(list, 0), *bad = json_array_get(list, 1);
    assert_true(json_is_true(json_object_get(good, "ok")));
    assert_string_equal(json_string_value(json_object_get(good, "name")), "good");
    assert_int_equal(strlen(json_string_value(json_object_get(good, "hash"))), 64);
    assert_int_equal(json_integer_value(json_object_get(good, "workloadRows")), 3);
    assert_true(json_is_false(json_object_get(bad, "ok")));
    assert_says(json_string_value(json_object_get(bad, "error")), "bad.json:/fleet/g: ");
    const json_t *warnings = json_object_get(json_array_get(list, 2), "warnings");
    assert_int_equal(json_array_size(warnings), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(warnings, 0), "variant")),
                        "a");
    json_decref(list);
}

/* The first failure decides; all of them are told, and the good ones too. */
static void test_every_mistake_is_told(void **state)
{
    char arguments[900];
    (void)state;
    (void)snprintf(arguments, sizeof arguments, "%s %s %s", scratch_path("bad.json"),
                   scratch_path("none.json"), scratch_path("good.json"));
    assert_int_equal(validate(arguments), 2);
    assert_says(err_out, "bad.json:/fleet/g: ");
    assert_says(err_out, "none.json: no such file");
    assert_says(out, "good.json: ok: ");
}

static void test_the_scenarios_of_the_tree(void **state)
{
    (void)state;
    /* What has no version is a part that others include. */
    assert_int_equal(validate("$(grep -l '\"version\"' scenarios/*.json scenarios/theory/*.json | "
                              "grep -v schema.json)"),
                     0);
    assert_says(out, "scenarios/first-look.json: ok: ");
    if (strstr(out, "warning: ") != NULL)
        fail_msg("a scenario of ours with a warning:\n%s", out);
}

static void test_help_and_flags(void **state)
{
    (void)state;
    assert_int_equal(validate("--help"), 0);
    assert_says(out, "Usage: berth validate ");
    assert_int_equal(validate("--format xml x.json"), 2);
    assert_says(err_out, "--format: \"xml\" is none of text, json");
}

static int remove_files(void **state)
{
    (void)state;
    mem_free(out);
    mem_free(err_out);
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_for_each_file),
        cmocka_unit_test(test_rows_that_fit_nowhere),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_every_mistake_is_told),
        cmocka_unit_test(test_the_scenarios_of_the_tree),
        cmocka_unit_test(test_help_and_flags),
    };
    return cmocka_run_group_tests(tests, write_files, remove_files);
}
