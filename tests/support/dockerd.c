#define _GNU_SOURCE /* prctl's constants, daemon's way of dying with its parent */
#include "tests/support/dockerd.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "tests/support/scratch.h"

#define START_TIMEOUT_MS 30000

struct dockerd {
    char *folder, *socket, *address, *log;
    pid_t pid; /* 0: does not run */
};

static const char *const program_folders[] = {"/usr/sbin", "/usr/bin", "/usr/local/bin", "/bin",
                                              NULL};

/* The whole path of a program, in one of four rotating buffers; NULL when it is not installed. */
static const char *find_program(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    for (const char *const *folder = program_folders; *folder != NULL; folder++) {
        (void)snprintf(path, sizeof paths[0], "%s/%s", *folder, name);
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

const char *dockerd_missing(void)
{
    if (geteuid() != 0)
        return "an engine of its own needs root";
    if (find_program("dockerd") == NULL || find_program("containerd") == NULL)
        return "Debian's docker.io is not installed";
    if (find_program("busybox") == NULL)
        return "Debian's busybox-static is not installed";
    return access("/sys/fs/cgroup", W_OK) == 0 ? NULL : "the control groups cannot be written";
}

static char *join(const char *a, const char *b)
{
    struct text text = TEXT_INIT;
    text_addf(&text, "%s%s", a, b);
    return text.bytes;
}

struct dockerd *dockerd_create(const char *name)
{
    struct dockerd *dockerd = mem_alloc(sizeof *dockerd);
    dockerd->folder = mem_copy_text(scratch_path(name));
    dockerd->socket = join(dockerd->folder, "/d.sock");
    dockerd->address = join("unix://", dockerd->socket);
    dockerd->log = join(dockerd->folder, "/dockerd.log");
    if (mkdir(dockerd->folder, 0700) != 0)
        fail_msg("%s: %s", dockerd->folder, strerror(errno));
    char *config = join(dockerd->folder, "/daemon.json");
    FILE *file = fopen(config, "w");
    assert_non_null(file);
    (void)fputs("{}", file);
    assert_int_equal(fclose(file), 0);
    mem_free(config);
    return dockerd;
}

static bool answers(const struct dockerd *dockerd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", dockerd->socket);
    bool is_up = connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0;
    static const char ping[] = "GET /_ping HTTP/1.0\r\n\r\n";
    char answer[16] = "";
    is_up = is_up && write(descriptor, ping, sizeof ping - 1) == (ssize_t)(sizeof ping - 1) &&
            read(descriptor, answer, sizeof answer) > 0 && strstr(answer, " 200") != NULL;
    (void)close(descriptor);
    return is_up;
}

/* A network of its own, with nothing in it but a loopback that is up. */
static void leave_network(void)
{
    struct ifreq loopback = {.ifr_flags = IFF_UP};
    (void)snprintf(loopback.ifr_name, sizeof loopback.ifr_name, "lo");
    int descriptor = -1;
    if (unshare(CLONE_NEWNET) != 0 ||
        (descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0 ||
        ioctl(descriptor, SIOCSIFFLAGS, &loopback) != 0)
        _exit(126);
    (void)close(descriptor);
}

static void run_daemon(const struct dockerd *dockerd)
{
    char *data = join(dockerd->folder, "/data"), *state = join(dockerd->folder, "/exec");
    char *pid_file = join(dockerd->folder, "/d.pid"),
         *config = join(dockerd->folder, "/daemon.json");
    int log = open(dockerd->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)setpgid(0, 0);
    leave_network();
    (void)dup2(log, 1);
    (void)dup2(log, 2);
    (void)execl(find_program("dockerd"), "dockerd", "--host", dockerd->address, "--data-root", data,
                "--exec-root", state, "--pidfile", pid_file, "--config-file", config,
                "--userland-proxy=false", "--live-restore", "--exec-opt",
                "native.cgroupdriver=cgroupfs", "--log-level", "warn", (char *)NULL);
    _exit(127);
}

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

void dockerd_start(struct dockerd *dockerd)
{
    char *pid_file = join(dockerd->folder, "/d.pid");
    (void)unlink(pid_file); /* a killed one leaves it */
    mem_free(pid_file);
    (void)unlink(dockerd->socket);
    dockerd->pid = fork();
    if (dockerd->pid == 0)
        run_daemon(dockerd);
    for (int ms = 0; !answers(dockerd); ms += 20) {
        if (ms > START_TIMEOUT_MS || waitpid(dockerd->pid, NULL, WNOHANG) != 0) {
            char *log = dockerd_log(dockerd);
            dockerd_kill(dockerd);
            fail_msg("the engine does not start: %s", log);
        }
        pause_ms(20);
    }
}

void dockerd_signal(struct dockerd *dockerd, int signal)
{
    assert_int_equal(kill(dockerd->pid, signal), 0);
}

pid_t dockerd_pid(const struct dockerd *dockerd)
{
    return dockerd->pid;
}

void dockerd_kill_runtime(struct dockerd *dockerd)
{
    size_t length = 0;
    char *path = join(dockerd->folder, "/exec/containerd/containerd.pid");
    char *text = scratch_read(path, &length);
    long pid = text == NULL ? 0 : strtol(text, NULL, 10);
    assert_true(pid > 1 && kill((pid_t)pid, SIGKILL) == 0);
    mem_free(text);
    mem_free(path);
}

bool dockerd_runs(const struct dockerd *dockerd)
{
    return dockerd->pid > 0;
}

static void end(struct dockerd *dockerd, int signal)
{
    if (dockerd->pid > 0) {
        (void)kill(dockerd->pid, SIGCONT);
        (void)kill(dockerd->pid, signal);
        (void)waitpid(dockerd->pid, NULL, 0);
    }
    dockerd->pid = 0;
}

void dockerd_kill(struct dockerd *dockerd)
{
    end(dockerd, SIGKILL);
}

/* What it mounted below its folder and left there; the deepest first. */
static void unmount_all(const char *folder)
{
    char line[4096], path[4096];
    bool is_found = true;
    for (int round = 0; is_found && round < 100; round++) {
        FILE *mounts = fopen("/proc/self/mounts", "r");
        char last[sizeof path] = "";
        if (mounts == NULL)
            return;
        while (fgets(line, sizeof line, mounts) != NULL)
            if (sscanf(line, "%*s %4095s", path) == 1 && strncmp(path, folder, strlen(folder)) == 0)
                (void)snprintf(last, sizeof last, "%s", path);
        (void)fclose(mounts);
        is_found = last[0] != '\0' && umount2(last, MNT_DETACH) == 0;
    }
}

void dockerd_destroy(struct dockerd *dockerd)
{
    if (dockerd == NULL)
        return;
    end(dockerd, SIGTERM);
    unmount_all(dockerd->folder);
    mem_free(dockerd->folder);
    mem_free(dockerd->socket);
    mem_free(dockerd->address);
    mem_free(dockerd->log);
    mem_free(dockerd);
}

const char *dockerd_address(const struct dockerd *dockerd)
{
    return dockerd->address;
}

char *dockerd_log(const struct dockerd *dockerd)
{
    size_t length = 0;
    char *log = scratch_read(dockerd->log, &length);
    size_t shown = length > 2000 ? 2000 : length;
    char *last = mem_copy_text(log == NULL ? "no log" : log + (length - shown));
    mem_free(log);
    return last;
}
