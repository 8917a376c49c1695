/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/scope_args.c - options that several commands share: what a point is taken of. */
#include "cli/scope_args.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* It is written into files as JSON. */
static bo_status check_utf8(const char *option, const char *text, bo_error *err)
{
    if (bo_text_is_utf8(text, strlen(text)))
        return BO_OK;
    return bo_fail(err, BO_INVALID, "%s is not UTF-8: '%s'", option, text);
}

/* "T: PREDICATE"; a colon inside the quotes of a name, "..." or `...`, belongs to the name. */
static bo_status parse_where(cli *ctx, const char *text, bo_scope_item *out, bo_error *err)
{
    char quote = '\0';
    const char *colon = text;
    for (; *colon && (quote || *colon != ':'); colon++) {
        if (quote ? *colon == quote : *colon == '"' || *colon == '`')
            quote = quote ? '\0' : *colon;
    }
    size_t size = (size_t)(colon - text);
    while (size && text[size - 1] == ' ')
        size--;
    const char *predicate = *colon ? colon + 1 + strspn(colon + 1, " ") : "";
    if (size == 0 || predicate[0] == '\0') {
        cli_hint(ctx, "as in --where 'orders: id > 100'");
        return bo_fail(err, BO_INVALID, "--where needs 'TABLE: PREDICATE', not '%s'", text);
    }
    out->table = bo_arena_strn(ctx->arena, text, size);
    out->predicate = predicate;
    return out->table ? check_utf8("--where", text, err) : bo_nomem(err);
}

bo_status cli_scope_where(cli *ctx, const cli_list *where, bo_scope_item **out, bo_error *err)
{
    bo_scope_item *items = bo_arena_array(ctx->arena, where->count + 1, sizeof *items);
    if (!items)
        return bo_nomem(err);
    for (size_t i = 0; i < where->count; i++) {
        bo_status st = parse_where(ctx, where->items[i], &items[i], err);
        if (st != BO_OK)
            return st;
    }
    *out = items;
    return BO_OK;
}

bo_status cli_scope_entity(cli *ctx, const char *text, bo_entity *out, bo_error *err)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || equals[1] == '\0') {
        cli_hint(ctx, "as in --entity campaign=123");
        return bo_fail(err, BO_INVALID, "--entity needs NAME=VALUE, not '%s'", text);
    }
    out->name = bo_arena_strn(ctx->arena, text, (size_t)(equals - text));
    out->value = equals + 1;
    return out->name ? check_utf8("--entity", text, err) : bo_nomem(err);
}

/* The tables, each with the predicate that --where has for it, then what only --where names. */
static bo_status make_scope(
    cli *ctx, const struct scope_args *args, bo_point_options *out, bo_error *err)
{
    bo_scope_item *where = NULL;
    bo_status st = cli_scope_where(ctx, &args->where, &where, err);
    if (st != BO_OK)
        return st;
    size_t limit = args->tables.count + args->where.count + 1;
    bo_scope_item *scope = bo_arena_array(ctx->arena, limit, sizeof *scope);
    if (!scope)
        return bo_nomem(err);
    size_t count = 0;
    for (size_t i = 0; i < args->where.count; i++)
        scope[count++] = where[i];
    for (size_t t = 0; t < args->tables.count; t++) {
        bool named = false;
        for (size_t i = 0; i < args->where.count; i++)
            named = named || strcmp(where[i].table, args->tables.items[t]) == 0;
        if (!named)
            scope[count++] = (bo_scope_item){.table = args->tables.items[t]};
    }
    out->scope = scope;
    out->scope_count = count;
    return BO_OK;
}

bo_status cli_scope_options(
    cli *ctx, const struct scope_args *args, bo_point_options *out, bo_error *err)
{
    bo_point_options options = {.method = (bo_method)args->method,
        .migration = args->migration,
        .description = args->description,
        .no_closure = args->no_closure};
    bo_status st = make_scope(ctx, args, &options, err);
    if (st != BO_OK)
        return st;
    bo_entity *entities = bo_arena_array(ctx->arena, args->entities.count + 1, sizeof *entities);
    if (!entities)
        return bo_nomem(err);
    for (size_t i = 0; i < args->entities.count; i++) {
        st = cli_scope_entity(ctx, args->entities.items[i], &entities[i], err);
        for (size_t e = 0; st == BO_OK && e < i; e++)
            if (strcmp(entities[e].name, entities[i].name) == 0)
                st = bo_fail(err, BO_INVALID, "--entity names '%s' twice", entities[i].name);
        if (st != BO_OK)
            return st;
    }
    options.entities = entities;
    options.entity_count = args->entities.count;
    *out = options;
    return BO_OK;
}
