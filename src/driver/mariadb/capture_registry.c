/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/capture_registry.c - the table that says what is captured for which point.
 *
 * Statements that make triggers and tables commit themselves, so an entry is written before what
 * it speaks of is made, counts only when all is there, and ceases to count before anything goes.
 */
#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "driver/mariadb/journal.h"

static inline void json_t_free(json_t *json)
{
    json_decref(json);
}
BO_DEFINE_SCOPE(json_t);

bo_status my_registry_create(my_conn *conn, bo_error *err)
{
    return my_run(conn, NULL, err,
        "CREATE TABLE IF NOT EXISTS " MY_REGISTRY " ("
        " `point` varchar(255) NOT NULL,"
        " `table` varchar(64) NOT NULL,"
        " `number` int unsigned NOT NULL,"
        " `watched` tinyint NOT NULL,"
        " `state` varchar(16) NOT NULL,"
        " `columns` longtext NOT NULL,"
        " `mark` longtext NOT NULL,"
        " PRIMARY KEY (`point`, `table`)"
        ") ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
}

/* ---- what a journal keeps ---- */

const my_kept *my_kept_columns(const bo_table *table, bo_arena *arena)
{
    my_kept *kept = bo_arena_array(arena, (size_t)table->image_count + 1, sizeof *kept);
    for (uint16_t i = 0; kept && i < table->image_count; i++) {
        const uint16_t position = table->image_columns[i];
        const bo_column *column = &table->columns[position];
        kept[i] = (my_kept){column->name, column->type, column->collation, false};
        for (uint16_t k = 0; table->row_key && k < table->row_key->count; k++)
            kept[i].in_key = kept[i].in_key || table->row_key->columns[k] == position;
    }
    return kept;
}

static char *kept_to_json(const my_entry *entry)
{
    BO_OWN(json_t) *all = json_array();
    for (uint16_t i = 0; all && i < entry->column_count; i++) {
        const my_kept *kept = &entry->columns[i];
        json_t *one = json_pack("[s,s,s,b]", kept->name, kept->type,
            kept->collation ? kept->collation : "", (int)kept->in_key);
        if (json_array_append_new(all, one) != 0)
            return NULL;
    }
    return all ? bo_json_dump(all, JSON_COMPACT) : NULL;
}

static bo_status kept_from_json(const char *text, bo_arena *arena, my_entry *entry, bo_error *err)
{
    BO_OWN(json_t) *all = json_loads(text, 0, NULL);
    const size_t count = json_array_size(all);
    my_kept *columns = bo_arena_array(arena, count + 1, sizeof *columns);
    if (!columns)
        return bo_nomem(err);
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL, *type = NULL, *collation = NULL;
        int in_key = 0;
        if (json_unpack(json_array_get(all, i), "[s,s,s,b]", &name, &type, &collation, &in_key) !=
            0)
            return bo_fail(err, BO_CORRUPT, "the registry of captured tables cannot be read");
        columns[i] = (my_kept){bo_arena_str(arena, name), bo_arena_str(arena, type),
            *collation ? bo_arena_str(arena, collation) : NULL, in_key != 0};
        if (!columns[i].name || !columns[i].type || (*collation && !columns[i].collation))
            return bo_nomem(err);
    }
    entry->column_count = (uint16_t)count;
    entry->columns = columns;
    return BO_OK;
}

/* ---- entries ---- */

bo_status my_registry_add(my_conn *conn, const my_entry *entry, bo_error *err)
{
    BO_OWN_MEM char *columns = kept_to_json(entry);
    if (!columns)
        return bo_nomem(err);
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql,
        "INSERT INTO " MY_REGISTRY " (`point`, `table`, `number`, `watched`, `state`, `columns`,"
        " `mark`) VALUES (");
    my_quote_literal(&sql, entry->point);
    bo_buf_add_str(&sql, ", ");
    my_quote_literal(&sql, entry->table);
    bo_buf_printf(&sql, ", %u, %d, 'making', ", entry->number, entry->watched ? 1 : 0);
    my_quote_literal(&sql, columns);
    bo_buf_add_str(&sql, ", ");
    my_quote_literal(&sql, entry->mark);
    bo_buf_add_str(&sql, ")");
    return my_run_buf(conn, &sql, NULL, err);
}

bo_status my_registry_switch_on(my_conn *conn, const char *point, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "UPDATE " MY_REGISTRY " SET `state` = 'on' WHERE `point` = ");
    my_quote_literal(&sql, point);
    return my_run_buf(conn, &sql, NULL, err);
}

static bo_status read_entry(MYSQL_ROW row, bo_arena *arena, my_entry *out, bo_error *err)
{
    my_entry entry = {
        .point = bo_arena_str(arena, row[0]),
        .table = bo_arena_str(arena, row[1]),
        .number = (unsigned)strtoul(row[2], NULL, 10),
        .watched = row[3][0] != '0',
        .on = strcmp(row[4], "on") == 0,
        .mark = bo_arena_str(arena, row[6]),
    };
    if (!entry.point || !entry.table || !entry.mark)
        return bo_nomem(err);
    bo_status st = kept_from_json(row[5], arena, &entry, err);
    if (st == BO_OK)
        *out = entry;
    return st;
}

bo_status my_registry_read(my_conn *conn, bo_arena *arena, my_registry *out, bo_error *err)
{
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_error refused = {0};
    bo_status st = my_ask(conn, &result, &refused,
        "SELECT `point`, `table`, `number`, `watched`, `state`, `columns`, `mark`"
        " FROM " MY_REGISTRY " ORDER BY `point`, `table`");
    if (st == BO_NOTFOUND) {
        *out = (my_registry){0};
        return BO_OK;
    }
    if (st != BO_OK) {
        if (err)
            *err = refused;
        return st;
    }
    my_registry registry = {.count = (size_t)mysql_num_rows(result)};
    registry.entries = bo_arena_array(arena, registry.count + 1, sizeof *registry.entries);
    if (!registry.entries)
        return bo_nomem(err);
    for (size_t i = 0; st == BO_OK && i < registry.count; i++)
        st = read_entry(mysql_fetch_row(result), arena, &registry.entries[i], err);
    if (st == BO_OK)
        *out = registry;
    return st;
}

my_entry *my_registry_find(const my_registry *registry, const char *point, const char *table)
{
    for (size_t i = 0; i < registry->count; i++) {
        my_entry *entry = &registry->entries[i];
        if (strcmp(entry->point, point) == 0 && strcmp(entry->table, table) == 0)
            return entry;
    }
    return NULL;
}

my_entry *my_registry_captured(const my_registry *registry, const char *point, const char *table)
{
    my_entry *entry = my_registry_find(registry, point, table);
    return entry && !entry->watched ? entry : NULL;
}
