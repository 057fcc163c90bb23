/*
 * choose.c -- the same answer as the plain reading, without looking at every instance.
 *
 * A chain that begins with a spread over an attribute is answered level by level: the values with
 * the fewest tasks of the group are opened together, and if no instance there is a candidate, those
 * with the next fewest. Inside the open values the next step picks from an order of the index: by
 * id, by a key that its score rises with, or by the group's tasks. Whatever the index offers is
 * checked like any other candidate, so constraints, ports and GPUs need no order of their own; with
 * a constraint that few instances meet, the walk degrades towards the scan, never to a wrong
 * answer. Steps behind that one narrow the ties it left, as in the plain reading.
 *
 * No order serves: a spread over an attribute behind another step, steps behind a spread over
 * instances, dotProduct (its score turns with every demand), an attribute with more than VALUES_MAX
 * values. Those narrow a list of candidates, in which the index only skips full instances.
 */
#include <assert.h>
#include <stdlib.h>

#include "scheduler/placement/chain.h"
#include "scheduler/placement/index.h"

#define VALUES_MAX 64

struct choice {
    struct cluster *cluster;
    const struct placement_request *request;
    struct placement_index *index;
    tracked_id tracked;               /* of the leading spread, or TRACKED_NONE */
    const struct strategy_step *step; /* behind the leading spread; NULL: the tie-break alone */
    const struct strategy_step *rest; /* behind `step` */
    size_t rest_count;
    struct strategy_view view; /* of `step` */
    struct room wanted;
    struct eligibility eligible;
    uint32_t value_count;
    bool is_open[VALUES_MAX], was_open[VALUES_MAX]; /* nobody has it: as if it had been */
    instance_id best;
    uint32_t best_tasks;
    int64_t best_score;
};

/* Of an instance that an order gave: it is ACTIVE, connected, of the pool, and has the room. */
static bool accepts(void *context, instance_id id)
{
    const struct choice *choice = context;
    return eligible_has(&choice->eligible, id) &&
           (choice->eligible.is_whole ||
            placement_check(choice->cluster, choice->request, id) == PLACEMENT_FITS);
}

static uint32_t value_of(const struct choice *choice, instance_id id)
{
    return choice->tracked == TRACKED_NONE ? 0
                                           : cluster_value_of(choice->cluster, choice->tracked, id);
}

/* Open the values with the fewest tasks of the group among those not yet open. */
static bool open_next_level(struct choice *choice)
{
    uint32_t fewest = UINT32_MAX;
    uint32_t tasks[VALUES_MAX];
    bool is_any = false;
    for (uint32_t value = 0; value < choice->value_count; value++) {
        choice->is_open[value] = false;
        if (choice->was_open[value])
            continue;
        tasks[value] =
            choice->tracked == TRACKED_NONE
                ? 0
                : cluster_tasks_at(choice->cluster, choice->request->group, choice->tracked, value);
        is_any = true;
        fewest = tasks[value] < fewest ? tasks[value] : fewest;
    }
    for (uint32_t value = 0; value < choice->value_count; value++)
        if (!choice->was_open[value] && tasks[value] == fewest)
            choice->is_open[value] = choice->was_open[value] = true;
    return is_any;
}

/* The open candidate with the smallest id. */
static instance_id first_by_id(struct choice *choice, struct id_order *order)
{
    instance_id first = INSTANCE_NONE;
    for (uint32_t value = 0; value < order->parts.count; value++) {
        if (!choice->is_open[value])
            continue;
        struct id_walk walk = id_order_walk(order, value, choice->wanted);
        instance_id id;
        while (id_walk_next(&walk, &id) && id < first)
            if (accepts(choice, id))
                first = id;
    }
    return first;
}

static instance_id fewest_of_group(struct choice *choice, struct id_order *order)
{
    instance_id best = INSTANCE_NONE;
    uint32_t best_tasks = UINT32_MAX;
    for (uint32_t value = 0; value < order->parts.count; value++)
        if (choice->is_open[value])
            id_order_fewest(order, choice->cluster, value, choice->request->group, choice->wanted,
                            accepts, choice, &best, &best_tasks);
    return best;
}

static bool draw_contains(void *context, instance_id id)
{
    struct choice *choice = context;
    return choice->is_open[value_of(choice, id)] && eligible_has(&choice->eligible, id) &&
           placement_check(choice->cluster, choice->request, id) == PLACEMENT_FITS;
}

static int compare_ids(const void *a, const void *b)
{
    instance_id left = *(const instance_id *)a, right = *(const instance_id *)b;
    return left < right ? -1 : left > right;
}

