/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_damaged.c - what a point whose files are damaged, lost or exchanged still
 * gives, and that no row is written from what was not checked. */
#include "world.h"

#include "backout/export.h"
#include "change/content.h"

/** Turns over a byte in the last frame of a table. */
static void damage_table(world *w, const char *id, const char *table)
{
    const char *name = bo_arena_printf(w->arena, "%s.snapshot", id);
    bo_error err = {0};
    BO_OWN(bo_content) *content = NULL;
    world_ok(bo_content_open(w->session, name, NULL, &content, &err), &err);
    const uint32_t part = (uint32_t)bo_content_find(content, table);
    const bo_frame *last = NULL;
    for (uint32_t i = 0; i < bo_pack_frame_count(content->pack); i++)
        if (bo_pack_get_frame(content->pack, i)->table == part)
            last = bo_pack_get_frame(content->pack, i);
    assert_non_null(last);
    world_damage(w, name, (long)(last->offset + last->stored_size / 2));
}

static void assert_damage(const bo_error *err, const char *id, const char *table)
{
    char said[200];
    (void)snprintf(
        said, sizeof said, "cannot use '%s.snapshot'\ncannot read table '%s'\n", id, table);
    if (!strstr(err->text, said))
        print_message("# %s\n", err->text);
    assert_non_null(strstr(err->text, said));
    assert_non_null(strstr(err->text, "checksum does not match"));
}

static bo_status restore(
    world *w, const char *id, const char *const *tables, size_t count, bool dry_run, bo_error *err)
{
    bo_rollback *done = NULL;
    bo_status st = bo_restore(w->session, &w->database, id, tables, count, dry_run, &done, err);
    bo_rollback_free(done);
    return st;
}

static void a_table_is_restored_whatever_became_of_others(void **state)
{
    world *w = world_or_skip(state);
    static const char *const whole[] = {"log"}, *const both[] = {"log", "orders"};
    const char *id = world_point(w, NULL);
    bo_error err = {0};
    world_sql(w, "DELETE FROM log");
    damage_table(w, id, "orders");
    assert_int_equal(restore(w, id, NULL, 0, false, &err), BO_CORRUPT);
    assert_damage(&err, id, "orders");
    assert_int_equal(restore(w, id, both, 2, false, &err), BO_CORRUPT);
    assert_damage(&err, id, "orders");
    assert_int_equal(restore(w, id, both, 2, true, &err), BO_CORRUPT);
    world_ok(restore(w, id, whole, 1, true, &err), &err);
    world_ok(restore(w, id, whole, 1, false, &err), &err);
    assert_string_equal(world_value(w, "SELECT count(*) FROM log"), "2");
}

/* ---- rows that go into a table as they are read ---- */

static bo_driver spied;
static const bo_driver *real;
static unsigned loads;

static bo_status load(bo_conn *conn, const bo_table *was, const bo_table *now, bo_next_fn *next,
    void *ctx, uint64_t *rows_out, bo_error *err)
{
    loads++;
    return real->load(conn, was, now, next, ctx, rows_out, err);
}

static bo_conn *spy(bo_conn *conn)
{
    if (conn->driver != &spied)
        real = conn->driver;
    spied = *real;
    spied.load = load;
    conn->driver = &spied;
    return conn;
}

static const char *big_point(world *w)
{
    static const char *const rows[] = {
        [WORLD_SQLITE] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                         "60000) INSERT INTO big SELECT i, hex(randomblob(32)) FROM n",
        [WORLD_POSTGRES] = "INSERT INTO big SELECT i, md5(random()::text) || md5(random()::text)"
                           " FROM generate_series(1, 60000) i",
        [WORLD_MARIADB] = "INSERT INTO big SELECT seq, sha2(rand(), 256) FROM seq_1_to_60000",
    };
    world_sql(w, "CREATE TABLE big (id INTEGER PRIMARY KEY, v TEXT)");
    world_sql(w, rows[w->engine]);
    return world_point(w, "big");
}

static void assert_nothing_loaded(world *w, const char *id)
{
    const bo_rollback_options full = {.type = BO_ROLLBACK_FULL};
    bo_rollback *done = NULL;
    bo_error err = {0};
    world_seal(w, id);
    damage_table(w, id, "big");
    loads = 0;
    bo_driver_wrap = spy;
    bo_status st = bo_rollback_execute(w->session, &w->database, id, &full, &done, &err);
    bo_driver_wrap = NULL;
    bo_rollback_free(done);
    assert_int_equal(st, BO_CORRUPT);
    assert_damage(&err, id, "big");
    assert_int_equal(loads, 0);
}

