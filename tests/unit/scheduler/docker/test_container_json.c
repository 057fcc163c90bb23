#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/docker/container_json.h"
#include "scheduler/ecs/json_input.h"
#include "scheduler/ecs/task_def_json.h"

struct made {
    struct task_def *def;
    json_t *document;
    struct container_launch launch;
};

/* JSON with ' for ", to keep the cases readable. */
static char *unquote(const char *quoted)
{
    char *text = strdup(quoted);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    return text;
}

static struct made make(const char *quoted)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct made made = {NULL, NULL, {0}};
    char *text = unquote(quoted);
    if (task_def_from_document(text, &made.def, &err) != BERTH_OK)
        fail_msg("%s: %s", quoted, err.text);
    free(text);
    made.document = json_loads(made.def->document, 0, NULL);
    made.def->revision = 7;
    made.launch = (struct container_launch){
        .def = made.def,
        .document = made.document,
        .task = 42,
        .cluster = "prod",
        .state = "s1",
        .cpu_units = made.def->demand.cpu_units,
        .mem_mib = made.def->demand.mem_mib,
    };
    return made;
}

static void unmake(struct made *made)
{
    json_decref(made->document);
    task_def_destroy(made->def);
}

/* The value at "HostConfig/Memory" of a container's body, as compact JSON with sorted keys. */
static char *at_path(const struct made *made, uint16_t container, const char *path)
{
    json_t *body = container_json(&made->launch, container);
    const json_t *value = body;
    for (const char *part = path; part != NULL;) {
        char name[80];
        const char *slash = strchr(part, '|');
        (void)snprintf(name, sizeof name, "%.*s",
                       slash == NULL ? (int)strlen(part) : (int)(slash - part), part);
        value = json_object_get(value, name);
        part = slash == NULL ? NULL : slash + 1;
    }
    char *text = value == NULL ? strdup("absent") : json_write_sorted(value, 0);
    json_decref(body);
    return text;
}

static void expect_of(const struct made *made, uint16_t container, const char *path,
                      const char *quoted)
{
    char *expected = unquote(quoted), *got = at_path(made, container, path);
    if (strcmp(got, expected) != 0)
        fail_msg("%s is %s, not %s", path, got, expected);
    free(expected);
    free(got);
}

static void expect(const struct made *made, const char *path, const char *quoted)
{
    expect_of(made, 0, path, quoted);
}

static void test_what_a_container_is(void **state)
{
    (void)state;
    struct made made = make(
        "{'family':'web','containerDefinitions':[{'name':'app','image':'r:5000/web:1','cpu':0,"
        "'memory':4,'command':['httpd','-f'],'entryPoint':['/init'],'user':'1000:1000',"
        "'workingDirectory':'/srv','hostname':'h','readonlyRootFilesystem':true,"
        "'privileged':true,'pseudoTerminal':true,'interactive':true,'stopTimeout':12,"
        "'dockerSecurityOptions':['no-new-privileges'],'dnsServers':['1.1.1.1'],"
        "'dnsSearchDomains':['example.org'],'extraHosts':[{'hostname':'a','ipAddress':'1.2.3.4'}],"
        "'dockerLabels':{'team':'x','berth.task':'1'},"
        "'ulimits':[{'name':'nofile','softLimit':1024,'hardLimit':4096}],"
        "'healthCheck':{'command':['CMD-SHELL','true'],'interval':10,'timeout':3,'retries':2,"
        "'startPeriod':30},'logConfiguration':{'logDriver':'json-file','options':{'max-size':"
        "'10m'}}}]}");
    expect(&made, "Image", "'r:5000/web:1'");
    expect(&made, "Cmd", "['httpd','-f']");
    expect(&made, "Entrypoint", "['/init']");
    expect(&made, "User", "'1000:1000'");
    expect(&made, "WorkingDir", "'/srv'");
    expect(&made, "Hostname", "'h'");
    expect(&made, "Tty", "true");
    expect(&made, "OpenStdin", "true");
    expect(&made, "StopTimeout", "12");
    expect(&made, "Labels",
           "{'berth.cluster':'prod','berth.container':'0','berth.state':'s1','berth.task':'42',"
           "'com.amazonaws.ecs.cluster':'prod','com.amazonaws.ecs.container-name':'app',"
           "'com.amazonaws.ecs.task-definition-family':'web',"
           "'com.amazonaws.ecs.task-definition-version':'7','team':'x'}");
    expect(&made, "Healthcheck",
           "{'Interval':10000000000,'Retries':2,'StartPeriod':30000000000,"
           "'Test':['CMD-SHELL','true'],'Timeout':3000000000}");
    expect(&made, "HostConfig|ReadonlyRootfs", "true");
    expect(&made, "HostConfig|Privileged", "true");
    expect(&made, "HostConfig|SecurityOpt", "['no-new-privileges']");
    expect(&made, "HostConfig|Dns", "['1.1.1.1']");
    expect(&made, "HostConfig|DnsSearch", "['example.org']");
    expect(&made, "HostConfig|ExtraHosts", "['a:1.2.3.4']");
    expect(&made, "HostConfig|RestartPolicy", "{'Name':'no'}");
    expect(&made, "HostConfig|Ulimits", "[{'Hard':4096,'Name':'nofile','Soft':1024}]");
    expect(&made, "HostConfig|LogConfig", "{'Config':{'max-size':'10m'},'Type':'json-file'}");
    expect(&made, "HostConfig|CpuShares", "2");    /* none asked for */
    expect(&made, "HostConfig|Memory", "6291456"); /* 4 MiB is below what an engine takes */
    expect(&made, "HostConfig|NanoCpus", "absent");
    expect(&made, "HostConfig|NetworkMode", "'bridge'");
    unmake(&made);
}

