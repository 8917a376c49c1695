/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/main.c - runs a target without a fuzzer: each file of a corpus, then mutants of it.
 *
 * usage: mutate-<target> MUTANTS FILE...     The mutants are the same in every run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fuzz.h"

enum { FILE_MAX = 1 << 20, EDITS_MAX = 4 };

static uint64_t next(uint64_t *random) /* xorshift64* */
{
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    return *random * 0x2545f4914f6cdd1du;
}

/** A number below `limit`, or 0. */
static size_t below(uint64_t *random, size_t limit)
{
    return limit ? (size_t)(next(random) % limit) : 0;
}

/** One edit of `buf`: a bit, a byte, an interesting number, a cut, a copied or removed run. */
static void mutate(bo_buf *buf, uint64_t *random)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, '"', '{', '['};
    if (buf->size == 0)
        return;
    size_t at = below(random, buf->size);
    size_t run = 1 + below(random, buf->size - at < 16 ? buf->size - at : 16);
    switch (below(random, 6)) {
    case 0:
        buf->data[at] ^= (uint8_t)(1u << below(random, 8));
        break;
    case 1:
        buf->data[at] = (uint8_t)next(random);
        break;
    case 2:
        memset(buf->data + at, edges[below(random, sizeof edges)], run < 9 ? run : 8);
        break;
    case 3:
        buf->size = at;
        break;
    case 4:
        memmove(buf->data + below(random, buf->size - run + 1), buf->data + at, run);
        break;
    default:
        memmove(buf->data + at, buf->data + at + run, buf->size - at - run);
        buf->size -= run;
    }
}

/** The target sees exactly `size` bytes of heap, so a sanitizer sees it read past them. */
static int run(const bo_buf *buf)
{
    uint8_t *exact = malloc(buf->size ? buf->size : 1);
    if (!exact)
        return 1;
    if (buf->size > 0)
        memcpy(exact, buf->data, buf->size);
    (void)LLVMFuzzerTestOneInput(exact, buf->size);
    free(exact);
    return 0;
}

static int run_file(const char *path, unsigned long mutants)
{
    BO_OWN_VALUE(bo_buf) seed = {0};
    BO_OWN_VALUE(bo_buf) mutant = {0};
    bo_error err = {0};
    if (bo_file_slurp(path, FILE_MAX, &seed, &err) != BO_OK) {
        (void)fprintf(stderr, "%s: %s\n", path, err.text);
        return 1;
    }
    int failed = run(&seed);
    uint64_t random = 0x9e3779b97f4a7c15u;
    for (unsigned long i = 0; i < mutants && !failed; i++) {
        bo_buf_clear(&mutant);
        bo_buf_add(&mutant, seed.data, seed.size);
        for (size_t edits = 1 + below(&random, EDITS_MAX); edits > 0; edits--)
            mutate(&mutant, &random);
        failed = mutant.failed || run(&mutant);
    }
    return failed;
}

int main(int argc, char **argv)
{
    int failed = argc < 3;
    unsigned long mutants = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    for (int i = 2; i < argc; i++)
        failed |= run_file(argv[i], mutants);
    return failed;
}
