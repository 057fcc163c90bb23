/*
 * The commit loop alone, around a controller small enough to foresee: loop and commit are compiled
 * here once more, against functions of other names.
 */
#define controller_destroy fake_destroy
#define controller_step fake_step
#define controller_next_deadline fake_next_deadline
#define controller_record_key fake_record_key
#define controller_record_value fake_record_value
#define controller_load fake_load
#define action_list_free fake_list_free

#include "scheduler/core/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/core/commit.c"
#include "scheduler/core/loop.c"

/* It counts: RunTask adds `count` and says so in every kind of action; TIMER only replies. */
struct controller {
    uint64_t total;
    uint64_t revision;
    task_id tasks[2];
    char text[32];
    struct reply_failure failure;
};

static int controllers_alive;

static struct controller *fake_create(uint64_t total)
{
    struct controller *controller = mem_alloc(sizeof *controller);
    controller->total = total;
    controllers_alive++;
    return controller;
}

void controller_destroy(struct controller *controller)
{
    controllers_alive--;
    mem_free(controller);
}

static struct action *act(struct action_list *out, enum action_kind kind)
{
    struct action *action = vec_push(out);
    *action = (struct action){.kind = kind};
    return action;
}

static void change(struct controller *controller, struct action_list *out, task_id task,
                   bool is_deleted)
{
    struct change *item = &act(out, ACTION_CHANGE)->u.change;
    item->kind = task == 0 ? RECORD_CONTROLLER : RECORD_TASK;
    item->is_deleted = is_deleted;
    item->revision = ++controller->revision;
    item->u.task.task = task;
}

void controller_step(struct controller *controller, struct step_time now, const struct event *event,
                     struct action_list *out)
{
    (void)now;
    vec_clear(out);
    if (event->kind == EVENT_RUN_TASK) {
        controller->total += event->u.run_task.count;
        change(controller, out, event->token, false);
        change(controller, out, 0, false);
        change(controller, out, event->token, event->u.run_task.waits);
    }
    controller->tasks[0] = event->token;
    controller->tasks[1] = controller->total;
    controller->failure.instance = (instance_id)event->token;
    (void)snprintf(controller->text, sizeof controller->text, "total %llu",
                   (unsigned long long)controller->total);
    struct reply *reply = &act(out, ACTION_REPLY)->u.reply;
    reply->token = event->token;
    reply->text = controller->text;
    reply->command = EVENT_RUN_TASK;
    reply->u.run_task.tasks = controller->tasks;
    reply->u.run_task.task_count = 2;
    reply->u.run_task.failures = &controller->failure;
    reply->u.run_task.failure_count = 1;
    if (event->kind != EVENT_RUN_TASK)
        return;
    struct message *send = &act(out, ACTION_SEND)->u.send;
    send->kind = MESSAGE_MANIFEST;
    send->seq = event->token;
    send->u.list.tasks = controller->tasks;
    send->u.list.count = 2;
    struct service_event *service_event = &act(out, ACTION_SERVICE_EVENT)->u.service_event;
    service_event->tasks = controller->tasks;
    service_event->task_count = 1;
}

berth_ns controller_next_deadline(const struct controller *controller)
{
    return (berth_ns)controller->total;
}

void action_list_free(struct action_list *list)
{
    vec_free(list);
}

void controller_record_key(const struct controller *controller, const struct change *item,
                           struct text *key)
{
    (void)controller;
    if (item->kind == RECORD_CONTROLLER)
        text_add(key, "controller");
    else
        text_addf(key, "task/%llu", (unsigned long long)item->u.task.task);
}

void controller_record_value(const struct controller *controller, const struct change *item,
                             struct text *value)
{
    assert_false(item->is_deleted);
    text_addf(value, "%llu", (unsigned long long)controller->total);
}

static enum berth_err fake_decode(const char *document, struct task_def **out,
                                  struct berth_error *err)
{
    (void)document, (void)out;
    return berth_fail(err, BERTH_ERR_INPUT, "not called");
}

enum berth_err controller_load(const struct controller_options *options,
                               const struct record *records, size_t record_count,
                               task_def_decoder decode, struct controller **out,
                               struct berth_error *err)
{
    assert_string_equal(options->cluster, "blue");
    assert_true(decode == fake_decode);
    uint64_t total = 0;
    for (size_t i = 0; i < record_count; i++) {
        if (strcmp(records[i].value, "13") == 0)
            return berth_fail(err, BERTH_ERR_INPUT, "%s: 13", records[i].key);
        if (strcmp(records[i].key, "controller") == 0)
            total = strtoull(records[i].value, NULL, 10);
    }
    *out = fake_create(total);
    return BERTH_OK;
}

