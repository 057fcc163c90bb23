#include "scheduler/placement/placement.h"

instance_id placement_choose(struct cluster *cluster, const struct placement_request *request)
{
    return placement_choose_by_scan(cluster, request);
}
