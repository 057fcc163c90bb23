#include "sim/experiment/farm.h"

#include <stdio.h>

void farm_fail(struct farm_tally *tally, struct farm_failure failure, enum berth_err code,
               const char *text)
{
    if (tally->code != BERTH_OK && tally->failure.task <= failure.task)
        return;
    tally->code = code;
    tally->failure = failure;
    snprintf(tally->text, sizeof tally->text, "%s", text);
}

void farm_take(struct farm_tally *tally, const struct farm_work *work, uint32_t task,
               const struct farm_answer *answer, const struct text *product)
{
    struct berth_error err = BERTH_ERROR_INIT;
    struct farm_failure failure = {task, answer->is_crash};
    if (answer->code == BERTH_ERR_INTERRUPTED || (answer->is_crash && tally->was_stopped))
        tally->was_stopped = true;
    else if (answer->code != BERTH_OK)
        farm_fail(tally, failure, answer->code, answer->text);
    else if (work->keep == NULL || work->keep(work->context, task, product, &err) == BERTH_OK)
        tally->done++;
    else
        farm_fail(tally, (struct farm_failure){FARM_NO_TASK, false}, err.code, err.text);
}

bool farm_next(struct farm_tally *tally, const struct farm_work *work, uint32_t *task)
{
    if (tally->was_stopped || tally->code != BERTH_OK || tally->begun == work->task_count)
        return false;
    *task = work->tasks[tally->begun++];
    return true;
}

enum berth_err farm_conclude(const struct farm_tally *tally, struct farm_failure *failure,
                             struct berth_error *err)
{
    *failure = tally->failure;
    if (tally->code != BERTH_OK)
        return berth_fail(err, tally->code, "%s", tally->text);
    return tally->was_stopped ? berth_fail(err, BERTH_ERR_INTERRUPTED, "interrupted") : BERTH_OK;
}
