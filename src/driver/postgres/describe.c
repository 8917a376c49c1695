/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/describe.c - reads the definition of a table from the system catalogs. */
#include "driver/postgres/describe.h"

#include <string.h>

#include "driver/postgres/name.h"
#include "driver/postgres/pg_sql.h"

bo_status pg_tables(bo_conn *conn, bo_name_fn *each, void *ctx, bo_error *err)
{
    BO_OWN(PGresult) *names = NULL;
    bo_status st = pg_ask(pg_of(conn), pg_sql_tables, 0, NULL, &names, err);
    for (int i = 0; st == BO_OK && i < PQntuples(names); i++)
        st = each(ctx, PQgetvalue(names, i, 0), err);
    return st;
}

/* ---- from a name to a table ---- */

static bo_status not_found(pg_conn *conn, const char *name, const char *local, bo_error *err)
{
    BO_OWN(PGresult) *similar = NULL;
    bo_status st = pg_ask(conn, pg_sql_similar, 1, &local, &similar, err);
    if (st != BO_OK)
        return st;

    BO_OWN_VALUE(bo_buf) hint = {0};
    for (int i = 0; i < PQntuples(similar); i++)
        bo_buf_printf(&hint, "%s'%s'", i > 0 ? ", " : "", PQgetvalue(similar, i, 0));
    st = bo_fail(err, BO_NOTFOUND, "no such table: '%s'", name);
    if (hint.size > 0)
        st = bo_detail(err, st, "similar names: %s", bo_buf_str(&hint));
    return st;
}

static bo_status ambiguous(const PGresult *found, const char *name, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) names = {0};
    for (int i = 0; i < PQntuples(found); i++)
        bo_buf_printf(&names, "%s'%s'", i > 0 ? ", " : "", PQgetvalue(found, i, 1));
    bo_status st = bo_fail(err, BO_NOTFOUND, "more than one schema has a table '%s'", name);
    return bo_detail(err, st, "say which: %s", bo_buf_str(&names));
}

/* Without a schema: the table in "public", otherwise the only one of that name. */
static bo_status resolve(pg_conn *conn, const char *name, PGresult **out, bo_error *err)
{
    BO_OWN_VALUE(pg_name) parts = {0};
    bo_status st = pg_name_parse(name, &parts, err);
    if (st != BO_OK)
        return st;

    BO_OWN(PGresult) *found = NULL;
    st = pg_ask_relations(conn, parts.schema, parts.local, &found, err);
    if (st != BO_OK)
        return st;
    if (PQntuples(found) == 0)
        return not_found(conn, name, parts.local, err);
    if (PQntuples(found) > 1 && strcmp(PQgetvalue(found, 0, 2), "public") != 0)
        return ambiguous(found, name, err);

    *out = BO_TAKE(found);
    return BO_OK;
}

/* ---- the table's parts ---- */

static bo_status describe_relation(pg_description *about, bo_error *err)
{
    const PGresult *relation = about->answers.of[PG_PART_RELATION];
    if (PQntuples(relation) != 1)
        return bo_fail(err, BO_NOTFOUND, "table '%s' was dropped just now", about->table->name);

    about->table->row_security = pg_cell_true(relation, 0, 0);
    about->table->encoding =
        pg_cell_true(relation, 0, 1) ? BO_ENCODING_PG_BINARY : BO_ENCODING_PG_TEXT;
    return BO_OK;
}

