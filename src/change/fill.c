/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/fill.c - two frame readers take turns: one is being loaded while the other is being
 * read. */
#include "change/fill.h"

#include <pthread.h>

#include "base/step.h"

struct turn {
    bo_frame_reader *reader;
    bool loaded; /* under lock: the reader holds a frame that was not read to its end */
    bool end;    /* there is no further frame */
    uint32_t frame;
    bo_status status;
    bo_error error;
};

struct filling {
    bo_content *content;
    bo_meter *meter;
    uint32_t table;
    const bo_table *now;
    bo_worker *worker;
    struct turn turns[2];
    unsigned reading; /* the consumer's turn */
    bool open;        /* the consumer is inside a frame */
    bool stopped;     /* under lock: the consumer has given up */
    pthread_mutex_t lock;
    pthread_cond_t moved;
};

/* The next frame of `table`; false: there is none left. */
static bool take_frame(
    const bo_content *content, uint32_t table, bo_worker *worker, uint32_t *frame_out)
{
    for (size_t frame = 0; bo_queue_take(worker, &frame);) {
        *frame_out = (uint32_t)frame;
        if (bo_pack_get_frame(content->pack, *frame_out)->table == table)
            return true;
    }
    return false;
}

/* The loading thread: fills whichever turn is free, in order, until there is no frame left or one
 * fails. */
static void *load_frames(void *arg)
{
    struct filling *filling = arg;
    for (unsigned at = 0;; at ^= 1u) {
        struct turn *turn = &filling->turns[at];
        pthread_mutex_lock(&filling->lock);
        while (turn->loaded && !filling->stopped)
            pthread_cond_wait(&filling->moved, &filling->lock);
        bool stop = filling->stopped;
        pthread_mutex_unlock(&filling->lock);
        if (stop)
            return NULL;
        uint32_t frame = 0;
        const bool end = !take_frame(filling->content, filling->table, filling->worker, &frame);
        bo_status st =
            end ? BO_OK : bo_content_load(filling->content, turn->reader, frame, &turn->error);
        pthread_mutex_lock(&filling->lock);
        turn->status = st;
        turn->end = end;
        turn->frame = frame;
        turn->loaded = true;
        pthread_cond_broadcast(&filling->moved);
        pthread_mutex_unlock(&filling->lock);
        if (st != BO_OK || end)
            return NULL;
    }
}

static void release_turn(struct filling *filling)
{
    pthread_mutex_lock(&filling->lock);
    filling->turns[filling->reading].loaded = false;
    pthread_cond_broadcast(&filling->moved);
    pthread_mutex_unlock(&filling->lock);
    filling->reading ^= 1u;
    filling->open = false;
}

static bo_status await_turn(struct filling *filling, bool *end_out, bo_error *err)
{
    struct turn *turn = &filling->turns[filling->reading];
    pthread_mutex_lock(&filling->lock);
    while (!turn->loaded)
        pthread_cond_wait(&filling->moved, &filling->lock);
    pthread_mutex_unlock(&filling->lock);
    *end_out = turn->end;
    if (turn->status != BO_OK && err)
        *err = turn->error;
    if (turn->status != BO_OK || turn->end)
        return turn->status;
    filling->open = true;
    const bo_frame *frame = bo_pack_get_frame(filling->content->pack, turn->frame);
    bo_meter_add(filling->meter, filling->content->parts[filling->table].was->name, frame->rows,
        frame->raw_size);
    return bo_interrupt_check(err);
}

static bo_status next_row(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    struct filling *filling = ctx;
    for (;;) {
        bo_status st = BO_OK;
        if (filling->open) {
            bool end = false;
            st = bo_frame_reader_row(filling->turns[filling->reading].reader, row_out, &end, err);
            if (st != BO_OK || !end)
                return st;
            release_turn(filling);
        }
        st = await_turn(filling, end_out, err);
        if (st != BO_OK || *end_out)
            return st;
    }
}

static bo_status fill(struct filling *filling, bo_conn *conn, uint64_t *rows_out, bo_error *err)
{
    const bo_table *was = filling->content->parts[filling->table].was;
    pthread_t thread;
    if (pthread_create(&thread, NULL, load_frames, filling) != 0)
        return bo_fail(err, BO_NOMEM, "cannot start a thread");
    bo_status st = conn->driver->load(conn, was, filling->now, next_row, filling, rows_out, err);
    pthread_mutex_lock(&filling->lock);
    filling->stopped = true;
    pthread_cond_broadcast(&filling->moved);
    pthread_mutex_unlock(&filling->lock);
    pthread_join(thread, NULL);
    return st;
}

bo_status bo_fill_from(bo_content *content, uint32_t table, const bo_table *now, bo_worker *worker,
    bo_conn *conn, bo_meter *meter, uint64_t *rows_out, bo_error *err)
{
    struct filling filling = {
        .content = content, .meter = meter, .table = table, .now = now, .worker = worker};
    bo_status st = bo_frame_reader_create(content->pack, &filling.turns[0].reader, err);
    if (st == BO_OK)
        st = bo_frame_reader_create(content->pack, &filling.turns[1].reader, err);
    pthread_mutex_init(&filling.lock, NULL);
    pthread_cond_init(&filling.moved, NULL);
    if (st == BO_OK)
        st = fill(&filling, conn, rows_out, err);
    pthread_cond_destroy(&filling.moved);
    pthread_mutex_destroy(&filling.lock);
    bo_frame_reader_free(filling.turns[0].reader);
    bo_frame_reader_free(filling.turns[1].reader);
    return st == BO_OK
               ? BO_OK
               : bo_wrap(err, st, "cannot fill table '%s'", content->parts[table].was->name);
}

bo_status bo_fill_table(bo_content *content, uint32_t table, bo_conn *conn, bo_meter *meter,
    uint64_t *rows_out, bo_error *err)
{
    bo_queue frames = {.count = bo_pack_frame_count(content->pack)};
    bo_worker alone = {.queue = &frames};
    return bo_fill_from(
        content, table, content->parts[table].now, &alone, conn, meter, rows_out, err);
}

bo_status bo_content_rows(
    bo_content *content, uint32_t table, bo_image_fn *each, void *ctx, bo_error *err)
{
    bo_queue frames = {.count = bo_pack_frame_count(content->pack)};
    bo_worker alone = {.queue = &frames};
    BO_OWN(bo_frame_reader) *reader = NULL;
    bo_status st = bo_frame_reader_create(content->pack, &reader, err);
    uint32_t frame = 0;
    while (st == BO_OK && take_frame(content, table, &alone, &frame)) {
        st = bo_content_load(content, reader, frame, err);
        bool end = false;
        while (st == BO_OK) {
            bo_image row;
            st = bo_frame_reader_row(reader, &row, &end, err);
            if (st != BO_OK || end)
                break;
            st = each(ctx, row, err);
        }
    }
    return st;
}
