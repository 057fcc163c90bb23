/*
 * task_table.h -- a number for each of the tasks that live now, by task id.
 *
 * Ids rise with creation and tasks that live together were mostly created together, so ids are kept
 * in pages: neighbours share cache lines, as they would not in a hash map. A page is given back
 * when the last of its tasks has gone, so memory follows the live tasks, plus 8 bytes for every 256
 * ids that ever were.
 */
#ifndef BERTH_SIM_FLEET_TASK_TABLE_H
#define BERTH_SIM_FLEET_TASK_TABLE_H

#include "scheduler/base/mem.h"
#include "scheduler/core/message.h"

#define TASK_TABLE_PAGE 256
#define TASK_TABLE_ABSENT UINT32_MAX /* never a stored value */

struct task_page {
    uint32_t values[TASK_TABLE_PAGE]; /* value + 1; 0: absent */
    uint32_t count;
};

struct task_table {
    VEC(struct task_page *) pages; /* owned; NULL: nobody of it lives */
};

void task_table_free(struct task_table *table); /* a zeroed struct is empty and ready */
void task_table_put(struct task_table *table, task_id task, uint32_t value); /* not there yet */
void task_table_remove(struct task_table *table, task_id task);              /* there */

static inline uint32_t task_table_get(const struct task_table *table, task_id task)
{
    size_t page = (size_t)(task / TASK_TABLE_PAGE);
    if (page >= table->pages.count || table->pages.items[page] == NULL)
        return TASK_TABLE_ABSENT;
    return table->pages.items[page]->values[task % TASK_TABLE_PAGE] - 1;
}

#endif
