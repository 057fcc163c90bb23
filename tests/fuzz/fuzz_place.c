/*
 * `berth place`: a cluster and a request, parted by a line "---". Whatever they are, one line of
 * refusal, or an answer in which nothing that is placed was not asked for, and a sound cluster.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/ecs/json_input.h"
#include "scheduler/ecs/place_answer.h"

#define COPIES_MAX 50 /* A hundred thousand copies are a matter of time, not of bugs. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void bound_count(json_t *request)
{
    json_t *count = json_object_get(request, "count");
    if (json_is_integer(count) && json_integer_value(count) > COPIES_MAX &&
        json_integer_value(count) <= RUN_TASK_COUNT_MAX)
        (void)json_integer_set(count, COPIES_MAX);
}

static void check_answer(const struct described_cluster *described,
                         const struct place_answer *answer)
{
    uint32_t count = cluster_instance_count(described->cluster);
    assert(answer->placed_count <= answer->count && answer->count <= COPIES_MAX);
    assert((answer->verdicts != NULL) == (answer->placed_count < answer->count));
    for (uint32_t copy = 0; copy < answer->placed_count; copy++)
        assert(answer->placed[copy] < count);
    for (uint32_t id = 0; answer->verdicts != NULL && id < count; id++)
        assert(answer->verdicts[id] != PLACEMENT_FITS);
    json_t *json = place_answer_to_json(answer, true);
    assert(json_array_size(json_object_get(json, "tasks")) == answer->placed_count);
    json_decref(json);
    cluster_audit(described->cluster);
}

static enum berth_err place(const char *cluster_text, size_t cluster_length,
                            const char *request_text, size_t request_length,
                            struct berth_error *err)
{
    json_t *cluster = NULL, *request = NULL;
    struct described_cluster described = {.symbols = NULL};
    struct place_answer answer = {.placed = NULL};
    enum berth_err code = json_read_text(cluster_text, cluster_length, "C", &cluster, err);
    if (code == BERTH_OK)
        code = json_read_text(request_text, request_length, "R", &request, err);
    bound_count(request);
    if (code == BERTH_OK)
        code = described_cluster_read(cluster, "C:", &described, err);
    if (code == BERTH_OK)
        code = place_answer_compute(&described, request, "R:", 1, true, &answer, err);
    if (code == BERTH_OK)
        check_answer(&described, &answer);
    place_answer_free(&answer);
    described_cluster_free(&described);
    json_decref(request);
    json_decref(cluster);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char separator[] = "\n---\n";
    char *text = mem_copy_text_n((const char *)data, size);
    const char *middle = strstr(text, separator);
    size_t first = middle == NULL ? size : (size_t)(middle - text);
    size_t second = middle == NULL ? size : first + strlen(separator);
    struct berth_error err = BERTH_ERROR_INIT;
    enum berth_err code = place(text, first, text + second, size - second, &err);
    if (code != BERTH_OK)
        assert(code == BERTH_ERR_INPUT && (err.text[0] == 'C' || err.text[0] == 'R') &&
               strchr(err.text, '\n') == NULL);
    mem_free(text);
    return 0;
}
