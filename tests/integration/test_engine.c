/*
 * test_engine.c -- the Docker client against a real engine that this test starts: containers made,
 * run, killed and lost; the engine killed, frozen and started again.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "scheduler/docker/container_json.h"
#include "scheduler/docker/engine.h"
#include "scheduler/docker/image_json.h"
#include "scheduler/ecs/task_def_json.h"
#include "scheduler/lab/image.h"
#include "tests/support/dockerd.h"
#include "tests/support/registry.h"
#include "tests/support/scratch.h"

#define SECOND BERTH_NS_PER_S
#define PATIENCE (20 * SECOND)
#define IMAGE "berth-test:1"
#define CLUSTER "test"

static struct dockerd *dockerd;
static struct engine *engine;
static uint64_t last_tag;

/* What has been told: the last of each container, and the last answer. */
static VEC(struct container_state) told;
static struct engine_outcome answer;
static bool is_answered, is_synced, is_lost;
static enum engine_fault loss;
static size_t progress_count, usage_count;
static struct text log_out, log_err;

/* The definition under test, and a copy of it. */
static struct task_def *definition;
static json_t *document;
static struct container_launch launch;

static berth_ns now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * BERTH_NS_PER_S + now.tv_nsec;
}

static struct container_state *told_of(const char *name)
{
    for (size_t i = 0; i < told.count; i++)
        if (strcmp(told.items[i].name, name) == 0)
            return &told.items[i];
    return NULL;
}

/* Takes over what the outcome owns by copying what the tests look at. */
static void keep(const struct container_state *state)
{
    struct container_state *known = told_of(state->name);
    if (known == NULL) {
        known = vec_push(&told);
        *known = (struct container_state){.name = mem_copy_text(state->name)};
    }
    char *name = known->name;
    vec_free(&known->ports);
    *known = *state;
    known->name = name;
    known->image = known->stop_signal = NULL;
    known->labels = NULL;
    known->ports.items = NULL;
    known->ports.count = known->ports.capacity = 0;
    for (size_t i = 0; i < state->ports.count; i++)
        *vec_push(&known->ports) = state->ports.items[i];
}

static void take(const struct engine_outcome *outcome)
{
    switch (outcome->kind) {
    case ENGINE_ANSWER:
        if (outcome->tag != last_tag)
            return;
        is_answered = true;
        answer = *outcome;
        return;
    case ENGINE_SAW_CONTAINER:
        keep(&outcome->container);
        return;
    case ENGINE_SYNCED:
        is_synced = true;
        is_lost = false;
        return;
    case ENGINE_LOST:
        is_lost = true;
        is_synced = false;
        loss = outcome->fault;
        return;
    case ENGINE_PULL_PROGRESS:
        progress_count++;
        return;
    case ENGINE_USAGE:
        usage_count++;
        return;
    case ENGINE_LOG:
        text_add_n(outcome->stream == LOG_STDERR ? &log_err : &log_out, outcome->bytes.bytes,
                   outcome->bytes.length);
        return;
    }
}

/* One turn of the loop, as the daemon will do it; waits at most until `until`. */
static void turn(berth_ns until)
{
    berth_ns now = now_ns(), deadline = engine_next_deadline(engine);
    berth_ns wait = (deadline < until ? deadline : until) - now;
    struct pollfd ready = {.fd = engine_descriptor(engine), .events = POLLIN};
    (void)poll(&ready, 1, wait <= 0 ? 0 : (int)(wait / BERTH_NS_PER_MS) + 1);
    engine_turn(engine, now_ns());
    for (const struct engine_outcome *outcome; (outcome = engine_next(engine)) != NULL;)
        take(outcome);
}

