/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/child.c - the command of `run -- COMMAND`. */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/environment.h"

#define ALIVE_EVERY_S 15
#define PATIENCE_US   10000000 /* between the signal that was passed on and SIGKILL */

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP};
#define PASSED_ON_COUNT (sizeof passed_on / sizeof passed_on[0])

static struct {
    mode_t umask;
    rlim_t core;
    bool known;
} kept;

void cli_child_keep(mode_t umask, rlim_t core)
{
    kept.umask = umask;
    kept.core = core;
    kept.known = true;
}

static void give_back(void)
{
    struct rlimit core;
    if (!kept.known)
        return;
    (void)umask(kept.umask);
    if (getrlimit(RLIMIT_CORE, &core) == 0) {
        core.rlim_cur = kept.core;
        (void)setrlimit(RLIMIT_CORE, &core);
    }
}

static bool is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* In the new process; returns only when the program cannot be started. */
static void become(const cli_child *child, const sigset_t *mask, bool foreground)
{
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* no change goes on without its protection */
    if (foreground)
        (void)tcsetpgrp(STDIN_FILENO, getpid());
    for (size_t i = 0; i < PASSED_ON_COUNT; i++)
        if (!is_ignored(passed_on[i]))
            (void)signal(passed_on[i], SIG_DFL);
    give_back();
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
    (void)signal(SIGTTOU, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
    if (child->stdout_to_stderr)
        (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    cli_environment_set(child);
    (void)execvp(child->command[0], child->command);
}

/* Waits for a signal of `set`, or until something is due. */
static int wait_signal(const sigset_t *set, bool stopping)
{
    struct timespec limit = {.tv_sec = stopping ? 1 : ALIVE_EVERY_S};
    return sigtimedwait(set, NULL, &limit);
}

/* Until the process has ended; *asked is set when it was asked to end. */
static int wait_end(const cli_child *child, pid_t pid, const sigset_t *set, bool *asked)
{
    int ended = 0;
    int64_t stop_us = 0;
    int64_t alive_us = bo_clock_monotonic_us();
    while (waitpid(pid, &ended, WNOHANG) == 0) {
        int got = wait_signal(set, *asked);
        int64_t now = bo_clock_monotonic_us();
        if (got > 0 && got != SIGCHLD) {
            (void)kill(-pid, got);
            (void)kill(-pid, SIGCONT);
            stop_us = *asked ? stop_us : now + PATIENCE_US;
            *asked = true;
        }
        if (*asked && now >= stop_us)
            (void)kill(-pid, SIGKILL);
        if (now - alive_us >= ALIVE_EVERY_S * (int64_t)1000000) {
            child->alive(child->ctx);
            alive_us = now;
        }
    }
    (void)kill(-pid, SIGTERM); /* what it left behind must not go on changing rows */
    return ended;
}

static bo_status judge(const char *name, int ended, bool asked, bo_error *err)
{
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0 && !asked)
        return BO_OK;
    if (asked || (WIFSIGNALED(ended) && WTERMSIG(ended) == SIGINT))
        return bo_fail(err, BO_INTERRUPTED, "'%s' was interrupted", name);
    if (WIFSIGNALED(ended))
        return bo_fail(err, BO_FAILED, "'%s' was killed by signal %d (%s)", name, WTERMSIG(ended),
            strsignal(WTERMSIG(ended)));
    return bo_fail(err, BO_FAILED, "'%s' ended with exit code %d", name, WEXITSTATUS(ended));
}

/* Starts it; a failed exec comes back through a pipe that a successful one closes. */
static bo_status start(
    const cli_child *child, const sigset_t *mask, bool foreground, pid_t *out, bo_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return bo_fail_errno(err, BO_IO, errno, "cannot start '%s'", child->command[0]);
    pid_t pid = fork();
    if (pid == 0) {
        become(child, mask, foreground);
        int why = errno;
        (void)!write(ends[1], &why, sizeof why);
        _exit(127);
    }
    int why = pid < 0 ? errno : 0;
    (void)close(ends[1]);
    if (pid > 0) {
        (void)setpgid(pid, pid);
        while (read(ends[0], &why, sizeof why) < 0 && errno == EINTR)
            continue;
    }
    (void)close(ends[0]);
    if (why == 0) {
        *out = pid;
        return BO_OK;
    }
    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
    return bo_fail_errno(
        err, why == ENOENT ? BO_NOTFOUND : BO_FAILED, why, "cannot start '%s'", child->command[0]);
}

bo_status cli_child_run(const cli_child *child, bo_error *err)
{
    sigset_t set, before;
    bool foreground = isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < PASSED_ON_COUNT; i++)
        if (!is_ignored(passed_on[i]))
            (void)sigaddset(&set, passed_on[i]);
    (void)fflush(NULL);
    (void)sigprocmask(SIG_BLOCK, &set, &before);
    void (*tty_output)(int) = signal(SIGTTOU, SIG_IGN);
    pid_t pid = 0;
    bool asked = false;
    bo_status st = start(child, &before, foreground, &pid, err);
    if (st == BO_OK) {
        int ended = wait_end(child, pid, &set, &asked);
        st = judge(child->command[0], ended, asked, err);
    }
    if (foreground)
        (void)tcsetpgrp(STDIN_FILENO, getpgrp());
    (void)signal(SIGTTOU, tty_output);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return st;
}
