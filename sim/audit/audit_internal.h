/*
 * audit_internal.h -- the auditor's own books, shared by its parts.
 *
 *     audit.c      the observer: one step after the other     agents.c   containers and grants
 *     tasks.c      the life of a task                         phases.c   deadlines, steady, quiet
 *     hosts.c      instances: what is held, what may come     member.c   memberOf, read anew
 *     services.c   floors, ceilings, counts, throttles        deployments.c   and the launch rate
 *     tallies.c    what a service has
 */
#ifndef BERTH_SIM_AUDIT_AUDIT_INTERNAL_H
#define BERTH_SIM_AUDIT_AUDIT_INTERNAL_H

#include "scheduler/base/id_table.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/pool.h"
#include "sim/audit/audit.h"

#define SLOT_NONE UINT32_MAX

/* As its last change said; small, since a large run keeps a million of them. */
struct audit_task {
    task_id task;
    uint64_t revision;    /* of that change */
    uint64_t report_mark; /* of the last report about it; 0: none yet */
    const struct task_def *def;
    uint64_t deployment;
    berth_ns running_ns; /* when it was said to be RUNNING; BERTH_NS_NEVER: not yet */
    instance_id instance;
    service_id service;
    group_id group;
    uint32_t version;
    int32_t cpu_units, mem_mib;
    uint32_t gpu_milli;
    uint32_t rules;      /* constraint set, or SLOT_NONE: not known */
    uint32_t at;         /* in its service's list */
    uint32_t slot;       /* its own */
    uint8_t last_status; /* enum task_status */
    uint8_t stop_code;   /* enum stop_code */
    uint8_t health;      /* enum task_health */
    bool desired_running : 1, counts_as_healthy : 1, is_protected : 1;
    bool has_check : 1; /* an essential container of it has a health check */
    bool is_old : 1;    /* RUNNING for as long as makes one without checks healthy */
    bool is_live : 1;
    bool is_listed : 1; /* by its service, and counted there */
};

_Static_assert(sizeof(struct audit_task) == 96, "a line of the cache and a half");

struct audit_group { /* tasks of a group that are to run on an instance */
    group_id group;
    uint32_t tasks;
};

struct audit_attribute {
    char *name, *value; /* owned; value may be NULL */
};

struct audit_host { /* a container instance */
    bool is_known, is_connected, is_touched;
    enum instance_status status;
    int32_t cpu_units, mem_mib; /* registered */
    int32_t cpu_held, mem_held;
    uint32_t gpu_milli, gpu_held;
    VEC(uint32_t) ports; /* held: number * 2 + (1 for UDP), in any order */
    VEC(struct audit_group) groups;
    VEC(struct audit_attribute) attributes;
    berth_ns disturbed_ns; /* the last loss, return or change of connection */
};

struct audit_rules { /* a set of placement constraints */
    bool is_distinct;
    VEC(char *) expressions; /* owned */
};

struct audit_deployment {
    uint64_t number;
    uint64_t rolled_back_to;
    bool is_primary;
    bool has_completed; /* and not failed since */
    bool is_let_down;   /* a hook has failed it */
};

struct audit_move { /* of rebalancing, or scale-in */
    symbol zone;
    berth_ns at_ns;
};

struct audit_tally { /* of a service's tasks that are not STOPPED, by what they are said to be */
    uint32_t wanted; /* desiredStatus RUNNING; and of those: */
    uint32_t running, pending, healthy;
    uint32_t is_protected; /* of all */
};

struct audit_told { /* what is read of a deployment's change */
    uint64_t deployment, rolled_back_to;
    uint8_t rollout; /* enum rollout_state */
    uint8_t cause;   /* enum rollout_cause */
    bool is_primary;
};

struct audit_service {
    /* What every step reads stands together, up to `deployments`. */
    service_id id;
    bool is_rolling, is_external, has_targets, is_gone, is_touched;
    bool is_unmoved; /* its last change said what the one before had said */
    enum scheduling_strategy scheduling;
    int32_t minimum_percent, maximum_percent;
    struct service_view view;
    VEC(uint32_t) tasks; /* slots, not STOPPED */
    struct audit_tally tally;
    uint32_t primaries;                        /* of its deployments */
    struct audit_told told;                    /* the last: mostly the next says the same */
    uint32_t started, stopped_healthy;         /* in the step under way */
    uint32_t scaled_in, failures;              /* in it; in a row */
    uint64_t failing;                          /* the deployment whose failures those are */
    struct audit_move rebalanced, scaled_zone; /* the last of each */
    berth_ns undone_ns;                        /* the one that this step undoes */
    berth_ns upset_ns;                         /* when something gave a reason for moves */

