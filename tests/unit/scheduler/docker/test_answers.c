#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/iso_time.h"
#include "scheduler/docker/answers.h"

static json_t *parse(const char *quoted)
{
    char *text = strdup(quoted);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    json_t *json = json_loads(text, 0, NULL);
    if (json == NULL)
        fail_msg("%s", quoted);
    free(text);
    return json;
}

static struct container_state must_read(const char *quoted)
{
    struct container_state state;
    json_t *json = parse(quoted);
    assert_true(container_state_read(json, &state));
    json_decref(json);
    return state;
}

static void test_a_container_that_ended(void **state)
{
    (void)state;
    berth_ns started = 0;
    struct container_state read = must_read(
        "{'Id':'ab12','Name':'/n','Image':'sha256:1','State':{'Status':'exited','OOMKilled':true,"
        "'Pid':0,'ExitCode':137,'Error':'a\\nb','StartedAt':'2026-11-21T10:00:00.5Z',"
        "'FinishedAt':'0001-01-01T00:00:00Z'},'Config':{'Labels':{'berth.task':'7'},"
        "'StopSignal':'SIGINT','Tty':true},'NetworkSettings':{'Ports':{}}}");
    assert_string_equal(read.id, "ab12");
    assert_string_equal(read.name, "n");
    assert_string_equal(read.stop_signal, "SIGINT");
    assert_string_equal(read.words, "a b");
    assert_string_equal(container_state_label(&read, "berth.task"), "7");
    assert_null(container_state_label(&read, "none"));
    assert_int_equal(read.status, CONTAINER_EXITED);
    assert_true(read.has_exit_code && read.is_out_of_memory && read.has_terminal);
    assert_int_equal(read.exit_code, 137);
    assert_true(iso_time_parse("2026-11-21T10:00:00.5Z", &started));
    assert_true(read.started_ns == started);
    assert_int_equal(read.finished_ns, 0);
    container_state_free(&read);
}

static void test_a_container_that_runs(void **state)
{
    (void)state;
    struct container_state read = must_read(
        "{'Id':'ab','Name':'n','State':{'Status':'running','Pid':55,'ExitCode':0,"
        "'Health':{'Status':'unhealthy'}},'Config':{},'NetworkSettings':{'Ports':{"
        "'80/tcp':[{'HostIp':'0.0.0.0','HostPort':'32768'},{'HostIp':'::','HostPort':'32768'}],"
        "'53/udp':[{'HostIp':'','HostPort':'53'}],'81/tcp':null,'x':[{'HostPort':'1'}],"
        "'82/sctp':[{'HostPort':'2'}],'83/tcp':[{'HostPort':'70000'}]}}}");
    assert_int_equal(read.status, CONTAINER_RUNNING);
    assert_int_equal(read.health, CONTAINER_UNHEALTHY);
    assert_false(read.has_exit_code);
    assert_int_equal(read.pid, 55);
    assert_string_equal(read.stop_signal, "SIGTERM");
    assert_int_equal(read.ports.count, 3);
    assert_int_equal(read.ports.items[0].container_port, 80);
    assert_int_equal(read.ports.items[0].host_port, 32768);
    assert_string_equal(read.ports.items[1].host_ip, "::");
    assert_true(read.ports.items[2].is_udp);
    container_state_free(&read);
}

static void test_what_is_no_container(void **state)
{
    (void)state;
    static const char *const cases[] = {"{}",
                                        "[]",
                                        "{'Id':'a'}",
                                        "{'Id':'','Name':'n','State':{}}",
                                        "{'Id':'../x','Name':'n','State':{}}",
                                        "{'Id':'a','Name':3,'State':{}}"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct container_state read;
        json_t *json = parse(cases[i]);
        assert_false(container_state_read(json, &read));
        json_decref(json);
    }
}

static void test_events(void **state)
{
    (void)state;
    static const char die[] = "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"a1\","
                              "\"Attributes\":{\"exitCode\":\"3\"}}}";
    static const char health[] = "{\"Type\":\"container\",\"Action\":\"health_status: healthy\","
                                 "\"Actor\":{\"ID\":\"a1\"}}";
    static const char probe[] = "{\"Type\":\"container\",\"Action\":\"exec_start: sh\","
                                "\"Actor\":{\"ID\":\"a1\"}}";
    static const char image[] = "{\"Type\":\"image\",\"Action\":\"die\",\"Actor\":{\"ID\":\"a1\"}}";
    struct engine_event event;
    assert_true(engine_event_read(die, strlen(die), &event));
    assert_string_equal(event.id, "a1");
    assert_true(event.is_end && event.has_exit_code);
    assert_int_equal(event.exit_code, 3);
    assert_true(engine_event_read(health, strlen(health), &event));
    assert_false(event.is_end);
    assert_false(engine_event_read(probe, strlen(probe), &event));
    assert_false(engine_event_read(image, strlen(image), &event));
    assert_false(engine_event_read("{", 1, &event));
}

