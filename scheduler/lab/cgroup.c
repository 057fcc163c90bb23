#define _DEFAULT_SOURCE /* DT_DIR */
#include "scheduler/lab/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler/base/text.h"
#include "scheduler/lab/process.h"

#define FREEZE_MS 10000

struct path {
    char text[400];
};

static struct path in_tree(const struct lab_tree *tree, const char *path, const char *file)
{
    struct path whole;
    (void)snprintf(whole.text, sizeof whole.text, "%s/%s%s%s", tree->mount, path,
                   file[0] == '\0' ? "" : "/", file);
    return whole;
}

/* Is `word` one of the words of a list with commas? */
static bool has_word(const char *list, const char *word)
{
    for (const char *at = list; *at != '\0';) {
        size_t length = strcspn(at, ",\n");
        if (length == strlen(word) && strncmp(at, word, length) == 0)
            return true;
        at += length + (at[length] == '\0' ? 0 : 1);
    }
    return false;
}

bool lab_tree_read(const char *line, struct lab_tree *out)
{
    char mount[80], type[16], options[256];
    const char *dash = strstr(line, " - ");
    if (dash == NULL || sscanf(line, "%*d %*d %*s %*s %79s", mount) != 1 ||
        sscanf(dash, " - %15s %*s %255s", type, options) != 2 ||
        strncmp(mount, "/sys/fs/cgroup", strlen("/sys/fs/cgroup")) != 0 ||
        (strcmp(type, "cgroup") != 0 && strcmp(type, "cgroup2") != 0))
        return false;
    *out = (struct lab_tree){.is_v2 = strcmp(type, "cgroup2") == 0};
    memcpy(out->mount, mount, sizeof mount);
    out->has_freezer = !out->is_v2 && has_word(options, "freezer");
    out->has_cpuset = !out->is_v2 && has_word(options, "cpuset");
    return true;
}

enum berth_err lab_cgroups_find(struct lab_cgroups *out, struct berth_error *err)
{
    struct text mounts = TEXT_INIT;
    *out = (struct lab_cgroups){.main = -1};
    if (!lab_read_file("/proc/self/mountinfo", &mounts))
        text_add(&mounts, "");
    for (char *line = mounts.bytes, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        struct lab_tree *tree = &out->trees[out->count];
        if (out->count == LAB_TREES_MAX || !lab_tree_read(line, tree))
            continue;
        if (tree->has_freezer || (tree->is_v2 && out->main < 0))
            out->main = out->count;
        out->count++;
    }
    text_free(&mounts);
    return out->main >= 0 ? BERTH_OK
                          : berth_fail(err, BERTH_ERR_ENVIRONMENT,
                                       "no control groups that can freeze are mounted below "
                                       "/sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup");
}

/* Version 1 gives a new group no processors; it takes those of the group above. */
static void inherit_cpuset(const struct lab_tree *tree, const char *path)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    char above[256];
    (void)snprintf(above, sizeof above, "%s", path);
    char *slash = strrchr(above, '/');
    above[slash == NULL ? 0 : slash - above] = '\0';
    for (int i = 0; i < 2; i++) {
        struct text value = TEXT_INIT;
        if (lab_read_file(in_tree(tree, above, files[i]).text, &value))
            (void)lab_write_file(in_tree(tree, path, files[i]).text, value.bytes);
        text_free(&value);
    }
}

/* What a group of version 2 may give to those below; a controller the kernel lacks is left out. */
static void delegate(const struct lab_tree *tree, const char *path)
{
    static const char *const controllers[] = {"+cpu", "+memory", "+pids", "+io", "+cpuset"};
    for (size_t i = 0; i < sizeof controllers / sizeof controllers[0]; i++)
        (void)lab_write_file(in_tree(tree, path, "cgroup.subtree_control").text, controllers[i]);
}

static bool make_in(const struct lab_tree *tree, const char *path)
{
    char part[256];
    (void)snprintf(part, sizeof part, "%s", path);
    if (tree->is_v2)
        delegate(tree, "");
    for (char *slash = part; slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(in_tree(tree, part, "").text, 0755) != 0 && errno != EEXIST)
            return false;
        if (tree->has_cpuset)
            inherit_cpuset(tree, part);
        if (tree->is_v2 && slash != NULL)
            delegate(tree, part);
        if (slash != NULL)
            *slash = '/';
    }
    return true;
}

enum berth_err lab_cgroup_make(const struct lab_cgroups *cgroups, const char *path,
                               struct berth_error *err)
{
    for (int i = 0; i < cgroups->count; i++)
        if (!make_in(&cgroups->trees[i], path))
            return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: no control group: %s",
                              in_tree(&cgroups->trees[i], path, "").text, strerror(errno));
    return BERTH_OK;
}

bool lab_cgroup_join(const struct lab_cgroups *cgroups, const char *path)
{
    bool joined = true;
    for (int i = 0; i < cgroups->count && joined; i++)
        joined = lab_write_file(in_tree(&cgroups->trees[i], path, "cgroup.procs").text, "0");
    return joined;
}

bool lab_cgroup_exists(const struct lab_cgroups *cgroups, const char *path)
{
    for (int i = 0; i < cgroups->count; i++)
        if (access(in_tree(&cgroups->trees[i], path, "").text, F_OK) == 0)
            return true;
    return false;
}

static void read_pids(const char *folder, lab_pids *out)
{
    char file[500];
    struct text pids = TEXT_INIT;
    (void)snprintf(file, sizeof file, "%s/cgroup.procs", folder);
    (void)lab_read_file(file, &pids);
    for (char *at = pids.bytes; at != NULL && *at != '\0';) {
        long pid = strtol(at, &at, 10);
        if (pid > 0)
            *vec_push(out) = (pid_t)pid;
        at += strspn(at, "\n");
    }
    text_free(&pids);
}

