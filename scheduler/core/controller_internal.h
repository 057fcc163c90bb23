/*
 * controller_internal.h -- the controller's state, shared by its parts and by nothing else.
 *
 * The parts, and beside them what the folder has that knows nothing of this state:
 *
 *     controller.c   create, step, queries      emit.c         actions
 *     instances.c    registration, agents       requests.c     what is around the cluster
 *     tasks.c        one task's life            stopped.c      those that have ended, for an hour
 *     run_task.c     RunTask, StopTask          waiting.c      who waits for room
 *     plans.c        compiled plans, interned   describe.c     ECS's sentences
 *
 *     services.c     commands, bookkeeping      settings.c     what a service is told
 *     reconcile.c    one pass, REPLICA          daemon.c       one pass, DAEMON
 *     deployments.c  a deployment's life        rollback.c     how one fails, and then
 *     sets.c         deployments side by side   task_sets.c    those of EXTERNAL services
 *     stages.c       blue/green and its kin     alarms.c       who is in ALARM
 *     targets.c      balancers, interfaces      health.c       what counts as healthy
 *     protect.c      scale-in protection        brake.c        mass disconnects
 *     rebalance.c    tasks moved between zones  replace.c      unhealthy ones
 *     rate.c         launches a minute         candidates.c   whom a rollout may stop
 *     autoscaling.c  desired counts by metric   autoscaling_records.c    its record
 *     capacity.c     capacity providers         capacity_tasks.c    who of them takes a task
 *     capacity_scaling.c  sizes of groups       quotas.c       calls by token buckets, sizes
 *
 *     ask.h          a RunTask call, resolved   what_if.c      asked, not done
 *
 *     records.c      state to text of records   load.c         and back
 *     audit.c        every invariant            rule.c         names of rules
 *
 *     loop.c         step, commit, release      commit.c       a step as a batch of writes
 *     held.c         effects that wait         message.c      what agents are told and tell
 *     names.c        ECS's words                transcript.c   events as lines; then also
 *     transcript_read.c  transcript_write.c  transcript_action.c  transcript_options.c
 *     transcript_outside.c  transcript_settings.c
 *
 * Nothing derived is stored in a record: counters, queues and indexes are computed again on load,
 * and nothing may depend on where in memory or in which slot a thing lies.
 */
#ifndef BERTH_SCHEDULER_CORE_CONTROLLER_INTERNAL_H
#define BERTH_SCHEDULER_CORE_CONTROLLER_INTERNAL_H

#include "scheduler/base/arena.h"
#include "scheduler/base/heap.h"
#include "scheduler/base/id_table.h"
#include "scheduler/base/map.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/pool.h"
#include "scheduler/core/controller.h"
#include "scheduler/policy/bucket.h"
#include "scheduler/policy/managed_scaling.h"
#include "scheduler/policy/quota.h"
#include "scheduler/policy/rollout.h"
#include "scheduler/policy/share.h"

/* A chain of strategies and constraints, compiled for one definition; shared and counted. */
struct plan {
    struct placement_plan *compiled; /* owned */
    const struct task_def *def;
    char *reference; /* owned: "family:revision", as most calls name the definition */
    enum placement_default when_empty;
    struct placement_strategy_spec *strategies;    /* owned, texts too */
    struct placement_constraint_spec *constraints; /* likewise */
    uint16_t strategy_count, constraint_count;
    uint64_t hash;
    uint32_t next;          /* in the chain of its hash */
    uint32_t users;         /* deployments and waiting classes; 0: may be forgotten */
    group_id default_group; /* "family:FAMILY"; GROUP_NONE until it is asked for */
    symbol started_by;      /* of the last call for it: nearly always the next one's too */
    bool has_member_of;     /* its verdict can change by what other tasks do */
};

enum { RECENT_PLANS = 256 }; /* a power of two */

/* The lists that a task can be in; a link each. */
enum task_list_kind {
    LIST_UNPLACED = 0, /* all that wait, or all whose machine is asked for */
    LIST_OWNER,        /* its deployment's; ascending id */
    LIST_QUEUE,        /* its waiting class's; RUNNING: what time alone will move on, or the ill */
    LIST_COUNT
};

struct task;

struct task_link {
    struct task *prev, *next;
};

struct task_list {
    struct task *first, *last;
    uint32_t count;
};

/* An instance's tasks: by id, so that coming and going touches no other task. */
struct task_ids {
    task_id *items; /* owned; ascending */
    uint32_t count, capacity;
};

struct deployment;

/*
 * A hundred thousand live at once, far beyond the caches: a line that is not touched is time not
 * spent. A change of a task by itself touches the first three lines, of its links the owner's; what
 * waiting, services, GPUs and Fargate alone need stands in the two behind.
 */
