/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/audit_chain.c - hashing records of the audit log and finding the first broken link. */
#include "store/audit_chain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

static void to_hex(const uint8_t hash[BO_CHAIN_HASH], char out[BO_CHAIN_HEX])
{
    (void)sodium_bin2hex(out, BO_CHAIN_HEX, hash, BO_CHAIN_HASH);
}

void bo_chain_begin(char hash_out[BO_CHAIN_HEX])
{
    static const uint8_t zeros[BO_CHAIN_HASH];
    to_hex(zeros, hash_out);
}

void bo_chain_next(
    const char previous[BO_CHAIN_HEX], const bo_text_value *fields, char hash_out[BO_CHAIN_HEX])
{
    uint8_t hash[BO_CHAIN_HASH] = {0};
    crypto_generichash_state state;
    (void)sodium_hex2bin(hash, sizeof hash, previous, BO_CHAIN_HEX - 1, NULL, NULL, NULL);
    (void)crypto_generichash_init(&state, NULL, 0, sizeof hash);
    (void)crypto_generichash_update(&state, hash, sizeof hash);
    for (int i = 0; i < BO_AUDIT_SIGNED; i++) {
        uint8_t size[4];
        bo_put_u32(size, (uint32_t)fields[i].size);
        (void)crypto_generichash_update(&state, size, sizeof size);
        (void)crypto_generichash_update(
            &state, (const unsigned char *)fields[i].data, fields[i].size);
    }
    (void)crypto_generichash_final(&state, hash, sizeof hash);
    to_hex(hash, hash_out);
}

char *bo_audit_canonical(const json_t *details)
{
    static const size_t form = JSON_SORT_KEYS | JSON_COMPACT | JSON_ENSURE_ASCII;
    return details ? bo_json_dump(details, form) : strdup("{}");
}

/* ---- checking ---- */

void bo_chain_open(bo_chain *chain)
{
    *chain = (bo_chain){.found = {.whole = true}};
    bo_chain_begin(chain->hash);
}

void bo_chain_break(bo_chain *chain, uint64_t sequence, const char *format, ...)
{
    bo_audit_check *found = &chain->found;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(found->reason, sizeof found->reason, format, args);
    va_end(args);
    found->whole = false;
    found->broken_at = sequence;
}

static bool equals(bo_text_value value, const char *text)
{
    return value.size == strlen(text) && memcmp(value.data, text, value.size) == 0;
}

/* The number a text says, or 0: not one that a record can have. */
static uint64_t number_of(bo_text_value value)
{
    char text[24] = "";
    char again[24];
    if (value.size >= sizeof text)
        return 0;
    memcpy(text, value.data, value.size);
    uint64_t number = strtoull(text, NULL, 10);
    (void)snprintf(again, sizeof again, "%" PRIu64, number);
    return equals(value, again) ? number : 0;
}

static bool check_sequence(bo_chain *chain, bo_text_value sequence, uint64_t expected)
{
    uint64_t number = number_of(sequence);
    if (number == expected)
        return true;
    if (number > expected)
        bo_chain_break(chain, expected,
            "record %" PRIu64 " is missing: record %" PRIu64 " comes in its place", expected,
            number);
    else
        bo_chain_break(
            chain, expected, "record %" PRIu64 " is missing: another comes in its place", expected);
    return false;
}

void bo_chain_add(bo_chain *chain, const bo_text_value *fields)
{
    bo_audit_check *found = &chain->found;
    found->records++;
    if (!found->whole)
        return;
    const uint64_t expected = found->records;
    for (int i = 0; i < BO_AUDIT_FIELDS; i++)
        if (!fields[i].data || fields[i].size > UINT32_MAX) {
            bo_chain_break(chain, expected, "record %" PRIu64 " has an empty column", expected);
            return;
        }
    if (!check_sequence(chain, fields[BO_AUDIT_SEQUENCE], expected))
        return;
    if (!equals(fields[BO_AUDIT_PREVIOUS], chain->hash)) {
        bo_chain_break(chain, expected,
            "record %" PRIu64 " does not follow the one before it: one of the two was replaced",
            expected);
        return;
    }
    char hash[BO_CHAIN_HEX];
    bo_chain_next(chain->hash, fields, hash);
    if (!equals(fields[BO_AUDIT_HASH], hash)) {
        bo_chain_break(chain, expected, "record %" PRIu64 " is not as it was written", expected);
        return;
    }
    memcpy(chain->hash, hash, sizeof hash);
    memcpy(found->head, hash, sizeof hash);
}
