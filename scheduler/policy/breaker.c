#include "scheduler/policy/breaker.h"

static uint32_t clamp(uint64_t value, uint32_t low, uint32_t high)
{
    return value < low ? low : value > high ? high : (uint32_t)value;
}

uint32_t breaker_trips_at(enum breaker_threshold type, uint32_t value, uint32_t desired)
{
    if (type == BREAKER_TASK_COUNT)
        return clamp(value, 1, UINT32_MAX);
    uint32_t percent = value == 0 ? BREAKER_PERCENT_DEFAULT : value;
    uint64_t share = ((uint64_t)desired * percent + 99) / 100;
    if (type == BREAKER_UNBOUNDED_PERCENT)
        return clamp(share, 1, UINT32_MAX);
    return clamp(share, BREAKER_FAILURES_MIN, BREAKER_FAILURES_MAX);
}