struct task {
    /* The first two lines: what every change tells of. */
    _Alignas(64) task_id id;
    const struct task_def *def;
    uint64_t reference;
    berth_ns requested_mono_ns;
    berth_ns created_wall_ns;
    berth_ns pull_started_ns, pull_stopped_ns, started_ns; /* wall; 0 */
    berth_ns stopping_ns, stopped_ns;                      /* likewise */
    service_id service;
    group_id group;
    instance_id instance;
    uint32_t version;
    int32_t cpu_units, mem_mib;
    int32_t exit_code;
    symbol stop_text;
    symbol provider; /* SYMBOL_NONE: launch type */
    /* Bytes: five enums would be a third of a line. */
    enum task_status status : 8;
    enum stop_code stop_code : 8;
    enum stop_reason stop_reason : 8;
    enum placement_verdict verdict : 8;
    uint8_t health;       /* enum task_health of its containers, as its agent said last */
    uint8_t told_health;  /* enum task_health in its last change */
    uint8_t target_count; /* 0: none, or not registered yet */
    bool desired_running : 1;
    bool is_healthy : 1;   /* RUNNING: it counts towards the floor (health.c) */
    bool is_unhealthy : 1; /* RUNNING: a check says so, and the grace period is over */
    bool is_draining : 1;  /* its instance is; kept for service tasks */
    bool overrides_gpus : 1;
    symbol started_by;
    /* The third: what moves it on. */
    struct deployment *deployment; /* NULL: standalone, or its service is gone */
    uint64_t deployment_number;    /* 0: standalone */
    uint64_t seq;                  /* of the payload that told its desired status; 0: none */
    uint64_t report_seq;           /* of its agent's newest report that was taken; 0: none */
    uint64_t revision;             /* of its last change */
    berth_ns running_mono_ns;      /* when it was seen RUNNING; BERTH_NS_NEVER before */
    berth_ns protected_until_ns;   /* monotonic; BERTH_NS_NEVER: not protected from scale-in */
    uint32_t slot;                 /* in controller.pool */
    uint16_t targets;              /* enum target_state of each target group (targets.c) */
    uint8_t gpu_count, grant_count;
    /* The others. What has an instance waits for none. */
    union {
        struct task_link links[LIST_COUNT];
        struct {
            const struct gpu_grant *grants; /* interned */
            const symbol *target_groups;    /* interned; from its registration on */
        }; /* in the place of the link of LIST_UNPLACED, which is cleared on removal */
    };
    const struct gpu_request *gpus; /* interned */
    symbol zone;                    /* where Fargate was asked for its machine */
    uint32_t wait_class;            /* while it waits */
};

_Static_assert(sizeof(struct task) == 256, "four cache lines");
_Static_assert(LIST_UNPLACED == 0, "its link is the one that is shared");

/* A deployment's tasks with desiredStatus RUNNING, by what a rollout asks of them. */
struct tally {
    uint32_t pending; /* not RUNNING yet */
    uint32_t young;   /* RUNNING; not healthy yet, not unhealthy */
    uint32_t healthy, unhealthy;
};

struct service;
struct scaling; /* autoscaling.h */

/* One item of a deployment's capacityProviderStrategy. */
struct provider_item {
    symbol provider;
    uint32_t weight, base;
    uint32_t count; /* the deployment's tasks there with desiredStatus RUNNING */
};

/* A hook that was called in the present stage. */
struct hook_run {
    symbol name;
    uint64_t call;        /* of the last invocation: its answer names it */
    berth_ns again_ns;    /* it said IN_PROGRESS: invoked again then; else BERTH_NS_NEVER */
    berth_ns deadline_ns; /* time-out */
    bool is_pause, continues, is_done;
};

/* Traffic of a listener that goes to green. */
struct listener {
    uint32_t permille; /* in force */
    uint32_t asked;
    bool is_pending; /* `asked` was not answered yet */
};

/* Where a blue/green, linear or canary deployment stands (stages.c). */
struct staging {
    bool is_active;
    bool is_reversing; /* rolled back: traffic returns to blue, then this one goes */
    enum deployment_stage stage;
    uint32_t step;     /* of the production shift, from 0 */
    uint64_t blue;     /* number of the deployment that served before; 0: none */
    berth_ns since_ns; /* the stage began; BERTH_NS_NEVER: it goes by no stages */
    uint64_t calls;
    struct listener listeners[2]; /* production, test */
    struct hook_run runs[HOOKS_MAX];
    uint16_t run_count;
};

/*
 * One service revision and what became of it. Live ones are in service.deployments; the others are
 * history, and what a rollback can go back to.
 */
struct deployment {
    /* What every pass reads stands together, up to the head of `staging`. */
    struct service *service;
    const struct task_def *def;  /* the service revision never changes, nor its target groups */
    struct task_list tasks;      /* all not STOPPED */
    struct task_list young;      /* RUNNING, and time alone will change their health; by age */
    struct tally tally[2];       /* [1]: those on draining instances */
    uint32_t stopping;           /* told to stop, not STOPPED yet */
    uint32_t failures;           /* starts failed in a row: for the throttle */
    berth_ns throttled_until_ns; /* monotonic; 0: not */
    berth_ns bake_until_ns;      /* monotonic; BERTH_NS_NEVER: it does not bake yet */
    enum rollout_state rollout;
    enum service_deployment_status status;
    enum rollout_cause cause;
    uint32_t failed_count; /* as the circuit breaker counts */
    uint64_t number;       /* ecs-svc/NUMBER */
    uint64_t record_revision;
    struct plan *plan;                   /* one user; of the service's settings, like providers */
    VEC(struct provider_item) providers; /* none: launch type EC2 */
    uint16_t target_group_count;
    bool is_live;
    bool ignores_alarms;            /* one of them was in ALARM when it began */
    bool is_record_dirty;           /* something outside the view has changed */
    bool keeps_candidates;          /* candidates.c: a rollout stops its tasks */
    struct deployment_view emitted; /* what the last change said, and when */
    struct staging staging;
    VEC(struct victim) candidates;

    symbol target_groups[TARGET_GROUPS_MAX];
    uint64_t source;         /* number of the PRIMARY before it; 0: the first */
    berth_ns matured_ns;     /* when a task last became old enough; BERTH_NS_NEVER: none yet */
    uint64_t rolls_back;     /* started again in place of this one; 0: not */
    uint64_t rolled_back_to; /* it failed, and this one was started again; 0: none */
    berth_ns unplaced_ns;    /* when finding no room was last counted; BERTH_NS_NEVER */
    berth_ns created_wall_ns;
    uint32_t scale_permille;    /* of a task set */
    struct task_list unhealthy; /* tally[].unhealthy, by id */
};

/* DAEMON only. One entry per instance ever registered; grown on demand. */
struct daemon_seat {
    struct task *task; /* the copy that lives there, told to stop or not */
    bool is_wanted;    /* counted in desiredCount */
    bool is_blocked;   /* wanted, but found no room */
    bool is_queued;    /* in `checks` */
};

struct daemon {
    VEC(struct daemon_seat) seats;
    VEC(instance_id) checks; /* seats to look at in the next pass */
    uint32_t wanted_count, blocked_count;
};

