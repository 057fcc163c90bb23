#include "scheduler/core/autoscaling.h"

#include <assert.h>
#include <string.h>

#include "scheduler/core/controller_internal.h"

enum { CAPACITY_MAX = 1000000, COOLDOWN_MAX_S = 86400 * 30, SCALING_NAME_MAX = 256 };

/* A deadline further away than this on the monotonic clock is never reached. */
#define DUE_AFTER_MAX_NS (INT64_MAX / 8)

struct scaling *scaling_of(const struct controller *controller, service_id service)
{
    return service < controller->scalings.count ? controller->scalings.items[service] : NULL;
}

struct scaling *scaling_new(struct controller *controller, struct service *service)
{
    struct scaling *scaling = mem_alloc(sizeof *scaling);
    scaling->service = service;
    while (controller->scalings.count <= service->id)
        *vec_push(&controller->scalings) = NULL;
    controller->scalings.items[service->id] = scaling;
    return scaling;
}

static void free_one(struct scaling *scaling)
{
    vec_free(&scaling->policies);
    vec_free(&scaling->actions);
    mem_free(scaling);
}

void scaling_free(struct controller *controller)
{
    for (size_t i = 0; i < controller->scalings.count; i++)
        if (controller->scalings.items[i] != NULL)
            free_one(controller->scalings.items[i]);
    vec_free(&controller->scalings);
    heap_free(&controller->scaling_deadlines);
}

bool controller_scaling(const struct controller *controller, service_id service,
                        struct scaling_view *out)
{
    const struct scaling *scaling = scaling_of(controller, service);
    if (scaling == NULL)
        return false;
    *out = (struct scaling_view){
        .service = service,
        .service_name = scaling->service->name,
        .min_capacity = scaling->min_capacity,
        .max_capacity = scaling->max_capacity,
        .policy_count = (uint32_t)scaling->policies.count,
        .action_count = (uint32_t)scaling->actions.count,
    };
    return true;
}

static void emit(struct controller *controller, struct scaling *scaling)
{
    struct scaling_view view;
    (void)controller_scaling(controller, scaling->service->id, &view);
    emit_scaling(controller, &view, false, &scaling->revision);
}

void scaling_service_gone(struct controller *controller, service_id service)
{
    struct scaling_view view;
    struct scaling *scaling = scaling_of(controller, service);
    if (scaling == NULL)
        return;
    (void)controller_scaling(controller, service, &view);
    emit_scaling(controller, &view, true, &scaling->revision);
    heap_remove(&controller->scaling_deadlines, service);
    controller->scalings.items[service] = NULL;
    free_one(scaling);
}

void scaling_arm(struct controller *controller, const struct scaling *scaling)
{
    berth_ns due_ns = BERTH_NS_NEVER;
    for (size_t i = 0; i < scaling->actions.count; i++)
        if (scaling->actions.items[i].due_mono_ns < due_ns)
            due_ns = scaling->actions.items[i].due_mono_ns;
    if (due_ns == BERTH_NS_NEVER)
        heap_remove(&controller->scaling_deadlines, scaling->service->id);
    else
        heap_set(&controller->scaling_deadlines, scaling->service->id, due_ns);
}

/* Changing the desired count. */

static void set_desired(struct controller *controller, struct service *service, uint32_t desired)
{
    struct service_event event = {.kind = SERVICE_EVENT_DESIRED_COUNT_UPDATED,
                                  .service = service->id,
                                  .desired_count = desired};
    if (service->deployments.count > 0)
        event.deployment = service->deployments.items[0]->number;
    service->desired_count = desired;
    service->is_record_dirty = true;
    emit_event(controller, &event);
    service_mark(controller, service);
}

static struct scaling_vote vote_of_tracking(const struct scaling_policy *policy, berth_ns now_ns,
                                            uint32_t running)
{
    const struct datapoints *points = &policy->points;
    struct scaling_vote vote = {.direction = SCALING_NONE,
                                .may_scale_in = !policy->disables_scale_in};
    if (!datapoints_are_fresh(points, now_ns))
        return vote;
    int64_t metric_milli = points->milli[points->count - 1];
    if (tracking_is_high(points, policy->target_milli, running)) {
        vote.direction = SCALING_OUT;
        vote.capacity = tracking_out(running, metric_milli, policy->target_milli);
        vote.cooldown_ns = policy->out_cooldown_ns;
    } else if (vote.may_scale_in && tracking_is_low(points, policy->target_milli)) {
        vote.capacity = tracking_in(running, metric_milli, policy->target_milli);
        vote.direction = vote.capacity < running ? SCALING_IN : SCALING_NONE;
        vote.cooldown_ns = policy->in_cooldown_ns;
    }
    return vote;
}

