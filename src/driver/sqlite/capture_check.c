/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/capture_check.c - can a table be captured, and is its journal to be trusted? */
#include <string.h>

#include "driver/sqlite/capture.h"

/* ---- is it as it was made? ---- */

/* A column that `wanted` has and `text` has not, or NULL. */
static bo_status find_new_column(
    const bo_table *now, const char *wanted, const char *text, const char **out, bo_error *err)
{
    *out = NULL;
    for (uint16_t i = 0; !*out && i < now->image_count; i++) {
        BO_OWN_VALUE(bo_buf) name = {0};
        sq_quote(&name, now->columns[now->image_columns[i]].name);
        bo_status st = bo_buf_check(&name, err);
        if (st != BO_OK)
            return st;
        if (strstr(wanted, bo_buf_str(&name)) && !strstr(text, bo_buf_str(&name)))
            *out = now->columns[now->image_columns[i]].name;
    }
    return BO_OK;
}

static bo_status say_changed(const bo_table *now, const char *name, const char *wanted,
    const char *text, bo_buf *broken, bo_error *err)
{
    const char *column = NULL;
    bo_status st = find_new_column(now, wanted, text, &column, err);
    if (column)
        bo_buf_printf(broken, "the definition of the table changed: column '%s'", column);
    else
        bo_buf_printf(broken, "the definition of the table or of %s changed", name);
    return st;
}

/* One line when the object is not there, or not with this SQL. */
static bo_status check_object(sq_conn *conn, const bo_table *now, const char *kind,
    const char *name, const bo_buf *sql, bo_buf *broken, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_status st = bo_buf_check(sql, err);
    if (st == BO_OK)
        st = sq_ask(conn,
            "SELECT upper(type), substr(sql, length('CREATE ' || type || ' ') + 1)"
            " FROM main.sqlite_schema WHERE name = $1",
            name, &statement, err);
    if (st == BO_OK)
        st = sq_step(conn, statement, &row, err);
    if (st != BO_OK || broken->size > 0)
        return st;
    const char *type = row ? (const char *)sqlite3_column_text(statement, 0) : "";
    const char *text = row ? (const char *)sqlite3_column_text(statement, 1) : "";
    if (!type || !text)
        return bo_nomem(err);
    if (strcmp(type, kind) != 0)
        bo_buf_printf(broken, "%s is missing", name);
    else if (strcmp(text, bo_buf_str(sql)) != 0)
        st = say_changed(now, name, bo_buf_str(sql), text, broken, err);
    return st == BO_OK ? bo_buf_check(broken, err) : st;
}

static bo_status check_triggers(
    sq_conn *conn, const bo_table *now, const sq_journal *journal, bo_buf *broken, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    sq_uniques uniques = {0};
    if (!arena)
        return bo_nomem(err);
    bo_error unread = {0};
    bo_status st = sq_read_uniques(conn, now, arena, &uniques, &unread);
    if (st == BO_UNSUPPORTED) {
        bo_buf_add_str(broken, unread.text);
        return bo_buf_check(broken, err);
    }
    if (st != BO_OK && err)
        *err = unread;
    for (unsigned i = 0; st == BO_OK && i < SQ_TRIGGER_COUNT; i++) {
        BO_OWN_VALUE(bo_buf) name = {0};
        BO_OWN_VALUE(bo_buf) sql = {0};
        sq_trigger_name(&name, journal, i);
        st = sq_trigger_sql(&sql, journal, now, &uniques, i, err);
        if (st == BO_OK)
            st = bo_buf_check(&name, err);
        if (st == BO_OK)
            st = check_object(conn, now, "TRIGGER", bo_buf_str(&name), &sql, broken, err);
    }
    return st;
}

/* A trigger that was made later fires before ours. */
static bo_status check_order(
    sq_conn *conn, const bo_table *now, const sq_journal *journal, bo_buf *broken, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_status st = sq_ask(conn,
        "SELECT name FROM main.sqlite_schema WHERE type = 'trigger'"
        " AND tbl_name = $1 COLLATE NOCASE AND NOT " SQ_IS_OURS " AND rowid >"
        " (SELECT min(rowid) FROM main.sqlite_schema WHERE type = 'trigger'"
        "   AND name GLOB $2 || '_*') LIMIT 1",
        now->local, &statement, err);
    if (st == BO_OK)
        st = sq_bind_text(conn, statement, 2, journal->name, err);
    if (st == BO_OK)
        st = sq_step(conn, statement, &row, err);
    if (st == BO_OK && row)
        bo_buf_printf(broken,
            "the trigger '%s' was made later, so it fires before those of the journal",
            (const char *)sqlite3_column_text(statement, 0));
    return st == BO_OK ? bo_buf_check(broken, err) : st;
}

bo_status sq_journal_check(
    sq_conn *conn, const bo_table *now, const sq_journal *journal, bo_buf *broken, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    if (!now->row_key) {
        bo_buf_printf(broken, "%s has no key that identifies its rows", now->name);
        return bo_buf_check(broken, err);
    }
    sq_journal_sql(&sql, journal, now);
    bo_status st = check_triggers(conn, now, journal, broken, err);
    if (st == BO_OK && broken->size == 0)
        st = check_object(conn, now, "TABLE", journal->name, &sql, broken, err);
    if (st == BO_OK && broken->size == 0)
        st = check_order(conn, now, journal, broken, err);
    return st;
}