struct rebalance_zone {
    symbol zone;
    uint32_t value; /* of TRACKED_ZONE */
};

/* Availability zone rebalancing of a service. */
struct rebalance {
    bool is_enabled;   /* availabilityZoneRebalancing */
    bool is_under_way; /* told as started; neither completed nor stopped since */
    bool is_blocked;   /* in controller.unbalanced: no zone takes, or none may give, a task */
    task_id mover;     /* started in an emptier zone, not healthy yet; TASK_NONE */
    /* Zones with an eligible ACTIVE instance, by name: kept until the fleet or the plan changes. */
    VEC(struct rebalance_zone) zones;
    uint64_t fleet_version;
    struct plan *plan; /* one user */
};

struct placement_specs {
    struct placement_strategy_spec *strategies;    /* owned */
    struct placement_constraint_spec *constraints; /* owned */
    uint16_t strategy_count, constraint_count;
};

/* So many live deployments stand in the service's own record. */
enum { SERVICE_FEW = 2 };

struct service {
    /* What every pass reads stands together, up to the breaker of its settings. */
    _Alignas(64) service_id id;
    symbol name;
    group_id group;
    enum scheduling_strategy scheduling;
    enum deployment_controller controller;
    uint32_t desired_count; /* DAEMON: computed */
    uint32_t minimum_percent, maximum_percent;
    VEC(struct deployment *) deployments; /* live ones; [0] is PRIMARY, then those before it */
    struct deployment *few[SERVICE_FEW];  /* where those are while they are no more */
    struct deployment *green;             /* of them: goes by stages; NULL: none */
    uint32_t protected_count;             /* of its tasks with desiredStatus RUNNING */
    uint32_t told;                        /* bits of event kinds: told, and the cause stands */
    berth_ns blocked_since_ns;            /* a task found no room; BERTH_NS_NEVER: none */
    berth_ns deadline_ns;
    uint64_t launches;           /* tasks ever started: the next one's reference */
    struct bucket launch_bucket; /* what the launch rate leaves */
    bool is_dirty;               /* queued for a pass */
    bool is_record_dirty;        /* something outside the view has changed */
    bool is_new;                 /* no change has told of it yet */
    uint8_t weighted;            /* listeners with weights: bits, 1 production, 2 test */
    uint8_t clearing;            /* those that were asked to have none, not answered yet */
    uint64_t revision;
    struct service_view emitted; /* what the last change said */
    struct rebalance rebalance;
    struct deployment_settings settings; /* its arrays are owned, its texts are symbols */

    berth_ns grace_ns;                          /* healthCheckGracePeriodSeconds */
    berth_ns told_ns[SERVICE_EVENT_KIND_COUNT]; /* of those in `told`, when */
    struct placement_specs specs;               /* EXTERNAL: of its task sets; texts are symbols */
    uint64_t primary_task_set;                  /* EXTERNAL: 0: none yet */
    VEC(struct deployment *) revisions; /* owned: all that are remembered, ascending numbers */
    berth_ns created_wall_ns;
    struct daemon daemon;
};

/* An instance of a group, or a Fargate machine, on its way out. */
enum host_leave {
    HOST_STAYS = 0,
    HOST_DRAINS,  /* managed draining: terminated when its last task has ended */
    HOST_IS_ASKED /* its termination was asked for */
};

/* What the controller keeps of an instance beside the cluster's own. */
struct host {
    struct task_ids tasks; /* all that hold a reservation */
    uint64_t revision;
    uint64_t last_seq; /* of payloads and manifests to its agent */
    berth_ns lost_ns;  /* when its tasks are declared lost; BERTH_NS_NEVER */
    bool is_held;      /* that time has come, but the brake is on */
    uint32_t running;  /* lastStatus RUNNING */
    uint32_t ordinary; /* tasks here that are not a daemon's */
    enum host_leave leave;
    berth_ns leave_by_ns;    /* HOST_DRAINS: terminated then at the latest; else NEVER */
    uint32_t provider_place; /* in its provider's list of instances */
    bool is_touched;
};

struct group_state {
    struct rng stream;
    uint64_t revision;
    uint64_t emitted_counter; /* of the stream, in the last change */
    bool exists;
};

/* Waiting tasks that ask for the same: if one finds no room, none does. */
struct wait_class {
    struct plan *plan; /* one user; NULL: a free slot */
    symbol pool;       /* only instances of this provider; SYMBOL_NONE: of any */
    const struct gpu_request *gpus;
    struct task_list tasks; /* in order of creation */
    group_id group;
    int32_t cpu_units, mem_mib;
    uint16_t gpu_count;
    uint64_t hash;
    uint32_t next; /* in the chain of its hash, or of free slots */
};

struct wait_need { /* apart from the class: scanned for every piece of capacity that appears */
    int32_t cpu_units, mem_mib;
};

struct waiting {
    VEC(struct wait_class) classes;
    VEC(struct wait_need) needs; /* by class; a free slot asks for more than there can be */
    struct map by_hash;
    uint32_t free_slot;     /* chain through `next` */
    struct task_list tasks; /* all, in order of creation */
    struct heap candidates; /* of the pass under way, by oldest task */
};

/* Targets registered or given up in this step, for the event of the service's next pass. */
struct target_note {
    service_id service;
    uint64_t deployment;
    symbol target_group; /* SYMBOL_NONE: of draining tasks */
    enum service_event_kind kind;
    uint32_t count;
};

struct def_record {
    const struct task_def *def;
    uint64_t revision; /* of its last change */
};

/* A zone of Fargate, and how many tasks of each group are wanted there. */
struct provider_zone {
    symbol name;
    struct map tasks; /* by group */
};