/* A policy whose steps only add has no say in scaling in. */
static bool steps_scale_in(const struct scaling_policy *policy)
{
    for (uint32_t i = 0; i < policy->step_count; i++)
        if (policy->adjustment == ADJUST_EXACT ? policy->comparison >= COMPARE_LESS
                                               : policy->steps[i].adjustment < 0)
            return true;
    return false;
}

static struct scaling_vote vote_of_steps(const struct scaling_policy *policy, berth_ns now_ns,
                                         uint32_t running)
{
    const struct datapoints *points = &policy->points;
    struct scaling_vote vote = {.direction = SCALING_NONE,
                                .may_scale_in = steps_scale_in(policy),
                                .cooldown_ns = policy->out_cooldown_ns};
    if (!datapoints_are_fresh(points, now_ns) ||
        !datapoints_breach(points, policy->comparison, policy->threshold_milli,
                           policy->datapoints_to_alarm, policy->evaluation_periods))
        return vote;
    const struct scaling_step *step =
        steps_find(policy->steps, policy->step_count,
                   points->milli[points->count - 1] - policy->threshold_milli,
                   policy->comparison < COMPARE_LESS);
    if (step == NULL)
        return vote;
    vote.capacity = step_capacity(step, policy->adjustment, policy->minimum_magnitude, running);
    if (vote.capacity != running)
        vote.direction = vote.capacity > running ? SCALING_OUT : SCALING_IN;
    return vote;
}

/* During a deployment scale-in is off, but for services with an external controller. */
static bool is_off(const struct scaling *scaling, enum scaling_direction direction)
{
    const struct service *service = scaling->service;
    if (direction == SCALING_OUT)
        return scaling->suspends_out;
    return scaling->suspends_in || (service->controller == CONTROLLER_ECS &&
                                    service->deployments.items[0]->rollout == ROLLOUT_IN_PROGRESS);
}

static void decide(struct controller *controller, struct scaling *scaling)
{
    struct scaling_vote votes[SCALING_POLICIES_MAX];
    struct service *service = scaling->service;
    berth_ns now_ns = controller->now.mono_ns;
    uint32_t count = (uint32_t)scaling->policies.count, desired = service->desired_count;
    uint32_t running = service_view_of(service).running_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct scaling_policy *policy = &scaling->policies.items[i];
        votes[i] = policy->kind == SCALING_STEP ? vote_of_steps(policy, now_ns, running)
                                                : vote_of_tracking(policy, now_ns, running);
    }
    uint32_t chosen = scaling_choose(votes, count);
    if (chosen == count || is_off(scaling, votes[chosen].direction))
        return;
    enum scaling_direction direction = votes[chosen].direction;
    uint32_t wanted = scaling_bound(direction, desired, votes[chosen].capacity,
                                    scaling->min_capacity, scaling->max_capacity);
    if (wanted == desired)
        return;
    wanted = scaling_cool(&scaling->cooldown, now_ns, direction, desired, running, wanted);
    wanted =
        scaling_bound(direction, desired, wanted, scaling->min_capacity, scaling->max_capacity);
    if (wanted == desired) {
        rule_fired(controller, RULE_COOLDOWN);
        return;
    }
    scaling_changed(&scaling->cooldown, now_ns, direction, running, wanted,
                    votes[chosen].cooldown_ns);
    rule_fired(controller, scaling->policies.items[chosen].kind == SCALING_STEP ? RULE_STEP_SCALING
                           : direction == SCALING_OUT ? RULE_TARGET_TRACKING_OUT
                                                      : RULE_TARGET_TRACKING_IN);
    set_desired(controller, service, wanted);
}

/* Simultaneous datapoints of several metrics come one after the other: policies whose own has not
   come yet do not vote, so that scaling in waits for the last of them. */
