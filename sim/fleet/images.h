/*
 * images.h -- which images every host holds, and its one image download at a time.
 *
 * A pull of an image that is there ends at once. Another one waits for the pulls before it on its
 * host, first come, first served, and then takes its time; who asks for an image that is on its way
 * waits for that pull. A pull that fails takes as long and leaves nothing; when the image is there
 * already it is used in spite of the failure, as ECS's default pull behaviour does.
 *
 * Nearly every pull finds its image there, so that is a bit of the disk itself, and only images
 * beyond the first 64 of a scenario need a map.
 */
#ifndef BERTH_SIM_FLEET_IMAGES_H
#define BERTH_SIM_FLEET_IMAGES_H

#include <stdbool.h>

#include "scheduler/base/map.h"
#include "scheduler/base/pool.h"
#include "scheduler/base/units.h"

#define IMAGES_OF_DISK 64 /* have a bit of their own */

struct image_on_its_way {
    uint32_t image;
    uint32_t next; /* of the same disk; a number + 1, 0: none */
    berth_ns ready_ns;
};

struct images {
    struct pool on_their_way; /* struct image_on_its_way */
    struct map there;         /* disk and image, beyond the bits of the disk */
};

#define IMAGES_INIT                                         \
    {                                                       \
        .on_their_way = POOL_INIT(struct image_on_its_way), \
    }

/* The download queue of one host. `disk` is a number that no other disk of the run ever had. */
struct image_disk {
    uint64_t there;      /* a bit for each of the first images */
    berth_ns free_at_ns; /* when the last pull that was asked for ends */
    uint32_t disk;
    uint32_t first; /* on its way, or just arrived; a number + 1, 0: none */
};

struct image_pull {
    berth_ns done_at_ns;
    bool has_failed;
};

void images_free(struct images *images);

/* The same as images_is_there, once all that is on its way has been looked at. */
bool images_look(struct images *images, struct image_disk *disk, uint32_t image, berth_ns now_ns);

/* Whether a pull of it would end at once. */
static inline bool images_is_there(struct images *images, struct image_disk *disk, uint32_t image,
                                   berth_ns now_ns)
{
    return (image < IMAGES_OF_DISK && (disk->there >> image & 1) != 0) ||
           images_look(images, disk, image, now_ns);
}

/* Ask for an image now. `takes_ns`: overhead and bytes, when it must be fetched. */
struct image_pull images_pull(struct images *images, struct image_disk *disk, uint32_t image,
                              berth_ns now_ns, berth_ns takes_ns, bool fails);

/* Pulls under way are lost with the power; what was complete stays on the disk. */
void images_power_lost(struct images *images, struct image_disk *disk, berth_ns now_ns);

#endif
