#define _GNU_SOURCE /* fallocate, MNT_DETACH */
#include "scheduler/lab/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "scheduler/lab/process.h"

#define FILLER "disk/filler"
#define DISK_SECONDS 60

static enum berth_err make_image(const struct lab_plan *plan, const char *image,
                                 struct berth_error *err)
{
    if (!lab_make_folders(lab_image_path(plan->name, 0).text))
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", LAB_IMAGES, strerror(errno));
    int file = open(image, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    bool good = file >= 0 && ftruncate(file, (off_t)plan->disk_bytes) == 0;
    int error = errno;
    if (file >= 0)
        (void)close(file);
    return good ? BERTH_OK
                : berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", image, strerror(error));
}

enum berth_err lab_disk_make(const struct lab_plan *plan, int engine, struct berth_error *err)
{
    struct lab_name image = lab_image_path(plan->name, engine);
    struct lab_name disk = lab_path(plan->name, engine, "disk");
    /* No journal: what a host loses by its death is its processes, the machine under it lives. */
    const char *const format[] = {
        "mkfs.ext4",          "-q",       "-F", "-m", "0", "-O", "^has_journal", "-E",
        "lazy_itable_init=1", image.text, NULL};
    const char *const mount[] = {"mount",        "-t",       "ext4",    "-o",
                                 "loop,noatime", image.text, disk.text, NULL};
    struct lab_program program = {.argv = format, .netns = -1, .seconds = DISK_SECONDS};
    enum berth_err code = make_image(plan, image.text, err);
    if (code == BERTH_OK)
        code = lab_program_run(&program, err);
    program.argv = mount;
    if (code == BERTH_OK && !lab_make_folders(disk.text))
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", disk.text, strerror(errno));
    if (code == BERTH_OK)
        code = lab_program_run(&program, err);
    (void)unlink(image.text);
    if (code == BERTH_OK && (!lab_make_folders(lab_path(plan->name, engine, "disk/docker").text) ||
                             !lab_make_folders(lab_path(plan->name, engine, "disk/etc").text)))
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", disk.text, strerror(errno));
    return code;
}

enum berth_err lab_disk_fill(const struct lab_plan *plan, int engine, struct berth_error *err)
{
    struct lab_name path = lab_path(plan->name, engine, FILLER);
    struct statvfs room;
    int file = open(path.text, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0 || fstatvfs(file, &room) != 0)
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", path.text, strerror(errno));
    off_t at = lseek(file, 0, SEEK_END), block = (off_t)room.f_frsize;
    int error = ENOSPC;
    /* Large pieces while they go, then smaller ones, down to the last block. */
    for (off_t piece = (off_t)room.f_bfree * block; piece >= block;) {
        if (fallocate(file, 0, at, piece) == 0) {
            at += piece;
            continue;
        }
        error = errno;
        if (error != ENOSPC && error != EINTR)
            break;
        piece = error == EINTR ? piece : piece / 2 / block * block;
    }
    (void)close(file);
    return error == ENOSPC || error == EINTR
               ? BERTH_OK
               : berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", path.text, strerror(error));
}

enum berth_err lab_disk_free(const struct lab_plan *plan, int engine, struct berth_error *err)
{
    struct lab_name path = lab_path(plan->name, engine, FILLER);
    if (unlink(path.text) == 0 || errno == ENOENT)
        return BERTH_OK;
    return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", path.text, strerror(errno));
}

bool lab_disk_is_full(const struct lab_plan *plan, int engine)
{
    return access(lab_path(plan->name, engine, FILLER).text, F_OK) == 0;
}

void lab_disk_room(const struct lab_plan *plan, int engine, uint64_t *used, uint64_t *total)
{
    struct statvfs room;
    *used = *total = 0;
    if (statvfs(lab_path(plan->name, engine, "disk").text, &room) != 0)
        return;
    *total = (uint64_t)room.f_blocks * room.f_frsize;
    *used = (uint64_t)(room.f_blocks - room.f_bfree) * room.f_frsize;
}

/* The mount that was made last below `folder`, from the list; false: there is none. */
static bool find_mount(const char *folder, char *out, size_t size)
{
    struct text list = TEXT_INIT;
    bool found = false;
    size_t length = strlen(folder);
    (void)lab_read_file("/proc/self/mountinfo", &list);
    for (char *line = list.bytes, *end; line != NULL && (end = strchr(line, '\n')) != NULL;
         line = end + 1) {
        char place[200];
        *end = '\0';
        if (sscanf(line, "%*d %*d %*s %*s %199s", place) != 1 ||
            strncmp(place, folder, length) != 0 || place[length] != '/')
            continue;
        (void)snprintf(out, size, "%s", place);
        found = true;
    }
    text_free(&list);
    return found;
}

/* A loop device whose file lies in `folder`, as /dev/loop3; false: there is none. */
static bool find_loop(const char *folder, char *out, size_t size)
{
    DIR *list = opendir("/sys/block");
    bool found = false;
    for (struct dirent *entry; list != NULL && !found && (entry = readdir(list)) != NULL;) {
        char file[300];
        struct text behind = TEXT_INIT;
        if (strncmp(entry->d_name, "loop", 4) != 0)
            continue;
        (void)snprintf(file, sizeof file, "/sys/block/%s/loop/backing_file", entry->d_name);
        if (lab_read_file(file, &behind) && strncmp(behind.bytes, folder, strlen(folder)) == 0 &&
            behind.bytes[strlen(folder)] == '/') {
            (void)snprintf(out, size, "/dev/%.32s", entry->d_name);
            found = true;
        }
        text_free(&behind);
    }
    if (list != NULL)
        (void)closedir(list);
    return found;
}

enum berth_err lab_mounts_remove(const char *name, int64_t deadline, struct berth_error *err)
{
    char found[200];
    struct lab_name run = lab_path(name, 0, ""), images = lab_image_path(name, 0);
    while (find_mount(run.text, found, sizeof found)) {
        if (umount2(found, 0) == 0 || umount2(found, MNT_DETACH) == 0)
            continue;
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: cannot be unmounted: %s", found,
                          strerror(errno));
    }
    /* A device lets go by itself when the last mount of it ends, soon after its processes. */
    while (find_loop(images.text, found, sizeof found)) {
        int device = open(found, O_RDONLY | O_CLOEXEC);
        if (device >= 0) {
            (void)ioctl(device, LOOP_CLR_FD, 0);
            (void)close(device);
        }
        if (lab_now_ms() >= deadline)
            return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: still in use", found);
        lab_sleep_ms(10);
    }
    return BERTH_OK;
}
