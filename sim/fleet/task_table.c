#include "sim/fleet/task_table.h"

#include <assert.h>

void task_table_free(struct task_table *table)
{
    for (size_t i = 0; i < table->pages.count; i++)
        mem_free(table->pages.items[i]);
    vec_free(&table->pages);
}

void task_table_put(struct task_table *table, task_id task, uint32_t value)
{
    size_t page = (size_t)(task / TASK_TABLE_PAGE);
    assert(value != TASK_TABLE_ABSENT && task_table_get(table, task) == TASK_TABLE_ABSENT);
    while (table->pages.count <= page)
        *vec_push(&table->pages) = NULL;
    if (table->pages.items[page] == NULL)
        table->pages.items[page] = mem_alloc(sizeof **table->pages.items);
    table->pages.items[page]->values[task % TASK_TABLE_PAGE] = value + 1;
    table->pages.items[page]->count++;
}

void task_table_remove(struct task_table *table, task_id task)
{
    size_t page = (size_t)(task / TASK_TABLE_PAGE);
    assert(task_table_get(table, task) != TASK_TABLE_ABSENT);
    table->pages.items[page]->values[task % TASK_TABLE_PAGE] = 0;
    if (--table->pages.items[page]->count > 0)
        return;
    mem_free(table->pages.items[page]);
    table->pages.items[page] = NULL;
}
