#include "sim/fleet/images.h"

#include "sim/fleet/behaviour.h"

static uint64_t image_key(const struct image_disk *disk, uint32_t image)
{
    return (uint64_t)disk->disk << 32 | image;
}

static struct image_on_its_way *on_its_way(const struct images *images, uint32_t number)
{
    return pool_at(&images->on_their_way, number);
}

void images_free(struct images *images)
{
    pool_free(&images->on_their_way);
    map_free(&images->there);
}

static void add(struct images *images, struct image_disk *disk, uint32_t image)
{
    if (image < IMAGES_OF_DISK)
        disk->there |= UINT64_C(1) << image;
    else
        map_put(&images->there, image_key(disk, image), 0);
}

/* Those that have arrived are there; the rest stays on its way, or is lost. */
static void settle(struct images *images, struct image_disk *disk, berth_ns now_ns, bool is_lost)
{
    uint32_t *link = &disk->first;
    while (*link != 0) {
        uint32_t number = *link - 1;
        struct image_on_its_way *image = on_its_way(images, number);
        if (image->ready_ns > now_ns && !is_lost) {
            link = &image->next;
            continue;
        }
        if (image->ready_ns <= now_ns)
            add(images, disk, image->image);
        *link = image->next;
        pool_give(&images->on_their_way, number);
    }
}

bool images_look(struct images *images, struct image_disk *disk, uint32_t image, berth_ns now_ns)
{
    if (disk->first != 0)
        settle(images, disk, now_ns, false);
    if (image < IMAGES_OF_DISK)
        return (disk->there >> image & 1) != 0;
    return map_get(&images->there, image_key(disk, image)) != MAP_ABSENT;
}

static berth_ns ready_at(const struct images *images, const struct image_disk *disk, uint32_t image)
{
    for (uint32_t link = disk->first; link != 0; link = on_its_way(images, link - 1)->next)
        if (on_its_way(images, link - 1)->image == image)
            return on_its_way(images, link - 1)->ready_ns;
    return BERTH_NS_NEVER;
}

struct image_pull images_pull(struct images *images, struct image_disk *disk, uint32_t image,
                              berth_ns now_ns, berth_ns takes_ns, bool fails)
{
    if (images_is_there(images, disk, image, now_ns))
        return (struct image_pull){.done_at_ns = now_ns};
    berth_ns ready_ns = ready_at(images, disk, image);
    if (ready_ns != BERTH_NS_NEVER)
        return (struct image_pull){.done_at_ns = ready_ns};
    berth_ns begin_ns = disk->free_at_ns > now_ns ? disk->free_at_ns : now_ns;
    disk->free_at_ns = behaviour_later(begin_ns, takes_ns);
    if (!fails && disk->free_at_ns != BERTH_NS_NEVER) {
        uint32_t number = pool_take(&images->on_their_way);
        *on_its_way(images, number) =
            (struct image_on_its_way){image, disk->first, disk->free_at_ns};
        disk->first = number + 1;
    }
    return (struct image_pull){.done_at_ns = disk->free_at_ns, .has_failed = fails};
}

void images_power_lost(struct images *images, struct image_disk *disk, berth_ns now_ns)
{
    settle(images, disk, now_ns, true);
    if (disk->free_at_ns > now_ns)
        disk->free_at_ns = now_ns;
}
