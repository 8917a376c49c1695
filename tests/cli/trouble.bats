# SPDX-License-Identifier: Apache-2.0
# tests/cli/trouble.bats - names, predicates, programs and settings that go wrong: the exit code, the
# sentence, and that no row is different.

load ../support/bats/common
load trouble
load shop # its damage() takes the place of a server's
setup() {
    common_setup
    make_shop
    before=$(rows)
}
teardown() { common_teardown; }

@test "a missing table exits 3 and is named" {
    run -3 --separate-stderr backout point create --db shop.db --tables items,nowhere
    [ "${stderr_lines[0]}" = "backout: cannot take a point" ]
    [ "${stderr_lines[1]}" = "  because: no such table: nowhere" ]
    said "hint: check the name of the table"
    no_point
    unchanged
}

@test "a name that is SQL is a name: missing, it is refused; present, it is protected" {
    local name='"order"; drop table items --'
    run -3 --separate-stderr backout point create --db shop.db --tables "$name"
    said "because: no such table: $name"
    unchanged
    sqlite3 shop.db 'CREATE TABLE """order""; drop table items --" (id INTEGER PRIMARY KEY, v TEXT);
        INSERT INTO """order""; drop table items --" VALUES (1, '"'a'"');'
    sqlite3 shop.db .dump >was
    echo 'DELETE FROM """order""; drop table items --";' >odd.sql
    backout -q run --db shop.db --tables "$name" odd.sql
    run -0 --separate-stderr backout execute latest --yes
    sqlite3 shop.db .dump | cmp - was
    unchanged
}

@test "a name with a line end and an escape is printed as text, and protected" {
    local name=$'a\e[31m\nb'
    sqlite3 shop.db "CREATE TABLE \"$name\" (id INTEGER PRIMARY KEY, \"c$name\" TEXT);
        INSERT INTO \"$name\" VALUES (1, 'x')"
    sqlite3 shop.db .dump >was
    echo "DELETE FROM \"$name\";" >odd.sql
    backout -q run --db shop.db --tables "$name" odd.sql
    run --separate-stderr -4 backout verify latest
    [[ $output != *$'\e'* ]]
    [[ $output == *'\n'* || $output == *'\x0a'* ]]
    run -0 --separate-stderr backout execute latest --yes
    [[ $output$stderr != *$'\e'* ]]
    sqlite3 shop.db .dump | cmp - was
    run -3 --separate-stderr backout details $'no\e[31mwhere'
    [[ $stderr != *$'\e'* ]]
}

@test "a predicate with a mistake exits 2 and says which" {
    run -2 --separate-stderr backout point create --db shop.db --where 'orders: totel > 1'
    said "because: the predicate of orders is not a condition"
    said "because: no such column: totel"
    run -2 --separate-stderr backout point create --db shop.db --where 'orders: total_cents >'
    said "incomplete input"
    run -2 --separate-stderr backout point create --db shop.db --where 'orders: 1); DROP TABLE items; --'
    said "the predicate of orders is not a condition"
    run -2 --separate-stderr backout point create --db shop.db --where 'orders: 1; DROP TABLE items'
    said "the predicate of orders is not a condition"
    no_point
    unchanged
}

@test "an unknown id exits 3 in every command that takes one" {
    local command
    for command in "details" "assess" "verify" "script" "export" "execute --yes" "point seal" "check"; do
        # shellcheck disable=SC2086 # the flags are words of their own
        run -3 --separate-stderr backout $command rb_nothing_20200101_000000
        said "no such point: 'rb_nothing_20200101_000000'"
        said "hint: list the points with: backout list --all"
    done
    unchanged
}

@test "a point of another database is not used there" {
    cp shop.db other.db
    damage
    local damaged
    damaged=$(rows)
    run -3 --separate-stderr backout execute "$id" --db other.db --yes
    said "other.db' is not the database the point was taken of"
    said "hint: name its database with --db"
    [ "$(rows other.db)" = "$before" ]
    run -3 --separate-stderr backout execute "$id" --db missing.db --yes
    said "no database file"
    [ ! -e missing.db ]
    [ "$(rows)" = "$damaged" ]
}

