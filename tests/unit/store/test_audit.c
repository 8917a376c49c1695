/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/store/test_audit.c - the audit log: every tampering that the design says is found. */
#include "world.h"

#include <signal.h>
#include <sodium.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"

static void append(world *w, const char *event, const char *object)
{
    json_t *details = json_pack("{s:s, s:[i, i], s:f}", "z", "\xc3\xa4", "a", 1, 2, "r", 0.5);
    bo_error err = {0};
    bo_status st = bo_audit_append(w->catalog, event, "me@host[1]", object, "done", details, &err);
    json_decref(details);
    assert_string_equal(err.text, "");
    assert_int_equal(st, BO_OK);
}

static bo_audit_check verify(world *w)
{
    bo_audit_check check;
    assert_int_equal(bo_audit_verify(w->catalog, &check, NULL), BO_OK);
    return check;
}

static void assert_broken(world *w, uint64_t at, const char *reason)
{
    bo_audit_check check = verify(w);
    assert_false(check.whole);
    assert_int_equal(check.broken_at, at);
    assert_non_null(strstr(check.reason, reason));
}

static void four_records(world *w)
{
    append(w, "point.create", "rb_a");
    append(w, "rollback.execute", "rb_a");
    append(w, "point.prune", "rb_a");
    append(w, "point.create", "rb_b");
}

static void the_hash_is_made_of_the_bytes_the_design_names(void **state)
{
    world *w = *state;
    bo_clock_pin(INT64_C(1795148259000000));
    append(w, "point.create", "rb_a");
    bo_clock_pin(0);

    static const char input[] = "\0\0\0\x01"
                                "1"
                                "\0\0\0\x10"
                                "1795148259000000"
                                "\0\0\0\x0c"
                                "point.create"
                                "\0\0\0\x0a"
                                "me@host[1]"
                                "\0\0\0\x04"
                                "rb_a"
                                "\0\0\0\x04"
                                "done"
                                "\0\0\0\x20"
                                "{\"a\":[1,2],\"r\":0.5,\"z\":\"\\u00E4\"}";
    uint8_t bytes[32 + sizeof input - 1] = {0};
    uint8_t hash[32];
    char hex[65];
    memcpy(bytes + 32, input, sizeof input - 1);
    assert_int_equal(crypto_generichash(hash, sizeof hash, bytes, sizeof bytes, NULL, 0), 0);
    (void)sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);

    bo_audit_record *records = NULL;
    size_t count = 0;
    assert_int_equal(bo_audit_list(w->catalog, 0, w->arena, &records, &count, NULL), BO_OK);
    assert_int_equal(count, 1);
    assert_string_equal(records[0].hash, hex);
    assert_string_equal(verify(w).head, hex);
}

static void an_empty_and_a_growing_log_are_whole(void **state)
{
    world *w = *state;
    bo_audit_check check = verify(w);
    assert_true(check.whole);
    assert_int_equal(check.records, 0);
    assert_string_equal(check.head, "");
    four_records(w);
    check = verify(w);
    assert_true(check.whole);
    assert_int_equal(check.records, 4);
    assert_int_equal(check.broken_at, 0);

    bo_audit_record *records = NULL;
    size_t count = 0;
    assert_int_equal(bo_audit_list(w->catalog, 3, w->arena, &records, &count, NULL), BO_OK);
    assert_int_equal(count, 3);
    assert_int_equal(records[0].sequence, 4);
    assert_string_equal(records[0].hash, check.head);
    assert_string_equal(records[0].previous, records[1].hash);
    assert_string_equal(records[2].event, "rollback.execute");
}

static void more_records_than_a_page_are_one_chain(void **state)
{
    world *w = *state;
    assert_int_equal(bo_catalog_begin(w->catalog, NULL), BO_OK);
    for (int i = 0; i < 2345; i++)
        append(w, "test", "x");
    assert_int_equal(bo_catalog_end(w->catalog, true, NULL), BO_OK);
    bo_audit_check check = verify(w);
    assert_true(check.whole);
    assert_int_equal(check.records, 2345);
    world_sql(w, "UPDATE backout_audit SET object = 'y' WHERE sequence = 2001");
    assert_broken(w, 2001, "not as it was written");
}

