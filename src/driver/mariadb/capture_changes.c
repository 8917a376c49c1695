/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/capture_changes.c - what the journal of a table tells. */
#include <inttypes.h>
#include <string.h>

#include "driver/mariadb/journal.h"

/* The newest journal of `now` that a position speaks of: an older one may be broken. */
static bo_status find_journal(
    my_conn *conn, const bo_table *now, const char *position, unsigned *out, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    my_registry registry = {0};
    unsigned number = 0;
    if (!arena)
        return bo_nomem(err);
    if (!now->row_key)
        return bo_fail(err, BO_UNSUPPORTED, "table '%s' has no key", now->name);
    bo_status st = my_registry_read(conn, arena, &registry, err);
    for (size_t i = 0; st == BO_OK && i < registry.count; i++) {
        const my_entry *entry = &registry.entries[i];
        if (!entry->watched && strcmp(entry->table, now->local) == 0 &&
            my_position_names(position, entry->number) && entry->number > number)
            number = entry->number;
    }
    if (st == BO_OK && number == 0)
        return bo_fail(err, BO_NOTFOUND, "table '%s' was not captured then", now->name);
    if (st == BO_OK)
        *out = number;
    return st;
}

/* ---- which writes are meant ---- */

#define OWN "(j.`backout_run` <=> '" BO_CAPTURE_OWN_RUN "')"

/* USER() is name@host; people may give the name alone. */
static void add_user(bo_buf *sql, const char *user)
{
    bo_buf_add_str(sql, " AND (j.`backout_user` = ");
    my_quote_literal(sql, user);
    bo_buf_add_str(sql, " OR LEFT(j.`backout_user`, CHAR_LENGTH(j.`backout_user`) - 1"
                        " - CHAR_LENGTH(SUBSTRING_INDEX(j.`backout_user`, '@', -1))) = ");
    my_quote_literal(sql, user);
    bo_buf_add_str(sql, ")");
}

static bo_status add_transactions(bo_buf *sql, const bo_journal_filter *filter, bo_error *err)
{
    for (size_t i = 0; i < filter->transaction_count; i++) {
        const char *text = filter->transactions[i];
        if (!*text || text[strspn(text, "0123456789")])
            return bo_fail(err, BO_INVALID, "'%s' is not a transaction", text);
        bo_buf_printf(sql, "%s%s", i > 0 ? ", " : " OR j.`backout_tx` IN (", text);
    }
    bo_buf_add_str(sql, filter->transaction_count > 0 ? ")" : "");
    return BO_OK;
}

/* A condition that is never NULL. */
static bo_status add_meant(
    bo_buf *sql, const bo_journal_filter *filter, unsigned number, bo_error *err)
{
    bo_status st = BO_OK;
    bo_buf_printf(sql, "COALESCE(%d", filter->only_transactions ? 0 : 1);
    if (filter->to) {
        bo_buf_add_str(sql, " AND NOT ");
        st = my_position_after(sql, filter->to, number, "j", err);
    }
    if (filter->run) {
        bo_buf_add_str(sql, " AND j.`backout_run` = ");
        my_quote_literal(sql, filter->run);
    }
    if (filter->user) {
        add_user(sql, filter->user);
        bo_buf_add_str(sql, " AND NOT " OWN);
    }
    if (st == BO_OK)
        st = add_transactions(sql, filter, err);
    bo_buf_add_str(sql, ", 0)");
    return st;
}

/* Neither is meant, nor was written by us as the user whose writes are. */
static bo_status add_others(
    bo_buf *sql, const bo_journal_filter *filter, unsigned number, bo_error *err)
{
    bo_buf_add_str(sql, "NOT ");
    bo_status st = add_meant(sql, filter, number, err);
    if (filter->user) {
        bo_buf_add_str(sql, " AND NOT (" OWN);
        add_user(sql, filter->user);
        bo_buf_add_str(sql, ")");
    }
    return st;
}

/* ---- changes ---- */

static const char *key_column(const bo_table *now, uint16_t i)
{
    return now->columns[now->row_key->columns[i]].name;
}

