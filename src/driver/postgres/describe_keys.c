/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/describe_keys.c - keys and foreign keys of a table. */
#include <string.h>

#include "driver/postgres/describe.h"

/* "2 0 5", positions in the table's columns; those of expressions are not in it. */
static void read_positions(pg_description *about, const char *text, bo_key *key)
{
    uint16_t count = text[0] ? 1 : 0;
    for (const char *at = text; *at; at++)
        count = (uint16_t)(count + (*at == ' '));
    uint16_t *columns = pg_room(about, count, sizeof *columns);
    if (about->failed)
        return;

    char *next = (char *)(uintptr_t)text;
    for (uint16_t i = 0; i < count; i++)
        columns[i] = (uint16_t)strtoul(next, &next, 10);
    key->columns = columns;
    key->count = count;
}

bo_status pg_describe_keys(pg_description *about, bo_error *err)
{
    const PGresult *found = about->answers.of[PG_PART_KEYS];
    const int count = PQntuples(found);
    bo_table *table = about->table;
    bo_key *keys = pg_room(about, count, sizeof *keys);
    if (about->failed)
        return bo_nomem(err);
    for (int i = 0; i < count; i++) {
        keys[i] = (bo_key){
            .name = pg_cell(about, found, i, 0),
            .primary = pg_cell_true(found, i, 2),
            .is_row_key = pg_cell_true(found, i, 3),
            .nulls_equal = pg_cell_true(found, i, 4),
            .simple = pg_cell_true(found, i, 5),
            .definition = pg_cell(about, found, i, 6),
        };
        read_positions(about, PQgetvalue(found, i, 1), &keys[i]);
        if (keys[i].is_row_key && !table->row_key)
            table->row_key = &keys[i]; /* the query has the best one first */
    }
    table->keys = keys;
    table->key_count = (uint16_t)count;
    return BO_OK;
}

/* ---- foreign keys: rows of one have the same OID and follow each other ---- */

enum {
    FK_OID,
    FK_NAME,
    FK_IS_CHILD,
    FK_IS_PARENT,
    FK_CHILD,
    FK_PARENT,
    FK_CHILD_COLUMN,
    FK_PARENT_COLUMN,
    FK_ON_DELETE,
    FK_ON_UPDATE,
    FK_DEFERRABLE,
    FK_DEFERRED,
    FK_VALIDATED,
    FK_DEFINITION,
};

static int rows_of(const PGresult *found, int first)
{
    int end = first + 1;
    while (end < PQntuples(found) &&
           strcmp(PQgetvalue(found, first, FK_OID), PQgetvalue(found, end, FK_OID)) == 0)
        end++;
    return end - first;
}

static bo_foreign_key read_foreign_key(
    pg_description *about, const PGresult *found, int first, int count)
{
    const char **child_columns = pg_room(about, count, sizeof *child_columns);
    const char **parent_columns = pg_room(about, count, sizeof *parent_columns);
    for (int i = 0; i < count && !about->failed; i++) {
        child_columns[i] = pg_cell(about, found, first + i, FK_CHILD_COLUMN);
        parent_columns[i] = pg_cell(about, found, first + i, FK_PARENT_COLUMN);
    }
    return (bo_foreign_key){
        .name = pg_cell(about, found, first, FK_NAME),
        .child = pg_cell(about, found, first, FK_CHILD),
        .parent = pg_cell(about, found, first, FK_PARENT),
        .count = (uint16_t)count,
        .child_columns = child_columns,
        .parent_columns = parent_columns,
        .on_delete = pg_cell_char(found, first, FK_ON_DELETE),
        .on_update = pg_cell_char(found, first, FK_ON_UPDATE),
        .deferrable = pg_cell_true(found, first, FK_DEFERRABLE),
        .deferred = pg_cell_true(found, first, FK_DEFERRED),
        .validated = pg_cell_true(found, first, FK_VALIDATED),
        .definition = pg_cell(about, found, first, FK_DEFINITION),
    };
}

bo_status pg_describe_foreign_keys(pg_description *about, bo_error *err)
{
    const PGresult *found = about->answers.of[PG_PART_FOREIGN_KEYS];
    bo_table *table = about->table;
    const int rows = PQntuples(found);
    bo_foreign_key *own = pg_room(about, rows, sizeof *own);
    bo_foreign_key *others = pg_room(about, rows, sizeof *others);
    if (about->failed)
        return bo_nomem(err);

    for (int first = 0, count = 0; first < rows; first += count) {
        count = rows_of(found, first);
        const bo_foreign_key key = read_foreign_key(about, found, first, count);
        if (pg_cell_true(found, first, FK_IS_CHILD))
            own[table->foreign_key_count++] = key;
        if (pg_cell_true(found, first, FK_IS_PARENT)) /* one to itself is both */
            others[table->referenced_count++] = key;
    }
    table->foreign_keys = own;
    table->referenced_by = others;
    return BO_OK;
}
