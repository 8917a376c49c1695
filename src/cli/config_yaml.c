/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/config_yaml.c - backout.yaml read against a table of its keys. */
#include <errno.h>
#include <fcntl.h>
#include <libfyaml.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/config.h"
#include "cli/secret.h"

typedef struct reader {
    bo_arena *arena;
    const char *path;
    const char *folder;
    cli_config *config;
} reader;

/* What stands below one key: read into `into`. */
typedef bo_status read_fn(reader *r, struct fy_node *value, void *into, bo_error *err);

typedef struct key {
    const char *name;
    read_fn *read;
    size_t offset;
} key;

static bo_status fail_at(
    const reader *r, struct fy_node *node, bo_error *err, const char *format, ...) BO_PRINTF(4, 5);

static bo_status fail_at(
    const reader *r, struct fy_node *node, bo_error *err, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct fy_token *token = fy_node_is_scalar(node) ? fy_node_get_scalar_token(node) : NULL;
    const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
    BO_OWN_MEM char *where = NULL;
    if (!mark && (where = fy_node_get_path(node)) != NULL)
        return bo_fail(err, BO_INVALID, "%s: at %s: %s", r->path, where, text);
    if (!mark)
        return bo_fail(err, BO_INVALID, "%s: %s", r->path, text);
    return bo_fail(
        err, BO_INVALID, "%s:%d:%d: %s", r->path, mark->line + 1, mark->column + 1, text);
}

/* The text of a scalar, in the arena. */
static bo_status scalar(reader *r, struct fy_node *node, const char **out, bo_error *err)
{
    size_t size = 0;
    const char *text = fy_node_is_scalar(node) ? fy_node_get_scalar(node, &size) : NULL;
    if (!text)
        return fail_at(r, node, err, "a single value is needed here");
    if (memchr(text, '\0', size))
        return fail_at(r, node, err, "a value may not contain a zero byte");
    const char *copy = bo_arena_strn(r->arena, text, size);
    if (!copy)
        return bo_nomem(err);
    *out = copy;
    return BO_OK;
}

static bo_status read_text(reader *r, struct fy_node *value, void *into, bo_error *err)
{
    const char *text = NULL;
    bo_status st = scalar(r, value, &text, err);
    if (st != BO_OK)
        return st;
    if (text[0] == '\0')
        return fail_at(r, value, err, "a value is needed here");
    *(const char **)into = text;
    return BO_OK;
}

static bo_status read_url(reader *r, struct fy_node *value, void *into, bo_error *err)
{
    const char *text = NULL;
    bo_status st = read_text(r, value, &text, err);
    if (st != BO_OK)
        return st;
    if (cli_url_has_password(text))
        return fail_at(
            r, value, err, "a password may not stand in a URL: use password_command or .pgpass");
    const char *absolute = cli_url_absolute(r->arena, r->folder, text);
    if (!absolute)
        return bo_nomem(err);
    *(const char **)into = absolute;
    return BO_OK;
}

static bo_status read_path(reader *r, struct fy_node *value, void *into, bo_error *err)
{
    const char *text = NULL;
    bo_status st = read_text(r, value, &text, err);
    if (st != BO_OK)
        return st;
    if (text[0] != '/')
        text = bo_arena_printf(r->arena, "%s/%s", r->folder, text);
    if (!text)
        return bo_nomem(err);
    *(const char **)into = text;
    return BO_OK;
}

static bo_status read_bool(reader *r, struct fy_node *value, void *into, bo_error *err)
{
    const char *text = NULL;
    bo_status st = scalar(r, value, &text, err);
    if (st != BO_OK)
        return st;
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
    if (!yes && strcmp(text, "false") != 0 && strcmp(text, "no") != 0)
        return fail_at(r, value, err, "'%s' is neither true nor false", text);
    *(bool *)into = yes;
    return BO_OK;
}

static bo_status read_uint(reader *r, struct fy_node *value, void *into, bo_error *err)
{
    const char *text = NULL;
    bo_status st = scalar(r, value, &text, err);
    if (st != BO_OK)
        return st;
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || number > 1000000)
        return fail_at(r, value, err, "'%s' is not a number from 0 to 1000000", text);
    *(uint32_t *)into = (uint32_t)number;
    return BO_OK;
}

static bo_status read_duration(reader *r, struct fy_node *value, void *into, bo_error *err)
{
    const char *text = NULL;
    bo_status st = scalar(r, value, &text, err);
    if (st != BO_OK)
        return st;
    if (!cli_duration(text, into))
        return fail_at(r, value, err, "'%s' is not a duration like 10s, 500ms or 5m", text);
    return BO_OK;
}

