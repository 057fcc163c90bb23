/*
 * controller.h -- the scheduler and service controller: one pure state machine.
 *
 *     state, (monotonic and wall time), event  ->  state, actions
 *
 * No I/O, no clock, no randomness but its own streams, no writable globals. The simulator and the
 * daemon drive it by the same loop (loop.h). A service is looked at when something about it changed
 * and at its deadlines, never by scanning all. Rules: reference "ECS scheduling semantics".
 */
#ifndef BERTH_SCHEDULER_CORE_CONTROLLER_H
#define BERTH_SCHEDULER_CORE_CONTROLLER_H

#include "scheduler/base/text.h"
#include "scheduler/core/action.h"
#include "scheduler/core/rule.h"

struct controller_options {
    const char *cluster; /* name, for ARNs: "default" */
    const char *account; /* 12 digits */
    const char *region;
    uint64_t random_key;       /* parent key of every stream of the controller */
    berth_ns instance_lost_ns; /* agentConnected false for so long: its tasks are declared lost and
                                  replaced; BERTH_NS_NEVER: never, as in ECS */
    berth_ns waiting_give_up_ns;  /* U16; BERTH_NS_NEVER: a task waits for ever */
    bool throttles_api;           /* the token buckets of API calls (semantics 8); policy/quota.h */
    bool limits_sizes;            /* the size quotas */
    uint32_t launches_per_minute; /* of one service (semantics 4.2: 500); 0: no limit */
    uint32_t brake_percent; /* no instance is declared lost while more of the ACTIVE ones than this
                               are disconnected and about to be; 0: off, as in ECS */
};

struct controller;

struct controller *controller_create(const struct controller_options *options);
void controller_destroy(struct controller *controller);

/*
 * Apply one event. Times must not run backwards on the monotonic clock (asserted). `out` is cleared
 * first; what it lends is valid until the next step. An event that cannot be applied is answered by
 * a reply, never dropped silently; an agent's repeat or stale message is acknowledged and changes
 * nothing. Ends with every service that the event touched looked at.
 */
void controller_step(struct controller *controller, struct step_time now, const struct event *event,
                     struct action_list *out);

/* When EVENT_TIMER is due (monotonic), or BERTH_NS_NEVER. */
berth_ns controller_next_deadline(const struct controller *controller);

void action_list_free(struct action_list *list);

/* Queries: lent until the next step. */
const struct controller_options *controller_options(const struct controller *controller);
struct cluster *controller_cluster(const struct controller *controller);
/*
 * A report of this task will come soon: where its record is found is fetched into the cache, then
 * the record, then what that points to, since each tells where the next one lies. Changes nothing.
 */
enum controller_look { CONTROLLER_LOOK_NEAR = 0, CONTROLLER_LOOK_NEARER, CONTROLLER_LOOK_FAR };
void controller_prefetch(const struct controller *controller, task_id id, instance_id instance,
                         enum controller_look look);
const struct task_def_registry *controller_task_defs(const struct controller *controller);
uint64_t controller_revision(const struct controller *controller);
uint32_t controller_service_count(const struct controller *controller);
struct service_view controller_service(const struct controller *controller, service_id service);
/* Deployments that are remembered, [0] the newest: at most DEPLOYMENTS_KEPT and the live ones. */
uint32_t controller_deployment_count(const struct controller *controller, service_id service);
struct deployment_view controller_deployment(const struct controller *controller,
                                             service_id service, uint32_t index);
service_id controller_find_service(const struct controller *controller, const char *name);
/* False when it has no auto scaling. */
bool controller_scaling(const struct controller *controller, service_id service,
                        struct scaling_view *out);
bool controller_task(const struct controller *controller, task_id task, struct task_view *out);
/* One that has ended within the hour (U20). */
bool controller_stopped_task(const struct controller *controller, task_id task,
                             struct task_view *out);
uint32_t controller_stopped_count(const struct controller *controller);
/* Every live task in ascending id; false when there is none above `after`. */
bool controller_next_task(const struct controller *controller, task_id after,
                          struct task_view *out);
/* How often each rule has decided something since this controller was made or loaded. */
void controller_rules(const struct controller *controller, uint64_t counts[RULE_COUNT]);
uint32_t controller_waiting_count(const struct controller *controller);

/* The same tasks by what their closest instance fails now: O(kinds of tasks x instances). */
void controller_waiting_verdicts(const struct controller *controller,
                                 uint64_t counts[PLACEMENT_VERDICT_COUNT]);

/* ECS's text of a service event, and of a stopped task's stoppedReason. */
void service_event_format(const struct controller *controller, const struct service_event *event,
                          struct text *out);
/* rolloutStateReason. */
void rollout_reason_format(const struct deployment_view *view, struct text *out);
void stopped_reason_format(const struct controller *controller, const struct task_view *task,
                           struct text *out);

/*
 * Persistence. A change names a record; its value is one line of text (text.h), "berth/1 ..." for
 * the controller's own. controller_load rebuilds an equal controller from all live records in
 * ascending key order: same ids, same random state, same deadlines; everything derived is computed.
 */
void controller_record_key(const struct controller *controller, const struct change *change,
                           struct text *key);
void controller_record_value(const struct controller *controller, const struct change *change,
                             struct text *value);

struct record {
    const char *key;
    const char *value;
};

/* Turns a task definition's stored document back into one: above the purity line. */
typedef enum berth_err (*task_def_decoder)(const char *document, struct task_def **out,
                                           struct berth_error *err);

enum berth_err controller_load(const struct controller_options *options,
                               const struct record *records, size_t record_count,
                               task_def_decoder decode, struct controller **out,
                               struct berth_error *err) BERTH_MUST_CHECK;

/* Everything there is, as records in key order: two equal controllers give equal text. */
void controller_dump(const struct controller *controller, struct text *out);

/* Assert every invariant; O(everything), for tests and the auditor. */
void controller_audit(const struct controller *controller);

#endif
