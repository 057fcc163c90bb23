/*
 * choose.c -- the same answer as the plain reading, without looking at every instance.
 *
 * A chain that begins with spreads over one or two attributes is answered level by level: the
 * values (or pairs of values) with the fewest tasks of the group are open together, and if no
 * instance there is a candidate, those with the next fewest. Inside the open values the next step
 * picks from an order of the index: by id, by a key that its score rises with, or by the group's
 * tasks. What the index offers has the room; the rest of the checks are bits (eligible.h). A
 * question that few instances pass is answered from the list of those.
 *
 * spread(instanceId) in front of other steps becomes one check more, once it is known how many
 * tasks of the group the least loaded candidate has: not more than that. At the end of a chain it
 * is what the tie-break does anyway. dotProduct walks the order of free shares from the emptiest
 * on, and stops where even all that is free, were it of the kind that the task wants most, could
 * not win: its score turns with every demand, and no order could be kept for it. In a fleet that
 * dotProduct itself has balanced all are nearly equally empty, and the walk is long: two to three
 * times the plain reading's speed, no more.
 *
 * Cost: values of the leading attributes, and a walk as long as its candidates are refused by bits
 * (an instance is looked at in two or three nanoseconds). What is still linear in candidates: steps
 * behind one that ties many (binpack of an empty fleet, then another step), a third leading
 * attribute, an attribute behind spread(instanceId), and dotProduct of a task that wants no CPU or
 * no memory. A tie has to be told from the others by looking at them, and these have no order.
 */
#include <assert.h>
#include <stdlib.h>

#include "scheduler/placement/chain.h"
#include "scheduler/placement/index.h"
#include "scheduler/placement/shares.h"

/* So few that looking at each of them beats walking an order: its root, about. */
#define IS_FEW(count, instances) ((uint64_t)(count) * (count) <= 4 * (uint64_t)(instances))

/* Ties that are asked for their tasks of the group before the group gets a set. */
#define TIES_ASKED 32

struct choice {
    struct cluster *cluster;
    const struct placement_request *request;
    struct placement_index *index;
    tracked_id tracked;  /* of the leading spreads: an attribute, a pair, or TRACKED_NONE */
    tracked_id leads[2]; /* the attributes themselves */
    const struct strategy_step *step; /* behind the leading spreads; NULL: the tie-break alone */
    size_t rest_count;                /* of steps behind `step` */
    struct strategy_view view;        /* of `step` */
    struct room wanted;
    struct eligibility eligible;
    uint32_t value_count;
    bool has_level;
    uint64_t level;      /* the values of this rank are open: index->ranks, by value */
    uint32_t tasks_most; /* more tasks of the group than this, and it is no candidate */
    instance_id best;
    uint32_t best_tasks;
    int64_t best_score;
};

static bool is_open(const struct choice *choice, uint32_t value)
{
    return choice->index->ranks.items[value] == choice->level;
}

static bool has_too_many(const struct choice *choice, instance_id id)
{
    return choice->tasks_most != UINT32_MAX &&
           cluster_group_tasks_on(choice->cluster, choice->request->group, id) > choice->tasks_most;
}

/* Of an instance that an order gave: it is ACTIVE, connected, of the pool, and has the room. */
static bool accepts(void *context, instance_id id)
{
    const struct choice *choice = context;
    return eligible_has(&choice->eligible, id) && !has_too_many(choice, id) &&
           (choice->eligible.is_whole ||
            placement_check(choice->cluster, choice->request, id) == PLACEMENT_FITS);
}

static uint32_t value_of(const struct choice *choice, instance_id id)
{
    return choice->tracked == TRACKED_NONE ? 0
                                           : cluster_value_of(choice->cluster, choice->tracked, id);
}

#define RANK_NEVER UINT64_MAX

/* The group's tasks at every value of an attribute. */
static void rank_attribute(const struct choice *choice, int lead, struct value_ranks *out)
{
    struct value_counts counts =
        cluster_value_counts(choice->cluster, choice->request->group, choice->leads[lead]);
    vec_reserve(out, counts.value_count);
    out->count = counts.value_count;
    for (uint32_t value = 0; value < counts.value_count; value++) {
        uint32_t tasks = value < counts.task_count ? counts.tasks[value] : 0;
        out->items[value] = counts.instances[value] == 0 ? RANK_NEVER : tasks;
    }
}

