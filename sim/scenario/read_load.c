/* services.NAME.load and .autoScaling, and alarms: the load model and what looks at its figures. */
#include <math.h>
#include <string.h>

#include "scheduler/policy/schedule.h"
#include "sim/scenario/parts.h"

enum { BURSTS_MAX = 1000, CONCURRENCY_MAX = 1024, QUEUE_MAX = 10000, CAPACITY_MAX = 1000000 };

#define COOLDOWN_MAX_NS (86400 * 30 * BERTH_NS_PER_S)

const char *const alarm_metric_names[ALARM_METRIC_COUNT + 1] = {
    [ALARM_ERROR_RATIO] = "errorRatio",         [ALARM_LATENCY] = "latencySeconds",
    [ALARM_REJECT_RATIO] = "rejectRatio",       [ALARM_CPU] = "cpuUtilization",
    [ALARM_HEALTHY_TARGETS] = "healthyTargets",
};

static void read_daily(const struct at *at, struct scenario_load *out)
{
    static const char *const known[] = {"amplitude", "peak", NULL};
    if (!at_object(at, known))
        return;
    struct at amplitude = at_member(at, "amplitude"), peak = at_member(at, "peak");
    at_require(&amplitude, "write a number from 0 to 1");
    at_require(&peak, "write the time of day of the peak, such as \"14h\"");
    out->amplitude = at_real(&amplitude, 0, 1, 0);
    out->peak_ns = at_time(&peak, 0, 86400 * BERTH_NS_PER_S, 0);
}

static void read_bursts(const struct at *list, struct scenario_load *out)
{
    static const char *const known[] = {"at", "for", "factor", NULL};
    size_t count = at_list(list, 0, BURSTS_MAX);
    out->bursts = mem_alloc((count + 1) * sizeof *out->bursts);
    for (size_t i = 0; i < count; i++) {
        struct at item = at_item(list, i);
        if (!at_object(&item, known))
            at_fail(&item, "not a burst; write {\"at\": \"8h\", \"for\": \"10m\", \"factor\": 3}");
        struct at begin = at_member(&item, "at"), length = at_member(&item, "for");
        struct at factor = at_member(&item, "factor");
        at_require(&begin, "write when the burst begins");
        at_require(&length, "write how long the burst lasts");
        at_require(&factor, "write by how much the rate is multiplied");
        out->bursts[out->burst_count++] = (struct scenario_burst){
            at_time(&begin, 0, READER_TIME_MAX, 0), at_time(&length, 0, READER_TIME_MAX, 0),
            at_real(&factor, 0, 1e6, 1)};
    }
}

static void read_rate(const struct at *at, struct scenario_load *out)
{
    static const char *const known[] = {"base", "daily", "bursts", "noise", NULL};
    at_require(at, "write how many requests come per second");
    if (!json_is_object(at->json)) {
        out->rate = at_real(at, 0, 1e9, 0);
        return;
    }
    if (!at_object(at, known))
        return;
    struct at base = at_member(at, "base"), daily = at_member(at, "daily");
    struct at bursts = at_member(at, "bursts"), noise = at_member(at, "noise");
    at_require(&base, "write how many requests come per second");
    out->rate = at_real(&base, 0, 1e9, 0);
    read_daily(&daily, out);
    read_bursts(&bursts, out);
    out->has_noise = at_distribution(&noise, QUANTITY_SIZE, &out->noise);
}

static void read_memory(const struct at *at, struct scenario_load *out)
{
    static const char *const known[] = {"base", "perRequest", NULL};
    if (!at_object(at, known))
        return;
    struct at base = at_member(at, "base"), request = at_member(at, "perRequest");
    out->memory_base_mib = at_real(&base, 0, 1e9, 0);
    out->memory_request_mib = at_real(&request, 0, 1e9, 0);
}

void read_load(const struct at *up, struct scenario_service *service)
{
    static const char *const known[] = {
        "requestsPerSecond", "serviceDemand", "concurrency", "queueLimit",
        "memoryMiB",         "startAt",       NULL};
    struct scenario_load *out = &service->load;
    struct at at = at_member(up, "load");
    if (!at_object(&at, known))
        return;
    struct at rate = at_member(&at, "requestsPerSecond"), demand = at_member(&at, "serviceDemand");
    struct at concurrency = at_member(&at, "concurrency"), queue = at_member(&at, "queueLimit");
    struct at memory = at_member(&at, "memoryMiB"), start = at_member(&at, "startAt");
    struct distribution law = {.kind = DISTRIBUTION_CONSTANT};
    out->is_set = true;
    read_rate(&rate, out);
    at_require(&demand, "write how much CPU time a request takes, such as \"20ms\"");
    if (at_distribution(&demand, QUANTITY_TIME, &law))
        out->demand_s = distribution_mean(&law);
    if (!up->reader->has_failed && !(out->demand_s >= 1e-6 && out->demand_s <= 1e6))
        at_fail(&demand, "the mean must be above 0: from a microsecond to 1e6 s");
    distribution_free(&law);
    out->concurrency = (uint32_t)at_integer(&concurrency, 1, CONCURRENCY_MAX, 0);
    out->queue_limit = (uint32_t)at_integer(&queue, 0, QUEUE_MAX, 100);
    read_memory(&memory, out);
    out->start_ns = at_time(&start, 0, READER_TIME_MAX, service->start_ns);
}

