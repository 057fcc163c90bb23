/*
 * transcript.h -- the versioned text form of times, events and actions: one line each.
 *
 *     berth-transcript 1
 *     ! Controller cluster=default account=000000000000 region=us-east-1 random-key=42
 *     @ mono=0 wall=1700000000000000000
 *     > RunTask token=7 task-definition=job count=1
 *     < Change revision=12 kind=task ...
 *     < Reply token=7 ...
 *
 * '!' is what the controller was created with, '@' is the time of the steps that follow, '>' an
 * event in, '<' an action out. Golden transcripts, replay, parity of simulator and daemon, and
 * recordings of real runs are this one form.
 */
#ifndef BERTH_SCHEDULER_CORE_TRANSCRIPT_H
#define BERTH_SCHEDULER_CORE_TRANSCRIPT_H

#include "scheduler/core/controller.h"

#define TRANSCRIPT_HEADER "berth-transcript 1"

/* The second line. Times that are never are left out. Read: texts borrow from the line. */
void transcript_format_options(const struct controller_options *options, struct text *out);
enum berth_err transcript_parse_options(char *line, struct controller_options *out,
                                        struct berth_error *err) BERTH_MUST_CHECK;

void transcript_format_time(struct step_time now, struct text *out);
void transcript_format_event(const struct event *event, struct text *out);
void transcript_format_action(const struct controller *controller, const struct action *action,
                              struct text *out);

/*
 * Read one line, '@' or '>', NUL-terminated, without its newline; it is cut up in place and `event`
 * borrows from it and from `scratch` until the next line. A '<' line is left for the caller to
 * compare as text. A decoded task definition (u.task_def) is the caller's, to step or to destroy.
 */
struct transcript_scratch;
struct transcript_scratch *transcript_scratch_create(void);
void transcript_scratch_destroy(struct transcript_scratch *scratch);

enum transcript_line { TRANSCRIPT_TIME, TRANSCRIPT_EVENT, TRANSCRIPT_ACTION };

enum berth_err transcript_parse_line(char *line, struct transcript_scratch *scratch,
                                     task_def_decoder decode, enum transcript_line *kind,
                                     struct step_time *now, struct event *event,
                                     struct berth_error *err) BERTH_MUST_CHECK;

#endif
