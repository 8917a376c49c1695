/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/clock.h - wall clock, monotonic clock, random ids; tests pin them. */
#ifndef BO_BASE_CLOCK_H
#define BO_BASE_CLOCK_H

#include <stdint.h>

#define BO_TIME_TEXT_SIZE 32

int64_t bo_clock_now_us(void);       /* microseconds since 1970-01-01 UTC */
int64_t bo_clock_monotonic_us(void); /* never goes back; for durations and rates only */
void bo_clock_pin(
    int64_t now_us); /* tests: the wall clock stands still at `now_us`; 0 lets it go */

/** "2026-11-20T04:17:39.123456Z" (RFC 3339). */
void bo_time_format(int64_t time_us, char out[BO_TIME_TEXT_SIZE]);
/** "20261120_041739", as in point ids. */
void bo_time_compact(int64_t time_us, char out[BO_TIME_TEXT_SIZE]);
/** 2 * bytes lower-case hex digits of randomness and a 0 (bytes <= 32). */
void bo_random_hex(char *out, unsigned bytes);

#endif
