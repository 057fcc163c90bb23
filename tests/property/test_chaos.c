/*
 * Runs under every kind of fault, seed after seed, every invariant audited after every event. The
 * faults stop at a given time; by the end of the run
 *
 *   services have what they want, and are steady;
 *   the agents have exactly the tasks that the controller believes in: none lost, none too many;
 *   over all seeds, each kind of fault has come about.
 *
 * And a run with faults is a value as any other: twice the same bytes. SEED=N plays one alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "sim/run/run.h"

#define SEEDS 60
#define HOSTS 12

static const char plain_text[] =
    "{\"version\":1,\"name\":\"chaos\",\"fleet\":{\"a\":{\"count\":12,\"cpu\":2048,"
    "\"memory\":4096,\"zones\":[\"a\",\"b\",\"c\"],\"racks\":2}},"
    "\"taskDefinitions\":{"
    "\"web\":{\"definition\":{\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"w:1\","
    "\"cpu\":256,\"memory\":256}]},\"imageMiB\":100},"
    "\"next\":{\"definition\":{\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"w:2\","
    "\"cpu\":256,\"memory\":256}]},\"imageMiB\":100},"
    "\"job\":{\"definition\":{\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"j:1\","
    "\"cpu\":128,\"memory\":128}]},\"lifetime\":{\"distribution\":\"exponential\","
    "\"mean\":120}}},"
    "\"services\":{\"web\":{\"taskDefinition\":\"web\",\"desiredCount\":20},"
    "\"api\":{\"taskDefinition\":\"web\",\"desiredCount\":6},"
    "\"log\":{\"taskDefinition\":\"web\",\"schedulingStrategy\":\"DAEMON\"}},"
    "\"arrivals\":{\"jobs\":{\"ratePerHour\":200,\"taskDefinition\":\"job\",\"onFull\":\"wait\","
    "\"endAt\":4000}},"
    "\"timeline\":{\"t1\":{\"at\":900,\"deploy\":{\"service\":\"web\",\"taskDefinition\":\"next\"}}"
    ","
    "\"t2\":{\"at\":1500,\"scale\":{\"service\":\"api\",\"desiredCount\":12}},"
    "\"t3\":{\"at\":2000,\"deploy\":{\"service\":\"api\"}},"
    "\"t4\":{\"at\":2600,\"scale\":{\"service\":\"api\",\"desiredCount\":3}}},"
    "\"faults\":{\"preset\":\"harsh\",\"from\":300,\"until\":4000},"
    "\"run\":{\"duration\":9000,\"replications\":1,\"instanceLostSeconds\":300}}";

/* With a load balancer, container health, network interfaces, a bad release and its breaker. */
static const char rich_text[] =
    "{\"version\":1,\"name\":\"rich\",\"fleet\":{\"a\":{\"count\":12,\"cpu\":4096,"
    "\"memory\":8192,\"zones\":[\"a\",\"b\",\"c\"],\"racks\":2}},"
    "\"targetGroups\":{\"tg\":{\"healthCheckIntervalSeconds\":10,"
    "\"deregistrationDelaySeconds\":30}},\"taskDefinitions\":{"
    "\"web\":{\"definition\":{\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"w:1\","
    "\"cpu\":256,\"memory\":256,\"healthCheck\":{\"command\":[\"CMD\",\"x\"],"
    "\"interval\":10}}]},\"imageMiB\":100},"
    "\"vpc\":{\"definition\":{\"networkMode\":\"awsvpc\",\"containerDefinitions\":[{"
    "\"name\":\"c\",\"image\":\"w:1\",\"cpu\":256,\"memory\":256}]},\"imageMiB\":10},"
    "\"bad\":{\"definition\":{\"containerDefinitions\":[{\"name\":\"c\",\"image\":\"w:2\","
    "\"cpu\":256,\"memory\":256}]},\"crashProbability\":1}},"
    "\"services\":{\"web\":{\"taskDefinition\":\"web\",\"desiredCount\":12,"
    "\"loadBalancers\":[{\"targetGroup\":\"tg\"}],\"deploymentConfiguration\":{"
    "\"deploymentCircuitBreaker\":{\"enable\":true,\"rollback\":true}}},"
    "\"api\":{\"taskDefinition\":\"vpc\",\"desiredCount\":6},"
    "\"log\":{\"taskDefinition\":\"web\",\"schedulingStrategy\":\"DAEMON\"}},"
    "\"timeline\":{\"d\":{\"at\":1000,\"deploy\":{\"service\":\"web\",\"taskDefinition\":\"web\"}},"
    "\"b\":{\"at\":2000,\"deploy\":{\"service\":\"web\",\"taskDefinition\":\"bad\"}},"
    "\"s\":{\"at\":3000,\"scale\":{\"service\":\"api\",\"desiredCount\":9}}},"
    "\"faults\":{\"preset\":\"harsh\",\"from\":300,\"until\":4000},"
    "\"run\":{\"duration\":9000,\"replications\":1,\"instanceLostSeconds\":300}}";

struct watch {
    uint32_t agent_tasks, restarts;
};

