#include "sim/experiment/ranks.h"

#include <stdlib.h>
#include <string.h>

int ranks_mine(void)
{
    /* Open MPI's mpirun, srun --mpi=pmix; srun --mpi=pmi2 and MPICH's */
    static const char *const ranks[] = {"PMIX_RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK"};
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (getenv(sizes[i]) != NULL && strcmp(getenv(sizes[i]), "1") == 0)
            return -1;
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++)
        if (getenv(ranks[i]) != NULL)
            return atoi(getenv(ranks[i]));
    return -1;
}

#ifndef BERTH_MPI

enum berth_err ranks_open(struct ranks **out, struct berth_error *err)
{
    (void)err;
    *out = NULL;
    return BERTH_OK;
}

const struct farm *ranks_farm(const struct ranks *ranks)
{
    (void)ranks;
    return NULL;
}

void ranks_close(struct ranks *ranks)
{
    (void)ranks;
}

void ranks_expect(struct ranks *ranks, const char *origin)
{
    (void)ranks;
    (void)origin;
}

enum berth_err ranks_serve(const struct farm_work *work, const char *origin,
                           struct berth_error *err)
{
    (void)work;
    (void)origin;
    return berth_fail(
        err, BERTH_ERR_ENVIRONMENT,
        "rank %d of an MPI job, but this berth knows no MPI; build one that does with "
        "make MPI=1",
        ranks_mine());
}

#else

#include <dirent.h>
#include <mpi.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "scheduler/base/mem.h"
#include "sim/experiment/files.h"
#include "sim/experiment/worker.h"

#define NAP_SHARE 8
#define NAP_LEAST_NS 20000
#define NAP_MOST_NS 4000000
#define PATIENCE_NS 5000000000 /* with workers that were asked to stop */
#define WATCH_MS 50            /* between looks for a message while a task runs */
#define CHUNK_BYTES (1 << 18)

enum tag {
    /* to the master */
    TAG_READY = 1, /* a worker's origin */
    TAG_UNFIT,     /* why it cannot work */
    TAG_FILE,      /* the name of a file, in front of the answer */
    TAG_BYTES,     /* of it */
    TAG_ANSWER,    /* struct farm_answer, then the product */
    /* to a worker */
    TAG_TASK,
    TAG_STOP, /* interrupt what you do */
    TAG_HOME,
};

struct member {
    bool is_known, is_ready, is_busy;
    uint32_t task;
    struct files_writer file; /* that it sends; out is NULL when it sends none */
};

struct ranks {
    struct farm farm;
    struct member *members; /* by rank; 0 is not used */
    int count;
    char *origin;
    struct text message;
    bool is_stuck; /* somebody did not answer in time */
};

/* How long nothing has come. */
struct wait {
    int64_t since_ns, now_ns;
};

static int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void wait_begin(struct wait *wait)
{
    wait->since_ns = wait->now_ns = clock_ns();
}

static void wait_a_while(struct wait *wait)
{
    int64_t nap_ns = (wait->now_ns - wait->since_ns) / NAP_SHARE;
    nap_ns = nap_ns < NAP_LEAST_NS ? NAP_LEAST_NS : nap_ns > NAP_MOST_NS ? NAP_MOST_NS : nap_ns;
    nanosleep(&(struct timespec){.tv_nsec = (long)nap_ns}, NULL);
    wait->now_ns = clock_ns();
}

static void post(int rank, enum tag tag, const void *bytes, size_t length)
{
    MPI_Send(bytes, (int)length, MPI_BYTE, rank, (int)tag, MPI_COMM_WORLD);
}

/* The next message, when there is one. */
static bool fetch(struct text *message, int *rank, enum tag *tag)
{
    int is_there = 0, length = 0;
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &is_there, &status);
    if (!is_there)
        return false;
    MPI_Get_count(&status, MPI_BYTE, &length);
    text_clear(message);
    if (message->capacity <= (size_t)length) {
        message->capacity = (size_t)length + 1;
        message->bytes = mem_resize(message->bytes, message->capacity, 1);
    }
    MPI_Recv(message->bytes, length, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD,
             MPI_STATUS_IGNORE);
    message->length = (size_t)length;
    message->bytes[length] = '\0';
    *rank = status.MPI_SOURCE;
    *tag = (enum tag)status.MPI_TAG;
    return true;
}

/* -- the master ---------------------------------------------------------------------------------
 */

struct round {
    struct ranks *ranks;
    const struct farm_work *work;
    struct farm_tally tally;
    uint32_t busy_count;
};

static void fail(struct round *round, const char *text)
{
    const struct farm_failure failure = {FARM_NO_TASK, false};
    farm_fail(&round->tally, failure, BERTH_ERR_ENVIRONMENT, text);
}

static void meet(struct round *round, int rank, enum tag tag)
{
    struct ranks *ranks = round->ranks;
    char text[BERTH_ERROR_TEXT_MAX];
    ranks->members[rank].is_known = true;
    ranks->members[rank].is_ready =
        tag == TAG_READY && strcmp(ranks->message.bytes, ranks->origin) == 0;
    if (ranks->members[rank].is_ready)
        return;
    if (tag == TAG_UNFIT)
        snprintf(text, sizeof text, "rank %d: %.900s", rank, ranks->message.bytes);
    else
        snprintf(text, sizeof text,
                 "rank %d has another build of berth or another scenario than rank 0; let every "
                 "node have the same files",
                 rank);
    fail(round, text);
}

