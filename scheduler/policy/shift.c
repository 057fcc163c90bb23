#include "scheduler/policy/shift.h"

#define ALL 1000

uint32_t shift_permille(enum shift_kind kind, uint32_t permille, uint32_t step)
{
    if (kind == SHIFT_ALL_AT_ONCE || (kind == SHIFT_CANARY && step > 0))
        return ALL;
    if (permille == 0)
        permille = kind == SHIFT_LINEAR ? SHIFT_LINEAR_PERMILLE : SHIFT_CANARY_PERMILLE;
    uint64_t reached = ((uint64_t)step + 1) * permille;
    return reached < ALL ? (uint32_t)reached : ALL;
}

berth_ns shift_bake_ns(enum shift_kind kind, bool is_given, berth_ns given_ns)
{
    if (kind == SHIFT_ALL_AT_ONCE)
        return 0;
    if (is_given)
        return given_ns;
    return kind == SHIFT_LINEAR ? SHIFT_LINEAR_BAKE_NS : SHIFT_CANARY_BAKE_NS;
}
