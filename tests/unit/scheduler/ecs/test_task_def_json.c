#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/ecs/json_input.h"
#include "scheduler/ecs/task_def_json.h"

/* JSON with ' for ", to keep the cases readable. */
static json_t *parse(const char *quoted)
{
    char *text = strdup(quoted);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    struct berth_error err = BERTH_ERROR_INIT;
    json_t *json = NULL;
    if (json_read_text(text, strlen(text), "case", &json, &err) != BERTH_OK)
        fail_msg("%s: %s", quoted, err.text);
    free(text);
    return json;
}

static struct task_def *must_read(const char *quoted)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct task_def *def = NULL;
    json_t *json = parse(quoted);
    if (task_def_from_json(json, "t.json:", &def, &err) != BERTH_OK)
        fail_msg("%s: %s", quoted, err.text);
    json_decref(json);
    return def;
}

static void test_a_whole_definition(void **state)
{
    (void)state;
    struct task_def *def = must_read(
        "{'family':'web','networkMode':'bridge','cpu':null,'memory':null,'volumes':[],"
        "'requiresAttributes':[{'name':'ecs.capability.task-eni'},{'name':'disk','value':'ssd'}],"
        "'containerDefinitions':["
        " {'name':'app','image':'nginx:1','cpu':100,'memory':300,'memoryReservation':200,"
        "  'links':['db:database'],'stopTimeout':5,"
        "  'portMappings':[{'containerPort':80,'hostPort':8080},{'containerPort':81},"
        "   {'containerPort':53,'hostPort':53,'protocol':'udp'},"
        "   {'containerPort':443,'hostPort':443},{'containerPortRange':'100-110'}],"
        "  'resourceRequirements':[{'type':'GPU','value':'0.46'}],"
        "  'dependsOn':[{'containerName':'init','condition':'SUCCESS'}],"
        "  'environment':[{'name':'A','value':'1'}],'logConfiguration':{'logDriver':'awslogs',"
        "  'options':{'awslogs-group':'x'}}},"
        " {'name':'init','image':'busybox','essential':false,'cpu':28,'memory':56,"
        "  'startTimeout':9},"
        " {'name':'db','image':'pg','cpu':0,'memory':64,"
        "  'resourceRequirements':[{'type':'GPU','value':'2'}]}]}");
    assert_string_equal(def->family, "web");
    assert_int_equal(def->demand.cpu_units, 128);
    assert_int_equal(def->demand.mem_mib, 200 + 56 + 64);
    assert_int_equal(def->demand.tcp_port_count, 2);
    assert_int_equal(def->demand.tcp_ports[0], 443);
    assert_int_equal(def->demand.tcp_ports[1], 8080);
    assert_int_equal(def->demand.udp_port_count, 1);
    assert_int_equal(def->demand.gpu_count, 2);
    assert_int_equal(def->demand.gpus[0].milli, 460);
    assert_int_equal(def->demand.gpus[1].milli, 2000);
    assert_false(def->demand.needs_eni);
    assert_int_equal(def->required_attribute_count, 2);
    assert_string_equal(def->required_attributes[0], "ecs.capability.task-eni");
    assert_string_equal(def->required_attributes[1], "disk=ssd");
    const struct container_def *app = &def->containers[0];
    assert_int_equal(app->stop_timeout_ns, 5 * BERTH_NS_PER_S);
    assert_int_equal(app->start_timeout_ns, BERTH_NS_NEVER);
    assert_int_equal(app->depends_on_count, 2);
    assert_int_equal(app->depends_on[0].container, 1);
    assert_int_equal(app->depends_on[0].condition, DEPENDS_SUCCESS);
    assert_int_equal(app->depends_on[1].container, 2);
    assert_int_equal(app->depends_on[1].condition, DEPENDS_START);
    assert_false(def->containers[1].is_essential);
    /* The document reads back to the same. */
    struct berth_error err = BERTH_ERROR_INIT;
    struct task_def *again = NULL;
    assert_int_equal(task_def_from_document(def->document, &again, &err), BERTH_OK);
    assert_string_equal(again->document, def->document);
    assert_int_equal(again->demand.mem_mib, def->demand.mem_mib);
    task_def_destroy(again);
    task_def_destroy(def);
}

