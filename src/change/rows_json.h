/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/rows_json.h - the changes of a changeset as JSON Lines. */
#ifndef BO_CHANGE_ROWS_JSON_H
#define BO_CHANGE_ROWS_JSON_H

#include "change/content.h"

/**
 * One line for each change:
 * {"table":"orders","op":"insert|update|delete","before":{...},"after":{...}}.  Values are strings
 * as the database writes them (so that no number loses a digit), or null.
 */
bo_status bo_rows_json_lines(bo_conn *conn, bo_content *changes, bo_sink sink, bo_error *err);

/** An object of a table's image columns and their texts.  Values that are not UTF-8 become
 * {"hex":"..."}. */
json_t *bo_row_json(const bo_table *shape, const bo_text_value *values, uint16_t count);

#endif
