/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz.h - what a target defines and may use; libFuzzer or main.c stands around it. */
#ifndef BO_TESTS_FUZZ_H
#define BO_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/** Defined by each target: takes any bytes.  What does not hold ends the process: fuzz_must(). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Optional: makes a mutant that gets further than one of blind changes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/** Of the fuzzer: blind changes. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* ---- support.c ---- */

/** Ends the process with `what` when it does not hold. */
void fuzz_must(bool holds, const char *what);

/** A folder of this process alone, removed at its end. */
const char *fuzz_folder(void);
/** The path of `name` in that folder; borrowed until the next call. */
const char *fuzz_path(const char *name);
/** Writes a file of that folder. */
void fuzz_write(const char *name, const void *data, size_t size);

/** `data` as text: up to its first NUL. */
const char *fuzz_text(bo_buf *out, const uint8_t *data, size_t size);

/** The next number of a sequence; xorshift64*. */
uint64_t fuzz_next(uint64_t *random);
/** A number below `limit`, or 0. */
size_t fuzz_below(uint64_t *random, size_t limit);

/** Blind changes of the bytes in `buf`, which may grow by `more`. */
void fuzz_mutate(bo_buf *buf, size_t more);

/* ---- json.c ---- */

/** Changes, removes, doubles or replaces one value of the JSON in `text`; false: it is none. */
bool fuzz_mutate_json(bo_buf *text, uint64_t *random);

#endif
