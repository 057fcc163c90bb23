/*
 * pool.h -- items of one size that never move, named by a number.
 *
 * Items lie in pages of POOL_PAGE, each page at the begin of a cache line: an item of 64 bytes is
 * one line, and nothing is copied or left unused when there are more. A number given back is taken
 * again first, while its memory is still near.
 *
 *     struct pool pool = POOL_INIT(struct thing);
 *     uint32_t number = pool_take(&pool);
 *     struct thing *thing = pool_at(&pool, number);   // zeroed when it is new
 *     pool_give(&pool, number);
 *     pool_free(&pool);                               // empty, and ready again
 */
#ifndef BERTH_SCHEDULER_BASE_POOL_H
#define BERTH_SCHEDULER_BASE_POOL_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define POOL_PAGE 256
#define POOL_NONE UINT32_MAX /* never an item's number */

struct pool {
    char **pages; /* owned */
    size_t page_count, page_capacity;
    uint32_t item_bytes;
    uint32_t count;      /* numbers ever taken: all are below it */
    uint32_t free_first; /* a number + 1; 0: none. The free ones are linked by their first bytes */
};

#define POOL_INIT(type)             \
    {                               \
        .item_bytes = sizeof(type), \
    }

static inline void *pool_at(const struct pool *pool, uint32_t number)
{
    return pool->pages[number / POOL_PAGE] + (size_t)(number % POOL_PAGE) * pool->item_bytes;
}

uint32_t pool_take_new(struct pool *pool); /* one that nobody had before: use pool_take */

/* One that was given back keeps what was in it, but for its first four bytes. */
static inline uint32_t pool_take(struct pool *pool)
{
    uint32_t number = pool->free_first - 1;
    if (pool->free_first == 0)
        return pool_take_new(pool);
    memcpy(&pool->free_first, pool_at(pool, number), sizeof pool->free_first);
    return number;
}

static inline void pool_give(struct pool *pool, uint32_t number)
{
    assert(number < pool->count);
    memcpy(pool_at(pool, number), &pool->free_first, sizeof pool->free_first);
    pool->free_first = number + 1;
}

/* For who gets the numbers from elsewhere, and so never takes any: all up to this one are there. */
void pool_reach(struct pool *pool, uint32_t number);
void pool_free(struct pool *pool);

#endif
