#include "scheduler/policy/target_tracking.h"

static int64_t last_of(const struct datapoints *points)
{
    return points->count == 0 ? 0 : points->milli[points->count - 1];
}

bool tracking_is_high(const struct datapoints *points, int64_t target_milli, uint32_t running)
{
    if (running == 0)
        return last_of(points) > 0;
    return datapoints_breach(points, COMPARE_GREATER, target_milli, TRACKING_HIGH_DATAPOINTS,
                             TRACKING_HIGH_DATAPOINTS);
}

/* Below 0.9 of the target; ten times both sides, so that nothing is rounded. */
bool tracking_is_low(const struct datapoints *points, int64_t target_milli)
{
    uint32_t low = 0;
    for (uint32_t i = 0; i < points->count; i++)
        low += 10 * points->milli[i] < 9 * target_milli;
    return low == TRACKING_LOW_DATAPOINTS;
}

static uint32_t proportional(uint32_t running, int64_t metric_milli, int64_t target_milli)
{
    int64_t whole = (int64_t)running * metric_milli;
    int64_t wanted = whole / target_milli + (whole % target_milli != 0);
    return wanted > UINT32_MAX ? UINT32_MAX : (uint32_t)wanted;
}

uint32_t tracking_out(uint32_t running, int64_t metric_milli, int64_t target_milli)
{
    return running == 0 ? 1 : proportional(running, metric_milli, target_milli);
}

uint32_t tracking_in(uint32_t running, int64_t metric_milli, int64_t target_milli)
{
    bool rebounds = metric_milli * (int64_t)running >= target_milli * ((int64_t)running - 1);
    if (running == 0 || (rebounds && metric_milli > 0))
        return running;
    return proportional(running, metric_milli, target_milli);
}
