/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/capture_actions.c - the foreign keys whose actions change rows. */
#include <string.h>

#include "driver/mariadb/describe.h"
#include "driver/mariadb/journal.h"

static char action_of(const char *rule)
{
    return strcmp(rule, "CASCADE") == 0       ? 'c'
           : strcmp(rule, "SET NULL") == 0    ? 'n'
           : strcmp(rule, "SET DEFAULT") == 0 ? 'd'
                                              : 'r';
}

/* ---- the rules ---- */

static bo_status read_rule(
    const my_conn *conn, MYSQL_ROW row, bo_arena *arena, my_action *out, bo_error *err)
{
    const my_action action = {
        .name = bo_arena_str(arena, row[0]),
        .child_schema = bo_arena_str(arena, row[1]),
        .child = bo_arena_str(arena, row[2]),
        .parent = bo_arena_str(arena, row[3]),
        .on_delete = action_of(row[4]),
        .on_update = action_of(row[5]),
        .child_here = strcmp(row[1], conn->schema) == 0,
        .parent_here = strcmp(row[6], conn->schema) == 0,
    };
    if (!action.name || !action.child_schema || !action.child || !action.parent)
        return bo_nomem(err);
    *out = action;
    return BO_OK;
}

/* Foreign keys of the tables that meet `condition`, one that the server looks up, but for letters
 * and accents: of this schema, or of others that refer to it. */
static bo_status read_rules(my_conn *conn, const bo_buf *condition, bool of_others, bo_arena *arena,
    my_actions *out, bo_error *err)
{
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_status st = my_ask(conn, &result, err,
        "SELECT CONSTRAINT_NAME, CONSTRAINT_SCHEMA, TABLE_NAME, REFERENCED_TABLE_NAME, DELETE_RULE,"
        " UPDATE_RULE, UNIQUE_CONSTRAINT_SCHEMA"
        " FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE %s"
        " AND (DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION')"
        " OR UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION')) ORDER BY TABLE_NAME, CONSTRAINT_NAME",
        bo_buf_str(condition));
    MYSQL_ROW row;
    while (st == BO_OK && (row = mysql_fetch_row(result)) != NULL) {
        my_action *items = bo_arena_grow(arena, out->items, out->count, sizeof *items);
        if (!items)
            return bo_nomem(err);
        out->items = items;
        st = read_rule(conn, row, arena, &items[out->count], err);
        const my_action *read = &items[out->count];
        out->count +=
            st == BO_OK && (of_others ? !read->child_here && read->parent_here : read->child_here);
    }
    return st;
}

static my_action *find(
    const my_actions *actions, const char *schema, const char *table, const char *name)
{
    for (size_t i = 0; i < actions->count; i++) {
        my_action *action = &actions->items[i];
        if (strcmp(action->child_schema, schema) == 0 && strcmp(action->child, table) == 0 &&
            strcmp(action->name, name) == 0)
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

/* Of the tables of this schema: further, no action is followed. */
static bo_status read_columns(my_conn *conn, bo_arena *arena, my_actions *actions, bo_error *err)
{
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_status st = my_ask(conn, &result, err,
        "SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_COLUMN_NAME"
        " FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = DATABASE()"
        " AND REFERENCED_TABLE_NAME IS NOT NULL"
        " ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION");
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

/* ---- all of it ---- */

/* Tables of other schemas that refer to some of ours, and whether any foreign key concerns us. */
static bo_status read_linked(
    my_conn *conn, bo_arena *arena, my_actions *actions, bool *any, bo_error *err)
{
    const my_links *links = NULL;
    bo_status st = my_get_links(conn, &links, err);
    if (st != BO_OK)
        return st;
    BO_OWN_VALUE(bo_buf) condition = {0};
    mysql_data_seek(links->references, 0);
    for (MYSQL_ROW row; (row = mysql_fetch_row(links->references)) != NULL;) {
        const bool ours = strcmp(row[2], conn->schema) == 0;
        *any = *any || ours;
        if (ours || strcmp(row[0], conn->schema) != 0)
            continue;
        bo_buf_add_str(&condition, condition.size > 0 ? " OR (" : "((");
        bo_buf_add_str(&condition, "CONSTRAINT_SCHEMA = ");
        my_quote_literal(&condition, row[2]);
        bo_buf_add_str(&condition, " AND TABLE_NAME = ");
        my_quote_literal(&condition, row[3]);
        bo_buf_add_str(&condition, ")");
    }
    if (condition.size == 0)
        return BO_OK;
    bo_buf_add_str(&condition, ")");
    return read_rules(conn, &condition, true, arena, actions, err);
}

/* In most schemas no foreign key has an action; then that is all that is asked. */
bo_status my_actions_read(
    my_conn *conn, bool indexes, bo_arena *arena, my_actions *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) here = {0};
    my_actions actions = {0};
    bool any = false;
    bo_buf_add_str(&here, "CONSTRAINT_SCHEMA = DATABASE()");
    bo_status st = read_linked(conn, arena, &actions, &any, err);
    if (st == BO_OK && any)
        st = read_rules(conn, &here, false, arena, &actions, err);
    if (st == BO_OK && actions.count > 0)
        st = read_columns(conn, arena, &actions, err);
    for (size_t i = 0; st == BO_OK && indexes && i < actions.count; i++) {
        if (actions.items[i].child_here)
            st = find_index(conn, arena, &actions.items[i], err);
    }
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the foreign keys");
    *out = actions;
    return BO_OK;
}
