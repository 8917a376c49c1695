/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/base/test_file.c - files that are whole or absent, on a real file system. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/unit.h"

/* Every test stands in an empty folder of its own. */
static int enter_folder(void **state)
{
    char *folder = strdup("/tmp/backout-test-file-XXXXXX");
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

static unsigned entries_of(const char *path)
{
    DIR *dir = opendir(path);
    assert_non_null(dir);
    unsigned count = 0;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void assert_content(const char *path, const char *expected)
{
    BO_OWN_VALUE(bo_buf) content = {0};
    assert_int_equal(bo_file_slurp(path, 1 << 20, &content, NULL), BO_OK);
    assert_string_equal(bo_buf_str(&content), expected);
}

static void a_file_appears_whole_at_commit(void **state)
{
    (void)state;
    BO_OWN(bo_outfile) *file = NULL;
    assert_int_equal(bo_outfile_create("f", &file, NULL), BO_OK);
    assert_int_equal(bo_outfile_write(file, "one ", 4, NULL), BO_OK);
    assert_int_equal(bo_outfile_write(file, "two", 3, NULL), BO_OK);
    assert_int_equal(bo_outfile_write(file, NULL, 0, NULL), BO_OK);
    assert_int_equal(bo_outfile_size(file), 7);
    assert_int_equal(access("f", F_OK), -1);
    assert_int_equal(bo_outfile_commit(file, false, NULL), BO_OK);
    assert_content("f", "one two");
    assert_int_equal(entries_of("."), 1);
}

static void a_file_that_is_not_committed_leaves_nothing(void **state)
{
    (void)state;
    {
        BO_OWN(bo_outfile) *file = NULL;
        assert_int_equal(bo_outfile_create("f", &file, NULL), BO_OK);
        assert_int_equal(bo_outfile_write(file, "half", 4, NULL), BO_OK);
        assert_int_equal(entries_of("."), 1);
    }
    assert_int_equal(entries_of("."), 0);
}

static void a_commit_replaces_only_when_told(void **state)
{
    (void)state;
    bo_error err = {0};
    assert_int_equal(bo_file_write("f", "old", 3, false, &err), BO_OK);
    assert_int_equal(bo_file_write("f", "new", 3, false, &err), BO_EXISTS);
    assert_string_equal(err.text, "'f' exists already");
    assert_content("f", "old");
    assert_int_equal(bo_file_write("f", "new", 3, true, &err), BO_OK);
    assert_content("f", "new");
    assert_int_equal(entries_of("."), 1);
}

static void a_committed_file_takes_no_more(void **state)
{
    (void)state;
    BO_OWN(bo_outfile) *file = NULL;
    assert_int_equal(bo_outfile_create("f", &file, NULL), BO_OK);
    assert_int_equal(bo_outfile_commit(file, false, NULL), BO_OK);
    assert_int_equal(bo_outfile_write(file, "x", 1, NULL), BO_IO);
    assert_int_equal(bo_outfile_commit(file, true, NULL), BO_IO);
    assert_content("f", "");
}

static void check_mode_under_umask(mode_t mask)
{
    mode_t before = umask(mask);
    bo_status st = bo_file_write("f", "x", 1, true, NULL);
    umask(before);
    assert_int_equal(st, BO_OK);
    struct stat facts;
    assert_int_equal(stat("f", &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
}

static void the_mode_is_0600_whatever_the_umask(void **state)
{
    (void)state;
    check_mode_under_umask(0);
    check_mode_under_umask(0777);
    check_mode_under_umask(022);
}

static void a_symbolic_link_at_the_path_is_neither_followed_nor_replaced(void **state)
{
    (void)state;
    assert_int_equal(bo_file_write("victim", "untouched", 9, false, NULL), BO_OK);
    assert_int_equal(symlink("victim", "link"), 0);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_int_equal(bo_file_write("link", "x", 1, false, NULL), BO_EXISTS);
    assert_int_equal(bo_file_write("dangling", "x", 1, false, NULL), BO_EXISTS);
    assert_int_equal(bo_file_write("link", "x", 1, true, NULL), BO_EXISTS);
    assert_content("victim", "untouched");
    struct stat facts;
    assert_int_equal(lstat("link", &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_int_equal(access("nowhere", F_OK), -1);
}

static void only_a_regular_file_is_replaced(void **state)
{
    (void)state;
    bo_error err = {0};
    BO_OWN(bo_outfile) *file = NULL;
    assert_int_equal(bo_outfile_create("pipe", &file, &err), BO_OK);
    assert_int_equal(mkfifo("pipe", 0600), 0); /* it came while the file was written */
    assert_int_equal(bo_outfile_commit(file, true, &err), BO_EXISTS);
    assert_string_equal(err.text, "'pipe' is there and is not a regular file");
    assert_int_equal(bo_file_write("pipe", "x", 1, true, &err), BO_EXISTS);
    struct stat facts;
    assert_int_equal(lstat("pipe", &facts), 0);
    assert_true(S_ISFIFO(facts.st_mode));
}

static void temporary_names_differ_and_do_not_tell_the_path(void **state)
{
    (void)state;
    BO_OWN(bo_outfile) *one = NULL, *two = NULL;
    assert_int_equal(bo_outfile_create("secret-name", &one, NULL), BO_OK);
    assert_int_equal(bo_outfile_create("secret-name", &two, NULL), BO_OK);
    assert_int_equal(entries_of("."), 2);
    assert_int_equal(system("ls -A | grep -q secret-name"), 256);
    assert_int_equal(bo_outfile_commit(one, false, NULL), BO_OK);
    assert_int_equal(bo_outfile_commit(two, false, NULL), BO_EXISTS);
}

static void a_name_may_be_as_long_as_the_system_allows(void **state)
{
    (void)state;
    char name[256] = {0};
    memset(name, 'n', 255);
    assert_int_equal(bo_file_write(name, "x", 1, false, NULL), BO_OK);
    assert_content(name, "x");
}

static void a_missing_folder_is_told(void **state)
{
    (void)state;
    bo_error err = {0};
    bo_outfile *file = NULL;
    assert_int_equal(bo_outfile_create("none/f", &file, &err), BO_IO);
    assert_string_equal(err.text, "cannot create 'none/f': No such file or directory");
    assert_null(file);
}

static void a_file_moved_under_our_feet_is_not_confused(void **state)
{
    (void)state;
    assert_int_equal(mkdir("a", 0700), 0);
    BO_OWN(bo_outfile) *file = NULL;
    assert_int_equal(bo_outfile_create("a/f", &file, NULL), BO_OK);
    assert_int_equal(rename("a", "b"), 0);
    assert_int_equal(mkdir("a", 0700), 0);
    assert_int_equal(bo_outfile_commit(file, false, NULL), BO_OK);
    assert_int_equal(entries_of("a"), 0);
    assert_int_equal(access("b/f", F_OK), 0);
}

static void a_failed_write_condemns_the_file(void **state)
{
    (void)state;
    struct rlimit before, small = {1000, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    char data[800] = {0};
    bo_error err = {0};
    BO_OWN(bo_outfile) *file = NULL;
    assert_int_equal(bo_outfile_create("f", &file, &err), BO_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bo_status first = bo_outfile_write(file, data, sizeof data, &err);
    bo_status second = bo_outfile_write(file, data, sizeof data, &err); /* short, then refused */
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(first, BO_OK);
    assert_int_equal(second, BO_IO);
    assert_string_equal(err.text, "cannot write 'f': File too large");
    assert_int_equal(bo_outfile_size(file), sizeof data);
    assert_int_equal(bo_outfile_write(file, data, 1, &err), BO_IO);
    assert_int_equal(bo_outfile_commit(file, false, &err), BO_IO);
    assert_string_equal(err.text, "cannot write 'f': an earlier write failed");
    assert_int_equal(access("f", F_OK), -1);
}

static bool map_to_root(const char *path, unsigned id)
{
    BO_OWN_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && dprintf(fd, "0 %u 1", id) > 0;
}

/* Mounts are ours alone from here on; who is not root becomes root of a user namespace first. */
static bool own_mounts(void)
{
    if (unshare(CLONE_NEWNS) == 0)
        return true;
    unsigned uid = geteuid(), gid = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    BO_OWN_FD int fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, "deny", 4) == 4 && map_to_root("/proc/self/uid_map", uid) &&
           map_to_root("/proc/self/gid_map", gid);
}

/* In a child with a file system of its own; 77: this machine does not let us. */
static int fill_a_small_disk(void)
{
    if (!own_mounts())
        return 77;
    if (mkdir("disk", 0700) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", "disk", "tmpfs", 0, "size=128k") != 0)
        return 77;
    static char data[65536];
    bo_error err = {0};
    if (bo_file_write("disk/kept", "kept", 4, false, &err) != BO_OK)
        return 1;
    BO_OWN(bo_outfile) *file = NULL;
    if (bo_outfile_create("disk/f", &file, &err) != BO_OK)
        return 2;
    bo_status st = BO_OK;
    for (int i = 0; i < 4 && st == BO_OK; i++)
        st = bo_outfile_write(file, data, sizeof data, &err);
    if (st != BO_IO || strcmp(err.text, "cannot write 'disk/f': No space left on device") != 0)
        return 3;
    bo_outfile_free(BO_TAKE(file));
    if (entries_of("disk") != 1)
        return 4;
    uint64_t bytes = 0; /* the half-written file gave its room back */
    return bo_dir_free_space("disk", &bytes, &err) == BO_OK && bytes >= 65536 ? 0 : 5;
}

static void a_full_disk_leaves_no_partial_file(void **state)
{
    (void)state;
    (void)fflush(NULL);
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0)
        _exit(fill_a_small_disk());
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_killed_writer_leaves_nothing_at_the_path(void **state)
{
    (void)state;
    assert_int_equal(bo_file_write("f", "old", 3, false, NULL), BO_OK);
    (void)fflush(NULL);
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        bo_outfile *file = NULL;
        if (bo_outfile_create("f", &file, NULL) == BO_OK &&
            bo_outfile_write(file, "half", 4, NULL) == BO_OK)
            raise(SIGKILL);
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_content("f", "old");
}

static void a_read_is_exact_or_corrupt(void **state)
{
    (void)state;
    assert_int_equal(bo_file_write("f", "0123456789", 10, false, NULL), BO_OK);
    BO_OWN(bo_infile) *file = NULL;
    bo_error err = {0};
    assert_int_equal(bo_infile_open("f", &file, &err), BO_OK);
    assert_int_equal(bo_infile_size(file), 10);
    char data[16] = "";
    assert_int_equal(bo_infile_read(file, 3, data, 4, &err), BO_OK);
    assert_memory_equal(data, "3456", 4);
    assert_int_equal(bo_infile_read(file, 10, data, 0, &err), BO_OK);
    assert_int_equal(bo_infile_read(file, 9, data, 2, &err), BO_CORRUPT);
    assert_string_equal(err.text, "'f' ends too early");
    assert_int_equal(bo_infile_read(file, UINT64_MAX, data, 1, &err), BO_CORRUPT);
    assert_int_equal(bo_infile_read(file, INT64_MAX, data, 16, &err), BO_CORRUPT);
}

static void what_is_not_a_file_is_not_opened(void **state)
{
    (void)state;
    bo_infile *file = NULL;
    bo_error err = {0};
    assert_int_equal(bo_infile_open("none", &file, &err), BO_NOTFOUND);
    assert_int_equal(bo_infile_open(".", &file, &err), BO_IO);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(bo_infile_open("pipe", &file, &err), BO_IO); /* and does not wait for ever */
    assert_string_equal(err.text, "cannot open 'pipe': not a regular file");
    assert_null(file);
}

static void slurp_reads_up_to_its_limit(void **state)
{
    (void)state;
    assert_int_equal(bo_file_write("f", "12345", 5, false, NULL), BO_OK);
    BO_OWN_VALUE(bo_buf) content = {0};
    bo_buf_add_str(&content, "before ");
    bo_error err = {0};
    assert_int_equal(bo_file_slurp("f", 4, &content, &err), BO_INVALID);
    assert_string_equal(err.text, "'f' is larger than 4 bytes");
    assert_int_equal(bo_file_slurp("none", 4, &content, &err), BO_NOTFOUND);
    assert_int_equal(bo_file_slurp(".", 4, &content, &err), BO_IO);
    assert_string_equal(bo_buf_str(&content), "before ");
    assert_int_equal(bo_file_slurp("f", 5, &content, &err), BO_OK);
    assert_string_equal(bo_buf_str(&content), "before 12345");
}

static void slurp_stops_at_an_endless_file(void **state)
{
    (void)state;
    BO_OWN_VALUE(bo_buf) content = {0};
    assert_int_equal(bo_file_slurp("/dev/zero", 1 << 20, &content, NULL), BO_INVALID);
    assert_int_equal(content.size, 0);
}

static void slurp_reads_large_files_and_nothing_from_an_empty_one(void **state)
{
    (void)state;
    BO_OWN_MEM char *data = malloc(1000000);
    memset(data, 'x', 1000000);
    assert_int_equal(bo_file_write("large", data, 1000000, false, NULL), BO_OK);
    assert_int_equal(bo_file_write("empty", NULL, 0, false, NULL), BO_OK);
    BO_OWN_VALUE(bo_buf) content = {0};
    assert_int_equal(bo_file_slurp("empty", 0, &content, NULL), BO_OK);
    assert_int_equal(content.size, 0);
    assert_int_equal(bo_file_slurp("large", 1000000, &content, NULL), BO_OK);
    assert_int_equal(content.size, 1000000);
    assert_memory_equal(content.data, data, 1000000);
}

static void a_removed_file_is_gone(void **state)
{
    (void)state;
    bo_error err = {0};
    assert_int_equal(bo_file_write("f", "x", 1, false, NULL), BO_OK);
    assert_int_equal(bo_file_remove("f", &err), BO_OK);
    assert_int_equal(bo_file_remove("f", &err), BO_NOTFOUND);
    assert_string_equal(err.text, "cannot remove 'f': No such file or directory");
    assert_int_equal(bo_file_remove("none/f", &err), BO_NOTFOUND);
}

static void a_temporary_descriptor_has_no_name(void **state)
{
    (void)state;
    BO_OWN_FD int fd = -1;
    assert_int_equal(bo_temp_fd(".", &fd, NULL), BO_OK);
    assert_int_equal(entries_of("."), 0);
    assert_int_equal(write(fd, "spill", 5), 5);
    char data[5];
    assert_int_equal(pread(fd, data, 5, 0), 5);
    assert_memory_equal(data, "spill", 5);
    int none = -1;
    assert_int_equal(bo_temp_fd("none", &none, NULL), BO_IO);
    assert_int_equal(none, -1);
}

static void errno_tells_rights_from_faults(void **state)
{
    (void)state;
    assert_int_equal(bo_io_status(EACCES), BO_DENIED);
    assert_int_equal(bo_io_status(EPERM), BO_DENIED);
    assert_int_equal(bo_io_status(ENOMEM), BO_NOMEM);
    assert_int_equal(bo_io_status(ENOSPC), BO_IO);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_file_appears_whole_at_commit),
        IN_FOLDER(a_file_that_is_not_committed_leaves_nothing),
        IN_FOLDER(a_commit_replaces_only_when_told),
        IN_FOLDER(a_committed_file_takes_no_more),
        IN_FOLDER(the_mode_is_0600_whatever_the_umask),
        IN_FOLDER(a_symbolic_link_at_the_path_is_neither_followed_nor_replaced),
        IN_FOLDER(only_a_regular_file_is_replaced),
        IN_FOLDER(temporary_names_differ_and_do_not_tell_the_path),
        IN_FOLDER(a_name_may_be_as_long_as_the_system_allows),
        IN_FOLDER(a_missing_folder_is_told),
        IN_FOLDER(a_file_moved_under_our_feet_is_not_confused),
        IN_FOLDER(a_failed_write_condemns_the_file),
        IN_FOLDER(a_full_disk_leaves_no_partial_file),
        IN_FOLDER(a_killed_writer_leaves_nothing_at_the_path),
        IN_FOLDER(a_read_is_exact_or_corrupt),
        IN_FOLDER(what_is_not_a_file_is_not_opened),
        IN_FOLDER(slurp_reads_up_to_its_limit),
        IN_FOLDER(slurp_stops_at_an_endless_file),
        IN_FOLDER(slurp_reads_large_files_and_nothing_from_an_empty_one),
        IN_FOLDER(a_removed_file_is_gone),
        IN_FOLDER(a_temporary_descriptor_has_no_name),
        cmocka_unit_test(errno_tells_rights_from_faults),
    };
    return cmocka_run_group_tests_name("base/file", tests, NULL, NULL);
}