@test "a file that is not there is noticed before a point is taken" {
    run -3 --separate-stderr backout run --db shop.db damage.sql nowhere.sql
    [ "${stderr_lines[0]}" = \
        "backout: nothing was changed: cannot read 'nowhere.sql': No such file or directory" ]
    run -1 --separate-stderr backout run --db shop.db damage.sql .
    said "nothing was changed: cannot read '.': Is a directory"
    no_point
    unchanged
}

@test "a file that ends within its own transaction has failed" {
    echo 'BEGIN; DELETE FROM items;' >open.sql
    run -1 --separate-stderr backout run --db shop.db open.sql
    said "because: it begins a transaction and does not commit it"
    unchanged
}

@test "a zero byte in a SQL file: nothing of it is executed" {
    printf 'DELETE FROM items;\n\0 DELETE FROM orders;' >zero.sql
    run -1 --separate-stderr backout run --db shop.db zero.sql
    said "because: line 2 has a zero byte"
    unchanged
}

@test "a mistake in a SQL file is found by its line, and undone" {
    printf 'DELETE FROM items;\n\nUPDATE orders\n  SET nowhere = 1;\n' >bad.sql
    run -1 --separate-stderr backout run --db shop.db bad.sql
    said "because: 'bad.sql' failed"
    said "because: the statement in line 3 failed"
    said "because: no such column: nowhere"
    unchanged
}

@test "a program that is not there exits 1 and says so" {
    run -1 --separate-stderr backout run --db shop.db -- no-such-program --flag
    said "because: cannot start 'no-such-program': No such file or directory"
    unchanged
}

@test "a program that is interrupted is rolled back, exit 130" {
    backout run --db shop.db -- sh -c \
        'sqlite3 "$BACKOUT_SQLITE_FILE" "DELETE FROM items"; touch ready; sleep 30' 2>said-so &
    local pid=$!
    eventually test -e ready
    kill -INT "$pid"
    ended "$pid"
    [ "$code" = 130 ]
    grep -q "the change was interrupted and was rolled back to rb_sh_" said-so
    unchanged
}

@test "an interrupted SQL file is rolled back, exit 130" {
    echo "DELETE FROM items; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        INSERT INTO customers SELECT i + 1000, 'x', NULL FROM n LIMIT 1 OFFSET 1000000000;" >slow.sql
    backout run --db shop.db slow.sql 2>said-so &
    local pid=$!
    eventually grep -q "taken" said-so
    sleep 0.1
    kill -TERM "$pid"
    ended "$pid"
    [ "$code" = 130 ]
    grep -q "the change was interrupted and was rolled back to rb_slow_" said-so
    unchanged
}

@test "another program that writes: exit 3, and after it has ended the rollback goes on" {
    damage
    local damaged
    damaged=$(rows)
    echo 'databases: {shop: {url: shop.db, lock_timeout: 300ms}}' >>backout.yaml
    sqlite3 shop.db 'BEGIN IMMEDIATE' '.shell touch held; while [ -e held ]; do sleep 0.1; done' &
    local pid=$!
    eventually test -e held
    run -3 --separate-stderr backout execute "$id" --yes
    said "the database file is locked by another process"
    said "hint: another program is writing: wait for it, or raise lock_timeout in backout.yaml"
    rm held
    ended "$pid"
    [ "$(rows)" = "$damaged" ]
    run -0 --separate-stderr backout execute "$id" --yes
    unchanged
}

@test "an interrupt while a rollback waits for a lock: exit 130 at once, nothing is changed" {
    damage
    local damaged started=$SECONDS
    damaged=$(rows)
    echo 'databases: {shop: {url: shop.db, lock_timeout: 60s}}' >>backout.yaml
    hold_file shop.db 'BEGIN IMMEDIATE'
    backout execute "$id" --yes 2>told &
    local pid=$!
    eventually opened "$pid" shop.db
    sleep 0.1
    kill -INT "$pid"
    ended "$pid"
    [ "$code" = 130 ]
    [ $((SECONDS - started)) -lt 20 ]
    grep -q "because: the rollback changed nothing" told
    let_file_go
    [ "$(rows)" = "$damaged" ]
    run -0 --separate-stderr backout execute "$id" --yes
    unchanged
}

