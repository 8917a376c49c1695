/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/store/test_points.c - points: recorded, found, listed. */
#include "world.h"

static const bo_point_record sample = {
    .id = "rb_cleanup_20261120_041739",
    .kind = "point",
    .migration = "cleanup",
    .description = "before 'cleanup'; \xc3\xa4",
    .database = "shop",
    .url = "sqlite:shop.db",
    .server = "1:2",
    .engine = "SQLite 3.40.1",
    .method = "snapshot",
    .status = BO_POINT_CREATING,
    .created_us = INT64_C(1795148259000000),
    .file = "rb_cleanup_20261120_041739.snapshot",
    .root = "",
    .change_root = "",
    .entities = "{\"campaign\":\"123\"}",
    .details = "{\"tables\":[{\"name\":\"main.users\"}]}",
};

static bo_point_record add(world *w, const char *id, const char *kind, bo_point_status status)
{
    bo_point_record point = sample;
    point.id = id;
    point.kind = kind;
    point.status = status;
    assert_int_equal(bo_catalog_point_add(w->catalog, &point, NULL), BO_OK);
    return point;
}

static const char *find(world *w, const char *id)
{
    bo_point_record point;
    bo_error err = {0};
    bo_status st = bo_catalog_point_find(w->catalog, id, w->arena, &point, &err);
    return st == BO_OK ? point.id : bo_status_name(st);
}

static void a_point_comes_back_as_it_was_recorded(void **state)
{
    world *w = *state;
    bo_point_record point;
    assert_int_equal(bo_catalog_point_add(w->catalog, &sample, NULL), BO_OK);
    assert_int_equal(bo_catalog_point_find(w->catalog, sample.id, w->arena, &point, NULL), BO_OK);
    assert_string_equal(point.description, sample.description);
    assert_string_equal(point.engine, sample.engine);
    assert_string_equal(point.details, sample.details);
    assert_int_equal(point.status, BO_POINT_CREATING);
    assert_int_equal(point.created_us, sample.created_us);
    assert_null(point.change_file);
    assert_null(point.parent);
    assert_null(point.run);

    point.status = BO_POINT_SEALED;
    point.sealed_us = INT64_C(1795148260000000);
    point.change_file = "rb_cleanup_20261120_041739.changes";
    point.root = "00ff";
    point.run = "run_1";
    assert_int_equal(bo_catalog_point_update(w->catalog, &point, NULL), BO_OK);
    bo_point_record again;
    assert_int_equal(bo_catalog_point_find(w->catalog, sample.id, w->arena, &again, NULL), BO_OK);
    assert_int_equal(again.status, BO_POINT_SEALED);
    assert_int_equal(again.sealed_us, point.sealed_us);
    assert_string_equal(again.change_file, point.change_file);
    assert_string_equal(again.root, "00ff");
    assert_string_equal(again.run, "run_1");
    assert_string_equal(again.kind, "point");
    assert_string_equal(again.entities, sample.entities);
}

static void an_id_is_taken_once_and_an_unknown_one_is_not_updated(void **state)
{
    world *w = *state;
    bo_error err = {0};
    assert_int_equal(bo_catalog_point_update(w->catalog, &sample, &err), BO_NOTFOUND);
    assert_int_equal(bo_catalog_point_add(w->catalog, &sample, &err), BO_OK);
    assert_int_equal(bo_catalog_point_add(w->catalog, &sample, &err), BO_EXISTS);
    assert_non_null(strstr(err.text, sample.id));
}

static void a_point_is_found_by_a_unique_beginning(void **state)
{
    world *w = *state;
    add(w, "rb_alpha_1", "point", BO_POINT_READY);
    add(w, "rb_alpha_10", "point", BO_POINT_READY);
    add(w, "rb_%beta_1", "point", BO_POINT_READY);
    assert_string_equal(find(w, "rb_alpha_1"), "rb_alpha_1"); /* whole beats beginning */
    assert_string_equal(find(w, "rb_alpha_10"), "rb_alpha_10");
    assert_string_equal(find(w, "rb_%b"), "rb_%beta_1");
    assert_string_equal(find(w, "rb_%"), "rb_%beta_1");
    assert_string_equal(find(w, "rb_alp"), "invalid");
    assert_string_equal(find(w, "rb_"), "notfound"); /* too short to be one */
    assert_string_equal(find(w, "rb__lpha"), "notfound");
    assert_string_equal(find(w, ""), "notfound");
    bo_point_record point;
    bo_error err = {0};
    assert_int_equal(
        bo_catalog_point_find(w->catalog, "nowhere", w->arena, &point, &err), BO_NOTFOUND);
    assert_string_equal(err.text, "no such point: 'nowhere'");
}

static void a_point_is_got_by_its_whole_id_only(void **state)
{
    static const char *const absent[] = {"rb_alph", "rb_alpha_100", "latest", ""};
    world *w = *state;
    bo_point_record point = {0};
    bool there = false;
    add(w, "rb_alpha_1", "point", BO_POINT_READY);
    add(w, "rb_alpha_10", "point", BO_POINT_SEALED);
    assert_int_equal(
        bo_catalog_point_get(w->catalog, "rb_alpha_1", w->arena, &point, &there, NULL), BO_OK);
    assert_true(there);
    assert_string_equal(point.id, "rb_alpha_1");
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        assert_int_equal(
            bo_catalog_point_get(w->catalog, absent[i], w->arena, &point, &there, NULL), BO_OK);
        assert_false(there);
        assert_string_equal(point.id, "rb_alpha_1");
    }
}

