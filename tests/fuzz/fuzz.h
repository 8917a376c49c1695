/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz.h - the one function each target has; libFuzzer or main.c calls it. */
#ifndef BO_TESTS_FUZZ_H
#define BO_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
