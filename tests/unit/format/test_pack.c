/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/format/test_pack.c - what is written is read; zstd, threads, keys, huge rows. */
#include <pthread.h>
#include <zstd.h>

#include "support/unit.h"
#include "world.h"

static const bo_pack_key no_key = {.kind = BO_KEY_NONE};
static const bo_pack_key passphrase = {.kind = BO_KEY_PASSPHRASE, .passphrase = "open sesame"};
static const bo_pack_key other_passphrase = {.kind = BO_KEY_PASSPHRASE, .passphrase = "sesam"};
static const bo_pack_key key_bytes = {.kind = BO_KEY_BYTES, .bytes = {1, 2, 3}};
static const bo_pack_key other_bytes = {.kind = BO_KEY_BYTES, .bytes = {1, 2, 4}};

static void assert_ok(bo_status st, const bo_error *err)
{
    assert_string_equal(err->text, "");
    assert_int_equal(st, BO_OK);
}

static void assert_row(bo_image row, uint32_t i)
{
    BO_OWN_VALUE(bo_buf) expected = {0};
    assert_true(bo_image_equal(row, world_row(&expected, i)));
}

static void assert_described(const bo_pack *pack)
{
    assert_string_equal(json_string_value(json_object_get(bo_pack_meta(pack), "point")), "rb_x");
    assert_int_equal(json_integer_value(json_object_get(bo_pack_tail(pack), "rows")), 20);
    assert_int_equal(bo_pack_frame_count(pack), WORLD_FRAMES);
    assert_int_equal(bo_pack_range_count(pack), 2);
    assert_int_equal(bo_pack_get_range(pack, 1)->table, 1);
    assert_int_equal(bo_pack_get_range(pack, 1)->id.size, 6);
    assert_memory_equal(bo_pack_get_range(pack, 1)->id.data, "second", 6);
}

static void read_snapshot(const bo_pack_key *key)
{
    BO_OWN_VALUE(bo_buf) file = {0};
    BO_OWN(bo_pack) *pack = NULL;
    BO_OWN(bo_frame_reader) *reader = NULL;
    bo_error err = {0};
    assert_ok(world_pack(&file, BO_PACK_SNAPSHOT, key, &err), &err);
    assert_ok(bo_pack_open(world_source(&file), key, &pack, &err), &err);
    assert_described(pack);
    assert_int_equal(bo_pack_get_kind(pack), BO_PACK_SNAPSHOT);
    assert_int_equal(bo_pack_encrypted(pack), key->kind != BO_KEY_NONE);

    assert_ok(bo_frame_reader_create(pack, &reader, &err), &err);
    uint32_t i = 0;
    for (uint32_t f = 0; f < WORLD_FRAMES; f++) {
        assert_int_equal(bo_pack_get_frame(pack, f)->table, f / 2);
        assert_ok(bo_frame_reader_load(reader, f, &err), &err);
        bo_image row = {NULL, 0};
        for (bool end = false; bo_frame_reader_row(reader, &row, &end, &err) == BO_OK && !end;)
            assert_row(row, i++);
    }
    assert_int_equal(i, WORLD_FRAMES * WORLD_ROWS_PER_FRAME);
}

static void a_snapshot_is_read_as_it_was_written(void **state)
{
    (void)state;
    read_snapshot(&no_key);
}

static void a_snapshot_with_a_passphrase_is_read_as_it_was_written(void **state)
{
    (void)state;
    read_snapshot(&passphrase);
}

static void a_snapshot_with_a_key_file_is_read_as_it_was_written(void **state)
{
    (void)state;
    read_snapshot(&key_bytes);
}

static void a_changeset_is_read_as_it_was_written(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) file = {0};
    BO_OWN(bo_pack) *pack = NULL;
    BO_OWN(bo_frame_reader) *reader = NULL;
    bo_error err = {0};
    assert_ok(world_pack(&file, BO_PACK_CHANGESET, NULL, &err), &err);
    assert_ok(bo_pack_open(world_source(&file), NULL, &pack, &err), &err);
    assert_described(pack);
    assert_ok(bo_frame_reader_create(pack, &reader, &err), &err);
    uint32_t i = 0;
    for (uint32_t f = 0; f < WORLD_FRAMES; f++) {
        assert_int_equal(bo_pack_get_frame(pack, f)->rows, WORLD_ROWS_PER_FRAME);
        assert_ok(bo_frame_reader_load(reader, f, &err), &err);
        bo_image before = {NULL, 0};
        bo_image after = {NULL, 0};
        bool end = false;
        while (bo_frame_reader_change(reader, &before, &after, &end, &err) == BO_OK && !end) {
            assert_int_equal(before.data == NULL, i % 3 == 0);
            assert_int_equal(after.data == NULL, i % 3 == 1);
            if (before.data)
                assert_row(before, i);
            if (after.data)
                assert_row(after, i + 1000);
            i++;
        }
    }
    assert_int_equal(i, WORLD_FRAMES * WORLD_ROWS_PER_FRAME);
}

