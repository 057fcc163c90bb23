/*
 * victim.c -- which task goes first when a service shrinks (semantics 1.6, rule U5).
 *
 * The full order: not protected; PROVISIONING, then PENDING, the newest first; unhealthy; on a
 * DRAINING instance; the strategy's steps, turned round; instance id; oldest; task id. Scores do
 * not depend on who else is left, so narrowing step by step is the same as comparing score vectors,
 * and one pass over the tasks with two vectors on the stack does it: no list, no allocation. A step
 * that draws cuts the chain: the tasks that tie in front of it are counted in the pass, and a
 * second pass finds the drawn ones.
 *
 * Cost: O(tasks) when the cluster tracks the attributes of the chain, which it does as soon as the
 * plan has placed a task.
 */
#include <assert.h>

#include "scheduler/placement/chain.h"

/* Higher goes first, compared from the first item on. */
struct rank {
    int64_t keys[PLACEMENT_STRATEGIES_MAX + 1];
};

struct pick {
    const struct cluster *cluster;
    const struct placement_plan *plan;
    const struct victim *tasks;
    size_t task_count;
    enum victim_class class_;
    size_t score_count; /* steps before the first that draws */
    struct strategy_view views[PLACEMENT_STRATEGIES_MAX];
};

static bool is_eligible(const struct pick *pick, size_t index)
{
    return !pick->tasks[index].is_protected && pick->tasks[index].class_ == pick->class_;
}

static int64_t step_score(const struct pick *pick, size_t step, size_t index)
{
    const struct victim *task = &pick->tasks[index];
    struct strategy_view view = pick->views[step];
    if (task->instance == INSTANCE_NONE)
        return INT64_MAX; /* Not placed: nothing is lost by stopping it. */
    view.demand = task->demand;
    view.is_scale_in = true;
    return view_score(&view, &pick->plan->steps[step], task->instance);
}

static int64_t key_of(const struct pick *pick, size_t key, size_t index)
{
    instance_id id = pick->tasks[index].instance;
    if (key > 0)
        return step_score(pick, key - 1, index);
    return id != INSTANCE_NONE && cluster_instance(pick->cluster, id)->status == INSTANCE_DRAINING;
}

static struct rank rank_of(const struct pick *pick, size_t index)
{
    struct rank rank = {{0}};
    for (size_t key = 0; key <= pick->score_count; key++)
        rank.keys[key] = key_of(pick, key, index);
    return rank;
}

/*
 * The rank of a task against the best so far: below 0 it goes before it, above 0 behind it. A key
 * that is less decides, and the others are not asked for: most fall at the first step, the zone.
 */
static int rank_against(const struct pick *pick, size_t index, const struct rank *best,
                        struct rank *own)
{
    int order = 0;
    *own = (struct rank){{0}};
    for (size_t key = 0; key <= pick->score_count; key++) {
        own->keys[key] = key_of(pick, key, index);
        if (order == 0 && own->keys[key] < best->keys[key])
            return 1;
        if (own->keys[key] > best->keys[key])
            order = -1;
    }
    return order;
}

static int compare_ranks(const struct rank *a, const struct rank *b)
{
    for (size_t i = 0; i < sizeof a->keys / sizeof a->keys[0]; i++)
        if (a->keys[i] != b->keys[i])
            return a->keys[i] > b->keys[i] ? -1 : 1;
    return 0;
}

/* The last words of the order; true when a goes before b. */
static bool goes_before(const struct victim *a, const struct victim *b)
{
    if (a->instance != b->instance)
        return a->instance < b->instance;
    if (a->created_ns != b->created_ns)
        return a->created_ns < b->created_ns;
    return a->task < b->task;
}

