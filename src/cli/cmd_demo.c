/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/cmd_demo.c - demo: a guided tour on a database it makes itself. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/answer.h"
#include "cli/commands.h"
#include "cli/scratch.h"
#include "report/text.h"

struct demo_args {
    bool keep;
};

static const cli_option options[] = {
    {CLI_FLAG, 0, "keep", NULL, offsetof(struct demo_args, keep), "keep the folder and say where"},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};

static const char shop_sql[] =
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT UNIQUE);\n"
    "CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price_cents INTEGER "
    "NOT NULL, stock INTEGER NOT NULL);\n"
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES "
    "customers, status TEXT NOT NULL);\n"
    "CREATE TABLE order_items (order_id INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE, "
    "product_id INTEGER NOT NULL REFERENCES products, quantity INTEGER NOT NULL, "
    "PRIMARY KEY (order_id, product_id));\n"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)\n"
    "INSERT INTO customers SELECT i, 'Customer ' || i, 'c' || i || '@example.com' FROM n;\n"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)\n"
    "INSERT INTO products SELECT i, 'Product ' || i, 500 + 37 * i, 10 * i FROM n;\n"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)\n"
    "INSERT INTO orders SELECT i, 1 + i * 7 % 150, CASE i % 3 WHEN 0 THEN 'open' ELSE 'paid' END "
    "FROM n;\n"
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 599)\n"
    "INSERT INTO order_items SELECT 1 + i / 2, 1 + (i * 11 + i / 40) % 40, 1 + i % 4 FROM n;\n";

static const char damage_sql[] =
    "-- meant: 10 % off one product.  A WHERE is missing, and a clean-up goes too far.\n"
    "UPDATE products SET price_cents = price_cents * 9 / 10;\n"
    "DELETE FROM order_items WHERE order_id IN (SELECT id FROM orders WHERE status = 'open');\n"
    "DELETE FROM orders WHERE status = 'open';\n";

static const char later_sql[] = "INSERT INTO orders VALUES (9001, 7, 'paid');\n"
                                "UPDATE orders SET status = 'shipped' WHERE id = 1;\n";
#define LATER_ROWS 2

typedef struct tour {
    cli *ctx;
    bo_session *session;
    bo_database database;
    const char *folder; /* NULL until it is made */
    char point[96];
    char undo[96];
} tour;

static void tell(const tour *t, const char *text)
{
    if (cli_is_text(t->ctx))
        (void)printf("\n%s\n", text);
}

static void stands_for(const tour *t, const char *command, const char *rest)
{
    if (cli_is_text(t->ctx))
        (void)printf("  $ backout %s%s\n", command, rest);
}

static bo_status show_rollback(const tour *t, const bo_rollback *rollback, bo_error *err)
{
    if (!cli_is_text(t->ctx))
        return BO_OK;
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_text_rollback(&text, &t->ctx->style, rollback);
    return cli_print(t->ctx, &text, err);
}

static bo_status make_shop(tour *t, bo_error *err)
{
    cli *ctx = t->ctx;
    bo_status st = cli_scratch_make(ctx, "backout-demo", &t->folder, err);
    if (st != BO_OK)
        return st;
    const char *file = bo_arena_printf(ctx->arena, "%s/shop.db", t->folder);
    ctx->flags.catalog = bo_arena_printf(ctx->arena, "sqlite:%s/catalog.db", t->folder);
    ctx->flags.repository = bo_arena_printf(ctx->arena, "%s/repository", t->folder);
    t->database.name = "shop";
    t->database.url = file ? bo_arena_printf(ctx->arena, "sqlite:%s", file) : NULL;
    if (!file || !ctx->flags.catalog || !ctx->flags.repository || !t->database.url)
        return bo_nomem(err);
    st = bo_file_write(file, "", 0, false, err);
    if (st == BO_OK)
        st = bo_sql_execute(&t->database, NULL, shop_sql, sizeof shop_sql - 1, true, true, err);
    return st == BO_OK ? cli_session(ctx, &t->session, err) : st;
}

static bo_status break_it(tour *t, bo_error *err)
{
    static const bo_scope_item scope[] = {
        {"products", NULL}, {"orders", NULL}, {"order_items", NULL}};
    bo_point_options point = {.scope = scope,
        .scope_count = sizeof scope / sizeof scope[0],
        .migration = "discount",
        .description = "10 % off"};
    tell(t, "1. A change under protection: point first, then the SQL, then the seal.");
    stands_for(t, "run --db shop.db --tables products,orders,order_items discount.sql", "");
    BO_OWN(bo_run) *run = NULL;
    bo_status st = bo_run_begin(t->session, &t->database, &point, &run, err);
    if (st == BO_OK)
        st = bo_sql_execute(
            &t->database, bo_run_id(run), damage_sql, sizeof damage_sql - 1, true, true, err);
    BO_OWN(bo_point_list) *list = NULL;
    if (st == BO_OK)
        st = bo_run_end(run, &list, err);
    if (st != BO_OK)
        return st;
    (void)snprintf(t->point, sizeof t->point, "%s", bo_point_list_get(list, 0)->id);
    if (cli_is_text(t->ctx)) {
        BO_OWN_VALUE(bo_buf) text = {0};
        bo_text_point_made(&text, &t->ctx->style, bo_point_list_get(list, 0));
        st = cli_print(t->ctx, &text, err);
    }
    tell(t, "   Every price is wrong, and all open orders are gone.\n"
            "   Meanwhile somebody else works on: a new order 9001, and order 1 is shipped.");
    return st == BO_OK ? bo_sql_execute(
                             &t->database, NULL, later_sql, sizeof later_sql - 1, true, true, err)
                       : st;
}

