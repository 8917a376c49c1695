/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_meanwhile.c - what others do to a point while somebody looks at it is told
 * as what it is: no loss, and no damage. */
#include "world.h"

#include "backout/export.h"
#include "change/content.h"

static struct {
    world *w;
    const char *id;
    void (*act)(world *w, const char *id);
} meanwhile;

/* Whoever looks has read the record when the link to the database opens. */
static bo_conn *let_others_in(bo_conn *conn)
{
    bo_driver_wrap = NULL;
    meanwhile.act(meanwhile.w, meanwhile.id);
    return conn;
}

static void others_come(world *w, const char *id, void (*act)(world *w, const char *id))
{
    meanwhile.w = w;
    meanwhile.id = id;
    meanwhile.act = act;
    bo_driver_wrap = let_others_in;
}

static void assert_pruned(bo_status st, const bo_error *err)
{
    if (st != BO_REFUSED || !strstr(err->text, "is pruned and cannot be used"))
        print_message("# %s\n", err->text);
    assert_int_equal(st, BO_REFUSED);
    assert_non_null(strstr(err->text, "is pruned and cannot be used"));
}

/* ---- files ---- */

static void take_files(world *w, const char *id)
{
    static const char *const endings[] = {"snapshot", "change", "lost.change", "lost.jsonl"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        (void)remove(world_path(w, bo_arena_printf(w->arena, "%s.%s", id, endings[i])));
}

static void prune(world *w, const char *id)
{
    world_set_status(w, id, BO_POINT_PRUNED);
    take_files(w, id);
}

static bo_status swallow(void *ctx, const char *text, size_t size, bo_error *err)
{
    (void)ctx;
    (void)text;
    (void)size;
    (void)err;
    return BO_OK;
}

static bo_status verify(world *w, const char *id, bo_error *err)
{
    bo_verification *verification = NULL;
    bo_status st = bo_verify(w->session, &w->database, id, BO_AGAINST_BEFORE, &verification, err);
    bo_verification_free(verification);
    return st;
}

static bo_status export_lost(world *w, const char *id, bo_error *err)
{
    return bo_export(
        w->session, &w->database, id, BO_EXPORT_JSONL, BO_EXPORT_LOST, swallow, NULL, err);
}

static bo_status script(world *w, const char *id, bo_error *err)
{
    return bo_script(w->session, &w->database, id, swallow, NULL, err);
}

static const char *sealed_point(world *w)
{
    const char *id = world_point(w, "orders");
    world_sql(w, "UPDATE orders SET total = 1 WHERE id = 10");
    world_seal(w, id);
    return id;
}

static void a_file_that_prune_took_is_not_lost(void **state)
{
    bo_status (*const looks[])(world *, const char *, bo_error *) = {verify, script};
    world *w = *state;
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        bo_error err = {0};
        const char *id = sealed_point(w);
        others_come(w, id, prune);
        assert_pruned(looks[i](w, id, &err), &err);
        assert_pruned(looks[i](w, id, &err), &err); /* nor afterwards */
        id = sealed_point(w);
        others_come(w, id, take_files);
        assert_int_equal(looks[i](w, id, &err), BO_NOTFOUND);
    }
}

static void what_a_rollback_gave_up_is_not_denied_when_prune_took_it(void **state)
{
    world *w = *state;
    bo_error err = {0};
    const char *id = sealed_point(w);
    world_sql(w, "UPDATE orders SET total = 2 WHERE id = 11"); /* by others, later */
    const char *undo = world_roll_back(w, id, BO_ROLLBACK_FULL);
    world_ok(export_lost(w, undo, &err), &err);
    assert_int_equal(export_lost(w, id, &err), BO_NOTFOUND);
    others_come(w, undo, prune);
    assert_pruned(export_lost(w, undo, &err), &err);
}

static void a_point_that_was_never_whole_is_said_to_be_so(void **state)
{
    world *w = *state;
    bo_error err = {0};
    const char *id = world_point(w, "orders");
    bo_point_record record = world_record(w, id);
    record.status = BO_POINT_FAILED;
    record.file = NULL;
    world_ok(bo_catalog_point_update(w->session->catalog, &record, &err), &err);
    assert_int_equal(verify(w, id, &err), BO_REFUSED);
    assert_non_null(strstr(err.text, "is failed and cannot be used"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_file_that_prune_took_is_not_lost),
        WORLD_TEST(what_a_rollback_gave_up_is_not_denied_when_prune_took_it),
        WORLD_TEST(a_point_that_was_never_whole_is_said_to_be_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
