/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/content.c - reading stored packs. */
#include "change/content.h"

#include <string.h>
#include <unistd.h>

#include "base/crew.h"
#include "base/text.h"
#include "change/stored.h"

#define THREADS_MAX       4u
#define FRAMES_PER_THREAD 8u /* fewer are read before a thread has started */

static bo_status read_parts(bo_content *content, bo_error *err)
{
    const json_t *meta = bo_pack_meta(content->pack);
    const json_t *tables = json_object_get(meta, "tables");
    if (!json_is_array(tables) || json_array_size(tables) > UINT32_MAX / 2)
        return bo_fail(err, BO_CORRUPT, "the file does not say which tables it holds");
    content->part_count = (uint32_t)json_array_size(tables);
    content->parts =
        bo_arena_array(content->arena, content->part_count + 1, sizeof *content->parts);
    if (!content->parts)
        return bo_nomem(err);
    for (uint32_t i = 0; i < content->part_count; i++) {
        const json_t *item = json_array_get(tables, i);
        bo_part *part = &content->parts[i];
        bo_status st = bo_table_from_json(
            json_object_get(item, "definition"), content->arena, &part->was, err);
        if (st != BO_OK)
            return st;
        part->predicate =
            bo_arena_str(content->arena, json_string_value(json_object_get(item, "predicate")));
        /* files of versions that did not follow foreign keys have no "entering" */
        const json_t *entering = json_object_get(item, "entering");
        part->entering =
            entering ? bo_arena_str(content->arena, json_string_value(entering)) : part->predicate;
        part->closure =
            bo_arena_str(content->arena, json_string_value(json_object_get(item, "closure")));
        part->captured = json_is_true(json_object_get(item, "captured"));
        part->unstored = json_is_true(json_object_get(item, "unstored"));
    }
    return BO_OK;
}

static bo_status index_frames(bo_content *content, bo_error *err)
{
    uint32_t ranges = bo_pack_range_count(content->pack),
             frames = bo_pack_frame_count(content->pack);
    content->first_frame = bo_arena_array(content->arena, (size_t)ranges + 1, sizeof(uint32_t));
    content->next_frame = bo_arena_array(content->arena, (size_t)frames + 1, sizeof(uint32_t));
    if (!content->first_frame || !content->next_frame)
        return bo_nomem(err);
    memset(content->first_frame, 0xff, (size_t)ranges * sizeof(uint32_t));
    for (uint32_t i = frames; i-- > 0;) {
        const bo_frame *frame = bo_pack_get_frame(content->pack, i);
        if (frame->range >= ranges || frame->table >= content->part_count)
            return bo_fail(err, BO_CORRUPT, "frame %u belongs to no range of rows", i);
        content->next_frame[i] = content->first_frame[frame->range];
        content->first_frame[frame->range] = i;
    }
    for (uint32_t i = 0; i < ranges; i++)
        if (bo_pack_get_range(content->pack, i)->table >= content->part_count)
            return bo_fail(err, BO_CORRUPT, "range %u belongs to no table", i);
    return BO_OK;
}

static bo_status open_source(
    bo_session *session, bo_content *content, const char *root_hex, bo_error *err)
{
    bo_status st =
        bo_pack_open(bo_stored_source_get(content->source), &session->key, &content->pack, err);
    if (st != BO_OK)
        return st;
    BO_OWN_VALUE(bo_buf) root = {0};
    bo_text_hex(&root, bo_pack_root(content->pack), 32);
    st = bo_buf_check(&root, err);
    if (st != BO_OK)
        return st;
    if (root_hex && root_hex[0] && strcmp(bo_buf_str(&root), root_hex) != 0)
        return bo_fail(err, BO_CORRUPT, "the file is not the one that was written for this point");
    st = read_parts(content, err);
    return st == BO_OK ? index_frames(content, err) : st;
}

static bo_content *new_content(const char *name)
{
    bo_content *content = calloc(1, sizeof *content);
    if (!content)
        return NULL;
    content->arena = bo_arena_create();
    content->name = content->arena ? bo_arena_str(content->arena, name) : NULL;
    if (content->name)
        return content;
    bo_content_free(content);
    return NULL;
}