static size_t draw_list(void *context, const instance_id **ids)
{
    struct choice *choice = context;
    struct id_order *order =
        index_id_order(choice->index, choice->cluster, choice->tracked, choice->request->pool);
    vec_clear(&choice->index->scratch);
    for (uint32_t value = 0; value < order->parts.count; value++) {
        struct id_walk walk = id_order_walk(order, value, choice->wanted);
        instance_id id;
        while (choice->is_open[value] && id_walk_next(&walk, &id))
            if (accepts(choice, id))
                *vec_push(&choice->index->scratch) = id;
    }
    if (choice->index->scratch.count > 1)
        qsort(choice->index->scratch.items, choice->index->scratch.count, sizeof(instance_id),
              compare_ids);
    *ids = choice->index->scratch.items;
    return choice->index->scratch.count;
}

static instance_id draw(struct choice *choice, struct id_order *order)
{
    if (first_by_id(choice, order) == INSTANCE_NONE)
        return INSTANCE_NONE;
    struct draw_set set = {.context = choice,
                           .number_count = cluster_instance_count(choice->cluster),
                           .contains = draw_contains,
                           .list = draw_list};
    return chain_draw(&choice->view, choice->step, choice->request->stream, &set);
}

/* A candidate with a score that is not above the best. */
static void take_key(struct choice *choice, instance_id id, int64_t score)
{
    uint32_t tasks = cluster_group_tasks_on(choice->cluster, choice->request->group, id);
    bool is_lower = choice->best == INSTANCE_NONE || score < choice->best_score;
    if (is_lower)
        vec_clear(&choice->index->scratch);
    if (choice->rest_count > 0)
        *vec_push(&choice->index->scratch) = id;
    if (is_lower || tasks < choice->best_tasks ||
        (tasks == choice->best_tasks && id < choice->best)) {
        choice->best = id;
        choice->best_tasks = tasks;
        choice->best_score = score;
    }
}

/*
 * Walk one list while it can better or equal the best. With no steps behind, a best without tasks
 * of the group ends the key from its id on: those that follow in it have larger ids.
 */
static void walk_keys(struct choice *choice, const struct key_order *order,
                      const struct key_list *list)
{
    struct ordered_walk walk = ordered_seek(
        &list->ordered, key_order_start(order, list, choice->request->demand), choice->wanted);
    int64_t key;
    instance_id id;
    while (ordered_next(&walk, &key, &id)) {
        int64_t score = view_score(&choice->view, choice->step, id);
        if (choice->best != INSTANCE_NONE && score > choice->best_score)
            return;
        if (!accepts(choice, id))
            continue;
        take_key(choice, id, score);
        if (choice->rest_count > 0 || choice->best_tasks > 0 || id < choice->best)
            continue;
        if (key == INT64_MAX)
            return;
        walk = ordered_seek(&list->ordered, key + 1, choice->wanted);
    }
}

/* The same where the key is the score. */
static void walk_amounts(struct choice *choice, struct amounts_walk walk)
{
    uint64_t entry;
    while (amounts_next(&walk, &entry)) {
        instance_id id = amounts_id(entry);
        if (choice->best != INSTANCE_NONE && amounts_amount(entry) > choice->best_score)
            return;
        if (!accepts(choice, id))
            continue;
        take_key(choice, id, amounts_amount(entry));
        if (choice->rest_count == 0 && choice->best_tasks == 0 && id >= choice->best)
            return;
    }
}

static instance_id lowest_amount(struct choice *choice)
{
    struct amount_order *order =
        index_amount_order(choice->index, choice->cluster, choice->step->field, choice->tracked,
                           choice->request->pool);
    choice->best = INSTANCE_NONE;
    vec_clear(&choice->index->scratch);
    for (uint32_t value = 0; value < order->lists.count; value++)
        if (choice->is_open[value])
            walk_amounts(choice, amount_order_walk(order, value, choice->request->demand));
    return choice->best;
}

static instance_id lowest_key(struct choice *choice)
{
    const struct key_order *order =
        index_key_order(choice->index, choice->cluster, choice->step->strategy->order,
                        choice->tracked, choice->request->pool);
    choice->best = INSTANCE_NONE;
    vec_clear(&choice->index->scratch);
    for (size_t i = 0; i < order->lists.count; i++)
        if (choice->is_open[order->lists.items[i].value])
            walk_keys(choice, order, &order->lists.items[i]);
    return choice->best;
}

static void narrow(struct cluster *cluster, const struct placement_request *request,
                   const struct strategy_step *steps, size_t step_count,
                   struct candidates *candidates)
{
    for (size_t i = 0; i < step_count && candidates->count > 0; i++) {
        struct map sums = MAP_INIT;
        struct strategy_view view =
            view_begin(cluster, &steps[i], request->demand, request->group, true, &sums);
        chain_narrow(&view, &steps[i], request->stream, candidates);
        map_free(&sums);
    }
}

