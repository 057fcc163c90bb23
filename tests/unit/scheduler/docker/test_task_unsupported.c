#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/docker/container_json.h"
#include "scheduler/ecs/task_def_json.h"

static const char *reason_for(const char *quoted, const struct engine_info *info,
                              const struct engine_version *version)
{
    static char reason[TASK_REASON_MAX];
    struct berth_error err = BERTH_ERROR_INIT;
    struct task_def *def = NULL;
    char *text = strdup(quoted);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    if (task_def_from_document(text, &def, &err) != BERTH_OK)
        fail_msg("%s: %s", quoted, err.text);
    json_t *document = json_loads(def->document, 0, NULL);
    bool is_refused = task_unsupported(def, document, info, version, reason);
    assert_int_equal(is_refused, reason[0] != '\0');
    json_decref(document);
    task_def_destroy(def);
    free(text);
    return reason;
}

#define TASK(more) "{'family':'f'," more "'containerDefinitions':[{'name':'c','image':'i'}]}"
#define CONTAINER(more) "{'family':'f','containerDefinitions':[{'name':'c','image':'i'," more "}]}"

static void test_what_no_engine_can_do(void **state)
{
    (void)state;
    static const struct {
        const char *quoted, *words;
    } cases[] = {
        {TASK("'networkMode':'awsvpc',"), "networkMode awsvpc: "},
        {TASK("'taskRoleArn':'arn:aws:iam::1:role/x',"), "taskRoleArn: "},
        {TASK("'proxyConfiguration':{'containerName':'c'},"), "proxyConfiguration: "},
        {TASK("'ephemeralStorage':{'sizeInGiB':30},"), "ephemeralStorage: "},
        {TASK("'enableFaultInjection':true,"), "enableFaultInjection: "},
        {TASK("'runtimePlatform':{'operatingSystemFamily':'WINDOWS_SERVER_2022_CORE'},"),
         "runtimePlatform: "},
        {TASK("'volumes':[{'name':'v','efsVolumeConfiguration':{'fileSystemId':'x'}}],"),
         "volumes: efsVolumeConfiguration: "},
        {TASK("'volumes':[{'name':'v','configuredAtLaunch':true}],"),
         "volumes: configuredAtLaunch: "},
        {CONTAINER("'firelensConfiguration':{'type':'fluentbit'}"), "c: firelensConfiguration: "},
        {CONTAINER("'credentialSpecs':['x']"), "c: credentialSpecs: "},
        {CONTAINER("'logConfiguration':{'logDriver':'awsfirelens'}"), "c: logDriver awsfirelens"},
        {CONTAINER("'mountPoints':[{'sourceVolume':'v','containerPath':'/x'}]"),
         "c: mountPoints: "},
        {CONTAINER("'volumesFrom':[{'sourceContainer':'d'}]"), "c: volumesFrom: "},
        {CONTAINER("'portMappings':[{'containerPortRange':'9-8'}]"), "c: containerPortRange: "},
        {"{'family':'f','containerDefinitions':[{'name':'c'}]}", "c: image: "},
        {"{'family':'f','pidMode':'task','containerDefinitions':[{'name':'c','image':'i'},"
         "{'name':'d','image':'i'}]}",
         "pidMode or ipcMode task: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *reason = reason_for(cases[i].quoted, NULL, NULL);
        if (strncmp(reason, cases[i].words, strlen(cases[i].words)) != 0)
            fail_msg("%s: \"%s\"", cases[i].quoted, reason);
    }
}

static void test_what_is_silent_or_switched_off_is_fine(void **state)
{
    (void)state;
    assert_string_equal(reason_for(TASK("'enableFaultInjection':false,'taskRoleArn':'',"
                                        "'proxyConfiguration':null,'pidMode':'task',"),
                                   NULL, NULL),
                        "");
    assert_string_equal(
        reason_for(CONTAINER("'logConfiguration':{'logDriver':'awslogs'}"), NULL, NULL), "");
}

static void test_what_this_engine_cannot_do(void **state)
{
    (void)state;
    struct engine_info info = {.cpu_count = 2, .log_drivers = json_pack("[s]", "json-file")};
    struct engine_version version = {.architecture = "amd64"};
    assert_string_equal(reason_for(TASK("'cpu':'2048',"), &info, &version), "");
    assert_non_null(strstr(reason_for(TASK("'cpu':'2049',"), &info, &version), "cpu: more"));
    assert_non_null(
        strstr(reason_for(CONTAINER("'logConfiguration':{'logDriver':'syslog'}"), &info, &version),
               "logDriver: the engine does not have it"));
    assert_string_equal(
        reason_for(CONTAINER("'logConfiguration':{'logDriver':'none'}"), &info, &version), "");
    assert_non_null(
        strstr(reason_for(CONTAINER("'memory':8,'linuxParameters':{'maxSwap':0}"), &info, &version),
               "maxSwap"));
    assert_string_equal(
        reason_for(TASK("'runtimePlatform':{'cpuArchitecture':'X86_64'},"), &info, &version), "");
    assert_non_null(
        strstr(reason_for(TASK("'runtimePlatform':{'cpuArchitecture':'ARM64'},"), &info, &version),
               "processor"));
    engine_info_free(&info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_no_engine_can_do),
        cmocka_unit_test(test_what_is_silent_or_switched_off_is_fine),
        cmocka_unit_test(test_what_this_engine_cannot_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
