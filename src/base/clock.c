/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/clock.c - time and randomness. */
#include "base/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { US_PER_S = 1000000 };

static atomic_int_least64_t pinned_us;

static int64_t read_clock(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

int64_t bo_clock_now_us(void)
{
    int64_t pinned = atomic_load(&pinned_us);
    return pinned ? pinned : read_clock(CLOCK_REALTIME);
}

int64_t bo_clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void bo_clock_pin(int64_t now_us)
{
    atomic_store(&pinned_us, now_us);
}

/* Splits into calendar fields and microseconds; rounds down, also before 1970. */
static struct tm split(int64_t time_us, int *fraction_us)
{
    int64_t seconds = time_us / US_PER_S;
    int64_t rest = time_us % US_PER_S;
    if (rest < 0) {
        rest += US_PER_S;
        seconds--;
    }
    *fraction_us = (int)rest;
    struct tm tm = {0};
    time_t time = (time_t)seconds;
    gmtime_r(&time, &tm);
    return tm;
}

void bo_time_format(int64_t time_us, char out[BO_TIME_TEXT_SIZE])
{
    int fraction_us;
    struct tm tm = split(time_us, &fraction_us);
    size_t size = strftime(out, BO_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + size, BO_TIME_TEXT_SIZE - size, ".%06dZ", fraction_us);
}

void bo_time_compact(int64_t time_us, char out[BO_TIME_TEXT_SIZE])
{
    int fraction_us;
    struct tm tm = split(time_us, &fraction_us);
    strftime(out, BO_TIME_TEXT_SIZE, "%Y%m%d_%H%M%S", &tm);
}

void bo_random_hex(char *out, unsigned bytes)
{
    unsigned char random[32];
    assert(bytes <= sizeof random);
    if (getentropy(random, bytes) != 0)
        abort(); /* no kernel that runs us lacks it, and a guessable name would be worse */
    for (unsigned i = 0; i < bytes; i++)
        sprintf(out + 2 * (size_t)i, "%02x", random[i]);
    out[2 * (size_t)bytes] = '\0';
}