struct provider {
    symbol name;
    enum provider_kind kind;
    struct scaling_bounds bounds;
    berth_ns warm_up_ns;
    bool is_managed, protects, drains;
    uint32_t default_place; /* in the cluster's default strategy, from 1; 0: not in it */
    uint32_t default_weight, default_base;
    uint64_t revision;
    /* The group, as it told last. */
    bool is_told;
    uint32_t in_service, launching, minimum, maximum;
    /* Managed scaling. */
    uint32_t wanted;        /* of a resize that was not answered yet; 0: none */
    berth_ns created_ns;    /* its minutes begin here */
    berth_ns tick_ns;       /* the next datapoint; NEVER: nothing could come of it */
    berth_ns newest_ns;     /* when in_service last rose; NEVER: not since it is known */
    berth_ns scaled_out_ns; /* NEVER: not yet */
    berth_ns low_since_ns;  /* the first of the datapoints in a row that ask for less; NEVER */
    uint64_t reservation_milli;
    /* Derived. */
    VEC(instance_id) instances; /* registered and not INACTIVE; in no order */
    VEC(struct provider_zone) zones;
    uint32_t busy;    /* instances that stay, with a task that is not a daemon's */
    uint32_t leaving; /* instances that do not stay */
    uint32_t waiting; /* tasks in PROVISIONING for an instance of it */
    bool is_dirty;    /* to be looked at when the step ends */
    bool is_changed;  /* and to be told of */
};

struct interned {
    void *bytes; /* owned */
    size_t size_bytes;
    uint32_t next;
};

#define STOPPED_FLAG 0x80000000u /* in controller.tasks: of a task in the ring of stopped.c */

struct stopped_task;
struct stopped_block;

struct stopped {                   /* stopped.c */
    struct stopped_block **blocks; /* owned: a ring, each at its number's remainder */
    uint32_t capacity;             /* a power of two, or 0 */
    uint32_t count;                /* of tasks */
    uint64_t first, next;          /* places: of the first to end, and where the next will go */
    berth_ns deadline_ns;          /* when the first has been kept for long enough, or NEVER */
    struct stopped_task *loaded;   /* owned, while a controller is loaded: not in order yet */
    size_t loaded_count, loaded_capacity;
};

struct controller {
    struct controller_options options; /* texts owned */
    struct symbols *symbols;
    struct cluster *cluster;
    struct task_def_registry *task_defs;

    uint64_t revision, last_task, last_deployment;
    struct bucket api_buckets[API_CATEGORY_COUNT]; /* in the controller's own record */
    uint64_t rules[RULE_COUNT]; /* how often each has fired; no part of the state */

    /* The step under way. */
    struct step_time now;
    struct action_list *out;
    struct arena arena;
    bool needs_own_record; /* a counter can no longer be read off the other records */

    struct pool pool;      /* of tasks; they never move */
    struct id_table tasks; /* every live task's slot; of one that has stopped: STOPPED_FLAG */
    struct stopped past;

    VEC(struct host) hosts; /* by instance */
    struct heap host_deadlines;
    struct heap held;        /* hosts that the brake keeps from being declared lost */
    uint32_t active_count;   /* instances that are ACTIVE */
    uint32_t missing_count;  /* those of them whose lost_ns runs */
    struct heap protections; /* tasks by slot, by the end of their protection */

    VEC(struct service *) services; /* owned; by id; NULL: gone */
    VEC(symbol) service_names;      /* by id, also of those gone */
    struct map service_by_name;     /* symbol to id */
    struct heap service_deadlines;
    VEC(struct scaling *) scalings; /* owned; by service; NULL: it has no auto scaling */
    struct heap scaling_deadlines;  /* of scheduled actions, by service */
    VEC(service_id) dirty;
    VEC(service_id) blocked;    /* replica services that lack room */
    VEC(service_id) unbalanced; /* rebalance.is_blocked */
    VEC(service_id) daemons;
    uint64_t fleet_version; /* rises when an instance comes, goes or changes its status */

    VEC(struct group_state) groups; /* by group */
    VEC(symbol) alarms;             /* in ALARM, by text */

    VEC(struct plan *) plans;
    struct map plan_by_hash;
    uint32_t unused_plans;
    struct plan *recent_plans[RECENT_PLANS]; /* of RunTask, each by the hash of its reference */
    struct text key;                         /* scratch */

    VEC(struct provider) providers; /* by name */
    struct heap leave_deadlines;    /* by instance */
    struct task_list machines;      /* tasks whose Fargate machine was asked for */
    uint32_t provisioning;          /* waiting tasks of all providers: at most 500 */
    bool is_capacity_dirty;

    struct waiting waiting;
    VEC(instance_id) touched; /* where capacity appeared in this step */
    uint64_t touches;         /* calls of touch() that had an effect */
    uint32_t watchful;        /* waiting classes and blocked services with member_of */

    VEC(struct interned) interned;
    struct map interned_by_hash;

    VEC(struct def_record) def_records; /* in order of registration */

    VEC(struct target_note) target_notes; /* of the step */
    VEC(task_id) started, stopped;        /* scratch of a pass */
    VEC(struct victim) victims;
    VEC(struct task *) victim_tasks;
};

/* A rule has decided something (rule.h). */
static inline void rule_fired(struct controller *controller, enum rule rule)
{
    controller->rules[rule]++;
}

/* emit.c */
struct request *emit_request(struct controller *controller, enum request_kind kind,
                             service_id service, uint64_t deployment); /* to be filled in */
void emit_task(struct controller *controller, struct task *task, enum task_status previous,
               bool was_desired);
void emit_task_gone(struct controller *controller, const struct task_view *task);
void emit_service(struct controller *controller, struct service *service,
                  const struct service_view *view); /* as it is now */
void emit_service_gone(struct controller *controller, const struct service *service);
void emit_instance(struct controller *controller, instance_id id);
void emit_group(struct controller *controller, group_id group);
void emit_provider(struct controller *controller, struct provider *provider);
void emit_provider_gone(struct controller *controller, const struct provider *provider);
void emit_task_def(struct controller *controller, const struct task_def *def);
void emit_controller(struct controller *controller);
void emit_scaling(struct controller *controller, const struct scaling_view *view, bool is_deleted,
                  uint64_t *revision); /* *revision: what the change got */
