#include "scheduler/base/id_table.h"

#include <assert.h>
#include <string.h>

enum { PLACES_FIRST = 16 };

void id_table_free(struct id_table *table)
{
    vec_free(&table->pages);
    mem_free(table->places);
    map_free(&table->by_number);
    *table = (struct id_table){.count = 0};
}

struct id_page *id_table_seek(const struct id_table *table, uint64_t number)
{
    uint32_t at = map_get(&table->by_number, number);
    return at == MAP_ABSENT ? NULL : &table->pages.items[at];
}

static struct id_place *place_of(const struct id_table *table, uint64_t number)
{
    return &table->places[number & (table->place_count - 1)];
}

/* As many as there are pages, and the newest page that meets another has the place. */
static void add_places(struct id_table *table)
{
    mem_free(table->places);
    table->place_count = table->place_count == 0 ? PLACES_FIRST : 2 * table->place_count;
    table->places = mem_alloc(table->place_count * sizeof *table->places);
    for (uint32_t at = table->first; at != 0; at = table->pages.items[at - 1].next) {
        uint64_t number = table->pages.items[at - 1].number;
        *place_of(table, number) = (struct id_place){number, at};
    }
}

static uint32_t take_page(struct id_table *table)
{
    uint32_t at = table->free;
    if (at == 0) {
        (void)vec_push(&table->pages);
        return (uint32_t)table->pages.count;
    }
    table->free = table->pages.items[at - 1].next;
    return at;
}

/* In its place in the chain: nearly always the end. */
static struct id_page *add_page(struct id_table *table, uint64_t number)
{
    uint32_t at = take_page(table);
    struct id_page *pages = table->pages.items;
    struct id_page *page = &pages[at - 1];
    uint32_t before = table->last;
    while (before != 0 && pages[before - 1].number > number)
        before = pages[before - 1].prev;
    uint32_t after = before == 0 ? table->first : pages[before - 1].next;
    page->number = number;
    page->prev = before;
    page->next = after;
    page->count = 0;
    memset(page->values, 0xff, sizeof page->values); /* ID_ABSENT */
    *(before == 0 ? &table->first : &pages[before - 1].next) = at;
    *(after == 0 ? &table->last : &pages[after - 1].prev) = at;
    map_put(&table->by_number, number, at - 1);
    if (table->pages.count > table->place_count)
        add_places(table);
    struct id_place *place = place_of(table, number);
    if (place->page == 0 || place->number < number)
        *place = (struct id_place){number, at};
    return page;
}

void id_table_put(struct id_table *table, uint64_t id, uint32_t value)
{
    assert(value != ID_ABSENT);
    struct id_page *page = id_table_page(table, id >> ID_PAGE_BITS);
    if (page == NULL)
        page = add_page(table, id >> ID_PAGE_BITS);
    uint32_t *place = &page->values[id % ID_PAGE_IDS];
    if (*place == ID_ABSENT) {
        page->count++;
        table->count++;
    }
    *place = value;
}

void id_table_remove(struct id_table *table, uint64_t id)
{
    struct id_page *pages = table->pages.items;
    struct id_page *page = id_table_page(table, id >> ID_PAGE_BITS);
    assert(page != NULL && page->values[id % ID_PAGE_IDS] != ID_ABSENT);
    page->values[id % ID_PAGE_IDS] = ID_ABSENT;
    table->count--;
    if (--page->count > 0)
        return;
    *(page->prev == 0 ? &table->first : &pages[page->prev - 1].next) = page->next;
    *(page->next == 0 ? &table->last : &pages[page->next - 1].prev) = page->prev;
    (void)map_remove(&table->by_number, page->number);
    struct id_place *place = place_of(table, page->number);
    if (place->number == page->number)
        place->page = 0;
    page->next = table->free;
    table->free = (uint32_t)(page - pages) + 1;
}

/* The page of `id` or, without one, the next behind it; 0 when there is none. */
static uint32_t page_from(const struct id_table *table, uint64_t id)
{
    const struct id_page *page = id_table_page(table, id >> ID_PAGE_BITS);
    if (page != NULL)
        return (uint32_t)(page - table->pages.items) + 1;
    uint32_t at = table->first;
    while (at != 0 && table->pages.items[at - 1].number < id >> ID_PAGE_BITS)
        at = table->pages.items[at - 1].next;
    return at;
}

bool id_table_next(const struct id_table *table, uint64_t after, uint64_t *id, uint32_t *value)
{
    if (after == UINT64_MAX)
        return false;
    for (uint32_t at = page_from(table, after + 1); at != 0;) {
        const struct id_page *page = &table->pages.items[at - 1];
        uint64_t base = page->number << ID_PAGE_BITS;
        for (uint64_t i = after >= base ? after + 1 - base : 0; i < ID_PAGE_IDS; i++)
            if (page->values[i] != ID_ABSENT) {
                *id = base + i;
                *value = page->values[i];
                return true;
            }
        at = page->next;
    }
    return false;
}
