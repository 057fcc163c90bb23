#include "scheduler/policy/scaling.h"

static uint32_t largest(const struct scaling_vote *votes, uint32_t count,
                        enum scaling_direction direction)
{
    uint32_t chosen = count;
    for (uint32_t i = 0; i < count; i++)
        if (votes[i].direction == direction &&
            (chosen == count || votes[i].capacity > votes[chosen].capacity))
            chosen = i;
    return chosen;
}

uint32_t scaling_choose(const struct scaling_vote *votes, uint32_t count)
{
    uint32_t chosen = largest(votes, count, SCALING_OUT);
    if (chosen < count)
        return chosen;
    for (uint32_t i = 0; i < count; i++)
        if (votes[i].may_scale_in && votes[i].direction != SCALING_IN)
            return count;
    return largest(votes, count, SCALING_IN);
}

uint32_t scaling_cool(const struct scaling_cooldown *cooldown, berth_ns now_ns,
                      enum scaling_direction direction, uint32_t desired, uint32_t running,
                      uint32_t wanted)
{
    if (direction == SCALING_IN) {
        bool is_held = now_ns < cooldown->in_until_ns || now_ns < cooldown->out_until_ns;
        return is_held || wanted > desired ? desired : wanted;
    }
    if (now_ns < cooldown->out_until_ns) {
        if (wanted <= running || wanted - running <= cooldown->out_added)
            return desired;
        wanted = cooldown->out_base + (wanted - running);
    }
    return wanted < desired ? desired : wanted;
}

void scaling_changed(struct scaling_cooldown *cooldown, berth_ns now_ns,
                     enum scaling_direction direction, uint32_t running, uint32_t result,
                     berth_ns cooldown_ns)
{
    if (direction == SCALING_IN) {
        cooldown->in_until_ns = now_ns + cooldown_ns;
        return;
    }
    if (now_ns >= cooldown->out_until_ns)
        cooldown->out_base = running;
    cooldown->out_added = result > cooldown->out_base ? result - cooldown->out_base : 0;
    cooldown->out_until_ns = now_ns + cooldown_ns;
    cooldown->in_until_ns = 0;
}

uint32_t scaling_bound(enum scaling_direction direction, uint32_t desired, uint32_t wanted,
                       uint32_t min, uint32_t max)
{
    uint32_t bounded = wanted < min ? min : wanted > max ? max : wanted;
    if (direction == SCALING_OUT)
        return bounded > desired ? bounded : desired;
    return bounded < desired ? bounded : desired;
}
