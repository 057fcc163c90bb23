/*
 * groups.c -- task groups: how many of a group's tasks stand on each instance and at each value of
 * a tracked attribute.
 *
 * Spread asks for the second at every placement, so it is kept, not summed: a row of counters per
 * group and tracked attribute, a few bytes for every zone. The counts per instance live with the
 * instance, sorted by group: tens of entries, found by halving, no hash table per instance. A word
 * of bits in the instance's first line says for most groups that they have no task there.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/model/cluster_internal.h"

#define GROUPS_MIN 4

group_id cluster_group(struct cluster *cluster, symbol name)
{
    uint32_t found = map_get(&cluster->group_by_name, name);
    if (found != MAP_ABSENT)
        return found;
    group_id group = (group_id)cluster->groups.count;
    *vec_push(&cluster->groups) = (struct group){name, 0};
    map_put(&cluster->group_by_name, name, group);
    return group;
}

group_id cluster_find_group(const struct cluster *cluster, symbol name)
{
    uint32_t found = map_get(&cluster->group_by_name, name);
    return found == MAP_ABSENT ? GROUP_NONE : found;
}

symbol cluster_group_name(const struct cluster *cluster, group_id group)
{
    assert(group < cluster->groups.count);
    return cluster->groups.items[group].name;
}

uint32_t cluster_group_tasks(const struct cluster *cluster, group_id group)
{
    assert(group < cluster->groups.count);
    return cluster->groups.items[group].tasks;
}

/*
 * Where the group stands among the instance's, or would stand. Without branches: which half it is
 * cannot be guessed.
 */
static uint32_t group_place(const struct instance *instance, group_id group)
{
    uint32_t low = 0;
    for (uint32_t rest = instance->group_count; rest > 0;) {
        uint32_t half = (rest + 1) / 2;
        low += half & (0 - (uint32_t)(instance->groups[low + half - 1].group < group));
        rest -= half;
    }
    return low;
}

static uint64_t bit_of(group_id group)
{
    return UINT64_C(1) << group % 64;
}

uint32_t instance_group_tasks(const struct instance *instance, group_id group)
{
    uint32_t place = group_place(instance, group);
    if (place == instance->group_count || instance->groups[place].group != group)
        return 0;
    return instance->groups[place].tasks;
}

/* The counter of a group at a value, made if need be. */
static uint32_t *counter(struct tracked *tracked, group_id group, uint32_t value)
{
    while (tracked->rows.count <= group)
        *vec_push(&tracked->rows) = (struct value_row){NULL, 0};
    struct value_row *row = &tracked->rows.items[group];
    if (value >= row->capacity) {
        uint32_t capacity = value + value / 2 + 4;
        row->tasks = mem_resize(row->tasks, capacity, sizeof *row->tasks);
        memset(row->tasks + row->capacity, 0, (capacity - row->capacity) * sizeof *row->tasks);
        row->capacity = capacity;
    }
    return &row->tasks[value];
}

static void count_in_values(struct cluster *cluster, instance_id id, group_id group, bool is_join)
{
    for (size_t i = 0; i < cluster->tracked.count; i++) {
        struct tracked *tracked = &cluster->tracked.items[i];
        uint32_t *tasks = counter(tracked, group, tracked->of.items[id]);
        assert(is_join || *tasks > 0);
        *tasks = is_join ? *tasks + 1 : *tasks - 1;
    }
}

/*
 * The room of the list is the power of two above its count, from 4 on, so no field remembers it. A
 * list that became shorter in between is asked for again in its old size, which costs little.
 */
static void insert_group(struct instance *instance, uint32_t place, group_id group)
{
    uint32_t count = instance->group_count;
    if (count == 0 || (count >= GROUPS_MIN && (count & (count - 1)) == 0))
        instance->groups = mem_resize(instance->groups, count == 0 ? GROUPS_MIN : 2 * count,
                                      sizeof *instance->groups);
    memmove(instance->groups + place + 1, instance->groups + place,
            (count - place) * sizeof *instance->groups);
    instance->groups[place] = (struct group_count){group, 0};
    instance->group_bits |= bit_of(group);
    instance->group_count++;
}

static void remove_group(struct instance *instance, uint32_t place)
{
    uint64_t bit = bit_of(instance->groups[place].group), others = 0;
    instance->group_count--;
    memmove(instance->groups + place, instance->groups + place + 1,
            (instance->group_count - place) * sizeof *instance->groups);
    for (uint32_t i = 0; i < instance->group_count; i++)
        others |= bit_of(instance->groups[i].group);
    instance->group_bits &= others | ~bit;
}

