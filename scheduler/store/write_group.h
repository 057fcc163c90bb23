/* write_group.h -- batches that gather while the one before is written: copied texts, in order. */
#ifndef BERTH_SCHEDULER_STORE_WRITE_GROUP_H
#define BERTH_SCHEDULER_STORE_WRITE_GROUP_H

#include <stdbool.h>

#include "scheduler/base/text.h"
#include "scheduler/store/history.h"
#include "scheduler/store/store.h"

struct group_write {
    size_t key, value; /* where in the group's bytes; a value that deletes: WRITE_GROUP_DELETES */
    uint64_t revision;
};

struct group_note {
    int64_t wall_ns;
    uint64_t batch;
    size_t kind, subject, text;
};

#define WRITE_GROUP_DELETES SIZE_MAX

/* Zero-initialised is empty. */
struct write_group {
    uint64_t last_batch; /* 0: notes alone */
    struct {
        struct group_write *items; /* owned */
        size_t count, capacity;
    } writes;
    struct {
        struct group_note *items; /* owned */
        size_t count, capacity;
    } notes;
    struct text bytes;
};

void write_group_add(struct write_group *group, uint64_t batch, const struct store_write *writes,
                     size_t write_count);
void write_group_add_note(struct write_group *group, const struct store_note *note);
/* The newest `count` notes belong to this batch. */
void write_group_stamp(struct write_group *group, size_t count, uint64_t batch);
void write_group_drop_notes(struct write_group *group, size_t count); /* the newest */

bool write_group_is_empty(const struct write_group *group);
size_t write_group_bytes(const struct write_group *group); /* roughly, in memory */
void write_group_clear(struct write_group *group);         /* gives back what an outsize one took */
void write_group_free(struct write_group *group);

/* The texts are lent until the group changes. */
struct store_write write_group_write(const struct write_group *group, size_t index);
struct store_note write_group_note(const struct write_group *group, size_t index);

#endif
