/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/base/test_nomem.c - every allocation of base fails once. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"
#include "support/fault_memory.h"
#include "support/unit.h"

/* Every test stands in an empty folder of its own. */
static int enter_folder(void **state)
{
    char *folder = strdup("/tmp/backout-test-nomem-XXXXXX");
    *state = folder;
    return folder && mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    free(*state);
    return chdir("/") == 0 ? system(command) : -1;
}

static int next_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(fd);
    return fd;
}

static void a_buffer_tells_of_every_lost_addition(void **state)
{
    (void)state;
    bo_status st;
    unsigned nth = 0;
    do {
        BO_OWN_VALUE(bo_buf) buf = {0};
        fault_memory_arm(++nth);
        for (int i = 0; i < 40; i++)
            bo_text_escape(&buf, "some text\n", 10);
        bo_buf_printf(&buf, "%d", 7);
        bool fired = fault_memory_fired();
        st = bo_buf_check(&buf, NULL);
        assert_int_equal(st, fired ? BO_NOMEM : BO_OK);
    } while (st != BO_OK);
}

static bool fill(bo_arena *arena)
{
    int *items = NULL;
    for (size_t i = 0; i < 3000; i++) {
        items = bo_arena_grow(arena, items, i, sizeof *items);
        if (!items)
            return false;
        items[i] = 1;
    }
    return bo_arena_str(arena, "text") && bo_arena_printf(arena, "%s", "text");
}

static void an_arena_fails_and_is_freed_as_a_whole(void **state)
{
    (void)state;
    bool done, fired;
    unsigned nth = 0;
    do {
        fault_memory_arm(++nth);
        BO_OWN(bo_arena) *arena = bo_arena_create();
        done = arena && fill(arena);
        fired = fault_memory_fired();
        assert_int_equal(done, !fired);
    } while (fired);
}

static void a_file_is_whole_or_absent(void **state)
{
    (void)state;
    bo_status st;
    unsigned nth = 0;
    int before = next_descriptor();
    do {
        bo_error err = {0};
        fault_memory_arm(++nth);
        st = bo_file_write("f", "text", 4, false, &err);
        bool fired = fault_memory_fired();
        assert_int_equal(st, fired ? BO_NOMEM : BO_OK);
        assert_int_equal(access("f", F_OK), fired ? -1 : 0);
        assert_int_equal(next_descriptor(), before);
    } while (st != BO_OK);
}

static void reading_fails_cleanly(void **state)
{
    (void)state;
    assert_int_equal(bo_file_write("f", "text", 4, false, NULL), BO_OK);
    bo_status st;
    unsigned nth = 0;
    int before = next_descriptor();
    do {
        BO_OWN_VALUE(bo_buf) content = {0};
        bo_infile *file = NULL;
        fault_memory_arm(++nth);
        st = bo_infile_open("f", &file, NULL);
        if (st == BO_OK)
            st = bo_file_slurp("f", 10, &content, NULL);
        bool fired = fault_memory_fired();
        bo_infile_free(file);
        assert_int_equal(st, fired ? BO_NOMEM : BO_OK);
        assert_string_equal(bo_buf_str(&content), fired ? "" : "text");
        assert_int_equal(next_descriptor(), before);
    } while (st != BO_OK);
}

static bo_status pass(void *ctx, const char *name, bo_error *err)
{
    (void)ctx;
    (void)name;
    (void)err;
    return BO_OK;
}

static void folders_fail_cleanly(void **state)
{
    (void)state;
    bo_status st;
    unsigned nth = 0;
    int before = next_descriptor();
    do {
        fault_memory_arm(++nth);
        st = bo_dir_create("a/b", NULL);
        if (st == BO_OK)
            st = bo_dir_list(".", pass, NULL, NULL);
        if (st == BO_OK)
            st = bo_file_remove("none", NULL) == BO_NOTFOUND ? BO_OK : BO_NOMEM;
        bool fired = fault_memory_fired();
        assert_int_equal(st, fired ? BO_NOMEM : BO_OK);
        assert_int_equal(next_descriptor(), before);
    } while (st != BO_OK);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_tells_of_every_lost_addition),
        cmocka_unit_test(an_arena_fails_and_is_freed_as_a_whole),
        IN_FOLDER(a_file_is_whole_or_absent),
        IN_FOLDER(reading_fails_cleanly),
        IN_FOLDER(folders_fail_cleanly),
    };
    return cmocka_run_group_tests_name("base/nomem", tests, NULL, NULL);
}
