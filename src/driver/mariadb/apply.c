/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/apply.c - carrying a stage out: all rows that go, then all rows that come.
 *
 * The server neither acts on nor checks foreign keys meanwhile, so the order of tables does not
 * matter; the references that are touched are checked by query before that, and locked by it.  A
 * unique value is free before it is taken again.
 *
 * A row whose unique values stay is changed in place, which costs half as much.  Triggers of users
 * do fire, because the server cannot keep them from it inside a transaction; so they see what
 * happens and no more.  The proof finds what they did to these rows.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "driver/mariadb/stage.h"

static bo_status expect(
    const my_staged *table, const char *what, uint64_t planned, uint64_t done, bo_error *err)
{
    if (planned == done)
        return BO_OK;
    return bo_fail(err, BO_CONFLICT, "%" PRIu64 " rows of %s were %s instead of %" PRIu64, done,
        table->now->name, what, planned);
}

static bo_status count_entries(
    my_stage *self, const my_staged *table, const char *condition, uint64_t *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "SELECT COUNT(*) FROM %s WHERE %s", table->name, condition);
    return my_ask_count(self->conn, &sql, out, err);
}

static bo_status plan_counts(
    my_stage *self, const my_staged *table, bo_applied *counts, bo_error *err)
{
    bo_status st = count_entries(self, table, "found AND NOT target", &counts->deleted, err);
    if (st == BO_OK)
        st = count_entries(self, table, "found AND target", &counts->updated, err);
    if (st == BO_OK)
        st = count_entries(self, table, "target AND NOT found", &counts->inserted, err);
    return st;
}

/* ---- rows that go ---- */

static bo_status delete_by_key(
    my_stage *self, const my_staged *table, uint64_t planned, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t done = 0;
    bo_buf_printf(
        &sql, "DELETE l FROM %s AS s STRAIGHT_JOIN %s AS l ON ", table->name, table->live);
    my_staged_same_key(&sql, table, "s", "l");
    bo_buf_add_str(&sql, " WHERE s.found AND NOT s.in_place");
    bo_status st = my_run_buf(self->conn, &sql, &done, err);
    return st == BO_OK ? expect(table, "deleted", planned, done, err) : st;
}

/* Rows with an image of which none stays. */
static bo_status delete_whole(
    my_stage *self, const my_staged *table, uint64_t *done_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "DELETE FROM %s WHERE ", table->live);
    my_staged_image(&sql, table, table->live);
    bo_buf_printf(&sql, " IN (SELECT image FROM %s WHERE found AND whole)", table->name);
    return my_run_buf(self->conn, &sql, done_out, err);
}

/* Some of several equal rows: they cannot be told apart, so any of them. */
static bo_status delete_some(my_stage *self, const my_staged *table, uint64_t *done, bo_error *err)
{
    BO_OWN(MYSQL_RES) *images = NULL;
    bo_status st = my_ask(self->conn, &images, err,
        "SELECT HEX(image), COUNT(*) FROM %s WHERE found AND NOT whole GROUP BY image",
        table->name);
    MYSQL_ROW row;
    while (st == BO_OK && (row = mysql_fetch_row(images)) != NULL) {
        BO_OWN_VALUE(bo_buf) sql = {0};
        uint64_t rows = 0;
        bo_buf_printf(&sql, "DELETE FROM %s WHERE ", table->live);
        my_staged_image(&sql, table, table->live);
        bo_buf_printf(&sql, " = x'%s' LIMIT %s", row[0], row[1]);
        st = my_run_buf(self->conn, &sql, &rows, err);
        *done += rows;
    }
    return st;
}

static bo_status delete_by_image(
    my_stage *self, const my_staged *table, uint64_t planned, bo_error *err)
{
    uint64_t done = 0;
    bo_status st = delete_whole(self, table, &done, err);
    if (st == BO_OK)
        st = delete_some(self, table, &done, err);
    return st == BO_OK ? expect(table, "deleted", planned, done, err) : st;
}

/* ---- rows that come ---- */

/* `whole`: the row was there, so it has values in the columns that came since. */
static bo_status insert_rows(my_stage *self, const my_staged *table, bool whole,
    const char *condition, uint64_t planned, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN_VALUE(bo_buf) from = {0};
    uint64_t done = 0;
    if (planned == 0)
        return BO_OK;
    bo_buf_printf(&sql, "INSERT INTO %s (", table->live);
    for (uint16_t i = 0; i < table->now->image_count; i++) {
        uint16_t column = table->now->image_columns[i];
        if (!whole && !table->given[column])
            continue;
        bo_buf_add_str(&sql, from.size > 0 ? ", " : "");
        my_quote(&sql, table->now->columns[column].name);
        bo_buf_printf(&from, "%sc%u", from.size > 0 ? ", " : "", column);
    }
    bo_buf_printf(&sql, ") SELECT %s FROM %s WHERE %s ORDER BY id", bo_buf_str(&from), table->name,
        condition);
    sql.failed |= from.failed;
    bo_status st = my_run_buf(self->conn, &sql, &done, err);
    return st == BO_OK ? expect(table, "inserted", planned, done, err) : st;
}

/* ---- rows that stay where they are ---- */

static void add_same_bytes(bo_buf *sql, const my_staged *table, uint16_t column)
{
    bo_buf_add_str(sql, " AND CAST(");
    my_read_value(sql, &table->now->columns[column], "l");
    bo_buf_add_str(sql, " AS BINARY) <=> CAST(");
    my_staged_value(sql, table, column, "s");
    bo_buf_add_str(sql, " AS BINARY)");
}

