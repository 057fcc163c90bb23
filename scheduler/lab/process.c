#define _GNU_SOURCE /* setns */
#include "scheduler/lab/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_NOT_RUN 127

int64_t lab_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void lab_sleep_ms(int64_t ms)
{
    const struct timespec pause = {.tv_sec = (time_t)(ms / 1000),
                                   .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

void lab_die_with(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_NOT_RUN);
}

bool lab_program_exists(const char *name, char *path, size_t size)
{
    char found[256];
    for (const char *at = LAB_PROGRAM_PATH; *at != '\0';) {
        size_t length = strcspn(at, ":");
        (void)snprintf(found, sizeof found, "%.*s/%s", (int)length, at, name);
        at += length + (at[length] == ':' ? 1 : 0);
        if (access(found, X_OK) != 0)
            continue;
        if (path != NULL)
            (void)snprintf(path, size, "%s", found);
        return true;
    }
    return false;
}

static void run_child(const struct lab_program *program, const char *path, int in, int out)
{
    static char search[] = "PATH=" LAB_PROGRAM_PATH, locale[] = "LC_ALL=C";
    char *environment[] = {search, locale, NULL};
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(EXIT_NOT_RUN);
    if (program->netns >= 0 && setns(program->netns, CLONE_NEWNET) != 0) {
        perror("setns");
        _exit(EXIT_NOT_RUN);
    }
    (void)signal(SIGPIPE, SIG_DFL);
    /* execve takes its strings as not const by history, and does not write them. */
    union {
        const char *const *given;
        char *const *taken;
    } argv = {.given = program->argv};
    (void)execve(path, argv.taken, environment);
    perror(path);
    _exit(EXIT_NOT_RUN);
}

bool lab_wait_child(pid_t child, int64_t deadline, int *status)
{
    int64_t pause = 1;
    for (;;) {
        pid_t ended = waitpid(child, status, WNOHANG);
        if (ended == child || (ended < 0 && errno != EINTR))
            return ended == child;
        if (lab_now_ms() >= deadline)
            break;
        lab_sleep_ms(pause);
        pause = pause < 20 ? pause * 2 : 20;
    }
    (void)kill(child, SIGKILL);
    while (waitpid(child, status, 0) < 0 && errno == EINTR)
        ;
    return false;
}

/* All that comes until the end of the stream or the deadline. */
static void collect(int from, int64_t deadline, struct text *out)
{
    char bytes[4096];
    for (;;) {
        int64_t left = deadline - lab_now_ms();
        struct pollfd ready = {.fd = from, .events = POLLIN};
        if (left <= 0 || (poll(&ready, 1, (int)left) < 0 && errno != EINTR))
            return;
        if (ready.revents == 0)
            continue;
        ssize_t count = read(from, bytes, sizeof bytes);
        if (count == 0 || (count < 0 && errno != EINTR))
            return;
        if (count > 0)
            text_add_n(out, bytes, (size_t)count);
    }
}

static bool open_pipes(const char *input, int in[2], int out[2])
{
    size_t length = input == NULL ? 0 : strlen(input);
    assert(length <= 4096 && "fits into a pipe");
    if (pipe2(in, O_CLOEXEC) != 0)
        return false;
    if (pipe2(out, O_CLOEXEC) == 0) {
        if (length == 0 || write(in[1], input, length) == (ssize_t)length)
            return true;
        (void)close(out[0]);
        (void)close(out[1]);
    }
    (void)close(in[0]);
    (void)close(in[1]);
    return false;
}

/* The last line that says something. */
static const char *last_line(struct text *printed)
{
    while (printed->length > 0 && printed->bytes[printed->length - 1] == '\n')
        printed->bytes[--printed->length] = '\0';
    if (printed->length == 0)
        return "it said nothing";
    const char *line = strrchr(printed->bytes, '\n');
    return line == NULL ? printed->bytes : line + 1;
}

enum berth_err lab_program_run(const struct lab_program *program, struct berth_error *err)
{
    int in[2], out[2], status = 0;
    const char *name = program->argv[0];
    char path[256];
    if (!lab_program_exists(name, path, sizeof path))
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: not on this machine", name);
    if (!open_pipes(program->input, in, out))
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: no pipe: %s", name, strerror(errno));
    int64_t deadline = lab_now_ms() + (int64_t)program->seconds * 1000;
    pid_t self = getpid(), child = fork();
    if (child == 0) {
        lab_die_with(self);
        run_child(program, path, in[0], out[1]);
    }
    (void)close(in[0]);
    (void)close(in[1]);
    (void)close(out[1]);
    struct text printed = TEXT_INIT;
    if (child > 0)
        collect(out[0], deadline, &printed);
    (void)close(out[0]);
    enum berth_err code = BERTH_OK;
    if (child < 0)
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: no process: %s", name, strerror(errno));
    else if (!lab_wait_child(child, deadline, &status))
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: no end within %d s", name,
                          program->seconds);
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %.400s", name, last_line(&printed));
    else if (program->output != NULL && printed.length > 0)
        text_add_n(program->output, printed.bytes, printed.length);
    text_free(&printed);
    return code;
}

static bool write_whole(const char *path, int flags, const char *bytes)
{
    int file = open(path, flags | O_WRONLY | O_CLOEXEC, 0644);
    if (file < 0)
        return false;
    size_t length = strlen(bytes);
    ssize_t written = write(file, bytes, length);
    int error = written < 0 ? errno : ENOSPC;
    (void)close(file);
    errno = error;
    return written == (ssize_t)length;
}

bool lab_write_file(const char *path, const char *bytes)
{
    return write_whole(path, 0, bytes);
}

bool lab_replace_file(const char *path, const char *bytes)
{
    char fresh[256];
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    return write_whole(fresh, O_CREAT | O_TRUNC, bytes) && rename(fresh, path) == 0;
}

bool lab_read_file(const char *path, struct text *out)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    char bytes[4096];
    ssize_t count;
    while ((count = read(file, bytes, sizeof bytes)) > 0)
        text_add_n(out, bytes, (size_t)count);
    int error = errno;
    (void)close(file);
    errno = error;
    text_add(out, "");
    return count == 0;
}

bool lab_make_folders(const char *path)
{
    char part[256];
    (void)snprintf(part, sizeof part, "%s", path);
    for (char *slash = part; slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return false;
        if (slash != NULL)
            *slash = '/';
    }
    return true;
}
