/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/capture_position.c - moments in the journals.
 *
 * A row of a journal gets its number when it is written and is seen when its transaction commits,
 * so at any moment numbers are missing below the greatest one that is seen: of transactions that
 * are open, and of those that were rolled back.  A position names the greatest and what is missing
 * below it, journal by journal: "3:120,7-9,15-15 4:0".  A row that turns up in such a gap later was
 * not there then, so it counts as later; nobody is waited for.
 */
#include <inttypes.h>
#include <string.h>

#include "driver/mariadb/journal.h"

/* ---- reading one ---- */

/* What `position` says of the journal: the text after "3:"; NULL: nothing. */
static const char *find_part(const char *position, unsigned number)
{
    while (*position) {
        char *end;
        const unsigned long found = strtoul(position, &end, 10);
        if (*end == ':' && found == number)
            return end + 1;
        position += strcspn(position, " ");
        position += strspn(position, " ");
    }
    return NULL;
}

bo_status my_position_after(
    bo_buf *out, const char *position, unsigned number, const char *alias, bo_error *err)
{
    const char *part = find_part(position, number);
    char *end = NULL;
    if (!part)
        return bo_fail(err, BO_INVALID, "the position says nothing of journal %u", number);
    bo_buf_printf(out, "(%s.`backout_seq` > %" PRIu64, alias, (uint64_t)strtoull(part, &end, 10));
    while (*end == ',') {
        const uint64_t first = strtoull(end + 1, &end, 10);
        const uint64_t last = strtoull(end + (*end == '-'), &end, 10);
        bo_buf_printf(
            out, " OR %s.`backout_seq` BETWEEN %" PRIu64 " AND %" PRIu64, alias, first, last);
    }
    bo_buf_add_str(out, ")");
    return *end == ' ' || *end == '\0' ? bo_buf_check(out, err)
                                       : bo_fail(err, BO_INVALID, "the position cannot be read");
}

bool my_position_names(const char *position, unsigned number)
{
    return find_part(position, number) != NULL;
}

/* ---- making one ---- */

struct numbers {
    bo_buf gaps;
    uint64_t last;
};

static bo_status add_number(
    void *ctx, unsigned count, char **values, const unsigned long *sizes, bo_error *err)
{
    struct numbers *numbers = ctx;
    (void)count;
    (void)sizes;
    (void)err;
    const uint64_t seq = strtoull(values[0], NULL, 10);
    if (seq > numbers->last + 1)
        bo_buf_printf(&numbers->gaps, ",%" PRIu64 "-%" PRIu64, numbers->last + 1, seq - 1);
    numbers->last = seq;
    return BO_OK;
}

/* Most journals have no gaps, which counting tells sooner than reading every number. */
static bo_status has_gaps(my_conn *conn, unsigned number, uint64_t *last, bool *out, bo_error *err)
{
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_status st = my_ask(conn, &result, err,
        "SELECT COALESCE(MAX(`backout_seq`), 0), COUNT(*) FROM " MY_JOURNAL, number);
    MYSQL_ROW row = st == BO_OK ? mysql_fetch_row(result) : NULL;
    if (!row)
        return st == BO_OK ? bo_fail(err, BO_DATABASE, "a journal gives no answer") : st;
    *last = strtoull(row[0], NULL, 10);
    *out = strtoull(row[1], NULL, 10) != *last;
    return BO_OK;
}

static bo_status add_journal(my_conn *conn, unsigned number, bo_buf *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    struct numbers numbers = {.last = 0};
    uint64_t last = 0;
    bool gaps = false;
    bo_status st = has_gaps(conn, number, &last, &gaps, err);
    bo_buf_printf(&sql, "SELECT `backout_seq` FROM " MY_JOURNAL " ORDER BY `backout_seq`", number);
    if (st == BO_OK && gaps)
        st = my_stream(conn, &sql, add_number, &numbers, err);
    if (st == BO_OK)
        bo_buf_printf(out, "%s%u:%" PRIu64 "%s", out->size > 0 ? " " : "", number, last,
            bo_buf_str(&numbers.gaps));
    out->failed = out->failed || numbers.gaps.failed;
    bo_buf_done(&numbers.gaps);
    return st;
}

static bo_status add_table(
    my_conn *conn, const my_registry *registry, const bo_table *table, bo_buf *out, bo_error *err)
{
    bo_status st = BO_OK;
    unsigned found = 0;
    for (size_t i = 0; st == BO_OK && i < registry->count; i++) {
        const my_entry *entry = &registry->entries[i];
        if (!entry->on || entry->watched || strcmp(entry->table, table->local) != 0)
            continue;
        found++;
        if (!my_position_names(bo_buf_str(out), entry->number))
            st = add_journal(conn, entry->number, out, err);
    }
    return st == BO_OK && found == 0
               ? bo_fail(err, BO_NOTFOUND, "table '%s' is not captured", table->name)
               : st;
}

/* All journals are read in one snapshot: that of the open transaction, or one for this alone. */
bo_status my_capture_position(
    bo_conn *base, const bo_table *const *tables, unsigned count, bo_buf *out, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN_VALUE(bo_buf) position = {0};
    my_registry registry = {0};
    if (!arena)
        return bo_nomem(err);
    const bool own = !conn->in_transaction;
    bo_status st = own ? my_begin(base, BO_TX_READ, err) : BO_OK;
    if (st == BO_OK)
        st = my_registry_read(conn, arena, &registry, err);
    for (unsigned i = 0; st == BO_OK && i < count; i++)
        st = add_table(conn, &registry, tables[i], &position, err);
    if (own)
        my_rollback(base);
    if (st == BO_OK)
        st = bo_buf_check(&position, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the position of the journals");
    bo_buf_add_str(out, bo_buf_str(&position));
    return bo_buf_check(out, err);
}
