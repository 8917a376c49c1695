/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/script.c - users' SQL files inside and outside of a transaction.
 *
 * In MariaDB a statement that changes a definition commits what is open before it.  Inside a
 * transaction such statements are refused by their first words; behind a procedure or prepared
 * statement, which may do anything, a savepoint tells whether the transaction is still the same.
 * Source: MariaDB documentation, "SQL statements that cause an implicit commit".
 */
#include <errmsg.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <string.h>

#include "driver/mariadb/my.h"

#define WAY_OUT   "run it with the client: backout run -- mariadb NAME -e 'source FILE'"
#define SAVEPOINT "backout_script"

typedef enum effect {
    STAYS,    /* inside the transaction */
    COMMITS,  /* implicitly */
    CONTROLS, /* begins or ends a transaction by what it says */
    HIDDEN,   /* what it runs is not to be seen */
} effect;

typedef struct words {
    const char *at;
    const char *end;
    char word[32];
} words;

static bool next_is(words *w, const char *wanted)
{
    char word[32];
    const char *after = my_next_word(w->at, w->end, word);
    if (strcmp(word, wanted) != 0)
        return false;
    w->at = after;
    return true;
}

static void take_word(words *w)
{
    w->at = my_next_word(w->at, w->end, w->word);
}

static void skip_quoted(words *w)
{
    const char *close = memchr(w->at, w->word[0], (size_t)(w->end - w->at));
    w->at = close ? close + 1 : w->end;
}

/* SET autocommit = 1, SET @a = 1, @@session.autocommit = 1; SET PASSWORD. */
static effect effect_of_set(words w)
{
    unsigned at_signs = 0;
    if (next_is(&w, "PASSWORD"))
        return COMMITS;
    for (take_word(&w); w.word[0]; take_word(&w)) {
        if (strcmp(w.word, "AUTOCOMMIT") == 0 && at_signs != 1) /* @autocommit is a user's own */
            return CONTROLS;
        at_signs = w.word[0] == '@' ? at_signs + 1 : 0;
        if (w.word[0] == '\'' || w.word[0] == '"')
            skip_quoted(&w);
    }
    return STAYS;
}

static effect effect_of(words w)
{
    static const char *const commits[] = {"ALTER", "CACHE", "CHANGE", "CHECK", "FLUSH", "GRANT",
        "INSTALL", "LOCK", "OPTIMIZE", "RENAME", "REPAIR", "RESET", "REVOKE", "SHUTDOWN", "STOP",
        "TRUNCATE", "UNINSTALL", "UNLOCK", "BACKUP"};
    take_word(&w);
    if (strcmp(w.word, "SET") == 0 && next_is(&w, "STATEMENT")) {
        do
            take_word(&w);
        while (w.word[0] && strcmp(w.word, "FOR") != 0);
        take_word(&w);
    }
    for (size_t i = 0; i < sizeof commits / sizeof *commits; i++) {
        if (strcmp(w.word, commits[i]) == 0)
            return COMMITS;
    }
    if (strcmp(w.word, "CREATE") == 0) {
        if (next_is(&w, "OR"))
            (void)next_is(&w, "REPLACE");
        return next_is(&w, "TEMPORARY") ? STAYS : COMMITS;
    }
    if (strcmp(w.word, "DROP") == 0)
        return next_is(&w, "TEMPORARY") ? STAYS : COMMITS;
    if (strcmp(w.word, "ANALYZE") == 0)
        return next_is(&w, "TABLE") || next_is(&w, "LOCAL") || next_is(&w, "NO_WRITE_TO_BINLOG")
                   ? COMMITS
                   : STAYS;
    if (strcmp(w.word, "LOAD") == 0)
        return next_is(&w, "INDEX") ? COMMITS : STAYS;
    if (strcmp(w.word, "START") == 0)
        return next_is(&w, "TRANSACTION") ? CONTROLS : COMMITS;
    if (strcmp(w.word, "BEGIN") == 0)
        return next_is(&w, "NOT") ? HIDDEN : CONTROLS;
    if (strcmp(w.word, "COMMIT") == 0 || strcmp(w.word, "XA") == 0)
        return CONTROLS;
    if (strcmp(w.word, "ROLLBACK") == 0) {
        (void)next_is(&w, "WORK");
        return next_is(&w, "TO") ? STAYS : CONTROLS;
    }
    if (strcmp(w.word, "SET") == 0)
        return effect_of_set(w);
    static const char *const hidden[] = {
        "CALL", "EXECUTE", "IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        if (strcmp(w.word, hidden[i]) == 0)
            return HIDDEN;
    }
    return STAYS;
}

