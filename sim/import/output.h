/*
 * output.h -- within sim/import: files that appear whole, under their final names, or not at all.
 *
 * Each is written as ".NAME.part" in the folder; output_commit renames them in the order in which
 * they were opened. Writing errors are gathered and reported by it.
 */
#ifndef BERTH_SIM_IMPORT_OUTPUT_H
#define BERTH_SIM_IMPORT_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

#include "scheduler/base/error.h"

#define OUTPUT_FILES_MAX 4

struct output {
    char *folder; /* owned */
    struct {
        FILE *file;
        char *part_path, *path; /* owned */
    } files[OUTPUT_FILES_MAX];
    int count;
};

/* The folder and those above it are made when absent. */
enum berth_err output_begin(struct output *output, const char *folder,
                            struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err output_open(struct output *output, const char *name, FILE **out,
                           struct berth_error *err) BERTH_MUST_CHECK;

/* Writes `json` indented, in the order in which its members were set. */
enum berth_err output_json(struct output *output, const char *name, const json_t *json,
                           struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err output_commit(struct output *output, struct berth_error *err) BERTH_MUST_CHECK;

/* Frees; what was not committed is removed. Zeroed output is allowed. */
void output_end(struct output *output);

#endif
