#define _DEFAULT_SOURCE /* flock */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scheduler/lab/disk.h"
#include "scheduler/lab/image.h"
#include "scheduler/lab/keys.h"
#include "scheduler/lab/lab.h"
#include "scheduler/lab/network.h"
#include "scheduler/lab/open.h"
#include "scheduler/lab/process.h"

#define UP_MS 180000
#define LOOK_MS 50 /* how soon `stop` is noticed */
#define EXIT_MS 5000

struct worker { /* makes one engine, in a process of its own */
    pid_t pid;  /* 0: it has ended */
    int error;  /* where the text of its failure comes from */
};

static void tell(const struct lab_options *options, const char *format, ...) BERTH_PRINTF(2, 3);

static void tell(const struct lab_options *options, const char *format, ...)
{
    char line[200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (options->progress != NULL)
        options->progress(options->context, line);
}

static bool is_stopped(const struct lab_options *options)
{
    return options->stop != NULL && *options->stop != 0;
}

/* Slots of all labs, also of those being made; the caller holds the lock on LAB_RUN. */
static enum berth_err choose_slot(struct lab_plan *plan, struct berth_error *err)
{
    bool taken[LAB_SLOTS] = {false};
    struct text names = TEXT_INIT;
    lab_list(&names);
    for (char *at = names.bytes, *end; at != NULL && (end = strchr(at, '\n')) != NULL;
         at = end + 1) {
        struct lab_plan other;
        struct berth_error ignored = BERTH_ERROR_INIT;
        *end = '\0';
        if (lab_load_plan(at, &other, &ignored) == BERTH_OK)
            taken[other.slot] = true;
    }
    text_free(&names);
    for (plan->slot = 0; plan->slot < LAB_SLOTS; plan->slot++)
        if (!taken[plan->slot] && lab_slot_is_free(plan->slot))
            return lab_save_plan(plan, err);
    return berth_fail(err, BERTH_ERR_ENVIRONMENT,
                      "no network 10.213.0.0/24 to 10.213.255.0/24 is "
                      "free on this machine");
}

/* Takes a slot and writes the plan: from here on `down` finds all that will be made. */
static enum berth_err begin(struct lab_plan *plan, struct berth_error *err)
{
    int all = open(LAB_RUN, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (all < 0 || flock(all, LOCK_EX) != 0) {
        enum berth_err code =
            berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", LAB_RUN, strerror(errno));
        if (all >= 0)
            (void)close(all);
        return code;
    }
    enum berth_err code = choose_slot(plan, err);
    (void)close(all);
    return code;
}

static enum berth_err make_engine(const struct lab *lab, int engine, const struct text *tar,
                                  struct berth_error *err)
{
    struct lab_name socket = lab_path(lab->plan.name, engine, "docker.sock");
    enum berth_err code = lab_disk_make(&lab->plan, engine, err);
    if (code == BERTH_OK)
        code = lab_host_boot(lab, engine, err);
    return code == BERTH_OK ? lab_image_load(socket.text, tar, LAB_IMAGE, err) : code;
}

static bool start_worker(const struct lab *lab, int engine, const struct text *tar,
                         struct worker *worker)
{
    int error[2];
    if (pipe(error) != 0)
        return false;
    pid_t self = getpid(), child = fork();
    if (child == 0) {
        struct berth_error err = BERTH_ERROR_INIT;
        lab_die_with(self);
        enum berth_err code = make_engine(lab, engine, tar, &err);
        size_t length = strlen(err.text);
        bool told = length == 0 || write(error[1], err.text, length) == (ssize_t)length;
        _exit(told ? (int)code : BERTH_ERR_ENVIRONMENT);
    }
    (void)close(error[1]);
    *worker = (struct worker){child > 0 ? child : 0, error[0]};
    return child > 0;
}

static enum berth_err end_worker(struct worker *worker, int status, struct berth_error *err)
{
    char text[BERTH_ERROR_TEXT_MAX];
    worker->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return BERTH_OK;
    ssize_t length = read(worker->error, text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s",
                      length > 0 ? text : "the process that made an engine was killed");
}

/* Until all are up, one failed, the time is over or `stop` is set. */
static enum berth_err wait_workers(const struct lab_options *options, struct worker *workers,
                                   struct berth_error *err)
{
    int64_t deadline = lab_now_ms() + UP_MS;
    int up = 0, count = options->engine_count;
    while (up < count) {
        if (is_stopped(options))
            return berth_fail(err, BERTH_ERR_INTERRUPTED, "interrupted");
        if (lab_now_ms() >= deadline)
            return berth_fail(err, BERTH_ERR_ENVIRONMENT, "not up within %d s", UP_MS / 1000);
        for (int i = 0; i < count; i++) {
            int status = 0;
            if (workers[i].pid == 0 || waitpid(workers[i].pid, &status, WNOHANG) == 0)
                continue;
            enum berth_err code = end_worker(&workers[i], status, err);
            if (code != BERTH_OK)
                return code;
            tell(options, "engine %d is up (%d of %d)", i + 1, ++up, count);
        }
        lab_sleep_ms(LOOK_MS);
    }
    return BERTH_OK;
}

static enum berth_err make_engines(const struct lab *lab, const struct lab_options *options,
                                   struct berth_error *err)
{
    struct worker workers[LAB_ENGINES_MAX] = {{0, 0}};
    struct text tar = TEXT_INIT;
    int started = 0, status = 0;
    enum berth_err code = lab_image_make(&tar, err);
    for (; code == BERTH_OK && started < options->engine_count; started++)
        if (!start_worker(lab, started + 1, &tar, &workers[started]))
            code = berth_fail(err, BERTH_ERR_ENVIRONMENT, "no process: %s", strerror(errno));
    if (code == BERTH_OK)
        code = wait_workers(options, workers, err);
    for (int i = 0; i < started; i++) {
        if (workers[i].pid > 0) {
            (void)kill(workers[i].pid, SIGKILL);
            (void)lab_wait_child(workers[i].pid, lab_now_ms() + EXIT_MS, &status);
        }
        if (workers[i].error > 0)
            (void)close(workers[i].error);
    }
    text_free(&tar);
    return code;
}

static enum berth_err make_lab(struct lab *lab, const struct lab_options *options,
                               struct berth_error *err)
{
    enum berth_err code = begin(&lab->plan, err);
    if (code == BERTH_OK)
        code = lab_keys_make(&lab->plan, err);
    if (code == BERTH_OK)
        code = lab_hub_make(&lab->plan, err);
    if (code == BERTH_OK)
        tell(options, "the network %s/24 is up", lab_address(lab->plan.slot, 0).text);
    if (code == BERTH_OK)
        code = make_engines(lab, options, err);
    lab->plan.is_complete = true;
    return code == BERTH_OK ? lab_save_plan(&lab->plan, err) : code;
}

/* Is there one already? Its folder has just been locked, and perhaps made. */
static enum berth_err check_absent(const struct lab *lab, struct berth_error *err)
{
    struct lab_plan there;
    const char *name = lab->plan.name;
    struct berth_error ignored = BERTH_ERROR_INIT;
    if (lab_load_plan(name, &there, &ignored) == BERTH_OK && there.is_complete)
        return berth_fail(err, BERTH_ERR_FAILED,
                          "lab \"%s\" is up, with %d engines; berth lab down --name %s first, or "
                          "take another --name",
                          name, there.engine_count, name);
    bool left = ignored.code != BERTH_ERR_FAILED ||
                access(lab_image_path(name, 0).text, F_OK) == 0 ||
                lab_cgroup_exists(&lab->cgroups, lab_cgroup(name, 0, "").text);
    return left ? berth_fail(err, BERTH_ERR_FAILED,
                             "an unfinished lab \"%s\" was left behind; berth lab down --name %s "
                             "first",
                             name, name)
                : BERTH_OK;
}

enum berth_err lab_up(const struct lab_options *options, struct berth_error *err)
{
    struct lab lab = {.lock = -1};
    enum berth_err code = lab_check_name(options->name, err);
    if (code == BERTH_OK)
        code = lab_check_machine(err);
    if (code == BERTH_OK)
        code = lab_cgroups_find(&lab.cgroups, err);
    if (code == BERTH_OK)
        code = lab_lock(options->name, &lab.lock, err);
    if (code != BERTH_OK)
        return code;
    lab.plan.engine_count = options->engine_count;
    lab.plan.disk_bytes = options->disk_bytes;
    lab.plan.live_restore = options->live_restore;
    memcpy(lab.plan.name, options->name, strlen(options->name) + 1);
    code = check_absent(&lab, err);
    bool is_ours = code == BERTH_OK;
    if (is_ours)
        code = make_lab(&lab, options, err);
    lab_close(&lab);
    /* By the lock again, which waits for what the killed processes had running. */
    struct berth_error again = BERTH_ERROR_INIT;
    bool found;
    if (is_ours && code != BERTH_OK && lab_down(options->name, &found, &again) != BERTH_OK)
        tell(options, "and what was made could not be taken down: %s", again.text);
    return code;
}
