/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/driver/test_sqlite.c - what only SQLite has to know: files, definitions and values;
 * the rest is in tests/contract. */
#include "sqlite_world.h"

#include <sys/stat.h>

/* ---- opening ---- */

static void a_file_that_is_absent_is_made_only_when_asked_to(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_conn *conn = NULL;
    char path[80];
    struct stat info;
    snprintf(path, sizeof path, "%s/new.db", w->folder);
    assert_int_equal(sq->open(&(bo_connect){.url = path}, &conn, &err), BO_NOTFOUND);
    assert_null(conn);
    assert_int_equal(access(path, F_OK), -1);
    bo_conn_free(connect_to(path, true, false));
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    remove(path);
}

static void a_file_that_is_no_database_is_corrupt(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_conn *conn = NULL;
    char path[80];
    snprintf(path, sizeof path, "%s/text", w->folder);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 200; i++)
        fputs("this is no database\n", file);
    fclose(file);
    assert_int_equal(sq->open(&(bo_connect){.url = path}, &conn, &err), BO_CORRUPT);
    assert_non_null(strstr(err.text, "not a SQLite database"));
    assert_int_equal(sq->open(&(bo_connect){.url = w->folder}, &conn, &err), BO_INVALID);
    remove(path);
}

static void urls_name_the_file_in_each_form(void **state)
{
    world *w = *state;
    static const char *const forms[] = {
        "sqlite:%s", "sqlite://%s", "sqlite://localhost%s", "file:%s", "file://%s?mode=ro", "%s"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        BO_OWN_VALUE(bo_buf) url = {0};
        const char *mark = strstr(forms[i], "%s");
        bo_buf_add(&url, forms[i], (size_t)(mark - forms[i]));
        bo_buf_printf(&url, "%s%s", w->path, mark + 2);
        bo_conn_free(connect_to(bo_buf_str(&url), false, false));
    }
    static const char *const bad[] = {"sqlite:", "sqlite://host/a.db", "file:a%zz.db",
        "file:a%00.db", "sqlite:a.db?what=1", "file:?mode=ro"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bo_error err = {0};
        bo_conn *conn = NULL;
        assert_int_equal(sq->open(&(bo_connect){.url = bad[i]}, &conn, &err), BO_INVALID);
    }
}

static void a_database_opened_read_only_is_not_written_to(void **state)
{
    world *w = *state;
    bo_error err = {0};
    char url[120];
    snprintf(url, sizeof url, "sqlite:%s?mode=ro", w->path);
    bo_conn *conn = connect_to(url, false, false);
    assert_int_equal(sq->begin(conn, BO_TX_WRITE, &err), BO_DENIED);
    bo_conn_free(conn);
}

static void our_connections_are_pinned_and_a_users_is_not(void **state)
{
    world *w = *state;
    expect(w->conn, "PRAGMA foreign_keys", "0");
    expect(w->conn, "PRAGMA synchronous", "3");
    expect(w->conn, "PRAGMA cell_size_check", "1");
    expect(w->conn, "PRAGMA trusted_schema", "1");
    expect(w->user, "PRAGMA foreign_keys", "0");
    expect(w->user, "PRAGMA trusted_schema", "1");
    char url[120];
    snprintf(url, sizeof url, "sqlite:%s?foreign_keys=on", w->path);
    bo_conn *strict = connect_to(url, false, true);
    expect(strict, "PRAGMA foreign_keys", "1");
    bo_conn_free(strict);
}

static void a_name_may_have_a_question_mark(void **state)
{
    world *w = *state;
    char path[80], plain[96], file[96], sqlite[96];
    snprintf(path, sizeof path, "%s/who?.db", w->folder);
    snprintf(plain, sizeof plain, "%s/who?.db", w->folder);
    snprintf(file, sizeof file, "file:%s/who%%3F.db", w->folder);
    snprintf(sqlite, sizeof sqlite, "sqlite:%s/who?.db?", w->folder);
    const char *const forms[] = {plain, file, sqlite};
    bo_conn_free(connect_to(path, true, true));
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        bo_conn_free(connect_to(forms[i], false, true));
    assert_int_equal(remove(path), 0);
}

