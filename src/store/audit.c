/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/audit.c - the audit log in the catalog: appending, reading, checking. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/audit_chain.h"
#include "store/catalog_sql.h"

enum { PAGE = 1000 };

/* ---- the head: how many records there are, and the hash of the last, so that a cut is seen ----
 */

struct head {
    uint64_t count;
    char hash[BO_CHAIN_HEX];
    bool whole; /* false: missing, or not of the form "<count> <hash>" */
};

#define HEAD "audit_head"

static bo_status read_head(bo_catalog *catalog, struct head *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    struct head head = {0};
    bool there = false;
    bo_status st = bo_catalog_meta_get(catalog, HEAD, &text, &there, err);
    if (st != BO_OK)
        return st;
    char again[96];
    (void)sscanf(bo_buf_str(&text), "%" SCNu64 " %64[0-9a-f]", &head.count, head.hash);
    (void)snprintf(again, sizeof again, "%" PRIu64 " %s", head.count, head.hash);
    head.whole = strcmp(again, bo_buf_str(&text)) == 0 && strlen(head.hash) == BO_CHAIN_HEX - 1;
    *out = head;
    return BO_OK;
}

static bo_status write_head(bo_catalog *catalog, uint64_t count, const char *hash, bo_error *err)
{
    char text[96];
    (void)snprintf(text, sizeof text, "%" PRIu64 " %s", count, hash);
    return bo_catalog_meta_set(catalog, HEAD, text, err);
}

/* ---- appending ---- */

/* Inside the write transaction, so that the chain cannot fork. */
static bo_status append(bo_catalog *catalog, bo_text_value fields[BO_AUDIT_FIELDS], bo_error *err)
{
    struct head head;
    bo_status st = read_head(catalog, &head, err);
    if (st != BO_OK)
        return st;
    if (!head.whole)
        return bo_fail(err, BO_CORRUPT, "the head of the log is missing or not as it was written");
    bo_digits sequence;
    bo_digits time;
    char hash[BO_CHAIN_HEX];
    fields[BO_AUDIT_SEQUENCE] = bo_bind_number((int64_t)head.count + 1, &sequence);
    fields[BO_AUDIT_TIME] = bo_bind_number(bo_clock_now_us(), &time);
    bo_chain_next(head.hash, fields, hash);
    fields[BO_AUDIT_PREVIOUS] = bo_bind_text(head.hash);
    fields[BO_AUDIT_HASH] = bo_bind_text(hash);
    st = bo_catalog_query(catalog,
        "INSERT INTO backout_audit (" BO_AUDIT_COLUMNS ")"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        fields, BO_AUDIT_FIELDS, NULL, NULL, NULL, err);
    return st == BO_OK ? write_head(catalog, head.count + 1, hash, err) : st;
}

/* Text that a terminal, a UTF-8 database and JSON can take, whatever a file name holds. */
static const char *plain(bo_buf *out, const char *text)
{
    bo_text_escape(out, text ? text : "", text ? strlen(text) : 0);
    return bo_buf_str(out);
}

bo_status bo_audit_append(bo_catalog *catalog, const char *event, const char *actor,
    const char *object, const char *outcome, const json_t *details, bo_error *err)
{
    assert(!details || json_is_object(details));
    BO_OWN_VALUE(bo_buf) by = {0};
    BO_OWN_VALUE(bo_buf) on = {0};
    BO_OWN_MEM char *canonical = bo_audit_canonical(details);
    bo_text_value fields[BO_AUDIT_FIELDS] = {
        [BO_AUDIT_EVENT] = bo_bind_text(event),
        [BO_AUDIT_ACTOR] = bo_bind_text(plain(&by, actor)),
        [BO_AUDIT_OBJECT] = bo_bind_text(plain(&on, object)),
        [BO_AUDIT_OUTCOME] = bo_bind_text(outcome),
        [BO_AUDIT_DETAILS] = bo_bind_text(canonical),
    };
    bo_status st = canonical && !by.failed && !on.failed ? BO_OK : bo_nomem(err);
    if (st == BO_OK)
        st = bo_catalog_begin(catalog, err);
    if (st == BO_OK)
        st = bo_catalog_finish(catalog, append(catalog, fields, err), err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot write to the audit log");
}

/* ---- reading ---- */

struct audit_list {
    bo_arena *arena;
    bo_audit_record *items;
    size_t count;
};

static bo_status list_one(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)count;
    struct audit_list *list = ctx;
    bo_audit_record *items = bo_arena_grow(list->arena, list->items, list->count, sizeof *items);
    if (!items)
        return bo_nomem(err);
    list->items = items;
    bool nomem = false;
    items[list->count] = (bo_audit_record){
        .sequence = (uint64_t)bo_read_number(values[BO_AUDIT_SEQUENCE]),
        .time_us = bo_read_number(values[BO_AUDIT_TIME]),
        .event = bo_read_text(list->arena, values[BO_AUDIT_EVENT], &nomem),
        .actor = bo_read_text(list->arena, values[BO_AUDIT_ACTOR], &nomem),
        .object = bo_read_text(list->arena, values[BO_AUDIT_OBJECT], &nomem),
        .outcome = bo_read_text(list->arena, values[BO_AUDIT_OUTCOME], &nomem),
        .details = bo_read_text(list->arena, values[BO_AUDIT_DETAILS], &nomem),
        .previous = bo_read_text(list->arena, values[BO_AUDIT_PREVIOUS], &nomem),
        .hash = bo_read_text(list->arena, values[BO_AUDIT_HASH], &nomem),
    };
    if (nomem)
        return bo_nomem(err);
    list->count++;
    return BO_OK;
}

