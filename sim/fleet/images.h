/*
 * images.h -- which images every host holds, and its one image download at a time.
 *
 * A pull of an image that is there ends at once. Another one waits for the pulls before it on its
 * host, first come, first served, and then takes its time; who asks for an image that is on its way
 * waits for that pull. A pull that fails takes as long and leaves nothing; when the image is there
 * already it is used in spite of the failure, as ECS's default pull behaviour does.
 */
#ifndef BERTH_SIM_FLEET_IMAGES_H
#define BERTH_SIM_FLEET_IMAGES_H

#include "scheduler/base/map.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/units.h"

struct images {
    struct map by_host; /* disk and image to an index into ready_ns */
    VEC(berth_ns) ready_ns;
};

/* The download queue of one host. `disk` is a number that no other disk of the run ever had. */
struct image_disk {
    uint32_t disk;
    berth_ns free_at_ns; /* when the last pull that was asked for ends */
};

struct image_pull {
    berth_ns done_at_ns;
    bool has_failed;
};

void images_free(struct images *images); /* a zeroed struct is empty and ready */

/* Ask for an image now. `takes_ns`: overhead and bytes, when it must be fetched. */
struct image_pull images_pull(struct images *images, struct image_disk *disk, uint32_t image,
                              berth_ns now_ns, berth_ns takes_ns, bool fails);

/* Pulls under way are lost with the power; what was complete stays on the disk. */
void images_power_lost(struct images *images, struct image_disk *disk, uint32_t image_count,
                       berth_ns now_ns);

#endif