static void test_messages(void **state)
{
    (void)state;
    char out[ENGINE_TEXT_MAX], longer[2 * ENGINE_TEXT_MAX];
    static const char body[] = "{\"message\":\"no such\\ncontainer\"}\n";
    engine_message_read(body, strlen(body), out);
    assert_string_equal(out, "no such container");
    engine_message_read("<html>\n", 7, out);
    assert_string_equal(out, "<html>");
    memset(longer, 'x', sizeof longer);
    engine_message_read(longer, sizeof longer, out);
    assert_int_equal(strlen(out), ENGINE_TEXT_MAX - 1);
}

static struct pull_line pull(const char *quoted)
{
    struct pull_line line;
    json_t *json = parse(quoted);
    char *text = json_dumps(json, 0);
    assert_true(pull_line_read(text, strlen(text), &line));
    free(text);
    json_decref(json);
    return line;
}

static void test_the_stream_of_a_pull(void **state)
{
    (void)state;
    struct pull_line line = pull("{'status':'Downloading','id':'f1','progressDetail':"
                                 "{'current':5,'total':10}}");
    assert_string_equal(line.layer, "f1");
    assert_int_equal(line.current_bytes, 5);
    assert_int_equal(line.total_bytes, 10);
    assert_false(line.is_last || line.is_error);
    line = pull("{'status':'Digest: sha256:ab'}");
    assert_string_equal(line.digest, "sha256:ab");
    assert_true(pull("{'status':'Status: Image is up to date'}").is_last);
    line = pull("{'errorDetail':{'message':'manifest unknown'},'error':'x'}");
    assert_true(line.is_error && !line.is_last);
    assert_string_equal(line.status, "manifest unknown");
    assert_true(pull("{'error':'Status: no'}").is_error);
    assert_false(pull("{'error':'Status: no'}").is_last);
}

static void test_usage(void **state)
{
    (void)state;
    struct container_usage usage;
    json_t *json = parse(
        "{'read':'2026-11-21T10:00:00Z','cpu_stats':{'cpu_usage':{'total_usage':7,"
        "'percpu_usage':[3,4]},'system_cpu_usage':100,'throttling_data':{'throttled_time':2}},"
        "'memory_stats':{'usage':1000,'limit':5000,'stats':{'total_inactive_file':300}},"
        "'networks':{'eth0':{'rx_bytes':1,'tx_bytes':2},'eth1':{'rx_bytes':10,'tx_bytes':-5}}}");
    assert_true(container_usage_read(json, &usage));
    assert_int_equal(usage.cpu_ns, 7);
    assert_int_equal(usage.cpu_count, 2);
    assert_int_equal(usage.mem_bytes, 700);
    assert_int_equal(usage.received_bytes, 11);
    assert_int_equal(usage.sent_bytes, 2);
    assert_int_equal(usage.throttled_ns, 2);
    json_decref(json);
    assert_false(container_usage_read(NULL, &usage));
}

static void test_version_info_and_image(void **state)
{
    (void)state;
    struct engine_version version;
    struct engine_info info;
    struct image_state image;
    json_t *json = parse("{'Version':'29.0.1','ApiVersion':'1.52','MinAPIVersion':'1.44',"
                         "'Os':'linux','Arch':'arm64'}");
    assert_true(engine_version_read(json, &version));
    assert_int_equal(version.api_minor, 52);
    assert_int_equal(version.api_minor_min, 44);
    assert_string_equal(version.architecture, "arm64");
    json_decref(json);
    json = parse("{'ApiVersion':'2.0'}");
    assert_false(engine_version_read(json, &version));
    json_decref(json);
    json = parse("{'ID':'A:B','NCPU':4,'MemTotal':2147483648,'LiveRestoreEnabled':true,"
                 "'CgroupVersion':'2','Plugins':{'Log':['json-file']}}");
    assert_true(engine_info_read(json, &info));
    assert_int_equal(info.cpu_count, 4);
    assert_int_equal(info.mem_mib, 2048);
    assert_true(info.has_live_restore && info.is_cgroup_v2);
    engine_info_free(&info);
    json_decref(json);
    json = parse("{'Id':'sha256:0','RepoDigests':['r/x@sha256:d'],'Size':5,'Config':{'Cmd':['a'],"
                 "'Healthcheck':{'Test':['NONE']}}}");
    assert_true(image_state_read(json, &image));
    assert_string_equal(image.digest, "sha256:d");
    assert_true(image.has_command && image.has_health_check);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_container_that_ended),
        cmocka_unit_test(test_a_container_that_runs),
        cmocka_unit_test(test_what_is_no_container),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_the_stream_of_a_pull),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_version_info_and_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
