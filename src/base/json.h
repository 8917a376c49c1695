/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/json.h - JSON as text, whole or not at all. */
#ifndef BO_BASE_JSON_H
#define BO_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>

/**
 * json_dumps(), which forgets that memory ran out while it wrote a name: then it returns text with
 * a piece missing.
 *
 * @return malloc()ed; NULL: no memory, or `json` is NULL.
 */
char *bo_json_dump(const json_t *json, size_t flags);

/** Why json_loads() returned NULL: for want of memory, whatever the text is. */
bool bo_json_no_memory(const json_error_t *why);

/** Text that is not UTF-8 is escaped as for a terminal; null for NULL.  NULL: no memory. */
json_t *bo_json_string(const char *text);

#endif
