/*
 * shift.h -- how production traffic moves to a new revision, step by step (semantics 4.12).
 */
#ifndef BERTH_SCHEDULER_POLICY_SHIFT_H
#define BERTH_SCHEDULER_POLICY_SHIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/base/units.h"

enum shift_kind { SHIFT_ALL_AT_ONCE = 0, SHIFT_LINEAR, SHIFT_CANARY };

#define SHIFT_LINEAR_PERMILLE 100
#define SHIFT_CANARY_PERMILLE 50
#define SHIFT_LINEAR_BAKE_NS (360 * BERTH_NS_PER_S)
#define SHIFT_CANARY_BAKE_NS (600 * BERTH_NS_PER_S)

/* Of the new revision after step number `step`, from 0; `permille` 0: the kind's default. The first
   step that gives 1000 is the last one. */
uint32_t shift_permille(enum shift_kind kind, uint32_t permille, uint32_t step);

/* How long both revisions serve after a step that is not the last one. */
berth_ns shift_bake_ns(enum shift_kind kind, bool is_given, berth_ns given_ns);

#endif
