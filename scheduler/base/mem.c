#include "scheduler/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 64

static void *checked(void *memory, size_t size_bytes)
{
    if (memory != NULL || size_bytes == 0)
        return memory;
    abort(); /* Out of memory: nothing a caller could do would keep its promises. */
}

void *mem_alloc(size_t size_bytes)
{
    return checked(calloc(1, size_bytes), size_bytes);
}

void *mem_alloc_lines(size_t size_bytes)
{
    size_t whole = (size_bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    void *memory = checked(aligned_alloc(LINE_BYTES, whole), whole);
    if (whole > 0)
        memset(memory, 0, whole);
    return memory;
}

void *mem_resize(void *memory, size_t count, size_t item_bytes)
{
    if (item_bytes != 0 && count > SIZE_MAX / item_bytes)
        abort();
    return checked(realloc(memory, count * item_bytes), count * item_bytes);
}

void *mem_grow(void *items, size_t *capacity, size_t wanted, size_t item_bytes)
{
    size_t grown = *capacity + *capacity / 2 + 8;
    *capacity = grown < wanted ? wanted : grown;
    return mem_resize(items, *capacity, item_bytes);
}

void mem_free(void *memory)
{
    free(memory);
}

char *mem_copy_text_n(const char *text, size_t length_bytes)
{
    char *copy = mem_alloc(length_bytes + 1);
    memcpy(copy, text, length_bytes);
    return copy;
}

char *mem_copy_text(const char *text)
{
    return text == NULL ? NULL : mem_copy_text_n(text, strlen(text));
}