void cluster_join(struct cluster *cluster, instance_id id, group_id group)
{
    struct instance *instance = cluster_writable(cluster, id);
    assert(group < cluster->groups.count);
    if (cluster->journal_depth > 0)
        journal_simple(cluster, &(struct undo){.kind = UNDO_JOIN, .id = id, .u.group = group});
    uint32_t place = group_place(instance, group);
    if (place == instance->group_count || instance->groups[place].group != group)
        insert_group(instance, place, group);
    uint32_t tasks = ++instance->groups[place].tasks;
    cluster->groups.items[group].tasks++;
    count_in_values(cluster, id, group, true);
    changes_note_group(cluster, id, group, tasks, true);
}

void cluster_leave(struct cluster *cluster, instance_id id, group_id group)
{
    struct instance *instance = cluster_writable(cluster, id);
    uint32_t place = group_place(instance, group);
    assert(place < instance->group_count && instance->groups[place].group == group);
    if (cluster->journal_depth > 0)
        journal_simple(cluster, &(struct undo){.kind = UNDO_LEAVE, .id = id, .u.group = group});
    uint32_t tasks = --instance->groups[place].tasks;
    if (tasks == 0)
        remove_group(instance, place);
    cluster->groups.items[group].tasks--;
    count_in_values(cluster, id, group, false);
    changes_note_group(cluster, id, group, tasks, false);
}

static uint32_t number_of(struct tracked *tracked, symbol value)
{
    uint32_t found = map_get(&tracked->number_of, value);
    if (found != MAP_ABSENT)
        return found;
    uint32_t number = (uint32_t)tracked->values.count;
    *vec_push(&tracked->values) = value;
    *vec_push(&tracked->instances) = 0;
    map_put(&tracked->number_of, value, number);
    return number;
}

tracked_id cluster_find_tracked(const struct cluster *cluster, symbol name)
{
    for (size_t i = 0; i < cluster->tracked.count; i++)
        if (cluster->tracked.items[i].name == name)
            return (tracked_id)i;
    return TRACKED_NONE;
}

tracked_id cluster_track(struct cluster *cluster, symbol name)
{
    tracked_id found = cluster_find_tracked(cluster, name);
    if (found != TRACKED_NONE)
        return found;
    struct tracked *tracked = vec_push(&cluster->tracked);
    memset(tracked, 0, sizeof *tracked);
    tracked->name = name;
    number_of(tracked, SYMBOL_NONE);
    for (instance_id id = 0; id < cluster->head.instance_count; id++) {
        const struct instance *instance = &cluster->head.instances[id];
        uint32_t value = number_of(tracked, cluster_spread_value(cluster, id, name));
        *vec_push(&tracked->of) = value;
        tracked->instances.items[value]++;
        for (uint32_t i = 0; i < instance->group_count; i++)
            *counter(tracked, instance->groups[i].group, value) += instance->groups[i].tasks;
    }
    return (tracked_id)(cluster->tracked.count - 1);
}

static const struct tracked *tracked_at(const struct cluster *cluster, tracked_id tracked)
{
    assert(tracked < cluster->tracked.count);
    return &cluster->tracked.items[tracked];
}

uint32_t cluster_value_count(const struct cluster *cluster, tracked_id tracked)
{
    if ((tracked & TRACKED_PAIR) != 0)
        return (uint32_t)pairing_at(cluster, tracked)->values.count;
    return (uint32_t)tracked_at(cluster, tracked)->values.count;
}

uint32_t cluster_value_of(const struct cluster *cluster, tracked_id tracked, instance_id id)
{
    if ((tracked & TRACKED_PAIR) != 0)
        return pairing_at(cluster, tracked)->of.items[id];
    assert(id < tracked_at(cluster, tracked)->of.count);
    return tracked_at(cluster, tracked)->of.items[id];
}

uint32_t cluster_tasks_at(const struct cluster *cluster, group_id group, tracked_id tracked,
                          uint32_t value)
{
    const struct tracked *at = tracked_at(cluster, tracked);
    if (group >= at->rows.count || value >= at->rows.items[group].capacity)
        return 0;
    return at->rows.items[group].tasks[value];
}

