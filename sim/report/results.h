/*
 * results.h -- the folder of a run: summary.json, metrics.csv, timeline.csv, events.jsonl, plots/,
 * report.html.
 *
 * Everything is written aside, inside the parts folder, and moved under its final name when all of
 * it is whole; summary.json last. What an earlier run left there and this one does not make (plots,
 * events) is removed; files that berth does not know are not touched.
 */
#ifndef BERTH_SIM_REPORT_RESULTS_H
#define BERTH_SIM_REPORT_RESULTS_H

#include "sim/experiment/experiment.h"

struct results_options {
    const char *folder;
    const char *parts; /* of the experiment; emptied and removed at the end */
    bool wants_plots;
    const volatile sig_atomic_t *stop; /* set: publish nothing, the parts stay; may be NULL */
    void (*notice)(void *context, const char *line); /* "no plots: install gnuplot-nox" */
    void *context;
};

struct results_written { /* what there is to look at */
    bool has_plots;
    bool has_events;
};

enum berth_err results_write(const struct experiment *experiment,
                             const struct results_options *options, struct results_written *out,
                             struct berth_error *err) BERTH_MUST_CHECK;

#endif