/* The tasks that go first by rank, and the first of them by the last words. */
static size_t best_by_rank(const struct pick *pick, struct rank *best_rank, size_t *ties)
{
    size_t best = SIZE_MAX;
    *ties = 0;
    best_rank->keys[0] = INT64_MIN; /* behind any */
    for (size_t i = 0; i < pick->task_count; i++) {
        if (!is_eligible(pick, i))
            continue;
        struct rank rank;
        int order = rank_against(pick, i, best_rank, &rank);
        if (order > 0)
            continue;
        *ties = order < 0 ? 1 : *ties + 1;
        if (order < 0 || goes_before(&pick->tasks[i], &pick->tasks[best]))
            best = i;
        if (order < 0)
            *best_rank = rank;
    }
    return best;
}

/* The k-th task of those with this rank, in the caller's order. */
static size_t nth_of_rank(const struct pick *pick, const struct rank *rank, uint64_t k)
{
    for (size_t i = 0; i < pick->task_count; i++) {
        if (!is_eligible(pick, i))
            continue;
        struct rank own = rank_of(pick, i);
        if (compare_ranks(&own, rank) == 0 && k-- == 0)
            return i;
    }
    assert(false);
    return SIZE_MAX;
}

static size_t draw_victim(const struct pick *pick, const struct rank *rank, size_t ties,
                          struct rng *stream)
{
    size_t step = pick->score_count;
    assert(stream != NULL);
    uint64_t first = rng_below(stream, ties);
    size_t a = nth_of_rank(pick, rank, first);
    if (pick->plan->steps[step].strategy->draws < 2 || ties < 2)
        return a;
    uint64_t second = rng_below(stream, ties - 1);
    size_t b = nth_of_rank(pick, rank, second >= first ? second + 1 : second);
    int64_t score_a = step_score(pick, step, a), score_b = step_score(pick, step, b);
    if (score_a != score_b)
        return score_a > score_b ? a : b;
    return goes_before(&pick->tasks[a], &pick->tasks[b]) ? a : b;
}

static size_t newest(const struct pick *pick)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < pick->task_count; i++) {
        if (!is_eligible(pick, i))
            continue;
        const struct victim *task = &pick->tasks[i];
        const struct victim *other = best == SIZE_MAX ? NULL : &pick->tasks[best];
        if (other == NULL || task->created_ns > other->created_ns ||
            (task->created_ns == other->created_ns && task->task > other->task))
            best = i;
    }
    return best;
}

static size_t first_drawing_step(const struct placement_plan *plan)
{
    size_t step = 0;
    while (step < plan->step_count && plan->steps[step].strategy->draws == 0)
        step++;
    return step;
}

static size_t pick_by_strategy(struct pick *pick, group_id group, struct rng *stream)
{
    const struct placement_plan *plan = pick->plan;
    struct map sums[PLACEMENT_STRATEGIES_MAX] = {MAP_INIT};
    struct rank rank = {{0}};
    size_t ties = 0;
    pick->score_count = first_drawing_step(plan);
    for (size_t step = 0; step < plan->step_count; step++)
        pick->views[step] =
            view_begin(pick->cluster, &plan->steps[step], NULL, group, true, &sums[step]);
    size_t victim = best_by_rank(pick, &rank, &ties);
    if (pick->score_count < plan->step_count && ties > 1)
        victim = draw_victim(pick, &rank, ties, stream);
    for (size_t step = 0; step < plan->step_count; step++)
        map_free(&sums[step]);
    return victim;
}

size_t placement_choose_victim(const struct cluster *cluster, const struct placement_plan *plan,
                               group_id group, struct rng *stream, const struct victim *tasks,
                               size_t task_count)
{
    struct pick pick = {.cluster = cluster,
                        .plan = plan,
                        .tasks = tasks,
                        .task_count = task_count,
                        .class_ = VICTIM_HEALTHY};
    bool has_any = false;
    for (size_t i = 0; i < task_count; i++) {
        if (tasks[i].is_protected)
            continue;
        has_any = true;
        if (tasks[i].class_ < pick.class_)
            pick.class_ = tasks[i].class_;
    }
    if (!has_any)
        return SIZE_MAX;
    if (pick.class_ == VICTIM_PROVISIONING || pick.class_ == VICTIM_PENDING)
        return newest(&pick);
    return pick_by_strategy(&pick, group, stream);
}