static void test_what_describe_prints(void **state)
{
    (void)state;
    struct task_def *def = must_read(
        "{'taskDefinition':{'taskDefinitionArn':'arn:aws:ecs:r:1:task-definition/w:7','family':'w',"
        "'revision':7,'status':'INACTIVE','networkMode':'awsvpc','cpu':'512','memory':'1024',"
        "'registeredAt':1716546464.123,'registeredBy':'arn:x','compatibilities':['EC2'],"
        "'containerDefinitions':[{'name':'a','image':'i','cpu':0,"
        "'portMappings':[{'containerPort':80,'hostPort':80}]}]},'tags':[]}");
    assert_int_equal(def->revision, 7);
    assert_int_equal(def->status, TASK_DEF_INACTIVE);
    assert_int_equal(def->demand.cpu_units, 512);
    assert_int_equal(def->demand.mem_mib, 1024);
    assert_int_equal(def->demand.tcp_port_count, 0);
    assert_true(def->demand.needs_eni);
    task_def_destroy(def);
}

static void test_host_mode_claims_container_ports(void **state)
{
    (void)state;
    struct task_def *def =
        must_read("{'family':'w','networkMode':'host','containerDefinitions':[{'name':'a','portMa"
                  "ppings':[{'containerPort':80},{'containerPort':80,'hostPort':80}]}]}");
    assert_int_equal(def->demand.tcp_port_count, 1);
    assert_int_equal(def->demand.tcp_ports[0], 80);
    assert_string_equal(def->containers[0].image, "");
    task_def_destroy(def);
}

static void test_windows_ignores_task_sizes(void **state)
{
    (void)state;
    struct task_def *def = must_read(
        "{'family':'w','cpu':'1 vCPU','memory':'2 GB','runtimePlatform':{'operatingSystemFamily':"
        "'WINDOWS_SERVER_2022_CORE'},'containerDefinitions':[{'name':'a','cpu':64,'memory':100}]}");
    assert_int_equal(def->demand.cpu_units, 64);
    assert_int_equal(def->demand.mem_mib, 100);
    task_def_destroy(def);
}

#define CONTAINER "'containerDefinitions':[{'name':'a','image':'i'}]"

