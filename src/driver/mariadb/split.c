/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/split.c - a user's SQL file, statement by statement, as the mariadb client
 * reads it.
 *
 * Quoted text and comments hide the delimiter; DELIMITER, a command of the client, changes it.  The
 * inside of an executable comment is SQL to the server, and part of its statement here.
 * Source: MariaDB documentation, "Delimiters", "Comment Syntax".
 */
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "driver/mariadb/my.h"

static bool starts(const char *at, const char *end, const char *with)
{
    const size_t size = strlen(with);
    return (size_t)(end - at) >= size && memcmp(at, with, size) == 0;
}

static bool line_comment(const char *at, const char *end)
{
    if (*at == '#')
        return true;
    return starts(at, end, "--") && (end - at == 2 || (uint8_t)at[2] <= ' ');
}

static const char *end_of_line(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline ? newline : end;
}

static const char *end_of_comment(const char *at, const char *end)
{
    for (at += 2; at < end; at++) {
        if (starts(at, end, "*/"))
            return at + 2;
    }
    return end;
}

static const char *end_of_quoted(const my_splitter *self, const char *at)
{
    const char quote = *at;
    const bool escapes = quote != '`' && !self->no_backslash;
    for (at++; at < self->end; at++) {
        if (*at == '\\' && escapes)
            at++;
        else if (*at == quote) /* a doubled one begins the next quoted text at once */
            return at + 1;
    }
    return self->end;
}

/* The size of the opening of an executable comment (!50003, M!100401) here, or 0. */
static size_t executable_comment(const char *at, const char *end)
{
    size_t size = starts(at, end, "/*!") ? 3 : starts(at, end, "/*M!") ? 4 : 0;
    while (size > 0 && at + size < end && bo_text_is_digit(at[size]))
        size++;
    return size;
}

/* Past blanks and comments that nobody executes. */
static const char *skip_blank(const char *at, const char *end)
{
    while (at < end) {
        if (bo_text_is_space(*at))
            at++;
        else if (line_comment(at, end))
            at = end_of_line(at, end);
        else if (starts(at, end, "/*") && executable_comment(at, end) == 0)
            at = end_of_comment(at, end);
        else
            break;
    }
    return at;
}

static void move_to(my_splitter *self, const char *at)
{
    for (; self->at < at; self->at++)
        self->line += *self->at == '\n';
}

/* "DELIMITER //" up to the end of its line; false: the next word is another. */
static bool read_delimiter(my_splitter *self)
{
    static const char word[] = "delimiter";
    const size_t size = sizeof word - 1;
    if ((size_t)(self->end - self->at) <= size || !bo_text_same_part(self->at, word, size) ||
        !isblank((unsigned char)self->at[size]))
        return false;
    const char *line_end = end_of_line(self->at, self->end);
    const char *from = self->at + size;
    while (from < line_end && bo_text_is_space(*from))
        from++;
    size_t length = 0;
    while (from + length < line_end && !bo_text_is_space(from[length]))
        length++;
    if (length < sizeof self->delimiter) {
        memcpy(self->delimiter, from, length);
        self->delimiter[length] = '\0';
    }
    move_to(self, line_end);
    return true;
}

/* Where the statement at `at` ends; its delimiter is *size_out long. */
static const char *end_of_statement(const my_splitter *self, const char *at, size_t *size_out)
{
    const char *delimiter = self->delimiter[0] ? self->delimiter : ";";
    const char *end = self->end;
    *size_out = 0;
    while (at < end) {
        if (starts(at, end, delimiter)) {
            *size_out = strlen(delimiter);
            return at;
        }
        if (starts(at, end, "\\g") || starts(at, end, "\\G")) {
            *size_out = 2;
            return at;
        }
        if (line_comment(at, end))
            at = end_of_line(at, end);
        else if (starts(at, end, "/*"))
            at = end_of_comment(at, end);
        else if (*at == '\'' || *at == '"' || *at == '`')
            at = end_of_quoted(self, at);
        else
            at++;
    }
    return end;
}

bool my_split(my_splitter *self, my_piece *out)
{
    if (self->line == 0)
        self->line = 1;
    for (;;) {
        move_to(self, skip_blank(self->at, self->end));
        if (self->at == self->end)
            return false;
        if (read_delimiter(self))
            continue;
        size_t size = 0;
        const char *end = end_of_statement(self, self->at, &size);
        *out = (my_piece){self->at, (size_t)(end - self->at), self->line};
        move_to(self, end + size);
        if (out->size > 0)
            return true;
    }
}

const char *my_next_word(const char *text, const char *end, char out[32])
{
    const char *at = skip_blank(text, end);
    for (size_t open; (open = at < end ? executable_comment(at, end) : 0) > 0;)
        at = skip_blank(at + open, end);
    size_t size = 0;
    while (at < end && (bo_text_is_alnum(*at) || *at == '_')) {
        if (size < 31)
            out[size++] = bo_text_upper(*at);
        at++;
    }
    if (size == 0 && at < end)
        out[size++] = *at++;
    out[size] = '\0';
    return at;
}