/* Of pairs: by the first attribute, then by the second. */
static void rank_pairs(const struct choice *choice)
{
    struct placement_index *index = choice->index;
    rank_attribute(choice, 0, &index->lead_ranks[0]);
    rank_attribute(choice, 1, &index->lead_ranks[1]);
    vec_clear(&index->ranks);
    for (uint32_t value = 0; value < choice->value_count; value++) {
        struct value_pair pair = cluster_value_pair(choice->cluster, choice->tracked, value);
        uint64_t first = index->lead_ranks[0].items[pair.first];
        uint64_t second = index->lead_ranks[1].items[pair.second];
        *vec_push(&index->ranks) =
            first == RANK_NEVER || second == RANK_NEVER ? RANK_NEVER : first << 32 | second;
    }
}

static void rank_values(const struct choice *choice)
{
    if (choice->leads[1] != TRACKED_NONE) {
        rank_pairs(choice);
    } else if (choice->leads[0] != TRACKED_NONE) {
        rank_attribute(choice, 0, &choice->index->ranks);
    } else {
        vec_clear(&choice->index->ranks);
        *vec_push(&choice->index->ranks) = 0;
    }
}

/* Open the values of the next rank; false when there is none. */
static bool open_next_level(struct choice *choice)
{
    uint64_t next = RANK_NEVER;
    const uint64_t *ranks = choice->index->ranks.items;
    for (uint32_t value = 0; value < choice->value_count; value++)
        if (ranks[value] < next && (!choice->has_level || ranks[value] > choice->level))
            next = ranks[value];
    choice->has_level = true;
    choice->level = next;
    return next != RANK_NEVER;
}

/* Made when first asked for: a chain that never needs it must not pay for its upkeep. */
static struct id_order *ids_of(struct choice *choice)
{
    return index_id_order(choice->index, choice->cluster, choice->tracked, choice->request->pool);
}

/* The open candidate with the smallest id. */
static instance_id first_by_id(struct choice *choice)
{
    struct id_order *order = ids_of(choice);
    instance_id first = INSTANCE_NONE;
    for (uint32_t value = 0; value < order->parts.count; value++) {
        if (!is_open(choice, value))
            continue;
        struct id_walk walk = id_order_walk(order, choice->cluster, value, choice->wanted);
        instance_id id;
        while (id_walk_next(&walk, &id) && id < first)
            if (accepts(choice, id))
                first = id;
    }
    return first;
}

static instance_id fewest_of_group(struct choice *choice)
{
    struct id_order *order = ids_of(choice);
    choice->best = INSTANCE_NONE;
    choice->best_tasks = UINT32_MAX;
    for (uint32_t value = 0; value < order->parts.count; value++)
        if (is_open(choice, value))
            id_order_fewest(order, choice->cluster, value, choice->request->group, choice->wanted,
                            accepts, choice, &choice->best, &choice->best_tasks);
    return choice->best;
}

static bool draw_contains(void *context, instance_id id)
{
    struct choice *choice = context;
    return is_open(choice, value_of(choice, id)) && eligible_has(&choice->eligible, id) &&
           !has_too_many(choice, id) &&
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
    struct id_order *order = ids_of(choice);
    vec_clear(&choice->index->scratch);
    for (uint32_t value = 0; value < order->parts.count; value++) {
        struct id_walk walk = id_order_walk(order, choice->cluster, value, choice->wanted);
        instance_id id;
        while (is_open(choice, value) && id_walk_next(&walk, &id))
            if (accepts(choice, id))
                *vec_push(&choice->index->scratch) = id;
    }
    if (choice->index->scratch.count > 1)
        qsort(choice->index->scratch.items, choice->index->scratch.count, sizeof(instance_id),
              compare_ids);
    *ids = choice->index->scratch.items;
    return choice->index->scratch.count;
}

