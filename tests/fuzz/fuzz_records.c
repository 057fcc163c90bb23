/*
 * Records: what a store gives back is refused in one line of text, or is a controller whose own
 * records load into an equal one. The input is lines "KEY VALUE", as controller_dump writes them.
 * No audit: records that each are right may still be of different moments, such as a task that
 * waits while there is room.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/core/controller.h"
#include "scheduler/ecs/task_def_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct records {
    struct record *items;
    size_t count, capacity;
};

static const struct controller_options options = {.cluster = "default",
                                                  .account = "111122223333",
                                                  .region = "us-east-1",
                                                  .random_key = 1,
                                                  .instance_lost_ns = 300 * BERTH_NS_PER_S,
                                                  .waiting_give_up_ns = 1800 * BERTH_NS_PER_S};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct record *)a)->key, ((const struct record *)b)->key);
}

/* Cut `text` into records in ascending order of distinct keys, as a store keeps them. */
static void cut(char *text, char *end, struct records *records)
{
    for (char *line = text, *next; line < end; line = next) {
        next = line + strcspn(line, "\n");
        *next++ = '\0';
        char *space = strchr(line, ' ');
        if (space == NULL)
            continue;
        *space = '\0';
        *vec_push(records) = (struct record){line, space + 1};
    }
    if (records->count == 0)
        return;
    qsort(records->items, records->count, sizeof *records->items, by_key);
    size_t kept = 1;
    for (size_t i = 1; i < records->count; i++)
        if (strcmp(records->items[i].key, records->items[kept - 1].key) != 0)
            records->items[kept++] = records->items[i];
    records->count = kept;
}

static struct controller *load(char *text, size_t length)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct records records = VEC_INIT;
    struct controller *controller = NULL;
    cut(text, text + length, &records);
    if (controller_load(&options, records.items, records.count, task_def_from_document, &controller,
                        &err) != BERTH_OK) {
        assert(err.code == BERTH_ERR_INPUT && err.text[0] != '\0');
        assert(strchr(err.text, '\n') == NULL);
        controller = NULL;
    }
    vec_free(&records);
    return controller;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text first = TEXT_INIT, second = TEXT_INIT;
    char *text = mem_copy_text_n((const char *)data, size);
    struct controller *controller = load(text, size);
    if (controller != NULL) {
        controller_dump(controller, &first);
        char *copy = mem_copy_text(first.bytes == NULL ? "" : first.bytes);
        struct controller *again = load(copy, first.length);
        assert(again != NULL);
        controller_dump(again, &second);
        assert(first.length == second.length);
        assert(first.length == 0 || strcmp(first.bytes, second.bytes) == 0);
        controller_destroy(again);
        mem_free(copy);
    }
    controller_destroy(controller);
    mem_free(text);
    text_free(&first);
    text_free(&second);
    return 0;
}
