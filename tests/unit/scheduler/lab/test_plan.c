#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/lab/plan.h"

static void test_names(void **state)
{
    static const char *const good[] = {"lab", "a", "7", "my-lab-2",
                                       "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const bad[] = {
        "", "-a", "a/b", "../x", "a b", "a.b", "abcdefghijklmnopqrstuvwxyz0123456", "l\xc3\xa4"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        assert_int_equal(lab_check_name(good[i], &err), BERTH_OK);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        assert_int_equal(lab_check_name(bad[i], &err), BERTH_ERR_INPUT);
    }
}

static void test_engines(void **state)
{
    struct lab_plan plan = {.name = "lab", .engine_count = 3};
    struct berth_error err = BERTH_ERROR_INIT;
    (void)state;
    for (int i = 1; i <= 3; i++)
        assert_int_equal(lab_check_engine(&plan, i, &err), BERTH_OK);
    assert_int_equal(lab_check_engine(&plan, 0, &err), BERTH_ERR_INPUT);
    assert_int_equal(lab_check_engine(&plan, 9, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "no engine 9 in lab \"lab\"; there are engines 1 to 3");
    plan.engine_count = 1;
    assert_int_equal(lab_check_engine(&plan, 2, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "no engine 2 in lab \"lab\"; there is engine 1");
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes; /* 0: refused */
    } rows[] = {{"64M", 64ULL << 20},
                {"512M", 512ULL << 20},
                {"2G", 2ULL << 30},
                {"1024G", 1ULL << 40},
                {"1025G", 0},
                {"63M", 0},
                {"0G", 0},
                {"100", 0},
                {"G", 0},
                {"", 0},
                {"-1G", 0},
                {" 1G", 0},
                {"1T", 0},
                {"1GB", 0},
                {"99999999999999999999G", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        uint64_t bytes = 0;
        assert_int_equal(lab_read_size(rows[i].text, &bytes, &err),
                         rows[i].bytes == 0 ? BERTH_ERR_INPUT : BERTH_OK);
        assert_int_equal(bytes, rows[i].bytes);
    }
    uint64_t kept = 5;
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(lab_read_size(NULL, &kept, &err), BERTH_OK);
    assert_int_equal(kept, 5);
}

static void test_the_file_is_read_back(void **state)
{
    const struct lab_plan plan = {.name = "my-lab",
                                  .engine_count = 16,
                                  .slot = 255,
                                  .disk_bytes = LAB_DISK_DEFAULT,
                                  .live_restore = true,
                                  .is_complete = true};
    struct lab_plan read = {.name = ""};
    struct berth_error err = BERTH_ERROR_INIT;
    struct text line = TEXT_INIT;
    (void)state;
    lab_plan_write(&plan, &line);
    assert_string_equal(line.bytes, "lab name=my-lab engines=16 slot=255 disk=1073741824 "
                                    "liveRestore=1 complete=1\n");
    assert_int_equal(lab_plan_read(line.bytes, &read, &err), BERTH_OK);
    assert_string_equal(read.name, "my-lab");
    assert_int_equal(read.engine_count, 16);
    assert_int_equal(read.slot, 255);
    assert_int_equal(read.disk_bytes, LAB_DISK_DEFAULT);
    assert_true(read.live_restore && read.is_complete);
    text_free(&line);
}

static void test_a_file_that_is_no_plan(void **state)
{
    static const char *const bad[] = {
        "",
        "lab",
        "lap name=a engines=1 slot=0 disk=1 liveRestore=0 complete=0",
        "lab name=../a engines=1 slot=0 disk=1 liveRestore=0 complete=0",
        "lab name=a engines=0 slot=0 disk=1 liveRestore=0 complete=0",
        "lab name=a engines=17 slot=0 disk=1 liveRestore=0 complete=0",
        "lab name=a engines=1 slot=256 disk=1 liveRestore=0 complete=0",
        "lab name=a engines=1 slot=0 liveRestore=0 complete=0",
        "lab name=a engines=1 slot=0 disk=1 liveRestore=2 complete=0",
        "lab name=a engines=1 slot=0 disk=1 liveRestore=0",
        "lab name=a engines=1 slot=0 disk=1 liveRes"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char line[200];
        struct lab_plan plan = {.name = "kept"};
        struct berth_error err = BERTH_ERROR_INIT;
        (void)snprintf(line, sizeof line, "%s", bad[i]);
        assert_int_equal(lab_plan_read(line, &plan, &err), BERTH_ERR_INPUT);
        assert_string_equal(plan.name, "kept");
    }
}

static void test_paths(void **state)
{
    (void)state;
    assert_string_equal(lab_path("lab", 0, "").text, "/run/berth-lab/lab");
    assert_string_equal(lab_path("lab", 0, "hub").text, "/run/berth-lab/lab/hub");
    assert_string_equal(lab_path("lab", 2, "").text, "/run/berth-lab/lab/2");
    assert_string_equal(lab_path("lab", 2, "docker.sock").text, "/run/berth-lab/lab/2/docker.sock");
    assert_string_equal(lab_image_path("lab", 0).text, "/var/lib/berth-lab/lab");
    assert_string_equal(lab_image_path("lab", 16).text, "/var/lib/berth-lab/lab/16.img");
    assert_string_equal(lab_cgroup("lab", 1, "engine").text, "berth-lab/lab/1/engine");
    assert_string_equal(lab_address(0, 3).text, "10.213.0.3");
    assert_string_equal(lab_address(255, LAB_MACHINE).text, "10.213.255.254");
    assert_string_equal(lab_url(1, 16).text, "https://10.213.1.16:2376");
    assert_string_equal(lab_link(255).text, "berth-lab255");
    /* A socket's path has 108 bytes, a link's name 16, with the zero. */
    assert_true(strlen(lab_path("abcdefghijklmnopqrstuvwxyz012345", 16, "docker.sock").text) < 108);
    assert_true(strlen(lab_link(255).text) < 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_engines),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_the_file_is_read_back),
        cmocka_unit_test(test_a_file_that_is_no_plan),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
