#include "sim/scenario/parts.h"

enum { RATE_DEFAULT = 500, RATE_MAX = 1000000 };

void read_quotas(const struct at *root, struct scenario *out)
{
    static const char *const known[] = {"launchRatePerMinute", NULL};
    struct at at = at_member(root, "quotas");
    (void)at_object(&at, known);
    struct at rate = at_member(&at, "launchRatePerMinute");
    out->quotas.launches_per_minute = (uint32_t)at_integer(&rate, 0, RATE_MAX, RATE_DEFAULT);
}
