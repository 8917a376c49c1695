/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/describe_links.c - what hangs on a table: checks, triggers, views, partitions,
 * sequences, and the SQL that makes it all again. */
#include <string.h>

#include "driver/mariadb/describe.h"

bo_status my_describe_checks(my_description *about, bo_error *err)
{
    bo_table *table = about->table;
    BO_OWN(MYSQL_RES) *found = NULL;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT CONSTRAINT_NAME, CHECK_CLAUSE"
                         " FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ");
    my_quote_literal(&sql, table->schema);
    bo_buf_add_str(&sql, " AND TABLE_NAME = ");
    my_quote_literal(&sql, table->local);
    bo_buf_add_str(&sql, " ORDER BY CAST(CONSTRAINT_NAME AS BINARY)");
    bo_status st = my_ask_buf(about->conn, &sql, &found, err);
    if (st != BO_OK)
        return st;
    bo_named_sql *checks = NULL;
    for (MYSQL_ROW row; (row = mysql_fetch_row(found)) != NULL;) {
        checks = my_grow(about, checks, table->check_count, sizeof *checks);
        if (!checks)
            return bo_nomem(err);
        checks[table->check_count++] = (bo_named_sql){my_cell(about, row[0]),
            bo_arena_printf(about->arena, "CHECK (%s)", row[1] ? row[1] : "")};
    }
    table->checks = checks;
    return about->failed ? bo_nomem(err) : BO_OK;
}

/* ---- triggers ---- */

enum {
    TRIGGER_NAME,
    TRIGGER_TIMING,
    TRIGGER_EVENT,
    TRIGGER_BODY,
    TRIGGER_DEFINER,
    TRIGGER_MODE,
    TRIGGER_COLLATION
};

static void add_trigger_sql(bo_buf *out, const my_conn *conn, const bo_table *table, MYSQL_ROW row)
{
    const char *at = strrchr(row[TRIGGER_DEFINER], '@');
    BO_OWN_VALUE(bo_buf) user = {0};
    bo_buf_add(&user, row[TRIGGER_DEFINER],
        at ? (size_t)(at - row[TRIGGER_DEFINER]) : strlen(row[TRIGGER_DEFINER]));
    bo_buf_add_str(&user, "");
    bo_buf_add_str(out, "CREATE DEFINER = ");
    my_quote(out, bo_buf_str(&user));
    if (at && at[1]) { /* a role has no host */
        bo_buf_add_byte(out, '@');
        my_quote(out, at + 1);
    }
    bo_buf_add_str(out, " TRIGGER ");
    my_quote_recorded(out, conn, table->schema, row[TRIGGER_NAME]);
    bo_buf_printf(out, " %s %s ON ", row[TRIGGER_TIMING], row[TRIGGER_EVENT]);
    my_quote_recorded(out, conn, table->schema, table->local);
    bo_buf_add_str(out, " FOR EACH ROW ");
    bo_buf_add_str(out, row[TRIGGER_BODY]);
    out->failed |= user.failed;
}

/* In the order in which they fire, which is that in which they are made again. */
static bo_status ask_triggers(my_description *about, MYSQL_RES **out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, ACTION_STATEMENT,"
                         " DEFINER, SQL_MODE, COLLATION_CONNECTION"
                         " FROM information_schema.TRIGGERS");
    my_where_table(&sql, "EVENT_OBJECT", about->table->schema, about->table->local);
    bo_buf_add_str(&sql, " AND TRIGGER_NAME NOT REGEXP " MY_OUR_TRIGGERS
                         " ORDER BY ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER");
    return my_ask_buf(about->conn, &sql, out, err);
}

/* A trigger runs under the mode and collation of the session that made it. */
static void add_settings(my_description *about, MYSQL_ROW row)
{
    my_add_after(about,
        bo_arena_printf(about->arena, "SET SESSION sql_mode = '%s', collation_connection = %s",
            row[TRIGGER_MODE], row[TRIGGER_COLLATION]));
}

static bo_status add_trigger(my_description *about, MYSQL_ROW row, bo_error *err)
{
    bo_table *table = about->table;
    BO_OWN_VALUE(bo_buf) sql = {0};
    const bool known = row[TRIGGER_BODY] && row[TRIGGER_DEFINER];
    if (known)
        add_trigger_sql(&sql, about->conn, table, row);
    bo_trigger *triggers = my_grow(about, table->triggers, table->trigger_count, sizeof *triggers);
    const char *name = my_cell(about, row[TRIGGER_NAME]);
    const char *text = sql.failed ? NULL : my_cell(about, bo_buf_str(&sql));
    if (!triggers || !name || !text)
        return bo_nomem(err);
    triggers[table->trigger_count++] = (bo_trigger){name, text, 'O'};
    table->triggers = triggers;
    if (known) {
        add_settings(about, row);
        my_add_after(about, text);
    } else {
        my_add_limit(about, bo_arena_printf(about->arena,
                                "trigger '%s' cannot be made again: to read it, the right TRIGGER "
                                "is missing",
                                name));
    }
    return about->failed ? bo_nomem(err) : BO_OK;
}

