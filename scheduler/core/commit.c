#include "scheduler/core/commit.h"

#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"

#define NO_VALUE SIZE_MAX

/* One change. Texts are found by offset, since `bytes` moves as it grows. */
struct commit_entry {
    size_t key, value;
    size_t action;        /* index of the change */
    const char *key_text; /* while the keys are compared */
};

static int by_key_then_age(const void *a, const void *b)
{
    const struct commit_entry *x = a, *y = b;
    int order = strcmp(x->key_text, y->key_text);
    return order != 0 ? order : x->action < y->action ? -1 : 1;
}

static int by_age(const void *a, const void *b)
{
    const struct commit_entry *x = a, *y = b;
    return x->action < y->action ? -1 : 1;
}

static size_t keep_scratch(struct commit *commit)
{
    size_t start = commit->bytes.length;
    if (commit->scratch.length > 0)
        text_add_n(&commit->bytes, commit->scratch.bytes, commit->scratch.length);
    text_add_n(&commit->bytes, "", 1);
    text_clear(&commit->scratch);
    return start;
}

static size_t write_keys(struct commit *commit, const struct controller *controller,
                         const struct action_list *actions)
{
    size_t count = 0;
    for (size_t i = 0; i < actions->count; i++) {
        if (actions->items[i].kind != ACTION_CHANGE)
            continue;
        if (count == commit->entry_capacity)
            commit->entries = mem_grow(commit->entries, &commit->entry_capacity, count + 1,
                                       sizeof *commit->entries);
        controller_record_key(controller, &actions->items[i].u.change, &commit->scratch);
        commit->entries[count++] =
            (struct commit_entry){.key = keep_scratch(commit), .value = NO_VALUE, .action = i};
    }
    for (size_t i = 0; i < count; i++)
        commit->entries[i].key_text = commit->bytes.bytes + commit->entries[i].key;
    return count;
}

static size_t keep_last_of_each(struct commit_entry *entries, size_t count)
{
    size_t kept = 0;
    if (count < 2)
        return count;
    qsort(entries, count, sizeof *entries, by_key_then_age);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || strcmp(entries[i].key_text, entries[i + 1].key_text) != 0)
            entries[kept++] = entries[i];
    qsort(entries, kept, sizeof *entries, by_age);
    return kept;
}

void commit_encode(struct commit *commit, const struct controller *controller,
                   const struct action_list *actions)
{
    text_clear(&commit->bytes);
    text_clear(&commit->scratch);
    vec_clear(commit);
    size_t count = write_keys(commit, controller, actions);
    count = keep_last_of_each(commit->entries, count);
    for (size_t i = 0; i < count; i++) {
        struct commit_entry *entry = &commit->entries[i];
        const struct change *change = &actions->items[entry->action].u.change;
        if (change->is_deleted)
            continue;
        controller_record_value(controller, change, &commit->scratch);
        entry->value = keep_scratch(commit);
    }
    for (size_t i = 0; i < count; i++) {
        const struct commit_entry *entry = &commit->entries[i];
        *vec_push(commit) = (struct store_write){
            .key = commit->bytes.bytes + entry->key,
            .value = entry->value == NO_VALUE ? NULL : commit->bytes.bytes + entry->value,
            .revision = actions->items[entry->action].u.change.revision};
    }
}

void commit_free(struct commit *commit)
{
    text_free(&commit->bytes);
    text_free(&commit->scratch);
    mem_free(commit->entries);
    commit->entries = NULL;
    commit->entry_capacity = 0;
    vec_free(commit);
}
