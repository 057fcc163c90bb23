/*
 * chaos_internal.h -- the state of all faults, shared by the parts of sim/chaos.
 *
 *     chaos.c     when faults come, whom they hit, when they end
 *     enact.c     what each kind does when it begins and ends
 *     messages.c  what becomes of a message
 */
#ifndef BERTH_SIM_CHAOS_CHAOS_INTERNAL_H
#define BERTH_SIM_CHAOS_CHAOS_INTERNAL_H

#include "scheduler/base/mem.h"
#include "sim/chaos/chaos.h"

/* What is queued, as `a` of chaos_fire. */
enum chaos_step {
    CHAOS_COMES = 0, /* b: enum fault_kind */
    CHAOS_ENDS,      /* b: slot, c: its generation; likewise below, in the low half of c */
    CHAOS_TURNS,     /* a flap's next change; a clog's next host, c >> 32 */
    CHAOS_HEALS,
};

struct chaos_host {
    uint32_t host;
    uint32_t loss; /* for give_back */
    bool is_hit;
};

/* A fault that has begun. Slots are used again. */
struct active {
    bool is_active, is_ending; /* ending: the first of two ends is over */
    enum fault_kind kind;
    enum chaos_kind shown;
    const char *name;                  /* of the timeline's entry, or of the kind */
    const struct scenario_fault *rule; /* of the scenario */
    double drawn;                      /* one draw of its amount */
    uint32_t generation;
    struct rng stream;        /* draws while it lasts */
    struct chaos_host *hosts; /* owned */
    uint32_t host_count;
    bool *hits;         /* owned: by host; of messages only */
    uint32_t hit_count; /* hosts that were there when it began */
};

struct source_of_faults { /* one kind of the scenario */
    struct rng gaps;
    double per_hour;
    uint64_t key, count;
    struct chaos_hosts hosts; /* items owned: whom it can hit */
};

struct chaos {
    const struct scenario *scenario;
    struct fleet *fleet;
    const struct chaos_ops *ops;
    void *context;
    uint64_t key;
    berth_ns now_ns, end_ns;
    struct source_of_faults sources[FAULT_KIND_COUNT];
    VEC(struct active) slots;
    uint32_t message_faults; /* active ones */
    uint32_t slow_disks;
    VEC(struct rng) message_streams; /* by host, as far as they were needed */
    uint64_t counts[CHAOS_KIND_COUNT];
};

/* chaos.c */
double chaos_uniform(struct rng *stream); /* in [0, 1) */
void chaos_queue(struct chaos *chaos, berth_ns after_ns, enum chaos_step step, uint32_t slot,
                 uint32_t part);

/* enact.c. False: it cannot be now, and nothing was done. */
bool enact_begin(struct chaos *chaos, uint32_t slot, uint32_t choice, berth_ns duration_ns);
void enact_turn(struct chaos *chaos, uint32_t slot, uint32_t part);
/* True when it is over; false when a second end is queued. `is_healing`: it must be over. */
bool enact_end(struct chaos *chaos, uint32_t slot, bool is_healing);

#endif
