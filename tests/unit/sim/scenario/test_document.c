/* test_document.c -- several files: what is merged over what, whose paths are whose, what is
 * hashed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sim/scenario/scenario.h"
#include "tests/support/scratch.h"

#define DEFINITION(cpu) \
    "{\"containerDefinitions\":[{\"name\":\"j\",\"image\":\"j\",\"cpu\":" #cpu ",\"memory\":64}]}"
#define WRAPPED(cpu) "{\"taskDefinition\":" DEFINITION(cpu) ",\"tags\":[]}"

static char path_buffer[300];

static struct scenario_set *load(const char *name)
{
    struct scenario_set *set = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    (void)snprintf(path_buffer, sizeof path_buffer, "%s", scratch_path(name));
    if (scenario_load(path_buffer, &set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return set;
}

static void assert_refused(const char *name, const char *says)
{
    struct scenario_set *set = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    (void)snprintf(path_buffer, sizeof path_buffer, "%s", scratch_path(name));
    assert_int_equal(scenario_load(path_buffer, &set, &err), BERTH_ERR_INPUT);
    assert_null(set);
    if (strstr(err.text, says) == NULL)
        fail_msg("says\n%s\nnot\n%s", err.text, says);
}

static void make_folder(const char *name)
{
    assert_true(mkdir(scratch_path(name), 0700) == 0);
}

/*
 *  main.json        includes lib/fleet.json, then lib/work.json
 *  lib/work.json    names defs/job.json and rows.csv, in its own folder
 */
static int write_files(void **state)
{
    (void)state;
    make_folder("lib");
    make_folder("lib/defs");
    (void)scratch_write_text("lib/fleet.json",
                             "{\"fleet\":{\"g\":{\"count\":2,\"cpu\":1024,\"memory\":1024,"
                             "\"zones\":[\"a\",\"b\"]},\"h\":{\"count\":1}}}");
    (void)scratch_write_text(
        "lib/work.json",
        "{\"fleet\":{\"h\":null,\"g\":{\"zones\":[\"c\"]}},"
        "\"taskDefinitions\":{\"job\":\"defs/job.json\",\"web\":{\"definition\":"
        "\"./defs/web.json\",\"imageMiB\":7}},"
        "\"arrivals\":{\"rows\":{\"csv\":\"rows.csv\",\"taskDefinition\":\"job\"}}}");
    (void)scratch_write_text("lib/defs/job.json", DEFINITION(10));
    (void)scratch_write_text("lib/defs/web.json", WRAPPED(20));
    (void)scratch_write_text("job2.json", DEFINITION(30));
    (void)scratch_write_text("lib/rows.csv", "arrival\n1\n");
    (void)scratch_write_text(
        "main.json", "{\"version\":1,\"name\":\"main\",\"run\":{\"duration\":60},"
                     "\"include\":[\"lib/fleet.json\",\"./lib/work.json\"],"
                     "\"fleet\":{\"g\":{\"count\":5}},"
                     "\"taskDefinitions\":{\"job\":{\"crashProbability\":0.5}},"
                     "\"compare\":{\"variants\":{\"a\":{},\"b\":{\"taskDefinitions\":{\"job\":"
                     "\"job2.json\"}}},\"axes\":{\"cpu\":{\"pointer\":"
                     "\"/taskDefinitions/web/definition/containerDefinitions/0/cpu\","
                     "\"values\":[1,2]},\"job\":{\"pointer\":\"/taskDefinitions/other\","
                     "\"values\":[\"job2.json\"]}}}}");
    return 0;
}

static void test_files_are_merged_in_order(void **state)
{
    (void)state;
    struct scenario_set *set = load("main.json");
    assert_int_equal(set->variant_count, 4);
    const struct scenario *scenario = set->variants[0];
    assert_int_equal(scenario->group_count, 1);
    assert_int_equal(scenario->groups[0].count, 5);
    assert_int_equal(scenario->groups[0].zone_count, 1);
    assert_string_equal(scenario->groups[0].zones[0], "c");
    scenario_set_destroy(set);
}

static void test_paths_belong_to_their_file(void **state)
{
    (void)state;
    struct scenario_set *set = load("main.json");
    const struct scenario *a = set->variants[0], *b = set->variants[3];
    assert_string_equal(a->variant, "a/cpu=1,job=job2.json");
    const struct scenario_task_def *job = scenario_find_task_def(a, "job");
    assert_int_equal(job->def->demand.cpu_units, 10);
    assert_true(job->crash_probability == 0.5);
    assert_string_equal(job->def->family, "job");
    /* A path in a patch stands for the whole definition. */
    job = scenario_find_task_def(b, "job");
    assert_int_equal(job->def->demand.cpu_units, 30);
    assert_true(job->crash_probability == 0);
    const struct scenario_task_def *web = scenario_find_task_def(a, "web");
    assert_int_equal(web->def->demand.cpu_units, 1);
    assert_true(web->image_mib == 7);
    assert_int_equal(scenario_find_task_def(b, "web")->def->demand.cpu_units, 2);
    assert_int_equal(scenario_find_task_def(a, "other")->def->demand.cpu_units, 30);
    assert_string_equal(a->arrivals[0].csv_path, scratch_path("lib/rows.csv"));
    scenario_set_destroy(set);
}

