/*
 * cluster.h -- the container instances of one cluster: what they have, what is left, who sits
 * there.
 *
 * This is the state that placement reads. It changes only through the functions below, which keep
 * every derived figure (remaining resources, counts by group and by zone, the placement index) in
 * step and can write an undo journal: what-if is done on the live state and undone, never on a
 * copy.
 *
 * Instances are numbered in ascending order of their id (bytewise), which the adder guarantees:
 * berth's own ids rise with registration, and a loader sorts first. So "smallest id" is "smallest
 * number" everywhere. A number is never used again; a deregistered instance stays as INACTIVE.
 */
#ifndef BERTH_SCHEDULER_MODEL_CLUSTER_H
#define BERTH_SCHEDULER_MODEL_CLUSTER_H

#include <assert.h>

#include "scheduler/base/symbols.h"
#include "scheduler/base/units.h"
#include "scheduler/model/resources.h"

typedef uint32_t instance_id; /* dense, from 0 */
typedef uint32_t group_id;    /* dense, from 0: a task group, "service:web" or "family:job" */

#define INSTANCE_NONE UINT32_MAX
#define GROUP_NONE UINT32_MAX

enum instance_status {
    INSTANCE_ACTIVE = 0,
    INSTANCE_DRAINING,
    INSTANCE_REGISTERING,
    INSTANCE_DEREGISTERING,
    INSTANCE_INACTIVE,
    INSTANCE_STATUS_COUNT
};

extern const char *const instance_status_names[INSTANCE_STATUS_COUNT]; /* "ACTIVE", ... */

struct attribute {
    symbol name;
    symbol value; /* SYMBOL_NONE: the attribute exists without a value */
};

/* Shared by all instances that have the same; never changed. */
struct attribute_list {
    uint32_t count;
    struct attribute items[]; /* sorted by name's number, distinct */
};

/* Tasks of one group on one instance with desiredStatus RUNNING (rule U2). */
struct group_count {
    group_id group;
    uint32_t tasks;
};

/*
 * Read by placement and by describers; written by cluster_* only. Two lines of 64 bytes: a check, a
 * charge and a join look at the first one alone, unless ports, cards or attributes are asked for.
 */
struct instance {
    int32_t cpu_remaining, mem_remaining; /* units, MiB; may be < 0 in a user's snapshot */
    int32_t cpu_registered, mem_registered;
    uint8_t status; /* enum instance_status */
    bool is_agent_connected;
    bool is_dedicated; /* made for one task: placement never finds it */
    uint8_t gpu_count;
    uint16_t eni_limit, eni_used; /* limit 0: no limit is modelled */
    symbol pool;                  /* the capacity provider that it belongs to; SYMBOL_NONE: none */
    symbol zone;                  /* value of ecs.availability-zone, SYMBOL_NONE when it has none */
    uint32_t reserved_tasks;      /* reservations held here */
    uint32_t running_tasks; /* runningTasksCount: lastStatus RUNNING, as the cluster is told */
    symbol agent_version;
    uint32_t group_count;
    struct group_count *groups; /* owned; ascending by group, tasks > 0 */
    uint64_t group_bits;        /* bit g % 64: a group with this remainder may have tasks here */

    const struct attribute_list *attributes; /* shared */
    uint16_t *gpu_free_milli;                /* owned; per card, 0..1000; NULL without cards */
    struct port_set tcp, udp;
    berth_ns registered_wall_ns;
    symbol name;   /* the id: last part of the ARN */
    symbol ec2_id; /* may be SYMBOL_NONE */
};

/* How an instance registers. Everything is borrowed for the call. */
struct instance_spec {
    const char *name; /* greater than every name before it (asserted) */
    const char *ec2_id;
    const char *agent_version;
    symbol pool;
    bool is_dedicated;
    int32_t cpu_units, mem_mib;
    uint16_t gpu_count;
    uint16_t eni_limit;
    const uint16_t *tcp_ports_used; /* the agent's own: 22, 2375, 2376, 51678, 51679 */
    const uint16_t *udp_ports_used;
    uint16_t tcp_port_count, udp_port_count;
    const struct attribute *attributes; /* in any order, distinct names */
    uint32_t attribute_count;
    berth_ns registered_wall_ns;
};

struct cluster;

/* What every cluster begins with, so that an instance is read without a call. */
struct cluster_head {
    struct instance *instances; /* by number; on a boundary of 64 bytes */
    uint32_t instance_count;
};

