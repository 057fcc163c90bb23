/* lines.h -- within sim/bench: one function for each line of the table (lines.c). */
#ifndef BERTH_SIM_BENCH_LINES_H
#define BERTH_SIM_BENCH_LINES_H

#include "sim/bench/bench.h"

typedef void bench_measure_line(const struct bench_setting *setting, struct bench_round *round);

bench_measure_line bench_p1, bench_p2, bench_p3, bench_p5, bench_p7; /* bench_placement.c */
bench_measure_line bench_p4, bench_p6;                               /* bench_scheduler.c */
bench_measure_line bench_e1, bench_e2;                               /* bench_queue.c */
bench_measure_line bench_s1, bench_s6, bench_s7;                     /* bench_runs.c */
bench_measure_line bench_s2;                                         /* bench_services.c */
bench_measure_line bench_s3, bench_s4, bench_r2;                     /* bench_files.c */
bench_measure_line bench_s5;                                         /* bench_openb.c */
bench_measure_line bench_m1;                                         /* bench_memory.c */
bench_measure_line bench_r1, bench_r3;                               /* bench_reading.c */

/*
 * For the whole scheduler and whole runs, to which there is no naive way: how many of what the line
 * is about are done in the time of one hold of the binary heap with 100,000 pending, in the same
 * process. It says less of the machine than a time does. For a line that is one run in seconds,
 * millionths of it are done.
 */
void bench_set_yardstick(struct bench_round *round, double per_second); /* bench_queue.c */

#endif
