/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/text.h - text that people will see, and small string helpers. */
#ifndef BO_BASE_TEXT_H
#define BO_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/**
 * Adds `size` bytes of `text` so that a terminal and a reader are safe from it: control characters,
 * DEL, line separators, bidirectional controls and invalid UTF-8 become \n, \t, \x1b, \u202e ...;
 * everything else is as it was.
 */
void bo_text_escape(bo_buf *out, const char *text, size_t size);
void bo_text_safe(bo_buf *out, const char *text); /* the same of a string; nothing for NULL */
/** Adds the text of an error, which has a line for each layer, as one line: "a: b". */
void bo_text_one_line(bo_buf *out, const char *text);
/** "1 row", "2 rows". */
void bo_text_count(bo_buf *out, uint64_t count, const char *one, const char *many);
/** "3.4 MiB". */
void bo_text_bytes(bo_buf *out, uint64_t bytes);
bool bo_text_is_utf8(const void *text, size_t size);
void bo_text_hex(bo_buf *out, const void *data, size_t size);   /* lower case */
bool bo_text_unhex(bo_buf *out, const char *text, size_t size); /* false: not hex, nothing added */
bool bo_text_starts(const char *text, const char *prefix);

/* Words of SQL and of configuration: A-Z are a-z, whatever the locale.  In a Turkish one
 * strcasecmp() takes "COMMIT" and "commit" for two words. */
char bo_text_upper(char c);
bool bo_text_is_digit(char c);
bool bo_text_is_alnum(char c); /* of ASCII: bytes of other letters are none */
bool bo_text_is_space(char c);
bool bo_text_same(const char *one, const char *other);
bool bo_text_same_part(
    const char *one, const char *other, size_t size);         /* the first `size` bytes */
const char *bo_text_find(const char *text, const char *word); /* NULL: not in it */

/** `[A-Za-z0-9_.-]` kept, all else (and a leading '.' or '-') '_', at most `limit` bytes: safe in
 * and as a file name. */
void bo_text_slug(bo_buf *out, const char *text, size_t limit);

#endif
