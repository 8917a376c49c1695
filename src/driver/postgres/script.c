/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/script.c - users' SQL: files run statement by statement, and conditions.
 *
 * PostgreSQL's own parser (libpg_query) splits and checks.  It may be older than the server, so
 * what it cannot parse is left to the server's judgement, except where a condition must not break
 * out of the statement it is put into.
 */
#include <jansson.h>
#include <limits.h>
#include <pg_query.h>
#include <string.h>

#include "base/text.h"
#include "driver/postgres/pg.h"

#define WAY_OUT "run it with psql: backout run -- psql -v ON_ERROR_STOP=1 -f FILE"

typedef json_t json;
static void json_free(json *value)
{
    json_decref(value);
}
BO_DEFINE_SCOPE(json);

/* The parse tree, or NULL with the parser's words and the character (from 1) they are about. */
static json_t *parse(const char *sql, bo_buf *words_out, int *position_out)
{
    PgQueryParseResult result = pg_query_parse(sql);
    json_t *tree = NULL;
    if (result.error) {
        bo_buf_add_str(words_out, result.error->message);
        *position_out = result.error->cursorpos;
    } else {
        tree = json_loads(result.parse_tree, 0, NULL);
    }
    pg_query_free_parse_result(result);
    return tree;
}

/* ---- conditions ---- */

/* Exactly `SELECT <one constant> WHERE <condition>`, and no clause besides. */
static bool is_plain_condition(const json_t *tree)
{
    const json_t *statements = json_object_get(tree, "stmts");
    if (json_array_size(statements) != 1)
        return false;
    const json_t *statement = json_object_get(json_array_get(statements, 0), "stmt");
    const json_t *select = json_object_get(statement, "SelectStmt");
    if (!select || !json_object_get(select, "whereClause"))
        return false;
    const char *operation = json_string_value(json_object_get(select, "op"));
    const char *limit = json_string_value(json_object_get(select, "limitOption"));
    return json_object_size(select) == 4 &&
           json_array_size(json_object_get(select, "targetList")) == 1 && operation &&
           strcmp(operation, "SETOP_NONE") == 0 && limit &&
           strcmp(limit, "LIMIT_OPTION_DEFAULT") == 0;
}

static bo_status check_form(const char *form, const char *predicate, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT 1 WHERE ");
    bo_buf_add_byte(&sql, (uint8_t)form[0]);
    bo_buf_add_str(&sql, predicate);
    bo_buf_add_byte(&sql, '\n'); /* ends a comment */
    bo_buf_add_byte(&sql, (uint8_t)form[1]);
    bo_buf_add_byte(&sql, '\0');
    bo_status st = bo_buf_check(&sql, err);
    if (st != BO_OK)
        return st;
    BO_OWN_VALUE(bo_buf) words = {0};
    int position = 0;
    BO_OWN(json) *tree = parse((const char *)sql.data, &words, &position);
    if (!tree)
        return bo_fail(err, BO_INVALID, "%s", words.size ? bo_buf_str(&words) : "out of memory");
    if (!is_plain_condition(tree))
        return bo_fail(err, BO_INVALID, "there is more in it than one condition");
    return BO_OK;
}

/* Without parentheses a ')' too many is an error; inside them ORDER BY and its like are. */
bo_status pg_check_predicate(const char *predicate, bo_error *err)
{
    bo_status st = check_form("  ", predicate, err);
    if (st == BO_OK)
        st = check_form("()", predicate, err);
    return st == BO_OK ? st : bo_wrap(err, st, "the condition is not valid SQL");
}

/* ---- files ---- */

typedef struct statement {
    const char *text; /* in the copy of the file, not ended by a NUL */
    size_t size;
    unsigned line; /* of its first word */
} statement;

typedef struct script {
    char *text;
    statement *statements;
    size_t count;
} script;

static void script_done(script *s)
{
    free(s->text);
    free(s->statements);
}

