/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/sort.c - external merge sort.  Records (u32 key size, u32 payload size, key, payload)
 * fill a block of memory; a full block is sorted and becomes a run in one unlinked file; the runs
 * are merged through small windows.  What fits in memory never touches the disk.
 */
#include "change/sort.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define RECORD_HEAD 8u
#define WINDOW_MIN  (16u << 10)
#define RUNS_MAX    4096u

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

struct bo_sorter {
    pthread_mutex_t lock;
    const char *folder;
    size_t memory;
    bo_buf block;
    size_t *offsets; /* of records in block */
    size_t count, capacity;
    uint64_t total;
    int fd;
    uint64_t file_size;
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
    sorter->fd = -1;
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
    if (sorter->fd >= 0)
        close(sorter->fd);
    pthread_mutex_destroy(&sorter->lock);
    free(sorter);
}

uint64_t bo_sorter_count(const bo_sorter *sorter)
{
    return sorter->total;
}

static bo_span record_key(const uint8_t *record)
{
    return (bo_span){record + RECORD_HEAD, bo_get_u32(record)};
}

static int compare_offsets(const void *a, const void *b, void *block)
{
    const uint8_t *base = block;
    return bo_span_compare(
        record_key(base + *(const size_t *)a), record_key(base + *(const size_t *)b));
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

static bo_status write_all(bo_sorter *sorter, const uint8_t *data, size_t size, bo_error *err)
{
    while (size) {
        ssize_t done = pwrite(sorter->fd, data, size, (off_t)sorter->file_size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return bo_fail_errno(err, BO_IO, done < 0 ? errno : ENOSPC,
                "cannot write sorted rows to a temporary file in '%s'", sorter->folder);
        data += done;
        size -= (size_t)done;
        sorter->file_size += (uint64_t)done;
    }
    return BO_OK;
}

/* Writes the sorted block as a run, through a small buffer so that writes are large. */
static bo_status spill(bo_sorter *sorter, bo_error *err)
{
    if (sorter->fd < 0) {
        bo_status st = bo_temp_fd(sorter->folder, &sorter->fd, err);
        if (st != BO_OK)
            return st;
    }
    if (sorter->run_count >= RUNS_MAX)
        return bo_fail(err, BO_IO, "too many rows to sort");
    struct run *runs = realloc(sorter->runs, (sorter->run_count + 1) * sizeof *runs);
    if (!runs)
        return bo_nomem(err);
    sorter->runs = runs;
    struct run *run = &runs[sorter->run_count++];
    *run = (struct run){.position = sorter->file_size};
    sort_block(sorter);
    BO_OWN_VALUE(bo_buf) out = {0};
    for (size_t i = 0; i < sorter->count; i++) {
        const uint8_t *record = sorter->block.data + sorter->offsets[i];
        bo_buf_add(&out, record, record_size(record));
        if (out.size < (256u << 10) && i + 1 < sorter->count)
            continue;
        bo_status st = bo_buf_check(&out, err);
        if (st == BO_OK)
            st = write_all(sorter, out.data, out.size, err);
        if (st != BO_OK)
            return st;
        bo_buf_clear(&out);
    }
    run->end = sorter->file_size;
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
    sorter->total++;
    return bo_buf_check(&sorter->block, err);
}

bo_status bo_sorter_add(bo_sorter *sorter, bo_span key, bo_span payload, bo_error *err)
{
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
        ssize_t got = pread(sorter->fd, run->window + run->filled, want, (off_t)run->position);
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

static bo_status begin_merge(bo_sorter *sorter, bo_error *err)
{
    sorter->heap = calloc(sorter->run_count, sizeof *sorter->heap);
    if (!sorter->heap)
        return bo_nomem(err);
    size_t window = sorter->memory / sorter->run_count;
    for (size_t i = 0; i < sorter->run_count; i++) {
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

bo_status bo_sorter_finish(bo_sorter *sorter, bo_error *err)
{
    sorter->finished = true;
    if (sorter->run_count == 0) {
        sort_block(sorter);
        return BO_OK;
    }
    if (sorter->count) {
        bo_status st = spill(sorter, err);
        if (st != BO_OK)
            return st;
    }
    bo_buf_done(&sorter->block);
    free(sorter->offsets);
    sorter->offsets = NULL;
    return begin_merge(sorter, err);
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
