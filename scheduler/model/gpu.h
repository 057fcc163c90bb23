/* gpu.h -- which cards a task's GPU requests get: one routine for "fits" and for "reserve". */
#ifndef BERTH_SCHEDULER_MODEL_GPU_H
#define BERTH_SCHEDULER_MODEL_GPU_H

#include "scheduler/model/resources.h"

#define GPU_NO_FIT UINT32_MAX

/*
 * Grants for every request of the demand on cards with `free_milli` left, or GPU_NO_FIT. `grants`
 * has room for GPU_DEVICES_MAX entries; nothing is changed but it.
 */
uint32_t gpu_plan(const uint16_t *free_milli, uint16_t device_count, const struct demand *demand,
                  struct gpu_grant *grants);

#endif
