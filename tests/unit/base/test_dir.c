/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/base/test_dir.c - folders, on a real file system. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "support/unit.h"

/* Every test stands in an empty folder of its own. */
static int enter_folder(void **state)
{
    char *folder = strdup("/tmp/backout-test-dir-XXXXXX");
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

static mode_t mode_of(const char *path)
{
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    return facts.st_mode & 07777;
}

static void parents_are_made_and_private_whatever_the_umask(void **state)
{
    (void)state;
    mode_t before = umask(0);
    bo_status open = bo_dir_create("a/b/c", NULL);
    umask(0777);
    bo_status closed = bo_dir_create("d//e/", NULL);
    umask(before);
    assert_int_equal(open, BO_OK);
    assert_int_equal(closed, BO_OK);
    assert_int_equal(mode_of("a"), 0700);
    assert_int_equal(mode_of("a/b/c"), 0700);
    assert_int_equal(mode_of("d/e"), 0700);
}

static void a_folder_that_is_there_stays_as_it_is(void **state)
{
    (void)state;
    assert_int_equal(mkdir("a", 0700), 0);
    assert_int_equal(chmod("a", 0755), 0);
    assert_int_equal(bo_dir_create("a", NULL), BO_OK);
    assert_int_equal(bo_dir_create("/", NULL), BO_OK);
    assert_int_equal(mode_of("a"), 0755);
}

static void a_file_in_the_way_is_told(void **state)
{
    (void)state;
    bo_error err = {0};
    assert_int_equal(bo_file_write("f", "", 0, false, NULL), BO_OK);
    assert_int_equal(bo_dir_create("f", &err), BO_IO);
    assert_string_equal(err.text, "cannot create the folder 'f': File exists");
    assert_int_equal(bo_dir_create("f/below", &err), BO_IO);
    assert_string_equal(err.text, "cannot create the folder 'f': File exists");
}

static void a_folder_others_may_write_to_is_refused(void **state)
{
    (void)state;
    bo_error err = {0};
    assert_int_equal(bo_dir_create("a", NULL), BO_OK);
    assert_int_equal(bo_dir_check_private("a", &err), BO_OK);
    static const mode_t bad[] = {0720, 0702, 0777, 01777};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(chmod("a", bad[i]), 0);
        assert_int_equal(bo_dir_check_private("a", &err), BO_DENIED);
        assert_string_equal(err.text, "others may write to the folder 'a'");
    }
    assert_int_equal(chmod("a", 0755), 0);
    assert_int_equal(bo_dir_check_private("a", &err), BO_OK);
    assert_int_equal(bo_dir_check_private("none", &err), BO_NOTFOUND);
}

static void a_folder_of_somebody_else_is_refused(void **state)
{
    (void)state;
    bo_error err = {0};
    assert_int_equal(bo_dir_create("a", NULL), BO_OK);
    if (geteuid() == 0)
        assert_int_equal(chown("a", 65534, 65534), 0);
    const char *foreign = geteuid() == 0 ? "a" : "/";
    assert_int_equal(bo_dir_check_private(foreign, &err), BO_DENIED);
    assert_non_null(strstr(err.text, "belongs to another user"));
}

struct names {
    char text[128];
    unsigned stop_after;
};

static bo_status join(void *ctx, const char *name, bo_error *err)
{
    struct names *names = ctx;
    strcat(names->text, name);
    strcat(names->text, ",");
    if (names->stop_after && --names->stop_after == 0)
        return bo_fail(err, BO_CORRUPT, "enough");
    return BO_OK;
}

static void entries_come_in_byte_order(void **state)
{
    (void)state;
    static const char *const made[] = {"b", "a", "B", "a-", "\xc3\xa9", ".hidden", "10", "9"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        assert_int_equal(bo_file_write(made[i], "", 0, false, NULL), BO_OK);
    struct names names = {0};
    assert_int_equal(bo_dir_list(".", join, &names, NULL), BO_OK);
    assert_string_equal(names.text, ".hidden,10,9,B,a,a-,b,\xc3\xa9,");
}

static void a_list_stops_when_told(void **state)
{
    (void)state;
    assert_int_equal(bo_file_write("a", "", 0, false, NULL), BO_OK);
    assert_int_equal(bo_file_write("b", "", 0, false, NULL), BO_OK);
    struct names names = {.stop_after = 1};
    bo_error err = {0};
    assert_int_equal(bo_dir_list(".", join, &names, &err), BO_CORRUPT);
    assert_string_equal(names.text, "a,");
    assert_string_equal(err.text, "enough");
}

static void an_empty_and_a_missing_folder_differ(void **state)
{
    (void)state;
    struct names names = {0};
    assert_int_equal(bo_dir_list(".", join, &names, NULL), BO_OK);
    assert_string_equal(names.text, "");
    assert_int_equal(bo_dir_list("none", join, &names, NULL), BO_NOTFOUND);
}

static void free_space_is_known(void **state)
{
    (void)state;
    uint64_t bytes = 0;
    assert_int_equal(bo_dir_free_space(".", &bytes, NULL), BO_OK);
    assert_true(bytes > 0);
    assert_int_equal(bo_dir_free_space("none", &bytes, NULL), BO_NOTFOUND);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(parents_are_made_and_private_whatever_the_umask),
        IN_FOLDER(a_folder_that_is_there_stays_as_it_is),
        IN_FOLDER(a_file_in_the_way_is_told),
        IN_FOLDER(a_folder_others_may_write_to_is_refused),
        IN_FOLDER(a_folder_of_somebody_else_is_refused),
        IN_FOLDER(entries_come_in_byte_order),
        IN_FOLDER(a_list_stops_when_told),
        IN_FOLDER(an_empty_and_a_missing_folder_differ),
        IN_FOLDER(free_space_is_known),
    };
    return cmocka_run_group_tests_name("base/dir", tests, NULL, NULL);
}
