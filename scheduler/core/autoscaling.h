/*
 * autoscaling.h -- service auto scaling (semantics 6), shared by the parts of the controller.
 *
 * A scalable target bounds a service's desired count; policies change it when their metric says so,
 * scheduled actions change the bounds at wall-clock times. The arithmetic is scheduler/policy's.
 *
 *     autoscaling.c           commands, datapoints, decisions, scheduled actions
 *     autoscaling_records.c   one record for each service that has it: "scaling/NAME"
 *
 * A datapoint is an answer (outside.h) that comes once a minute. Nothing happens between two, but
 * at the deadline of a scheduled action. Those are told by the wall clock and armed on the
 * monotonic one: a wall clock that is set back is waited for, one that is set ahead is noticed at
 * the deadline.
 */
#ifndef BERTH_SCHEDULER_CORE_AUTOSCALING_H
#define BERTH_SCHEDULER_CORE_AUTOSCALING_H

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "scheduler/core/controller.h"
#include "scheduler/policy/scaling.h"
#include "scheduler/policy/schedule.h"
#include "scheduler/policy/target_tracking.h"

#define SCALING_POLICIES_MAX 50 /* of one target (quotas of Application Auto Scaling) */
#define SCALING_ACTIONS_MAX 200

struct scaling_policy {
    symbol name;
    enum scaling_policy_kind kind;
    enum scaling_metric metric;
    berth_ns out_cooldown_ns, in_cooldown_ns;
    int64_t target_milli; /* target tracking */
    bool disables_scale_in;
    enum adjustment_type adjustment; /* step scaling */
    uint32_t minimum_magnitude;
    enum comparison comparison;
    int64_t threshold_milli;
    uint32_t datapoints_to_alarm, evaluation_periods;
    struct scaling_step steps[STEPS_MAX];
    uint32_t step_count;
    struct datapoints points;
};

struct scheduled_action {
    symbol name;
    symbol text; /* of the schedule */
    struct schedule schedule;
    int32_t min_capacity, max_capacity;  /* OVERRIDE_NONE: none */
    berth_ns start_wall_ns, end_wall_ns; /* 0: none */
    berth_ns anchor_wall_ns;             /* that a rate counts from */
    berth_ns due_wall_ns;                /* BERTH_NS_NEVER: not any more */
    berth_ns due_mono_ns;                /* when that is looked at */
};

struct scaling {
    struct service *service;
    uint32_t min_capacity, max_capacity;
    bool suspends_in, suspends_out, suspends_scheduled;
    struct scaling_cooldown cooldown;
    VEC(struct scaling_policy) policies; /* in order of their first put */
    VEC(struct scheduled_action) actions;
    uint64_t revision;
};

/* autoscaling.c */
void scaling_command(struct controller *controller, const struct event *event);
void scaling_metric_told(struct controller *controller, const struct answer *answer);
void scaling_timer(struct controller *controller);
void scaling_service_gone(struct controller *controller, service_id service);
void scaling_free(struct controller *controller);
struct scaling *scaling_of(const struct controller *controller, service_id service); /* or NULL */
struct scaling *scaling_new(struct controller *controller, struct service *service);
void scaling_arm(struct controller *controller, const struct scaling *scaling);

/* autoscaling_records.c */
void scaling_write(const struct controller *controller, service_id service, struct text *out);
/* NULL, or the field that is missing or wrong. */
const char *scaling_read(struct controller *controller, const struct text_line *line);
void scaling_audit(const struct controller *controller);

#endif
