#define _GNU_SOURCE /* unshare */
#include "scheduler/lab/host.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scheduler/lab/first.h"
#include "scheduler/lab/http.h"
#include "scheduler/lab/network.h"
#include "scheduler/lab/process.h"

#define KILL_MS 15000
#define FORK_MS 10000
#define BOOT_MS 60000
#define PING_MS 2000

pid_t lab_host_find(const struct lab *lab, int engine, const char *comm)
{
    struct lab_name group = lab_cgroup(lab->plan.name, engine, "engine");
    return lab_cgroup_find(&lab->cgroups, group.text, comm);
}

enum berth_err lab_host_kill(const struct lab *lab, int engine, struct berth_error *err)
{
    lab_link_remove(&lab->plan, engine);
    pid_t first = lab_host_find(lab, engine, LAB_HOST_COMM);
    if (first > 0)
        (void)kill(first, SIGKILL);
    return lab_cgroup_kill(&lab->cgroups, lab_cgroup(lab->plan.name, engine, "").text,
                           lab_now_ms() + KILL_MS, err);
}

bool lab_engine_answers(const struct lab_plan *plan, int engine, int timeout_ms)
{
    struct lab_name socket = lab_path(plan->name, engine, "docker.sock");
    const struct lab_request ping = {.socket = socket.text,
                                     .method = "GET",
                                     .target = "/_ping",
                                     .body = "",
                                     .timeout_ms = timeout_ms};
    struct berth_error ignored = BERTH_ERROR_INIT;
    int status = 0;
    return lab_request(&ping, &status, NULL, &ignored) == BERTH_OK && status == 200;
}

static enum berth_err fail_boot(const struct lab *lab, int engine, const char *what,
                                struct berth_error *err)
{
    static const char *const logs[] = {"host.log", "engine.log"};
    struct text last = TEXT_INIT;
    for (int i = 0; i < 2; i++) {
        struct text log = TEXT_INIT;
        (void)lab_read_file(lab_path(lab->plan.name, engine, logs[i]).text, &log);
        while (log.length > 0 && log.bytes[log.length - 1] == '\n')
            log.bytes[--log.length] = '\0';
        const char *line = log.length == 0 ? NULL : strrchr(log.bytes, '\n');
        if (log.length > 0)
            text_addf(&last, "; %s: %.300s", logs[i], line == NULL ? log.bytes : line + 1);
        text_free(&log);
    }
    enum berth_err code = berth_fail(err, BERTH_ERR_ENVIRONMENT, "engine %d %s%s", engine, what,
                                     last.length == 0 ? "" : last.bytes);
    text_free(&last);
    return code;
}

enum berth_err lab_engine_wait(const struct lab *lab, int engine, struct berth_error *err)
{
    int64_t deadline = lab_now_ms() + BOOT_MS;
    while (!lab_engine_answers(&lab->plan, engine, PING_MS)) {
        if (lab_host_find(lab, engine, LAB_HOST_COMM) == 0)
            return fail_boot(lab, engine, "did not start", err);
        if (lab_now_ms() >= deadline)
            return fail_boot(lab, engine, "does not answer", err);
        lab_sleep_ms(20);
    }
    return BERTH_OK;
}

/*
 * The process in between: in the control groups before it forks, so that whatever becomes of
 * berth now, `down` finds the host there; with its name too, which the first process takes over
 * as it is born. It tells that one's number and ends.
 */
static void be_between(const struct lab *lab, int engine, int tell, const int go[2])
{
    const int namespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID;
    if (!lab_cgroup_join(&lab->cgroups, lab_cgroup(lab->plan.name, engine, "engine").text) ||
        setsid() < 0 || unshare(namespaces) != 0)
        _exit(errno);
    (void)close(go[1]);
    (void)prctl(PR_SET_NAME, LAB_HOST_COMM);
    pid_t first = fork();
    if (first == 0)
        lab_first_process(&lab->plan, engine, go[0]);
    if (first < 0 || write(tell, &first, sizeof first) != (ssize_t)sizeof first)
        _exit(errno);
    _exit(0);
}

static enum berth_err fork_host(const struct lab *lab, int engine, const int go[2], pid_t *first,
                                struct berth_error *err)
{
    int tell[2], status = 0;
    if (pipe(tell) != 0)
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "no pipe: %s", strerror(errno));
    pid_t self = getpid(), between = fork();
    if (between == 0) {
        lab_die_with(self);
        be_between(lab, engine, tell[1], go);
    }
    (void)close(tell[1]);
    bool ended = between > 0 && lab_wait_child(between, lab_now_ms() + FORK_MS, &status);
    bool good = ended && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
                read(tell[0], first, sizeof *first) == (ssize_t)sizeof *first;
    (void)close(tell[0]);
    return good ? BERTH_OK
                : berth_fail(err, BERTH_ERR_ENVIRONMENT, "engine %d: no namespaces: %s", engine,
                             strerror(ended && WIFEXITED(status) ? WEXITSTATUS(status) : EIO));
}

static enum berth_err make_groups(const struct lab *lab, int engine, struct berth_error *err)
{
    static const char *const groups[] = {"engine", "containers"};
    enum berth_err code = BERTH_OK;
    for (int i = 0; i < 2 && code == BERTH_OK; i++)
        code =
            lab_cgroup_make(&lab->cgroups, lab_cgroup(lab->plan.name, engine, groups[i]).text, err);
    return code;
}

enum berth_err lab_host_boot(const struct lab *lab, int engine, struct berth_error *err)
{
    int go[2];
    pid_t first = 0;
    bool connected = access(lab_path(lab->plan.name, engine, LAB_PARTITIONED).text, F_OK) != 0;
    enum berth_err code = lab_host_kill(lab, engine, err);
    if (code == BERTH_OK)
        code = make_groups(lab, engine, err);
    if (code == BERTH_OK && pipe(go) != 0)
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT, "no pipe: %s", strerror(errno));
    if (code != BERTH_OK)
        return code;
    code = fork_host(lab, engine, go, &first, err);
    if (code == BERTH_OK)
        code = lab_link_make(&lab->plan, engine, first, connected, err);
    /* The first process waits for this byte; if the pipe ends without it, it ends too. */
    if (code == BERTH_OK && write(go[1], "", 1) != 1)
        code = fail_boot(lab, engine, "did not start", err);
    (void)close(go[0]);
    (void)close(go[1]);
    return code == BERTH_OK ? lab_engine_wait(lab, engine, err) : code;
}