/* One character of one column of one record becomes another; or goes; or one is added. */
static void try_mutation(world *w, const char *column, int sequence, size_t at, const char *with)
{
    char sql[400];
    world_sql(w, "SAVEPOINT mutation");
    (void)snprintf(sql, sizeof sql,
        "UPDATE backout_audit SET %s = substr(%s, 1, %zu) || %s || substr(%s, %zu)"
        " WHERE sequence = %d",
        column, column, at, with, column, at + 2, sequence);
    world_sql(w, sql);
    bo_audit_check check = verify(w);
    if (check.whole)
        fail_msg("%s: byte %zu as %s is not seen", column, at, with);
    assert_in_range(check.broken_at, 1, 4);
    world_sql(w, "ROLLBACK TO mutation; RELEASE mutation");
}

static void every_changed_byte_of_every_column_is_seen(void **state)
{
    world *w = *state;
    four_records(w);
    bo_audit_record *records = NULL;
    size_t count = 0;
    assert_int_equal(bo_audit_list(w->catalog, 0, w->arena, &records, &count, NULL), BO_OK);
    assert_int_equal(bo_catalog_begin(w->catalog, NULL), BO_OK);
    for (size_t i = 0; i < count; i++) {
        const bo_audit_record *record = &records[i];
        const struct {
            const char *name;
            size_t size;
        } columns[] = {
            {"sequence", 1},
            {"time_us", 16},
            {"event", strlen(record->event)},
            {"actor", strlen(record->actor)},
            {"object", strlen(record->object)},
            {"outcome", strlen(record->outcome)},
            {"details", strlen(record->details)},
            {"previous", 64},
            {"hash", 64},
        };
        static const char *const with[] = {"'~'", "'~~'", "''", "' '"};
        /* PostgreSQL lets nothing but numbers into the first two */
        for (size_t c = world_is_postgres() ? 2 : 0; c < sizeof columns / sizeof *columns; c++)
            for (size_t at = 0; at < columns[c].size; at++)
                for (size_t m = 0; m < sizeof with / sizeof *with; m++)
                    try_mutation(w, columns[c].name, (int)record->sequence, at, with[m]);
    }
    assert_true(verify(w).whole);
    assert_int_equal(bo_catalog_end(w->catalog, false, NULL), BO_OK);
}

static void an_edited_record_is_named(void **state)
{
    world *w = *state;
    four_records(w);
    world_sql(w, "UPDATE backout_audit SET outcome = 'refused' WHERE sequence = 2");
    assert_broken(w, 2, "record 2 is not as it was written");
}

static void a_missing_record_is_named(void **state)
{
    world *w = *state;
    four_records(w);
    world_sql(w, "DELETE FROM backout_audit WHERE sequence = 3");
    assert_broken(w, 3, "record 3 is missing");
}

static void a_renumbered_gap_and_a_swap_are_seen(void **state)
{
    world *w = *state;
    four_records(w);
    world_sql(w, "DELETE FROM backout_audit WHERE sequence = 3;"
                 "UPDATE backout_audit SET sequence = 3 WHERE sequence = 4");
    assert_broken(w, 3, "record 3 does not follow");
}

static void two_records_that_changed_places_are_seen(void **state)
{
    world *w = *state;
    four_records(w);
    world_sql(w, "UPDATE backout_audit SET sequence = 9 WHERE sequence = 2;"
                 "UPDATE backout_audit SET sequence = 2 WHERE sequence = 3;"
                 "UPDATE backout_audit SET sequence = 3 WHERE sequence = 9");
    assert_broken(w, 2, "record 2");
}

