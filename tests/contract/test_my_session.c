/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_my_session.c - MariaDB: connecting, pinned settings, users' files, errors. */
#include "contract/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/mariadb/my.h"

static const bo_driver *const my = &bo_driver_mariadb;

/* ---- connecting ---- */

static void a_password_opens_and_is_never_said(void **state)
{
    (void)state;
    const char *url = getenv("BACKOUT_TEST_MY_PASSWORD_URL");
    const char *password = getenv("BACKOUT_TEST_MY_PASSWORD");
    bo_error err = {0};
    bo_conn *conn = NULL;
    pg_must(my->open(&(bo_connect){.url = url, .password = password}, &conn, &err), &err);
    my->cancel(conn); /* as the same user */
    bo_conn_free(conn);
    conn = NULL;
    assert_int_equal(
        my->open(&(bo_connect){.url = url, .password = "s3cret"}, &conn, &err), BO_DATABASE);
    assert_null(conn);
    assert_null(strstr(err.text, "s3cret"));
    assert_non_null(strstr(err.text, "cannot connect to 'app@localhost'"));
}

static void the_network_will_do_as_well(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    bo_identity here = {0}, there = {0};
    bo_conn *conn = NULL;
    pg_must(my->open(&(bo_connect){.url = getenv("BACKOUT_TEST_MY_TCP_URL")}, &conn, &err), &err);
    pg_must(my->identity(conn, &there, &err), &err);
    pg_must(my->identity(w->conn, &here, &err), &err);
    assert_string_equal(there.engine, here.engine);
    assert_non_null(strstr(there.database, "app@127.0.0.1:"));
    assert_string_not_equal(there.server, here.server); /* another database */
    assert_int_equal(strcspn(there.server, "/"), strcspn(here.server, "/"));
    assert_memory_equal(there.server, here.server, strcspn(here.server, "/"));
    bo_conn_free(conn);
}

static void what_cannot_be_connected_to_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *url, *why;
        bo_status status;
    } cases[] = {{"mariadb:///x?socket=/nowhere/s", "/nowhere/s", BO_DATABASE},
        {"mariadb://127.0.0.1:1/x", "127.0.0.1", BO_DATABASE},
        {"mariadb:///", "no database", BO_INVALID},
        {"mariadb://a@h/x?colour=red", "unknown option", BO_INVALID}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bo_error err = {0};
        bo_conn *conn = NULL;
        assert_int_equal(
            my->open(&(bo_connect){.url = cases[i].url}, &conn, &err), cases[i].status);
        if (!strstr(err.text, cases[i].why))
            fail_msg("%s: %s", cases[i].url, err.text);
    }
}

/* ---- settings ---- */

static void settings_of_ours_hold_after_a_users_session(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    static const char settings[] =
        "SET sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES,PAD_CHAR_TO_FULL_LENGTH',"
        " time_zone = '+05:30', foreign_key_checks = 0, unique_checks = 0,"
        " sql_select_limit = 1, sql_safe_updates = 1, autocommit = 1, max_statement_time = 1,"
        " timestamp = 1; SET NAMES latin1; USE information_schema";
    pg_must(my->script(w->user, settings, sizeof settings - 1, &err), &err);
    pg_must(my->pin(w->user, &err), &err);
    static const char compare[] =
        "SELECT CONCAT_WS('|', @@sql_mode, @@time_zone, @@foreign_key_checks, @@unique_checks,"
        " @@sql_select_limit, @@sql_safe_updates, @@max_statement_time, @@character_set_client,"
        " @@character_set_results IS NULL, @@collation_connection, @@tx_isolation, DATABASE(),"
        " NOW() > '2020-01-01')";
    const char *ours = contract_ask(w, compare);
    contract_world other = *w;
    other.user = w->conn;
    assert_string_equal(ours, contract_ask(&other, compare));
}

static void a_condition_is_read_as_the_server_reads_sql(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    uint64_t count = 0;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
    const bo_table *table = contract_table(w, "t");
    my_conn *conn = my_of(w->conn);
    char *mode = conn->user_mode;
    for (int quotes = 0; quotes < 2; quotes++) {
        conn->user_mode = strdup(quotes ? "ANSI_QUOTES" : "");
        assert_non_null(conn->user_mode);
        pg_must(my->count(w->conn, table, "\"id\" = 1", &count, &err), &err);
        assert_int_equal(count, quotes ? 1 : 0);
        free(conn->user_mode);
    }
    conn->user_mode = mode;
}

/* ---- users' files ---- */

