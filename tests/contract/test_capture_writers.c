/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_capture_writers.c - every driver: capture under writers that do not stop. */
#include "contract/capture_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static void make_t(contract_world *w)
{
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a varchar(40), n integer);"
                   "INSERT INTO t VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30)");
}

typedef struct writer {
    contract_world *world;
    unsigned seed;
    atomic_bool stop;
    unsigned done; /* statements that the database took */
} writer;

/* Keys move, come and go; what is refused because of another writer is no failure. */
static void *write_on(void *ctx)
{
    static const char *const statements[] = {"UPDATE t SET n = n + @ WHERE id < @",
        "UPDATE t SET id = id + 1000 WHERE id = @",
        "UPDATE t SET id = id - 1000 WHERE id = 1000 + @", "INSERT INTO t VALUES (@, 'w', @)",
        "DELETE FROM t WHERE id = @",
        "BEGIN; UPDATE t SET n = 0 WHERE id = @; DELETE FROM t WHERE id = @; ROLLBACK",
        "UPDATE t SET a = 'changed' WHERE id > @"};
    writer *self = ctx;
    bo_conn *conn = contract_connect(self->world, true);
    while (!self->stop) {
        bo_buf sql = {0};
        size_t which = (size_t)rand_r(&self->seed) % (sizeof statements / sizeof *statements);
        bool slowly = rand_r(&self->seed) % 3 == 0 && statements[which][0] != 'B';
        for (const char *c = statements[which]; *c; c++) {
            if (*c == '@')
                bo_buf_printf(&sql, "%d", rand_r(&self->seed) % 60);
            else
                bo_buf_printf(&sql, "%c", *c);
        }
        bo_status st = slowly ? conn->driver->exec(conn, "BEGIN", NULL) : BO_OK;
        if (st == BO_OK)
            st = conn->driver->exec(conn, bo_buf_str(&sql), NULL);
        if (slowly) { /* somebody looks while it is open */
            usleep(4000);
            st = st == BO_OK ? conn->driver->exec(conn, "COMMIT", NULL) : st;
        }
        if (st == BO_OK)
            self->done++;
        else
            (void)conn->driver->exec(conn, "ROLLBACK", NULL);
        bo_buf_done(&sql);
    }
    bo_conn_free(conn);
    return NULL;
}

typedef struct told {
    const bo_table *table;
    const stage_rows *then;
    const stage_rows *now;
    size_t changed_then; /* rows of then that are told of */
    size_t changed_now;
    size_t equal; /* told, and equal then and now */
} told;

static bo_span row_of(const stage_rows *rows, bo_span key)
{
    for (size_t i = 0; i < rows->count; i++) {
        bo_span other = {rows->rows[i].key.data, rows->rows[i].key.size};
        if (bo_span_compare(other, key) == 0)
            return (bo_span){rows->rows[i].image.data, rows->rows[i].image.size};
    }
    return (bo_span){0};
}

static void same_row(const bo_table *table, bo_image a, bo_image b)
{
    assert_int_equal(a.data != NULL, b.data != NULL);
    if (a.data)
        assert_true(bo_row_equal(table, a, b));
}

static bo_status compare_told(void *ctx, const bo_journal_change *change, bo_error *err)
{
    (void)err;
    told *all = ctx;
    bo_buf key = {0};
    bo_image row = change->before.data ? change->before : change->after;
    bo_image_project(&key, row, all->then->key, all->then->key_count);
    bo_span span = {key.data, key.size};
    same_row(all->table, row_of(all->then, span), change->before);
    same_row(all->table, row_of(all->now, span), change->after);
    all->changed_then += change->before.data != NULL;
    all->changed_now += change->after.data != NULL;
    all->equal += change->before.data && change->after.data &&
                  bo_row_equal(all->table, change->before, change->after);
    bo_buf_done(&key);
    return BO_OK;
}

/* How many rows are the same, byte for byte, then and now. */
static size_t count_equal(const bo_table *table, const stage_rows *then, const stage_rows *now)
{
    size_t count = 0;
    for (size_t i = 0; i < then->count; i++) {
        bo_image row = {then->rows[i].image.data, then->rows[i].image.size};
        bo_image other = row_of(now, (bo_span){then->rows[i].key.data, then->rows[i].key.size});
        count += other.data && bo_row_equal(table, row, other);
    }
    return count;
}

/* Every row that is not told of is as it was: those of then that are neither told nor equal are 0.
 */
static void lead_back(contract_world *w, const bo_table *t, const char *from, stage_rows *then)
{
    bo_error err = {0};
    stage_rows now = {0};
    pg_must(w->driver->begin(w->conn, BO_TX_READ, &err), &err);
    stage_rows_read(w->conn, t, &now);
    told all = {.table = t, .then = then, .now = &now};
    bo_journal_filter filter = {.from = from};
    pg_must(w->driver->capture->changes(w->conn, t, &filter, compare_told, &all, &err), &err);
    w->driver->rollback(w->conn);
    assert_int_equal(then->count - all.changed_then, now.count - all.changed_now);
    assert_int_equal(then->count - all.changed_then, count_equal(t, then, &now) - all.equal);
    stage_rows_free(&now);
}

static void the_journal_leads_back_to_any_moment_while_others_write(void **state)
{
    enum { WRITERS = 2, ROUNDS = 15 };
    contract_world *w = *state;
    make_t(w);
    writer writers[WRITERS];
    pthread_t threads[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (writer){.world = w, .seed = i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, write_on, &writers[i]), 0);
    }
    unsigned rounds = 0;
    for (unsigned attempt = 0; rounds < ROUNDS && attempt < 20 * ROUNDS; attempt++) {
        bo_error err = {0};
        bo_buf from = {0};
        stage_rows then = {0};
        const bo_table *t = contract_table(w, "t");
        bo_status st = w->driver->capture->begin(w->conn, &t, 1, "p", &err);
        if (st == BO_BUSY)
            continue;
        pg_must(st, &err);
        usleep(5000); /* some are open now, and others have ended that began later */
        pg_must(w->driver->begin(w->conn, BO_TX_READ, &err), &err);
        pg_must(w->driver->capture->position(w->conn, &t, 1, &from, &err), &err);
        stage_rows_read(w->conn, t, &then);
        w->driver->rollback(w->conn);
        for (int pause = 0; pause < 3; pause++) {
            usleep(5000);
            lead_back(w, t, bo_buf_str(&from), &then);
        }
        assert_string_equal(capture_broken(w, "t", "p"), "");
        stage_rows_free(&then);
        bo_buf_done(&from);
        for (int end = 0;
             (st = w->driver->capture->end(w->conn, "p", &err)) == BO_BUSY && end < 100;)
            end++;
        pg_must(st, &err);
        rounds++;
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i].stop = true;
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(writers[i].done > 0);
    }
    assert_int_equal(rounds, ROUNDS);
    assert_string_equal(capture_list(w), "");
}

CONTRACT_MAIN(
    "capture_writers", CONTRACT_TEST(the_journal_leads_back_to_any_moment_while_others_write))
