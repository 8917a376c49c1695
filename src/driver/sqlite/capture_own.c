/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/capture_own.c - what we write to captured tables ourselves.
 *
 * No trigger fires on our connections, neither users' nor ours, so rows that we change go to the
 * journal by statements of our own: another point may need them.
 */
#include "driver/sqlite/stage.h"

/* Adds rows that we are about to change; `from` has the table as "l", `operation` is SQL. */
static bo_status keep(sq_conn *conn, const bo_table *now, const sq_journal *journal,
    const char *operation, const bo_buf *from, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_status st = bo_buf_check(from, err);
    if (st != BO_OK)
        return st;
    bo_buf_printf(&sql, "INSERT INTO main.%s (op, ", journal->name);
    sq_journal_list(&sql, now);
    bo_buf_printf(&sql, ") SELECT %s, ", operation);
    sq_image_list(&sql, now, now, "l");
    bo_buf_printf(&sql, " FROM %s", bo_buf_str(from));
    st = sq_run_buf(conn, &sql, NULL, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot write the journal of %s", now->name);
}

bo_status sq_journal_clear(sq_conn *conn, const bo_table *now, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) from = {0};
    sq_journal journal = {0};
    bo_status st = sq_journal_intact(conn, now, &journal, err);
    if (st != BO_OK || journal.number == 0)
        return st;
    sq_quote_table(&from, now);
    bo_buf_add_str(&from, " AS l");
    return keep(conn, now, &journal, "'D'", &from, err);
}

bo_status sq_journal_stage(sq_conn *conn, sq_staged *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) from = {0};
    bo_status st = sq_journal_intact(conn, table->now, &table->journal, err);
    if (st != BO_OK || table->journal.number == 0)
        return st;
    bo_buf_printf(&from, "%s AS s CROSS JOIN ", table->name);
    sq_quote_table(&from, table->now);
    bo_buf_add_str(&from, " AS l WHERE s.found AND ");
    sq_staged_address(&from, table, "s", "l");
    bo_buf_add_str(&from, " ORDER BY s.id");
    return keep(
        conn, table->now, &table->journal, "CASE WHEN s.target THEN 'U' ELSE 'D' END", &from, err);
}

bo_status sq_journal_staged(sq_conn *conn, const sq_staged *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    if (table->journal.number == 0)
        return BO_OK;
    const bo_key *key = table->now->row_key;
    bo_buf_printf(&sql, "INSERT INTO main.%s (op, ", table->journal.name);
    sq_journal_key_list(&sql, table->now);
    bo_buf_add_str(&sql, ") SELECT 'I'");
    for (uint16_t i = 0; i < key->count; i++)
        bo_buf_printf(&sql, ", c%u", key->columns[i]);
    bo_buf_printf(&sql, " FROM %s WHERE target AND NOT found ORDER BY id", table->name);
    bo_status st = sq_run_buf(conn, &sql, NULL, err);
    return st == BO_OK ? BO_OK
                       : bo_wrap(err, st, "cannot write the journal of %s", table->now->name);
}

/* Where the values of the key are in an image of `was`. */
static bo_status find_key(const bo_table *was, const bo_table *now, const int *map, bo_arena *arena,
    int **key_out, bo_error *err)
{
    const bo_key *key = now->row_key;
    int *found = bo_arena_array(arena, key->count + 1u, sizeof *found);
    if (!found)
        return bo_nomem(err);
    for (uint16_t k = 0; k < key->count; k++) {
        found[k] = -1;
        for (uint16_t i = 0; i < was->image_count; i++) {
            if (map[i] == key->columns[k])
                found[k] = i;
        }
        if (found[k] < 0)
            return bo_fail(err, BO_UNSUPPORTED, "the rows have no value for the key column '%s'",
                now->columns[key->columns[k]].name);
    }
    *key_out = found;
    return BO_OK;
}

bo_status sq_journal_coming(sq_conn *conn, const bo_table *was, const bo_table *now, const int *map,
    bo_arena *arena, sqlite3_stmt **out, int **key_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN_VALUE(bo_buf) where = {0};
    sq_journal journal = {0};
    bo_status st = sq_journal_intact(conn, now, &journal, err);
    if (st != BO_OK || journal.number == 0)
        return st;
    st = find_key(was, now, map, arena, key_out, err);
    bo_buf_printf(&sql, "INSERT INTO main.%s (op, ", journal.name);
    sq_journal_key_list(&sql, now);
    bo_buf_add_str(&sql, ") SELECT 'I'");
    for (unsigned i = 0; i < now->row_key->count; i++) {
        BO_OWN_VALUE(bo_buf) name = {0};
        sq_quote(&name, now->columns[now->row_key->columns[i]].name);
        bo_buf_printf(&sql, ", l.%s", bo_buf_str(&name));
        bo_buf_printf(&where, "%sl.%s = $%u", i == 0 ? "" : " AND ", bo_buf_str(&name), i + 1);
        where.failed |= name.failed;
    }
    bo_buf_add_str(&sql, " FROM ");
    sq_quote_table(&sql, now);
    bo_buf_printf(&sql, " AS l WHERE %s", bo_buf_str(&where));
    sql.failed |= where.failed;
    return st == BO_OK ? sq_prepare_buf(conn, &sql, out, err) : st;
}

bo_status sq_journal_came(sq_conn *conn, sqlite3_stmt *statement, const bo_value *values,
    const int *key, uint16_t count, bo_error *err)
{
    bool row = false;
    bo_status st = BO_OK;
    for (uint16_t k = 0; st == BO_OK && k < count; k++)
        st = sq_value_bind(conn, statement, k + 1, values[key[k]], err);
    if (st == BO_OK)
        st = sq_step(conn, statement, &row, err);
    if (st == BO_OK && sqlite3_changes64(conn->db) != 1)
        return bo_fail(err, BO_CONFLICT, "a row that was written is not found by its key");
    return st;
}
