#include "sim/fleet/parcels.h"

#include <assert.h>

void parcels_free(struct parcels *parcels)
{
    for (size_t i = 0; i < parcels->slots.count; i++)
        if (parcels->slots.items[i].is_held)
            message_release(&parcels->slots.items[i].message);
    vec_free(&parcels->slots);
    parcels->free_first = 0;
    parcels->held_count = 0;
}

uint32_t parcels_hold(struct parcels *parcels, const struct message *message)
{
    uint32_t slot;
    if (parcels->free_first != 0) {
        slot = parcels->free_first - 1;
        parcels->free_first = parcels->slots.items[slot].free_next;
    } else {
        slot = (uint32_t)parcels->slots.count;
        (void)vec_push(&parcels->slots);
    }
    struct parcel *parcel = &parcels->slots.items[slot];
    parcel->message = message_copy(message);
    parcel->is_held = true;
    parcels->held_count++;
    return slot;
}

struct message parcels_take(struct parcels *parcels, uint32_t slot)
{
    assert(slot < parcels->slots.count && parcels->slots.items[slot].is_held);
    struct parcel *parcel = &parcels->slots.items[slot];
    parcel->is_held = false;
    parcel->free_next = parcels->free_first;
    parcels->free_first = slot + 1;
    parcels->held_count--;
    return parcel->message;
}
