/*
 * plots.h -- pictures by gnuplot, SVG and PNG, each with its origin inside.
 *
 *     metrics      every metric of the table, a panel each, means with 95% intervals
 *     reservation  reserved CPU and memory, tasks short of their desired count, over time
 *     waits        how long tasks waited for a place: share that waited longer than a time
 *     services     desired, pending, running by revision and healthy tasks of each service, over
 * time heat         reserved CPU of every instance over time, a panel for each of the variants
 * shown
 */
#ifndef BERTH_SIM_REPORT_PLOTS_H
#define BERTH_SIM_REPORT_PLOTS_H

#include "sim/report/ranking.h"

enum plot { PLOT_METRICS = 0, PLOT_SERVICES, PLOT_RESERVATION, PLOT_WAITS, PLOT_HEAT, PLOT_COUNT };

struct plot_info {
    const char *name;    /* "metrics": the file's name without its end */
    const char *title;   /* "The figures" */
    const char *caption; /* how to read it: a sentence or two */
};
extern const struct plot_info plot_infos[PLOT_COUNT];

enum plots_state {
    PLOTS_WRITTEN = 0,
    PLOTS_NO_GNUPLOT, /* it is not installed */
    PLOTS_FAILED,     /* it is there and did not do it; what it said is in `complaint` */
};

/*
 * Writes NAME.svg and NAME.png for every plot that has data into `folder`, through scripts in
 * `scratch`. A run without waits has no waits to draw. One gnuplot for SVG and one for PNG, at the
 * same time.
 */
enum plots_state plots_write(const struct ranking *ranking, const char *folder, const char *scratch,
                             struct text *complaint);

#endif
