#define _GNU_SOURCE /* sethostname */
#include "scheduler/lab/first.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scheduler/lab/host.h"
#include "scheduler/lab/process.h"

#define RESTART_MS 2000 /* RestartSec of Docker's unit for systemd */
#define ENGINE_ARGUMENTS 20
#define PID_FILE "/run/docker.pid"

static void die(const char *what)
{
    (void)dprintf(2, "%s: %s\n", what, strerror(errno));
    _exit(1);
}

static void open_as(const char *path, int flags, int number)
{
    int file = open(path, flags, 0644);
    if (file < 0 || dup2(file, number) < 0)
        die(path);
    if (file != number)
        (void)close(file);
}

/* All that berth had open, its lock on the lab above all, but for the three standard files. */
static void close_others(void)
{
    DIR *list = opendir("/proc/self/fd");
    int files[1024], count = 0;
    if (list == NULL)
        die("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(list)) != NULL && count < 1024;)
        if (atoi(entry->d_name) > 2 && atoi(entry->d_name) != dirfd(list))
            files[count++] = atoi(entry->d_name);
    (void)closedir(list);
    while (count > 0)
        (void)close(files[--count]);
}

static void become_first(const struct lab_plan *plan, int engine, int go)
{
    char byte;
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    (void)umask(022);
    if (chdir("/") != 0)
        die("/");
    if (read(go, &byte, 1) != 1)
        _exit(1);
    open_as("/dev/null", O_RDONLY, 0);
    open_as(lab_path(plan->name, engine, "host.log").text, O_CREAT | O_WRONLY | O_APPEND, 2);
    (void)dup2(2, 1);
    close_others();
}

static void mount_or_die(const char *source, const char *place, const char *type,
                         unsigned long flags, const char *options)
{
    if (mount(source, place, type, flags, options) != 0)
        die(place);
}

static int keep_folder(const char *path)
{
    int kept = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (kept < 0)
        die(path);
    return kept;
}

/* The folder that was kept is at its old path again, which something else has covered. */
static void uncover(int kept, const char *path)
{
    char source[64];
    (void)snprintf(source, sizeof source, "/proc/self/fd/%d", kept);
    if (!lab_make_folders(path))
        die(path);
    mount_or_die(source, path, NULL, MS_BIND | MS_REC, NULL);
    (void)close(kept);
}

/*
 * /run is the host's own and empty, as after a boot, but for its folder and the keys of the lab.
 * What is unmounted outside goes inside too (slave), and nothing the other way. What engines keep
 * in /etc/docker (their identity) is on the host's disk; what containerd makes in /opt is
 * forgotten.
 */
static void make_mounts(const struct lab_plan *plan, int engine)
{
    struct lab_name folder = lab_path(plan->name, engine, "");
    struct lab_name keys = lab_path(plan->name, 0, LAB_KEYS);
    mount_or_die(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
    mount_or_die("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    if (mkdir("/etc/docker", 0755) != 0 && errno != EEXIST)
        die("/etc/docker");
    mount_or_die(lab_path(plan->name, engine, "disk/etc").text, "/etc/docker", NULL, MS_BIND, NULL);
    int kept_folder = keep_folder(folder.text), kept_keys = keep_folder(keys.text);
    mount_or_die("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
    uncover(kept_folder, folder.text);
    uncover(kept_keys, keys.text);
    if (access("/opt", F_OK) == 0)
        mount_or_die("tmpfs", "/opt", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
}

struct arguments {
    char text[ENGINE_ARGUMENTS][200];
    char *argv[ENGINE_ARGUMENTS + 1]; /* ends with NULL */
    int count;
};

static void add(struct arguments *all, const char *format, ...) BERTH_PRINTF(2, 3);

static void add(struct arguments *all, const char *format, ...)
{
    va_list args;
    assert(all->count < ENGINE_ARGUMENTS);
    va_start(args, format);
    (void)vsnprintf(all->text[all->count], sizeof all->text[0], format, args);
    va_end(args);
    all->argv[all->count] = all->text[all->count];
    all->count++;
}

static void make_arguments(const struct lab_plan *plan, int engine, struct arguments *out)
{
    struct lab_name keys = lab_path(plan->name, 0, LAB_KEYS);
    *out = (struct arguments){.count = 0};
    add(out, "dockerd");
    add(out, "--host=unix://%s", lab_path(plan->name, engine, "docker.sock").text);
    add(out, "--host=tcp://%s:%d", lab_address(plan->slot, engine).text, LAB_PORT);
    add(out, "--tlsverify");
    add(out, "--tlscacert=%s/ca.pem", keys.text);
    add(out, "--tlscert=%s/cert.pem", keys.text);
    add(out, "--tlskey=%s/key.pem", keys.text);
    add(out, "--data-root=%s", lab_path(plan->name, engine, "disk/docker").text);
    add(out, "--exec-root=/run/docker");
    add(out, "--pidfile=" PID_FILE);
    add(out, "--cgroup-parent=/%s", lab_cgroup(plan->name, engine, "containers").text);
    add(out, "--exec-opt=native.cgroupdriver=cgroupfs");
    add(out, "--bip=172.30.%d.1/24", engine);
    add(out, "--insecure-registry=%s/24", lab_address(plan->slot, 0).text);
    add(out, "--storage-driver=overlay2");
    add(out, "--userland-proxy=false");
    add(out, "--log-level=warn");
    if (plan->live_restore)
        add(out, "--live-restore");
}

static pid_t start_engine(const struct lab_plan *plan, int engine)
{
    char *const environment[] = {"PATH=" LAB_PROGRAM_PATH, NULL};
    char path[256];
    struct arguments arguments;
    pid_t child = fork();
    if (child != 0)
        return child;
    make_arguments(plan, engine, &arguments);
    (void)unlink(PID_FILE);
    open_as(lab_path(plan->name, engine, "engine.log").text, O_CREAT | O_WRONLY | O_APPEND, 2);
    (void)dup2(2, 1);
    if (lab_program_exists(LAB_ENGINE_COMM, path, sizeof path))
        (void)execve(path, arguments.argv, environment);
    die("dockerd");
    return -1;
}

void lab_first_process(const struct lab_plan *plan, int engine, int go)
{
    char name[80];
    become_first(plan, engine, go);
    (void)snprintf(name, sizeof name, "%s-%d", plan->name, engine);
    if (sethostname(name, strlen(name)) != 0)
        die("sethostname");
    make_mounts(plan, engine);
    for (;;) {
        pid_t child = start_engine(plan, engine), ended;
        int status = 0;
        if (child < 0)
            die("fork");
        do
            ended = wait(&status);
        while (ended != child && (ended > 0 || errno == EINTR));
        (void)dprintf(2, "the engine ended: %s %d\n", WIFSIGNALED(status) ? "signal" : "status",
                      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        lab_sleep_ms(RESTART_MS);
    }
}