static void a_cut_tail_is_seen(void **state)
{
    world *w = *state;
    four_records(w);
    world_sql(w, "DELETE FROM backout_audit WHERE sequence >= 3");
    assert_broken(w, 3, "4 records were written, 2 are there");
    append(w, "later", "x"); /* does not heal it */
    assert_broken(w, 3, "record 3 is missing");
}

static void an_emptied_log_is_seen(void **state)
{
    world *w = *state;
    four_records(w);
    world_sql(w, "DELETE FROM backout_audit");
    assert_broken(w, 1, "4 records were written, 0 are there");
}

static void a_record_that_nobody_wrote_is_seen(void **state)
{
    world *w = *state;
    four_records(w);
    world_sql(w, "INSERT INTO backout_audit SELECT -1, time_us, event, actor, object, outcome,"
                 " details, previous, hash FROM backout_audit WHERE sequence = 1");
    assert_broken(w, 5, "there are 5 records, but 4 were written");
}

static void a_head_that_was_changed_or_removed_is_seen_and_nothing_is_appended(void **state)
{
    world *w = *state;
    four_records(w);
    static const char *const changes[] = {
        "UPDATE backout_meta SET value = ' ' || value WHERE key = 'audit_head'",
        "UPDATE backout_meta SET value = '4 ' WHERE key = 'audit_head'",
        "UPDATE backout_meta SET value = '' WHERE key = 'audit_head'",
        "DELETE FROM backout_meta WHERE key = 'audit_head'",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        world_sql(w, changes[i]);
        assert_broken(w, 4, "head");
        assert_int_equal(
            bo_audit_append(w->catalog, "a", "b", "c", "done", NULL, NULL), BO_CORRUPT);
    }
}

static void a_last_record_that_was_forged_with_its_hash_is_seen(void **state)
{
    world *w = *state;
    four_records(w);
    world_sql(w, "INSERT INTO backout_meta (key, value) SELECT 'kept', value FROM backout_meta"
                 " WHERE key = 'audit_head';"
                 "DELETE FROM backout_audit WHERE sequence = 4;"
                 "UPDATE backout_meta SET value = '3 ' || (SELECT hash FROM backout_audit"
                 " WHERE sequence = 3) WHERE key = 'audit_head'");
    append(w, "forged", "x");
    assert_true(verify(w).whole); /* nobody could tell, without a head kept elsewhere */
    world_sql(w, "UPDATE backout_meta SET value = (SELECT kept.value FROM backout_meta kept"
                 " WHERE kept.key = 'kept') WHERE key = 'audit_head'");
    assert_broken(w, 4, "record 4 is not the one that was written last");
}

static void two_processes_append_to_one_unbroken_chain(void **state)
{
    world *w = *state;
    enum { EACH = 200, PROCESSES = 2 };
    pid_t children[PROCESSES];
    world_close(w);
    for (int i = 0; i < PROCESSES; i++) {
        (void)fflush(NULL);
        children[i] = fork();
        if (children[i] == 0) {
            bo_catalog *own = NULL;
            bo_error err = {0};
            bo_status st = bo_catalog_open(w->url, NULL, 0, &own, &err);
            for (int n = 0; n < EACH && st == BO_OK; n++)
                st = bo_audit_append(own, "test", i ? "a" : "b", "x", "done", NULL, &err);
            if (st != BO_OK)
                (void)fprintf(stderr, "%s\n", err.text);
            bo_catalog_free(own);
            _exit(st != BO_OK);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = 1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    w->catalog = world_open(w);
    bo_audit_check check = verify(w);
    assert_string_equal(check.reason, "");
    assert_true(check.whole);
    assert_int_equal(check.records, EACH * PROCESSES);
}

static void a_process_that_is_killed_while_appending_leaves_a_whole_chain(void **state)
{
    world *w = *state;
    uint64_t before = 0;
    for (int round = 0; round < 10; round++) {
        world_close(w);
        (void)fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            bo_catalog *own = NULL;
            bo_status st = bo_catalog_open(w->url, NULL, 0, &own, NULL);
            while (st == BO_OK)
                st = bo_audit_append(own, "test", "a", "x", "done", NULL, NULL);
            _exit(1);
        }
        (void)usleep(20000 + 3000u * (unsigned)round);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);

        w->catalog = world_open(w);
        append(w, "test", "x");
        bo_audit_check check = verify(w);
        assert_string_equal(check.reason, "");
        assert_true(check.records > before);
        before = check.records;
    }
}

