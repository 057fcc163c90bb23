#include "scheduler/placement/fits.h"

#include <assert.h>
#include <string.h>

void fits_free(struct fits *fits)
{
    vec_free(&fits->words);
    vec_free(&fits->blocks);
}

/* Rows of `from` words become rows of `to`; returns them. */
static uint64_t *widened(uint64_t *words, size_t count, uint32_t from, uint32_t to)
{
    uint64_t *wide = mem_alloc((count / from * to + 1) * sizeof *wide);
    for (size_t row = 0; row < count / from; row++)
        memcpy(wide + row * to, words + row * from, from * sizeof *wide);
    mem_free(words);
    return wide;
}

void fits_widen(struct fits *fits, uint32_t stride)
{
    uint32_t old = fits->stride;
    fits->stride = stride;
    if (old == 0)
        return;
    assert(stride > old);
    fits->words.items = widened(fits->words.items, fits->words.count, old, stride);
    fits->words.count = fits->words.capacity = fits->words.count / old * stride;
    fits->blocks.items = widened(fits->blocks.items, fits->blocks.count, old, stride);
    fits->blocks.count = fits->blocks.capacity = fits->blocks.count / old * stride;
}

void fits_append(struct fits *fits, uint32_t position)
{
    for (uint32_t i = 0; position % 64 == 0 && i < fits->stride; i++)
        *vec_push(&fits->words) = 0;
    for (uint32_t i = 0; position % (64 * 64) == 0 && i < fits->stride; i++)
        *vec_push(&fits->blocks) = 0;
}

void fits_turn(struct fits *fits, uint32_t position, uint64_t sizes)
{
    uint32_t block = position / 64;
    uint64_t bit = UINT64_C(1) << position % 64;
    uint64_t *words = fits->words.items + (size_t)block * fits->stride;
    for (; sizes != 0; sizes &= sizes - 1) {
        uint32_t size = (uint32_t)__builtin_ctzll(sizes);
        uint64_t old = words[size];
        words[size] = old ^ bit;
        if (old == 0 || old == bit)
            fits->blocks.items[(size_t)(block / 64) * fits->stride + size] ^= UINT64_C(1)
                                                                              << block % 64;
    }
}

uint32_t fits_next(const struct fits *fits, uint32_t size, uint32_t from)
{
    size_t stride = fits->stride, block = from / 64;
    if (block * stride >= fits->words.count)
        return FITS_NONE;
    uint64_t word = fits->words.items[block * stride + size] >> from % 64;
    if (word != 0)
        return from + (uint32_t)__builtin_ctzll(word);
    block++;
    uint64_t mask = ~UINT64_C(0) << block % 64;
    for (size_t row = block / 64; row * stride < fits->blocks.count; row++, mask = ~UINT64_C(0)) {
        uint64_t blocks = fits->blocks.items[row * stride + size] & mask;
        if (blocks == 0)
            continue;
        block = row * 64 + (size_t)__builtin_ctzll(blocks);
        word = fits->words.items[block * stride + size];
        return (uint32_t)(block * 64) + (uint32_t)__builtin_ctzll(word);
    }
    return FITS_NONE;
}
