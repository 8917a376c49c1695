/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/references.c - foreign keys as queries.
 *
 * PRAGMA foreign_key_check fails as a whole when one parent has no unique key; these do not.
 */
#include <string.h>

#include "base/text.h"
#include "driver/foreign_keys.h"
#include "driver/sqlite/sqlite.h"

void sq_side_column(bo_buf *out, sq_side side, const char *column)
{
    bo_buf_printf(out, "%s.", side.alias);
    if (side.staged)
        bo_buf_printf(out, "c%d", bo_table_column(side.staged, column));
    else
        sq_quote(out, column);
}

void sq_reference_match(
    bo_buf *out, const bo_foreign_key *key, sq_side parent, sq_side child, bool plain)
{
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(out, i == 0 ? "" : " AND ");
        sq_side_column(out, parent, key->parent_columns[i]);
        bo_buf_add_str(out, plain ? " = " : " = +");
        sq_side_column(out, child, key->child_columns[i]);
    }
}

bo_status sq_reference_usable(sq_conn *conn, const bo_foreign_key *key, bool *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_buf_printf(&sql, "SELECT 1 FROM main.%s AS c, main.%s AS p WHERE ", key->child, key->parent);
    sq_reference_match(&sql, key, (sq_side){.alias = "p"}, (sq_side){.alias = "c"}, false);
    if (sql.failed)
        return bo_nomem(err);
    int rc = sqlite3_prepare_v2(conn->db, bo_buf_str(&sql), -1, &statement, NULL);
    if (rc != SQLITE_OK && rc != SQLITE_ERROR)
        return sq_error(conn, err, "cannot examine %s of %s", key->name, key->child);
    *out = rc == SQLITE_OK;
    return BO_OK;
}

static bool same_affinity(sq_conn *conn, const char *child, const char *child_column,
    const char *parent, const char *parent_column)
{
    const char *a = NULL, *b = NULL;
    if (sqlite3_table_column_metadata(
            conn->db, "main", child, child_column, &a, NULL, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_table_column_metadata(
            conn->db, "main", parent, parent_column, &b, NULL, NULL, NULL, NULL) != SQLITE_OK)
        return false;
    a = a ? a : "";
    b = b ? b : "";
    bool any = bo_text_same(a, "ANY") || bo_text_same(b, "ANY");
    return !any && strcmp(sq_affinity(a, false), sq_affinity(b, false)) == 0;
}

static bo_status has_index(
    sq_conn *conn, const char *table, const char *column, bool *out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_status st = sq_ask(conn,
        "SELECT 1 FROM pragma_index_list($1, 'main') l, pragma_index_info(l.name, 'main') i"
        " WHERE NOT l.partial AND i.seqno = 0 AND i.name = $2 COLLATE NOCASE"
        " UNION ALL SELECT 1 FROM pragma_table_xinfo($1, 'main')"
        " WHERE pk = 1 AND type = 'INTEGER' COLLATE NOCASE AND name = $2 COLLATE NOCASE",
        table, &statement, err);
    if (st == BO_OK)
        st = sq_bind_text(conn, statement, 2, column, err);
    return st == BO_OK ? sq_step(conn, statement, out, err) : st;
}

/* Then both sides are compared as they are, and an index serves: one there is, or one SQLite makes.
 */
static bo_status same_affinities(
    sq_conn *conn, const bo_foreign_key *key, bool *out, bo_arena *arena, bo_error *err)
{
    const char *child = NULL, *parent = NULL;
    bo_status st = sq_parse_name(key->child, arena, &child, err);
    if (st == BO_OK)
        st = sq_parse_name(key->parent, arena, &parent, err);
    if (st != BO_OK)
        return st;
    *out = true;
    for (uint16_t i = 0; i < key->count; i++)
        *out &= same_affinity(conn, child, key->child_columns[i], parent, key->parent_columns[i]);
    return BO_OK;
}

bo_status sq_reference_indexed(sq_conn *conn, const bo_foreign_key *key, bool *out, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    const char *child = NULL;
    if (!arena)
        return bo_nomem(err);
    bool same = true, indexed = false;
    bo_status st = same_affinities(conn, key, &same, arena, err);
    if (st == BO_OK)
        st = sq_parse_name(key->child, arena, &child, err);
    if (st == BO_OK)
        st = has_index(conn, child, key->child_columns[0], &indexed, err);
    if (st == BO_OK)
        *out = same && indexed;
    return st;
}

bo_status sq_refers(bo_conn *conn, const bo_foreign_key *key, const char *const *parent,
    const char *alias, bo_buf *out, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bool plain = false;
    bo_status st = same_affinities(sq_of(conn), key, &plain, arena, err);
    if (st != BO_OK)
        return st;
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_printf(out, i == 0 ? "%s" : " AND %s", parent[i]);
        bo_buf_add_str(out, plain ? " = " : " = +");
        sq_side_column(out, (sq_side){.alias = alias}, key->child_columns[i]);
    }
    return bo_buf_check(out, err);
}

/* Rows of the child whose columns are all given and refer to no row of the parent. */
static bo_status count_dangling(
    sq_conn *conn, const bo_foreign_key *key, int64_t *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    sq_side child = {.alias = "c"}, parent = {.alias = "p"};
    bo_buf_printf(&sql, "SELECT count(*) FROM main.%s AS c WHERE ", key->child);
    for (uint16_t i = 0; i < key->count; i++) {
        sq_side_column(&sql, child, key->child_columns[i]);
        bo_buf_add_str(&sql, " IS NOT NULL AND ");
    }
    bo_buf_printf(&sql, "NOT EXISTS (SELECT 1 FROM main.%s AS p WHERE ", key->parent);
    sq_reference_match(&sql, key, parent, child, false);
    bo_buf_add_str(&sql, ")");
    return sq_number(conn, &sql, out, err);
}

static bo_status check_key(
    bo_conn *base, const bo_foreign_key *key, uint64_t *violations, bo_buf *example, bo_error *err)
{
    sq_conn *conn = sq_of(base);
    bool usable = false;
    int64_t dangling = 0;
    bo_status st = sq_reference_usable(conn, key, &usable, err);
    if (st == BO_OK && usable)
        st = count_dangling(conn, key, &dangling, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot check %s of %s", key->name, key->child);
    if (dangling > 0 && *violations == 0)
        bo_buf_printf(example, "%s of %s (%s) refers to no row of %s", key->name, key->child,
            key->child_columns[0], key->parent);
    *violations += (uint64_t)dangling;
    return BO_OK;
}

bo_status sq_check_references(bo_conn *conn, const bo_table *const *tables, unsigned count,
    uint64_t *violations_out, bo_buf *example_out, bo_error *err)
{
    return bo_foreign_keys_check(conn, tables, count, check_key, violations_out, example_out, err);
}
