/*
 * test_lab.c -- a lab of three real engines: containers run, hosts reach each other, each fault and
 * its cure are seen from outside, and nothing is left behind, also after kill -9 in the middle.
 *
 * Where root or a program is missing it says so and leaves all out; under CI=true that fails.
 */
#define _GNU_SOURCE /* getline, DT_DIR */
#include <arpa/inet.h>
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "scheduler/base/mem.h"
#include "scheduler/base/text.h"
#include "scheduler/base/units.h"
#include "scheduler/docker/http.h"
#include "scheduler/lab/http.h"
#include "scheduler/lab/lab.h"
#include "scheduler/lab/process.h"
#include "tests/support/berth.h"
#include "tests/support/scratch.h"

#define PORT 8080
#define CALL_MS 20000

static char lab[LAB_NAME_MAX + 1]; /* the lab that most tests share */
static int slot;                   /* its network */

/* `berth lab ARGUMENTS --name NAME`: its exit status; what it said, if asked for, is owned. */
static int say(const char *name, const char *arguments, char **out, char **err)
{
    struct berth_answer answer = berth_run(NULL, "lab %s --name %s", arguments, name);
    if (answer.status != 0 && err == NULL)
        print_message("berth lab %s: %d: %s", arguments, answer.status, answer.err);
    if (out != NULL)
        *out = mem_copy_text(answer.out);
    if (err != NULL)
        *err = mem_copy_text(answer.err);
    int status = answer.status;
    berth_answer_free(&answer);
    return status;
}

static void act(const char *action, int engine)
{
    char arguments[64];
    (void)snprintf(arguments, sizeof arguments, "%s %d --quiet", action, engine);
    if (say(lab, arguments, NULL, NULL) != 0)
        fail_msg("berth lab %s", arguments);
}

/* One member of an engine of `status --json`, as text; owned. */
static char *look(int engine, const char *member)
{
    char *out;
    assert_int_equal(say(lab, "status --json", &out, NULL), 0);
    json_t *all = json_loads(out, 0, NULL);
    json_t *one = json_array_get(json_object_get(all, "engines"), (size_t)engine - 1);
    char *text = json_dumps(json_object_get(one, member), JSON_ENCODE_ANY);
    assert_non_null(text);
    json_decref(all);
    mem_free(out);
    return text;
}

static void assert_look(int engine, const char *member, const char *wanted)
{
    char *seen = look(engine, member);
    assert_string_equal(seen, wanted);
    free(seen);
}

/* The status of the call, 0 when the engine did not answer; *out (may be NULL) is owned. */
static int call(int engine, const char *method, const char *target, const char *json, int ms,
                char **out)
{
    struct lab_name socket = lab_path(lab, engine, "docker.sock");
    const struct lab_request request = {.socket = socket.text,
                                        .method = method,
                                        .target = target,
                                        .type = json == NULL ? NULL : "application/json",
                                        .body = json == NULL ? "" : json,
                                        .length = json == NULL ? 0 : strlen(json),
                                        .timeout_ms = ms};
    struct berth_error err = BERTH_ERROR_INIT;
    struct text body = TEXT_INIT;
    int status = 0;
    if (lab_request(&request, &status, &body, &err) != BERTH_OK)
        status = 0;
    if (out != NULL)
        *out = mem_copy_text(body.length == 0 ? "" : body.bytes);
    text_free(&body);
    return status;
}

/* Makes and starts a container of busybox that runs a line of its shell. */
static void start(int engine, const char *name, const char *line, const char *host_config)
{
    struct text body = TEXT_INIT, target = TEXT_INIT;
    text_add(&body, "{\"Image\":\"busybox:latest\",\"Cmd\":[\"sh\",\"-c\",");
    text_add_json(&body, line);
    text_addf(&body, "],\"ExposedPorts\":{\"80/tcp\":{}},\"HostConfig\":%s}", host_config);
    text_addf(&target, "/containers/create?name=%s", name);
    assert_int_equal(call(engine, "POST", target.bytes, body.bytes, CALL_MS, NULL), 201);
    text_clear(&target);
    text_addf(&target, "/containers/%s/start", name);
    assert_int_equal(call(engine, "POST", target.bytes, NULL, CALL_MS, NULL), 204);
    text_free(&body);
    text_free(&target);
}

