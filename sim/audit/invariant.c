#include "sim/audit/invariant.h"

const struct invariant_info invariant_infos[INVARIANT_COUNT] = {
#define INVARIANT_INFO(constant, name, what) {name, what},
    INVARIANT_LIST(INVARIANT_INFO)
#undef INVARIANT_INFO
};