static void copy_hash(char hash[65])
{
    struct scenario_set *set = load("main.json");
    memcpy(hash, set->hash, 65);
    scenario_set_destroy(set);
    assert_int_equal(strlen(hash), 64);
}

static void test_hash_is_of_content(void **state)
{
    char before[65], after[65];
    (void)state;
    copy_hash(before);
    copy_hash(after);
    assert_string_equal(before, after);
    /* Neither the order of members, nor blanks, nor compression. */
    (void)scratch_write_text("lib/fleet.json",
                             "{ \"fleet\":{\"h\":{\"count\":1},\"g\":{\"memory\":1024,\n"
                             "\"cpu\":1024,\"count\":2, \"zones\":[\"a\",\"b\"]}}}");
    (void)scratch_write_gzip("lib/rows.csv", "arrival\n1\n", 10);
    copy_hash(after);
    assert_string_equal(before, after);
    /* But every file. */
    (void)scratch_write_text("lib/rows.csv", "arrival\n2\n");
    copy_hash(after);
    assert_string_not_equal(before, after);
    (void)scratch_write_text("lib/rows.csv", "arrival\n1\n");
    (void)scratch_write_text("lib/defs/web.json", "{\"networkMode\":\"host\","
                                                  "\"containerDefinitions\":[{\"name\":\"j\","
                                                  "\"image\":\"j\",\"memory\":64}]}");
    copy_hash(after);
    assert_string_not_equal(before, after);
    (void)scratch_write_text("lib/defs/web.json", WRAPPED(20));
    copy_hash(after);
    assert_string_equal(before, after);
}

static void test_messages_name_the_file(void **state)
{
    (void)state;
    (void)scratch_write_text("lib/bad.json", "{\"services\":{\"s\":{\"desiredCount\":-1,"
                                             "\"taskDefinition\":\"j\"}}}");
    (void)scratch_write_text("outer.json",
                             "{\"version\":1,\"name\":\"x\",\"run\":{\"duration\":60},\"fleet\":{"
                             "\"g\":{\"count\":1,\"cpu\":1,\"memory\":1}},"
                             "\"include\":[\"lib/bad.json\"],"
                             "\"services\":{\"s\":{\"startAt\":1}}}");
    assert_refused("outer.json", "/lib/bad.json:/services/s/desiredCount: -1");
    (void)scratch_write_text("lib/bad.json", "{\"services\":{\"s\":{\"desiredCount\":1,"
                                             "\"taskDefinition\":\"j\"}},"
                                             "\"taskDefinitions\":{\"j\":\"defs/j.json\"}}");
    (void)scratch_write_text("lib/defs/j.json", "{\"containerDefinitions\":[{\"name\":\"j\","
                                                "\"image\":\"j\",\"cpu\":-1}]}");
    assert_refused("outer.json", "/lib/defs/j.json:/containerDefinitions/0/cpu: ");
    (void)scratch_write_text("lib/bad.json", "{\"services\":{\"s\":{},}}");
    assert_refused("outer.json", "/outer.json:/include: ");
    assert_refused("outer.json", "/lib/bad.json:1:");
}

static void test_includes_are_bounded(void **state)
{
    char name[40], text[100];
    (void)state;
    /* Each file includes the next one twice: 2^30 readings. */
    for (int i = 0; i < 30; i++) {
        (void)snprintf(name, sizeof name, "twice%d.json", i);
        (void)snprintf(text, sizeof text, "{\"include\":[\"twice%d.json\",\"twice%d.json\"]}",
                       i + 1, i + 1);
        (void)scratch_write_text(name, text);
    }
    (void)scratch_write_text("twice30.json", "{}");
    assert_refused("twice0.json", "more than 1000 files");
    for (int i = 0; i < 50; i++) {
        (void)snprintf(name, sizeof name, "deep%d.json", i);
        (void)snprintf(text, sizeof text, "{\"include\":[\"deep%d.json\"]}", i + 1);
        (void)scratch_write_text(name, text);
    }
    assert_refused("deep0.json", "nested deeper than 32");
}

static int remove_files(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_are_merged_in_order),
        cmocka_unit_test(test_paths_belong_to_their_file),
        cmocka_unit_test(test_hash_is_of_content),
        cmocka_unit_test(test_messages_name_the_file),
        cmocka_unit_test(test_includes_are_bounded),
    };
    return cmocka_run_group_tests(tests, write_files, remove_files);
}