    VEC(struct audit_deployment) deployments;
    char *name; /* owned */
    uint32_t rules;
    berth_ns failed_ns;            /* when the last start failed */
    berth_ns rate_ns, launched_ns; /* the minute's first launch, and the last one */
    uint32_t launches;             /* of that minute */
    bool has_launched, is_rate_lost;
    berth_ns ill_ns; /* when a copy was last known to be ill; 0: never */
};

struct audit_run { /* a task on a host */
    task_id task;
    const struct task_def *def;
    int32_t cpu_units, mem_mib;
    uint32_t gpu_milli;
    uint16_t alive, started, exited, succeeded, healthy; /* containers, a bit each */
};

/* A host of the fleet: a line of the cache, and one more of its runs for an event of a container.
 */
struct audit_slot {
    VEC(struct audit_run) runs;   /* by task: they mostly come in that order */
    int32_t cpu_alive, mem_alive; /* of tasks with a living container */
    uint32_t gpu_alive;
    instance_id instance;
    int32_t cpu_units, mem_mib; /* registered: a copy of the instance's, while it is known */
    uint32_t gpu_milli;
    bool is_known;
};

/* What is looked at ahead is asked for again soon. */
enum { AUDIT_RECENT = 8 };

struct audit_recent {
    task_id task;
    uint32_t place; /* its slot plus 1; 0: none */
};

struct audit_step {                  /* what its actions say as a whole */
    const struct task_view *changed; /* the first task; NULL: none */
    bool is_acknowledged;            /* the report that it is about */
};

struct audit_watch { /* a task that is to have moved on by then */
    task_id task;
    berth_ns since_ns;
};

struct audit_fifo {
    VEC(struct audit_watch) items;
    size_t first;
};

struct audit {
    const struct scenario *scenario;
    struct run_observer observer;
    struct audit_violation violation;
    bool is_violated;
    uint64_t checks[INVARIANT_COUNT];
    uint64_t fired[RULE_COUNT]; /* rules, of controllers that are no more */

    const struct controller *controller; /* of the step under way */
    berth_ns now_ns;
    const struct event *event;
    uint64_t revision, released_revision;
    bool knows_revision;

    struct pool tasks; /* struct audit_task, by slot */
    struct id_table task_at;
    struct audit_recent recent[AUDIT_RECENT]; /* by the last bits of the id */
    task_id newest_task;                      /* higher ids are new: not in the table */
    uint32_t live_tasks, live_most;

    VEC(struct audit_host) hosts; /* by instance */
    berth_ns upset_ns;            /* when one of them last changed */
    VEC(instance_id) touched_hosts;

    VEC(struct audit_service) services; /* in order of creation; a name may come again */
    VEC(uint32_t) service_at;           /* by id; SLOT_NONE: not known */
    VEC(uint32_t) touched_services;
    VEC(struct audit_rules) rules;
    uint32_t run_task_rules; /* of the step under way */

    VEC(struct audit_slot) slots; /* by host of the fleet */
    struct id_table runs_on;      /* the host of a task that runs or has run on one */

    struct audit_fifo pending, stopping, young;
    berth_ns pending_bound_ns, stopping_bound_ns;
    berth_ns steady_by_ns, quiet_from_ns;
    bool was_steady;
    bool has_stuck; /* a rollout that cannot end keeps old tasks, and their doings */
    berth_ns figures_ns;
};

/* Count a check; when it fails, note the violation unless there is one already. */
#define AUDIT_CHECK(audit, invariant, holds, ...) \
    ((audit)->checks[invariant]++,                \
     (holds) ? (void)0 : audit_violate((audit), (invariant), __VA_ARGS__))

void audit_violate(struct audit *audit, enum invariant invariant, const char *format, ...)
    BERTH_PRINTF(3, 4);

/* So much of what stands there is fetched into the cache. */
static inline void audit_prefetch(const void *from, size_t size)
{
    for (size_t at = 0; at < size; at += 64)
        __builtin_prefetch((const char *)from + at, 1);
}

static inline struct audit_task *task_at(const struct audit *audit, uint32_t slot)
{
    return (struct audit_task *)(void *)audit->tasks.pages[slot / POOL_PAGE] + slot % POOL_PAGE;
}

