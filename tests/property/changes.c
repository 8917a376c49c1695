/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/changes.c - what leads from one moment to another, and who did it. */
#include <string.h>

#include "property/model.h"

static void add_change(change_set *set, change one, bo_arena *arena)
{
    set->items = bo_arena_grow(arena, set->items, set->count, sizeof *set->items);
    set->items[set->count++] = one;
}

static change_set between_keyless(const row_set *from, const row_set *to, bo_arena *arena)
{
    change_set set = {0};
    for (int side = 0; side < 2; side++) {
        const row_set *here = side ? to : from, *there = side ? from : to;
        for (size_t i = 0; i < here->count; i++) {
            const char *image = here->items[i]->image;
            if (i > 0 && strcmp(here->items[i - 1]->image, image) == 0)
                continue;
            size_t many = row_count(here, image), few = row_count(there, image);
            for (size_t k = few; k < many; k++)
                add_change(&set,
                    side ? (change){.key = image, .after = here->items[i]}
                         : (change){.key = image, .before = here->items[i]},
                    arena);
        }
    }
    return set;
}

change_set change_between(
    const schema *s, unsigned table, const moment *from, const moment *to, bo_arena *arena)
{
    const row_set *a = &from->tables[table], *b = &to->tables[table];
    if (s->tables[table].key_count == 0)
        return between_keyless(a, b, arena);
    change_set set = {0};
    for (size_t i = 0; i < a->count; i++) {
        const row *then = row_find(b, a->items[i]->key);
        if (!row_same(a->items[i], then))
            add_change(&set, (change){a->items[i]->key, a->items[i], then, false}, arena);
    }
    for (size_t i = 0; i < b->count; i++)
        if (!row_find(a, b->items[i]->key))
            add_change(&set, (change){b->items[i]->key, NULL, b->items[i], false}, arena);
    return set;
}

static change *find_change(change_set *set, const char *key)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i].key, key) == 0)
            return &set->items[i];
    return NULL;
}

change_set change_of_session(const schema *s, unsigned table, const commit *commits, size_t count,
    unsigned session, bo_arena *arena)
{
    change_set own = {0}, interposed = {0}; /* of others, since the session wrote the row */
    for (size_t i = 0; i < count; i++) {
        change_set done =
            change_between(s, table, &(commits + i - 1)->then, &commits[i].then, arena);
        for (size_t k = 0; k < done.count; k++) {
            const change *one = &done.items[k];
            change *known = find_change(&own, one->key);
            bool its = commits[i].session == session;
            if (!its && known)
                add_change(&interposed, *one, arena);
            else if (its && !known)
                add_change(&own, *one, arena);
            else if (its) {
                known->mixed = known->mixed || find_change(&interposed, one->key);
                known->after = one->after;
            }
        }
    }
    return own;
}

moment model_after(const schema *s, const moment *point, const change_set *changes, bo_arena *arena)
{
    moment after = moment_copy(s, point, arena);
    for (unsigned t = 0; t < s->count; t++) {
        for (size_t i = 0; i < changes[t].count; i++) {
            const change *one = &changes[t].items[i];
            bool keyed = s->tables[t].key_count > 0;
            const row *was = keyed ? row_find(&after.tables[t], one->key) : one->before;
            row_put(&after.tables[t], was, one->after, arena);
        }
    }
    return after;
}

uint64_t model_differences(
    const schema *s, unsigned table, const moment *a, const moment *b, bo_arena *arena)
{
    return change_between(s, table, a, b, arena).count;
}

int model_table(const schema *s, const char *name)
{
    for (unsigned t = 0; t < s->count; t++) {
        const char *parts[] = {s->tables[t].plain, s->tables[t].name};
        for (unsigned i = 0; i < 2; i++) {
            size_t size = strlen(name), part = strlen(parts[i]);
            bool ends = size >= part && strcmp(name + size - part, parts[i]) == 0;
            if (ends && (size == part || strcmp(parts[i], name + strlen("public.")) == 0))
                return (int)t;
        }
    }
    return -1;
}
