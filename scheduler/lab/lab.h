/*
 * lab.h -- a small real cluster on one Linux machine: up to sixteen Docker engines, each on a host
 * of its own, which is a tree of processes in namespaces and control groups of its own with a
 * network link and a disk; and the faults such hosts have.
 *
 * Needs root. Every call that changes a lab holds its lock, and so does whatever program it runs:
 * a call that comes while another is at work, or while what a killed one began is not yet ended,
 * waits for it. Nothing waits without a limit.
 */
#ifndef BERTH_SCHEDULER_LAB_LAB_H
#define BERTH_SCHEDULER_LAB_LAB_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "scheduler/lab/plan.h"

#define LAB_DEFAULT_NAME "lab"

/* What is missing on this machine, and how to get it: BERTH_ERR_ENVIRONMENT. */
enum berth_err lab_check_machine(struct berth_error *err) BERTH_MUST_CHECK;

struct lab_options {
    const char *name;
    int engine_count;
    uint64_t disk_bytes;                               /* of each engine */
    bool live_restore;                                 /* containers outlive their engine */
    const volatile sig_atomic_t *stop;                 /* not zero: give up; NULL: never */
    void (*progress)(void *context, const char *line); /* NULL: none */
    void *context;
};

/*
 * All engines at once; each then answers on its socket and has LAB_IMAGE. Fails with
 * BERTH_ERR_FAILED when there is a lab of this name; what a failed `up` made, it removes.
 */
enum berth_err lab_up(const struct lab_options *options, struct berth_error *err) BERTH_MUST_CHECK;

/*
 * Removes all that a lab of this name has or has left behind: processes, mounts, disks, links,
 * control groups, files. *found: was there anything? To call it again does no harm.
 */
enum berth_err lab_down(const char *name, bool *found, struct berth_error *err) BERTH_MUST_CHECK;

enum lab_fault {
    LAB_KILL,         /* the host dies with all its containers, as by a power cut */
    LAB_REVIVE,       /* it boots again with its disk */
    LAB_FREEZE,       /* all its processes stop */
    LAB_THAW,         /* and go on */
    LAB_PARTITION,    /* its link goes down, it lives on; its socket answers, its url does not */
    LAB_HEAL,         /* the link is up again */
    LAB_FILL_DISK,    /* no block is left */
    LAB_FREE_DISK,    /* as before */
    LAB_CRASH_ENGINE, /* SIGKILL to dockerd; started again after 2 s */
    LAB_CRASH_CONTAINERD, /* SIGKILL to containerd; dockerd starts it again */
    LAB_FAULT_COUNT
};

struct lab_fault_info {
    const char *name; /* "fill-disk" */
    const char *done; /* "has a full disk" */
    const char *help;
};
extern const struct lab_fault_info lab_fault_infos[LAB_FAULT_COUNT];

/*
 * Returns when it has come about; after LAB_REVIVE the engine answers. *changed is false when it
 * was so already. BERTH_ERR_FAILED: no such lab, or the host is dead (crashes, freeze, thaw);
 * BERTH_ERR_INPUT: no such engine.
 */
enum berth_err lab_fault(const char *name, enum lab_fault fault, int engine, bool *changed,
                         struct berth_error *err) BERTH_MUST_CHECK;

/* Into every engine that answers: LAB_IMAGE, called `image` too; *count: how many these were. */
enum berth_err lab_image(const char *name, const char *image, int *count,
                         struct berth_error *err) BERTH_MUST_CHECK;

enum lab_state {
    LAB_STATE_UP,
    LAB_STATE_ENGINE_DOWN, /* the host lives, the engine does not answer */
    LAB_STATE_FROZEN,
    LAB_STATE_DEAD,
};
extern const char *const lab_state_names[];

struct lab_engine {
    int number;
    enum lab_state state;
    bool is_partitioned, is_disk_full;
    struct lab_name socket, address, url; /* url: with the keys in the folder LAB_KEYS */
    struct lab_name cgroup;               /* of its containers, below each hierarchy */
    uint64_t disk_used_bytes, disk_total_bytes;
    int process_count;
};

struct lab_status {
    struct lab_plan plan;
    struct lab_engine engines[LAB_ENGINES_MAX]; /* plan.engine_count of them */
};

/* Does not wait for the lock. BERTH_ERR_FAILED when there is no such lab. */
enum berth_err lab_status(const char *name, struct lab_status *out,
                          struct berth_error *err) BERTH_MUST_CHECK;

/* Names of all labs, also of those left behind, each with a newline, in order. */
void lab_list(struct text *out);

#endif
