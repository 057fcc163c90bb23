#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "sim/import/output.h"
#include "tests/support/scratch.h"

static void begin(struct output *output, const char *folder)
{
    struct berth_error err = BERTH_ERROR_INIT;
    if (output_begin(output, folder, &err) != BERTH_OK)
        fail_msg("%s", err.text);
}

static FILE *open_file(struct output *output, const char *name)
{
    FILE *file;
    struct berth_error err = BERTH_ERROR_INIT;
    if (output_open(output, name, &file, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return file;
}

/* Nothing under the final name before the commit; folders are made on the way. */
static void test_commit(void **state)
{
    (void)state;
    struct output output;
    struct berth_error err = BERTH_ERROR_INIT;
    begin(&output, scratch_path("a/b/c"));
    fputs("1,2\n", open_file(&output, "x.csv"));
    json_t *json = json_pack("{s:i, s:i}", "b", 1, "a", 2);
    assert_int_equal(output_json(&output, "x.json", json, &err), BERTH_OK);
    json_decref(json);
    assert_int_not_equal(access(scratch_path("a/b/c/x.csv"), F_OK), 0);
    assert_int_equal(access(scratch_path("a/b/c/.x.csv.part"), F_OK), 0);
    assert_int_equal(output_commit(&output, &err), BERTH_OK);
    output_end(&output);
    char *text = scratch_read(scratch_path("a/b/c/x.csv"), NULL);
    assert_string_equal(text, "1,2\n");
    mem_free(text);
    text = scratch_read(scratch_path("a/b/c/x.json"), NULL);
    assert_string_equal(text, "{\n  \"b\": 1,\n  \"a\": 2\n}\n");
    mem_free(text);
    assert_int_not_equal(access(scratch_path("a/b/c/.x.csv.part"), F_OK), 0);
}

/* Given up: what was there before stays, and no part is left. */
static void test_giving_up(void **state)
{
    (void)state;
    struct output output;
    begin(&output, scratch_path("d"));
    (void)scratch_write_text("d/x.csv", "old");
    fputs("new", open_file(&output, "x.csv"));
    output_end(&output);
    char *text = scratch_read(scratch_path("d/x.csv"), NULL);
    assert_string_equal(text, "old");
    mem_free(text);
    assert_int_not_equal(access(scratch_path("d/.x.csv.part"), F_OK), 0);
    output_end(&output); /* again is harmless */
}

static void test_bad_folders(void **state)
{
    (void)state;
    struct output output;
    struct berth_error err = BERTH_ERROR_INIT;
    (void)scratch_write_text("plain", "x");
    assert_int_equal(output_begin(&output, scratch_path("plain"), &err), BERTH_ERR_ENVIRONMENT);
    assert_non_null(strstr(err.text, "plain: is not a folder; give another with -o"));
    output_end(&output);
    assert_int_equal(output_begin(&output, scratch_path("plain/below"), &err),
                     BERTH_ERR_ENVIRONMENT);
    output_end(&output);
    assert_int_equal(output_begin(&output, "", &err), BERTH_ERR_INPUT);
    output_end(&output);
}

/* A device that is always full stands for a full disk. */
static void test_full_disk(void **state)
{
    (void)state;
    struct output output;
    struct berth_error err = BERTH_ERROR_INIT;
    if (access("/dev/full", W_OK) != 0) {
        printf("left out: a full disk, no /dev/full\n");
        return;
    }
    begin(&output, scratch_path("e"));
    assert_int_equal(symlink("/dev/full", scratch_path("e/.x.csv.part")), 0);
    fputs("lost", open_file(&output, "x.csv"));
    assert_int_equal(output_commit(&output, &err), BERTH_ERR_ENVIRONMENT);
    assert_non_null(strstr(err.text, "x.csv: cannot be written: No space left on device"));
    output_end(&output);
    assert_int_not_equal(access(scratch_path("e/x.csv"), F_OK), 0);
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
        cmocka_unit_test(test_commit),
        cmocka_unit_test(test_giving_up),
        cmocka_unit_test(test_bad_folders),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
