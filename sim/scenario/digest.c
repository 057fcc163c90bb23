/*
 * digest.c -- the bare SHA-256 of libcrypto: the way through its EVP looks for a provider first,
 * five million instructions, which is a fifth of the start of a small run.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sim/scenario/digest.h"

#include <errno.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "scheduler/ecs/json_compact.h"

enum { CHUNK_BYTES = 1 << 16 };

struct csv_digest {
    char *path; /* owned */
    char hex[65];
};

struct digest {
    SHA256_CTX context;
    size_t bytes;
    VEC(struct csv_digest) files; /* each is read once, however many cells name it */
};

static void finish(SHA256_CTX *context, char hex[65])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[SHA256_DIGEST_LENGTH];
    (void)SHA256_Final(hash, context);
    for (unsigned i = 0; i < 32; i++) {
        hex[2 * i] = digits[hash[i] >> 4];
        hex[2 * i + 1] = digits[hash[i] & 15];
    }
    hex[64] = '\0';
}

struct digest *digest_create(void)
{
    struct digest *digest = mem_alloc(sizeof *digest);
    (void)SHA256_Init(&digest->context);
    return digest;
}

void digest_destroy(struct digest *digest)
{
    for (size_t i = 0; i < digest->files.count; i++)
        mem_free(digest->files.items[i].path);
    vec_free(&digest->files);
    mem_free(digest);
}

static void fail_read(const struct at *at, const char *path, gzFile file, int got)
{
    int code = Z_OK;
    const char *what = gzerror(file, &code);
    if (got < 0 && code == Z_BUF_ERROR)
        at_fail(at, "%.300s: the gzip stream ends too early; the file is cut, fetch it again",
                path);
    else if (code == Z_ERRNO)
        at_fail(at, "%.300s: cannot be read: %s; name a CSV file", path, strerror(errno));
    else
        at_fail(at, "%.300s: the gzip stream is damaged (%.80s); fetch the file again", path, what);
}

static bool hash_file(const struct at *at, const char *path, char hex[65])
{
    /* A workload is read more than once, which neither a pipe nor /dev/zero would bear. */
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        at_fail(at, "%.300s: not a file; name a CSV file", path);
        return false;
    }
    gzFile file = gzopen(path, "rb");
    if (file == NULL) {
        at_fail(at, "%.300s: %s; check the path", path, strerror(errno));
        return false;
    }
    unsigned char *chunk = mem_alloc(CHUNK_BYTES);
    SHA256_CTX context;
    (void)SHA256_Init(&context);
    int got;
    while ((got = gzread(file, chunk, CHUNK_BYTES)) > 0)
        (void)SHA256_Update(&context, chunk, (size_t)got);
    int code = Z_OK;
    (void)gzerror(file, &code);
    /* A stream that is cut may also read as a clean end with an error pending. */
    bool is_whole = got == 0 && code == Z_OK;
    if (!is_whole)
        fail_read(at, path, file, code == Z_BUF_ERROR ? -1 : got);
    finish(&context, hex);
    (void)gzclose(file);
    mem_free(chunk);
    return is_whole;
}

static const char *file_digest(struct digest *digest, const struct at *at, const char *path)
{
    for (size_t i = 0; i < digest->files.count; i++)
        if (strcmp(digest->files.items[i].path, path) == 0)
            return digest->files.items[i].hex;
    struct csv_digest entry;
    if (!hash_file(at, path, entry.hex))
        return NULL;
    entry.path = mem_copy_text(path);
    *vec_push(&digest->files) = entry;
    return digest->files.items[digest->files.count - 1].hex;
}

/* A copy in which every CSV is replaced by its digest. */
static json_t *canonical(struct digest *digest, const struct at *root)
{
    json_t *copy = json_copy(root->json);
    struct at arrivals = at_member(root, "arrivals");
    json_t *arrivals_copy = json_copy(arrivals.json);
    const char *name;
    json_t *arrival;
    json_object_foreach(arrivals.json, name, arrival)
    {
        struct at at = at_member(&arrivals, name), csv = at_member(&at, "csv");
        const char *path = json_string_value(csv.json);
        const char *hex = path == NULL ? NULL : file_digest(digest, &csv, path);
        if (hex == NULL)
            continue;
        json_t *arrival_copy = json_copy(arrival);
        (void)json_object_set_new(arrival_copy, "csv", json_string(hex));
        (void)json_object_set_new(arrivals_copy, name, arrival_copy);
    }
    if (arrivals_copy != NULL)
        (void)json_object_set_new(copy, "arrivals", arrivals_copy);
    return copy;
}

static void take_piece(void *context, const char *bytes, size_t length)
{
    struct digest *digest = context;
    (void)SHA256_Update(&digest->context, bytes, length);
    digest->bytes += length;
}

void digest_add(struct digest *digest, const char *name, const struct at *root)
{
    if (root->reader->has_failed)
        return;
    json_t *json = canonical(digest, root);
    (void)SHA256_Update(&digest->context, name, strlen(name) + 1);
    json_write_pieces(json, JSON_BY_KEY, take_piece, digest);
    (void)SHA256_Update(&digest->context, "", 1);
    json_decref(json);
}

size_t digest_bytes(const struct digest *digest)
{
    return digest->bytes;
}

void digest_finish(struct digest *digest, char hex[65])
{
    finish(&digest->context, hex);
}
