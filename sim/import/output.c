#include "sim/import/output.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"

static enum berth_err fail(const char *path, const char *what, struct berth_error *err)
{
    return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s: %s", path, what, strerror(errno));
}

/* Make `path` and what is above it. */
static enum berth_err make_folders(char *path, struct berth_error *err)
{
    struct stat info;
    for (char *slash = path + 1;; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char end = *slash;
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return fail(path, "the folder cannot be made", err);
        *slash = end;
        if (end == '\0')
            break;
    }
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return BERTH_OK;
    return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: is not a folder; give another with -o",
                      path);
}

enum berth_err output_begin(struct output *output, const char *folder, struct berth_error *err)
{
    *output = (struct output){0};
    if (folder[0] == '\0')
        return berth_fail(err, BERTH_ERR_INPUT, "the output folder has no name; give one with -o");
    output->folder = mem_copy_text(folder);
    return make_folders(output->folder, err);
}

static char *path_of(const struct output *output, const char *before, const char *name,
                     const char *after)
{
    struct text path = TEXT_INIT;
    text_addf(&path, "%s/%s%s%s", output->folder, before, name, after);
    return path.bytes;
}

enum berth_err output_open(struct output *output, const char *name, FILE **out,
                           struct berth_error *err)
{
    assert(output->count < OUTPUT_FILES_MAX);
    int at = output->count;
    char *part_path = path_of(output, ".", name, ".part");
    FILE *file = fopen(part_path, "wb");
    if (file == NULL) {
        (void)fail(part_path, "cannot be written", err);
        mem_free(part_path);
        return err->code;
    }
    output->files[at].file = file;
    output->files[at].part_path = part_path;
    output->files[at].path = path_of(output, "", name, "");
    output->count++;
    *out = file;
    return BERTH_OK;
}

enum berth_err output_json(struct output *output, const char *name, const json_t *json,
                           struct berth_error *err)
{
    FILE *file = NULL;
    enum berth_err code = output_open(output, name, &file, err);
    if (code != BERTH_OK)
        return code;
    /* What fails here leaves the stream's error flag set, for output_commit. */
    (void)json_dumpf(json, file, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    (void)fputc('\n', file);
    return BERTH_OK;
}

enum berth_err output_commit(struct output *output, struct berth_error *err)
{
    for (int i = 0; i < output->count; i++) {
        bool is_bad = ferror(output->files[i].file) != 0;
        is_bad |= fclose(output->files[i].file) != 0;
        output->files[i].file = NULL;
        if (is_bad)
            return fail(output->files[i].path, "cannot be written", err);
    }
    for (int i = 0; i < output->count; i++) {
        if (rename(output->files[i].part_path, output->files[i].path) != 0)
            return fail(output->files[i].path, "cannot be replaced", err);
        mem_free(output->files[i].part_path);
        output->files[i].part_path = NULL;
    }
    return BERTH_OK;
}

void output_end(struct output *output)
{
    for (int i = 0; i < output->count; i++) {
        if (output->files[i].file != NULL)
            (void)fclose(output->files[i].file);
        if (output->files[i].part_path != NULL)
            (void)unlink(output->files[i].part_path);
        mem_free(output->files[i].part_path);
        mem_free(output->files[i].path);
    }
    mem_free(output->folder);
    *output = (struct output){0};
}
