#include "sim/fleet/parcels.h"

void parcels_free(struct parcels *parcels)
{
    for (uint32_t i = 0; i < parcels->pool.count; i++)
        if (parcels_at(parcels, i)->is_held)
            message_release(&parcels_at(parcels, i)->message);
    pool_free(&parcels->pool);
    parcels->held_count = 0;
}
