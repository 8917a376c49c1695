/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/folder.c - the files of a scene, kept and put back: without processes of their own,
 * which took longer than the operations on SQLite. */
#include "fault/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/unit.h"

static FTS *open_tree(const char *path)
{
    char folder[512];
    char *paths[] = {folder, NULL};
    (void)snprintf(folder, sizeof folder, "%s", path);
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    assert_non_null(tree);
    return tree;
}

static void remove_all_but(const char *folder, const char *kept)
{
    FTS *tree = open_tree(folder);
    for (const FTSENT *at = fts_read(tree); at; at = fts_read(tree)) {
        const bool before = at->fts_info == FTS_D; /* a folder is removed when it is left */
        if (!before && at->fts_level > 0 && strcmp(at->fts_name, kept) != 0)
            assert_int_equal(remove(at->fts_path), 0);
    }
    (void)fts_close(tree);
}

static void copy_bytes(int in, int out, const struct stat *about)
{
    char buffer[65536];
    ssize_t got;
    while ((got = read(in, buffer, sizeof buffer)) > 0)
        assert_int_equal(write(out, buffer, (size_t)got), got);
    assert_int_equal(got, 0);
    assert_int_equal(fchmod(out, about->st_mode & 07777), 0);
    const struct timespec times[] = {about->st_atim, about->st_mtim};
    assert_int_equal(futimens(out, times), 0);
}

static void copy_file(const FTSENT *from, const char *to)
{
    int in = open(from->fts_path, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(in >= 0 && out >= 0);
    copy_bytes(in, out, from->fts_statp);
    assert_int_equal(close(in), 0);
    assert_int_equal(close(out), 0);
}

void folder_copy(const char *from, const char *to, const char *kept)
{
    if (access(to, F_OK) == 0)
        remove_all_but(to, kept);
    FTS *tree = open_tree(from);
    for (const FTSENT *at = fts_read(tree); at; at = fts_read(tree)) {
        char path[1024];
        (void)snprintf(path, sizeof path, "%s%s", to, at->fts_path + strlen(from));
        if (at->fts_info == FTS_D)
            assert_true(mkdir(path, at->fts_statp->st_mode & 07777) == 0 || errno == EEXIST);
        else if (at->fts_info == FTS_F)
            copy_file(at, path);
        else
            assert_int_equal(at->fts_info, FTS_DP);
    }
    (void)fts_close(tree);
}
