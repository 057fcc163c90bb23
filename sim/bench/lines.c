#include "sim/bench/lines.h"

/* Figures: the more the better, or the less. The first number is a must, the second an aim. */
#define MORE(unit_, must_, aim_) .unit = (unit_), .must = (must_), .aim = (aim_)
#define LESS(unit_, must_, aim_) MORE(unit_, must_, aim_), .is_lower_better = true
#define SCAN .naive = "plain vectorised scan"
#define HEAP .naive = "binary heap"
#define HOLDS .naive = "binary heap's holds" /* bench_set_yardstick */
#define MEMORY(gib_)                                   \
    {                                                  \
        LESS("GiB", gib_, gib_), .what = "peak memory" \
    }

const struct bench_line bench_lines[] = {
    {"P1", {{MORE("M/s", 0.8, 1.6), SCAN, .ratio_least = 2}}, 1, false, bench_p1},
    {"P2", {{MORE("M/s", 0.5, 1), SCAN, .ratio_least = 8}}, 1, false, bench_p2},
    {"P3", {{MORE("M/s", 1, 2.5), SCAN}}, 1, false, bench_p3},
    {"P4", {{MORE("k/s", 100, 300), HOLDS}}, 1, false, bench_p4},
    {"P5", {{LESS("x", 4, 2), SCAN, .must_hold = true}}, 1, false, bench_p5},
    {"P6",
     {{LESS("ms", 1, 0.1), .what = "to place one"},
      {LESS("ms", 1, 0.1), .what = "to drain one"},
      {LESS("ms", 1, 0.1), .what = "to place one, told per instance"}},
     3,
     false,
     bench_p6},
    {"P7", {{LESS("s", 10, 2), SCAN}}, 1, false, bench_p7},
    {"E1", {{MORE("M/s", 7, 12), HEAP, .ratio_least = 1.25}}, 1, false, bench_e1},
    {"E2", {{MORE("M/s", 4, 8), HEAP}}, 1, false, bench_e2},
    {"S1", {{MORE("M tasks/s", 0.4, 0.8), HOLDS}}, 1, false, bench_s1},
    {"S2", {{MORE("k tasks/s", 100, 300), HOLDS}}, 1, false, bench_s2},
    {"S3", {{LESS("s", 0.1, 0.03), HOLDS}}, 1, false, bench_s3},
    {"S4", {{LESS("s", 10, 3), HOLDS}, MEMORY(1)}, 2, false, bench_s4},
    {"S5", {{LESS("s", 0.2, 0.1), HOLDS}}, 1, false, bench_s5},
    {"S6", {{MORE("M tasks/s", 0.3, 0.8), HOLDS}, MEMORY(1.5)}, 2, true, bench_s6},
    {"S7", {{LESS("s", 10, 3), HOLDS}}, 1, true, bench_s7},
    {"M1",
     {{LESS("B", 1024, 256), .what = "a live task"},
      {LESS("B", 2048, 1024), .what = "an instance"},
      {LESS("B", 96, 64), .what = "a stopped task"}},
     3,
     false,
     bench_m1},
    {"R1", {{LESS("s", 0.5, 0.3), HOLDS}}, 1, false, bench_r1},
    {"R2", {{MORE("MB/s", 100, 200), HOLDS}}, 1, false, bench_r2},
    {"R3", {{LESS("ms", 50, 20), HOLDS}}, 1, false, bench_r3},
    {.id = NULL},
};
