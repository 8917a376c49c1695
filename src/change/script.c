/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/script.c - a changeset as one transaction of plain SQL, each row with its guard.
 *
 * Rows change where no unique value but the key can be in the way: then none of them refers to a
 * row that goes.  Then rows go, the other rows change, and rows come, so that unique values are
 * free when they are needed.  Foreign keys between the tables of the script wait for the end of the
 * transaction.  What a foreign key would do to rows that are not in the script is refused.
 */
#include "change/script.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "change/shape.h"
#include "change/since.h"
#include "change/sql_mariadb.h"
#include "change/stored.h"

struct count {
    uint64_t inserted, updated, deleted;
};

struct writer {
    const bo_script_job *job;
    const bo_driver *driver;
    bo_arena *arena;
    bo_sql_dialect dialect;
    uint32_t *order; /* parents first */
    uint32_t ordered;
    struct count *counts;     /* of each part, as the script does it */
    const bo_table **tables;  /* of each part: as it is now */
    const bo_table ***others; /* of each part and each key that refers to it: the child */
    uint32_t table;           /* being written */
    unsigned phase;           /* what is being written: BO_SHOWN_DELETE, ... */
    uint64_t number;
    bo_buf text;
};

static bo_status flush(struct writer *writer, bo_error *err)
{
    bo_status st = bo_buf_check(&writer->text, err);
    if (st == BO_OK && writer->text.size)
        st = writer->job->sink(writer->job->ctx, bo_buf_str(&writer->text), writer->text.size, err);
    bo_buf_clear(&writer->text);
    return st;
}

static bool touched(const struct writer *writer, uint32_t table)
{
    const struct count *count = &writer->counts[table];
    return count->inserted || count->updated || count->deleted;
}

static void visit(struct writer *writer, uint32_t table, uint8_t *seen)
{
    if (seen[table])
        return;
    seen[table] = 1;
    const bo_table *was = writer->job->content->parts[table].was;
    for (uint16_t i = 0; i < was->foreign_key_count; i++) {
        int parent = bo_content_find(writer->job->content, was->foreign_keys[i].parent);
        if (parent >= 0)
            visit(writer, (uint32_t)parent, seen);
    }
    writer->order[writer->ordered++] = table;
}

static bo_status prepare(struct writer *writer, const bo_script_job *job, bo_error *err)
{
    size_t room = (size_t)job->content->part_count + 1;
    writer->job = job;
    writer->driver = job->target->conn->driver;
    writer->dialect = bo_sql_dialect_of(writer->driver);
    writer->arena = job->content->arena;
    writer->order = bo_arena_array(writer->arena, room, sizeof *writer->order);
    writer->counts = bo_arena_array(writer->arena, room, sizeof *writer->counts);
    writer->tables = bo_arena_array(writer->arena, room, sizeof *writer->tables);
    writer->others = bo_arena_array(writer->arena, room, sizeof *writer->others);
    uint8_t *seen = bo_arena_array(writer->arena, room, 1);
    if (!writer->order || !writer->counts || !writer->tables || !writer->others || !seen)
        return bo_nomem(err);
    for (uint32_t i = 0; i < job->content->part_count; i++)
        visit(writer, i, seen);
    return BO_OK;
}

/* ---- what the script does, before the first line of it ---- */

static bo_status count_changes(struct writer *writer, bo_error *err)
{
    bo_changes changes;
    bo_status st = bo_changes_open(&changes, writer->job->content, err);
    while (st == BO_OK) {
        st = bo_changes_next(&changes, err);
        if (st != BO_OK || changes.end)
            break;
        struct count *count = &writer->counts[changes.table];
        unsigned kind = bo_shown_kind(changes.before, changes.after);
        if (kind == BO_SHOWN_UPDATE)
            count->updated++;
        else if ((kind == BO_SHOWN_INSERT) != writer->job->inverted)
            count->inserted++;
        else
            count->deleted++;
    }
    bo_changes_done(&changes);
    return st;
}

