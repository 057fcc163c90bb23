/* fargate_size.h -- the sizes of task that Fargate has machines for (semantics 2.2, Linux). */
#ifndef BERTH_SCHEDULER_POLICY_FARGATE_SIZE_H
#define BERTH_SCHEDULER_POLICY_FARGATE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

bool fargate_size_is_valid(int32_t cpu_units, int32_t mem_mib);

#endif
