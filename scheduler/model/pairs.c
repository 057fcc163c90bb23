/*
 * pairs.c -- two tracked attributes taken together: the pairs of values that instances have,
 * numbered like the values of one attribute.
 *
 * A spread over zones and then racks opens pairs in the order of their counts; the counts are those
 * of the two attributes, so a pair has none of its own, and a join costs it nothing.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/model/cluster_internal.h"

static uint32_t number_of(struct pairing *pairing, uint32_t first, uint32_t second)
{
    uint64_t key = (uint64_t)first << 32 | second;
    uint32_t number = map_get(&pairing->number_of, key);
    if (number != MAP_ABSENT)
        return number;
    number = (uint32_t)pairing->values.count;
    *vec_push(&pairing->values) = (struct value_pair){first, second};
    map_put(&pairing->number_of, key, number);
    return number;
}

static uint32_t pair_of(const struct cluster *cluster, struct pairing *pairing, instance_id id)
{
    return number_of(pairing, cluster_value_of(cluster, pairing->first, id),
                     cluster_value_of(cluster, pairing->second, id));
}

tracked_id cluster_track_pair(struct cluster *cluster, tracked_id first, tracked_id second)
{
    assert((first & TRACKED_PAIR) == 0 && (second & TRACKED_PAIR) == 0);
    for (size_t i = 0; i < cluster->pairings.count; i++)
        if (cluster->pairings.items[i].first == first &&
            cluster->pairings.items[i].second == second)
            return TRACKED_PAIR | (tracked_id)i;
    struct pairing *pairing = vec_push(&cluster->pairings);
    memset(pairing, 0, sizeof *pairing);
    pairing->first = first;
    pairing->second = second;
    for (instance_id id = 0; id < cluster->head.instance_count; id++)
        *vec_push(&pairing->of) = pair_of(cluster, pairing, id);
    return TRACKED_PAIR | (tracked_id)(cluster->pairings.count - 1);
}

struct value_pair cluster_value_pair(const struct cluster *cluster, tracked_id pair, uint32_t value)
{
    assert(value < pairing_at(cluster, pair)->values.count);
    return pairing_at(cluster, pair)->values.items[value];
}

void pairs_add_instance(struct cluster *cluster, instance_id id)
{
    for (size_t i = 0; i < cluster->pairings.count; i++)
        *vec_push(&cluster->pairings.items[i].of) =
            pair_of(cluster, &cluster->pairings.items[i], id);
}

void pairs_value_changed(struct cluster *cluster, instance_id id)
{
    for (size_t i = 0; i < cluster->pairings.count; i++)
        cluster->pairings.items[i].of.items[id] = pair_of(cluster, &cluster->pairings.items[i], id);
}

void pairs_free(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->pairings.count; i++) {
        map_free(&cluster->pairings.items[i].number_of);
        vec_free(&cluster->pairings.items[i].values);
        vec_free(&cluster->pairings.items[i].of);
    }
    vec_free(&cluster->pairings);
}

void pairs_audit(const struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->pairings.count; i++)
        for (instance_id id = 0; id < cluster->head.instance_count; id++) {
            const struct pairing *pairing = &cluster->pairings.items[i];
            struct value_pair pair = pairing->values.items[pairing->of.items[id]];
            assert(pair.first == cluster_value_of(cluster, pairing->first, id));
            assert(pair.second == cluster_value_of(cluster, pairing->second, id));
            (void)pair;
        }
}
