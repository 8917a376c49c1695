/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_sort.c - sorting in memory and through a file gives the same records. */
#include "support/unit.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "change/sort.h"
#include "support/fault_memory.h"

enum { ENOUGH = 64 << 20, TINY = 1 };

static bo_span span(const void *data, size_t size)
{
    return (bo_span){data, size};
}

static bo_sorter *begin(size_t memory)
{
    bo_sorter *sorter = NULL;
    assert_int_equal(bo_sorter_create("/tmp", memory, &sorter, NULL), BO_OK);
    return sorter;
}

static void add(bo_sorter *sorter, const char *key, const char *payload)
{
    bo_error err = {0};
    bo_status st =
        bo_sorter_add(sorter, span(key, strlen(key)), span(payload, strlen(payload)), &err);
    assert_string_equal(err.text, "");
    assert_int_equal(st, BO_OK);
}

/* Everything that comes out, as "key=payload key=payload ". */
static const char *read_all(bo_sorter *sorter)
{
    static char text[4096];
    size_t used = 0;
    bo_span key = {0}, payload = {0};
    bool more = false;
    text[0] = '\0';
    for (;;) {
        assert_int_equal(bo_sorter_next(sorter, &key, &payload, &more, NULL), BO_OK);
        if (!more)
            break;
        used += (size_t)snprintf(text + used, sizeof text - used, "%.*s=%.*s ", (int)key.size,
            (const char *)key.data, (int)payload.size, (const char *)payload.data);
    }
    assert_int_equal(bo_sorter_next(sorter, &key, &payload, &more, NULL), BO_OK);
    assert_false(more); /* the end stays the end */
    return text;
}

static const char *sorted(size_t memory, const char *const pairs[][2])
{
    BO_OWN(bo_sorter) *sorter = begin(memory);
    for (size_t i = 0; pairs[i][0]; i++)
        add(sorter, pairs[i][0], pairs[i][1]);
    assert_int_equal(bo_sorter_finish(sorter, NULL), BO_OK);
    return read_all(sorter);
}

static void nothing_in_gives_nothing_out(void **state)
{
    (void)state;
    static const char *const none[][2] = {{NULL, NULL}};
    assert_string_equal(sorted(ENOUGH, none), "");
    assert_string_equal(sorted(TINY, none), "");
}

static void keys_come_in_the_order_of_their_bytes(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"b", "1"}, {"", "2"}, {"ab", "3"}, {"\xff", "4"}, {"a", ""}, {"abc", "5"}, {NULL, NULL}};
    const char expected[] = "=2 a= ab=3 abc=5 b=1 \xff=4 ";
    assert_string_equal(sorted(ENOUGH, pairs), expected);
    assert_string_equal(sorted(TINY, pairs), expected); /* every record is a run */
}

static void records_of_equal_keys_are_all_kept_in_the_order_they_came(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"k", "1"}, {"k", "2"}, {"a", "0"}, {"k", "3"},
        {"k", "4"}, {"z", "9"}, {"k", "5"}, {NULL, NULL}};
    const char expected[] = "a=0 k=1 k=2 k=3 k=4 k=5 z=9 ";
    assert_string_equal(sorted(TINY, pairs), expected);
    assert_string_equal(sorted(100, pairs), expected);
    assert_string_equal(sorted(ENOUGH, pairs), expected);
}

/* ---- many records ---- */

static uint32_t scramble(uint32_t n)
{
    return n * 2654435761u; /* odd: every number comes once */
}

/* The payload is as long as the number says and made of it. */
static size_t make_payload(uint32_t n, size_t longest, uint8_t *out)
{
    size_t size = n % (longest + 1);
    memset(out, (int)(n & 0xff), size);
    return size;
}

static void add_scrambled(bo_sorter *sorter, uint32_t from, uint32_t to, size_t longest)
{
    uint8_t key[4];
    BO_OWN_MEM uint8_t *payload = malloc(longest + 1);
    assert_non_null(payload);
    for (uint32_t i = from; i < to; i++) {
        bo_put_u32(key, scramble(i));
        size_t size = make_payload(scramble(i), longest, payload);
        assert_int_equal(bo_sorter_add(sorter, span(key, 4), span(payload, size), NULL), BO_OK);
    }
}

static void check_scrambled(bo_sorter *sorter, uint32_t count, size_t longest)
{
    BO_OWN_MEM uint8_t *expected = malloc(longest + 1);
    assert_non_null(expected);
    bo_span key = {0}, payload = {0};
    bool more = false;
    uint64_t previous = 0, rows = 0, sum = 0, wanted = 0;
    for (uint32_t i = 0; i < count; i++)
        wanted += scramble(i);
    for (;; rows++) {
        assert_int_equal(bo_sorter_next(sorter, &key, &payload, &more, NULL), BO_OK);
        if (!more)
            break;
        assert_int_equal(key.size, 4);
        uint32_t n = bo_get_u32(key.data);
        assert_true(rows == 0 || n > previous);
        previous = n;
        sum += n;
        assert_int_equal(payload.size, make_payload(n, longest, expected));
        if (payload.size)
            assert_memory_equal(payload.data, expected, payload.size);
    }
    assert_int_equal(rows, count);
    assert_int_equal(sum, wanted);
}