static void digests_of_tables_and_ranges_are_sums_over_the_images(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) file = {0};
    BO_OWN_VALUE(bo_buf) row = {0};
    BO_OWN(bo_pack) *pack = NULL;
    bo_error err = {0};
    assert_ok(world_pack(&file, BO_PACK_SNAPSHOT, NULL, &err), &err);
    assert_ok(bo_pack_open(world_source(&file), NULL, &pack, &err), &err);
    bo_digest expected = {0};
    for (uint32_t i = 10; i < 20; i++)
        bo_digest_add(&expected, world_row(&row, i));
    bo_digest found;
    bo_pack_table_digest(pack, 1, &found);
    assert_true(bo_digest_equal(&found, &expected));
    assert_true(bo_digest_equal(&bo_pack_get_range(pack, 1)->digest, &expected));
}

static void a_pack_without_rows_is_whole(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) file = {0};
    BO_OWN(bo_pack_writer) *writer = NULL;
    BO_OWN(bo_pack) *pack = NULL;
    bo_error err = {0};
    json_t *meta = json_object();
    assert_ok(bo_pack_writer_create(BO_PACK_SNAPSHOT, meta, NULL, world_sink(&file), &writer, &err),
        &err);
    json_decref(meta);
    assert_ok(bo_pack_writer_finish(writer, NULL, &err), &err);
    assert_ok(bo_pack_open(world_source(&file), NULL, &pack, &err), &err);
    assert_int_equal(bo_pack_frame_count(pack), 0);
    assert_null(bo_pack_tail(pack));
}

/** What `zstd -dc` prints: all frames decompressed in turn, skippable ones skipped. */
static void zstd_prints_the_images_of_a_snapshot(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) file = {0};
    BO_OWN_VALUE(bo_buf) expected = {0};
    BO_OWN_VALUE(bo_buf) row = {0};
    bo_error err = {0};
    assert_ok(world_pack(&file, BO_PACK_SNAPSHOT, NULL, &err), &err);
    for (uint32_t i = 0; i < WORLD_FRAMES * WORLD_ROWS_PER_FRAME; i++) {
        (void)world_row(&row, i);
        bo_buf_add(&expected, row.data, row.size);
    }
    uint8_t printed[4096];
    size_t size = ZSTD_decompress(printed, sizeof printed, file.data, file.size);
    assert_false(ZSTD_isError(size));
    assert_int_equal(size, expected.size);
    assert_memory_equal(printed, expected.data, size);
}

static bool contains(const bo_buf *file, const char *text)
{
    return memmem(file->data, file->size, text, strlen(text)) != NULL;
}

static void nothing_readable_is_in_an_encrypted_pack(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) open = {0};
    BO_OWN_VALUE(bo_buf) closed = {0};
    bo_error err = {0};
    assert_ok(world_pack(&open, BO_PACK_SNAPSHOT, NULL, &err), &err);
    assert_ok(world_pack(&closed, BO_PACK_SNAPSHOT, &passphrase, &err), &err);
    static const char *const words[] = {"rb_x", "tables", "rows", "second", "open sesame"};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(contains(&open, words[i]), i < 4);
        assert_false(contains(&closed, words[i]));
    }
}

static void open_again(bo_buf *file, const bo_pack_key *key)
{
    BO_OWN(bo_pack) *pack = NULL;
    bo_error err = {0};
    assert_ok(bo_pack_open(world_source(file), key, &pack, &err), &err);
}

