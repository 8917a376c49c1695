/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/sort.c - external merge sort.  Records (u32 key size, u32 payload size, key, payload)
 * fill a block of memory; a full block is sorted and becomes a run in one unlinked file; the runs
 * are merged through small windows; too many of them are first merged, a group at a time, into
 * longer ones.  What fits in memory never touches the disk.  Equal keys keep the order they came
 * in.
 */
#include "change/sort.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define RECORD_HEAD 8u
#define WINDOW_MIN  (16u << 10)
#define MERGED_MAX  256u /* runs that are merged at once */
#define WRITE_SIZE  (256u << 10)

struct run {
    uint64_t position; /* in the file: the next byte to read */
    uint64_t end;
    uint8_t *window; /* bytes of the file that are in memory */
    size_t window_size;
    size_t filled;
    size_t used;
    bo_span key, payload; /* the current record */
    bool done;
};

/* An unlinked file that is appended to. */
struct spool {
    int fd; /* -1: not there yet */
    uint64_t size;
};

struct bo_sorter {
    pthread_mutex_t lock;
    const char *folder;
    size_t memory;
    bo_buf block;
    size_t *offsets; /* of records in block */
    size_t count, capacity;
    struct spool spool;
    struct run *runs;
    size_t run_count;
    size_t *heap; /* run numbers, smallest current key first */
    size_t heap_count;
    size_t given; /* in-memory case: records given out; merge case: 1 when the top was given out */
    bool finished;
};

bo_status bo_sorter_create(const char *folder, size_t memory_bytes, bo_sorter **out, bo_error *err)
{
    bo_sorter *sorter = calloc(1, sizeof *sorter);
    if (!sorter)
        return bo_nomem(err);
    pthread_mutex_init(&sorter->lock, NULL);
    sorter->folder = folder;
    sorter->memory = memory_bytes;
    sorter->spool.fd = -1;
    *out = sorter;
    return BO_OK;
}

void bo_sorter_free(bo_sorter *sorter)
{
    if (!sorter)
        return;
    for (size_t i = 0; i < sorter->run_count; i++)
        free(sorter->runs[i].window);
    free(sorter->runs);
    free(sorter->heap);
    free(sorter->offsets);
    bo_buf_done(&sorter->block);
    if (sorter->spool.fd >= 0)
        close(sorter->spool.fd);
    pthread_mutex_destroy(&sorter->lock);
    free(sorter);
}

static bo_span record_key(const uint8_t *record)
{
    return (bo_span){record + RECORD_HEAD, bo_get_u32(record)};
}

static int compare_offsets(const void *a, const void *b, void *block)
{
    const uint8_t *base = block;
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    int order = bo_span_compare(record_key(base + left), record_key(base + right));
    return order ? order : (left > right) - (left < right);
}

static size_t record_size(const uint8_t *record)
{
    return RECORD_HEAD + (size_t)bo_get_u32(record) + bo_get_u32(record + 4);
}

static void sort_block(bo_sorter *sorter)
{
    if (sorter->count)
        qsort_r(sorter->offsets, sorter->count, sizeof *sorter->offsets, compare_offsets,
            sorter->block.data);
}

