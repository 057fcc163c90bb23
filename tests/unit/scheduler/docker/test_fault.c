#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/docker/fault.h"

struct expected {
    enum engine_call call;
    long status;
    const char *message;
    enum engine_fault fault;
};

static const struct expected cases[] = {
    {ENGINE_CREATE, 201, "", ENGINE_OK},
    {ENGINE_START, 304, "", ENGINE_OK},
    {ENGINE_SIGNAL, 409, "Container x is not running", ENGINE_OK},
    {ENGINE_REMOVE, 404, "No such container: x", ENGINE_OK},
    {ENGINE_REMOVE, 409, "removal of container x is already in progress", ENGINE_OK},
    {ENGINE_INSPECT, 404, "No such container: x", ENGINE_NO_CONTAINER},
    {ENGINE_INSPECT, 404, "page not found", ENGINE_INCOMPATIBLE},
    {ENGINE_CREATE, 404, "No such image: x:1", ENGINE_NO_IMAGE},
    {ENGINE_CREATE, 404, "No such container: db", ENGINE_NO_CONTAINER},
    {ENGINE_CREATE, 409, "Conflict. The container name \"/x\" is already in use",
     ENGINE_NAME_TAKEN},
    {ENGINE_CREATE, 400, "Minimum memory limit allowed is 6MB", ENGINE_REFUSED},
    {ENGINE_CREATE, 400, "No such container: db", ENGINE_NO_CONTAINER},
    {ENGINE_CREATE, 400, "client version 1.99 is too new", ENGINE_INCOMPATIBLE},
    {ENGINE_CREATE, 500, "write /x: no space left on device", ENGINE_NO_SPACE},
    {ENGINE_START, 500, "Bind for 0.0.0.0:8000 failed: port is already allocated",
     ENGINE_PORT_TAKEN},
    {ENGINE_START, 500, "listen tcp 0.0.0.0:80: bind: address already in use", ENGINE_PORT_TAKEN},
    {ENGINE_START, 500, "could not select device driver \"nvidia\"", ENGINE_NO_DEVICE},
    {ENGINE_START, 500, "dial unix /run/containerd.sock: connect: connection refused: unavailable",
     ENGINE_RUNTIME_DOWN},
    {ENGINE_START, 500, "something else", ENGINE_FAILED},
    {ENGINE_PULL, 404, "manifest for x:1 not found: manifest unknown", ENGINE_NO_IMAGE},
    {ENGINE_PULL, 404, "pull access denied for x", ENGINE_UNAUTHORIZED},
    {ENGINE_PULL, 500, "Get \"http://h:5000/v2/\": no basic auth credentials", ENGINE_UNAUTHORIZED},
    {ENGINE_PULL, 500, "dial tcp 127.0.0.1:1: connect: connection refused", ENGINE_REGISTRY_DOWN},
    {ENGINE_PULL, 500, "boom", ENGINE_PULL_FAILED},
    {ENGINE_REMOVE_IMAGE, 409, "image is being used", ENGINE_IN_USE},
    {ENGINE_REMOVE_VOLUME, 409, "volume is in use", ENGINE_IN_USE},
    {ENGINE_INFO, 401, "", ENGINE_UNAUTHORIZED},
    {ENGINE_INFO, 302, "", ENGINE_FAILED},
};

static void test_what_answers_mean(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum engine_fault got = engine_fault_of(cases[i].call, cases[i].status, cases[i].message);
        if (got != cases[i].fault)
            fail_msg("%s %ld %s: %s", engine_call_names[cases[i].call], cases[i].status,
                     cases[i].message, engine_fault_names[got]);
    }
}

static void test_every_fault_and_call_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < ENGINE_FAULT_COUNT; i++)
        assert_non_null(engine_fault_names[i]);
    for (int i = 0; i < ENGINE_CALL_COUNT; i++)
        assert_non_null(engine_call_names[i]);
}

static void test_which_pass_and_which_leave_doubt(void **state)
{
    (void)state;
    assert_true(engine_fault_is_passing(ENGINE_RUNTIME_DOWN));
    assert_false(engine_fault_is_passing(ENGINE_PORT_TAKEN));
    assert_false(engine_fault_is_passing(ENGINE_REFUSED));
    assert_true(engine_fault_is_unsure(ENGINE_FROZEN));
    assert_false(engine_fault_is_unsure(ENGINE_DOWN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_answers_mean),
        cmocka_unit_test(test_every_fault_and_call_has_a_name),
        cmocka_unit_test(test_which_pass_and_which_leave_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