void scaling_metric_told(struct controller *controller, const struct answer *answer)
{
    const struct service *service = service_find(controller, answer->u.metric.service);
    struct scaling *scaling = service == NULL ? NULL : scaling_of(controller, service->id);
    bool is_news = false;
    if (scaling == NULL)
        return;
    for (size_t i = 0; i < scaling->policies.count; i++) {
        struct scaling_policy *policy = &scaling->policies.items[i];
        if (policy->metric != answer->u.metric.metric)
            continue;
        if (datapoints_are_fresh(&policy->points, controller->now.mono_ns)) {
            rule_fired(controller, RULE_REPEAT);
            continue;
        }
        datapoints_add(&policy->points, controller->now.mono_ns, answer->u.metric.value_milli);
        is_news = true;
    }
    if (!is_news)
        return;
    decide(controller, scaling);
    emit(controller, scaling);
}

/* Scheduled actions. */

static void set_due(struct controller *controller, struct scheduled_action *action,
                    berth_ns after_wall_ns)
{
    berth_ns due_ns = schedule_next(&action->schedule, after_wall_ns, action->anchor_wall_ns);
    if (action->end_wall_ns != 0 && due_ns > action->end_wall_ns)
        due_ns = BERTH_NS_NEVER;
    if (due_ns != BERTH_NS_NEVER && due_ns - controller->now.wall_ns > DUE_AFTER_MAX_NS)
        due_ns = BERTH_NS_NEVER;
    action->due_wall_ns = due_ns;
    action->due_mono_ns = due_ns == BERTH_NS_NEVER
                              ? BERTH_NS_NEVER
                              : controller->now.mono_ns + (due_ns - controller->now.wall_ns);
}

/* A bound that the other one contradicts moves it along. */
static void set_bounds(struct scaling *scaling, int32_t min, int32_t max)
{
    if (min != OVERRIDE_NONE)
        scaling->min_capacity = (uint32_t)min;
    if (max != OVERRIDE_NONE)
        scaling->max_capacity = (uint32_t)max;
    if (scaling->min_capacity <= scaling->max_capacity)
        return;
    if (min != OVERRIDE_NONE)
        scaling->max_capacity = scaling->min_capacity;
    else
        scaling->min_capacity = scaling->max_capacity;
}

static void fire(struct controller *controller, struct scaling *scaling,
                 struct scheduled_action *action)
{
    struct service *service = scaling->service;
    set_due(controller, action, controller->now.wall_ns);
    if (scaling->suspends_scheduled)
        return;
    rule_fired(controller, RULE_SCHEDULED);
    set_bounds(scaling, action->min_capacity, action->max_capacity);
    if (service->desired_count < scaling->min_capacity)
        set_desired(controller, service, scaling->min_capacity);
    else if (service->desired_count > scaling->max_capacity)
        set_desired(controller, service, scaling->max_capacity);
}

void scaling_timer(struct controller *controller)
{
    struct heap_item due;
    struct step_time now = controller->now;
    while (heap_first(&controller->scaling_deadlines, &due) && due.key <= now.mono_ns) {
        struct scaling *scaling = scaling_of(controller, due.handle);
        for (size_t i = 0; i < scaling->actions.count; i++) {
            struct scheduled_action *action = &scaling->actions.items[i];
            if (action->due_mono_ns > now.mono_ns)
                continue;
            if (action->due_wall_ns <= now.wall_ns)
                fire(controller, scaling, action);
            else /* The wall clock was set back. */
                action->due_mono_ns = now.mono_ns + (action->due_wall_ns - now.wall_ns);
        }
        scaling_arm(controller, scaling);
        emit(controller, scaling);
    }
}

/* Commands. Each returns what to refuse with, in `err`. */

static bool is_wrong_name(const char *name)
{
    size_t length = name == NULL ? 0 : strlen(name);
    return length == 0 || length > SCALING_NAME_MAX;
}

static bool is_wrong_capacity(int32_t capacity)
{
    return capacity < OVERRIDE_NONE || capacity > CAPACITY_MAX;
}