/* What `step` leaves goes through the steps behind it. */
static instance_id finish_ties(struct choice *choice)
{
    struct candidates ties = {choice->index->scratch.items, choice->index->scratch.count};
    if (choice->rest_count == 0)
        return choice->best;
    qsort(ties.ids, ties.count, sizeof *ties.ids, compare_ids);
    narrow(choice->cluster, choice->request, choice->rest, choice->rest_count, &ties);
    return chain_tie_break(choice->cluster, choice->request->group, &ties);
}

static enum strategy_order order_of(const struct strategy_step *step)
{
    return step == NULL ? ORDER_GROUP : step->strategy->order;
}

/* The choice inside the open values; INSTANCE_NONE when no candidate has one of them. */
static instance_id choose_in_level(struct choice *choice)
{
    if (order_of(choice->step) == ORDER_AMOUNT)
        return lowest_amount(choice) == INSTANCE_NONE ? INSTANCE_NONE : finish_ties(choice);
    if (order_of(choice->step) == ORDER_SHARES || order_of(choice->step) == ORDER_SHARES_DESCENDING)
        return lowest_key(choice) == INSTANCE_NONE ? INSTANCE_NONE : finish_ties(choice);
    struct id_order *order =
        index_id_order(choice->index, choice->cluster, choice->tracked, choice->request->pool);
    if (order_of(choice->step) == ORDER_GROUP)
        return fewest_of_group(choice, order);
    return choice->step->strategy->draws > 0 ? draw(choice, order) : first_by_id(choice, order);
}

/* Take the plan apart; false when no order serves it. */
static bool prepare(struct choice *choice)
{
    const struct placement_plan *plan = choice->request->plan;
    const struct strategy_step *steps = plan->steps;
    bool is_led = steps[0].field == FIELD_ATTRIBUTE;
    choice->tracked =
        is_led ? cluster_find_tracked(choice->cluster, steps[0].attribute) : TRACKED_NONE;
    choice->value_count = is_led ? cluster_value_count(choice->cluster, choice->tracked) : 1;
    choice->step = plan->step_count > is_led ? &steps[is_led] : NULL;
    choice->rest = &steps[is_led] + 1;
    choice->rest_count = choice->step == NULL ? 0 : plan->step_count - is_led - 1;
    choice->wanted = room_wanted(choice->request->demand);
    if (choice->value_count > VALUES_MAX)
        return false;
    for (uint32_t value = 0; is_led && value < choice->value_count; value++)
        choice->was_open[value] =
            cluster_instances_at(choice->cluster, choice->tracked, value) == 0;
    if (choice->step == NULL)
        return true;
    struct map no_sums = MAP_INIT;
    choice->view = view_begin(choice->cluster, choice->step, choice->request->demand,
                              choice->request->group, true, &no_sums);
    assert(no_sums.count == 0);
    switch (choice->step->strategy->order) {
    case ORDER_GROUP:
        return choice->step->field == FIELD_INSTANCE && choice->rest_count == 0;
    case ORDER_NONE:
        return choice->step->strategy->draws > 0;
    case ORDER_ID:
    case ORDER_AMOUNT:
    case ORDER_SHARES:
    case ORDER_SHARES_DESCENDING:
        break;
    }
    return true;
}

/* All candidates, full stretches skipped, narrowed by every step. */
static instance_id choose_by_list(struct choice *choice)
{
    struct id_order *order =
        index_id_order(choice->index, choice->cluster, TRACKED_NONE, choice->request->pool);
    struct candidates all = {NULL, 0};
    vec_clear(&choice->index->scratch);
    if (order->parts.count > 0) {
        struct id_walk walk = id_order_walk(order, 0, choice->wanted);
        instance_id id;
        while (id_walk_next(&walk, &id))
            if (accepts(choice, id))
                *vec_push(&choice->index->scratch) = id;
    }
    all.ids = choice->index->scratch.items;
    all.count = choice->index->scratch.count;
    narrow(choice->cluster, choice->request, choice->request->plan->steps,
           choice->request->plan->step_count, &all);
    return chain_tie_break(choice->cluster, choice->request->group, &all);
}

instance_id placement_choose(struct cluster *cluster, const struct placement_request *request)
{
    const struct placement_plan *plan = request->plan;
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].field == FIELD_ATTRIBUTE)
            cluster_track(cluster, plan->steps[i].attribute);
    struct choice choice = {
        .cluster = cluster, .request = request, .index = index_of(cluster), .best = INSTANCE_NONE};
    choice.eligible = index_eligibility(choice.index, cluster, request);
    if (!prepare(&choice))
        return choose_by_list(&choice);
    instance_id chosen = INSTANCE_NONE;
    while (chosen == INSTANCE_NONE && open_next_level(&choice))
        chosen = choose_in_level(&choice);
    return chosen;
}
