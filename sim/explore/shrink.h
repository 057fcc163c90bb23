/*
 * shrink.h -- the smallest document that still fails alike.
 *
 * Delta debugging (Zeller and Hildebrandt, 2002) over the members of each collection, then over
 * counts, times and optional keys, again and again until nothing more can go. Every candidate is a
 * whole run in a process of its own.
 */
#ifndef BERTH_SIM_EXPLORE_SHRINK_H
#define BERTH_SIM_EXPLORE_SHRINK_H

#include <signal.h>

#include "sim/explore/trial.h"

struct shrink {
    json_t *document;             /* the caller's; made smaller in place */
    struct trial_outcome outcome; /* of the document as it is */
    uint32_t tried_count, cut_count;
    const volatile sig_atomic_t *stop;
    void (*progress)(void *context, const struct shrink *shrink); /* may be NULL */
    void *context;
};

void shrink_run(struct shrink *shrink);

#endif
