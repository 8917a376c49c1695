/* SPDX-License-Identifier: Apache-2.0 */
/* include/backout/export.h - the rows of a point in open formats, and a rollback as SQL. */
#ifndef BACKOUT_EXPORT_H
#define BACKOUT_EXPORT_H

#include "backout/point.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bo_export_format {
    BO_EXPORT_JSONL,
    BO_EXPORT_JSON,
    BO_EXPORT_SQL,
    BO_EXPORT_CSV
} bo_export_format;
typedef enum bo_export_which {
    BO_EXPORT_CHANGE,   /* what the sealed change did: before- and after-images */
    BO_EXPORT_SINCE,    /* what others did since the seal */
    BO_EXPORT_BEFORE,   /* the rows of the point */
    BO_EXPORT_LOST,     /* of an undo point: writes of others that its rollback gave up */
    BO_EXPORT_READABLE, /* the rows of the point, but for those in damaged parts of its file */
} bo_export_which;

/** Receives the text as it is made. */
typedef bo_status bo_text_sink(void *ctx, const char *text, size_t size, bo_error *err);

/**
 * Rows as text; the database is needed to render types and for BO_EXPORT_SINCE.
 *
 * @retval BO_CORRUPT   the file is damaged; rows that were read before may have gone out.
 * @retval BO_MISMATCH  BO_EXPORT_READABLE: done, and rows are missing: err says of each table how
 * many.
 */
BO_API BO_NODISCARD bo_status bo_export(bo_session *session, const bo_database *database,
    const char *id, bo_export_format format, bo_export_which which, bo_text_sink *sink, void *ctx,
    bo_error *err);

/** The rollback of the sealed change as self-contained SQL: one transaction, a guard before every
 * row. */
BO_API BO_NODISCARD bo_status bo_script(bo_session *session, const bo_database *database,
    const char *id, bo_text_sink *sink, void *ctx, bo_error *err);

/**
 * Open artefacts beside a point, in `directory`: <entity>_<value>_<time>_snapshot.json,
 * ..._<table>.sql and
 * ..._metadata.json (with DRY_RUN_ before them for a dry-run point).
 */
BO_API BO_NODISCARD bo_status bo_export_artefacts(bo_session *session, const bo_database *database,
    const char *id, const char *directory, bo_error *err);

#ifdef __cplusplus
}
#endif
#endif
