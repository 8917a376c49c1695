/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_pg_capture_rights.c - PostgreSQL: with whose rights a capture begins, and
 * with whose it writes. */
#include "contract/pg_capture_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define T PG_NAMES("t")

/* ---- whose rights the functions have ---- */

/* Roles are the server's: another program's clerk is another one. */
static const char *owner_name(void)
{
    static char name[40];
    snprintf(name, sizeof name, "clerk_%ld", (long)getpid());
    return name;
}

/* Each "%" is the name of the role. */
static void do_about_owner(bo_conn *conn, const char *sql)
{
    bo_buf text = {0};
    for (const char *c = sql; *c; c++) {
        if (*c == '%')
            bo_buf_add_str(&text, owner_name());
        else
            bo_buf_add_byte(&text, (uint8_t)*c);
    }
    bo_buf_add_str(&text, "");
    pg_do(conn, bo_buf_str(&text));
    bo_buf_done(&text);
}

/* A superuser, who captures what belongs to the role. */
static contract_world world_of_super(const contract_world *w)
{
    contract_world over = *w;
    bo_error err = {0};
    over.conn = pg_capture_super(w);
    over.user = over.conn;
    do_about_owner(over.conn, "DROP ROLE IF EXISTS %; CREATE ROLE % LOGIN;"
                              "GRANT USAGE, CREATE ON SCHEMA public TO %");
    pg_must(over.driver->pin(over.conn, &err), &err);
    return over;
}

/* An index calls the function only when a statement that reads the table is planned. */
static void an_owner_gets_no_rights_of_the_superuser_who_captures(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    contract_world over = world_of_super(w);
    bo_conn *owner = pg_capture_super(w);
    do_about_owner(owner, "ALTER TABLE t OWNER TO %; SET SESSION AUTHORIZATION %;"
                          "CREATE TABLE seen (who name); GRANT INSERT ON seen TO PUBLIC;"
                          "CREATE FUNCTION see() RETURNS void LANGUAGE plpgsql AS"
                          " $$ BEGIN INSERT INTO public.seen VALUES (current_user); END $$;"
                          "CREATE FUNCTION fixed(n integer) RETURNS integer LANGUAGE plpgsql"
                          " IMMUTABLE AS $$ BEGIN PERFORM public.see(); RETURN n; END $$");
    const char *from = capture_begin(&over, "p", T);
    pg_do(owner, "CREATE INDEX called ON t ((id + fixed(1)))");
    bo_conn *writer = pg_capture_super(w); /* a session calls it once */
    do_about_owner(writer, "SET SESSION AUTHORIZATION %; TRUNCATE t; DROP INDEX called");
    bo_conn_free(writer);
    assert_string_equal(
        contract_ask(&over, "SELECT string_agg(DISTINCT who::text, ',') FROM public.seen"),
        owner_name());
    assert_string_equal(
        capture_since(&over, "t", from), "(1|one|10) > -\n(2|two|20) > -\n(3|three|30) > -\n");
    assert_string_equal(capture_broken(&over, "t", "p"), "");
    capture_end(&over, "p");
    do_about_owner(over.conn, "DROP TABLE public.t; DROP OWNED BY %; DROP ROLE %");
    bo_conn_free(owner);
    bo_conn_free(over.conn);
}

static void what_an_owner_may_not_reach_no_superuser_captures(void **state)
{
    contract_world *w = *state;
    contract_world over = world_of_super(w);
    do_about_owner(over.conn,
        "CREATE SCHEMA kept; CREATE TABLE kept.u (id integer PRIMARY KEY);"
        "ALTER TABLE kept.u OWNER TO %;"
        "CREATE TABLE public.p (id integer PRIMARY KEY) PARTITION BY LIST (id);"
        "ALTER TABLE public.p OWNER TO %;"
        "CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES IN (1)");
    const char *why = capture_coverage(&over, "kept.u", BO_UNCOVERED);
    assert_non_null(strstr(why, "a right is missing: GRANT USAGE ON SCHEMA kept TO clerk_"));
    why = capture_coverage(&over, "p", BO_UNCOVERED);
    assert_non_null(strstr(why, "public.p1 belongs to another role"));
    do_about_owner(
        over.conn, "DROP SCHEMA kept CASCADE; DROP TABLE public.p; DROP OWNED BY %; DROP ROLE %");
    bo_conn_free(over.conn);
}

