/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/base/test_durable.c - files and folders when a call fails, and when the power is cut.
 */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "support/fault_files.h"
#include "support/power_loss.h"
#include "support/unit.h"

#define OLD "what was there before"

enum { NEW_SIZE = 200000 };

/* What is done in a folder, and what the folder may be like then. */
typedef struct task {
    bo_status (*run)(const char *folder, bo_error *err);
    bool (*is_undone)(const char *folder);
    bool (*is_done)(const char *folder);
    bool may_be_done; /* after a failure: it cannot be taken back */
} task;

/* Of the process that breaks. */
static struct shared {
    bool returned, fired;
    bo_status status;
    char text[sizeof((bo_error *)0)->text];
} * shared;
static unsigned moments, moment_of_loss;
static power_loss loss;

static const char *in(const char *folder, const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const char *new_content(void)
{
    static char content[NEW_SIZE + 1];
    for (size_t i = 0; i < NEW_SIZE; i++)
        content[i] = (char)('a' + i % 23);
    return content;
}

static bool holds(const char *folder, const char *content)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    return bo_file_slurp(in(folder, "file"), 2 * NEW_SIZE, &text, NULL) == BO_OK &&
           strcmp(bo_buf_str(&text), content) == 0;
}

static bool is_old(const char *folder)
{
    return holds(folder, OLD);
}

static bool is_new(const char *folder)
{
    return holds(folder, new_content());
}

static bool is_gone(const char *folder)
{
    return access(in(folder, "file"), F_OK) != 0 && errno == ENOENT;
}

static bool has_folders(const char *folder)
{
    struct stat about;
    return stat(in(folder, "one/two"), &about) == 0 && S_ISDIR(about.st_mode);
}

static bool lacks_folders(const char *folder)
{
    return !has_folders(folder);
}

static bo_status write_anew(const char *folder, bo_error *err)
{
    return bo_file_write(in(folder, "file"), new_content(), NEW_SIZE, true, err);
}

static bo_status write_first(const char *folder, bo_error *err)
{
    bo_status st = bo_file_remove(in(folder, "file"), err);
    return st == BO_OK ? bo_file_write(in(folder, "file"), new_content(), NEW_SIZE, false, err)
                       : st;
}

static bo_status remove_file(const char *folder, bo_error *err)
{
    return bo_file_remove(in(folder, "file"), err);
}

static bo_status make_folders(const char *folder, bo_error *err)
{
    return bo_dir_create(in(folder, "one/two"), err);
}

static bool is_old_or_gone(const char *folder)
{
    return is_old(folder) || is_gone(folder);
}

static const task tasks[] = {
    {write_anew, is_old, is_new, true},
    {write_first, is_old_or_gone, is_new, false},
    {remove_file, is_old, is_gone, true},
    {make_folders, lacks_folders, has_folders, true},
};

/* ---- an attempt ---- */

static void pass_moment(void)
{
    if (++moments != moment_of_loss)
        return;
    shared->fired = true;
    power_loss_strike(loss, moment_of_loss);
    (void)raise(SIGKILL);
}

static void run_task(const task *what, const char *folder)
{
    bo_error err = {0};
    shared->status = what->run(folder, &err);
    (void)snprintf(shared->text, sizeof shared->text, "%s", err.text);
    shared->returned = true;
}

/* Runs it in a process of its own, which `prepare` breaks. */
static const char *attempt(const task *what, void (*prepare)(const char *folder), unsigned nth)
{
    static char folder[256];
    (void)snprintf(folder, sizeof folder, "%.200s/backout-durable-XXXXXX", temporary_folder());
    assert_non_null(mkdtemp(folder));
    assert_int_equal(bo_file_write(in(folder, "file"), OLD, strlen(OLD), false, NULL), BO_OK);
    *shared = (struct shared){0};
    moment_of_loss = nth;
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        prepare(folder);
        run_task(what, folder);
        if (moment_of_loss)
            pass_moment();
        shared->fired = fault_files_fired();
        _exit(0);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) || WTERMSIG(how) == SIGKILL);
    return folder;
}

static void remove_folder(const char *folder)
{
    char command[300];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

/* ---- a call fails ---- */

static file_fault fault;
static unsigned place;

static void arm_fault(const char *folder)
{
    fault_files_arm(fault, place, folder);
}

static bool has_temporary_file(const char *folder)
{
    char command[300];
    (void)snprintf(command, sizeof command, "find '%s' -name '.backout-*' | grep -q .", folder);
    return system(command) == 0;
}

static void check_after_fault(const task *what, const char *folder)
{
    if (shared->status == BO_OK)
        assert_true(what->is_done(folder));
    else
        assert_true(what->is_undone(folder) ||
                    ((what->may_be_done || fault == FILE_GONE) && what->is_done(folder)));
    bool told = strstr(shared->text, strerror(EIO)) || strstr(shared->text, strerror(ENOSPC));
    assert_true(shared->status == BO_OK || told);
    if (fault == FILE_SHORT)
        assert_int_equal(shared->status, BO_OK);
    if (fault != FILE_GONE)
        assert_false(has_temporary_file(folder));
}

static void whatever_call_fails_all_or_nothing_is_done_and_the_reason_is_told(void **state)
{
    static const file_fault faults[] = {FILE_FAILS, FILE_SHORT, FILE_FULL, FILE_GONE};
    unsigned fired = 0;
    (void)state;
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks * 4; i++) {
        fault = faults[i % 4];
        place = 0;
        do {
            place++;
            const char *folder = attempt(&tasks[i / 4], arm_fault, 0);
            assert_true(shared->returned);
            check_after_fault(&tasks[i / 4], folder);
            remove_folder(folder);
            fired += shared->fired;
        } while (shared->fired);
        assert_int_equal(shared->status, BO_OK);
    }
    print_message(
        "# sweep a file call fails in durable files: %u faults, %u survived\n", fired, fired);
}

/* ---- the power is cut ---- */

static void arm_loss(const char *folder)
{
    power_loss_begin(folder, pass_moment);
}

static void whenever_the_power_is_cut_all_or_nothing_is_left_and_what_was_done_is(void **state)
{
    unsigned fired = 0;
    (void)state;
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks * LOSSES; i++) {
        const task *what = &tasks[i / LOSSES];
        loss = (power_loss)(i % LOSSES);
        for (unsigned nth = 1; nth == 1 || shared->fired; nth++) {
            const char *folder = attempt(what, arm_loss, nth);
            assert_true(!shared->returned || shared->status == BO_OK);
            assert_true(what->is_done(folder) || (!shared->returned && what->is_undone(folder)));
            remove_folder(folder);
            fired += shared->fired;
        }
    }
    print_message(
        "# sweep the power is cut beside durable files: %u faults, %u survived\n", fired, fired);
}

static int share(void **state)
{
    (void)state;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_call_fails_all_or_nothing_is_done_and_the_reason_is_told),
        cmocka_unit_test(whenever_the_power_is_cut_all_or_nothing_is_left_and_what_was_done_is),
    };
    return cmocka_run_group_tests_name("durable", tests, share, NULL);
}
