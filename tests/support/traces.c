#include "tests/support/traces.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *traces_path(const char *name, const char *what)
{
    static char paths[8][1024];
    static unsigned next;
    char *path = paths[next++ % 8];
    const char *folder = getenv("BERTH_TRACES");
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder ? folder : "../shared/traces", name);
    if (access(path, R_OK) == 0)
        return path;
    printf("left out: %s, no %s\n", what, path);
    return NULL;
}