/* Past blanks and comments, to the first word of a statement. */
static size_t skip_to_word(const char *text, size_t at, size_t end)
{
    for (;;) {
        while (at < end && bo_text_is_space(text[at]))
            at++;
        if (end - at >= 2 && memcmp(text + at, "--", 2) == 0) {
            while (at < end && text[at] != '\n')
                at++;
        } else if (end - at >= 2 && memcmp(text + at, "/*", 2) == 0) {
            unsigned depth = 0;
            do {
                bool opens = end - at >= 2 && memcmp(text + at, "/*", 2) == 0;
                bool closes = end - at >= 2 && memcmp(text + at, "*/", 2) == 0;
                depth += opens;
                depth -= closes;
                at += opens || closes ? 2 : 1;
            } while (depth > 0 && at < end);
        } else {
            return at;
        }
    }
}

static unsigned count_lines(const char *from, const char *to)
{
    unsigned lines = 0;
    for (; from < to; from++)
        lines += *from == '\n';
    return lines;
}

typedef struct splitter {
    script *script;
    const char *counted; /* lines up to here are in `line` */
    unsigned line;
} splitter;

/* The text from `from` to `end` is a statement, unless it is empty. */
static void add_statement(splitter *w, size_t from, size_t end)
{
    script *s = w->script;
    size_t at = skip_to_word(s->text, from, end);
    while (at < end && s->text[at] == ';')
        at = skip_to_word(s->text, at + 1, end);
    if (at == end)
        return;
    w->line += count_lines(w->counted, s->text + at);
    w->counted = s->text + at;
    s->statements[s->count++] = (statement){s->text + at, end - at, w->line};
}

/* The scanner passes over a statement without a keyword ("SELEC 2"): what lies between two others
 * is one, too. */
static bo_status add_statements(
    script *s, size_t size, const PgQuerySplitResult *split, bo_error *err)
{
    s->statements = calloc(2 * (size_t)split->n_stmts + 1, sizeof *s->statements);
    if (!s->statements)
        return bo_nomem(err);
    splitter w = {s, s->text, 1};
    size_t done = 0;
    for (int i = 0; i < split->n_stmts; i++) {
        size_t from = (size_t)split->stmts[i]->stmt_location;
        size_t length = (size_t)split->stmts[i]->stmt_len;
        size_t end = length == 0 ? size : from + length;
        add_statement(&w, done, from);
        add_statement(&w, from, end);
        done = end;
    }
    add_statement(&w, done, size);
    return BO_OK;
}

/* The parser knows every construct of its version; the scanner also splits what is newer. */
static bo_status split_file(script *s, size_t size, bo_error *err)
{
    PgQuerySplitResult split = pg_query_split_with_parser(s->text);
    if (split.error) {
        pg_query_free_split_result(split);
        split = pg_query_split_with_scanner(s->text);
    }
    bo_status st = split.error ? bo_fail(err, BO_INVALID, "%s", split.error->message)
                               : add_statements(s, size, &split, err);
    pg_query_free_split_result(split);
    return st;
}

static bo_status read_script(const char *sql, size_t size, script *s, bo_error *err)
{
    if (memchr(sql, '\0', size))
        return bo_fail(err, BO_INVALID, "the file has a zero byte in it");
    if (size > INT_MAX)
        return bo_fail(err, BO_INVALID, "the file is too large; " WAY_OUT);
    s->text = strndup(sql, size);
    if (!s->text)
        return bo_nomem(err);
    return split_file(s, size, err);
}

static bool begins_with(const statement *s, const char *word)
{
    size_t size = strlen(word);
    return s->size >= size && bo_text_same_part(s->text, word, size);
}

/* Only these need a look at their parse tree; a file may hold a million INSERTs. */
static bool is_suspect(const statement *s)
{
    static const char *const words[] = {
        "copy", "begin", "start", "commit", "end", "abort", "rollback", "prepare"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (begins_with(s, words[i]))
            return true;
    }
    return false;
}

/* A line that begins with a backslash: a psql command, unless it is inside a literal. */
static const char *backslash_line(const statement *s)
{
    for (const char *c = s->text; c && c < s->text + s->size;) {
        while (c < s->text + s->size && (*c == ' ' || *c == '\t'))
            c++;
        if (c < s->text + s->size && *c == '\\')
            return c;
        c = memchr(c, '\n', (size_t)(s->text + s->size - c));
        c = c ? c + 1 : NULL;
    }
    return NULL;
}

