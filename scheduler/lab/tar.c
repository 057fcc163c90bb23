#include "scheduler/lab/tar.h"

#include <assert.h>
#include <string.h>

#define BLOCK 512

struct tar_head { /* of POSIX's ustar; numbers are octal text */
    char name[100];
    char mode[8], owner[8], group[8];
    char size[12], time[12], sum[8];
    char type;
    char link[100];
    char magic[6], version[2];
    char rest[247];
};

/* Octal digits with zeros in front; the last byte of the field stays zero. */
static void number(char *field, size_t size, size_t value)
{
    for (size_t i = size - 1; i-- > 0; value >>= 3)
        field[i] = (char)('0' + (value & 7));
}

static void add(struct text *tar, const char *name, char type, unsigned mode, const char *link,
                size_t length)
{
    struct tar_head head;
    _Static_assert(sizeof head == BLOCK, "one block");
    assert(strlen(name) < sizeof head.name && strlen(link) < sizeof head.link);
    memset(&head, 0, sizeof head);
    memcpy(head.name, name, strlen(name));
    memcpy(head.link, link, strlen(link));
    number(head.mode, sizeof head.mode, mode);
    number(head.owner, sizeof head.owner, 0);
    number(head.group, sizeof head.group, 0);
    number(head.size, sizeof head.size, length);
    number(head.time, sizeof head.time, 0);
    head.type = type;
    memcpy(head.magic, "ustar", 6);
    memcpy(head.version, "00", 2);
    /* The sum of all bytes, those of itself being blanks. */
    memset(head.sum, ' ', sizeof head.sum);
    unsigned char bytes[BLOCK];
    unsigned sum = 0;
    memcpy(bytes, &head, BLOCK);
    for (size_t i = 0; i < BLOCK; i++)
        sum += bytes[i];
    head.sum[6] = '\0';
    number(head.sum, sizeof head.sum - 1, sum);
    memcpy(bytes, &head, BLOCK);
    text_add_n(tar, (const char *)bytes, BLOCK);
}

void tar_add_folder(struct text *tar, const char *name, unsigned mode)
{
    add(tar, name, '5', mode, "", 0);
}

void tar_add_file(struct text *tar, const char *name, unsigned mode, const char *bytes,
                  size_t length)
{
    static const char zeros[BLOCK];
    add(tar, name, '0', mode, "", length);
    text_add_n(tar, bytes, length);
    if (length % BLOCK != 0)
        text_add_n(tar, zeros, BLOCK - length % BLOCK);
}

void tar_add_link(struct text *tar, const char *name, const char *target)
{
    add(tar, name, '2', 0777, target, 0);
}

void tar_end(struct text *tar)
{
    static const char zeros[2 * BLOCK];
    text_add_n(tar, zeros, sizeof zeros);
}
