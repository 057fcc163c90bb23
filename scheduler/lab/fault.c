#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

#include "scheduler/lab/disk.h"
#include "scheduler/lab/lab.h"
#include "scheduler/lab/network.h"
#include "scheduler/lab/open.h"
#include "scheduler/lab/process.h"

#define CRASH_MS 5000

const struct lab_fault_info lab_fault_infos[LAB_FAULT_COUNT] = {
    [LAB_KILL] = {"kill", "is dead", "the host dies with all its containers, as by a power cut"},
    [LAB_REVIVE] = {"revive", "is up", "it boots again, with its disk"},
    [LAB_FREEZE] = {"freeze", "is frozen", "all its processes stop"},
    [LAB_THAW] = {"thaw", "is thawed", "they go on"},
    [LAB_PARTITION] = {"partition", "is cut off", "its network link goes down, it lives on"},
    [LAB_HEAL] = {"heal", "is connected", "the link is up again"},
    [LAB_FILL_DISK] = {"fill-disk", "has a full disk", "not a block is left on its disk"},
    [LAB_FREE_DISK] = {"free-disk", "has room on its disk", "the room is there again"},
    [LAB_CRASH_ENGINE] = {"crash-engine", "has lost its dockerd",
                          "SIGKILL to dockerd, which is started again after 2 s"},
    [LAB_CRASH_CONTAINERD] = {"crash-containerd", "has lost its containerd",
                              "SIGKILL to containerd, which dockerd starts again"},
};

/* Returns when the process is gone: what comes after it is another one. */
static enum berth_err crash(const struct lab *lab, int engine, const char *comm,
                            struct berth_error *err)
{
    int64_t deadline = lab_now_ms() + CRASH_MS;
    pid_t pid = lab_host_find(lab, engine, comm);
    if (pid == 0)
        return berth_fail(err, BERTH_ERR_FAILED, "engine %d has no %s just now", engine, comm);
    (void)kill(pid, SIGKILL);
    while (lab_host_find(lab, engine, comm) == pid) {
        if (lab_now_ms() >= deadline)
            return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s of engine %d does not die", comm,
                              engine);
        lab_sleep_ms(2);
    }
    return BERTH_OK;
}

/* The mark is there before the link goes down, and until after it is up. */
static enum berth_err partition(const struct lab *lab, int engine, bool alive, bool cut,
                                struct berth_error *err)
{
    struct lab_name mark = lab_path(lab->plan.name, engine, LAB_PARTITIONED);
    if (cut && !lab_replace_file(mark.text, ""))
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", mark.text, strerror(errno));
    enum berth_err code = alive ? lab_link_set(&lab->plan, engine, !cut, err) : BERTH_OK;
    if (code == BERTH_OK && !cut)
        (void)unlink(mark.text);
    return code;
}

static enum berth_err freeze(const struct lab *lab, int engine, bool stop, bool *changed,
                             struct berth_error *err)
{
    struct lab_name group = lab_cgroup(lab->plan.name, engine, "");
    *changed = lab_cgroup_is_frozen(&lab->cgroups, group.text) != stop;
    return lab_cgroup_freeze(&lab->cgroups, group.text, stop, err);
}

static enum berth_err enact(const struct lab *lab, enum lab_fault fault, int engine, bool alive,
                            bool *changed, struct berth_error *err)
{
    const struct lab_plan *plan = &lab->plan;
    bool cut = access(lab_path(plan->name, engine, LAB_PARTITIONED).text, F_OK) == 0;
    *changed = true;
    switch (fault) {
    case LAB_KILL:
        *changed = alive;
        return lab_host_kill(lab, engine, err);
    case LAB_REVIVE:
        *changed = !alive;
        return alive ? BERTH_OK : lab_host_boot(lab, engine, err);
    case LAB_FREEZE:
    case LAB_THAW:
        return freeze(lab, engine, fault == LAB_FREEZE, changed, err);
    case LAB_PARTITION:
    case LAB_HEAL:
        *changed = cut != (fault == LAB_PARTITION);
        return partition(lab, engine, alive, fault == LAB_PARTITION, err);
    case LAB_FILL_DISK:
        *changed = !lab_disk_is_full(plan, engine);
        return lab_disk_fill(plan, engine, err);
    case LAB_FREE_DISK:
        *changed = lab_disk_is_full(plan, engine);
        return lab_disk_free(plan, engine, err);
    case LAB_CRASH_ENGINE:
        return crash(lab, engine, LAB_ENGINE_COMM, err);
    case LAB_CRASH_CONTAINERD:
        return crash(lab, engine, LAB_CONTAINERD_COMM, err);
    case LAB_FAULT_COUNT:
        break;
    }
    return BERTH_OK;
}

enum berth_err lab_fault(const char *name, enum lab_fault fault, int engine, bool *changed,
                         struct berth_error *err)
{
    struct lab lab;
    enum berth_err code = lab_open(name, &lab, err);
    if (code != BERTH_OK)
        return code;
    bool needs_life = fault == LAB_FREEZE || fault == LAB_THAW || fault == LAB_CRASH_ENGINE ||
                      fault == LAB_CRASH_CONTAINERD;
    code = lab_check_engine(&lab.plan, engine, err);
    bool alive = code == BERTH_OK && lab_host_find(&lab, engine, LAB_HOST_COMM) != 0;
    if (code == BERTH_OK && needs_life && !alive)
        code = berth_fail(err, BERTH_ERR_FAILED, "engine %d is dead; berth lab revive %d first",
                          engine, engine);
    if (code == BERTH_OK)
        code = enact(&lab, fault, engine, alive, changed, err);
    lab_close(&lab);
    return code;
}
