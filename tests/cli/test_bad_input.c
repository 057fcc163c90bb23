/*
 * test_bad_input.c -- what a user gets wrong, against the built berth: one line on standard error
 * with file, place and cure, nothing on standard output, exit status 2; 3 for the environment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "tests/support/scratch.h"

#define HEAD "{\"version\":1,\"name\":\"x\",\"run\":{\"duration\":60},"
#define FLEET "\"fleet\":{\"g\":{\"count\":2,\"cpu\":1024,\"memory\":1024}}"
#define JOB                                                                                    \
    "\"taskDefinitions\":{\"job\":{\"containerDefinitions\":[{\"name\":\"j\",\"image\":\"j\"," \
    "\"cpu\":1,\"memory\":4}]}}"

struct answer {
    int status;
    char *out, *err; /* owned */
};

static struct answer berth(const char *arguments)
{
    char command[2000], out[300], err[300];
    const char *program = getenv("BERTH");
    (void)snprintf(out, sizeof out, "%s", scratch_path("stdout"));
    (void)snprintf(err, sizeof err, "%s", scratch_path("stderr"));
    (void)snprintf(command, sizeof command, "timeout 60 '%s' %s >'%s' 2>'%s'",
                   program == NULL ? "build/berth" : program, arguments, out, err);
    int status = system(command);
    assert_true(WIFEXITED(status));
    size_t length;
    return (struct answer){WEXITSTATUS(status), scratch_read(out, &length),
                           scratch_read(err, &length)};
}

static void answer_free(struct answer *answer)
{
    mem_free(answer->out);
    mem_free(answer->err);
}

/* One line that says `place` and `says`, and how to mend it after a semicolon. */
static void assert_refused(const char *arguments, int status, const char *place, const char *says)
{
    struct answer answer = berth(arguments);
    const char *newline = strchr(answer.err, '\n');
    const char *cure = strchr(answer.err, ';');
    if (answer.status != status || newline == NULL || newline[1] != '\0' || cure == NULL ||
        strstr(answer.err, place) == NULL || strstr(answer.err, says) == NULL)
        fail_msg("berth %.300s\nexit status %d, not %d; wanted \"%s\" and \"%s\", got\n%.2000s",
                 arguments, answer.status, status, place, says, answer.err);
    assert_string_equal(answer.out, "");
    answer_free(&answer);
}

static void assert_file_refused(const char *path, const char *place, const char *says)
{
    char arguments[600];
    (void)snprintf(arguments, sizeof arguments, "validate '%s'", path);
    assert_refused(arguments, 2, place, says);
}

