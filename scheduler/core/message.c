#include "scheduler/core/message.h"

#include <string.h>

#include "scheduler/base/mem.h"

static bool has_list(enum message_kind kind)
{
    return kind == MESSAGE_MANIFEST || kind == MESSAGE_STOP_VERIFICATION ||
           kind == MESSAGE_STOP_VERIFICATION_ACK;
}

struct message message_copy(const struct message *message)
{
    struct message copy = *message;
    if (!has_list(message->kind))
        return copy;
    copy.u.list.tasks = NULL;
    if (message->u.list.count > 0) {
        size_t size_bytes = message->u.list.count * sizeof *copy.u.list.tasks;
        copy.u.list.tasks = mem_alloc(size_bytes);
        memcpy(copy.u.list.tasks, message->u.list.tasks, size_bytes);
    }
    return copy;
}

void message_release(struct message *message)
{
    if (!has_list(message->kind))
        return;
    mem_free(message->u.list.tasks);
    message->u.list.tasks = NULL;
    message->u.list.count = 0;
}

void id_format(uint64_t number, char out[33])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 31; i >= 0; i--, number >>= 4)
        out[i] = digits[number & 15];
    out[32] = '\0';
}
