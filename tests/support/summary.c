#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/summary.h"

#include "scheduler/base/mem.h"
#include "tests/support/berth.h"
#include "tests/support/scratch.h"

json_t *summary_of(const char *scenario, const char *options)
{
    char *file = mem_copy_text(scratch_write_text("scenario.json", scenario));
    char *folder = mem_copy_text(scratch_path("results"));
    struct berth_answer answer =
        berth_run(NULL, "run %s --no-plots --out '%s' '%s'", options, folder, file);
    if (answer.status != 0)
        fail_msg("%s", answer.err);
    json_t *summary = json_load_file(scratch_path("results/summary.json"), 0, NULL);
    assert_non_null(summary);
    berth_answer_free(&answer);
    mem_free(folder);
    mem_free(file);
    return summary;
}

double summary_metric(const json_t *summary, const char *name)
{
    const json_t *variant = json_array_get(json_object_get(summary, "variants"), 0);
    const json_t *values = json_object_get(json_object_get(variant, "metrics"), name);
    json_t *list = json_object_get(values, "values");
    assert_int_equal(json_array_size(list), 1);
    return json_number_value(json_array_get(list, 0));
}
