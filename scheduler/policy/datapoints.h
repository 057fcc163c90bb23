/*
 * datapoints.h -- a metric's last minutes, and alarms over them.
 *
 * One datapoint is told a minute. A minute that was missed leaves a gap, and what lies before a gap
 * is forgotten: missing data is INSUFFICIENT_DATA and no reason to act (semantics 6.3).
 */
#ifndef BERTH_SCHEDULER_POLICY_DATAPOINTS_H
#define BERTH_SCHEDULER_POLICY_DATAPOINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/units.h"

#define DATAPOINTS_MAX 15
#define DATAPOINTS_PERIOD_NS (60 * BERTH_NS_PER_S)
/* Later than this after the one before, a minute has been missed. */
#define DATAPOINTS_GAP_NS (90 * BERTH_NS_PER_S)
#define DATAPOINT_MILLI_MAX INT64_C(1000000000000) /* what is told beyond is cut */

struct datapoints {
    int64_t milli[DATAPOINTS_MAX]; /* thousandths; the oldest first */
    uint32_t count;
    berth_ns last_ns; /* when the last one came; meaningless while there is none */
};

void datapoints_add(struct datapoints *points, berth_ns now_ns, int64_t milli);

/* The last one belongs to the minute that ends now. */
bool datapoints_are_fresh(const struct datapoints *points, berth_ns now_ns);

/* CloudWatch's comparison operators. */
enum comparison {
    COMPARE_GREATER = 0,
    COMPARE_GREATER_OR_EQUAL,
    COMPARE_LESS,
    COMPARE_LESS_OR_EQUAL,
    COMPARISON_COUNT
};

extern const char *const comparison_names[COMPARISON_COUNT + 1]; /* "GreaterThanThreshold", ... */

bool comparison_holds(enum comparison comparison, int64_t value, int64_t threshold);

/* M of the last N datapoints breach the threshold; fewer than M known ones never do. */
bool datapoints_breach(const struct datapoints *points, enum comparison comparison,
                       int64_t threshold_milli, uint32_t m, uint32_t n);

#endif
