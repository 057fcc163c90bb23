#define _GNU_SOURCE /* sethostname */
#include "scheduler/lab/first.h"

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
#define ENGINE_ARGUMENTS 28

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

/*
 * /run is the host's own and empty, as after a boot, but for the lab's folder of this host. What is
 * unmounted outside goes inside too (slave), and nothing the other way. What engines keep in
 * /etc/docker (their identity) is on the host's disk; what containerd makes in /opt is forgotten.
 */
static void make_mounts(const struct lab_plan *plan, int engine)
{
    char source[64];
    struct lab_name folder = lab_path(plan->name, engine, "");
    mount_or_die(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
    mount_or_die("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    if (mkdir("/etc/docker", 0755) != 0 && errno != EEXIST)
        die("/etc/docker");
    mount_or_die(lab_path(plan->name, engine, "disk/etc").text, "/etc/docker", NULL, MS_BIND, NULL);
    int kept = open(folder.text, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (kept < 0)
        die(folder.text);
    (void)snprintf(source, sizeof source, "/proc/self/fd/%d", kept);
    mount_or_die("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
    if (!lab_make_folders(folder.text))
        die(folder.text);
    mount_or_die(source, folder.text, NULL, MS_BIND | MS_REC, NULL);
    (void)close(kept);
    if (access("/opt", F_OK) == 0)
        mount_or_die("tmpfs", "/opt", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
}

static pid_t start_engine(const struct lab_plan *plan, int engine)
{
    char listen[160], data[160], group[160], bridge[64], registries[160];
    (void)snprintf(listen, sizeof listen, "--host=unix://%s",
                   lab_path(plan->name, engine, "docker.sock").text);
    (void)snprintf(data, sizeof data, "--data-root=%s",
                   lab_path(plan->name, engine, "disk/docker").text);
    (void)snprintf(group, sizeof group, "--cgroup-parent=/%s",
                   lab_cgroup(plan->name, engine, "containers").text);
    (void)snprintf(bridge, sizeof bridge, "--bip=172.30.%d.1/24", engine);
    (void)snprintf(registries, sizeof registries, "--insecure-registry=%s/24",
                   lab_address(plan->slot, 0).text);
    char *const argv[ENGINE_ARGUMENTS] = {"dockerd",
                                          listen,
                                          data,
                                          "--exec-root=/run/docker",
                                          "--pidfile=/run/docker.pid",
                                          group,
                                          "--exec-opt=native.cgroupdriver=cgroupfs",
                                          bridge,
                                          registries,
                                          "--storage-driver=overlay2",
                                          "--userland-proxy=false",
                                          "--log-level=warn",
                                          plan->live_restore ? "--live-restore" : NULL,
                                          NULL};
    char *const environment[] = {"PATH=" LAB_PROGRAM_PATH, NULL};
    char path[256];
    pid_t child = fork();
    if (child != 0)
        return child;
    (void)unlink("/run/docker.pid");
    open_as(lab_path(plan->name, engine, "engine.log").text, O_CREAT | O_WRONLY | O_APPEND, 2);
    (void)dup2(2, 1);
    if (lab_program_exists("dockerd", path, sizeof path))
        (void)execve(path, argv, environment);
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
