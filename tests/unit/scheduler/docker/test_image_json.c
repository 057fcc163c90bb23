#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler/base/mem.h"
#include "scheduler/docker/image_json.h"

static void test_references(void **state)
{
    (void)state;
    static const struct {
        const char *image, *repository, *tag, *registry;
    } cases[] = {
        {"busybox", "busybox", "latest", "docker.io"},
        {"busybox:1.36", "busybox", "1.36", "docker.io"},
        {"team/web:7", "team/web", "7", "docker.io"},
        {"host:5000/team/web", "host:5000/team/web", "latest", "host:5000"},
        {"host:5000/web:7", "host:5000/web", "7", "host:5000"},
        {"localhost/web", "localhost/web", "latest", "localhost"},
        {"r.example.org/web@sha256:0a", "r.example.org/web", "sha256:0a", "r.example.org"},
        {"web:7@sha256:0a", "web", "sha256:0a", "docker.io"},
        {"", "", "latest", "docker.io"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct image_reference read = image_reference_read(cases[i].image);
        char *registry = image_registry(cases[i].image);
        assert_string_equal(read.repository, cases[i].repository);
        assert_string_equal(read.tag, cases[i].tag);
        assert_string_equal(registry, cases[i].registry);
        image_reference_free(&read);
        mem_free(registry);
    }
}

static void test_credentials(void **state)
{
    (void)state;
    struct berth_error err = BERTH_ERROR_INIT;
    char *header = NULL;
    assert_int_equal(registry_auth_from_secret("{\"username\":\"u\",\"password\":\"p\"}", "h:1/x",
                                               "c", &header, &err),
                     BERTH_OK);
    /* {"username":"u","password":"p","serveraddress":"h:1"} */
    assert_string_equal(header, "eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InAiLCJzZXJ2ZXJhZGRyZXNzIjoia"
                                "DoxIn0=");
    mem_free(header);
    assert_int_equal(registry_auth_from_secret("{\"password\":\"hush\"}", "x", "c", &header, &err),
                     BERTH_ERR_INPUT);
    assert_null(strstr(err.text, "hush"));
    assert_int_equal(registry_auth_from_secret("hush", "x", "c", &header, &err), BERTH_ERR_INPUT);
    assert_null(header);
}

static void test_base64url(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"\xff\xfe\xfd", "__79"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text text = TEXT_INIT;
        text_add_base64url(&text, cases[i].bytes, strlen(cases[i].bytes));
        assert_string_equal(text.bytes == NULL ? "" : text.bytes, cases[i].text);
        text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_base64url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
