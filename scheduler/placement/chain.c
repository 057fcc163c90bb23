/*
 * chain.c -- the plain reading of the rules: filter all instances, narrow step by step, break ties.
 *
 * This is the reference. It asks the instances and nothing derived from them (counts by value are
 * summed afresh), so that the index and the cluster's counters are tested against it.
 */
#include "scheduler/placement/chain.h"

#include <assert.h>
#include <stdio.h>

#include "scheduler/base/mem.h"

/* Tasks of the group by value of the attribute, over all instances. */
static void sum_by_value(const struct strategy_view *view, struct map *sums)
{
    for (instance_id id = 0; id < cluster_instance_count(view->cluster); id++) {
        uint32_t tasks = cluster_group_tasks_on(view->cluster, view->group, id);
        if (tasks == 0)
            continue;
        symbol value = cluster_spread_value(view->cluster, id, view->attribute);
        uint32_t before = map_get(sums, value);
        map_put(sums, value, before == MAP_ABSENT ? tasks : before + tasks);
    }
}

struct strategy_view view_begin(const struct cluster *cluster, const struct strategy_step *step,
                                const struct demand *demand, group_id group, bool may_track,
                                struct map *sums)
{
    struct strategy_view view = {.cluster = cluster,
                                 .demand = demand,
                                 .group = group,
                                 .field = step->field,
                                 .attribute = step->attribute,
                                 .tracked = TRACKED_NONE};
    if (step->field != FIELD_ATTRIBUTE)
        return view;
    if (may_track)
        view.tracked = cluster_find_tracked(cluster, step->attribute);
    if (view.tracked == TRACKED_NONE) {
        sum_by_value(&view, sums);
        view.tasks_by_value = sums;
    }
    return view;
}

int64_t view_score(const struct strategy_view *view, const struct strategy_step *step,
                   instance_id id)
{
    return step->strategy->score == NULL ? 0 : step->strategy->score(view, id);
}

static bool list_contains(void *context, instance_id id)
{
    const struct candidates *candidates = context;
    size_t low = 0, high = candidates->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (candidates->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < candidates->count && candidates->ids[low] == id;
}

static size_t list_all(void *context, const instance_id **ids)
{
    const struct candidates *candidates = context;
    *ids = candidates->ids;
    return candidates->count;
}

static void keep_lowest(const struct strategy_view *view, const struct strategy_step *step,
                        struct candidates *candidates)
{
    int64_t best = INT64_MAX;
    size_t kept = 0;
    for (size_t i = 0; i < candidates->count; i++) {
        int64_t score = view_score(view, step, candidates->ids[i]);
        if (score < best)
            kept = 0;
        if (score <= best) {
            best = score;
            candidates->ids[kept++] = candidates->ids[i];
        }
    }
    candidates->count = kept;
}

instance_id chain_draw(const struct strategy_view *view, const struct strategy_step *step,
                       struct rng *stream, const struct draw_set *set)
{
    instance_id drawn[2];
    struct candidates kept = {drawn, 0};
    assert(stream != NULL && step->strategy->draws <= 2);
    while (kept.count < step->strategy->draws) {
        instance_id other = kept.count == 0 ? INSTANCE_NONE : drawn[0];
        instance_id id = draw_member(set, other, stream);
        if (id == INSTANCE_NONE)
            break;
        drawn[kept.count++] = id;
    }
    if (kept.count == 0)
        return INSTANCE_NONE;
    keep_lowest(view, step, &kept);
    return chain_tie_break(view->cluster, view->group, &kept);
}

void chain_narrow(const struct strategy_view *view, const struct strategy_step *step,
                  struct rng *stream, struct candidates *candidates)
{
    if (candidates->count == 0)
        return;
    if (step->strategy->draws == 0) {
        keep_lowest(view, step, candidates);
        return;
    }
    struct draw_set set = {.context = candidates,
                           .number_count = cluster_instance_count(view->cluster),
                           .contains = list_contains,
                           .list = list_all};
    candidates->ids[0] = chain_draw(view, step, stream, &set);
    candidates->count = 1;
}

instance_id chain_tie_break(const struct cluster *cluster, group_id group,
                            const struct candidates *candidates)
{
    instance_id best = INSTANCE_NONE;
    uint32_t best_tasks = UINT32_MAX;
    for (size_t i = 0; i < candidates->count; i++) {
        instance_id id = candidates->ids[i];
        uint32_t tasks = cluster_group_tasks_on(cluster, group, id);
        if (tasks < best_tasks || (tasks == best_tasks && id < best)) {
            best = id;
            best_tasks = tasks;
        }
    }
    return best;
}

static struct candidates filter_all(const struct cluster *cluster,
                                    const struct placement_request *request)
{
    uint32_t total = cluster_instance_count(cluster);
    struct candidates all = {mem_resize(NULL, (size_t)total + 1, sizeof(instance_id)), 0};
    for (instance_id id = 0; id < total; id++)
        if (placement_check(cluster, request, id) == PLACEMENT_FITS)
            all.ids[all.count++] = id;
    return all;
}

static void narrow_by_scan(const struct cluster *cluster, const struct placement_request *request,
                           const struct strategy_step *step, struct candidates *candidates)
{
    struct map sums = MAP_INIT;
    struct strategy_view view =
        view_begin(cluster, step, request->demand, request->group, false, &sums);
    chain_narrow(&view, step, request->stream, candidates);
    map_free(&sums);
}

instance_id placement_choose_by_scan(const struct cluster *cluster,
                                     const struct placement_request *request)
{
    const struct placement_plan *plan = request->plan;
    struct candidates candidates = filter_all(cluster, request);
    for (size_t i = 0; i < plan->step_count && candidates.count > 0; i++)
        narrow_by_scan(cluster, request, &plan->steps[i], &candidates);
    instance_id chosen = chain_tie_break(cluster, request->group, &candidates);
    mem_free(candidates.ids);
    return chosen;
}

size_t placement_explain(const struct cluster *cluster, const struct placement_request *request,
                         struct placement_step steps[PLACEMENT_STRATEGIES_MAX + 2])
{
    const struct placement_plan *plan = request->plan;
    struct rng copy = {0, 0};
    if (request->stream != NULL)
        copy = *request->stream; /* Explaining must not move the stream. */
    struct placement_request explained = *request;
    explained.stream = &copy;
    struct candidates candidates = filter_all(cluster, request);
    size_t count = 0;
    snprintf(steps[count].label, sizeof steps[count].label, "filters");
    steps[count++].kept = (uint32_t)candidates.count;
    for (size_t i = 0; i < plan->step_count && candidates.count > 0; i++) {
        narrow_by_scan(cluster, &explained, &plan->steps[i], &candidates);
        strategy_step_format(cluster_symbols(cluster), &plan->steps[i], steps[count].label,
                             sizeof steps[count].label);
        steps[count++].kept = (uint32_t)candidates.count;
    }
    if (candidates.count > 0) {
        snprintf(steps[count].label, sizeof steps[count].label, "tie-break");
        steps[count++].kept = 1;
    }
    mem_free(candidates.ids);
    return count;
}