static void start_server(int engine)
{
    start(engine, "server", "exec httpd -f -h /www",
          "{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"8080\"}]}}");
}

static void stop_server(int engine)
{
    assert_int_equal(call(engine, "DELETE", "/containers/server?force=1", NULL, CALL_MS, NULL),
                     204);
}

/* The exit code of a line of shell in a container of its own. */
static int run_line(int engine, const char *line)
{
    char *out;
    start(engine, "line", line, "{}");
    assert_int_equal(call(engine, "POST", "/containers/line/wait", NULL, CALL_MS, &out), 200);
    json_t *answer = json_loads(out, 0, NULL);
    int code = (int)json_integer_value(json_object_get(answer, "StatusCode"));
    json_decref(answer);
    mem_free(out);
    assert_int_equal(call(engine, "DELETE", "/containers/line", NULL, CALL_MS, NULL), 204);
    return code;
}

/* "PID STARTED" of the server, to see that it is still the same. */
static struct lab_name server_identity(int engine)
{
    char *out;
    struct lab_name identity = {""};
    assert_int_equal(call(engine, "GET", "/containers/server/json", NULL, CALL_MS, &out), 200);
    json_t *answer = json_loads(out, 0, NULL), *state = json_object_get(answer, "State");
    (void)snprintf(identity.text, sizeof identity.text, "%d %s",
                   (int)json_integer_value(json_object_get(state, "Pid")),
                   json_string_value(json_object_get(state, "StartedAt")));
    json_decref(answer);
    mem_free(out);
    return identity;
}

/* Does the server on this engine answer over the network, within two seconds? */
static bool is_served(int engine)
{
    const struct timeval limit = {.tv_sec = 2};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    char answer[1024] = "";
    assert_int_equal(inet_pton(AF_INET, lab_address(slot, engine).text, &to.sin_addr), 1);
    int file = socket(AF_INET, SOCK_STREAM, 0);
    static const char request[] = "GET /index.html HTTP/1.0\r\n\r\n";
    bool good = file >= 0 && setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
                setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
                connect(file, (const struct sockaddr *)&to, sizeof to) == 0 &&
                send(file, request, strlen(request), MSG_NOSIGNAL) > 0 &&
                recv(file, answer, sizeof answer - 1, 0) > 0;
    if (file >= 0)
        (void)close(file);
    return good && strncmp(answer, "HTTP/1.", 7) == 0 && strstr(answer, "200 OK") != NULL;
}

/* Does the engine's url answer to who has the lab's keys, within two seconds? */
static bool is_reached(int engine)
{
    struct lab_name ca = lab_path(lab, 0, LAB_KEYS "/ca.pem"), url = lab_url(slot, engine);
    struct lab_name certificate = lab_path(lab, 0, LAB_KEYS "/cert.pem");
    struct lab_name key = lab_path(lab, 0, LAB_KEYS "/key.pem");
    const struct http_config config = {.address = url.text,
                                       .ca_path = ca.text,
                                       .certificate_path = certificate.text,
                                       .key_path = key.text,
                                       .connect_timeout_ns = 2 * BERTH_NS_PER_S};
    const struct http_request ping = {
        .method = "GET", .path = "/_ping", .timeout_ns = 2 * BERTH_NS_PER_S, .received_max = 4096};
    struct http_peer *peer;
    struct berth_error err = BERTH_ERROR_INIT;
    if (http_open(&config, &peer, &err) != BERTH_OK)
        return false;
    struct http_exchange *exchange = http_send(peer, &ping, NULL, lab_now_ms() * BERTH_NS_PER_MS);
    int64_t deadline = lab_now_ms() + 5000;
    while (exchange->end == HTTP_GOES_ON && lab_now_ms() < deadline) {
        lab_sleep_ms(5);
        http_turn(peer, lab_now_ms() * BERTH_NS_PER_MS);
    }
    bool good = exchange->end == HTTP_COMPLETE && exchange->status == 200;
    http_drop(exchange);
    http_close(peer);
    return good;
}

