/* A cluster of three instances, as the AWS CLI prints it over several files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/ecs/json_input.h"
#include "sim/import/import.h"
#include "sim/scenario/scenario.h"
#include "tests/support/scratch.h"

#define INSTANCE "arn:aws:ecs:r:1:container-instance/prod/"
#define DEFINITION "arn:aws:ecs:r:1:task-definition/"

static char report[1 << 16];

/* JSON with ` for ". */
static void put(const char *name, const char *quoted)
{
    char *text = mem_copy_text(quoted);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '`')
            *at = '"';
    (void)scratch_write_text(name, text);
    mem_free(text);
}

static enum berth_err import(struct berth_error *err)
{
    FILE *file = fmemopen(report, sizeof report, "w");
    assert_non_null(file);
    enum berth_err code = import_aws(scratch_folder(), scratch_path("out"), file, err);
    fclose(file);
    return code;
}

static json_t *must_import(void)
{
    struct berth_error err = BERTH_ERROR_INIT;
    json_t *json = NULL;
    if (import(&err) != BERTH_OK || json_read_file(scratch_path("out/scenario.json"), &json, &err))
        fail_msg("%s", err.text);
    return json;
}

static const json_t *at(const json_t *json, const char *first, const char *second)
{
    const json_t *found = json_object_get(json, first);
    return second == NULL ? found : json_object_get(found, second);
}

#define RESOURCES(cpu, memory)                                    \
    "[{`name`:`CPU`,`type`:`INTEGER`,`integerValue`:" #cpu        \
    "},{`name`:`MEMORY`,`type`:`INTEGER`,`integerValue`:" #memory \
    "},{`name`:`PORTS`,`type`:`STRINGSET`,`stringSetValue`:[`22`,`51678`]}]"
#define AN_INSTANCE(id, status, zone, more)                                                    \
    "{`containerInstanceArn`:`" INSTANCE id "`,`status`:`" status                              \
    "`,`agentConnected`:true,`attributes`:[{`name`:`ecs.availability-zone`,`value`:`" zone     \
    "`},{`name`:`ecs.instance-type`,`value`:`m5.large`},{`name`:`ecs.ami-id`,`value`:`ami-" id \
    "`},{`name`:`ecs.capability.x`}" more "],`registeredResources`:" RESOURCES(                \
        2048, 7680) ",`remainingResources`:" RESOURCES(1024, 7000) "}"

static void put_cluster(void)
{
    put("instances-1.json",
        "{`containerInstances`:[" AN_INSTANCE("a", "ACTIVE", "z1", "") "," AN_INSTANCE(
            "b", "ACTIVE", "z2", "") "],`failures`:[]}");
    put("instances-2.json",
        "{`containerInstances`:[" AN_INSTANCE("c", "ACTIVE", "z1", "") "," AN_INSTANCE(
            "d", "ACTIVE", "z1",
            ",{`name`:`team`,`value`:`core`}") "," AN_INSTANCE("e", "DRAINING", "z1",
                                                               "") "," AN_INSTANCE("b", "ACTIVE",
                                                                                   "z2", "") "]}");
    put("web.json", "{`taskDefinition`:{`family`:`web`,`revision`:7,`status`:`ACTIVE`,"
                    "`requiresAttributes`:[{`name`:`ecs.capability.x`}],`containerDefinitions`:["
                    "{`name`:`web`,`image`:`i`,`cpu`:512,`memory`:1024}]},`tags`:[]}");
    put("services.json",
        "{`services`:[{`serviceArn`:`arn:s/web`,`serviceName`:`web`,`status`:`ACTIVE`,"
        "`desiredCount`:3,`taskDefinition`:`" DEFINITION "web:7`,`launchType`:`EC2`,"
        "`deploymentConfiguration`:{`maximumPercent`:200,`minimumHealthyPercent`:50,"
        "`deploymentCircuitBreaker`:{`enable`:true,`rollback`:true}},"
        "`placementStrategy`:[{`type`:`spread`,`field`:`attribute:team`}],"
        "`placementConstraints`:[{`type`:`distinctInstance`}],`events`:[],`createdAt`:1.5},"
        "{`serviceArn`:`arn:s/log`,`serviceName`:`log`,`status`:`ACTIVE`,`desiredCount`:0,"
        "`schedulingStrategy`:`DAEMON`,`taskDefinition`:`" DEFINITION "log:1`,"
        "`placementStrategy`:[],`placementConstraints`:[]},"
        "{`serviceArn`:`arn:s/old`,`serviceName`:`old`,`status`:`INACTIVE`,`desiredCount`:0,"
        "`taskDefinition`:`" DEFINITION "web:7`},"
        "{`serviceArn`:`arn:s/lost`,`serviceName`:`lost`,`status`:`ACTIVE`,`desiredCount`:1,"
        "`taskDefinition`:`" DEFINITION "gone:1`}]}");
}