static enum berth_err on_verdict(void *context, const struct run_figures *figures,
                                 struct berth_error *err)
{
    (void)err;
    ((struct watch *)context)->agent_tasks = figures->agent_tasks;
    return BERTH_OK;
}

static void on_restarted(void *context, berth_ns now_ns, const struct controller *controller)
{
    (void)now_ns;
    controller_audit(controller);
    ((struct watch *)context)->restarts++;
}

static enum berth_err on_finished(void *context, const struct controller *controller,
                                  struct berth_error *err)
{
    const struct watch *watch = context;
    struct task_view task = {.task = TASK_NONE};
    uint32_t live = 0;
    for (service_id i = 0; i < controller_service_count(controller); i++) {
        struct service_view view = controller_service(controller, i);
        /* A machine that vanished while its agent was not connected stays registered, as in ECS,
           and a daemon goes on wanting a copy there. */
        bool is_well = view.scheduling == SCHEDULING_DAEMON
                           ? view.running_count == HOSTS && view.pending_count == 0
                           : view.is_steady;
        if (!is_well)
            return berth_fail(err, BERTH_ERR_INPUT, "service %u: %u of %u run, %u pend, %u deploy",
                              (unsigned)i, (unsigned)view.running_count,
                              (unsigned)view.desired_count, (unsigned)view.pending_count,
                              (unsigned)view.deployment_count);
    }
    while (controller_next_task(controller, task.task, &task))
        live += task.last_status != TASK_STOPPED && task.instance != INSTANCE_NONE;
    if (live != watch->agent_tasks)
        return berth_fail(err, BERTH_ERR_INPUT, "the controller knows %u tasks, agents %u",
                          (unsigned)live, (unsigned)watch->agent_tasks);
    return BERTH_OK;
}

static struct scenario_set *load(const char *text)
{
    struct scenario_set *set = NULL;
    struct berth_error err = BERTH_ERROR_INIT;
    if (scenario_load_text(text, strlen(text), ".", &set, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    return set;
}

static bool is_well(const struct scenario *scenario, uint64_t seed,
                    uint64_t counts[CHAOS_KIND_COUNT])
{
    struct watch watch = {.agent_tasks = 0};
    struct berth_error err = BERTH_ERROR_INIT;
    struct run_result result;
    const struct run_observer observer = {.restarted = on_restarted,
                                          .context = &watch,
                                          .verdict = on_verdict,
                                          .finished = on_finished};
    const struct run_options options = {.seed = seed, .audits = true, .observer = &observer};
    bool is_good = run_replication(scenario, &options, &result, &err) == BERTH_OK;
    if (!is_good)
        print_message("%s, SEED=%llu: %s\n", scenario->name, (unsigned long long)seed, err.text);
    for (int kind = 0; kind < CHAOS_KIND_COUNT; kind++)
        counts[kind] += result.chaos_counts[kind];
    run_result_free(&result);
    return is_good;
}

static void play_all(const char *text)
{
    struct scenario_set *set = load(text);
    const char *only = getenv("SEED");
    uint64_t counts[CHAOS_KIND_COUNT] = {0};
    unsigned failed = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        if (only == NULL || seed == strtoull(only, NULL, 10))
            failed += !is_well(set->variants[0], seed, counts);
    scenario_set_destroy(set);
    assert_int_equal(failed, 0);
    for (int kind = 0; kind < CHAOS_KIND_COUNT && only == NULL; kind++) {
        if (counts[kind] == 0)
            print_message("%s never came about\n", chaos_kind_names[kind]);
        assert_true(counts[kind] > 0);
    }
}

static void test_all_is_well_after_the_faults(void **state)
{
    (void)state;
    play_all(plain_text);
}

static void test_all_is_well_with_all_that_is_around(void **state)
{
    (void)state;
    play_all(rich_text);
}

static char *bytes_of(const struct scenario *scenario, uint64_t seed)
{
    FILE *file = tmpfile();
    struct berth_error err = BERTH_ERROR_INIT;
    struct run_result result;
    assert_non_null(file);
    const struct run_options options = {.seed = seed, .events = file, .transcript = file};
    if (run_replication(scenario, &options, &result, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    for (int i = 0; i < METRIC_COUNT; i++)
        (void)fprintf(file, "%a\n", result.metrics[i]);
    run_result_free(&result);
    long size = ftell(file);
    char *bytes = mem_alloc((size_t)size + 1);
    rewind(file);
    assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
    (void)fclose(file);
    return bytes;
}

static void test_a_run_with_faults_is_a_value(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct scenario_set *set = load(plain_text), *again = load(plain_text);
        char *one = bytes_of(set->variants[0], seed), *two = bytes_of(again->variants[0], seed);
        assert_string_equal(one, two);
        assert_non_null(strstr(one, "berth Fault Began"));
        assert_non_null(strstr(one, "# the controller ended"));
        mem_free(one);
        mem_free(two);
        scenario_set_destroy(set);
        scenario_set_destroy(again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_is_well_after_the_faults),
                                       cmocka_unit_test(test_all_is_well_with_all_that_is_around),
                                       cmocka_unit_test(test_a_run_with_faults_is_a_value)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
