/*
 * breaker.h -- how many failures trip the circuit breaker of a deployment (semantics 4.7).
 */
#ifndef BERTH_SCHEDULER_POLICY_BREAKER_H
#define BERTH_SCHEDULER_POLICY_BREAKER_H

#include <stdint.h>

enum breaker_threshold {
    BREAKER_BOUNDED_PERCENT = 0,
    BREAKER_UNBOUNDED_PERCENT,
    BREAKER_TASK_COUNT
};

#define BREAKER_PERCENT_DEFAULT 50
#define BREAKER_FAILURES_MIN 3 /* BOUNDED_PERCENT */
#define BREAKER_FAILURES_MAX 200

/* Of a service with so many desired tasks now; `value` 0: the default. At least 1. */
uint32_t breaker_trips_at(enum breaker_threshold type, uint32_t value, uint32_t desired);

#endif
