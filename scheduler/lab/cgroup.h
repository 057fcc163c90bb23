/*
 * cgroup.h -- the control groups of a lab, version 1, 2 or both side by side.
 *
 * They are more than limits: who is in the group of an engine belongs to it, whatever became of
 * the berth that started it. So processes are found, frozen and killed by their group.
 */
#ifndef BERTH_SCHEDULER_LAB_CGROUP_H
#define BERTH_SCHEDULER_LAB_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "scheduler/base/error.h"
#include "scheduler/base/mem.h"

#define LAB_TREES_MAX 24

struct lab_tree { /* one mounted hierarchy */
    char mount[80];
    bool is_v2;
    bool has_freezer; /* of version 1 */
    bool has_cpuset;  /* of version 1: a new group must be told its processors */
};

struct lab_cgroups {
    int count;
    int main; /* the one in which processes are looked for and frozen */
    struct lab_tree trees[LAB_TREES_MAX];
};

typedef VEC(pid_t) lab_pids;

/* One line of /proc/self/mountinfo: false when it is no hierarchy below /sys/fs/cgroup. */
bool lab_tree_read(const char *line, struct lab_tree *out);

enum berth_err lab_cgroups_find(struct lab_cgroups *out, struct berth_error *err) BERTH_MUST_CHECK;

/* `path` is relative to the hierarchies: lab_cgroup("lab", 2, "engine").text */
enum berth_err lab_cgroup_make(const struct lab_cgroups *cgroups, const char *path,
                               struct berth_error *err) BERTH_MUST_CHECK;
bool lab_cgroup_join(const struct lab_cgroups *cgroups, const char *path); /* this process */
bool lab_cgroup_exists(const struct lab_cgroups *cgroups, const char *path);

/* Those in the group and below it, in no order. */
void lab_cgroup_pids(const struct lab_cgroups *cgroups, const char *path, lab_pids *out);

/* The process of this name (/proc/PID/comm) in the group itself; 0: none. */
pid_t lab_cgroup_find(const struct lab_cgroups *cgroups, const char *path, const char *comm);

/* Stops or continues all below, and waits until they are. */
enum berth_err lab_cgroup_freeze(const struct lab_cgroups *cgroups, const char *path, bool freeze,
                                 struct berth_error *err) BERTH_MUST_CHECK;
bool lab_cgroup_is_frozen(const struct lab_cgroups *cgroups, const char *path);

/* SIGKILL to all below, frozen or not, until none is left; then the groups are removed. */
enum berth_err lab_cgroup_kill(const struct lab_cgroups *cgroups, const char *path,
                               int64_t deadline, struct berth_error *err) BERTH_MUST_CHECK;

void lab_cgroup_prune(const struct lab_cgroups *cgroups, const char *path); /* if it is empty */

#endif