#define A_TASK(id, definition, group, more)                                                     \
    "{`taskArn`:`arn:t/" id "`,`taskDefinitionArn`:`" DEFINITION definition                     \
    "`,`containerInstanceArn`:`" INSTANCE "a`,`group`:`" group                                  \
    "`,`desiredStatus`:`RUNNING`,`lastStatus`:`RUNNING`,`containers`:[{`name`:`c`,`image`:`i`," \
    "`cpu`:`64`,`memory`:`128`}]" more "}"

static void put_tasks(void)
{
    put("tasks.json",
        "{`tasks`:[" A_TASK("1", "log:1", "service:log", "") "," A_TASK(
            "2", "web:7", "family:web",
            "") "," A_TASK("3", "web:7", "family:web",
                           "") "," A_TASK("4", "web:7", "family:web",
                                          ",`overrides`:{`containerOverrides`:[{`name`:`web`,`"
                                          "memory`:2000}]}") "," A_TASK("5", "web:7", "service:web",
                                                                        "") "," A_TASK("6", "web:7",
                                                                                       "service:"
                                                                                       "ghost",
                                                                                       "") "]}");
}

static void test_a_whole_cluster(void **state)
{
    (void)state;
    put_cluster();
    put_tasks();
    json_t *json = must_import();
    assert_string_equal(json_string_value(at(json, "name", NULL)), "prod");
    /* a, c in z1 and b in z2: one group of three; d is of another kind; e is draining. */
    const json_t *group = at(json, "fleet", "m5.large-2");
    assert_int_equal(json_integer_value(at(group, "count", NULL)), 3);
    assert_int_equal(json_integer_value(at(group, "cpu", NULL)), 2048);
    assert_int_equal(json_integer_value(at(group, "memory", NULL)), 7680);
    assert_int_equal(json_array_size(at(group, "reservedPorts", NULL)), 2);
    assert_string_equal(json_string_value(json_array_get(at(group, "zones", NULL), 0)), "z1");
    assert_string_equal(json_string_value(json_array_get(at(group, "zones", NULL), 1)), "z2");
    /* What a definition requires is kept, what differs on every host is not. */
    assert_int_equal(json_object_size(at(group, "attributes", NULL)), 1);
    assert_non_null(at(group, "attributes", "ecs.capability.x"));
    assert_string_equal(json_string_value(at(at(json, "fleet", "m5.large"), "attributes", "team")),
                        "core");
    /* Services: two described and usable, one known by its task only. */
    assert_int_equal(json_object_size(at(json, "services", NULL)), 3);
    const json_t *web = at(json, "services", "web");
    assert_int_equal(json_integer_value(at(web, "desiredCount", NULL)), 3);
    assert_int_equal(json_integer_value(at(web, "deploymentConfiguration", "maximumPercent")), 200);
    assert_int_equal(json_object_size(at(web, "deploymentConfiguration", NULL)), 2);
    assert_int_equal(json_array_size(at(web, "placementConstraints", NULL)), 1);
    assert_string_equal(
        json_string_value(at(at(json, "services", "log"), "schedulingStrategy", NULL)), "DAEMON");
    assert_int_equal(json_integer_value(at(at(json, "services", "ghost"), "desiredCount", NULL)),
                     1);
    /* Standalone: two plain copies, one with more memory. */
    assert_int_equal(json_object_size(at(json, "arrivals", NULL)), 2);
    const json_t *larger = at(json, "arrivals", "family-web");
    assert_int_equal(json_integer_value(at(larger, "batch", NULL)), 1);
    assert_int_equal(json_integer_value(at(larger, "memory", NULL)), 2000);
    assert_int_equal(json_integer_value(at(at(json, "arrivals", "family-web-2"), "batch", NULL)),
                     2);
    /* The definition of log was rebuilt from its task. */
    const json_t *log =
        at(at(json, "taskDefinitions", "log"), "definition", "containerDefinitions");
    assert_int_equal(json_integer_value(at(json_array_get(log, 0), "cpu", NULL)), 64);
    json_decref(json);
    assert_non_null(strstr(report, "service lost: its task definition is not described"));
    assert_non_null(strstr(report, "service old: INACTIVE"));
    assert_non_null(strstr(report, "instance e: DRAINING"));
    assert_non_null(strstr(report, "task definition log:1: not described; rebuilt"));
    /* 3 web + 4 daemons + 1 ghost + 2 web + 1 larger: 7 x 512 + 4 x 64 units = 3.75 vCPU. */
    assert_non_null(strstr(report, "CPU      3.8 of 8.0 vCPU asked for"));
}

