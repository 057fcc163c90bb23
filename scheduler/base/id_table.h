/*
 * id_table.h -- from ids that rise with creation to 32-bit values, in ascending order of the ids.
 *
 * Pages of 64 neighbouring ids, found by a small map and chained in order. What lives at one time
 * mostly came at one time, so the values of a busy cluster's tasks share few cache lines, where a
 * hash map gives each task one of its own. A page goes with its last value: what is kept follows
 * what lives, however many ids have passed. Zero-initialised is a valid empty table.
 */
#ifndef BERTH_SCHEDULER_BASE_ID_TABLE_H
#define BERTH_SCHEDULER_BASE_ID_TABLE_H

#include "scheduler/base/map.h"
#include "scheduler/base/mem.h"

#define ID_ABSENT UINT32_MAX /* Never a stored value. */

enum { ID_PAGE_BITS = 6, ID_PAGE_IDS = 1 << ID_PAGE_BITS };

struct id_page {
    uint64_t number;     /* of its ids: id >> ID_PAGE_BITS */
    uint32_t prev, next; /* by number; pages plus 1, 0: none; `next` also chains free ones */
    uint32_t count;
    uint32_t values[ID_PAGE_IDS];
};

struct id_table {
    VEC(struct id_page) pages; /* owned */
    struct map by_number;
    uint32_t first, last, free; /* likewise */
    size_t count;
};

void id_table_free(struct id_table *table);
uint32_t id_table_get(const struct id_table *table, uint64_t id); /* or ID_ABSENT */
void id_table_put(struct id_table *table, uint64_t id, uint32_t value);
void id_table_remove(struct id_table *table, uint64_t id); /* it must be there */
/* The least id greater than `after` that has a value; false when there is none. */
bool id_table_next(const struct id_table *table, uint64_t after, uint64_t *id, uint32_t *value);

#endif
