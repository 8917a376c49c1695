/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/sql_names.c - names and comments in a script, as each dialect writes them. */
#include <string.h>

#include "base/text.h"
#include "change/sql_rows.h"

bo_sql_dialect bo_sql_dialect_of(const bo_driver *driver)
{
    return strcmp(driver->name, "sqlite") == 0    ? BO_SQL_SQLITE
           : strcmp(driver->name, "mariadb") == 0 ? BO_SQL_MARIADB
                                                  : BO_SQL_POSTGRESQL;
}

void bo_sql_name(bo_buf *out, const bo_driver *driver, const bo_table *table)
{
    driver->quote(out, table->encoding == BO_ENCODING_SQLITE ? "main" : table->schema);
    bo_buf_add_str(out, ".");
    driver->quote(out, table->local);
}

void bo_sql_comment(bo_buf *out, const char *text)
{
    bo_text_escape(out, text, strlen(text));
}

void bo_sql_column(
    bo_buf *out, const bo_driver *driver, const bo_table *table, const char *alias, uint16_t i)
{
    if (alias)
        bo_buf_printf(out, "%s.", alias);
    driver->quote(out, table->columns[table->image_columns[i]].name);
}