static void an_emptied_table_gets_no_row_of_a_damaged_file(void **state)
{
    world *w = world_or_skip(state);
    const char *id = big_point(w);
    world_sql(w, "DELETE FROM big");
    assert_nothing_loaded(w, id);
}

static void a_dropped_table_gets_no_row_of_a_damaged_file(void **state)
{
    world *w = world_or_skip(state);
    const char *id = big_point(w);
    world_sql(w, "DROP TABLE big");
    assert_nothing_loaded(w, id);
}

/* So big that it is filled out of sight, while its frames are checked. */
static void a_big_table_that_is_gone_comes_back_whole_or_not_at_all(void **state)
{
    world *w = world_or_skip(state);
    world_sql(w, "CREATE TABLE big AS SELECT i AS id, md5(i::text) AS v"
                 " FROM generate_series(1, 250000) i");
    const char *id = world_point(w, NULL);
    world_sql(w, "DROP TABLE big; DELETE FROM orders");
    damage_table(w, id, "big");
    bo_error err = {0};
    assert_int_equal(restore(w, id, NULL, 0, false, &err), BO_CORRUPT);
    assert_damage(&err, id, "big");
    assert_string_equal(world_value(w, "SELECT count(*) FROM pg_class WHERE relname = 'big' OR"
                                       " relnamespace = to_regnamespace('backout')"),
        "0");
    assert_string_equal(world_value(w, "SELECT count(*) FROM orders"), "0");
}

/* ---- what a rollback gave up ---- */

/** Rolls back what was done to the order, gives up what others then wrote; the undo point. */
static const char *give_up(world *w, const char *order)
{
    const char *id = world_change(
        w, "orders", bo_arena_printf(w->arena, "DELETE FROM orders WHERE id = %s", order));
    world_sql(w, bo_arena_printf(w->arena, "INSERT INTO orders VALUES (%s, 2, 7)", order));
    return world_roll_back(w, id, BO_ROLLBACK_FULL);
}

static bo_status export_lost(world *w, const char *id, bo_error *err)
{
    return bo_export(
        w->session, &w->database, id, BO_EXPORT_JSONL, BO_EXPORT_LOST, world_swallow, NULL, err);
}

static void assert_check(world *w, const char *id, bo_status expected, const char *problem)
{
    bo_check *check = NULL;
    bo_error err = {0};
    assert_int_equal(bo_check_stored(w->session, NULL, id, false, &check, &err), expected);
    bool said = !problem[0];
    for (size_t i = 0; i < check->item_count; i++)
        said = said || strstr(check->items[i].problem, problem);
    assert_true(said);
    bo_check_free(check);
}

static void what_was_given_up_is_known_by_its_own_file(void **state)
{
    world *w = world_or_skip(state);
    static const char other[] = "the file is not the one that was written for this point";
    const char *first = give_up(w, "10"), *second = give_up(w, "11");
    const char *mine = bo_arena_printf(w->arena, "%s.lost.change", first);
    const char *theirs = bo_arena_printf(w->arena, "%s.lost.change", second);
    bo_error err = {0};
    world_ok(export_lost(w, first, &err), &err);
    assert_check(w, NULL, BO_OK, "");
    assert_int_equal(rename(world_path(w, theirs), world_path(w, mine)), 0);
    assert_int_equal(export_lost(w, first, &err), BO_CORRUPT);
    assert_non_null(strstr(err.text, mine));
    assert_non_null(strstr(err.text, other));
    assert_int_equal(export_lost(w, second, &err), BO_NOTFOUND);
    assert_non_null(strstr(err.text, theirs));
    assert_check(w, NULL, BO_MISMATCH, other);
    assert_check(w, first, BO_MISMATCH, other);
    assert_check(w, second, BO_MISMATCH, "nothing of it can be restored");
}

/* ---- what can be read of a damaged table ---- */

static bo_status count_lines(void *ctx, const char *text, size_t size, bo_error *err)
{
    (void)err;
    for (size_t i = 0; i < size; i++)
        *(unsigned *)ctx += text[i] == '\n';
    return BO_OK;
}

static unsigned export_rows(
    world *w, const char *id, bo_export_format format, bo_export_which which, bo_error *err)
{
    unsigned lines = 0;
    *err = (bo_error){0};
    (void)!bo_export(w->session, &w->database, id, format, which, count_lines, &lines, err);
    return lines;
}

