#include "scheduler/core/transcript.h"

/* Absent, or no number of so many bits: 0, which turns the rule off. */
static void get_u32(const struct text_line *words, const char *name, uint32_t *out)
{
    uint64_t value = 0;
    *out = text_get_u64(words, name, &value) && value <= UINT32_MAX ? (uint32_t)value : 0;
}

enum berth_err transcript_parse_options(char *line, struct controller_options *out,
                                        struct berth_error *err)
{
    struct text_line words;
    if (line[0] != '!' || line[1] != ' ')
        return berth_fail(err, BERTH_ERR_INPUT,
                          "the line after the header must be \"! Controller ...\"");
    enum berth_err code = text_parse_line(line + 2, &words, err);
    if (code != BERTH_OK)
        return code;
    *out = (struct controller_options){.cluster = text_get(&words, "cluster"),
                                       .account = text_get(&words, "account"),
                                       .region = text_get(&words, "region"),
                                       .instance_lost_ns = BERTH_NS_NEVER,
                                       .waiting_give_up_ns = BERTH_NS_NEVER};
    (void)text_get_i64(&words, "instance-lost", &out->instance_lost_ns);
    (void)text_get_i64(&words, "waiting-give-up", &out->waiting_give_up_ns);
    uint32_t throttles_api, limits_sizes;
    get_u32(&words, "throttles-api", &throttles_api);
    get_u32(&words, "limits-sizes", &limits_sizes);
    out->throttles_api = throttles_api != 0;
    out->limits_sizes = limits_sizes != 0;
    get_u32(&words, "launches-per-minute", &out->launches_per_minute);
    get_u32(&words, "brake-percent", &out->brake_percent);
    if (out->cluster == NULL || out->account == NULL || out->region == NULL ||
        !text_get_u64(&words, "random-key", &out->random_key) || out->instance_lost_ns < 0 ||
        out->waiting_give_up_ns < 0)
        return berth_fail(err, BERTH_ERR_INPUT,
                          "the options need cluster, account, region and random-key, and times of "
                          "at least 0");
    return BERTH_OK;
}

void transcript_format_options(const struct controller_options *options, struct text *out)
{
    text_add(out, "! ");
    text_word(out, "Controller");
    text_field(out, "cluster", options->cluster);
    text_field(out, "account", options->account);
    text_field(out, "region", options->region);
    text_field_u64(out, "random-key", options->random_key);
    if (options->instance_lost_ns != BERTH_NS_NEVER)
        text_field_i64(out, "instance-lost", options->instance_lost_ns);
    if (options->waiting_give_up_ns != BERTH_NS_NEVER)
        text_field_i64(out, "waiting-give-up", options->waiting_give_up_ns);
    if (options->throttles_api)
        text_field_u64(out, "throttles-api", 1);
    if (options->limits_sizes)
        text_field_u64(out, "limits-sizes", 1);
    if (options->launches_per_minute != 0)
        text_field_u64(out, "launches-per-minute", options->launches_per_minute);
    if (options->brake_percent != 0)
        text_field_u64(out, "brake-percent", options->brake_percent);
    text_end(out);
}