static bo_status append(struct spool *spool, bo_buf *bytes, const char *folder, bo_error *err)
{
    bo_status st = bo_buf_check(bytes, err);
    if (st != BO_OK)
        return st;
    for (size_t sent = 0; sent < bytes->size;) {
        ssize_t done =
            pwrite(spool->fd, bytes->data + sent, bytes->size - sent, (off_t)spool->size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return bo_fail_errno(err, BO_IO, done < 0 ? errno : ENOSPC,
                "cannot write sorted rows to a temporary file in '%s'", folder);
        sent += (size_t)done;
        spool->size += (uint64_t)done;
    }
    bo_buf_clear(bytes);
    return BO_OK;
}

static struct run *new_run(bo_sorter *sorter)
{
    struct run *runs = realloc(sorter->runs, (sorter->run_count + 1) * sizeof *runs);
    if (!runs)
        return NULL;
    sorter->runs = runs;
    runs[sorter->run_count] = (struct run){.position = sorter->spool.size};
    return &runs[sorter->run_count++];
}

/* Writes the sorted block as a run, through a small buffer so that writes are large. */
static bo_status spill(bo_sorter *sorter, bo_error *err)
{
    if (sorter->spool.fd < 0) {
        bo_status st = bo_temp_fd(sorter->folder, &sorter->spool.fd, err);
        if (st != BO_OK)
            return st;
    }
    struct run *run = new_run(sorter);
    if (!run)
        return bo_nomem(err);
    sort_block(sorter);
    BO_OWN_VALUE(bo_buf) out = {0};
    for (size_t i = 0; i < sorter->count; i++) {
        const uint8_t *record = sorter->block.data + sorter->offsets[i];
        bo_buf_add(&out, record, record_size(record));
        if (out.size < WRITE_SIZE && i + 1 < sorter->count)
            continue;
        bo_status st = append(&sorter->spool, &out, sorter->folder, err);
        if (st != BO_OK)
            return st;
    }
    run->end = sorter->spool.size;
    sorter->count = 0;
    bo_buf_clear(&sorter->block);
    return BO_OK;
}

static bo_status add_locked(bo_sorter *sorter, bo_span key, bo_span payload, bo_error *err)
{
    size_t size = RECORD_HEAD + key.size + payload.size;
    size_t used = sorter->block.size + sorter->count * sizeof *sorter->offsets;
    if (sorter->count && used + size + sizeof *sorter->offsets > sorter->memory) {
        bo_status st = spill(sorter, err);
        if (st != BO_OK)
            return st;
    }
    if (sorter->count == sorter->capacity) {
        size_t capacity = sorter->capacity ? sorter->capacity * 2 : 1024;
        size_t *offsets = realloc(sorter->offsets, capacity * sizeof *offsets);
        if (!offsets)
            return bo_nomem(err);
        sorter->offsets = offsets;
        sorter->capacity = capacity;
    }
    sorter->offsets[sorter->count] = sorter->block.size;
    bo_buf_add_u32(&sorter->block, (uint32_t)key.size);
    bo_buf_add_u32(&sorter->block, (uint32_t)payload.size);
    bo_buf_add(&sorter->block, key.data, key.size);
    bo_buf_add(&sorter->block, payload.data, payload.size);
    sorter->count++;
    return bo_buf_check(&sorter->block, err);
}

bo_status bo_sorter_add(bo_sorter *sorter, bo_span key, bo_span payload, bo_error *err)
{
    assert(!sorter->finished);
    pthread_mutex_lock(&sorter->lock);
    bo_status st = add_locked(sorter, key, payload, err);
    pthread_mutex_unlock(&sorter->lock);
    return st;
}

/* Makes at least `need` unread bytes of the run available, or as many as it has. */
static bo_status fill(bo_sorter *sorter, struct run *run, size_t need, bo_error *err)
{
    if (run->filled - run->used >= need)
        return BO_OK;
    if (run->used)
        memmove(run->window, run->window + run->used, run->filled - run->used);
    run->filled -= run->used;
    run->used = 0;
    if (run->window_size < need) {
        uint8_t *window = realloc(run->window, need);
        if (!window)
            return bo_nomem(err);
        run->window = window;
        run->window_size = need;
    }
    while (run->filled < run->window_size && run->position < run->end) {
        size_t want = run->window_size - run->filled;
        if (want > run->end - run->position)
            want = (size_t)(run->end - run->position);
        ssize_t got =
            pread(sorter->spool.fd, run->window + run->filled, want, (off_t)run->position);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return bo_fail_errno(err, BO_IO, got < 0 ? errno : EIO, "cannot read sorted rows back");
        run->filled += (size_t)got;
        run->position += (uint64_t)got;
    }
    return BO_OK;
}

static bo_status advance(bo_sorter *sorter, struct run *run, bo_error *err)
{
    bo_status st = fill(sorter, run, RECORD_HEAD, err);
    if (st != BO_OK)
        return st;
    if (run->filled == run->used) {
        run->done = true;
        return BO_OK;
    }
    size_t size = record_size(run->window + run->used);
    st = fill(sorter, run, size, err);
    if (st != BO_OK)
        return st;
    const uint8_t *record = run->window + run->used;
    run->key = record_key(record);
    run->payload = (bo_span){run->key.data + run->key.size, bo_get_u32(record + 4)};
    run->used += size;
    return BO_OK;
}

static bool run_before(const bo_sorter *sorter, size_t a, size_t b)
{
    int order = bo_span_compare(sorter->runs[a].key, sorter->runs[b].key);
    return order < 0 || (order == 0 && a < b);
}

static void sift_down(bo_sorter *sorter, size_t at)
{
    for (;;) {
        size_t least = at, left = 2 * at + 1;
        for (size_t child = left; child < left + 2 && child < sorter->heap_count; child++)
            if (run_before(sorter, sorter->heap[child], sorter->heap[least]))
                least = child;
        if (least == at)
            return;
        size_t moved = sorter->heap[at];
        sorter->heap[at] = sorter->heap[least];
        sorter->heap[least] = moved;
        at = least;
    }
}

static void end_merge(bo_sorter *sorter)
{
    for (size_t i = 0; i < sorter->run_count; i++) {
        free(sorter->runs[i].window);
        sorter->runs[i].window = NULL;
    }
    sorter->heap_count = sorter->given = 0;
}

static bo_status begin_merge(bo_sorter *sorter, size_t first, size_t count, bo_error *err)
{
    size_t window = sorter->memory / count;
    for (size_t i = first; i < first + count; i++) {
        struct run *run = &sorter->runs[i];
        run->window_size = window > WINDOW_MIN ? window : WINDOW_MIN;
        run->window = malloc(run->window_size);
        if (!run->window)
            return bo_nomem(err);
        bo_status st = advance(sorter, run, err);
        if (st != BO_OK)
            return st;
        if (!run->done)
            sorter->heap[sorter->heap_count++] = i;
    }
    for (size_t i = sorter->heap_count; i-- > 0;)
        sift_down(sorter, i);
    return BO_OK;
}

static bo_status next_merged(
    bo_sorter *sorter, bo_span *key_out, bo_span *payload_out, bool *more_out, bo_error *err)
{
    if (sorter->given && sorter->heap_count) {
        struct run *top = &sorter->runs[sorter->heap[0]];
        bo_status st = advance(sorter, top, err);
        if (st != BO_OK)
            return st;
        if (top->done)
            sorter->heap[0] = sorter->heap[--sorter->heap_count];
        sift_down(sorter, 0);
    }
    sorter->given = 1;
    *more_out = sorter->heap_count > 0;
    if (*more_out) {
        *key_out = sorter->runs[sorter->heap[0]].key;
        *payload_out = sorter->runs[sorter->heap[0]].payload;
    }
    return BO_OK;
}

/* Merges `count` runs from `first` on into one run at the end of `to`. */
static bo_status merge_group(
    bo_sorter *sorter, size_t first, size_t count, struct spool *to, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) out = {0};
    bo_span key = {0}, payload = {0};
    bool more = true;
    bo_status st = begin_merge(sorter, first, count, err);
    while (st == BO_OK && more) {
        st = next_merged(sorter, &key, &payload, &more, err);
        if (st == BO_OK && more) /* header, key and payload lie side by side */
            bo_buf_add(&out, key.data - RECORD_HEAD, RECORD_HEAD + key.size + payload.size);
        if (st == BO_OK && (out.size >= WRITE_SIZE || !more))
            st = append(to, &out, sorter->folder, err);
    }
    end_merge(sorter);
    return st;
}

