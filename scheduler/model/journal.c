/*
 * journal.c -- what-if on the live cluster: write down how to take each change back.
 *
 * An entry holds what undoing needs and nothing that the caller could free in between: ports and
 * grants are copied into one array of 16-bit words beside the entries, and an entry remembers where
 * its words begin, so undo is two stacks cut back together. Undoing calls the same mutators, with
 * recording off, so derived figures follow as they do going forward.
 */
#include <assert.h>
#include <string.h>

#include "scheduler/model/cluster_internal.h"

cluster_mark cluster_journal_begin(struct cluster *cluster)
{
    cluster->journal_depth++;
    return cluster->journal.count;
}

static void push(struct cluster *cluster, const struct undo *undo)
{
    struct undo *entry = vec_push(&cluster->journal);
    *entry = *undo;
    entry->words_before = cluster->journal_words.count;
}

static void push_words(struct cluster *cluster, const uint16_t *words, size_t count)
{
    if (count == 0)
        return;
    vec_reserve(&cluster->journal_words, cluster->journal_words.count + count);
    memcpy(cluster->journal_words.items + cluster->journal_words.count, words,
           count * sizeof *words);
    cluster->journal_words.count += count;
}

void journal_simple(struct cluster *cluster, const struct undo *undo)
{
    if (cluster->journal_depth > 0)
        push(cluster, undo);
}

void journal_charge(struct cluster *cluster, enum undo_kind kind, instance_id id,
                    const struct charge *charge)
{
    if (cluster->journal_depth == 0)
        return;
    push(cluster, &(struct undo){.kind = kind, .id = id, .u.charge = *charge});
    push_words(cluster, charge->tcp, charge->tcp_count);
    push_words(cluster, charge->udp, charge->udp_count);
    for (uint16_t i = 0; i < charge->grant_count; i++) {
        *vec_push(&cluster->journal_words) = charge->grants[i].device;
        *vec_push(&cluster->journal_words) = charge->grants[i].milli;
    }
}

void journal_remaining(struct cluster *cluster, instance_id id)
{
    if (cluster->journal_depth == 0)
        return;
    const struct instance *instance = cluster_instance(cluster, id);
    struct charge old = {.cpu_units = instance->cpu_remaining,
                         .mem_mib = instance->mem_remaining,
                         .tcp_count = instance->tcp.count,
                         .udp_count = instance->udp.count};
    push(cluster, &(struct undo){.kind = UNDO_REMAINING, .id = id, .u.charge = old});
    push_words(cluster, instance->tcp.ports, instance->tcp.count);
    push_words(cluster, instance->udp.ports, instance->udp.count);
    push_words(cluster, instance->gpu_free_milli, instance->gpu_count);
}

/* The entry's own words; NULL when it has none. */
static const uint16_t *words_of(const struct cluster *cluster, const struct undo *undo)
{
    bool has_words = cluster->journal_words.count > undo->words_before;
    return has_words ? cluster->journal_words.items + undo->words_before : NULL;
}

static void undo_charge(struct cluster *cluster, const struct undo *undo)
{
    struct charge charge = undo->u.charge;
    struct gpu_grant grants[GPU_DEVICES_MAX];
    const uint16_t *words = words_of(cluster, undo);
    if (words != NULL) {
        charge.tcp = words;
        charge.udp = words + charge.tcp_count;
        words += charge.tcp_count + charge.udp_count;
    }
    for (uint16_t i = 0; i < charge.grant_count; i++)
        grants[i] = (struct gpu_grant){words[2 * i], words[2 * i + 1]};
    charge.grants = grants;
    if (undo->kind == UNDO_RESERVE)
        charge_return(cluster, undo->id, &charge);
    else
        charge_take(cluster, undo->id, &charge);
}

static void undo_remaining(struct cluster *cluster, const struct undo *undo)
{
    const struct charge *old = &undo->u.charge;
    const uint16_t *words = words_of(cluster, undo);
    const uint16_t *udp = words == NULL ? NULL : words + old->tcp_count;
    const uint16_t *gpus = words == NULL ? NULL : udp + old->udp_count;
    cluster_set_remaining(cluster, undo->id, old->cpu_units, old->mem_mib, words, old->tcp_count,
                          udp, old->udp_count, gpus);
}

static void undo_one(struct cluster *cluster, const struct undo *undo)
{
    const struct attribute *attribute = &undo->u.attribute;
    switch (undo->kind) {
    case UNDO_STATUS:
        cluster_set_status(cluster, undo->id, undo->u.status);
        break;
    case UNDO_CONNECTED:
        cluster_set_connected(cluster, undo->id, undo->u.is_connected);
        break;
    case UNDO_ATTRIBUTE:
        cluster_set_attribute(cluster, undo->id, attribute->name, attribute->value);
        break;
    case UNDO_NEW_ATTRIBUTE:
        cluster_remove_attribute(cluster, undo->id, attribute->name);
        break;
    case UNDO_RUNNING_TASKS:
        cluster_set_running_tasks(cluster, undo->id, undo->u.running_tasks);
        break;
    case UNDO_REMAINING:
        undo_remaining(cluster, undo);
        break;
    case UNDO_RESERVE:
    case UNDO_RELEASE:
        undo_charge(cluster, undo);
        break;
    case UNDO_JOIN:
        cluster_leave(cluster, undo->id, undo->u.group);
        break;
    case UNDO_LEAVE:
        cluster_join(cluster, undo->id, undo->u.group);
        break;
    }
}

void cluster_journal_undo(struct cluster *cluster, cluster_mark mark)
{
    assert(cluster->journal_depth > 0 && mark <= cluster->journal.count);
    uint32_t depth = cluster->journal_depth;
    cluster->journal_depth = 0; /* Undoing is not recorded. */
    while (cluster->journal.count > mark) {
        struct undo undo = cluster->journal.items[--cluster->journal.count];
        undo_one(cluster, &undo);
        cluster->journal_words.count = undo.words_before;
    }
    cluster->journal_depth = depth - 1;
}

void cluster_journal_keep(struct cluster *cluster, cluster_mark mark)
{
    assert(cluster->journal_depth > 0 && mark <= cluster->journal.count);
    cluster->journal_depth--;
    if (cluster->journal_depth == 0) {
        vec_clear(&cluster->journal);
        vec_clear(&cluster->journal_words);
    }
}