static void test_scenarios_that_are_wrong(void **state)
{
    static const struct {
        const char *text, *place, *says;
    } rows[] = {
        {"", "bad.json:1:1: ", "empty"},
        {"{", "bad.json:1:", ""},
        {"{\"version\":1,}", "bad.json:1:", ""},
        {"[1]", "bad.json: ", "one JSON object"},
        {"{\"version\":1} {}", "bad.json:1:", ""},
        {"{\"version\":1,\"version\":1}", "bad.json:1:", "uplicate"},
        {"{\"version\":NaN}", "bad.json:1:", ""},
        {"{\"version\":1e309}", "bad.json:1:", ""},
        {"{\"version\":9223372036854775808}", "bad.json:1:", ""},
        {"{\"version\":\"1\"}", "bad.json:/version: ", "not a whole number"},
        {"{\"name\":\"\xff\xfe\"}", "bad.json:1:", "UTF-8"},
        {"{\"name\":\"a\\u0000b\"}", "bad.json:1:", ""},
        {"{\"version\":1,\"\n\":1}", "bad.json:", ""},
        {HEAD FLEET ",\"\\n\":1}", "bad.json:/?: ", "unknown key"},
        {HEAD "\"fleet\":{\"g\":{\"count\":-1,\"cpu\":1,\"memory\":1}}}",
         "bad.json:/fleet/g/count: ", "-1 is not a whole number"},
        {HEAD "\"fleet\":{\"g\":{\"count\":1e18,\"cpu\":1,\"memory\":1}}}",
         "bad.json:/fleet/g/count: ", "not a whole number"},
        {HEAD "\"fleet\":{\"g\":{\"count\":1,\"cpu\":9223372036854775807,\"memory\":1}}}",
         "bad.json:/fleet/g/cpu: ", "not understood"},
        {HEAD FLEET "," JOB ",\"services\":{\"s\":{\"taskDefinition\":\"job\",\"desiredCount\":1,"
                    "\"placementStrategy\":[{\"type\":\"binpacked\",\"field\":\"cpu\"}]}}}",
         "bad.json:/services/s/placementStrategy/0/type: ", "did you mean binpack?"},
        {HEAD FLEET "," JOB ",\"services\":{\"s\":{\"taskDefinition\":\"job\",\"desiredCount\":1,"
                    "\"placementConstraints\":[{\"type\":\"memberOf\",\"expression\":"
                    "\"attribute:a == 'b' &&\"}]}}}",
         "bad.json:/services/s/placementConstraints/0/expression: ", "column "},
        {HEAD FLEET ",\"arivals\":{}}", "bad.json:/arivals: ", "did you mean \"arrivals\"?"},
        {HEAD FLEET ",\"include\":\"a.json\"}", "bad.json:/include: ", "not a list"},
        {HEAD FLEET ",\"include\":[3]}", "bad.json:/include/0: ", "not a path"},
        {HEAD FLEET ",\"include\":[\"none.json\"]}",
         "bad.json:/include: ", "none.json: no such file"},
        {HEAD FLEET ",\"taskDefinitions\":{\"job\":\"none.json\"}}",
         "bad.json:/taskDefinitions/job: ", "none.json: no such file"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_file_refused(scratch_write_text("bad.json", rows[i].text), rows[i].place,
                            rows[i].says);
}

static void test_files_that_are_not_there(void **state)
{
    (void)state;
    assert_file_refused(scratch_path("none.json"), "none.json: ", "no such file");
    assert_file_refused(scratch_folder(), scratch_folder(), "folder");
    assert_refused("validate", 2, "berth validate: ", "no file");
    assert_refused("validate --fromat json x", 2, "--fromat", "did you mean --format?");
    assert_refused("validat", 2, "validat", "did you mean");
}

static void test_truncated_gzip(void **state)
{
    (void)state;
    char text[20000];
    memset(text, ' ', sizeof text);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)("0123456789abcdef"[(i * i + i / 7) % 16]);
    memcpy(text, "{\"version\":1,\"question\":\"", 25);
    memcpy(text + sizeof text - 2, "\"}", 2);
    size_t length;
    char *bytes = scratch_read(scratch_write_gzip("whole.json.gz", text, sizeof text), &length);
    assert_file_refused(scratch_write("cut.json.gz", bytes, length / 2), "cut.json.gz: ", "gzip");
    bytes[length / 2] ^= 0x55;
    assert_file_refused(scratch_write("bent.json.gz", bytes, length), "bent.json.gz", "");
    mem_free(bytes);
}

static void test_workload_files(void **state)
{
    static const struct {
        const char *csv, *place, *says;
    } rows[] = {
        {"", "w.csv", "header"},
        {"lifetime\n1\n", "w.csv:1: ", "arrival"},
        {"arrival,cpuu\n1,2\n", "w.csv:1: ", "did you mean \"cpu\"?"},
        {"arrival,cpu\n1,-2\n", "w.csv:2: ", "cpu"},
        {"arrival,cpu\n1,1e400\n", "w.csv:2: ", "cpu"},
        {"arrival,cpu\n5,2\n4,2\n", "w.csv:3: ", "arrival"},
        {"arrival,taskDefinition\n1,none\n", "w.csv:2: ", "no task definition \"none\""},
        {"arrival,constraint\n1,job job\n", "w.csv:2: ", "column "},
    };
    (void)state;
    /* scratch_path's buffers rotate; what outlives a few calls is copied. */
    char scenario[300];
    (void)snprintf(scenario, sizeof scenario, "%s", scratch_path("workload.json"));
    (void)scratch_write_text(
        "workload.json",
        HEAD FLEET "," JOB ",\"arrivals\":{\"a\":{\"csv\":\"w.csv\",\"taskDefinition\":\"job\"}}}");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)scratch_write_text("w.csv", rows[i].csv);
        assert_file_refused(scenario, rows[i].place, rows[i].says);
    }
    char text[4000];
    size_t length = (size_t)snprintf(text, sizeof text, "arrival\n");
    for (int i = 0; i < 500; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%d\n", i * i);
    size_t packed;
    char *bytes = scratch_read(scratch_write_gzip("w.csv", text, length), &packed);
    (void)scratch_write("w.csv", bytes, packed - 12);
    assert_file_refused(scenario, "workload.json:/arrivals/a/csv: ", "gzip stream ends too early");
    mem_free(bytes);
}