static bo_status describe_columns(pg_description *about, bo_error *err)
{
    const PGresult *found = about->answers.of[PG_PART_COLUMNS];
    const int count = PQntuples(found);
    bo_table *table = about->table;
    bo_column *columns = pg_room(about, count, sizeof *columns);
    uint16_t *image_columns = pg_room(about, count, sizeof *image_columns);
    if (about->failed)
        return bo_nomem(err);

    for (int i = 0; i < count; i++) {
        const char generated = pg_cell_char(found, i, 5);
        columns[i] = (bo_column){
            .name = pg_cell(about, found, i, 0),
            .type = pg_cell(about, found, i, 1),
            .type_oid = (uint32_t)strtoul(PQgetvalue(found, i, 2), NULL, 10),
            .not_null = pg_cell_true(found, i, 3),
            .in_image = generated == 0,
            .default_expr = pg_cell(about, found, i, 4),
            .generated = generated == 0     ? BO_GENERATED_NO
                         : generated == 's' ? BO_GENERATED_STORED
                                            : BO_GENERATED_VIRTUAL,
            .identity = pg_cell_char(found, i, 6),
            .collation = pg_cell(about, found, i, 7),
        };
        if (columns[i].in_image)
            image_columns[table->image_count++] = (uint16_t)i;
    }
    table->columns = columns;
    table->column_count = (uint16_t)count;
    table->image_columns = image_columns;
    return BO_OK;
}

static bo_status describe_triggers(pg_description *about, bo_error *err)
{
    const PGresult *found = about->answers.of[PG_PART_TRIGGERS];
    const int count = PQntuples(found);
    bo_trigger *triggers = pg_room(about, count, sizeof *triggers);
    if (about->failed)
        return bo_nomem(err);
    for (int i = 0; i < count; i++)
        triggers[i] = (bo_trigger){
            .name = pg_cell(about, found, i, 0),
            .definition = pg_cell(about, found, i, 1),
            .enabled = pg_cell_char(found, i, 2),
        };
    about->table->triggers = triggers;
    about->table->trigger_count = (uint16_t)count;
    return BO_OK;
}

static bo_status describe_sequences(pg_conn *conn, pg_description *about, bo_error *err)
{
    const PGresult *found = about->answers.of[PG_PART_SEQUENCES];
    bo_status st = BO_OK;
    const int count = PQntuples(found);
    bo_sequence *sequences = pg_room(about, count, sizeof *sequences);
    if (about->failed)
        return bo_nomem(err);
    for (int i = 0; i < count && st == BO_OK; i++) {
        sequences[i] = (bo_sequence){
            .name = pg_cell(about, found, i, 0),
            .column = pg_cell(about, found, i, 1),
            .increment = strtoll(PQgetvalue(found, i, 2), NULL, 10),
            .tables = (uint16_t)strtoul(PQgetvalue(found, i, 3), NULL, 10),
        };
        if (about->failed)
            return bo_nomem(err);
        st = pg_sequence_read(&conn->base, &sequences[i], err);
    }
    about->table->sequences = sequences;
    about->table->sequence_count = (uint16_t)count;
    return st;
}

static bo_status describe_named(pg_description *about, pg_part part, const bo_named_sql **out,
    uint16_t *count_out, bo_error *err)
{
    const PGresult *found = about->answers.of[part];
    const int count = PQntuples(found);
    bo_named_sql *items = pg_room(about, count, sizeof *items);
    if (about->failed)
        return bo_nomem(err);
    for (int i = 0; i < count; i++)
        items[i] = (bo_named_sql){
            .name = pg_cell(about, found, i, 0),
            .definition = pg_cell(about, found, i, 1),
        };
    *out = items;
    *count_out = (uint16_t)count;
    return BO_OK;
}

static bo_status describe_names(pg_description *about, pg_part part, const char *const **out,
    uint16_t *count_out, bo_error *err)
{
    const PGresult *found = about->answers.of[part];
    const int count = PQntuples(found);
    const char **names = pg_room(about, count, sizeof *names);
    if (about->failed)
        return bo_nomem(err);
    for (int i = 0; i < count; i++)
        names[i] = pg_cell(about, found, i, 0);
    *out = names;
    *count_out = (uint16_t)count;
    return BO_OK;
}

static void describe_limits(pg_description *about)
{
    const PGresult *found = about->answers.of[PG_PART_LIMITS];
    for (int i = 0; i < PQntuples(found); i++) {
        if (pg_cell_true(found, i, 0))
            about->table->uncovered = true;
        pg_add_limit(about, pg_cell(about, found, i, 1));
    }
    if (!about->table->row_key && !about->table->uncovered)
        pg_add_limit(about,
            bo_arena_str(about->arena, "it has no key: rows are identified by all their values"));
}

