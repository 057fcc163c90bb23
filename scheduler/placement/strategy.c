#include "scheduler/placement/strategy.h"

#include <string.h>

#include "scheduler/placement/placement.h"

#define STRATEGY_NAME(id, type) type,
#define STRATEGY_ADDRESS(id, type) &strategy_##id,

const char *const placement_strategy_names[] = {STRATEGY_LIST(STRATEGY_NAME) NULL};

static const struct strategy *const strategies[] = {STRATEGY_LIST(STRATEGY_ADDRESS) NULL};

const struct strategy *strategy_find(const char *name)
{
    for (size_t i = 0; strategies[i] != NULL; i++)
        if (strcmp(strategies[i]->name, name) == 0)
            return strategies[i];
    return NULL;
}