static bo_status describe_table(struct writer *writer, uint32_t table, bo_error *err)
{
    const bo_part *part = &writer->job->content->parts[table];
    const bo_table *now = part->now;
    if (!now)
        return bo_fail(err, BO_REFUSED, "table '%s' is gone", part->was->name);
    if (part->called)
        return bo_shape_refuse(part, writer->arena, err);
    writer->tables[table] = now;
    writer->others[table] = bo_arena_array(
        writer->arena, (size_t)now->referenced_count + 1, sizeof *writer->others[table]);
    if (!writer->others[table])
        return bo_nomem(err);
    bo_status st = BO_OK;
    for (uint16_t i = 0;
         st == BO_OK && writer->dialect != BO_SQL_SQLITE && i < now->referenced_count; i++)
        st = writer->driver->describe(writer->job->target->conn, now->referenced_by[i].child,
            writer->arena, &writer->others[table][i], err);
    return st;
}

static bo_status look(struct writer *writer, bo_error *err)
{
    bo_status st = bo_content_describe(writer->job->content, writer->job->target->conn, err);
    if (st == BO_OK)
        st = count_changes(writer, err);
    for (uint32_t i = 0; st == BO_OK && i < writer->job->content->part_count; i++)
        if (touched(writer, i))
            st = describe_table(writer, i, err);
    return st;
}

/* ---- before the rows ---- */

static void add_head(struct writer *writer)
{
    const bo_script_job *job = writer->job;
    bo_buf *text = &writer->text;
    char time[BO_TIME_TEXT_SIZE];
    bo_time_format(bo_clock_now_us(), time);
    bo_buf_printf(text, "-- backout: %s, point ", job->title);
    bo_sql_comment(text, job->point);
    bo_buf_printf(text, ", written %s\n-- database: ", time);
    bo_sql_comment(text, job->target->url);
    bo_buf_add_str(text, "\n");
    for (uint32_t i = 0; i < job->content->part_count; i++) {
        const struct count *count = &writer->counts[i];
        if (!touched(writer, i))
            continue;
        bo_buf_add_str(text, "--   ");
        bo_sql_comment(text, job->content->parts[i].was->name);
        bo_buf_printf(text,
            ": %" PRIu64 " to insert, %" PRIu64 " to update, %" PRIu64 " to delete\n",
            count->inserted, count->updated, count->deleted);
    }
    bo_buf_add_str(text,
        "-- One transaction: a row that is not as expected stops it, and nothing is changed.\n"
        "-- Run it with:  ");
    static const char *const programs[] = {[BO_SQL_SQLITE] = "sqlite3 -bail FILE.db < THIS-FILE",
        [BO_SQL_POSTGRESQL] = "psql -X -f THIS-FILE URL",
        [BO_SQL_MARIADB] = "mariadb DATABASE < THIS-FILE"};
    bo_buf_printf(text, "%s\n\n", programs[writer->dialect]);
}

static void add_alter(struct writer *writer, uint32_t table)
{
    bo_buf_add_str(&writer->text, "ALTER TABLE ");
    bo_sql_name(&writer->text, writer->driver, writer->tables[table]);
}

/* Triggers of users would write rows of their own; off with them, and on as they were. */
static void add_triggers(struct writer *writer, uint32_t table, bool on)
{
    const bo_table *now = writer->tables[table];
    for (uint16_t i = 0; i < now->trigger_count; i++) {
        char enabled = now->triggers[i].enabled;
        if (enabled != 'O' && enabled != 'A')
            continue;
        add_alter(writer, table);
        bo_buf_add_str(&writer->text, !on              ? " DISABLE TRIGGER "
                                      : enabled == 'A' ? " ENABLE ALWAYS TRIGGER "
                                                       : " ENABLE TRIGGER ");
        writer->driver->quote(&writer->text, now->triggers[i].name);
        bo_buf_add_str(&writer->text, ";\n");
    }
}

/* SQLite switches off all triggers or none.  Those of users must not fire; those of a capture must,
 * or its journal would not know of the script: a table that has both then stops it. */
