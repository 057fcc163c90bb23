/*
 * messages.c -- what becomes of a message while faults of the network last.
 *
 * Every message of a host that is hit takes its numbers from the host's own stream, in the order of
 * the faults: what happens elsewhere moves none of them.
 */
#include "sim/chaos/chaos_internal.h"

bool chaos_meets_messages(const struct scenario *scenario)
{
    for (int kind = FAULT_MESSAGE_LOSS; kind <= FAULT_MESSAGE_REORDER; kind++)
        if (scenario->faults.kinds[kind].is_set)
            return true;
    return false;
}

static void meet(struct chaos *chaos, const struct active *fault, struct rng *stream,
                 struct message_fate *fate)
{
    static const struct distribution held_back = {
        .kind = DISTRIBUTION_EXPONENTIAL, .p = {2, 0}, .max = 60};
    if (fault->kind == FAULT_MESSAGE_DELAY) {
        fate->extra_ns += distribution_draw_ns(&fault->rule->amount, stream);
        chaos_count(chaos, CHAOS_MESSAGE_DELAYED);
        return;
    }
    bool is_hit = chaos_uniform(stream) < fault->drawn;
    berth_ns back_ns = distribution_draw_ns(&held_back, stream);
    if (!is_hit || fate->is_lost)
        return;
    chaos_count(chaos, fault->shown);
    if (fault->kind == FAULT_MESSAGE_LOSS) {
        fate->is_lost = true;
    } else if (fault->kind == FAULT_MESSAGE_DUPLICATE) {
        fate->twice_after_ns = back_ns;
    } else {
        fate->is_overtaken = true;
        fate->extra_ns += back_ns;
    }
}

/* Instance groups grow: a host may have joined after the faults were made ready. */
static struct rng *stream_of(struct chaos *chaos, uint32_t host)
{
    while (chaos->message_streams.count <= host) {
        uint32_t next = (uint32_t)chaos->message_streams.count;
        *vec_push(&chaos->message_streams) =
            (struct rng){.key = rng_key(chaos->key, "messages", next)};
    }
    return &chaos->message_streams.items[host];
}

void chaos_fate(struct chaos *chaos, uint32_t host, struct message_fate *fate)
{
    if (chaos->message_faults == 0)
        return;
    for (size_t i = 0; i < chaos->slots.count; i++) {
        const struct active *fault = &chaos->slots.items[i];
        if (fault->is_active && host < fault->hit_count && fault->hits[host])
            meet(chaos, fault, stream_of(chaos, host), fate);
    }
}
