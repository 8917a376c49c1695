/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/apply.c - carrying a stage out: all rows that go, then all rows that come.
 *
 * No foreign-key action and no trigger of a user runs on our connections, so the order of tables
 * does not matter, and a unique value is free before it is taken again.
 */
#include <inttypes.h>

#include "driver/sqlite/stage.h"

static bo_status count_entries(
    sq_stage *self, const sq_staged *table, const char *condition, uint64_t *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    int64_t count = 0;
    bo_buf_printf(&sql, "SELECT count(*) FROM %s WHERE %s", table->name, condition);
    bo_status st = sq_number(self->conn, &sql, &count, err);
    if (st == BO_OK)
        *out = (uint64_t)count;
    return st;
}

static bo_status expect(
    const sq_staged *table, const char *what, uint64_t planned, uint64_t done, bo_error *err)
{
    if (planned == done)
        return BO_OK;
    return bo_fail(err, BO_CONFLICT, "%" PRIu64 " rows of %s were %s instead of %" PRIu64, done,
        table->now->name, what, planned);
}

static bo_status delete_rows(
    sq_stage *self, const sq_staged *table, uint64_t planned, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t changed = 0;
    bo_buf_add_str(&sql, "DELETE FROM ");
    sq_quote_table(&sql, table->now);
    bo_buf_add_str(&sql, " AS l WHERE ");
    if (table->rowid) {
        bo_buf_add_str(&sql, "l.");
        sq_quote(&sql, table->rowid);
        bo_buf_printf(&sql, " IN (SELECT live FROM %s WHERE found)", table->name);
    } else {
        bo_buf_add_str(&sql, "(");
        for (uint16_t i = 0; i < table->key->count; i++) {
            bo_buf_add_str(&sql, i == 0 ? "l." : ", l.");
            sq_quote(&sql, table->now->columns[table->key->columns[i]].name);
        }
        bo_buf_add_str(&sql, ") IN (SELECT ");
        for (uint16_t i = 0; i < table->key->count; i++)
            bo_buf_printf(&sql, "%sc%u", i == 0 ? "" : ", ", table->key->columns[i]);
        bo_buf_printf(&sql, " FROM %s WHERE found)", table->name);
    }
    bo_status st = sq_run_buf(self->conn, &sql, &changed, err);
    return st == BO_OK ? expect(table, "deleted", planned, changed, err) : st;
}

/* INSERT of entries, with the row's number when `live` has it; `whole`: the row was there, so it
 * has values in the columns that came since. */
static void insert_sql(
    bo_buf *sql, const sq_staged *table, bool whole, bool numbered, const char *condition)
{
    BO_OWN_VALUE(bo_buf) from = {0};
    const char *separator = " (";
    bo_buf_add_str(sql, "INSERT OR ABORT INTO ");
    sq_quote_table(sql, table->now);
    if (numbered && table->rowid && !sq_rowid_is_column(table->now)) {
        bo_buf_add_str(sql, " (");
        sq_quote(sql, table->rowid);
        bo_buf_add_str(&from, "live");
        separator = ", ";
    }
    for (uint16_t i = 0; i < table->now->image_count; i++) {
        uint16_t column = table->now->image_columns[i];
        if (!whole && !table->given[column])
            continue;
        bo_buf_add_str(sql, separator);
        sq_quote(sql, table->now->columns[column].name);
        bo_buf_printf(&from, "%sc%u", from.size > 0 ? ", " : "", column);
        separator = ", ";
    }
    bo_buf_printf(
        sql, ") SELECT %s FROM %s WHERE %s ORDER BY id", bo_buf_str(&from), table->name, condition);
    sql->failed |= from.failed;
}

static bo_status insert_rows(sq_stage *self, const sq_staged *table, bool whole, bool numbered,
    const char *condition, uint64_t planned, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t changed = 0;
    if (planned == 0)
        return BO_OK;
    insert_sql(&sql, table, whole, numbered, condition);
    bo_status st = sq_run_buf(self->conn, &sql, &changed, err);
    return st == BO_OK ? expect(table, "inserted", planned, changed, err) : st;
}

