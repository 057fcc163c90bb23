/*
 * The controller, its store and real agents while commits come late or fail. Random histories of
 * commands, disconnections, host crashes and failed commits; a failed one discards the controller
 * and everything it had not yet been allowed to say. Then the faults stop, and
 *
 *   the store's records load into a controller with the same dump as the one that runs;
 *   no task id was ever announced twice, though cores that had given it out were discarded;
 *   services have what they want, and each agent has exactly the tasks the controller thinks of.
 *
 * The same on a real file, whose commits come when they come; and histories with restarts, in which
 * the file is closed and opened anew, go to the last byte as they do with records in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "scheduler/base/rng.h"
#include "tests/golden/stage.h"
#include "tests/support/disk_store.h"
#include "tests/support/scratch.h"

#define INSTANCES 5
#define ANNOUNCED_MAX 100000
#define HISTORIES 60
#define DISK_HISTORIES 20

enum disk {
    MEMORY_LATE,    /* batches wait for newer ones or a flush */
    MEMORY_AT_ONCE, /* with restarts between and within steps */
    SQLITE_AT_ONCE, /* likewise */
    SQLITE_LATE     /* batches are durable when the writer is done; restarts between steps */
};

struct history {
    struct stage stage; /* first: what the loop calls back with */
    enum disk disk;
    struct rng rng;
    struct rng ends;   /* where the process ends within a step */
    bool is_forbidden; /* to write; SQLITE_LATE */
    bool is_faulty;
    size_t seen; /* of the transcript */
    unsigned char announced[ANNOUNCED_MAX];
};

static bool chance(struct history *history, uint64_t one_in)
{
    return rng_below(&history->rng, one_in) == 0;
}

/* Task ids in replies that went out. */
static void look_for_repeats(struct history *history)
{
    const struct text *transcript = &history->stage.transcript;
    const char *line = transcript->bytes + history->seen;
    for (; (line = strstr(line, "< Reply ")) != NULL; line++) {
        const char *end = line + strcspn(line, "\n");
        const char *tasks = strstr(line, " tasks=");
        if (tasks == NULL || tasks > end)
            continue;
        for (char *at = (char *)(uintptr_t)(tasks + 7);;) {
            unsigned long task = strtoul(at, &at, 10);
            assert_in_range(task, 1, ANNOUNCED_MAX - 1);
            assert_int_equal(history->announced[task]++, 0);
            if (*at++ != ';')
                break;
        }
    }
    history->seen = transcript->length;
}

static void forbid(struct history *history, bool is_forbidden)
{
    history->is_forbidden = is_forbidden;
    disk_store_forbid(is_forbidden);
}

static void settle_store(struct history *history)
{
    struct stage *stage = &history->stage;
    uint32_t reloads = stage->reloads;
    if (history->disk == MEMORY_LATE)
        store_memory_flush(&stage->store);
    if (history->disk == SQLITE_LATE && !history->is_forbidden)
        (void)disk_store_await(&stage->store, loop_last_batch(stage->loop));
    stage_progress(stage);
    if (history->is_forbidden && (stage->reloads != reloads || chance(history, 3)))
        forbid(history, false);
}

static void fail_soon(struct history *history)
{
    struct store *store = &history->stage.store;
    switch (history->disk) {
    case MEMORY_LATE:
        store_memory_fail_after(store, 1 + rng_below(&history->rng, 6));
        break;
    case MEMORY_AT_ONCE:
        store_memory_fail_after(store, 1);
        break;
    case SQLITE_AT_ONCE:
        disk_store_fail_next(store, true);
        break;
    case SQLITE_LATE:
        forbid(history, true);
        break;
    }
}

/* Whatever was to fail does not. */
static void fail_no_more(struct history *history)
{
    struct store *store = &history->stage.store;
    history->is_faulty = false;
    if (history->disk == MEMORY_LATE || history->disk == MEMORY_AT_ONCE)
        store_memory_fail_after(store, 0);
    else if (history->disk == SQLITE_AT_ONCE)
        disk_store_fail_next(store, false);
    else
        forbid(history, false);
}

