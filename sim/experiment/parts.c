#include "sim/experiment/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/files.h"

enum { HEAD_BYTES = 12 };

struct place {
    uint64_t at;     /* of the part; 0: there is none */
    uint32_t length; /* of it */
    uint32_t crc;
};

struct parts {
    char *path;
    int file;
    uint64_t end;
    VEC(struct place) places; /* by task */
};

static void put_u32(uint32_t number, unsigned char *out)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (unsigned char)(number >> (8 * i));
}

static uint32_t get_u32(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint32_t crc_of(uint32_t task, const char *part, uint32_t length)
{
    unsigned char head[8];
    put_u32(task, head);
    put_u32(length, head + 4);
    return (uint32_t)crc32_z(crc32_z(0, head, sizeof head), (const unsigned char *)part, length);
}

static bool read_at(int file, uint64_t at, void *bytes, size_t length)
{
    for (size_t got = 0; got < length;) {
        ssize_t more = pread(file, (char *)bytes + got, length - got, (off_t)(at + got));
        if (more == 0 || (more < 0 && errno != EINTR))
            return false;
        got += more > 0 ? (size_t)more : 0;
    }
    return true;
}

/* Nothing is left of what could not be written whole. */
static enum berth_err append(struct parts *parts, const char *bytes, size_t length,
                             struct berth_error *err)
{
    for (size_t put = 0; put < length;) {
        ssize_t more = pwrite(parts->file, bytes + put, length - put, (off_t)(parts->end + put));
        if (more < 0 && errno != EINTR) {
            int number = errno;
            (void)!ftruncate(parts->file, (off_t)parts->end);
            return files_fail(parts->path, number, err);
        }
        put += more > 0 ? (size_t)more : 0;
    }
    parts->end += length;
    return BERTH_OK;
}

static void note(struct parts *parts, uint32_t task, struct place place)
{
    while (parts->places.count <= task)
        *vec_push(&parts->places) = (struct place){0, 0, 0};
    parts->places.items[task] = place;
}

static bool get_at(const struct parts *parts, uint32_t task, const struct place *place,
                   struct text *out)
{
    if (out->capacity <= place->length) {
        out->capacity = (size_t)place->length + 1;
        out->bytes = mem_resize(out->bytes, out->capacity, 1);
    }
    out->length = place->length;
    out->bytes[out->length] = '\0';
    return read_at(parts->file, place->at, out->bytes, out->length) &&
           crc_of(task, out->bytes, place->length) == place->crc;
}

/* All sound records; what is torn behind the last of them is cut off. */
static enum berth_err read_records(struct parts *parts, uint64_t size, struct berth_error *err)
{
    unsigned char head[HEAD_BYTES];
    struct text part = TEXT_INIT;
    while (size - parts->end >= HEAD_BYTES && read_at(parts->file, parts->end, head, HEAD_BYTES)) {
        uint32_t task = get_u32(head);
        struct place place = {parts->end + HEAD_BYTES, get_u32(head + 4), get_u32(head + 8)};
        if (place.length > size - place.at)
            break;
        if (get_at(parts, task, &place, &part))
            note(parts, task, place);
        parts->end = place.at + place.length;
    }
    text_free(&part);
    return parts->end == size || ftruncate(parts->file, (off_t)parts->end) == 0
               ? BERTH_OK
               : files_fail(parts->path, errno, err);
}

static enum berth_err open_file(struct parts *parts, const char *folder, const char *origin,
                                bool *discarded, struct berth_error *err)
{
    struct stat status;
    size_t length = strlen(origin);
    parts->file = open(parts->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (parts->file < 0 || fstat(parts->file, &status) != 0)
        return files_fail(parts->path, errno, err);
    char *found = mem_alloc(length + 1);
    bool is_ours = read_at(parts->file, 0, found, length) && memcmp(found, origin, length) == 0;
    mem_free(found);
    if (is_ours) {
        parts->end = length;
        return read_records(parts, (uint64_t)status.st_size, err);
    }
    *discarded = status.st_size > 0;
    close(parts->file);
    files_empty_folder(folder);
    parts->file = open(parts->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return parts->file < 0 ? files_fail(parts->path, errno, err)
                           : append(parts, origin, length, err);
}

enum berth_err parts_open(const char *folder, const char *origin, struct parts **out,
                          bool *discarded, struct berth_error *err)
{
    *out = NULL;
    *discarded = false;
    enum berth_err code = files_make_folder(folder, err);
    if (code != BERTH_OK)
        return code;
    struct parts *parts = mem_alloc(sizeof *parts);
    parts->path = files_join(folder, "parts");
    code = open_file(parts, folder, origin, discarded, err);
    if (code == BERTH_OK)
        *out = parts;
    else
        parts_close(parts);
    return code;
}

void parts_close(struct parts *parts)
{
    if (parts == NULL)
        return;
    if (parts->file >= 0)
        close(parts->file);
    vec_free(&parts->places);
    mem_free(parts->path);
    mem_free(parts);
}

bool parts_has(const struct parts *parts, uint32_t task)
{
    return task < parts->places.count && parts->places.items[task].at != 0;
}

enum berth_err parts_add(struct parts *parts, uint32_t task, const struct text *part,
                         struct berth_error *err)
{
    unsigned char head[HEAD_BYTES];
    struct text record = TEXT_INIT;
    struct place place = {parts->end + HEAD_BYTES, (uint32_t)part->length,
                          crc_of(task, part->bytes, (uint32_t)part->length)};
    put_u32(task, head);
    put_u32(place.length, head + 4);
    put_u32(place.crc, head + 8);
    text_add_n(&record, (const char *)head, HEAD_BYTES);
    text_add_n(&record, part->bytes, part->length);
    enum berth_err code = append(parts, record.bytes, record.length, err);
    if (code == BERTH_OK)
        note(parts, task, place);
    text_free(&record);
    return code;
}

bool parts_get(const struct parts *parts, uint32_t task, struct text *out)
{
    return parts_has(parts, task) && get_at(parts, task, &parts->places.items[task], out);
}
