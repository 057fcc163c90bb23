#include "scheduler/placement/eligible.h"

#include <assert.h>
#include <string.h>

#include "scheduler/placement/check.h"

/*
 * A changed instance is asked every question about ports and cards again, some 10 ns each, so these
 * are few; the others cost memory alone.
 */
static const uint32_t most[ELIGIBLE_KIND_COUNT] = {[ELIGIBLE_ATTRIBUTES] = 256,
                                                   [ELIGIBLE_MEMBER] = 256,
                                                   [ELIGIBLE_PORTS] = 32,
                                                   [ELIGIBLE_GPUS] = 16,
                                                   [ELIGIBLE_APART] = 2048};

static void set_free(struct eligible_set *set)
{
    mem_free((void *)(uintptr_t)set->demand.tcp_ports);
    mem_free((void *)(uintptr_t)set->demand.udp_ports);
    mem_free((void *)(uintptr_t)set->demand.gpus);
    vec_free(&set->words);
    mem_free(set);
}

static void forget_sets(struct eligible *eligible)
{
    for (size_t i = 0; i < eligible->sets.count; i++)
        set_free(eligible->sets.items[i]);
    vec_clear(&eligible->sets);
    vec_clear(&eligible->discrete);
    vec_clear(&eligible->apart);
    vec_clear(&eligible->attributes);
    vec_clear(&eligible->attribute_log);
    map_free(&eligible->numbers);
    memset(eligible->of_kind, 0, sizeof eligible->of_kind);
}

void eligible_deinit(struct eligible *eligible)
{
    forget_sets(eligible);
    vec_free(&eligible->sets);
    vec_free(&eligible->discrete);
    vec_free(&eligible->apart);
    vec_free(&eligible->attributes);
    vec_free(&eligible->attribute_log);
}

static void put(struct eligible_set *set, instance_id id, bool passes)
{
    uint64_t bit = UINT64_C(1) << (id % 64);
    uint64_t *word = &set->words.items[id / 64];
    if (((*word & bit) != 0) == passes)
        return;
    *word ^= bit;
    set->count += passes ? 1u : UINT32_MAX;
}

/* What does not need the plan. */
static bool passes_now(const struct eligible_set *set, const struct cluster *cluster,
                       instance_id id)
{
    switch (set->kind) {
    case ELIGIBLE_PORTS:
        return cluster_fits_ports(cluster, id, &set->demand);
    case ELIGIBLE_GPUS:
        return cluster_fits_gpus(cluster, id, &set->demand);
    case ELIGIBLE_APART:
        return cluster_group_tasks_on(cluster, set->number, id) == 0;
    case ELIGIBLE_ATTRIBUTES:
    case ELIGIBLE_MEMBER:
    case ELIGIBLE_KIND_COUNT:
        break;
    }
    assert(false);
    return false;
}

static bool is_of_attributes(const struct eligible_set *set)
{
    return set->kind == ELIGIBLE_ATTRIBUTES || set->kind == ELIGIBLE_MEMBER;
}

static bool passes_plan(const struct eligible_set *set, const struct cluster *cluster,
                        const struct placement_plan *plan, instance_id id)
{
    return set->kind == ELIGIBLE_ATTRIBUTES ? check_attributes(cluster, plan, id)
                                            : check_static_members(cluster, plan, id);
}

/* Instances that were added since. */
static void grow(struct eligible_set *set, const struct cluster *cluster,
                 const struct placement_plan *plan)
{
    uint32_t count = cluster_instance_count(cluster);
    while (set->words.count * 64 < count)
        *vec_push(&set->words) = 0;
    for (; set->instances < count; set->instances++)
        put(set, set->instances,
            is_of_attributes(set) ? passes_plan(set, cluster, plan, set->instances)
                                  : passes_now(set, cluster, set->instances));
}

static void note_attributes(struct eligible *eligible, const struct cluster *cluster,
                            instance_id id)
{
    const struct attribute_list *list = cluster_instance(cluster, id)->attributes;
    while (eligible->attributes.count <= id)
        *vec_push(&eligible->attributes) = NULL;
    if (eligible->attributes.items[id] == list)
        return;
    if (eligible->attributes.items[id] != NULL)
        *vec_push(&eligible->attribute_log) = id;
    eligible->attributes.items[id] = list;
}

/* Nobody else wants to know whose attributes have changed. */
static bool asks_attributes(const struct eligible *eligible)
{
    return eligible->of_kind[ELIGIBLE_ATTRIBUTES] + eligible->of_kind[ELIGIBLE_MEMBER] > 0;
}

