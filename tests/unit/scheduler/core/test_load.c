/* Records that were damaged: an error with the record's name, or a controller that holds together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scheduler/ecs/task_def_json.h"
#include "tests/support/world.h"

struct kept {
    VEC(struct record) records; /* owned texts */
};

static void free_kept(struct kept *kept)
{
    for (size_t i = 0; i < kept->records.count; i++) {
        mem_free((void *)(uintptr_t)kept->records.items[i].key);
        mem_free((void *)(uintptr_t)kept->records.items[i].value);
    }
    vec_free(&kept->records);
}

/* A dump's lines are "KEY VALUE". */
static void keep(const struct controller *controller, struct kept *kept)
{
    struct text dump = TEXT_INIT;
    controller_dump(controller, &dump);
    for (char *line = dump.bytes; *line != '\0';) {
        size_t key = strcspn(line, " "), length = strcspn(line, "\n");
        *vec_push(&kept->records) = (struct record){
            mem_copy_text_n(line, key), mem_copy_text_n(line + key + 1, length - key - 1)};
        line += length + 1;
    }
    text_free(&dump);
}

/* Something of every kind: a daemon, a rollout, a wait, GPUs, a drain, a disconnect. */
static void fill(struct world *world)
{
    controller_destroy(world->controller);
    world->options.instance_lost_ns = 300 * BERTH_NS_PER_S;
    world->controller = controller_create(&world->options);
    (void)world_define(world, "web", 500, 100);
    (void)world_define(world, "web", 500, 120);
    (void)world_define_json(
        world, "{\"family\":\"gpu\",\"containerDefinitions\":[{\"name\":\"main\",\"image\":\"app\","
               "\"cpu\":10,\"memory\":64,\"resourceRequirements\":[{\"type\":\"GPU\",\"value\":"
               "\"0.4\"}]}]}");
    struct attribute_text attributes[] = {{"ecs.availability-zone", "a"}, {"rack", "1,%"}};
    uint16_t port = 22;
    for (int i = 0; i < 4; i++) {
        struct event event = {.kind = EVENT_REGISTER_INSTANCE,
                              .u.register_instance = {.existing = INSTANCE_NONE,
                                                      .cpu_units = 2000,
                                                      .mem_mib = 2000,
                                                      .gpu_count = 1,
                                                      .tcp_ports_used = &port,
                                                      .tcp_port_count = 1,
                                                      .attributes = attributes,
                                                      .attribute_count = 2}};
        assert_int_equal(world_command(world, event).status, REPLY_OK);
    }
    struct event event = {.kind = EVENT_CREATE_SERVICE,
                          .u.service = {.service = "agentd",
                                        .task_definition = "gpu",
                                        .scheduling = SCHEDULING_DAEMON,
                                        .desired_count = OVERRIDE_NONE,
                                        .minimum_healthy_percent = OVERRIDE_NONE,
                                        .maximum_percent = OVERRIDE_NONE}};
    assert_int_equal(world_command(world, event).status, REPLY_OK);
    (void)world_service(world, "web", "web:1", 4, 50, 200);
    world_settle(world);
    world_advance(world, 60 * BERTH_NS_PER_S);
    world_deploy(world, "web", "web:2");
    (void)world_settle_one(world);
    (void)world_run(world, "web:1", 20, true);
    world_state(world, 1, INSTANCE_DRAINING);
    event = (struct event){.kind = EVENT_AGENT_DISCONNECTED, .u.agent = 2};
    world_step(world, &event);
}

static void test_a_dump_loads_to_the_same_dump(void **state)
{
    (void)state;
    struct world world;
    struct kept kept = {VEC_INIT};
    struct berth_error err = BERTH_ERROR_INIT;
    struct controller *loaded = NULL;
    struct text before = TEXT_INIT, after = TEXT_INIT;
    world_open(&world);
    fill(&world);
    keep(world.controller, &kept);
    assert_int_equal(controller_load(&world.options, kept.records.items, kept.records.count,
                                     task_def_from_document, &loaded, &err),
                     BERTH_OK);
    controller_dump(world.controller, &before);
    controller_dump(loaded, &after);
    assert_string_equal(before.bytes, after.bytes);
    text_free(&before);
    text_free(&after);
    controller_destroy(loaded);
    free_kept(&kept);
    world_close(&world);
}

/* Cut, replace or repeat a few bytes of one record's value, or drop the record. */
static void damage(struct rng *rng, struct kept *kept)
{
    size_t at = (size_t)rng_below(rng, kept->records.count);
    char *value = (char *)(uintptr_t)kept->records.items[at].value;
    size_t length = strlen(value), place = (size_t)rng_below(rng, length);
    switch (rng_below(rng, 4)) {
    case 0:
        value[place] = (char)('0' + rng_below(rng, 10));
        break;
    case 1:
        value[place] = (char)(1 + rng_below(rng, 255));
        break;
    case 2:
        value[place] = '\0';
        break;
    default:
        mem_free(value);
        mem_free((void *)(uintptr_t)kept->records.items[at].key);
        memmove(kept->records.items + at, kept->records.items + at + 1,
                (kept->records.count - at - 1) * sizeof(struct record));
        kept->records.count--;
        break;
    }
}

static void test_damaged_records_are_refused_by_name(void **state)
{
    (void)state;
    enum { TRIES = 4000 };
    struct world world;
    struct rng rng = {rng_key(11, "damage", 0), 0};
    int refused = 0;
    world_open(&world);
    fill(&world);
    for (int i = 0; i < TRIES; i++) {
        struct kept kept = {VEC_INIT};
        struct berth_error err = BERTH_ERROR_INIT;
        struct controller *loaded = NULL;
        keep(world.controller, &kept);
        damage(&rng, &kept);
        if (controller_load(&world.options, kept.records.items, kept.records.count,
                            task_def_from_document, &loaded, &err) == BERTH_OK) {
            struct event timer = {.kind = EVENT_TIMER};
            struct action_list actions = {NULL, 0, 0};
            struct step_time now = {world.now.mono_ns + 1000 * BERTH_NS_PER_S, 0};
            cluster_audit(controller_cluster(loaded));
            controller_step(loaded, now, &timer, &actions);
            action_list_free(&actions);
            controller_destroy(loaded);
        } else {
            assert_int_equal(err.code, BERTH_ERR_INPUT);
            assert_non_null(strstr(err.text, "record "));
            refused++;
        }
        free_kept(&kept);
    }
    assert_true(refused > TRIES / 4);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dump_loads_to_the_same_dump),
        cmocka_unit_test(test_damaged_records_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