/* `prefix` and the key's columns, each with `alias.` before it. */
static void add_key(bo_buf *sql, const bo_table *now, const char *prefix, const char *alias)
{
    for (uint16_t i = 0; i < now->row_key->count; i++) {
        bo_buf_printf(sql, "%s%s", i > 0 ? ", " : prefix, alias);
        my_quote(sql, key_column(now, i));
    }
}

/* By key: the first row of the writes that are meant, the next one after the last of them, and
 * whether there are rows of others between. */
static bo_status add_sums(bo_buf *sql, const bo_table *now, const bo_journal_filter *filter,
    unsigned number, bo_error *err)
{
    bo_buf_add_str(sql, "WITH w AS (SELECT j.`backout_seq`, ");
    bo_status st = add_meant(sql, filter, number, err);
    add_key(sql, now, " AS `backout_meant`, ", "j.");
    bo_buf_add_str(sql, ", LEAD(j.`backout_seq`) OVER o AS `backout_next`, SUM(");
    if (st == BO_OK)
        st = add_others(sql, filter, number, err);
    bo_buf_add_str(sql, ") OVER o AS `backout_at`");
    bo_buf_printf(
        sql, " FROM " MY_JOURNAL " AS j WHERE j.`backout_op` NOT IN ('S', 'X') AND ", number);
    if (st == BO_OK)
        st = my_position_after(sql, filter->from, number, "j", err);
    add_key(sql, now, " WINDOW o AS (PARTITION BY ", "j.");
    bo_buf_add_str(sql,
        " ORDER BY j.`backout_seq`)), g AS (SELECT"
        " MIN(IF(`backout_meant`, `backout_seq`, NULL)) AS `backout_first`,"
        " MAX(IF(`backout_meant`, COALESCE(`backout_next`, 18446744073709551615), NULL))"
        " AS `backout_next`,"
        " MAX(IF(`backout_meant`, `backout_at`, NULL))"
        " > MIN(IF(`backout_meant`, `backout_at`, NULL)) AS `backout_mixed` FROM w");
    add_key(sql, now, " GROUP BY ", "");
    bo_buf_add_str(sql, " HAVING `backout_first` IS NOT NULL) ");
    return st;
}

enum { HEAD = 5 }; /* columns before the images */

/* The images: before (b), after (n: before the next write; t: as it is now). */
static bo_status changes_sql(bo_buf *sql, const bo_table *now, const bo_journal_filter *filter,
    unsigned number, bo_error *err)
{
    bo_status st = add_sums(sql, now, filter, number, err);
    bo_buf_add_str(sql, "SELECT b.`backout_op` NOT IN ('I', 'i'), n.`backout_seq` IS NOT NULL,"
                        " n.`backout_op` NOT IN ('I', 'i'), t.");
    my_quote(sql, key_column(now, 0));
    bo_buf_add_str(sql, " IS NOT NULL, g.`backout_mixed`");
    for (const char *alias = "b\0n\0t\0"; *alias; alias += 2) {
        bo_buf_add_str(sql, ", ");
        my_image_list(sql, now, now, alias);
    }
    bo_buf_printf(sql,
        " FROM g JOIN " MY_JOURNAL " AS b ON b.`backout_seq` = g.`backout_first`"
        " LEFT JOIN " MY_JOURNAL " AS n ON n.`backout_seq` = g.`backout_next` LEFT JOIN ",
        number, number);
    my_quote_table(sql, now);
    bo_buf_add_str(sql, " AS t ON n.`backout_seq` IS NULL");
    for (uint16_t i = 0; i < now->row_key->count; i++) {
        bo_buf_add_str(sql, " AND t.");
        my_quote(sql, key_column(now, i));
        bo_buf_add_str(sql, " = b.");
        my_quote(sql, key_column(now, i));
    }
    return st;
}

struct changes {
    uint16_t count; /* values of an image */
    bo_journal_change_fn *each;
    void *ctx;
    bo_buf before;
    bo_buf after;
};

static bool is_true(const char *value)
{
    return value && value[0] == '1';
}

