/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/format/test_pack_damage.c - no damage, by accident or by hand, is ever accepted. */
#include <sys/resource.h>

#include "repair.h"
#include "support/unit.h"
#include "world.h"

static const bo_pack_key key = {.kind = BO_KEY_BYTES, .bytes = {7}};

typedef struct variant {
    bo_pack_kind kind;
    const bo_pack_key *key;
} variant;
static const variant variants[] = {{BO_PACK_SNAPSHOT, NULL}, {BO_PACK_SNAPSHOT, &key},
    {BO_PACK_CHANGESET, NULL}, {BO_PACK_CHANGESET, &key}};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

static void make(bo_buf *file, const variant *v)
{
    bo_buf_clear(file);
    assert_int_equal(world_pack(file, v->kind, v->key, NULL), BO_OK);
    assert_int_equal(world_read_all(file, v->key, NULL), BO_OK);
}

static void every_flipped_bit_is_found(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) file = {0};
    for (unsigned v = 0; v < VARIANTS; v++) {
        make(&file, &variants[v]);
        for (size_t at = 0; at < file.size; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                bo_error err = {0};
                file.data[at] ^= (uint8_t)(1u << bit);
                assert_int_equal(world_read_all(&file, variants[v].key, &err), BO_CORRUPT);
                assert_true(err.text[0] != 0);
                file.data[at] ^= (uint8_t)(1u << bit);
            }
        }
    }
}

static void every_cut_is_found(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) file = {0};
    for (unsigned v = 0; v < VARIANTS; v++) {
        make(&file, &variants[v]);
        while (file.size > 0) {
            file.size--;
            assert_int_equal(world_read_all(&file, variants[v].key, NULL), BO_CORRUPT);
        }
    }
}

static void whatever_is_appended_is_found(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) file = {0};
    make(&file, &variants[0]);
    BO_OWN_VALUE(bo_buf) copy = {0};
    bo_buf_add(&copy, file.data, file.size);
    for (int i = 0; i < 100; i++) {
        bo_buf_add_byte(&file, (uint8_t)i);
        assert_int_equal(world_read_all(&file, NULL, NULL), BO_CORRUPT);
    }
    file.size = copy.size;
    bo_buf_add(&file, copy.data, copy.size); /* the same pack again */
    bo_error err = {0};
    assert_int_equal(world_read_all(&file, NULL, &err), BO_CORRUPT);
    assert_string_equal(err.text, "trailer: the index is not where it should be");
}

static void the_broken_frame_is_named(void **state)
{
    (void)state;
    for (unsigned v = 0; v < VARIANTS; v++) {
        BO_OWN_VALUE(bo_buf) file = {0};
        BO_OWN(bo_pack) *pack = NULL;
        make(&file, &variants[v]);
        assert_int_equal(bo_pack_open(world_source(&file), variants[v].key, &pack, NULL), BO_OK);
        file.data[bo_pack_get_frame(pack, 3)->offset + 20] ^= 1;
        bo_error err = {0};
        assert_int_equal(world_read_all(&file, variants[v].key, &err), BO_CORRUPT);
        assert_string_equal(err.text, "cannot read frame 3\nchecksum does not match");
    }
}

/** Exchanges the stored bytes of frames 2 and 3, or puts frame 2 in the place of frame 3. */
static void move_frames(bo_buf *file, const bo_pack_key *with, bool both)
{
    BO_OWN(bo_pack) *pack = NULL;
    assert_int_equal(bo_pack_open(world_source(file), with, &pack, NULL), BO_OK);
    const bo_frame *a = bo_pack_get_frame(pack, 2);
    const bo_frame *b = bo_pack_get_frame(pack, 3);
    assert_int_equal(a->stored_size, b->stored_size);
    BO_OWN_MEM uint8_t *kept = malloc(b->stored_size);
    memcpy(kept, file->data + b->offset, b->stored_size);
    memcpy(file->data + b->offset, file->data + a->offset, b->stored_size);
    if (both)
        memcpy(file->data + a->offset, kept, a->stored_size);
}

static void frames_swapped_or_doubled_are_found(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 2; v++) {
        for (int both = 0; both < 2; both++) {
            BO_OWN_VALUE(bo_buf) file = {0};
            make(&file, &variants[v]);
            move_frames(&file, variants[v].key, both);
            assert_int_equal(world_read_all(&file, variants[v].key, NULL), BO_CORRUPT);
        }
    }
}