static bool is_served_within(int engine, int seconds)
{
    int64_t deadline = lab_now_ms() + (int64_t)seconds * 1000;
    while (!is_served(engine)) {
        if (lab_now_ms() >= deadline)
            return false;
        lab_sleep_ms(100);
    }
    return true;
}

/* 200 or so from the engine before the time is over. */
static bool answers_within(int engine, const char *target, int wanted, int seconds)
{
    int64_t deadline = lab_now_ms() + (int64_t)seconds * 1000;
    while (call(engine, "GET", target, NULL, 2000, NULL) != wanted) {
        if (lab_now_ms() >= deadline)
            return false;
        lab_sleep_ms(100);
    }
    return true;
}

/* What a shell prints, without the last newline; owned. */
static char *shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *shell(const char *format, ...)
{
    char command[3000], *line = NULL;
    size_t size = 0;
    struct text all = TEXT_INIT;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(command, sizeof command, format, args);
    va_end(args);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    text_add(&all, "");
    while (getline(&line, &size, pipe) >= 0)
        text_add(&all, line);
    free(line);
    (void)pclose(pipe);
    return all.bytes;
}

/*
 * All that bears the lab's name or its network's: mounts of any process, files, control groups,
 * who is in them, arguments of processes, loop devices, links. (Process 1 takes in the dead when it
 * likes: till then their groups are "(deleted)", and they have nothing else.)
 */
static void assert_nothing_left(const char *name, int its_slot)
{
    char *left = shell("grep -ls 'berth-lab/%s[/ ]' /proc/[0-9]*/mountinfo;"
                       "grep -ls 'berth-lab/%s/.*[^)]$' /proc/[0-9]*/cgroup;"
                       "grep -lsa '[/]run/berth-lab/%s/' /proc/[0-9]*/cmdline;"
                       "grep -ls 'berth-lab/%s/' /sys/block/loop*/loop/backing_file;"
                       "ls -d /run/berth-lab/%s /var/lib/berth-lab/%s 2>/dev/null;"
                       "find /sys/fs/cgroup -path '*/berth-lab/%s' -print 2>/dev/null;"
                       "ip -o link show berth-lab%d 2>/dev/null",
                       name, name, name, name, name, name, name, its_slot);
    if (left[0] != '\0')
        fail_msg("left of lab %s: %s", name, left);
    mem_free(left);
}

static int read_slot(const char *name)
{
    char *text =
        shell("sed -n 's/.* slot=\\([0-9]*\\).*/\\1/p' /run/berth-lab/%s/lab 2>/dev/null", name);
    int number = text[0] == '\0' ? 999 : atoi(text);
    mem_free(text);
    return number;
}

static void test_three_engines_are_up(void **state)
{
    static const char *const numbers[] = {"1", "2", "3"};
    (void)state;
    for (int i = 1; i <= 3; i++) {
        assert_look(i, "engine", numbers[i - 1]);
        assert_look(i, "state", "\"up\"");
        assert_look(i, "partitioned", "false");
        assert_look(i, "diskFull", "false");
        assert_int_equal(call(i, "GET", "/images/busybox:latest/json", NULL, CALL_MS, NULL), 200);
    }
}

static void test_what_cannot_be_done_is_said(void **state)
{
    char *err, wanted[200];
    (void)state;
    assert_int_equal(say(lab, "kill 9", NULL, &err), 2);
    (void)snprintf(wanted, sizeof wanted,
                   "berth lab: no engine 9 in lab \"%s\"; there are engines 1 to 3\n", lab);
    assert_string_equal(err, wanted);
    mem_free(err);
    assert_int_equal(say(lab, "up 2", NULL, &err), 1);
    assert_non_null(strstr(err, "is up, with 3 engines; berth lab down --name "));
    mem_free(err);
    assert_int_equal(say("no-such-lab", "kill 1", NULL, &err), 1);
    assert_string_equal(err, "berth lab: there is no lab \"no-such-lab\"; berth lab up N makes one "
                             "with N engines\n");
    mem_free(err);
    assert_int_equal(access("/run/berth-lab/no-such-lab", F_OK), -1);
    assert_look(1, "state", "\"up\"");
}

