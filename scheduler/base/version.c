#include "scheduler/base/version.h"

#include "build_id.h"

const char berth_build_id[] = BERTH_BUILD_ID;
