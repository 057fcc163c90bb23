/* ECS's task definition: refused in one line, or read to something that reads back to itself. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "scheduler/ecs/json_input.h"
#include "scheduler/ecs/task_def_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct task_def *def)
{
    assert(def->container_count >= 1 && def->container_count <= TASK_DEF_CONTAINERS_MAX);
    assert(def->demand.cpu_units >= 0 && def->demand.mem_mib >= 0);
    for (uint16_t i = 1; i < def->demand.tcp_port_count; i++)
        assert(def->demand.tcp_ports[i - 1] < def->demand.tcp_ports[i]);
    for (size_t i = 0; i < def->container_count; i++)
        for (uint16_t j = 0; j < def->containers[i].depends_on_count; j++)
            assert(def->containers[i].depends_on[j].container < def->container_count &&
                   def->containers[i].depends_on[j].container != i);
}

static void check_again(const struct task_def *def)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct task_def *again = NULL;
    enum berth_err code = task_def_from_document(def->document, &again, &err);
    assert(code == BERTH_OK);
    (void)code;
    assert(strcmp(again->document, def->document) == 0);
    assert(again->demand.cpu_units == def->demand.cpu_units);
    assert(again->demand.mem_mib == def->demand.mem_mib);
    assert(again->demand.gpu_count == def->demand.gpu_count);
    task_def_destroy(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct task_def *def = NULL;
    json_t *json = NULL;
    enum berth_err code = json_read_text((const char *)data, size, "f", &json, &err);
    if (code == BERTH_OK)
        code = task_def_from_json(json, "f:", &def, &err);
    if (code == BERTH_OK) {
        check(def);
        check_again(def);
    } else {
        assert(code == BERTH_ERR_INPUT && err.text[0] == 'f' && strchr(err.text, '\n') == NULL);
    }
    task_def_destroy(def);
    json_decref(json);
    return 0;
}
