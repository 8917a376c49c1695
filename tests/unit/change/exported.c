/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/exported.c - the calls of export.h into memory, and the shells of the
 * databases.
 */
#include "exported.h"

#include <stdlib.h>
#include <sys/wait.h>

static const char hostile_sqlite[] =
    "CREATE TABLE \"odd \"\" na'me;--\n:x\" (\"i d\" INTEGER PRIMARY KEY, \"t\"\"ext\" TEXT UNIQUE,"
    " any_thing, real_one REAL, twice GENERATED ALWAYS AS (\"i d\" * 2));"
    "CREATE TRIGGER meddle AFTER INSERT ON \"odd \"\" na'me;--\n:x\""
    " BEGIN INSERT INTO log VALUES ('meddled'); END;"
    "INSERT INTO \"odd \"\" na'me;--\n:x\" VALUES"
    " (1, 'a''; DROP TABLE log; --', x'00ff', 0.1),"
    " (2, 'line' || char(13) || char(10) || '.quit' || char(10) || ';' || char(10) || '\\r', '12', "
    "9e999),"
    " (3, 'nul' || char(0) || 'x', -0.0, -1e-300), (4, '', NULL, NULL),"
    " (5, CAST(x'ff27fe' AS TEXT), 12.0, 9007199254740993), (-9223372036854775808, NULL, '', "
    "1e308);";
static const char change_sqlite[] =
    "DELETE FROM \"odd \"\" na'me;--\n:x\" WHERE \"i d\" IN (1, 2, 5, -9223372036854775808);"
    "UPDATE \"odd \"\" na'me;--\n:x\" SET any_thing = 0, \"t\"\"ext\" = 'a''; DROP TABLE log; --' "
    "WHERE \"i d\" = "
    "3;"
    "UPDATE \"odd \"\" na'me;--\n:x\" SET any_thing = '12' WHERE \"i d\" = 4;"
    "INSERT INTO \"odd \"\" na'me;--\n:x\" VALUES (6, 'new' || char(13) || char(10), 0.5, 1);";
static const char hostile_postgres[] =
    "CREATE SCHEMA \"sc\"\"hema\"; CREATE TYPE \"sc\"\"hema\".mood AS ENUM ('it''s', 'ok');"
    "CREATE TABLE \"sc\"\"hema\".\"odd \"\" na'me;--\n:x\" (\"i d\" bigint GENERATED ALWAYS AS "
    "IDENTITY"
    " PRIMARY KEY, \"t\"\"ext\" text UNIQUE, j json, n numeric, f float8, b bytea, a text[],"
    " at timestamptz, span interval, mood \"sc\"\"hema\".mood, m money, xm xml,"
    " twice bigint GENERATED ALWAYS AS (\"i d\" - 2) STORED);"
    "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS"
    " $$BEGIN INSERT INTO public.log VALUES ('meddled'); RETURN new; END$$;"
    "CREATE TRIGGER meddle AFTER INSERT ON \"sc\"\"hema\".\"odd \"\" na'me;--\n:x\""
    " FOR EACH ROW EXECUTE FUNCTION meddle();"
    "INSERT INTO \"sc\"\"hema\".\"odd \"\" na'me;--\n:x\" OVERRIDING SYSTEM VALUE VALUES"
    " (1, E'a''; DROP TABLE log; -- \\\\ :x :''x'' \\\\q', '{\"b\":  1, \"b\":2}', 1.00, '-0', "
    "'\\x00ff',"
    " ARRAY['x', NULL, '\"'], '2024-02-29 12:00:00.123456+05', '1 mon -3 days', 'it''s', 12.34, "
    "'<a/>'),"
    " (2, E'line\\r\\n\\\\q\\n\\\\.\\n;', NULL, 'NaN', 'NaN', '', '[2:3]={a,b}', 'infinity', NULL, "
    "NULL, NULL, NULL),"
    " (3, '', NULL, 1.0, 1e-300, NULL, '{}', NULL, '1 year', 'ok', -1, NULL),"
    " (9223372036854775807, NULL, 'null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);";
