/*
 * Golden transcripts: each tests/golden/NAME.in is a script, NAME.golden the whole transcript of
 * its run, to be read like a story. GOLDEN_UPDATE=1 rewrites them; review the difference.
 *
 *     # text                        goes into the transcript as it stands
 *     > RunTask token=1 ...         a command, now
 *     % define {JSON}               RegisterTaskDefinition
 *     % run SECONDS                 let time pass
 *     % metric SERVICE NAME MILLI N one datapoint a minute, N times, each at the end of its minute
 *     % pull-fails FAMILY           from now on; pull-works ends it
 *     % exits FAMILY SECONDS CODE   containers of the family exit so long after their start
 *     % ignores-stop FAMILY         only SIGKILL ends its containers
 *     % disconnect N, connect N     the connection of an agent
 *     % lose N                      a host vanishes: no word from it any more
 *     % engine-lost N, engine-kept N   a container engine restarts, without or with its containers
 *     % health N TASK CONTAINER HEALTHY what a container's check says from now on
 *     % expect-nothing-left         no record of a service, deployment or task
 *     % restart N                   a host comes back from a crash; its agent connects again later
 *     % targets-answer              load balancers find every new target healthy after a second
 *     % hook NAME STATUS            how a life-cycle hook answers from now on; else SUCCEEDED
 *     % expect-stage SERVICE NUMBER STAGE PERMILLE      and its production traffic
 *     % option NAME N               of the controller, for the whole story: launches-per-minute,
 *                                 lost-seconds, brake
 *     % expect +2 -2                what services started and stopped since the last % expect
 *     % expect-deployment SERVICE NUMBER ROLLOUT STATUS
 *
 * Every transcript is then fed to a new controller, which must decide every line of it again, and
 * to one that begins anew from its records before every event.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/golden/stage.h"

static const char *const names[] = {
    "rolling_100_200",
    "rolling_50_200_room_8",
    "rolling_50_200_room_10",
    "instance_loss",
    "drain",
    "throttle",
    "daemon",
    "standalone",
    "agent_reports",
    "targets",
    "protect",
    "launch_rate",
    "brake",
    "breaker_rollback",
    "breaker_stall",
    "breaker_reset",
    "alarm_rollback",
    "stop_rollback",
    "blue_green",
    "canary_hook_fails",
    "canary_cut",
    "task_sets",
    "autoscaling",
    "providers",
    "managed_scaling",
    "fargate",
    "rebalance",
    "health",
    "interface_fails",
    "deletion",
    "everything_at_once",
    "unhealthy",
    "unhealthy_old",
    "drain_100_100",
};

/* The whole file, or NULL. */
static char *read_file(const char *name, const char *ending)
{
    char path[256];
    (void)snprintf(path, sizeof path, "tests/golden/%s.%s", name, ending);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    struct text text = TEXT_INIT;
    char chunk[65536];
    text_add(&text, "");
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
        text_add_n(&text, chunk, got);
    assert_int_equal(fclose(file), 0);
    return text.bytes;
}