static void test_containers_and_the_network(void **state)
{
    char line[200];
    (void)state;
    start_server(1);
    assert_true(is_served_within(1, 10));
    (void)snprintf(line, sizeof line, "timeout 5 wget -q -O- http://%s:8080/ | grep -qx ok",
                   lab_address(slot, 1).text);
    assert_int_equal(run_line(2, line), 0);
    for (int to = 2; to <= 3; to++) {
        (void)snprintf(line, sizeof line, "ping -c 1 -W 5 %s", lab_address(slot, to).text);
        assert_int_equal(run_line(1, line), 0);
    }
    (void)snprintf(line, sizeof line, "ping -c 1 -W 5 %s", lab_address(slot, LAB_MACHINE).text);
    assert_int_equal(run_line(3, line), 0);
    /* No way out. */
    assert_int_equal(run_line(3, "ip route | grep -q via.10.213; test $? = 1"), 0);
    stop_server(1);
}

static void test_an_image_of_another_name(void **state)
{
    (void)state;
    assert_int_equal(say(lab, "image web:2", NULL, NULL), 0);
    for (int i = 1; i <= 3; i++)
        assert_int_equal(call(i, "GET", "/images/web:2/json", NULL, CALL_MS, NULL), 200);
}

static void test_freeze_and_thaw(void **state)
{
    (void)state;
    start_server(1);
    assert_true(is_served_within(1, 10));
    act("freeze", 1);
    assert_false(is_served(1));
    assert_int_equal(call(1, "GET", "/_ping", NULL, 1000, NULL), 0);
    assert_look(1, "state", "\"frozen\"");
    act("freeze", 1);
    act("thaw", 1);
    assert_true(is_served_within(1, 10));
    assert_look(1, "state", "\"up\"");
    stop_server(1);
}

static void test_partition_and_heal(void **state)
{
    char line[200];
    (void)state;
    start_server(1);
    assert_true(is_served_within(1, 10));
    struct lab_name before = server_identity(1);
    assert_true(is_reached(1));
    act("partition", 1);
    assert_false(is_served(1));
    assert_false(is_reached(1));
    (void)snprintf(line, sizeof line, "ping -c 1 -W 1 %s", lab_address(slot, 1).text);
    assert_int_equal(run_line(2, line), 1);
    assert_look(1, "partitioned", "true");
    /* It lives on, and stays cut off over a death. */
    assert_string_equal(server_identity(1).text, before.text);
    act("kill", 1);
    act("revive", 1);
    assert_int_equal(run_line(2, line), 1);
    act("heal", 1);
    assert_int_equal(run_line(2, line), 0);
    assert_true(is_reached(1));
    assert_look(1, "partitioned", "false");
    stop_server(1);
}

static void test_the_disk_is_full_and_is_not(void **state)
{
    static const char body[] = "{\"Image\":\"busybox:latest\"}";
    (void)state;
    act("fill-disk", 2);
    assert_look(2, "diskFull", "true");
    assert_int_equal(call(2, "POST", "/containers/create", body, CALL_MS, NULL), 500);
    act("free-disk", 2);
    assert_look(2, "diskFull", "false");
    assert_int_equal(call(2, "POST", "/containers/create?name=fits", body, CALL_MS, NULL), 201);
    assert_int_equal(run_line(2, "dd if=/dev/zero of=/x bs=1M count=10"), 0);
}

static void test_the_engine_crashes(void **state)
{
    (void)state;
    start_server(3);
    assert_true(is_served_within(3, 10));
    struct lab_name before = server_identity(3);
    act("crash-engine", 3);
    assert_int_equal(call(3, "GET", "/_ping", NULL, 1000, NULL), 0);
    assert_true(is_served(3));
    assert_true(answers_within(3, "/_ping", 200, 30));
    assert_string_equal(server_identity(3).text, before.text);
    stop_server(3);
}

