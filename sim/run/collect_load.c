/*
 * collect_load.c -- requests: what was offered, what became of it, and how well the capacity
 * followed. The load model integrates; the window is the difference of its totals.
 */
#include <math.h>
#include <string.h>

#include "sim/run/collect_internal.h"

struct load_window {             /* what there was when the window began, and the last sample */
    struct load_totals *totals;  /* owned: by service of the scenario */
    struct load_totals *sampled; /* owned: likewise */
    berth_ns sampled_ns;
    double latencies[LOAD_BUCKETS];
};

void collect_bind_load(struct collect *collect, struct load *load)
{
    collect->load = load;
    if (load == NULL)
        return;
    collect->load_window = mem_alloc(sizeof *collect->load_window);
    collect->load_window->totals =
        mem_alloc((collect->scenario->service_count + 1) * sizeof(struct load_totals));
    collect->load_window->sampled =
        mem_alloc((collect->scenario->service_count + 1) * sizeof(struct load_totals));
}

void collect_load_free(struct collect *collect)
{
    if (collect->load_window == NULL)
        return;
    mem_free(collect->load_window->totals);
    mem_free(collect->load_window->sampled);
    mem_free(collect->load_window);
}

void collect_load_begin(struct collect *collect, berth_ns at_ns)
{
    if (collect->load == NULL)
        return;
    load_latencies(collect->load, at_ns, collect->load_window->latencies);
    for (uint32_t i = 0; i < collect->scenario->service_count; i++)
        (void)load_totals(collect->load, at_ns, i, &collect->load_window->totals[i]);
}

void collect_service_event(struct collect *collect, const struct service_event *event)
{
    if (event->kind == SERVICE_EVENT_DESIRED_COUNT_UPDATED && collect->is_in_window)
        collect->desired_changes++;
}

/* Means since the sample before, for the story. */
void collect_load_sample(struct collect *collect, berth_ns at_ns)
{
    struct load_window *window = collect->load_window;
    struct load_totals now;
    if (window == NULL || collect->teller == NULL || at_ns <= window->sampled_ns)
        return;
    double length_s = (double)(at_ns - window->sampled_ns) / (double)BERTH_NS_PER_S;
    for (uint32_t i = 0; i < collect->scenario->service_count; i++) {
        if (!load_totals(collect->load, at_ns, i, &now))
            continue;
        const struct load_totals *was = &window->sampled[i];
        double taken = now.taken - was->taken, offered = now.offered - was->offered;
        story_requests(collect->teller, i, offered / length_s,
                       (offered - (now.served - was->served)) / length_s,
                       taken > 0 ? (now.latency - was->latency) / taken : 0);
        window->sampled[i] = now;
    }
    window->sampled_ns = at_ns;
}

/* All services together, within the window. */
static struct load_totals sum_up(struct collect *collect)
{
    enum { COUNT = sizeof(struct load_totals) / sizeof(double) };
    double sums[COUNT] = {0}, now[COUNT], before[COUNT];
    struct load_totals totals;
    for (uint32_t i = 0; i < collect->scenario->service_count; i++) {
        if (!load_totals(collect->load, collect->duration_ns, i, &totals))
            continue;
        memcpy(now, &totals, sizeof now);
        memcpy(before, &collect->load_window->totals[i], sizeof before);
        for (int j = 0; j < COUNT; j++)
            sums[j] += now[j] - before[j];
    }
    memcpy(&totals, sums, sizeof totals);
    return totals;
}

/* Within a bucket latencies are taken as spread evenly over the logarithm. */
static double quantile(struct collect *collect, double share)
{
    double counts[LOAD_BUCKETS], all = 0, below = 0;
    load_latencies(collect->load, collect->duration_ns, counts);
    for (uint32_t i = 0; i < LOAD_BUCKETS; i++) {
        counts[i] -= collect->load_window->latencies[i];
        all += counts[i];
    }
    for (uint32_t i = 0; i < LOAD_BUCKETS && all > 0; i++) {
        if (below + counts[i] >= share * all && counts[i] > 0) {
            double upper = load_bucket_s(i), part = (share * all - below) / counts[i];
            return upper * pow(load_bucket_s(0) / load_bucket_s(1), 1 - part);
        }
        below += counts[i];
    }
    return NAN;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

void collect_load_finish(struct collect *collect, double *metrics)
{
    bool has_scaling = false;
    for (uint32_t i = 0; i < collect->scenario->service_count; i++)
        has_scaling |= collect->scenario->services[i].scaling.is_set;
    metrics[METRIC_DESIRED_COUNT_CHANGES] = has_scaling ? (double)collect->desired_changes : NAN;
    for (int i = METRIC_REQUESTS_OFFERED; i <= METRIC_SCALING_OVERSHOOT; i++)
        metrics[i] = NAN;
    if (collect->load == NULL)
        return;
    struct load_totals sums = sum_up(collect);
    metrics[METRIC_REQUESTS_OFFERED] = sums.offered;
    metrics[METRIC_REQUESTS_SERVED] = sums.served;
    metrics[METRIC_REQUESTS_FAILED] = sums.rejected + sums.errors + sums.dead + sums.no_target;
    metrics[METRIC_REQUESTS_FAILED_RATIO] = ratio(metrics[METRIC_REQUESTS_FAILED], sums.offered);
    metrics[METRIC_REQUESTS_REJECTED] = sums.rejected;
    metrics[METRIC_REQUESTS_BY_OLD_REVISION] = sums.served_old;
    metrics[METRIC_LATENCY_MEAN] = ratio(sums.latency, sums.taken);
    metrics[METRIC_LATENCY_P95] = quantile(collect, 0.95);
    metrics[METRIC_CPU_UTILIZATION_MEAN] = ratio(100 * sums.cpu_used, sums.cpu_reserved);
    double shortages = sums.short_time > 0 ? fmax(sums.short_count, 1) : 0;
    metrics[METRIC_SCALING_LAG_MEAN] = ratio(sums.short_time, shortages);
    metrics[METRIC_SCALING_OVERSHOOT] = sums.surplus / 3600;
}