static enum berth_err register_target(struct controller *controller, struct service *service,
                                      const struct event_scalable_target *wanted,
                                      struct berth_error *err)
{
    struct scaling *scaling = scaling_of(controller, service->id);
    if (service->scheduling == SCHEDULING_DAEMON)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "service: a DAEMON service has no desired count to scale");
    if (is_wrong_capacity(wanted->min_capacity) || is_wrong_capacity(wanted->max_capacity))
        return berth_fail(err, BERTH_ERR_INPUT, "minCapacity, maxCapacity: use 0 to %d",
                          CAPACITY_MAX);
    if (scaling == NULL &&
        (wanted->min_capacity == OVERRIDE_NONE || wanted->max_capacity == OVERRIDE_NONE))
        return berth_fail(err, BERTH_ERR_INPUT,
                          "minCapacity, maxCapacity: a new target needs both");
    uint32_t min = wanted->min_capacity == OVERRIDE_NONE ? scaling->min_capacity
                                                         : (uint32_t)wanted->min_capacity;
    uint32_t max = wanted->max_capacity == OVERRIDE_NONE ? scaling->max_capacity
                                                         : (uint32_t)wanted->max_capacity;
    if (min > max)
        return berth_fail(err, BERTH_ERR_INPUT, "minCapacity: is above maxCapacity; exchange them");
    if (scaling == NULL)
        scaling = scaling_new(controller, service);
    scaling->min_capacity = min;
    scaling->max_capacity = max;
    if (wanted->suspends_in != OVERRIDE_NONE)
        scaling->suspends_in = wanted->suspends_in != 0;
    if (wanted->suspends_out != OVERRIDE_NONE)
        scaling->suspends_out = wanted->suspends_out != 0;
    if (wanted->suspends_scheduled != OVERRIDE_NONE)
        scaling->suspends_scheduled = wanted->suspends_scheduled != 0;
    return BERTH_OK;
}

static enum berth_err read_cooldown(int32_t seconds, berth_ns *out, struct berth_error *err)
{
    if (seconds < OVERRIDE_NONE || seconds > COOLDOWN_MAX_S)
        return berth_fail(err, BERTH_ERR_INPUT, "cooldown: use 0 to %d seconds", COOLDOWN_MAX_S);
    *out = seconds == OVERRIDE_NONE ? SCALING_COOLDOWN_NS : seconds * BERTH_NS_PER_S;
    return BERTH_OK;
}

static enum berth_err read_steps(const struct event_scaling_policy *wanted,
                                 struct scaling_policy *out, struct berth_error *err)
{
    uint32_t periods = wanted->evaluation_periods == 0 ? 1 : wanted->evaluation_periods;
    uint32_t least = wanted->datapoints_to_alarm == 0 ? periods : wanted->datapoints_to_alarm;
    if (wanted->step_count > STEPS_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "stepAdjustments: use at most %d", STEPS_MAX);
    for (uint16_t i = 0; i < wanted->step_count; i++)
        if (!step_parse(wanted->steps[i], &out->steps[i]))
            return berth_fail(err, BERTH_ERR_INPUT,
                              "stepAdjustments: %.60s is no step; write LOWER:UPPER:ADJUSTMENT",
                              wanted->steps[i]);
    const char *fault = steps_check(out->steps, wanted->step_count);
    if (fault != NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "stepAdjustments: %s", fault);
    if (periods > DATAPOINTS_MAX || least > periods)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "evaluationPeriods: use 1 to %d, and no more datapointsToAlarm",
                          DATAPOINTS_MAX);
    if (wanted->threshold_milli < 0 || wanted->threshold_milli > DATAPOINT_MILLI_MAX ||
        wanted->minimum_magnitude > CAPACITY_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "threshold, minAdjustmentMagnitude: out of range");
    out->step_count = wanted->step_count;
    out->adjustment = wanted->adjustment;
    out->minimum_magnitude = wanted->minimum_magnitude;
    out->comparison = wanted->comparison;
    out->threshold_milli = wanted->threshold_milli;
    out->evaluation_periods = periods;
    out->datapoints_to_alarm = least;
    return BERTH_OK;
}

static struct scaling_policy *find_policy(struct scaling *scaling, symbol name)
{
    for (size_t i = 0; i < scaling->policies.count; i++)
        if (scaling->policies.items[i].name == name)
            return &scaling->policies.items[i];
    return NULL;
}

