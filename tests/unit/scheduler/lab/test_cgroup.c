#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/lab/cgroup.h"

static void test_lines_of_mountinfo(void **state)
{
    static const struct {
        const char *line, *mount; /* NULL: none of ours */
        bool is_v2, has_freezer, has_cpuset;
    } rows[] = {
        {"35 24 0:30 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer",
         "/sys/fs/cgroup/freezer", false, true, false},
        {"33 24 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:15 - cgroup cgroup rw,cpu,cpuacct",
         "/sys/fs/cgroup/cpu,cpuacct", false, false, false},
        {"31 24 0:26 / /sys/fs/cgroup/cpuset rw shared:13 - cgroup cgroup rw,cpuset\n",
         "/sys/fs/cgroup/cpuset", false, false, true},
        {"29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate",
         "/sys/fs/cgroup", true, false, false},
        {"36 24 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd",
         "/sys/fs/cgroup/systemd", false, false, false},
        {"37 24 0:31 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755", NULL, false, false, false},
        {"38 24 0:31 / /elsewhere rw - cgroup2 cgroup2 rw", NULL, false, false, false},
        {"22 1 8:1 / / rw - ext4 /dev/sda1 rw", NULL, false, false, false},
        {"", NULL, false, false, false},
        {"38 24 0:31 / /sys/fs/cgroup", NULL, false, false, false},
        {"38 24 0:31 / /sys/fs/cgroup rw - cgroup2", NULL, false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lab_tree tree;
        bool good = lab_tree_read(rows[i].line, &tree);
        assert_int_equal(good, rows[i].mount != NULL);
        if (!good)
            continue;
        assert_string_equal(tree.mount, rows[i].mount);
        assert_int_equal(tree.is_v2, rows[i].is_v2);
        assert_int_equal(tree.has_freezer, rows[i].has_freezer);
        assert_int_equal(tree.has_cpuset, rows[i].has_cpuset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines_of_mountinfo)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