static void an_ambiguous_beginning_lists_up_to_five_candidates(void **state)
{
    world *w = *state;
    static const char *const ids[] = {
        "rb_a_1", "rb_a_2", "rb_a_3", "rb_a_4", "rb_a_5", "rb_a_6", "rb_a_7"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        add(w, ids[i], "point", BO_POINT_READY);
    bo_point_record point;
    bo_error err = {0};
    assert_int_equal(bo_catalog_point_find(w->catalog, "rb_a", w->arena, &point, &err), BO_INVALID);
    assert_string_equal(err.text, "'rb_a' is the beginning of several points: 'rb_a_7', 'rb_a_6',"
                                  " 'rb_a_5', 'rb_a_4', 'rb_a_3' and 2 more");
}

static void latest_is_the_newest_point_one_can_return_to(void **state)
{
    world *w = *state;
    bo_point_record point;
    bo_error err = {0};
    assert_string_equal(find(w, "latest"), "notfound");
    add(w, "rb_backup_1", "backup", BO_POINT_READY);
    assert_int_equal(
        bo_catalog_point_find(w->catalog, "latest", w->arena, &point, &err), BO_NOTFOUND);
    assert_string_equal(err.text, "no point of a change: the newest is the backup 'rb_backup_1'");
    add(w, "rb_1", "point", BO_POINT_READY);
    add(w, "rb_2", "point", BO_POINT_SEALED);
    add(w, "rb_3", "undo", BO_POINT_READY);
    add(w, "rb_4", "dry-run", BO_POINT_READY);
    add(w, "rb_5", "point", BO_POINT_CREATING);
    add(w, "rb_6", "point", BO_POINT_FAILED);
    add(w, "rb_7", "point", BO_POINT_PRUNED);
    add(w, "rb_backup_2", "backup", BO_POINT_READY);
    assert_string_equal(find(w, "latest"), "rb_2");
    add(w, "rb_8", "point", BO_POINT_ROLLED_BACK);
    assert_string_equal(find(w, "latest"), "rb_8");
}

static char listed[256];
static const char *list(world *w, bo_point_filter filter)
{
    bo_point_record *points = NULL;
    size_t count = 0;
    assert_int_equal(
        bo_catalog_points(w->catalog, &filter, w->arena, &points, &count, NULL), BO_OK);
    listed[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat(listed, points[i].id);
        strcat(listed, " ");
    }
    return listed;
}

static void a_list_is_newest_first_and_filtered(void **state)
{
    world *w = *state;
    add(w, "p1", "point", BO_POINT_READY);
    add(w, "p2", "undo", BO_POINT_READY);
    bo_point_record other = sample;
    other.id = "p3";
    other.database = "bank";
    other.migration = "other";
    other.entities = "{\"campaign\":\"1234\"}";
    other.details = "{\"tables\":[{\"name\":\"main.accounts\"},{\"name\":\"main.users_old\"},"
                    "{\"name\":\"\\\"first\\\"\"},{\"name\":\"s.\\\"a\\\"\\\"b.c\\\"\"}]}";
    assert_int_equal(bo_catalog_point_add(w->catalog, &other, NULL), BO_OK);
    add(w, "p4", "point", BO_POINT_PRUNED);

    assert_string_equal(list(w, (bo_point_filter){0}), "p4 p3 p1 ");
    assert_string_equal(list(w, (bo_point_filter){.with_undo = true}), "p4 p3 p2 p1 ");
    assert_string_equal(list(w, (bo_point_filter){.limit = 2}), "p4 p3 ");
    assert_string_equal(list(w, (bo_point_filter){.database = "bank"}), "p3 ");
    assert_string_equal(
        list(w, (bo_point_filter){.database = "shop", .migration = "cleanup"}), "p4 p1 ");
    assert_string_equal(list(w, (bo_point_filter){.migration = "none"}), "");
    assert_string_equal(list(w, (bo_point_filter){.table = "main.users"}), "p4 p1 ");
    assert_string_equal(list(w, (bo_point_filter){.table = "users", .limit = 1}), "p4 ");
    assert_string_equal(list(w, (bo_point_filter){.table = "accounts"}), "p3 ");
    assert_string_equal(list(w, (bo_point_filter){.table = "first"}), "p3 ");
    assert_string_equal(list(w, (bo_point_filter){.table = "\"first\""}), "p3 ");
    assert_string_equal(list(w, (bo_point_filter){.table = "a\"b.c"}), "p3 ");
    assert_string_equal(list(w, (bo_point_filter){.table = "c\""}), "");
    assert_string_equal(list(w, (bo_point_filter){.table = "a\"b"}), "");
    assert_string_equal(
        list(w, (bo_point_filter){.entity_name = "campaign", .entity_value = "123"}), "p4 p1 ");
    assert_string_equal(list(w, (bo_point_filter){.entity_name = "user"}), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_point_comes_back_as_it_was_recorded),
        WORLD_TEST(an_id_is_taken_once_and_an_unknown_one_is_not_updated),
        WORLD_TEST(a_point_is_found_by_a_unique_beginning),
        WORLD_TEST(a_point_is_got_by_its_whole_id_only),
        WORLD_TEST(an_ambiguous_beginning_lists_up_to_five_candidates),
        WORLD_TEST(latest_is_the_newest_point_one_can_return_to),
        WORLD_TEST(a_list_is_newest_first_and_filtered),
    };
    return WORLD_RUN(tests);
}
