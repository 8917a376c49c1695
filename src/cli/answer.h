/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/answer.h - what a command says: results to stdout, everything else to stderr. */
#ifndef BO_CLI_ANSWER_H
#define BO_CLI_ANSWER_H

#include "base/buf.h"
#include "cli/cli.h"

BO_DEFINE_SCOPE(bo_point_list);
BO_DEFINE_SCOPE(bo_rollback);
BO_DEFINE_SCOPE(bo_verification);
BO_DEFINE_SCOPE(bo_check);
BO_DEFINE_SCOPE(bo_prune);
BO_DEFINE_SCOPE(bo_audit);
BO_DEFINE_SCOPE(bo_change_report);
BO_DEFINE_SCOPE(bo_doctor);
BO_DEFINE_SCOPE(bo_run);
BO_DEFINE_SCOPE(bo_session);

/** Is the answer text for people? */
bool cli_is_text(const cli *ctx);

/** Prints finished text to stdout. */
bo_status cli_print(cli *ctx, const bo_buf *text, bo_error *err);
/** Bytes to stdout as they are: a bo_text_sink. */
bo_status cli_stdout_sink(void *ctx, const char *text, size_t size, bo_error *err);
/** Keeps `result` (NULL: no memory) to be printed when the command has ended, with its error. */
bo_status cli_result(cli *ctx, json_t *result, bo_error *err);
/** One line of JSON at once (--output jsonl); `event` is released. */
void cli_event(cli *ctx, json_t *event);

/** A remark to stderr, unless --quiet; the arguments are made safe for terminals. */
void cli_say(const cli *ctx, const char *format, ...) BO_PRINTF(2, 3);
/** A remark to stderr with --verbose only. */
void cli_verbose(const cli *ctx, const char *format, ...) BO_PRINTF(2, 3);

/** A remark when a catalog that stands in takes the records of the command with it. */
void cli_tell_unrecorded(const cli *ctx);

/** Ends the answer: prints the kept result or the error, and returns the exit code. */
int cli_answer(cli *ctx, bo_status st, const bo_error *err);

/* A result in the form that was asked for: a function of report/ for each. */
bo_status cli_answer_points(cli *ctx, const bo_point_list *list, bo_error *err);
bo_status cli_answer_made(cli *ctx, const bo_point *point, bo_error *err);
/** The same of a point that was sealed just now: BO_MISMATCH when what the change did to a table is
 * nowhere, so that no rollback can take it back. */
bo_status cli_answer_sealed(cli *ctx, const bo_point *point, bo_error *err);
bo_status cli_answer_rollback(cli *ctx, const bo_rollback *rollback, bo_error *err);

#endif
