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

/* A superuser, who captures what belongs to the role. */
static contract_world world_of_super(const contract_world *w)
{
    contract_world over = *w;
    bo_error err = {0};
    over.conn = pg_capture_super(w);
    over.user = over.conn;
    pg_capture_do_about_clerk(over.conn, "DROP ROLE IF EXISTS %; CREATE ROLE % LOGIN;"
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
    pg_capture_do_about_clerk(owner,
        "ALTER TABLE t OWNER TO %; SET SESSION AUTHORIZATION %;"
        "CREATE TABLE seen (who name); GRANT INSERT ON seen TO PUBLIC;"
        "CREATE FUNCTION see() RETURNS void LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO public.seen VALUES (current_user); END $$;"
        "CREATE FUNCTION fixed(n integer) RETURNS integer LANGUAGE plpgsql"
        " IMMUTABLE AS $$ BEGIN PERFORM public.see(); RETURN n; END $$");
    const char *from = capture_begin(&over, "p", T);
    pg_do(owner, "CREATE INDEX called ON t ((id + fixed(1)))");
    bo_conn *writer = pg_capture_super(w); /* a session calls it once */
    pg_capture_do_about_clerk(writer, "SET SESSION AUTHORIZATION %; TRUNCATE t; DROP INDEX called");
    bo_conn_free(writer);
    assert_string_equal(
        contract_ask(&over, "SELECT string_agg(DISTINCT who::text, ',') FROM public.seen"),
        pg_capture_clerk());
    assert_string_equal(
        capture_since(&over, "t", from), "(1|one|10) > -\n(2|two|20) > -\n(3|three|30) > -\n");
    assert_string_equal(capture_broken(&over, "t", "p"), "");
    capture_end(&over, "p");
    pg_capture_do_about_clerk(over.conn, "DROP TABLE public.t; DROP OWNED BY %; DROP ROLE %");
    bo_conn_free(owner);
    bo_conn_free(over.conn);
}

static void what_an_owner_may_not_reach_no_superuser_captures(void **state)
{
    contract_world *w = *state;
    contract_world over = world_of_super(w);
    pg_capture_do_about_clerk(over.conn,
        "CREATE SCHEMA kept; CREATE TABLE kept.u (id integer PRIMARY KEY);"
        "ALTER TABLE kept.u OWNER TO %;"
        "CREATE TABLE public.p (id integer PRIMARY KEY) PARTITION BY LIST (id);"
        "ALTER TABLE public.p OWNER TO %;"
        "CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES IN (1)");
    const char *why = capture_coverage(&over, "kept.u", BO_UNCOVERED);
    assert_non_null(strstr(why, "a right is missing: GRANT USAGE ON SCHEMA kept TO clerk_"));
    why = capture_coverage(&over, "p", BO_UNCOVERED);
    assert_non_null(strstr(why, "public.p1 belongs to another role"));
    pg_capture_do_about_clerk(
        over.conn, "DROP SCHEMA kept CASCADE; DROP TABLE public.p; DROP OWNED BY %; DROP ROLE %");
    bo_conn_free(over.conn);
}

static void missing_rights_are_named(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    bo_conn *super = pg_capture_super(w);
    pg_capture_make_t(w);
    pg_capture_do_about_clerk(super, "DROP ROLE IF EXISTS %; CREATE ROLE % LOGIN;"
                                     "GRANT USAGE ON SCHEMA public TO %; GRANT ALL ON t TO %");
    char url[600];
    const char *like = getenv("BACKOUT_TEST_PG_SUPER_URL");
    const char *database = strstr(w->url, "///") + 3;
    const char *user = strstr(like, "user=postgres");
    snprintf(url, sizeof url, "postgresql:///%.*s%.*suser=%s", (int)strcspn(database, "?"),
        database, (int)(user - strchr(like, '?')), strchr(like, '?'), pg_capture_clerk());
    bo_conn *clerk = pg_world_connect(url, false);
    const bo_table *t = pg_table(clerk, w->arena, "t");
    assert_int_equal(w->driver->capture->begin(clerk, &t, 1, "p", &err), BO_DENIED);
    if (!strstr(err.text, "owner of"))
        fail_msg("%s", err.text);
    pg_capture_do_about_clerk(super, "ALTER TABLE t OWNER TO %");
    assert_int_equal(w->driver->capture->begin(clerk, &t, 1, "p", &err), BO_DENIED);
    if (!strstr(err.text, "GRANT CREATE ON DATABASE"))
        fail_msg("%s", err.text);
    bo_conn_free(clerk);
    pg_capture_do_about_clerk(super, "DROP TABLE t; DROP OWNED BY %; DROP ROLE %");
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
    snprintf(grant, sizeof grant, "GRANT EXECUTE ON FUNCTION set_config TO %s", user);
    pg_capture_do_about_clerk(super,
        "CREATE ROLE %; GRANT ALL ON t TO %; GRANT USAGE ON SCHEMA public TO %;"
        "REVOKE EXECUTE ON FUNCTION set_config FROM PUBLIC");
    if (strcmp(user, "postgres") != 0) {
        assert_int_equal(pg_capture_try(w, "t", &err), BO_DENIED);
        if (!strstr(err.text, grant))
            fail_msg("%s", err.text);
    }
    pg_do(super, grant);
    const char *from = capture_begin(w, "p", T);
    pg_capture_do_about_clerk(super,
        "SET ROLE %; DELETE FROM t WHERE id = 2; UPDATE t SET part = 2;"
        "INSERT INTO t VALUES (3, 1, 'c'); RESET ROLE; DROP OWNED BY %; DROP ROLE %;"
        "GRANT EXECUTE ON FUNCTION set_config TO PUBLIC");
    assert_string_equal(
        capture_since(w, "t", from), "(1|1|a) > -\n(2|2|b) > -\n- > (1|2|a)\n- > (3|1|c)\n");
    bo_conn_free(super);
}

/* Writers themselves ask it, and would fail. */
static void writers_that_may_not_ask_for_triggers_are_not_captured(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    bo_conn *super = pg_capture_super(w);
    pg_capture_make_t(w);
    const char *grant = "GRANT EXECUTE ON FUNCTION pg_trigger_depth TO PUBLIC";
    pg_do(super, "REVOKE EXECUTE ON FUNCTION pg_trigger_depth FROM PUBLIC");
    assert_int_equal(pg_capture_try(w, "t", &err), BO_DENIED);
    if (!strstr(err.text, grant))
        fail_msg("%s", err.text);
    pg_do(super, grant);
    capture_begin(w, "p", T);
    bo_conn_free(super);
}

CONTRACT_MAIN("pg_capture_rights",
    CONTRACT_TEST(an_owner_gets_no_rights_of_the_superuser_who_captures),
    CONTRACT_TEST(what_an_owner_may_not_reach_no_superuser_captures),
    CONTRACT_TEST(missing_rights_are_named),
    CONTRACT_TEST(writers_that_may_not_call_set_config_go_on),
    CONTRACT_TEST(writers_that_may_not_ask_for_triggers_are_not_captured))
