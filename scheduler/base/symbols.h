/*
 * symbols.h -- strings stored once, compared and hashed as small integers.
 *
 * A symbol is valid as long as its table. Numbers are given in order of first sight, so they are
 * deterministic, but they carry no order of their own: compare texts where order matters.
 */
#ifndef BERTH_SCHEDULER_BASE_SYMBOLS_H
#define BERTH_SCHEDULER_BASE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

typedef uint32_t symbol;

#define SYMBOL_NONE 0u /* No string at all; the empty string is a symbol of its own. */

struct symbols;

struct symbols *symbols_create(void);
void symbols_destroy(struct symbols *symbols);

symbol symbols_add(struct symbols *symbols, const char *text); /* NULL gives SYMBOL_NONE */
symbol symbols_add_n(struct symbols *symbols, const char *text, size_t length_bytes);
symbol symbols_find(const struct symbols *symbols, const char *text); /* may be SYMBOL_NONE */
symbol symbols_find_n(const struct symbols *symbols, const char *text, size_t length_bytes);

/* Lent for the life of the table; NULL for SYMBOL_NONE. */
const char *symbols_text(const struct symbols *symbols, symbol id);

#endif