static void a_key_is_made_of_a_passphrase_once_for_each_salt(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) first = {0};
    BO_OWN_VALUE(bo_buf) second = {0};
    BO_OWN_VALUE(bo_buf) other = {0};
    bo_error err = {0};
    bo_pack_key key = passphrase;
    key.derived = bo_pack_derived_create();
    assert_non_null(key.derived);
    assert_ok(world_pack(&first, BO_PACK_SNAPSHOT, &key, &err), &err);
    assert_ok(world_pack(&second, BO_PACK_SNAPSHOT, &key, &err), &err);
    open_again(&first, &key);
    open_again(&second, &key);
    assert_int_equal(bo_pack_derived_count(key.derived), 1);
    open_again(&first, &passphrase);

    for (unsigned i = 2; i < 40; i++) { /* of other sessions; more than are kept */
        bo_buf_clear(&other);
        assert_ok(world_pack(&other, BO_PACK_SNAPSHOT, &passphrase, &err), &err);
        open_again(&other, &key);
        open_again(&other, &key);
        assert_int_equal(bo_pack_derived_count(key.derived), i);
    }
    open_again(&first, &key);
    bo_pack_derived_free(key.derived);
}

static void assert_denied(const bo_pack_key *written, const bo_pack_key *given, const char *because)
{
    BO_OWN_VALUE(bo_buf) file = {0};
    BO_OWN(bo_pack) *pack = NULL;
    bo_error err = {0};
    assert_ok(world_pack(&file, BO_PACK_SNAPSHOT, written, &err), &err);
    assert_int_equal(bo_pack_open(world_source(&file), given, &pack, &err), BO_DENIED);
    assert_null(pack);
    assert_string_equal(err.text, because);
}

static void a_key_that_does_not_open_is_denied_with_the_reason(void **state)
{
    (void)state;
    assert_denied(&passphrase, NULL, "it is encrypted, and no key was given");
    assert_denied(&passphrase, &no_key, "it is encrypted, and no key was given");
    assert_denied(&passphrase, &key_bytes, "it is encrypted with a passphrase");
    assert_denied(&key_bytes, &passphrase, "it is encrypted with a key file");
    assert_denied(&passphrase, &other_passphrase, "the passphrase does not open it");
    assert_denied(&key_bytes, &other_bytes, "the key does not open it");
}

static void an_empty_passphrase_is_refused(void **state)
{
    (void)state;
    const bo_pack_key empty = {.kind = BO_KEY_PASSPHRASE, .passphrase = ""};
    BO_OWN_VALUE(bo_buf) file = {0};
    bo_error err = {0};
    assert_int_equal(world_pack(&file, BO_PACK_SNAPSHOT, &empty, &err), BO_INVALID);
    assert_int_equal(file.size, 0);
}

/* ---- large and many ---- */

/** Writes `count` rows of one value of `size` equal bytes each. */
static void write_rows(bo_buf *file, unsigned count, size_t size)
{
    BO_OWN_VALUE(bo_buf) row = {0};
    BO_OWN(bo_pack_writer) *writer = NULL;
    BO_OWN(bo_frame_writer) *frame = NULL;
    bo_error err = {0};
    json_t *meta = json_object();
    assert_ok(
        bo_pack_writer_create(BO_PACK_SNAPSHOT, meta, NULL, world_sink(file), &writer, &err), &err);
    json_decref(meta);
    uint32_t range = 0;
    assert_ok(bo_pack_writer_range(writer, 0, (bo_span){NULL, 0}, &range, &err), &err);
    assert_ok(bo_frame_writer_create(writer, &frame, &err), &err);
    bo_frame_writer_begin(frame, 0, range);
    char *bytes = calloc(1, size);
    bo_image_begin(&row, 1);
    bo_image_add(&row, bytes, (int32_t)size);
    free(bytes);
    for (unsigned i = 0; i < count; i++)
        assert_ok(bo_frame_writer_row(frame, (bo_image){row.data, row.size}, &err), &err);
    assert_ok(bo_frame_writer_flush(frame, &err), &err);
    assert_ok(bo_pack_writer_finish(writer, NULL, &err), &err);
}

static void frames_are_closed_before_they_pass_the_target(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) file = {0};
    BO_OWN(bo_pack) *pack = NULL;
    bo_error err = {0};
    write_rows(&file, 100, 100000);
    assert_ok(bo_pack_open(world_source(&file), NULL, &pack, &err), &err);
    assert_int_equal(bo_pack_frame_count(pack), 5);
    for (uint32_t f = 0; f < 5; f++)
        assert_true(bo_pack_get_frame(pack, f)->raw_size <= BO_FRAME_TARGET);
    assert_ok(world_read_all(&file, NULL, &err), &err);
}

