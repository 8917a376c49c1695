/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/look.c - every answer that comes from the catalog, as text and as JSON. */
#include <string.h>

#include "fuzz.h"
#include "report/json.h"
#include "report/text.h"
#include "shop.h"

static const bo_style plain = {0};

/** What was said is text, or there was no memory. */
static void drop(bo_buf *text, json_t *json)
{
    fuzz_must(json != NULL, "an answer as JSON");
    BO_OWN_MEM char *dumped = json_dumps(json, JSON_ENCODE_ANY);
    fuzz_must(dumped != NULL, "JSON that can be written");
    json_decref(json);
    bo_buf_clear(text);
}

/** A refusal says why. */
static void heard(bo_status st, bo_error *err)
{
    fuzz_must(st == BO_OK || err->text[0], "a refusal says why");
    *err = (bo_error){0};
}

static void look_at_points(bo_session *session, const bo_point_query *query)
{
    bo_error err = {0};
    bo_point_list *list = NULL;
    BO_OWN_VALUE(bo_buf) text = {0};
    if (bo_point_find(session, query, &list, &err) != BO_OK)
        return;
    bo_text_points(&text, &plain, list);
    drop(&text, bo_json_points(list));
    for (size_t i = 0; i < bo_point_list_count(list); i++) {
        const bo_point *point = bo_point_list_get(list, i);
        bo_text_point(&text, &plain, point);
        bo_text_point_made(&text, &plain, point);
        bo_text_coverage(&text, &plain, point);
        drop(&text, bo_json_point(point));
        drop(&text, bo_json_point_made(point));
    }
    bo_point_list_free(list);
}

static void look_at_one(bo_session *session, const char *id)
{
    bo_error err = {0};
    bo_point_list *list = NULL;
    BO_OWN_VALUE(bo_buf) text = {0};
    if (bo_point_get(session, id, &list, &err) != BO_OK)
        return;
    bo_text_point(&text, &plain, bo_point_list_get(list, 0));
    drop(&text, bo_json_point(bo_point_list_get(list, 0)));
    bo_point_list_free(list);
}

static void look_at_rollback(bo_rollback *rollback)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    if (!rollback)
        return;
    bo_text_rollback(&text, &plain, rollback);
    drop(&text, bo_json_rollback(rollback));
    bo_rollback_free(rollback);
}

static void assess(bo_session *session, const char *id)
{
    bo_error err = {0};
    bo_rollback *rollback = NULL;
    heard(bo_rollback_assess(session, &shop_database, id, &rollback, &err), &err);
    look_at_rollback(rollback);
}

static void verify(bo_session *session, const char *id)
{
    bo_error err = {0};
    bo_verification *verification = NULL;
    BO_OWN_VALUE(bo_buf) text = {0};
    heard(bo_verify(session, &shop_database, id, BO_AGAINST_AFTER, &verification, &err), &err);
    if (verification) {
        bo_text_verification(&text, &plain, verification);
        drop(&text, bo_json_verification(verification));
    }
    bo_verification_free(verification);
}

static void examine(bo_session *session)
{
    bo_error err = {0};
    bo_doctor *doctor = NULL;
    BO_OWN_VALUE(bo_buf) text = {0};
    heard(bo_doctor_examine(session, &shop_database, &(bo_doctor_options){0}, &doctor, &err), &err);
    if (doctor) {
        bo_text_doctor(&text, &plain, doctor);
        drop(&text, bo_json_doctor(doctor));
    }
    bo_doctor_free(doctor);
}

static void look_at_stored(bo_session *session)
{
    static const bo_prune_options rules = {.keep_last = 1, .keep_days = 1, .dry_run = true};
    bo_error err = {0};
    bo_check *check = NULL;
    bo_prune *prune = NULL;
    BO_OWN_VALUE(bo_buf) text = {0};
    heard(bo_check_stored(session, NULL, NULL, false, &check, &err), &err);
    if (check) {
        bo_text_check(&text, &plain, check);
        drop(&text, bo_json_check(check));
    }
    bo_check_free(check);
    heard(bo_prune_points(session, &rules, &prune, &err), &err);
    if (prune) {
        bo_text_prune(&text, &plain, prune, true);
        drop(&text, bo_json_prune(prune));
    }
    bo_prune_free(prune);
}

static bo_status swallow(void *ctx, const char *text, size_t size, bo_error *err)
{
    (void)err;
    bo_buf_add(ctx, text, size);
    return BO_OK;
}

static void export(bo_session *session, bo_export_which which, bo_export_format format)
{
    bo_error err = {0};
    BO_OWN_VALUE(bo_buf) text = {0};
    heard(
        bo_export(session, &shop_database, SHOP_POINT, format, which, swallow, &text, &err), &err);
}

static void write_script(bo_session *session)
{
    bo_error err = {0};
    BO_OWN_VALUE(bo_buf) text = {0};
    heard(bo_script(session, &shop_database, SHOP_POINT, swallow, &text, &err), &err);
}

static void look_at_catalog(bo_session *session)
{
    static const bo_entity entity = {"campaign", "7"};
    look_at_points(session, &(bo_point_query){.with_undo = true});
    look_at_points(
        session, &(bo_point_query){.table = "orders", .migration = "fuzz", .entity = &entity});
    look_at_one(session, "latest");
    look_at_one(session, "rb_f");
    look_at_stored(session);
}

void shop_look(bo_session *session, shop_parts parts)
{
    BO_OWN_VALUE(bo_buf) before = {0};
    BO_OWN_VALUE(bo_buf) after = {0};
    shop_rows(&before);
    assess(session, SHOP_POINT);
    export(session, BO_EXPORT_SINCE, BO_EXPORT_JSONL);
    examine(session);
    if (parts & SHOP_CHANGESET) {
        export(session, BO_EXPORT_CHANGE, BO_EXPORT_CSV);
        verify(session, SHOP_POINT);
        write_script(session);
    }
    if (parts & SHOP_CATALOG)
        look_at_catalog(session);
    shop_rows(&after);
    fuzz_must(before.size == after.size && memcmp(before.data, after.data, before.size) == 0,
        "what only looks changes no rows");
}
