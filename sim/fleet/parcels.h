/*
 * parcels.h -- messages on their way between the controller and the agents.
 *
 * A message is lent to whoever sends it and must outlive the step, so a parcel holds a copy. A
 * parcel is named by a number, which fits into a queued event, and stays where it is until it is
 * released: whoever opens it reads the message in place.
 */
#ifndef BERTH_SIM_FLEET_PARCELS_H
#define BERTH_SIM_FLEET_PARCELS_H

#include <assert.h>

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

static inline struct parcel *parcels_at(const struct parcels *parcels, uint32_t number)
{
    return pool_at(&parcels->pool, number);
}

static inline uint32_t parcels_hold(struct parcels *parcels, const struct message *message)
{
    uint32_t number = pool_take(&parcels->pool);
    struct parcel *parcel = parcels_at(parcels, number);
    parcel->message = *message;
    if (message_is_deep(message))
        parcel->message = message_copy(message);
    parcel->is_held = true;
    parcels->held_count++;
    return number;
}

static inline const struct message *parcels_open(const struct parcels *parcels, uint32_t number)
{
    assert(number < parcels->pool.count && parcels_at(parcels, number)->is_held);
    return &parcels_at(parcels, number)->message;
}

static inline void parcels_release(struct parcels *parcels, uint32_t number)
{
    struct parcel *parcel = parcels_at(parcels, number);
    assert(parcel->is_held);
    if (message_is_deep(&parcel->message))
        message_release(&parcel->message);
    parcel->is_held = false;
    pool_give(&parcels->pool, number);
    parcels->held_count--;
}

#endif