static void test_containerd_crashes(void **state)
{
    (void)state;
    start_server(3);
    assert_true(is_served_within(3, 10));
    struct lab_name before = server_identity(3);
    act("crash-containerd", 3);
    assert_true(is_served(3));
    assert_int_equal(call(3, "GET", "/_ping", NULL, CALL_MS, NULL), 200);
    /* Starting works again when dockerd has started it. */
    static const char body[] = "{\"Image\":\"busybox:latest\",\"Cmd\":[\"true\"]}";
    assert_int_equal(call(3, "POST", "/containers/create?name=later", body, CALL_MS, NULL), 201);
    int64_t deadline = lab_now_ms() + 40000;
    while (call(3, "POST", "/containers/later/start", NULL, CALL_MS, NULL) != 204) {
        assert_true(lab_now_ms() < deadline);
        lab_sleep_ms(500);
    }
    assert_string_equal(server_identity(3).text, before.text);
    stop_server(3);
}

static void test_a_host_dies_and_comes_back(void **state)
{
    char *out, *err;
    (void)state;
    start_server(2);
    assert_true(is_served_within(2, 10));
    act("kill", 2);
    assert_false(is_served(2));
    assert_int_equal(call(2, "GET", "/_ping", NULL, 1000, NULL), 0);
    assert_look(2, "state", "\"dead\"");
    assert_look(2, "processes", "0");
    assert_look(1, "state", "\"up\"");
    assert_int_equal(say(lab, "freeze 2", NULL, &err), 1);
    assert_string_equal(err, "berth lab: engine 2 is dead; berth lab revive 2 first\n");
    mem_free(err);
    act("kill", 2);
    act("revive", 2);
    act("revive", 2);
    assert_look(2, "state", "\"up\"");
    assert_int_equal(call(2, "GET", "/containers/server/json", NULL, CALL_MS, &out), 200);
    json_t *answer = json_loads(out, 0, NULL), *its = json_object_get(answer, "State");
    assert_string_equal(json_string_value(json_object_get(its, "Status")), "exited");
    assert_int_equal(json_integer_value(json_object_get(its, "ExitCode")), 255);
    json_decref(answer);
    mem_free(out);
    assert_int_equal(call(2, "POST", "/containers/server/start", NULL, CALL_MS, NULL), 204);
    assert_true(is_served_within(2, 10));
    stop_server(2);
}

static void test_a_frozen_host_dies(void **state)
{
    (void)state;
    act("freeze", 3);
    act("kill", 3);
    assert_look(3, "processes", "0");
    act("revive", 3);
    assert_look(3, "state", "\"up\"");
}

static void test_two_labs_side_by_side(void **state)
{
    char name[LAB_NAME_MAX + 1], wanted[200], *out;
    (void)state;
    (void)snprintf(name, sizeof name, "%.20s-b", lab);
    assert_int_equal(say(name, "up 1 --quiet --disk 128M", NULL, NULL), 0);
    int its_slot = read_slot(name);
    assert_true(its_slot != slot);
    assert_int_equal(say(name, "status --json", &out, NULL), 0);
    (void)snprintf(wanted, sizeof wanted, "\"address\": \"%s\"", lab_address(its_slot, 1).text);
    assert_non_null(strstr(out, wanted));
    mem_free(out);
    assert_int_equal(say(name, "down", NULL, NULL), 0);
    assert_nothing_left(name, its_slot);
    assert_look(1, "state", "\"up\"");
}

/* `berth lab up 3` in a process of its own. */
static pid_t begin_up(const char *name)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    const char *program = getenv("BERTH") == NULL ? "build/berth" : getenv("BERTH");
    (void)execl(program, program, "lab", "up", "3", "--quiet", "--name", name, (char *)NULL);
    _exit(127);
}