static void add_trigger_guard(struct writer *writer, bool off)
{
    bo_buf *text = &writer->text;
    bo_buf_printf(text,
        "%sCREATE TEMP TABLE backout_triggers (rows INTEGER NOT NULL,\n"
        "    CONSTRAINT \"%s\" CHECK (rows = 0));\n"
        "INSERT INTO temp.backout_triggers SELECT count(*) FROM main.sqlite_schema\n"
        "    WHERE type = 'trigger' AND name %sGLOB 'backout_journal_[0-9]*'"
        " AND tbl_name COLLATE NOCASE IN (",
        off ? ".dbconfig enable_trigger off\n" : "",
        off ? "a table is captured: backout execute, or backout point release before"
            : "a table has a trigger that is new: let backout write the script again",
        off ? "" : "NOT ");
    const char *separator = "";
    for (uint32_t i = 0; i < writer->job->content->part_count; i++) {
        if (!touched(writer, i))
            continue;
        bo_buf_printf(text, "%s'", separator);
        for (const char *p = writer->job->content->parts[i].was->local; *p; p++)
            bo_buf_printf(text, *p == '\'' ? "''" : "%c", *p);
        bo_buf_add_str(text, "'");
        separator = ", ";
    }
    bo_buf_add_str(text, ");\nDROP TABLE temp.backout_triggers;\n");
}

static bool any_trigger(const struct writer *writer)
{
    for (uint32_t i = 0; i < writer->job->content->part_count; i++)
        if (touched(writer, i) && writer->tables[i]->trigger_count > 0)
            return true;
    return false;
}

/* Foreign keys between tables of the script are checked at its end. */
static void add_deferring(struct writer *writer, uint32_t table, bool on)
{
    const bo_table *now = writer->tables[table];
    for (uint16_t i = 0; i < now->foreign_key_count; i++) {
        const bo_foreign_key *key = &now->foreign_keys[i];
        int parent = bo_content_find(writer->job->content, key->parent);
        if (key->deferrable || parent < 0 || !touched(writer, (uint32_t)parent))
            continue;
        add_alter(writer, table);
        bo_buf_add_str(&writer->text, " ALTER CONSTRAINT ");
        writer->driver->quote(&writer->text, key->name);
        bo_buf_add_str(&writer->text, on ? " DEFERRABLE;\n" : " NOT DEFERRABLE;\n");
    }
}

static void add_locks(struct writer *writer)
{
    for (uint32_t i = 0; i < writer->job->content->part_count; i++) {
        if (!touched(writer, i))
            continue;
        bo_buf_add_str(&writer->text, "LOCK TABLE ");
        bo_buf_add_str(&writer->text, writer->tables[i]->kind == 'p' ? "" : "ONLY ");
        bo_sql_name(&writer->text, writer->driver, writer->tables[i]);
        bo_buf_add_str(&writer->text, " IN SHARE ROW EXCLUSIVE MODE;\n");
    }
    for (uint32_t i = 0; i < writer->job->content->part_count; i++) {
        if (!touched(writer, i))
            continue;
        add_triggers(writer, i, false);
        add_deferring(writer, i, true);
    }
    bo_buf_add_str(&writer->text, "SET CONSTRAINTS ALL DEFERRED;\n");
}

/* MariaDB: every foreign key from and to the tables of the script, once. */
static bo_status add_references(struct writer *writer, bool before, bo_error *err)
{
    const bo_driver *driver = writer->driver;
    unsigned number = 0;
    bo_status st = BO_OK;
    for (uint32_t t = 0; st == BO_OK && t < writer->job->content->part_count; t++) {
        const bo_table *now = touched(writer, t) ? writer->tables[t] : NULL;
        for (uint16_t i = 0; now && i < now->foreign_key_count && st == BO_OK; i++) {
            const bo_foreign_key *key = &now->foreign_keys[i];
            const bo_table *parent = NULL;
            st = driver->describe(
                writer->job->target->conn, key->parent, writer->arena, &parent, err);
            if (st == BO_OK)
                bo_sql_mariadb_reference(&writer->text, driver, key, now, parent, ++number, before);
        }
        for (uint16_t i = 0; now && i < now->referenced_count && st == BO_OK; i++) {
            const bo_foreign_key *key = &now->referenced_by[i];
            const int child = bo_content_find(writer->job->content, key->child);
            if (child < 0 || !touched(writer, (uint32_t)child)) /* otherwise it was the child's */
                bo_sql_mariadb_reference(
                    &writer->text, driver, key, writer->others[t][i], now, ++number, before);
        }
    }
    return st;
}

