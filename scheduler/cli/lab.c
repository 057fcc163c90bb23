/* lab.c -- `berth lab`: a small real cluster on this machine, and its faults. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "scheduler/base/mem.h"
#include "scheduler/cli/command.h"
#include "scheduler/lab/image.h"
#include "scheduler/lab/lab.h"

struct request {
    const char *name;
    const char *disk;
    int as_json, no_live_restore, quiet;
    int count; /* of `words`, which stand after the action */
    char **words;
};

static enum berth_err need_no_words(const struct request *request, const char *action,
                                    struct berth_error *err)
{
    return request->count == 0 ? BERTH_OK
                               : berth_fail(err, BERTH_ERR_INPUT,
                                            "%s: \"%.64s\" is one word too "
                                            "many; see berth lab --help",
                                            action, request->words[0]);
}

static void print_progress(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
}

/* "900 MiB", "1.9 GiB" */
static struct lab_name size_text(uint64_t bytes)
{
    struct lab_name text;
    double mib = (double)bytes / (1 << 20);
    if (mib < 1000)
        (void)snprintf(text.text, sizeof text.text, "%.0f MiB", mib);
    else
        (void)snprintf(text.text, sizeof text.text, "%.1f GiB", mib / 1024);
    return text;
}

static void print_table(const struct lab_status *status)
{
    printf("%6s  %-11s  %-32s  %-16s  %s\n", "engine", "state", "socket", "address", "disk used");
    for (int i = 0; i < status->plan.engine_count; i++) {
        const struct lab_engine *engine = &status->engines[i];
        printf("%6d  %-11s  %-32s  %-16s  %s of %s%s%s\n", engine->number,
               lab_state_names[engine->state], engine->socket.text, engine->address.text,
               size_text(engine->disk_used_bytes).text, size_text(engine->disk_total_bytes).text,
               engine->is_disk_full ? ", full" : "", engine->is_partitioned ? "; cut off" : "");
    }
}

static json_t *engine_json(const struct lab_engine *engine)
{
    return json_pack("{s:i, s:s, s:b, s:b, s:s, s:s, s:s, s:s, s:I, s:I, s:i}", "engine",
                     engine->number, "state", lab_state_names[engine->state], "partitioned",
                     engine->is_partitioned ? 1 : 0, "diskFull", engine->is_disk_full ? 1 : 0,
                     "socket", engine->socket.text, "address", engine->address.text, "url",
                     engine->url.text, "cgroupParent", engine->cgroup.text, "diskUsedBytes",
                     (json_int_t)engine->disk_used_bytes, "diskTotalBytes",
                     (json_int_t)engine->disk_total_bytes, "processes", engine->process_count);
}

static void print_json(const struct lab_status *status)
{
    json_t *engines = json_array();
    for (int i = 0; i < status->plan.engine_count; i++)
        (void)json_array_append_new(engines, engine_json(&status->engines[i]));
    json_t *all = json_pack("{s:s, s:b, s:s, s:s, s:o}", "lab", status->plan.name, "complete",
                            status->plan.is_complete ? 1 : 0, "machineAddress",
                            lab_address(status->plan.slot, LAB_MACHINE).text, "keys",
                            lab_path(status->plan.name, 0, LAB_KEYS).text, "engines", engines);
    char *text = json_dumps(all, JSON_INDENT(2));
    puts(text);
    free(text);
    json_decref(all);
}

static enum berth_err show(const char *name, int as_json, struct berth_error *err)
{
    struct lab_status *status = mem_alloc(sizeof *status);
    enum berth_err code = lab_status(name, status, err);
    if (code == BERTH_OK && as_json)
        print_json(status);
    else if (code == BERTH_OK)
        print_table(status);
    if (code == BERTH_OK && !status->plan.is_complete && !as_json)
        printf("It is being made, or what made it was killed: then berth lab down --name %s\n",
               name);
    mem_free(status);
    return code;
}

/* A lab that is not there may have been meant by another name. */
static void print_others(void)
{
    struct text names = TEXT_INIT;
    text_add(&names, "");
    lab_list(&names);
    for (char *at = names.bytes, *end; (end = strchr(at, '\n')) != NULL; at = end + 1)
        fprintf(stderr, "there is lab \"%.*s\"\n", (int)(end - at), at);
    text_free(&names);
}

