#include "scheduler/lab/image.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/lab/http.h"
#include "scheduler/lab/process.h"
#include "scheduler/lab/tar.h"

#define CALL_MS 10000
#define IMPORT_MS 60000
#define BUSYBOX_SECONDS 10

enum berth_err lab_check_image(const char *image, struct berth_error *err)
{
    size_t length = strlen(image), colons = 0;
    bool good = length > 0 && length <= 128 && islower((unsigned char)image[0]) != 0 &&
                image[length - 1] != ':';
    for (size_t i = 0; i < length && good; i++) {
        unsigned char byte = (unsigned char)image[i];
        colons += byte == ':' ? 1 : 0;
        good = (islower(byte) != 0 || isdigit(byte) != 0 || strchr("._-/:", byte) != NULL) &&
               colons <= 1;
    }
    return good
               ? BERTH_OK
               : berth_fail(err, BERTH_ERR_INPUT,
                            "\"%.64s\" is no name for an image; NAME or NAME:TAG, as web:2", image);
}

bool lab_is_static(const char *bytes, size_t length)
{
    Elf64_Ehdr head;
    if (length < sizeof head || memcmp(bytes, ELFMAG, SELFMAG) != 0 ||
        bytes[EI_CLASS] != ELFCLASS64)
        return false;
    memcpy(&head, bytes, sizeof head);
    for (size_t i = 0; i < head.e_phnum; i++) {
        Elf64_Phdr part;
        if (head.e_phoff > length || (i + 1) * sizeof part > length - head.e_phoff)
            return false;
        memcpy(&part, bytes + head.e_phoff + i * sizeof part, sizeof part);
        if (part.p_type == PT_INTERP)
            return false;
    }
    return true;
}

bool lab_busybox_path(char *path, size_t size)
{
    struct text program = TEXT_INIT;
    bool good = lab_program_exists("busybox", path, size) && lab_read_file(path, &program) &&
                lab_is_static(program.bytes, program.length);
    text_free(&program);
    return good;
}

static const struct {
    const char *name;
    unsigned mode;
    const char *bytes; /* NULL: a folder */
} files[] = {
    {"bin", 0755, NULL},
    {"dev", 0755, NULL},
    {"etc", 0755, NULL},
    {"proc", 0755, NULL},
    {"root", 0700, NULL},
    {"sys", 0755, NULL},
    {"tmp", 01777, NULL},
    {"www", 0755, NULL},
    {"etc/passwd", 0644,
     "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"},
    {"etc/group", 0644, "root:x:0:\nnogroup:x:65534:\n"},
    {"www/index.html", 0644, "ok\n"},
};

enum berth_err lab_image_make(struct text *tar, struct berth_error *err)
{
    char path[256];
    static const char *const argv[] = {"busybox", "--list", NULL};
    struct text program = TEXT_INIT, names = TEXT_INIT;
    const struct lab_program list = {
        .argv = argv, .netns = -1, .output = &names, .seconds = BUSYBOX_SECONDS};
    if (!lab_busybox_path(path, sizeof path))
        return berth_fail(err, BERTH_ERR_ENVIRONMENT,
                          "no static busybox on this machine; apt-get install busybox-static");
    enum berth_err code = lab_program_run(&list, err);
    if (code == BERTH_OK && !lab_read_file(path, &program))
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s", path, strerror(errno));
    for (size_t i = 0; i < sizeof files / sizeof files[0] && code == BERTH_OK; i++)
        if (files[i].bytes == NULL)
            tar_add_folder(tar, files[i].name, files[i].mode);
        else
            tar_add_file(tar, files[i].name, files[i].mode, files[i].bytes, strlen(files[i].bytes));
    if (code == BERTH_OK)
        tar_add_file(tar, "bin/busybox", 0755, program.bytes, program.length);
    for (char *at = names.bytes; code == BERTH_OK && at != NULL && *at != '\0';) {
        size_t length = strcspn(at, "\n");
        char link[64];
        (void)snprintf(link, sizeof link, "bin/%.*s", (int)(length < 50 ? length : 50), at);
        if (strcmp(link, "bin/busybox") != 0 && length > 0)
            tar_add_link(tar, link, "busybox");
        at += length + (at[length] == '\n' ? 1 : 0);
    }
    if (code == BERTH_OK)
        tar_end(tar);
    text_free(&program);
    text_free(&names);
    return code;
}

/* One call whose status must be one of two. */
static enum berth_err call(const struct lab_request *request, int good, int also, int *status,
                           struct berth_error *err)
{
    struct text answer = TEXT_INIT;
    enum berth_err code = lab_request(request, status, &answer, err);
    /* An import that fails on the way says so within an answer of 200. */
    bool failed = code == BERTH_OK && ((*status != good && *status != also) ||
                                       (answer.length > 0 && strstr(answer.bytes, "errorDetail")));
    if (failed)
        code = berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s: %d %.200s", request->socket,
                          request->target, *status, answer.length == 0 ? "" : answer.bytes);
    text_free(&answer);
    return code;
}

enum berth_err lab_image_load(const char *socket, const struct text *tar, const char *image,
                              struct berth_error *err)
{
    char tag[400];
    int status = 0;
    struct lab_request request = {.socket = socket,
                                  .method = "GET",
                                  .target = "/images/" LAB_IMAGE "/json",
                                  .body = "",
                                  .timeout_ms = CALL_MS};
    enum berth_err code = call(&request, 200, 404, &status, err);
    if (code == BERTH_OK && status == 404) {
        /* changes: CMD ["sh"] */
        request = (struct lab_request){.socket = socket,
                                       .method = "POST",
                                       .target = "/images/create?fromSrc=-&repo=busybox&tag=latest"
                                                 "&changes=CMD%20%5B%22sh%22%5D",
                                       .type = "application/x-tar",
                                       .body = tar->bytes,
                                       .length = tar->length,
                                       .timeout_ms = IMPORT_MS};
        code = call(&request, 200, 200, &status, err);
    }
    if (code != BERTH_OK || strcmp(image, LAB_IMAGE) == 0)
        return code;
    const char *colon = strchr(image, ':');
    (void)snprintf(tag, sizeof tag, "/images/" LAB_IMAGE "/tag?repo=%.*s&tag=%s",
                   (int)strcspn(image, ":"), image, colon == NULL ? "latest" : colon + 1);
    request = (struct lab_request){
        .socket = socket, .method = "POST", .target = tag, .body = "", .timeout_ms = CALL_MS};
    return call(&request, 201, 201, &status, err);
}
