#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/world/queueing.h"

static void assert_near(double is, double wanted)
{
    if (!(fabs(is - wanted) <= 1e-9 * (1 + fabs(wanted))))
        fail_msg("%.12g, not %.12g", is, wanted);
}

static void test_one_server_and_all_the_room(void **state)
{
    (void)state;
    struct queue_figures queue = queue_mmck(8, 10, 1, 2000);
    assert_near(queue.rejected, 0);
    assert_near(queue.delayed, 0.8);
    assert_near(queue.in_system, 4);
    assert_near(queue.busy, 0.8);
    assert_near(queue.time_mean, 0.5);
    assert_near(queue.time_squares, 0.5); /* exponential with mean 1 / (mu - lambda) */
}

/* p(K) = (1 - r) r^K / (1 - r^(K+1)), and 1 / (K + 1) at r = 1. */
static void test_one_server_and_little_room(void **state)
{
    (void)state;
    assert_near(queue_mmck(8, 10, 1, 3).rejected, 0.2 * pow(0.8, 3) / (1 - pow(0.8, 4)));
    assert_near(queue_mmck(10, 10, 1, 4).rejected, 0.2);
    assert_near(queue_mmck(30, 10, 1, 2).rejected, 9.0 / 13);
}

/* Erlang's B and C for 3 erlangs on 5 servers, from his formulas by hand. */
static void test_several_servers(void **state)
{
    (void)state;
    double sum = 1 + 3 + 9.0 / 2 + 27.0 / 6 + 81.0 / 24, last = 243.0 / 120;
    double b = last / (sum + last), c = last * 2.5 / (sum + last * 2.5);
    assert_near(queue_mmck(3, 1, 5, 5).rejected, b);
    assert_near(queue_mmck(3, 1, 5, 3000).delayed, c);
    assert_near(queue_mmck(3, 1, 5, 3000).time_mean, 1 + c / 2);
}

/* What is taken in leaves through the servers, whatever the load. */
static void test_flow_is_conserved(void **state)
{
    (void)state;
    static const double loads[] = {0.01, 0.9, 1, 1.1, 5, 1000};
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
        for (uint32_t servers = 1; servers <= 9; servers += 4)
            for (uint32_t room = servers; room <= 10000; room = room * 10 + 7) {
                double lambda = loads[i] * servers;
                struct queue_figures queue = queue_mmck(lambda, 1, servers, room);
                double taken = lambda * (1 - queue.rejected);
                if (!(fabs(taken - queue.busy) <= 1e-6 * taken) || !(queue.rejected <= 1) ||
                    !(queue.time_squares >= queue.time_mean * queue.time_mean))
                    fail_msg("load %g, %u servers, room %u", loads[i], servers, room);
                assert_true(fabs(queue.in_system - taken * queue.time_mean) < 1e-6 * (1 + room));
            }
}

static void test_nobody_comes(void **state)
{
    (void)state;
    struct queue_figures queue = queue_mmck(0, 4, 2, 10);
    assert_near(queue.rejected, 0);
    assert_near(queue.in_system, 0);
    assert_near(queue.time_mean, 0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_server_and_all_the_room),
        cmocka_unit_test(test_one_server_and_little_room),
        cmocka_unit_test(test_several_servers),
        cmocka_unit_test(test_flow_is_conserved),
        cmocka_unit_test(test_nobody_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