/* Whole seconds; OVERRIDE_NONE when absent. */
static int32_t read_cooldown(const struct at *up, const char *key)
{
    struct at at = at_member(up, key);
    return at.json == NULL ? OVERRIDE_NONE
                           : (int32_t)(at_time(&at, 0, COOLDOWN_MAX_NS, 0) / BERTH_NS_PER_S);
}

static enum scaling_metric read_metric(const struct at *up)
{
    static const char *names[SCALING_METRIC_COUNT + 1];
    struct at at = at_member(up, "metric");
    memcpy(names, scaling_metric_names, sizeof scaling_metric_names);
    at_require(&at, "name one, such as \"ECSServiceAverageCPUUtilization\"");
    return (enum scaling_metric)at_choice(&at, names, SCALING_CPU);
}

static void read_tracking(const struct at *at, struct event_scaling_policy *out)
{
    static const char *const known[] = {"metric",           "targetValue",    "scaleInCooldown",
                                        "scaleOutCooldown", "disableScaleIn", NULL};
    if (!at_object(at, known))
        return;
    struct at target = at_member(at, "targetValue"), disables = at_member(at, "disableScaleIn");
    out->kind = SCALING_TARGET_TRACKING;
    out->metric = read_metric(at);
    at_require(&target, "write the value to be kept");
    out->target_milli = llround(1000 * at_real(&target, 0.001, 1e9, 1));
    out->in_cooldown_s = read_cooldown(at, "scaleInCooldown");
    out->out_cooldown_s = read_cooldown(at, "scaleOutCooldown");
    out->disables_scale_in = at_boolean(&disables, false);
}

static int64_t read_bound(const struct at *up, const char *key, bool *is_there)
{
    struct at at = at_member(up, key);
    *is_there = at.json != NULL;
    return llround(1000 * at_real(&at, -1e9, 1e9, 0));
}

static void read_step_list(const struct at *up, struct event_scaling_policy *out)
{
    static const char *const known[] = {"metricIntervalLowerBound", "metricIntervalUpperBound",
                                        "scalingAdjustment", NULL};
    struct scaling_step steps[STEPS_MAX];
    struct at list = at_member(up, "stepAdjustments");
    at_require(&list, "write at least one step");
    size_t count = at_list(&list, 1, STEPS_MAX);
    const char **texts = mem_alloc((count + 1) * sizeof *texts);
    out->steps = texts;
    for (size_t i = 0; i < count; i++) {
        struct at item = at_item(&list, i), adjustment = at_member(&item, "scalingAdjustment");
        char text[STEP_TEXT_MAX];
        if (!at_object(&item, known))
            at_fail(&item, "not a step; write {\"metricIntervalLowerBound\": 0, "
                           "\"scalingAdjustment\": 1}");
        at_require(&adjustment, "write by how much the step changes the count");
        steps[i].lower_milli = read_bound(&item, known[0], &steps[i].has_lower);
        steps[i].upper_milli = read_bound(&item, known[1], &steps[i].has_upper);
        steps[i].adjustment = (int32_t)at_integer(&adjustment, -CAPACITY_MAX, CAPACITY_MAX, 0);
        step_format(&steps[i], text);
        texts[i] = mem_copy_text(text);
        out->step_count++;
    }
    const char *fault = up->reader->has_failed ? NULL : steps_check(steps, (uint32_t)count);
    if (fault != NULL)
        at_fail(&list, "%s; change the bounds", fault);
}

static uint32_t read_periods(const struct at *up, uint32_t *datapoints)
{
    struct at periods = at_member(up, "evaluationPeriods");
    struct at least = at_member(up, "datapointsToAlarm");
    int64_t count = at_integer(&periods, 1, DATAPOINTS_MAX, 1);
    *datapoints = (uint32_t)at_integer(&least, 1, DATAPOINTS_MAX, count);
    if (*datapoints > count)
        at_fail(&least, "is above evaluationPeriods %d; lower it", (int)count);
    return (uint32_t)count;
}

