/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/capture_world.c - what captured tables tell, as text. */
#include "contract/capture_world.h"

#include <stdlib.h>
#include <string.h>

enum { TABLES_MAX = 8 };

typedef struct named {
    const bo_table *tables[TABLES_MAX];
    unsigned count;
} named;

static named tables_of(contract_world *world, const char *const *names)
{
    named found = {0};
    for (; names[found.count]; found.count++) {
        assert_true(found.count < TABLES_MAX);
        found.tables[found.count] = contract_table(world, names[found.count]);
    }
    return found;
}

static const bo_capture_driver *capture_of(const contract_world *world)
{
    assert_non_null(world->driver->capture);
    return world->driver->capture;
}

static const char *keep(contract_world *world, bo_buf *text)
{
    assert_false(text->failed);
    const char *copy = bo_arena_str(world->arena, bo_buf_str(text));
    bo_buf_done(text);
    assert_non_null(copy);
    return copy;
}

/* ---- begin and end ---- */

const char *capture_begin(contract_world *world, const char *point, const char *const *names)
{
    bo_error err = {0};
    named found = tables_of(world, names);
    pg_must(capture_of(world)->begin(world->conn, found.tables, found.count, point, &err), &err);
    return capture_position(world, names);
}

const char *capture_position(contract_world *world, const char *const *names)
{
    bo_error err = {0};
    bo_buf position = {0};
    named found = tables_of(world, names);
    pg_must(
        capture_of(world)->position(world->conn, found.tables, found.count, &position, &err), &err);
    return keep(world, &position);
}

void capture_end(contract_world *world, const char *point)
{
    bo_error err = {0};
    pg_must(capture_of(world)->end(world->conn, point, &err), &err);
}

void capture_tag(contract_world *world, bo_conn *conn, const char *run)
{
    bo_error err = {0};
    if (!capture_of(world)->tag)
        skip(); /* whose writes they are is not known here */
    pg_must(capture_of(world)->tag(conn, run, &err), &err);
}

/* ---- rows as text ---- */

static bo_status add_values(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)err;
    bo_buf *out = ctx;
    for (uint16_t i = 0; i < count; i++) {
        bo_buf_add_str(out, i ? "|" : "(");
        if (values[i].data)
            bo_buf_add(out, values[i].data, values[i].size);
        else
            bo_buf_add_str(out, "~");
    }
    bo_buf_add_str(out, ")");
    return BO_OK;
}

static void add_row(contract_world *world, const bo_table *table, bo_image row, bo_buf *out)
{
    bo_error err = {0};
    contract_rows one = {0};
    if (!row.data) {
        bo_buf_add_str(out, "-");
        return;
    }
    pg_must(contract_collect(&one, row, &err), &err);
    pg_must(world->driver->render(
                world->conn, table, BO_RENDER_TEXT, contract_next, &one, add_values, out, &err),
        &err);
    contract_rows_done(&one);
}

/* ---- changes ---- */

/* Images of changes, before and after in turn; none is an image without values. */
typedef struct changes {
    const bo_table *table;
    contract_rows rows;
    bo_buf mixed; /* a byte a change */
} changes;

static void add_image(changes *all, bo_image image)
{
    static const uint8_t none[2] = {0};
    bo_error err = {0};
    pg_must(contract_collect(&all->rows, image.data ? image : (bo_image){none, sizeof none}, &err),
        &err);
}

static bo_status keep_change(void *ctx, const bo_journal_change *change, bo_error *err)
{
    (void)err;
    changes *all = ctx;
    assert_true(change->before.data || change->after.data);
    if (change->before.data && change->after.data && !change->mixed &&
        bo_row_equal(all->table, change->before, change->after))
        return BO_OK;
    add_image(all, change->before);
    add_image(all, change->after);
    bo_buf_add_byte(&all->mixed, change->mixed);
    return BO_OK;
}