static bo_status describe_parts(pg_conn *conn, pg_description *about, bool rows_only, bo_error *err)
{
    bo_table *table = about->table;
    const bool defined = !rows_only && (table->kind == 'r' || table->kind == 'p');
    pg_part count = rows_only ? PG_PART_LIMITS : defined ? PG_PART_COUNT : PG_PART_DEFINE;
    bo_status st = pg_ask_parts(conn, table->id, count, &about->answers, err);
    if (st == BO_OK)
        st = describe_relation(about, err);
    if (st == BO_OK)
        st = describe_columns(about, err);
    if (st == BO_OK)
        st = pg_describe_keys(about, err);
    if (st == BO_OK)
        st = pg_describe_foreign_keys(about, err);
    if (st == BO_OK)
        st = describe_triggers(about, err);
    if (st == BO_OK)
        st = describe_sequences(conn, about, err);
    if (st == BO_OK)
        st = describe_named(about, PG_PART_INDEXES, &table->indexes, &table->index_count, err);
    if (st == BO_OK)
        st = describe_named(about, PG_PART_CHECKS, &table->checks, &table->check_count, err);
    if (st == BO_OK)
        st = describe_names(about, PG_PART_VIEWS, &table->views, &table->view_count, err);
    if (st == BO_OK)
        st = describe_names(
            about, PG_PART_PARTITIONS, &table->partitions, &table->partition_count, err);
    if (st == BO_OK && !rows_only)
        describe_limits(about);
    if (st == BO_OK && defined)
        st = pg_describe_definition(about, err);
    return st == BO_OK && about->failed ? bo_nomem(err) : st;
}

static void pg_description_done(pg_description *about)
{
    pg_answers_done(&about->answers);
}

static bo_status describe(bo_conn *conn, const char *name, bool rows_only, bo_arena *arena,
    const bo_table **out, bo_error *err)
{
    BO_OWN(PGresult) *found = NULL;
    bo_status st = resolve(pg_of(conn), name, &found, err);
    if (st != BO_OK)
        return st;

    BO_OWN_VALUE(pg_description) about = {.arena = arena};
    bo_table *table = pg_room(&about, 1, sizeof *table);
    if (!table)
        return bo_nomem(err);
    about.table = table;
    table->id = pg_cell(&about, found, 0, 0);
    table->name = pg_cell(&about, found, 0, 1);
    table->schema = pg_cell(&about, found, 0, 2);
    table->local = pg_cell(&about, found, 0, 3);
    table->kind = pg_cell_char(found, 0, 4);
    if (about.failed)
        return bo_nomem(err);

    st = describe_parts(pg_of(conn), &about, rows_only, err);
    if (st != BO_OK) {
        st = pg_name_holder(pg_of(conn), st, table, PG_TO_READ, err);
        return bo_wrap(err, st, "cannot read the definition of table '%s'", table->name);
    }
    *out = table;
    return BO_OK;
}

bo_status pg_describe(
    bo_conn *conn, const char *name, bo_arena *arena, const bo_table **out, bo_error *err)
{
    return describe(conn, name, false, arena, out, err);
}

bo_status pg_describe_rows(
    bo_conn *conn, const char *name, bo_arena *arena, const bo_table **out, bo_error *err)
{
    return describe(conn, name, true, arena, out, err);
}

bo_status pg_called(bo_conn *conn, const char *id, bo_arena *arena, const char **out, bo_error *err)
{
    BO_OWN(PGresult) *found = NULL;
    bo_status st = pg_ask(pg_of(conn),
        "SELECT CASE WHEN n.nspname = 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END"
        " || quote_ident(c.relname)"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.oid = $1::oid AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'",
        1, &id, &found, err);
    if (st != BO_OK)
        return st;
    const bool any = PQntuples(found) > 0;
    const char *name = any ? bo_arena_str(arena, PQgetvalue(found, 0, 0)) : NULL;
    if (any && !name)
        return bo_nomem(err);
    *out = name;
    return BO_OK;
}
