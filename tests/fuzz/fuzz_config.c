/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz_config.c - a configuration is read whole or refused; no zero byte, no password.
 */
#include <stdio.h>
#include <string.h>

#include "cli/config.h"
#include "cli/secret.h"
#include "fuzz.h"

static void check_names(const cli_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        fuzz_must(names->items[i][0] != 0, "a name is not empty");
}

static void check_path(const char *path)
{
    fuzz_must(!path || path[0] == '/', "a path is absolute");
}

static void check(const cli_config *config)
{
    check_path(config->path);
    check_path(config->folder);
    check_path(config->repository);
    check_path(config->key_file);
    fuzz_must(!config->catalog || !cli_url_has_password(config->catalog), "no password");
    for (size_t i = 0; i < config->database_count; i++) {
        const cli_database_config *database = &config->databases[i];
        fuzz_must(database->name[0] && database->url && database->url[0], "a name and a URL");
        fuzz_must(!cli_url_has_password(database->url), "no password in a URL");
        check_names(&database->allow.create);
        check_names(&database->allow.execute);
        check_names(&database->allow.prune);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    cli_config config = {0};
    bo_error err = {0};
    fuzz_write("backout.yaml", data, size);
    bo_status st = cli_config_read(arena, fuzz_path("backout.yaml"), &config, &err);
    fuzz_must(st != BO_OK || size == 0 || !memchr(data, 0, size), "a zero byte is refused");
    if (st == BO_OK)
        check(&config);
    else
        fuzz_must(err.text[0] != 0, "a refusal says why");
    return 0;
}