static bo_status read_names(reader *r, struct fy_node *value, void *into, bo_error *err)
{
    if (!fy_node_is_sequence(value))
        return fail_at(r, value, err, "a list is needed here, like [ann, bob]");
    cli_names names = {0};
    void *iterator = NULL;
    struct fy_node *item = NULL;
    while ((item = fy_node_sequence_iterate(value, &iterator)) != NULL) {
        const char *name = NULL;
        bo_status st = read_text(r, item, &name, err);
        if (st != BO_OK)
            return st;
        names.items = bo_arena_grow(r->arena, names.items, names.count, sizeof *names.items);
        if (!names.items)
            return bo_nomem(err);
        names.items[names.count++] = name;
    }
    if (names.count == 0)
        return fail_at(r, value, err, "an empty list would let nobody: name at least one");
    *(cli_names *)into = names;
    return BO_OK;
}

/* Reads a mapping: every key must be in `keys`. */
static bo_status read_keys(
    reader *r, struct fy_node *mapping, const key *keys, void *into, bo_error *err)
{
    if (!fy_node_is_mapping(mapping))
        return fail_at(r, mapping, err, "keys with values are needed here");
    void *iterator = NULL;
    struct fy_node_pair *pair = NULL;
    while ((pair = fy_node_mapping_iterate(mapping, &iterator)) != NULL) {
        const char *name = NULL;
        bo_status st = scalar(r, fy_node_pair_key(pair), &name, err);
        if (st != BO_OK)
            return st;
        const key *known = keys;
        while (known->name && strcmp(known->name, name) != 0)
            known++;
        if (!known->name)
            return fail_at(r, fy_node_pair_key(pair), err, "unknown key '%s'", name);
        struct fy_node *value = fy_node_pair_value(pair);
        if (!value)
            return fail_at(r, fy_node_pair_key(pair), err, "'%s' needs a value", name);
        st = known->read(r, value, (char *)into + known->offset, err);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

static bo_status read_allow(reader *r, struct fy_node *value, void *into, bo_error *err)
{
    static const key keys[] = {
        {"create", read_names, offsetof(cli_allow, create)},
        {"execute", read_names, offsetof(cli_allow, execute)},
        {"prune", read_names, offsetof(cli_allow, prune)},
        {NULL, NULL, 0},
    };
    return read_keys(r, value, keys, into, err);
}

static bo_status read_database(
    reader *r, struct fy_node *name, struct fy_node *value, bo_error *err)
{
    static const key keys[] = {
        {"url", read_url, offsetof(cli_database_config, url)},
        {"production", read_bool, offsetof(cli_database_config, production)},
        {"password_command", read_text, offsetof(cli_database_config, password_command)},
        {"lock_timeout", read_duration, offsetof(cli_database_config, lock_timeout_ms)},
        {"workers", read_uint, offsetof(cli_database_config, workers)},
        {"allow", read_allow, offsetof(cli_database_config, allow)},
        {NULL, NULL, 0},
    };
    cli_database_config database = {0};
    bo_status st = read_text(r, name, &database.name, err);
    if (st != BO_OK)
        return st;
    if (strpbrk(database.name, ":/="))
        return fail_at(
            r, name, err, "the name '%s' of a database may not contain : / =", database.name);
    if (!value)
        return fail_at(r, name, err, "database '%s' needs a url", database.name);
    st = read_keys(r, value, keys, &database, err);
    if (st != BO_OK)
        return st;
    if (!database.url)
        return fail_at(r, name, err, "database '%s' needs a url", database.name);
    cli_config *config = r->config;
    config->databases = bo_arena_grow(
        r->arena, config->databases, config->database_count, sizeof *config->databases);
    if (!config->databases)
        return bo_nomem(err);
    config->databases[config->database_count++] = database;
    return BO_OK;
}

static bo_status read_databases(reader *r, struct fy_node *value, void *into, bo_error *err)
{
    (void)into;
    if (!fy_node_is_mapping(value))
        return fail_at(r, value, err, "names with databases are needed here");
    void *iterator = NULL;
    struct fy_node_pair *pair = NULL;
    while ((pair = fy_node_mapping_iterate(value, &iterator)) != NULL) {
        bo_status st = read_database(r, fy_node_pair_key(pair), fy_node_pair_value(pair), err);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

static bo_status read_encryption(reader *r, struct fy_node *value, void *into, bo_error *err)
{
    static const key keys[] = {
        {"key_file", read_path, offsetof(cli_config, key_file)},
        {"passphrase_command", read_text, offsetof(cli_config, passphrase_command)},
        {NULL, NULL, 0},
    };
    bo_status st = read_keys(r, value, keys, into, err);
    if (st == BO_OK && r->config->key_file && r->config->passphrase_command)
        return fail_at(r, value, err, "key_file and passphrase_command exclude each other");
    return st;
}

static bo_status read_retention(reader *r, struct fy_node *value, void *into, bo_error *err)
{
    static const key keys[] = {
        {"keep_last", read_uint, offsetof(cli_config, keep_last)},
        {"keep_days", read_uint, offsetof(cli_config, keep_days)},
        {NULL, NULL, 0},
    };
    return read_keys(r, value, keys, into, err);
}

static const key top_keys[] = {
    {"catalog", read_url, offsetof(cli_config, catalog)},
    {"repository", read_path, offsetof(cli_config, repository)},
    {"lock_timeout", read_duration, offsetof(cli_config, lock_timeout_ms)},
    {"databases", read_databases, 0},
    {"encryption", read_encryption, 0},
    {"retention", read_retention, 0},
    {NULL, NULL, 0},
};

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Commands stand in it: what is read is the very file that was looked at.  `real` is its path. */
static bo_status read_private(const char *path, char real[PATH_MAX], bo_buf *text, bo_error *err)
{
    struct stat info;
    struct stat there;
    BO_OWN_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* waits for no pipe */
    if (fd < 0 || fstat(fd, &info) != 0)
        return bo_fail_errno(err, errno == ENOENT ? BO_NOTFOUND : bo_io_status(errno), errno,
            "cannot read the configuration '%s'", path);
    if (info.st_uid != geteuid() && info.st_uid != 0)
        return bo_fail(err, BO_DENIED, "the configuration '%s' belongs to another user", path);
    if (info.st_mode & (S_IWGRP | S_IWOTH))
        return bo_fail(err, BO_DENIED, "the configuration '%s' can be written by others", path);
    if (!S_ISREG(info.st_mode))
        return bo_fail(err, BO_INVALID, "the configuration '%s' is not a file", path);
    if (!realpath(path, real) || stat(real, &there) != 0)
        return bo_fail_errno(err, BO_IO, errno, "cannot read the configuration '%s'", path);
    if (!is_same(&info, &there))
        return bo_fail(err, BO_DENIED, "the configuration '%s' was replaced just now", path);
    bo_status st = bo_fd_slurp(fd, real, CLI_CONFIG_LIMIT, text, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot read the configuration '%s'", path);
}

static void free_document(struct fy_document **document)
{
    fy_document_destroy(*document);
}

static void free_diagnostics(struct fy_diag **diagnostics)
{
    fy_diag_destroy(*diagnostics);
}

/* Why there is no document: a mistake, or nothing in the file but comments. */
static bo_status no_document(const char *path, struct fy_diag *diagnostics, bo_error *err)
{
    void *iterator = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(diagnostics, &iterator);
    if (!first)
        return BO_OK;
    return bo_fail(err, BO_INVALID, "%s:%d:%d: %s", path, first->line, first->column, first->msg);
}

static bo_status read_document(reader *r, const bo_buf *text, bo_error *err)
{
    struct fy_diag_cfg how = {0};
    fy_diag_cfg_default(&how);
    how.fp = NULL;
    how.level = FYET_ERROR;
    struct fy_diag *diagnostics __attribute__((cleanup(free_diagnostics))) = fy_diag_create(&how);
    if (!diagnostics)
        return bo_nomem(err);
    fy_diag_set_collect_errors(diagnostics, true);
    struct fy_parse_cfg parse = {
        .flags = FYPCF_QUIET | FYPCF_RESOLVE_DOCUMENT | FYPCF_COLLECT_DIAG, .diag = diagnostics};
    struct fy_document *document __attribute__((cleanup(free_document))) =
        fy_document_build_from_string(&parse, bo_buf_str(text), text->size);
    if (!document)
        return no_document(r->path, diagnostics, err);
    struct fy_node *root = fy_document_root(document);
    if (!root || fy_node_is_null(root))
        return BO_OK;
    return read_keys(r, root, top_keys, r->config, err);
}

bo_status cli_config_read(bo_arena *arena, const char *path, cli_config *out, bo_error *err)
{
    char real[PATH_MAX];
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_status st = read_private(path, real, &text, err);
    if (st != BO_OK)
        return st;
    if (text.size > 0 && memchr(text.data, '\0', text.size))
        return bo_fail(err, BO_INVALID, "%s: the file has a zero byte in it", path);
    if (text.size > 0 && !bo_text_is_utf8(text.data, text.size)) /* libfyaml may not end on it */
        return bo_fail(err, BO_INVALID, "%s: the file is not UTF-8 text", path);
    cli_config config = {.path = bo_arena_str(arena, real)};
    char *slash = strrchr(real, '/');
    *slash = '\0';
    config.folder = bo_arena_str(arena, real[0] ? real : "/");
    if (!config.path || !config.folder)
        return bo_nomem(err);
    reader r = {arena, path, config.folder, &config};
    st = read_document(&r, &text, err);
    if (st != BO_OK)
        return st;
    *out = config;
    return BO_OK;
}