static void test_up_is_killed_at_any_moment(void **state)
{
    static const int moments_ms[] = {3, 20, 60, 150, 300, 500, 800, 1200};
    char name[LAB_NAME_MAX + 1];
    (void)state;
    (void)snprintf(name, sizeof name, "%.20s-k", lab);
    for (size_t i = 0; i < sizeof moments_ms / sizeof moments_ms[0]; i++) {
        int status = 0;
        pid_t child = begin_up(name);
        assert_true(child > 0);
        lab_sleep_ms(moments_ms[i]);
        (void)kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        int its_slot = read_slot(name);
        assert_int_equal(say(name, "down --quiet", NULL, NULL), 0);
        assert_nothing_left(name, its_slot);
        assert_int_equal(say(name, "down --quiet", NULL, NULL), 0);
    }
}

static void test_up_is_interrupted(void **state)
{
    char name[LAB_NAME_MAX + 1];
    int status = 0;
    (void)state;
    (void)snprintf(name, sizeof name, "%.20s-i", lab);
    pid_t child = begin_up(name);
    assert_true(child > 0);
    lab_sleep_ms(400);
    int its_slot = read_slot(name);
    (void)kill(child, SIGINT);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 130);
    assert_nothing_left(name, its_slot);
}

static void test_down_while_up_is_at_work(void **state)
{
    char name[LAB_NAME_MAX + 1];
    int status = 0;
    (void)state;
    (void)snprintf(name, sizeof name, "%.20s-w", lab);
    pid_t child = begin_up(name);
    assert_true(child > 0);
    lab_sleep_ms(300);
    int its_slot = read_slot(name);
    assert_int_equal(say(name, "down --quiet", NULL, NULL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_nothing_left(name, its_slot);
}

/* The last test: with a dead, a frozen and a cut-off host, one of them full. */
static void test_down_leaves_nothing(void **state)
{
    char *out, wanted[100];
    (void)state;
    start_server(1);
    start_server(2);
    act("kill", 1);
    act("freeze", 2);
    act("partition", 3);
    act("fill-disk", 3);
    assert_int_equal(say(lab, "down", NULL, NULL), 0);
    assert_nothing_left(lab, slot);
    assert_int_equal(say(lab, "down", &out, NULL), 0);
    (void)snprintf(wanted, sizeof wanted, "There was no lab \"%s\".\n", lab);
    assert_string_equal(out, wanted);
    mem_free(out);
}

static int remove_all(void **state)
{
    static const char *const names[] = {"", "-b", "-k", "-i", "-w"};
    char name[LAB_NAME_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(name, sizeof name, "%.20s%s", lab, names[i]);
        (void)say(name, "down --quiet", NULL, NULL);
    }
    scratch_remove();
    return 0;
}

static int make_lab(void **state)
{
    (void)snprintf(lab, sizeof lab, "test%ld", (long)getpid());
    if (say(lab, "up 3 --quiet --disk 256M", NULL, NULL) != 0) {
        (void)remove_all(state);
        return -1;
    }
    slot = read_slot(lab);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_engines_are_up),
        cmocka_unit_test(test_what_cannot_be_done_is_said),
        cmocka_unit_test(test_containers_and_the_network),
        cmocka_unit_test(test_an_image_of_another_name),
        cmocka_unit_test(test_freeze_and_thaw),
        cmocka_unit_test(test_partition_and_heal),
        cmocka_unit_test(test_the_disk_is_full_and_is_not),
        cmocka_unit_test(test_the_engine_crashes),
        cmocka_unit_test(test_containerd_crashes),
        cmocka_unit_test(test_a_host_dies_and_comes_back),
        cmocka_unit_test(test_a_frozen_host_dies),
        cmocka_unit_test(test_two_labs_side_by_side),
        cmocka_unit_test(test_up_is_killed_at_any_moment),
        cmocka_unit_test(test_up_is_interrupted),
        cmocka_unit_test(test_down_while_up_is_at_work),
        cmocka_unit_test(test_down_leaves_nothing),
    };
    struct berth_error err = BERTH_ERROR_INIT;
    if (lab_check_machine(&err) != BERTH_OK && getenv("CI") == NULL) {
        print_message("left out: a lab of real engines: %s\n", err.text);
        print_message("[  SKIPPED ] %zu test(s)\n", sizeof tests / sizeof tests[0]);
        return 0;
    }
    return cmocka_run_group_tests(tests, make_lab, remove_all);
}
