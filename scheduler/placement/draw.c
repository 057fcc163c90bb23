/*
 * draw.c -- first by rejection, then by counting.
 *
 * Drawing the k-th of n candidates needs n, which costs a look at every instance. A number drawn
 * from all instances and kept when it is a candidate is just as uniform and needs no count; with a
 * share p of candidates among instances it takes 1/p draws. After DRAWS_MAX misses the set is small
 * or empty, and counting it is cheap for whoever can skip full instances: then one more draw among
 * the members. Mixing the two stays uniform, since each is.
 */
#include "scheduler/placement/draw.h"

#define DRAWS_MAX 32

static instance_id draw_by_counting(const struct draw_set *set, instance_id exclude,
                                    struct rng *stream)
{
    const instance_id *ids;
    size_t count = set->list(set->context, &ids);
    size_t skipped = count; /* where `exclude` stands */
    for (size_t i = 0; i < count && exclude != INSTANCE_NONE; i++)
        if (ids[i] == exclude)
            skipped = i;
    size_t others = skipped < count ? count - 1 : count;
    if (others == 0)
        return INSTANCE_NONE;
    size_t drawn = (size_t)rng_below(stream, others);
    return ids[drawn >= skipped ? drawn + 1 : drawn];
}

instance_id draw_member(const struct draw_set *set, instance_id exclude, struct rng *stream)
{
    for (int i = 0; i < DRAWS_MAX && set->number_count > 0; i++) {
        instance_id id = (instance_id)rng_below(stream, set->number_count);
        if (id != exclude && set->contains(set->context, id))
            return id;
    }
    return draw_by_counting(set, exclude, stream);
}
