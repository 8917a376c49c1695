/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/references.c - foreign-key violations of whole tables. */
#include <string.h>

#include "base/error.h"
#include "driver/foreign_keys.h"
#include "driver/mariadb/stage.h"

bo_status my_references(my_conn *conn, bool enforced, bo_error *err)
{
    return my_run(conn, NULL, err, "SET SESSION foreign_key_checks = %d", enforced);
}

bo_status my_quote_name(my_conn *conn, const char *name, bo_buf *out, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    const char *schema = NULL, *local = NULL;
    bo_status st = my_parse_name(conn, name, arena, &schema, &local, err);
    if (st != BO_OK)
        return st;
    my_quote(out, schema);
    bo_buf_add_str(out, ".");
    my_quote(out, local);
    return bo_buf_check(out, err);
}

/* Both sides of a foreign key have one type and one collation, so "=" compares as the key does. */
bo_status my_refers(bo_conn *conn, const bo_foreign_key *key, const char *const *parent,
    const char *alias, bo_buf *out, bo_error *err)
{
    (void)conn;
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_printf(out, "%s%s = %s.", i == 0 ? "" : " AND ", parent[i], alias);
        my_quote(out, key->child_columns[i]);
    }
    return bo_buf_check(out, err);
}

/* What is read to be relied on is read as it is now, and locked: the snapshot of a transaction that
 * writes may be older than what others have broken since. */
static const char *how_to_read(const my_conn *conn)
{
    return conn->in_transaction && conn->mode == BO_TX_WRITE ? " LOCK IN SHARE MODE" : "";
}

/* Rows of the child whose columns are all given and refer to no row of the parent. */
static bo_status count_dangling(
    my_conn *conn, const bo_foreign_key *key, uint64_t *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN_VALUE(bo_buf) child = {0};
    BO_OWN_VALUE(bo_buf) parent = {0};
    bo_status st = my_quote_name(conn, key->child, &child, err);
    if (st == BO_OK)
        st = my_quote_name(conn, key->parent, &parent, err);
    if (st != BO_OK)
        return st;
    bo_buf_printf(&sql, "SELECT COUNT(*) FROM %s AS c WHERE ", bo_buf_str(&child));
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(&sql, "c.");
        my_quote(&sql, key->child_columns[i]);
        bo_buf_add_str(&sql, " IS NOT NULL AND ");
    }
    bo_buf_printf(&sql, "NOT EXISTS (SELECT 1 FROM %s AS p WHERE ", bo_buf_str(&parent));
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(&sql, i == 0 ? "p." : " AND p.");
        my_quote(&sql, key->parent_columns[i]);
        bo_buf_add_str(&sql, " = c.");
        my_quote(&sql, key->child_columns[i]);
    }
    bo_buf_printf(&sql, "%s)%s", how_to_read(conn), how_to_read(conn));
    return my_ask_count(conn, &sql, out, err);
}

static bo_status check_key(
    bo_conn *base, const bo_foreign_key *key, uint64_t *violations, bo_buf *example, bo_error *err)
{
    my_conn *conn = my_of(base);
    uint64_t dangling = 0;
    bo_status st = my_name_holder(conn, count_dangling(conn, key, &dangling, err), err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot check foreign key '%s' of %s", key->name, key->child);
    if (dangling > 0 && *violations == 0)
        bo_buf_printf(example, "foreign key '%s' of %s to %s", key->name, key->child, key->parent);
    *violations += dangling;
    return BO_OK;
}

bo_status my_check_references(bo_conn *conn, const bo_table *const *tables, unsigned count,
    uint64_t *violations_out, bo_buf *example_out, bo_error *err)
{
    return bo_foreign_keys_check(conn, tables, count, check_key, violations_out, example_out, err);
}
