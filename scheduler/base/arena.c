#include "scheduler/base/arena.h"

#include <stdalign.h>

enum { BLOCK_BYTES = 64 * 1024 };

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
    size_t rounded = (size_bytes + alignof(max_align_t) - 1) / alignof(max_align_t);
    rounded *= alignof(max_align_t);
    while (arena->block < arena->blocks.count) {
        struct arena_block *block = &arena->blocks.items[arena->block];
        if (block->size_bytes - arena->used_bytes >= rounded) {
            void *piece = block->bytes + arena->used_bytes;
            arena->used_bytes += rounded;
            return piece;
        }
        arena->block++;
        arena->used_bytes = 0;
    }
    size_t wanted = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;
    struct arena_block *block = vec_push(&arena->blocks);
    *block = (struct arena_block){mem_resize(NULL, wanted, 1), wanted};
    arena->block = arena->blocks.count - 1;
    arena->used_bytes = rounded;
    return block->bytes;
}

void arena_reset(struct arena *arena)
{
    arena->block = 0;
    arena->used_bytes = 0;
}

void arena_free(struct arena *arena)
{
    for (size_t i = 0; i < arena->blocks.count; i++)
        mem_free(arena->blocks.items[i].bytes);
    vec_free(&arena->blocks);
    arena_reset(arena);
}