void eligible_catch_up(struct eligible *eligible, const struct cluster *cluster)
{
    const struct changes *changes = cluster_changes(cluster);
    if (eligible->sets.count == 0)
        return;
    if (changes->is_incomplete || eligible->attribute_log.count > cluster_instance_count(cluster)) {
        forget_sets(eligible); /* They are made again when they are asked for. */
        return;
    }
    for (size_t i = 0; i < changes->instances.count && asks_attributes(eligible); i++)
        note_attributes(eligible, cluster, changes->instances.items[i]);
    for (size_t at = 0; at < eligible->discrete.count; at++) {
        struct eligible_set *set = eligible->discrete.items[at];
        for (size_t i = 0; i < changes->instances.count; i++)
            if (changes->instances.items[i] < set->instances)
                put(set, changes->instances.items[i],
                    passes_now(set, cluster, changes->instances.items[i]));
    }
    for (size_t i = 0; i < changes->groups.count && eligible->of_kind[ELIGIBLE_APART] > 0; i++) {
        const struct group_change *change = &changes->groups.items[i];
        struct eligible_set *set =
            change->group < eligible->apart.count ? eligible->apart.items[change->group] : NULL;
        if (set != NULL && change->id < set->instances)
            put(set, change->id, change->tasks == 0);
    }
}

static const void *copy(const void *from, size_t size_bytes)
{
    void *to = mem_alloc(size_bytes + 1);
    memcpy(to, from, size_bytes);
    return to;
}

/* Only what the question is about; the definition may be gone before the set. */
static struct demand list_of(const struct demand *demand, enum eligible_kind kind)
{
    struct demand list = {.cpu_units = 0};
    if (kind == ELIGIBLE_GPUS && demand->gpu_count > 0) {
        list.gpu_count = demand->gpu_count;
        list.gpus = copy(demand->gpus, demand->gpu_count * sizeof *demand->gpus);
    }
    if (kind == ELIGIBLE_PORTS && demand->tcp_port_count > 0) {
        list.tcp_port_count = demand->tcp_port_count;
        list.tcp_ports = copy(demand->tcp_ports, list.tcp_port_count * sizeof *list.tcp_ports);
    }
    if (kind == ELIGIBLE_PORTS && demand->udp_port_count > 0) {
        list.udp_port_count = demand->udp_port_count;
        list.udp_ports = copy(demand->udp_ports, list.udp_port_count * sizeof *list.udp_ports);
    }
    return list;
}

static bool is_same_bytes(const void *a, const void *b, size_t size_bytes)
{
    return size_bytes == 0 || memcmp(a, b, size_bytes) == 0;
}

static bool has_list(const struct eligible_set *set, const struct demand *demand)
{
    const struct demand *own = &set->demand;
    if (set->kind == ELIGIBLE_GPUS)
        return own->gpu_count == demand->gpu_count &&
               is_same_bytes(own->gpus, demand->gpus, own->gpu_count * sizeof *own->gpus);
    return own->tcp_port_count == demand->tcp_port_count &&
           own->udp_port_count == demand->udp_port_count &&
           is_same_bytes(own->tcp_ports, demand->tcp_ports,
                         own->tcp_port_count * sizeof *own->tcp_ports) &&
           is_same_bytes(own->udp_ports, demand->udp_ports,
                         own->udp_port_count * sizeof *own->udp_ports);
}

/* A number for the demand's list: its hash, moved on past other lists with the same. */
static uint32_t number_of_list(const struct eligible *eligible, const struct demand *demand,
                               enum eligible_kind kind)
{
    uint64_t hash = 0;
    for (uint16_t i = 0; kind == ELIGIBLE_GPUS && i < demand->gpu_count; i++)
        hash = map_mix(hash + demand->gpus[i].milli);
    for (uint16_t i = 0; kind == ELIGIBLE_PORTS && i < demand->tcp_port_count; i++)
        hash = map_mix(hash + demand->tcp_ports[i]);
    for (uint16_t i = 0; kind == ELIGIBLE_PORTS && i < demand->udp_port_count; i++)
        hash = map_mix(hash + UINT16_MAX + 1 + demand->udp_ports[i]);
    for (uint32_t number = (uint32_t)hash;; number++) {
        uint32_t at = map_get(&eligible->numbers, (uint64_t)kind << 32 | number);
        if (at == MAP_ABSENT || has_list(eligible->sets.items[at], demand))
            return number;
    }
}

static struct eligible_set *find(const struct eligible *eligible, enum eligible_kind kind,
                                 uint32_t number)
{
    if (kind == ELIGIBLE_APART)
        return number < eligible->apart.count ? eligible->apart.items[number] : NULL;
    uint32_t at = map_get(&eligible->numbers, (uint64_t)kind << 32 | number);
    return at == MAP_ABSENT ? NULL : eligible->sets.items[at];
}