/* tasks.c */
void tasks_prefetch(struct audit *audit, task_id task); /* its record */
struct audit_task *audit_find_task(struct audit *audit, task_id task);
void tasks_changed(struct audit *audit, const struct change *change);
void tasks_message(struct audit *audit, const struct message *message,
                   const struct audit_step *step); /* before its changes are read */
void tasks_grow_old(struct audit *audit);          /* those that have run for long enough by now */
void tasks_reloaded(struct audit *audit, const struct controller *controller);

/* hosts.c */
/* Its record or, when that is there and it is near, what it points to. */
void hosts_prefetch(const struct audit *audit, instance_id instance, bool is_near);
/* Before the changes of the step are read: */
void hosts_event(struct audit *audit, const struct event *event);
void hosts_changed(struct audit *audit, const struct event *event, instance_id instance);
void hosts_replied(struct audit *audit, const struct event *event, const struct reply *reply);
struct audit_host *audit_find_host(struct audit *audit, instance_id instance);
/* It is being placed: may it be there? Then hosts_take charges it. */
void hosts_check_place(struct audit *audit, const struct audit_task *task);
void hosts_take(struct audit *audit, const struct audit_task *task);
void hosts_leave(struct audit *audit, const struct audit_task *task); /* not to run any more */
void hosts_free(struct audit *audit, const struct audit_task *task);
void hosts_check(struct audit *audit);
void hosts_clear(struct audit *audit); /* nothing is held */
void hosts_destroy(struct audit *audit);

/* services.c */
void services_prefetch(struct audit *audit, task_id task); /* the one it belongs to */
void services_event(struct audit *audit, const struct event *event,
                    const struct action_list *actions);
void services_changed(struct audit *audit, const struct change *change);
struct audit_service *audit_find_service(struct audit *audit, service_id service);
void services_stopped(struct audit *audit, const struct audit_task *task,
                      const struct task_view *now); /* its desiredStatus fell, or it ended */
void services_launched(struct audit *audit, const struct audit_task *task);
void services_running(struct audit *audit, const struct audit_task *task);
void services_check(struct audit *audit);
uint32_t rules_add(struct audit *audit, const struct placement_constraint_spec *items,
                   uint16_t count);
void services_reloaded(struct audit *audit, const struct controller *controller);
void services_destroy(struct audit *audit);

struct audit_service *services_touch(struct audit *audit, service_id id);

/* tallies.c */
void services_add_task(struct audit *audit, struct audit_task *task);
void services_drop_task(struct audit *audit, struct audit_task *task);
/* Out of its service's figures before it changes (-1), and into them when it has (+1). */
void services_count(struct audit *audit, const struct audit_task *task, int change);
/* What makes a task healthy has changed for all of them. */
void services_tally(struct audit *audit, struct audit_service *service);
bool task_is_healthy(const struct audit_service *service, const struct audit_task *task);

/* deployments.c */
void deployments_changed(struct audit *audit, const struct change *change);
void deployments_check(struct audit *audit, struct audit_service *service);
bool deployments_let_down(const struct audit_service *service);
void deployments_launched(struct audit *audit, struct audit_service *service);
void deployments_scaled_in(struct audit *audit, struct audit_service *service,
                           instance_id instance);
void deployments_event(struct audit *audit, const struct service_event *event);
void deployments_reloaded(struct audit *audit, struct audit_service *service,
                          const struct controller *controller);

/* agents.c */
void agents_prefetch(const struct audit *audit, uint32_t host, bool is_near);
void agents_stepped(struct audit *audit, uint32_t host, instance_id instance,
                    const struct agent *agent, const struct agent_event *event,
                    const struct agent_action_list *actions);
void agents_power(struct audit *audit, uint32_t host, enum host_power after);
void agents_reloaded(struct audit *audit); /* an instance's number may be another machine's */
void agents_destroy(struct audit *audit);

/* phases.c */
void phases_open(struct audit *audit);
void phases_watch(struct audit *audit, struct audit_fifo *fifo, task_id task);
void phases_before(struct audit *audit); /* a step at now_ns is about to be read */
void phases_after(struct audit *audit, const struct action_list *actions);
void phases_figures(struct audit *audit, const struct run_figures *figures);
void phases_end(struct audit *audit);

/* member.c: 1 holds, 0 does not, -1 is not read here. */
int member_of(const struct audit_host *host, const char *expression);

#endif