bo_status bo_content_open(
    bo_session *session, const char *name, const char *root_hex, bo_content **out, bo_error *err)
{
    BO_OWN(bo_content) *content = new_content(name);
    if (!content)
        return bo_nomem(err);
    bo_status st = bo_repository_read(session->repository, name, &content->source, err);
    if (st == BO_OK)
        st = open_source(session, content, root_hex, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot use '%s'", name);
    *out = BO_TAKE(content);
    return BO_OK;
}

bo_status bo_content_absent(bo_session *session, const char *id, bo_status st, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    bo_point_record now;
    bo_error unknown = {0};
    if (!arena)
        return bo_nomem(err);
    if (bo_catalog_point_find(session->catalog, id, arena, &now, &unknown) != BO_OK)
        return st;
    return bo_point_check_whole(&now, err) == BO_OK ? st : BO_REFUSED;
}

bo_status bo_content_open_of(
    bo_session *session, const bo_point_record *point, bool change, bo_content **out, bo_error *err)
{
    const char *name = change ? point->change_file : point->file;
    const char *root = change ? point->change_root : point->root;
    BO_OWN(bo_content) *content = NULL;
    bo_status st = name && name[0]
                       ? bo_content_open(session, name, root, &content, err)
                       : bo_fail(err, BO_NOTFOUND, "nothing is stored of '%s'", point->id);
    if (st == BO_NOTFOUND)
        return bo_content_absent(session, point->id, st, err);
    if (st != BO_OK)
        return st;
    const char *of = json_string_value(json_object_get(bo_pack_meta(content->pack), "point"));
    if (!of || strcmp(of, point->id) != 0)
        return bo_fail(err, BO_CORRUPT,
            "cannot use '%s'\nit was written for point '%s', not for '%s'", name, of ? of : "?",
            point->id);
    *out = BO_TAKE(content);
    return BO_OK;
}

bo_status bo_content_open_file(
    bo_session *session, const char *path, bo_content **out, bo_error *err)
{
    BO_OWN(bo_content) *content = new_content(path);
    if (!content)
        return bo_nomem(err);
    bo_status st = bo_file_source_open(path, &content->source, err);
    if (st == BO_OK)
        st = open_source(session, content, NULL, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot use '%s'", path);
    if (session->key.kind != BO_KEY_NONE && !bo_pack_encrypted(content->pack))
        bo_session_warn(
            session, "'%s' is not encrypted: that it was written with your key is not known", path);
    *out = BO_TAKE(content);
    return BO_OK;
}

void bo_content_free(bo_content *content)
{
    if (!content)
        return;
    bo_pack_free(content->pack);
    bo_stored_source_free(content->source);
    bo_arena_free(content->arena);
    free(content);
}

/* What was a key and is none now (it was dropped, or SQLite let a NULL in) tells no rows apart:
 * rows of a snapshot are then known by all their values. */
static bo_status forget_lost_key(bo_content *content, bo_part *part, bo_error *err)
{
    bool lost = part->now && part->was->row_key && !part->now->row_key;
    if (!lost || bo_pack_get_kind(content->pack) != BO_PACK_SNAPSHOT)
        return BO_OK;
    bo_table *was = bo_arena_alloc(content->arena, sizeof *was);
    if (!was)
        return bo_nomem(err);
    *was = *part->was;
    was->row_key = NULL;
    part->was = was;
    return BO_OK;
}

/* A name without a schema is looked for in all of them, and the table was in one: another one's of
 * that name is not it.  NULL: no memory. */
static const char *exact_name(const bo_conn *conn, const bo_table *was, bo_arena *arena)
{
    if (!(conn->driver->caps & BO_CAP_SCHEMAS) || !was->schema || !was->schema[0])
        return was->name;
    BO_OWN_VALUE(bo_buf) name = {0};
    conn->driver->quote(&name, was->schema);
    bo_buf_add_byte(&name, '.');
    conn->driver->quote(&name, was->local);
    return name.failed ? NULL : bo_arena_str(arena, bo_buf_str(&name));
}

/* It was attached to the one that has its name: its rows are rows of that. */
static bool is_inside(const bo_part *part, const char *called)
{
    const bo_table *was = part->was;
    return bo_table_has_partition(part->now, called) ||
           (was->partition_count > 0 && bo_table_has_partition(part->now, was->partitions[0]));
}

/* A table that was renamed while another one got its name.  One that was dropped and made again is
 * the same to us; and ids mean nothing in another database, which a restore may be into. */
static bo_status find_called(bo_content *content, bo_part *part, bo_conn *conn, bo_error *err)
{
    const char *id = part->was->id, *called = NULL;
    bo_identity identity = {0};
    part->called = NULL;
    if (!conn->driver->called || !part->now || !id || !id[0] || strcmp(id, part->now->id) == 0)
        return BO_OK;
    bo_status st = conn->driver->identity(conn, &identity, err);
    const char *server = json_string_value(json_object_get(bo_pack_meta(content->pack), "server"));
    if (st != BO_OK || !server || strcmp(server, identity.server) != 0)
        return st;
    st = conn->driver->called(conn, id, content->arena, &called, err);
    if (st == BO_OK && called && !is_inside(part, called))
        part->called = called;
    return st;
}

bo_status bo_content_describe(bo_content *content, bo_conn *conn, bo_error *err)
{
    bo_status (*describe)(bo_conn *, const char *, bo_arena *, const bo_table **, bo_error *) =
        conn->driver->describe_rows ? conn->driver->describe_rows : conn->driver->describe;
    for (uint32_t i = 0; i < content->part_count; i++) {
        bo_part *part = &content->parts[i];
        bo_error missing = {0};
        const char *name = exact_name(conn, part->was, content->arena);
        part->now = NULL;
        bo_status st =
            name ? describe(conn, name, content->arena, &part->now, &missing) : bo_nomem(&missing);
        if (st != BO_OK && st != BO_NOTFOUND) {
            if (err)
                *err = missing;
            return st;
        }
        st = forget_lost_key(content, part, err);
        if (st == BO_OK)
            st = find_called(content, part, conn, err);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

bo_status bo_content_begin(bo_content *content, bo_conn *conn, bo_tx_mode mode, bo_error *err)
{
    const bo_table *const *tables = NULL;
    unsigned count = 0;
    bo_status st = bo_content_describe(content, conn, err);
    if (st == BO_OK)
        st = bo_content_tables(content, false, content->arena, &tables, &count, err);
    if (st == BO_OK)
        st = conn->driver->begin(conn, mode, err);
    if (st == BO_OK && count)
        st = conn->driver->lock(conn, tables, count, err);
    return st == BO_OK ? bo_content_describe(content, conn, err) : st;
}

int bo_content_find(const bo_content *content, const char *table)
{
    for (uint32_t i = 0; i < content->part_count; i++)
        if (strcmp(content->parts[i].was->name, table) == 0)
            return (int)i;
    return -1;
}

bo_status bo_content_tables(const bo_content *content, bool only_bulk, bo_arena *arena,
    const bo_table *const **out, unsigned *count_out, bo_error *err)
{
    const bo_table **tables =
        bo_arena_array(arena, (size_t)content->part_count + 1, sizeof *tables);
    if (!tables)
        return bo_nomem(err);
    *count_out = 0;
    for (uint32_t i = 0; i < content->part_count; i++) {
        const bo_part *part = &content->parts[i];
        if (part->now && !part->left_out && (part->bulk || !only_bulk))
            tables[(*count_out)++] = part->now;
    }
    *out = tables;
    return BO_OK;
}

/* ---- references among tables that come back as they were ---- */

static bool same_names(const char *const *a, const char *const *b, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

static bool had_key(const bo_table *was, const bo_foreign_key *key)
{
    for (uint16_t i = 0; i < was->foreign_key_count; i++) {
        const bo_foreign_key *then = &was->foreign_keys[i];
        if (then->count == key->count && strcmp(then->parent, key->parent) == 0 &&
            same_names(then->child_columns, key->child_columns, key->count) &&
            same_names(then->parent_columns, key->parent_columns, key->count))
            return true;
    }
    return false;
}

static bool comes_back(const bo_content *content, int part)
{
    return part >= 0 && !content->parts[part].left_out && !content->parts[part].predicate;
}

/* `keys` without those whose both sides come back as they were. */
static bo_status leave_out_whole(const bo_content *content, const bo_foreign_key **keys,
    uint16_t *count, bo_arena *arena, bo_error *err)
{
    bo_foreign_key *left = bo_arena_array(arena, *count + 1u, sizeof *left);
    uint16_t left_count = 0;
    if (!left)
        return bo_nomem(err);
    for (uint16_t i = 0; i < *count; i++) {
        const bo_foreign_key *key = &(*keys)[i];
        const int child = bo_content_find(content, key->child);
        if (!comes_back(content, child) ||
            !comes_back(content, bo_content_find(content, key->parent)) ||
            !had_key(content->parts[child].was, key))
            left[left_count++] = *key;
    }
    *keys = left;
    *count = left_count;
    return BO_OK;
}

bo_status bo_content_referring(const bo_content *content, bool only_bulk, bo_arena *arena,
    const bo_table *const **out, unsigned *count_out, bo_error *err)
{
    const bo_table *const *tables = NULL;
    bo_status st = bo_content_tables(content, only_bulk, arena, &tables, count_out, err);
    const bo_table **referring =
        bo_arena_array(arena, (size_t)content->part_count + 1, sizeof *referring);
    if (st == BO_OK && !referring)
        st = bo_nomem(err);
    for (unsigned i = 0; st == BO_OK && i < *count_out; i++) {
        bo_table *table = bo_arena_alloc(arena, sizeof *table);
        if (!table)
            return bo_nomem(err);
        *table = *tables[i];
        st = leave_out_whole(content, &table->foreign_keys, &table->foreign_key_count, arena, err);
        if (st == BO_OK)
            st = leave_out_whole(
                content, &table->referenced_by, &table->referenced_count, arena, err);
        referring[i] = table;
    }
    *out = referring;
    return st;
}

bo_status bo_content_load(
    const bo_content *content, bo_frame_reader *reader, uint32_t frame, bo_error *err)
{
    bo_status st = bo_frame_reader_load(reader, frame, err);
    if (st == BO_OK)
        return BO_OK;
    const bo_part *part = &content->parts[bo_pack_get_frame(content->pack, frame)->table];
    st = bo_wrap(err, st, "cannot read table '%s'", part->was->name);
    return bo_wrap(err, st, "cannot use '%s'", content->name);
}

/* ---- reading back: every frame, by several threads ---- */

struct rereading {
    bo_content *content;
    bool only_bulk;
    bo_meter meter;
    bo_queue frames;
};

static bool is_meant(const struct rereading *rereading, const bo_frame *frame)
{
    const bo_part *part = &rereading->content->parts[frame->table];
    return !part->left_out && !part->aside && (part->bulk || !rereading->only_bulk);
}

static bo_status check_frames(void *ctx, bo_worker *worker, bo_error *err)
{
    struct rereading *rereading = ctx;
    bo_content *content = rereading->content;
    BO_OWN(bo_frame_reader) *reader = NULL;
    bo_status st = bo_frame_reader_create(content->pack, &reader, err);
    for (size_t at = 0; st == BO_OK && bo_queue_take(worker, &at);) {
        const bo_frame *frame = bo_pack_get_frame(content->pack, (uint32_t)at);
        if (!is_meant(rereading, frame))
            continue;
        st = bo_content_load(content, reader, (uint32_t)at, err);
        bo_meter_add(&rereading->meter, content->parts[frame->table].was->name, frame->rows,
            frame->raw_size);
    }
    return st;
}

static uint32_t count_threads(uint32_t frames)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t most = processors < 1                   ? 1
                    : processors > (long)THREADS_MAX ? THREADS_MAX
                                                     : (uint32_t)processors;
    uint32_t useful = frames / FRAMES_PER_THREAD + 1;
    return useful < most ? useful : most;
}

bo_status bo_content_verify(bo_session *session, bo_content *content, bool only_bulk, bo_error *err)
{
    const uint32_t frames = bo_pack_frame_count(content->pack);
    struct rereading rereading = {
        .content = content, .only_bulk = only_bulk, .frames = {.count = frames}};
    bo_meter_start(&rereading.meter, session, "check", 0);
    return bo_crew_run(&rereading.frames, count_threads(frames), check_frames, &rereading, err);
}

/* ---- changes ---- */

bo_status bo_changes_open(bo_changes *changes, bo_content *content, bo_error *err)
{
    *changes = (bo_changes){.content = content};
    if (bo_pack_get_kind(content->pack) != BO_PACK_CHANGESET)
        return bo_fail(err, BO_CORRUPT, "'%s' is not a changeset", content->name);
    return bo_frame_reader_create(content->pack, &changes->reader, err);
}

bo_status bo_changes_open_at(
    bo_changes *changes, bo_content *content, uint32_t table, bo_error *err)
{
    bo_status st = bo_changes_open(changes, content, err);
    while (st == BO_OK && changes->next_frame < bo_pack_frame_count(content->pack) &&
           bo_pack_get_frame(content->pack, changes->next_frame)->table < table)
        changes->next_frame++; /* frames of a changeset are in the order of its tables */
    return st;
}

void bo_changes_done(bo_changes *changes)
{
    bo_frame_reader_free(changes->reader);
    *changes = (bo_changes){.end = true};
}

/* What asks for a value of an image relies on its table: a forged file may have fewer. */
static bo_status check_values(const bo_table *was, bo_image image, bo_error *err)
{
    if (image.data && bo_image_count(image) < was->image_count)
        return bo_fail(err, BO_CORRUPT, "a row of '%s' has fewer values than columns", was->name);
    return BO_OK;
}

static bo_status next_in_frame(bo_changes *changes, bool *end_out, bo_error *err)
{
    const bo_table *was = changes->content->parts[changes->table].was;
    bo_status st =
        bo_frame_reader_change(changes->reader, &changes->before, &changes->after, end_out, err);
    if (st == BO_OK && !*end_out)
        st = check_values(was, changes->before, err);
    return st == BO_OK && !*end_out ? check_values(was, changes->after, err) : st;
}

bo_status bo_changes_next(bo_changes *changes, bo_error *err)
{
    while (!changes->end) {
        bo_status st;
        if (changes->loaded) {
            bool end = false;
            st = next_in_frame(changes, &end, err);
            if (st != BO_OK || !end)
                return st;
        }
        if (changes->next_frame == bo_pack_frame_count(changes->content->pack)) {
            changes->end = true;
            return BO_OK;
        }
        changes->table = bo_pack_get_frame(changes->content->pack, changes->next_frame)->table;
        st = bo_content_load(changes->content, changes->reader, changes->next_frame++, err);
        if (st != BO_OK)
            return st;
        changes->loaded = true;
    }
    return BO_OK;
}

bo_status bo_row_key(const bo_table *was, bo_image row, bo_buf *out, bo_error *err)
{
    bo_buf_clear(out);
    bo_status st = check_values(was, row, err);
    if (st != BO_OK)
        return st;
    if (was->row_key) {
        uint16_t columns[64];
        if (was->row_key->count > 64)
            return bo_fail(
                err, BO_UNSUPPORTED, "the key of '%s' has more than 64 columns", was->name);
        uint16_t count = bo_table_key_positions(was, columns);
        bo_image_project(out, row, columns, count);
    } else {
        bo_span values = bo_row_values(was, row);
        bo_buf_add(out, values.data, values.size);
    }
    return bo_buf_check(out, err);
}
