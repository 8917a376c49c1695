/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_residue.c - matching the rows of one range against another, as multisets.
 */
#include "support/unit.h"

#include "change/residue.h"

/* An image of one value, made anew at each call. */
static bo_image row(const char *text, size_t size)
{
    static bo_buf buffer;
    bo_buf_clear(&buffer);
    bo_image_begin(&buffer, 1);
    bo_image_add(&buffer, text, (int32_t)size);
    assert_false(buffer.failed);
    return (bo_image){buffer.data, buffer.size};
}

static bo_image number(uint32_t n)
{
    return row((const char *)&n, sizeof n);
}

static const bo_table plain = {.name = "t"}; /* images without a hint */

static void add(bo_residue *residue, bo_image image)
{
    assert_int_equal(bo_residue_add(residue, &plain, image, NULL), BO_OK);
}

static bool take(bo_residue *residue, bo_image image)
{
    return bo_residue_take(residue, &plain, image);
}

static void index_rows(bo_residue *residue)
{
    assert_int_equal(bo_residue_index(residue, NULL), BO_OK);
}

static void nothing_is_found_in_an_empty_one(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_residue) residue = {0};
    index_rows(&residue);
    assert_false(take(&residue, row("a", 1)));
    bo_residue_clear(&residue);
    index_rows(&residue);
    assert_false(take(&residue, row("a", 1)));
}

static void equal_rows_are_taken_as_often_as_they_were_added(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_residue) residue = {0};
    for (unsigned i = 0; i < 1000; i++)
        add(&residue, row("same", 4));
    add(&residue, row("other", 5));
    index_rows(&residue);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(take(&residue, row("same", 4)));
    assert_false(take(&residue, row("same", 4)));
    assert_true(take(&residue, row("other", 5)));
    assert_false(take(&residue, row("other", 5)));
    assert_false(take(&residue, row("third", 5)));
}

static void indexing_again_gives_every_row_back(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_residue) residue = {0};
    add(&residue, row("a", 1));
    index_rows(&residue);
    assert_true(take(&residue, row("a", 1)));
    index_rows(&residue);
    assert_true(take(&residue, row("a", 1)));
    assert_false(take(&residue, row("a", 1)));
}

static void it_is_used_again_for_the_next_range(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_residue) residue = {0};
    for (uint32_t i = 0; i < 20000; i++)
        add(&residue, number(i));
    index_rows(&residue);
    bo_residue_clear(&residue);
    assert_int_equal(residue.digest.rows, 0);
    assert_int_equal(residue.rows.size, 0);
    add(&residue, number(7));
    index_rows(&residue);
    assert_false(take(&residue, number(8)));
    assert_true(take(&residue, number(7)));
}

static void the_digest_is_that_of_all_rows(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_residue) residue = {0};
    bo_digest expected = {0};
    for (uint32_t i = 0; i < 5000; i++) {
        add(&residue, number(i / 2));
        bo_digest_add(&expected, number(i / 2));
    }
    assert_true(bo_digest_equal(&residue.digest, &expected));
    assert_int_equal(residue.digest.rows, 5000);
}

static void images_are_kept_while_they_fit_and_hashes_longer(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_residue) residue = {0};
    static char big[BO_RESIDUE_KEEP];
    add(&residue, row("small", 5));
    size_t kept = residue.rows.size;
    assert_false(residue.overflow);
    add(&residue, row(big, sizeof big)); /* one row, larger than all that is kept */
    assert_true(residue.overflow);
    assert_int_equal(residue.rows.size, kept);
    add(&residue, row("after", 5)); /* none is kept after one that was not */
    assert_int_equal(residue.rows.size, kept);
    assert_false(residue.too_many);
    index_rows(&residue);
    assert_true(take(&residue, row(big, sizeof big)));
    assert_true(take(&residue, row("after", 5)));
}

static void past_its_limit_of_rows_it_only_digests(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_residue) residue = {0};
    for (uint32_t i = 0; i < BO_RESIDUE_ROWS; i++)
        add(&residue, number(i));
    assert_false(residue.too_many);
    index_rows(&residue);
    for (uint32_t i = 0; i < BO_RESIDUE_ROWS; i++)
        assert_true(take(&residue, number(i)));
    add(&residue, number(BO_RESIDUE_ROWS));
    assert_true(residue.too_many);
    assert_true(residue.overflow);
    assert_int_equal(residue.count, BO_RESIDUE_ROWS);
    assert_int_equal(residue.digest.rows, BO_RESIDUE_ROWS + 1);
    bo_residue_clear(&residue);
    assert_false(residue.too_many);
    assert_false(residue.overflow);
}

/* A row of SQLite without a key of its own: its rowid comes last and is no value of it. */
static bo_image hinted(const char *text, uint64_t rowid)
{
    static bo_buf buffer;
    uint8_t hint[9] = {BO_SQLITE_INTEGER};
    bo_put_u64(hint + 1, rowid);
    bo_buf_clear(&buffer);
    bo_image_begin(&buffer, 2);
    bo_image_add(&buffer, text, (int32_t)strlen(text));
    bo_image_add(&buffer, hint, sizeof hint);
    return (bo_image){buffer.data, buffer.size};
}

static void rows_are_equal_whatever_their_rowids(void **state)
{
    (void)state;
    static const bo_table table = {.name = "t", .row_hint = true};
    BO_OWN_VALUE(bo_residue) residue = {0};
    bo_digest stored = {0};
    assert_int_equal(bo_residue_add(&residue, &table, hinted("a", 1), NULL), BO_OK);
    assert_int_equal(bo_residue_add(&residue, &table, hinted("a", 2), NULL), BO_OK);
    bo_digest_add(&stored, hinted("a", 1));
    bo_digest_add(&stored, hinted("a", 2));
    assert_true(bo_digest_equal(&residue.stored, &stored));
    assert_false(bo_digest_equal(&residue.digest, &stored));
    index_rows(&residue);
    assert_true(bo_residue_take(&residue, &table, hinted("a", 7)));
    assert_true(bo_residue_take(&residue, &table, hinted("a", 8)));
    assert_false(bo_residue_take(&residue, &table, hinted("a", 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_found_in_an_empty_one),
        cmocka_unit_test(equal_rows_are_taken_as_often_as_they_were_added),
        cmocka_unit_test(indexing_again_gives_every_row_back),
        cmocka_unit_test(it_is_used_again_for_the_next_range),
        cmocka_unit_test(the_digest_is_that_of_all_rows),
        cmocka_unit_test(images_are_kept_while_they_fit_and_hashes_longer),
        cmocka_unit_test(past_its_limit_of_rows_it_only_digests),
        cmocka_unit_test(rows_are_equal_whatever_their_rowids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
