/* JSON, read in either way: the quick reader takes nothing that jansson refuses, and reads the
 * same. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/ecs/json_compact.h"
#include "scheduler/ecs/json_quick.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    json_t *quick = json_read_quick(text, size, 200);
    struct text written = TEXT_INIT;
    if (quick != NULL) {
        char *wanted = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
        assert(wanted != NULL);
        json_write_compact(&written, quick, JSON_AS_WRITTEN);
        assert(strcmp(written.bytes, wanted) == 0);
        free(wanted);
    }
    text_free(&written);
    json_decref(quick);
    json_decref(json);
    return 0;
}
