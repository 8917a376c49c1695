/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/fuzz_value.c - images of every encoding as text and as SQL: a literal is the value and
 * nothing but it, to the engine's own reader.
 *
 * The first byte is the encoding, then come images.
 */
#include <math.h>
#include <pg_query.h>
#include <string.h>

#include "data/digest.h"
#include "driver/mariadb/my.h"
#include "driver/postgres/pg.h"
#include "driver/sqlite/sqlite.h"
#include "fuzz.h"

enum { ENGINES = 4, COLUMNS = 14 };

static const struct engine {
    bo_encoding encoding;
    const char *types[COLUMNS];
    bool collated[COLUMNS];
} engines[ENGINES] = {
    {BO_ENCODING_SQLITE, {"", "", "", ""}, {0}},
    {BO_ENCODING_PG_TEXT, {"text", "numeric", "bytea", "jsonb"}, {0}},
    {BO_ENCODING_PG_BINARY, {"int4", "text"}, {0}},
    {BO_ENCODING_MARIADB,
        {"int(11)", "decimal(10,2)", "double", "enum('a','it''s')", "set('x','y')", "bit(5)",
            "varchar(10)", "varbinary(10)", "uuid", "datetime(6)", "inet6", "year(4)", "time",
            "longtext"},
        {[3] = true, [4] = true, [6] = true, [13] = true}},
};

static bo_column columns[COLUMNS];
static uint16_t positions[COLUMNS];

