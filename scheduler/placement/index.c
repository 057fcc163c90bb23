/*
 * index.c -- owning the orders and keeping them in step.
 *
 * The cluster notes what changes; before a choice the index brings every order up to date with the
 * noted instances. So a placement costs each order one update of the one instance that it touched,
 * and a what-if with its undoing leaves nothing to do but updates that find nothing new.
 */
#include "scheduler/placement/index.h"

#include <assert.h>
#include <string.h>

#include "scheduler/placement/shares.h"

static int64_t key_of(const struct key_order *order, const struct instance *instance)
{
    int64_t key = shares_key(instance->cpu_remaining, instance->cpu_registered,
                             instance->mem_remaining, instance->mem_registered);
    return order->order == ORDER_SHARES ? key : -key;
}

int64_t key_order_start(const struct key_order *order, const struct key_list *list,
                        const struct demand *demand)
{
    if (order->order == ORDER_SHARES && demand->cpu_units > 0 && demand->mem_mib > 0)
        return shares_key(demand->cpu_units, list->cpu_registered, demand->mem_mib,
                          list->mem_registered);
    return INT64_MIN;
}

static uint32_t number_in(struct map *map, uint64_t key)
{
    uint32_t number = map_get(map, key);
    if (number == MAP_ABSENT) {
        number = (uint32_t)map->count;
        map_put(map, key, number);
    }
    return number;
}

/* The list of an instance, made if need be. */
static uint32_t list_for(struct key_order *order, const struct cluster *cluster, instance_id id)
{
    const struct instance *instance = cluster_instance(cluster, id);
    struct key_list list = {
        .value = order->tracked == TRACKED_NONE ? 0 : cluster_value_of(cluster, order->tracked, id),
        .cpu_registered = instance->cpu_registered,
        .mem_registered = instance->mem_registered,
        .ordered = {VEC_INIT, VEC_INIT}};
    uint64_t shape = number_in(&order->shape_number, (uint64_t)(uint32_t)list.cpu_registered << 32 |
                                                         (uint32_t)list.mem_registered);
    uint32_t number = number_in(&order->number_of_list, (uint64_t)list.value << 32 | shape);
    if (number == order->lists.count)
        *vec_push(&order->lists) = list;
    return number;
}

static void key_order_update(struct key_order *order, const struct cluster *cluster, instance_id id)
{
    const struct instance *instance = cluster_instance(cluster, id);
    while (order->places.count <= id)
        *vec_push(&order->places) = (struct key_place){.list = KEY_LIST_NONE};
    struct key_place old = order->places.items[id];
    struct key_place now = {.list = KEY_LIST_NONE, .room = room_of(instance)};
    if (now.room.cpu != ROOM_NONE && pool_has(order->pool, instance)) {
        now.list = list_for(order, cluster, id);
        now.key = key_of(order, instance);
    }
    order->places.items[id] = now;
    if (now.list == old.list && now.key == old.key) {
        if (now.list != KEY_LIST_NONE &&
            (now.room.cpu != old.room.cpu || now.room.mem != old.room.mem))
            ordered_update(&order->lists.items[now.list].ordered, now.key, id, now.room);
        return;
    }
    if (old.list != KEY_LIST_NONE)
        ordered_remove(&order->lists.items[old.list].ordered, old.key, id);
    if (now.list != KEY_LIST_NONE)
        ordered_insert(&order->lists.items[now.list].ordered, now.key, id, now.room);
}

static struct amounts *amounts_of(struct amount_order *order, uint32_t value)
{
    while (order->lists.count <= value)
        memset(vec_push(&order->lists), 0, sizeof *order->lists.items);
    return &order->lists.items[value];
}

static void amount_order_update(struct amount_order *order, const struct cluster *cluster,
                                instance_id id)
{
    const struct instance *instance = cluster_instance(cluster, id);
    while (order->places.count <= id)
        *vec_push(&order->places) = (struct amount_place){.value = KEY_LIST_NONE};
    struct amount_place old = order->places.items[id], now = {.value = KEY_LIST_NONE};
    struct room room = room_of(instance);
    bool is_cpu = order->field == FIELD_CPU;
    if (room.cpu != ROOM_NONE && pool_has(order->pool, instance)) {
        now.value =
            order->tracked == TRACKED_NONE ? 0 : cluster_value_of(cluster, order->tracked, id);
        now.other = is_cpu ? room.mem : room.cpu;
        now.entry = amounts_entry(is_cpu ? instance->cpu_remaining : instance->mem_remaining, id);
    }
    order->places.items[id] = now;
    if (now.value == old.value && now.entry == old.entry) {
        if (now.value != KEY_LIST_NONE && now.other != old.other)
            amounts_set_other(&order->lists.items[now.value], now.entry, now.other);
        return;
    }
    if (now.value == old.value) {
        amounts_move(&order->lists.items[now.value], old.entry, now.entry, now.other);
        return;
    }
    if (old.value != KEY_LIST_NONE)
        amounts_remove(&order->lists.items[old.value], old.entry);
    if (now.value != KEY_LIST_NONE)
        amounts_insert(amounts_of(order, now.value), now.entry, now.other);
}

