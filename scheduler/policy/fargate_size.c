#include "scheduler/policy/fargate_size.h"

#include <stddef.h>

#define GIB 1024

bool fargate_size_is_valid(int32_t cpu_units, int32_t mem_mib)
{
    static const struct {
        int32_t cpu_units, min_mib, max_mib, step_mib;
    } rows[] = {
        {512, 1 * GIB, 4 * GIB, GIB},           {1024, 2 * GIB, 8 * GIB, GIB},
        {2048, 4 * GIB, 16 * GIB, GIB},         {4096, 8 * GIB, 30 * GIB, GIB},
        {8192, 16 * GIB, 60 * GIB, 4 * GIB},    {16384, 32 * GIB, 120 * GIB, 8 * GIB},
        {32768, 60 * GIB, 120 * GIB, 60 * GIB},
    };
    if (cpu_units == 256)
        return mem_mib == 512 || mem_mib == GIB || mem_mib == 2 * GIB;
    if (cpu_units == 32768 && mem_mib == 244 * GIB)
        return true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].cpu_units == cpu_units)
            return mem_mib >= rows[i].min_mib && mem_mib <= rows[i].max_mib &&
                   (mem_mib - rows[i].min_mib) % rows[i].step_mib == 0;
    return false;
}
