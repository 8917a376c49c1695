/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/capture_actions.c - the foreign keys whose actions change rows. */
#include <string.h>

#include "driver/mariadb/journal.h"

static char action_of(const char *rule)
{
    return strcmp(rule, "CASCADE") == 0       ? 'c'
           : strcmp(rule, "SET NULL") == 0    ? 'n'
           : strcmp(rule, "SET DEFAULT") == 0 ? 'd'
                                              : 'r';
}

/* The rules are asked for first: where no foreign key has one, as in most schemas, that is all. */
static bo_status read_rules(my_conn *conn, bo_arena *arena, my_actions *out, bo_error *err)
{
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_status st = my_ask(conn, &result, err,
        "SELECT CONSTRAINT_NAME, CONSTRAINT_SCHEMA, TABLE_NAME, UNIQUE_CONSTRAINT_SCHEMA,"
        " REFERENCED_TABLE_NAME, DELETE_RULE, UPDATE_RULE, CONSTRAINT_SCHEMA = DATABASE(),"
        " UNIQUE_CONSTRAINT_SCHEMA = DATABASE()"
        " FROM information_schema.REFERENTIAL_CONSTRAINTS"
        " WHERE DATABASE() IN (CONSTRAINT_SCHEMA, UNIQUE_CONSTRAINT_SCHEMA)"
        " AND (DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION')"
        " OR UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION'))"
        " ORDER BY CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME");
    if (st != BO_OK)
        return st;
    const size_t count = (size_t)mysql_num_rows(result);
    my_action *items = bo_arena_array(arena, count + 1, sizeof *items);
    for (size_t i = 0; items && i < count; i++) {
        MYSQL_ROW row = mysql_fetch_row(result);
        items[i] = (my_action){
            .name = bo_arena_str(arena, row[0]),
            .child_schema = bo_arena_str(arena, row[1]),
            .child = bo_arena_str(arena, row[2]),
            .parent_schema = bo_arena_str(arena, row[3]),
            .parent = bo_arena_str(arena, row[4]),
            .on_delete = action_of(row[5]),
            .on_update = action_of(row[6]),
            .child_here = row[7][0] == '1',
            .parent_here = row[8][0] == '1',
        };
        if (!items[i].name || !items[i].child_schema || !items[i].child ||
            !items[i].parent_schema || !items[i].parent)
            return bo_nomem(err);
    }
    if (!items)
        return bo_nomem(err);
    *out = (my_actions){count, items};
    return BO_OK;
}

static my_action *find(
    const my_actions *actions, const char *schema, const char *table, const char *name)
{
    for (size_t i = 0; i < actions->count; i++) {
        my_action *action = &actions->items[i];
        if (strcmp(action->child_schema, schema) == 0 && strcmp(action->child, table) == 0 &&
            (!name || strcmp(action->name, name) == 0))
            return action;
    }
    return NULL;
}

static bool add_pair(my_action *action, const char *child, const char *parent, bo_arena *arena)
{
    const char **children =
        bo_arena_grow(arena, action->child_columns, action->count, sizeof *children);
    const char **parents =
        bo_arena_grow(arena, action->parent_columns, action->count, sizeof *parents);
    if (!children || !parents)
        return false;
    action->child_columns = children;
    action->parent_columns = parents;
    children[action->count] = bo_arena_str(arena, child);
    parents[action->count] = bo_arena_str(arena, parent);
    return children[action->count] && parents[action->count++];
}

static bo_status read_columns(my_conn *conn, bo_arena *arena, my_actions *actions, bo_error *err)
{
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_status st = my_ask(conn, &result, err,
        "SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_COLUMN_NAME"
        " FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL"
        " AND DATABASE() IN (TABLE_SCHEMA, REFERENCED_TABLE_SCHEMA)"
        " ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION");
    MYSQL_ROW row;
    while (st == BO_OK && (row = mysql_fetch_row(result)) != NULL) {
        my_action *action = find(actions, row[0], row[1], row[2]);
        if (action && !add_pair(action, row[3], row[4], arena))
            return bo_nomem(err);
    }
    return st;
}

/* ---- indexes: the reads of a closure must lock nothing but the rows they are for ---- */

/* The index in rows [first, end) begins with the columns of `action`. */
static bool begins_with(MYSQL_RES *result, uint64_t first, uint64_t end, const my_action *action)
{
    if (end - first < action->count)
        return false;
    mysql_data_seek(result, first);
    for (uint16_t i = 0; i < action->count; i++) {
        MYSQL_ROW row = mysql_fetch_row(result);
        if (!row || strcmp(row[1], action->child_columns[i]) != 0)
            return false;
    }
    return true;
}

static bo_status find_index(my_conn *conn, bo_arena *arena, my_action *action, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_buf_add_str(&sql, "SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS"
                         " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ");
    my_quote_literal(&sql, action->child);
    bo_buf_add_str(&sql, " AND INDEX_TYPE = 'BTREE' AND IGNORED = 'NO'"
                         " ORDER BY INDEX_NAME, SEQ_IN_INDEX");
    bo_status st = my_ask_buf(conn, &sql, &result, err);
    if (st != BO_OK)
        return st;
    const uint64_t count = mysql_num_rows(result);
    for (uint64_t first = 0, end; first < count && !action->index; first = end) {
        mysql_data_seek(result, first);
        const char *name = mysql_fetch_row(result)[0];
        for (end = first + 1; end < count; end++) {
            if (strcmp(mysql_fetch_row(result)[0], name) != 0)
                break;
        }
        if (begins_with(result, first, end, action) && !(action->index = bo_arena_str(arena, name)))
            return bo_nomem(err);
    }
    return BO_OK;
}

bo_status my_actions_read(my_conn *conn, bo_arena *arena, my_actions *out, bo_error *err)
{
    my_actions actions = {0};
    bo_status st = read_rules(conn, arena, &actions, err);
    if (st == BO_OK && actions.count > 0)
        st = read_columns(conn, arena, &actions, err);
    for (size_t i = 0; st == BO_OK && i < actions.count; i++) {
        if (actions.items[i].child_here)
            st = find_index(conn, arena, &actions.items[i], err);
    }
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the foreign keys");
    *out = actions;
    return BO_OK;
}
