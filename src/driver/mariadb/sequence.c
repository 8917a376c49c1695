/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/sequence.c - counters: AUTO_INCREMENT of a table, and SEQUENCE objects.
 *
 * A bo_sequence is named after the table or the object; what has that name tells which it is.  Both
 * say which value comes next, and both are set by statements that commit what is open before them:
 * docs/design/sequences.md.
 */
#include <inttypes.h>
#include <string.h>

#include "driver/mariadb/journal.h"

typedef struct counter {
    bo_buf name; /* quoted */
    bool object; /* a SEQUENCE */
    bool used;   /* it has given a value */
    uint64_t next;
    int64_t increment;
} counter;

static void counter_done(counter *c)
{
    bo_buf_done(&c->name);
}

/* A SEQUENCE keeps a stock of values in memory, and says where that ends. */
static bo_status read_object(my_conn *conn, counter *c, const bo_sequence *sequence, bo_error *err)
{
    BO_OWN(MYSQL_RES) *found = NULL;
    bo_status st = my_ask(conn, &found, err,
        "SELECT next_not_cached_value, next_not_cached_value <> start_value OR cycle_count > 0,"
        " increment FROM %s",
        bo_buf_str(&c->name));
    MYSQL_ROW row = st == BO_OK ? mysql_fetch_row(found) : NULL;
    if (st != BO_OK)
        return st;
    if (!row || !row[0])
        return bo_fail(err, BO_DATABASE, "the sequence '%s' has no value", sequence->name);
    c->next = (uint64_t)strtoll(row[0], NULL, 10);
    c->used = row[1] && row[1][0] == '1';
    c->increment = row[2] ? strtoll(row[2], NULL, 10) : 1;
    return BO_OK;
}

static bo_status read_counter(my_conn *conn, const bo_sequence *sequence, counter *c, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN(MYSQL_RES) *found = NULL;
    BO_OWN_VALUE(bo_buf) sql = {0};
    const char *schema = NULL, *local = NULL;
    if (!arena)
        return bo_nomem(err);
    bo_status st = my_parse_name(conn, sequence->name, arena, &schema, &local, err);
    if (st != BO_OK)
        return st;
    my_quote(&c->name, schema);
    bo_buf_add_byte(&c->name, '.');
    my_quote(&c->name, local);
    bo_buf_add_str(&sql, "SELECT TABLE_TYPE, AUTO_INCREMENT FROM information_schema.TABLES"
                         " WHERE TABLE_SCHEMA = ");
    my_quote_literal(&sql, schema);
    bo_buf_add_str(&sql, " AND TABLE_NAME = ");
    my_quote_literal(&sql, local);
    st = my_ask_buf(conn, &sql, &found, err);
    if (st == BO_OK)
        st = bo_buf_check(&c->name, err);
    MYSQL_ROW row = st == BO_OK ? mysql_fetch_row(found) : NULL;
    if (st != BO_OK)
        return st;
    if (!row)
        return bo_fail(err, BO_NOTFOUND, "no such sequence: '%s'", sequence->name);
    c->object = strcmp(row[0], "SEQUENCE") == 0;
    if (c->object)
        return read_object(conn, c, sequence, err);
    c->next = row[1] ? strtoull(row[1], NULL, 10) : 1;
    c->used = c->next > 1;
    c->increment = 1;
    return BO_OK;
}

bo_status my_sequence_read(bo_conn *base, bo_sequence *sequence, bo_error *err)
{
    BO_OWN_VALUE(counter) c = {0};
    bo_status st = read_counter(my_of(base), sequence, &c, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the counter of '%s'", sequence->name);
    sequence->increment = c.increment;
    sequence->is_called = c.used;
    sequence->last_value = (int64_t)c.next - (c.used ? c.increment : 0);
    return BO_OK;
}

/* To those who capture the table it is no alteration. */
static bo_status alter_counter(
    my_conn *conn, const bo_sequence *sequence, const char *name, uint64_t next, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN_VALUE(bo_buf) mark = {0};
    const char *schema = NULL, *local = NULL;
    if (!arena)
        return bo_nomem(err);
    bo_status st = my_parse_name(conn, sequence->name, arena, &schema, &local, err);
    if (st == BO_OK)
        st = my_mark_read(conn, local, &mark, err);
    if (st == BO_OK)
        st = my_run(conn, NULL, err, "ALTER TABLE %s AUTO_INCREMENT = %" PRIu64, name, next);
    if (st == BO_OK)
        my_mark_again(conn, local, bo_buf_str(&mark));
    return st;
}

bo_status my_sequence_set(bo_conn *base, const bo_sequence *sequence, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN_VALUE(counter) c = {0};
    const int64_t next = sequence->last_value + (sequence->is_called ? sequence->increment : 0);
    bo_status st = read_counter(conn, sequence, &c, err);
    if (st == BO_OK && conn->in_transaction)
        st = bo_fail(err, BO_REFUSED, "it would commit the transaction that is open");
    if (st == BO_OK)
        st = c.object ? my_run(conn, NULL, err, "ALTER SEQUENCE %s RESTART %" PRId64,
                            bo_buf_str(&c.name), next)
                      : alter_counter(conn, sequence, bo_buf_str(&c.name), (uint64_t)next, err);
    return st == BO_OK ? st : bo_wrap(err, st, "cannot set the counter of '%s'", sequence->name);
}

bo_status my_sequence_used(bo_conn *base, const bo_table *now, const bo_sequence *sequence,
    int64_t *extreme_out, bool *any_out, bo_error *err)
{
    BO_OWN(MYSQL_RES) *found = NULL;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, sequence->increment < 0 ? "SELECT MIN(" : "SELECT MAX(");
    my_quote(&sql, sequence->column);
    bo_buf_add_str(&sql, ") FROM ");
    my_quote_table(&sql, now);
    bo_status st = my_ask_buf(my_of(base), &sql, &found, err);
    MYSQL_ROW row = st == BO_OK ? mysql_fetch_row(found) : NULL;
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the furthest value of '%s'", sequence->column);
    *any_out = row && row[0];
    *extreme_out = *any_out ? strtoll(row[0], NULL, 10) : 0;
    return BO_OK;
}
