#include "scheduler/model/resources.h"

uint32_t demand_gpu_milli(const struct demand *demand)
{
    uint32_t total_milli = 0;
    for (uint16_t i = 0; i < demand->gpu_count; i++)
        total_milli += demand->gpus[i].milli;
    return total_milli;
}
