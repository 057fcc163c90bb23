/*
 * bucket.h -- a token bucket, exact: so many tokens at once, so many back at the end of a period.
 *
 * ECS's API buckets refill once a second by a given amount, never above capacity (semantics 8); a
 * service's launch rate is the same with 500 tokens and a period of a minute (4.2). Periods begin
 * with the first token taken from a full bucket, so an idle bucket needs no upkeep and a zeroed one
 * is full. Integers only; time is whatever monotonic clock the caller has.
 */
#ifndef BERTH_SCHEDULER_POLICY_BUCKET_H
#define BERTH_SCHEDULER_POLICY_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/units.h"

struct bucket_rule {
    uint32_t burst;  /* tokens of a full bucket */
    uint32_t refill; /* tokens that come back at the end of a period, at least 1 */
    berth_ns period_ns;
};

struct bucket {
    uint32_t taken;    /* tokens not yet back; 0: full */
    berth_ns since_ns; /* when the period under way began; of meaning while taken > 0 */
};

/* Give back what the periods that have ended bring. Without it the others see the old state. */
void bucket_settle(struct bucket *bucket, struct bucket_rule rule, berth_ns now_ns);

/* Tokens there now. */
uint32_t bucket_left(const struct bucket *bucket, struct bucket_rule rule, berth_ns now_ns);

/* Take tokens that bucket_left says are there. */
void bucket_take(struct bucket *bucket, struct bucket_rule rule, berth_ns now_ns, uint32_t count);

/* When at least one more token than now will be there; BERTH_NS_NEVER when it is full. */
berth_ns bucket_next_ns(const struct bucket *bucket, struct bucket_rule rule, berth_ns now_ns);

#endif
