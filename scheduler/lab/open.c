#define _DEFAULT_SOURCE /* flock */
#include "scheduler/lab/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler/lab/image.h"
#include "scheduler/lab/lab.h"
#include "scheduler/lab/process.h"

#define LOCK_MS 60000

enum berth_err lab_check_root(struct berth_error *err)
{
    return geteuid() == 0
               ? BERTH_OK
               : berth_fail(err, BERTH_ERR_ENVIRONMENT,
                            "a lab needs root, for namespaces, mounts and control groups; run it "
                            "with sudo");
}

enum berth_err lab_check_machine(struct berth_error *err)
{
    static const struct {
        const char *program, *package;
    } needs[] = {
        {"dockerd", "docker.io"},   {"containerd", "containerd"}, {"runc", "runc"},
        {"iptables", "iptables"},   {"ip", "iproute2"},           {"mount", "mount"},
        {"mkfs.ext4", "e2fsprogs"},
    };
    struct text programs = TEXT_INIT, packages = TEXT_INIT;
    enum berth_err code = lab_check_root(err);
    if (code != BERTH_OK)
        return code;
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        if (lab_program_exists(needs[i].program, NULL, 0))
            continue;
        text_addf(&programs, " %s", needs[i].program);
        text_addf(&packages, " %s", needs[i].package);
    }
    char busybox[256];
    if (!lab_busybox_path(busybox, sizeof busybox)) {
        text_add(&programs, " busybox (static)");
        text_add(&packages, " busybox-static");
    }
    if (programs.length > 0)
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT,
                          "not on this machine:%s; on Debian: apt-get install%s", programs.bytes,
                          packages.bytes);
    else if (access("/dev/loop-control", F_OK) != 0)
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT,
                          "no /dev/loop-control, which disks need; modprobe loop");
    text_free(&programs);
    text_free(&packages);
    return code;
}

/* Has the folder that was locked been removed meanwhile, and perhaps made again? */
static bool is_still(int folder, const char *path)
{
    struct stat locked, named;
    return fstat(folder, &locked) == 0 && stat(path, &named) == 0 &&
           locked.st_ino == named.st_ino && locked.st_dev == named.st_dev;
}

enum berth_err lab_lock(const char *name, int *out, struct berth_error *err)
{
    struct lab_name path = lab_path(name, 0, "");
    int64_t deadline = lab_now_ms() + LOCK_MS;
    for (;;) {
        int folder = lab_make_folders(path.text) ? open(path.text, O_RDONLY | O_DIRECTORY) : -1;
        if (folder < 0 && errno != ENOENT)
            return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", path.text, strerror(errno));
        bool locked = folder >= 0 && flock(folder, LOCK_EX | LOCK_NB) == 0;
        if (locked && is_still(folder, path.text)) {
            *out = folder;
            return BERTH_OK;
        }
        if (folder >= 0)
            (void)close(folder);
        if (lab_now_ms() >= deadline)
            return berth_fail(err, BERTH_ERR_ENVIRONMENT,
                              "another command has been at work on lab \"%s\" for %d s", name,
                              LOCK_MS / 1000);
        lab_sleep_ms(20);
    }
}

enum berth_err lab_load_plan(const char *name, struct lab_plan *out, struct berth_error *err)
{
    struct lab_name path = lab_path(name, 0, "lab");
    struct text line = TEXT_INIT;
    enum berth_err code = BERTH_OK;
    if (!lab_read_file(path.text, &line))
        code = berth_fail(err, BERTH_ERR_FAILED,
                          "there is no lab \"%s\"; berth lab up N makes one with N engines", name);
    else if (lab_plan_read(line.bytes, out, err) != BERTH_OK || strcmp(out->name, name) != 0)
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT,
                          "%s: not the plan of lab \"%s\"; berth lab down --name %s", path.text,
                          name, name);
    text_free(&line);
    return code;
}

enum berth_err lab_save_plan(const struct lab_plan *plan, struct berth_error *err)
{
    struct lab_name path = lab_path(plan->name, 0, "lab");
    struct text line = TEXT_INIT;
    lab_plan_write(plan, &line);
    bool good = lab_replace_file(path.text, line.bytes);
    text_free(&line);
    return good ? BERTH_OK
                : berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", path.text, strerror(errno));
}

enum berth_err lab_open(const char *name, struct lab *out, struct berth_error *err)
{
    *out = (struct lab){.lock = -1};
    enum berth_err code = lab_check_root(err);
    if (code == BERTH_OK)
        code = lab_load_plan(name, &out->plan, err); /* before the lock, which makes a folder */
    if (code == BERTH_OK)
        code = lab_cgroups_find(&out->cgroups, err);
    if (code == BERTH_OK)
        code = lab_lock(name, &out->lock, err);
    if (code == BERTH_OK)
        code = lab_load_plan(name, &out->plan, err);
    if (code == BERTH_OK && !out->plan.is_complete)
        code = berth_fail(err, BERTH_ERR_FAILED,
                          "lab \"%s\" is half made; berth lab down --name %s, then up", name, name);
    if (code != BERTH_OK)
        lab_close(out);
    return code;
}

void lab_close(struct lab *lab)
{
    if (lab->lock >= 0)
        (void)close(lab->lock);
    lab->lock = -1;
}
