/*
 * log_frames.h -- the frames of a log's stream: {stream, 0, 0, 0, length as big-endian u32}, bytes.
 *
 * Frames may be split anywhere by the transport, and a line may be split over frames.
 */
#ifndef BERTH_SCHEDULER_DOCKER_LOG_FRAMES_H
#define BERTH_SCHEDULER_DOCKER_LOG_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_stream { LOG_STDIN = 0, LOG_STDOUT, LOG_STDERR };

/* Zero-initialised is the begin of a stream. */
struct log_frames {
    uint8_t header[8];
    size_t header_length;
    uint32_t left; /* bytes of the frame's payload still to come */
};

/*
 * Take the next piece of payload out of `bytes`: *used bytes of the input are done with, and
 * *piece, *piece_length, *stream say what was in it (piece_length 0: nothing yet). False when the
 * bytes are no frames: then the stream is lost.
 */
bool log_frames_next(struct log_frames *frames, const char *bytes, size_t length, size_t *used,
                     enum log_stream *stream, const char **piece, size_t *piece_length);

#endif