static enum berth_err run_status(const struct request *request, struct berth_error *err)
{
    enum berth_err code = need_no_words(request, "status", err);
    if (code == BERTH_OK)
        code = show(request->name, request->as_json, err);
    if (code == BERTH_ERR_FAILED)
        print_others();
    return code;
}

static double now(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static enum berth_err run_up(const struct request *request, struct berth_error *err)
{
    unsigned long long count = 0;
    struct lab_options options = {.name = request->name,
                                  .disk_bytes = LAB_DISK_DEFAULT,
                                  .live_restore = !request->no_live_restore,
                                  .stop = &command_stop,
                                  .progress = request->quiet ? NULL : print_progress};
    if (request->count != 1)
        return berth_fail(err, BERTH_ERR_INPUT, "up needs a number of engines, as: berth lab up 3");
    double begin = now();
    enum berth_err code = command_number("up", request->words[0], 1, LAB_ENGINES_MAX, &count, err);
    options.engine_count = (int)count;
    if (code == BERTH_OK)
        code = lab_read_size(request->disk, &options.disk_bytes, err);
    if (code == BERTH_OK)
        code = lab_up(&options, err);
    if (code != BERTH_OK || request->quiet)
        return code;
    printf("Lab \"%s\" is up after %.1f s.\n\n", request->name, now() - begin);
    code = show(request->name, 0, err);
    printf("\nEach has the image %s: docker -H unix://%s run --rm busybox echo hello\n", LAB_IMAGE,
           lab_path(request->name, 1, "docker.sock").text);
    return code;
}

static enum berth_err run_down(const struct request *request, struct berth_error *err)
{
    bool found = false;
    enum berth_err code = need_no_words(request, "down", err);
    if (code == BERTH_OK)
        code = lab_down(request->name, &found, err);
    if (code == BERTH_OK && !request->quiet)
        printf(found ? "Lab \"%s\" is gone.\n" : "There was no lab \"%s\".\n", request->name);
    return code;
}

static enum berth_err run_image(const struct request *request, struct berth_error *err)
{
    int count = 0;
    const char *image = request->count == 0 ? LAB_IMAGE : request->words[0];
    if (request->count > 1)
        return berth_fail(err, BERTH_ERR_INPUT, "image takes one name; see berth lab --help");
    enum berth_err code = lab_image(request->name, image, &count, err);
    if (code == BERTH_OK && !request->quiet)
        printf("%d engines have %s.\n", count, image);
    return code;
}

static enum berth_err run_fault(enum lab_fault fault, const struct request *request,
                                struct berth_error *err)
{
    const struct lab_fault_info *info = &lab_fault_infos[fault];
    enum berth_err code = BERTH_OK;
    if (request->count == 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "%s needs the number of an engine, as: berth lab "
                          "%s 1",
                          info->name, info->name);
    for (int i = 0; i < request->count && code == BERTH_OK; i++) {
        unsigned long long engine = 0;
        bool changed = false;
        code = command_number(info->name, request->words[i], 1, 9999, &engine, err);
        if (code == BERTH_OK)
            code = lab_fault(request->name, fault, (int)engine, &changed, err);
        if (code == BERTH_OK && !request->quiet)
            printf("Engine %llu %s%s.\n", engine, info->done, changed ? "" : ", as before");
    }
    return code;
}

static enum berth_err unknown_action(const char *word, struct berth_error *err)
{
    const char *names[LAB_FAULT_COUNT + 5] = {"up", "down", "status", "image"};
    for (int i = 0; i < LAB_FAULT_COUNT; i++)
        names[4 + i] = lab_fault_infos[i].name;
    const char *near = berth_nearest(word, names);
    return near == NULL
               ? berth_fail(err, BERTH_ERR_INPUT, "no action \"%.64s\"; see berth lab --help", word)
               : berth_fail(err, BERTH_ERR_INPUT, "no action \"%.64s\"; did you mean \"%s\"?", word,
                            near);
}

static enum berth_err run(int argc, char **argv, struct berth_error *err)
{
    static const struct {
        const char *name;
        enum berth_err (*run)(const struct request *request, struct berth_error *err);
    } actions[] = {
        {"up", run_up}, {"down", run_down}, {"status", run_status}, {"image", run_image}};
    struct request request = {.name = LAB_DEFAULT_NAME};
    const struct command_flag flags[] = {
        {"--name", &request.name, NULL},    {"--disk", &request.disk, NULL},
        {"--json", NULL, &request.as_json}, {"--no-live-restore", NULL, &request.no_live_restore},
        {"--quiet", NULL, &request.quiet},  {NULL, NULL, NULL},
    };
    int operands = 0;
    enum berth_err code = command_parse(&command_lab, argc, argv, flags, &operands, err);
    if (code == BERTH_OK && operands == 0)
        code = berth_fail(err, BERTH_ERR_INPUT,
                          "needs an action, as: berth lab up 3; see berth "
                          "lab --help");
    if (code == BERTH_OK)
        code = lab_check_name(request.name, err);
    if (code != BERTH_OK)
        return code;
    request.count = operands - 1;
    request.words = argv + 1;
    command_catch_signals();
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(argv[0], actions[i].name) == 0)
            return actions[i].run(&request, err);
    for (int i = 0; i < LAB_FAULT_COUNT; i++)
        if (strcmp(argv[0], lab_fault_infos[i].name) == 0)
            return run_fault((enum lab_fault)i, &request, err);
    return unknown_action(argv[0], err);
}

