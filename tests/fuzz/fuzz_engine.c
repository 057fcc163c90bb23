/*
 * What an engine says, whatever it is: read within bounds or refused. And a definition, whatever it
 * is: refused for an engine with a reason, or made into one object for each container.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/docker/container_json.h"
#include "scheduler/docker/fault.h"
#include "scheduler/docker/image_json.h"
#include "scheduler/docker/log_frames.h"
#include "scheduler/ecs/task_def_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_answers(const json_t *json)
{
    struct container_state state;
    struct engine_info info;
    struct engine_version version;
    struct container_usage usage;
    struct image_state image;
    task_id task;
    uint16_t container;
    if (container_state_read(json, &state)) {
        assert(state.id[0] != '\0' && strchr(state.id, '/') == NULL);
        for (size_t i = 0; i < state.ports.count; i++)
            assert(state.ports.items[i].container_port > 0 && state.ports.items[i].host_port > 0);
        if (container_identify(&state, "c", "s", &task, &container))
            assert(container < TASK_DEF_CONTAINERS_MAX);
        container_state_free(&state);
    }
    (void)engine_info_read(json, &info);
    assert(info.mem_mib >= 0 && info.cpu_count >= 0);
    engine_info_free(&info);
    (void)engine_version_read(json, &version);
    (void)container_usage_read(json, &usage);
    (void)image_state_read(json, &image);
}

static void read_lines(const char *bytes, size_t size)
{
    struct engine_event event;
    struct pull_line line;
    char message[ENGINE_TEXT_MAX];
    (void)engine_event_read(bytes, size, &event);
    if (pull_line_read(bytes, size, &line))
        assert(!(line.is_error && line.is_last));
    engine_message_read(bytes, size, message);
    assert(strlen(message) < sizeof message && strchr(message, '\n') == NULL);
    for (int call = 0; call < ENGINE_CALL_COUNT; call++)
        assert(engine_fault_of((enum engine_call)call, 500, message) != ENGINE_OK);
}

static void read_frames(const char *bytes, size_t size)
{
    struct log_frames frames = {.left = 0};
    size_t used = 0, length, taken = 0;
    enum log_stream stream;
    const char *piece;
    while (taken < size &&
           log_frames_next(&frames, bytes + taken, size - taken, &used, &stream, &piece, &length)) {
        assert(used > 0 && used <= size - taken && length <= used);
        taken += used;
    }
}

static void make_containers(const char *text)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct task_def *def = NULL;
    char reason[TASK_REASON_MAX];
    static const struct gpu_grant grants[] = {{0, 500}, {1, 1000}};
    if (task_def_from_document(text, &def, &err) != BERTH_OK) {
        task_def_destroy(def);
        return;
    }
    json_t *document = json_loads(def->document, 0, NULL);
    bool is_refused = task_unsupported(def, document, NULL, NULL, reason);
    assert(is_refused == (reason[0] != '\0'));
    struct container_launch launch = {.def = def,
                                      .document = document,
                                      .task = 1,
                                      .cluster = "c",
                                      .state = "s",
                                      .cpu_units = def->demand.cpu_units,
                                      .mem_mib = def->demand.mem_mib,
                                      .grants = grants,
                                      .grant_count = 2};
    for (uint16_t i = 0; !is_refused && i < def->container_count; i++) {
        json_t *body = container_json(&launch, i);
        assert(json_is_object(json_object_get(body, "HostConfig")));
        assert(json_is_object(json_object_get(body, "Labels")));
        char *written = json_dumps(body, JSON_COMPACT);
        assert(written != NULL);
        free(written);
        json_decref(body);
    }
    json_decref(document);
    task_def_destroy(def);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_copy_text_n((const char *)data, size);
    json_t *json = json_loadb(text, size, 0, NULL);
    struct image_reference image = image_reference_read(text);
    assert(image.repository != NULL && image.tag != NULL);
    image_reference_free(&image);
    read_answers(json);
    read_lines(text, size);
    read_frames(text, size);
    make_containers(text);
    json_decref(json);
    mem_free(text);
    return 0;
}