static bo_status choose_in_place(my_stage *self, const my_staged *table, bo_error *err)
{
    const bo_table *now = table->now;
    if (!table->key)
        return BO_OK;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "UPDATE %s AS s STRAIGHT_JOIN %s AS l ON ", table->name, table->live);
    my_staged_same_key(&sql, table, "s", "l");
    bo_buf_add_str(&sql, " SET s.in_place = 1 WHERE s.found AND s.target");
    for (uint16_t k = 0; k < now->key_count; k++) {
        const bo_key *key = &now->keys[k];
        for (uint16_t i = 0; key != table->key && i < key->count; i++) {
            if (!now->columns[key->columns[i]].in_image)
                return BO_OK; /* what the server computes is not known before */
            add_same_bytes(&sql, table, key->columns[i]);
        }
    }
    return my_run_buf(self->conn, &sql, NULL, err);
}

/* The key's columns are as they shall be: they found the row.  Every other one is assigned, those
 * that the server would set by itself, too. */
static bool is_assigned(const my_staged *table, uint16_t column)
{
    const char *type = table->now->columns[column].type;
    bool in_key = false;
    for (uint16_t i = 0; i < table->key->count; i++)
        in_key |= table->key->columns[i] == column;
    return !in_key || strncmp(type, "timestamp", 9) == 0 || strncmp(type, "datetime", 8) == 0;
}

static bo_status update_rows(
    my_stage *self, const my_staged *table, uint64_t planned, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    unsigned assigned = 0;
    uint64_t done = 0;
    bo_buf_printf(&sql, "UPDATE %s AS s STRAIGHT_JOIN %s AS l ON ", table->name, table->live);
    my_staged_same_key(&sql, table, "s", "l");
    for (uint16_t i = 0; i < table->now->image_count; i++) {
        uint16_t column = table->now->image_columns[i];
        if (!is_assigned(table, column))
            continue;
        bo_buf_add_str(&sql, assigned++ == 0 ? " SET l." : ", l.");
        my_quote(&sql, table->now->columns[column].name);
        bo_buf_printf(&sql, " = s.c%u", column);
    }
    if (assigned == 0)
        return BO_OK;
    bo_buf_add_str(&sql, " WHERE s.in_place");
    bo_status st = my_run_buf(self->conn, &sql, &done, err);
    return st == BO_OK ? expect(table, "updated", planned, done, err) : st;
}

/* ---- the whole ---- */

static bo_status table_failed(
    my_stage *self, bo_status st, const my_staged *table, const char *what, bo_error *err)
{
    st = my_write_failed(self->conn, st, table->now, "SELECT, INSERT, UPDATE, DELETE", err);
    return bo_wrap(err, st, "cannot %s %s", what, table->now->name);
}

static bo_status delete_table(
    my_stage *self, const my_staged *table, bo_applied *counts, bo_error *err)
{
    uint64_t in_place = 0;
    bo_status st = plan_counts(self, table, counts, err);
    if (st == BO_OK && counts->updated > 0)
        st = choose_in_place(self, table, err);
    if (st == BO_OK)
        st = count_entries(self, table, "in_place", &in_place, err);
    uint64_t planned = counts->deleted + counts->updated - in_place;
    if (st == BO_OK && planned > 0)
        st = table->key ? delete_by_key(self, table, planned, err)
                        : delete_by_image(self, table, planned, err);
    return st;
}

static bo_status insert_table(
    my_stage *self, const my_staged *table, const bo_applied *counts, bo_error *err)
{
    uint64_t in_place = 0;
    bo_status st = count_entries(self, table, "in_place", &in_place, err);
    if (st == BO_OK && in_place > 0)
        st = update_rows(self, table, in_place, err);
    if (st == BO_OK)
        st = insert_rows(self, table, true, "found AND target AND NOT in_place",
            counts->updated - in_place, err);
    return st == BO_OK
               ? insert_rows(self, table, false, "target AND NOT found", counts->inserted, err)
               : st;
}

static bo_status change_rows(my_stage *self, bo_applied *counts, bo_error *err)
{
    bo_status st = BO_OK;
    for (unsigned i = 0; st == BO_OK && i < self->count; i++) {
        st = delete_table(self, &self->tables[i], &counts[i], err);
        if (st != BO_OK)
            st = table_failed(self, st, &self->tables[i], "delete rows of", err);
    }
    for (unsigned i = 0; st == BO_OK && i < self->count; i++) {
        st = insert_table(self, &self->tables[i], &counts[i], err);
        if (st != BO_OK)
            st = table_failed(self, st, &self->tables[i], "put rows back into", err);
    }
    return st;
}

bo_status my_stage_apply(bo_stage *stage, bo_applied *counts_out, bo_error *err)
{
    my_stage *self = my_stage_of(stage);
    BO_OWN_MEM bo_applied *counts = calloc(self->count + 1u, sizeof *counts);
    if (!counts)
        return bo_nomem(err);
    bo_status st = self->checked ? BO_OK : my_check_edges(self, err);
    if (st == BO_OK)
        st = my_references(self->conn, false, err);
    if (st != BO_OK)
        return st;
    st = change_rows(self, counts, err);
    if (st == BO_OK)
        st = my_references(self->conn, true, err);
    else
        (void)my_references(self->conn, true, NULL);
    for (unsigned i = 0; st == BO_OK && i < self->count; i++)
        counts_out[i] = counts[i];
    return st;
}
