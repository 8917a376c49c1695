/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/format/test_golden.c - packs written by earlier versions are read by this one. */
#include "base/file.h"
#include "support/unit.h"
#include "world.h"

/** Reads all of tests/golden/`name` and compares what a program would rely on. */
static void assert_golden(
    const char *name, const bo_pack_key *key, const char *root, const char *digest)
{
    BO_OWN_VALUE(bo_buf) file = {0};
    BO_OWN(bo_pack) *pack = NULL;
    char path[4096];
    bo_error err = {0};
    (void)snprintf(path, sizeof path, "%s/%s", GOLDEN_FOLDER, name);
    assert_int_equal(bo_file_slurp(path, 1 << 20, &file, &err), BO_OK);
    assert_int_equal(world_read_all(&file, key, &err), BO_OK);
    assert_int_equal(bo_pack_open(world_source(&file), key, &pack, &err), BO_OK);

    assert_string_equal(json_string_value(json_object_get(bo_pack_meta(pack), "point")), "rb_x");
    assert_int_equal(json_integer_value(json_object_get(bo_pack_tail(pack), "rows")), 20);
    assert_int_equal(bo_pack_frame_count(pack), WORLD_FRAMES);
    char hex[2 * BO_ROOT_SIZE + 1];
    (void)sodium_bin2hex(hex, sizeof hex, bo_pack_root(pack), BO_ROOT_SIZE);
    assert_string_equal(hex, root);
    bo_digest sum;
    char text[BO_DIGEST_TEXT_SIZE];
    bo_pack_table_digest(pack, 1, &sum);
    bo_digest_format(&sum, text);
    assert_string_equal(text, digest);
}

static void a_snapshot_of_format_1_is_read(void **state)
{
    (void)state;
    assert_golden("v1.snapshot", NULL,
        "f31f11be1fe86448e3b58048e05da29a1c9430a61def1f99ebe4386cc0c0b68b",
        "90c2cb039781501846e4f6d9747764cb");
}

static void a_changeset_of_format_1_is_read(void **state)
{
    (void)state;
    assert_golden("v1.changeset", NULL,
        "773eaa6adb071d9bf161c9d3355cd7d85ed6ed3a656352d86c9c673fae2cc7e7",
        "83d519fe2085f7b008c28e92dd66ddc5");
}

static void a_snapshot_of_format_1_with_a_key_is_read(void **state)
{
    (void)state;
    bo_pack_key key = {.kind = BO_KEY_BYTES};
    memset(key.bytes, 7, sizeof key.bytes);
    assert_golden("v1-key.snapshot", &key,
        "afe2eeb66c1a2fca533f00c46b73adb2de1155d4ab32fe48e327a4c87d494b54",
        "90c2cb039781501846e4f6d9747764cb");
}

static void a_changeset_of_format_1_with_a_passphrase_is_read(void **state)
{
    (void)state;
    const bo_pack_key key = {.kind = BO_KEY_PASSPHRASE, .passphrase = "golden"};
    assert_golden("v1-passphrase.changeset", &key,
        "61b65364d304d078b143b6b388f848b0a0c9e941aedb5261bf665029b0b1f9ad",
        "83d519fe2085f7b008c28e92dd66ddc5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_of_format_1_is_read),
        cmocka_unit_test(a_changeset_of_format_1_is_read),
        cmocka_unit_test(a_snapshot_of_format_1_with_a_key_is_read),
        cmocka_unit_test(a_changeset_of_format_1_with_a_passphrase_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
