#include "sim/fleet/parcels.h"

#include <assert.h>

static struct parcel *parcel_at(const struct parcels *parcels, uint32_t number)
{
    return pool_at(&parcels->pool, number);
}

void parcels_free(struct parcels *parcels)
{
    for (uint32_t i = 0; i < parcels->pool.count; i++)
        if (parcel_at(parcels, i)->is_held)
            message_release(&parcel_at(parcels, i)->message);
    pool_free(&parcels->pool);
    parcels->held_count = 0;
}

uint32_t parcels_hold(struct parcels *parcels, const struct message *message)
{
    uint32_t number = pool_take(&parcels->pool);
    struct parcel *parcel = parcel_at(parcels, number);
    parcel->message = message_is_deep(message) ? message_copy(message) : *message;
    parcel->is_held = true;
    parcels->held_count++;
    return number;
}

const struct message *parcels_open(const struct parcels *parcels, uint32_t number)
{
    assert(number < parcels->pool.count && parcel_at(parcels, number)->is_held);
    return &parcel_at(parcels, number)->message;
}

void parcels_release(struct parcels *parcels, uint32_t number)
{
    struct parcel *parcel = parcel_at(parcels, number);
    assert(parcel->is_held);
    if (message_is_deep(&parcel->message))
        message_release(&parcel->message);
    parcel->is_held = false;
    pool_give(&parcels->pool, number);
    parcels->held_count--;
}
