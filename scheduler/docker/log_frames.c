#include "scheduler/docker/log_frames.h"

#include <string.h>

bool log_frames_next(struct log_frames *frames, const char *bytes, size_t length, size_t *used,
                     enum log_stream *stream, const char **piece, size_t *piece_length)
{
    *used = 0;
    *piece_length = 0;
    *piece = bytes;
    if (frames->left == 0) {
        size_t wanted = sizeof frames->header - frames->header_length;
        size_t taken = length < wanted ? length : wanted;
        memcpy(frames->header + frames->header_length, bytes, taken);
        frames->header_length += taken;
        *used = taken;
        if (frames->header_length < sizeof frames->header)
            return true;
        const uint8_t *h = frames->header;
        if (h[0] > LOG_STDERR || h[1] != 0 || h[2] != 0 || h[3] != 0)
            return false;
        frames->left = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
        if (frames->left == 0)
            frames->header_length = 0; /* an empty frame */
    }
    *stream = (enum log_stream)frames->header[0];
    size_t rest = length - *used;
    *piece = bytes + *used;
    *piece_length = rest < frames->left ? rest : frames->left;
    *used += *piece_length;
    frames->left -= (uint32_t)*piece_length;
    if (frames->left == 0)
        frames->header_length = 0;
    return true;
}
