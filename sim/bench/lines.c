#include "sim/bench/lines.h"

#define SCAN "plain vectorised scan"
#define HEAP "binary heap"

const struct bench_line bench_lines[] = {
    {"P1", {{"", "M/s", 0.8, 1.6, .naive = SCAN, .ratio_least = 2}}, 1, false, bench_p1},
    {"P2", {{"", "M/s", 0.5, 1, .naive = SCAN, .ratio_least = 8}}, 1, false, bench_p2},
    {"P3", {{"", "M/s", 1, 2.5, .naive = SCAN}}, 1, false, bench_p3},
    {"P5",
     {{"", "x", 4, 2, .is_lower_better = true, .must_hold = true, .naive = SCAN}},
     1,
     false,
     bench_p5},
    {"P7", {{"", "s", 10, 2, .is_lower_better = true, .naive = SCAN}}, 1, false, bench_p7},
    {"E1", {{"", "M/s", 7, 12, .naive = HEAP, .ratio_least = 1.25}}, 1, false, bench_e1},
    {"E2", {{"", "M/s", 4, 8, .naive = HEAP}}, 1, false, bench_e2},
    {"S1", {{"", "M tasks/s", 0.4, 0.8, .naive = NULL}}, 1, false, bench_s1},
    {"S6",
     {{"", "M tasks/s", 0.3, 0.8, .naive = NULL},
      {"peak memory", "GiB", 1.5, 1.5, .is_lower_better = true}},
     2,
     true,
     bench_s6},
    {.id = NULL},
};