static void test_a_cycle_of_includes(void **state)
{
    (void)state;
    (void)scratch_write_text("a.json", HEAD FLEET ",\"include\":[\"b.json\"]}");
    (void)scratch_write_text("b.json", "{\"include\":[\"c.json\"]}");
    (void)scratch_write_text("c.json", "{\"include\":[\"./a.json\"]}");
    char a[300];
    (void)snprintf(a, sizeof a, "%s", scratch_path("a.json"));
    assert_file_refused(a, "c.json:/include: a cycle: ", "a.json, which is included by ");
    (void)scratch_write_text("c.json", "{\"include\":[\"c.json\"]}");
    assert_file_refused(a, "c.json:/include: a cycle: ", "c.json, which is included by ");
    /* Two ways to one file are no cycle. */
    (void)scratch_write_text("c.json", "{}");
    (void)scratch_write_text("b.json", "{\"include\":[\"c.json\",\"c.json\"]}");
    char arguments[600];
    (void)snprintf(arguments, sizeof arguments, "validate '%s'", a);
    struct answer answer = berth(arguments);
    assert_int_equal(answer.status, 0);
    answer_free(&answer);
}

static void test_a_million_levels(void **state)
{
    (void)state;
    enum { DEPTH = 1000000 };
    char *text = mem_alloc(DEPTH * 6 + 1);
    for (int i = 0; i < DEPTH; i++)
        text[i] = '[';
    assert_file_refused(scratch_write("deep.json", text, DEPTH), "deep.json:1:", "deeper than");
    for (int i = 0; i < DEPTH; i++)
        memcpy(text + i * 5, "{\"a\":", 5);
    assert_file_refused(scratch_write("deep.json", text, DEPTH * 5), "deep.json:1:", "deeper than");
    mem_free(text);
}

static void test_an_environment_that_fails(void **state)
{
    char arguments[900], scenario[300];
    (void)state;
    (void)snprintf(scenario, sizeof scenario, "%s",
                   scratch_write_text("small.json", HEAD FLEET "}"));
    (void)snprintf(arguments, sizeof arguments,
                   "run --quiet --no-plots --replications 1 --out '%s/out' '%s'", scenario,
                   scenario);
    assert_refused(arguments, 3, "small.json", "");
    (void)snprintf(arguments, sizeof arguments,
                   "run --quiet --no-plots --replications 1 --out /proc/berth '%s'", scenario);
    assert_refused(arguments, 3, "/proc/berth", "");
}

static void test_runs_that_cannot_begin(void **state)
{
    char arguments[900];
    (void)state;
    assert_refused("run no-such.json", 2, "no-such.json: ", "no such file");
    assert_refused("run", 2, "berth run: ", "");
    (void)snprintf(arguments, sizeof arguments, "run --out '%s' '%s'", scratch_path("never"),
                   scratch_write_text("metric.json", "{\"version\":1,\"name\":\"x\"," FLEET
                                                     ",\"run\":{\"duration\":60,\"metrics\":"
                                                     "[\"availabilty\"]}}"));
    assert_refused(arguments, 2, "metric.json:/run/metrics/0: ", "did you mean \"availability\"?");
    /* No half-written output under the final name. */
    size_t length;
    assert_null(scratch_read(scratch_path("never/summary.json"), &length));
}

/* A task that fits nowhere is a result, not a mistake. */
static void test_a_task_that_fits_nowhere(void **state)
{
    (void)state;
    const char *path = scratch_write_text(
        "large.json",
        HEAD FLEET ",\"taskDefinitions\":{\"job\":{\"containerDefinitions\":[{\"name\":\"j\","
                   "\"image\":\"j\",\"cpu\":4096,\"memory\":4}]}},\"services\":{\"s\":{"
                   "\"taskDefinition\":\"job\",\"desiredCount\":1}}}");
    char arguments[600];
    (void)snprintf(arguments, sizeof arguments, "validate '%s'", path);
    struct answer answer = berth(arguments);
    assert_int_equal(answer.status, 0);
    assert_string_equal(answer.err, "");
    assert_non_null(strstr(answer.out, "warning: services/s: a task of it fits on no instance"));
    assert_non_null(strstr(answer.out, "RESOURCE:CPU"));
    answer_free(&answer);
    (void)snprintf(arguments, sizeof arguments,
                   "run --quiet --no-plots --replications 2 --out '%s' '%s'", scratch_path("ran"),
                   scratch_path("large.json"));
    answer = berth(arguments);
    assert_int_equal(answer.status, 0);
    answer_free(&answer);
    size_t length;
    char *summary = scratch_read(scratch_path("ran/summary.json"), &length);
    assert_non_null(summary);
    mem_free(summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenarios_that_are_wrong),
        cmocka_unit_test(test_files_that_are_not_there),
        cmocka_unit_test(test_truncated_gzip),
        cmocka_unit_test(test_workload_files),
        cmocka_unit_test(test_a_cycle_of_includes),
        cmocka_unit_test(test_a_million_levels),
        cmocka_unit_test(test_an_environment_that_fails),
        cmocka_unit_test(test_runs_that_cannot_begin),
        cmocka_unit_test(test_a_task_that_fits_nowhere),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed == 0)
        scratch_remove();
    return failed;
}