static void begin_file(struct round *round, struct member *member)
{
    struct berth_error err = BERTH_ERROR_INIT;
    char *path = files_join(round->work->folder, round->ranks->message.bytes);
    if (files_create(path, &member->file, &err) != BERTH_OK)
        fail(round, err.text);
    mem_free(path);
}

static void end_file(struct round *round, struct member *member)
{
    struct berth_error err = BERTH_ERROR_INIT;
    if (member->file.out != NULL && files_commit(&member->file, &err) != BERTH_OK)
        fail(round, err.text);
}

static void take_answer(struct round *round, struct member *member)
{
    const struct text *message = &round->ranks->message;
    struct farm_answer answer;
    memcpy(&answer, message->bytes, sizeof answer);
    const struct text product = {message->bytes + sizeof answer, message->length - sizeof answer,
                                 0};
    farm_take(&round->tally, round->work, member->task, &answer, &product);
    member->is_busy = false;
    round->busy_count--;
}

static void hear(struct round *round, int rank, enum tag tag)
{
    struct member *member = &round->ranks->members[rank];
    const struct text *message = &round->ranks->message;
    switch (tag) {
    case TAG_FILE:
        end_file(round, member);
        begin_file(round, member);
        break;
    case TAG_BYTES:
        if (member->file.out != NULL)
            (void)!fwrite(message->bytes, 1, message->length, member->file.out);
        break;
    case TAG_ANSWER:
        end_file(round, member);
        take_answer(round, member);
        if (round->work->progress != NULL)
            round->work->progress(round->work->context, round->tally.done);
        break;
    default:
        meet(round, rank, tag);
    }
}

/* All that has come; what has not is waited for a little. */
static void take_a_turn(struct round *round, struct wait *wait)
{
    int rank;
    enum tag tag;
    bool has_heard = false;
    while (fetch(&round->ranks->message, &rank, &tag)) {
        hear(round, rank, tag);
        has_heard = true;
    }
    if (has_heard)
        wait_begin(wait);
    else
        wait_a_while(wait);
}

static void give_out(struct round *round)
{
    uint32_t task;
    for (int rank = 1; rank < round->ranks->count; rank++) {
        struct member *member = &round->ranks->members[rank];
        if (!member->is_ready || member->is_busy)
            continue;
        if (!farm_next(&round->tally, round->work, &task))
            return;
        member->task = task;
        member->is_busy = true;
        round->busy_count++;
        post(rank, TAG_TASK, &task, sizeof task);
    }
}

static bool has_more(const struct round *round)
{
    return round->busy_count > 0 ||
           (round->tally.code == BERTH_OK && round->tally.begun < round->work->task_count);
}

static bool is_stopped(const struct round *round)
{
    const struct farm_work *work = round->work;
    return round->tally.was_stopped || (work->stop != NULL && *work->stop != 0);
}

static void interrupt_all(struct round *round)
{
    struct wait wait;
    int64_t begin_ns = clock_ns();
    round->tally.was_stopped = true;
    for (int rank = 1; rank < round->ranks->count; rank++)
        if (round->ranks->members[rank].is_busy)
            post(rank, TAG_STOP, NULL, 0);
    wait_begin(&wait);
    while (round->busy_count > 0 && wait.now_ns - begin_ns < PATIENCE_NS)
        take_a_turn(round, &wait);
    round->ranks->is_stuck = round->busy_count > 0;
}

static enum berth_err run(void *context, const struct farm_work *work, struct farm_failure *failure,
                          struct berth_error *err)
{
    struct round round = {.ranks = context, .work = work};
    struct wait wait;
    wait_begin(&wait);
    while (!is_stopped(&round) && has_more(&round)) {
        give_out(&round);
        take_a_turn(&round, &wait);
    }
    if (is_stopped(&round))
        interrupt_all(&round);
    return farm_conclude(&round.tally, failure, err);
}

enum berth_err ranks_open(struct ranks **out, struct berth_error *err)
{
    int count = 1;
    *out = NULL;
    if (ranks_mine() < 0)
        return BERTH_OK;
    if (MPI_Init(NULL, NULL) != MPI_SUCCESS)
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "MPI cannot be begun; see what mpirun says");
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    struct ranks *ranks = mem_alloc(sizeof *ranks);
    *ranks = (struct ranks){.farm = {run, ranks}, .count = count, .origin = mem_copy_text("")};
    ranks->members = mem_alloc((size_t)count * sizeof *ranks->members);
    *out = ranks;
    return BERTH_OK;
}

const struct farm *ranks_farm(const struct ranks *ranks)
{
    return ranks != NULL && ranks->count > 1 ? &ranks->farm : NULL;
}

void ranks_expect(struct ranks *ranks, const char *origin)
{
    if (ranks == NULL)
        return;
    mem_free(ranks->origin);
    ranks->origin = mem_copy_text(origin);
}

