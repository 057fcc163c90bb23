/*
 * task_def.h -- task definition families and revisions, of one account and region.
 *
 * A definition is immutable once registered, and lives as long as the registry: whoever holds a
 * pointer to one may keep it (agents, messages, tasks). Only what scheduling and the agent need is
 * taken apart; `document` is the whole of ECS's JSON, for describing, storing and real engines.
 */
#ifndef BERTH_SCHEDULER_MODEL_TASK_DEF_H
#define BERTH_SCHEDULER_MODEL_TASK_DEF_H

#include "scheduler/base/error.h"
#include "scheduler/base/units.h"
#include "scheduler/model/resources.h"

#define TASK_DEF_CONTAINERS_MAX 10
#define TASK_DEF_IGNORED_EXIT_CODES_MAX 50

enum network_mode { NETWORK_BRIDGE = 0, NETWORK_HOST, NETWORK_NONE, NETWORK_AWSVPC };

enum task_def_status { TASK_DEF_ACTIVE = 0, TASK_DEF_INACTIVE, TASK_DEF_DELETE_IN_PROGRESS };

enum dependency_condition {
    DEPENDS_START = 0,
    DEPENDS_COMPLETE,
    DEPENDS_SUCCESS,
    DEPENDS_HEALTHY,
};

struct container_dependency {
    uint16_t container; /* index into containers[] */
    enum dependency_condition condition;
};

/* healthCheck; its command stays in the document: an engine runs it, the agent hears the outcome.
 */
struct health_check {
    berth_ns interval_ns; /* 0: the container defines no check */
    berth_ns timeout_ns, start_period_ns;
    uint16_t retries; /* failures in a row that make it unhealthy */
};

/* restartPolicy: the agent restarts the container in place instead of letting its exit count. */
struct restart_policy {
    int32_t *ignored_exit_codes; /* owned; an exit with one of these is final */
    berth_ns attempt_period_ns;  /* it must have run so long since its last start */
    uint16_t ignored_count;
    bool is_enabled;
};

struct container_def {
    char *name;  /* owned */
    char *image; /* owned; may be "" only in scenarios that never run on an engine */
    bool is_essential;
    int32_t cpu_units;         /* as written, 0 when absent */
    int32_t mem_mib;           /* memoryReservation if set, else memory, else 0 */
    berth_ns stop_timeout_ns;  /* BERTH_NS_NEVER when absent: the agent's default applies */
    berth_ns start_timeout_ns; /* BERTH_NS_NEVER when absent */
    struct gpu_request gpu;    /* milli 0 when none */
    struct container_dependency *depends_on; /* owned */
    uint16_t depends_on_count;
    struct health_check health;
    struct restart_policy restart;
};

struct task_def {
    char *family;      /* owned */
    uint32_t revision; /* 1.. ; 0 until registered */
    uint32_t number;   /* in its registry, dense, from 0: names it in 32 bits for a run */
    enum task_def_status status;
    enum network_mode network_mode;
    struct demand demand; /* arrays point into the owned arrays below */
    struct gpu_request *gpus;
    uint16_t *tcp_ports;
    uint16_t *udp_ports;
    char **required_attributes; /* owned; requiresAttributes: "name" or "name=value" */
    size_t required_attribute_count;
    char **member_of; /* owned; expressions of its placementConstraints, all of type memberOf */
    size_t member_of_count;
    struct container_def *containers; /* owned */
    size_t container_count;           /* 1..TASK_DEF_CONTAINERS_MAX */
    char *document;                   /* owned; compact JSON, keys as given */
};

void task_def_destroy(struct task_def *def); /* an unregistered one only */

bool container_def_has_health_check(const struct container_def *container);

/* Whether an essential container defines a check: only such a task is ever HEALTHY or UNHEALTHY. */
bool task_def_has_health_check(const struct task_def *def);

struct task_def_registry;

struct task_def_registry *task_def_registry_create(void);
void task_def_registry_destroy(struct task_def_registry *registry);

/* Takes `def`; gives it the family's next revision (highest ever + 1); returns it, lent. */
const struct task_def *task_def_register(struct task_def_registry *registry, struct task_def *def);

/* Like task_def_register for a known revision, to rebuild a registry from a store. */
const struct task_def *task_def_restore(struct task_def_registry *registry, struct task_def *def);

/* "family" is the latest ACTIVE revision, "family:7" or an ARN that one; NULL when none. */
const struct task_def *task_def_find(const struct task_def_registry *registry,
                                     const char *reference);

/* By task_def.number. */
const struct task_def *task_def_at(const struct task_def_registry *registry, uint32_t number);

/* ACTIVE to INACTIVE; false when it is not there or not ACTIVE. */
bool task_def_deregister(struct task_def_registry *registry, const char *family, uint32_t revision);

#endif