static void swapped_frames_with_right_checksums_fail_by_digest(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) file = {0};
    make(&file, &variants[0]);
    move_frames(&file, NULL, true);
    repair(file.data, file.size);
    bo_error err = {0};
    assert_int_equal(world_read_all(&file, NULL, &err), BO_CORRUPT);
    assert_string_equal(err.text, "cannot read frame 2\ndigest of the rows does not match");
}

static void a_part_opens_only_as_itself_in_its_own_pack(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) sealed = {0};
    BO_OWN_VALUE(bo_buf) plain = {0};
    bo_pack_lock lock = {.on = true, .key = {1}, .uuid = {2}};
    bo_span text = {(const uint8_t *)"text", 4};
    assert_int_equal(bo_pack_seal(&lock, 5, text, &sealed, NULL), BO_OK);
    bo_span span = {sealed.data, sealed.size};
    assert_int_equal(bo_pack_unseal(&lock, 5, span, &plain, NULL), BO_OK);
    assert_string_equal(bo_buf_str(&plain), "text");
    assert_int_equal(bo_pack_unseal(&lock, 6, span, &plain, NULL), BO_CORRUPT);
    assert_int_equal(plain.size, 0);
    lock.uuid[0]++;
    assert_int_equal(bo_pack_unseal(&lock, 5, span, &plain, NULL), BO_CORRUPT);
    lock.uuid[0]--;
    lock.key[0]++;
    assert_int_equal(bo_pack_unseal(&lock, 5, span, &plain, NULL), BO_CORRUPT);
    lock.key[0]--;
    for (span.size = 0; span.size < sealed.size; span.size++)
        assert_int_equal(bo_pack_unseal(&lock, 5, span, &plain, NULL), BO_CORRUPT);
}

/* ---- numbers in the index that lie, behind right hashes ---- */

/** The content of the index of a fresh pack in `file`. */
static uint8_t *make_index(bo_buf *file, size_t *size_out)
{
    make(file, &variants[0]);
    uint8_t *trailer = file->data + file->size - BO_TRAILER_SIZE + BO_SKIP_SIZE;
    *size_out = (size_t)bo_get_u64(trailer + 8) - BO_SKIP_SIZE;
    return file->data + bo_get_u64(trailer) + BO_SKIP_SIZE;
}

static void assert_corrupt_when_repaired(bo_buf *file, const char *because)
{
    bo_error err = {0};
    repair(file->data, file->size);
    assert_int_equal(world_read_all(file, NULL, &err), BO_CORRUPT);
    assert_string_equal(err.text, because);
}

static void hostile_numbers_in_the_index_are_refused(void **state)
{
    (void)state;
    static const struct {
        unsigned at; /* in the entry of frame 0 */
        unsigned size;
        uint64_t value;
        const char *because;
    } lies[] = {
        {0, 4, 1, "index: frame 0 cannot be as it says"},  /* another table than its range's */
        {4, 4, 2, "index: frame 0 cannot be as it says"},  /* no such range */
        {8, 8, 0, "index: frame 0 cannot be as it says"},  /* no rows */
        {8, 8, 6, "index: frame 0 cannot be as it says"},  /* more rows than images */
        {48, 8, 6, "index: frame 0 cannot be as it says"}, /* more images than rows */
        {16, 8, 0, "index: frame 0 cannot be as it says"},
        {16, 8, UINT64_MAX, "index: frame 0 reaches into the index"},
        {16, 8, 1, "index: bytes after the last frame belong to none"},
        {24, 8, 0, "index: frame 0 cannot be as it says"},
        {24, 8, BO_FRAME_MAX, "index: frame 0 cannot be as it says"}, /* absurd ratio */
        {24, 8, UINT64_MAX, "index: frame 0 cannot be as it says"},
        {24, 8, 1000, "cannot read frame 0\nanother size than the index says"},
        {32, 8, 1, "cannot read frame 0\ndigest of the rows does not match"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        BO_OWN_VALUE(bo_buf) file = {0};
        size_t size = 0;
        uint8_t *index = make_index(&file, &size);
        uint8_t *entry = index + repair_frames_at(index, size);
        if (lies[i].size == 4)
            bo_put_u32(entry + lies[i].at, (uint32_t)lies[i].value);
        else
            bo_put_u64(entry + lies[i].at, lies[i].value);
        assert_corrupt_when_repaired(&file, lies[i].because);
    }
}

static void counts_larger_than_the_index_are_refused(void **state)
{
    (void)state;
    for (int frames = 0; frames < 2; frames++) {
        BO_OWN_VALUE(bo_buf) file = {0};
        size_t size = 0;
        uint8_t *index = make_index(&file, &size);
        bo_put_u32(frames ? index + repair_frames_at(index, size) - 4 : index, UINT32_MAX);
        assert_corrupt_when_repaired(&file, "index: cut short");
    }
}

static void a_range_with_an_endless_id_is_refused(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) file = {0};
    size_t size = 0;
    uint8_t *index = make_index(&file, &size);
    index[8] = 0xff;
    assert_corrupt_when_repaired(&file, "index: range 0 is cut short");
}

