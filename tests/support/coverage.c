/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/coverage.c - what a process has run is counted however it ends.
 *
 * tools/coverage links it into every program.  gcc's own counters are written by exit() and before
 * exec; a child of a test ends by _exit(), and one that breaks by raise(SIGKILL).  What a signal
 * handler ends (a kill at any moment) is not counted: the counters cannot be written from there.
 */
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

void __gcov_dump(void);
__attribute__((visibility("default"))) void _exit(int status);
__attribute__((visibility("default"))) int raise(int number);

/* A signal is blocked while it is handled. */
static bool in_handler(void)
{
    sigset_t blocked;
    (void)sigprocmask(SIG_BLOCK, NULL, &blocked);
    return sigismember(&blocked, SIGALRM) == 1;
}

void _exit(int status)
{
    __gcov_dump();
    for (;;)
        (void)syscall(SYS_exit_group, status);
}

int raise(int number)
{
    if (number == SIGKILL && !in_handler())
        __gcov_dump();
    return (int)syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
}
