#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/ecs/describe_json.h"
#include "scheduler/ecs/json_input.h"

/* JSON with ` for ". */
static json_t *parse(const char *quoted)
{
    char *text = mem_copy_text(quoted);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '`')
            *at = '"';
    struct berth_error err = BERTH_ERROR_INIT;
    json_t *json = NULL;
    if (json_read_text(text, strlen(text), "case", &json, &err) != BERTH_OK)
        fail_msg("%s: %s", quoted, err.text);
    mem_free(text);
    return json;
}

static void test_times_of_both_clis(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        berth_ns at; /* -1: refused */
    } cases[] = {
        {"0", 0},
        {"1716546464", INT64_C(1716546464) * BERTH_NS_PER_S},
        {"1716546464.5", INT64_C(1716546464) * BERTH_NS_PER_S + 500000000},
        {"`2024-05-24T10:27:44+00:00`", INT64_C(1716546464) * BERTH_NS_PER_S},
        {"`2024-05-24T12:27:44.5+02:00`", INT64_C(1716546464) * BERTH_NS_PER_S + 500000000},
        {"-1", -1},
        {"1e300", -1},
        {"`yesterday`", -1},
        {"true", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *json = parse(cases[i].json);
        berth_ns at = -1;
        assert_int_equal(described_time(json, &at), cases[i].at >= 0);
        assert_int_equal(at, cases[i].at);
        json_decref(json);
    }
}

static void test_instances_are_sorted_and_remaining_counts(void **state)
{
    (void)state;
    json_t *json = parse(
        "{`clusterArn`:`arn:c`,`containerInstances`:["
        "{`containerInstanceArn`:`x/b`,`status`:`DRAINING`,`agentConnected`:false,"
        "`runningTasksCount`:4,`registeredResources`:[{`name`:`CPU`,`type`:`INTEGER`,"
        "`integerValue`:2048},{`name`:`MEMORY`,`type`:`LONG`,`longValue`:4096},{`name`:`GPU`,"
        "`type`:`STRINGSET`,`stringSetValue`:[`g0`,`g1`,`g2`]},{`name`:`PORTS`,`type`:`STRINGSET`,"
        "`stringSetValue`:[`22`]}],`remainingResources`:[{`name`:`CPU`,`type`:`DOUBLE`,"
        "`doubleValue`:-12.5},{`name`:`MEMORY`,`type`:`INTEGER`,`integerValue`:100},{`name`:`GPU`,"
        "`type`:`STRINGSET`,`stringSetValue`:[`g1`]},{`name`:`PORTS`,`type`:`STRINGSET`,"
        "`stringSetValue`:[`8080`,`22`,`8080`]},{`name`:`PORTS_UDP`,`type`:`STRINGSET`,"
        "`stringSetValue`:[`53`]}]},"
        "{`containerInstanceArn`:`x/a`,`registeredResources`:[{`name`:`CPU`,`integerValue`:7}]},"
        "{`containerInstanceArn`:`x/B`,`remainingResources`:[]}],"
        "`tasks`:[{`containerInstanceArn`:`y/b`,`group`:`g`,`desiredStatus`:`RUNNING`},"
        "{`containerInstanceArn`:`x/b`,`taskDefinitionArn`:`z/web:3`,`desiredStatus`:`RUNNING`},"
        "{`containerInstanceArn`:`x/b`,`group`:`g`,`desiredStatus`:`STOPPED`},"
        "{`containerInstanceArn`:`x/none`,`group`:`g`,`desiredStatus`:`RUNNING`}]}");
    struct berth_error err = BERTH_ERROR_INIT;
    struct described_cluster described;
    if (described_cluster_read(json, "c:", &described, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    json_decref(json);
    /* Bytewise: B < a < b. */
    assert_string_equal(described.arns[0], "x/B");
    assert_string_equal(described.arns[1], "x/a");
    assert_string_equal(described.arns[2], "x/b");
    assert_int_equal(cluster_instance(described.cluster, 1)->cpu_remaining, 7);
    const struct instance *b = cluster_instance(described.cluster, 2);
    assert_int_equal(b->status, INSTANCE_DRAINING);
    assert_false(b->is_agent_connected);
    assert_int_equal(b->cpu_registered, 2048);
    assert_int_equal(b->cpu_remaining, -13);
    assert_int_equal(b->mem_registered, 4096);
    assert_int_equal(b->mem_remaining, 100);
    assert_int_equal(b->running_tasks, 4);
    assert_int_equal(b->gpu_count, 3);
    assert_int_equal(b->gpu_free_milli[0], 0);
    assert_int_equal(b->gpu_free_milli[1], 1000);
    assert_int_equal(b->tcp.count, 2);
    assert_int_equal(b->tcp.ports[0], 22);
    assert_int_equal(b->tcp.ports[1], 8080);
    assert_int_equal(b->udp.ports[0], 53);
    group_id g = cluster_group(described.cluster, symbols_add(described.symbols, "g"));
    group_id web = cluster_group(described.cluster, symbols_add(described.symbols, "family:web"));
    assert_int_equal(cluster_group_tasks_on(described.cluster, g, 2), 1);
    assert_int_equal(cluster_group_tasks(described.cluster, g), 1);
    assert_int_equal(cluster_group_tasks_on(described.cluster, web, 2), 1);
    assert_string_equal(described.arn, "arn:c");
    described_cluster_free(&described);
}

static void test_definitions_with_and_without_revision(void **state)
{
    (void)state;
    json_t *json = parse("{`containerInstances`:[],`taskDefinitions`:["
                         "{`family`:`w`,`containerDefinitions`:[{`name`:`new`}]},"
                         "{`taskDefinition`:{`family`:`w`,`revision`:7,`status`:`INACTIVE`,"
                         "`containerDefinitions`:[{`name`:`old`}]}}]}");
    struct berth_error err = BERTH_ERROR_INIT;
    struct described_cluster described;
    if (described_cluster_read(json, "c:", &described, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    assert_string_equal(task_def_find(described.task_defs, "w")->containers[0].name, "new");
    assert_int_equal(task_def_find(described.task_defs, "w")->revision, 8);
    assert_int_equal(task_def_find(described.task_defs, "w:7")->status, TASK_DEF_INACTIVE);
    described_cluster_free(&described);
    /* The same revision twice is a mistake. */
    json_t *list = json_object_get(json, "taskDefinitions");
    (void)json_array_append(list, json_array_get(list, 1));
    assert_int_equal(described_cluster_read(json, "c:", &described, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "c:/taskDefinitions/2: w:7 stands there twice; keep one");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_of_both_clis),
        cmocka_unit_test(test_instances_are_sorted_and_remaining_counts),
        cmocka_unit_test(test_definitions_with_and_without_revision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