static void a_summary_that_is_no_object_is_refused(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) file = {0};
    size_t size = 0;
    uint8_t *index = make_index(&file, &size);
    index[size - 1] = ']';
    assert_corrupt_when_repaired(&file, "summary of the pack: not a JSON object");
}

/* ---- the header ---- */

/** Flips bits of the byte at `at` of the header, makes the hashes right, and opens. */
static bo_status open_with_prefix(unsigned at, uint8_t flip, const bo_pack_key *with, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) file = {0};
    make(&file, &variants[with ? 1 : 0]);
    file.data[BO_SKIP_SIZE + at] ^= flip;
    repair(file.data, file.size);
    return world_read_all(&file, with, err);
}

static void a_later_version_is_unsupported_not_corrupt(void **state)
{
    (void)state;
    bo_error err = {0};
    assert_int_equal(open_with_prefix(9, 1 ^ 2, NULL, &err), BO_UNSUPPORTED);
    assert_string_equal(err.text, "the pack has format 2; this version reads up to format 1");
}

static void a_header_field_never_written_is_refused(void **state)
{
    (void)state;
    assert_int_equal(open_with_prefix(0, 1, NULL, NULL), BO_CORRUPT);      /* magic */
    assert_int_equal(open_with_prefix(9, 1 ^ 0, NULL, NULL), BO_CORRUPT);  /* version */
    assert_int_equal(open_with_prefix(10, 1 ^ 0, NULL, NULL), BO_CORRUPT); /* kind */
    assert_int_equal(open_with_prefix(10, 1 ^ 3, NULL, NULL), BO_CORRUPT); /* kind */
    assert_int_equal(open_with_prefix(11, 0 ^ 3, NULL, NULL), BO_CORRUPT); /* kind of key */
}

static void a_forged_header_of_an_encrypted_pack_does_not_open(void **state)
{
    (void)state;
    for (unsigned at = 8; at < BO_PREFIX_SIZE + BO_LOCK_SIZE; at++) {
        bo_status st = open_with_prefix(at, 0xee, &key, NULL);
        assert_true(st == BO_DENIED || st == BO_CORRUPT || st == BO_UNSUPPORTED);
    }
}

static void a_passphrase_may_not_cost_more_than_is_ever_written(void **state)
{
    (void)state;
    const bo_pack_key words = {.kind = BO_KEY_PASSPHRASE, .passphrase = "words"};
    const unsigned cost = BO_SKIP_SIZE + BO_PREFIX_SIZE + BO_SALT_SIZE;
    world_cheap_passphrases();
    for (int memory = 0; memory < 2; memory++) {
        BO_OWN_VALUE(bo_buf) file = {0};
        bo_error err = {0};
        assert_int_equal(world_pack(&file, BO_PACK_SNAPSHOT, &words, NULL), BO_OK);
        if (memory)
            bo_put_u64(file.data + cost + 4, BO_KDF_MEMORY_MAX + 1);
        else
            bo_put_u32(file.data + cost, BO_KDF_OPERATIONS_MAX + 1);
        repair(file.data, file.size);
        assert_int_equal(world_read_all(&file, &words, &err), BO_CORRUPT);
        assert_string_equal(err.text, "header: the cost of the passphrase is out of bounds");
    }
}

/* ---- what a hostile megabyte may cost ---- */

#if defined(__SANITIZE_ADDRESS__)
enum { MEMORY_MAX_KIB = 1 << 30 }; /* the sanitizer keeps freed memory */
#else
enum { MEMORY_MAX_KIB = 64 << 10 };
#endif

static void assert_cheap(bo_buf *file)
{
    struct rusage before, after;
    assert_true(file->size <= 1100000);
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    (void)world_read_all(file, NULL, NULL);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_true(after.ru_maxrss - before.ru_maxrss < MEMORY_MAX_KIB);
    assert_true(after.ru_utime.tv_sec - before.ru_utime.tv_sec <= 2);
}