static const struct {
    const char *json, *message;
} refusals[] = {
    {"[]", "t.json:: is a list; an object is expected"},
    {"{" CONTAINER "}", "t.json:/family: is missing; give it a name"},
    {"{'family':'a b'," CONTAINER "}",
     "t.json:/family: \"a b\" is not a name; use at most 255 of A-Z a-z 0-9 _ -"},
    {"{'family':'a','containerDefinitions':[]}",
     "t.json:/containerDefinitions: 0 containers; give 1 to 10"},
    {"{'family':'a'}", "t.json:/containerDefinitions: 0 containers; give 1 to 10"},
    {"{'family':'a','containerDefinitions':{}}",
     "t.json:/containerDefinitions: is an object; a list of objects is expected"},
    {"{'family':'a','containerDefintions':[]}",
     "t.json:/containerDefintions: unknown key; did you mean \"containerDefinitions\"?"},
    {"{'family':'a','containerDefinitions':[{'name':'a','memroy':3}]}",
     "t.json:/containerDefinitions/0/memroy: unknown key; did you mean \"memory\"?"},
    {"{'family':'a','containerDefinitions':[{'name':'a','cpu':'100'}]}",
     "t.json:/containerDefinitions/0/cpu: is a text; a whole number is expected"},
    {"{'family':'a','containerDefinitions':[{'name':'a','cpu':-1}]}",
     "t.json:/containerDefinitions/0/cpu: -1 is out of range; write a whole number from 0 to "
     "2147483647"},
    {"{'family':'a','containerDefinitions':[{'name':'a','essential':false}]}",
     "t.json:/containerDefinitions: no container is essential; set \"essential\": true on one"},
    {"{'family':'a','containerDefinitions':[{'name':'a'},{'name':'a'}]}",
     "t.json:/containerDefinitions/1/name: a second container \"a\"; names must differ"},
    {"{'family':'a','cpu':'lots'," CONTAINER "}",
     "t.json:/cpu: is not a size; write units (\"256\") or \"0.25 vCPU\", at most 196608 units"},
    {"{'family':'a','memory':'1 TB'," CONTAINER "}",
     "t.json:/memory: is not a size; write MiB (\"512\") or \"0.5 GB\""},
    {"{'family':'a','memory':'100','containerDefinitions':[{'name':'a','memory':101}]}",
     "t.json:/memory: the containers need 101 MiB, the task has 100; raise it"},
    {"{'family':'a','containerDefinitions':[{'name':'a','memory':10,'memoryReservation':11}]}",
     "t.json:/containerDefinitions/0/memoryReservation: 11 is above memory, 10; lower it"},
    {"{'family':'a','networkMode':'brigde'," CONTAINER "}",
     "t.json:/networkMode: \"brigde\" is not known; use bridge, host, none or awsvpc"},
    {"{'family':'a','networkMode':'host','containerDefinitions':[{'name':'a','portMappings':[{"
     "'containerPort':80,'hostPort':81}]}]}",
     "t.json:/containerDefinitions/0/portMappings/0/hostPort: 81 must equal containerPort 80 in "
     "networkMode host; leave it out"},
    {"{'family':'a','networkMode':'none','containerDefinitions':[{'name':'a','portMappings':[{"
     "'containerPort':80}]}]}",
     "t.json:/containerDefinitions/0/portMappings/0: networkMode none has no ports; remove "
     "portMappings"},
    {"{'family':'a','containerDefinitions':[{'name':'a','portMappings':[{'containerPort':70000}]}]"
     "}",
     "t.json:/containerDefinitions/0/portMappings/0/containerPort: 70000 is out of range; write a "
     "whole number from 0 to 65535"},
    {"{'family':'a','containerDefinitions':[{'name':'a','resourceRequirements':[{'type':'GPU',"
     "'value':'1.5'}]}]}",
     "t.json:/containerDefinitions/0/resourceRequirements/0/value: \"1.5\" is not a number of "
     "GPUs; write \"1\", \"2\", ... \"64\", or a share such as \"0.46\""},
    {"{'family':'a','containerDefinitions':[{'name':'a','dependsOn':[{'containerName':'b',"
     "'condition':'START'}]},{'name':'b','dependsOn':[{'containerName':'a','condition':'START'}]}]"
     "}",
     "t.json:/containerDefinitions/0/dependsOn: containers wait for each other in a circle; break "
     "it"},
    {"{'family':'a','containerDefinitions':[{'name':'a','dependsOn':[{'containerName':'b',"
     "'condition':'COMPLETE'}]},{'name':'b'}]}",
     "t.json:/containerDefinitions/0/dependsOn/0/condition: COMPLETE waits for the end of \"b\", "
     "which is essential; set its \"essential\" to false"},
    {"{'family':'a','containerDefinitions':[{'name':'a','dependsOn':[{'containerName':'b',"
     "'condition':'HEALTHY'}]},{'name':'b'}]}",
     "t.json:/containerDefinitions/0/dependsOn/0/condition: \"b\" has no healthCheck; add one or "
     "use START"},
    {"{'family':'a','containerDefinitions':[{'name':'a','healthCheck':{}}]}",
     "t.json:/containerDefinitions/0/healthCheck/command: is missing; write [\"CMD-SHELL\", "
     "\"...\"]"},
    {"{'family':'a','containerDefinitions':[{'name':'a','healthCheck':{'command':['curl']}}]}",
     "t.json:/containerDefinitions/0/healthCheck/command/0: a check starts with CMD or CMD-SHELL; "
     "put one before the command"},
    {"{'family':'a','containerDefinitions':[{'name':'a','healthCheck':{'command':['CMD']}}]}",
     "t.json:/containerDefinitions/0/healthCheck/command: CMD alone does nothing; write a command "
     "after it"},
    {"{'family':'a','containerDefinitions':[{'name':'a','healthCheck':{'command':['CMD','x'],"
     "'interval':4}}]}",
     "t.json:/containerDefinitions/0/healthCheck/interval: 4 is out of range; write a whole number "
     "from 5 to 300"},
    {"{'family':'a','containerDefinitions':[{'name':'a','healthCheck':{'command':['CMD','x'],"
     "'retries':11}}]}",
     "t.json:/containerDefinitions/0/healthCheck/retries: 11 is out of range; write a whole number "
     "from 1 to 10"},
    {"{'family':'a','containerDefinitions':[{'name':'a','restartPolicy':{}}]}",
     "t.json:/containerDefinitions/0/restartPolicy/enabled: is missing; write true or false"},
    {"{'family':'a','containerDefinitions':[{'name':'a','restartPolicy':{'enabled':true,"
     "'restartAttemptPeriod':59}}]}",
     "t.json:/containerDefinitions/0/restartPolicy/restartAttemptPeriod: 59 is out of range; write "
     "a whole number from 60 to 1800"},
    {"{'family':'a','containerDefinitions':[{'name':'a','restartPolicy':{'enabled':true,"
     "'ignoredExitCodes':[0,4294967296]}}]}",
     "t.json:/containerDefinitions/0/restartPolicy/ignoredExitCodes/1: is not an exit code; write "
     "0 to 255"},
    {"{'family':'a','placementConstraints':[{'type':'distinctInstance'}]," CONTAINER "}",
     "t.json:/placementConstraints/0/type: a task definition takes memberOf only; put others into "
     "the service or the request"},
    {"{'taskDefinition':{},'tag':1}", "t.json:/tag: unknown key; did you mean \"tags\"?"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        struct task_def *def = NULL;
        json_t *json = parse(refusals[i].json);
        assert_int_equal(task_def_from_json(json, "t.json:", &def, &err), BERTH_ERR_INPUT);
        assert_string_equal(err.text, refusals[i].message);
        assert_null(def);
        json_decref(json);
    }
}

