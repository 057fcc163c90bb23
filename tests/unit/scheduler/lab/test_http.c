#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/lab/http.h"

static void test_answers(void **state)
{
    static const struct {
        const char *text;
        int status; /* 0: no answer */
        const char *body;
    } rows[] = {
        {"HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\n\r\nOK", 200, "OK"},
        {"HTTP/1.1 404 Not Found\r\n\r\n", 404, ""},
        {"HTTP/1.1 204\r\n\r\n", 204, ""},
        {"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n", 0, NULL},
        {"HTTP/1.1 20", 0, NULL},
        {"HTTP/1.1 abc\r\n\r\n", 0, NULL},
        {"GET / HTTP/1.1\r\n\r\n", 0, NULL},
        {"", 0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int status = 0;
        size_t body = 0;
        bool good = lab_answer_read(rows[i].text, strlen(rows[i].text), &status, &body);
        assert_int_equal(good, rows[i].status != 0);
        if (!good)
            continue;
        assert_int_equal(status, rows[i].status);
        assert_string_equal(rows[i].text + body, rows[i].body);
    }
}

static void test_nobody_listens(void **state)
{
    struct lab_request request = {.socket = "/nowhere/docker.sock",
                                  .method = "GET",
                                  .target = "/_ping",
                                  .body = "",
                                  .timeout_ms = 100};
    struct berth_error err = BERTH_ERROR_INIT;
    char far[200] = "/";
    int status = 0;
    (void)state;
    assert_int_equal(lab_request(&request, &status, NULL, &err), BERTH_ERR_ENVIRONMENT);
    assert_string_equal(err.text, "/nowhere/docker.sock: No such file or directory");
    memset(far + 1, 'x', sizeof far - 2);
    request.socket = far;
    assert_int_equal(lab_request(&request, &status, NULL, &err), BERTH_ERR_ENVIRONMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_nobody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
