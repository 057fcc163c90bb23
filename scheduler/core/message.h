/*
 * message.h -- what the controller and an agent say to each other: ECS's own messages.
 *
 * Controller to agent: payload, manifest, stop verification ack, report ack. Agent to controller:
 * ack, stop verification, task state. One counter per instance numbers payloads and manifests; the
 * agent drops a manifest that is not newer than what it has seen. A payload without ack is sent
 * again after a reconnect; a task state without report ack is sent again by the agent (at least
 * once), so both sides take repeats calmly. Source: reference "ECS agent protocol" 2.3, 3.1, 3.2.
 *
 * One payload carries one task: agents may be given several, and ours never need it.
 */
#ifndef BERTH_SCHEDULER_CORE_MESSAGE_H
#define BERTH_SCHEDULER_CORE_MESSAGE_H

#include "scheduler/base/units.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/task_def.h"

/* A task's number in its cluster, from 1, rising with creation. Its ECS id is 32 hex digits. */
typedef uint64_t task_id;

#define TASK_NONE 0u

enum task_status {
    TASK_PROVISIONING = 0,
    TASK_PENDING,
    TASK_ACTIVATING,
    TASK_RUNNING,
    TASK_DEACTIVATING,
    TASK_STOPPING,
    TASK_DEPROVISIONING,
    TASK_STOPPED,
    TASK_STATUS_COUNT
};

extern const char *const task_status_names[TASK_STATUS_COUNT]; /* "PROVISIONING", ... */

enum task_health { HEALTH_UNKNOWN = 0, HEALTH_HEALTHY, HEALTH_UNHEALTHY, TASK_HEALTH_COUNT };

extern const char *const task_health_names[TASK_HEALTH_COUNT]; /* "UNKNOWN", ... */

enum message_kind {
    MESSAGE_PAYLOAD = 0, /* controller to agent */
    MESSAGE_MANIFEST,
    MESSAGE_STOP_VERIFICATION_ACK,
    MESSAGE_REPORT_ACK,
    MESSAGE_ACK, /* agent to controller */
    MESSAGE_STOP_VERIFICATION,
    MESSAGE_TASK_STATE,
    MESSAGE_KIND_COUNT
};

extern const char *const message_kind_names[MESSAGE_KIND_COUNT]; /* "PayloadMessage", ... */

/* Why a task ended, as its agent saw it. */
enum exit_cause {
    EXIT_NONE = 0,
    EXIT_ESSENTIAL,     /* an essential container exited by itself; exit_code says how */
    EXIT_STOPPED,       /* stopped as told */
    EXIT_PULL_FAILED,   /* CannotPullContainerError */
    EXIT_START_FAILED,  /* CannotStartContainerError */
    EXIT_HOST_LOST,     /* containers were gone when the agent came back */
    EXIT_OUT_OF_MEMORY, /* OutOfMemoryError: an essential container was killed for its memory */
    EXIT_TIMEOUT,       /* ContainerRuntimeTimeoutError: a pull, create or start took too long */
    EXIT_DEPENDENCY,    /* what an essential container waits for will never be */
    EXIT_CAUSE_COUNT
};

extern const char *const exit_cause_names[EXIT_CAUSE_COUNT];

/* The task of a payload: all an agent needs to run it. Definition and group are lent for good. */
struct task_payload {
    task_id task;
    const struct task_def *def;
    const char *group; /* "service:web"; lent by the controller's symbols */
    /*
     * What the copy is, to whoever supplies its behaviour: RunTask's referenceId for a standalone
     * task, the launch's ordinal within its service (from 1) for a service's.
     */
    uint64_t reference;
    int32_t cpu_units, mem_mib;     /* with overrides */
    const struct gpu_grant *grants; /* lent while the task lives */
    uint16_t grant_count;
    bool desired_running; /* desiredStatus RUNNING, else STOPPED */
};

struct message {
    enum message_kind kind;
    instance_id instance; /* the agent's end */
    uint64_t seq;     /* payload, manifest, their acks; a task state's own number per instance */
    bool owns_grants; /* a payload made by message_copy: its grants are its own */
    union {
        struct task_payload payload;
        struct {
            task_id *tasks; /* owned: manifest (desired RUNNING), candidates or tasks to stop */
            uint32_t count;
        } list;
        struct task_report {
            task_id task;
            enum task_status status; /* RUNNING or STOPPED */
            enum exit_cause cause;   /* when STOPPED */
            int32_t exit_code;
            enum task_health health; /* of its containers (3.6), each time that it changes */
            berth_ns pull_started_ns, pull_stopped_ns, started_ns, stopped_ns; /* wall; 0 = never */
        } report;
    } u;
};

/*
 * Copy and release what a message owns: its list, and a copied payload's grants, since a message on
 * its way may outlive the task that it tells of.
 */
struct message message_copy(const struct message *message);
void message_release(struct message *message);

static inline bool message_has_list(enum message_kind kind)
{
    return kind == MESSAGE_MANIFEST || kind == MESSAGE_STOP_VERIFICATION ||
           kind == MESSAGE_STOP_VERIFICATION_ACK;
}

/* Whether there is anything to copy beside the struct itself: mostly not. */
static inline bool message_is_deep(const struct message *message)
{
    return message_has_list(message->kind) ||
           (message->kind == MESSAGE_PAYLOAD && message->u.payload.grant_count > 0);
}

/* The 32 hex digits of an ECS id for a number of the given kind of thing; out holds 33 bytes. */
void id_format(uint64_t number, char out[33]);

#endif