void emit_event(struct controller *controller, const struct service_event *event);
void emit_payload(struct controller *controller, const struct task *task, uint64_t seq);
struct message *emit_message(struct controller *controller, enum message_kind kind,
                             instance_id instance, uint64_t seq); /* its `u` is to be filled in */
/* The reply to fill in, or NULL when none is wanted. */
struct reply *emit_reply(struct controller *controller, const struct event *event);
void emit_refusal(struct controller *controller, const struct event *event,
                  enum reply_status status, const char *format, ...) BERTH_PRINTF(4, 5);
void task_view_of(const struct task *task, enum task_status previous, bool was_desired,
                  struct task_view *out);
struct service_view service_view_of(const struct service *service);
void emit_deployment(struct controller *controller, struct deployment *deployment,
                     const struct deployment_view *view); /* likewise */
void emit_deployment_gone(struct controller *controller, const struct deployment *deployment);

/* deployments.c */
/* In its place among the revisions; it has no plan yet and is not live. */
struct deployment *deployment_new(struct service *service, uint64_t number);
void deployment_free(struct controller *controller, struct deployment *deployment);
struct deployment *deployment_find(const struct service *service, uint64_t number);
struct deployment_view deployment_view_of(const struct deployment *deployment);
/* With the next number, under way, but neither live nor PRIMARY yet. */
struct deployment *deployment_create(struct controller *controller, struct service *service,
                                     struct plan *plan, const char *const *target_groups,
                                     uint16_t target_group_count);
berth_ns deployment_bake_ns(const struct service *service);
/* A new PRIMARY from now on; the one before becomes ACTIVE and is drained like any old one. */
struct deployment *deployment_start(struct controller *controller, struct service *service,
                                    struct plan *plan, const char *const *target_groups,
                                    uint16_t target_group_count);
/* Something about it has changed: told at the end of the pass, or now when it is not live. */
void deployment_changed(struct controller *controller, struct deployment *deployment);
/* It becomes PRIMARY: the first of its service's live deployments. */
void deployment_make_primary(struct controller *controller, struct deployment *deployment);
/* It was started again in place of another one, which learns how that ended. */
void deployment_end_rollback(struct controller *controller, struct deployment *deployment,
                             enum service_deployment_status status);
/* Old ones that have no task any more end. */
void deployments_retire(struct controller *controller, struct service *service);
/* At the end of a pass: old ones that have no task end, PRIMARY completes, changes are told. */
void deployments_settle(struct controller *controller, struct service *service);

/* rollback.c */
/*
 * One task of it failed: it did not start, was replaced for its health, or exited before it was
 * ever healthy. And: one of its tasks has become healthy.
 */
enum deployment_failure { FAILED_TO_START = 0, FAILED_HEALTH, FAILED_BEFORE_HEALTHY };
void deployment_task_failed(struct controller *controller, struct deployment *deployment,
                            enum deployment_failure cause);
void deployment_task_healthy(struct controller *controller, struct deployment *deployment);
void deployment_unplaced(struct controller *controller, struct deployment *deployment);
uint32_t deployment_threshold(const struct deployment *deployment); /* 0: the breaker is off */
void deployment_fail(struct controller *controller, struct deployment *deployment,
                     enum rollout_cause cause, bool rolls_back);
void deployment_judge(struct controller *controller, struct service *service); /* the breaker */
void deployment_stop(struct controller *controller, const struct event *event);

/* alarms.c */
void alarm_answered(struct controller *controller, const struct answer *answer);
void alarm_set(struct controller *controller, const char *name); /* it is not in ALARM yet */
bool alarms_are_on(const struct controller *controller, const struct deployment_settings *settings);

/* stages.c: blue/green, linear, canary */
bool stages_are_meant(const struct service *service, const struct deployment *deployment);
void stages_begin(struct controller *controller, struct deployment *green);
void stages_cut(struct controller *controller, struct deployment *green);
void stages_clear_weights(struct controller *controller, struct service *service);
void stages_reverse(struct controller *controller, struct deployment *green);
/* It goes by stages from now on, or not any more. */
void stages_set_active(struct deployment *deployment, bool is_active);
/* The deployment under way, and the one that served before; NULL: none. */
static inline struct deployment *stages_green(const struct service *service)
{
    return service->green;
}
struct deployment *stages_blue(const struct service *service, const struct deployment *green);
void stages_pass(struct controller *controller, struct service *service);
berth_ns stages_deadline(const struct service *service);
void stages_hook_answered(struct controller *controller, const struct answer *answer);
void stages_traffic_answered(struct controller *controller, const struct answer *answer);
void stages_continue(struct controller *controller, const struct event *event);
void stages_resumed(struct controller *controller);

/* sets.c */
bool sets_are_meant(const struct service *service);
bool sets_are_calm(const struct service *service); /* only time can change something */
void reconcile_sets(struct controller *controller, struct service *service);
uint32_t deployment_wanted(const struct deployment *deployment); /* tasks that it should have */

/* task_sets.c */
void task_set_create(struct controller *controller, const struct event *event);
void task_set_update(struct controller *controller, const struct event *event);
void task_set_make_primary(struct controller *controller, const struct event *event);
void task_set_delete(struct controller *controller, const struct event *event);
uint32_t task_set_count(const struct deployment *set); /* computedDesiredCount */
bool task_sets_are_stable(const struct service *service);
void task_set_settle(struct controller *controller, struct deployment *set);

/* settings.c */
void settings_copy(struct controller *controller, struct deployment_settings *to,
                   const struct deployment_settings *from);
void settings_free(struct deployment_settings *settings);
void specs_set(struct controller *controller, struct placement_specs *specs,
               const struct event_service *wanted);
void specs_free(struct placement_specs *specs);

