#include "scheduler/store/batch_bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/base/mem.h"
#include "scheduler/store/checksum.h"

#define HEAD_MAX 64

void batch_bytes_add(struct text *out, uint64_t batch, const struct store_write *writes,
                     size_t write_count)
{
    struct text body = TEXT_INIT;
    for (size_t i = 0; i < write_count; i++) {
        text_add_n(&body, writes[i].key, strlen(writes[i].key) + 1);
        text_add_n(&body, writes[i].value == NULL ? "-" : "=", 1);
        const char *value = writes[i].value == NULL ? "" : writes[i].value;
        text_add_n(&body, value, strlen(value) + 1);
    }
    text_addf(out, "batch %" PRIu64 " %zu %016" PRIx64 "\n", batch, body.length,
              checksum_add(CHECKSUM_INIT, body.bytes, body.length));
    if (body.length > 0)
        text_add_n(out, body.bytes, body.length);
    text_free(&body);
}

/* The length of the head, or 0. */
static size_t read_head(const char *bytes, size_t length, uint64_t batch, size_t *body_length,
                        uint64_t *sum)
{
    char head[HEAD_MAX + 1] = "";
    uint64_t number;
    size_t size = length < HEAD_MAX ? length : HEAD_MAX;
    memcpy(head, bytes, size);
    char *end = memchr(head, '\n', size);
    if (end == NULL)
        return 0;
    *end = '\0';
    if (sscanf(head, "batch %" SCNu64 " %zu %" SCNx64, &number, body_length, sum) != 3 ||
        number != batch)
        return 0;
    return (size_t)(end - head) + 1;
}

size_t batch_bytes_read(const char *bytes, size_t length, uint64_t batch, struct batch_writes *out)
{
    size_t body_length;
    uint64_t sum;
    size_t head = read_head(bytes, length, batch, &body_length, &sum);
    vec_clear(out);
    if (head == 0 || body_length > length - head ||
        checksum_add(CHECKSUM_INIT, bytes + head, body_length) != sum)
        return 0;
    const char *at = bytes + head, *end = at + body_length;
    while (at < end) {
        struct store_write *write = vec_push(out);
        *write = (struct store_write){.key = at};
        at += strlen(at) + 1;
        bool has_value = *at++ == '=';
        write->value = has_value ? at : NULL;
        at += strlen(at) + 1;
    }
    return head + body_length;
}