static void test_what_is_silent_is_left_to_the_engine(void **state)
{
    (void)state;
    struct made made = make("{'family':'f','containerDefinitions':[{'name':'c','image':'i'}]}");
    expect(&made, "Cmd", "absent");
    expect(&made, "Entrypoint", "absent");
    expect(&made, "Healthcheck", "absent");
    expect(&made, "StopTimeout", "absent");
    expect(&made, "Env", "[]");
    expect(&made, "HostConfig",
           "{'CpuShares':2,'NetworkMode':'bridge','RestartPolicy':{'Name':'no'}}");
    unmake(&made);
}

static void test_limits_of_container_and_task(void **state)
{
    (void)state;
    struct made made =
        make("{'family':'f','cpu':'512','memory':'128','containerDefinitions':["
             "{'name':'a','image':'i','cpu':256,'memory':64,'memoryReservation':32,"
             "'linuxParameters':{'maxSwap':16,'swappiness':5,'sharedMemorySize':8,"
             "'initProcessEnabled':true,'capabilities':{'add':['NET_ADMIN'],'drop':['ALL']},"
             "'devices':[{'hostPath':'/dev/fuse','permissions':['read','write']},"
             "{'hostPath':'/dev/x','containerPath':'/dev/y'}],"
             "'tmpfs':[{'containerPath':'/t','size':4,'mountOptions':['noexec']}]},"
             "'systemControls':[{'namespace':'net.core.somaxconn','value':'64'}]},"
             "{'name':'b','image':'i'}]}");
    expect(&made, "HostConfig|CpuShares", "256");
    expect(&made, "HostConfig|NanoCpus", "500000000"); /* 512 of 1024 units */
    expect(&made, "HostConfig|Memory", "67108864");
    expect(&made, "HostConfig|MemoryReservation", "33554432");
    expect(&made, "HostConfig|MemorySwap", "83886080"); /* 64 + 16 MiB */
    expect(&made, "HostConfig|MemorySwappiness", "5");
    expect(&made, "HostConfig|ShmSize", "8388608");
    expect(&made, "HostConfig|Init", "true");
    expect(&made, "HostConfig|CapAdd", "['NET_ADMIN']");
    expect(&made, "HostConfig|CapDrop", "['ALL']");
    expect(&made, "HostConfig|Devices",
           "[{'CgroupPermissions':'rw','PathInContainer':'/dev/fuse','PathOnHost':'/dev/fuse'},"
           "{'CgroupPermissions':'rwm','PathInContainer':'/dev/y','PathOnHost':'/dev/x'}]");
    expect(&made, "HostConfig|Tmpfs", "{'/t':'size=4m,noexec'}");
    expect(&made, "HostConfig|Sysctls", "{'net.core.somaxconn':'64'}");
    expect_of(&made, 1, "HostConfig|Memory", "134217728"); /* the task's */
    expect_of(&made, 1, "HostConfig|MemorySwap", "absent");
    unmake(&made);
}