/* ---- the rows ---- */

static bool changes_key(const bo_sql_change *change, const bo_foreign_key *key)
{
    for (uint16_t i = 0; i < key->count; i++) {
        int column = bo_table_column(change->table, key->parent_columns[i]);
        int at = column < 0 ? -1 : bo_table_image_position(change->table, (uint16_t)column);
        if (at >= 0 && !bo_value_equal(bo_image_value(change->expected, (uint16_t)at),
                           bo_image_value(change->target, (uint16_t)at)))
            return true;
    }
    return false;
}

static bool acts(char action)
{
    return action == 'c' || action == 'n' || action == 'd';
}

static void add_reference_guards(struct writer *writer, const bo_sql_change *change)
{
    const bo_table *now = writer->tables[writer->table];
    for (uint16_t i = 0; i < now->referenced_count && change->expected.data; i++) {
        const bo_foreign_key *key = &now->referenced_by[i];
        bool harmful = change->target.data ? acts(key->on_update) && changes_key(change, key)
                                           : acts(key->on_delete);
        if (harmful)
            bo_sql_unreferenced(
                &writer->text, writer->driver, change, key, writer->others[writer->table][i]);
    }
}

/* Is there a key beside the one that rows are found by? */
static bool has_unique_values(const bo_table *now)
{
    return now->key_count > (now->row_key != NULL);
}

/* Two rows may have swapped a unique value: such a row goes and comes again, unless rows refer to
 * it. */
static bool may_be_replaced(const struct writer *writer, uint32_t table)
{
    const bo_table *now = writer->tables[table];
    return has_unique_values(now) &&
           (writer->dialect != BO_SQL_POSTGRESQL || now->referenced_count == 0);
}

static bool is_replaced(const struct writer *writer, const bo_sql_change *change)
{
    const bo_table *table = change->table;
    if (!may_be_replaced(writer, writer->table))
        return false;
    for (uint16_t k = 0; k < table->key_count; k++) {
        const bo_key *key = &table->keys[k];
        if (!key->simple) /* an expression: of any column */
            return true;
        for (uint16_t i = 0; i < key->count; i++) {
            int at = bo_table_image_position(table, key->columns[i]);
            if (at < 0 || !bo_value_equal(bo_image_value(change->expected, (uint16_t)at),
                              bo_image_value(change->target, (uint16_t)at)))
                return true;
        }
    }
    return false;
}

static bo_status write_change(void *ctx, const bo_shown *shown, bo_error *err)
{
    struct writer *writer = ctx;
    bool inverted = writer->job->inverted;
    bo_sql_change change = {.table = shown->table,
        .expected = inverted ? shown->after : shown->before,
        .target = inverted ? shown->before : shown->after,
        .expected_texts = inverted ? shown->after_texts : shown->before_texts,
        .target_texts = inverted ? shown->before_texts : shown->after_texts};
    unsigned kind = bo_shown_kind(change.expected, change.target);
    if (kind == BO_SHOWN_UPDATE && is_replaced(writer, &change)) {
        if (writer->phase == BO_SHOWN_DELETE)
            change.target = (bo_image){0};
        else
            change.expected = (bo_image){0};
        kind = writer->phase == BO_SHOWN_UPDATE ? 0 : writer->phase;
    }
    if (kind != writer->phase)
        return BO_OK;
    change.number = ++writer->number;
    if (writer->dialect == BO_SQL_POSTGRESQL)
        add_reference_guards(writer, &change);
    bo_status st = bo_sql_guarded(&writer->text, writer->driver, &change, err);
    return st == BO_OK ? flush(writer, err) : st;
}

enum { TABLES_PLAIN = 1u, TABLES_UNIQUE = 2u, TABLES_ALL = 3u };

