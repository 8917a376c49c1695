/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/capture_terms.c - terms of SQL: which rows of a journal, and of which keys.
 */
#include <string.h>

#include "driver/postgres/journal.h"
#include "driver/postgres/stage.h"

#define NUMBERS "0123456789"

/* `is later than the position`, of a transaction's number. */
bo_status pg_journal_later(bo_buf *out, const char *position, const char *xid, bo_error *err)
{
    size_t size = strspn(position, NUMBERS ":,");
    const char *own = position[size] == '+' ? position + size + 1 : NULL;
    if (size == 0 || (!own && position[size]) || (own && (!*own || own[strspn(own, NUMBERS)])))
        return bo_fail(err, BO_INVALID, "not a position of a journal: '%s'", position);
    bo_buf_printf(
        out, "(NOT pg_visible_in_snapshot(%s, '%.*s'::pg_snapshot)", xid, (int)size, position);
    if (own)
        bo_buf_printf(out, " OR %s = '%s'::xid8", xid, own);
    bo_buf_add_str(out, ")");
    return bo_buf_check(out, err);
}

/* ---- which rows of the journal ---- */

bool pg_journal_takes_all(const bo_journal_filter *filter)
{
    return !filter->to && !filter->run && !filter->user && !filter->only_transactions;
}

static bo_status add_transactions(bo_buf *out, const bo_journal_filter *filter, bo_error *err)
{
    bo_buf_add_str(out, "j.backout_xid = ANY ('{");
    for (size_t i = 0; i < filter->transaction_count; i++) {
        const char *xid = filter->transactions[i];
        if (!*xid || xid[strspn(xid, NUMBERS)])
            return bo_fail(err, BO_INVALID, "not a transaction of a journal: '%s'", xid);
        bo_buf_printf(out, "%s%s", i ? "," : "", xid);
    }
    bo_buf_add_str(out, "}'::xid8[])");
    return bo_buf_check(out, err);
}

static void add_text(bo_buf *out, const char *column, const char *wanted)
{
    bo_buf_printf(out, " AND COALESCE(j.%s, '') = ", column);
    pg_quote_literal(out, wanted);
}

/* Whether a row `j` of the journal is meant. */
bo_status pg_journal_match(bo_buf *out, const bo_journal_filter *filter, bo_error *err)
{
    bo_status st = BO_OK;
    if (filter->only_transactions)
        return add_transactions(out, filter, err);
    bo_buf_add_str(out, "(true");
    if (filter->to) {
        bo_buf_add_str(out, " AND NOT ");
        st = pg_journal_later(out, filter->to, "j.backout_xid", err);
    }
    if (filter->run)
        add_text(out, "backout_run", filter->run);
    if (filter->user) {
        add_text(out, "backout_user", filter->user);
        bo_buf_add_str(out, " AND COALESCE(j.backout_run, '') <> '" BO_CAPTURE_OWN_RUN "'");
    }
    bo_buf_add_str(out, ")");
    if (st == BO_OK && filter->transaction_count > 0) {
        bo_buf_add_str(out, " OR ");
        st = add_transactions(out, filter, err);
    }
    return st == BO_OK ? bo_buf_check(out, err) : st;
}

/* Whether we wrote a row `j` as the user whose writes are meant. */
void pg_journal_own(bo_buf *out, const bo_journal_filter *filter)
{
    bo_buf_add_str(out,
        filter->user ? "(j.backout_run IS NOT DISTINCT FROM '" BO_CAPTURE_OWN_RUN "'" : "(false");
    if (filter->user)
        add_text(out, "backout_user", filter->user);
    bo_buf_add_str(out, ")");
}

/* ---- keys ---- */

/* i0, i1, ...: what stands for the key where rows of the journal are told apart. */
void pg_journal_identities(bo_buf *out, const pg_journal *j, const char *alias, bool named)
{
    bool text = j->table->encoding == BO_ENCODING_PG_TEXT;
    const char *separator = "";
    for (uint16_t i = 0; i < j->count; i++) {
        if (!pg_journal_is_key(j, i))
            continue;
        bool exact = pg_journal_exact(j, i);
        bo_buf_add_str(out, separator);
        separator = ", ";
        bo_buf_add_str(out, exact ? "" : text ? "ROW(" : "record_send(ROW(");
        bo_buf_printf(out, "%s.", alias);
        pg_quote(out, pg_journal_column(j, i));
        bo_buf_add_str(out, pg_journal_is_array(j, i) ? "::text" : "");
        bo_buf_add_str(out, exact ? "" : text ? ")::text" : "))");
        if (named)
            bo_buf_printf(out, " AS i%u", i);
    }
}

void pg_journal_identity_names(bo_buf *out, const pg_journal *j)
{
    const char *separator = "";
    for (uint16_t i = 0; i < j->count; i++) {
        if (!pg_journal_is_key(j, i))
            continue;
        bo_buf_printf(out, "%si%u", separator, i);
        separator = ", ";
    }
}

void pg_journal_same_identity(bo_buf *out, const pg_journal *j, const char *a, const char *b)
{
    for (uint16_t i = 0; i < j->count; i++) {
        if (pg_journal_is_key(j, i))
            bo_buf_printf(out, " AND %s.i%u = %s.i%u", a, i, b, i);
    }
}

/* The row `t` of the table has the key of the journal's row `b`: found by the index, then by its
 * bytes, as they are sent: what is stored may be another form of them (tsquery, arrays). */
void pg_journal_same_key(bo_buf *out, const pg_journal *j)
{
    BO_OWN_VALUE(bo_buf) left = {0};
    BO_OWN_VALUE(bo_buf) right = {0};
    for (uint16_t i = 0; i < j->count; i++) {
        if (!pg_journal_is_key(j, i))
            continue;
        bo_buf_add_str(out, " AND t.");
        pg_quote(out, pg_journal_column(j, i));
        bo_buf_printf(out, " %s b.", pg_journal_equal(j, i));
        pg_quote(out, pg_journal_column(j, i));
        if (pg_journal_exact(j, i))
            continue;
        bo_buf_printf(&left, "%st.", left.size ? ", " : "");
        pg_quote(&left, pg_journal_column(j, i));
        bo_buf_printf(&right, "%sb.", right.size ? ", " : "");
        pg_quote(&right, pg_journal_column(j, i));
        const char *type = pg_journal_is_array(j, i) ? "text" : pg_journal_type(j, i);
        bo_buf_printf(&right, "::%s", type);
        bo_buf_printf(&left, "::%s", type);
    }
    bool text = j->table->encoding == BO_ENCODING_PG_TEXT;
    if (left.size > 0)
        bo_buf_printf(out,
            text ? " AND ROW(%s)::text = ROW(%s)::text"
                 : " AND record_send(ROW(%s)) = record_send(ROW(%s))",
            bo_buf_str(&left), bo_buf_str(&right));
    out->failed |= left.failed || right.failed;
}