static void routines_are_made_with_a_delimiter_of_their_own(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    static const char sql[] = "CREATE TABLE t (a integer);\nDELIMITER //\n"
                              "CREATE PROCEDURE p() BEGIN INSERT INTO t VALUES (1); SELECT 7;"
                              " INSERT INTO t VALUES (2); END//\nDELIMITER ;\nCALL p();\n"
                              "/*!50003 INSERT INTO t VALUES (3) */;";
    pg_must(my->script(w->user, sql, sizeof sql - 1, &err), &err);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "3");
}

static void the_line_of_a_mistake_is_that_in_the_file(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    static const char sql[] = "SELECT 1;\n\nSELECT 2,\n 3,\n  FROM nothing WHERE a = 'secret'\n";
    assert_int_not_equal(my->script(w->user, sql, sizeof sql - 1, &err), BO_OK);
    if (!strstr(err.text, "line 5") || !strstr(err.text, "near 'FROM'"))
        fail_msg("%s", err.text);
    assert_null(strstr(err.text, "secret"));
}

static void what_commits_by_itself_is_refused_inside(void **state)
{
    contract_world *w = *state;
    static const char *const commits[] = {"CREATE TABLE u (a integer)",
        "create or replace table u (a integer)", "DROP TABLE t", "ALTER TABLE t ADD b integer",
        "TRUNCATE t", "TRUNCATE TABLE t", "RENAME TABLE t TO u", "LOCK TABLES t WRITE",
        "UNLOCK TABLES", "/*!40000 ALTER TABLE t DISABLE KEYS */", "CREATE VIEW v AS SELECT 1",
        "CREATE INDEX i ON t (a)", "DROP INDEX i ON t", "ANALYZE TABLE t", "OPTIMIZE TABLE t",
        "GRANT SELECT ON t TO app", "FLUSH TABLES", "SET autocommit = 1",
        "SET @x = 1, @@session.autocommit = 1", "SET PASSWORD = ''", "START TRANSACTION",
        "BEGIN WORK", "COMMIT AND CHAIN", "ROLLBACK WORK", "XA START 'x'",
        "SET STATEMENT max_statement_time = 5 FOR DROP TABLE t", "CREATE SEQUENCE s",
        "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1"};
    contract_do(w, "CREATE TABLE t (a integer)");
    for (size_t i = 0; i < sizeof commits / sizeof *commits; i++) {
        bo_error err = {0};
        pg_must(my->begin(w->user, BO_TX_PLAIN, &err), &err);
        contract_do(w, "INSERT INTO t VALUES (1)");
        if (my->script(w->user, commits[i], strlen(commits[i]), &err) != BO_REFUSED)
            fail_msg("%s: %s", commits[i], err.text);
        my->rollback(w->user);
        assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "0");
    }
}

static void what_stays_inside_runs(void **state)
{
    contract_world *w = *state;
    static const char *const stays[] = {"CREATE TEMPORARY TABLE temp (a integer)",
        "DROP TEMPORARY TABLE temp", "SET @autocommit = 1", "SET @x = 'autocommit'",
        "ANALYZE SELECT * FROM t", "DELIMITER //\nBEGIN NOT ATOMIC INSERT INTO t VALUES (1); END//",
        "EXECUTE IMMEDIATE 'INSERT INTO t VALUES (1)'", "ROLLBACK TO SAVEPOINT s",
        "ROLLBACK WORK TO s", "RELEASE SAVEPOINT s",
        "SET STATEMENT max_statement_time = 5 FOR SELECT 1"};
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (a integer)");
    pg_must(my->begin(w->user, BO_TX_PLAIN, &err), &err);
    contract_do(w, "SAVEPOINT s");
    for (size_t i = 0; i < sizeof stays / sizeof *stays; i++) {
        if (my->script(w->user, stays[i], strlen(stays[i]), &err) != BO_OK)
            fail_msg("%s: %s", stays[i], err.text);
    }
    my->rollback(w->user);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "0");
}

static void a_statement_that_commits_behind_its_words_is_found(void **state)
{
    contract_world *w = *state;
    static const char *const hidden[] = {"CALL p()", "EXECUTE IMMEDIATE 'TRUNCATE t'",
        "DELIMITER //\nBEGIN NOT ATOMIC COMMIT; START TRANSACTION; END//"};
    contract_do(w, "CREATE TABLE t (a integer)");
    contract_do(w, "CREATE PROCEDURE p() COMMIT");
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        bo_error err = {0};
        pg_must(my->begin(w->user, BO_TX_PLAIN, &err), &err);
        if (my->script(w->user, hidden[i], strlen(hidden[i]), &err) != BO_REFUSED)
            fail_msg("%s: %s", hidden[i], err.text);
        assert_non_null(strstr(err.text, "ended the transaction"));
        my->rollback(w->user);
    }
}

/* ---- errors ---- */

