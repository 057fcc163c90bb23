/* html.h -- report.html: one file that needs nothing else, pictures within as SVG. */
#ifndef BERTH_SIM_REPORT_HTML_H
#define BERTH_SIM_REPORT_HTML_H

#include "sim/report/ranking.h"

/* `plots` is the folder with the SVG files, or NULL: then the report says how to get them. */
void html_format(const struct ranking *ranking, const char *plots, struct text *out);

#endif
