/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/capture_changes.c - reading journals.
 *
 * SQLite does not tell a trigger who writes, nor in which transaction: there are no users and no
 * runs, so none is meant by name, and each row of a journal counts as a transaction of its own,
 * "journal.seq".  What one transaction wrote is what stands between two positions inside it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "driver/sqlite/capture.h"

/* Rows of the journal come ordered by key; these are the ones of one key that matter. */
typedef struct key_rows {
    int64_t first; /* that is meant, 0: none */
    int64_t next;  /* the first one after the last that is meant, 0: none */
    bool mixed;
    bo_buf key;
} key_rows;

typedef struct reading {
    sq_conn *conn;
    const bo_table *now;
    sq_journal journal;
    int64_t from;
    int64_t to;
    const bo_journal_filter *filter;
    bool only_chosen;
    int64_t *chosen; /* rows that are meant wherever they are, ascending */
    size_t chosen_count;
    sqlite3_stmt *rows; /* seq and key, by key */
    sqlite3_stmt *kept; /* one row of the journal */
    sqlite3_stmt *live; /* one row of the table */
    bo_buf key;
    key_rows group;
    bo_buf before;
    bo_buf after;
    bo_value *values;
} reading;

static void reading_done(reading *self)
{
    sqlite3_finalize(self->rows);
    sqlite3_finalize(self->kept);
    sqlite3_finalize(self->live);
    bo_buf_done(&self->key);
    bo_buf_done(&self->group.key);
    bo_buf_done(&self->before);
    bo_buf_done(&self->after);
    free(self->values);
    free(self->chosen);
}

/* ---- which rows are meant ---- */

