#define _DEFAULT_SOURCE /* strsignal */
#include "sim/experiment/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_MORE UINT32_MAX /* in place of a task */

struct message {
    struct farm_answer answer;
    size_t length; /* of the product, which follows */
};

/* False when the other has ended. */
static bool receive(int channel, void *bytes, size_t length)
{
    for (size_t got = 0; got < length;) {
        ssize_t more = recv(channel, (char *)bytes + got, length - got, 0);
        if (more == 0 || (more < 0 && errno != EINTR))
            return false;
        got += more > 0 ? (size_t)more : 0;
    }
    return true;
}

/* Whether the other has ended is found out by receiving. */
static void say(int channel, const void *bytes, size_t length)
{
    for (size_t put = 0; put < length;) {
        ssize_t more = send(channel, (const char *)bytes + put, length - put, MSG_NOSIGNAL);
        if (more < 0 && errno != EINTR)
            return;
        put += more > 0 ? (size_t)more : 0;
    }
}

static void end_with(pid_t parent)
{
#ifdef __linux__
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != parent)
        _exit(BERTH_ERR_INTERRUPTED);
}

static _Noreturn void work_on(const struct farm_work *work, const char *folder, int channel)
{
    struct text product = TEXT_INIT;
    uint32_t task;
    while (receive(channel, &task, sizeof task) && task != NO_MORE) {
        struct berth_error err = BERTH_ERROR_INIT;
        text_clear(&product);
        struct message message = {.answer.code =
                                      work->run(work->context, task, folder, &product, &err)};
        if (message.answer.code != BERTH_OK) {
            memcpy(message.answer.text, err.text, sizeof message.answer.text);
            text_clear(&product);
        }
        message.length = product.length;
        say(channel, &message, sizeof message);
        say(channel, product.bytes, product.length);
    }
    _exit(0);
}

bool worker_start(struct worker *worker, const struct farm_work *work, const char *folder)
{
    int ends[2];
    pid_t parent = getpid();
    *worker = (struct worker){.channel = -1};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        end_with(parent);
        work_on(work, folder, ends[1]);
    }
    int number = errno;
    close(ends[1]);
    if (pid > 0)
        *worker = (struct worker){.pid = pid, .channel = ends[0]};
    else
        close(ends[0]);
    errno = number;
    return pid > 0;
}

void worker_give(struct worker *worker, uint32_t task)
{
    worker->task = task;
    worker->is_busy = true;
    say(worker->channel, &task, sizeof task);
}

/* Its end, and what it says of it. */
static void bury(struct worker *worker, char *text, size_t size)
{
    int status = 0;
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(worker->channel);
    *worker = (struct worker){.channel = -1};
    if (WIFSIGNALED(status))
        snprintf(text, size, "its process was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, size, "its process ended with status %d", WEXITSTATUS(status));
}

static bool receive_product(int channel, size_t length, struct text *product)
{
    char block[1 << 14];
    text_clear(product);
    while (product->length < length) {
        size_t left = length - product->length;
        size_t next = left < sizeof block ? left : sizeof block;
        if (!receive(channel, block, next))
            return false;
        text_add_n(product, block, next);
    }
    return true;
}

void worker_take(struct worker *worker, struct farm_answer *out, struct text *product)
{
    struct message message;
    if (receive(worker->channel, &message, sizeof message) &&
        receive_product(worker->channel, message.length, product)) {
        *out = message.answer;
    } else {
        *out = (struct farm_answer){.code = BERTH_ERR_ENVIRONMENT, .is_crash = true};
        bury(worker, out->text, sizeof out->text);
    }
    worker->is_busy = false;
}

void worker_interrupt(struct worker *worker)
{
    if (worker->pid > 0)
        kill(worker->pid, SIGTERM);
}

void worker_kill(struct worker *worker)
{
    if (worker->pid > 0)
        kill(worker->pid, SIGKILL);
}

void worker_end(struct worker *worker)
{
    const uint32_t no_more = NO_MORE;
    char ignored[128];
    if (worker->pid <= 0)
        return;
    say(worker->channel, &no_more, sizeof no_more);
    bury(worker, ignored, sizeof ignored);
}