/* tasks.c */
void task_list_append(struct task_list *list, struct task *task, enum task_list_kind kind);
/* In order of age or of id; from the end, where it nearly always belongs. */
void task_list_insert_by_age(struct task_list *list, struct task *task, enum task_list_kind kind);
void task_list_insert(struct task_list *list, struct task *task, enum task_list_kind kind);
void task_list_remove(struct task_list *list, struct task *task, enum task_list_kind kind);
void task_ids_add(struct task_ids *ids, task_id id);
void task_ids_remove(struct task_ids *ids, task_id id); /* it must be there */
struct task *task_find(const struct controller *controller, task_id id);
/* The live task with the least id greater than `after`, or NULL: TASK_NONE gives the first. */
struct task *task_after(const struct controller *controller, task_id after);
/* The tasks of an instance in ascending order of their ids; `at` counts. */
static inline struct task *host_task(const struct controller *controller, const struct host *host,
                                     uint32_t at)
{
    return task_find(controller, host->tasks.items[at]);
}
struct task *task_alloc(struct controller *controller, task_id id); /* zeroed but for its slot */
void task_free(struct controller *controller, struct task *task);
struct demand task_demand(const struct task *task);
void task_place(struct controller *controller, struct task *task, instance_id instance);
void task_attached(struct controller *controller, struct task *task); /* its interface is there */
/* Its agent runs it: RUNNING, or ACTIVATING until its targets are registered. */
void task_started(struct controller *controller, struct task *task);
void task_running(struct controller *controller, struct task *task);
/*
 * desiredStatus falls: DEACTIVATING while targets drain, then STOPPING; a task that is not placed
 * ends at once. Calm when it has fallen already.
 */
void task_stop(struct controller *controller, struct task *task, enum stop_code code,
               enum stop_reason reason);
void task_drained(struct controller *controller, struct task *task); /* STOPPING: agent is told */
/* Its agent has no container of it any more: DEPROVISIONING, or STOPPED. */
void task_exited(struct controller *controller, struct task *task, enum stop_code code,
                 enum stop_reason reason);
/*
 * lastStatus STOPPED: released and forgotten; `task` is gone. Codes given before stay. Targets and
 * interface are given up without waiting for an answer.
 */
void task_end(struct controller *controller, struct task *task, enum stop_code code,
              enum stop_reason reason);
const void *intern_bytes(struct controller *controller, const void *bytes, size_t size_bytes);

/* health.c */
void figures_count(struct task *task); /* not for a task without a deployment */
void figures_uncount(struct task *task);
/* Add a task to its deployment's figures. */
static inline void task_count(struct task *task)
{
    if (task->deployment != NULL && task->status != TASK_STOPPED)
        figures_count(task);
}
/* And take it away, before anything about it changes. */
static inline void task_uncount(struct task *task)
{
    if (task->deployment != NULL && task->status != TASK_STOPPED)
        figures_uncount(task);
}
/* Figure out what a RUNNING task's health is now; it must not be counted meanwhile. */
void task_assess(struct controller *controller, struct task *task);
/* The same on load, for which stored figures stand in for what is past. */
void task_settle_health(struct task *task);
/* A report of its agent. */
void task_set_health(struct controller *controller, struct task *task, enum task_health health);
/* Over containers and targets, as watchers are told. */
static inline enum task_health task_health_of(const struct task *task)
{
    if (task->status != TASK_RUNNING || !task->desired_running)
        return (enum task_health)task->health;
    if (task->is_unhealthy || task->health == HEALTH_UNHEALTHY)
        return HEALTH_UNHEALTHY;
    if (task->target_count == 0)
        return (enum task_health)task->health;
    return task->is_healthy ? HEALTH_HEALTHY : HEALTH_UNKNOWN;
}
/* Who goes first when fewer are wanted (U5): bad health counts within the grace period too. */
enum victim_class task_victim_class(const struct task *task);
struct victim task_as_victim(const struct task *task); /* as placement chooses among them */
/* What has become healthy by its age, or unhealthy since its grace period is over. */
void deployment_mature(struct controller *controller, struct deployment *deployment);
berth_ns deployment_matures_at(const struct deployment *deployment); /* or BERTH_NS_NEVER */
bool is_healthy_by_age(const struct deployment *deployment); /* neither load balancer nor check */

/* targets.c */
enum target_state target_state_of(const struct task *task, uint32_t at);
bool targets_are_all(const struct task *task, enum target_state state);
bool targets_have_any(const struct task *task, enum target_state state);
void targets_set(struct controller *controller, struct task *task, const symbol *groups,
                 const enum target_state *states, uint32_t count);
void targets_adopt(struct controller *controller, struct task *task); /* its deployment's groups */
symbol targets_first_unhealthy(const struct task *task); /* target group; or SYMBOL_NONE */
bool targets_are_left(const struct task *task);          /* DRAINING, when it ended */
void targets_drain(struct task *task);                   /* every one is DRAINING from now on */
void targets_register(struct controller *controller, struct task *task);
void targets_deregister(struct controller *controller, struct task *task);
void targets_answer(struct controller *controller, const struct answer *answer);
void targets_resume(struct controller *controller);
/* What a checked target did to its task, told when it is unhealthy. */
void targets_tell_unhealthy(struct controller *controller, const struct task *task);
/* Events of what was registered or given up for a service, in its pass; others are dropped. */
void targets_tell(struct controller *controller, const struct service *service,
                  enum service_event_kind kind);
void interface_request(struct controller *controller, const struct task *task,
                       enum request_kind kind);
void interface_answer(struct controller *controller, const struct answer *answer);