/* The last row of this journal at a position, "1:500 2:7". */
static bo_status find_position(
    const char *position, const sq_journal *journal, int64_t *out, bo_error *err)
{
    for (const char *p = position; *p; p += strspn(p, " ")) {
        long long number = 0, last = 0;
        int size = 0;
        if (sscanf(p, "%lld:%lld%n", &number, &last, &size) != 2 || (p[size] && p[size] != ' '))
            break;
        if (number == journal->number) {
            *out = last;
            return BO_OK;
        }
        p += size;
    }
    return bo_fail(
        err, BO_INVALID, "the position '%s' says nothing of %s", position, journal->name);
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static bo_status read_chosen(reading *self, bo_error *err)
{
    const bo_journal_filter *filter = self->filter;
    self->chosen = calloc(filter->transaction_count + 1, sizeof *self->chosen);
    if (!self->chosen)
        return bo_nomem(err);
    for (size_t i = 0; i < filter->transaction_count; i++) {
        long long number = 0, row = 0;
        if (sscanf(filter->transactions[i], "%lld.%lld", &number, &row) == 2 &&
            number == self->journal.number)
            self->chosen[self->chosen_count++] = row;
    }
    qsort(self->chosen, self->chosen_count, sizeof *self->chosen, by_number);
    return BO_OK;
}

static bool is_meant(const reading *self, int64_t row)
{
    if (!self->only_chosen && row <= self->to)
        return true;
    return self->chosen_count > 0 &&
           bsearch(&row, self->chosen, self->chosen_count, sizeof *self->chosen, by_number) != NULL;
}

static bo_status open_journal(reading *self, const char *from, bo_error *err)
{
    bo_status st = sq_journal_intact(self->conn, self->now, &self->journal, err);
    if (st == BO_OK && self->journal.number == 0)
        return bo_fail(err, BO_NOTFOUND, "its changes are not captured, or the capture is broken");
    return st == BO_OK ? find_position(from, &self->journal, &self->from, err) : st;
}

static bo_status open_filter(reading *self, bo_error *err)
{
    const bo_journal_filter *filter = self->filter;
    const bool of_somebody = (filter->user && *filter->user) || (filter->run && *filter->run);
    self->only_chosen = filter->only_transactions || of_somebody;
    bo_status st = open_journal(self, filter->from, err);
    self->to = INT64_MAX;
    if (st == BO_OK && filter->to)
        st = find_position(filter->to, &self->journal, &self->to, err);
    return st == BO_OK ? read_chosen(self, err) : st;
}

/* ---- statements ---- */

static bo_status prepare_rows(reading *self, bool by_key, bo_error *err)
{
    const bo_key *key = self->now->row_key;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT seq, op, ");
    sq_journal_key_list(&sql, self->now);
    bo_buf_printf(&sql, " FROM main.%s WHERE seq > $1 ORDER BY ", self->journal.name);
    for (uint16_t i = 0; by_key && i < key->count; i++) { /* SQL's "=" makes 1 and 1.0 one value */
        int column = bo_table_image_position(self->now, key->columns[i]);
        bo_buf_printf(&sql, "c%d, typeof(c%d), ", column, column);
    }
    bo_buf_add_str(&sql, "seq");
    bo_status st = sq_prepare_buf(self->conn, &sql, &self->rows, err);
    if (st == BO_OK && sqlite3_bind_int64(self->rows, 1, self->from) != SQLITE_OK)
        return sq_error(self->conn, err, "cannot bind a value");
    return st;
}

static bo_status prepare_kept(reading *self, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT op, ");
    sq_journal_list(&sql, self->now);
    bo_buf_printf(&sql, " FROM main.%s WHERE seq = $1", self->journal.name);
    return sq_prepare_buf(self->conn, &sql, &self->kept, err);
}

/* The index finds the row by SQL's "=", then its bytes must be the key's, too. */
static bo_status prepare_live(reading *self, bo_error *err)
{
    const bo_key *key = self->now->row_key;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT ");
    sq_image_list(&sql, self->now, self->now, "l");
    bo_buf_add_str(&sql, " FROM ");
    sq_quote_table(&sql, self->now);
    bo_buf_add_str(&sql, " AS l WHERE ");
    for (unsigned i = 0; i < key->count; i++) {
        BO_OWN_VALUE(bo_buf) name = {0};
        bo_buf_add_str(&name, "l.");
        sq_quote(&name, self->now->columns[key->columns[i]].name);
        sql.failed |= name.failed;
        bo_buf_printf(&sql, "%s%s = $%u AND typeof(%s) = typeof($%u) AND +%s IS $%u COLLATE BINARY",
            i == 0 ? "" : " AND ", bo_buf_str(&name), i + 1, bo_buf_str(&name), i + 1,
            bo_buf_str(&name), i + 1);
    }
    return sq_prepare_buf(self->conn, &sql, &self->live, err);
}

/* ---- a row's images ---- */

/* The letter that a trigger wrote. */
static bo_status read_operation(
    reading *self, sqlite3_stmt *statement, int column, char *out, bo_error *err)
{
    const bool null = sqlite3_column_type(statement, column) == SQLITE_NULL;
    const char *text = (const char *)sqlite3_column_text(statement, column);
    if (!text && !null)
        return bo_nomem(err);
    if (!text || !*text || text[1] || !strchr("IUDC", *text))
        return bo_fail(err, BO_CORRUPT, "%s has a row that no trigger wrote", self->journal.name);
    *out = *text;
    return BO_OK;
}

/* How the row was just before this row of the journal was written; empty: it was not there. */
static bo_status read_kept(reading *self, int64_t row, bo_buf *out, bo_error *err)
{
    bool found = false;
    char operation = 0;
    sqlite3_bind_int64(self->kept, 1, row);
    bo_status st = sq_step(self->conn, self->kept, &found, err);
    if (st == BO_OK && !found)
        st = bo_fail(err, BO_CORRUPT, "row %" PRId64 " of %s is gone", row, self->journal.name);
    if (st == BO_OK)
        st = read_operation(self, self->kept, 0, &operation, err);
    if (st == BO_OK && operation != 'I')
        st = sq_image_read(self->kept, 1, sq_value_count(self->now), out, err);
    sqlite3_reset(self->kept);
    return st;
}

static bo_status read_live(reading *self, bo_buf *out, bo_error *err)
{
    const uint16_t count = self->now->row_key->count;
    bool found = false;
    bo_status st = sq_image_values(
        (bo_image){self->group.key.data, self->group.key.size}, count, self->values, err);
    for (uint16_t i = 0; st == BO_OK && i < count; i++)
        st = sq_value_bind(self->conn, self->live, i + 1, self->values[i], err);
    if (st == BO_OK)
        st = sq_step(self->conn, self->live, &found, err);
    if (st == BO_OK && found)
        st = sq_image_read(self->live, 0, sq_value_count(self->now), out, err);
    sqlite3_reset(self->live);
    return st;
}

static bo_image image_of(const bo_buf *buf)
{
    return (bo_image){buf->size > 0 ? buf->data : NULL, buf->size};
}

/* All rows of one key were seen. */
static bo_status end_group(reading *self, bo_journal_change_fn *each, void *ctx, bo_error *err)
{
    if (self->group.first == 0)
        return BO_OK;
    bo_buf_clear(&self->before);
    bo_buf_clear(&self->after);
    bo_status st = read_kept(self, self->group.first, &self->before, err);
    if (st == BO_OK && self->group.next > 0)
        st = read_kept(self, self->group.next, &self->after, err);
    else if (st == BO_OK)
        st = read_live(self, &self->after, err);
    const bo_journal_change change = {
        .before = image_of(&self->before),
        .after = image_of(&self->after),
        .mixed = self->group.mixed,
    };
    return st == BO_OK && (change.before.data || change.after.data) ? each(ctx, &change, err) : st;
}

static void add_to_group(reading *self, int64_t row)
{
    key_rows *group = &self->group;
    if (!is_meant(self, row)) {
        if (group->first > 0 && group->next == 0)
            group->next = row;
        return;
    }
    if (group->first == 0)
        group->first = row;
    group->mixed |= group->next > 0;
    group->next = 0;
}

/* The row's key becomes that of the group; *same_out: it was already. */
static bo_status read_key(reading *self, bool *same_out, bo_error *err)
{
    bo_buf_clear(&self->key);
    bo_status st = sq_image_read(self->rows, 2, self->now->row_key->count, &self->key, err);
    if (st == BO_OK)
        *same_out = self->group.key.size == self->key.size &&
                    memcmp(self->group.key.data, self->key.data, self->key.size) == 0;
    return st;
}

static bo_status read_groups(reading *self, bo_journal_change_fn *each, void *ctx, bo_error *err)
{
    for (;;) {
        bool row = false, same = false;
        bo_status st = sq_step(self->conn, self->rows, &row, err);
        if (st == BO_OK && row)
            st = read_key(self, &same, err);
        if (st == BO_OK && !same)
            st = end_group(self, each, ctx, err);
        if (st != BO_OK || !row)
            return st;
        if (!same) {
            bo_buf done = self->group.key;
            self->group = (key_rows){.key = self->key};
            self->key = done;
        }
        add_to_group(self, sqlite3_column_int64(self->rows, 0));
    }
}

bo_status sq_capture_changes(bo_conn *conn, const bo_table *now, const bo_journal_filter *filter,
    bo_journal_change_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(reading) self = {.conn = sq_of(conn), .now = now, .filter = filter};
    bo_status st = open_filter(&self, err);
    if (st == BO_OK)
        st = prepare_rows(&self, true, err);
    if (st == BO_OK)
        st = prepare_kept(&self, err);
    if (st == BO_OK)
        st = prepare_live(&self, err);
    if (st == BO_OK && !(self.values = calloc(now->row_key->count + 1u, sizeof *self.values)))
        st = bo_nomem(err);
    if (st == BO_OK)
        st = read_groups(&self, each, ctx, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot read the changes of %s", now->name);
}

static bo_status walk_row(reading *self, bo_journal_row_fn *each, void *ctx, bo_error *err)
{
    char transaction[64];
    char operation = 0;
    bo_buf_clear(&self->key);
    bo_status st = read_operation(self, self->rows, 1, &operation, err);
    if (st == BO_OK)
        st = sq_image_read(self->rows, 2, self->now->row_key->count, &self->key, err);
    if (st != BO_OK)
        return st;
    const int64_t sequence = sqlite3_column_int64(self->rows, 0);
    snprintf(
        transaction, sizeof transaction, "%" PRId64 ".%" PRId64, self->journal.number, sequence);
    const bo_journal_row row = {
        .sequence = (uint64_t)sequence,
        .transaction = transaction,
        .user = "",
        .application = "",
        .run = "",
        .operation = operation,
        .key = {self->key.data, self->key.size},
    };
    return each(ctx, &row, err);
}

bo_status sq_capture_walk(bo_conn *conn, const bo_table *now, const char *from,
    bo_journal_row_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(reading) self = {.conn = sq_of(conn), .now = now};
    bo_status st = open_journal(&self, from, err);
    if (st == BO_OK)
        st = prepare_rows(&self, false, err);
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(self.conn, self.rows, &row, err);
        if (st != BO_OK || !row)
            break;
        st = walk_row(&self, each, ctx, err);
    }
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot read the journal of %s", now->name);
}

/* Without `tag`: what a session wrote cannot be told. */
const bo_capture_driver sq_capture = {
    .coverage = sq_capture_coverage,
    .begin = sq_capture_begin,
    .end = sq_capture_end,
    .list = sq_capture_list,
    .check = sq_capture_check,
    .doubt = sq_capture_doubt,
    .position = sq_capture_position,
    .changes = sq_capture_changes,
    .walk = sq_capture_walk,
};