static instance_id draw(struct choice *choice)
{
    if (first_by_id(choice) == INSTANCE_NONE)
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

/*
 * The same where the key is the score. In a large fleet of like instances hundreds have the same
 * amount, and where all of them have a task of the group, each must be asked whether it has none:
 * a bit in a set of the group's, once many were asked the slow way.
 */
static void walk_amounts(struct choice *choice, struct amounts_walk walk)
{
    const struct eligible_set *apart = NULL;
    uint32_t tied = 0;
    uint64_t entry;
    while (amounts_next(&walk, &entry)) {
        instance_id id = amounts_id(entry);
        if (choice->best != INSTANCE_NONE && amounts_amount(entry) > choice->best_score)
            return;
        bool is_tied = choice->best != INSTANCE_NONE && choice->rest_count == 0 &&
                       amounts_amount(entry) == choice->best_score;
        tied += is_tied;
        if (is_tied && (tied == 1 || tied == TIES_ASKED))
            apart = eligible_apart(&choice->index->eligible, choice->cluster, choice->request,
                                   tied == TIES_ASKED);
        if (is_tied && apart != NULL && choice->best_tasks == 1 && id > choice->best &&
            !eligible_set_has(apart, id))
            continue; /* It has one at least. */
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
        if (is_open(choice, value))
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
        if (is_open(choice, order->lists.items[i].value))
            walk_keys(choice, order, &order->lists.items[i]);
    return choice->best;
}

/*
 * The most that the aligned product can be on an instance with so much free in all, in shares of
 * this list's size: each share is at most the sum, and cards are at most all free. Both of CPU and
 * memory are asked for, so neither share is below zero where there is room.
 */
static int64_t product_most(const struct choice *choice, const struct key_list *list,
                            int64_t free_shares)
{
    const struct demand *demand = choice->request->demand;
    int64_t cpu = shares_of(demand->cpu_units, list->cpu_registered);
    int64_t mem = shares_of(demand->mem_mib, list->mem_registered);
    int64_t gpu = shares_of(demand_gpu_milli(demand), BERTH_GPU_MILLI) * SHARES_ONE;
    int64_t free_most = free_shares + 2; /* The sum is rounded down, and each share has a limit: */
    if (free_most > 2 * SHARES_MAX)
        free_most = 2 * SHARES_MAX;
    return (cpu > mem ? cpu : mem) * free_most + gpu;
}

/* The emptiest first, as long as one so empty could win. */
static void walk_aligned(struct choice *choice, const struct key_list *list)
{
    struct ordered_walk walk = ordered_seek(&list->ordered, INT64_MIN, choice->wanted);
    int64_t key;
    instance_id id;
    while (ordered_next(&walk, &key, &id)) {
        const struct instance *instance = cluster_instance(choice->cluster, id);
        int64_t score = view_score(&choice->view, choice->step, id);
        int64_t free_shares = shares_sum(instance->cpu_remaining, instance->cpu_registered,
                                         instance->mem_remaining, instance->mem_registered);
        if (choice->best != INSTANCE_NONE &&
            -product_most(choice, list, free_shares) > choice->best_score)
            return;
        if ((choice->best == INSTANCE_NONE || score <= choice->best_score) && accepts(choice, id))
            take_key(choice, id, score);
    }
}

static instance_id most_aligned(struct choice *choice)
{
    const struct key_order *order =
        index_key_order(choice->index, choice->cluster, ORDER_SHARES_DESCENDING, choice->tracked,
                        choice->request->pool);
    choice->best = INSTANCE_NONE;
    vec_clear(&choice->index->scratch);
    for (size_t i = 0; i < order->lists.count; i++)
        if (is_open(choice, order->lists.items[i].value))
            walk_aligned(choice, &order->lists.items[i]);
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
    if (choice->best == INSTANCE_NONE || choice->rest_count == 0)
        return choice->best;
    qsort(ties.ids, ties.count, sizeof *ties.ids, compare_ids);
    narrow(choice->cluster, choice->request, choice->step + 1, choice->rest_count, &ties);
    return chain_tie_break(choice->cluster, choice->request->group, &ties);
}

/* All candidates of the open values, narrowed by the step and those behind it. */
static instance_id choose_by_list(struct choice *choice)
{
    const instance_id *ids;
    struct candidates all = {NULL, draw_list(choice, &ids)};
    all.ids = choice->index->scratch.items;
    narrow(choice->cluster, choice->request, choice->step, choice->rest_count + 1, &all);
    return chain_tie_break(choice->cluster, choice->request->group, &all);
}

static void set_step(struct choice *choice, const struct strategy_step *step, size_t rest_count)
{
    struct map no_sums = MAP_INIT;
    choice->step = step;
    choice->rest_count = rest_count;
    if (step == NULL)
        return;
    choice->view = view_begin(choice->cluster, step, choice->request->demand,
                              choice->request->group, true, &no_sums);
    assert(no_sums.count == 0);
}

static bool is_over_instances(const struct strategy_step *step)
{
    return step->strategy->order == ORDER_GROUP && step->field == FIELD_INSTANCE;
}

static instance_id choose_by_step(struct choice *choice)
{
    const struct strategy_step *step = choice->step;
    const struct demand *demand = choice->request->demand;
    if (step == NULL)
        return fewest_of_group(choice);
    switch (step->strategy->order) {
    case ORDER_AMOUNT:
        (void)lowest_amount(choice);
        return finish_ties(choice);
    case ORDER_SHARES:
    case ORDER_SHARES_DESCENDING:
        (void)lowest_key(choice);
        return finish_ties(choice);
    case ORDER_ALIGNED:
        if (demand->cpu_units <= 0 || demand->mem_mib <= 0)
            break;
        (void)most_aligned(choice);
        return finish_ties(choice);
    case ORDER_ID:
        return first_by_id(choice);
    case ORDER_GROUP:
        if (step->field == FIELD_INSTANCE)
            return fewest_of_group(choice);
        break;
    case ORDER_NONE:
        if (step->strategy->draws > 0)
            return draw(choice);
        break;
    }
    return choose_by_list(choice);
}

/* The choice inside the open values; INSTANCE_NONE when no candidate has one of them. */
static instance_id choose_in_level(struct choice *choice)
{
    while (choice->step != NULL && is_over_instances(choice->step) && choice->rest_count > 0) {
        if (fewest_of_group(choice) == INSTANCE_NONE)
            return INSTANCE_NONE;
        choice->tasks_most = choice->best_tasks;
        set_step(choice, choice->step + 1, choice->rest_count - 1);
    }
    return choose_by_step(choice);
}

/* Take the plan apart: leading attributes, the step behind them, and what is behind that. */
static void prepare(struct choice *choice)
{
    const struct placement_plan *plan = choice->request->plan;
    const struct strategy_step *steps = plan->steps;
    size_t led = 0, end = plan->step_count;
    choice->leads[0] = choice->leads[1] = TRACKED_NONE;
    for (; led < 2 && led < end && steps[led].field == FIELD_ATTRIBUTE; led++)
        choice->leads[led] = cluster_find_tracked(choice->cluster, steps[led].attribute);
    choice->tracked = choice->leads[0];
    choice->value_count = 1;
    if (led == 2)
        choice->tracked = cluster_track_pair(choice->cluster, choice->leads[0], choice->leads[1]);
    if (led > 0)
        choice->value_count = cluster_value_count(choice->cluster, choice->tracked);
    while (end > led && is_over_instances(&steps[end - 1]))
        end--; /* The tie-break does the same. */
    set_step(choice, end > led ? &steps[led] : NULL, end > led ? end - led - 1 : 0);
    choice->wanted = room_wanted(choice->request->demand);
    rank_values(choice);
}

/* Few pass one of the questions: each of them through the whole chain. */
static instance_id choose_of_few(struct choice *choice)
{
    const struct placement_plan *plan = choice->request->plan;
    const struct eligible_set *few = choice->eligible.fewest;
    struct candidates all = {NULL, 0};
    vec_clear(&choice->index->scratch);
    for (uint32_t at = 0; at < few->words.count; at++)
        for (uint64_t word = few->words.items[at]; word != 0; word &= word - 1) {
            instance_id id = at * 64 + (instance_id)__builtin_ctzll(word);
            if (eligible_has(&choice->eligible, id) &&
                placement_check(choice->cluster, choice->request, id) == PLACEMENT_FITS)
                *vec_push(&choice->index->scratch) = id;
        }
    all.ids = choice->index->scratch.items;
    all.count = choice->index->scratch.count;
    narrow(choice->cluster, choice->request, plan->steps, plan->step_count, &all);
    return chain_tie_break(choice->cluster, choice->request->group, &all);
}

instance_id placement_choose(struct cluster *cluster, const struct placement_request *request)
{
    const struct placement_plan *plan = request->plan;
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].field == FIELD_ATTRIBUTE)
            cluster_track(cluster, plan->steps[i].attribute);
    struct choice choice; /* Not cleared: that took as long as what many choices need of it. */
    choice.cluster = cluster;
    choice.request = request;
    choice.index = index_of(cluster);
    choice.has_level = false;
    choice.tasks_most = UINT32_MAX;
    index_eligibility(choice.index, cluster, request, &choice.eligible);
    if (choice.eligible.fewest != NULL &&
        IS_FEW(choice.eligible.fewest->count, cluster_instance_count(cluster)))
        return choose_of_few(&choice);
    prepare(&choice);
    instance_id chosen = INSTANCE_NONE;
    while (chosen == INSTANCE_NONE && open_next_level(&choice))
        chosen = choose_in_level(&choice);
    return chosen;
}