#define wait_until(condition)                                                    \
    do {                                                                         \
        berth_ns until_ = now_ns() + PATIENCE;                                   \
        while (!(condition) && now_ns() < until_)                                \
            turn(until_);                                                        \
        if (!(condition))                                                        \
            fail_msg("line %d: \"%s\" has not come true", __LINE__, #condition); \
    } while (0)

static void run_for(berth_ns time_ns)
{
    for (berth_ns until = now_ns() + time_ns; now_ns() < until;)
        turn(until);
}

static enum engine_fault ask(struct engine_request request)
{
    request.tag = ++last_tag;
    is_answered = false;
    engine_submit(engine, &request, now_ns());
    wait_until(is_answered);
    if (answer.fault != ENGINE_OK && answer.words[0] == '\0')
        fail_msg("%s: %s without words", engine_call_names[answer.call],
                 engine_fault_names[answer.fault]);
    return answer.fault;
}

static void must(enum engine_fault fault)
{
    if (fault != ENGINE_OK)
        fail_msg("%s: %s: %s", engine_call_names[answer.call], engine_fault_names[fault],
                 answer.words);
}

static enum engine_fault ask_name(enum engine_call call, const char *name)
{
    return ask((struct engine_request){.call = call, .name = name, .signal = "SIGKILL"});
}

static json_t *body_of(const char *task, const char *script)
{
    return json_pack("{s:s, s:[s,s,s], s:{s:s, s:s}, s:{s:s, s:{s:s}}}", "Image", IMAGE, "Cmd",
                     "sh", "-c", script, "Labels", ENGINE_CLUSTER_LABEL, CLUSTER, "berth.task",
                     task, "HostConfig", "NetworkMode", "none", "RestartPolicy", "Name", "no");
}

static enum engine_fault create_with(const char *name, json_t *body)
{
    enum engine_fault fault =
        ask((struct engine_request){.call = ENGINE_CREATE, .name = name, .body = body});
    json_decref(body);
    return fault;
}

static void run(const char *name, const char *script)
{
    must(create_with(name, body_of(name, script)));
    must(ask_name(ENGINE_START, name));
}

static bool is_told(const char *name, enum container_status status)
{
    const struct container_state *state = told_of(name);
    return state != NULL && state->status == status;
}

static void open_engine(void)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct engine_config config = {
        .address = dockerd_address(dockerd),
        .cluster = CLUSTER,
        .ping_interval_ns = SECOND / 2,
        .ping_timeout_ns = SECOND,
        .retry_max_ns = SECOND / 2,
    };
    if (engine_open(&config, &engine, &err) != BERTH_OK)
        fail_msg("%s", err.text);
}

static void forget_told(void)
{
    for (size_t i = 0; i < told.count; i++) {
        mem_free(told.items[i].name);
        vec_free(&told.items[i].ports);
    }
    vec_free(&told);
}

