/* load_minute.c -- what is done once a minute: the next rate, datapoints, latencies, alarms. */
#include <gsl/gsl_cdf.h>
#include <math.h>

#include "sim/world/load_internal.h"

#define BUCKETS_PER_DECADE 20
#define LATENCY_MIN_S 1e-4
#define TAIL 1e-12 /* of a distribution, which is not spread any further */

double load_bucket_s(uint32_t index)
{
    return LATENCY_MIN_S * pow(10, (index + 1) / (double)BUCKETS_PER_DECADE);
}

/* Base, the day's cycle at the middle of the minute, bursts at its beginning, its own noise. */
double load_offered(const struct load_service *service, berth_ns now_ns)
{
    const struct scenario_load *load = &service->scenario->load;
    const berth_ns day_ns = 86400 * BERTH_NS_PER_S, minute_ns = 60 * BERTH_NS_PER_S;
    double rate = load->rate;
    if (now_ns < load->start_ns)
        return 0;
    if (load->amplitude > 0) {
        double phase = (double)((now_ns + minute_ns / 2 - load->peak_ns) % day_ns) / (double)day_ns;
        rate *= 1 + load->amplitude * cos(2 * 3.14159265358979323846 * phase);
    }
    for (uint32_t i = 0; i < load->burst_count; i++) {
        const struct scenario_burst *burst = &load->bursts[i];
        if (now_ns >= burst->at_ns && now_ns - burst->at_ns < burst->for_ns)
            rate *= burst->factor;
    }
    if (load->has_noise) {
        struct rng stream = {rng_key(service->key, "noise", (uint64_t)(now_ns / minute_ns)), 0};
        rate *= distribution_draw(&load->noise, &stream);
    }
    return rate;
}

/* Before anything of it was started: the service's own. */
static const struct scenario_task_def *primary_def(const struct load_service *service)
{
    for (size_t i = 0; i < service->revisions.count; i++)
        if (service->revisions.items[i].deployment == service->primary)
            return service->revisions.items[i].def;
    return service->first_def;
}

static double copies_for(double rate, double of_one)
{
    return of_one > 0 ? ceil(rate / of_one - 1e-9) : 1;
}

/*
 * The fewest copies of the newest revision with which every target tracking policy on CPU or
 * requests is at or below its target; without one, with which the CPU suffices. Within the
 * capacities of auto scaling.
 */
uint32_t load_needed(const struct load_service *service)
{
    const struct scenario_scaling *scaling = &service->scenario->scaling;
    const struct scenario_task_def *def = primary_def(service);
    double vcpu = def->def->demand.cpu_units / (double)BERTH_CPU_UNITS_PER_VCPU;
    double full = (vcpu > 0 ? vcpu : 1) / service->scenario->load.demand_s, needed = 0;
    bool is_tracked = false;
    if (service->offered <= 0)
        return 0;
    for (uint32_t i = 0; i < scaling->policy_count; i++) {
        const struct event_scaling_policy *policy = &scaling->policies[i];
        double target = (double)policy->target_milli / 1000;
        if (policy->kind != SCALING_TARGET_TRACKING || policy->metric == SCALING_MEMORY)
            continue;
        double of_one = policy->metric == SCALING_CPU ? full * target / 100 : target / 60;
        needed = fmax(needed, copies_for(service->offered, of_one));
        is_tracked = true;
    }
    if (!is_tracked)
        needed = copies_for(service->offered, full);
    if (scaling->is_set) {
        needed = fmax(needed, scaling->target.min_capacity);
        needed = fmin(needed, scaling->target.max_capacity);
    }
    return needed < 1e9 ? (uint32_t)needed : 1000000000;
}

/* A gamma distribution with the minute's mean and variance, over the buckets. */
void load_spread(struct load *load, struct load_service *service)
{
    double taken = service->totals.taken - service->minute.taken;
    double latency = service->totals.latency - service->minute.latency;
    double square = service->totals.latency_square - service->minute.latency_square;
    service->minute.taken = service->totals.taken;
    service->minute.latency = service->totals.latency;
    service->minute.latency_square = service->totals.latency_square;
    if (taken <= 0 || latency <= 0)
        return;
    double mean = latency / taken, variance = square / taken - mean * mean;
    if (variance < mean * mean * 1e-6)
        variance = mean * mean * 1e-6;
    double below = 0;
    for (uint32_t i = 0; i < LOAD_BUCKETS && below < 1 - TAIL; i++) {
        double at_most =
            i + 1 == LOAD_BUCKETS
                ? 1
                : gsl_cdf_gamma_P(load_bucket_s(i), mean * mean / variance, variance / mean);
        load->latencies[i] += taken * (at_most - below);
        below = at_most;
    }
}

