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

@test "a point that was rolled back without a seal gets no advice to seal it" {
    id=$(backout -q point create --db shop.db --output json | jq -r .id)
    sqlite3 shop.db <damage.sql
    backout -q execute "$id" --yes
    local command
    for command in "execute $id --type partial --yes" "export $id" "export $id --which since" \
        "script $id" "verify $id --against after"; do
        # shellcheck disable=SC2086 # several words
        refused 3 "'$id' was rolled back without a seal" $command
        [[ $stderr == *"hint: the tables as the point has them: backout verify $id, "* ]]
    done
    run -0 backout verify "$id"
    run -0 backout export "$id" --which before
}

@test "of a pruned point all say that it is pruned, whatever it was" {
    local sealed open command
    sealed=$(backout -q run --db shop.db damage.sql --output json | jq -r .id)
    open=$(backout -q point create --db shop.db --migration open --output json | jq -r .id)
    backout -q execute "$open" --yes
    sqlite3 .backout/catalog.db "UPDATE backout_point SET created_us = created_us - 86400000000 * 9,
        kind = 'point'"
    backout -q prune --keep-days 1 --yes
    for id in "$sealed" "$open"; do
        for command in assess "execute --yes" "execute --type partial --yes" verify \
            "verify --against after" export "export --which before" "export --which since" \
            "export --which lost" script; do
            # shellcheck disable=SC2086 # several words
            refused 3 "point '$id' is pruned and cannot be used" $command "$id"
            [[ $stderr != *hint* ]]
        done
        refused 3 "'$id' is pruned: there is nothing to check" check "$id"
        run -0 backout details "$id"
        [[ $output == *", removed by prune"* ]]
        [[ $output != *MISSING* ]]
    done
}

@test "a failed point is not looked into" {
    run -3 backout -q point create --db shop.db --tables nothing
    id=$(backout list --all --output json | jq -r '.[0].id')
    local command
    for command in assess verify "verify --against after" export script; do
        # shellcheck disable=SC2086 # several words
        refused 3 "point '$id' is failed and cannot be used" $command "$id"
    done
}

@test "of hints with a command in them the id is in the command" {
    id=$(backout -q point create --db shop.db --output json | jq -r .id)
    sqlite3 shop.db <damage.sql
    refused 3 "hint: the change has no recorded end: backout point seal $id" \
        execute latest --type partial --yes
    cp shop.db copy.db
    refused 3 "backout restore $id --db DB" execute "${id:0:12}" --db copy.db --yes
    [[ $stderr != *" ID"* ]]
}

@test "a prune that keeps nothing names the option, and one without a rule asks for one" {
    refused 2 "--keep-days has to be 1 or more" prune --keep-days 0 --keep-last 1 --yes
    refused 2 "--keep-last has to be 1 or more" prune --keep-last 0 --yes
    refused 2 "no rule says what to keep" prune --yes
}

