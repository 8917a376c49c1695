/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/content.c - packs read frame by frame, their rows shown by the driver they are of. */
#include "content.h"

#include <string.h>

#include "change/shown.h"
#include "driver/mariadb/my.h"
#include "driver/postgres/pg.h"
#include "fuzz.h"
#include "shop.h"
#include "unit/format/repair.h"
#include "unit/format/world.h"

bool content_read(const uint8_t *data, size_t size, bo_buf *out)
{
    bo_pack_key key = {.kind = BO_KEY_BYTES};
    memset(key.bytes, 7, sizeof key.bytes);
    bo_buf_clear(out);
    bo_buf_add(out, data, size);
    fuzz_must(!out->failed, "memory for the input");
    (void)world_read_all(out, &key, NULL);
    repair(out->data, out->size);
    (void)world_read_all(out, &key, NULL);
    BO_OWN(bo_pack) *pack = NULL;
    return bo_pack_open(world_source(out), NULL, &pack, NULL) == BO_OK;
}

static bo_status look(void *ctx, const bo_shown *shown, bo_error *err)
{
    (void)err;
    bo_buf *text = ctx;
    bo_buf_clear(text);
    for (uint16_t i = 0; i < shown->count; i++) {
        if (shown->before_texts && shown->before_texts[i].data)
            bo_buf_add(text, shown->before_texts[i].data, shown->before_texts[i].size);
        if (shown->after_texts && shown->after_texts[i].data)
            bo_buf_add(text, shown->after_texts[i].data, shown->after_texts[i].size);
    }
    return BO_OK;
}

static void show_table(bo_conn *conn, bo_content *content, uint32_t table)
{
    const unsigned kinds = BO_SHOWN_INSERT | BO_SHOWN_UPDATE | BO_SHOWN_DELETE;
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_error err = {0};
    for (int form = BO_RENDER_TEXT; form <= BO_RENDER_LITERAL; form++)
        (void)bo_shown_table(conn, content, table, (bo_render_form)form, kinds, look, &text, &err);
}

void content_show(bo_session *session, bo_content *content)
{
    pg_conn postgres = {.base = {&bo_driver_postgres}};
    my_conn mariadb = {.base = {&bo_driver_mariadb}};
    BO_OWN(bo_conn) *sqlite = NULL;
    const bo_connect how = {.url = shop_database.url};
    if (bo_content_verify(session, content, false, NULL) != BO_OK ||
        bo_driver_open(&how, &sqlite, NULL) != BO_OK)
        return;
    for (uint32_t i = 0; i < content->part_count; i++) {
        switch (content->parts[i].was->encoding) {
        case BO_ENCODING_SQLITE:
            show_table(sqlite, content, i);
            break;
        case BO_ENCODING_MARIADB:
            show_table(&mariadb.base, content, i);
            break;
        default:
            show_table(&postgres.base, content, i);
        }
    }
}