/* As a database in memory, or as another URL. */
static void a_name_that_sqlite_reads_otherwise_is_one_of_a_file(void **state)
{
    world *w = *state;
    static const struct {
        const char *form, *name;
    } names[] = {{":memory:", ":memory:"}, {"sqlite::memory:", ":memory:"},
        {"file::memory:", ":memory:"}, {"file:%3Amemory%3A", ":memory:"}, {"file:%3a", ":"},
        {"sqlite:file:x.db", "file:x.db"}, {"file:%66ile%3Ax.db", "file:x.db"}};
    char *here = getcwd(NULL, 0);
    assert_int_equal(chdir(w->folder), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bo_conn_free(connect_to(names[i].form, true, true));
        if (remove(names[i].name) != 0)
            fail_msg("%s is not in %s", names[i].form, names[i].name);
    }
    assert_int_equal(chdir(here), 0);
    free(here);
}

static void a_copy_put_in_its_place_is_the_same_database(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_identity before = {0}, after = {0}, other = {0};
    must(sq->identity(w->conn, &before, &err), &err);
    char copy[80], vacuum[120], again[96];
    snprintf(copy, sizeof copy, "%s/b.db", w->folder);
    snprintf(vacuum, sizeof vacuum, "VACUUM INTO '%s'", copy);
    run(w->user, vacuum);
    bo_conn *conn = connect_to(copy, false, true);
    must(sq->identity(conn, &other, &err), &err);
    bo_conn_free(conn);
    assert_string_not_equal(before.server, other.server);

    assert_int_equal(rename(copy, w->path), 0);
    snprintf(again, sizeof again, "%s/./a.db", w->folder);
    conn = connect_to(again, false, true);
    must(sq->identity(conn, &after, &err), &err);
    bo_conn_free(conn);
    assert_string_equal(before.server, after.server);
}

