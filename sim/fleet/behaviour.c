#include "sim/fleet/behaviour.h"

uint64_t behaviour_key(uint64_t parent, const char *group, uint64_t reference)
{
    return rng_key(parent, group, reference);
}

/* A constant needs no stream, and most delays of most scenarios are constants. */
berth_ns behaviour_draw_ns(const struct distribution *distribution, uint64_t key,
                           const char *purpose, uint64_t entity)
{
    struct rng stream = {0, 0};
    if (distribution->kind != DISTRIBUTION_CONSTANT)
        stream.key = rng_key(key, purpose, entity);
    return distribution_draw_ns(distribution, &stream);
}

struct behaviour_delay behaviour_delay(const struct distribution *distribution)
{
    struct rng nobody = {0, 0};
    if (distribution->kind != DISTRIBUTION_CONSTANT)
        return (struct behaviour_delay){.drawn = distribution};
    return (struct behaviour_delay){.constant_ns = distribution_draw_ns(distribution, &nobody)};
}

bool behaviour_draw_chance(double probability, uint64_t key, const char *purpose, uint64_t entity)
{
    struct rng stream = {.key = rng_key(key, purpose, entity)};
    /* 53 bits of a uniform number in [0, 1): never true for 0, always for 1. */
    return (double)(rng_next(&stream) >> 11) * 0x1p-53 < probability;
}

berth_ns behaviour_uniform_ns(berth_ns below_ns, uint64_t key, const char *purpose, uint64_t entity)
{
    struct rng stream = {.key = rng_key(key, purpose, entity)};
    return (berth_ns)((double)(rng_next(&stream) >> 11) * 0x1p-53 * (double)below_ns);
}

static void may_crash(struct container_end *end, double probability,
                      const struct distribution *after, uint64_t key, const char *const purposes[2],
                      uint32_t restarts)
{
    if (!behaviour_chance(probability, key, purposes[0], 0))
        return;
    berth_ns after_ns = behaviour_draw_ns(after, key, purposes[1], restarts);
    if (after_ns < end->after_ns)
        *end = (struct container_end){.after_ns = after_ns, .exit_code = 1};
}

struct container_end behaviour_end(const struct scenario_task_def *def, uint64_t key,
                                   berth_ns lifetime_ns, bool is_main, uint32_t restarts)
{
    struct container_end end = {.after_ns = BERTH_NS_NEVER};
    if (!is_main)
        return end;
    if (lifetime_ns != BERTH_NS_NEVER)
        end.after_ns = lifetime_ns;
    else if (!def->is_endless)
        end.after_ns = behaviour_draw_ns(&def->lifetime, key, "lifetime", restarts);
    if (!(def->crash_probability > 0) && !(def->oom_probability > 0))
        return end;
    static const char *const crash[] = {"crash", "crash-after"}, *const oom[] = {"oom",
                                                                                 "oom-after"};
    may_crash(&end, def->crash_probability, &def->crash_after, key, crash, restarts);
    struct container_end before = end;
    may_crash(&end, def->oom_probability, &def->oom_after, key, oom, restarts);
    if (end.after_ns < before.after_ns) {
        end.exit_code = 137;
        end.is_out_of_memory = true;
    }
    return end;
}

uint16_t behaviour_main_container(const struct task_def *def)
{
    for (size_t i = 0; i < def->container_count; i++)
        if (def->containers[i].is_essential)
            return (uint16_t)i;
    return 0;
}
