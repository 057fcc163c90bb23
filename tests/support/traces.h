/* traces.h -- public traces that lie outside the tree: $BERTH_TRACES, default ../shared/traces. */
#ifndef BERTH_TESTS_SUPPORT_TRACES_H
#define BERTH_TESTS_SUPPORT_TRACES_H

/*
 * The path of a trace, such as "openb/openb_pod_list_default.csv.gz", or NULL when it is not there:
 * then "left out: WHAT, no NAME" was printed on stdout. In one of eight rotating buffers.
 */
const char *traces_path(const char *name, const char *what);

#endif