static void test_ports(void **state)
{
    (void)state;
    struct made made =
        make("{'family':'f','containerDefinitions':[{'name':'c','image':'i','portMappings':["
             "{'containerPort':80,'hostPort':8080},{'containerPort':81},"
             "{'containerPort':53,'hostPort':53,'protocol':'udp'},"
             "{'containerPort':80,'hostPort':8081}]}]}");
    expect(&made, "ExposedPorts", "{'53/udp':{},'80/tcp':{},'81/tcp':{}}");
    expect(&made, "HostConfig|PortBindings",
           "{'53/udp':[{'HostPort':'53'}],'80/tcp':[{'HostPort':'8080'},{'HostPort':'8081'}],"
           "'81/tcp':[{'HostPort':''}]}");
    unmake(&made);
}

/* Host ports of a range stand in a row, at another place with each attempt. */
static void test_ranges_of_ports(void **state)
{
    (void)state;
    long first[2];
    struct made made = make("{'family':'f','containerDefinitions':[{'name':'c','image':'i',"
                            "'portMappings':[{'containerPortRange':'8000-8009'}]}]}");
    for (uint32_t attempt = 0; attempt < 2; attempt++) {
        made.launch.port_attempt = attempt;
        json_t *body = container_json(&made.launch, 0);
        const json_t *bindings =
            json_object_get(json_object_get(body, "HostConfig"), "PortBindings");
        assert_int_equal(json_object_size(bindings), 10);
        for (int port = 8000; port < 8010; port++) {
            char key[16];
            (void)snprintf(key, sizeof key, "%d/tcp", port);
            const json_t *binding = json_array_get(json_object_get(bindings, key), 0);
            long host = strtol(json_string_value(json_object_get(binding, "HostPort")), NULL, 10);
            if (port == 8000)
                first[attempt] = host;
            assert_int_equal(host, first[attempt] + port - 8000);
            assert_in_range(host, 49153, 65535);
        }
        json_decref(body);
    }
    assert_int_not_equal(first[0], first[1]);
    uint16_t from, to;
    assert_false(port_range_read("80", &from, &to));
    assert_false(port_range_read("90-80", &from, &to));
    assert_false(port_range_read("1-65536", &from, &to));
    assert_false(port_range_read("1-2x", &from, &to));
    unmake(&made);
}

static void test_network_modes_and_links(void **state)
{
    (void)state;
    struct made made = make("{'family':'f','networkMode':'host','pidMode':'host','ipcMode':'none',"
                            "'containerDefinitions':[{'name':'c','image':'i','portMappings':"
                            "[{'containerPort':80}]}]}");
    expect(&made, "HostConfig|NetworkMode", "'host'");
    expect(&made, "HostConfig|PortBindings", "absent");
    expect(&made, "HostConfig|PidMode", "'host'");
    expect(&made, "HostConfig|IpcMode", "'none'");
    unmake(&made);
    made = make("{'family':'f','containerDefinitions':[{'name':'c','image':'i','links':"
                "['db:database','db']},{'name':'db','image':'i'}]}");
    expect(&made, "HostConfig|Links",
           "['berth-prod-f-7-db-0000000000000000000000000000002a-1:database',"
           "'berth-prod-f-7-db-0000000000000000000000000000002a-1:db']");
    unmake(&made);
    made = make("{'family':'f','networkMode':'none','containerDefinitions':"
                "[{'name':'c','image':'i'}]}");
    expect(&made, "HostConfig|NetworkMode", "'none'");
    unmake(&made);
}

