/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/sql_mariadb.h - what is special in SQL for the mariadb client. */
#ifndef BO_CHANGE_SQL_MARIADB_H
#define BO_CHANGE_SQL_MARIADB_H

#include "change/sql_rows.h"

/** The condition that a row is this one, by key and all bytes; `one` adds that one of equal rows
 * will do. */
void bo_sql_mariadb_match(bo_buf *out, const bo_driver *driver, const bo_table *table,
    const bo_text_value *texts, bool one);
/** After the statement of `change`: it touched one row, which is now as it shall be. */
void bo_sql_mariadb_guard(bo_buf *out, const bo_driver *driver, const bo_sql_change *change);

/**
 * Foreign key `number` of the script: `before` the rows change notes which rows of `child` refer to
 * nothing already, after it refuses others.  The key is one of child's, to `parent`.
 */
void bo_sql_mariadb_reference(bo_buf *out, const bo_driver *driver, const bo_foreign_key *key,
    const bo_table *child, const bo_table *parent, unsigned number, bool before);

#endif
