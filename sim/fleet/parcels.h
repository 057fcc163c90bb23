/*
 * parcels.h -- messages on their way between the controller and the agents.
 *
 * A message is lent to whoever sends it and must outlive the step, so a parcel holds a copy. A
 * parcel is named by a number, which fits into a queued event, and stays where it is until it is
 * released: whoever opens it reads the message in place.
 */
#ifndef BERTH_SIM_FLEET_PARCELS_H
#define BERTH_SIM_FLEET_PARCELS_H

#include "scheduler/base/pool.h"
#include "scheduler/core/message.h"

struct parcel {
    struct message message; /* owned copy while held */
    bool is_held;
};

struct parcels {
    struct pool pool;
    uint32_t held_count;
};

#define PARCELS_INIT                      \
    {                                     \
        .pool = POOL_INIT(struct parcel), \
    }

void parcels_free(struct parcels *parcels);
uint32_t parcels_hold(struct parcels *parcels, const struct message *message);
const struct message *parcels_open(const struct parcels *parcels, uint32_t number);
void parcels_release(struct parcels *parcels, uint32_t number);

#endif