bo_status sq_journal_intact(sq_conn *conn, const bo_table *now, sq_journal *out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool there = false;
    *out = (sq_journal){0};
    bo_status st = sq_registry_exists(conn, &there, err);
    if (st != BO_OK || !there)
        return st;
    st = sq_ask(conn,
        "SELECT DISTINCT journal FROM main." SQ_REGISTRY " WHERE local = $1 COLLATE NOCASE"
        " ORDER BY journal DESC",
        now->local, &statement, err);
    while (st == BO_OK) {
        BO_OWN_VALUE(bo_buf) broken = {0};
        sq_journal journal = {0};
        bool row = false;
        st = sq_step(conn, statement, &row, err);
        if (st != BO_OK || !row)
            break;
        sq_journal_name(&journal, sqlite3_column_int64(statement, 0));
        st = sq_journal_check(conn, now, &journal, &broken, err);
        if (st != BO_OK || broken.size > 0)
            continue;
        *out = journal;
        break;
    }
    return st;
}

bo_status sq_capture_check(
    bo_conn *conn, const bo_table *now, const char *point, bo_buf *broken, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) found = {0};
    sq_journal journal = {0};
    bo_status st = sq_journal_find(sq_of(conn), now, point, &journal, err);
    if (st == BO_OK && journal.number == 0)
        bo_buf_printf(&found, "%s is not captured for '%s'", now->name, point);
    else if (st == BO_OK)
        st = sq_journal_check(sq_of(conn), now, &journal, &found, err);
    if (st == BO_OK)
        st = bo_buf_check(&found, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot check the journal of %s", now->name);
    bo_buf_add(broken, found.data, found.size);
    return bo_buf_check(broken, err);
}

/* ---- coverage ---- */

static void add_reason(bo_buf *reasons, const char *text)
{
    bo_buf_printf(reasons, "%s%s", reasons->size > 0 ? "\n" : "", text);
}

/* Conditions made of users' SQL must mean the same in a trigger, whatever the session's options. */
static bo_status check_matches(sq_conn *conn, const bo_table *now, bo_buf *reasons, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    sq_uniques uniques = {0};
    if (!arena)
        return bo_nomem(err);
    bo_error unread = {0};
    bo_status st = sq_read_uniques(conn, now, arena, &uniques, &unread);
    if (st == BO_UNSUPPORTED) {
        add_reason(reasons, unread.text);
        return BO_OK;
    }
    if (st != BO_OK && err)
        *err = unread;
    for (uint16_t i = 0; st == BO_OK && i < uniques.count; i++) {
        BO_OWN_VALUE(bo_buf) sql = {0};
        BO_OWN(sqlite3_stmt) *statement = NULL;
        bo_error refusal = {0};
        bo_buf_add_str(&sql, "SELECT EXISTS (SELECT 1");
        sq_add_from(&sql, now);
        bo_buf_printf(&sql, " WHERE %s) FROM ", uniques.matches[i]);
        sq_quote_table(&sql, now);
        bo_buf_add_str(&sql, " AS NEW");
        st = sq_prepare_buf(conn, &sql, &statement, &refusal);
        if (st != BO_DATABASE && st != BO_INVALID && st != BO_OK && err)
            *err = refusal;
        if (st == BO_DATABASE || st == BO_INVALID) {
            add_reason(reasons, "a unique index cannot be followed by a trigger: ");
            bo_buf_add_str(reasons, sqlite3_errmsg(conn->db));
            st = BO_OK;
        }
    }
    return st;
}

static bo_status uncovered_reasons(
    sq_conn *conn, const bo_table *now, bo_buf *reasons, bo_error *err)
{
    const int widest = sq_stage_widest(conn);
    if (now->uncovered)
        add_reason(reasons, now->limit_count > 0 ? now->limits[0] : "it cannot be read");
    else if (!now->row_key)
        add_reason(reasons, "it has no key that identifies its rows");
    else if (now->image_count > widest)
        bo_buf_printf(reasons,
            "it has %u columns, and with more than %d single rows cannot be changed back",
            now->image_count, widest);
    else
        return check_matches(conn, now, reasons, err);
    return BO_OK;
}

static void limit_reasons(const bo_table *now, bo_buf *reasons)
{
    for (uint16_t i = 0; i < now->row_key->count; i++) {
        const bo_column *column = &now->columns[now->row_key->columns[i]];
        if (!column->not_null && !now->without_rowid && !sq_rowid_is_column(now))
            bo_buf_printf(reasons,
                "%sits key column '%s' allows NULL: with the first one rows cannot be told apart",
                reasons->size > 0 ? "\n" : "", column->name);
    }
}

bo_status sq_capture_coverage(
    bo_conn *conn, const bo_table *now, bo_coverage *out, bo_buf *reasons, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) found = {0};
    bo_status st = uncovered_reasons(sq_of(conn), now, &found, err);
    if (st == BO_OK)
        st = bo_buf_check(&found, err);
    const bool uncovered = found.size > 0;
    if (st == BO_OK && !uncovered)
        limit_reasons(now, &found);
    if (st == BO_OK)
        st = bo_buf_check(&found, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot examine %s", now->name);
    bo_buf_add(reasons, found.data, found.size);
    bo_buf_add_str(reasons, "");
    *out = uncovered ? BO_UNCOVERED : found.size == 0 ? BO_COVERED : BO_COVERED_WITH_LIMITS;
    return bo_buf_check(reasons, err);
}
