/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/lock.c - locks on tables, and who stands in the way.
 *
 * LOCK TABLES commits, and then allows no other table and no second alias; so a transaction that
 * writes reads every row in share mode, which locks the rows and the gaps between and behind them.
 * While it does, a second connection holds LOCK TABLES ... READ: that waits for writers as a whole
 * and keeps new ones away, so that no writer is caught halfway and deadlocks with us.  Readers go
 * on.
 */
#include <string.h>

#include "base/error.h"
#include "driver/mariadb/second.h"

/* `asker` asks it: the connection itself, or another one. */
static bo_status name_holder(my_conn *asker, const my_conn *conn, bo_status st, bo_error *err)
{
    if (st != BO_BUSY)
        return st;
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_buf_printf(&sql,
        "SELECT t.trx_mysql_thread_id, p.USER FROM information_schema.INNODB_TRX AS t"
        " JOIN information_schema.PROCESSLIST AS p ON p.ID = t.trx_mysql_thread_id"
        " WHERE t.trx_mysql_thread_id NOT IN (%lu, CONNECTION_ID()) AND p.DB = ",
        mysql_thread_id(conn->my));
    my_quote_literal(&sql, conn->schema);
    bo_buf_add_str(&sql, " ORDER BY t.trx_started LIMIT 1");
    bo_status asked = my_ask_buf(asker, &sql, &result, NULL);
    MYSQL_ROW row = asked == BO_OK ? mysql_fetch_row(result) : NULL;
    if (asked == BO_DENIED)
        return bo_detail(err, st, "who holds the lock is told to users with the right PROCESS");
    return row ? bo_detail(err, st,
                     "the oldest open transaction is that of connection %s of user '%s'", row[0],
                     row[1])
               : st;
}

bo_status my_name_holder(my_conn *conn, bo_status st, bo_error *err)
{
    return name_holder(conn, conn, st, err);
}

static bo_status lock_failed(my_conn *conn, bo_status st, const bo_table *const *tables,
    unsigned count, const char *rights, bo_error *err)
{
    st = my_denied_hint(conn, st, tables[0], rights, err);
    return count == 1
               ? bo_wrap(err, st, "cannot lock %s", tables[0]->name)
               : bo_wrap(err, st, "cannot lock %s and %u more tables", tables[0]->name, count - 1);
}

static bo_status lock_shared(
    my_conn *second, const bo_table *const *tables, unsigned count, const char *wait, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "LOCK TABLES ");
    for (unsigned i = 0; i < count; i++) {
        bo_buf_add_str(&sql, i == 0 ? "" : ", ");
        my_quote_table(&sql, tables[i]);
        bo_buf_add_str(&sql, " READ");
    }
    bo_buf_add_str(&sql, wait);
    return my_run_buf(second, &sql, NULL, err);
}

static bool is_held(my_conn *second, const bo_table *table)
{
    return lock_shared(second, &table, 1, " NOWAIT", NULL) == BO_BUSY;
}

/* A table that this one refers to, and that is held as well; or NULL. */
static const bo_table *held_parent(
    my_conn *second, const bo_table *child, const bo_table *const *tables, unsigned count)
{
    for (uint16_t k = 0; k < child->foreign_key_count; k++) {
        for (unsigned i = 0; i < count; i++) {
            if (tables[i] != child && strcmp(tables[i]->name, child->foreign_keys[k].parent) == 0 &&
                is_held(second, tables[i]))
                return tables[i];
        }
    }
    return NULL;
}

/* Which of the tables it is that others hold; NULL: none any more.  Who writes to a table holds
 * those below it, too. */
static const bo_table *find_held(my_conn *second, const bo_table *const *tables, unsigned count)
{
    unsigned first = 0;
    while (first < count && !is_held(second, tables[first]))
        first++;
    const bo_table *held = first < count ? tables[first] : NULL;
    for (unsigned steps = 0; held && steps < count; steps++) {
        const bo_table *parent = held_parent(second, held, tables, count);
        if (!parent)
            break;
        held = parent;
    }
    return held;
}

/* Waits until nobody writes to the tables.  Without the right to, writers are met row by row. */
static bo_status hold_writers_off(
    my_conn *conn, my_conn *second, const bo_table *const *tables, unsigned count, bo_error *err)
{
    bo_error refused = {0};
    bo_status st = my_second_open(conn, (conn->lock_timeout_ms + 999) / 1000, second, err);
    if (st != BO_OK)
        return lock_failed(conn, st, tables, count, "LOCK TABLES", err);
    st = lock_shared(second, tables, count, "", &refused);
    if (st == BO_OK || st == BO_DENIED)
        return BO_OK;
    if (err)
        *err = refused;
    const bo_table *held = st == BO_BUSY ? find_held(second, tables, count) : NULL;
    st = name_holder(second, conn, st, err);
    return held ? lock_failed(conn, st, &held, 1, "LOCK TABLES", err)
                : lock_failed(conn, st, tables, count, "LOCK TABLES", err);
}

static bo_status lock_rows(my_conn *conn, const bo_table *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t rows = 0;
    bo_buf_add_str(&sql, "SELECT COUNT(*) FROM ");
    my_quote_table(&sql, table);
    bo_buf_add_str(&sql, " USE INDEX () LOCK IN SHARE MODE"); /* the rows themselves, all of them */
    bo_status st = my_ask_count(conn, &sql, &rows, err);
    st = my_name_holder(conn, st, err);
    return st == BO_OK ? BO_OK
                       : lock_failed(conn, st, &table, 1, "SELECT, INSERT, UPDATE, DELETE", err);
}

/* A table of another engine by now would keep what the transaction takes back. */
static bo_status refuse_uncovered(const bo_table *const *tables, unsigned count, bo_error *err)
{
    for (unsigned i = 0; i < count; i++) {
        if (tables[i]->uncovered && !tables[i]->system_versioned)
            return bo_fail(err, BO_REFUSED, "table '%s' cannot be covered\n%s", tables[i]->name,
                tables[i]->limits[0]);
    }
    return BO_OK;
}

static bo_status lock_for_writing(
    my_conn *conn, const bo_table *const *tables, unsigned count, bo_error *err)
{
    my_conn second = {0};
    bo_status st = refuse_uncovered(tables, count, err);
    if (st == BO_OK)
        st = hold_writers_off(conn, &second, tables, count, err);
    for (unsigned i = 0; st == BO_OK && i < count; i++)
        st = lock_rows(conn, tables[i], err);
    my_second_close(&second);
    return st;
}

/* Whoever has read from a table keeps it from being altered, emptied or dropped until the end of
 * the transaction. */
static bo_status lock_for_reading(my_conn *conn, const bo_table *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t one = 0;
    bo_buf_add_str(&sql, "SELECT 1 FROM ");
    my_quote_table(&sql, table);
    bo_buf_add_str(&sql, " LIMIT 1");
    bo_status st = my_ask_count(conn, &sql, &one, err);
    st = my_name_holder(conn, st, err);
    return st == BO_OK ? BO_OK : lock_failed(conn, st, &table, 1, "SELECT", err);
}

bo_status my_lock(bo_conn *base, const bo_table *const *tables, unsigned count, bo_error *err)
{
    my_conn *conn = my_of(base);
    if (count == 0)
        return BO_OK;
    my_forget_links(conn);
    if (conn->mode != BO_TX_READ)
        return lock_for_writing(conn, tables, count, err);
    bo_status st = BO_OK;
    for (unsigned i = 0; st == BO_OK && i < count; i++)
        st = lock_for_reading(conn, tables[i], err);
    return st;
}