/* @param tables  those without and those with unique values beside the key. */
static bo_status write_phase(struct writer *writer, unsigned phase, unsigned tables, bo_error *err)
{
    unsigned kinds = phase;
    if (writer->job->inverted && phase != BO_SHOWN_UPDATE)
        kinds = phase == BO_SHOWN_INSERT ? BO_SHOWN_DELETE : BO_SHOWN_INSERT;
    bo_status st = BO_OK;
    writer->phase = phase;
    for (uint32_t i = 0; st == BO_OK && i < writer->ordered; i++) {
        uint32_t table = writer->order[phase == BO_SHOWN_DELETE ? writer->ordered - 1 - i : i];
        writer->table = table;
        if (!touched(writer, table))
            continue;
        if (!(tables & (has_unique_values(writer->tables[table]) ? TABLES_UNIQUE : TABLES_PLAIN)))
            continue;
        unsigned replaced = may_be_replaced(writer, table) ? BO_SHOWN_UPDATE : 0;
        st = bo_shown_table(writer->job->target->conn, writer->job->content, table,
            BO_RENDER_LITERAL, kinds | replaced, write_change, writer, err);
    }
    return st;
}

static bo_status write_rows(struct writer *writer, bo_error *err)
{
    bo_status st = write_phase(writer, BO_SHOWN_UPDATE, TABLES_PLAIN, err);
    if (st == BO_OK)
        st = write_phase(writer, BO_SHOWN_DELETE, TABLES_ALL, err);
    if (st == BO_OK)
        st = write_phase(writer, BO_SHOWN_UPDATE, TABLES_UNIQUE, err);
    return st == BO_OK ? write_phase(writer, BO_SHOWN_INSERT, TABLES_ALL, err) : st;
}

/* ---- after the rows ---- */

static bo_status add_end(struct writer *writer, bo_error *err)
{
    if (writer->dialect == BO_SQL_MARIADB) {
        bo_buf_add_str(&writer->text, "\n");
        bo_status st = add_references(writer, false, err);
        bo_buf_add_str(&writer->text, "COMMIT;\n");
        return st;
    }
    if (writer->dialect == BO_SQL_SQLITE) {
        bo_buf_add_str(&writer->text,
            "\nINSERT INTO temp." BO_GUARD_REFERENCES " SELECT count(*) FROM (\n"
            "    SELECT \"table\", rowid AS row, parent, fkid FROM pragma_foreign_key_check\n"
            "    EXCEPT SELECT \"table\", row, parent, fkid FROM temp.backout_violated);\n"
            "DROP TABLE temp." BO_GUARD_ROWS ";\n"
            "DROP TABLE temp." BO_GUARD_REFERENCES ";\n"
            "DROP TABLE temp.backout_violated;\n"
            "COMMIT;\n");
        return BO_OK;
    }
    bo_buf_add_str(&writer->text, "\nSET CONSTRAINTS ALL IMMEDIATE;\n");
    for (uint32_t i = 0; i < writer->job->content->part_count; i++) {
        if (!touched(writer, i))
            continue;
        add_deferring(writer, i, false);
        add_triggers(writer, i, true);
    }
    bo_buf_add_str(&writer->text, "COMMIT;\n");
    return BO_OK;
}

bo_status bo_script_changes(const bo_script_job *job, bo_error *err)
{
    struct writer writer = {0};
    bo_status st = prepare(&writer, job, err);
    if (st == BO_OK)
        st = look(&writer, err);
    if (st == BO_OK) {
        add_head(&writer);
        bo_sql_begin(&writer.text, writer.dialect, true);
        if (writer.dialect == BO_SQL_POSTGRESQL)
            add_locks(&writer);
        if (writer.dialect == BO_SQL_MARIADB)
            st = add_references(&writer, true, err);
        if (writer.dialect == BO_SQL_SQLITE)
            add_trigger_guard(&writer, any_trigger(&writer));
    }
    if (st == BO_OK)
        st = flush(&writer, err);
    if (st == BO_OK)
        st = write_rows(&writer, err);
    if (st == BO_OK)
        st = add_end(&writer, err);
    if (st == BO_OK)
        st = flush(&writer, err);
    bo_buf_done(&writer.text);
    return st;
}

/* ---- rows of a point ---- */