static bo_status read_change(
    void *ctx, unsigned count, char **values, const unsigned long *sizes, bo_error *err)
{
    struct changes *changes = ctx;
    (void)count;
    const bool was = is_true(values[0]);
    const bool written_later = is_true(values[1]);
    const bool is = written_later ? is_true(values[2]) : is_true(values[3]);
    if (!was && !is)
        return BO_OK;
    bo_buf_clear(&changes->before);
    bo_buf_clear(&changes->after);
    my_image_add(&changes->before, values, sizes, HEAD, changes->count);
    my_image_add(&changes->after, values, sizes,
        HEAD + (written_later ? 1u : 2u) * (unsigned)changes->count, changes->count);
    bo_status st = bo_buf_check(&changes->before, err);
    if (st == BO_OK)
        st = bo_buf_check(&changes->after, err);
    if (st != BO_OK)
        return st;
    const bo_journal_change change = {
        .before = was ? (bo_image){changes->before.data, changes->before.size} : (bo_image){0},
        .after = is ? (bo_image){changes->after.data, changes->after.size} : (bo_image){0},
        .mixed = is_true(values[4]),
    };
    return changes->each(changes->ctx, &change, err);
}

bo_status my_capture_changes(bo_conn *base, const bo_table *now, const bo_journal_filter *filter,
    bo_journal_change_fn *each, void *ctx, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN_VALUE(bo_buf) sql = {0};
    unsigned number = 0;
    bo_status st = find_journal(conn, now, filter->from, &number, err);
    if (st == BO_OK)
        st = changes_sql(&sql, now, filter, number, err);
    if (st != BO_OK)
        return st;
    struct changes changes = {now->image_count, each, ctx, {0}, {0}};
    st = my_stream(conn, &sql, read_change, &changes, err);
    bo_buf_done(&changes.before);
    bo_buf_done(&changes.after);
    return st;
}

/* ---- row by row ---- */

struct walk {
    uint16_t key_count;
    bo_journal_row_fn *each;
    void *ctx;
    bo_buf key;
};

static bo_status read_row(
    void *ctx, unsigned count, char **values, const unsigned long *sizes, bo_error *err)
{
    struct walk *walk = ctx;
    (void)count;
    bo_buf_clear(&walk->key);
    my_image_add(&walk->key, values, sizes, 5, walk->key_count);
    bo_status st = bo_buf_check(&walk->key, err);
    if (st != BO_OK)
        return st;
    const bo_journal_row row = {
        .sequence = strtoull(values[0], NULL, 10),
        .transaction = values[1],
        .user = values[2],
        .application = "",
        .run = values[3],
        .operation = values[4][0],
        .key = {walk->key.data, walk->key.size},
    };
    return walk->each(walk->ctx, &row, err);
}

bo_status my_capture_walk(bo_conn *base, const bo_table *now, const char *from,
    bo_journal_row_fn *each, void *ctx, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN_VALUE(bo_buf) sql = {0};
    unsigned number = 0;
    bo_status st = find_journal(conn, now, from, &number, err);
    if (st != BO_OK)
        return st;
    bo_buf_add_str(&sql, "SELECT j.`backout_seq`, j.`backout_tx`, COALESCE(j.`backout_user`, ''),"
                         " COALESCE(j.`backout_run`, ''), UPPER(j.`backout_op`)");
    for (uint16_t i = 0; i < now->row_key->count; i++) {
        bo_buf_add_str(&sql, ", ");
        my_read_value(&sql, &now->columns[now->row_key->columns[i]], "j");
    }
    bo_buf_printf(
        &sql, " FROM " MY_JOURNAL " AS j WHERE j.`backout_op` NOT IN ('S', 'X') AND ", number);
    st = my_position_after(&sql, from, number, "j", err);
    if (st != BO_OK)
        return st;
    bo_buf_add_str(&sql, " ORDER BY j.`backout_seq`");
    struct walk walk = {now->row_key->count, each, ctx, {0}};
    st = my_stream(conn, &sql, read_row, &walk, err);
    bo_buf_done(&walk.key);
    return st;
}