static void write_file(const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "tests/golden/%s.golden", name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void define(struct stage *stage, const char *document)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct event event = {.kind = EVENT_REGISTER_TASK_DEFINITION};
    if (task_def_from_document(document, &event.u.task_def, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    stage_event(stage, &event);
}

/*
 * "+2 -2 +1": what TASKS_STARTED and TASKS_STOPPED say from `start` on, summed while the direction
 * stays: copies that start one by one as room appears are one phase, as in AWS's examples.
 */
static void moves(const char *start, struct text *out)
{
    int sum = 0;
    text_clear(out);
    text_add(out, "");
    for (const char *line = start; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        bool is_start = strncmp(line, "< ServiceEvent kind=TASKS_STARTED", 33) == 0;
        if (!is_start && strncmp(line, "< ServiceEvent kind=TASKS_STOPPED", 33) != 0)
            continue;
        const char *end = line + strcspn(line, "\n");
        int count = 1;
        for (const char *at = strstr(line, "tasks="); at < end; at++)
            count += *at == ';';
        count = is_start ? count : -count;
        if ((count > 0) != (sum > 0) && sum != 0) {
            text_addf(out, "%+d ", sum);
            sum = 0;
        }
        sum += count;
    }
    if (sum != 0)
        text_addf(out, "%+d", sum);
}

static void expect(struct stage *stage, const char *wanted)
{
    struct text seen = TEXT_INIT;
    moves(stage->transcript.bytes + stage->checked, &seen);
    if (strcmp(seen.bytes, wanted) != 0)
        fail_msg("services moved %s, not %s", seen.bytes, wanted);
    text_free(&seen);
    stage->checked = stage->transcript.length;
}

static void expect_deployment(struct stage *stage, const char *wanted)
{
    char name[64], rollout[32], status[32];
    unsigned number;
    assert_int_equal(sscanf(wanted, "%63s %u %31s %31s", name, &number, rollout, status), 4);
    struct controller *controller = loop_controller(stage->loop);
    service_id service = controller_find_service(controller, name);
    assert_true(service != SERVICE_NONE);
    for (uint32_t i = 0; i < controller_deployment_count(controller, service); i++) {
        struct deployment_view view = controller_deployment(controller, service, i);
        if (view.deployment != number)
            continue;
        if (strcmp(rollout_state_names[view.rollout], rollout) != 0 ||
            strcmp(service_deployment_status_names[view.status], status) != 0)
            fail_msg("at %lld s: %s is %s %s", (long long)(stage->now.mono_ns / BERTH_NS_PER_S),
                     wanted, rollout_state_names[view.rollout],
                     service_deployment_status_names[view.status]);
        return;
    }
    fail_msg("there is no deployment: %s", wanted);
}

static void tell_metric(struct stage *stage, const char *rest)
{
    char service[64] = "", name[64] = "";
    long long milli = 0;
    int count = 0, metric = 0;
    assert_int_equal(sscanf(rest, "%63s %63s %lld %d", service, name, &milli, &count), 4);
    while (metric < SCALING_METRIC_COUNT && strcmp(scaling_metric_names[metric], name) != 0)
        metric++;
    assert_true(metric < SCALING_METRIC_COUNT);
    for (; count > 0; count--) {
        struct event event = {.kind = EVENT_ANSWER, .u.answer.kind = ANSWER_METRIC};
        event.u.answer.u.metric.service = service;
        event.u.answer.u.metric.metric = (enum scaling_metric)metric;
        event.u.answer.u.metric.value_milli = milli;
        stage_run(stage, 60 * BERTH_NS_PER_S);
        stage_event(stage, &event);
    }
}

static void restart_engine(struct stage *stage, uint32_t host, bool keeps)
{
    struct agent_event event = {.kind = AGENT_EVENT_ENGINE_RESTARTED, .keeps_containers = keeps};
    stage_agent_step(stage, host, &event);
}

/* "HOST TASK CONTAINER HEALTHY": what a check says from now on. */
static void tell_health(struct stage *stage, uint32_t host, const char *rest)
{
    unsigned task = 0, container = 0;
    char word[16] = "";
    assert_int_equal(sscanf(rest, "%*u %u %u %15s", &task, &container, word), 3);
    struct agent_event event = {
        .kind = AGENT_EVENT_HEALTH, .task = task, .container = (uint16_t)container};
    while (event.health < TASK_HEALTH_COUNT && strcmp(task_health_names[event.health], word) != 0)
        event.health++;
    assert_true(event.health < TASK_HEALTH_COUNT);
    stage_agent_step(stage, host, &event);
}

/* No service, no deployment and no task has left a record behind. */
static void expect_nothing_left(struct stage *stage)
{
    static const char *const kinds[] = {"task/", "service/", "deployment/", "scaling/"};
    struct text dump = TEXT_INIT;
    controller_dump(loop_controller(stage->loop), &dump);
    for (const char *line = dump.bytes; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
            if (strncmp(line, kinds[i], strlen(kinds[i])) == 0)
                fail_msg("left behind: %.*s", (int)strcspn(line, "\n"), line);
    }
    text_free(&dump);
}

static void expect_stage(struct stage *stage, const char *wanted)
{
    char name[64], word[64];
    unsigned number, permille;
    assert_int_equal(sscanf(wanted, "%63s %u %63s %u", name, &number, word, &permille), 4);
    struct controller *controller = loop_controller(stage->loop);
    service_id service = controller_find_service(controller, name);
    assert_true(service != SERVICE_NONE);
    for (uint32_t i = 0; i < controller_deployment_count(controller, service); i++) {
        struct deployment_view view = controller_deployment(controller, service, i);
        if (view.deployment != number)
            continue;
        if (strcmp(deployment_stage_names[view.stage], word) != 0 ||
            view.production_permille != permille)
            fail_msg("at %lld s: %s is %s %u", (long long)(stage->now.mono_ns / BERTH_NS_PER_S),
                     wanted, deployment_stage_names[view.stage], view.production_permille);
        return;
    }
    fail_msg("there is no deployment: %s", wanted);
}

static void set_hook(struct stage *stage, const char *line)
{
    char status[32] = "";
    struct stage_hook *hook = &stage->hooks[stage->hook_count++];
    assert_true(stage->hook_count <= STAGE_MANNERS_MAX);
    assert_int_equal(sscanf(line, "%63s %31s", hook->name, status), 2);
    for (size_t i = 0; i + 1 < stage->hook_count; i++)
        if (strcmp(stage->hooks[i].name, hook->name) == 0) {
            hook = &stage->hooks[i];
            stage->hook_count--;
            break;
        }
    for (int i = 0; i < HOOK_STATUS_COUNT; i++)
        if (strcmp(hook_status_names[i], status) == 0) {
            hook->status = (enum hook_status)i;
            return;
        }
    fail_msg("a hook has no such status: %s", status);
}

static void direct(struct stage *stage, const char *line)
{
    char word[64] = "", family[64] = "";
    int taken = 0, seconds = 0, code = 0;
    unsigned host = 0;
    assert_int_equal(sscanf(line, "%63s%n", word, &taken), 1);
    const char *rest = line + taken;
    if (strcmp(word, "define") == 0) {
        define(stage, rest + 1);
    } else if (strcmp(word, "expect") == 0) {
        expect(stage, rest[0] == ' ' ? rest + 1 : rest);
    } else if (strcmp(word, "expect-deployment") == 0) {
        expect_deployment(stage, rest);
    } else if (strcmp(word, "expect-stage") == 0) {
        expect_stage(stage, rest);
    } else if (strcmp(word, "hook") == 0) {
        set_hook(stage, rest);
    } else if (strcmp(word, "targets-answer") == 0) {
        stage->answers_targets = true;
    } else if (strcmp(word, "run") == 0) {
        assert_int_equal(sscanf(rest, "%d", &seconds), 1);
        stage_run(stage, seconds * BERTH_NS_PER_S);
    } else if (strcmp(word, "metric") == 0) {
        tell_metric(stage, rest);
    } else if (strcmp(word, "exits") == 0) {
        assert_int_equal(sscanf(rest, "%63s %d %d", family, &seconds, &code), 3);
        stage_manners_of(stage, family)->exit_after_ns = seconds * BERTH_NS_PER_S;
        stage_manners_of(stage, family)->exit_code = code;
    } else if (strcmp(word, "expect-nothing-left") == 0) {
        expect_nothing_left(stage);
    } else if (strcmp(word, "option") == 0) {
        return; /* taken before the stage was opened */
    } else if (sscanf(rest, "%u", &host) == 1) {
        assert_true(host < STAGE_AGENTS_MAX && stage->hosts[host].agent != NULL);
        if (strcmp(word, "disconnect") == 0 || strcmp(word, "connect") == 0)
            stage_connection(stage, host, word[0] == 'c');
        else if (strcmp(word, "restart") == 0)
            stage_restart_host(stage, host);
        else if (strcmp(word, "lose") == 0)
            stage_lose(stage, host);
        else if (strncmp(word, "engine-", 7) == 0)
            restart_engine(stage, host, strcmp(word, "engine-kept") == 0);
        else if (strcmp(word, "health") == 0)
            tell_health(stage, host, rest);
        else
            fail_msg("no such direction: %s", word);
    } else {
        assert_int_equal(sscanf(rest, "%63s", family), 1);
        if (strcmp(word, "ignores-stop") == 0)
            stage_manners_of(stage, family)->ignores_stop = true;
        else if (strcmp(word, "pull-fails") == 0 || strcmp(word, "pull-works") == 0)
            stage_manners_of(stage, family)->pull_fails = word[5] == 'f';
        else
            fail_msg("no such direction: %s", word);
    }
}

static void command(struct stage *stage, char *line)
{
    struct transcript_scratch *scratch = transcript_scratch_create();
    struct berth_error err = BERTH_ERROR_INIT;
    enum transcript_line kind;
    struct step_time now;
    struct event event;
    if (transcript_parse_line(line, scratch, task_def_from_document, &kind, &now, &event, &err) !=
        BERTH_OK)
        fail_msg("%s: %s", line, err.text);
    stage_event(stage, &event);
    transcript_scratch_destroy(scratch);
}

static void play(struct stage *stage, char *script)
{
    text_add(&stage->transcript, TRANSCRIPT_HEADER "\n");
    transcript_format_options(stage_options(), &stage->transcript);
    for (char *line = script, *next; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (line[0] == '#')
            text_addf(&stage->transcript, "%s\n", line);
        else if (line[0] == '>')
            command(stage, line);
        else if (line[0] == '%')
            direct(stage, line + 1);
        else if (line[0] != '\0')
            fail_msg("a script has no such line: %s", line);
        controller_audit(loop_controller(stage->loop));
    }
}

/* The controller that its records make: it must not be told from the one before. */
static struct controller *reload(struct controller *before)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct controller *after = NULL;
    VEC(struct record) records = VEC_INIT;
    struct text dump = TEXT_INIT;
    controller_dump(before, &dump);
    for (char *line = dump.bytes, *next; line != NULL && *line != '\0'; line = next) {
        char *value = strchr(line, ' ');
        next = strchr(line, '\n');
        assert_true(value != NULL && next != NULL && value < next);
        *value++ = *next++ = '\0';
        *vec_push(&records) = (struct record){line, value};
    }
    if (controller_load(stage_options(), records.items, records.count, task_def_from_document,
                        &after, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    controller_audit(after);
    controller_destroy(before);
    vec_free(&records);
    text_free(&dump);
    return after;
}

/*
 * The transcript's own '@' and '>' lines give its '<' lines again; also when the controller begins
 * again from its records before each of them.
 */
static void assert_replays(const char *transcript, bool reloads)
{
    struct controller *controller = controller_create(stage_options());
    struct transcript_scratch *scratch = transcript_scratch_create();
    struct action_list actions = {NULL, 0, 0};
    struct text again = TEXT_INIT;
    struct step_time now = {0, 0};
    char *copy = mem_copy_text(transcript);
    for (char *line = copy, *next; *line != '\0'; line = next) {
        struct berth_error err = BERTH_ERROR_INIT;
        enum transcript_line kind;
        struct event event;
        next = strchr(line, '\n');
        assert_non_null(next);
        *next++ = '\0';
        if (line[0] == '<')
            continue;
        text_addf(&again, "%s\n", line);
        if (line[0] != '@' && line[0] != '>')
            continue;
        if (transcript_parse_line(line, scratch, task_def_from_document, &kind, &now, &event,
                                  &err) != BERTH_OK)
            fail_msg("%s", err.text);
        if (kind != TRANSCRIPT_EVENT)
            continue;
        if (reloads)
            controller = reload(controller);
        controller_step(controller, now, &event, &actions);
        for (size_t i = 0; i < actions.count; i++)
            transcript_format_action(controller, &actions.items[i], &again);
    }
    assert_string_equal(again.bytes, transcript);
    text_free(&again);
    mem_free(copy);
    action_list_free(&actions);
    transcript_scratch_destroy(scratch);
    controller_destroy(controller);
}

static void point_at_first_difference(const char *name, const char *golden, const char *now)
{
    size_t line = 1, start = 0;
    for (size_t i = 0; golden[i] == now[i]; i++)
        if (golden[i] == '\n') {
            line++;
            start = i + 1;
        }
    fail_msg("%s.golden:%zu differs\n  was: %.*s\n  now: %.*s\n"
             "make golden rewrites it; review the difference",
             name, line, (int)strcspn(golden + start, "\n"), golden + start,
             (int)strcspn(now + start, "\n"), now + start);
}

static void take_options(const char *script)
{
    char name[64];
    unsigned value;
    for (const char *at = strstr(script, "\n% option "); at != NULL;
         at = strstr(at + 1, "\n% option ")) {
        assert_int_equal(sscanf(at, "\n%% option %63s %u", name, &value), 2);
        if (strcmp(name, "launches-per-minute") == 0)
            stage_options()->launches_per_minute = value;
        else if (strcmp(name, "brake-percent") == 0)
            stage_options()->brake_percent = value;
        else
            fail_msg("no such option: %s", name);
    }
}

static void test_transcript(void **state)
{
    const char *name = *state;
    struct stage stage;
    char *script = read_file(name, "in");
    if (script == NULL)
        fail_msg("tests/golden/%s.in is not there; run from the root of the repository", name);
    const struct controller_options before = *stage_options();
    take_options(script);
    stage_open(&stage, store_volatile_open());
    play(&stage, script);
    assert_replays(stage.transcript.bytes, false);
    assert_replays(stage.transcript.bytes, true);
    if (getenv("GOLDEN_UPDATE") != NULL)
        write_file(name, stage.transcript.bytes);
    char *golden = read_file(name, "golden");
    if (golden == NULL)
        fail_msg("%s.golden is not there; make golden writes it", name);
    if (strcmp(golden, stage.transcript.bytes) != 0)
        point_at_first_difference(name, golden, stage.transcript.bytes);
    mem_free(golden);
    mem_free(script);
    stage_close(&stage);
    *stage_options() = before;
}

int main(void)
{
    struct CMUnitTest tests[sizeof names / sizeof names[0]];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        tests[i] =
            (struct CMUnitTest){names[i], test_transcript, NULL, NULL, (void *)(uintptr_t)names[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
