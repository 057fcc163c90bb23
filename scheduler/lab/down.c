#define _XOPEN_SOURCE 700 /* nftw */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler/lab/disk.h"
#include "scheduler/lab/lab.h"
#include "scheduler/lab/network.h"
#include "scheduler/lab/open.h"
#include "scheduler/lab/process.h"

#define DOWN_MS 30000

static int remove_entry(const char *path, const struct stat *what, int kind, struct FTW *place)
{
    (void)what;
    (void)kind;
    (void)place;
    (void)remove(path);
    return 0;
}

/* Stays on its file system: a mount that would not go keeps what is on it. */
static enum berth_err remove_folder(const char *path, struct berth_error *err)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 && errno != ENOENT)
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", path, strerror(errno));
    return access(path, F_OK) != 0
               ? BERTH_OK
               : berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: cannot be removed", path);
}

/* All but the lock; the lab's folder goes last, so that what was not done can be done again. */
static enum berth_err take_down(const char *name, struct berth_error *err)
{
    struct lab_plan plan = {.slot = -1};
    struct lab_cgroups cgroups;
    struct berth_error no_plan = BERTH_ERROR_INIT;
    int64_t deadline = lab_now_ms() + DOWN_MS;
    /* Without a plan `up` had not come to the network yet. */
    if (lab_load_plan(name, &plan, &no_plan) != BERTH_OK)
        plan.slot = -1;
    enum berth_err code = lab_cgroups_find(&cgroups, err);
    if (code == BERTH_OK)
        code = lab_cgroup_kill(&cgroups, lab_cgroup(name, 0, "").text, deadline, err);
    if (code != BERTH_OK)
        return code;
    lab_hub_remove(name, plan.slot);
    code = lab_mounts_remove(name, deadline, err);
    if (code == BERTH_OK)
        code = remove_folder(lab_image_path(name, 0).text, err);
    if (code == BERTH_OK)
        code = remove_folder(lab_path(name, 0, "").text, err);
    if (code != BERTH_OK)
        return code;
    /* What all labs share goes with the last one; it stays when it is not empty. */
    lab_cgroup_prune(&cgroups, LAB_CGROUP);
    (void)rmdir(LAB_IMAGES);
    (void)rmdir(LAB_RUN);
    return BERTH_OK;
}

enum berth_err lab_down(const char *name, bool *found, struct berth_error *err)
{
    struct lab_cgroups cgroups;
    int lock = -1;
    *found = false;
    enum berth_err code = lab_check_root(err);
    if (code == BERTH_OK)
        code = lab_check_name(name, err);
    if (code == BERTH_OK)
        code = lab_cgroups_find(&cgroups, err);
    if (code != BERTH_OK)
        return code;
    *found = access(lab_path(name, 0, "").text, F_OK) == 0 ||
             access(lab_image_path(name, 0).text, F_OK) == 0 ||
             lab_cgroup_exists(&cgroups, lab_cgroup(name, 0, "").text);
    if (!*found)
        return BERTH_OK;
    code = lab_lock(name, &lock, err);
    if (code == BERTH_OK)
        code = take_down(name, err);
    if (lock >= 0)
        (void)close(lock);
    return code;
}
