/*
 * behaviour.h -- what a simulated task does: how long its pulls, starts, lives and stops last, and
 * whether they fail.
 *
 * Every draw has a stream of its own, keyed by what the copy is (its group and its reference, see
 * task_payload) and by the purpose; never by instance, time or variant. So the seventh copy of
 * service:web lives as long under every placement strategy, wherever and whenever it is started.
 */
#ifndef BERTH_SIM_FLEET_BEHAVIOUR_H
#define BERTH_SIM_FLEET_BEHAVIOUR_H

#include "scheduler/core/message.h"
#include "sim/scenario/scenario.h"

/* now + delay, or BERTH_NS_NEVER when that is beyond the end of time. Both are >= 0. */
static inline berth_ns behaviour_later(berth_ns now_ns, berth_ns delay_ns)
{
    return delay_ns >= BERTH_NS_NEVER - now_ns ? BERTH_NS_NEVER : now_ns + delay_ns;
}

/* The key of one copy under the key of the replication. */
uint64_t behaviour_key(uint64_t parent, const char *group, uint64_t reference);

/* One draw of `purpose` for part `entity` (a container's index) of the copy. */
berth_ns behaviour_draw_ns(const struct distribution *distribution, uint64_t key,
                           const char *purpose, uint64_t entity);

/* A delay that is asked for often: most delays of most scenarios are constants, worked out once. */
struct behaviour_delay {
    const struct distribution *drawn; /* lent; NULL: it is a constant */
    berth_ns constant_ns;
};
struct behaviour_delay behaviour_delay(const struct distribution *distribution);

bool behaviour_draw_chance(double probability, uint64_t key, const char *purpose, uint64_t entity);

static inline bool behaviour_chance(double probability, uint64_t key, const char *purpose,
                                    uint64_t entity)
{
    return probability > 0 && behaviour_draw_chance(probability, key, purpose, entity);
}

/* Uniform in [0, below_ns). */
berth_ns behaviour_uniform_ns(berth_ns below_ns, uint64_t key, const char *purpose,
                              uint64_t entity);

/* How a container ends by itself: so long after its start, or BERTH_NS_NEVER. */
struct container_end {
    berth_ns after_ns;
    int32_t exit_code;
    bool is_out_of_memory;
};

/*
 * `lifetime_ns`: the copy's own as its source gave it, or BERTH_NS_NEVER to draw the definition's.
 * Only the main container, the first essential one, has a lifetime and may crash as a bad release.
 * `restarts`: how often it was restarted in place before; each life is drawn anew.
 */
struct container_end behaviour_end(const struct scenario_task_def *def, uint64_t key,
                                   berth_ns lifetime_ns, bool is_main, uint32_t restarts);

uint16_t behaviour_main_container(const struct task_def *def);

#endif
