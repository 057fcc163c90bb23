#include "scheduler/placement/sizes.h"

#include <assert.h>

#include "scheduler/base/map.h"

/* The slot of the size, or the free one where it would stand. */
static uint32_t slot_of(const struct sizes *sizes, struct room wanted)
{
    uint64_t key = (uint64_t)(uint32_t)wanted.cpu << 32 | (uint32_t)wanted.mem;
    for (uint32_t slot = (uint32_t)map_mix(key);; slot++) {
        uint8_t found = sizes->slots[slot % (2 * SIZES_MAX)];
        if (found == 0 || (sizes->items[found - 1].cpu == wanted.cpu &&
                           sizes->items[found - 1].mem == wanted.mem))
            return slot % (2 * SIZES_MAX);
    }
}

uint32_t sizes_find(const struct sizes *sizes, struct room wanted)
{
    uint8_t found = sizes->slots[slot_of(sizes, wanted)];
    return found == 0 ? SIZE_NONE : found - 1u;
}

/* One amount more among `count` ascending ones, and whose it is. */
static void insert(int32_t *amounts, uint64_t *whose, uint32_t count, int32_t amount, uint64_t bit)
{
    uint32_t at = count;
    for (; at > 0 && amounts[at - 1] > amount; at--) {
        amounts[at] = amounts[at - 1];
        whose[at + 1] = whose[at] | bit;
    }
    amounts[at] = amount;
    whose[at + 1] = whose[at] | bit;
}

uint32_t sizes_learn(struct sizes *sizes, struct room wanted)
{
    if (sizes->count == SIZES_MAX)
        return SIZE_NONE;
    uint32_t number = sizes->count, slot = slot_of(sizes, wanted);
    uint64_t bit = UINT64_C(1) << number;
    assert(sizes->slots[slot] == 0);
    sizes->slots[slot] = (uint8_t)(number + 1);
    sizes->items[number] = wanted;
    insert(sizes->cpu, sizes->of_cpu, number, wanted.cpu, bit);
    insert(sizes->mem, sizes->of_mem, number, wanted.mem, bit);
    sizes->count++;
    return number;
}
