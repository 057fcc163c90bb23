#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "scheduler/lab/cgroup.h"
#include "scheduler/lab/process.h"

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

/* A child in the group that sleeps for a minute. */
static pid_t start_sleeper(const struct lab_cgroups *cgroups, const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        if (lab_cgroup_join(cgroups, path))
            (void)sleep(60);
        _exit(1);
    }
    return child;
}

static void check_life_of_a_group(const struct lab_cgroups *cgroups)
{
    char top[64], path[80];
    struct berth_error err = BERTH_ERROR_INIT;
    lab_pids pids = VEC_INIT;
    int status = 0;
    (void)snprintf(top, sizeof top, "berth-test-%ld", (long)getpid());
    (void)snprintf(path, sizeof path, "%s/1/engine", top);
    assert_int_equal(lab_cgroup_make(cgroups, path, &err), BERTH_OK);
    assert_int_equal(lab_cgroup_make(cgroups, path, &err), BERTH_OK);
    assert_true(lab_cgroup_exists(cgroups, path));
    pid_t child = start_sleeper(cgroups, path);
    assert_true(child > 0);
    for (int i = 0; i < 1000 && pids.count == 0; i++) {
        lab_sleep_ms(10);
        lab_cgroup_pids(cgroups, top, &pids);
    }
    assert_int_equal(pids.count, 1);
    assert_int_equal(pids.items[0], child);
    assert_int_equal(lab_cgroup_find(cgroups, path, "test_cgroup"), child);
    assert_int_equal(lab_cgroup_find(cgroups, path, "dockerd"), 0);
    assert_false(lab_cgroup_is_frozen(cgroups, top));
    assert_int_equal(lab_cgroup_freeze(cgroups, top, true, &err), BERTH_OK);
    assert_true(lab_cgroup_is_frozen(cgroups, top));
    assert_int_equal(lab_cgroup_freeze(cgroups, top, false, &err), BERTH_OK);
    assert_int_equal(lab_cgroup_freeze(cgroups, top, true, &err), BERTH_OK);
    assert_int_equal(lab_cgroup_kill(cgroups, top, lab_now_ms() + 10000, &err), BERTH_OK);
    assert_false(lab_cgroup_exists(cgroups, top));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    /* What is not there is gone already. */
    assert_int_equal(lab_cgroup_kill(cgroups, top, lab_now_ms() + 10000, &err), BERTH_OK);
    vec_free(&pids);
}

/* As mounted here, and with version 2 alone where there are both. */
static void test_the_life_of_a_group(void **state)
{
    struct lab_cgroups all, second = {.main = 0};
    struct berth_error err = BERTH_ERROR_INIT;
    (void)state;
    if (geteuid() != 0 || lab_cgroups_find(&all, &err) != BERTH_OK ||
        access(all.trees[all.main].mount, W_OK) != 0) {
        puts("left out: making control groups, which needs root");
        return;
    }
    check_life_of_a_group(&all);
    for (int i = 0; i < all.count; i++)
        if (all.trees[i].is_v2)
            second.trees[second.count++] = all.trees[i];
    if (second.count > 0 && all.count > 1)
        check_life_of_a_group(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines_of_mountinfo),
                                       cmocka_unit_test(test_the_life_of_a_group)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