static void nothing_is_committed_to_a_file_that_has_lost_its_name(void **state)
{
    world *w = *state;
    bo_error err = {0};
    char away[80], name[88];
    snprintf(away, sizeof away, "%s/b.db", w->folder);
    run(w->user, "PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    must(sq->begin(w->conn, BO_TX_WRITE, &err), &err);
    run(w->conn, "UPDATE t SET a = 2");
    assert_int_equal(rename(w->path, away), 0);
    assert_int_equal(sq->commit(w->conn, &err), BO_REFUSED);
    assert_non_null(strstr(err.text, "was moved, replaced or removed after it was opened"));
    sq->rollback(w->conn);
    expect(w->user, "SELECT a FROM t", "1");
    assert_int_equal(sq->begin(w->conn, BO_TX_READ, &err), BO_REFUSED);
    assert_int_equal(rename(away, w->path), 0);
    must(sq->begin(w->conn, BO_TX_WRITE, &err), &err);
    run(w->conn, "UPDATE t SET a = 3");
    must(sq->commit(w->conn, &err), &err);
    expect(w->user, "SELECT a FROM t", "3");
    for (size_t i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s%s", w->path, i == 0 ? "-wal" : "-shm");
        remove(name);
    }
}

/* ---- definitions ---- */

static void tables_that_cannot_be_covered_say_why(void **state)
{
    world *w = *state;
    run(w->user, "CREATE VIRTUAL TABLE f USING fts5(a);"
                 "CREATE TABLE h (rowid, oid, _rowid_); CREATE TABLE k (rowid, oid, _rowid_,"
                 " id TEXT NOT NULL UNIQUE)");
    assert_true(describe(w, "f")->uncovered);
    assert_true(describe(w, "f_content")->uncovered);
    assert_true(describe(w, "h")->uncovered);
    assert_non_null(strstr(describe(w, "h")->limits[0], "row number"));
    assert_false(describe(w, "k")->uncovered);
    run(w->user, "CREATE TABLE c (a TEXT, PRIMARY KEY (a COLLATE NOCASE)) WITHOUT ROWID");
    assert_non_null(strstr(describe(w, "c")->limits[0], "a collation that is not its column's"));
}

static void a_key_of_more_columns_than_can_be_put_in_order_is_none(void **state)
{
    world *w = *state;
    for (unsigned count = 64; count <= 65; count++) {
        BO_OWN_VALUE(bo_buf) columns = {0};
        BO_OWN_VALUE(bo_buf) sql = {0};
        for (unsigned i = 0; i < count; i++)
            bo_buf_printf(&columns, "%sc%u", i == 0 ? "" : ", ", i);
        bo_buf_printf(&sql,
            "CREATE TABLE r%u (%s, PRIMARY KEY (%s)); CREATE TABLE w%u (%s, PRIMARY KEY (%s))"
            " WITHOUT ROWID",
            count, bo_buf_str(&columns), bo_buf_str(&columns), count, bo_buf_str(&columns),
            bo_buf_str(&columns));
        run(w->user, bo_buf_str(&sql));
    }
    assert_non_null(describe(w, "r64")->row_key);
    assert_null(describe(w, "r65")->row_key);
    assert_false(describe(w, "r65")->keys[0].simple);
    assert_false(describe(w, "r65")->uncovered);
    assert_false(describe(w, "w64")->uncovered);
    assert_non_null(
        strstr(describe(w, "w65")->limits[0], "its primary key has more than 64 columns"));
}

static void a_table_with_an_unknown_collation_or_function_is_uncovered(void **state)
{
    world *w = *state;
    run(w->user, "CREATE TABLE c (a TEXT); CREATE INDEX i ON c (a)");
    run(w->user, "PRAGMA writable_schema = ON;"
                 "UPDATE sqlite_schema SET sql = 'CREATE TABLE c (a TEXT COLLATE german)'"
                 " WHERE name = 'c'; PRAGMA writable_schema = OFF");
    bo_conn_free(w->conn);
    w->conn = connect_to(w->path, false, false);
    const bo_table *table = describe(w, "c");
    assert_true(table->uncovered);
    assert_non_null(strstr(table->limits[0], "german"));
}

static void an_empty_name_is_a_name(void **state)
{
    world *w = *state;
    run(w->user, "CREATE TABLE \"\" (id INTEGER PRIMARY KEY)");
    assert_string_equal(describe(w, "\"\"")->name, "\"\"");
    assert_string_equal(describe(w, "main.\"\"")->local, "");
}

static void a_primary_key_may_or_may_not_be_the_row_number(void **state)
{
    world *w = *state;
    run(w->user, "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INT PRIMARY KEY);"
                 "CREATE TABLE c (id INTEGER PRIMARY KEY DESC);"
                 "CREATE TABLE d (id INT PRIMARY KEY) WITHOUT ROWID;"
                 "CREATE TABLE e (id INT PRIMARY KEY NOT NULL);"
                 "CREATE TABLE f (id INT PRIMARY KEY) STRICT");
    assert_non_null(describe(w, "a")->row_key);
    assert_non_null(describe(w, "b")->row_key);
    run(w->user, "INSERT INTO b VALUES (NULL), (NULL)"); /* allowed, and more than once */
    assert_null(describe(w, "b")->row_key);
    assert_non_null(describe(w, "c")->row_key);
    assert_non_null(describe(w, "d")->row_key);
    assert_true(describe(w, "d")->without_rowid);
    assert_non_null(describe(w, "e")->row_key);
    assert_true(describe(w, "f")->strict);
}

static void a_reference_is_read_whatever_its_spelling(void **state)
{
    world *w = *state;
    run(w->user, "CREATE TABLE Parent (Id INTEGER PRIMARY KEY);"
                 "CREATE TABLE c (a REFERENCES PARENT, b REFERENCES parent (ID))");
    const bo_table *child = describe(w, "C");
    const bo_table *parent = describe(w, "main.\"parent\"");
    assert_string_equal(child->local, "c");
    assert_int_equal(child->foreign_key_count, 2);
    assert_int_equal(parent->referenced_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(child->foreign_keys[i].parent, "Parent");
        assert_string_equal(child->foreign_keys[i].parent_columns[0], "Id");
    }
    run(w->user, "CREATE TABLE \"a\"\"b'c`d%_]\" (id INTEGER PRIMARY KEY); CREATE TABLE \"%_\" (id "
                 "PRIMARY KEY);"
                 "CREATE TABLE d (a REFERENCES 'a\"b''c`d%_]', b REFERENCES `a\"b'c``d%_]`, c "
                 "REFERENCES [%_])");
    assert_int_equal(describe(w, "\"a\"\"b'c`d%_]\"")->referenced_count, 2);
    assert_int_equal(describe(w, "\"%_\"")->referenced_count, 1);
}

/* ---- values ---- */

typedef struct literals {
    char text[1200];
} literals;

static bo_status keep_literal(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)count;
    (void)err;
    literals *self = ctx;
    snprintf(self->text, sizeof self->text, "%.*s", (int)values[0].size, values[0].data);
    return BO_OK;
}