@test "a production database, a missing --yes: exit 3, no row is touched" {
    damage
    local damaged
    damaged=$(rows)
    run -3 --separate-stderr backout execute "$id" </dev/null
    said "refused: it was not confirmed, and there is no terminal to ask on"
    said "hint: add --yes"
    echo 'databases: {shop: {url: shop.db, production: true}}' >>backout.yaml
    run -3 --separate-stderr backout execute "$id" --yes
    said "refused: 'shop' is a production database, and --production is missing"
    run -3 --separate-stderr backout run --db shop.db damage.sql
    said "'shop' is a production database"
    [ "$(rows)" = "$damaged" ]
    run -0 --separate-stderr backout execute "$id" --yes --production
    unchanged
}

@test "a prune that was refused and one that was done have the same event" {
    backout -q run --db shop.db -- true
    backout -q run --db shop.db -- true
    run -3 --separate-stderr backout prune --keep-last 1 </dev/null
    said "refused: it was not confirmed"
    [ "$(find .backout/repository -name '*.snapshot' | wc -l)" = 2 ]
    backout -q prune --keep-last 1 --yes
    [ "$(find .backout/repository -name '*.snapshot' | wc -l)" = 1 ]
    backout audit --output json >log
    [ "$(jq -c '[.[] | select(.event | test("prune")) | [.event, .outcome]] | unique' log)" = \
        '[["point.prune","done"],["point.prune","refused"]]' ]
    unchanged
}

@test "a wrong word in the environment exits 2 and names the variable" {
    BACKOUT_OUTPUT=xml run -2 --separate-stderr backout list
    said "BACKOUT_OUTPUT is one of text|json|jsonl, not 'xml'"
    BACKOUT_COLOR=red run -2 --separate-stderr backout list
    said "BACKOUT_COLOR is one of auto|always|never, not 'red'"
    BACKOUT_CONFIG=nowhere.yaml run -3 --separate-stderr backout list
    said "cannot read the configuration 'nowhere.yaml': No such file or directory"
    BACKOUT_DB=nowhere.db run -3 --separate-stderr backout point create
    said "no database file"
    BACKOUT_KEY_FILE=nowhere.key run -3 --separate-stderr backout list
    said "cannot open 'nowhere.key': No such file or directory"
    BACKOUT_PASSPHRASE_FILE=nowhere.key run -3 --separate-stderr backout list
    said "cannot read the passphrase from 'nowhere.key': No such file or directory"
    unchanged
}

@test "a mistake in backout.yaml exits 2 with its line and column" {
    local good
    good=$(cat backout.yaml)
    wrong() {
        printf '%s\n%s\n' "$good" "$1" >backout.yaml
        run -2 --separate-stderr backout list
        [[ ${stderr_lines[0]} =~ backout.yaml:[0-9]+:"$2" ]]
        said "$3"
    }
    wrong 'databases: {x: {url: a.db, production: maybe}}' 40 "'maybe' is neither true nor false"
    wrong 'databases: {x: {urll: a.db}}' 17 "unknown key 'urll'"
    wrong 'databases: {x: [1' 1 "flow sequence without a closing bracket"
    wrong 'retention: {keep_last: many}' 24 "many"
}

@test "a run of another host is in use until its lease has expired" {
    run backout run --db shop.db -- sh -c \
        'sqlite3 "$BACKOUT_SQLITE_FILE" "DELETE FROM items"; kill -KILL $PPID; sleep 5'
    local damaged hour_us=3600000000
    damaged=$(rows)
    lease() {
        sqlite3 .backout/catalog.db "UPDATE backout_run SET host = 'elsewhere', lease_us = lease_us + $1
            WHERE kind = 'run' AND status = 'running'"
    }
    lease $hour_us
    echo 'lock_timeout: 200ms' >>backout.yaml
    run -3 --separate-stderr backout execute latest --yes
    said " is in use: run run_"
    said " on elsewhere is at step 'changing'"
    said "hint: wait for the other work to end"
    [ "$(rows)" = "$damaged" ]
    lease -$((2 * hour_us))
    run -0 --separate-stderr backout execute latest --yes
    unchanged
}

@test "two points in the same second have two ids" {
    local i pids=()
    for i in 1 2 3 4; do
        backout -q point create --db shop.db >"out$i" &
        pids+=("$!")
    done
    for i in "${pids[@]}"; do
        ended "$i"
        [ "$code" = 0 ]
    done
    [ "$(cut -d' ' -f1 out? | sort -u | wc -l)" = 4 ]
    [ "$(backout list --output json | jq length)" = 4 ]
    run -0 backout check
    unchanged
}
