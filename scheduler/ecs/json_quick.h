/*
 * json_quick.h -- reads plain JSON into jansson's values, faster than jansson's own reader.
 *
 * Only what scenarios are nearly all made of: texts of ASCII without \u, whole numbers of up to 18
 * digits. What it meets beyond that it gives to jansson, number by number or text by text; and
 * where anything is wrong it gives up, so that jansson reads the whole and says what and where. A
 * document therefore means the same by either way, and errors have one author.
 */
#ifndef BERTH_SCHEDULER_ECS_JSON_QUICK_H
#define BERTH_SCHEDULER_ECS_JSON_QUICK_H

#include <jansson.h>

/* A new reference; NULL: read it by json_loadb, also when it nests deeper than `depth_max`. */
json_t *json_read_quick(const char *text, size_t length, size_t depth_max);

#endif
