/*
 * shares.h -- amounts as shares of what an instance registered, in fixed point.
 *
 * Vectors of CPU and memory compare only after each is divided by the instance's own size. Integers
 * throughout: SHARES_ONE is a whole instance.
 */
#ifndef BERTH_SCHEDULER_PLACEMENT_SHARES_H
#define BERTH_SCHEDULER_PLACEMENT_SHARES_H

#include <stdint.h>

#define SHARES_ONE (INT64_C(1) << 20)
#define SHARES_MAX (SHARES_ONE << 10) /* what shares_of gives at most */

/* amount / registered, rounded towards zero; at most 1024 whole instances either way. */
int64_t shares_of(int64_t amount, int32_t registered);

/*
 * cpu / cpu_registered + mem / mem_registered as one fraction, rounded once: among instances of one
 * shape it rises with cpu * mem_registered + mem * cpu_registered (shares_key), which an index can
 * sort by.
 */
int64_t shares_sum(int64_t cpu, int32_t cpu_registered, int64_t mem, int32_t mem_registered);
int64_t shares_key(int64_t cpu, int32_t cpu_registered, int64_t mem, int32_t mem_registered);

#endif
