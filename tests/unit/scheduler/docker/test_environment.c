#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/docker/environment.h"
#include "scheduler/ecs/json_input.h"
#include "tests/support/scratch.h"

static char folder[512];

static enum berth_err read_quoted(const char *quoted, struct container_environment *out,
                                  struct berth_error *err)
{
    struct environment_folders folders = {folder, folder};
    char *text = strdup(quoted);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    enum berth_err code = container_environment_read(json, "c", &folders, out, err);
    json_decref(json);
    free(text);
    return code;
}

static const char *value_of(const struct container_environment *environment, const char *name)
{
    for (size_t i = 0; i < environment->variables.count; i++)
        if (strcmp(environment->variables.items[i].name, name) == 0)
            return environment->variables.items[i].value;
    return NULL;
}

static void test_who_wins(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    struct container_environment out;
    char quoted[2048];
    (void)scratch_write_text("one.env", "# comment\n\nA=one\r\nB=one\nC=one=1\nD=\n");
    (void)scratch_write_text("two.env", "A=two\nB=two\nE=two");
    (void)scratch_write_text("password", "hush\n");
    (void)scratch_write_text("both", "{\"user\":\"u\",\"pass\":\"p\"}");
    (void)snprintf(quoted, sizeof quoted,
                   "{'environmentFiles':[{'value':'file:%s/one.env','type':'s3'},"
                   "{'value':'arn:aws:s3:::two.env','type':'s3'}],"
                   "'environment':[{'name':'B','value':'plain'},{'name':'P','value':'plain'}],"
                   "'secrets':[{'name':'P','valueFrom':'password'},"
                   "{'name':'Q','valueFrom':'arn:aws:ssm:eu-west-1:1:parameter/password'},"
                   "{'name':'R','valueFrom':'arn:aws:secretsmanager:eu:1:secret:both:pass::'},"
                   "{'name':'S','valueFrom':'arn:aws:secretsmanager:eu:1:secret:password'}],"
                   "'logConfiguration':{'logDriver':'x','secretOptions':"
                   "[{'name':'token','valueFrom':'password'}]}}",
                   folder);
    if (read_quoted(quoted, &out, &err) != BERTH_OK)
        fail_msg("%s", err.text);
    assert_string_equal(value_of(&out, "A"), "one"); /* the earlier file */
    assert_string_equal(value_of(&out, "B"), "plain");
    assert_string_equal(value_of(&out, "C"), "one=1");
    assert_string_equal(value_of(&out, "D"), "");
    assert_string_equal(value_of(&out, "E"), "two");
    assert_string_equal(value_of(&out, "P"), "hush"); /* the secret, without its newline */
    assert_string_equal(value_of(&out, "Q"), "hush");
    assert_string_equal(value_of(&out, "R"), "p");
    assert_string_equal(value_of(&out, "S"), "hush");
    assert_int_equal(out.log_options.count, 1);
    assert_string_equal(out.log_options.items[0].value, "hush");
    container_environment_free(&out);
}

/* Whatever is wrong, the message names the place and shows nothing of a file. */
static void test_what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *quoted, *words;
    } cases[] = {
        {"{'secrets':[{'name':'A','valueFrom':'none'}]}", "No such file"},
        {"{'secrets':[{'name':'A','valueFrom':'../etc/passwd'}]}", "does not name one"},
        {"{'secrets':[{'name':'A','valueFrom':'file:relative'}]}", "whole path"},
        {"{'secrets':[{'name':'A','valueFrom':'file:/dev/zero'}]}", "is not a file"},
        {"{'secrets':[{'name':'A','valueFrom':'a:secret:bad:key::'}]}", "not JSON"},
        {"{'secrets':[{'name':'A'}]}", "needs"},
        {"{'secrets':[{'name':'A','valueFrom':'nul'}]}", "NUL"},
        {"{'environmentFiles':[{'value':'bad'}]}", "write file:"},
        {"{'environmentFiles':[{'value':'arn:aws:s3:::bad'}]}", "line 1 is not NAME=VALUE"},
    };
    (void)scratch_write_text("bad", "hush-hush");
    (void)scratch_write("nul", "hush\0x", 6);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct berth_error err = BERTH_ERROR_INIT;
        struct container_environment out;
        assert_int_not_equal(read_quoted(cases[i].quoted, &out, &err), BERTH_OK);
        if (strstr(err.text, cases[i].words) == NULL || strncmp(err.text, "c/", 2) != 0 ||
            strstr(err.text, "hush") != NULL)
            fail_msg("%s: %s", cases[i].quoted, err.text);
        assert_int_equal(out.variables.count, 0);
    }
}

static void test_without_folders(void **state)
{
    (void)state;
    struct environment_folders none = {NULL, NULL};
    struct berth_error err = BERTH_ERROR_INIT;
    char *secret;
    assert_int_equal(secret_read("name", "p", &none, &secret, &err), BERTH_ERR_INPUT);
    assert_string_equal(err.text, "p: no folder of secrets is configured");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_wins),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_without_folders),
    };
    (void)snprintf(folder, sizeof folder, "%s", scratch_folder());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove();
    return failed;
}