static void tell(const struct load_service *service, enum scaling_metric metric, double value,
                 load_answer answer, void *context)
{
    bool is_wanted = false;
    for (uint32_t i = 0; i < service->scenario->scaling.policy_count; i++)
        is_wanted |= service->scenario->scaling.policies[i].metric == metric;
    if (!is_wanted)
        return;
    double milli = fmin(value * 1000, (double)DATAPOINT_MILLI_MAX);
    answer(context, &(struct answer){.kind = ANSWER_METRIC,
                                     .u.metric = {.service = service->scenario->name,
                                                  .metric = metric,
                                                  .value_milli = llround(milli)}});
}

/* Without copies there is no CPU to measure; requests are those offered, as if to one target. */
static void tell_minute(struct load_service *service, double offered, double targets,
                        load_answer answer, void *context)
{
    double cpu_sum = service->cpu_sum, memory_sum = service->memory_sum;
    uint32_t cpu_count = service->cpu_count, memory_count = service->memory_count;
    service->cpu_sum = service->memory_sum = 0;
    service->cpu_count = service->memory_count = 0;
    if (cpu_count > 0)
        tell(service, SCALING_CPU, cpu_sum / cpu_count, answer, context);
    if (memory_count > 0)
        tell(service, SCALING_MEMORY, memory_sum / memory_count, answer, context);
    tell(service, SCALING_REQUESTS, offered / fmax(targets, 1), answer, context);
}

/* False: no data in the period. */
static bool value_of(const struct load_alarm *alarm, const struct load_totals *now, double *out)
{
    const struct load_totals *before = &alarm->before;
    double offered = now->offered - before->offered, taken = now->taken - before->taken;
    double reserved = now->cpu_reserved - before->cpu_reserved;
    switch (alarm->scenario->metric) {
    case ALARM_ERROR_RATIO:
        *out = 1 - (now->served - before->served) / offered;
        return offered > 0;
    case ALARM_REJECT_RATIO:
        *out = (now->rejected - before->rejected) / offered;
        return offered > 0;
    case ALARM_LATENCY:
        *out = (now->latency - before->latency) / taken;
        return taken > 0;
    case ALARM_CPU:
        *out = 100 * (now->cpu_used - before->cpu_used) / reserved;
        return reserved > 0;
    case ALARM_HEALTHY_TARGETS:
        *out = (now->targets - before->targets) / (60.0 * alarm->scenario->period_minutes);
        return true;
    case ALARM_METRIC_COUNT:
        break;
    }
    return false;
}

static bool breaches(const struct scenario_alarm *alarm, double value)
{
    switch (alarm->comparison) {
    case COMPARE_GREATER:
        return value > alarm->threshold;
    case COMPARE_GREATER_OR_EQUAL:
        return value >= alarm->threshold;
    case COMPARE_LESS:
        return value < alarm->threshold;
    case COMPARE_LESS_OR_EQUAL:
        return value <= alarm->threshold;
    case COMPARISON_COUNT:
        break;
    }
    return false;
}

/* M of the last N periods with data; a period without leaves the alarm as it is. */
static void judge(const struct load *load, struct load_alarm *alarm, load_answer answer,
                  void *context)
{
    const struct load_totals *now = &load->services[alarm->service].totals;
    const struct scenario_alarm *scenario = alarm->scenario;
    double value = 0;
    uint32_t count = 0;
    if (++alarm->minutes < scenario->period_minutes)
        return;
    bool has_data = value_of(alarm, now, &value);
    alarm->minutes = 0;
    alarm->before = *now;
    if (!has_data)
        return;
    alarm->breaches = alarm->breaches << 1 | breaches(scenario, value);
    for (uint32_t i = 0; i < scenario->evaluation_periods; i++)
        count += alarm->breaches >> i & 1;
    bool is_alarm = count >= scenario->datapoints_to_alarm;
    if (is_alarm == alarm->is_alarm)
        return;
    alarm->is_alarm = is_alarm;
    answer(context, &(struct answer){.kind = ANSWER_ALARM,
                                     .u.alarm = {.name = scenario->name, .is_alarm = is_alarm}});
}

/* The minute that ends is told of whole before the next one's rate takes effect. */
void load_minute(struct load *load, berth_ns now_ns, load_answer answer, void *context)
{
    for (uint32_t i = 0; i < load->scenario->service_count; i++) {
        struct load_service *service = &load->services[i];
        if (!service->scenario->load.is_set)
            continue;
        load_advance(service, now_ns);
        double offered = service->totals.offered - service->minute.offered;
        double targets = (service->totals.targets - service->minute.targets) / 60;
        load_spread(load, service);
        service->minute = service->totals;
        service->offered = load_offered(service, now_ns);
        service->needed = load_needed(service);
        load_settle(service, now_ns);
        if (now_ns > 0)
            tell_minute(service, offered, targets, answer, context);
    }
    for (uint32_t i = 0; now_ns > 0 && i < load->scenario->alarm_count; i++)
        judge(load, &load->alarms[i], answer, context);
}
