/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/unit.h - what every cmocka test includes, in the order cmocka wants. */
#ifndef BO_TESTS_UNIT_H
#define BO_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/**
 * Takes the place of cmocka's own.  cmocka 1.1 reports skip() as "not ok 1 # SKIP name", which TAP
 * readers count as a failure; the line becomes "ok 1 # SKIP name".
 */
__attribute__((weak, visibility("default"), format(printf, 1, 2))) void print_message(
    const char *const format, ...)
{
    va_list args;
    va_start(args, format);
    if (strncmp(format, "not ok", 6) == 0 && strstr(format, "# SKIP")) {
        char line[512];
        (void)vsnprintf(line, sizeof line, format, args);
        (void)fputs(line + strlen("not "), stdout);
    } else {
        (void)vprintf(format, args);
    }
    va_end(args);
}

/* Where a test makes the folder of its files. */
static inline const char *temporary_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder && folder[0] ? folder : "/tmp";
}

/* BACKOUT_TEST_SWEEP=full: every place and moment is tried, not a sample of them. */
static inline bool at_full_length(void)
{
    const char *how = getenv("BACKOUT_TEST_SWEEP");
    return how && strcmp(how, "full") == 0;
}

/* A number of the environment, or that one. */
static inline uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text && text[0] ? strtoull(text, NULL, 10) : otherwise;
}

/* Memory is not what it is under a sanitizer: gcc says so by a macro, clang by a feature. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_ASAN 1
#endif
#endif

#endif