static void missing_rights_are_named(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    bo_conn *super = pg_capture_super(w);
    pg_capture_make_t(w);
    pg_do(super, "DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN;"
                 "GRANT USAGE ON SCHEMA public TO clerk; GRANT ALL ON t TO clerk");
    char url[600];
    const char *like = getenv("BACKOUT_TEST_PG_SUPER_URL");
    const char *database = strstr(w->url, "///") + 3;
    const char *user = strstr(like, "user=postgres");
    snprintf(url, sizeof url, "postgresql:///%.*s%.*suser=clerk", (int)strcspn(database, "?"),
        database, (int)(user - strchr(like, '?')), strchr(like, '?'));
    bo_conn *clerk = pg_world_connect(url, false);
    const bo_table *t = pg_table(clerk, w->arena, "t");
    assert_int_equal(w->driver->capture->begin(clerk, &t, 1, "p", &err), BO_DENIED);
    if (!strstr(err.text, "owner of"))
        fail_msg("%s", err.text);
    pg_do(super, "ALTER TABLE t OWNER TO clerk");
    assert_int_equal(w->driver->capture->begin(clerk, &t, 1, "p", &err), BO_DENIED);
    if (!strstr(err.text, "GRANT CREATE ON DATABASE"))
        fail_msg("%s", err.text);
    bo_conn_free(clerk);
    pg_do(super, "DROP TABLE t; DROP OWNED BY clerk; DROP ROLE clerk");
    bo_conn_free(super);
}

/* The functions call it with the rights of the owner; who writes needs it not. */
static void writers_that_may_not_call_set_config_go_on(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    bo_conn *super = pg_capture_super(w);
    pg_capture_make_parts(w);
    contract_do(w, "DELETE FROM t WHERE id > 2");
    const char *user = contract_ask(w, "SELECT quote_ident(current_user)");
    char grant[200];
    char sql[500];
    snprintf(grant, sizeof grant, "GRANT EXECUTE ON FUNCTION set_config TO %s", user);
    snprintf(sql, sizeof sql,
        "CREATE ROLE teller_%d; GRANT ALL ON t TO teller_%d; GRANT USAGE ON SCHEMA public TO"
        " teller_%d; REVOKE EXECUTE ON FUNCTION set_config FROM PUBLIC",
        getpid(), getpid(), getpid());
    pg_do(super, sql);
    if (strcmp(user, "postgres") != 0) {
        assert_int_equal(pg_capture_try(w, "t", &err), BO_DENIED);
        if (!strstr(err.text, grant))
            fail_msg("%s", err.text);
    }
    pg_do(super, grant);
    const char *from = capture_begin(w, "p", T);
    snprintf(sql, sizeof sql,
        "SET ROLE teller_%d; DELETE FROM t WHERE id = 2; UPDATE t SET part = 2;"
        "INSERT INTO t VALUES (3, 1, 'c'); RESET ROLE; DROP OWNED BY teller_%d;"
        "DROP ROLE teller_%d; GRANT EXECUTE ON FUNCTION set_config TO PUBLIC",
        getpid(), getpid(), getpid());
    pg_do(super, sql);
    assert_string_equal(
        capture_since(w, "t", from), "(1|1|a) > -\n(2|2|b) > -\n- > (1|2|a)\n- > (3|1|c)\n");
    bo_conn_free(super);
}

CONTRACT_MAIN("pg_capture_rights",
    CONTRACT_TEST(an_owner_gets_no_rights_of_the_superuser_who_captures),
    CONTRACT_TEST(what_an_owner_may_not_reach_no_superuser_captures),
    CONTRACT_TEST(missing_rights_are_named),
    CONTRACT_TEST(writers_that_may_not_call_set_config_go_on))
