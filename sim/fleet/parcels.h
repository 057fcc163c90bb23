/*
 * parcels.h -- messages on their way between the controller and the agents.
 *
 * A message is lent to whoever sends it and must outlive the step, so a parcel holds a copy. Slots
 * are used again; a slot is named by a number, which fits into a queued event.
 */
#ifndef BERTH_SIM_FLEET_PARCELS_H
#define BERTH_SIM_FLEET_PARCELS_H

#include "scheduler/base/mem.h"
#include "scheduler/core/message.h"

struct parcels {
    VEC(struct parcel) slots;
    uint32_t free_first; /* a slot's number + 1; 0: none */
    uint32_t held_count;
};

struct parcel {
    struct message message; /* owned copy while held */
    uint32_t free_next;
    bool is_held;
};

void parcels_free(struct parcels *parcels); /* a zeroed struct is empty and ready */
uint32_t parcels_hold(struct parcels *parcels, const struct message *message);
/* Hand the message over; the caller releases it with message_release. */
struct message parcels_take(struct parcels *parcels, uint32_t slot);

#endif
