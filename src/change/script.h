/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/script.h - a changeset as a transaction for psql, sqlite3 or mariadb, with its guards
 * inside.
 */
#ifndef BO_CHANGE_SCRIPT_H
#define BO_CHANGE_SCRIPT_H

#include "backout/export.h"
#include "change/content.h"

/** Text on its way to a sink, and what it is about. */
typedef struct bo_script_job {
    bo_target *target;
    bo_content *content;
    const char *point; /* id */
    const char *title; /* "the rollback of the change" */
    bool inverted;     /* from after to before */
    bo_text_sink *sink;
    void *ctx;
} bo_script_job;

/** Describes the tables and writes the whole script; content is a changeset. */
bo_status bo_script_changes(const bo_script_job *job, bo_error *err);
/** The rows before the change as INSERT statements, parents first, in one transaction. */
bo_status bo_script_rows(const bo_script_job *job, bo_error *err);
/** The same for one table. */
bo_status bo_script_table(const bo_script_job *job, uint32_t table, bo_error *err);

#endif
