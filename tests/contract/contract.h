/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/contract.h - a fresh database for each test of the contract, whatever the engine.
 *
 * Every program of the contract takes one argument: "sqlite", "postgresql" or "mariadb" (as
 * super-user), "postgresql-owner" or "mariadb-owner" (who owns the tables and may do nothing else).
 * Tests do not know which one it is, unless a value exists in one engine only.
 */
#ifndef BO_TESTS_CONTRACT_CONTRACT_H
#define BO_TESTS_CONTRACT_CONTRACT_H

#include "contract/stage_world.h"

typedef enum contract_engine {
    CONTRACT_SQLITE,
    CONTRACT_POSTGRESQL,
    CONTRACT_MARIADB,
} contract_engine;

typedef struct contract_world {
    const bo_driver *driver;
    contract_engine engine;
    char folder[64]; /* SQLite: of the database file */
    char url[600];
    bo_conn *conn; /* as backout connects */
    bo_conn *user; /* as a user connects: nothing pinned; reads SQL as the standard does */
    bo_arena *arena;
} contract_world;

int contract_start(void **state);
int contract_stop(void **state);
/** Runs `tests` against the engine that the program was started for. */
int contract_main(
    int argc, char **argv, const char *name, const struct CMUnitTest *tests, size_t count);

#define CONTRACT_TEST(test) cmocka_unit_test_setup_teardown(test, contract_start, contract_stop)
#define CONTRACT_MAIN(name, ...)                                                     \
    int main(int argc, char **argv)                                                  \
    {                                                                                \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                             \
        return contract_main(argc, argv, name, tests, sizeof tests / sizeof *tests); \
    }

bo_conn *contract_connect(const contract_world *world, bool raw);
/** Runs SQL as the user; the test fails when the database refuses. */
void contract_do(contract_world *world, const char *sql);
const bo_table *contract_table(contract_world *world, const char *name);
/** The first value of the first row as text, "" when there is none; in the world's arena. */
const char *contract_ask(contract_world *world, const char *sql);
/** A text that each engine needs of its own: contract_pick(w, .sqlite = "...", ...). */
typedef struct contract_texts {
    const char *sqlite;
    const char *postgresql;
    const char *mariadb;
} contract_texts;
const char *contract_pick_of(const contract_world *world, contract_texts texts);
#define contract_pick(world, ...) contract_pick_of(world, (contract_texts){__VA_ARGS__})

/** Images of a scan, one after another. */
typedef struct contract_rows {
    bo_buf bytes;
    size_t count;
    size_t at; /* where contract_next() is */
} contract_rows;
void contract_rows_done(contract_rows *rows);
bo_status contract_collect(void *rows, bo_image row, bo_error *err); /* bo_image_fn */
bo_status contract_next(void *rows, bo_image *row_out, bool *end_out, bo_error *err);
void contract_scan(contract_world *world, const bo_scan *what, contract_rows *out);

#endif