/* What came out of the loop, in order. */
struct outside {
    struct text heard;
    int ends_at; /* enum loop_point, once; -1: nowhere */
};

static void on_change(void *context, struct step_time decided, const struct change *item)
{
    text_addf(&((struct outside *)context)->heard, "change@%lld ", (long long)decided.mono_ns);
    assert_true(item->revision > 0);
}

static void on_reply(void *context, struct step_time decided, const struct reply *reply)
{
    assert_int_equal(reply->u.run_task.tasks[0], reply->token);
    assert_int_equal(reply->u.run_task.failures[0].instance, reply->token);
    text_addf(&((struct outside *)context)->heard, "reply%llu@%lld:%s ",
              (unsigned long long)reply->token, (long long)decided.mono_ns, reply->text);
}

static void on_send(void *context, struct step_time decided, const struct message *message)
{
    assert_int_equal(message->u.list.count, 2);
    assert_int_equal(message->u.list.tasks[0], message->seq);
    text_addf(&((struct outside *)context)->heard, "send%llu@%lld ",
              (unsigned long long)message->seq, (long long)decided.mono_ns);
}

static void on_service_event(void *context, struct step_time decided,
                             const struct service_event *event)
{
    text_addf(&((struct outside *)context)->heard, "event%llu@%lld ",
              (unsigned long long)event->tasks[0], (long long)decided.mono_ns);
}

static void on_request(void *context, struct step_time decided, const struct request *request)
{
    (void)context;
    (void)decided;
    assert_true(request->kind < REQUEST_KIND_COUNT);
}

static void on_reloaded(void *context)
{
    text_add(&((struct outside *)context)->heard, "RELOADED ");
}

static bool on_point(void *context, enum loop_point point)
{
    struct outside *outside = context;
    if (outside->ends_at != (int)point)
        return false;
    outside->ends_at = -1;
    return true;
}

struct bench {
    struct store store;
    struct outside outside;
    struct loop *loop;
    berth_ns now_ns;
};

static void bench_open(struct bench *bench, struct store store)
{
    const struct loop_ops ops = {on_send,    on_reply,    on_change, on_service_event,
                                 on_request, on_reloaded, on_point,  NULL};
    char cluster[] = "blue";
    struct controller_options options = {.cluster = cluster};
    *bench = (struct bench){.store = store, .outside.ends_at = -1};
    bench->loop =
        loop_create(fake_create(0), &options, fake_decode, &bench->store, &ops, &bench->outside);
    cluster[0] = '?'; /* options are borrowed for the call only */
}

static void bench_close(struct bench *bench)
{
    loop_destroy(bench->loop);
    assert_int_equal(controllers_alive, 0);
    bench->store.ops->destroy(bench->store.self);
    text_free(&bench->outside.heard);
}

static const char *heard(struct bench *bench)
{
    return bench->outside.heard.length == 0 ? "" : bench->outside.heard.bytes;
}

static const char *step(struct bench *bench, enum event_kind kind, uint64_t token, uint32_t count,
                        bool deletes)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct event event = {.kind = kind, .token = token};
    event.u.run_task.count = count;
    event.u.run_task.waits = deletes;
    text_clear(&bench->outside.heard);
    bench->now_ns++;
    struct step_time now = {bench->now_ns, bench->now_ns};
    assert_int_equal(loop_step(bench->loop, now, &event, &err), BERTH_OK);
    return heard(bench);
}

static const char *progress(struct bench *bench)
{
    struct berth_error err = BERTH_ERROR_INIT;
    text_clear(&bench->outside.heard);
    assert_int_equal(loop_store_progress(bench->loop, (struct step_time){0, 0}, &err), BERTH_OK);
    return heard(bench);
}

static void test_effects_go_out_at_once_when_nothing_is_kept(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, store_volatile_open());
    assert_string_equal(step(&bench, EVENT_RUN_TASK, 1, 5, false),
                        "change@1 change@1 change@1 reply1@1:total 5 send1@1 event1@1 ");
    assert_string_equal(step(&bench, EVENT_TIMER, 2, 0, false), "reply2@2:total 5 ");
    assert_int_equal(loop_next_deadline(bench.loop), 5);
    assert_string_equal(progress(&bench), "");
    bench_close(&bench);
}