static const char change_postgres[] = "DELETE FROM \"sc\"\"hema\".\"odd \"\" na'me;--\n:x\" WHERE "
                                      "\"i d\" IN (1, 2, 9223372036854775807);"
                                      "UPDATE \"sc\"\"hema\".\"odd \"\" na'me;--\n:x\" SET "
                                      "\"t\"\"ext\" = E'line\\r\\n\\\\q\\n\\\\.\\n;', n = 1.00"
                                      " WHERE \"i d\" = 3;"
                                      "INSERT INTO \"sc\"\"hema\".\"odd \"\" na'me;--\n:x\" "
                                      "(\"t\"\"ext\", f) VALUES (E'new\\r\\n', '-0');";
static const char change_shop[] =
    "INSERT INTO customers VALUES (3, 'Cyd'); UPDATE orders SET customer_id = 3 WHERE id = 12;"
    "DELETE FROM orders WHERE customer_id = 1; DELETE FROM customers WHERE id = 1;"
    "INSERT INTO log VALUES ('more'), ('more');";

bool on_postgres(const world *w)
{
    return w->created[0] != '\0';
}

void hostile_set_up(world *w)
{
    world_sql(w, on_postgres(w) ? hostile_postgres : hostile_sqlite);
    world_sql(w, "DELETE FROM log WHERE line = 'meddled'");
}

void hostile_change(world *w)
{
    world_sql(w, on_postgres(w) ? change_postgres : change_sqlite);
    world_sql(w, change_shop);
    world_sql(w, on_postgres(w) ? "DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log)"
                                : "DELETE FROM log WHERE rowid = 1");
}

static bo_status keep_text(void *ctx, const char *text, size_t size, bo_error *err)
{
    (void)err;
    bo_buf_add(ctx, text, size);
    bo_buf_add_str(ctx, "");
    return BO_OK;
}

static const char *kept(world *w, bo_buf *text)
{
    assert_false(text->failed);
    return bo_arena_str(w->arena, bo_buf_str(text));
}

const char *exported(world *w, const char *id, bo_export_format format, bo_export_which which)
{
    bo_error err = {0};
    BO_OWN_VALUE(bo_buf) text = {0};
    world_ok(bo_export(w->session, &w->database, id, format, which, keep_text, &text, &err), &err);
    return kept(w, &text);
}

const char *scripted(world *w, const char *id)
{
    bo_error err = {0};
    BO_OWN_VALUE(bo_buf) text = {0};
    world_ok(bo_script(w->session, &w->database, id, keep_text, &text, &err), &err);
    return kept(w, &text);
}

int run_shell(world *w, const char *sql, const char **said_out)
{
    bo_error err = {0};
    const char *script = bo_arena_printf(w->arena, "%s/script.sql", w->folder);
    const char *said = bo_arena_printf(w->arena, "%s/said", w->folder);
    world_ok(bo_file_write(script, sql, strlen(sql), true, &err), &err);
    const char *command =
        on_postgres(w)
            ? bo_arena_printf(w->arena, "psql -X -q -f '%s' '%s' >'%s' 2>&1", script, w->url, said)
            : bo_arena_printf(w->arena, "sqlite3 -bail '%s' <'%s' >'%s' 2>&1",
                  w->url + strlen("sqlite:"), script, said);
    int status = system(command); /* NOLINT(cert-env33-c): as a person would run it */
    BO_OWN_VALUE(bo_buf) text = {0};
    world_ok(bo_file_slurp(said, 1 << 20, &text, &err), &err);
    bo_buf_add_byte(&text, '\0');
    *said_out = kept(w, &text);
    return WEXITSTATUS(status);
}

bool verifies(world *w, const char *id, bo_against against)
{
    bo_error err = {0};
    bo_verification *verification = NULL;
    bo_status st = bo_verify(w->session, &w->database, id, against, &verification, &err);
    bo_verification_free(verification);
    if (st != BO_MISMATCH)
        world_ok(st, &err);
    return st == BO_OK;
}
