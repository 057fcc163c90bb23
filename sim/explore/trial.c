#define _DEFAULT_SOURCE /* alarm */
#include "sim/explore/trial.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scheduler/base/mem.h"

#define PATIENCE_S 300

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Losses of the timeline are faults too; the rest is counted by the run. */
static void count_losses(const struct scenario *scenario, uint64_t chaos[CHAOS_KIND_COUNT])
{
    static const enum chaos_kind kinds[] = {
        [LOSS_TERMINATE] = CHAOS_HOST_TERMINATED,
        [LOSS_WIPE] = CHAOS_HOST_WIPED,
        [LOSS_STOP] = CHAOS_HOST_STOPPED,
        [LOSS_HANG] = CHAOS_HOST_HUNG,
        [LOSS_DISCONNECT] = CHAOS_HOST_DISCONNECTED,
    };
    for (uint32_t i = 0; i < scenario->timeline_count; i++)
        switch (scenario->timeline[i].kind) {
        case TIMELINE_FAIL:
            chaos[kinds[scenario->timeline[i].mode]]++;
            break;
        case TIMELINE_ENGINE:
            chaos[scenario->timeline[i].keeps ? CHAOS_ENGINE_KEPT : CHAOS_ENGINE_LOST]++;
            break;
        case TIMELINE_SLOW:
            chaos[CHAOS_HOST_SLOW]++;
            break;
        default:
            break;
        }
}

static double heal_seconds(const struct scenario *scenario)
{
    berth_ns healed_ns = 0;
    for (uint32_t i = 0; i < scenario->timeline_count; i++)
        if (scenario->timeline[i].kind == TIMELINE_RECOVER && healed_ns == 0)
            healed_ns = scenario->timeline[i].at_ns;
    return (double)healed_ns / (double)BERTH_NS_PER_S;
}

static void watch_run(const struct scenario *scenario, struct trial_outcome *out)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct run_result result = {.samples = NULL};
    struct audit *audit = audit_create(scenario);
    const struct run_options options = {.seed = scenario->run.seed,
                                        .observer = audit_observer(audit)};
    enum berth_err code = run_replication(scenario, &options, &result, &err);
    const struct audit_violation *violation = audit_violation(audit);
    out->simulated_s = (double)scenario->run.duration_ns / (double)BERTH_NS_PER_S;
    out->fault_s = heal_seconds(scenario);
    audit_checks(audit, out->checks);
    audit_rules(audit, out->rules);
    if (code == BERTH_OK)
        memcpy(out->chaos, result.chaos_counts, sizeof out->chaos);
    count_losses(scenario, out->chaos);
    if (violation != NULL) {
        out->status = TRIAL_VIOLATED;
        out->invariant = violation->invariant;
        snprintf(out->text, sizeof out->text, "%.9f s: %s: %s",
                 (double)violation->at_ns / (double)BERTH_NS_PER_S,
                 invariant_infos[violation->invariant].name, violation->text);
    } else if (code != BERTH_OK) {
        out->status = TRIAL_REFUSED;
        snprintf(out->text, sizeof out->text, "%.500s", err.text);
    }
    audit_destroy(audit);
    run_result_free(&result);
}

static _Noreturn void child_main(json_t *document, int pipe, FILE *errors)
{
    struct trial_outcome outcome = {.status = TRIAL_HELD};
    struct berth_error err = BERTH_ERROR_INIT;
    const struct rlimit no_core = {0, 0};
    struct scenario_set *set;
    double before_s = cpu_seconds();
    signal(SIGINT, SIG_IGN); /* the parent's to decide */
    signal(SIGALRM, SIG_DFL);
    setrlimit(RLIMIT_CORE, &no_core);
    (void)dup2(fileno(errors), STDERR_FILENO);
    alarm(PATIENCE_S);
    char *text = json_dumps(document, JSON_COMPACT);
    if (scenario_load_text(text, strlen(text), ".", &set, &err) != BERTH_OK) {
        outcome.status = TRIAL_REFUSED;
        snprintf(outcome.text, sizeof outcome.text, "%.500s", err.text);
    } else {
        watch_run(set->variants[0], &outcome);
    }
    outcome.cpu_s = cpu_seconds() - before_s;
    _exit(write(pipe, &outcome, sizeof outcome) == (ssize_t)sizeof outcome ? 0 : 1);
}

bool trial_begin(json_t *document, struct trial *out)
{
    int ends[2];
    *out = (struct trial){.pid = -1, .pipe = -1, .errors = tmpfile()};
    if (out->errors == NULL)
        return false;
    if (pipe(ends) != 0) {
        fclose(out->errors);
        return false;
    }
    fflush(NULL);
    out->pid = fork();
    if (out->pid == 0) {
        close(ends[0]);
        child_main(document, ends[1], out->errors);
    }
    close(ends[1]);
    out->pipe = ends[0];
    if (out->pid > 0)
        return true;
    close(ends[0]);
    fclose(out->errors);
    return false;
}

/* The last line that it left: an assertion's, a sanitizer's. */
static void read_errors(FILE *errors, char *text, size_t size)
{
    char line[512];
    rewind(errors);
    while (fgets(line, sizeof line, errors) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0')
            snprintf(text, size, "%s", line);
    }
}

void trial_end(struct trial *trial, struct trial_outcome *out)
{
    int status = 0;
    size_t got = 0;
    for (ssize_t more = 1; more != 0 && got<sizeof *out; got += more> 0 ? (size_t)more : 0) {
        more = read(trial->pipe, (char *)out + got, sizeof *out - got);
        if (more < 0 && errno != EINTR)
            break;
    }
    while (waitpid(trial->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (got != sizeof *out) {
        *out = (struct trial_outcome){.status = TRIAL_CRASHED};
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
            snprintf(out->text, sizeof out->text, "no end within %d s", PATIENCE_S);
        else
            snprintf(out->text, sizeof out->text, "ended by %s",
                     WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "itself");
        read_errors(trial->errors, out->text, sizeof out->text);
    }
    close(trial->pipe);
    fclose(trial->errors);
}

void trial_kill(struct trial *trial)
{
    struct trial_outcome ignored;
    kill(trial->pid, SIGKILL);
    trial_end(trial, &ignored);
}

void trial_run(json_t *document, struct trial_outcome *out)
{
    struct trial trial;
    *out = (struct trial_outcome){.status = TRIAL_REFUSED, .text = "no new process"};
    if (trial_begin(document, &trial))
        trial_end(&trial, out);
}

bool trial_fails_alike(const struct trial_outcome *a, const struct trial_outcome *b)
{
    if (a->status != b->status || a->status == TRIAL_HELD)
        return false;
    if (a->status == TRIAL_VIOLATED)
        return a->invariant == b->invariant;
    return strcmp(a->text, b->text) == 0;
}

const char *trial_verdict(const struct trial_outcome *outcome)
{
    switch (outcome->status) {
    case TRIAL_HELD:
        return "held";
    case TRIAL_VIOLATED:
        return invariant_infos[outcome->invariant].name;
    case TRIAL_CRASHED:
        return "crash";
    case TRIAL_REFUSED:
        break;
    }
    return "refused";
}
