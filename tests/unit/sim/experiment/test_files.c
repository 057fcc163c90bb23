#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/files.h"
#include "tests/support/scratch.h"

static void test_nothing_until_it_is_whole(void **state)
{
    (void)state;
    char *path = mem_copy_text(scratch_path("whole"));
    struct files_writer writer;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(files_create(path, &writer, &err), BERTH_OK);
    fputs("half", writer.out);
    assert_false(files_exist(path));
    assert_int_equal(files_commit(&writer, &err), BERTH_OK);
    struct text text = TEXT_INIT;
    assert_int_equal(files_read(path, &text, &err), BERTH_OK);
    assert_string_equal(text.bytes, "half");
    assert_int_equal(files_create(path, &writer, &err), BERTH_OK);
    fputs("another", writer.out);
    files_abandon(&writer);
    files_abandon(&writer);
    text_clear(&text);
    assert_int_equal(files_read(path, &text, &err), BERTH_OK);
    assert_string_equal(text.bytes, "half");
    files_empty_folder(scratch_folder());
    assert_false(files_exist(path));
    text_free(&text);
    mem_free(path);
}

static void test_folders(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    char *deep = mem_copy_text(scratch_path("a/b//c/"));
    assert_int_equal(files_make_folder(deep, &err), BERTH_OK);
    assert_int_equal(files_make_folder(deep, &err), BERTH_OK);
    assert_true(files_exist(scratch_path("a/b/c")));
    files_empty_folder(scratch_path("a"));
    assert_false(files_exist(scratch_path("a/b")));
    char *below = mem_copy_text(scratch_path("file/x"));
    scratch_write_text("file", "");
    assert_int_equal(files_make_folder(below, &err), BERTH_ERR_ENVIRONMENT);
    assert_non_null(strstr(err.text, "a file stands where a folder is needed"));
    struct files_writer writer;
    assert_int_equal(files_create(below, &writer, &err), BERTH_ERR_ENVIRONMENT);
    files_abandon(&writer);
    mem_free(below);
    mem_free(deep);
}

static void test_reading_what_is_not_there(void **state)
{
    (void)state;
    struct text text = TEXT_INIT;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(files_read(scratch_path("none"), &text, &err), BERTH_ERR_INPUT);
    assert_non_null(strstr(err.text, "none: No such file"));
    assert_int_equal(files_read(scratch_folder(), &text, &err), BERTH_ERR_INPUT);
    assert_non_null(strstr(err.text, "is a folder"));
    text_free(&text);
}

/* A limit on the size of files stands for a full disk: the write fails half way. */
static void test_no_room(void **state)
{
    (void)state;
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = before;
    small.rlim_cur = 1000;
    struct text text = TEXT_INIT;
    for (int i = 0; i < 100000; i++)
        text_add(&text, "0123456789");
    char *path = mem_copy_text(scratch_path("big"));
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum berth_err code = files_write(path, &text, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(code, BERTH_ERR_ENVIRONMENT);
    assert_non_null(strstr(err.text, "big: File too large"));
    assert_false(files_exist(path));
    assert_false(files_exist(scratch_path("big.new")));
    text_free(&text);
    mem_free(path);
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
        cmocka_unit_test(test_nothing_until_it_is_whole),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_reading_what_is_not_there),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
