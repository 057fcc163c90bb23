#include "sim/scenario/parts.h"

enum { RATE_DEFAULT = 500, RATE_MAX = 1000000 };

void read_quotas(const struct at *root, struct scenario *out)
{
    static const char *const known[] = {"launchRatePerMinute", "api", "sizes", NULL};
    struct at at = at_member(root, "quotas");
    (void)at_object(&at, known);
    struct at rate = at_member(&at, "launchRatePerMinute");
    struct at api = at_member(&at, "api"), sizes = at_member(&at, "sizes");
    out->quotas.throttles_api = at_boolean(&api, false);
    out->quotas.limits_sizes = at_boolean(&sizes, false);
    out->quotas.launches_per_minute = (uint32_t)at_integer(&rate, 0, RATE_MAX, RATE_DEFAULT);
}
