#include "sim/bench/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/files.h"

char *bench_folder_make(struct bench_round *round)
{
    const char *temporary = getenv("TMPDIR");
    char *folder =
        files_join(temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp", "berth-XXXXXX");
    if (mkdtemp(folder) != NULL)
        return folder;
    (void)bench_check(round, false, "%s: no folder can be made: %s", folder, strerror(errno));
    mem_free(folder);
    return NULL;
}

void bench_folder_remove(char *folder)
{
    if (folder == NULL)
        return;
    files_empty_folder(folder);
    files_remove(folder);
    mem_free(folder);
}