/* Without a key only its number finds a row again: one by one, and each number is kept. */
static bo_status insert_multiset(
    sq_stage *self, const sq_staged *table, uint64_t planned, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(sqlite3_stmt) *ids = NULL;
    BO_OWN(sqlite3_stmt) *insert = NULL;
    BO_OWN(sqlite3_stmt) *update = NULL;
    bo_buf_printf(&sql,
        "SELECT min(id) FROM %s WHERE target AND live IS NULL AND id > $1"
        " HAVING min(id) > 0",
        table->name);
    bo_status st = sq_prepare_buf(self->conn, &sql, &ids, err);
    bo_buf_clear(&sql);
    insert_sql(&sql, table, false, false, "id = $1");
    if (st == BO_OK)
        st = sq_prepare_buf(self->conn, &sql, &insert, err);
    bo_buf_clear(&sql);
    bo_buf_printf(&sql, "UPDATE %s SET live = $1 WHERE id = $2", table->name);
    if (st == BO_OK)
        st = sq_prepare_buf(self->conn, &sql, &update, err);

    uint64_t done = 0;
    for (sqlite3_int64 id = 0; st == BO_OK;) {
        bool row = false;
        sqlite3_bind_int64(ids, 1, id);
        st = sq_step(self->conn, ids, &row, err);
        if (st != BO_OK || !row)
            break;
        id = sqlite3_column_int64(ids, 0);
        sqlite3_reset(ids);
        sqlite3_bind_int64(insert, 1, id);
        st = sq_step(self->conn, insert, &row, err);
        done += st == BO_OK ? (uint64_t)sqlite3_changes64(self->conn->db) : 0;
        sqlite3_bind_int64(update, 1, sqlite3_last_insert_rowid(self->conn->db));
        sqlite3_bind_int64(update, 2, id);
        if (st == BO_OK)
            st = sq_step(self->conn, update, &row, err);
    }
    return st == BO_OK ? expect(table, "inserted", planned, done, err) : st;
}

static bo_status plan_counts(
    sq_stage *self, const sq_staged *table, bo_applied *counts, bo_error *err)
{
    bo_status st = count_entries(self, table, "found AND NOT target", &counts->deleted, err);
    if (st == BO_OK)
        st = count_entries(self, table, "found AND target", &counts->updated, err);
    if (st == BO_OK)
        st = count_entries(self, table, "target AND NOT found", &counts->inserted, err);
    return st;
}

/* New rows take the numbers they had, those that are free; *taken_out: how many. */
static bo_status take_numbers(
    sq_stage *self, const sq_staged *table, uint64_t *taken_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    *taken_out = 0;
    if (!table->was->row_hint || !table->rowid || sq_rowid_is_column(table->now))
        return BO_OK;
    bo_buf_printf(&sql,
        "UPDATE %s AS s SET live = hint WHERE id IN"
        " (SELECT min(id) FROM %s WHERE target AND NOT found GROUP BY hint)"
        " AND NOT EXISTS (SELECT 1 FROM ",
        table->name, table->name);
    sq_quote_table(&sql, table->now);
    bo_buf_add_str(&sql, " AS l WHERE l.");
    sq_quote(&sql, table->rowid);
    bo_buf_add_str(&sql, " = s.hint)");
    return sq_run_buf(self->conn, &sql, taken_out, err);
}

static bo_status insert_table(
    sq_stage *self, const sq_staged *table, const bo_applied *counts, bo_error *err)
{
    uint64_t taken = 0;
    bo_status st = insert_rows(self, table, true, true, "found AND target", counts->updated, err);
    if (st == BO_OK && counts->inserted > 0)
        st = take_numbers(self, table, &taken, err);
    if (st == BO_OK)
        st = insert_rows(
            self, table, false, true, "target AND NOT found AND live IS NOT NULL", taken, err);
    if (st != BO_OK)
        return st;
    if (!table->key)
        return insert_multiset(self, table, counts->inserted - taken, err);
    return insert_rows(self, table, false, false, "target AND NOT found AND live IS NULL",
        counts->inserted - taken, err);
}

bo_status sq_stage_apply(bo_stage *stage, bo_applied *counts_out, bo_error *err)
{
    sq_stage *self = sq_stage_of(stage);
    BO_OWN_MEM bo_applied *counts = calloc(self->count + 1u, sizeof *counts);
    if (!counts)
        return bo_nomem(err);
    bo_status st = BO_OK;
    for (unsigned i = 0; st == BO_OK && i < self->count; i++) {
        st = plan_counts(self, &self->tables[i], &counts[i], err);
        if (st == BO_OK)
            st = sq_journal_stage(self->conn, &self->tables[i], err);
        if (st == BO_OK)
            st = delete_rows(self, &self->tables[i], counts[i].deleted + counts[i].updated, err);
        if (st != BO_OK)
            bo_wrap(err, st, "cannot delete rows of %s", self->tables[i].now->name);
    }
    for (unsigned i = 0; st == BO_OK && i < self->count; i++) {
        st = insert_table(self, &self->tables[i], &counts[i], err);
        if (st == BO_OK)
            st = sq_journal_staged(self->conn, &self->tables[i], err);
        if (st != BO_OK)
            bo_wrap(err, st, "cannot put rows back into %s", self->tables[i].now->name);
    }
    for (unsigned i = 0; st == BO_OK && i < self->count; i++)
        counts_out[i] = counts[i];
    return st;
}
