/*
 * id_table.h -- from ids that rise with creation to 32-bit values, in ascending order of the ids.
 *
 * Pages of 64 neighbouring ids, chained in order. What lives at one time mostly came at one time,
 * so the values of a busy cluster's tasks share few cache lines, where a hash map gives each task
 * one of its own. A page goes with its last value: what is kept follows what lives, however many
 * ids have passed. Zero-initialised is a valid empty table.
 *
 * A page is found by the low bits of its number, at once: of two that meet there the newer one has
 * the place, and the older one is found by a map. There are as many places as pages, so that only
 * who outlives most of those after it has to be looked for.
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

/* Where the low bits of a page's number lead. */
struct id_place {
    uint64_t number;
    uint32_t page; /* plus 1; 0: none */
};

struct id_table {
    VEC(struct id_page) pages; /* owned */
    struct id_place *places;   /* owned */
    size_t place_count;        /* a power of two, or 0: then the table never had an id */
    struct map by_number;
    uint32_t first, last, free; /* pages plus 1 */
    size_t count;
};

void id_table_free(struct id_table *table);
void id_table_put(struct id_table *table, uint64_t id, uint32_t value);
void id_table_remove(struct id_table *table, uint64_t id); /* it must be there */
/* The least id greater than `after` that has a value; false when there is none. */
bool id_table_next(const struct id_table *table, uint64_t after, uint64_t *id, uint32_t *value);

struct id_page *id_table_seek(const struct id_table *table, uint64_t number); /* by the map */

/* NULL: there is none with this number. */
static inline struct id_page *id_table_page(const struct id_table *table, uint64_t number)
{
    if (table->place_count == 0)
        return NULL;
    const struct id_place *at = &table->places[number & (table->place_count - 1)];
    return at->page != 0 && at->number == number ? &table->pages.items[at->page - 1]
                                                 : id_table_seek(table, number);
}

static inline uint32_t id_table_get(const struct id_table *table, uint64_t id) /* or ID_ABSENT */
{
    const struct id_page *page = id_table_page(table, id >> ID_PAGE_BITS);
    return page == NULL ? ID_ABSENT : page->values[id % ID_PAGE_IDS];
}

/* An id will soon be asked for. A page that has lost its place is not looked for. */
static inline void id_table_prefetch(const struct id_table *table, uint64_t id)
{
    if (table->place_count == 0)
        return;
    const struct id_place *at = &table->places[id >> ID_PAGE_BITS & (table->place_count - 1)];
    if (at->page != 0)
        __builtin_prefetch(&table->pages.items[at->page - 1].values[id % ID_PAGE_IDS]);
}

#endif
