/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/data/test_digest.c - the digest of a set of rows. */
#include <string.h>
#include <xxhash.h>

#include "data/digest.h"
#include "support/unit.h"

enum { ROWS = 1000 };

/** Row number `i` as bytes that need no image: a digest takes any. */
static bo_image row(uint32_t i, uint8_t bytes[4])
{
    bo_put_u32(bytes, i);
    return (bo_image){bytes, 4};
}

static void order_does_not_matter_and_merging_is_adding(void **state)
{
    (void)state;
    bo_digest up = {0}, down = {0}, even = {0}, odd = {0};
    uint8_t bytes[4];
    for (uint32_t i = 0; i < ROWS; i++) {
        bo_digest_add(&up, row(i, bytes));
        bo_digest_add(&down, row(ROWS - 1 - i, bytes));
        bo_digest_add(i % 2 ? &odd : &even, row(i, bytes));
    }
    assert_true(bo_digest_equal(&up, &down));
    bo_digest_merge(&even, &odd);
    assert_true(bo_digest_equal(&up, &even));
    assert_int_equal(up.rows, ROWS);
}

static void the_sum_is_that_of_128_bit_numbers(void **state)
{
    (void)state;
    bo_digest digest = {0};
    unsigned __int128 sum = 0;
    uint8_t bytes[4];
    for (uint32_t i = 0; i < ROWS; i++) {
        XXH128_hash_t hash = XXH3_128bits(row(i, bytes).data, 4);
        sum += (unsigned __int128)hash.high64 << 64 | hash.low64;
        bo_digest_add(&digest, row(i, bytes));
        assert_true(digest.low == (uint64_t)sum && digest.high == (uint64_t)(sum >> 64));
    }
}

static void equal_rows_do_not_cancel(void **state)
{
    (void)state;
    bo_digest twice = {0}, four_times = {0};
    uint8_t bytes[4];
    for (int i = 0; i < 4; i++) {
        if (i < 2)
            bo_digest_add(&twice, row(7, bytes));
        bo_digest_add(&four_times, row(7, bytes));
    }
    four_times.rows = twice.rows;
    assert_false(bo_digest_equal(&twice, &four_times));
}

static void the_text_is_32_hex_digits_high_half_first(void **state)
{
    (void)state;
    bo_digest digest = {.low = 0x0123456789abcdef, .high = 1, .rows = 3};
    char text[BO_DIGEST_TEXT_SIZE];
    bo_digest_format(&digest, text);
    assert_string_equal(text, "00000000000000010123456789abcdef");
}

static void a_checksum_is_xxh3_128_big_endian(void **state)
{
    (void)state;
    static const uint8_t of_nothing[16] = {0x99, 0xaa, 0x06, 0xd3, 0x01, 0x47, 0x98, 0xd8, 0x60,
        0x01, 0xc3, 0x24, 0x46, 0x8d, 0x49, 0x7f}; /* as xxhsum -H2 prints it */
    bo_checksum none = bo_checksum_of("", 0);
    bo_checksum some = bo_checksum_of("a", 1);
    assert_memory_equal(none.bytes, of_nothing, 16);
    assert_true(bo_checksum_equal(&none, &none));
    assert_false(bo_checksum_equal(&none, &some));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_does_not_matter_and_merging_is_adding),
        cmocka_unit_test(the_sum_is_that_of_128_bit_numbers),
        cmocka_unit_test(equal_rows_do_not_cancel),
        cmocka_unit_test(the_text_is_32_hex_digits_high_half_first),
        cmocka_unit_test(a_checksum_is_xxh3_128_big_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