@test "doctor --fix that is not confirmed names no option that it does not have" {
    refused 3 "hint: add --yes to go on without being asked; without --fix it only looks" \
        doctor --fix --db shop.db
    refused 3 "hint: add --yes to go on without being asked; --dry-run shows the plan" \
        prune --keep-last 1
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

@test "of a table that others renamed plan, assessment and execution say the same" {
    id=$(backout -q run --db shop.db damage.sql --output json | jq -r .id)
    sqlite3 shop.db 'ALTER TABLE items RENAME TO lines'
    run -3 --separate-stderr backout execute "$id" --type partial --yes
    [[ $stderr == *"because: table 'items' is not there, and only type full makes a table again"* ]]
    [[ $stderr == *"hint: if it was renamed, rename it back; else type full makes it again: backout execute $id"* ]]
    local gone="note: items: the table is not there, and will be made again; if it was renamed, rename it back"
    run -0 --separate-stderr backout execute "$id" --type full --dry-run
    [[ $output == *"items           6       0       0          0     0"* ]] || { echo "$output"; false; }
    [[ $output == *"$gone"* ]]
    run -0 --separate-stderr backout assess "$id"
    [[ $output == *"$gone"* ]]
    [[ $output != *"by others"* ]]
    [[ $output == *"recommended: full, because a table or column of the point is gone"* ]]
    run -0 --separate-stderr backout execute "$id" --type full --yes
    [[ $output == *"items             6        0        0          0     0  match"* ]] || { echo "$output"; false; }
    [[ $output == *"note: items: the table was not there, and was made again; the undo point leaves it there, empty"* ]]
}

@test "where a column is gone no hint leads to type partial as it is" {
    id=$(backout -q run --db shop.db damage.sql --output json | jq -r .id)
    sqlite3 shop.db 'ALTER TABLE customers RENAME COLUMN email TO mail'
    run -3 --separate-stderr backout execute "$id" --type full --yes
    [[ $stderr == *"because: a column of 'customers' is gone, and type partial makes none again"* ]]
    [[ $stderr == *"hint: if it was renamed, rename it back, or make it again, and type partial keeps"* ]]
    run -3 --separate-stderr backout execute "$id" --type partial --yes
    [[ $stderr == *"because: customers: column 'email' was dropped since the point"* ]]
    [[ $stderr != *"'mail'"* ]]
    [[ $stderr == *"hint: alter the table back, then try again: a column that was renamed gets its name back"* ]]
    sqlite3 shop.db 'ALTER TABLE customers RENAME COLUMN mail TO email'
    backout -q execute "$id" --type partial --yes
}

@test "a change that altered the shape of a table: the hints end where it is undone" {
    echo 'ALTER TABLE items DROP COLUMN name' >drop.sql
    id=$(backout -q run --db shop.db drop.sql --output json | jq -r .id)
    sqlite3 shop.db "ALTER TABLE items ADD COLUMN note TEXT"
    run -3 --separate-stderr backout execute "$id" --type partial --yes
    [[ $stderr == *"hint: it can be undone as a whole only: backout assess $id, then backout execute $id --type full"* ]]
}

@test "rows that others may have written are not said to be theirs" {
    sqlite3 shop.db 'CREATE TABLE notes (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO notes VALUES (1, 2)'
    echo 'ALTER TABLE notes DROP COLUMN a' >drop.sql
    id=$(backout -q run --db shop.db drop.sql --output json | jq -r .id)
    run -0 --separate-stderr backout assess "$id"
    [[ $output == *"1 row may have been written by others since"* ]]
    [[ $output == *"because the change altered the shape of a table, and can be undone as a whole only"* ]]
    run -3 --separate-stderr backout execute "$id" --type full --yes
    [[ $output == *"would give up 1 row that others may have written"* ]]
    [[ $stderr == *"hint: backout export $id --which before shows the rows that come back; --discard-later"* ]]
    backout -q execute "$id" --type full --discard-later --yes
    [ "$(sqlite3 shop.db 'SELECT * FROM notes')" = '1|2' ]
}

@test "a point whose snapshot is lost: assess and type full lead to type partial, which works" {
    was=$(rows)
    id=$(backout -q run --db shop.db damage.sql --output json | jq -r .id)
    rm ".backout/repository/$id.snapshot"
    run -3 --separate-stderr backout execute "$id" --type full --yes
    [[ $stderr == *"because: the change itself is whole: type partial undoes it without this file"* ]]
    [[ $stderr == *"hint: backout execute $id --type partial; backout check $id says what is still whole"* ]]
    run -0 --separate-stderr backout assess "$id"
    [[ $stderr == *"type full is not possible"* ]]
    [[ $output == *"recommended: partial"* ]]
    backout -q execute "$id" --type partial --yes
    [ "$(rows)" = "$was" ]
}

@test "a captured table that others renamed is renamed back, and no hint leads elsewhere" {
    id=$(backout -q point create --db shop.db --method capture --tables items --output json | jq -r .id)
    sqlite3 shop.db "UPDATE items SET name = 'x'"
    backout -q point seal "$id"
    sqlite3 shop.db 'ALTER TABLE items RENAME TO lines'
    run -3 --separate-stderr backout execute "$id" --type partial --yes
    [[ $stderr == *"because: table 'items' is not there, and '$id' has not its rows to make it again"* ]]
    [[ $stderr == *"hint: if it was renamed, rename it back, then try again"* ]]
    run -3 --separate-stderr backout execute "$id" --type full --yes
    [[ $stderr == *"hint: rename back what was renamed, or alter it back, then try again"* ]]
    sqlite3 shop.db 'ALTER TABLE lines RENAME TO items'
    backout -q execute "$id" --type partial --yes
    [ "$(sqlite3 shop.db "SELECT count(*) FROM items WHERE name = 'x'")" = 0 ]
}

@test "a table that was made anew with a column that needs a value: the hint ends where it is undone" {
    before=$(rows)
    cat >remake.sql <<'SQL'
BEGIN;
CREATE TABLE new__orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers,
    status TEXT NOT NULL, total_cents INTEGER NOT NULL, paid BOOL NOT NULL);
INSERT INTO new__orders SELECT *, status = 'paid' FROM orders;
DROP TABLE orders;
ALTER TABLE new__orders RENAME TO orders;
UPDATE orders SET status = 'migrated';
COMMIT;
SQL
    backout -q run --db shop.db remake.sql
    run -3 --separate-stderr backout execute latest --yes
    [[ $stderr == *"column 'paid' was added since the point, and needs a value"* ]]
    [[ $stderr == *"hint: give that column a default or drop it, then try again; backout backup TABLE --db DB keeps"* ]]
    backout -q backup orders --db shop.db
    sqlite3 shop.db 'ALTER TABLE orders DROP COLUMN paid'
    run -0 backout execute "$(backout list --output json | jq -r '.[] | select(.migration == "remake").id')" \
        --discard-later --yes
    [ "$(rows)" = "$before" ]
}