/* A changed policy begins without datapoints: its alarms are new ones. */
static enum berth_err put_policy(struct controller *controller, struct scaling *scaling,
                                 const struct event_scaling_policy *wanted, struct berth_error *err)
{
    struct scaling_policy policy = {.kind = wanted->kind,
                                    .metric = wanted->metric,
                                    .target_milli = wanted->target_milli,
                                    .disables_scale_in = wanted->disables_scale_in};
    if (is_wrong_name(wanted->policy))
        return berth_fail(err, BERTH_ERR_INPUT, "policyName: use 1 to %d bytes", SCALING_NAME_MAX);
    if (read_cooldown(wanted->out_cooldown_s, &policy.out_cooldown_ns, err) != BERTH_OK ||
        read_cooldown(wanted->in_cooldown_s, &policy.in_cooldown_ns, err) != BERTH_OK)
        return err->code;
    if (wanted->kind == SCALING_STEP && read_steps(wanted, &policy, err) != BERTH_OK)
        return err->code;
    if (wanted->kind == SCALING_TARGET_TRACKING &&
        (wanted->target_milli < 1 || wanted->target_milli > DATAPOINT_MILLI_MAX))
        return berth_fail(err, BERTH_ERR_INPUT, "targetValue: must be above 0");
    policy.name = symbols_add(controller->symbols, wanted->policy);
    struct scaling_policy *place = find_policy(scaling, policy.name);
    if (place == NULL && scaling->policies.count == SCALING_POLICIES_MAX)
        return berth_fail(err, BERTH_ERR_INPUT, "policyName: a target has at most %d policies",
                          SCALING_POLICIES_MAX);
    if (place == NULL)
        place = vec_push(&scaling->policies);
    *place = policy;
    return BERTH_OK;
}

static enum berth_err delete_policy(struct controller *controller, struct scaling *scaling,
                                    const struct event_scaling_policy *wanted,
                                    struct berth_error *err)
{
    symbol name =
        wanted->policy == NULL ? SYMBOL_NONE : symbols_find(controller->symbols, wanted->policy);
    struct scaling_policy *place = name == SYMBOL_NONE ? NULL : find_policy(scaling, name);
    if (place == NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "policyName: there is no %.256s",
                          wanted->policy == NULL ? "name" : wanted->policy);
    size_t after = (size_t)(scaling->policies.items + scaling->policies.count - (place + 1));
    memmove(place, place + 1, after * sizeof *place);
    scaling->policies.count--;
    return BERTH_OK;
}

static struct scheduled_action *find_action(struct scaling *scaling, symbol name)
{
    for (size_t i = 0; i < scaling->actions.count; i++)
        if (scaling->actions.items[i].name == name)
            return &scaling->actions.items[i];
    return NULL;
}

static enum berth_err check_action(const struct event_scheduled_action *wanted,
                                   struct schedule *schedule, struct berth_error *err)
{
    if (is_wrong_name(wanted->action))
        return berth_fail(err, BERTH_ERR_INPUT, "scheduledActionName: use 1 to %d bytes",
                          SCALING_NAME_MAX);
    const char *fault = schedule_parse(wanted->schedule == NULL ? "" : wanted->schedule, schedule);
    if (fault != NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "schedule: %s", fault);
    if (wanted->timezone != NULL && strcmp(wanted->timezone, "UTC") != 0 &&
        strcmp(wanted->timezone, "Etc/UTC") != 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "timezone: only UTC is known; write the schedule in UTC");
    if (is_wrong_capacity(wanted->min_capacity) || is_wrong_capacity(wanted->max_capacity))
        return berth_fail(err, BERTH_ERR_INPUT, "minCapacity, maxCapacity: use 0 to %d",
                          CAPACITY_MAX);
    if (wanted->min_capacity == OVERRIDE_NONE && wanted->max_capacity == OVERRIDE_NONE)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "scalableTargetAction: give minCapacity, maxCapacity or both");
    if (wanted->max_capacity != OVERRIDE_NONE && wanted->min_capacity > wanted->max_capacity)
        return berth_fail(err, BERTH_ERR_INPUT, "minCapacity: is above maxCapacity; exchange them");
    if (wanted->start_wall_ns < 0 || wanted->end_wall_ns < 0)
        return berth_fail(err, BERTH_ERR_INPUT, "startTime, endTime: before 1970");
    return BERTH_OK;
}

