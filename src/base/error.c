/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/error.c - statuses, and the text of an error. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = sizeof((bo_error *)0)->text };

#define STATUS_EXIT_CODE(name, exit_code, meaning) [BO_##name] = exit_code,
#define STATUS_MEANING(name, exit_code, meaning)   [BO_##name] = meaning,
static const int exit_codes[] = {BO_STATUS_MAP(STATUS_EXIT_CODE)};
static const char *const meanings[] = {BO_STATUS_MAP(STATUS_MEANING)};
/* The names of BO_STATUS_MAP in lower case. */
static const char *const names[] = {
    [BO_OK] = "ok",
    [BO_FAILED] = "failed",
    [BO_DATABASE] = "database",
    [BO_IO] = "io",
    [BO_NOMEM] = "nomem",
    [BO_INVALID] = "invalid",
    [BO_NOTFOUND] = "notfound",
    [BO_EXISTS] = "exists",
    [BO_CONFLICT] = "conflict",
    [BO_REFUSED] = "refused",
    [BO_BUSY] = "busy",
    [BO_DENIED] = "denied",
    [BO_CORRUPT] = "corrupt",
    [BO_UNSUPPORTED] = "unsupported",
    [BO_MISMATCH] = "mismatch",
    [BO_UNKNOWN] = "unknown",
    [BO_INTERRUPTED] = "interrupted",
};
enum { STATUS_COUNT = sizeof meanings / sizeof *meanings };
_Static_assert(sizeof names / sizeof *names == STATUS_COUNT, "a status has no name");

const char *bo_status_name(bo_status status)
{
    return (unsigned)status < STATUS_COUNT ? names[status] : "unknown-status";
}

const char *bo_status_meaning(bo_status status)
{
    return (unsigned)status < STATUS_COUNT ? meanings[status] : "not a status";
}

int bo_status_exit_code(bo_status status)
{
    return (unsigned)status < STATUS_COUNT ? exit_codes[status] : 1;
}

/* Bytes of the UTF-8 character that `lead` begins; 1 for a byte that begins none. */
static size_t character_size(unsigned char lead)
{
    if (lead >= 0xf0)
        return 4;
    if (lead >= 0xe0)
        return 3;
    return lead >= 0xc0 ? 2 : 1;
}

/* Takes the first half of a character away that a cut left at the end of `text`. */
static void drop_half_character(char *text)
{
    size_t size = strlen(text);
    size_t start = size;
    while (start > 0 && size - start < 4) {
        unsigned char byte = (unsigned char)text[--start];
        if ((byte & 0xc0) == 0x80)
            continue;
        if (start + character_size(byte) > size)
            text[start] = '\0';
        return;
    }
}

BO_PRINTF(2, 0)
static void format_text(char *out, const char *format, va_list args)
{
    int size = vsnprintf(out, TEXT_SIZE, format, args);
    if (size < 0)
        *out = '\0';
    else if (size >= TEXT_SIZE)
        drop_half_character(out);
}

/* The text becomes `first`, then `second` on a line of its own; what does not fit is cut. */
static void set_lines(bo_error *err, const char *first, const char *second)
{
    char text[TEXT_SIZE];
    int size = snprintf(text, sizeof text, "%s%s%s", first, *first && *second ? "\n" : "", second);
    if (size >= TEXT_SIZE)
        drop_half_character(text);
    strcpy(err->text, text);
}

bo_status bo_fail(bo_error *err, bo_status status, const char *format, ...)
{
    if (!err)
        return status;
    char text[TEXT_SIZE]; /* an argument may be a part of *err */
    va_list args;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    *err = (bo_error){.status = status};
    strcpy(err->text, text);
    return status;
}

bo_status bo_fail_errno(bo_error *err, bo_status status, int errno_value, const char *format, ...)
{
    if (!err)
        return status;
    char text[TEXT_SIZE], reason[128];
    va_list args;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    return bo_fail(err, status, "%s: %s", text, strerror_r(errno_value, reason, sizeof reason));
}

bo_status bo_wrap(bo_error *err, bo_status status, const char *format, ...)
{
    if (!err)
        return status;
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    err->status = status;
    set_lines(err, text, err->text);
    return status;
}

bo_status bo_detail(bo_error *err, bo_status status, const char *format, ...)
{
    if (!err)
        return status;
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    err->status = status;
    set_lines(err, err->text, text);
    return status;
}

bo_status bo_nomem(bo_error *err)
{
    return bo_fail(err, BO_NOMEM, "out of memory");
}