static bo_image next_image(contract_rows *rows)
{
    bo_error err = {0};
    bo_image image = {0};
    bool end = false;
    pg_must(contract_next(rows, &image, &end, &err), &err);
    assert_false(end);
    return bo_image_count(image) > 0 ? image : (bo_image){0};
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *sorted(contract_world *world, char **lines, size_t count)
{
    bo_buf text = {0};
    if (count > 0)
        qsort(lines, count, sizeof *lines, by_text);
    for (size_t i = 0; i < count; i++) {
        bo_buf_printf(&text, "%s\n", lines[i]);
        free(lines[i]);
    }
    free(lines);
    return keep(world, &text);
}

const char *capture_changes(
    contract_world *world, const char *name, const bo_journal_filter *filter)
{
    bo_error err = {0};
    changes all = {.table = contract_table(world, name)};
    pg_must(world->driver->begin(world->conn, BO_TX_READ, &err), &err);
    pg_must(
        capture_of(world)->changes(world->conn, all.table, filter, keep_change, &all, &err), &err);
    world->driver->rollback(world->conn);

    size_t count = all.mixed.size;
    char **lines = calloc(count + 1, sizeof *lines);
    assert_non_null(lines);
    for (size_t i = 0; i < count; i++) {
        bo_buf line = {0};
        add_row(world, all.table, next_image(&all.rows), &line);
        bo_buf_add_str(&line, " > ");
        add_row(world, all.table, next_image(&all.rows), &line);
        bo_buf_add_str(&line, all.mixed.data[i] ? " mixed" : "");
        lines[i] = bo_buf_take_str(&line);
        assert_non_null(lines[i]);
    }
    contract_rows_done(&all.rows);
    bo_buf_done(&all.mixed);
    return sorted(world, lines, count);
}

const char *capture_since(contract_world *world, const char *table, const char *from)
{
    return capture_changes(world, table, &(bo_journal_filter){.from = from});
}

/* ---- the journal ---- */

typedef struct journal {
    contract_world *world;
    contract_rows keys;
    bo_buf operations;
    bo_journal_row last;
} journal;

static const char *copy(contract_world *world, const char *text)
{
    const char *made = bo_arena_str(world->arena, text);
    assert_non_null(made);
    return made;
}

static bo_status keep_journal_row(void *ctx, const bo_journal_row *row, bo_error *err)
{
    journal *all = ctx;
    assert_true(row->sequence > all->last.sequence);
    all->last = (bo_journal_row){
        .sequence = row->sequence,
        .transaction = copy(all->world, row->transaction),
        .user = copy(all->world, row->user),
        .application = copy(all->world, row->application),
        .run = copy(all->world, row->run),
        .operation = row->operation,
    };
    bo_buf_add_byte(&all->operations, (uint8_t)row->operation);
    return contract_collect(&all->keys, row->key, err);
}

static journal read_journal(contract_world *world, const bo_table *table, const char *from)
{
    bo_error err = {0};
    journal all = {.world = world};
    pg_must(world->driver->begin(world->conn, BO_TX_READ, &err), &err);
    pg_must(capture_of(world)->walk(world->conn, table, from, keep_journal_row, &all, &err), &err);
    world->driver->rollback(world->conn);
    return all;
}

/* A key as a row of the table of which nothing else is known. */
static void add_key(contract_world *world, const bo_table *table, bo_image key, bo_buf *out)
{
    uint16_t positions[BO_COLUMNS_MAX];
    uint16_t count = bo_table_key_positions(table, positions);
    assert_int_equal(count, bo_image_count(key));
    bo_buf row = {0};
    bo_image_begin(&row, table->image_count);
    for (uint16_t i = 0; i < table->image_count; i++) {
        bo_value value = {NULL, -1};
        for (uint16_t k = 0; k < count; k++) {
            if (positions[k] == i)
                value = bo_image_value(key, k);
        }
        if (value.size < 0)
            bo_image_add_null(&row);
        else
            bo_image_add(&row, value.data, value.size);
    }
    bo_buf text = {0};
    add_row(world, table, (bo_image){row.data, row.size}, &text);
    bo_buf_done(&row);
    for (const char *c = bo_buf_str(&text); *c; c++) { /* what is not key is not there */
        if (c[0] == '|' && c[1] == '~')
            c++;
        else
            bo_buf_add_byte(out, (uint8_t)*c);
    }
    bo_buf_done(&text);
}

const char *capture_journal(contract_world *world, const char *name, const char *from)
{
    const bo_table *table = contract_table(world, name);
    journal all = read_journal(world, table, from);
    bo_buf text = {0};
    for (size_t i = 0; i < all.operations.size; i++) {
        bo_buf_printf(&text, "%c ", all.operations.data[i]);
        add_key(world, table, next_image(&all.keys), &text);
        bo_buf_add_str(&text, "\n");
    }
    bo_buf_done(&all.operations);
    contract_rows_done(&all.keys);
    return keep(world, &text);
}

bo_journal_row capture_last(contract_world *world, const char *name, const char *from)
{
    journal all = read_journal(world, contract_table(world, name), from);
    bo_buf_done(&all.operations);
    contract_rows_done(&all.keys);
    assert_true(all.last.sequence > 0 || all.last.transaction);
    return all.last;
}

/* ---- what there is ---- */

const char *capture_broken(contract_world *world, const char *table, const char *point)
{
    bo_error err = {0};
    bo_buf broken = {0};
    pg_must(
        capture_of(world)->check(world->conn, contract_table(world, table), point, &broken, &err),
        &err);
    return keep(world, &broken);
}

void capture_expect_broken(contract_world *world, const char *table, const char *words)
{
    const char *why = capture_broken(world, table, "p");
    if (!strstr(why, words))
        fail_msg("'%s' is not in: %s", words, why);
}

static bo_status add_listed(void *ctx, const bo_captured *captured, bo_error *err)
{
    (void)err;
    bo_buf_printf(
        ctx, "%s %s%s\n", captured->point, captured->table, captured->gone ? " gone" : "");
    return BO_OK;
}

const char *capture_list(contract_world *world)
{
    bo_error err = {0};
    bo_buf text = {0};
    pg_must(capture_of(world)->list(world->conn, add_listed, &text, &err), &err);
    return keep(world, &text);
}

const char *capture_coverage(contract_world *world, const char *table, bo_coverage wanted)
{
    bo_error err = {0};
    bo_buf reasons = {0};
    bo_coverage coverage = BO_COVERED;
    pg_must(capture_of(world)->coverage(
                world->conn, contract_table(world, table), &coverage, &reasons, &err),
        &err);
    const char *text = keep(world, &reasons);
    if (coverage != wanted)
        fail_msg("coverage %d: %s", (int)coverage, text);
    return text;
}