struct amounts_walk amount_order_walk(struct amount_order *order, uint32_t value,
                                      const struct demand *demand)
{
    struct room wanted = room_wanted(demand);
    bool is_cpu = order->field == FIELD_CPU;
    int32_t amount = is_cpu ? wanted.cpu : wanted.mem;
    /* What asks for nothing fits below zero, too. */
    uint64_t from = amount == ROOM_ANY ? 0 : amounts_entry(amount, 0);
    return amounts_seek(&order->lists.items[value], from, is_cpu ? wanted.mem : wanted.cpu);
}

static void amount_order_destroy(struct amount_order *order)
{
    for (size_t i = 0; i < order->lists.count; i++)
        amounts_free(&order->lists.items[i]);
    vec_free(&order->lists);
    vec_free(&order->places);
    mem_free(order);
}

static void key_order_destroy(struct key_order *order)
{
    for (size_t i = 0; i < order->lists.count; i++)
        ordered_free(&order->lists.items[i].ordered);
    vec_free(&order->lists);
    vec_free(&order->places);
    map_free(&order->shape_number);
    map_free(&order->number_of_list);
    mem_free(order);
}

static void index_destroy(void *follower)
{
    struct placement_index *index = follower;
    for (size_t i = 0; i < index->id_orders.count; i++) {
        id_order_deinit(index->id_orders.items[i]);
        mem_free(index->id_orders.items[i]);
    }
    for (size_t i = 0; i < index->amount_orders.count; i++)
        amount_order_destroy(index->amount_orders.items[i]);
    for (size_t i = 0; i < index->key_orders.count; i++)
        key_order_destroy(index->key_orders.items[i]);
    vec_free(&index->id_orders);
    vec_free(&index->amount_orders);
    vec_free(&index->key_orders);
    vec_free(&index->scratch);
    vec_free(&index->ranks);
    vec_free(&index->lead_ranks[0]);
    vec_free(&index->lead_ranks[1]);
    eligible_deinit(&index->eligible);
    mem_free(index);
}

static void catch_up_id_order(struct id_order *order, const struct cluster *cluster)
{
    const struct changes *changes = cluster_changes(cluster);
    for (size_t i = 0; i < changes->instances.count; i++) {
        if (id_order_update(order, cluster, changes->instances.items[i]))
            continue;
        tracked_id tracked = order->tracked;
        symbol pool = order->pool;
        id_order_deinit(order);
        id_order_init(order, cluster, tracked, pool);
        return; /* Built from what is there now: nothing more to note. */
    }
    if (changes->is_incomplete)
        id_order_forget_groups(order);
    for (size_t i = 0; i < changes->groups.count && !changes->is_incomplete; i++)
        id_order_note_group(order, &changes->groups.items[i]);
}

static void catch_up_amount_order(struct amount_order *order, const struct cluster *cluster)
{
    const struct changes *changes = cluster_changes(cluster);
    for (size_t i = 0; i < changes->instances.count; i++)
        if (changes->instances.items[i] < order->places.count)
            __builtin_prefetch(&order->places.items[changes->instances.items[i]]);
    for (size_t i = 0; i < changes->instances.count; i++)
        amount_order_update(order, cluster, changes->instances.items[i]);
}

static void catch_up(struct placement_index *index, struct cluster *cluster)
{
    const struct changes *changes = cluster_changes(cluster);
    for (size_t i = 0; i < index->id_orders.count; i++)
        catch_up_id_order(index->id_orders.items[i], cluster);
    for (size_t i = 0; i < index->amount_orders.count; i++)
        catch_up_amount_order(index->amount_orders.items[i], cluster);
    for (size_t i = 0; i < index->key_orders.count; i++)
        for (size_t at = 0; at < changes->instances.count; at++)
            key_order_update(index->key_orders.items[i], cluster, changes->instances.items[at]);
    eligible_catch_up(&index->eligible, cluster);
    cluster_changes_clear(cluster);
}

struct placement_index *index_of(struct cluster *cluster)
{
    struct placement_index *index = cluster_follower(cluster);
    if (index == NULL) {
        index = mem_alloc(sizeof *index);
        cluster_follow(cluster, index, index_destroy);
    }
    catch_up(index, cluster);
    return index;
}

struct id_order *index_id_order(struct placement_index *index, const struct cluster *cluster,
                                tracked_id tracked, symbol pool)
{
    for (size_t i = 0; i < index->id_orders.count; i++)
        if (index->id_orders.items[i]->tracked == tracked &&
            index->id_orders.items[i]->pool == pool)
            return index->id_orders.items[i];
    struct id_order *order = mem_alloc(sizeof *order);
    id_order_init(order, cluster, tracked, pool);
    *vec_push(&index->id_orders) = order;
    return order;
}