static void note_number(struct eligible *eligible, struct eligible_set *set)
{
    if (set->kind != ELIGIBLE_APART) {
        map_put(&eligible->numbers, (uint64_t)set->kind << 32 | set->number,
                (uint32_t)eligible->sets.count);
        return;
    }
    while (eligible->apart.count <= set->number)
        *vec_push(&eligible->apart) = NULL;
    eligible->apart.items[set->number] = set;
}

static struct eligible_set *make(struct eligible *eligible, const struct cluster *cluster,
                                 enum eligible_kind kind, uint32_t number,
                                 const struct demand *demand)
{
    struct eligible_set *set = mem_alloc(sizeof *set);
    set->kind = kind;
    set->number = number;
    set->seen = eligible->attribute_log.count;
    set->demand = list_of(demand, kind);
    note_number(eligible, set);
    *vec_push(&eligible->sets) = set;
    if (kind == ELIGIBLE_PORTS || kind == ELIGIBLE_GPUS)
        *vec_push(&eligible->discrete) = set;
    eligible->of_kind[kind]++;
    for (instance_id id = (instance_id)eligible->attributes.count;
         id < cluster_instance_count(cluster) && asks_attributes(eligible); id++)
        note_attributes(eligible, cluster, id);
    return set;
}

/* The set, made if need be and caught up; NULL when there are too many of its kind. */
static const struct eligible_set *ask(struct eligible *eligible, const struct cluster *cluster,
                                      const struct placement_request *request,
                                      enum eligible_kind kind, uint32_t number)
{
    struct eligible_set *set = find(eligible, kind, number);
    if (set == NULL && eligible->of_kind[kind] >= most[kind])
        return NULL;
    if (set == NULL)
        set = make(eligible, cluster, kind, number, request->demand);
    grow(set, cluster, request->plan);
    for (; is_of_attributes(set) && set->seen < eligible->attribute_log.count; set->seen++) {
        instance_id id = eligible->attribute_log.items[set->seen];
        put(set, id, passes_plan(set, cluster, request->plan, id));
    }
    return set;
}

static void add(struct eligibility *out, const struct eligible_set *set, enum eligible_kind kind)
{
    if (set == NULL) {
        out->is_whole = false;
        return;
    }
    out->sets[kind] = set;
    out->words[out->count++] = set->words.items;
    if (out->fewest == NULL || set->count < out->fewest->count)
        out->fewest = set;
}

void eligible_for(struct eligible *eligible, struct cluster *cluster,
                  const struct placement_request *request, struct eligibility *out)
{
    const struct placement_plan *plan = request->plan;
    const struct demand *demand = request->demand;
    out->count = 0;
    out->fewest = NULL;
    out->is_whole = request->zones == NULL && !demand->needs_eni && plan->dynamic_count == 0;
    for (int kind = 0; kind < ELIGIBLE_KIND_COUNT; kind++)
        out->sets[kind] = NULL;
    if (plan->required_count > 0)
        add(out, ask(eligible, cluster, request, ELIGIBLE_ATTRIBUTES, plan->required_filter),
            ELIGIBLE_ATTRIBUTES);
    if (plan->expression_count > plan->dynamic_count)
        add(out, ask(eligible, cluster, request, ELIGIBLE_MEMBER, plan->member_filter),
            ELIGIBLE_MEMBER);
    if (demand->tcp_port_count + demand->udp_port_count > 0)
        add(out,
            ask(eligible, cluster, request, ELIGIBLE_PORTS,
                number_of_list(eligible, demand, ELIGIBLE_PORTS)),
            ELIGIBLE_PORTS);
    if (demand->gpu_count > 0)
        add(out,
            ask(eligible, cluster, request, ELIGIBLE_GPUS,
                number_of_list(eligible, demand, ELIGIBLE_GPUS)),
            ELIGIBLE_GPUS);
    if (plan->is_distinct_instance && request->group != GROUP_NONE)
        add(out, eligible_apart(eligible, cluster, request, true), ELIGIBLE_APART);
}

const struct eligible_set *eligible_apart(struct eligible *eligible, struct cluster *cluster,
                                          const struct placement_request *request, bool may_make)
{
    group_id group = request->group;
    if (group == GROUP_NONE || (!may_make && find(eligible, ELIGIBLE_APART, group) == NULL))
        return NULL;
    return ask(eligible, cluster, request, ELIGIBLE_APART, group);
}

void eligible_audit(const struct eligible *eligible, const struct cluster *cluster)
{
    for (size_t i = 0; i < eligible->sets.count; i++) {
        const struct eligible_set *set = eligible->sets.items[i];
        uint32_t count = 0;
        for (instance_id id = 0; id < set->instances; id++) {
            count += eligible_set_has(set, id);
            assert(is_of_attributes(set) ||
                   eligible_set_has(set, id) == passes_now(set, cluster, id));
        }
        assert(count == set->count);
        (void)count;
    }
    (void)cluster;
}
