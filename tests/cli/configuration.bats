# SPDX-License-Identifier: Apache-2.0
# tests/cli/configuration.bats - names, precedence, production, allow lists, encryption, secrets.

load ../support/bats/common
load shop
setup() { common_setup; make_shop; before=$(rows); }
teardown() { common_teardown; }

configure() {
    cat >>backout.yaml
}

@test "the only configured database is the default, also from a folder below" {
    configure <<<'databases: {shop: {url: "sqlite:shop.db"}}'
    mkdir below
    cd below
    run -0 --separate-stderr backout point create --tables items --output json
    [ "$(jq -r .database <<<"$output")" = shop ]
}

@test "flag wins over environment, environment over file" {
    configure <<<'databases: {shop: {url: "sqlite:shop.db"}}'
    sqlite3 other.db 'CREATE TABLE one (id INTEGER PRIMARY KEY)'
    sqlite3 third.db 'CREATE TABLE two (id INTEGER PRIMARY KEY)'
    tables() { backout -q point create --output json "$@" | jq -r '.tables[0].name'; }
    [ "$(tables --tables items)" = items ]
    export BACKOUT_DB=other.db
    [ "$(tables)" = one ]
    [ "$(tables --db third.db)" = two ]
}

@test "a production database needs --production, by its URL too" {
    configure <<<'databases: {live: {url: "sqlite:shop.db", production: true}}'
    run -3 --separate-stderr backout run --db live damage.sql
    [[ ${stderr_lines[0]} == *"'live' is a production database, and --production is missing" ]]
    run -3 --separate-stderr backout run --db shop.db damage.sql
    run -3 --separate-stderr backout run --db "$PWD/./shop.db" damage.sql
    run -3 --separate-stderr backout run --db 'sqlite:shop.db?foreign_keys=on' damage.sql
    run -3 --separate-stderr backout run --db "file:$PWD/shop.db" damage.sql
    run -3 --separate-stderr backout run --db "file:$PWD/sh%6fp.db" damage.sql
    run -3 --separate-stderr backout run --db "file://localhost$PWD/shop.db" damage.sql
    [ "$(rows)" = "$before" ]
    [ "$(backout audit --limit 1 --output json | jq -r '.[0].outcome')" = refused ]
    run -0 --separate-stderr backout run --db live --production damage.sql
    run -3 --separate-stderr backout execute latest --yes
    run -0 --separate-stderr backout execute latest --yes --production
    [ "$(rows)" = "$before" ]
}

@test "on a production database a person types its name" {
    command -v script >/dev/null || skip "no script(1)"
    configure <<<'databases: {live: {url: "sqlite:shop.db", production: true}}'
    backout -q run --production damage.sql
    run -3 script -qec "backout execute latest --production" /dev/null <<<"yes"
    [[ $output == *"Type its name (live)"* ]]
    run -0 script -qec "backout execute latest --production" /dev/null <<<"live"
    [ "$(rows)" = "$before" ]
}

@test "who is not in an allow list is refused and recorded" {
    configure <<<'databases: {shop: {url: "sqlite:shop.db", allow: {execute: [nobody-else]}}}'
    backout -q run damage.sql
    run -3 --separate-stderr backout execute latest --yes
    [[ ${stderr_lines[0]} == *"is not in 'allow: execute' of database 'shop'" ]]
    [ "$(backout audit --limit 1 --output json | jq -r '.[0].event')" = rollback.execute ]
}

# To make a key of a passphrase takes 256 MiB.
@test "list and details make no key: what is encrypted is known without" {
    configure <<<'encryption: {passphrase_command: "echo correct horse"}'
    backout -q point create --db shop.db
    small() (ulimit -v 200000 && backout "$@")
    run -0 --separate-stderr small details latest --output json
    [ "$(jq -c '[.files[] | .encrypted]' <<<"$output")" = '[true]' ]
    run -0 --separate-stderr small list --output json
    [ "$(jq length <<<"$output")" = 1 ]
}

@test "an encrypted point opens with its key only" {
    head -c 32 /dev/urandom >key
    head -c 32 /dev/urandom >wrong
    chmod 600 key wrong
    configure <<<'encryption: {key_file: key}'
    backout -q run --db shop.db damage.sql
    run -1 grep -rq 'ann@x' .backout/repository
    BACKOUT_KEY_FILE=wrong run --separate-stderr backout execute latest --yes
    [ "$status" -ne 0 ]
    chmod 644 key
    run -3 --separate-stderr backout execute latest --yes
    [[ ${stderr_lines[0]} == *"with the key can be read by others" ]]
    chmod 600 key
    run -0 --separate-stderr backout execute latest --yes
    [ "$(rows)" = "$before" ]
}

@test "a passphrase that the environment names goes before the key of the configuration" {
    head -c 32 /dev/urandom >key
    echo 'correct horse' >words
    chmod 600 key words
    configure <<<'encryption: {key_file: key}'
    BACKOUT_PASSPHRASE_FILE=words backout -q run --db shop.db damage.sql
    run -3 --separate-stderr backout execute latest --yes
    [[ $stderr == *"because: it is encrypted with a passphrase"* ]]
    BACKOUT_PASSPHRASE_FILE=words run -0 --separate-stderr backout execute latest --yes
    [ "$(rows)" = "$before" ]
}

@test "a passphrase comes from a command" {
    configure <<<'encryption: {passphrase_command: "echo correct horse"}'
    backout -q run --db shop.db damage.sql
    run -0 --separate-stderr backout execute latest --yes
    [ "$(rows)" = "$before" ]
}

@test "control characters in names do not reach the terminal" {
    sqlite3 shop.db "CREATE TABLE \"$(printf 'a\033[31mb')\" (id INTEGER PRIMARY KEY)"
    run -0 backout point create --db shop.db
    run -0 backout details latest
    [[ $output != *$'\033'* ]]
    [[ $output == *'a\x1b[31mb'* ]]
}

@test "NO_COLOR and --color are obeyed" {
    backout -q point create --db shop.db
    run -0 backout list --color always
    [[ $output == *$'\033['* ]]
    run -0 backout list --color never
    [[ $output != *$'\033['* ]]
    command -v script >/dev/null || skip "no script(1)"
    NO_COLOR=1 run -0 script -qec "backout list" /dev/null
    [[ $output != *$'\033['* ]]
}