static void read_steps(const struct at *at, struct event_scaling_policy *out)
{
    static const char *const known[] = {
        "metric",          "threshold", "comparisonOperator",     "evaluationPeriods",
        "adjustmentType",  "cooldown",  "minAdjustmentMagnitude", "datapointsToAlarm",
        "stepAdjustments", NULL};
    if (!at_object(at, known))
        return;
    struct at threshold = at_member(at, "threshold"), type = at_member(at, "adjustmentType");
    struct at comparison = at_member(at, "comparisonOperator");
    struct at magnitude = at_member(at, "minAdjustmentMagnitude");
    out->kind = SCALING_STEP;
    out->metric = read_metric(at);
    at_require(&threshold, "write the value from which steps count");
    out->threshold_milli = llround(1000 * at_real(&threshold, 0, 1e9, 0));
    out->comparison = (enum comparison)at_choice(&comparison, comparison_names, COMPARE_GREATER);
    out->evaluation_periods = read_periods(at, &out->datapoints_to_alarm);
    out->adjustment = (enum adjustment_type)at_choice(&type, adjustment_names, ADJUST_CHANGE);
    out->minimum_magnitude = (uint32_t)at_integer(&magnitude, 0, CAPACITY_MAX, 0);
    out->out_cooldown_s = read_cooldown(at, "cooldown");
    out->in_cooldown_s = OVERRIDE_NONE;
    read_step_list(at, out);
}

static void read_policies(const struct at *up, const char *key,
                          void (*read)(const struct at *, struct event_scaling_policy *),
                          struct scenario_scaling *out)
{
    struct at all = at_member(up, key);
    size_t count;
    const char **names = at_names(&all, &count);
    out->policies = mem_resize(out->policies, out->policy_count + count + 1, sizeof *out->policies);
    for (size_t i = 0; i < count && !up->reader->has_failed; i++) {
        struct at one = at_member(&all, names[i]);
        struct event_scaling_policy *policy = &out->policies[out->policy_count++];
        *policy = (struct event_scaling_policy){.service = out->target.service,
                                                .policy = mem_copy_text(names[i])};
        read(&one, policy);
        for (uint32_t j = 0; j + 1 < out->policy_count; j++)
            if (strcmp(out->policies[j].policy, names[i]) == 0)
                at_fail(&one, "is the same as a policy of targetTracking; rename it");
    }
    mem_free(names);
}

static void read_capacities(const struct at *up, int32_t *min, int32_t *max)
{
    struct at least = at_member(up, "minCapacity"), most = at_member(up, "maxCapacity");
    *min = (int32_t)at_integer(&least, 0, CAPACITY_MAX, OVERRIDE_NONE);
    *max = (int32_t)at_integer(&most, 0, CAPACITY_MAX, OVERRIDE_NONE);
    if (*min > *max && *max != OVERRIDE_NONE)
        at_fail(&least, "%d is above maxCapacity %d; exchange them", (int)*min, (int)*max);
}

static void read_action(const struct at *at, struct event_scheduled_action *out)
{
    static const char *const known[] = {"schedule", "minCapacity", "maxCapacity", NULL};
    struct schedule schedule;
    if (!at_object(at, known))
        return;
    struct at text = at_member(at, "schedule");
    at_require(&text, "write at(...), rate(...) or cron(...)");
    out->schedule = at_text(&text);
    const char *fault = out->schedule == NULL ? NULL : schedule_parse(out->schedule, &schedule);
    if (fault != NULL)
        at_fail(&text, "is not a schedule: %s; change it", fault);
    read_capacities(at, &out->min_capacity, &out->max_capacity);
    if (out->min_capacity == OVERRIDE_NONE && out->max_capacity == OVERRIDE_NONE)
        at_fail(at, "changes nothing; write minCapacity, maxCapacity or both");
}

static void read_actions(const struct at *up, struct scenario_scaling *out)
{
    struct at all = at_member(up, "scheduledActions");
    size_t count;
    const char **names = at_names(&all, &count);
    out->actions = mem_alloc((count + 1) * sizeof *out->actions);
    for (size_t i = 0; i < count && !up->reader->has_failed; i++) {
        struct at one = at_member(&all, names[i]);
        struct event_scheduled_action *action = &out->actions[out->action_count++];
        *action = (struct event_scheduled_action){.service = out->target.service,
                                                  .action = mem_copy_text(names[i])};
        read_action(&one, action);
    }
    mem_free(names);
}

static void read_suspended(const struct at *up, struct event_scalable_target *out)
{
    static const char *const known[] = {"dynamicScalingInSuspended", "dynamicScalingOutSuspended",
                                        "scheduledScalingSuspended", NULL};
    struct at at = at_member(up, "suspendedState");
    if (!at_object(&at, known))
        return;
    struct at in = at_member(&at, known[0]), going_out = at_member(&at, known[1]);
    struct at scheduled = at_member(&at, known[2]);
    out->suspends_in = at_boolean(&in, false);
    out->suspends_out = at_boolean(&going_out, false);
    out->suspends_scheduled = at_boolean(&scheduled, false);
}