static void test_health_checks_and_restart_policies(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    struct task_def *def = NULL;
    json_t *json = parse(
        "{'family':'a','containerDefinitions':["
        "{'name':'plain','healthCheck':null,'restartPolicy':null},"
        "{'name':'side','essential':false,'healthCheck':{'command':['CMD-SHELL','true']},"
        "'restartPolicy':{'enabled':true}},"
        "{'name':'app','essential':false,'healthCheck':{'command':['CMD','/up'],'interval':10,"
        "'timeout':2,'retries':1,'startPeriod':60},"
        "'restartPolicy':{'enabled':false,'ignoredExitCodes':[0,3],'restartAttemptPeriod':60}}]}");
    assert_int_equal(task_def_from_json(json, "t.json:", &def, &err), BERTH_OK);
    json_decref(json);
    const struct container_def *plain = &def->containers[0], *side = &def->containers[1];
    const struct container_def *app = &def->containers[2];
    assert_false(container_def_has_health_check(plain));
    assert_false(plain->restart.is_enabled);
    assert_int_equal(side->health.interval_ns, 30 * BERTH_NS_PER_S); /* ECS's defaults */
    assert_int_equal(side->health.timeout_ns, 5 * BERTH_NS_PER_S);
    assert_int_equal(side->health.retries, 3);
    assert_int_equal(side->health.start_period_ns, 0);
    assert_true(side->restart.is_enabled);
    assert_int_equal(side->restart.attempt_period_ns, 300 * BERTH_NS_PER_S);
    assert_int_equal(side->restart.ignored_count, 0);
    assert_int_equal(app->health.interval_ns, 10 * BERTH_NS_PER_S);
    assert_int_equal(app->health.start_period_ns, 60 * BERTH_NS_PER_S);
    assert_int_equal(app->health.retries, 1);
    assert_false(app->restart.is_enabled);
    assert_int_equal(app->restart.attempt_period_ns, 60 * BERTH_NS_PER_S);
    assert_int_equal(app->restart.ignored_count, 2);
    assert_int_equal(app->restart.ignored_exit_codes[1], 3);
    assert_false(task_def_has_health_check(def)); /* no essential container has one */
    def->containers[1].is_essential = true;
    assert_true(task_def_has_health_check(def));
    task_def_destroy(def);
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int32_t cpu, memory; /* -1: refused */
    } sizes[] = {
        {"'256'", 256, 256},      {"1024", 1024, 1024},
        {"'0.25 vCPU'", 256, -1}, {"'.5 vcpu'", 512, -1},
        {"'1vCPU'", 1024, -1},    {"'0.1 vCPU'", 102, -1}, /* 102.4 */
        {"'1 GB'", -1, 1024},     {"'0.5GB'", -1, 512},
        {"'16 gb'", -1, 16384},   {"'0.5'", -1, -1},
        {"0.5", -1, -1},          {"'-1'", -1, -1},
        {"-1", -1, -1},           {"''", -1, -1},
        {"'.'", -1, -1},          {"'2147483647'", 2147483647, 2147483647},
        {"'2147483648'", -1, -1}, {"2147483648", -1, -1},
        {"'2097152 GB'", -1, -1}, {"'1 vCPU '", -1, -1},
        {"true", -1, -1},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int32_t cpu = -1, memory = -1;
        json_t *json = parse(sizes[i].json);
        assert_int_equal(ecs_parse_cpu(json, &cpu), sizes[i].cpu >= 0);
        assert_int_equal(ecs_parse_memory(json, &memory), sizes[i].memory >= 0);
        assert_int_equal(cpu, sizes[i].cpu);
        assert_int_equal(memory, sizes[i].memory);
        json_decref(json);
    }
    static const struct {
        const char *text;
        uint32_t milli; /* 0: refused */
    } gpus[] = {{"1", 1000},   {"64", 64000}, {"0.46", 460},      {".5", 500},
                {"1.0", 1000}, {"0.001", 1},  {"0.0001", 0},      {"0", 0},
                {"65", 0},     {"1.5", 0},    {"-1", 0},          {"", 0},
                {"1x", 0},     {"1e1", 0},    {"99999999999", 0}, {"0.4600", 460}};
    for (size_t i = 0; i < sizeof gpus / sizeof gpus[0]; i++) {
        uint32_t milli = 0;
        assert_int_equal(ecs_parse_gpu(gpus[i].text, &milli), gpus[i].milli > 0);
        assert_int_equal(milli, gpus[i].milli);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_definition),
        cmocka_unit_test(test_what_describe_prints),
        cmocka_unit_test(test_host_mode_claims_container_ports),
        cmocka_unit_test(test_windows_ignores_task_sizes),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_health_checks_and_restart_policies),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