static enum berth_err put_action(struct controller *controller, struct scaling *scaling,
                                 const struct event_scheduled_action *wanted,
                                 struct berth_error *err)
{
    struct scheduled_action action = {.min_capacity = wanted->min_capacity,
                                      .max_capacity = wanted->max_capacity,
                                      .start_wall_ns = wanted->start_wall_ns,
                                      .end_wall_ns = wanted->end_wall_ns,
                                      .anchor_wall_ns = controller->now.wall_ns};
    berth_ns after_ns = controller->now.wall_ns;
    if (check_action(wanted, &action.schedule, err) != BERTH_OK)
        return err->code;
    action.name = symbols_add(controller->symbols, wanted->action);
    action.text = symbols_add(controller->symbols, wanted->schedule);
    struct scheduled_action *place = find_action(scaling, action.name);
    if (place == NULL && scaling->actions.count == SCALING_ACTIONS_MAX)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "scheduledActionName: a target has at most %d scheduled actions",
                          SCALING_ACTIONS_MAX);
    if (action.start_wall_ns > after_ns) {
        action.anchor_wall_ns = action.start_wall_ns;
        after_ns = action.start_wall_ns - 1;
    }
    if (place == NULL)
        place = vec_push(&scaling->actions);
    *place = action;
    set_due(controller, place, after_ns);
    scaling_arm(controller, scaling);
    return BERTH_OK;
}

static enum berth_err delete_action(struct controller *controller, struct scaling *scaling,
                                    const struct event_scheduled_action *wanted,
                                    struct berth_error *err)
{
    symbol name =
        wanted->action == NULL ? SYMBOL_NONE : symbols_find(controller->symbols, wanted->action);
    struct scheduled_action *place = name == SYMBOL_NONE ? NULL : find_action(scaling, name);
    if (place == NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "scheduledActionName: there is no %.256s",
                          wanted->action == NULL ? "name" : wanted->action);
    size_t after = (size_t)(scaling->actions.items + scaling->actions.count - (place + 1));
    memmove(place, place + 1, after * sizeof *place);
    scaling->actions.count--;
    scaling_arm(controller, scaling);
    return BERTH_OK;
}

static const char *service_of(const struct event *event)
{
    if (event->kind == EVENT_PUT_SCALING_POLICY || event->kind == EVENT_DELETE_SCALING_POLICY)
        return event->u.scaling_policy.service;
    if (event->kind == EVENT_PUT_SCHEDULED_ACTION || event->kind == EVENT_DELETE_SCHEDULED_ACTION)
        return event->u.scheduled_action.service;
    return event->u.scalable_target.service;
}

static enum berth_err change(struct controller *controller, struct service *service,
                             const struct event *event, struct berth_error *err)
{
    struct scaling *scaling = scaling_of(controller, service->id);
    if (event->kind == EVENT_REGISTER_SCALABLE_TARGET)
        return register_target(controller, service, &event->u.scalable_target, err);
    if (scaling == NULL)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "service: %.256s is no scalable target; register it first",
                          service_of(event));
    if (event->kind == EVENT_PUT_SCALING_POLICY)
        return put_policy(controller, scaling, &event->u.scaling_policy, err);
    if (event->kind == EVENT_DELETE_SCALING_POLICY)
        return delete_policy(controller, scaling, &event->u.scaling_policy, err);
    if (event->kind == EVENT_PUT_SCHEDULED_ACTION)
        return put_action(controller, scaling, &event->u.scheduled_action, err);
    if (event->kind == EVENT_DELETE_SCHEDULED_ACTION)
        return delete_action(controller, scaling, &event->u.scheduled_action, err);
    scaling_service_gone(controller, service->id); /* Deregister: its policies go with it. */
    return BERTH_OK;
}

void scaling_command(struct controller *controller, const struct event *event)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct service *service = service_find(controller, service_of(event));
    if (service == NULL) {
        emit_refusal(controller, event, REPLY_NOT_FOUND, "service: there is no %.256s",
                     service_of(event) == NULL ? "name" : service_of(event));
        return;
    }
    if (change(controller, service, event, &err) != BERTH_OK) {
        emit_refusal(controller, event, REPLY_INVALID, "%s", err.text);
        return;
    }
    if (scaling_of(controller, service->id) != NULL)
        emit(controller, scaling_of(controller, service->id));
    struct reply *reply = emit_reply(controller, event);
    if (reply != NULL)
        reply->u.service = service->id;
}
