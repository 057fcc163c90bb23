/*
 * host.h -- a simulated machine: namespaces and control groups of its own, and in them a first
 * process that starts the engine, starts it again two seconds after it died, as systemd's unit
 * does, and takes in orphans. When that process is killed the kernel kills all others: a power cut.
 */
#ifndef BERTH_SCHEDULER_LAB_HOST_H
#define BERTH_SCHEDULER_LAB_HOST_H

#include <sys/types.h>

#include "scheduler/lab/cgroup.h"
#include "scheduler/lab/plan.h"

#define LAB_HOST_COMM "berth-host" /* of the first process */
#define LAB_ENGINE_COMM "dockerd"
#define LAB_CONTAINERD_COMM "containerd"

struct lab {
    struct lab_plan plan;
    struct lab_cgroups cgroups;
    int lock; /* the lab's folder, locked; programs that are run hold it too, until they end */
};

pid_t lab_host_find(const struct lab *lab, int engine, const char *comm); /* 0: there is none */

/* Boots with the disk that is mounted, and returns when the engine answers. What was left of the
 * host, if anything, is removed before. */
enum berth_err lab_host_boot(const struct lab *lab, int engine,
                             struct berth_error *err) BERTH_MUST_CHECK;

/* The link goes first, so that nothing is heard of it any more; then every process at once. */
enum berth_err lab_host_kill(const struct lab *lab, int engine,
                             struct berth_error *err) BERTH_MUST_CHECK;

bool lab_engine_answers(const struct lab_plan *plan, int engine, int timeout_ms);
enum berth_err lab_engine_wait(const struct lab *lab, int engine,
                               struct berth_error *err) BERTH_MUST_CHECK;

#endif