static bo_status write_row(void *ctx, const bo_shown *shown, bo_error *err)
{
    struct writer *writer = ctx;
    if (!shown->before_texts)
        return BO_OK;
    bo_sql_insert(&writer->text, writer->driver, shown->table, shown->before_texts);
    bo_buf_add_str(&writer->text, ";\n");
    return flush(writer, err);
}

static bo_status write_tables(struct writer *writer, const uint32_t *only, bo_error *err)
{
    add_head(writer);
    bo_sql_begin(&writer->text, writer->dialect, false);
    if (writer->dialect == BO_SQL_POSTGRESQL)
        bo_buf_add_str(&writer->text, "SET CONSTRAINTS ALL DEFERRED;\n");
    if (writer->dialect == BO_SQL_SQLITE)
        add_trigger_guard(writer, true);
    bo_status st = flush(writer, err);
    for (uint32_t i = 0; st == BO_OK && i < writer->ordered; i++) {
        uint32_t table = writer->order[i];
        if (only && *only != table)
            continue;
        bo_buf_add_str(&writer->text, "\n-- ");
        bo_sql_comment(&writer->text, writer->job->content->parts[table].was->name);
        bo_buf_add_str(&writer->text, "\n");
        st = bo_shown_table(writer->job->target->conn, writer->job->content, table,
            BO_RENDER_LITERAL, BO_SHOWN_UPDATE | BO_SHOWN_DELETE, write_row, writer, err);
    }
    bo_buf_add_str(&writer->text, "\nCOMMIT;\n");
    return st == BO_OK ? flush(writer, err) : st;
}

static void count_rows(struct writer *writer, const uint32_t *only)
{
    const bo_pack *pack = writer->job->content->pack;
    for (uint32_t i = 0; i < bo_pack_frame_count(pack); i++) {
        const bo_frame *frame = bo_pack_get_frame(pack, i);
        if (bo_pack_get_kind(pack) == BO_PACK_SNAPSHOT && (!only || *only == frame->table) &&
            bo_content_is_readable(writer->job->content, i))
            writer->counts[frame->table].inserted += frame->rows;
    }
}

static bo_status script_rows(const bo_script_job *job, const uint32_t *only, bo_error *err)
{
    struct writer writer = {0};
    bo_status st = prepare(&writer, job, err);
    if (st == BO_OK) {
        count_rows(&writer, only);
        st = write_tables(&writer, only, err);
    }
    bo_buf_done(&writer.text);
    return st;
}

bo_status bo_script_rows(const bo_script_job *job, bo_error *err)
{
    return script_rows(job, NULL, err);
}

bo_status bo_script_table(const bo_script_job *job, uint32_t table, bo_error *err)
{
    return script_rows(job, &table, err);
}

/* ---- the call ---- */

static bo_status script_point(bo_session *session, const bo_database *database, const char *id,
    bo_arena *arena, bo_text_sink *sink, void *ctx, bo_error *err)
{
    BO_OWN(bo_target) *target = NULL;
    BO_OWN(bo_content) *change = NULL;
    bo_point_record record;
    bo_status st = bo_catalog_point_find(session->catalog, id, arena, &record, err);
    if (st == BO_OK)
        st = bo_point_check_sealed(&record, "what its change did is not known", err);
    if (st == BO_OK)
        st = bo_since_check_known(&record, err);
    if (st == BO_OK)
        st = bo_target_open(database, &target, err);
    if (st == BO_OK)
        st = bo_target_note_server(session, target, record.server, record.engine, err);
    if (st == BO_OK)
        st = bo_content_open_of(session, &record, true, &change, err);
    if (st != BO_OK)
        return st;
    bo_script_job job = {.target = target,
        .content = change,
        .point = record.id,
        .title = "the rollback of a change",
        .inverted = true,
        .sink = sink,
        .ctx = ctx};
    return bo_script_changes(&job, err);
}

bo_status bo_script(bo_session *session, const bo_database *database, const char *id,
    bo_text_sink *sink, void *ctx, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bo_status st = script_point(session, database, id, arena, sink, ctx, err);
    if (st != BO_OK)
        st = bo_wrap(err, st, "cannot write the rollback of '%s' as SQL", id);
    return bo_session_audit_end(session, "point.script", id, st, NULL, err);
}