static void a_megabyte_of_json_costs_little(void **state)
{
    (void)state;
    static const char *const units[] = {"{},", "[],", "0,", "{},1111,", "[[]],111,", "\"\","};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        BO_OWN_VALUE(bo_buf) file = {0};
        uint8_t skip[BO_SKIP_SIZE] = {0};
        bo_buf_add(&file, skip, sizeof skip);
        bo_buf_add(&file, BO_PACK_MAGIC "\0\1\1\0", BO_MAGIC_SIZE + 4);
        bo_buf_add(&file, "0123456789abcdef{\"a\":[", BO_UUID_SIZE + 6);
        while (file.size < 1000000)
            bo_buf_add_str(&file, units[i]);
        bo_buf_add_str(&file, "0]}");
        size_t header = file.size;
        bo_skip_put(file.data, BO_SKIP_HEADER, (uint32_t)header - BO_SKIP_SIZE);
        bo_skip_put(skip, BO_SKIP_INDEX, 8);
        bo_buf_add(&file, skip, sizeof skip);
        bo_buf_add(&file, "\0\0\0\0\0\0\0\0", 8);
        bo_skip_put(skip, BO_SKIP_TRAILER, BO_TRAILER_SIZE - BO_SKIP_SIZE);
        bo_buf_add(&file, skip, sizeof skip);
        bo_buf_add_u64(&file, header);
        bo_buf_add_u64(&file, 16);
        uint8_t root[BO_ROOT_SIZE] = {0};
        bo_buf_add(&file, root, sizeof root);
        bo_buf_add(&file, BO_PACK_END, BO_MAGIC_SIZE);
        repair(file.data, file.size);
        bo_error err = {0};
        (void)world_read_all(&file, NULL, &err);
        assert_null(strstr(err.text, "trailer")); /* it got as far as the JSON */
        assert_cheap(&file);
    }
}

static void a_megabyte_of_zeros_compressed_costs_little(void **state)
{
    (void)state;
    static const size_t sizes[] = {100000, 30u << 20};
    for (unsigned i = 0; i < 2; i++) {
        BO_OWN_VALUE(bo_buf) file = {0};
        BO_OWN(bo_pack_writer) *writer = NULL;
        BO_OWN(bo_frame_writer) *frame = NULL;
        BO_OWN_VALUE(bo_buf) row = {0};
        json_t *meta = json_object();
        uint32_t range = 0;
        assert_int_equal(
            bo_pack_writer_create(BO_PACK_SNAPSHOT, meta, NULL, world_sink(&file), &writer, NULL),
            BO_OK);
        json_decref(meta);
        assert_int_equal(bo_pack_writer_range(writer, 0, (bo_span){NULL, 0}, &range, NULL), BO_OK);
        assert_int_equal(bo_frame_writer_create(writer, &frame, NULL), BO_OK);
        bo_frame_writer_begin(frame, 0, range);
        BO_OWN_MEM uint8_t *zeros = calloc(1, sizes[i]);
        bo_image_begin(&row, 1);
        bo_image_add(&row, zeros, (int32_t)sizes[i]);
        do {
            assert_int_equal(
                bo_frame_writer_row(frame, (bo_image){row.data, row.size}, NULL), BO_OK);
        } while (i == 0 && file.size < 900000);
        assert_int_equal(bo_frame_writer_flush(frame, NULL), BO_OK);
        assert_int_equal(bo_pack_writer_finish(writer, NULL, NULL), BO_OK);
        assert_int_equal(world_read_all(&file, NULL, NULL), BO_OK);
        assert_cheap(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_megabyte_of_json_costs_little),
        cmocka_unit_test(a_megabyte_of_zeros_compressed_costs_little),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(every_cut_is_found),
        cmocka_unit_test(whatever_is_appended_is_found),
        cmocka_unit_test(the_broken_frame_is_named),
        cmocka_unit_test(frames_swapped_or_doubled_are_found),
        cmocka_unit_test(swapped_frames_with_right_checksums_fail_by_digest),
        cmocka_unit_test(a_part_opens_only_as_itself_in_its_own_pack),
        cmocka_unit_test(hostile_numbers_in_the_index_are_refused),
        cmocka_unit_test(counts_larger_than_the_index_are_refused),
        cmocka_unit_test(a_range_with_an_endless_id_is_refused),
        cmocka_unit_test(a_summary_that_is_no_object_is_refused),
        cmocka_unit_test(a_later_version_is_unsupported_not_corrupt),
        cmocka_unit_test(a_header_field_never_written_is_refused),
        cmocka_unit_test(a_forged_header_of_an_encrypted_pack_does_not_open),
        cmocka_unit_test(a_passphrase_may_not_cost_more_than_is_ever_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
