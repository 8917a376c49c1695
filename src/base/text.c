/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/text.c - UTF-8, escapes for terminals, hex, counts and sizes. */
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* Size of the character at `p` (RFC 3629: no overlong form, no surrogate) and its code point, or
 * 0: not UTF-8. */
static size_t decode(const uint8_t *p, size_t size, uint32_t *point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (p[0] < 0x80) {
        *point = p[0];
        return 1;
    }
    size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || size < length)
        return 0;
    uint32_t value = p[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (p[i] & 0x3fu);
    }
    if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *point = value;
    return length;
}

/* C0, DEL, C1, line and paragraph separator, and what turns the direction of writing. */
static bool is_hostile(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x61c || point == 0x200e ||
           point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069);
}

static void add_escape(bo_buf *out, uint32_t point)
{
    if (point == '\n')
        bo_buf_add_str(out, "\\n");
    else if (point == '\t')
        bo_buf_add_str(out, "\\t");
    else if (point == '\r')
        bo_buf_add_str(out, "\\r");
    else
        bo_buf_printf(out, point < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)point);
}

void bo_text_escape(bo_buf *out, const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t kept = 0; /* bytes from here to `i` go out as they are */
    for (size_t i = 0; i < size;) {
        uint32_t point = 0;
        size_t length = decode(bytes + i, size - i, &point);
        if (length > 0 && !is_hostile(point)) {
            i += length;
            continue;
        }
        bo_buf_add(out, bytes + kept, i - kept);
        if (length > 0)
            add_escape(out, point);
        else
            bo_buf_printf(out, "\\x%02x", bytes[i]);
        i += length > 0 ? length : 1;
        kept = i;
    }
    bo_buf_add(out, bytes + kept, size - kept);
}

bool bo_text_is_utf8(const void *text, size_t size)
{
    const uint8_t *bytes = text;
    for (size_t i = 0; i < size;) {
        uint32_t point;
        size_t length = decode(bytes + i, size - i, &point);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

void bo_text_hex(bo_buf *out, const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        bo_buf_add(out, pair, sizeof pair);
    }
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool bo_text_unhex(bo_buf *out, const char *text, size_t size)
{
    if (size % 2 != 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (hex_value(text[i]) < 0)
            return false;
    }
    for (size_t i = 0; i < size; i += 2)
        bo_buf_add_byte(out, (uint8_t)(hex_value(text[i]) << 4 | hex_value(text[i + 1])));
    return true;
}

bool bo_text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

char bo_text_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool bo_text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool bo_text_is_alnum(char c)
{
    return bo_text_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool bo_text_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool bo_text_same_part(const char *one, const char *other, size_t size)
{
    size_t i = 0;
    while (i < size && one[i] && bo_text_upper(one[i]) == bo_text_upper(other[i]))
        i++;
    return i == size || bo_text_upper(one[i]) == bo_text_upper(other[i]);
}

bool bo_text_same(const char *one, const char *other)
{
    return bo_text_same_part(one, other, SIZE_MAX);
}

const char *bo_text_find(const char *text, const char *word)
{
    const size_t size = strlen(word);
    for (size_t left = strlen(text); left >= size; text++, left--)
        if (bo_text_same_part(text, word, size))
            return text;
    return NULL;
}

static bool is_slug_byte(char byte)
{
    return bo_text_is_alnum(byte) || byte == '_' || byte == '.' || byte == '-';
}

void bo_text_slug(bo_buf *out, const char *text, size_t limit)
{
    for (size_t i = 0; i < limit && text[i]; i++) {
        bool first_kept = i > 0 || (text[i] != '.' && text[i] != '-');
        bo_buf_add_byte(out, (uint8_t)(first_kept && is_slug_byte(text[i]) ? text[i] : '_'));
    }
}

void bo_text_safe(bo_buf *out, const char *text)
{
    if (text)
        bo_text_escape(out, text, strlen(text));
}

void bo_text_count(bo_buf *out, uint64_t count, const char *one, const char *many)
{
    bo_buf_printf(out, "%" PRIu64 " %s", count, count == 1 ? one : many);
}

void bo_text_bytes(bo_buf *out, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        bo_text_count(out, bytes, "byte", "bytes");
        return;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        value /= 1024;
    bo_buf_printf(out, "%.1f %s", value, units[unit]);
}

void bo_text_one_line(bo_buf *out, const char *text)
{
    for (const char *rest = text; *rest;) {
        size_t size = strcspn(rest, "\n");
        bo_buf_add(out, rest, size);
        rest += size;
        if (*rest == '\n') {
            bo_buf_add_str(out, ": ");
            rest++;
        }
    }
    bo_buf_add_str(out, ""); /* ends the text */
}
