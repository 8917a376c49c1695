# SPDX-License-Identifier: Apache-2.0
# tests/cli/refusals.bats - what cannot be done with this point is refused in words, and changes nothing.
# shellcheck disable=SC2154 # $stderr is set by run

load ../support/bats/common
load shop

setup() {
    common_setup
    make_shop
}
teardown() { common_teardown; }

# refused CODE SENTENCE COMMAND...: it exits so, says so, and no row is different.
refused() {
    local code=$1 sentence=$2 was
    shift 2
    was=$(rows)
    run "-$code" --separate-stderr backout "$@"
    [[ $stderr == *"$sentence"* ]] || {
        printf 'expected: %s\nbut said:\n%s\n' "$sentence" "$stderr" >&2
        return 1
    }
    [ "$(rows)" = "$was" ]
}

@test "a point without a seal has no state after the change" {
    id=$(backout -q point create --db shop.db --output json | jq -r .id)
    sqlite3 shop.db <damage.sql
    refused 3 "because: '$id' is not sealed: the state after the change is not known" \
        verify "$id" --against after
    refused 3 "because: '$id' is not sealed: what its change did is not known" export "$id"
    run -0 --separate-stderr backout assess "$id"
    [[ $output == *"recommended: full, because what the change did is not known apart from"* ]]
}

@test "a table that the point does not have is named" {
    id=$(backout -q run --db shop.db damage.sql --output json | jq -r .id)
    refused 3 "because: table 'nothing' is not in the point" \
        execute "$id" --yes --type partial --where 'nothing: id > 1'
    refused 3 "because: table 'nothing' is not in the point" \
        execute "$id" --yes --type partial --tables nothing
    refused 3 "because: table 'nothing' is not in the snapshot" \
        restore ".backout/repository/$id.snapshot" --db shop.db --tables nothing --yes
    [[ $stderr == *"see which tables it has: backout details ID"* ]]
}

@test "a point that is sealed is not sealed again, and one that captures nothing is not released" {
    id=$(backout -q run --db shop.db damage.sql --output json | jq -r .id)
    refused 3 "because: '$id' is sealed already" point seal "$id"
    refused 3 "because: no changes are captured for '$id'" point release "$id"
}

@test "the point of a dry run is not rolled back to" {
    backout -q run --db shop.db --dry-run damage.sql
    id=$(backout list --all --output json | jq -r '.[].id')
    [[ $id == DRY_RUN_* ]]
    refused 3 "because: point '$id' is of a dry run: it can be rehearsed with --dry-run only" \
        execute "$id" --yes
}

@test "of several databases one is named" {
    echo 'databases: {a: {url: "sqlite:shop.db"}, b: {url: "sqlite:shop.db"}}' >backout.yaml
    refused 2 "several databases are configured: name one with --db" point create
}

@test "COPY with rows of the client is refused in a file for PostgreSQL" {
    pg_database
    sql -c 'CREATE TABLE t (id int PRIMARY KEY)'
    echo 'COPY t FROM STDIN;' >copy.sql
    refused 1 "COPY from or to the client has no place here" run --db "$PG_URL" copy.sql
    [ "$(sql -c 'SELECT count(*) FROM t')" = 0 ]
}

@test "release of a backup is not asked about: nothing is captured" {
    run -0 backout -q backup items --db shop.db --output json
    id=$(jq -r .id <<<"$output")
    run -3 --separate-stderr backout point release "$id"
    [[ $stderr == *"no changes are captured for '$id'"* ]]
    [[ $stderr != *confirmed* ]]
}

@test "commands that need what is recorded make no catalog, and no table in another database" {
    mkdir ../alone
    cd ../alone
    sqlite3 prod.db 'CREATE TABLE mine (x); INSERT INTO mine VALUES (1)'
    local before command
    before=$(sqlite3 prod.db .dump)
    for command in list "details latest" "verify latest" "check" "export latest" "script latest" \
        "assess latest" audit "audit --verify" "execute latest --dry-run" "execute latest --yes" \
        "prune --keep-last 1" "point seal latest" "point release latest --yes"; do
        # shellcheck disable=SC2086 # several words
        run -3 --separate-stderr backout --catalog prod.db $command
        [ "$output" = "" ]
        [[ ${stderr_lines[0]} == "backout: there is no catalog at '"*"prod.db'" ]]
        [[ $stderr == *"backout init"* ]]
        # shellcheck disable=SC2086
        run -3 --separate-stderr backout --catalog typo/c.db $command
        [[ ${stderr_lines[0]} == "backout: there is no catalog at '"*"typo/c.db'" ]]
    done
    [ "$(sqlite3 prod.db .dump)" = "$before" ]
    [ "$(sqlite3 prod.db 'PRAGMA journal_mode')" = delete ]
    [ "$(ls -A)" = prod.db ]
}