const struct command command_lab = {
    .name = "lab",
    .summary = "a small real cluster of Docker engines on this machine",
    .help =
        "Usage: berth lab ACTION [ARGUMENT]... [--name NAME]\n\n"
        "A cluster of 1 to 16 Docker engines on one Linux machine. Each engine runs on a host of\n"
        "its own: namespaces, control groups, a link to the lab's network, a disk of fixed size.\n"
        "Needs root, and of Debian's packages docker.io, iproute2, iptables and busybox-static.\n\n"
        "  up N                  make a lab of N engines and wait until all answer\n"
        "  down                  remove all of it, also what a killed berth left behind\n"
        "  status                the engines, what is wrong with each, how full its disk is\n"
        "  image [NAME]          put busybox:latest into each engine, called NAME as well;\n"
        "                        up does so itself\n\n"
        "  kill I...             the host dies with all its containers, as by a power cut\n"
        "  revive I...           it boots again, with its disk\n"
        "  freeze I...           all its processes stop; thaw I...: they go on\n"
        "  partition I...        its network link goes down, it lives on; heal I...: up again\n"
        "  fill-disk I...        no block is left on its disk; free-disk I...: as before\n"
        "  crash-engine I...     SIGKILL to dockerd, which is started again after 2 s\n"
        "  crash-containerd I... SIGKILL to containerd, which dockerd starts again\n\n"
        "  --name NAME           which lab, for several side by side (default: lab)\n"
        "  --disk SIZE           of each engine, as 512M or 2G (default: 1G); up\n"
        "  --no-live-restore     containers end with their engine; up\n"
        "  --json                status as JSON\n"
        "  --quiet               say nothing but errors and what was asked for\n\n"
        "Engine I of lab NAME listens on /run/berth-lab/NAME/I/docker.sock and has the address\n"
        "10.213.S.I, this machine 10.213.S.254; S is 0 for the first lab, see up and status. The\n"
        "same API is at https://10.213.S.I:2376, with the keys in /run/berth-lab/NAME/tls/.\n\n"
        "Examples:\n"
        "  berth lab up 3\n"
        "  docker -H unix:///run/berth-lab/lab/1/docker.sock run -d -p 8080:80 busybox \\\n"
        "      httpd -f -h /www\n"
        "  curl http://10.213.0.1:8080/\n"
        "  berth lab kill 1; berth lab status; berth lab revive 1\n"
        "  berth lab down\n\n"
        "Exit status: 0 done; 1 no such lab, a lab of that name is there, the host is dead; 2 bad\n"
        "input; 3 not root, a program is missing, an engine did not start; 130 interrupted.\n",
    .run = run,
};
