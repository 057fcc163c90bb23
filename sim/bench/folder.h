/* folder.h -- within sim/bench: a folder for what a round writes, gone when it is over. */
#ifndef BERTH_SIM_BENCH_FOLDER_H
#define BERTH_SIM_BENCH_FOLDER_H

#include "sim/bench/bench.h"

/* Below $TMPDIR, or /tmp; owned. NULL, and a failed check, when there can be none. */
char *bench_folder_make(struct bench_round *round);
void bench_folder_remove(char *folder); /* with all that is in it; frees the name */

#endif
