/*
 * chaos.h -- faults such as a tester of databases uses: seeded, in any scenario (its key `faults`).
 *
 *     the network     messages lost, late, twice, out of order; partitions; swizzled clogging
 *     observation     disconnects that are seen late or never; agents that come and go
 *     the controller  ends between any two parts of a step; a disk that is slow, fails or tears
 *     clocks          the wall clock jumps
 *     machines        vanish and return empty or not; racks and zones; slow hosts; engine restarts
 *
 * Each kind of fault of the scenario is a Poisson process whose rate is drawn once for the seed.
 * When it comes, whom it hits and how long it lasts are draws of the fault's own number within its
 * kind: nothing else moves them, and no variant does. What happens to a message is drawn from a
 * stream of its host. Nothing here decides what follows: hosts are lost by the fleet's own ways,
 * and the driver ends and restarts the controller.
 */
#ifndef BERTH_SIM_CHAOS_CHAOS_H
#define BERTH_SIM_CHAOS_CHAOS_H

#include "scheduler/core/loop.h"
#include "sim/fleet/fleet.h"
#include "sim/scenario/scenario.h"

/* What can be seen to have happened: finer than the keys of `faults`. */
enum chaos_kind {
    CHAOS_MESSAGE_LOST = 0, /* counted by message */
    CHAOS_MESSAGE_DELAYED,
    CHAOS_MESSAGE_DUPLICATED,
    CHAOS_MESSAGE_REORDERED,
    CHAOS_PARTITION, /* both ways; what follows is counted by fault */
    CHAOS_PARTITION_DOWN,
    CHAOS_PARTITION_UP,
    CHAOS_CLOG,
    CHAOS_DETECTION_LATE,
    CHAOS_DETECTION_MISSED,
    CHAOS_AGENT_FLAP,
    CHAOS_CRASH_DECIDED,  /* the controller ended before its decision was appended */
    CHAOS_CRASH_APPENDED, /* ... before the batch was durable */
    CHAOS_CRASH_TORN,     /* ... while it was being written: a torn tail */
    CHAOS_CRASH_DURABLE,  /* ... before the effects went out */
    CHAOS_CRASH_IDLE,     /* ... between two steps */
    CHAOS_SLOW_DISK,
    CHAOS_DISK_FAILURE,
    CHAOS_CLOCK_FORWARD,
    CHAOS_CLOCK_BACKWARD,
    CHAOS_HOST_TERMINATED,
    CHAOS_HOST_WIPED,
    CHAOS_HOST_STOPPED,
    CHAOS_HOST_HUNG,
    CHAOS_HOST_DISCONNECTED,
    CHAOS_RACK_LOST,
    CHAOS_ZONE_LOST,
    CHAOS_ENGINE_LOST, /* the engine restarted, its containers are gone */
    CHAOS_ENGINE_KEPT,
    CHAOS_HOST_SLOW,
    CHAOS_KIND_COUNT
};

extern const char *const chaos_kind_names[CHAOS_KIND_COUNT]; /* "messageLost", ... */

struct chaos_hosts { /* owned by whoever asked */
    uint32_t *items;
    size_t count;
};

/* The driver's side. */
struct chaos_ops {
    /* Call chaos_fire then, with a, b and c. */
    void (*put)(void *context, berth_ns at_ns, uint32_t a, uint64_t b, uint64_t c);
    /* Slots of the fleet, before anything runs. */
    void (*select)(void *context, const struct scenario_selector *selector,
                   struct chaos_hosts *out);
    uint32_t (*lose)(void *context, uint32_t host, enum loss_mode mode, const char *why);
    void (*give_back)(void *context, uint32_t host, uint32_t loss);
    /* A fault began or ended; HOST_NONE: it is not one host's. */
    void (*told)(void *context, enum chaos_kind kind, const char *name, uint32_t host,
                 bool is_begin);
    /* The controller ends as `kind` says, or the next write fails. It is counted and told of when
       that comes about. False when it cannot be now. */
    bool (*crash)(void *context, enum chaos_kind kind, berth_ns down_ns);
    void (*slow_disk)(void *context, const struct distribution *delay); /* NULL: as it was */
    void (*jump_clock)(void *context, berth_ns by_ns);
    void (*heal)(void *context); /* nothing that is prepared is to come about any more */
};

struct chaos;

/* All is borrowed. `key`: parent of every stream. */
struct chaos *chaos_create(const struct scenario *scenario, uint64_t key, berth_ns end_ns,
                           struct fleet *fleet, const struct chaos_ops *ops, void *context);
void chaos_destroy(struct chaos *chaos);
void chaos_start(struct chaos *chaos);
void chaos_fire(struct chaos *chaos, berth_ns now_ns, uint32_t a, uint64_t b, uint64_t c);

/* For fleet_ops.fate. */
void chaos_fate(struct chaos *chaos, uint32_t host, struct message_fate *fate);

/* What a scenario can bring about: a run without it need not prepare for it. */
bool chaos_needs_records(const struct scenario *scenario);
bool chaos_meets_messages(const struct scenario *scenario);

/* A fault at once, of the timeline: `kind`, and for how long, as `fault` says. */
void chaos_begin(struct chaos *chaos, berth_ns now_ns, const char *name, enum fault_kind kind,
                 const struct scenario_fault *fault, const struct chaos_hosts *hosts);

void chaos_count(struct chaos *chaos, enum chaos_kind kind); /* it came about */
void chaos_counts(const struct chaos *chaos, uint64_t counts[CHAOS_KIND_COUNT]);

#endif