static void hostile_text_is_escaped_and_exported(void **state)
{
    world *w = *state;
    append(w, "test", "a\x1b[31m\xff\n'\"\\");
    bo_audit_record *records = NULL;
    size_t count = 0;
    assert_int_equal(bo_audit_list(w->catalog, 0, w->arena, &records, &count, NULL), BO_OK);
    assert_null(strchr(records[0].object, '\x1b'));
    assert_true(verify(w).whole);
}

/* ---- files ---- */

static void export_to(world *w, char path[160])
{
    bo_error err = {0};
    (void)snprintf(path, 160, "%s/rollback_audit.json", w->folder);
    assert_int_equal(bo_audit_export(w->catalog, path, true, &err), BO_OK);
}

static void an_export_is_private_and_verifies_offline(void **state)
{
    world *w = *state;
    char path[160];
    struct stat about;
    bo_audit_check check;
    export_to(w, path);
    assert_int_equal(bo_audit_verify_file(path, &check, NULL), BO_OK);
    assert_true(check.whole);
    assert_int_equal(check.records, 0);

    four_records(w);
    append(w, "test", "a\x1b[31m\xff\n'\"\\");
    export_to(w, path);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    bo_error err = {0};
    assert_int_equal(bo_audit_verify_file(path, &check, &err), BO_OK);
    assert_string_equal(check.reason, "");
    assert_true(check.whole);
    assert_int_equal(check.records, 5);
    assert_string_equal(check.head, verify(w).head);
}

/* Thousands of them: none has to be durable. */
static void write_fast(const char *path, const bo_buf *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->size, file), text->size);
    assert_int_equal(fclose(file), 0);
}

/* Every character but blanks between the values says something. */
static void every_changed_byte_of_an_export_is_seen(void **state)
{
    world *w = *state;
    char path[160];
    char changed[170];
    append(w, "point.create", "rb_a");
    append(w, "point.prune", "rb_a");
    export_to(w, path);
    (void)snprintf(changed, sizeof changed, "%s.x", path);
    BO_OWN_VALUE(bo_buf) text = {0};
    assert_int_equal(bo_file_slurp(path, 1 << 20, &text, NULL), BO_OK);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t was = text.data[i];
        static const uint8_t with[] = {'~', ' ', '0', 'A', '"', 0};
        for (size_t m = 0; m < sizeof with; m++) {
            if (with[m] == was || (was == '\n' && with[m] == ' '))
                continue;
            text.data[i] = with[m];
            write_fast(changed, &text);
            bo_audit_check check;
            if (bo_audit_verify_file(changed, &check, NULL) == BO_OK && check.whole)
                fail_msg("byte %zu of the file as %d is not seen", i, with[m]);
        }
        text.data[i] = was;
    }
}

static void an_edited_record_is_exported_as_it_is_and_found_in_the_file(void **state)
{
    world *w = *state;
    char path[160];
    bo_audit_check check;
    static const char *const details[] = {"{}", "{\"a\":1,\"a\":2}", "{ }", "not JSON", ""};
    for (size_t i = 0; i < sizeof details / sizeof *details; i++) {
        char sql[160];
        append(w, "test", "x");
        (void)snprintf(sql, sizeof sql,
            "UPDATE backout_audit SET details = '%s' WHERE sequence = 1", details[i]);
        world_sql(w, sql);
        export_to(w, path);
        assert_int_equal(bo_audit_verify_file(path, &check, NULL), BO_OK);
        assert_false(check.whole);
        assert_int_equal(check.broken_at, 1);
    }
}

