/* The cluster query language: whatever the text, an answer or one line with a column. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/placement/expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static instance_id add_instance(struct cluster *cluster, const char *name, uint32_t attributes)
{
    struct symbols *symbols = cluster_symbols(cluster);
    const struct attribute all[] = {
        {symbols_add(symbols, "a"), symbols_add(symbols, "aaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
        {symbols_add(symbols, "ecs.instance-type"), symbols_add(symbols, "m5.large")},
        {symbols_add(symbols, "none"), SYMBOL_NONE}};
    return cluster_add_instance(cluster, &(struct instance_spec){.name = name,
                                                                 .ec2_id = "i-1",
                                                                 .agent_version = "1.86.2",
                                                                 .cpu_units = 1024,
                                                                 .mem_mib = 1024,
                                                                 .attributes = all,
                                                                 .attribute_count = attributes});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct symbols *symbols = symbols_create();
    struct cluster *cluster = cluster_create(symbols);
    instance_id full = add_instance(cluster, "1", 3), bare = add_instance(cluster, "2", 0);
    cluster_join(cluster, full, cluster_group(cluster, symbols_add(symbols, "service:web")));
    char *text = mem_copy_text_n((const char *)data, size);
    struct berth_error err = BERTH_ERROR_INIT;
    struct expression *expression = NULL;
    if (expression_parse(symbols, text, &expression, &err) == BERTH_OK) {
        bool answers[] = {expression_matches(expression, cluster, full),
                          expression_matches(expression, cluster, bare)};
        assert(expression_matches(expression, cluster, full) == answers[0]);
        assert(expression_matches(expression, cluster, bare) == answers[1]);
        (void)expression_is_static(expression);
        expression_destroy(expression);
    } else {
        assert(err.code == BERTH_ERR_INPUT && strncmp(err.text, "column ", 7) == 0);
        assert(strchr(err.text, '\n') == NULL);
    }
    mem_free(text);
    cluster_destroy(cluster);
    symbols_destroy(symbols);
    return 0;
}
