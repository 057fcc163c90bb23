#include "sim/experiment/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scheduler/base/mem.h"

char *files_join(const char *folder, const char *name)
{
    struct text text = TEXT_INIT;
    text_add(&text, folder);
    if (text.length > 0 && text.bytes[text.length - 1] != '/')
        text_add(&text, "/");
    text_add(&text, name);
    return text.bytes;
}

static const char *cure(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
        return "free some space and run the same command again";
    case EACCES:
    case EPERM:
    case EROFS:
        return "choose a folder that you may write to with --out";
    case ENOTDIR:
    case EEXIST:
        return "a file stands where a folder is needed: choose another with --out";
    default:
        return "see whether the disk is in order";
    }
}

enum berth_err files_fail(const char *path, int number, struct berth_error *err)
{
    return berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: %s; %s", path, strerror(number),
                      cure(number));
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

enum berth_err files_make_folder(const char *path, struct berth_error *err)
{
    char *prefix = mem_copy_text(path);
    enum berth_err code = BERTH_OK;
    for (char *at = prefix; code == BERTH_OK && *at != '\0';) {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        char kept = *at;
        *at = '\0';
        if (!is_folder(prefix) && mkdir(prefix, 0777) != 0 && !is_folder(prefix))
            code = files_fail(prefix, errno, err);
        *at = kept;
    }
    mem_free(prefix);
    return code;
}

static void forget(struct files_writer *writer)
{
    mem_free(writer->path);
    mem_free(writer->new_path);
    *writer = (struct files_writer){NULL, NULL, NULL};
}

enum berth_err files_create(const char *path, struct files_writer *writer, struct berth_error *err)
{
    struct text new_path = TEXT_INIT;
    text_addf(&new_path, "%s.new", path);
    *writer =
        (struct files_writer){fopen(new_path.bytes, "w"), mem_copy_text(path), new_path.bytes};
    if (writer->out != NULL)
        return BERTH_OK;
    enum berth_err code = files_fail(path, errno, err);
    forget(writer);
    return code;
}

/* 0 when all was written. stdio forgets why an earlier write failed: one byte more asks again. */
static int write_out(FILE *out)
{
    bool has_failed = ferror(out) != 0;
    errno = 0;
    if (has_failed)
        (void)putc('\n', out);
    if (fflush(out) == 0 && !has_failed)
        return 0;
    return errno != 0 ? errno : EIO;
}

enum berth_err files_commit(struct files_writer *writer, struct berth_error *err)
{
    int number = write_out(writer->out);
    if (fclose(writer->out) != 0 && number == 0)
        number = errno;
    enum berth_err code = number != 0 ? files_fail(writer->path, number, err)
                                      : files_rename(writer->new_path, writer->path, err);
    if (code != BERTH_OK)
        unlink(writer->new_path);
    forget(writer);
    return code;
}

void files_abandon(struct files_writer *writer)
{
    if (writer->out == NULL)
        return;
    (void)fclose(writer->out);
    unlink(writer->new_path);
    forget(writer);
}

enum berth_err files_write(const char *path, const struct text *text, struct berth_error *err)
{
    struct files_writer writer;
    enum berth_err code = files_create(path, &writer, err);
    if (code != BERTH_OK)
        return code;
    if (text->length > 0)
        (void)!fwrite(text->bytes, 1, text->length, writer.out);
    return files_commit(&writer, err);
}

enum berth_err files_rename(const char *from, const char *to, struct berth_error *err)
{
    return rename(from, to) == 0 ? BERTH_OK : files_fail(to, errno, err);
}

enum berth_err files_read(const char *path, struct text *out, struct berth_error *err)
{
    FILE *in = is_folder(path) ? NULL : fopen(path, "rb");
    if (in == NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "%s: %s; give the path of a file", path,
                          is_folder(path) ? "is a folder" : strerror(errno));
    char block[1 << 15];
    for (size_t got; (got = fread(block, 1, sizeof block, in)) > 0;)
        text_add_n(out, block, got);
    text_add(out, "");
    int number = ferror(in) != 0 ? EIO : 0;
    (void)fclose(in);
    return number == 0 ? BERTH_OK : files_fail(path, number, err);
}

bool files_exist(const char *path)
{
    return access(path, F_OK) == 0;
}

void files_remove(const char *path)
{
    (void)remove(path);
}

void files_empty_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *inside = files_join(path, entry->d_name);
        struct stat status;
        if (lstat(inside, &status) == 0 && S_ISDIR(status.st_mode))
            files_empty_folder(inside);
        files_remove(inside);
        mem_free(inside);
    }
    closedir(folder);
}