/* A message that nobody takes would keep MPI from ending. */
static void meet_all(struct ranks *ranks)
{
    int rank, known_count = 1;
    enum tag tag;
    struct wait wait;
    wait_begin(&wait);
    for (rank = 1; rank < ranks->count; rank++)
        known_count += ranks->members[rank].is_known;
    while (known_count < ranks->count) {
        if (fetch(&ranks->message, &rank, &tag))
            known_count++;
        else
            wait_a_while(&wait);
    }
}

void ranks_close(struct ranks *ranks)
{
    if (ranks == NULL)
        return;
    if (ranks->is_stuck) {
        fflush(NULL);
        MPI_Abort(MPI_COMM_WORLD, BERTH_ERR_INTERRUPTED);
    }
    meet_all(ranks);
    for (int rank = 1; rank < ranks->count; rank++)
        post(rank, TAG_HOME, NULL, 0);
    MPI_Finalize();
    text_free(&ranks->message);
    mem_free(ranks->origin);
    mem_free(ranks->members);
    mem_free(ranks);
}

/* -- a worker -----------------------------------------------------------------------------------
 */

struct server {
    const struct farm_work *work;
    struct worker worker;
    char *folder; /* where a task leaves its files, on this node */
    struct text message, product;
};

static void post_file(const char *path, const char *name)
{
    char *chunk = mem_alloc(CHUNK_BYTES);
    FILE *in = fopen(path, "rb");
    if (in != NULL) {
        post(0, TAG_FILE, name, strlen(name));
        for (size_t got; (got = fread(chunk, 1, CHUNK_BYTES, in)) > 0;)
            post(0, TAG_BYTES, chunk, got);
        (void)fclose(in);
    }
    mem_free(chunk);
}

static void post_files(const struct server *server)
{
    DIR *folder = opendir(server->folder);
    if (folder == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char *path = files_join(server->folder, entry->d_name);
        post_file(path, entry->d_name);
        files_remove(path);
        mem_free(path);
    }
    closedir(folder);
}

static bool must_stop(struct server *server)
{
    int rank;
    enum tag tag;
    bool is_told = fetch(&server->message, &rank, &tag) && tag == TAG_STOP;
    return is_told || (server->work->stop != NULL && *server->work->stop != 0);
}

static void do_task(struct server *server, uint32_t task)
{
    struct farm_answer answer = {.code = BERTH_ERR_ENVIRONMENT,
                                 .text = "a task before this one has ended its process"};
    text_clear(&server->product);
    if (server->worker.pid > 0) {
        struct pollfd polled = {.fd = server->worker.channel, .events = POLLIN};
        bool is_told = false;
        worker_give(&server->worker, task);
        while (poll(&polled, 1, WATCH_MS) <= 0) {
            if (is_told || !must_stop(server))
                continue;
            worker_interrupt(&server->worker);
            is_told = true;
        }
        worker_take(&server->worker, &answer, &server->product);
    }
    if (answer.code == BERTH_OK)
        post_files(server);
    text_clear(&server->message);
    text_add_n(&server->message, (const char *)&answer, sizeof answer);
    text_add_n(&server->message, server->product.bytes, server->product.length);
    post(0, TAG_ANSWER, server->message.bytes, server->message.length);
}

static void serve(struct server *server)
{
    int rank;
    enum tag tag;
    uint32_t task;
    struct wait wait;
    wait_begin(&wait);
    for (;;) {
        if (!fetch(&server->message, &rank, &tag)) {
            wait_a_while(&wait);
            continue;
        }
        if (tag == TAG_HOME)
            return;
        if (tag == TAG_TASK) {
            memcpy(&task, server->message.bytes, sizeof task);
            do_task(server, task);
        }
        wait_begin(&wait);
    }
}

/* Its folder and its process; what is wrong otherwise. */
static const char *prepare(struct server *server)
{
    const char *parent = getenv("TMPDIR");
    server->folder = files_join(parent != NULL ? parent : "/tmp", "berth-XXXXXX");
    if (mkdtemp(server->folder) == NULL)
        return "no folder of its own can be made in TMPDIR (/tmp)";
    if (!worker_start(&server->worker, server->work, server->folder))
        return "no new process";
    return NULL;
}

enum berth_err ranks_serve(const struct farm_work *work, const char *origin,
                           struct berth_error *err)
{
    struct server server = {.work = work};
    const char *complaint = work == NULL ? origin : prepare(&server);
    if (MPI_Init(NULL, NULL) != MPI_SUCCESS)
        return berth_fail(err, BERTH_ERR_ENVIRONMENT, "MPI cannot be begun; see what mpirun says");
    if (complaint == NULL)
        post(0, TAG_READY, origin, strlen(origin));
    else
        post(0, TAG_UNFIT, complaint, strlen(complaint));
    serve(&server);
    worker_end(&server.worker);
    if (server.folder != NULL) {
        files_empty_folder(server.folder);
        files_remove(server.folder);
    }
    MPI_Finalize();
    text_free(&server.message);
    text_free(&server.product);
    mem_free(server.folder);
    return BERTH_OK;
}

#endif
