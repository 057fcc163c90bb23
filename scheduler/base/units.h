/*
 * units.h -- time and the scalar units of the whole program.
 *
 * Time is a signed 64-bit count of nanoseconds: 292 years, exact, totally ordered. CPU is counted
 * in ECS CPU units (1024 = one vCPU), memory in MiB, a GPU in thousandths of one card.
 */
#ifndef BERTH_SCHEDULER_BASE_UNITS_H
#define BERTH_SCHEDULER_BASE_UNITS_H

#include <stdint.h>

typedef int64_t berth_ns;

#define BERTH_NS_PER_MS INT64_C(1000000)
#define BERTH_NS_PER_S INT64_C(1000000000)
#define BERTH_NS_NEVER INT64_MAX /* A deadline that is not set. */

#define BERTH_CPU_UNITS_PER_VCPU 1024
#define BERTH_GPU_MILLI 1000 /* One whole card. */

/*
 * The two clocks of one step. Deadlines compare `mono_ns`, which never runs backwards; timestamps
 * show `wall_ns`, nanoseconds since 1970-01-01T00:00:00Z, which an operator may set.
 */
struct step_time {
    berth_ns mono_ns;
    berth_ns wall_ns;
};

#endif