static void test_missing_callbacks_are_skipped(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, store_volatile_open());
    const struct loop_ops none = {0};
    struct controller_options options = {.cluster = "blue"};
    struct loop *loop =
        loop_create(fake_create(0), &options, fake_decode, &bench.store, &none, NULL);
    struct event event = {.kind = EVENT_RUN_TASK, .token = 1};
    struct berth_error err = BERTH_ERROR_INIT;
    assert_int_equal(loop_step(loop, (struct step_time){1, 1}, &event, &err), BERTH_OK);
    loop_destroy(loop);
    bench_close(&bench);
}

static void test_effects_wait_for_their_commit_in_order(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, store_memory_open(2));
    assert_string_equal(step(&bench, EVENT_RUN_TASK, 1, 5, false), "");
    assert_string_equal(step(&bench, EVENT_TIMER, 2, 0, false), ""); /* rests on batch 1 */
    assert_string_equal(step(&bench, EVENT_RUN_TASK, 3, 1, false), "");
    assert_string_equal(step(&bench, EVENT_RUN_TASK, 4, 1, false), /* batch 3: 1 is durable */
                        "change@1 change@1 change@1 reply1@1:total 5 send1@1 event1@1 "
                        "reply2@2:total 5 ");
    assert_string_equal(progress(&bench), "");
    store_memory_flush(&bench.store);
    assert_string_equal(progress(&bench),
                        "change@3 change@3 change@3 reply3@3:total 6 send3@3 event3@3 "
                        "change@4 change@4 change@4 reply4@4:total 7 send4@4 event4@4 ");
    assert_string_equal(step(&bench, EVENT_TIMER, 5, 0, false), "reply5@5:total 7 ");
    bench_close(&bench);
}

static void test_a_record_is_written_once_a_step_as_it_is_after_it(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, store_memory_open(0));
    step(&bench, EVENT_RUN_TASK, 9, 5, false);
    step(&bench, EVENT_RUN_TASK, 1, 5, true); /* made and gone in one step */
    step(&bench, EVENT_RUN_TASK, 10, 2, false);
    struct berth_error err = BERTH_ERROR_INIT;
    const struct record *records;
    size_t count;
    assert_int_equal(bench.store.ops->load(bench.store.self, &records, &count, &err), BERTH_OK);
    assert_int_equal(count, 3);
    assert_string_equal(records[0].key, "controller");
    assert_string_equal(records[0].value, "12");
    assert_string_equal(records[1].key, "task/10");
    assert_string_equal(records[1].value, "12");
    assert_string_equal(records[2].key, "task/9");
    assert_string_equal(records[2].value, "5");
    bench_close(&bench);
}

static void test_a_failed_commit_begins_again_from_what_is_durable(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, store_memory_open(1));
    step(&bench, EVENT_RUN_TASK, 1, 5, false);
    store_memory_fail_after(&bench.store, 2);
    step(&bench, EVENT_RUN_TASK, 2, 5, false);
    step(&bench, EVENT_RUN_TASK, 3, 5, false); /* will fail */
    assert_int_equal(loop_next_deadline(bench.loop), 15);
    struct controller *before = loop_controller(bench.loop);
    assert_string_equal(step(&bench, EVENT_RUN_TASK, 4, 5, false), "RELOADED ");
    assert_ptr_not_equal(loop_controller(bench.loop), before);
    assert_int_equal(loop_next_deadline(bench.loop), 10); /* 3 and 4 never were */
    assert_int_equal(controllers_alive, 2); /* what the old one lent may still be in use */
    assert_string_equal(step(&bench, EVENT_RUN_TASK, 5, 1, false), "");
    store_memory_flush(&bench.store);
    assert_string_equal(progress(&bench),
                        "change@5 change@5 change@5 reply5@5:total 11 send5@5 event5@5 ");
    bench_close(&bench);
}

static void test_a_failure_may_be_seen_by_progress_alone(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, store_memory_open(5));
    step(&bench, EVENT_RUN_TASK, 1, 5, false);
    store_memory_fail_after(&bench.store, 1);
    step(&bench, EVENT_RUN_TASK, 2, 5, false);
    step(&bench, EVENT_TIMER, 3, 0, false);
    store_memory_flush(&bench.store);
    assert_string_equal(progress(&bench),
                        "change@1 change@1 change@1 reply1@1:total 5 send1@1 event1@1 RELOADED ");
    assert_int_equal(loop_next_deadline(bench.loop), 5);
    bench_close(&bench);
}

static void test_a_store_that_has_failed_unseen_takes_nothing_more(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, store_memory_open(5));
    step(&bench, EVENT_RUN_TASK, 1, 5, false);
    store_memory_fail_after(&bench.store, 1);
    step(&bench, EVENT_RUN_TASK, 2, 5, false);
    store_memory_flush(&bench.store); /* nobody asks for progress */
    assert_string_equal(step(&bench, EVENT_RUN_TASK, 3, 5, false),
                        "change@1 change@1 change@1 reply1@1:total 5 send1@1 event1@1 RELOADED ");
    assert_int_equal(loop_next_deadline(bench.loop), 5);
    bench_close(&bench);
}