static void sort_scrambled(size_t memory, uint32_t count, size_t longest)
{
    BO_OWN(bo_sorter) *sorter = begin(memory);
    add_scrambled(sorter, 0, count, longest);
    assert_int_equal(bo_sorter_finish(sorter, NULL), BO_OK);
    check_scrambled(sorter, count, longest);
}

static void many_records_are_merged_from_many_runs(void **state)
{
    (void)state;
    sort_scrambled(ENOUGH, 50000, 40);
    sort_scrambled(100000, 50000, 40); /* some 40 runs */
}

static void more_runs_than_can_be_merged_at_once_are_sorted_too(void **state)
{
    (void)state;
    sort_scrambled(TINY, 10000, 40); /* a run for each record */
    sort_scrambled(200, 30000, 40);
}

static void payloads_may_be_larger_than_memory_and_windows(void **state)
{
    (void)state;
    sort_scrambled(1000, 300, 200000);
    sort_scrambled(1u << 20, 300, 200000);
}

static void memory_stays_in_its_bounds(void **state)
{
    (void)state;
    struct rusage before = {0}, after = {0};
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    sort_scrambled(256u << 10, 400000, 100); /* some 30 MB */
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
#ifndef UNDER_ASAN
    assert_true(after.ru_maxrss - before.ru_maxrss < 12 << 10); /* KiB */
#endif
}

struct feeder {
    bo_sorter *sorter;
    uint32_t from, to;
    bo_status st;
};

static void *feed(void *ctx)
{
    struct feeder *feeder = ctx;
    uint8_t key[4], payload[64];
    for (uint32_t i = feeder->from; feeder->st == BO_OK && i < feeder->to; i++) {
        bo_put_u32(key, scramble(i));
        size_t size = make_payload(scramble(i), sizeof payload, payload);
        feeder->st = bo_sorter_add(feeder->sorter, span(key, 4), span(payload, size), NULL);
    }
    return NULL;
}

static void several_threads_may_add(void **state)
{
    (void)state;
    enum { THREADS = 4, EACH = 20000 };
    BO_OWN(bo_sorter) *sorter = begin(50000);
    struct feeder feeders[THREADS];
    pthread_t threads[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        feeders[i] = (struct feeder){sorter, i * EACH, (i + 1) * EACH, BO_OK};
        assert_int_equal(pthread_create(&threads[i], NULL, feed, &feeders[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(feeders[i].st, BO_OK);
    }
    assert_int_equal(bo_sorter_finish(sorter, NULL), BO_OK);
    check_scrambled(sorter, THREADS * EACH, 64);
}

/* ---- what goes wrong ---- */

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    BO_OWN(bo_sorter) *sorter = NULL;
    bo_error err = {0};
    assert_int_equal(bo_sorter_create("/tmp/backout-not-there", TINY, &sorter, NULL), BO_OK);
    assert_int_equal(bo_sorter_add(sorter, span("a", 1), span("", 0), &err), BO_OK);
    assert_int_equal(bo_sorter_add(sorter, span("b", 1), span("", 0), &err), BO_IO);
    assert_non_null(strstr(err.text, "/tmp/backout-not-there"));
}

static bo_status sort_a_little(void)
{
    BO_OWN(bo_sorter) *sorter = NULL;
    bo_error err = {0};
    bo_status st = bo_sorter_create("/tmp", 64, &sorter, &err);
    for (uint8_t i = 0; st == BO_OK && i < 20; i++)
        st = bo_sorter_add(sorter, span(&i, 1), span("payload", 7), &err);
    if (st == BO_OK)
        st = bo_sorter_finish(sorter, &err);
    bool more = true;
    unsigned rows = 0;
    while (st == BO_OK && more) {
        bo_span key, payload;
        st = bo_sorter_next(sorter, &key, &payload, &more, &err);
        rows += st == BO_OK && more;
    }
    if (st == BO_OK && rows != 20)
        return BO_FAILED;
    return st;
}

static void every_failed_allocation_is_said(void **state)
{
    (void)state;
    unsigned nth = 0;
    bo_status st;
    bool fired;
    do {
        fault_memory_arm(++nth);
        st = sort_a_little();
        fired = fault_memory_fired();
        assert_true(st == BO_OK || st == BO_NOMEM);
    } while (fired);
    assert_int_equal(st, BO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_stays_in_its_bounds), /* first: the process's peak counts */
        cmocka_unit_test(nothing_in_gives_nothing_out),
        cmocka_unit_test(keys_come_in_the_order_of_their_bytes),
        cmocka_unit_test(records_of_equal_keys_are_all_kept_in_the_order_they_came),
        cmocka_unit_test(many_records_are_merged_from_many_runs),
        cmocka_unit_test(more_runs_than_can_be_merged_at_once_are_sorted_too),
        cmocka_unit_test(payloads_may_be_larger_than_memory_and_windows),
        cmocka_unit_test(several_threads_may_add),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
        cmocka_unit_test(every_failed_allocation_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