static bo_status refuse(const my_piece *piece, effect what, bo_error *err)
{
    if (what == CONTROLS)
        return bo_fail(err, BO_REFUSED,
            "line %u: the file begins or ends a transaction by itself; " WAY_OUT, piece->line);
    char first[32], second[32];
    const char *end = piece->text + piece->size;
    (void)my_next_word(my_next_word(piece->text, end, first), end, second);
    const bool both = second[0] >= 'A' && strcmp(first, "TRUNCATE") != 0; /* a name follows that */
    return bo_fail(err, BO_REFUSED,
        "line %u: %s%s%s commits implicitly, and what stands before it could not be undone with "
        "it: it has no place in one transaction",
        piece->line, first, both ? " " : "", both ? second : "");
}

/* The server counts lines from the first of the statement, and says which behind the SQL. */
static unsigned line_of_error(my_conn *conn, const my_piece *piece)
{
    unsigned line = 1;
    if (conn->my && mysql_errno(conn->my) == ER_PARSE_ERROR) {
        const char *at = strrchr(mysql_error(conn->my), '\'');
        if (at)
            line = (unsigned)strtoul(at + strcspn(at, "0123456789"), NULL, 10);
    }
    return piece->line + (line > 0 ? line - 1 : 0);
}

static bo_status run_piece(my_conn *conn, const my_piece *piece, bo_error *err)
{
    bo_status st = my_run_text(conn, piece->text, piece->size, NULL, err);
    return st == BO_OK ? st : bo_wrap(err, st, "line %u", line_of_error(conn, piece));
}

static bo_status run_hidden(my_conn *conn, const my_piece *piece, bo_error *err)
{
    bo_status st = my_run(conn, NULL, err, "SAVEPOINT " SAVEPOINT);
    if (st == BO_OK)
        st = run_piece(conn, piece, err);
    if (st != BO_OK && conn->my && mysql_errno(conn->my) == ER_XAER_RMFAIL)
        return bo_fail(err, BO_REFUSED,
            "line %u: the statement would end the transaction that it runs in", piece->line);
    if (st != BO_OK)
        return st;
    st = my_run(conn, NULL, err, "RELEASE SAVEPOINT " SAVEPOINT);
    if (st != BO_OK && conn->my && mysql_errno(conn->my) == ER_SP_DOES_NOT_EXIST)
        return bo_fail(err, BO_REFUSED,
            "line %u: the statement ended the transaction that it ran in; what it committed stays",
            piece->line);
    return st;
}

static bo_status run_inside(my_conn *conn, const my_piece *piece, bo_error *err)
{
    const effect what = effect_of((words){piece->text, piece->text + piece->size, ""});
    if (what == COMMITS || what == CONTROLS)
        return refuse(piece, what, err);
    return what == HIDDEN ? run_hidden(conn, piece, err) : run_piece(conn, piece, err);
}

static bo_status run_all(my_conn *conn, const char *sql, size_t size, bool script, bo_error *err)
{
    my_forget_links(conn);
    my_splitter split = {.at = sql, .end = sql + size};
    my_piece piece;
    bo_status st = BO_OK;
    while (st == BO_OK) {
        split.no_backslash =
            conn->my && (conn->my->server_status & SERVER_STATUS_NO_BACKSLASH_ESCAPES) != 0;
        if (!my_split(&split, &piece))
            break;
        if (!script)
            st = my_run_text(conn, piece.text, piece.size, NULL, err);
        else if (conn->in_transaction)
            st = run_inside(conn, &piece, err);
        else
            st = run_piece(conn, &piece, err);
    }
    return st;
}

bo_status my_exec(bo_conn *base, const char *sql, bo_error *err)
{
    return run_all(my_of(base), sql, strlen(sql), false, err);
}

bo_status my_script(bo_conn *base, const char *sql, size_t size, bo_error *err)
{
    my_conn *conn = my_of(base);
    if (memchr(sql, '\0', size))
        return bo_fail(err, BO_INVALID, "the file has a zero byte in it");
    bo_status st = run_all(conn, sql, size, true, err);
    if (st == BO_OK && !conn->in_transaction && conn->my &&
        (conn->my->server_status & SERVER_STATUS_IN_TRANS))
        return bo_fail(err, BO_INVALID, "it begins a transaction and does not commit it");
    return st;
}
