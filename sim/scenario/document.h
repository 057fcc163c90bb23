/*
 * document.h -- a scenario's files merged into one JSON document.
 *
 * Paths are made relative to the working directory as each file is read, since afterwards nobody
 * knows which file a member came from. A path of a task definition is replaced by
 * {"definition": what the file holds}, so that a variant may patch what is inside.
 */
#ifndef BERTH_SIM_SCENARIO_DOCUMENT_H
#define BERTH_SIM_SCENARIO_DOCUMENT_H

#include "sim/scenario/patch.h"
#include "sim/scenario/reader.h"

struct document_file { /* one that was read: its place in messages, or a task definition's content
                        */
    char *path;
    json_t *json;
};

struct document {
    json_t *merged; /* without `include`; with `compare` */
    struct layers layers;
    VEC(struct document_file) sources;     /* in order of merging */
    VEC(struct document_file) definitions; /* task definition files, read once */
};

#define DOCUMENT_INIT                        \
    {                                        \
        NULL, {VEC_INIT}, VEC_INIT, VEC_INIT \
    }

/* Read `path` with what it includes. On failure the document is empty. */
enum berth_err document_load(const char *path, struct document *out,
                             struct berth_error *err) BERTH_MUST_CHECK;
enum berth_err document_load_text(const char *text, size_t length, const char *folder,
                                  struct document *out, struct berth_error *err) BERTH_MUST_CHECK;
void document_free(struct document *document);

/*
 * A task definition as task_def_from_json takes it: unwrapped from what describe-task-definition
 * prints, without comments, of the given family unless it names one. New reference.
 */
json_t *document_definition(json_t *json, const char *family);

/* Put what the files hold in place of the paths of task definitions in `json`, whose top changes.
 */
enum berth_err document_inline(struct document *document, json_t *json,
                               struct berth_error *err) BERTH_MUST_CHECK;

#endif