static bo_table shape_of(const struct engine *engine)
{
    static const char *const names[COLUMNS] = {
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"};
    uint16_t count = 0;
    for (; count < COLUMNS && engine->types[count]; count++) {
        columns[count] = (bo_column){.name = names[count],
            .type = engine->types[count],
            .in_image = true,
            .collation = engine->collated[count] ? "utf8mb4_bin" : NULL};
        positions[count] = count;
    }
    return (bo_table){.name = "t",
        .schema = "main",
        .local = "t",
        .id = "",
        .encoding = engine->encoding,
        .kind = 'r',
        .column_count = count,
        .columns = columns,
        .image_count = count,
        .image_columns = positions,
        .definition = "CREATE TABLE t (a, b, c, d)"};
}

/* ---- rows of the input ---- */

typedef struct rows {
    bo_span rest;
    bo_image row; /* that was given last */
    sqlite3 *reader;
} rows;

static bo_status next_row(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    rows *self = ctx;
    size_t size = 0;
    *end_out = self->rest.size == 0 || bo_image_measure(self->rest, &size, err) != BO_OK;
    if (*end_out)
        return BO_OK;
    self->row = (bo_image){self->rest.data, size};
    self->rest = (bo_span){self->rest.data + size, self->rest.size - size};
    *row_out = self->row;
    return BO_OK;
}

/* ---- what an engine reads from the literals ---- */

static void add_select(bo_buf *sql, uint16_t count, const bo_text_value *values)
{
    for (uint16_t i = 0; i < count; i++) {
        bo_buf_add_str(sql, i == 0 ? "SELECT " : ", ");
        bo_buf_add(sql, values[i].data, values[i].size);
    }
    bo_buf_add_str(sql, "");
}

static bo_status check_sqlite(rows *self, uint16_t count, const bo_buf *sql)
{
    BO_OWN_VALUE(bo_buf) read = {0};
    sqlite3_stmt *statement = NULL;
    const char *tail = "";
    int rc = sqlite3_prepare_v2(self->reader, bo_buf_str(sql), -1, &statement, &tail);
    fuzz_must(rc == SQLITE_OK && !*tail, "literals of SQLite are one statement");
    fuzz_must(sqlite3_step(statement) == SQLITE_ROW, "literals of SQLite are a row");
    fuzz_must(sq_image_read(statement, 0, count, &read, NULL) == BO_OK, "its image");
    (void)sqlite3_finalize(statement);
    fuzz_must(bo_image_equal(self->row, (bo_image){read.data, read.size}),
        "literals of SQLite are the values");
    return BO_OK;
}

static bo_status check_mariadb(const bo_buf *sql)
{
    for (int mode = 0; mode < 2; mode++) {
        my_splitter split = {.at = bo_buf_str(sql), .no_backslash = mode};
        my_piece piece;
        split.end = split.at + sql->size;
        fuzz_must(my_split(&split, &piece) && piece.size == sql->size,
            "literals of MariaDB are one statement");
    }
    return BO_OK;
}

/** The text of the constant number `at` that is cast to its type. */
static const char *constant_at(const json_t *tree, size_t at)
{
    const json_t *node = json_array_get(json_object_get(tree, "stmts"), 0);
    node = json_object_get(json_object_get(node, "stmt"), "SelectStmt");
    node = json_array_get(json_object_get(node, "targetList"), at);
    node = json_object_get(json_object_get(node, "ResTarget"), "val");
    node = json_object_get(json_object_get(json_object_get(node, "TypeCast"), "arg"), "A_Const");
    node = json_object_get(node, "val") ? json_object_get(node, "val") : node;
    const json_t *text = json_object_get(json_object_get(node, "String"), "str");
    if (!text)
        text = json_object_get(json_object_get(node, "sval"), "sval");
    return json_string_value(text);
}

static bo_status check_postgres(const rows *self, uint16_t count, const bo_buf *sql)
{
    static bo_value values[BO_COLUMNS_MAX];
    PgQueryParseResult result = pg_query_parse(bo_buf_str(sql));
    bo_image_values(self->row, values);
    json_t *tree = result.error ? NULL : json_loads(result.parse_tree, 0, NULL);
    bool utf8 = !result.error && tree != NULL; /* its JSON is none when the text is not UTF-8 */
    fuzz_must(!result.error, "literals of PostgreSQL are one statement");
    fuzz_must(!utf8 || json_array_size(json_object_get(tree, "stmts")) == 1, "one statement");
    for (uint16_t i = 0; utf8 && i < count; i++) {
        const char *text = values[i].size < 0 ? NULL : constant_at(tree, i);
        fuzz_must(values[i].size < 0 || (text && strlen(text) == (size_t)values[i].size &&
                                            memcmp(text, values[i].data, strlen(text)) == 0),
            "literals of PostgreSQL are the values");
    }
    json_decref(tree);
    pg_query_free_parse_result(result);
    return BO_OK;
}

static bo_encoding encoding;
static bo_render_form form;

static bo_status check_row(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    add_select(&sql, count, values);
    bo_status st = bo_buf_check(&sql, err);
    if (st != BO_OK || form == BO_RENDER_TEXT || sql.size == 0)
        return st;
    if (encoding == BO_ENCODING_SQLITE)
        return check_sqlite(ctx, count, &sql);
    return encoding == BO_ENCODING_MARIADB ? check_mariadb(&sql) : check_postgres(ctx, count, &sql);
}

/* ---- into a table and out again ---- */

static bo_status count_row(void *ctx, bo_image row, bo_error *err)
{
    (void)err;
    bo_digest_add(ctx, row);
    return BO_OK;
}

static bo_status count_number(void *ctx, uint64_t number, bo_error *err)
{
    (void)err;
    *(uint64_t *)ctx = number;
    return BO_OK;
}

static void restore(bo_conn *conn, const bo_table *shape, bo_span images)
{
    bo_error err = {0};
    bo_digest in = {0};
    bo_digest out = {0};
    uint64_t last = 0;
    rows rest = {.rest = images};
    bo_status st = conn->driver->begin(conn, BO_TX_WRITE, &err);
    fuzz_must(st == BO_OK, err.text);
    (void)conn->driver->filter(
        conn, shape, "a = b OR c LIKE 'x%'", next_row, &rest, count_number, &last, &err);
    rest.rest = images;
    st = conn->driver->scratch_restore(conn, shape, next_row, &rest, count_row, &out, &err);
    rest.rest = images;
    for (bool end = false; st == BO_OK && !end;) {
        bo_image row = {0};
        (void)next_row(&rest, &row, &end, &err);
        if (!end)
            bo_digest_add(&in, row);
    }
    fuzz_must(st != BO_OK || bo_digest_equal(&in, &out), "rows come out as they went in");
    conn->driver->rollback(conn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bo_conn *sqlite;
    static sqlite3 *reader;
    static pg_conn postgres = {.base = {&bo_driver_postgres}};
    static my_conn mariadb = {.base = {&bo_driver_mariadb}};
    const bo_connect how = {.url = fuzz_path("value.db"), .create = true};
    if (!sqlite)
        fuzz_must(bo_driver_open(&how, &sqlite, NULL) == BO_OK &&
                      sqlite3_open(":memory:", &reader) == SQLITE_OK,
            "a database");
    if (size == 0)
        return 0;
    bo_table shape = shape_of(&engines[data[0] % ENGINES]);
    bo_span images = {data + 1, size - 1};
    encoding = shape.encoding;
    bo_conn *conn = encoding == BO_ENCODING_SQLITE    ? sqlite
                    : encoding == BO_ENCODING_MARIADB ? &mariadb.base
                                                      : &postgres.base;
    for (form = BO_RENDER_TEXT; form <= BO_RENDER_LITERAL; form++) {
        rows given = {.rest = images, .reader = reader};
        (void)conn->driver->render(conn, &shape, form, next_row, &given, check_row, &given, NULL);
    }
    if (encoding == BO_ENCODING_SQLITE)
        restore(conn, &shape, images);
    return 0;
}
