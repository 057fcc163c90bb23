/*
 * changes.h -- which instances changed since a follower last looked.
 *
 * One derived structure may follow a cluster (placement's index). It attaches itself, and before
 * each use takes the changes and catches up; the mutators only note what they touched, so a task
 * that is charged and joined costs its instance one update. When nobody looks for long, the list
 * gives up and says so: the follower then starts afresh.
 */
#ifndef BERTH_SCHEDULER_MODEL_CHANGES_H
#define BERTH_SCHEDULER_MODEL_CHANGES_H

#include "scheduler/base/mem.h"
#include "scheduler/model/cluster.h"

/* A group's tasks on one instance went up or down by one, to `tasks`. */
struct group_change {
    instance_id id;
    group_id group;
    uint32_t tasks;
    bool is_join;
};

struct changes {
    void *follower; /* owned through destroy; NULL: nobody follows and nothing is noted */
    void (*destroy)(void *follower);
    bool is_incomplete;              /* too much was missed: start afresh */
    VEC(instance_id) instances;      /* distinct */
    VEC(uint8_t) is_listed;          /* by instance */
    VEC(struct group_change) groups; /* in order */
};

void *cluster_follower(const struct cluster *cluster);
void cluster_follow(struct cluster *cluster, void *follower, void (*destroy)(void *follower));

/* What was noted; the follower clears it with changes_clear when it has caught up. */
const struct changes *cluster_changes(const struct cluster *cluster);
void cluster_changes_clear(struct cluster *cluster);

#endif
