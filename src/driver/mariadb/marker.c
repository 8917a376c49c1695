/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/marker.c - did this transaction commit?  docs/design/proof.md
 *
 * The proof is a row of backout_marker, written by the transaction itself.  Making and dropping the
 * table would commit, so a second connection does that.  Asking locks the row: it waits for nobody,
 * but sees that a transaction which wrote it still runs.
 */
#include "base/error.h"
#include "driver/mariadb/second.h"

#define NAP_S 1 /* how long to wait for others who use the table */

static void add_marker(bo_buf *sql, const my_conn *conn)
{
    my_quote(sql, conn->schema);
    bo_buf_add_str(sql, ".backout_marker");
}

/* `before` the table's name `after` the id `end`. */
static bo_status run_with_id(my_conn *conn, const char *before, const char *after, const char *id,
    const char *end, MYSQL_RES **out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, before);
    add_marker(&sql, conn);
    bo_buf_add_str(&sql, after);
    my_quote_literal(&sql, id);
    bo_buf_add_str(&sql, end);
    return out ? my_ask_buf(conn, &sql, out, err) : my_run_buf(conn, &sql, NULL, err);
}

static bo_status run_on_table(
    my_conn *conn, const char *before, const char *after, uint64_t *rows_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, before);
    add_marker(&sql, conn);
    bo_buf_add_str(&sql, after);
    return my_run_buf(conn, &sql, rows_out, err);
}

static bo_status make_table(my_conn *conn, bo_error *err)
{
    my_conn second = {0};
    bo_status st = my_second_open(conn, NAP_S, &second, err);
    if (st == BO_OK)
        st = run_on_table(&second, "CREATE TABLE IF NOT EXISTS ",
            " (id varchar(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,"
            " written_at datetime(6) NOT NULL) ENGINE = InnoDB",
            NULL, err);
    my_second_close(&second);
    return st;
}

static bo_status name_rights(my_conn *conn, bo_status st, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) schema = {0};
    my_quote(&schema, conn->schema);
    return bo_detail(err, st,
        "needed: GRANT CREATE, DROP, LOCK TABLES, SELECT, INSERT, DELETE ON %s.* TO '%s'",
        bo_buf_str(&schema), conn->my && conn->my->user ? conn->my->user : "");
}

bo_status my_mark(bo_conn *base, const char *id, bo_buf *token_out, bo_error *err)
{
    enum { ATTEMPTS = 5 }; /* another rollback that ends drops the table between ours */
    my_conn *conn = my_of(base);
    bo_status st = BO_NOTFOUND;
    for (int i = 0; st == BO_NOTFOUND && i < ATTEMPTS; i++) {
        if (i > 0)
            st = make_table(conn, err);
        if (i == 0 || st == BO_OK)
            st = run_with_id(
                conn, "INSERT INTO ", " VALUES (", id, ", UTC_TIMESTAMP(6))", NULL, err);
    }
    if (st == BO_DENIED)
        st = name_rights(conn, st, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot write the marker");
    bo_buf_clear(token_out); /* the id says it all: the row tells whether its transaction runs */
    bo_buf_add_str(token_out, "row");
    return bo_buf_check(token_out, err);
}

bo_status my_marked(bo_conn *base, const char *id, const char *token, bool *out, bo_error *err)
{
    (void)token;
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_status st = run_with_id(my_of(base), "SELECT 1 FROM ", " WHERE id = ", id,
        " LOCK IN SHARE MODE NOWAIT", &result, err);
    if (st == BO_NOTFOUND) {
        *out = false;
        return BO_OK;
    }
    if (st == BO_BUSY)
        return bo_fail(err, BO_UNKNOWN, "the transaction that would have committed still runs");
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot look for the marker");
    *out = mysql_num_rows(result) > 0;
    return BO_OK;
}

/* Whoever uses it now leaves it to them: the last one drops it.  Without the right to it stays,
 * empty. */
static bo_status drop_table(my_conn *second, bo_error *err)
{
    uint64_t rows = 0;
    bo_error refused = {0};
    bo_status st = run_on_table(second, "LOCK TABLES ", " WRITE", NULL, &refused);
    if (st == BO_BUSY || st == BO_DENIED || st == BO_NOTFOUND)
        return BO_OK;
    if (st == BO_OK)
        st = run_on_table(second, "SELECT 1 FROM ", " LIMIT 1", &rows, &refused);
    if (st == BO_OK && rows == 0)
        st = run_on_table(second, "DROP TABLE ", "", NULL, &refused);
    if (st == BO_OK || st == BO_DENIED)
        st = my_run(second, NULL, &refused, "UNLOCK TABLES");
    if (st != BO_OK && err)
        *err = refused;
    return st;
}

bo_status my_unmark(bo_conn *base, const char *id, bo_error *err)
{
    my_conn second = {0};
    bo_status st = my_second_open(my_of(base), NAP_S, &second, err);
    if (st == BO_OK) {
        st = run_with_id(&second, "DELETE FROM ", " WHERE id = ", id, "", NULL, err);
        st = st == BO_NOTFOUND ? BO_OK : st == BO_OK ? drop_table(&second, err) : st;
    }
    my_second_close(&second);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot remove the marker");
}

bo_status my_traces(bo_conn *base, bo_trace_fn *each, void *ctx, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(MYSQL_RES) *markers = NULL;
    bo_buf_add_str(&sql, "SELECT id FROM ");
    add_marker(&sql, conn);
    bo_buf_add_str(&sql, " ORDER BY id");
    bo_status st = my_ask_buf(conn, &sql, &markers, err);
    if (st == BO_NOTFOUND)
        return BO_OK;
    MYSQL_ROW row;
    while (st == BO_OK && (row = mysql_fetch_row(markers)) != NULL) {
        bo_trace trace = {BO_TRACE_MARKER, row[0]};
        st = each(ctx, &trace, err);
    }
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot list the markers");
}