static bo_status next_real(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    (void)err;
    bo_buf *image = ctx;
    *end_out = image->size == 0;
    *row_out = (bo_image){image->data, image->size};
    image->size = 0;
    return BO_OK;
}

static void a_literal_of_any_real_is_exact(void **state)
{
    world *w = *state;
    bo_error err = {0};
    rows read = {0};
    run(w->user, "CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID; INSERT INTO t VALUES (0.0)");
    const bo_table *table = describe(w, "t");
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 3000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        uint64_t bits = i == 0   ? 1
                        : i == 1 ? 0x7fefffffffffffffu
                        : i == 2 ? 0x000fffffffffffffu
                                 : random;
        if ((bits >> 52 & 0x7ff) == 0x7ff)
            continue;
        uint8_t value[9] = {BO_SQLITE_REAL};
        bo_put_u64(value + 1, bits);
        BO_OWN_VALUE(bo_buf) image = {0};
        bo_image_begin(&image, 1);
        bo_image_add(&image, value, sizeof value);
        BO_OWN_VALUE(bo_buf) expected = {0};
        bo_buf_add(&expected, image.data, image.size);
        literals text = {{0}};
        must(sq->render(
                 w->conn, table, BO_RENDER_LITERAL, next_real, &image, keep_literal, &text, &err),
            &err);
        BO_OWN_VALUE(bo_buf) sql = {0};
        bo_buf_printf(&sql, "UPDATE t SET a = %s", text.text);
        run(w->user, bo_buf_str(&sql));
        must(sq->scan(w->conn, &(bo_scan){.table = table}, keep_image, &read, &err), &err);
        if (read.bytes[0].size != expected.size ||
            memcmp(read.bytes[0].data, expected.data, expected.size) != 0)
            fail_msg("%s is not the same number again", text.text);
        rows_done(&read);
    }
}

static void a_value_that_is_not_sqlites_is_refused(void **state)
{
    world *w = *state;
    run(w->user, "CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID");
    const bo_table *table = describe(w, "t");
    static const uint8_t bad[][3] = {{0, 0, 0}, {9, 0, 0}, {BO_SQLITE_INTEGER, 0, 0}};
    for (size_t i = 0; i < 3; i++) {
        bo_error err = {0};
        uint64_t count = 0;
        BO_OWN_VALUE(bo_buf) image = {0};
        bo_image_begin(&image, 1);
        bo_image_add(&image, bad[i], 3);
        assert_int_equal(
            sq->load(w->conn, table, table, next_real, &image, &count, &err), BO_CORRUPT);
    }
    expect(w->user, "SELECT count(*) FROM t", "0");
}

static void a_utf16_database_says_what_it_loses(void **state)
{
    world *w = *state;
    char path[80];
    snprintf(path, sizeof path, "%s/u.db", w->folder);
    bo_conn *user = connect_to(path, true, true);
    run(user,
        "PRAGMA encoding = 'UTF-16'; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('\xc3\xa9')");
    bo_conn *conn = connect_to(path, false, false);
    bo_error err = {0};
    const bo_table *table = NULL;
    must(sq->describe(conn, "t", w->arena, &table, &err), &err);
    assert_int_equal(table->limit_count, 1);
    assert_false(table->uncovered);
    bo_conn_free(conn);
    bo_conn_free(user);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_is_absent_is_made_only_when_asked_to),
        TEST(a_file_that_is_no_database_is_corrupt),
        TEST(urls_name_the_file_in_each_form),
        TEST(a_database_opened_read_only_is_not_written_to),
        TEST(our_connections_are_pinned_and_a_users_is_not),
        TEST(a_name_may_have_a_question_mark),
        TEST(a_name_that_sqlite_reads_otherwise_is_one_of_a_file),
        TEST(a_copy_put_in_its_place_is_the_same_database),
        TEST(nothing_is_committed_to_a_file_that_has_lost_its_name),
        TEST(tables_that_cannot_be_covered_say_why),
        TEST(a_key_of_more_columns_than_can_be_put_in_order_is_none),
        TEST(a_table_with_an_unknown_collation_or_function_is_uncovered),
        TEST(an_empty_name_is_a_name),
        TEST(a_primary_key_may_or_may_not_be_the_row_number),
        TEST(a_reference_is_read_whatever_its_spelling),
        TEST(a_literal_of_any_real_is_exact),
        TEST(a_value_that_is_not_sqlites_is_refused),
        TEST(a_utf16_database_says_what_it_loses),
    };
    return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
