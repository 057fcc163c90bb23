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

#endif