static void a_huge_row_of_zeros_is_padded_to_a_sane_ratio(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) file = {0};
    BO_OWN(bo_pack) *pack = NULL;
    bo_error err = {0};
    const size_t huge = 33u << 20;
    write_rows(&file, 1, huge);
    assert_ok(bo_pack_open(world_source(&file), NULL, &pack, &err), &err);
    assert_true(bo_pack_get_frame(pack, 0)->stored_size >= huge / BO_RATIO_LARGE);
    assert_ok(world_read_all(&file, NULL, &err), &err);
    BO_OWN_MEM uint8_t *printed = malloc(huge + 6);
    assert_int_equal(ZSTD_decompress(printed, huge + 6, file.data, file.size), huge + 6);
}

enum { THREADS = 4, ROWS_PER_THREAD = 60000 };

typedef struct worker {
    bo_pack_writer *writer;
    uint32_t number;
    bo_status status;
    pthread_t thread;
} worker;

static void *work(void *ctx)
{
    worker *w = ctx;
    BO_OWN(bo_frame_writer) *frame = NULL;
    BO_OWN_VALUE(bo_buf) row = {0};
    bo_span id = {(const uint8_t *)&w->number, sizeof w->number};
    uint32_t range = 0;
    w->status = bo_pack_writer_range(w->writer, w->number, id, &range, NULL);
    if (w->status == BO_OK)
        w->status = bo_frame_writer_create(w->writer, &frame, NULL);
    if (w->status == BO_OK)
        bo_frame_writer_begin(frame, w->number, range);
    for (uint32_t i = 0; w->status == BO_OK && i < ROWS_PER_THREAD; i++) {
        w->status = bo_frame_writer_row(frame, world_row(&row, i), NULL);
        if (w->status == BO_OK && i % 10000 == 9999)
            w->status = bo_frame_writer_flush(frame, NULL);
    }
    return NULL;
}

/* The bytes are not there: they must not be touched. */
static void a_row_larger_than_a_frame_is_refused(void **state)
{
    (void)state;
    static const uint8_t byte;
    const bo_image row = {&byte, BO_FRAME_MAX + 1u};
    const bo_image half = {&byte, BO_FRAME_MAX / 2};
    json_t *meta = json_object();
    for (int changes = 0; changes < 2; changes++) {
        BO_OWN_VALUE(bo_buf) file = {0};
        BO_OWN(bo_pack_writer) *writer = NULL;
        BO_OWN(bo_frame_writer) *frame = NULL;
        bo_error err = {0};
        bo_pack_kind kind = changes ? BO_PACK_CHANGESET : BO_PACK_SNAPSHOT;
        assert_ok(bo_pack_writer_create(kind, meta, NULL, world_sink(&file), &writer, &err), &err);
        assert_ok(bo_frame_writer_create(writer, &frame, &err), &err);
        bo_frame_writer_begin(frame, 0, 0);
        bo_status st = changes ? bo_frame_writer_change(frame, half, half, &err)
                               : bo_frame_writer_row(frame, row, &err);
        assert_int_equal(st, BO_UNSUPPORTED);
        assert_string_equal(
            err.text, changes ? "a row before and after is larger than 1024 MiB together"
                              : "a row is larger than 1024 MiB");
    }
    json_decref(meta);
}

static void threads_write_one_pack_together(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) file = {0};
    BO_OWN_VALUE(bo_buf) row = {0};
    BO_OWN(bo_pack_writer) *writer = NULL;
    BO_OWN(bo_pack) *pack = NULL;
    bo_error err = {0};
    json_t *meta = json_object();
    assert_ok(
        bo_pack_writer_create(BO_PACK_SNAPSHOT, meta, &key_bytes, world_sink(&file), &writer, &err),
        &err);
    json_decref(meta);
    worker workers[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (worker){.writer = writer, .number = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].status, BO_OK);
    }
    assert_ok(bo_pack_writer_finish(writer, NULL, &err), &err);
    assert_ok(world_read_all(&file, &key_bytes, &err), &err);

    bo_digest expected = {0};
    for (uint32_t i = 0; i < ROWS_PER_THREAD; i++)
        bo_digest_add(&expected, world_row(&row, i));
    assert_ok(bo_pack_open(world_source(&file), &key_bytes, &pack, &err), &err);
    for (uint32_t i = 0; i < THREADS; i++) {
        bo_digest found;
        bo_pack_table_digest(pack, i, &found);
        assert_true(bo_digest_equal(&found, &expected));
    }
}

