/*
 * task_def.c -- families, each with its revisions in ascending order.
 *
 * A family is found by its interned name; within it, revisions are a sorted array, for lookups by
 * bisection. Definitions are never removed: a DELETE or a deregistration is a status.
 */
#include "scheduler/model/task_def.h"

#include <assert.h>
#include <string.h>

#include "scheduler/base/map.h"
#include "scheduler/base/mem.h"
#include "scheduler/base/symbols.h"

struct family {
    VEC(struct task_def *) revisions; /* owned; ascending by revision, from any number */
    uint32_t highest;                 /* ever given: the next registration's number less one */
};

struct task_def_registry {
    struct symbols *names;
    struct map by_name; /* symbol of the family -> index into families */
    VEC(struct family) families;
    VEC(struct task_def *) all; /* by number */
};

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mem_free(texts[i]);
    mem_free(texts);
}

void task_def_destroy(struct task_def *def)
{
    if (def == NULL)
        return;
    for (size_t i = 0; i < def->container_count; i++) {
        mem_free(def->containers[i].name);
        mem_free(def->containers[i].image);
        mem_free(def->containers[i].depends_on);
        mem_free(def->containers[i].restart.ignored_exit_codes);
    }
    mem_free(def->containers);
    free_texts(def->required_attributes, def->required_attribute_count);
    free_texts(def->member_of, def->member_of_count);
    mem_free(def->family);
    mem_free(def->gpus);
    mem_free(def->tcp_ports);
    mem_free(def->udp_ports);
    mem_free(def->document);
    mem_free(def);
}

bool container_def_has_health_check(const struct container_def *container)
{
    return container->health.interval_ns > 0;
}

bool task_def_has_health_check(const struct task_def *def)
{
    for (size_t i = 0; i < def->container_count; i++)
        if (def->containers[i].is_essential && container_def_has_health_check(&def->containers[i]))
            return true;
    return false;
}

struct task_def_registry *task_def_registry_create(void)
{
    struct task_def_registry *registry = mem_alloc(sizeof *registry);
    registry->names = symbols_create();
    return registry;
}

void task_def_registry_destroy(struct task_def_registry *registry)
{
    if (registry == NULL)
        return;
    for (size_t i = 0; i < registry->families.count; i++) {
        struct family *family = &registry->families.items[i];
        for (size_t j = 0; j < family->revisions.count; j++)
            task_def_destroy(family->revisions.items[j]);
        vec_free(&family->revisions);
    }
    vec_free(&registry->families);
    vec_free(&registry->all);
    map_free(&registry->by_name);
    symbols_destroy(registry->names);
    mem_free(registry);
}

static struct family *find_family_n(const struct task_def_registry *registry, const char *name,
                                    size_t length)
{
    symbol id = symbols_find_n(registry->names, name, length);
    uint32_t index = id == SYMBOL_NONE ? MAP_ABSENT : map_get(&registry->by_name, id);
    return index == MAP_ABSENT ? NULL : &registry->families.items[index];
}

static struct family *find_family(const struct task_def_registry *registry, const char *name)
{
    return find_family_n(registry, name, strlen(name));
}

static struct family *find_or_make_family(struct task_def_registry *registry, const char *name)
{
    struct family *family = find_family(registry, name);
    if (family != NULL)
        return family;
    map_put(&registry->by_name, symbols_add(registry->names, name),
            (uint32_t)registry->families.count);
    family = vec_push(&registry->families);
    *family = (struct family){.highest = 0};
    return family;
}

/* Where `revision` stands, or where it would go. */
static size_t bisect(const struct family *family, uint32_t revision)
{
    size_t low = 0, high = family->revisions.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (family->revisions.items[middle]->revision < revision)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct task_def *find_revision(const struct family *family, uint32_t revision)
{
    size_t at = bisect(family, revision);
    if (at == family->revisions.count || family->revisions.items[at]->revision != revision)
        return NULL;
    return family->revisions.items[at];
}

static void give_number(struct task_def_registry *registry, struct task_def *def)
{
    def->number = (uint32_t)registry->all.count;
    *vec_push(&registry->all) = def;
}

const struct task_def *task_def_register(struct task_def_registry *registry, struct task_def *def)
{
    struct family *family = find_or_make_family(registry, def->family);
    assert(family->highest < UINT32_MAX);
    def->revision = ++family->highest;
    def->status = TASK_DEF_ACTIVE;
    *vec_push(&family->revisions) = def;
    give_number(registry, def);
    return def;
}

const struct task_def *task_def_restore(struct task_def_registry *registry, struct task_def *def)
{
    assert(def->revision > 0);
    struct family *family = find_or_make_family(registry, def->family);
    size_t at = bisect(family, def->revision);
    assert(find_revision(family, def->revision) == NULL);
    (void)vec_push(&family->revisions);
    memmove(&family->revisions.items[at + 1], &family->revisions.items[at],
            (family->revisions.count - 1 - at) * sizeof family->revisions.items[0]);
    family->revisions.items[at] = def;
    give_number(registry, def);
    if (def->revision > family->highest)
        family->highest = def->revision;
    return def;
}

/* A whole decimal number above 0 without a leading zero; 0 when it is not one. */
static uint32_t parse_revision(const char *text)
{
    uint64_t number = 0;
    if (*text == '0')
        return 0;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return 0;
        number = number * 10 + (uint64_t)(*text - '0');
        if (number > UINT32_MAX)
            return 0;
    }
    return (uint32_t)number;
}

static const struct task_def *latest_active(const struct family *family)
{
    for (size_t i = family->revisions.count; i > 0; i--)
        if (family->revisions.items[i - 1]->status == TASK_DEF_ACTIVE)
            return family->revisions.items[i - 1];
    return NULL;
}

/* An ARN ends in "task-definition/FAMILY:REVISION"; account and region are not looked at: a
 * registry is of one account and region. */
const struct task_def *task_def_find(const struct task_def_registry *registry,
                                     const char *reference)
{
    const char *slash = strrchr(reference, '/');
    const char *name = slash == NULL ? reference : slash + 1;
    const char *colon = strrchr(name, ':');
    size_t length = colon == NULL ? strlen(name) : (size_t)(colon - name);
    const struct family *family = find_family_n(registry, name, length);
    if (family == NULL)
        return NULL;
    return colon == NULL ? latest_active(family) : find_revision(family, parse_revision(colon + 1));
}

const struct task_def *task_def_at(const struct task_def_registry *registry, uint32_t number)
{
    assert(number < registry->all.count);
    return registry->all.items[number];
}

bool task_def_deregister(struct task_def_registry *registry, const char *family_name,
                         uint32_t revision)
{
    const struct family *family = find_family(registry, family_name);
    struct task_def *def = family == NULL ? NULL : find_revision(family, revision);
    if (def == NULL || def->status != TASK_DEF_ACTIVE)
        return false;
    def->status = TASK_DEF_INACTIVE;
    return true;
}