static void test_what_it_writes_is_a_scenario(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    struct scenario_set *set = NULL;
    put_cluster();
    put_tasks();
    json_decref(must_import());
    if (scenario_load(scratch_path("out/scenario.json"), &set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    assert_int_equal(set->variant_count, 5);
    assert_string_equal(set->baseline, "as-is");
    assert_string_equal(set->variants[1]->services[1].name, "web");
    assert_string_equal(set->variants[1]->services[1].strategies.items[0].type, "binpack");
    assert_int_equal(set->variants[3]->timeline_count, 1);
    assert_string_equal(set->variants[3]->timeline[0].select.zone, "z1");
    assert_int_equal(set->variants[4]->groups[1].count, 2);
    assert_int_equal(set->variants[4]->groups[1].cpu_units, 4096);
    scenario_set_destroy(set);
}

static void test_uneven_zones_are_split(void **state)
{
    (void)state;
    scratch_remove();
    put("all.json",
        "[{`containerInstances`:[" AN_INSTANCE("a", "ACTIVE", "z1", "") "," AN_INSTANCE(
            "b", "ACTIVE", "z1", "") "," AN_INSTANCE("c", "ACTIVE", "z1",
                                                     "") "," AN_INSTANCE("d", "ACTIVE", "z2",
                                                                         "") "]},{`taskArns`:[]}]");
    json_t *json = must_import();
    assert_int_equal(json_integer_value(at(at(json, "fleet", "m5.large-z1"), "count", NULL)), 3);
    assert_int_equal(json_integer_value(at(at(json, "fleet", "m5.large-z2"), "count", NULL)), 1);
    json_decref(json);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *content, *message; /* the message after the folder's name */
    } cases[] = {
        {"{}", ": no container instance in 1 JSON files; save what aws ecs "
               "describe-container-instances prints there"},
        {"{`containerInstances`:3}",
         "/x.json:/containerInstances: is a whole number; a list of objects is expected"},
        {"{`containerInstances`:[{}]}", "/x.json:/containerInstances/0/containerInstanceArn: is "
                                        "missing; use the whole output of the AWS CLI"},
        {"{`containerInstances`:[" AN_INSTANCE("a", "DRAINING", "z", "") "]}",
         ": no container instance is ACTIVE"},
        {"{`containerInstances`:[{`containerInstanceArn`:`x/one/a`},{`containerInstanceArn`:"
         "`x/two/b`}]}",
         ": instances of two clusters, one and two; keep one cluster in a folder"},
        {"{`containerInstances`:[", "/x.json:1:23: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        scratch_remove();
        put("x.json", cases[i].content);
        assert_int_equal(import(&err), BERTH_ERR_INPUT);
        size_t length = strlen(scratch_folder());
        assert_int_equal(strncmp(err.text, scratch_folder(), length), 0);
        if (strncmp(err.text + length, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s", err.text);
        assert_null(fopen(scratch_path("out/scenario.json"), "rb"));
    }
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(import_aws(scratch_path("none"), scratch_path("out"), stdout, &err),
                     BERTH_ERR_INPUT);
    assert_non_null(strstr(err.text, "name a folder of saved aws ecs outputs"));
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_cluster),
        cmocka_unit_test(test_what_it_writes_is_a_scenario),
        cmocka_unit_test(test_uneven_zones_are_split),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
