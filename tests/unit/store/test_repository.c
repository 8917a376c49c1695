/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/store/test_repository.c - the local repository on a real disk. */
#include "support/unit.h"

#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/repository.h"

typedef struct world {
    char folder[64]; /* of the test */
    char path[80];   /* of the repository */
    bo_repository *repository;
} world;

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *ftw)
{
    (void)about;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int set_up(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    (void)snprintf(
        w->folder, sizeof w->folder, "%.36s/backout-repository-XXXXXX", temporary_folder());
    assert_non_null(mkdtemp(w->folder));
    (void)snprintf(w->path, sizeof w->path, "%s/repository", w->folder);
    assert_int_equal(bo_repository_open(w->path, &w->repository, NULL), BO_OK);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    bo_repository_free(w->repository);
    (void)nftw(w->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

static int count_entry_total;
static int count_entry(const char *path, const struct stat *about, int type, struct FTW *ftw)
{
    (void)path;
    (void)about;
    (void)ftw;
    count_entry_total += type == FTW_F || type == FTW_SL;
    return 0;
}

static int count_files(const char *path)
{
    count_entry_total = 0;
    (void)nftw(path, count_entry, 16, FTW_PHYS);
    return count_entry_total;
}

static void put(bo_repository *repository, const char *name, const char *text)
{
    BO_OWN(bo_stored_file) *file = NULL;
    assert_int_equal(bo_repository_create(repository, name, &file, NULL), BO_OK);
    bo_sink sink = bo_stored_file_sink(file);
    assert_int_equal(sink.write(sink.ctx, text, strlen(text), NULL), BO_OK);
    assert_int_equal(bo_stored_file_commit(file, NULL), BO_OK);
}

static void what_was_committed_is_read_back_and_is_private(void **state)
{
    world *w = *state;
    put(w->repository, "rb_a_20261120_041739.snapshot", "before-images");

    BO_OWN(bo_stored_source) *source = NULL;
    bo_error err = {0};
    assert_int_equal(
        bo_repository_read(w->repository, "rb_a_20261120_041739.snapshot", &source, &err), BO_OK);
    bo_source bytes = bo_stored_source_get(source);
    char text[8] = "";
    assert_int_equal(bytes.size, 13);
    assert_int_equal(bytes.read(bytes.ctx, 7, text, 6, &err), BO_OK);
    assert_string_equal(text, "images");
    assert_int_equal(bytes.read(bytes.ctx, 8, text, 6, &err), BO_CORRUPT);

    uint64_t size = 0;
    assert_int_equal(
        bo_repository_size(w->repository, "rb_a_20261120_041739.snapshot", &size, &err), BO_OK);
    assert_int_equal(size, 13);

    char path[160];
    struct stat about;
    (void)snprintf(path, sizeof path, "%s/rb_a_20261120_041739.snapshot", w->path);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_int_equal(stat(w->path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0700);
}

static void a_name_that_could_leave_the_folder_is_refused(void **state)
{
    world *w = *state;
    static const char *const names[] = {"", ".", "..", "../x", "a/b", "/etc/passwd", ".hidden",
        "-rf", "tmp", "a\nb", "a b", "a\\b", "\xc3\xa4", "a*"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bo_stored_file *file = NULL;
        bo_stored_source *source = NULL;
        uint64_t size = 0;
        assert_int_equal(bo_repository_create(w->repository, names[i], &file, NULL), BO_INVALID);
        assert_int_equal(bo_repository_read(w->repository, names[i], &source, NULL), BO_INVALID);
        assert_int_equal(bo_repository_remove(w->repository, names[i], NULL), BO_INVALID);
        assert_int_equal(bo_repository_size(w->repository, names[i], &size, NULL), BO_INVALID);
        assert_null(file);
        assert_null(source);
    }
    char long_name[300];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    bo_stored_file *file = NULL;
    assert_int_equal(bo_repository_create(w->repository, long_name, &file, NULL), BO_INVALID);
    assert_int_equal(count_files(w->folder), 0);
}

static void a_folder_that_others_may_write_to_is_refused(void **state)
{
    world *w = *state;
    static const mode_t modes[] = {0770, 0702, 0777};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        bo_repository *other = NULL;
        assert_int_equal(chmod(w->path, modes[i]), 0);
        assert_int_equal(bo_repository_open(w->path, &other, NULL), BO_DENIED);
        assert_null(other);
    }
    assert_int_equal(chmod(w->path, 0700), 0);
}

static void an_uncommitted_file_leaves_nothing(void **state)
{
    world *w = *state;
    bo_stored_file *file = NULL;
    assert_int_equal(bo_repository_create(w->repository, "a.snapshot", &file, NULL), BO_OK);
    bo_sink sink = bo_stored_file_sink(file);
    assert_int_equal(sink.write(sink.ctx, "half", 4, NULL), BO_OK);
    assert_int_equal(count_files(w->path), 1);
    bo_stored_file_free(file);
    assert_int_equal(count_files(w->path), 0);
}

static void a_file_is_never_replaced(void **state)
{
    world *w = *state;
    BO_OWN(bo_stored_file) *late = NULL;
    assert_int_equal(bo_repository_create(w->repository, "a.snapshot", &late, NULL), BO_OK);

    BO_OWN(bo_repository) *other = NULL; /* as another process would have it */
    assert_int_equal(bo_repository_open(w->path, &other, NULL), BO_OK);
    put(other, "a.snapshot", "first");

    bo_sink sink = bo_stored_file_sink(late);
    assert_int_equal(sink.write(sink.ctx, "second", 6, NULL), BO_OK);
    assert_int_equal(bo_stored_file_commit(late, NULL), BO_EXISTS);
    bo_stored_file *third = NULL;
    assert_int_equal(bo_repository_create(w->repository, "a.snapshot", &third, NULL), BO_EXISTS);

    uint64_t size = 0;
    assert_int_equal(bo_repository_size(w->repository, "a.snapshot", &size, NULL), BO_OK);
    assert_int_equal(size, 5);
}

struct names {
    char text[256];
};

static bo_status add_name(void *ctx, const char *name, bo_error *err)
{
    (void)err;
    struct names *names = ctx;
    strcat(names->text, name);
    strcat(names->text, " ");
    return BO_OK;
}

static void a_list_has_the_finished_files_only(void **state)
{
    world *w = *state;
    put(w->repository, "b.snapshot", "b");
    put(w->repository, "a.changes", "a");
    char path[160];
    (void)snprintf(path, sizeof path, "%s/link.snapshot", w->path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    BO_OWN(bo_stored_file) *unfinished = NULL;
    assert_int_equal(bo_repository_create(w->repository, "c.snapshot", &unfinished, NULL), BO_OK);

    struct names names = {""};
    assert_int_equal(bo_repository_list(w->repository, add_name, &names, NULL), BO_OK);
    assert_string_equal(names.text, "a.changes b.snapshot ");
    assert_int_equal(bo_repository_remove(w->repository, "a.changes", NULL), BO_OK);
    assert_int_equal(bo_repository_remove(w->repository, "a.changes", NULL), BO_NOTFOUND);
}

static void a_missing_file_is_named(void **state)
{
    world *w = *state;
    bo_error err = {0};
    bo_stored_source *source = NULL;
    uint64_t size = 0;
    assert_int_equal(bo_repository_read(w->repository, "no.snapshot", &source, &err), BO_NOTFOUND);
    assert_non_null(strstr(err.text, "no.snapshot"));
    assert_int_equal(bo_repository_size(w->repository, "no.snapshot", &size, &err), BO_NOTFOUND);
}

static void more_space_than_there_is_is_refused(void **state)
{
    world *w = *state;
    bo_error err = {0};
    assert_int_equal(bo_repository_check_space(w->repository, 1, &err), BO_OK);
    assert_int_equal(bo_repository_check_space(w->repository, UINT64_C(1) << 62, &err), BO_IO);
    assert_non_null(strstr(err.text, "4.0 EiB are needed"));
    assert_non_null(strstr(err.text, "backout prune"));
}

static void a_scratch_folder_is_private_and_goes_with_the_repository(void **state)
{
    world *w = *state;
    BO_OWN(bo_repository) *own = NULL;
    const char *scratch = NULL;
    const char *again = NULL;
    char kept[256];
    struct stat about;
    assert_int_equal(bo_repository_open(w->path, &own, NULL), BO_OK);
    assert_int_equal(bo_repository_scratch(own, &scratch, NULL), BO_OK);
    assert_int_equal(bo_repository_scratch(own, &again, NULL), BO_OK);
    assert_string_equal(scratch, again);
    assert_int_equal(stat(scratch, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0700);
    (void)snprintf(kept, sizeof kept, "%s/deeper", scratch);
    assert_int_equal(mkdir(kept, 0700), 0);
    (void)snprintf(kept, sizeof kept, "%s/deeper/spill", scratch);
    fclose(fopen(kept, "w"));
    bo_repository_free(BO_TAKE(own));
    assert_int_equal(stat(kept, &about), -1);
    assert_int_equal(count_files(w->path), 0);
}

/* A process that has begun a file and then waits to be killed. */
static void what_is_written_elsewhere_is_read_with_what_the_repository_has(void **state)
{
    world *w = *state;
    char folder[80], path[160];
    uint64_t size = 0;
    bo_error err = {0};
    put(w->repository, "old", "here");
    bo_repository_free(w->repository);
    assert_int_equal(bo_repository_open(w->path, &w->repository, &err), BO_OK);
    (void)snprintf(folder, sizeof folder, "%s/elsewhere", w->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(bo_repository_write_to(w->repository, folder, &err), BO_OK);

    put(w->repository, "new", "there");
    (void)snprintf(path, sizeof path, "%s/new", folder);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(count_files(w->path), 1);
    assert_int_equal(bo_repository_size(w->repository, "old", &size, &err), BO_OK);
    assert_int_equal(size, 4);
    assert_int_equal(bo_repository_size(w->repository, "new", &size, &err), BO_OK);
    assert_int_equal(size, 5);

    BO_OWN(bo_stored_file) *again = NULL;
    assert_int_equal(bo_repository_create(w->repository, "old", &again, &err), BO_EXISTS);
    assert_int_equal(bo_repository_remove(w->repository, "new", &err), BO_OK);
    assert_int_equal(access(path, F_OK), -1);
    const char *scratch = NULL;
    assert_int_equal(bo_repository_scratch(w->repository, &scratch, &err), BO_OK);
    assert_int_equal(strncmp(scratch, folder, strlen(folder)), 0);
}

static pid_t begin_and_wait(world *w, const char *name)
{
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        bo_repository *own = NULL;
        bo_stored_file *file = NULL;
        if (bo_repository_open(w->path, &own, NULL) != BO_OK ||
            bo_repository_create(own, name, &file, NULL) != BO_OK)
            _exit(1);
        bo_sink sink = bo_stored_file_sink(file);
        if (sink.write(sink.ctx, "half", 4, NULL) != BO_OK || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return child;
}

static void kill_and_collect(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* In a child: what it inherited stays its parent's, and it has a folder of its own. */
static int use_as_child(bo_repository *repository, const char *parents)
{
    const char *own = NULL;
    bool in_use = false;
    (void)alarm(5);
    if (bo_repository_in_use(repository, &in_use, NULL) != BO_OK || !in_use)
        return 1;
    if (bo_repository_scratch(repository, &own, NULL) != BO_OK || strcmp(own, parents) == 0)
        return 2;
    bo_repository_free(repository);
    return access(parents, F_OK) == 0 ? 0 : 3;
}

static void a_child_leaves_the_scratch_folder_to_its_parent(void **state)
{
    world *w = *state;
    const char *scratch = NULL;
    char kept[160];
    char parents[128];
    assert_int_equal(bo_repository_scratch(w->repository, &scratch, NULL), BO_OK);
    (void)snprintf(parents, sizeof parents, "%s", scratch);
    (void)snprintf(kept, sizeof kept, "%s/deeper", scratch);
    assert_int_equal(mkdir(kept, 0700), 0);
    for (int uses = 0; uses <= 1; uses++) {
        (void)fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0 && !uses)
            bo_repository_free(w->repository);
        if (child == 0)
            _exit(uses ? use_as_child(w->repository, parents) : 0);
        int how = 0;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_int_equal(how, 0);
        assert_int_equal(access(kept, F_OK), 0);
    }
}

static void a_sweep_removes_what_dead_processes_left_and_nothing_else(void **state)
{
    world *w = *state;
    put(w->repository, "done.snapshot", "done");
    pid_t dead = begin_and_wait(w, "dead.snapshot");
    pid_t alive = begin_and_wait(w, "alive.snapshot");
    BO_OWN(bo_stored_file) *own = NULL;
    assert_int_equal(bo_repository_create(w->repository, "own.snapshot", &own, NULL), BO_OK);

    uint64_t removed = 99;
    assert_int_equal(bo_repository_sweep(w->repository, &removed, NULL), BO_OK);
    assert_int_equal(removed, 0);
    kill_and_collect(dead);
    assert_int_equal(bo_repository_sweep(w->repository, &removed, NULL), BO_OK);
    assert_int_equal(removed, 1);
    assert_int_equal(count_files(w->path), 3); /* done, alive, own */

    kill_and_collect(alive);
    assert_int_equal(bo_repository_sweep(w->repository, &removed, NULL), BO_OK);
    assert_int_equal(removed, 1);
    assert_int_equal(bo_stored_file_commit(own, NULL), BO_OK);
    assert_int_equal(count_files(w->path), 2);
}

/* In a mount namespace of its own, which takes root. */
static int fill_a_small_disk(const char *path)
{
    bo_repository *own = NULL;
    bo_stored_file *file = NULL;
    static char block[65536];
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", path, "tmpfs", 0, "size=256k,mode=0700") != 0)
        return 77;
    if (bo_repository_open(path, &own, NULL) != BO_OK ||
        bo_repository_create(own, "big.snapshot", &file, NULL) != BO_OK)
        return 1;
    bo_sink sink = bo_stored_file_sink(file);
    bo_error err = {0};
    bo_status st = BO_OK;
    for (int i = 0; i < 5 && st == BO_OK; i++)
        st = sink.write(sink.ctx, block, sizeof block, &err);
    if (st != BO_IO || !strstr(err.text, "No space left on device") ||
        bo_stored_file_commit(file, NULL) == BO_OK)
        return 2;
    bo_stored_file_free(file);
    if (bo_repository_check_space(own, 65536, NULL) != BO_OK)
        return 3; /* what was written is not given back */
    put(own, "small.snapshot", "small");
    bo_repository_free(own);
    return count_files(path) == 1 ? 0 : 4;
}

static void a_full_disk_is_an_error_and_gives_back_what_it_took(void **state)
{
    world *w = *state;
    int status = 0;
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(fill_a_small_disk(w->path));
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
}

static void a_file_that_grows_too_large_is_an_error_and_leaves_nothing(void **state)
{
    world *w = *state;
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit small = {100000, 100000};
        (void)signal(SIGXFSZ, SIG_IGN);
        bo_repository *own = NULL;
        bo_stored_file *file = NULL;
        static char block[65536];
        if (setrlimit(RLIMIT_FSIZE, &small) != 0 ||
            bo_repository_open(w->path, &own, NULL) != BO_OK ||
            bo_repository_create(own, "big.snapshot", &file, NULL) != BO_OK)
            _exit(1);
        bo_sink sink = bo_stored_file_sink(file);
        bo_status st = sink.write(sink.ctx, block, sizeof block, NULL);
        bo_error err = {0};
        if (st != BO_OK || sink.write(sink.ctx, block, sizeof block, &err) != BO_IO ||
            !strstr(err.text, "big.snapshot") || bo_stored_file_commit(file, NULL) == BO_OK)
            _exit(2);
        bo_stored_file_free(file);
        bo_repository_free(own);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(count_files(w->path), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_committed_is_read_back_and_is_private),
        TEST(a_name_that_could_leave_the_folder_is_refused),
        TEST(a_folder_that_others_may_write_to_is_refused),
        TEST(an_uncommitted_file_leaves_nothing),
        TEST(a_file_is_never_replaced),
        TEST(a_list_has_the_finished_files_only),
        TEST(a_missing_file_is_named),
        TEST(more_space_than_there_is_is_refused),
        TEST(a_scratch_folder_is_private_and_goes_with_the_repository),
        TEST(what_is_written_elsewhere_is_read_with_what_the_repository_has),
        TEST(a_child_leaves_the_scratch_folder_to_its_parent),
        TEST(a_sweep_removes_what_dead_processes_left_and_nothing_else),
        TEST(a_full_disk_is_an_error_and_gives_back_what_it_took),
        TEST(a_file_that_grows_too_large_is_an_error_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
