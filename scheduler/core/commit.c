#include "scheduler/core/commit.h"

#include <stdlib.h>

#include "scheduler/base/mem.h"

/* One change, and which record it changes: two numbers that no other record of its kind has. */
struct commit_entry {
    enum record_kind kind;
    uint64_t first, second;
    size_t action;     /* index of the change */
    size_t key, value; /* offsets, since `bytes` moves as it grows */
};

static void identify(const struct change *change, struct commit_entry *entry)
{
    entry->kind = change->kind;
    entry->first = entry->second = 0;
    switch (change->kind) {
    case RECORD_TASK_DEFINITION:
        entry->first = (uint64_t)(uintptr_t)change->u.task_def; /* for equality only */
        break;
    case RECORD_INSTANCE:
        entry->first = change->u.instance;
        break;
    case RECORD_SERVICE:
        entry->first = change->u.service.name;
        break;
    case RECORD_TASK:
        entry->first = change->u.task.task;
        break;
    case RECORD_GROUP:
        entry->first = change->u.group;
        break;
    case RECORD_SCALING:
        entry->first = change->u.scaling.service_name;
        break;
    case RECORD_PROVIDER:
        entry->first = change->u.provider.name;
        break;
    case RECORD_DEPLOYMENT:
        entry->first = change->u.deployment.service;
        entry->second = change->u.deployment.deployment;
        break;
    case RECORD_CONTROLLER:
    case RECORD_KIND_COUNT:
        break;
    }
}

static int compare_records(const struct commit_entry *a, const struct commit_entry *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return (a->second > b->second) - (a->second < b->second);
}

static int by_record_then_age(const void *a, const void *b)
{
    const struct commit_entry *x = a, *y = b;
    int order = compare_records(x, y);
    return order != 0 ? order : x->action < y->action ? -1 : 1;
}

static int by_age(const void *a, const void *b)
{
    const struct commit_entry *x = a, *y = b;
    return x->action < y->action ? -1 : 1;
}

static size_t list_changes(struct commit *commit, const struct action_list *actions)
{
    size_t count = 0;
    for (size_t i = 0; i < actions->count; i++) {
        if (actions->items[i].kind != ACTION_CHANGE)
            continue;
        if (count == commit->entry_capacity)
            commit->entries = mem_grow(commit->entries, &commit->entry_capacity, count + 1,
                                       sizeof *commit->entries);
        identify(&actions->items[i].u.change, &commit->entries[count]);
        commit->entries[count++].action = i;
    }
    return count;
}

/* Most steps change a handful of records: looking on costs less than sorting twice. */
#define FEW 16

static bool changes_again(const struct commit_entry *entries, size_t at, size_t count)
{
    for (size_t i = at + 1; i < count; i++)
        if (compare_records(&entries[at], &entries[i]) == 0)
            return true;
    return false;
}

static size_t keep_last_of_each(struct commit_entry *entries, size_t count)
{
    size_t kept = 0;
    bool is_sorted = count > FEW;
    if (is_sorted)
        qsort(entries, count, sizeof *entries, by_record_then_age);
    for (size_t i = 0; i < count; i++) {
        size_t end = is_sorted && i + 2 < count ? i + 2 : count; /* its like stand together */
        if (!changes_again(entries, i, end))
            entries[kept++] = entries[i];
    }
    if (is_sorted)
        qsort(entries, kept, sizeof *entries, by_age);
    return kept;
}

void commit_encode(struct commit *commit, const struct controller *controller,
                   const struct action_list *actions)
{
    text_clear(&commit->bytes);
    vec_clear(commit);
    size_t count = keep_last_of_each(commit->entries, list_changes(commit, actions));
    for (size_t i = 0; i < count; i++) {
        struct commit_entry *entry = &commit->entries[i];
        const struct change *change = &actions->items[entry->action].u.change;
        entry->key = commit->bytes.length;
        controller_record_key(controller, change, &commit->bytes);
        text_add_n(&commit->bytes, "", 1);
        entry->value = commit->bytes.length;
        if (change->is_deleted)
            continue;
        controller_record_value(controller, change, &commit->bytes);
        text_add_n(&commit->bytes, "", 1);
    }
    for (size_t i = 0; i < count; i++) {
        const struct commit_entry *entry = &commit->entries[i];
        const struct change *change = &actions->items[entry->action].u.change;
        *vec_push(commit) = (struct store_write){
            .key = commit->bytes.bytes + entry->key,
            .value = change->is_deleted ? NULL : commit->bytes.bytes + entry->value,
            .revision = change->revision};
    }
}

void commit_free(struct commit *commit)
{
    text_free(&commit->bytes);
    mem_free(commit->entries);
    commit->entries = NULL;
    commit->entry_capacity = 0;
    vec_free(commit);
}