void read_scaling(const struct at *up, struct scenario_service *service)
{
    static const char *const known[] = {"minCapacity", "maxCapacity",    "targetTracking",
                                        "stepScaling", "suspendedState", "scheduledActions",
                                        NULL};
    struct scenario_scaling *out = &service->scaling;
    struct at at = at_member(up, "autoScaling");
    if (!at_object(&at, known))
        return;
    struct at least = at_member(&at, "minCapacity"), most = at_member(&at, "maxCapacity");
    if (service->scheduling == SCHEDULING_DAEMON)
        at_fail(&at, "a DAEMON service has no desired count; remove it");
    at_require(&least, "write the fewest tasks");
    at_require(&most, "write the most tasks");
    out->is_set = true;
    out->target.service = service->name;
    read_capacities(&at, &out->target.min_capacity, &out->target.max_capacity);
    read_suspended(&at, &out->target);
    read_policies(&at, "targetTracking", read_tracking, out);
    read_policies(&at, "stepScaling", read_steps, out);
    read_actions(&at, out);
}

static void read_alarm(const struct at *at, struct scenario_alarm *out)
{
    static const char *const known[] = {"service",           "metric", "comparisonOperator",
                                        "threshold",         "period", "evaluationPeriods",
                                        "datapointsToAlarm", NULL};
    if (!at_object(at, known))
        return;
    struct at service = at_member(at, "service"), metric = at_member(at, "metric");
    struct at comparison = at_member(at, "comparisonOperator");
    struct at threshold = at_member(at, "threshold"), period = at_member(at, "period");
    at_require(&service, "name a service that has a load");
    at_require(&metric, "name one, such as \"errorRatio\"");
    at_require(&threshold, "write the value that must not be breached");
    out->service = at_text(&service);
    out->metric = (enum alarm_metric)at_choice(&metric, alarm_metric_names, ALARM_ERROR_RATIO);
    out->comparison = (enum comparison)at_choice(&comparison, comparison_names, COMPARE_GREATER);
    out->threshold = at_real(&threshold, 0, 1e12, 0);
    berth_ns minute_ns = 60 * BERTH_NS_PER_S;
    berth_ns period_ns = at_time(&period, minute_ns, 86400 * BERTH_NS_PER_S, minute_ns);
    out->period_minutes = (uint32_t)(period_ns / minute_ns);
    if (period_ns % minute_ns != 0)
        at_fail(&period, "out of range: a period is whole minutes, such as \"1m\"");
    out->evaluation_periods = read_periods(at, &out->datapoints_to_alarm);
}

void read_all_alarms(const struct at *root, struct scenario *out)
{
    struct at all = at_member(root, "alarms");
    size_t count;
    const char **names = at_names(&all, &count);
    out->alarms = mem_alloc((count + 1) * sizeof *out->alarms);
    for (size_t i = 0; i < count && !root->reader->has_failed; i++) {
        struct at one = at_member(&all, names[i]), service = at_member(&one, "service");
        struct scenario_alarm *alarm = &out->alarms[out->alarm_count++];
        alarm->name = mem_copy_text(names[i]);
        read_alarm(&one, alarm);
        const struct scenario_service *found = scenario_find_service(out, alarm->service);
        if (!root->reader->has_failed && (found == NULL || !found->load.is_set))
            at_fail(&service, "there is no service \"%.60s\" with a load; name another",
                    alarm->service);
    }
    mem_free(names);
}

static void free_scaling(struct scenario_scaling *scaling)
{
    for (uint32_t i = 0; i < scaling->policy_count; i++) {
        struct event_scaling_policy *policy = &scaling->policies[i];
        /* An event only lends its texts, hence const; these are owned. */
        for (uint16_t j = 0; j < policy->step_count; j++)
            mem_free((char *)(uintptr_t)policy->steps[j]);
        mem_free((char **)(uintptr_t)policy->steps);
        mem_free((char *)(uintptr_t)policy->policy);
    }
    for (uint32_t i = 0; i < scaling->action_count; i++) {
        mem_free((char *)(uintptr_t)scaling->actions[i].action);
        mem_free((char *)(uintptr_t)scaling->actions[i].schedule);
    }
    mem_free(scaling->policies);
    mem_free(scaling->actions);
}

void free_load(struct scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->service_count; i++) {
        mem_free(scenario->services[i].load.bursts);
        distribution_free(&scenario->services[i].load.noise);
        free_scaling(&scenario->services[i].scaling);
    }
    for (uint32_t i = 0; i < scenario->alarm_count; i++) {
        mem_free(scenario->alarms[i].name);
        mem_free(scenario->alarms[i].service);
    }
    mem_free(scenario->alarms);
}
