#define _XOPEN_SOURCE 700 /* realpath */
#include "sim/experiment/replay.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/version.h"
#include "sim/experiment/files.h"

enum berth_err replay_find_scenario(const struct summary *summary, char **out,
                                    struct berth_error *err)
{
    if (summary->scenario == NULL)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: does not say of which scenario file; give it with --scenario",
                          summary->path);
    if (files_exist(summary->scenario) || summary->scenario[0] == '/') {
        *out = mem_copy_text(summary->scenario);
    } else {
        char *folder = realpath(summary->path, NULL);
        *out = NULL;
        for (char *slash; *out == NULL && folder != NULL && (slash = strrchr(folder, '/'));) {
            *slash = '\0';
            char *candidate = files_join(folder[0] != '\0' ? folder : "/", summary->scenario);
            if (files_exist(candidate))
                *out = candidate;
            else
                mem_free(candidate);
        }
        free(folder);
    }
    if (*out != NULL)
        return BERTH_OK;
    return berth_fail(err, BERTH_ERR_INPUT,
                      "%s: its scenario %s is not found from here; give it with --scenario",
                      summary->path, summary->scenario);
}

enum berth_err replay_check_origin(const struct summary *summary, const struct scenario_set *set,
                                   struct berth_error *err)
{
    if (strcmp(summary->scenario_hash, set->hash) != 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: was made of another scenario: hash %.12s..., but %s has %.12s...; "
                          "--force goes on",
                          summary->path, summary->scenario_hash, set->path, set->hash);
    if (strcmp(summary->build_id, berth_build_id) != 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s: was made by build %s, and this is build %s; --force goes on",
                          summary->path, summary->build_id, berth_build_id);
    return BERTH_OK;
}

uint32_t replay_format(const struct summary_variant *stored, uint32_t replication,
                       const double metrics[METRIC_COUNT], struct text *out)
{
    uint32_t different = 0;
    for (int m = 0; m < METRIC_COUNT; m++) {
        struct text found = TEXT_INIT, before = TEXT_INIT;
        summary_format_number(metrics[m], &found);
        text_addf(out, "  %-24s %22s %s", metric_infos[m].name, found.bytes, metric_infos[m].unit);
        if (stored != NULL && replication < stored->value_counts[m]) {
            summary_format_number(stored->values[m][replication], &before);
            if (strcmp(found.bytes, before.bytes) != 0) {
                text_addf(out, "   <- DIFFERS: %s is stored", before.bytes);
                different++;
            }
        }
        while (out->bytes[out->length - 1] == ' ')
            out->bytes[--out->length] = '\0';
        text_add(out, "\n");
        text_free(&found);
        text_free(&before);
    }
    return different;
}