struct cluster *cluster_create(struct symbols *symbols); /* symbols: borrowed for life */
void cluster_destroy(struct cluster *cluster);

struct symbols *cluster_symbols(const struct cluster *cluster);

/* Every one ever registered. */
static inline uint32_t cluster_instance_count(const struct cluster *cluster)
{
    return ((const struct cluster_head *)cluster)->instance_count;
}

/* Lent until the next instance is added. */
static inline const struct instance *cluster_instance(const struct cluster *cluster, instance_id id)
{
    const struct cluster_head *head = (const struct cluster_head *)cluster;
    assert(id < head->instance_count);
    return &head->instances[id];
}

instance_id cluster_find_instance(const struct cluster *cluster, const char *name);
symbol instance_attribute(const struct instance *instance, symbol name, bool *exists);

/* New instances are ACTIVE and connected. */
instance_id cluster_add_instance(struct cluster *cluster, const struct instance_spec *spec);
void cluster_set_status(struct cluster *cluster, instance_id id, enum instance_status status);
void cluster_set_connected(struct cluster *cluster, instance_id id, bool is_connected);
void cluster_set_attribute(struct cluster *cluster, instance_id id, symbol name, symbol value);
void cluster_remove_attribute(struct cluster *cluster, instance_id id, symbol name);
void cluster_set_running_tasks(struct cluster *cluster, instance_id id, uint32_t running_tasks);

/*
 * Overwrite what is left, for a snapshot whose remainingResources are authoritative. Ports replace
 * the occupied set; gpu_free_milli has the instance's gpu_count entries, or is NULL for all free.
 */
void cluster_set_remaining(struct cluster *cluster, instance_id id, int32_t cpu_units,
                           int32_t mem_mib, const uint16_t *tcp_ports, uint16_t tcp_port_count,
                           const uint16_t *udp_ports, uint16_t udp_port_count,
                           const uint16_t *gpu_free_milli);

/*
 * Charge and return a task's reservation. The demand must fit (asserted: nothing is overcommitted);
 * `grants` receives one entry per card used and needs room for GPU_DEVICES_MAX; returns how many.
 */
uint32_t cluster_reserve(struct cluster *cluster, instance_id id, const struct demand *demand,
                         struct gpu_grant *grants);
void cluster_release(struct cluster *cluster, instance_id id, const struct demand *demand,
                     const struct gpu_grant *grants, uint32_t grant_count);

/*
 * Charge a reservation as it was once granted, to rebuild a cluster from a store. False, and
 * nothing is changed, when it does not fit or the grants are not those of such a demand.
 */
bool cluster_restore_reservation(struct cluster *cluster, instance_id id,
                                 const struct demand *demand, const struct gpu_grant *grants,
                                 uint32_t grant_count);

/* True when CPU, memory, ports, ENI and GPUs of `demand` are free on the instance now. */
bool cluster_fits(const struct cluster *cluster, instance_id id, const struct demand *demand);

/* Task groups: a task joins when it is placed, and leaves when its desiredStatus falls (U2). */
group_id cluster_group(struct cluster *cluster, symbol name);            /* found or made */
group_id cluster_find_group(const struct cluster *cluster, symbol name); /* or GROUP_NONE */
symbol cluster_group_name(const struct cluster *cluster, group_id group);
void cluster_join(struct cluster *cluster, instance_id id, group_id group);
void cluster_leave(struct cluster *cluster, instance_id id, group_id group);
uint32_t instance_group_tasks(const struct instance *instance, group_id group);
uint32_t cluster_group_tasks(const struct cluster *cluster, group_id group);

static inline uint32_t cluster_group_tasks_on(const struct cluster *cluster, group_id group,
                                              instance_id id)
{
    const struct instance *instance = cluster_instance(cluster, id);
    bool may_have = instance->group_bits >> group % 64 & 1;
    return may_have ? instance_group_tasks(instance, group) : 0;
}

/*
 * What-if. Between begin and undo every change above is recorded; undo takes all of them back, the
 * last first, in time proportional to the changes. Journals nest as a stack. Adding instances or
 * groups inside a journal is not undone (numbers are never reused): do that before.
 */
typedef size_t cluster_mark;
cluster_mark cluster_journal_begin(struct cluster *cluster);
void cluster_journal_undo(struct cluster *cluster, cluster_mark mark);
void cluster_journal_keep(struct cluster *cluster, cluster_mark mark);

/* Assert every invariant of the derived figures; O(everything), for tests. */
void cluster_audit(const struct cluster *cluster);

#endif
