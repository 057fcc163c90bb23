/*
 * mser.h -- where a simulation's warm-up ends: MSER-5 (White, Cobb and Spratt, 2000).
 *
 * Of all cuts it takes the one whose remaining batch means have the smallest standard error.
 * Batches of five values smooth the series; a cut beyond the first half means that the series is
 * too short to tell, so none of those is looked at.
 */
#ifndef BERTH_SIM_RUN_MSER_H
#define BERTH_SIM_RUN_MSER_H

#include <stddef.h>

/* How many of the first values to drop: a multiple of 5, at most half of `count`. */
size_t mser5_cut(const double *values, size_t count);

#endif