/* ---- faults ---- */

typedef struct full_disk {
    unsigned writes_left;
} full_disk;

static bo_status write_until_full(void *ctx, const void *data, size_t size, bo_error *err)
{
    full_disk *disk = ctx;
    (void)data;
    (void)size;
    return disk->writes_left-- > 0 ? BO_OK : bo_fail(err, BO_IO, "no space");
}

static void a_pack_with_a_failed_write_is_never_finished(void **state)
{
    (void)state;
    for (unsigned writes = 1; writes < 1 + WORLD_FRAMES + 2; writes++) {
        full_disk disk = {writes};
        BO_OWN(bo_pack_writer) *writer = NULL;
        bo_error err = {0};
        json_t *meta = json_object();
        assert_ok(bo_pack_writer_create(BO_PACK_SNAPSHOT, meta, NULL,
                      (bo_sink){&disk, write_until_full}, &writer, &err),
            &err);
        json_decref(meta);
        bo_status st = world_fill(writer, BO_PACK_SNAPSHOT, &err);
        assert_int_equal(st, writes < 1 + WORLD_FRAMES ? BO_IO : BO_OK);
        disk.writes_left = writes < 1 + WORLD_FRAMES ? 100 : disk.writes_left;
        err = (bo_error){0};
        assert_int_equal(bo_pack_writer_finish(writer, NULL, &err), BO_IO);
        assert_string_equal(err.text, "no space"); /* threads that come later say why, too */
    }
}

static void json_that_costs_a_reader_too_much_is_not_written(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) text = {0};
    json_t *list = json_array();
    for (int i = 0; i < 10000; i++)
        json_array_append_new(list, json_object());
    json_t *json = json_pack("{s:o}", "l", list);
    bo_error err = {0};
    assert_int_equal(bo_pack_json_write(json, "summary", &text, &err), BO_UNSUPPORTED);
    assert_string_equal(err.text, "the summary has more '{' and '[' than a reader takes");
    json_decref(json);

    char *large = calloc(1, BO_PACK_META_MAX);
    memset(large, 'x', BO_PACK_META_MAX - 1);
    json = json_pack("{s:s}", "l", large);
    free(large);
    assert_int_equal(bo_pack_json_write(json, "summary", &text, &err), BO_UNSUPPORTED);
    assert_string_equal(err.text, "the summary is larger than 64 MiB");
    json_decref(json);
}

static int cheap(void **state)
{
    (void)state;
    world_cheap_passphrases();
    return sodium_init() < 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_is_read_as_it_was_written),
        cmocka_unit_test(a_snapshot_with_a_passphrase_is_read_as_it_was_written),
        cmocka_unit_test(a_key_is_made_of_a_passphrase_once_for_each_salt),
        cmocka_unit_test(a_snapshot_with_a_key_file_is_read_as_it_was_written),
        cmocka_unit_test(a_changeset_is_read_as_it_was_written),
        cmocka_unit_test(digests_of_tables_and_ranges_are_sums_over_the_images),
        cmocka_unit_test(a_pack_without_rows_is_whole),
        cmocka_unit_test(zstd_prints_the_images_of_a_snapshot),
        cmocka_unit_test(nothing_readable_is_in_an_encrypted_pack),
        cmocka_unit_test(a_key_that_does_not_open_is_denied_with_the_reason),
        cmocka_unit_test(an_empty_passphrase_is_refused),
        cmocka_unit_test(frames_are_closed_before_they_pass_the_target),
        cmocka_unit_test(a_huge_row_of_zeros_is_padded_to_a_sane_ratio),
        cmocka_unit_test(a_row_larger_than_a_frame_is_refused),
        cmocka_unit_test(threads_write_one_pack_together),
        cmocka_unit_test(a_pack_with_a_failed_write_is_never_finished),
        cmocka_unit_test(json_that_costs_a_reader_too_much_is_not_written),
    };
    return cmocka_run_group_tests(tests, cheap, NULL);
}
