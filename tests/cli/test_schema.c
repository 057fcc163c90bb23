/* test_schema.c -- the published JSON Schema and the loader agree, by schema_check.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_schema_and_loader_agree(void **state)
{
    (void)state;
    const char *berth = getenv("BERTH");
    if (system("python3 -c 'import jsonschema' 2>/dev/null") != 0) {
        puts("left out: schema against loader; install python3-jsonschema");
        skip();
    }
    char command[1000];
    (void)snprintf(command, sizeof command, "python3 -W ignore tests/cli/schema_check.py '%s'",
                   berth == NULL ? "build/berth" : berth);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_schema_and_loader_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
