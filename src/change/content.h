/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/content.h - a stored pack with the table definitions in it: reading snapshots and
 * changesets. */
#ifndef BO_CHANGE_CONTENT_H
#define BO_CHANGE_CONTENT_H

#include "change/session.h"
#include "change/target.h"

typedef struct bo_content {
    bo_stored_source *source;
    bo_pack *pack;
    bo_arena *arena; /* owns parts and definitions */
    uint32_t part_count;
    bo_part *parts;        /* `now` is NULL until bo_content_describe() */
    uint32_t *first_frame; /* of each range, UINT32_MAX: none; made by open */
    uint32_t *next_frame;  /* of the same range */
    bool *unreadable;      /* frames that are not shown; NULL: all are */
    const char *name;      /* file name, for messages */
} bo_content;

/** Opens `name` in the repository. `root_hex`, when not NULL or "", is what the catalog says the
 * content's root hash is. */
bo_status bo_content_open(
    bo_session *session, const char *name, const char *root_hex, bo_content **out, bo_error *err);
/** The snapshot, or with `change` the changeset, of a point; BO_CORRUPT when the file was written
 * for another one, BO_REFUSED when prune has removed it, now or since the record was read. */
bo_status bo_content_open_of(bo_session *session, const bo_point_record *point, bool change,
    bo_content **out, bo_error *err);
/** The same for a file anywhere. */
bo_status bo_content_open_file(
    bo_session *session, const char *path, bo_content **out, bo_error *err);
/** A file of the point is not there: BO_REFUSED when prune has removed it or the point was never
 * whole; otherwise `st`, and err is left as it is: the file is lost. */
bo_status bo_content_absent(bo_session *session, const char *id, bo_status st, bo_error *err);
void bo_content_free(bo_content *content);
BO_DEFINE_SCOPE(bo_content);

/** Describes each part's table as it is now; a table that is gone keeps `now` NULL, and one whose
 * name another table has gets `called`. */
bo_status bo_content_describe(bo_content *content, bo_conn *conn, bo_error *err);
/**
 * Begins a transaction that reads the parts: their tables are locked against TRUNCATE, ALTER and
 * DROP before its snapshot is taken, which those would otherwise show empty or altered; then they
 * are described.
 */
bo_status bo_content_begin(bo_content *content, bo_conn *conn, bo_tx_mode mode, bo_error *err);
/** Makes `reader` ready to give out the rows of a frame; an error names file and table. */
bo_status bo_content_load(
    const bo_content *content, bo_frame_reader *reader, uint32_t frame, bo_error *err);
/** Reads and checks every frame of the parts that are not left out (with only_bulk: of those that
 * come back whole), but for tables aside: of these nothing is seen before all is read. */
bo_status bo_content_verify(
    bo_session *session, bo_content *content, bool only_bulk, bo_error *err);
int bo_content_find(const bo_content *content, const char *table); /* position of the part, or -1 */

/** The tables of the parts that are there and not left out (with only_bulk: of those that come back
 * whole), in `arena`. */
bo_status bo_content_tables(const bo_content *content, bool only_bulk, bo_arena *arena,
    const bo_table *const **out, unsigned *count_out, bo_error *err);

/** The same tables where all of them come back as they were, without the foreign keys that both
 * sides had then: a reference among them that leads nowhere led nowhere then.  (Of PostgreSQL's,
 * which has none such, all are read again.) */
bo_status bo_content_referring(const bo_content *content, bool only_bulk, bo_arena *arena,
    const bo_table *const **out, unsigned *count_out, bo_error *err);

/**
 * Finds out which frames cannot be read, and leaves them out of what is shown (readable.c).
 * @param lost_out  of each part, how many rows are in them.
 * @param why_out   why the first of them cannot be read.
 */
bo_status bo_content_leave_unreadable(
    bo_content *content, uint64_t *lost_out, bo_error *why_out, bo_error *err);
static inline bool bo_content_is_readable(const bo_content *content, uint32_t frame)
{
    return !content->unreadable || !content->unreadable[frame];
}

/** Iterates the changes of a changeset in the order of (table, key). */
typedef struct bo_changes {
    bo_content *content;
    bo_frame_reader *reader;
    uint32_t next_frame;
    bool loaded;
    uint32_t table;
    bo_image before, after;
    bool end;
} bo_changes;
bo_status bo_changes_open(bo_changes *changes, bo_content *content, bo_error *err);
/** The same, beginning with the first change of `table` or a later one. */
bo_status bo_changes_open_at(
    bo_changes *changes, bo_content *content, uint32_t table, bo_error *err);
bo_status bo_changes_next(
    bo_changes *changes, bo_error *err); /* sets table, before, after, or end */
void bo_changes_done(bo_changes *changes);

/* ---- writing ---- */

/** A pack on its way into the repository. */
typedef struct bo_draft {
    bo_stored_file *file;
    bo_pack_writer *writer;
    bo_frame_writer *frame; /* of worker 0; changesets use only this */
    uint32_t part_count;
    bo_arena *arena;     /* of the names */
    const char **tables; /* their names, for messages */
    uint32_t *ranges;    /* changeset: the one range of each table */
    uint32_t open_table; /* changeset: table the frame writer is in, or UINT32_MAX */
    uint64_t *inserted, *updated, *deleted; /* changeset: per table */
    char root_hex[65];                      /* set by commit */
} bo_draft;

/** Begins a snapshot or changeset `name` holding `parts`; `point` is the point's id. */
bo_status bo_draft_create(bo_session *session, bo_pack_kind kind, const char *name,
    const char *point, const bo_identity *identity, const bo_part *parts, uint32_t count,
    bo_draft **out, bo_error *err);
void bo_draft_free(bo_draft *draft); /* not committed: nothing remains */
BO_DEFINE_SCOPE(bo_draft);
/** Adds a change; tables must come in ascending order. */
bo_status bo_draft_change(
    bo_draft *draft, uint32_t table, bo_image before, bo_image after, bo_error *err);
/** Index, trailer, fsync, rename; then the file is opened again and every frame of it is read and
 * checked. */
bo_status bo_draft_commit(bo_session *session, bo_draft *draft, const char *name, bo_error *err);

/** The bytes that order and match rows: the image of the key, or of the whole row when the table
 * has none. */
bo_status bo_row_key(const bo_table *was, bo_image row, bo_buf *out, bo_error *err);

#endif
