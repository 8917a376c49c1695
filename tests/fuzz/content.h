/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/content.h - what snapshot and changeset have in common. */
#ifndef BO_TESTS_FUZZ_CONTENT_H
#define BO_TESTS_FUZZ_CONTENT_H

#include "change/content.h"

/**
 * Reads all of the pack, also of the one with right hashes that it would be; encrypted ones of the
 * corpus have the key of the golden files.  False: it cannot be opened.
 *
 * @param out  the pack with right hashes.
 */
bool content_read(const uint8_t *data, size_t size, bo_buf *out);

/** Every row in every form that needs no server. */
void content_show(bo_session *session, bo_content *content);

#endif
