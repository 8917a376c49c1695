/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/image.c - values, read and written as docs/design/image.md says. */
#include <string.h>

#include "driver/mariadb/my.h"

my_kind my_kind_of(const char *type)
{
    static const struct {
        const char *name;
        my_kind kind;
    } kinds[] = {
        {"float", MY_REAL},
        {"double", MY_REAL},
        {"enum", MY_LABEL},
        {"set", MY_LABEL},
        {"uuid", MY_READABLE},
        {"inet4", MY_READABLE},
        {"inet6", MY_READABLE},
        {"char", MY_BYTES},
        {"varchar", MY_BYTES},
        {"tinytext", MY_BYTES},
        {"text", MY_BYTES},
        {"mediumtext", MY_BYTES},
        {"longtext", MY_BYTES},
        {"binary", MY_BYTES},
        {"varbinary", MY_BYTES},
        {"tinyblob", MY_BYTES},
        {"blob", MY_BYTES},
        {"mediumblob", MY_BYTES},
        {"longblob", MY_BYTES},
        {"bit", MY_BYTES},
        {"geometry", MY_BYTES},
        {"point", MY_BYTES},
        {"linestring", MY_BYTES},
        {"polygon", MY_BYTES},
        {"multipoint", MY_BYTES},
        {"multilinestring", MY_BYTES},
        {"multipolygon", MY_BYTES},
        {"geometrycollection", MY_BYTES},
    };
    const size_t size = strcspn(type, "( ");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i].name) == size && strncmp(kinds[i].name, type, size) == 0)
            return kinds[i].kind;
    }
    return MY_PLAIN;
}

static void add_column(bo_buf *out, const char *alias, const char *name)
{
    if (alias)
        bo_buf_printf(out, "%s.", alias);
    my_quote(out, name);
}

void my_read_value(bo_buf *out, const bo_column *column, const char *alias)
{
    const my_kind kind = my_kind_of(column->type);
    const char *as = kind == MY_REAL ? " AS DOUBLE)" : kind == MY_LABEL ? " AS UNSIGNED)" : NULL;
    bo_buf_add_str(out, as ? "CAST(" : "");
    add_column(out, alias, column->name);
    bo_buf_add_str(out, as ? as : "");
}

void my_write_value(bo_buf *out, const bo_column *column)
{
    const my_kind kind = my_kind_of(column->type);
    bo_buf_add_str(out, kind == MY_LABEL      ? "CAST(? AS UNSIGNED)"
                        : kind == MY_READABLE ? "CAST(? AS CHAR)"
                                              : "?");
}

void my_image_list(bo_buf *out, const bo_table *shape, const bo_table *table, const char *alias)
{
    for (uint16_t i = 0; i < shape->image_count; i++) {
        const bo_column *column = &shape->columns[shape->image_columns[i]];
        bo_buf_add_str(out, i > 0 ? ", " : "");
        if (bo_table_column(table, column->name) >= 0)
            my_read_value(out, column, alias);
        else
            bo_buf_add_str(out, "NULL");
    }
    if (shape->image_count == 0) /* a row without values is a row nevertheless */
        bo_buf_add_str(out, "1");
}

void my_image_add(
    bo_buf *out, char **values, const unsigned long *sizes, unsigned first, uint16_t count)
{
    bo_image_begin(out, count);
    for (unsigned i = first; i < first + count; i++) {
        if (values[i])
            bo_image_add(out, values[i], (int32_t)sizes[i]);
        else
            bo_image_add_null(out);
    }
}

void my_add_type(bo_buf *out, const bo_column *column)
{
    bo_buf_printf(out, " %s", column->type);
    if (column->collation)
        bo_buf_printf(out, " COLLATE %s", column->collation);
}

void my_column_list(bo_buf *out, const bo_table *shape)
{
    for (uint16_t i = 0; i < shape->image_count; i++) {
        bo_buf_add_str(out, i > 0 ? ", " : "");
        my_quote(out, shape->columns[shape->image_columns[i]].name);
    }
}

void my_value_list(bo_buf *out, const bo_table *shape)
{
    for (uint16_t i = 0; i < shape->image_count; i++) {
        bo_buf_add_str(out, i > 0 ? ", " : "");
        my_write_value(out, &shape->columns[shape->image_columns[i]]);
    }
}