static void test_volumes(void **state)
{
    (void)state;
    struct made made =
        make("{'family':'f','volumes':[{'name':'h','host':{'sourcePath':'/srv'}},{'name':'own'},"
             "{'name':'all','dockerVolumeConfiguration':{'scope':'shared','autoprovision':true,"
             "'driver':'nfs','driverOpts':{'o':'x'},'labels':{'l':'1'}}},"
             "{'name':'old','dockerVolumeConfiguration':{'scope':'shared'}}],"
             "'containerDefinitions':[{'name':'c','image':'i','mountPoints':["
             "{'sourceVolume':'h','containerPath':'/h','readOnly':true},"
             "{'sourceVolume':'own','containerPath':'/own'},"
             "{'sourceVolume':'all','containerPath':'/all'}]},"
             "{'name':'d','image':'i','volumesFrom':[{'sourceContainer':'c','readOnly':true}]}]}");
    expect(&made, "HostConfig|Binds", "['/srv:/h:ro']");
    expect(&made, "HostConfig|Mounts",
           "[{'ReadOnly':false,'Source':'berth-prod-0000000000000000000000000000002a-own',"
           "'Target':'/own','Type':'volume','VolumeOptions':{'DriverConfig':{'Name':'local',"
           "'Options':{}},'Labels':{'berth.cluster':'prod','berth.state':'s1','berth.task':'42'}}},"
           "{'ReadOnly':false,'Source':'all','Target':'/all','Type':'volume','VolumeOptions':"
           "{'DriverConfig':{'Name':'nfs','Options':{'o':'x'}},'Labels':{'l':'1'}}}]");
    expect_of(&made, 1, "HostConfig|VolumesFrom",
              "['berth-prod-f-7-c-0000000000000000000000000000002a-0:ro']");
    static const struct {
        bool is_kept, is_of_task, must_exist;
    } cases[] = {
        {false, false, false}, {true, true, false}, {true, false, false}, {true, false, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct task_volume volume;
        const json_t *json = json_array_get(json_object_get(made.document, "volumes"), i);
        assert_int_equal(task_volume_of(&made.launch, json, &volume), cases[i].is_kept);
        assert_int_equal(cases[i].is_kept && volume.is_of_task, cases[i].is_of_task);
        assert_int_equal(cases[i].is_kept && volume.must_exist, cases[i].must_exist);
        text_free(&volume.name);
    }
    unmake(&made);
}

/* Cards go to the containers in the order of the definition, as the placement served them. */
static void test_cards(void **state)
{
    (void)state;
    struct made made = make("{'family':'f','containerDefinitions':["
                            "{'name':'a','image':'i','resourceRequirements':[{'type':'GPU',"
                            "'value':'0.5'}]},{'name':'b','image':'i','resourceRequirements':"
                            "[{'type':'GPU','value':'2'}]},{'name':'c','image':'i'}]}");
    static const struct gpu_grant grants[] = {{3, 500}, {0, 1000}, {1, 1000}};
    static const char *const ids[] = {"GPU-0", "GPU-1", "GPU-2", "GPU-3"};
    made.launch.grants = grants;
    made.launch.grant_count = 3;
    expect(&made, "HostConfig|DeviceRequests",
           "[{'Capabilities':[['gpu']],'DeviceIDs':['3'],'Driver':'nvidia'}]");
    made.launch.gpu_ids = ids;
    expect_of(&made, 1, "HostConfig|DeviceRequests",
              "[{'Capabilities':[['gpu']],'DeviceIDs':['GPU-0','GPU-1'],'Driver':'nvidia'}]");
    expect_of(&made, 2, "HostConfig|DeviceRequests", "absent");
    unmake(&made);
}

static void test_names_and_labels_find_the_task_again(void **state)
{
    (void)state;
    struct made made = make("{'family':'f','containerDefinitions':[{'name':'c','image':'i'}]}");
    struct container_state container = {.status = CONTAINER_RUNNING};
    json_t *body = container_json(&made.launch, 0);
    task_id task;
    uint16_t index;
    container.labels = json_object_get(body, "Labels");
    assert_true(container_identify(&container, "prod", "s1", &task, &index));
    assert_int_equal(task, 42);
    assert_int_equal(index, 0);
    assert_false(container_identify(&container, "prod", "s2", &task, &index));
    assert_false(container_identify(&container, "test", "s1", &task, &index));
    (void)json_object_set_new(container.labels, CONTAINER_LABEL_CONTAINER, json_string("10"));
    assert_false(container_identify(&container, "prod", "s1", &task, &index));
    (void)json_object_set_new(container.labels, CONTAINER_LABEL_CONTAINER, json_string("-1"));
    assert_false(container_identify(&container, "prod", "s1", &task, &index));
    json_decref(body);
    struct text name = TEXT_INIT;
    made.launch.cluster = "a b/c";
    container_name(&made.launch, 0, &name);
    assert_string_equal(name.bytes, "berth-a_b_c-f-7-c-0000000000000000000000000000002a-0");
    text_free(&name);
    unmake(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_container_is),
        cmocka_unit_test(test_what_is_silent_is_left_to_the_engine),
        cmocka_unit_test(test_limits_of_container_and_task),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_ranges_of_ports),
        cmocka_unit_test(test_network_modes_and_links),
        cmocka_unit_test(test_volumes),
        cmocka_unit_test(test_cards),
        cmocka_unit_test(test_names_and_labels_find_the_task_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
