#include "scheduler/lab/plan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum berth_err lab_check_name(const char *name, struct berth_error *err)
{
    size_t length = strlen(name);
    bool good = length > 0 && length <= LAB_NAME_MAX && name[0] != '-';
    for (size_t i = 0; i < length && good; i++)
        good = isalnum((unsigned char)name[i]) != 0 || name[i] == '-';
    return good ? BERTH_OK
                : berth_fail(err, BERTH_ERR_INPUT,
                             "\"%.64s\" is no name for a lab; at most %d letters, digits and '-', "
                             "a letter or digit first",
                             name, LAB_NAME_MAX);
}

enum berth_err lab_check_engine(const struct lab_plan *plan, int engine, struct berth_error *err)
{
    if (engine >= 1 && engine <= plan->engine_count)
        return BERTH_OK;
    return plan->engine_count == 1
               ? berth_fail(err, BERTH_ERR_INPUT, "no engine %d in lab \"%s\"; there is engine 1",
                            engine, plan->name)
               : berth_fail(err, BERTH_ERR_INPUT,
                            "no engine %d in lab \"%s\"; there are engines 1 to %d", engine,
                            plan->name, plan->engine_count);
}

enum berth_err lab_read_size(const char *text, uint64_t *out, struct berth_error *err)
{
    if (text == NULL)
        return BERTH_OK;
    char *end = NULL;
    unsigned long long number = strtoull(text, &end, 10);
    int shift = *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
    bool good = isdigit((unsigned char)text[0]) != 0 && shift != 0 && end[1] == '\0' &&
                number <= LAB_DISK_MAX >> shift && number << shift >= LAB_DISK_MIN;
    if (!good)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "\"%.64s\" is no size of a disk; 64M to 1024G, as 512M or 2G", text);
    *out = (uint64_t)number << shift;
    return BERTH_OK;
}

void lab_plan_write(const struct lab_plan *plan, struct text *out)
{
    text_word(out, "lab");
    text_field(out, "name", plan->name);
    text_field_i64(out, "engines", plan->engine_count);
    text_field_i64(out, "slot", plan->slot);
    text_field_u64(out, "disk", plan->disk_bytes);
    text_field_u64(out, "liveRestore", plan->live_restore ? 1 : 0);
    text_field_u64(out, "complete", plan->is_complete ? 1 : 0);
    text_end(out);
}

enum berth_err lab_plan_read(char *line, struct lab_plan *out, struct berth_error *err)
{
    struct text_line fields;
    line[strcspn(line, "\n")] = '\0';
    enum berth_err code = text_parse_line(line, &fields, err);
    if (code != BERTH_OK)
        return code;
    const char *name = text_get(&fields, "name");
    uint64_t engines = 0, slot = 0, live = 0, complete = 0;
    struct lab_plan plan = {.name = ""};
    if (strcmp(fields.word, "lab") != 0 || name == NULL || lab_check_name(name, err) != BERTH_OK ||
        !text_get_u64(&fields, "engines", &engines) || engines < 1 || engines > LAB_ENGINES_MAX ||
        !text_get_u64(&fields, "slot", &slot) || slot >= LAB_SLOTS ||
        !text_get_u64(&fields, "disk", &plan.disk_bytes) ||
        !text_get_u64(&fields, "liveRestore", &live) || live > 1 ||
        !text_get_u64(&fields, "complete", &complete) || complete > 1)
        return berth_fail(err, BERTH_ERR_INPUT, "not the plan of a lab");
    memcpy(plan.name, name, strlen(name) + 1);
    plan.engine_count = (int)engines;
    plan.slot = (int)slot;
    plan.live_restore = live == 1;
    plan.is_complete = complete == 1;
    *out = plan;
    return BERTH_OK;
}

static struct lab_name under(const char *root, const char *name, int engine, const char *below)
{
    struct lab_name path;
    const char *slash = below[0] == '\0' ? "" : "/";
    if (engine == 0)
        (void)snprintf(path.text, sizeof path.text, "%s/%s%s%s", root, name, slash, below);
    else
        (void)snprintf(path.text, sizeof path.text, "%s/%s/%d%s%s", root, name, engine, slash,
                       below);
    return path;
}

struct lab_name lab_path(const char *name, int engine, const char *below)
{
    return under(LAB_RUN, name, engine, below);
}

struct lab_name lab_cgroup(const char *name, int engine, const char *below)
{
    return under(LAB_CGROUP, name, engine, below);
}

struct lab_name lab_image_path(const char *name, int engine)
{
    struct lab_name path = under(LAB_IMAGES, name, engine, "");
    if (engine != 0)
        (void)snprintf(path.text + strlen(path.text), sizeof path.text - strlen(path.text), ".img");
    return path;
}

struct lab_name lab_address(int slot, int host)
{
    struct lab_name address;
    (void)snprintf(address.text, sizeof address.text, "10.213.%d.%d", slot, host);
    return address;
}

struct lab_name lab_url(int slot, int engine)
{
    struct lab_name url;
    (void)snprintf(url.text, sizeof url.text, "https://10.213.%d.%d:%d", slot, engine, LAB_PORT);
    return url;
}

struct lab_name lab_link(int slot)
{
    struct lab_name name;
    (void)snprintf(name.text, sizeof name.text, "berth-lab%d", slot);
    return name;
}
