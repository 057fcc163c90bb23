/*
 * mem.h -- the only door to the heap, and growable arrays.
 *
 * Running out of memory ends the process with the size that was asked for: no caller can mend it,
 * and a core that half-applied a step would be worse. Everything returned is owned by the caller.
 */
#ifndef BERTH_SCHEDULER_BASE_MEM_H
#define BERTH_SCHEDULER_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size_bytes);       /* Zeroed. */
void *mem_alloc_lines(size_t size_bytes); /* Zeroed, at the begin of a cache line. */
void *mem_resize(void *memory, size_t count, size_t item_bytes);
void mem_free(void *memory);
char *mem_copy_text(const char *text); /* NULL stays NULL. */
char *mem_copy_text_n(const char *text, size_t length_bytes);

/*
 * A growable array is three members of any struct or variable: `items`, `count`, `capacity`.
 *
 *     VEC(struct pair) pairs = VEC_INIT;
 *     *vec_push(&pairs) = (struct pair){1, 2};
 *     vec_free(&pairs);                          // back to VEC_INIT
 */
#define VEC(type)        \
    struct {             \
        type *items;     \
        size_t count;    \
        size_t capacity; \
    }
#define VEC_INIT   \
    {              \
        NULL, 0, 0 \
    }

#define vec_reserve(vec, wanted)                                                            \
    ((wanted) > (vec)->capacity                                                             \
         ? (void)((vec)->items = mem_grow((vec)->items, &(vec)->capacity, (size_t)(wanted), \
                                          sizeof *(vec)->items))                            \
         : (void)0)

/* The new last item, uninitialised. */
#define vec_push(vec) \
    (vec_reserve((vec), (vec)->count + 1), (vec)->count++, &(vec)->items[(vec)->count - 1])

#define vec_clear(vec) ((void)((vec)->count = 0))
#define vec_free(vec) \
    (mem_free((vec)->items), (vec)->items = NULL, (vec)->count = 0, (vec)->capacity = 0)

/* Grows by half again, at least to `wanted`; used by vec_reserve. */
void *mem_grow(void *items, size_t *capacity, size_t wanted, size_t item_bytes);

#endif
