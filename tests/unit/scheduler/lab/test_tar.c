#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "scheduler/base/mem.h"
#include "scheduler/lab/tar.h"
#include "tests/support/scratch.h"

static void test_layout(void **state)
{
    struct text tar = TEXT_INIT;
    (void)state;
    tar_add_folder(&tar, "bin", 0755);
    tar_add_file(&tar, "bin/x", 0644, "hello", 5);
    tar_add_link(&tar, "bin/y", "x");
    tar_end(&tar);
    assert_int_equal(tar.length, 512 * (1 + 2 + 1 + 2));
    assert_string_equal(tar.bytes, "bin");
    assert_string_equal(tar.bytes + 100, "0000755");
    assert_int_equal(tar.bytes[156], '5');
    assert_string_equal(tar.bytes + 257, "ustar");
    assert_string_equal(tar.bytes + 512, "bin/x");
    assert_string_equal(tar.bytes + 512 + 124, "00000000005");
    assert_string_equal(tar.bytes + 1024, "hello");
    assert_string_equal(tar.bytes + 1536 + 157, "x");
    text_free(&tar);
}

/* What tar(1) makes of it: checks the sums too. */
static void test_another_program_reads_it(void **state)
{
    struct text tar = TEXT_INIT;
    char command[600], *list;
    size_t length = 0;
    (void)state;
    char block[512];
    memset(block, 'b', sizeof block);
    tar_add_folder(&tar, "tmp", 01777);
    tar_add_file(&tar, "tmp/whole", 0600, block, sizeof block);
    tar_add_file(&tar, "tmp/empty", 0755, "", 0);
    tar_add_link(&tar, "link", "tmp/empty");
    tar_end(&tar);
    const char *path = scratch_write("x.tar", tar.bytes, tar.length);
    (void)snprintf(command, sizeof command, "tar tvf '%s' | tr -s ' ' | cut -d' ' -f1-3,6- >'%s'",
                   path, scratch_path("list"));
    assert_int_equal(system(command), 0);
    list = scratch_read(scratch_path("list"), &length);
    assert_string_equal(list, "drwxrwxrwt 0/0 0 tmp\n"
                              "-rw------- 0/0 512 tmp/whole\n"
                              "-rwxr-xr-x 0/0 0 tmp/empty\n"
                              "lrwxrwxrwx 0/0 0 link -> tmp/empty\n");
    mem_free(list);
    text_free(&tar);
    scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_another_program_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
