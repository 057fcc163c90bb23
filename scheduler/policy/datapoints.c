#include "scheduler/policy/datapoints.h"

#include <string.h>

const char *const comparison_names[COMPARISON_COUNT + 1] = {
    [COMPARE_GREATER] = "GreaterThanThreshold",
    [COMPARE_GREATER_OR_EQUAL] = "GreaterThanOrEqualToThreshold",
    [COMPARE_LESS] = "LessThanThreshold",
    [COMPARE_LESS_OR_EQUAL] = "LessThanOrEqualToThreshold",
};

void datapoints_add(struct datapoints *points, berth_ns now_ns, int64_t milli)
{
    if (milli > DATAPOINT_MILLI_MAX)
        milli = DATAPOINT_MILLI_MAX;
    if (milli < 0)
        milli = 0;
    if (points->count > 0 && now_ns - points->last_ns > DATAPOINTS_GAP_NS)
        points->count = 0;
    if (points->count == DATAPOINTS_MAX) {
        memmove(points->milli, points->milli + 1, (DATAPOINTS_MAX - 1) * sizeof *points->milli);
        points->count--;
    }
    points->milli[points->count++] = milli;
    points->last_ns = now_ns;
}

bool datapoints_are_fresh(const struct datapoints *points, berth_ns now_ns)
{
    return points->count > 0 && now_ns - points->last_ns < DATAPOINTS_PERIOD_NS / 2;
}

bool comparison_holds(enum comparison comparison, int64_t value, int64_t threshold)
{
    switch (comparison) {
    case COMPARE_GREATER:
        return value > threshold;
    case COMPARE_GREATER_OR_EQUAL:
        return value >= threshold;
    case COMPARE_LESS:
        return value < threshold;
    case COMPARE_LESS_OR_EQUAL:
        return value <= threshold;
    case COMPARISON_COUNT:
        break;
    }
    return false;
}

bool datapoints_breach(const struct datapoints *points, enum comparison comparison,
                       int64_t threshold_milli, uint32_t m, uint32_t n)
{
    uint32_t breaching = 0;
    uint32_t first = points->count > n ? points->count - n : 0;
    for (uint32_t i = first; i < points->count; i++)
        breaching += comparison_holds(comparison, points->milli[i], threshold_milli);
    return breaching >= m;
}