/* instances.c */
void instances_register(struct controller *controller, const struct event *event);
void instances_deregister(struct controller *controller, const struct event *event);
void instances_update_state(struct controller *controller, const struct event *event);
void instances_connected(struct controller *controller, const struct event *event);
void instances_disconnected(struct controller *controller, const struct event *event);
void instances_message(struct controller *controller, const struct event *event);
void instances_timer(struct controller *controller);
struct host *host_grow(struct controller *controller, instance_id id);
static inline struct host *host_of(struct controller *controller, instance_id id)
{
    return id < controller->hosts.count ? &controller->hosts.items[id] : host_grow(controller, id);
}
void host_set_running(struct controller *controller, instance_id id, uint32_t running);
void instance_drain(struct controller *controller, instance_id id); /* ACTIVE: DRAINING from now */

/* brake.c */
void brake_count(struct controller *controller, instance_id id);   /* add it to the figures */
void brake_uncount(struct controller *controller, instance_id id); /* before it changes */
bool brake_is_on(const struct controller *controller);
void brake_hold(struct controller *controller, instance_id id);
/* Let go of those held before the step, when the share has fallen. */
void brake_settle(struct controller *controller);

/* protect.c */
void protection_update(struct controller *controller, const struct event *event);
void protection_set(struct controller *controller, struct task *task, berth_ns until_ns);
void protection_timer(struct controller *controller);
static inline bool task_is_protected(const struct task *task)
{
    return task->protected_until_ns != BERTH_NS_NEVER;
}

/* rebalance.c */
enum berth_err rebalance_check(const struct event_service *wanted, bool is_daemon,
                               uint32_t maximum_percent, struct berth_error *err) BERTH_MUST_CHECK;
void rebalance_set_enabled(struct service *service, int32_t wanted); /* none said: ENABLED */
/* Before a pass: an interrupted move ends, a finished one stops a task in the fullest zone. */
void rebalance_continue(struct controller *controller, struct service *service);
/* After a pass that left the service settled: the next move. True when a task was started; else
 *deadline_ns is when to ask again. */
bool rebalance_begin(struct controller *controller, struct service *service, berth_ns *deadline_ns);
void rebalance_set_blocked(struct controller *controller, struct service *service, bool is_blocked);
/* An instance came, went or changed its status. */
void rebalance_fleet_changed(struct controller *controller, instance_id id);
void rebalance_wake(struct controller *controller); /* blocked services, for touched instances */

/* rate.c: the launch rate of a service */
uint32_t rate_left(const struct controller *controller, const struct service *service);
uint32_t rate_grant(const struct controller *controller, const struct service *service,
                    uint32_t wanted); /* so many of them it leaves */
void rate_take(struct controller *controller, struct service *service); /* one launch */
berth_ns rate_next_ns(const struct controller *controller, const struct service *service);
/* Tokens have come back since a pass found none: true once. */
bool rate_refilled(const struct controller *controller, struct service *service);

/* run_task.c */
void run_task(struct controller *controller, const struct event *event);
void stop_task(struct controller *controller, const struct event *event);
struct placement_request task_request(struct controller *controller, const struct plan *plan,
                                      group_id group, const struct demand *demand);
group_id group_ensure(struct controller *controller, const char *name);
void group_settle(struct controller *controller, group_id group); /* emit it if it drew */

/* waiting.c */
uint32_t waiting_class(struct controller *controller, struct plan *plan, group_id group,
                       symbol pool, const struct demand *demand); /* found or made */
uint32_t waiting_find(const struct controller *controller, const struct plan *plan, group_id group,
                      symbol pool, const struct demand *demand); /* UINT32_MAX when none waits */
void waiting_add(struct controller *controller, struct task *task, uint32_t wait_class);
void waiting_remove(struct controller *controller, struct task *task);
/* All marked services, then whoever lacks room, where capacity appeared. */
void waiting_pass(struct controller *controller);
void waiting_timer(struct controller *controller);
static inline berth_ns waiting_deadline(const struct controller *controller)
{
    berth_ns give_up_ns = controller->options.waiting_give_up_ns;
    const struct task *oldest = controller->waiting.tasks.first;
    if (oldest == NULL || give_up_ns == BERTH_NS_NEVER)
        return BERTH_NS_NEVER;
    return oldest->requested_mono_ns + give_up_ns;
}
void waiting_free(struct controller *controller);
/* Capacity appeared here, or something that an expression can see has changed. */
void touch(struct controller *controller, instance_id id);
void touch_watched(struct controller *controller, instance_id id);

/* capacity.c */
void capacity_command(struct controller *controller, const struct event *event);
struct provider *provider_new(struct controller *controller, symbol name, enum provider_kind kind);
struct provider *provider_find(const struct controller *controller, symbol name);
void provider_set_dirty(struct controller *controller, struct provider *provider);
struct provider_view provider_view_of(const struct provider *provider);
void capacity_free(struct controller *controller);
/* NULL, or what is wrong with a registration's provider and Fargate task. */
const char *capacity_check_registration(const struct controller *controller,
                                        const struct event_register_instance *spec);
void capacity_instance_came(struct controller *controller, instance_id id);
void capacity_instance_gone(struct controller *controller, instance_id id);
/* Its ordinary tasks, or whether it stays, have changed: the figures of its provider follow. */
void host_set_ordinary(struct controller *controller, instance_id id, uint32_t ordinary);
void host_set_leave(struct controller *controller, instance_id id, enum host_leave leave,
                    berth_ns leave_by_ns);
bool is_fargate(enum provider_kind kind);

/* capacity_tasks.c */
/* A strategy from a call's items or the cluster's default; none: launch type EC2. */
struct strategy_items {
    struct provider_item items[SHARES_MAX];
    uint16_t count;
    bool is_fargate;
};
enum berth_err capacity_resolve(const struct controller *controller,
                                const struct provider_share *shares, uint16_t count,
                                bool takes_launch_type, struct strategy_items *out,
                                struct berth_error *err) BERTH_MUST_CHECK;
/* Whether Fargate has machines for tasks of the definition, at these amounts. */
enum berth_err capacity_check_fargate(const struct task_def *def, const struct demand *demand,
                                      struct berth_error *err) BERTH_MUST_CHECK;