bo_status my_describe_triggers(my_description *about, bo_error *err)
{
    BO_OWN(MYSQL_RES) *found = NULL;
    bo_status st = ask_triggers(about, &found, err);
    for (MYSQL_ROW row; st == BO_OK && (row = mysql_fetch_row(found)) != NULL;)
        st = add_trigger(about, row, err);
    return st;
}

/* Its foreign keys come before its triggers. */
bo_status my_describe_after(my_description *about, bo_error *err)
{
    bo_table *table = about->table;
    const char *const *triggers = table->after;
    const uint16_t count = table->definition_count;
    table->after = NULL;
    table->definition_count = 0;
    for (uint16_t i = 0; i < table->foreign_key_count; i++)
        my_add_after(about, table->foreign_keys[i].definition);
    for (uint16_t i = 0; i < count; i++)
        my_add_after(about, triggers[i]);
    return about->failed ? bo_nomem(err) : BO_OK;
}

/* ---- views and partitions ---- */

static bo_status add_name(my_description *about, const char *name, const char *const **names,
    uint16_t *count, bo_error *err)
{
    const char **more = my_grow(about, (const void *)*names, *count, sizeof *more);
    if (!more || !name)
        return bo_nomem(err);
    more[(*count)++] = name;
    *names = more;
    return BO_OK;
}

/* The server keeps the text of a view with every name in full; without the right to see it there
 * is none. */
bo_status my_describe_views(my_description *about, bo_error *err)
{
    bo_table *table = about->table;
    BO_OWN_VALUE(bo_buf) name = {0};
    my_quote_table(&name, table);
    bo_status st = bo_buf_check(&name, err);
    mysql_data_seek(about->links->views, 0);
    for (MYSQL_ROW row; st == BO_OK && (row = mysql_fetch_row(about->links->views));) {
        if (row[2] && strstr(row[2], bo_buf_str(&name)))
            st = add_name(about, my_display_name(about->conn, about->arena, row[0], row[1]),
                &table->views, &table->view_count, err);
    }
    return st;
}

bo_status my_describe_partitions(my_description *about, bo_error *err)
{
    bo_table *table = about->table;
    BO_OWN(MYSQL_RES) *found = NULL;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT DISTINCT PARTITION_NAME FROM information_schema.PARTITIONS");
    my_where_table(&sql, "TABLE", table->schema, table->local);
    bo_buf_add_str(&sql, " AND PARTITION_NAME IS NOT NULL ORDER BY PARTITION_ORDINAL_POSITION");
    bo_status st = my_ask_buf(about->conn, &sql, &found, err);
    for (MYSQL_ROW row; st == BO_OK && (row = mysql_fetch_row(found)) != NULL;)
        st = add_name(
            about, my_cell(about, row[0]), &table->partitions, &table->partition_count, err);
    return st;
}

/* ---- sequences: the counter of the table, and objects that a default takes values from ---- */

static bo_status add_sequence(
    my_description *about, const char *name, const bo_column *column, bo_error *err)
{
    bo_table *table = about->table;
    bo_sequence *sequences =
        my_grow(about, table->sequences, table->sequence_count, sizeof *sequences);
    if (!sequences || !name)
        return bo_nomem(err);
    sequences[table->sequence_count] = (bo_sequence){.name = name, .column = column->name};
    bo_status st = my_sequence_read(&about->conn->base, &sequences[table->sequence_count], err);
    if (st != BO_OK)
        return st;
    table->sequence_count++;
    table->sequences = sequences;
    return BO_OK;
}

/* The name in "nextval(`app`.`s`)", or NULL. */
static const char *sequence_of(my_description *about, const char *expression)
{
    static const char call[] = "nextval(";
    const char *at = expression ? strstr(expression, call) : NULL;
    const char *schema = NULL, *local = NULL;
    if (!at)
        return NULL;
    at += sizeof call - 1;
    const char *name = bo_arena_strn(about->arena, at, strcspn(at, ")"));
    if (!name || my_parse_name(about->conn, name, about->arena, &schema, &local, NULL) != BO_OK)
        return NULL;
    return my_display_name(about->conn, about->arena, schema, local);
}

bo_status my_describe_sequences(my_description *about, bo_error *err)
{
    const bo_table *table = about->table;
    bo_status st = BO_OK;
    for (uint16_t i = 0; i < table->column_count && st == BO_OK; i++) {
        const bo_column *column = &table->columns[i];
        if (column->identity) {
            st = add_sequence(about, table->name, column, err);
            continue;
        }
        const char *name = column->in_image ? sequence_of(about, column->default_expr) : NULL;
        if (name)
            st = add_sequence(about, name, column, err);
    }
    return st;
}
