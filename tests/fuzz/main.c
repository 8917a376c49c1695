/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/main.c - runs a target without a fuzzer: each file of a corpus, then mutants of it.
 *
 * usage: mutate-<target> MUTANTS CORPUS      The mutants are the same in every run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fuzz.h"

enum { FILE_MAX = 1 << 20, GROWTH_MAX = 4096, EDITS_MAX = 4 };

#pragma weak LLVMFuzzerCustomMutator

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

/** One edit: a bit, a byte, an interesting number, a cut, a copied, removed or inserted run. */
static size_t edit(uint8_t *data, size_t size, size_t max_size)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, '"', '{', '[', '\'', '\\', '%', ';'};
    uint64_t *random = &random_state;
    size_t at = fuzz_below(random, size);
    size_t run = 1 + fuzz_below(random, size - at < 16 ? size - at : 16);
    size_t what = size == 0 ? 6 : fuzz_below(random, 7);
    switch (what) {
    case 0:
        data[at] ^= (uint8_t)(1u << fuzz_below(random, 8));
        return size;
    case 1:
        data[at] = (uint8_t)fuzz_next(random);
        return size;
    case 2:
        run = run < 9 ? run : 8;
        memset(
            data + at, edges[fuzz_below(random, sizeof edges)], run < size - at ? run : size - at);
        return size;
    case 3:
        return at;
    case 4:
        run = run < size - at ? run : size - at;
        memmove(data + fuzz_below(random, size - run + 1), data + at, run);
        return size;
    case 5:
        run = run < size - at ? run : size - at;
        memmove(data + at, data + at + run, size - at - run);
        return size - run;
    default:
        if (size == max_size)
            return size;
        memmove(data + at + 1, data + at, size - at);
        data[at] = edges[fuzz_below(random, sizeof edges)];
        return size + 1;
    }
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    for (size_t edits = 1 + fuzz_below(&random_state, EDITS_MAX); edits > 0; edits--)
        size = edit(data, size, max_size);
    return size;
}

/** The target sees exactly `size` bytes of heap, so a sanitizer sees it read past them. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    fuzz_must(exact != NULL, "memory for the input");
    if (size > 0)
        memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

struct corpus {
    const char *folder;
    unsigned long mutants; /* of each file */
    unsigned files;
};

static bo_status run_file(void *ctx, const char *name, bo_error *err)
{
    struct corpus *corpus = ctx;
    BO_OWN_VALUE(bo_buf) seed = {0};
    BO_OWN_MEM uint8_t *mutant = NULL;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", corpus->folder, name);
    bo_status st = bo_file_slurp(path, FILE_MAX, &seed, err);
    if (st != BO_OK)
        return st;
    size_t room = seed.size + GROWTH_MAX;
    corpus->files++;
    random_state = UINT64_C(0x9e3779b97f4a7c15);
    run(seed.data, seed.size);
    mutant = malloc(room);
    for (unsigned long i = 0; mutant && i < corpus->mutants; i++) {
        if (seed.size > 0)
            memcpy(mutant, seed.data, seed.size);
        unsigned number = (unsigned)fuzz_next(&random_state);
        size_t size = LLVMFuzzerCustomMutator
                          ? LLVMFuzzerCustomMutator(mutant, seed.size, room, number)
                          : LLVMFuzzerMutate(mutant, seed.size, room);
        run(mutant, size);
    }
    return mutant ? BO_OK : bo_nomem(err);
}

int main(int argc, char **argv)
{
    bo_error err = {0};
    if (argc != 3)
        return 2;
    struct corpus corpus = {.folder = argv[2], .mutants = strtoul(argv[1], NULL, 10)};
    bo_status st = bo_dir_list(corpus.folder, run_file, &corpus, &err);
    if (st != BO_OK || corpus.files == 0)
        (void)fprintf(stderr, "%s: %s\n", corpus.folder, st == BO_OK ? "no files" : err.text);
    return st != BO_OK || corpus.files == 0;
}