/* One pass over everything: groups of neighbouring runs become the runs of a new file. */
static bo_status merge_groups(bo_sorter *sorter, struct spool *to, bo_error *err)
{
    size_t merged = 0;
    for (size_t first = 0; first < sorter->run_count; first += MERGED_MAX) {
        size_t left = sorter->run_count - first;
        uint64_t position = to->size;
        bo_status st = merge_group(sorter, first, left < MERGED_MAX ? left : MERGED_MAX, to, err);
        if (st != BO_OK)
            return st;
        sorter->runs[merged++] = (struct run){.position = position, .end = to->size};
    }
    sorter->run_count = merged;
    return BO_OK;
}

static bo_status merge_pass(bo_sorter *sorter, bo_error *err)
{
    struct spool to = {.fd = -1};
    bo_status st = bo_temp_fd(sorter->folder, &to.fd, err);
    if (st != BO_OK)
        return st;
    st = merge_groups(sorter, &to, err);
    close(st == BO_OK ? sorter->spool.fd : to.fd);
    if (st == BO_OK)
        sorter->spool = to;
    return st;
}

bo_status bo_sorter_finish(bo_sorter *sorter, bo_error *err)
{
    sorter->finished = true;
    if (sorter->run_count == 0) {
        sort_block(sorter);
        return BO_OK;
    }
    bo_status st = sorter->count ? spill(sorter, err) : BO_OK;
    if (st != BO_OK)
        return st;
    bo_buf_done(&sorter->block);
    free(sorter->offsets);
    sorter->offsets = NULL;
    sorter->heap = calloc(MERGED_MAX, sizeof *sorter->heap);
    if (!sorter->heap)
        return bo_nomem(err);
    while (st == BO_OK && sorter->run_count > MERGED_MAX)
        st = merge_pass(sorter, err);
    return st == BO_OK ? begin_merge(sorter, 0, sorter->run_count, err) : st;
}

bo_status bo_sorter_next(
    bo_sorter *sorter, bo_span *key_out, bo_span *payload_out, bool *more_out, bo_error *err)
{
    if (sorter->run_count)
        return next_merged(sorter, key_out, payload_out, more_out, err);
    *more_out = sorter->given < sorter->count;
    if (*more_out) {
        const uint8_t *record = sorter->block.data + sorter->offsets[sorter->given++];
        *key_out = record_key(record);
        *payload_out = (bo_span){key_out->data + key_out->size, bo_get_u32(record + 4)};
    }
    return BO_OK;
}
