/*
 * attributes.c -- lists of attributes, one for all instances that have the same.
 *
 * The instances of a group differ in their zone at most, so a fleet has a handful of lists. A list
 * is never changed: another value is another list. Lists are kept as long as the cluster, as the
 * symbols in them are.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/model/cluster_internal.h"

/* Where the attribute stands, or would stand. */
static uint32_t place_of(const struct attribute *items, uint32_t count, symbol name)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (items[middle].name < name)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct attribute *attributes_find(const struct attribute_list *list, symbol name)
{
    uint32_t place = place_of(list->items, list->count, name);
    bool is_there = place < list->count && list->items[place].name == name;
    return is_there ? &list->items[place] : NULL;
}

static bool is_same(const struct attribute_list *list, const struct attribute *items,
                    uint32_t count)
{
    bool is_equal = list->count == count;
    for (uint32_t i = 0; is_equal && i < count; i++)
        is_equal = list->items[i].name == items[i].name && list->items[i].value == items[i].value;
    return is_equal;
}

static const struct attribute_list *shared(struct cluster *cluster, const struct attribute *items,
                                           uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++)
        hash = map_mix(hash + ((uint64_t)items[i].name << 32 | items[i].value));
    uint32_t number = map_get(&cluster->attribute_list_by_hash, hash);
    while (number != MAP_ABSENT && !is_same(cluster->attribute_lists.items[number], items, count))
        number = map_get(&cluster->attribute_list_by_hash, ++hash);
    if (number != MAP_ABSENT)
        return cluster->attribute_lists.items[number];
    struct attribute_list *list = mem_alloc(sizeof *list + count * sizeof *items);
    list->count = count;
    if (count > 0)
        memcpy(list->items, items, count * sizeof *items);
    map_put(&cluster->attribute_list_by_hash, hash, (uint32_t)cluster->attribute_lists.count);
    *vec_push(&cluster->attribute_lists) = list;
    return list;
}

/* Copies into `to`, which has room for one more; returns the new count. */
static uint32_t put(struct attribute *to, uint32_t count, struct attribute attribute)
{
    uint32_t place = place_of(to, count, attribute.name);
    if (place == count || to[place].name != attribute.name) {
        memmove(to + place + 1, to + place, (count - place) * sizeof *to);
        count++;
    }
    to[place] = attribute;
    return count;
}

const struct attribute_list *attributes_of_spec(struct cluster *cluster,
                                                const struct instance_spec *spec)
{
    struct attribute *items = mem_alloc((spec->attribute_count + 1) * sizeof *items);
    uint32_t count = 0;
    for (uint32_t i = 0; i < spec->attribute_count; i++)
        count = put(items, count, spec->attributes[i]);
    assert(count == spec->attribute_count);
    const struct attribute_list *list = shared(cluster, items, count);
    mem_free(items);
    return list;
}

const struct attribute_list *attributes_with(struct cluster *cluster,
                                             const struct attribute_list *list,
                                             struct attribute attribute)
{
    struct attribute *items = mem_alloc((list->count + 1) * sizeof *items);
    memcpy(items, list->items, list->count * sizeof *items);
    const struct attribute_list *with = shared(cluster, items, put(items, list->count, attribute));
    mem_free(items);
    return with;
}

const struct attribute_list *attributes_without(struct cluster *cluster,
                                                const struct attribute_list *list, symbol name)
{
    struct attribute *items = mem_alloc((list->count + 1) * sizeof *items);
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].name != name)
            items[count++] = list->items[i];
    const struct attribute_list *without = shared(cluster, items, count);
    mem_free(items);
    return without;
}

void attributes_free(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->attribute_lists.count; i++)
        mem_free(cluster->attribute_lists.items[i]);
    vec_free(&cluster->attribute_lists);
    map_free(&cluster->attribute_list_by_hash);
}
