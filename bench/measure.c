/* SPDX-License-Identifier: Apache-2.0 */
/* bench/measure.c - runs a command and writes what it took: wall and CPU seconds, peak memory. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: measure OUTPUT-FILE COMMAND [ARGUMENT...]\n");
        return 2;
    }
    double started = seconds_now();
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status;
    struct rusage used;
    if (child < 0 || wait4(child, &status, 0, &used) != child) {
        perror("measure");
        return 1;
    }
    double wall = seconds_now() - started;
    FILE *file = fopen(argv[1], "w");
    if (!file ||
        fprintf(file, "{\"wall\":%.6f,\"cpu\":%.6f,\"rss_kib\":%ld}\n", wall,
            seconds_of(used.ru_utime) + seconds_of(used.ru_stime), used.ru_maxrss) < 0 ||
        fclose(file) != 0) {
        perror(argv[1]);
        return 1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
