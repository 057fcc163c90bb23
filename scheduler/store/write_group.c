#include "scheduler/store/write_group.h"

#include <string.h>

#include "scheduler/base/mem.h"

/* A group over this is rare (a disk that was full); its memory is given back. */
#define KEPT_BYTES (1u << 20)

static size_t keep(struct write_group *group, const char *text)
{
    size_t at = group->bytes.length;
    text_add_n(&group->bytes, text, strlen(text) + 1);
    return at;
}

void write_group_add(struct write_group *group, uint64_t batch, const struct store_write *writes,
                     size_t write_count)
{
    for (size_t i = 0; i < write_count; i++) {
        struct group_write *write = vec_push(&group->writes);
        write->key = keep(group, writes[i].key);
        write->value = writes[i].value == NULL ? WRITE_GROUP_DELETES : keep(group, writes[i].value);
        write->revision = writes[i].revision;
    }
    group->last_batch = batch;
}

void write_group_add_note(struct write_group *group, const struct store_note *note)
{
    struct group_note *added = vec_push(&group->notes);
    added->wall_ns = note->wall_ns;
    added->batch = 0;
    added->kind = keep(group, note->kind);
    added->subject = keep(group, note->subject);
    added->text = keep(group, note->text);
}

void write_group_stamp(struct write_group *group, size_t count, uint64_t batch)
{
    for (size_t i = 0; i < count; i++)
        group->notes.items[group->notes.count - 1 - i].batch = batch;
}

void write_group_drop_notes(struct write_group *group, size_t count)
{
    group->notes.count -= count;
}

bool write_group_is_empty(const struct write_group *group)
{
    return group->last_batch == 0 && group->notes.count == 0;
}

size_t write_group_bytes(const struct write_group *group)
{
    return group->bytes.length + group->writes.count * sizeof *group->writes.items +
           group->notes.count * sizeof *group->notes.items;
}

void write_group_clear(struct write_group *group)
{
    if (write_group_bytes(group) > KEPT_BYTES)
        write_group_free(group);
    group->last_batch = 0;
    vec_clear(&group->writes);
    vec_clear(&group->notes);
    text_clear(&group->bytes);
}

void write_group_free(struct write_group *group)
{
    vec_free(&group->writes);
    vec_free(&group->notes);
    text_free(&group->bytes);
    group->last_batch = 0;
}

struct store_write write_group_write(const struct write_group *group, size_t index)
{
    const struct group_write *write = &group->writes.items[index];
    return (struct store_write){
        .key = group->bytes.bytes + write->key,
        .value = write->value == WRITE_GROUP_DELETES ? NULL : group->bytes.bytes + write->value,
        .revision = write->revision,
    };
}

struct store_note write_group_note(const struct write_group *group, size_t index)
{
    const struct group_note *note = &group->notes.items[index];
    return (struct store_note){
        .wall_ns = note->wall_ns,
        .kind = group->bytes.bytes + note->kind,
        .subject = group->bytes.bytes + note->subject,
        .text = group->bytes.bytes + note->text,
    };
}
