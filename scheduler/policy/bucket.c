#include "scheduler/policy/bucket.h"

#include <assert.h>

static struct bucket settled(const struct bucket *bucket, struct bucket_rule rule, berth_ns now_ns)
{
    assert(rule.refill > 0 && rule.period_ns > 0);
    if (bucket->taken == 0)
        return (struct bucket){0, 0};
    uint64_t periods = (uint64_t)((now_ns - bucket->since_ns) / rule.period_ns);
    uint64_t needed = ((uint64_t)bucket->taken + rule.refill - 1) / rule.refill;
    if (periods >= needed)
        return (struct bucket){0, 0};
    return (struct bucket){bucket->taken - (uint32_t)periods * rule.refill,
                           bucket->since_ns + (berth_ns)periods * rule.period_ns};
}

void bucket_settle(struct bucket *bucket, struct bucket_rule rule, berth_ns now_ns)
{
    *bucket = settled(bucket, rule, now_ns);
}

uint32_t bucket_left(const struct bucket *bucket, struct bucket_rule rule, berth_ns now_ns)
{
    uint32_t taken = settled(bucket, rule, now_ns).taken;
    return taken < rule.burst ? rule.burst - taken : 0;
}

void bucket_take(struct bucket *bucket, struct bucket_rule rule, berth_ns now_ns, uint32_t count)
{
    bucket_settle(bucket, rule, now_ns);
    assert(count <= bucket_left(bucket, rule, now_ns));
    if (bucket->taken == 0)
        bucket->since_ns = now_ns;
    bucket->taken += count;
}

berth_ns bucket_next_ns(const struct bucket *bucket, struct bucket_rule rule, berth_ns now_ns)
{
    struct bucket now = settled(bucket, rule, now_ns);
    return now.taken == 0 ? BERTH_NS_NEVER : now.since_ns + rule.period_ns;
}
