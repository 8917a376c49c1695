/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/sqlite_capture_world.c - what the journals of SQLite tell, row by row. */
#include "contract/sqlite_capture_world.h"

#include <stdio.h>
#include <string.h>

static bool same_key(const bo_table *table, bo_image a, bo_image b)
{
    uint16_t positions[64];
    const uint16_t count = bo_table_key_positions(table, positions);
    for (uint16_t i = 0; i < count; i++) {
        if (!bo_value_equal(bo_image_value(a, positions[i]), bo_image_value(b, positions[i])))
            return false;
    }
    return true;
}

static bo_image find(tell_rows *in, bo_image like)
{
    bo_error err = {0};
    in->all.at = 0;
    for (;;) {
        bo_image row = {0};
        bool last = false;
        pg_must(contract_next(&in->all, &row, &last, &err), &err);
        if (last)
            return (bo_image){0};
        if (same_key(in->table, row, like))
            return row;
    }
}

static bool same_row(const bo_table *table, bo_image a, bo_image b)
{
    if (!a.data || !b.data)
        return !a.data && !b.data;
    return bo_row_equal(table, a, b);
}

static void wrong(tell_table *self, const char *what)
{
    print_message("# %s: %s\n", self->story, what);
    self->wrong++;
}

static bo_status compare_change(void *ctx, const bo_journal_change *change, bo_error *err)
{
    tell_table *self = ctx;
    const bo_table *table = self->was.table;
    bo_image any = change->before.data ? change->before : change->after;
    tell_rows seen = {.table = table, .all = self->seen};
    if (change->before.data && change->after.data &&
        !same_key(table, change->before, change->after))
        wrong(self, "the two images of a change have two keys");
    if (self->seen.count > 0 && find(&seen, any).data)
        wrong(self, "a key is told twice");
    if (!same_row(table, find(&self->was, any), change->before))
        wrong(self, "the image before is not the row as it was");
    if (!same_row(table, find(&self->is, any), change->after))
        wrong(self, "the image after is not the row as it is");
    return contract_collect(&self->seen, any, err);
}

/* Every row that is in one of the two and not the same in the other was told. */
static void all_were_told(tell_table *self, tell_rows *in, tell_rows *other)
{
    bo_error err = {0};
    tell_rows seen = {.table = in->table, .all = self->seen};
    for (size_t at = 0;;) {
        bo_image row = {0};
        bool last = false;
        in->all.at = at;
        pg_must(contract_next(&in->all, &row, &last, &err), &err);
        at = in->all.at;
        if (last)
            return;
        if (!same_row(in->table, find(other, row), row) &&
            (self->seen.count == 0 || !find(&seen, row).data))
            wrong(self, "a row that changed is not told");
    }
}

static void compare_table(contract_world *w, tell_table *self, const char *from)
{
    bo_error err = {0};
    const bo_journal_filter filter = {.from = from};
    self->is.table = contract_table(w, self->was.table->name);
    contract_scan(w, &(bo_scan){.table = self->is.table}, &self->is.all);
    pg_must(w->driver->begin(w->conn, BO_TX_READ, &err), &err);
    pg_must(
        w->driver->capture->changes(w->conn, self->is.table, &filter, compare_change, self, &err),
        &err);
    w->driver->rollback(w->conn);
    all_were_told(self, &self->was, &self->is);
    all_were_told(self, &self->is, &self->was);
}

void tell_begin(tell_state *self, contract_world *w, const char *title, const char *tables)
{
    char names[128], *rest = NULL;
    const char *all[sizeof self->tables / sizeof *self->tables + 1] = {0};
    *self = (tell_state){.world = w};
    snprintf(names, sizeof names, "%s", tables);
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        all[self->count] = name;
        tell_table *table = &self->tables[self->count++];
        table->story = title;
        table->was.table = contract_table(w, name);
        contract_scan(w, &(bo_scan){.table = table->was.table}, &table->was.all);
    }
    self->from = capture_begin(w, "p", all);
}

unsigned tell_end(tell_state *self)
{
    unsigned bad = 0;
    for (unsigned i = 0; i < self->count; i++) {
        tell_table *table = &self->tables[i];
        const char *why = capture_broken(self->world, table->was.table->name, "p");
        if (*why)
            wrong(table, why);
        compare_table(self->world, table, self->from);
        bad += table->wrong;
        contract_rows_done(&table->was.all);
        contract_rows_done(&table->is.all);
        contract_rows_done(&table->seen);
    }
    return bad;
}
