/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/my_capture_world.c - what the journals of MariaDB tell, compared row by row. */
#include "contract/my_capture_world.h"

#include <stdlib.h>

struct watch_images {
    size_t count;
    bo_buf items[4000];
};

static void add_image(watch_images *set, bo_image image)
{
    assert_true(set->count < sizeof set->items / sizeof *set->items);
    bo_buf_add(&set->items[set->count], image.data, image.size);
    assert_false(set->items[set->count].failed);
    set->count++;
}

static int compare_images(const void *a, const void *b)
{
    const bo_buf *x = a, *y = b;
    return bo_span_compare((bo_span){x->data, x->size}, (bo_span){y->data, y->size});
}

void watch_free(watch_images *set)
{
    for (size_t i = 0; set && i < set->count; i++)
        bo_buf_done(&set->items[i]);
    free(set);
}

static watch_images *set_create(void)
{
    watch_images *set = calloc(1, sizeof *set);
    assert_non_null(set);
    return set;
}

static bo_status keep_row(void *ctx, bo_image row, bo_error *err)
{
    (void)err;
    add_image(ctx, row);
    return BO_OK;
}

watch_images *watch_scan(bo_conn *conn, const bo_table *table)
{
    bo_error err = {0};
    watch_images *set = set_create();
    pg_must(conn->driver->scan(conn, &(bo_scan){.table = table}, keep_row, set, &err), &err);
    qsort(set->items, set->count, sizeof *set->items, compare_images);
    return set;
}

typedef struct told {
    watch_images *before;
    watch_images *after;
} told;

static bo_status keep_change(void *ctx, const bo_journal_change *change, bo_error *err)
{
    (void)err;
    told *all = ctx;
    if (change->before.data && change->after.data && bo_image_equal(change->before, change->after))
        return BO_OK;
    if (change->before.data)
        add_image(all->before, change->before);
    if (change->after.data)
        add_image(all->after, change->after);
    return BO_OK;
}

/* `part` is what is in `a` and not in `b`. */
static void assert_difference(
    const char *table, const watch_images *part, const watch_images *a, const watch_images *b)
{
    size_t at = 0, k = 0;
    for (size_t i = 0; i < a->count; i++) {
        while (k < b->count && compare_images(&b->items[k], &a->items[i]) < 0)
            k++;
        if (k < b->count && compare_images(&b->items[k], &a->items[i]) == 0)
            continue;
        if (at == part->count || compare_images(&part->items[at], &a->items[i]) != 0)
            fail_msg("'%s': row %zu of %zu is not told", table, i, a->count);
        at++;
    }
    if (at != part->count)
        fail_msg("'%s': %zu rows too many are told", table, part->count - at);
}

void watch_told(bo_conn *conn, const bo_table *table, const bo_journal_filter *filter,
    const watch_images *was, const watch_images *is)
{
    bo_error err = {0};
    told all = {set_create(), set_create()};
    pg_must(conn->driver->capture->changes(conn, table, filter, keep_change, &all, &err), &err);
    qsort(all.before->items, all.before->count, sizeof(bo_buf), compare_images);
    qsort(all.after->items, all.after->count, sizeof(bo_buf), compare_images);
    assert_difference(table->name, all.before, was, is);
    assert_difference(table->name, all.after, is, was);
    watch_free(all.before);
    watch_free(all.after);
}

watched watch_begin(contract_world *w, const char *const *names)
{
    watched self = {.w = w, .from = capture_begin(w, "p", names)};
    for (; names[self.count]; self.count++) {
        self.tables[self.count] = contract_table(w, names[self.count]);
        self.was[self.count] = watch_scan(w->conn, self.tables[self.count]);
    }
    return self;
}

void watch_check(watched *self)
{
    const bo_journal_filter filter = {.from = self->from};
    for (unsigned i = 0; i < self->count; i++) {
        watch_images *is = watch_scan(self->w->conn, self->tables[i]);
        watch_told(self->w->conn, self->tables[i], &filter, self->was[i], is);
        assert_string_equal(capture_broken(self->w, self->tables[i]->name, "p"), "");
        watch_free(is);
    }
}

void watch_end(watched *self)
{
    watch_check(self);
    for (unsigned i = 0; i < self->count; i++)
        watch_free(self->was[i]);
    capture_end(self->w, "p");
    assert_string_equal(contract_ask(self->w, "SELECT count(*) FROM information_schema.TRIGGERS"
                                              " WHERE TRIGGER_SCHEMA = DATABASE()"
                                              " AND TRIGGER_NAME LIKE 'backout%'"),
        "0");
    assert_string_equal(contract_ask(self->w, "SELECT count(*) FROM information_schema.TABLES"
                                              " WHERE TABLE_SCHEMA = DATABASE()"
                                              " AND TABLE_NAME LIKE 'backout%'"),
        "0");
}