static void values_of_rows_are_in_no_error(void **state)
{
    contract_world *w = *state;
    static const char *const bad[] = {"INSERT INTO t VALUES ('s3cret', 1)",
        "INSERT INTO t VALUES ('other', 's3cret')", "INSERT INTO t VALUES ('x', -5)",
        "UPDATE t SET n = 's3cret'", "INSERT INTO t SELECT 's3cret', 3",
        "INSERT INTO d VALUES ('s3cret')", "SELECT CAST(a AS integer FROM t WHERE a = 's3cret'"};
    contract_do(w, "SET sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES');"
                   "CREATE TABLE t (a varchar(9) PRIMARY KEY, n integer CHECK (n > 0));"
                   "CREATE TABLE d (d date); INSERT INTO t VALUES ('s3cret', 1)");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bo_error err = {0};
        assert_int_not_equal(my->exec(w->user, bad[i], &err), BO_OK);
        if (strstr(err.text, "s3cret"))
            fail_msg("%s: %s", bad[i], err.text);
        assert_true(strlen(err.text) > 10);
    }
}

static void a_duplicate_names_its_key(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (a integer, b varchar(9), CONSTRAINT u UNIQUE (b));"
                   "INSERT INTO t VALUES (1, 'x')");
    assert_int_equal(my->exec(w->user, "INSERT INTO t VALUES (2, 'x')", &err), BO_CONFLICT);
    assert_non_null(strstr(err.text, "for key 'u'"));
    assert_string_equal(err.sqlstate, "23000");
}

static void a_link_that_is_cut_is_said(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    char kill[64];
    contract_do(w, "CREATE TABLE t (a integer)");
    bo_conn *other = contract_connect(w, true);
    pg_must(my->begin(other, BO_TX_PLAIN, &err), &err);
    pg_do(other, "INSERT INTO t VALUES (1)");
    snprintf(kill, sizeof kill, "KILL CONNECTION %lu", mysql_thread_id(my_of(other)->my));
    contract_do(w, kill);
    assert_int_equal(my->exec(other, "INSERT INTO t VALUES (2)", &err), BO_DATABASE);
    assert_string_equal(err.sqlstate, "08006");
    assert_non_null(strstr(err.text, "the link to the database broke"));
    assert_int_equal(my->commit(other, &err), BO_DATABASE); /* it is known that it did not */
    bo_conn_free(other);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "0");
}

static void a_commit_without_an_answer_is_unknown(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    char kill[64];
    bo_conn *other = contract_connect(w, true);
    pg_must(my->begin(other, BO_TX_PLAIN, &err), &err);
    snprintf(kill, sizeof kill, "KILL CONNECTION %lu", mysql_thread_id(my_of(other)->my));
    contract_do(w, kill);
    assert_int_equal(my->commit(other, &err), BO_UNKNOWN);
    assert_int_equal(err.status, BO_UNKNOWN);
    my->rollback(other);
    bo_conn_free(other);
}

static void a_transaction_that_met_a_deadlock_is_not_committed(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (a integer PRIMARY KEY)");
    pg_must(my->begin(w->user, BO_TX_PLAIN, &err), &err);
    contract_do(w, "INSERT INTO t VALUES (1)");
    /* as after error 1213, which leaves the session without its transaction */
    static const char met[] = "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213";
    assert_int_equal(my->exec(w->user, met, &err), BO_BUSY);
    assert_int_equal(my->commit(w->user, &err), BO_DATABASE);
    assert_non_null(strstr(err.text, "deadlock"));
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "0");
}

CONTRACT_MAIN("my_session", CONTRACT_TEST(a_password_opens_and_is_never_said),
    CONTRACT_TEST(the_network_will_do_as_well), CONTRACT_TEST(what_cannot_be_connected_to_says_why),
    CONTRACT_TEST(settings_of_ours_hold_after_a_users_session),
    CONTRACT_TEST(a_condition_is_read_as_the_server_reads_sql),
    CONTRACT_TEST(routines_are_made_with_a_delimiter_of_their_own),
    CONTRACT_TEST(the_line_of_a_mistake_is_that_in_the_file),
    CONTRACT_TEST(what_commits_by_itself_is_refused_inside), CONTRACT_TEST(what_stays_inside_runs),
    CONTRACT_TEST(a_statement_that_commits_behind_its_words_is_found),
    CONTRACT_TEST(values_of_rows_are_in_no_error), CONTRACT_TEST(a_duplicate_names_its_key),
    CONTRACT_TEST(a_link_that_is_cut_is_said), CONTRACT_TEST(a_commit_without_an_answer_is_unknown),
    CONTRACT_TEST(a_transaction_that_met_a_deadlock_is_not_committed))