/* `text` comes before the first field of the first record. */
static bo_status verify_with(world *w, const char *text, bo_audit_check *out)
{
    char path[160];
    BO_OWN_VALUE(bo_buf) whole = {0};
    BO_OWN_VALUE(bo_buf) forged = {0};
    export_to(w, path);
    assert_int_equal(bo_file_slurp(path, 1u << 20, &whole, NULL), BO_OK);
    const size_t at =
        (size_t)(strchr((const char *)whole.data, '{') - (const char *)whole.data) + 1;
    bo_buf_add(&forged, whole.data, at);
    bo_buf_add_str(&forged, text);
    bo_buf_add(&forged, whole.data + at, whole.size - at);
    assert_int_equal(bo_file_write(path, forged.data, forged.size, true, NULL), BO_OK);
    return bo_audit_verify_file(path, out, NULL);
}

/* Who reads the file would believe it. */
static void a_field_that_nobody_wrote_is_seen_in_an_export(void **state)
{
    world *w = *state;
    bo_audit_check check = {0};
    four_records(w);
    assert_int_equal(verify_with(w, "", &check), BO_OK);
    assert_true(check.whole);
    assert_int_equal(verify_with(w, "\"approved\": \"yes\", ", &check), BO_OK);
    assert_false(check.whole);
    assert_int_equal(check.broken_at, 1);
    assert_int_equal(verify_with(w, "\"actor\": \"another\", ", &check), BO_CORRUPT);
}

static void a_file_that_is_no_export_is_refused(void **state)
{
    world *w = *state;
    char path[160];
    bo_audit_check check;
    (void)snprintf(path, sizeof path, "%s/file", w->folder);
    assert_int_equal(bo_audit_verify_file(path, &check, NULL), BO_NOTFOUND);
    static const char *const texts[] = {"", "{}", "[", "[1,", "null"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(bo_file_write(path, texts[i], strlen(texts[i]), true, NULL), BO_OK);
        assert_int_equal(bo_audit_verify_file(path, &check, NULL), BO_CORRUPT);
    }
    assert_int_equal(bo_file_write(path, "[1]", 3, true, NULL), BO_OK);
    assert_int_equal(bo_audit_verify_file(path, &check, NULL), BO_OK);
    assert_false(check.whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(the_hash_is_made_of_the_bytes_the_design_names),
        WORLD_TEST(an_empty_and_a_growing_log_are_whole),
        WORLD_TEST(more_records_than_a_page_are_one_chain),
        WORLD_TEST(every_changed_byte_of_every_column_is_seen),
        WORLD_TEST(an_edited_record_is_named),
        WORLD_TEST(a_missing_record_is_named),
        WORLD_TEST(a_renumbered_gap_and_a_swap_are_seen),
        WORLD_TEST(two_records_that_changed_places_are_seen),
        WORLD_TEST(a_cut_tail_is_seen),
        WORLD_TEST(an_emptied_log_is_seen),
        WORLD_TEST(a_record_that_nobody_wrote_is_seen),
        WORLD_TEST(a_head_that_was_changed_or_removed_is_seen_and_nothing_is_appended),
        WORLD_TEST(a_last_record_that_was_forged_with_its_hash_is_seen),
        WORLD_TEST(two_processes_append_to_one_unbroken_chain),
        WORLD_TEST(a_process_that_is_killed_while_appending_leaves_a_whole_chain),
        WORLD_TEST(hostile_text_is_escaped_and_exported),
        WORLD_TEST(an_export_is_private_and_verifies_offline),
        WORLD_TEST(every_changed_byte_of_an_export_is_seen),
        WORLD_TEST(an_edited_record_is_exported_as_it_is_and_found_in_the_file),
        WORLD_TEST(a_field_that_nobody_wrote_is_seen_in_an_export),
        WORLD_TEST(a_file_that_is_no_export_is_refused),
    };
    return WORLD_RUN(tests);
}