struct amount_order *index_amount_order(struct placement_index *index,
                                        const struct cluster *cluster, enum strategy_field field,
                                        tracked_id tracked, symbol pool)
{
    for (size_t i = 0; i < index->amount_orders.count; i++) {
        struct amount_order *found = index->amount_orders.items[i];
        if (found->field == field && found->tracked == tracked && found->pool == pool)
            return found;
    }
    struct amount_order *made = mem_alloc(sizeof *made);
    made->field = field;
    made->tracked = tracked;
    made->pool = pool;
    for (instance_id id = 0; id < cluster_instance_count(cluster); id++)
        amount_order_update(made, cluster, id);
    *vec_push(&index->amount_orders) = made;
    return made;
}

struct key_order *index_key_order(struct placement_index *index, const struct cluster *cluster,
                                  enum strategy_order order, tracked_id tracked, symbol pool)
{
    for (size_t i = 0; i < index->key_orders.count; i++) {
        struct key_order *found = index->key_orders.items[i];
        if (found->order == order && found->tracked == tracked && found->pool == pool)
            return found;
    }
    struct key_order *made = mem_alloc(sizeof *made);
    made->order = order;
    made->tracked = tracked;
    made->pool = pool;
    for (instance_id id = 0; id < cluster_instance_count(cluster); id++)
        key_order_update(made, cluster, id);
    *vec_push(&index->key_orders) = made;
    return made;
}

static void audit_amount_order(struct amount_order *order, const struct cluster *cluster)
{
    size_t listed = 0, found = 0;
    for (size_t value = 0; value < order->lists.count; value++) {
        struct amounts_walk walk = amounts_seek(&order->lists.items[value], 0, ROOM_NONE);
        uint64_t entry;
        amounts_audit(&order->lists.items[value]);
        while (amounts_next(&walk, &entry)) {
            const struct amount_place *place = &order->places.items[amounts_id(entry)];
            const struct instance *instance = cluster_instance(cluster, amounts_id(entry));
            struct room room = room_of(instance);
            bool is_cpu = order->field == FIELD_CPU;
            assert(place->value == value && place->entry == entry);
            assert(place->other == (is_cpu ? room.mem : room.cpu));
            assert(amounts_amount(entry) ==
                   (is_cpu ? instance->cpu_remaining : instance->mem_remaining));
            assert(order->tracked == TRACKED_NONE ||
                   cluster_value_of(cluster, order->tracked, amounts_id(entry)) == value);
            (void)place;
            (void)room;
            (void)is_cpu;
            found++;
        }
    }
    for (instance_id id = 0; id < order->places.count; id++) {
        const struct instance *instance = cluster_instance(cluster, id);
        bool is_listed = order->places.items[id].value != KEY_LIST_NONE;
        assert(is_listed ==
               (room_of(instance).cpu != ROOM_NONE && pool_has(order->pool, instance)));
        listed += is_listed;
    }
    assert(listed == found);
    (void)listed;
    (void)found;
}

static void audit_key_order(const struct key_order *order, const struct cluster *cluster)
{
    size_t listed = 0, found = 0;
    for (size_t i = 0; i < order->lists.count; i++) {
        const struct key_list *list = &order->lists.items[i];
        struct ordered_walk walk =
            ordered_seek(&list->ordered, INT64_MIN, (struct room){ROOM_NONE, ROOM_NONE});
        int64_t key;
        instance_id id;
        ordered_audit(&list->ordered);
        while (ordered_next(&walk, &key, &id)) {
            assert(order->places.items[id].list == i && order->places.items[id].key == key);
            assert(key == key_of(order, cluster_instance(cluster, id)));
            found++;
        }
    }
    for (size_t id = 0; id < order->places.count; id++)
        listed += order->places.items[id].list != KEY_LIST_NONE;
    assert(listed == found);
    (void)listed;
    (void)found;
}

void index_eligibility(struct placement_index *index, struct cluster *cluster,
                       const struct placement_request *request, struct eligibility *out)
{
    eligible_for(&index->eligible, cluster, request, out);
}

void index_audit(struct cluster *cluster)
{
    struct placement_index *index = index_of(cluster);
    eligible_audit(&index->eligible, cluster);
    for (size_t i = 0; i < index->id_orders.count; i++)
        id_order_audit(index->id_orders.items[i], cluster);
    for (size_t i = 0; i < index->amount_orders.count; i++)
        audit_amount_order(index->amount_orders.items[i], cluster);
    for (size_t i = 0; i < index->key_orders.count; i++)
        audit_key_order(index->key_orders.items[i], cluster);
}