struct value_counts cluster_value_counts(const struct cluster *cluster, group_id group,
                                         tracked_id tracked)
{
    const struct tracked *at = tracked_at(cluster, tracked);
    struct value_counts counts = {.instances = at->instances.items,
                                  .value_count = (uint32_t)at->values.count};
    if (group >= at->rows.count)
        return counts;
    const struct value_row *row = &at->rows.items[group];
    counts.tasks = row->tasks;
    counts.task_count = row->capacity < counts.value_count ? row->capacity : counts.value_count;
    return counts;
}

void groups_add_instance(struct cluster *cluster, instance_id id)
{
    for (size_t i = 0; i < cluster->tracked.count; i++) {
        struct tracked *tracked = &cluster->tracked.items[i];
        assert(tracked->of.count == id);
        uint32_t value = number_of(tracked, cluster_spread_value(cluster, id, tracked->name));
        *vec_push(&tracked->of) = value;
        tracked->instances.items[value]++;
    }
    pairs_add_instance(cluster, id);
}

/* The instance's tasks move from the counters of its old value to those of the new one. */
void groups_value_changed(struct cluster *cluster, instance_id id, symbol name)
{
    tracked_id found = cluster_find_tracked(cluster, name);
    if (found == TRACKED_NONE)
        return;
    struct tracked *tracked = &cluster->tracked.items[found];
    const struct instance *instance = cluster_instance(cluster, id);
    uint32_t before = tracked->of.items[id];
    uint32_t after = number_of(tracked, cluster_spread_value(cluster, id, name));
    if (before == after)
        return;
    tracked->of.items[id] = after;
    tracked->instances.items[before]--;
    tracked->instances.items[after]++;
    for (uint32_t i = 0; i < instance->group_count; i++) {
        const struct group_count *count = &instance->groups[i];
        *counter(tracked, count->group, before) -= count->tasks;
        *counter(tracked, count->group, after) += count->tasks;
    }
    pairs_value_changed(cluster, id);
}

void groups_free(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->tracked.count; i++) {
        struct tracked *tracked = &cluster->tracked.items[i];
        for (size_t row = 0; row < tracked->rows.count; row++)
            mem_free(tracked->rows.items[row].tasks);
        vec_free(&tracked->rows);
        vec_free(&tracked->of);
        vec_free(&tracked->instances);
        vec_free(&tracked->values);
        map_free(&tracked->number_of);
    }
    pairs_free(cluster);
    vec_free(&cluster->tracked);
    vec_free(&cluster->groups);
    map_free(&cluster->group_by_name);
}

/* Counters of one attribute, summed afresh from the instances. */
static void audit_tracked(const struct cluster *cluster, tracked_id id)
{
    const struct tracked *tracked = &cluster->tracked.items[id];
    size_t values = tracked->values.count, groups = cluster->groups.count;
    uint32_t *sums = mem_alloc((groups * values + 1) * sizeof *sums);
    uint32_t *instances = mem_alloc(values * sizeof *instances);
    assert(tracked->of.count == cluster->head.instance_count);
    for (instance_id at = 0; at < cluster->head.instance_count; at++) {
        const struct instance *instance = &cluster->head.instances[at];
        symbol value = cluster_spread_value(cluster, at, tracked->name);
        assert(tracked->values.items[tracked->of.items[at]] == value);
        (void)value;
        instances[tracked->of.items[at]]++;
        for (uint32_t i = 0; i < instance->group_count; i++)
            sums[instance->groups[i].group * values + tracked->of.items[at]] +=
                instance->groups[i].tasks;
    }
    for (group_id group = 0; group < groups; group++) {
        uint32_t total = 0;
        for (uint32_t value = 0; value < values; value++) {
            assert(cluster_tasks_at(cluster, group, id, value) == sums[group * values + value]);
            total += sums[group * values + value];
        }
        assert(total == cluster->groups.items[group].tasks);
        (void)total;
    }
    assert(memcmp(instances, tracked->instances.items, values * sizeof *instances) == 0);
    mem_free(instances);
    mem_free(sums);
}

void groups_audit(const struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->head.instance_count; i++) {
        const struct instance *instance = &cluster->head.instances[i];
        uint64_t bits = 0;
        for (uint32_t at = 0; at < instance->group_count; at++) {
            bits |= bit_of(instance->groups[at].group);
            assert(instance->groups[at].tasks > 0);
            assert(at == 0 || instance->groups[at - 1].group < instance->groups[at].group);
        }
        assert(instance->group_bits == bits);
        (void)bits;
    }
    for (size_t i = 0; i < cluster->tracked.count; i++)
        audit_tracked(cluster, (tracked_id)i);
    pairs_audit(cluster);
}