static bool is_client_copy(const json_t *node)
{
    const json_t *copy = json_object_get(node, "CopyStmt");
    return copy && !json_object_get(copy, "filename");
}

static bool ends_transaction(const json_t *node)
{
    const json_t *transaction = json_object_get(node, "TransactionStmt");
    const char *kind = json_string_value(json_object_get(transaction, "kind"));
    return kind && strcmp(kind, "TRANS_STMT_SAVEPOINT") != 0 &&
           strcmp(kind, "TRANS_STMT_RELEASE") != 0 && strcmp(kind, "TRANS_STMT_ROLLBACK_TO") != 0;
}

/* What is done then is not done yet, and is not seen when the change is sealed. */
static bool puts_off(const json_t *node)
{
    const json_t *transaction = json_object_get(node, "TransactionStmt");
    const char *kind = json_string_value(json_object_get(transaction, "kind"));
    return kind && strcmp(kind, "TRANS_STMT_PREPARE") == 0;
}

/* Refuses what only psql can run, and what would end the transaction that is ours to end. */
static bo_status check_statement(const pg_conn *conn, const statement *s, bo_error *err)
{
    const char *meta = backslash_line(s);
    if (!meta && !is_suspect(s))
        return BO_OK;
    BO_OWN_MEM char *text = strndup(s->text, s->size);
    if (!text)
        return bo_nomem(err);
    BO_OWN_VALUE(bo_buf) words = {0};
    int position = 0;
    BO_OWN(json) *tree = parse(text, &words, &position);
    if (meta && !tree)
        return bo_fail(err, BO_INVALID, "line %u: a psql command has no place here; " WAY_OUT,
            s->line + count_lines(s->text, meta));
    const json_t *node = json_object_get(json_array_get(json_object_get(tree, "stmts"), 0), "stmt");
    if (is_client_copy(node))
        return bo_fail(err, BO_INVALID,
            "line %u: COPY from or to the client has no place here; " WAY_OUT, s->line);
    if (conn->in_transaction && ends_transaction(node))
        return bo_fail(err, BO_REFUSED,
            "line %u: the file begins or ends a transaction by itself; " WAY_OUT, s->line);
    if (puts_off(node))
        return bo_fail(err, BO_INVALID,
            "line %u: what PREPARE TRANSACTION leaves open would not be in the change", s->line);
    return BO_OK;
}

/* The server counts characters; a line is found by bytes. */
static unsigned line_of_error(const statement *s, const PGresult *result)
{
    const char *text = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    unsigned long position = text ? strtoul(text, NULL, 10) : 0;
    const char *c = s->text;
    const char *end = s->text + s->size;
    for (; position > 1 && c < end; position--) {
        c++;
        while (c < end && ((unsigned char)*c & 0xc0) == 0x80)
            c++;
    }
    return s->line + count_lines(s->text, c);
}

static bo_status run_statement(pg_conn *conn, const statement *s, bo_error *err)
{
    BO_OWN_MEM char *text = strndup(s->text, s->size);
    if (!text)
        return bo_nomem(err);
    BO_OWN(PGresult) *result = PQexec(conn->pg, text);
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
        return BO_OK;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        pg_leave_copy(conn, PQresultStatus(result));
        return bo_fail(err, BO_INVALID,
            "line %u: COPY from or to the client has no place here; " WAY_OUT, s->line);
    default:
        return pg_error(conn, result, err, "line %u", line_of_error(s, result));
    }
}

bo_status pg_script(bo_conn *base, const char *sql, size_t size, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    BO_OWN_VALUE(script) s = {0};
    bo_status st = read_script(sql, size, &s, err);
    for (size_t i = 0; i < s.count && st == BO_OK; i++)
        st = check_statement(conn, &s.statements[i], err);
    for (size_t i = 0; i < s.count && st == BO_OK; i++)
        st = run_statement(conn, &s.statements[i], err);
    if (st == BO_OK && !conn->in_transaction && PQtransactionStatus(conn->pg) != PQTRANS_IDLE)
        return bo_fail(err, BO_INVALID, "it begins a transaction and does not commit it");
    return st;
}