static void test_a_process_may_end_between_any_two_parts_of_a_step(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, store_memory_open(0));
    step(&bench, EVENT_RUN_TASK, 1, 5, false);
    bench.outside.ends_at = LOOP_DECIDED;
    assert_string_equal(step(&bench, EVENT_RUN_TASK, 2, 5, false), "RELOADED ");
    assert_int_equal(loop_next_deadline(bench.loop), 5);
    assert_int_equal(loop_last_batch(bench.loop), 1);
    store_memory_hold(&bench.store, true);
    bench.outside.ends_at = LOOP_APPENDED;
    assert_string_equal(step(&bench, EVENT_RUN_TASK, 3, 5, false), "RELOADED ");
    assert_int_equal(loop_next_deadline(bench.loop), 5);
    store_memory_hold(&bench.store, false);
    bench.outside.ends_at = LOOP_DURABLE;
    assert_string_equal(step(&bench, EVENT_RUN_TASK, 4, 5, false),
                        "change@4 change@4 change@4 reply4@4:total 10 RELOADED ");
    assert_int_equal(loop_next_deadline(bench.loop), 10);
    assert_string_equal(step(&bench, EVENT_TIMER, 5, 0, false), "reply5@5:total 10 ");
    bench_close(&bench);
}

static void test_what_a_torn_tail_kept_whole_was_done(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    struct bench bench;
    bench_open(&bench, store_memory_open(0));
    store_memory_hold(&bench.store, true);
    step(&bench, EVENT_RUN_TASK, 1, 5, false);
    step(&bench, EVENT_RUN_TASK, 2, 6, false);
    text_clear(&bench.outside.heard);
    assert_true(store_memory_tear(&bench.store, 900));
    assert_int_equal(loop_restart(bench.loop, &err), BERTH_OK);
    assert_string_equal(heard(&bench), "change@1 change@1 change@1 reply1@1:total 5 RELOADED ");
    assert_int_equal(loop_next_deadline(bench.loop), 5);
    bench_close(&bench);
}

static void test_a_reload_that_fails_is_an_error(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, store_memory_open(0));
    step(&bench, EVENT_RUN_TASK, 1, 13, false);
    store_memory_fail_after(&bench.store, 1);
    struct berth_error err = BERTH_ERROR_INIT;
    struct event event = {.kind = EVENT_RUN_TASK, .token = 2};
    event.u.run_task.count = 1;
    assert_int_equal(loop_step(bench.loop, (struct step_time){9, 9}, &event, &err),
                     BERTH_ERR_INPUT);
    assert_string_equal(err.text, "controller: 13");
    bench_close(&bench);
}

static void test_many_held_effects_keep_their_order(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, store_memory_open(40));
    struct text all = TEXT_INIT, wanted = TEXT_INIT;
    for (uint64_t i = 1; i <= 500; i++) {
        text_add(&all, step(&bench, EVENT_RUN_TASK, i, 1, false));
        text_addf(&wanted,
                  "change@%d change@%d change@%d reply%d@%d:total %d send%d@%d event%d@%d ", (int)i,
                  (int)i, (int)i, (int)i, (int)i, (int)i, (int)i, (int)i, (int)i, (int)i);
    }
    store_memory_flush(&bench.store);
    text_add(&all, progress(&bench));
    assert_string_equal(all.bytes, wanted.bytes);
    text_free(&all);
    text_free(&wanted);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_effects_go_out_at_once_when_nothing_is_kept),
        cmocka_unit_test(test_missing_callbacks_are_skipped),
        cmocka_unit_test(test_effects_wait_for_their_commit_in_order),
        cmocka_unit_test(test_a_record_is_written_once_a_step_as_it_is_after_it),
        cmocka_unit_test(test_a_failed_commit_begins_again_from_what_is_durable),
        cmocka_unit_test(test_a_failure_may_be_seen_by_progress_alone),
        cmocka_unit_test(test_a_store_that_has_failed_unseen_takes_nothing_more),
        cmocka_unit_test(test_a_process_may_end_between_any_two_parts_of_a_step),
        cmocka_unit_test(test_what_a_torn_tail_kept_whole_was_done),
        cmocka_unit_test(test_a_reload_that_fails_is_an_error),
        cmocka_unit_test(test_many_held_effects_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
