/*
 * cluster_internal.h -- what the files of the cluster model share: its state and its private steps.
 *
 * Only scheduler/model/ may include this. Split: cluster.c owns instances, attributes.c their
 * attributes, ports.c and gpu.c count discrete resources, reserve.c charges them, groups.c counts
 * tasks, journal.c takes back.
 */
#ifndef BERTH_SCHEDULER_MODEL_CLUSTER_INTERNAL_H
#define BERTH_SCHEDULER_MODEL_CLUSTER_INTERNAL_H

#include "scheduler/base/map.h"
#include "scheduler/base/mem.h"
#include "scheduler/model/changes.h"
#include "scheduler/model/cluster.h"
#include "scheduler/model/values.h"

/* Host ports taken by the instance's own agent; what is occupied on it when it is empty. */
struct own_ports {
    struct port_set tcp, udp;
};

struct group {
    symbol name;
    uint32_t tasks;
};

/* One row per group: its tasks at each value of a tracked attribute. */
struct value_row {
    uint32_t *tasks; /* owned; by value number */
    uint32_t capacity;
};

/* An attribute whose values are numbered and whose tasks are counted by group and value. */
struct tracked {
    symbol name;
    struct map number_of;       /* value's symbol -> number */
    VEC(symbol) values;         /* by number; [0] is SYMBOL_NONE: missing or empty (rule U3) */
    VEC(uint32_t) instances;    /* by number: how many have the value */
    VEC(uint32_t) of;           /* by instance: the number of its value */
    VEC(struct value_row) rows; /* by group; may be shorter than the list of groups */
};

/* Two tracked attributes taken together (pairs.c). */
struct pairing {
    tracked_id first, second;
    struct map number_of;          /* values of both -> number */
    VEC(struct value_pair) values; /* by number */
    VEC(uint32_t) of;              /* by instance */
};

enum undo_kind {
    UNDO_STATUS,
    UNDO_CONNECTED,
    UNDO_ATTRIBUTE,
    UNDO_NEW_ATTRIBUTE,
    UNDO_RUNNING_TASKS,
    UNDO_REMAINING,
    UNDO_RESERVE,
    UNDO_RELEASE,
    UNDO_JOIN,
    UNDO_LEAVE
};

/* What a reservation takes or gives back, in the form that both the caller and the journal have. */
struct charge {
    int32_t cpu_units, mem_mib;
    bool needs_eni;
    uint16_t tcp_count, udp_count, grant_count;
    const uint16_t *tcp, *udp;
    const struct gpu_grant *grants;
};

struct undo {
    enum undo_kind kind;
    instance_id id;
    size_t words_before; /* the journal's words when this was written: undo cuts back to it */
    union {
        enum instance_status status;
        bool is_connected;
        struct attribute attribute;
        uint32_t running_tasks;
        group_id group;
        struct charge charge; /* arrays are not set; the words hold tcp, udp, device, milli */
    } u;
};

struct cluster {
    struct cluster_head head; /* first: cluster.h reads it */
    void *instance_memory;    /* owned; what head.instances stands in */
    uint32_t instance_capacity;
    struct symbols *symbols;                      /* borrowed */
    symbol zone_name;                             /* "ecs.availability-zone" */
    symbol empty_text;                            /* "" */
    VEC(struct attribute_list *) attribute_lists; /* owned */
    struct map attribute_list_by_hash;
    VEC(struct own_ports) own_ports; /* distinct */
    VEC(uint32_t) own_ports_of;      /* by instance */
    struct map by_name;
    VEC(struct group) groups;
    struct map group_by_name;
    VEC(struct tracked) tracked; /* [0]: ecs.availability-zone */
    VEC(struct pairing) pairings;
    VEC(struct undo) journal;
    VEC(uint16_t) journal_words; /* arrays of journal entries */
    uint32_t journal_depth;      /* 0: nothing is recorded */
    struct changes changes;
};

static inline struct instance *cluster_writable(struct cluster *cluster, instance_id id)
{
    assert(id < cluster->head.instance_count);
    return &cluster->head.instances[id];
}

/* Every mutator ends with this: derived structures outside the model follow by the list. */
void cluster_touch(struct cluster *cluster, instance_id id);
void changes_note_group(struct cluster *cluster, instance_id id, group_id group, uint32_t tasks,
                        bool is_join);
void changes_free(struct changes *changes);

/* attributes.c: lists are found or made, and live as long as the cluster */
const struct attribute_list *attributes_of_spec(struct cluster *cluster,
                                                const struct instance_spec *spec);
const struct attribute_list *attributes_with(struct cluster *cluster,
                                             const struct attribute_list *list,
                                             struct attribute attribute);
const struct attribute_list *attributes_without(struct cluster *cluster,
                                                const struct attribute_list *list, symbol name);
const struct attribute *attributes_find(const struct attribute_list *list, symbol name);
void attributes_free(struct cluster *cluster);

/* ports.c */
bool port_set_equals(const struct port_set *a, const struct port_set *b);
bool port_set_has_none(const struct port_set *set, const uint16_t *ports, uint16_t count);
void port_set_add(struct port_set *set, const uint16_t *ports, uint16_t count);
void port_set_remove(struct port_set *set, const uint16_t *ports, uint16_t count);
void port_set_assign(struct port_set *set, const uint16_t *ports, uint16_t count);
void port_set_share(struct port_set *set, const struct port_set *other); /* which stays as it is */
void port_set_free(struct port_set *set);

/* reserve.c */
void charge_take(struct cluster *cluster, instance_id id, const struct charge *charge);
void charge_return(struct cluster *cluster, instance_id id, const struct charge *charge);

/* groups.c */
void groups_add_instance(struct cluster *cluster, instance_id id);
void groups_value_changed(struct cluster *cluster, instance_id id, symbol name);
void groups_free(struct cluster *cluster);
void groups_audit(const struct cluster *cluster);

/* pairs.c */
static inline const struct pairing *pairing_at(const struct cluster *cluster, tracked_id pair)
{
    assert((pair & ~TRACKED_PAIR) < cluster->pairings.count);
    return &cluster->pairings.items[pair & ~TRACKED_PAIR];
}
void pairs_add_instance(struct cluster *cluster, instance_id id);
void pairs_value_changed(struct cluster *cluster, instance_id id);
void pairs_free(struct cluster *cluster);
void pairs_audit(const struct cluster *cluster);

/* journal.c: each does nothing when no journal is open; called before the change */
void journal_simple(struct cluster *cluster, const struct undo *undo);
void journal_charge(struct cluster *cluster, enum undo_kind kind, instance_id id,
                    const struct charge *charge);
void journal_remaining(struct cluster *cluster, instance_id id);

#endif