static void the_rows_that_can_be_read_are_exported_and_the_others_counted(void **state)
{
    world *w = world_or_skip(state);
    const char *id = big_point(w);
    bo_error err = {0};
    assert_int_equal(export_rows(w, id, BO_EXPORT_JSONL, BO_EXPORT_READABLE, &err), 60000);
    assert_int_equal(err.status, BO_OK);
    damage_table(w, id, "big");
    (void)export_rows(w, id, BO_EXPORT_JSONL, BO_EXPORT_BEFORE, &err);
    assert_int_equal(err.status, BO_CORRUPT);
    const unsigned left = export_rows(w, id, BO_EXPORT_JSONL, BO_EXPORT_READABLE, &err);
    assert_int_equal(err.status, BO_MISMATCH);
    assert_true(left > 20000 && left < 60000);
    const char *said = bo_arena_printf(w->arena,
        "rows of '%s' are missing: they cannot be read\ntable 'big': %u of 60000 rows\n", id,
        60000 - left);
    assert_memory_equal(err.text, said, strlen(said));
    assert_damage(&err, id, "big");
    assert_int_equal(export_rows(w, id, BO_EXPORT_CSV, BO_EXPORT_READABLE, &err), left + 1);
    assert_int_equal(err.status, BO_MISMATCH);
    assert_true(export_rows(w, id, BO_EXPORT_SQL, BO_EXPORT_READABLE, &err) > left);
    assert_int_equal(err.status, BO_MISMATCH);
}

/* ---- a key tells who wrote a file only if the file is encrypted ---- */

static void a_file_in_clear_is_told_where_files_are_encrypted(void **state)
{
    world *w = *state;
    bo_error err = {0};
    const char *file =
        world_path(w, bo_arena_printf(w->arena, "%s.snapshot", world_point(w, NULL)));
    world_ok(restore(w, file, NULL, 0, false, &err), &err);
    assert_string_equal(bo_buf_str(&w->warnings), "");
    w->settings.passphrase = "correct horse";
    world_reopen(w);
    const char *sealed =
        world_path(w, bo_arena_printf(w->arena, "%s.snapshot", world_point(w, NULL)));
    world_ok(restore(w, sealed, NULL, 0, false, &err), &err);
    assert_string_equal(bo_buf_str(&w->warnings), "");
    world_ok(restore(w, file, NULL, 0, false, &err), &err);
    assert_non_null(strstr(bo_buf_str(&w->warnings), "is not encrypted"));
}

/* ---- rows that are too large ---- */

/* The bytes are not there: they must not be touched. */
static void a_row_that_is_too_large_for_a_changeset_is_told_by_its_table(void **state)
{
    world *w = *state;
    static const uint8_t byte;
    const bo_image half = {&byte, BO_FRAME_MAX / 2};
    const bo_identity nowhere = {.engine = "", .database = "", .server = ""};
    const char *id = world_point(w, NULL);
    bo_error err = {0};
    BO_OWN(bo_content) *content = NULL;
    BO_OWN(bo_draft) *draft = NULL;
    world_ok(bo_content_open(
                 w->session, bo_arena_printf(w->arena, "%s.snapshot", id), NULL, &content, &err),
        &err);
    world_ok(bo_draft_create(w->session, BO_PACK_CHANGESET, "large.change", id, &nowhere,
                 content->parts, content->part_count, &draft, &err),
        &err);
    const uint32_t orders = (uint32_t)bo_content_find(content, "orders");
    assert_int_equal(bo_draft_change(draft, orders, half, half, &err), BO_UNSUPPORTED);
    assert_string_equal(err.text, "cannot write down a change of table 'orders'\n"
                                  "a row before and after is larger than 1024 MiB together");
}

#define EACH(name) WORLD_TEST(name), WORLD_TEST_POSTGRES(name), WORLD_TEST_MARIADB(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_table_is_restored_whatever_became_of_others),
        EACH(an_emptied_table_gets_no_row_of_a_damaged_file),
        WORLD_TEST(a_dropped_table_gets_no_row_of_a_damaged_file),
        WORLD_TEST_POSTGRES(a_dropped_table_gets_no_row_of_a_damaged_file),
        WORLD_TEST_POSTGRES(a_big_table_that_is_gone_comes_back_whole_or_not_at_all),
        EACH(what_was_given_up_is_known_by_its_own_file),
        EACH(the_rows_that_can_be_read_are_exported_and_the_others_counted),
        WORLD_TEST(a_file_in_clear_is_told_where_files_are_encrypted),
        WORLD_TEST(a_row_that_is_too_large_for_a_changeset_is_told_by_its_table),
    };
    return cmocka_run_group_tests_name("damaged", tests, NULL, NULL);
}
