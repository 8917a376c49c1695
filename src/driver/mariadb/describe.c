/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/describe.c - reads the definition of a table. */
#include "driver/mariadb/describe.h"

#include <string.h>

#include "base/text.h"

bo_status my_tables(bo_conn *base, bo_name_fn *each, void *ctx, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN(MYSQL_RES) *names = NULL;
    BO_OWN_VALUE(bo_buf) sql = {0};
    if (!arena)
        return bo_nomem(err);
    bo_buf_add_str(&sql, "SELECT TABLE_NAME FROM information_schema.TABLES"
                         " WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')"
                         " AND TABLE_NAME NOT REGEXP " MY_OUR_TABLES " AND TABLE_SCHEMA = ");
    my_quote_literal(&sql, conn->schema);
    bo_buf_add_str(&sql, " ORDER BY CAST(TABLE_NAME AS BINARY)");
    bo_status st = my_ask_buf(conn, &sql, &names, err);
    MYSQL_ROW row;
    while (st == BO_OK && (row = mysql_fetch_row(names)) != NULL) {
        const char *name = my_display_name(conn, arena, conn->schema, row[0]);
        st = name ? each(ctx, name, err) : bo_nomem(err);
    }
    return st;
}

/* ---- from a name to a table ---- */

static bo_status not_found(
    my_conn *conn, const char *name, const char *schema, const char *local, bo_error *err)
{
    BO_OWN(MYSQL_RES) *similar = NULL;
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN_VALUE(bo_buf) hint = {0};
    bo_buf_add_str(&sql, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ");
    my_quote_literal(&sql, schema);
    bo_buf_add_str(&sql, " AND (TABLE_NAME SOUNDS LIKE ");
    my_quote_literal(&sql, local);
    bo_buf_add_str(&sql, " OR LOCATE(");
    my_quote_literal(&sql, local);
    bo_buf_add_str(&sql, ", TABLE_NAME) > 0) ORDER BY TABLE_NAME LIMIT 3");
    bo_status st = my_ask_buf(conn, &sql, &similar, err);
    if (st != BO_OK)
        return st;
    for (MYSQL_ROW row; (row = mysql_fetch_row(similar)) != NULL;)
        bo_buf_printf(&hint, "%s'%s'", hint.size > 0 ? ", " : "", row[0]);
    st = bo_fail(err, BO_NOTFOUND, "no such table: '%s'", name);
    return hint.size > 0 ? bo_detail(err, st, "similar names: %s", bo_buf_str(&hint)) : st;
}

enum { TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_ENGINE, TABLE_COMMENT };

static bo_status resolve(my_description *about, const char *name, MYSQL_RES **out, bo_error *err)
{
    const char *schema = NULL, *local = NULL;
    bo_status st = my_parse_name(about->conn, name, about->arena, &schema, &local, err);
    if (st != BO_OK)
        return st;
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(MYSQL_RES) *found = NULL;
    bo_buf_add_str(&sql, "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COMMENT"
                         " FROM information_schema.TABLES");
    my_where_table(&sql, "TABLE", schema, local);
    st = my_ask_buf(about->conn, &sql, &found, err);
    if (st == BO_OK && mysql_num_rows(found) == 0)
        return not_found(about->conn, name, schema, local, err);
    if (st == BO_OK)
        *out = BO_TAKE(found);
    return st;
}

/* ---- columns ---- */

enum {
    COLUMN_NAME,
    COLUMN_TYPE,
    COLUMN_NULLABLE,
    COLUMN_DEFAULT,
    COLUMN_EXTRA,
    COLUMN_COLLATION,
    COLUMN_EXPRESSION
};

/* "current_timestamp() ON UPDATE current_timestamp()": what follows the word DEFAULT. */
static const char *default_of(my_description *about, MYSQL_ROW row)
{
    const char *value = row[COLUMN_DEFAULT];
    const char *update = row[COLUMN_EXTRA] ? strstr(row[COLUMN_EXTRA], "on update ") : NULL;
    if (value && strcmp(value, "NULL") == 0)
        value = NULL;
    if (!update)
        return my_cell(about, value);
    const char *text = bo_arena_printf(about->arena, "%s ON UPDATE %.*s", value ? value : "NULL",
        (int)strcspn(update + 10, ","), update + 10);
    if (!text)
        about->failed = true;
    return text;
}

static void read_column(my_description *about, MYSQL_ROW row, bo_column *out)
{
    const char *extra = row[COLUMN_EXTRA] ? row[COLUMN_EXTRA] : "";
    const bool generated = row[COLUMN_EXPRESSION] != NULL;
    *out = (bo_column){
        .name = my_cell(about, row[COLUMN_NAME]),
        .type = my_cell(about, row[COLUMN_TYPE]),
        .not_null = strcmp(row[COLUMN_NULLABLE], "NO") == 0,
        .in_image = !generated,
        .default_expr = generated ? my_cell(about, row[COLUMN_EXPRESSION]) : default_of(about, row),
        .generated = !generated                         ? BO_GENERATED_NO
                     : strstr(extra, "VIRTUAL") != NULL ? BO_GENERATED_VIRTUAL
                                                        : BO_GENERATED_STORED,
        .identity = strstr(extra, "auto_increment") ? 'd' : 0,
        .collation = my_cell(about, row[COLUMN_COLLATION]),
    };
}

static bo_status describe_columns(my_description *about, bo_error *err)
{
    bo_table *table = about->table;
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(MYSQL_RES) *found = NULL;
    bo_buf_add_str(&sql,
        "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, COLLATION_NAME,"
        " GENERATION_EXPRESSION FROM information_schema.COLUMNS");
    my_where_table(&sql, "TABLE", table->schema, table->local);
    bo_buf_add_str(&sql, " ORDER BY ORDINAL_POSITION");
    bo_status st = my_ask_buf(about->conn, &sql, &found, err);
    if (st != BO_OK)
        return st;
    const size_t count = mysql_num_rows(found);
    bo_column *columns = bo_arena_array(about->arena, count + 1, sizeof *columns);
    uint16_t *image_columns = bo_arena_array(about->arena, count + 1, sizeof *image_columns);
    if (!columns || !image_columns)
        return bo_nomem(err);
    for (uint16_t i = 0; i < count; i++) {
        read_column(about, mysql_fetch_row(found), &columns[i]);
        if (columns[i].in_image)
            image_columns[table->image_count++] = i;
    }
    table->columns = columns;
    table->column_count = (uint16_t)count;
    table->image_columns = image_columns;
    return BO_OK;
}

/* ---- what cannot be undone ---- */

static void refuse(my_description *about, const char *sentence)
{
    about->table->uncovered = true;
    my_add_limit(about, sentence);
}

static void refuse_engine(my_description *about, const char *engine, const char *comment)
{
    static const char *const away[] = {"SPIDER", "FEDERATED", "CONNECT", "S3"};
    if (!engine) {
        refuse(about, bo_arena_printf(about->arena, "it cannot be read: %s", comment));
        return;
    }
    for (size_t i = 0; i < sizeof away / sizeof *away; i++) {
        if (bo_text_same(engine, away[i])) {
            about->table->kind = 'f';
            refuse(about, bo_arena_printf(
                              about->arena, "its rows are not in this server: engine %s", engine));
            return;
        }
    }
    refuse(about,
        bo_arena_printf(about->arena,
            "engine %s is not transactional: a change of it cannot be undone as one", engine));
}

static void describe_kind(my_description *about, MYSQL_ROW row)
{
    bo_table *table = about->table;
    table->kind = 'r';
    if (strcmp(row[TABLE_TYPE], "VIEW") == 0 || strcmp(row[TABLE_TYPE], "SYSTEM VIEW") == 0) {
        table->kind = 'v';
        refuse(about, "it is a view: the tables that it reads can be covered");
    } else if (strcmp(row[TABLE_TYPE], "SEQUENCE") == 0) {
        table->kind = 'v';
        refuse(
            about, "it is a sequence: it goes with the tables whose columns take values from it");
    } else if (strcmp(row[TABLE_TYPE], "SYSTEM VERSIONED") == 0) {
        table->system_versioned = true;
        refuse(about, "it is system-versioned: rows that come back would be new versions, and its "
                      "history would not be as it was");
    } else if (!row[TABLE_ENGINE] || strcmp(row[TABLE_ENGINE], "InnoDB") != 0) {
        refuse_engine(about, row[TABLE_ENGINE], row[TABLE_COMMENT] ? row[TABLE_COMMENT] : "");
    }
}

/* The server computes them anew when rows are put back, in our time zone. */
static void limit_computed(my_description *about, const bo_column *column)
{
    const bo_table *table = about->table;
    for (uint16_t i = 0; i < table->column_count; i++) {
        BO_OWN_VALUE(bo_buf) name = {0};
        my_quote(&name, table->columns[i].name);
        if (strncmp(table->columns[i].type, "timestamp", 9) != 0 ||
            !strstr(column->default_expr ? column->default_expr : "", bo_buf_str(&name)))
            continue;
        my_add_limit(
            about, bo_arena_printf(about->arena,
                       "column '%s' is computed from a TIMESTAMP: in UTC, when rows are put back",
                       column->name));
        return;
    }
}

/* InnoDB allows 1017, and a stage has seven of its own. */
#define STAGED_COLUMNS 1010u

static void describe_limits(my_description *about)
{
    if (about->table->uncovered)
        return;
    if (about->conn->log == MY_LOG_STATEMENTS)
        my_add_limit(about, "the server writes a binary log of statements: to put rows back, the "
                            "right BINLOG ADMIN is needed");
    if (about->table->image_count > STAGED_COLUMNS)
        my_add_limit(about, "it has more than 1010 columns: it comes back as a whole with restore "
                            "only");
    if (!about->table->row_key)
        my_add_limit(about, "it has no key: rows are identified by all their values");
    for (uint16_t i = 0; i < about->table->column_count; i++) {
        if (about->table->columns[i].generated == BO_GENERATED_STORED)
            limit_computed(about, &about->table->columns[i]);
    }
    if (about->table->trigger_count > 0)
        my_add_limit(about, "its triggers fire while rows are put back: where they change what was "
                            "put back, the rollback is refused");
}

/* ---- the table ---- */

static bo_status describe_parts(my_description *about, bo_error *err)
{
    bo_table *table = about->table;
    bo_status st = describe_columns(about, err);
    if (st != BO_OK || table->kind == 'v')
        return st;
    my_ddl ddl = {0};
    st = my_ddl_read(about->conn, table->schema, table->local, about->arena, &ddl, err);
    if (st == BO_OK && ddl.temporary)
        return bo_fail(err, BO_REFUSED, "a temporary table of this session hides it");
    if (st == BO_OK)
        st = my_get_links(about->conn, &about->links, err);
    if (st == BO_OK)
        st = my_describe_keys(about, &ddl, err);
    if (st == BO_OK)
        st = my_describe_references(about, &ddl, err);
    if (st == BO_OK)
        st = my_describe_checks(about, err);
    if (st == BO_OK)
        st = my_describe_triggers(about, err);
    if (st == BO_OK)
        st = my_describe_views(about, err);
    if (st == BO_OK)
        st = my_describe_partitions(about, err);
    if (st == BO_OK)
        st = my_describe_sequences(about, err);
    if (st == BO_OK)
        st = my_ddl_bare(about, &ddl, err);
    return st == BO_OK ? my_describe_after(about, err) : st;
}

bo_status my_describe(
    bo_conn *base, const char *name, bo_arena *arena, const bo_table **out, bo_error *err)
{
    BO_OWN(MYSQL_RES) *found = NULL;
    my_description about = {.conn = my_of(base), .arena = arena};
    bo_table *table = bo_arena_array(arena, 1, sizeof *table);
    if (!table)
        return bo_nomem(err);
    about.table = table;
    bo_status st = resolve(&about, name, &found, err);
    if (st != BO_OK)
        return st;
    MYSQL_ROW row = mysql_fetch_row(found);
    table->schema = my_cell(&about, row[TABLE_SCHEMA]);
    table->local = my_cell(&about, row[TABLE_NAME]);
    table->id = "";
    table->encoding = BO_ENCODING_MARIADB;
    if (about.failed)
        return bo_nomem(err);
    table->name = my_display_name(about.conn, arena, table->schema, table->local);
    if (!table->name)
        return bo_nomem(err);
    describe_kind(&about, row);
    st = describe_parts(&about, err);
    if (st != BO_OK) {
        st = my_denied_hint(about.conn, st, table, "SELECT", err);
        return bo_wrap(err, st, "cannot read the definition of table '%s'", table->name);
    }
    describe_limits(&about);
    if (about.failed)
        return bo_nomem(err);
    *out = table;
    return BO_OK;
}
