/*
 * container_json.h -- a container of a task definition as what POST /containers/create takes.
 *
 * Pure: the definition's document, what the placement gave (cards, host ports) and what was read
 * from files (environment.h) in; JSON out. What an engine cannot do is refused by task_unsupported,
 * before a task is placed; container_json is then asked only for what can be done. The choices are
 * those of ECS's own agent where it has one (reference "ECS agent protocol" 4): at least 2 CPU
 * shares and 6 MiB, no restarts by the engine, an engine's own default where the definition is
 * silent.
 *
 * Task-level cpu and memory bound each container by itself: LIMIT: the containers of one task
 * together may use more, as a common control group can be made on the host only, not by the API.
 */
#ifndef BERTH_SCHEDULER_DOCKER_CONTAINER_JSON_H
#define BERTH_SCHEDULER_DOCKER_CONTAINER_JSON_H

#include <jansson.h>

#include "scheduler/base/text.h"
#include "scheduler/core/message.h"
#include "scheduler/docker/answers.h"
#include "scheduler/docker/environment.h"
#include "scheduler/model/task_def.h"

#define CONTAINER_LABEL_TASK "berth.task"           /* the task's number */
#define CONTAINER_LABEL_CONTAINER "berth.container" /* its index in the definition */
#define CONTAINER_LABEL_STATE "berth.state"         /* see below */

/* A copy of a task, as far as its containers differ by it. All borrowed. */
struct container_launch {
    const struct task_def *def;
    const json_t *document; /* of def->document, parsed */
    task_id task;
    const char *cluster;
    /*
     * Names the cluster's state, from its first start until it is thrown away: numbers of tasks
     * begin anew with a new state, and what an old one left behind must not be taken for its own.
     */
    const char *state;
    const char *task_arn, *cluster_arn; /* may be NULL */
    int32_t cpu_units, mem_mib;         /* the task's, as in its payload */
    const struct gpu_grant *grants;     /* of the whole task */
    uint16_t grant_count;
    const char *const *gpu_ids; /* by card; NULL: cards by their number */
    const struct container_environment
        *environment;      /* of the container; NULL: nothing from files */
    uint32_t port_attempt; /* 0, 1, ...: with each, ranges of host ports elsewhere */
};

/* New reference. The definition must be one that task_unsupported lets pass (asserted). */
json_t *container_json(const struct container_launch *launch, uint16_t container);

/*
 * "berth-CLUSTER-FAMILY-REVISION-CONTAINER-TASK-INDEX", long names cut; the same for every attempt,
 * so that a repeated create finds the first one's container. Appended to `out`.
 */
void container_name(const struct container_launch *launch, uint16_t container, struct text *out);

/* The task and the index that a container's labels say; false when it is not of this state. */
bool container_identify(const struct container_state *state, const char *cluster,
                        const char *cluster_state, task_id *task, uint16_t *container);

/*
 * A volume of the definition that an engine keeps: how it is called there. One of the task is to be
 * removed with it; one that must exist is to be looked for before the first container is made, as
 * an engine would make an empty one. False: an engine keeps nothing for it (a folder of the host).
 */
struct task_volume {
    struct text name; /* owned */
    bool is_of_task, must_exist;
};
bool task_volume_of(const struct container_launch *launch, const json_t *volume,
                    struct task_volume *out);

/* The ports from..to of a range "8000-8010"; false when it is not one. */
bool port_range_read(const char *range, uint16_t *from, uint16_t *to);

/*
 * Why no engine, or not this one, can run tasks of this definition; false when it can. `info` and
 * `version` may be NULL: not known yet. The reason is one line for people.
 */
#define TASK_REASON_MAX 256
bool task_unsupported(const struct task_def *def, const json_t *document,
                      const struct engine_info *info, const struct engine_version *version,
                      char reason[TASK_REASON_MAX]);

#endif
