#include "sim/fleet/images.h"

#include "sim/fleet/behaviour.h"

static uint64_t image_key(const struct image_disk *disk, uint32_t image)
{
    return (uint64_t)disk->disk << 32 | image;
}

void images_free(struct images *images)
{
    map_free(&images->by_host);
    vec_free(&images->ready_ns);
}

struct image_pull images_pull(struct images *images, struct image_disk *disk, uint32_t image,
                              berth_ns now_ns, berth_ns takes_ns, bool fails)
{
    uint64_t key = image_key(disk, image);
    uint32_t known = map_get(&images->by_host, key);
    if (known != MAP_ABSENT && images->ready_ns.items[known] != BERTH_NS_NEVER) {
        berth_ns ready_ns = images->ready_ns.items[known];
        return (struct image_pull){.done_at_ns = ready_ns > now_ns ? ready_ns : now_ns};
    }
    berth_ns begin_ns = disk->free_at_ns > now_ns ? disk->free_at_ns : now_ns;
    disk->free_at_ns = behaviour_later(begin_ns, takes_ns);
    if (!fails && known == MAP_ABSENT) {
        map_put(&images->by_host, key, (uint32_t)images->ready_ns.count);
        *vec_push(&images->ready_ns) = disk->free_at_ns;
    } else if (!fails) {
        images->ready_ns.items[known] = disk->free_at_ns;
    }
    return (struct image_pull){.done_at_ns = disk->free_at_ns, .has_failed = fails};
}

void images_power_lost(struct images *images, struct image_disk *disk, uint32_t image_count,
                       berth_ns now_ns)
{
    if (disk->free_at_ns <= now_ns)
        return;
    for (uint32_t image = 0; image < image_count; image++) {
        uint32_t known = map_get(&images->by_host, image_key(disk, image));
        if (known != MAP_ABSENT && images->ready_ns.items[known] > now_ns)
            images->ready_ns.items[known] = BERTH_NS_NEVER;
    }
    disk->free_at_ns = now_ns;
}