static struct store open_late(void)
{
    const struct store_sqlite_options options = {.retry_ms = 1};
    struct berth_error err = BERTH_ERROR_INIT;
    struct store store;
    if (store_sqlite_open(scratch_path("state"), &options, &store, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return store;
}

static struct store open_store(struct history *history)
{
    (void)remove(scratch_path("state"));
    (void)remove(scratch_path("state.lock"));
    switch (history->disk) {
    case MEMORY_LATE:
        return store_memory_open((uint32_t)rng_below(&history->rng, 4));
    case MEMORY_AT_ONCE:
        return store_memory_open(0);
    case SQLITE_AT_ONCE:
        return disk_store_open(scratch_path("state"));
    case SQLITE_LATE:
        break;
    }
    return open_late();
}

/* The process ends between two steps, and another one opens the file. */
static void restart(struct history *history)
{
    struct stage *stage = &history->stage;
    struct berth_error err = BERTH_ERROR_INIT;
    if (history->disk == SQLITE_LATE) {
        if (chance(history, 2))
            stage->store.ops->reset(stage->store.self); /* what waits is lost */
        stage->store.ops->destroy(stage->store.self);
        forbid(history, false);
        stage->store = open_late();
    }
    if (loop_restart(stage->loop, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    stage_reconnect_all(stage);
}

static bool ends(void *context, enum loop_point point)
{
    struct history *history = context;
    (void)point;
    return history->is_faulty && rng_below(&history->ends, 150) == 0;
}

static void run(struct history *history, berth_ns for_ns)
{
    struct stage *stage = &history->stage;
    berth_ns until_ns = stage->now.mono_ns + for_ns;
    while (stage_happen(stage, until_ns)) {
        uint32_t reloads = stage->reloads;
        if (!history->is_faulty || chance(history, 3))
            settle_store(history);
        if (stage->reloads != reloads)
            controller_audit(loop_controller(stage->loop));
    }
    stage->now = (struct step_time){until_ns, STAGE_WALL_NS + until_ns};
    if (stage->transcript.length > history->seen)
        look_for_repeats(history);
}

static void command(struct history *history, const struct event *event)
{
    stage_event(&history->stage, event);
}

static void define(struct history *history, const char *family)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct event event = {.kind = EVENT_REGISTER_TASK_DEFINITION};
    struct text document = TEXT_INIT;
    text_addf(&document,
              "{\"family\":\"%s\",\"cpu\":\"100\",\"memory\":\"100\",\"containerDefinitions\":["
              "{\"name\":\"main\",\"image\":\"%s\"}]}",
              family, family);
    assert_int_equal(task_def_from_document(document.bytes, &event.u.task_def, &err), BERTH_OK);
    text_free(&document);
    command(history, &event);
}

static void update_service(struct history *history, const char *name)
{
    struct event event = {.kind = EVENT_UPDATE_SERVICE, .token = 1};
    event.u.service = (struct event_service){.service = name,
                                             .desired_count = OVERRIDE_NONE,
                                             .minimum_healthy_percent = OVERRIDE_NONE,
                                             .maximum_percent = OVERRIDE_NONE};
    if (chance(history, 2))
        event.u.service.desired_count = (int32_t)rng_below(&history->rng, 8);
    else
        event.u.service.force_new_deployment = true;
    command(history, &event);
}

static void run_task(struct history *history)
{
    struct event event = {.kind = EVENT_RUN_TASK, .token = 2};
    event.u.run_task = (struct event_run_task){.task_definition = "job",
                                               .count = 1 + (uint32_t)rng_below(&history->rng, 4),
                                               .waits = chance(history, 2),
                                               .cpu_units = OVERRIDE_NONE,
                                               .mem_mib = OVERRIDE_NONE};
    command(history, &event);
}

static void stop_task(struct history *history)
{
    struct task_view view;
    const struct controller *controller = loop_controller(history->stage.loop);
    task_id after = rng_below(&history->rng, 50);
    struct event event = {.kind = EVENT_STOP_TASK, .token = 3};
    if (!controller_next_task(controller, after, &view))
        return;
    event.u.stop_task.task = view.task;
    command(history, &event);
}

static void set_state(struct history *history, uint32_t instance, enum instance_status status)
{
    struct event event = {.kind = EVENT_UPDATE_INSTANCE_STATE, .token = 4};
    event.u.update_instance_state.instance = instance;
    event.u.update_instance_state.status = status;
    command(history, &event);
}

static void anything(struct history *history)
{
    struct stage *stage = &history->stage;
    if (history->disk != MEMORY_LATE && chance(history, 15)) {
        restart(history);
        return;
    }
    uint32_t agent = (uint32_t)rng_below(&history->rng, INSTANCES);
    switch (rng_below(&history->rng, 12)) {
    case 0:
        update_service(history, "web");
        break;
    case 1:
        update_service(history, "api");
        break;
    case 2:
        run_task(history);
        break;
    case 3:
        stop_task(history);
        break;
    case 4:
        set_state(history, agent, chance(history, 2) ? INSTANCE_DRAINING : INSTANCE_ACTIVE);
        break;
    case 5:
        stage_connection(stage, agent, !stage->hosts[agent].is_connected);
        stage_reconnect_all(stage);
        break;
    case 6:
        if (chance(history, 3))
            stage_restart_host(stage, agent);
        stage_reconnect_all(stage);
        break;
    case 7:
        fail_soon(history);
        break;
    case 8:
        define(history, chance(history, 2) ? "web" : "job");
        break;
    default:
        run(history, (berth_ns)rng_below(&history->rng, 20) * BERTH_NS_PER_S);
        break;
    }
}

static void create_service(struct history *history, const char *name, int32_t desired)
{
    struct event event = {.kind = EVENT_CREATE_SERVICE, .token = 5};
    event.u.service = (struct event_service){.service = name,
                                             .task_definition = "web",
                                             .desired_count = desired,
                                             .minimum_healthy_percent = 50,
                                             .maximum_percent = OVERRIDE_NONE};
    command(history, &event);
}

static void begin(struct history *history)
{
    struct event event = {.kind = EVENT_REGISTER_INSTANCE, .token = 6};
    struct attribute_text zone = {"ecs.availability-zone", "a"};
    event.u.register_instance = (struct event_register_instance){.existing = INSTANCE_NONE,
                                                                 .cpu_units = 1000,
                                                                 .mem_mib = 1000,
                                                                 .attributes = &zone,
                                                                 .attribute_count = 1};
    for (int i = 0; i < INSTANCES; i++)
        command(history, &event);
    define(history, "web");
    define(history, "job");
    stage_manners_of(&history->stage, "job")->exit_after_ns = 30 * BERTH_NS_PER_S;
    create_service(history, "web", 4);
    create_service(history, "api", 2);
    settle_store(history);
    history->is_faulty = true;
}

/* The records of the store, loaded, say what the running controller says. */
static void assert_loads_equal(struct history *history)
{
    struct stage *stage = &history->stage;
    struct berth_error err = BERTH_ERROR_INIT;
    struct text running = TEXT_INIT, loaded = TEXT_INIT;
    const struct record *records;
    size_t count;
    struct controller *controller;
    assert_int_equal(stage->store.ops->load(stage->store.self, &records, &count, &err), BERTH_OK);
    if (controller_load(stage_options(), records, count, task_def_from_document, &controller,
                        &err) != BERTH_OK)
        fail_msg("%s", err.text);
    controller_audit(controller);
    controller_dump(loop_controller(stage->loop), &running);
    controller_dump(controller, &loaded);
    assert_string_equal(loaded.bytes, running.bytes);
    controller_destroy(controller);
    text_free(&running);
    text_free(&loaded);
}

static void assert_at_rest(struct history *history)
{
    struct stage *stage = &history->stage;
    const struct controller *controller = loop_controller(stage->loop);
    uint32_t tasks_on[INSTANCES] = {0};
    struct task_view view = {.task = TASK_NONE};
    while (controller_next_task(controller, view.task, &view)) {
        assert_int_equal(view.last_status, TASK_RUNNING);
        assert_in_range(view.instance, 0, INSTANCES - 1);
        tasks_on[view.instance]++;
    }
    for (uint32_t i = 0; i < INSTANCES; i++)
        assert_int_equal(agent_task_count(stage->hosts[i].agent), tasks_on[i]);
    for (service_id i = 0; i < controller_service_count(controller); i++) {
        struct service_view service = controller_service(controller, i);
        assert_int_equal(service.running_count, service.desired_count);
        assert_true(service.is_steady);
    }
}

static void open_stage(struct history *history)
{
    struct stage *stage = &history->stage;
    struct loop_ops ops = {stage_on_send,
                           stage_on_reply,
                           stage_on_change,
                           stage_on_service_event,
                           stage_on_request,
                           stage_on_reloaded,
                           ends,
                           NULL};
    stage_open(stage, open_store(history));
    if (history->disk != MEMORY_AT_ONCE && history->disk != SQLITE_AT_ONCE)
        return;
    loop_destroy(stage->loop);
    stage->loop = loop_create(controller_create(stage_options()), stage_options(),
                              task_def_from_document, &stage->store, &ops, stage);
}

/* The controller's dump and all that was said on the way are left in `transcript`. */
static uint32_t play(uint64_t seed, uint64_t number, enum disk disk, struct text *transcript)
{
    struct history *history = mem_alloc(sizeof *history);
    history->disk = disk;
    history->rng = (struct rng){rng_key(seed, "history", number), 0};
    history->ends = (struct rng){rng_key(seed, "ends", number), 0};
    open_stage(history);
    begin(history);
    for (int i = 0; i < 120; i++)
        anything(history);
    fail_no_more(history);
    settle_store(history);
    for (uint32_t i = 0; i < INSTANCES; i++) {
        if (!history->stage.hosts[i].is_connected)
            stage_connection(&history->stage, i, true);
        set_state(history, i, INSTANCE_ACTIVE);
    }
    run(history, 1200 * BERTH_NS_PER_S);
    settle_store(history);
    controller_audit(loop_controller(history->stage.loop));
    assert_loads_equal(history);
    assert_at_rest(history);
    text_add(transcript, history->stage.transcript.bytes);
    controller_dump(loop_controller(history->stage.loop), transcript);
    uint32_t reloads = history->stage.reloads;
    stage_close(&history->stage);
    mem_free(history);
    return reloads;
}

static uint64_t last_history;

/* HISTORY=N plays one alone. */
static int tell_last(void **state)
{
    (void)state;
    if (last_history < HISTORIES)
        print_message("HISTORY=%llu shows it\n", (unsigned long long)last_history);
    return 0;
}

static bool is_asked_for(uint64_t history)
{
    const char *only = getenv("HISTORY");
    return only == NULL || history == strtoull(only, NULL, 10);
}

static void play_all(uint64_t histories, enum disk disk, uint64_t reloads_wanted)
{
    const uint64_t seed = 90125;
    uint64_t reloads = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (last_history = 0; last_history < histories; last_history++) {
        struct text transcript = TEXT_INIT;
        if (is_asked_for(last_history))
            reloads += play(seed, last_history, disk, &transcript);
        text_free(&transcript);
    }
    last_history = HISTORIES;
    if (getenv("HISTORY") == NULL) /* else nothing was put to the test */
        assert_in_range(reloads, reloads_wanted, UINT64_MAX);
}

static void test_commits_late_and_failed(void **state)
{
    (void)state;
    play_all(HISTORIES, MEMORY_LATE, 100);
}

static void test_a_real_file_and_restarts(void **state)
{
    (void)state;
    play_all(DISK_HISTORIES, SQLITE_LATE, 50);
}

/* The first line in which two transcripts differ. */
static void assert_same(const struct text *a, const struct text *b)
{
    size_t at = 0, line = 0;
    while (at < a->length && a->bytes[at] == b->bytes[at]) {
        at++;
        if (a->bytes[at - 1] == '\n')
            line = at;
    }
    if (at < a->length || at < b->length)
        fail_msg("in memory: %.200s\non disk:   %.200s", a->bytes + line, b->bytes + line);
}

static void test_the_same_in_memory_and_on_disk(void **state)
{
    (void)state;
    uint64_t reloads = 0;
    for (last_history = 0; last_history < DISK_HISTORIES; last_history++) {
        struct text memory = TEXT_INIT, sqlite = TEXT_INIT;
        if (is_asked_for(last_history)) {
            reloads += play(5150, last_history, MEMORY_AT_ONCE, &memory);
            (void)play(5150, last_history, SQLITE_AT_ONCE, &sqlite);
            assert_same(&memory, &sqlite);
        }
        text_free(&memory);
        text_free(&sqlite);
    }
    last_history = HISTORIES;
    if (getenv("HISTORY") == NULL)
        assert_in_range(reloads, 100, UINT64_MAX);
}

static int remove_files(void **state)
{
    (void)state;
    scratch_remove();
    return 0;
}

int main(void)
{
    disk_store_use_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_commits_late_and_failed, tell_last),
        cmocka_unit_test_teardown(test_the_same_in_memory_and_on_disk, tell_last),
        cmocka_unit_test_teardown(test_a_real_file_and_restarts, tell_last)};
    return cmocka_run_group_tests(tests, NULL, remove_files);
}