/* Every folder below and then the folder itself, the groups of a hierarchy being its folders. */
static void walk(const char *folder, void (*visit)(const char *folder, void *context),
                 void *context)
{
    DIR *list = opendir(folder);
    if (list == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        char below[500];
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        if ((size_t)snprintf(below, sizeof below, "%s/%s", folder, entry->d_name) < sizeof below)
            walk(below, visit, context);
    }
    (void)closedir(list);
    visit(folder, context);
}

static void visit_pids(const char *folder, void *context)
{
    read_pids(folder, context);
}

static void visit_remove(const char *folder, void *context)
{
    (void)context;
    (void)rmdir(folder);
}

static void visit_thaw(const char *folder, void *context)
{
    const struct lab_tree *tree = context;
    char file[520];
    (void)snprintf(file, sizeof file, "%s/%s", folder,
                   tree->is_v2 ? "cgroup.freeze" : "freezer.state");
    (void)lab_write_file(file, tree->is_v2 ? "0" : "THAWED");
}

static void walk_tree(const struct lab_tree *tree, const char *path,
                      void (*visit)(const char *folder, void *context), void *context)
{
    walk(in_tree(tree, path, "").text, visit, context);
}

void lab_cgroup_pids(const struct lab_cgroups *cgroups, const char *path, lab_pids *out)
{
    walk_tree(&cgroups->trees[cgroups->main], path, visit_pids, out);
}

pid_t lab_cgroup_find(const struct lab_cgroups *cgroups, const char *path, const char *comm)
{
    lab_pids pids = VEC_INIT;
    pid_t found = 0;
    read_pids(in_tree(&cgroups->trees[cgroups->main], path, "").text, &pids);
    for (size_t i = 0; i < pids.count && found == 0; i++) {
        char file[64];
        struct text name = TEXT_INIT;
        (void)snprintf(file, sizeof file, "/proc/%ld/comm", (long)pids.items[i]);
        if (lab_read_file(file, &name)) {
            name.bytes[strcspn(name.bytes, "\n")] = '\0';
            found = strcmp(name.bytes, comm) == 0 ? pids.items[i] : 0;
        }
        text_free(&name);
    }
    vec_free(&pids);
    return found;
}

static bool file_has(const char *path, const char *words)
{
    struct text text = TEXT_INIT;
    bool has = lab_read_file(path, &text) && strstr(text.bytes, words) != NULL;
    text_free(&text);
    return has;
}

bool lab_cgroup_is_frozen(const struct lab_cgroups *cgroups, const char *path)
{
    const struct lab_tree *tree = &cgroups->trees[cgroups->main];
    return tree->is_v2 ? file_has(in_tree(tree, path, "cgroup.events").text, "frozen 1")
                       : file_has(in_tree(tree, path, "freezer.state").text, "FROZEN");
}

enum berth_err lab_cgroup_freeze(const struct lab_cgroups *cgroups, const char *path, bool freeze,
                                 struct berth_error *err)
{
    const struct lab_tree *tree = &cgroups->trees[cgroups->main];
    struct path file = in_tree(tree, path, tree->is_v2 ? "cgroup.freeze" : "freezer.state");
    const char *word = tree->is_v2 ? (freeze ? "1" : "0") : (freeze ? "FROZEN" : "THAWED");
    int64_t deadline = lab_now_ms() + FREEZE_MS;
    if (!lab_write_file(file.text, word))
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", file.text, strerror(errno));
    while (lab_cgroup_is_frozen(cgroups, path) != freeze) {
        if (lab_now_ms() >= deadline)
            return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: not %s within %d s", file.text,
                              freeze ? "frozen" : "thawed", FREEZE_MS / 1000);
        lab_sleep_ms(2);
        /* Of version 1 a freeze that met a process being born is to be asked again. */
        (void)lab_write_file(file.text, word);
    }
    return BERTH_OK;
}

static size_t kill_all(const struct lab_cgroups *cgroups, const char *path)
{
    lab_pids pids = VEC_INIT;
    lab_cgroup_pids(cgroups, path, &pids);
    for (size_t i = 0; i < pids.count; i++)
        (void)kill(pids.items[i], SIGKILL);
    size_t count = pids.count;
    vec_free(&pids);
    return count;
}

enum berth_err lab_cgroup_kill(const struct lab_cgroups *cgroups, const char *path,
                               int64_t deadline, struct berth_error *err)
{
    /* What is frozen dies when it is let go, before it does anything else. */
    struct lab_tree tree = cgroups->trees[cgroups->main];
    size_t left;
    while ((left = kill_all(cgroups, path)) > 0) {
        walk_tree(&tree, path, visit_thaw, &tree);
        if (lab_now_ms() >= deadline)
            return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%zu processes in %s do not die", left,
                              in_tree(&tree, path, "").text);
        lab_sleep_ms(5);
    }
    /* A group may be busy for a moment after its last process is gone. */
    for (;;) {
        for (int i = 0; i < cgroups->count; i++)
            walk_tree(&cgroups->trees[i], path, visit_remove, NULL);
        if (!lab_cgroup_exists(cgroups, path))
            return BERTH_OK;
        if (lab_now_ms() >= deadline)
            return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: cannot be removed",
                              in_tree(&tree, path, "").text);
        lab_sleep_ms(5);
    }
}

void lab_cgroup_prune(const struct lab_cgroups *cgroups, const char *path)
{
    for (int i = 0; i < cgroups->count; i++)
        (void)rmdir(in_tree(&cgroups->trees[i], path, "").text);
}
