#include "scheduler/base/pool.h"

#include "scheduler/base/mem.h"

static void add_page(struct pool *pool)
{
    if (pool->page_count == pool->page_capacity)
        pool->pages =
            mem_grow(pool->pages, &pool->page_capacity, pool->page_count + 1, sizeof *pool->pages);
    pool->pages[pool->page_count++] = mem_alloc_lines((size_t)POOL_PAGE * pool->item_bytes);
}

void pool_reach(struct pool *pool, uint32_t number)
{
    while (number / POOL_PAGE >= pool->page_count)
        add_page(pool);
    if (number >= pool->count)
        pool->count = number + 1;
}

uint32_t pool_take_new(struct pool *pool)
{
    assert(pool->item_bytes >= sizeof pool->free_first && pool->count < POOL_NONE - 1);
    if (pool->count / POOL_PAGE == pool->page_count)
        add_page(pool);
    return pool->count++;
}

void pool_free(struct pool *pool)
{
    for (size_t i = 0; i < pool->page_count; i++)
        mem_free(pool->pages[i]);
    mem_free(pool->pages);
    *pool = (struct pool){.item_bytes = pool->item_bytes};
}
