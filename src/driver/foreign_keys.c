/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/foreign_keys.c - each foreign key once, and which key blocks an entry. */
#include "driver/foreign_keys.h"

#include <string.h>

static bool is_among(const char *name, const bo_table *const *tables, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(tables[i]->name, name) == 0)
            return true;
    }
    return false;
}

bo_status bo_foreign_keys_check(bo_conn *conn, const bo_table *const *tables, unsigned count,
    bo_dangling_fn *check, uint64_t *violations_out, bo_buf *example_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) example = {0};
    uint64_t violations = 0;
    bo_status st = BO_OK;
    for (unsigned t = 0; t < count; t++) {
        const bo_table *table = tables[t];
        for (uint16_t i = 0; st == BO_OK && i < table->foreign_key_count; i++)
            st = check(conn, &table->foreign_keys[i], &violations, &example, err);
        for (uint16_t i = 0; st == BO_OK && i < table->referenced_count; i++) {
            const bo_foreign_key *key = &table->referenced_by[i];
            if (!is_among(key->child, tables, count)) /* otherwise it is counted as the child's */
                st = check(conn, key, &violations, &example, err);
        }
    }
    if (st == BO_OK)
        st = bo_buf_check(&example, err);
    if (st != BO_OK)
        return st;
    *violations_out = violations;
    if (!example_out)
        return BO_OK;
    bo_buf_clear(example_out);
    bo_buf_add_str(example_out, bo_buf_str(&example));
    return bo_buf_check(example_out, err);
}

bo_blocked bo_blocked_by(const bo_table *now, unsigned position, uint64_t id, unsigned ordinal)
{
    bo_blocked blocked = {.table = position, .id = id, .conflict_class = BO_CLASS_FOREIGN_KEY};
    ordinal--;
    if (ordinal < now->referenced_count) {
        blocked.constraint = now->referenced_by[ordinal].name;
        blocked.other = now->referenced_by[ordinal].child;
        return blocked;
    }
    ordinal -= now->referenced_count;
    if (ordinal < now->foreign_key_count) {
        blocked.constraint = now->foreign_keys[ordinal].name;
        blocked.other = now->foreign_keys[ordinal].parent;
        return blocked;
    }
    blocked.conflict_class = BO_CLASS_CONSTRAINT;
    blocked.constraint = now->keys[ordinal - now->foreign_key_count].name;
    return blocked;
}
