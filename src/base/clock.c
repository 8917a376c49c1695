/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/clock.c - time and randomness. */
#include "base/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* Reads `count` digits and, if `after` is not 0, that character; moves *p behind them. */
static bool take_number(const char **p, int count, char after, int *out)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        char digit = (*p)[i];
        if (digit < '0' || digit > '9')
            return false;
        value = value * 10 + (digit - '0');
    }
    if (after && (*p)[count] != after)
        return false;
    *p += count + (after ? 1 : 0);
    *out = value;
    return true;
}

/* ".123456789": microseconds, what is finer is dropped.  No fraction is 0. */
static bool take_fraction(const char **p, int *us)
{
    *us = 0;
    if (**p != '.')
        return true;
    const char *digits = ++*p;
    for (int unit = US_PER_S / 10; **p >= '0' && **p <= '9'; ++*p, unit /= 10)
        *us += (**p - '0') * unit;
    return *p > digits;
}

/* "Z", "+02:00", "-03:30": seconds east of UTC. */
static bool take_zone(const char **p, int *offset_s)
{
    char sign = *(*p)++;
    *offset_s = 0;
    if (sign == 'Z')
        return true;
    int hours, minutes;
    if ((sign != '+' && sign != '-') || !take_number(p, 2, ':', &hours) ||
        !take_number(p, 2, 0, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_s = (sign == '-' ? -1 : 1) * (hours * 60 + minutes) * 60;
    return true;
}

static bool parse_time(const char *p, int64_t *out)
{
    struct tm tm = {0};
    int year, month, fraction_us, offset_s;
    if (!take_number(&p, 4, '-', &year) || !take_number(&p, 2, '-', &month) ||
        !take_number(&p, 2, 'T', &tm.tm_mday) || !take_number(&p, 2, ':', &tm.tm_hour) ||
        !take_number(&p, 2, ':', &tm.tm_min) || !take_number(&p, 2, 0, &tm.tm_sec) ||
        !take_fraction(&p, &fraction_us) || !take_zone(&p, &offset_s) || *p != '\0')
        return false;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    struct tm exact = tm;
    time_t seconds = timegm(&exact); /* moves what does not exist: 30 February */
    if (exact.tm_mon != tm.tm_mon || exact.tm_mday != tm.tm_mday || exact.tm_hour != tm.tm_hour ||
        exact.tm_min != tm.tm_min || exact.tm_sec != tm.tm_sec)
        return false;
    *out = ((int64_t)seconds - offset_s) * US_PER_S + fraction_us;
    return true;
}

bo_status bo_time_parse(const char *text, int64_t *out, bo_error *err)
{
    if (!parse_time(text, out))
        return bo_fail(err, BO_INVALID, "'%s' is not a time like 2026-11-20T04:17:39Z", text);
    return BO_OK;
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
