#include "scheduler/core/rule.h"

const struct rule_info rule_infos[RULE_COUNT] = {
#define RULE_ROW(constant, name, what) {name, what},
    RULE_LIST(RULE_ROW)
#undef RULE_ROW
};