static bo_status assess_it(tour *t, bo_error *err)
{
    tell(t, "2. What would a rollback do now?");
    stands_for(t, "assess ", t->point);
    BO_OWN(bo_rollback) *plan = NULL;
    bo_status st = bo_rollback_assess(t->session, &t->database, t->point, &plan, err);
    return st == BO_OK ? show_rollback(t, plan, err) : st;
}

/* Rolls back to `id`, shows it, and insists on the proof. */
static bo_status roll_back(tour *t, const char *id, bo_rollback_type type, bo_error *err)
{
    bo_rollback_options how = {.type = type};
    BO_OWN(bo_rollback) *done = NULL;
    bo_status st = bo_rollback_execute(t->session, &t->database, id, &how, &done, err);
    if (st != BO_OK)
        return st;
    if (strcmp(done->proof, "match") != 0 || !done->undo_point)
        return bo_fail(err, BO_FAILED, "the rollback to %s was not proved", id);
    st = show_rollback(t, done, err);
    (void)snprintf(t->undo, sizeof t->undo, "%s", done->undo_point);
    return st;
}

/* Only what somebody else wrote may differ from the point. */
static bo_status verify_it(tour *t, bo_error *err)
{
    BO_OWN(bo_verification) *verification = NULL;
    bo_error ignored = {0};
    bo_status st =
        bo_verify(t->session, &t->database, t->point, BO_AGAINST_BEFORE, &verification, &ignored);
    if (!verification) {
        *err = ignored;
        return st;
    }
    uint64_t differences = 0;
    for (size_t i = 0; i < verification->table_count; i++)
        differences += verification->tables[i].difference_count;
    if (cli_is_text(t->ctx)) {
        BO_OWN_VALUE(bo_buf) text = {0};
        bo_text_verification(&text, &t->ctx->style, verification);
        st = cli_print(t->ctx, &text, err);
        if (st != BO_OK)
            return st;
    }
    if (differences != LATER_ROWS)
        return bo_fail(err, BO_FAILED,
            "%" PRIu64 " rows differ from the point, not the %d that "
            "were written later",
            differences, LATER_ROWS);
    return BO_OK;
}

static bo_status walk(tour *t, bo_error *err)
{
    bo_status st = make_shop(t, err);
    if (st != BO_OK)
        return st;
    tell(t, "A shop with 150 customers, 40 products, 300 orders, in an SQLite file of its own.");
    st = break_it(t, err);
    if (st == BO_OK)
        st = assess_it(t, err);
    if (st != BO_OK)
        return st;
    tell(t, "3. Undo what the change did, keep what the other did; proved before it is committed.");
    stands_for(t, "execute --type partial ", t->point);
    st = roll_back(t, t->point, BO_ROLLBACK_PARTIAL, err);
    if (st != BO_OK)
        return st;
    tell(t, "4. Compare every row with the point: only the two later writes differ.");
    stands_for(t, "verify ", t->point);
    st = verify_it(t, err);
    if (st != BO_OK)
        return st;
    tell(t, "5. A rollback is a protected change too: take it back ...");
    stands_for(t, "execute ", t->undo);
    st = roll_back(t, t->undo, BO_ROLLBACK_FULL, err);
    if (st != BO_OK)
        return st;
    tell(t, "6. ... and take that back again.");
    stands_for(t, "execute ", t->undo);
    st = roll_back(t, t->undo, BO_ROLLBACK_FULL, err);
    if (st == BO_OK)
        st = verify_it(t, err);
    if (st == BO_OK)
        tell(t, "Rolled back and proved. Next: backout init, then backout help run.");
    return st;
}

static void leave(tour *t, bool keep)
{
    bo_session_free(t->ctx->session);
    t->ctx->session = NULL;
    if (keep && t->folder)
        cli_say(t->ctx, "kept: %s", t->folder);
    else
        cli_scratch_remove(t->ctx, t->folder);
}

static bo_status demo(cli *ctx, const void *arguments, bo_error *err)
{
    const struct demo_args *args = arguments;
    tour t = {.ctx = ctx};
    bo_status st = walk(&t, err);
    leave(&t, args->keep);
    if (st != BO_OK)
        return bo_wrap(err, st, "the demo failed");
    if (cli_is_text(ctx))
        return BO_OK;
    return cli_result(ctx,
        json_pack("{s:s, s:s, s:s?}", "id", t.point, "proof", "match", "folder",
            args->keep ? t.folder : NULL),
        err);
}

const cli_command cmd_demo = {
    .name = "demo",
    .summary = "a guided tour on a database it makes itself",
    .details = "Protect, break, assess, roll back, prove: each step says which command it stands "
               "for.",
    .example = "backout demo --keep",
    .options = options,
    .args_size = sizeof(struct demo_args),
    .bare = true,
    .run = demo,
};
