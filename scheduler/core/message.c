#include "scheduler/core/message.h"

#include <string.h>

#include "scheduler/base/mem.h"

static void *copy_of(const void *items, size_t size_bytes)
{
    if (size_bytes == 0)
        return NULL;
    void *copy = mem_alloc(size_bytes);
    memcpy(copy, items, size_bytes);
    return copy;
}

struct message message_copy(const struct message *message)
{
    struct message copy = *message;
    if (message_has_list(message->kind)) {
        copy.u.list.tasks =
            copy_of(message->u.list.tasks, message->u.list.count * sizeof *message->u.list.tasks);
    } else if (message->kind == MESSAGE_PAYLOAD && message->u.payload.grant_count > 0) {
        const struct task_payload *payload = &message->u.payload;
        copy.u.payload.grants =
            copy_of(payload->grants, payload->grant_count * sizeof *payload->grants);
        copy.owns_grants = true;
    }
    return copy;
}

void message_release(struct message *message)
{
    if (message_has_list(message->kind)) {
        mem_free(message->u.list.tasks);
        message->u.list.tasks = NULL;
        message->u.list.count = 0;
    } else if (message->owns_grants) {
        mem_free((void *)(uintptr_t)message->u.payload.grants);
        message->u.payload.grants = NULL;
        message->u.payload.grant_count = 0;
        message->owns_grants = false;
    }
}

void id_format(uint64_t number, char out[33])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 31; i >= 0; i--, number >>= 4)
        out[i] = digits[number & 15];
    out[32] = '\0';
}
