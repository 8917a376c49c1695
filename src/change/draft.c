/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/draft.c - writing packs: a file is used only after all of it was read back. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "change/content.h"

static json_t *draft_meta(bo_pack_kind kind, const char *point, const bo_identity *identity,
    const bo_part *parts, uint32_t count)
{
    char created[BO_TIME_TEXT_SIZE];
    bo_time_format(bo_clock_now_us(), created);
    BO_OWN(json_ref) *tables = json_array();
    for (uint32_t i = 0; i < count; i++) {
        json_t *definition = bo_table_to_json(parts[i].was);
        json_t *item = definition ? json_pack("{s:o, s:s?, s:s?, s:s?, s:b, s:b}", "definition",
                                        definition, "predicate", parts[i].predicate, "entering",
                                        parts[i].entering, "closure", parts[i].closure, "captured",
                                        parts[i].captured, "unstored", parts[i].unstored)
                                  : NULL;
        if (!item || json_array_append_new(tables, item) != 0)
            return NULL;
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:O}", "holds",
        kind == BO_PACK_SNAPSHOT ? "snapshot" : "changeset", "point", point, "created", created,
        "engine", identity->engine, "database", identity->database, "server", identity->server,
        "tables", tables);
}

static bool keep_names(bo_draft *draft, const bo_part *parts)
{
    draft->tables =
        bo_arena_array(draft->arena, (size_t)draft->part_count + 1, sizeof *draft->tables);
    for (uint32_t i = 0; draft->tables && i < draft->part_count; i++) {
        draft->tables[i] = bo_arena_str(draft->arena, parts[i].was->name);
        if (!draft->tables[i])
            return false;
    }
    return draft->tables;
}

bo_status bo_draft_create(bo_session *session, bo_pack_kind kind, const char *name,
    const char *point, const bo_identity *identity, const bo_part *parts, uint32_t count,
    bo_draft **out, bo_error *err)
{
    BO_OWN(bo_draft) *draft = calloc(1, sizeof *draft);
    if (!draft)
        return bo_nomem(err);
    draft->part_count = count;
    draft->open_table = UINT32_MAX;
    draft->ranges = calloc((size_t)count + 1, sizeof *draft->ranges);
    draft->inserted = calloc(3 * (size_t)count + 1, sizeof *draft->inserted);
    draft->arena = bo_arena_create();
    if (!draft->ranges || !draft->inserted || !draft->arena || !keep_names(draft, parts))
        return bo_nomem(err);
    draft->updated = draft->inserted + count;
    draft->deleted = draft->updated + count;
    BO_OWN(json_ref) *meta = draft_meta(kind, point, identity, parts, count);
    if (!meta)
        return bo_fail(err, BO_NOMEM, "cannot write down the definitions of the tables");
    bo_status st = bo_repository_create(session->repository, name, &draft->file, err);
    if (st == BO_OK)
        st = bo_pack_writer_create(
            kind, meta, &session->key, bo_stored_file_sink(draft->file), &draft->writer, err);
    if (st == BO_OK)
        st = bo_frame_writer_create(draft->writer, &draft->frame, err);
    for (uint32_t i = 0; st == BO_OK && kind == BO_PACK_CHANGESET && i < count; i++)
        st = bo_pack_writer_range(draft->writer, i, (bo_span){0}, &draft->ranges[i], err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot write '%s'", name);
    *out = BO_TAKE(draft);
    return BO_OK;
}

void bo_draft_free(bo_draft *draft)
{
    if (!draft)
        return;
    bo_frame_writer_free(draft->frame);
    bo_pack_writer_free(draft->writer);
    bo_stored_file_free(draft->file);
    bo_arena_free(draft->arena);
    free(draft->ranges);
    free(draft->inserted);
    free(draft);
}

bo_status bo_draft_change(
    bo_draft *draft, uint32_t table, bo_image before, bo_image after, bo_error *err)
{
    if (draft->open_table != table) {
        bo_status st = bo_frame_writer_flush(draft->frame, err);
        if (st != BO_OK)
            return st;
        bo_frame_writer_begin(draft->frame, table, draft->ranges[table]);
        draft->open_table = table;
    }
    if (!before.data)
        draft->inserted[table]++;
    else if (!after.data)
        draft->deleted[table]++;
    else
        draft->updated[table]++;
    bo_status st = bo_frame_writer_change(draft->frame, before, after, err);
    return st == BO_OK
               ? BO_OK
               : bo_wrap(err, st, "cannot write down a change of table '%s'", draft->tables[table]);
}

bo_status bo_draft_commit(bo_session *session, bo_draft *draft, const char *name, bo_error *err)
{
    bo_status st = bo_frame_writer_flush(draft->frame, err);
    if (st == BO_OK)
        st = bo_pack_writer_finish(draft->writer, NULL, err);
    if (st == BO_OK)
        st = bo_stored_file_commit(draft->file, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot write '%s'", name);
    BO_OWN(bo_content) *content = NULL;
    st = bo_content_open(session, name, NULL, &content, err);
    if (st == BO_OK)
        st = bo_content_verify(session, content, false, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "'%s' does not read back", name);
    BO_OWN_VALUE(bo_buf) hex = {0};
    bo_text_hex(&hex, bo_pack_root(content->pack), 32);
    st = bo_buf_check(&hex, err);
    if (st == BO_OK)
        memcpy(draft->root_hex, bo_buf_str(&hex), sizeof draft->root_hex);
    return st;
}