static int begin(void **state)
{
    struct text tar = TEXT_INIT;
    struct berth_error err = BERTH_ERROR_INIT;
    (void)state;
    if (lab_image_make(&tar, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    dockerd = dockerd_create("engine");
    dockerd_start(dockerd);
    open_engine();
    wait_until(is_synced);
    must(ask((struct engine_request){
        .call = ENGINE_IMPORT, .name = IMAGE, .tar = tar.bytes, .tar_length = tar.length}));
    text_free(&tar);
    return 0;
}

static int end(void **state)
{
    (void)state;
    if (!dockerd_runs(dockerd)) /* a test failed in the middle */
        dockerd_start(dockerd);
    dockerd_signal(dockerd, SIGCONT);
    wait_until(engine_is_synced(engine));
    for (size_t i = 0; i < told.count; i++)
        (void)ask_name(ENGINE_REMOVE, told.items[i].name);
    engine_close(engine);
    dockerd_destroy(dockerd);
    forget_told();
    json_decref(document);
    task_def_destroy(definition);
    text_free(&log_out);
    text_free(&log_err);
    scratch_remove();
    return 0;
}

static void test_what_the_engine_is(void **state)
{
    (void)state;
    assert_true(engine_get_version(engine)->api_minor >= ENGINE_API_MINOR_MIN);
    must(ask_name(ENGINE_INFO, NULL));
    must(ask_name(ENGINE_INSPECT_IMAGE, IMAGE));
    assert_int_equal(ask_name(ENGINE_INSPECT_IMAGE, "berth-test:none"), ENGINE_NO_IMAGE);
    assert_int_equal(ask_name(ENGINE_INSPECT, "no-such"), ENGINE_NO_CONTAINER);
}

static void test_a_container_runs_and_its_exit_code_is_told(void **state)
{
    (void)state;
    run("exits", "echo out; echo err >&2; exit 7");
    wait_until(is_told("exits", CONTAINER_EXITED));
    assert_int_equal(told_of("exits")->exit_code, 7);
    assert_true(told_of("exits")->started_ns > 0 && told_of("exits")->finished_ns > 0);
    assert_false(told_of("exits")->is_out_of_memory);
    must(ask_name(ENGINE_LOGS, "exits"));
    assert_string_equal(log_out.bytes, "out\n");
    assert_string_equal(log_err.bytes, "err\n");
    must(ask_name(ENGINE_START, "exits")); /* as a restart policy does */
    wait_until(told_of("exits")->status == CONTAINER_EXITED);
    must(ask_name(ENGINE_REMOVE, "exits"));
    wait_until(is_told("exits", CONTAINER_GONE));
    assert_int_equal(told_of("exits")->exit_code, 7);
    must(ask_name(ENGINE_REMOVE, "exits")); /* gone already is as wanted */
}

static void test_a_repeated_create_finds_its_container(void **state)
{
    (void)state;
    must(create_with("twice", body_of("1", "sleep 100")));
    assert_false(answer.was_there);
    char id[ENGINE_ID_MAX];
    memcpy(id, answer.id, sizeof id);
    must(create_with("twice", body_of("1", "sleep 100")));
    assert_true(answer.was_there);
    assert_string_equal(answer.id, id);
    assert_int_equal(create_with("twice", body_of("2", "sleep 100")), ENGINE_NAME_TAKEN);
    must(ask_name(ENGINE_REMOVE, "twice"));
}

static void test_signals_and_stops(void **state)
{
    (void)state;
    run("polite", "trap 'exit 3' TERM; sleep 100 & wait");
    wait_until(is_told("polite", CONTAINER_RUNNING));
    assert_true(told_of("polite")->pid > 0);
    run_for(SECOND / 2); /* until the trap is set */
    must(
        ask((struct engine_request){.call = ENGINE_SIGNAL, .name = "polite", .signal = "SIGTERM"}));
    wait_until(is_told("polite", CONTAINER_EXITED));
    assert_int_equal(told_of("polite")->exit_code, 3);
    must(ask_name(ENGINE_SIGNAL, "polite")); /* it does not run: nothing to kill */
    run("deaf", "trap '' TERM; while :; do sleep 1; done");
    run_for(SECOND / 2);
    must(ask((struct engine_request){.call = ENGINE_STOP, .name = "deaf", .stop_s = 1}));
    wait_until(is_told("deaf", CONTAINER_EXITED));
    assert_int_equal(told_of("deaf")->exit_code, 137);
    assert_false(told_of("deaf")->is_out_of_memory);
    must(ask_name(ENGINE_STOP, "deaf"));
    must(ask_name(ENGINE_REMOVE, "polite"));
    must(ask_name(ENGINE_REMOVE, "deaf"));
}

static void test_out_of_memory(void **state)
{
    (void)state;
    json_t *body = body_of("oom", "dd if=/dev/zero of=/dev/null bs=64M count=1");
    json_t *host = json_object_get(body, "HostConfig");
    (void)json_object_set_new(host, "Memory", json_integer(8 << 20));
    (void)json_object_set_new(host, "MemorySwap", json_integer(8 << 20));
    must(create_with("oom", body));
    must(ask_name(ENGINE_START, "oom"));
    wait_until(is_told("oom", CONTAINER_EXITED) && told_of("oom")->is_out_of_memory);
    assert_int_equal(told_of("oom")->exit_code, 137);
    must(ask_name(ENGINE_REMOVE, "oom"));
}

static void test_health(void **state)
{
    (void)state;
    json_t *body = body_of("health", "touch /tmp/well; sleep 100");
    (void)json_object_set_new(body, "Healthcheck",
                              json_pack("{s:[s,s], s:I, s:I, s:i}", "Test", "CMD-SHELL",
                                        "test -e /tmp/well", "Interval", (json_int_t)SECOND / 2,
                                        "Timeout", (json_int_t)5 * SECOND, "Retries", 2));
    must(create_with("health", body));
    must(ask_name(ENGINE_START, "health"));
    wait_until(is_told("health", CONTAINER_RUNNING) &&
               told_of("health")->health == CONTAINER_HEALTHY);
    must(ask((struct engine_request){
             .call = ENGINE_STATS, .name = "health", .timeout_ns = 2 * SECOND}) == ENGINE_FROZEN
             ? ENGINE_OK
             : answer.fault);
    assert_true(usage_count >= 1);
    must(ask_name(ENGINE_REMOVE, "health"));
}

static void test_what_cannot_be_done(void **state)
{
    (void)state;
    json_t *body = body_of("bad", "true");
    (void)json_object_set_new(body, "Image", json_string("berth-test:none"));
    assert_int_equal(create_with("bad", body), ENGINE_NO_IMAGE);
    body = body_of("bad", "true");
    (void)json_object_set_new(json_object_get(body, "HostConfig"), "NanoCpus",
                              json_integer((json_int_t)1000 * SECOND));
    assert_int_equal(create_with("bad", body), ENGINE_REFUSED);
    body = body_of("bad", "true");
    (void)json_object_set_new(body, "Cmd", json_pack("[s]", "/no/such/program"));
    must(create_with("bad", body));
    assert_int_equal(ask_name(ENGINE_START, "bad"), ENGINE_REFUSED);
    wait_until(told_of("bad") != NULL && told_of("bad")->words[0] != '\0');
    must(ask_name(ENGINE_REMOVE, "bad"));
    assert_int_equal(ask_name(ENGINE_PULL, "127.0.0.1:1/nothing:1"), ENGINE_REGISTRY_DOWN);
    assert_int_equal(progress_count, 0);
}

/* The registry has the manifest, so the engine says 200 and only then that it failed. */
static void test_a_pull_that_fails_in_its_stream(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    char *auth = NULL;
    static const char image[] = "127.0.0.1:5000/half:1";
    pid_t registry = registry_start(dockerd_pid(dockerd));
    assert_int_equal(ask_name(ENGINE_PULL, image), ENGINE_UNAUTHORIZED);
    assert_int_equal(registry_auth_from_secret("{\"username\":\"u\",\"password\":\"p\"}", image,
                                               "here", &auth, &err),
                     BERTH_OK);
    enum engine_fault fault =
        ask((struct engine_request){.call = ENGINE_PULL, .name = image, .registry_auth = auth});
    registry_stop(registry);
    mem_free(auth);
    assert_int_equal(answer.status, 200);
    assert_true(progress_count > 0);
    assert_true(answer.pull.is_error);
    if (fault != ENGINE_NO_IMAGE && fault != ENGINE_PULL_FAILED)
        fail_msg("%s: %s", engine_fault_names[fault], answer.words);
}

/* Made as a task of the definition; its name is returned, owned. */
static char *create_of(uint16_t container, enum engine_fault expected)
{
    struct environment_folders folders = {scratch_folder(), scratch_folder()};
    struct berth_error err = BERTH_ERROR_INIT;
    struct container_environment environment;
    struct text name = TEXT_INIT;
    const json_t *json =
        json_array_get(json_object_get(document, "containerDefinitions"), container);
    if (container_environment_read(json, "here", &folders, &environment, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    launch.environment = &environment;
    container_name(&launch, container, &name);
    enum engine_fault fault = create_with(name.bytes, container_json(&launch, container));
    container_environment_free(&environment);
    if (fault != expected)
        fail_msg("%s: %s", engine_fault_names[fault], answer.words);
    return name.bytes;
}

static void define(const char *quoted)
{
    struct berth_error err = BERTH_ERROR_INIT;
    char reason[TASK_REASON_MAX], *text = strdup(quoted);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    json_decref(document);
    task_def_destroy(definition);
    definition = NULL;
    if (task_def_from_document(text, &definition, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    free(text);
    document = json_loads(definition->document, 0, NULL);
    if (task_unsupported(definition, document, NULL, engine_get_version(engine), reason))
        fail_msg("%s", reason);
    launch = (struct container_launch){.def = definition,
                                       .document = document,
                                       .task = launch.task + 1,
                                       .cluster = CLUSTER,
                                       .state = "it",
                                       .cpu_units = definition->demand.cpu_units,
                                       .mem_mib = definition->demand.mem_mib};
}

/* What a definition asks for is what the container finds. */
static void test_a_task_definition_is_done(void **state)
{
    (void)state;
    (void)scratch_write_text("secret", "hush\n");
    (void)scratch_write_text("x.env", "FROM_FILE=file\n");
    define("{'family':'all','cpu':'512','memory':'64','networkMode':'bridge','volumes':"
           "[{'name':'own'},{'name':'host','host':{'sourcePath':'/tmp'}}],'containerDefinitions':["
           "{'name':'first','image':'" IMAGE "','memory':32,'memoryReservation':16,'cpu':64,"
           "'entryPoint':['sh','-c'],'command':['echo kept >/own/file; sleep 100'],"
           "'mountPoints':[{'sourceVolume':'own','containerPath':'/own'}]},"
           "{'name':'second','image':'" IMAGE "','essential':false,'memory':32,"
           "'command':['sh','-c','test $PLAIN = 1 && test $FROM_FILE = file && test $SECRET = hush"
           " && test $(cat /own/file) = kept && ! touch /own/x && ! touch /x && touch /t/x &&"
           " test $(pwd) = /www && test $(id -u) = 1000 && test $(hostname) = named &&"
           " test $(ulimit -n) = 99 && test -d /tmp/. && exit 5; exit 1'],"
           "'environment':[{'name':'PLAIN','value':'1'}],'environmentFiles':[{'value':"
           "'arn:aws:s3:::x.env','type':'s3'}],'secrets':[{'name':'SECRET','valueFrom':'secret'}],"
           "'volumesFrom':[{'sourceContainer':'first','readOnly':true}],'links':['first:f'],"
           "'mountPoints':[{'sourceVolume':'host','containerPath':'/tmp','readOnly':true}],"
           "'readonlyRootFilesystem':true,'workingDirectory':'/www','user':'1000',"
           "'hostname':'named','ulimits':[{'name':'nofile','softLimit':99,'hardLimit':99}],"
           "'linuxParameters':{'initProcessEnabled':true,'sharedMemorySize':8,"
           "'capabilities':{'drop':['ALL']},'tmpfs':[{'containerPath':'/t','size':1,"
           "'mountOptions':['mode=1777']}]},'systemControls':[{'namespace':'net.core.somaxconn',"
           "'value':'64'}],'dockerLabels':{'a':'b'},'stopTimeout':2,'dockerSecurityOptions':"
           "['no-new-privileges'],'extraHosts':[{'hostname':'x','ipAddress':'10.0.0.1'}],"
           "'logConfiguration':{'logDriver':'json-file','options':{'max-size':'1m'}}}]}");
    free(create_of(1, ENGINE_NO_CONTAINER)); /* what it is linked to is not there yet */
    char *first = create_of(0, ENGINE_OK);
    must(ask_name(ENGINE_START, first));
    wait_until(is_told(first, CONTAINER_RUNNING));
    run_for(SECOND / 5);
    char *second = create_of(1, ENGINE_OK);
    must(ask_name(ENGINE_START, second));
    wait_until(is_told(second, CONTAINER_EXITED));
    assert_int_equal(told_of(second)->exit_code, 5);
    must(ask_name(ENGINE_REMOVE, second));
    must(ask_name(ENGINE_REMOVE, first));
    struct task_volume volume;
    assert_true(
        task_volume_of(&launch, json_array_get(json_object_get(document, "volumes"), 0), &volume));
    must(ask_name(ENGINE_INSPECT_VOLUME, volume.name.bytes));
    must(ask_name(ENGINE_REMOVE_VOLUME, volume.name.bytes));
    assert_int_equal(ask_name(ENGINE_INSPECT_VOLUME, volume.name.bytes), ENGINE_NO_CONTAINER);
    text_free(&volume.name);
    mem_free(first);
    mem_free(second);
}

static int host_port_of(const char *name, uint16_t container_port)
{
    const struct container_state *state = told_of(name);
    for (size_t i = 0; i < state->ports.count; i++)
        if (state->ports.items[i].container_port == container_port)
            return state->ports.items[i].host_port;
    return 0;
}

static void test_ports_are_told_and_may_be_taken(void **state)
{
    (void)state;
    define("{'family':'ports','containerDefinitions':[{'name':'a','image':'" IMAGE "','command':"
           "['sleep','100'],'portMappings':[{'containerPort':80},{'containerPort':81,'hostPort':"
           "8081},{'containerPortRange':'90-94'}]},{'name':'b','image':'" IMAGE "','command':"
           "['sleep','100'],'portMappings':[{'containerPort':81,'hostPort':8081}]}]}");
    char *a = create_of(0, ENGINE_OK), *b = create_of(1, ENGINE_OK);
    must(ask_name(ENGINE_START, a));
    wait_until(is_told(a, CONTAINER_RUNNING));
    wait_until(host_port_of(a, 80) > 0);
    assert_int_equal(host_port_of(a, 81), 8081);
    assert_int_equal(host_port_of(a, 94), host_port_of(a, 90) + 4);
    assert_int_equal(ask_name(ENGINE_START, b), ENGINE_PORT_TAKEN);
    wait_until(told_of(b)->words[0] != '\0');
    must(ask_name(ENGINE_REMOVE, a));
    must(ask_name(ENGINE_REMOVE, b));
    mem_free(a);
    mem_free(b);
}

/* The runtime below the engine dies: what runs goes on, what starts is told to come again. */
static void test_the_runtime_crashes(void **state)
{
    (void)state;
    run("survivor", "sleep 100");
    must(create_with("late", body_of("1", "exit 4")));
    wait_until(is_told("survivor", CONTAINER_RUNNING));
    dockerd_kill_runtime(dockerd);
    berth_ns until = now_ns() + PATIENCE;
    enum engine_fault fault;
    while ((fault = ask_name(ENGINE_START, "late")) != ENGINE_OK && now_ns() < until) {
        if (!engine_fault_is_passing(fault))
            fail_msg("%s: %s", engine_fault_names[fault], answer.words);
        run_for(SECOND / 4);
    }
    must(fault);
    wait_until(is_told("late", CONTAINER_EXITED) && told_of("late")->exit_code == 4);
    assert_true(is_told("survivor", CONTAINER_RUNNING));
    must(ask_name(ENGINE_REMOVE, "late"));
    must(ask_name(ENGINE_REMOVE, "survivor"));
}

static size_t descriptor_count(void)
{
    size_t count = 0;
    for (int descriptor = 0; descriptor < 1024; descriptor++)
        count += fcntl(descriptor, F_GETFD) >= 0;
    return count;
}

static void test_nothing_is_left_behind(void **state)
{
    (void)state;
    size_t before = 0;
    for (int i = 0; i < 8; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "churn-%d", i);
        json_t *body = body_of("1", "true");
        (void)json_object_set_new(json_object_get(body, "HostConfig"), "NetworkMode",
                                  json_string("host"));
        must(create_with(name, body));
        must(ask_name(ENGINE_START, name));
        wait_until(is_told(name, CONTAINER_EXITED));
        must(ask_name(ENGINE_REMOVE, name));
        wait_until(is_told(name, CONTAINER_GONE));
        if (i == 3)
            before = descriptor_count();
    }
    assert_in_range(descriptor_count(), 0, before + 2); /* connections are kept for the next */
}

/* What happens while nobody listens is told after the reconnect, as if it had been heard. */
static void test_the_engine_is_killed_and_comes_back(void **state)
{
    (void)state;
    run("stays", "sleep 100");
    run("ends", "sleep 2; exit 9");
    wait_until(is_told("stays", CONTAINER_RUNNING) && is_told("ends", CONTAINER_RUNNING));
    int64_t pid = told_of("stays")->pid;
    dockerd_kill(dockerd);
    wait_until(is_lost);
    assert_true(loss == ENGINE_BROKE_OFF || loss == ENGINE_DOWN);
    assert_int_equal(ask_name(ENGINE_START, "stays"), ENGINE_DOWN);
    run_for(2 * SECOND + SECOND / 2);
    dockerd_start(dockerd);
    wait_until(is_synced);
    assert_true(is_told("stays", CONTAINER_RUNNING));
    assert_int_equal(told_of("stays")->pid, pid);
    wait_until(is_told("ends", CONTAINER_EXITED));
    assert_int_equal(told_of("ends")->exit_code, 9);
    must(ask_name(ENGINE_REMOVE, "ends"));
    must(ask_name(ENGINE_REMOVE, "stays"));
}

static void test_a_frozen_engine_is_lost_and_found(void **state)
{
    (void)state;
    run("frozen", "sleep 100");
    wait_until(is_told("frozen", CONTAINER_RUNNING));
    dockerd_signal(dockerd, SIGSTOP);
    assert_int_equal(ask((struct engine_request){
                         .call = ENGINE_INSPECT, .name = "frozen", .timeout_ns = SECOND / 5}),
                     ENGINE_FROZEN);
    wait_until(is_lost);
    assert_int_equal(loss, ENGINE_FROZEN);
    dockerd_signal(dockerd, SIGCONT);
    wait_until(is_synced);
    assert_true(is_told("frozen", CONTAINER_RUNNING));
    must(ask_name(ENGINE_REMOVE, "frozen"));
}

/* A second client, as berth started again, is told of everything that is there. */
static void test_another_client_is_told_of_all(void **state)
{
    (void)state;
    run("kept", "sleep 100");
    wait_until(is_told("kept", CONTAINER_RUNNING));
    engine_close(engine);
    forget_told();
    is_synced = false;
    open_engine();
    wait_until(is_synced);
    assert_true(is_told("kept", CONTAINER_RUNNING));
    assert_int_equal(told.count, 1);
    must(ask_name(ENGINE_REMOVE, "kept"));
}

static void test_nothing_but_why(void **state)
{
    (void)state;
    if (getenv("CI") != NULL)
        fail_msg("no real engine can be run here: %s", dockerd_missing());
    printf("left out: real engines: %s\n", dockerd_missing());
}

int main(void)
{
    if (dockerd_missing() != NULL) {
        const struct CMUnitTest none[] = {cmocka_unit_test(test_nothing_but_why)};
        return cmocka_run_group_tests(none, NULL, NULL);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_engine_is),
        cmocka_unit_test(test_a_container_runs_and_its_exit_code_is_told),
        cmocka_unit_test(test_a_repeated_create_finds_its_container),
        cmocka_unit_test(test_signals_and_stops),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_health),
        cmocka_unit_test(test_what_cannot_be_done),
        cmocka_unit_test(test_a_pull_that_fails_in_its_stream),
        cmocka_unit_test(test_a_task_definition_is_done),
        cmocka_unit_test(test_ports_are_told_and_may_be_taken),
        cmocka_unit_test(test_the_runtime_crashes),
        cmocka_unit_test(test_nothing_is_left_behind),
        cmocka_unit_test(test_the_engine_is_killed_and_comes_back),
        cmocka_unit_test(test_a_frozen_engine_is_lost_and_found),
        cmocka_unit_test(test_another_client_is_told_of_all),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