/* The provider of one task more, counted. */
struct provider *capacity_choose(struct controller *controller, struct provider_item *items,
                                 size_t count);
/* Its machine is asked for; the caller has filled it in and tells of it first. */
void capacity_launch(struct controller *controller, struct task *task, struct provider *provider);
void capacity_ask(struct controller *controller, const struct task *task);
/* The machine of a task that waits for one has registered. */
void capacity_machine_came(struct controller *controller, task_id task, instance_id id);
/* A task without an instance has ended: it waits for no machine any more. */
void capacity_machine_unneeded(struct controller *controller, struct task *task);
void capacity_zone_count(struct controller *controller, const struct task *task, int change);
void deployment_set_providers(struct deployment *deployment, const struct strategy_items *strategy);
/* Tasks of the deployment; how many were not started. */
uint32_t capacity_start_some(struct controller *controller, struct deployment *deployment,
                             uint32_t wanted);
size_t capacity_choose_victim(struct controller *controller, const struct deployment *deployment);
struct provider_item *deployment_item(struct deployment *deployment, symbol provider);

/* capacity_scaling.c */
void capacity_answered(struct controller *controller, const struct answer *answer);
void capacity_resumed(struct controller *controller);
void capacity_timer(struct controller *controller);
void capacity_settle(struct controller *controller); /* at the end of a step */
void capacity_released(struct controller *controller, instance_id id);

/* requests.c */
void outside_answered(struct controller *controller, const struct event *event);
void outside_resumed(struct controller *controller);

/* quotas.c */
bool quotas_admit(struct controller *controller, const struct event *event); /* else refused */

/* plans.c */
enum berth_err plan_get(struct controller *controller, const struct task_def *def,
                        const struct placement_strategy_spec *strategies, size_t strategy_count,
                        const struct placement_constraint_spec *constraints,
                        size_t constraint_count, enum placement_default when_empty,
                        struct plan **out, struct berth_error *err) BERTH_MUST_CHECK;
/* The same for a RunTask call, its definition too, if one like it was remembered; or NULL. */
struct plan *plan_recall(const struct controller *controller, const struct event_run_task *call);
void plan_remember(struct controller *controller, struct plan *plan);
void plan_hold(struct controller *controller, struct plan *plan);
void plan_drop(struct controller *controller, struct plan *plan);
void plans_free(struct controller *controller);

/* services.c */
void services_create(struct controller *controller, const struct event *event);
void services_update(struct controller *controller, const struct event *event);
void services_delete(struct controller *controller, const struct event *event);
struct service *service_new(struct controller *controller, service_id id, symbol name,
                            group_id group);
void service_free(struct controller *controller, struct service *service);
void service_add_live(struct service *service, struct deployment *deployment); /* as the last */
void service_mark(struct controller *controller, struct service *service);     /* to be looked at */
void service_ids_remove(service_id *items, size_t *count, service_id id);      /* calm without it */
void service_set_blocked(struct controller *controller, struct service *service, berth_ns since_ns);
void service_set_deadline(struct controller *controller, struct service *service,
                          berth_ns deadline_ns);
/* Emit, unless the same was told and neither its cause has cleared nor six hours have passed. */
void service_tell(struct controller *controller, struct service *service,
                  const struct service_event *event);
static inline bool service_has_told(const struct service *service, enum service_event_kind kind)
{
    return (service->told >> kind & 1) != 0;
}
void service_clear(struct service *service, enum service_event_kind kind);
bool service_may_tell(const struct controller *controller, const struct service *service,
                      enum service_event_kind kind);
const struct task_def *service_find_def(const struct controller *controller, const char *reference,
                                        struct berth_error *err); /* NULL: not ACTIVE */
void services_timer(struct controller *controller);
void services_pass(struct controller *controller); /* all that are marked */
void service_start_failed(struct controller *controller, struct deployment *deployment);

struct service *service_find(const struct controller *controller, const char *name); /* or NULL */

/* reconcile.c */
void reconcile_replica(struct controller *controller, struct service *service);
struct rollout_counts reconcile_counts(const struct service *service);
struct task *service_launch(struct controller *controller, struct deployment *deployment,
                            instance_id instance);
/* The same, not placed and not told of yet. */
struct task *service_new_task(struct controller *controller, struct deployment *deployment,
                              symbol provider);
/* Candidates for a stop, then so many of them by the deployment's strategy. */
void service_clear_victims(struct controller *controller);
void service_add_victim(struct controller *controller, struct task *task);
void service_stop_victims(struct controller *controller, const struct deployment *deployment,
                          uint32_t count, bool is_surplus);
void service_tell_no_room(struct controller *controller, const struct deployment *deployment,
                          const struct placement_request *request);
/* Events of what the pass did, ended deployments, steady state, the change and the deadline. */
void service_finish_pass(struct controller *controller, struct service *service);

/* candidates.c: the healthy tasks of an old deployment, kept while its figures change */
void candidates_keep(struct deployment *deployment); /* from now on */
void candidates_forget(struct deployment *deployment);
void candidates_add(struct deployment *deployment, const struct task *task);
void candidates_remove(struct deployment *deployment, const struct task *task);

/* replace.c */
/* So many unhealthy tasks of it that are not on draining instances. */
void replace_stop(struct controller *controller, struct deployment *deployment, uint32_t count);
/* Unhealthy tasks of it, into controller->victim_tasks; and one of those there is stopped first. */
void replace_add_candidates(struct controller *controller, struct deployment *deployment,
                            bool is_draining);
void replace_stop_drawn(struct controller *controller, const struct service *service);

/* daemon.c */
void reconcile_daemon(struct controller *controller, struct service *service);
void daemon_check(struct controller *controller, struct service *service, instance_id id);
void daemon_check_all(struct controller *controller, struct service *service);
void daemons_check(struct controller *controller, instance_id id); /* all daemon services */
void daemons_touched(struct controller *controller, instance_id id);

/* describe.c, records.c, load.c, audit.c implement controller.h */

#endif