bo_status bo_audit_list(bo_catalog *catalog, uint32_t limit, bo_arena *arena, bo_audit_record **out,
    size_t *count_out, bo_error *err)
{
    char sql[200];
    char last[32] = "";
    if (limit > 0)
        (void)snprintf(last, sizeof last, " LIMIT %u", limit);
    (void)snprintf(sql, sizeof sql,
        "SELECT " BO_AUDIT_COLUMNS " FROM backout_audit ORDER BY sequence DESC%s", last);
    struct audit_list list = {.arena = arena};
    bo_status st = bo_catalog_query(catalog, sql, NULL, 0, list_one, &list, NULL, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the audit log");
    *out = list.items;
    *count_out = list.count;
    return BO_OK;
}

/* ---- checking ---- */

struct pager {
    bo_query_fn *each;
    void *ctx;
    size_t count;   /* records of this page */
    int64_t last;   /* sequence of its last record */
    bool ascending; /* false: a sequence is no number, or not more than the one before */
};

static bo_status page_one(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    struct pager *pager = ctx;
    int64_t sequence = bo_read_number(values[BO_AUDIT_SEQUENCE]);
    pager->ascending = pager->ascending && sequence > pager->last;
    pager->last = sequence;
    pager->count++;
    return pager->each(pager->ctx, count, values, err);
}

bo_status bo_audit_each(bo_catalog *catalog, bo_query_fn *each, void *ctx, bo_error *err)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql,
        "SELECT " BO_AUDIT_COLUMNS
        " FROM backout_audit WHERE sequence > $1 ORDER BY sequence LIMIT %d",
        PAGE);
    struct pager pager = {.each = each, .ctx = ctx, .count = PAGE, .ascending = true};
    bo_status st = BO_OK;
    while (st == BO_OK && pager.count == PAGE && pager.ascending) {
        bo_digits after;
        const bo_text_value params[] = {bo_bind_number(pager.last, &after)};
        pager.count = 0;
        st = bo_catalog_query(catalog, sql, params, 1, page_one, &pager, NULL, err);
    }
    return st;
}

static bo_status check_one(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)count;
    (void)err;
    bo_chain_add(ctx, values);
    return BO_OK;
}

static bo_status count_one(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)count;
    (void)err;
    *(uint64_t *)ctx = (uint64_t)bo_read_number(values[0]);
    return BO_OK;
}

static void check_head(bo_chain *chain, const struct head *head, uint64_t stored)
{
    uint64_t seen = chain->found.records;
    if (!chain->found.whole)
        return;
    if (!head->whole)
        bo_chain_break(chain, seen, "the head of the log is missing or not as it was written");
    else if (seen < head->count)
        bo_chain_break(chain, seen + 1,
            "the log was cut: %" PRIu64 " records were written, %" PRIu64 " are there", head->count,
            seen);
    else if (seen > head->count || stored != seen)
        bo_chain_break(chain, head->count + 1,
            "there are %" PRIu64 " records, but %" PRIu64 " were written", stored, head->count);
    else if (strcmp(chain->hash, head->hash) != 0)
        bo_chain_break(
            chain, seen, "record %" PRIu64 " is not the one that was written last", seen);
}

static bo_status check_all(bo_catalog *catalog, bo_audit_check *out, bo_error *err)
{
    bo_chain chain;
    struct head head;
    uint64_t stored = 0;
    bo_chain_open(&chain);
    bo_status st = bo_audit_each(catalog, check_one, &chain, err);
    if (st == BO_OK)
        st = bo_catalog_query(
            catalog, "SELECT COUNT(*) FROM backout_audit", NULL, 0, count_one, &stored, NULL, err);
    if (st == BO_OK)
        st = read_head(catalog, &head, err);
    if (st != BO_OK)
        return st;
    check_head(&chain, &head, stored);
    *out = chain.found;
    return BO_OK;
}

bo_status bo_audit_verify(bo_catalog *catalog, bo_audit_check *out, bo_error *err)
{
    bo_status st = bo_catalog_read_begin(catalog, err);
    if (st == BO_OK) {
        st = check_all(catalog, out, err);
        bo_catalog_read_end(catalog);
    }
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot read the audit log");
}
