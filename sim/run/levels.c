#include "sim/run/levels.h"

#include "scheduler/base/mem.h"

void levels_init(struct levels *levels, uint32_t count)
{
    *levels = (struct levels){.items = mem_alloc(count * sizeof *levels->items), .count = count};
}

void levels_free(struct levels *levels)
{
    mem_free(levels->items);
    *levels = (struct levels){0};
}

void levels_begin_window(struct levels *levels, berth_ns at_ns)
{
    levels->window_ns = at_ns;
    for (uint32_t i = 0; i < levels->count; i++) {
        level_add(levels, i, at_ns, 0);
        levels->items[i].at_window = levels->items[i].total;
        levels->items[i].max = levels->items[i].now;
    }
}

void levels_begin_sample(struct levels *levels, berth_ns at_ns)
{
    levels->sample_ns = at_ns;
    for (uint32_t i = 0; i < levels->count; i++) {
        level_add(levels, i, at_ns, 0);
        levels->items[i].at_sample = levels->items[i].total;
    }
}

double level_in_window(struct levels *levels, uint32_t index, berth_ns at_ns)
{
    level_add(levels, index, at_ns, 0);
    return (double)(levels->items[index].total - levels->items[index].at_window);
}

double level_in_sample(struct levels *levels, uint32_t index, berth_ns at_ns)
{
    level_add(levels, index, at_ns, 0);
    return (double)(levels->items[index].total - levels->items[index].at_sample);
}
