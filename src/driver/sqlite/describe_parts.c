/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/describe_parts.c - what the files that describe a table share. */
#include <string.h>

#include "base/text.h"
#include "driver/sqlite/sqlite.h"

bool sq_rowid_is_column(const bo_table *table)
{
    return table->row_key && strcmp(table->row_key->name, SQ_ROWID_KEY) == 0;
}

const char *sq_rowid(const bo_table *table)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    if (table->without_rowid)
        return NULL;
    if (sq_rowid_is_column(table))
        return table->columns[table->row_key->columns[0]].name;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool hidden = false;
        for (uint16_t c = 0; c < table->column_count; c++)
            hidden |= bo_text_same(table->columns[c].name, names[i]);
        if (!hidden)
            return names[i];
    }
    return NULL;
}

bo_status sq_copy(sq_describing *self, sqlite3_stmt *statement, int column, const char **out)
{
    *out = NULL;
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return BO_OK;
    *out = bo_arena_str(self->arena, (const char *)sqlite3_column_text(statement, column));
    return *out ? BO_OK : bo_nomem(self->err);
}

void *sq_grow(sq_describing *self, void *items, size_t count, size_t size)
{
    char *grown = bo_arena_grow(self->arena, items, count, size);
    if (!grown) {
        bo_nomem(self->err);
        return NULL;
    }
    memset(grown + count * size, 0, size);
    return grown;
}
