# SPDX-License-Identifier: Apache-2.0
# tests/cli/run.bats - a change under protection: files, commands, failures, interrupts, dry runs.

load ../support/bats/common
load shop
setup() { common_setup; make_shop; }
teardown() { common_teardown; }

@test "run executes a file and seals its point" {
    run -0 --separate-stderr backout run --db shop.db damage.sql --output json
    [[ $(jq -r .id <<<"$output") == rb_damage_* ]]
    [ "$(jq -c '[.tables[] | select(.name == "items") | .rows]' <<<"$output")" = '[6]' ]
    [ "$(sqlite3 shop.db 'SELECT total_cents FROM orders WHERE id = 12')" = 90 ]
}

@test "a file that fails is rolled back whole and exits 1" {
    local before
    before=$(rows)
    { cat damage.sql; echo 'INSERT INTO customers VALUES (1, NULL, NULL);'; } >bad.sql
    run -1 --separate-stderr backout run --db shop.db bad.sql
    [ "$(rows)" = "$before" ]
    [[ $stderr == *"backout: the change failed and was rolled back to rb_bad_"* ]]
    [[ $stderr == *"because: "*bad.sql* ]]
    [[ $output == *"proof: match"* ]]
}

@test "a failed run as JSON has the rollback and the error in one object" {
    echo 'DELETE FROM items; SELECT * FROM nowhere;' >bad.sql
    run -1 --separate-stderr backout run --db shop.db bad.sql --output json
    [ "$(jq -r .status <<<"$output")" = rolled-back ]
    [ "$(jq -r .rollback.proof <<<"$output")" = match ]
    [ "$(jq -r .error.status <<<"$output")" = failed ]
}

@test "--type transaction leaves nothing of a failed file, without a rollback having to undo it" {
    local before
    before=$(rows)
    echo 'DELETE FROM items; SELECT * FROM nowhere;' >bad.sql
    run -1 --separate-stderr backout run --db shop.db --type transaction bad.sql
    [ "$(rows)" = "$before" ]
}

@test "--no-rollback leaves a failed change and says how to undo it" {
    echo 'DELETE FROM items WHERE order_id = 10; SELECT * FROM nowhere;' >bad.sql
    run -1 --separate-stderr backout run --db shop.db --no-rollback bad.sql
    [ "$(sqlite3 shop.db 'SELECT count(*) FROM items')" = 4 ]
    [[ $stderr == *"left as it is"* ]]
    [[ $stderr == *"hint: undo it with: backout execute rb_bad_"* ]]
}

@test "a dry run names the rows, changes nothing and leaves a point to rehearse with" {
    local before
    before=$(rows)
    run -0 --separate-stderr backout run --db shop.db --dry-run damage.sql --output json
    [ "$(rows)" = "$before" ]
    [[ $(jq -r .id <<<"$output") == DRY_RUN_rb_damage_* ]]
    [ "$(jq -c .change <<<"$output")" = '{"inserted":1,"updated":2,"deleted":2}' ]
    [ "$(jq '.rows | length' <<<"$output")" = 5 ]
    run -0 --separate-stderr backout run --db shop.db --dry-run damage.sql
    [[ ${lines[0]} == "dry run: would insert 1, update 2, delete 2; nothing was changed" ]]
}

@test "a command finds its database and its run in the environment" {
    run -0 --separate-stderr backout run --db shop.db -- sh -c \
        'echo "$BACKOUT_RUN_ID $BACKOUT_POINT_ID"; sqlite3 "$BACKOUT_SQLITE_FILE" "DELETE FROM items"'
    [[ $output == *rb_sh_* ]]
    [ "$(sqlite3 shop.db 'SELECT count(*) FROM items')" = 0 ]
}

@test "a command finds the file, not its options, from any folder" {
    for url in "sqlite:shop.db?foreign_keys=on" "file:shop.db?mode=rw"; do
        run -0 backout run --db "$url" -- sh -c \
            'cd /; sqlite3 "$BACKOUT_SQLITE_FILE" "UPDATE items SET name = name || 1"'
        [[ $output == *"the change touched 6 rows"* ]] || { echo "$output"; false; }
    done
    [ "$(echo shop.db*)" = shop.db ]
}

@test "a command has the umask and the limits that backout was called with" {
    umask 022
    ulimit -S -c unlimited
    run -0 --separate-stderr backout -q run --db shop.db -- sh -c 'umask; ulimit -c'
    [[ $output == "$(umask)"$'\n'"$(ulimit -c)"$'\n'* ]] || { echo "$output"; false; }
}

@test "with nohup a change goes on when the terminal is gone" {
    echo "CREATE TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000000)
        SELECT count(*) FROM n; DROP TABLE n;" >long.sql
    for change in 'long.sql' '-- sh -c "until [ -e told ]; do sleep 0.05; done"'; do
        eval "nohup \"$BACKOUT_BIN\" run --db shop.db $change >said 2>&1 &"
        eventually grep -q taken said
        kill -HUP "$!"
        touch told
        wait "$!" || { cat said; false; }
        rm said told
    done
}

@test "a change comes from a pipe, too" {
    for how in '' '--type transaction'; do
        # shellcheck disable=SC2086 # two words
        run -0 backout -q run --db shop.db $how <(echo "DELETE FROM items WHERE order_id = 10;") \
            <(echo "INSERT INTO items VALUES (13, 9, 'new');")
        [[ $output == *"the change touched 3 rows"* ]] || { echo "$output"; false; }
        backout -q execute latest --yes
    done
}

@test "a command that fails is rolled back and exits 1" {
    local before
    before=$(rows)
    run -1 --separate-stderr backout run --db shop.db -- sh -c \
        'sqlite3 "$BACKOUT_SQLITE_FILE" "DELETE FROM items"; exit 9'
    [ "$(rows)" = "$before" ]
    [[ $stderr == *"because: 'sh' ended with exit code 9"* ]]
}

@test "a command that is killed is rolled back" {
    local before
    before=$(rows)
    run -1 --separate-stderr backout run --db shop.db -- sh -c \
        'sqlite3 "$BACKOUT_SQLITE_FILE" "DELETE FROM items"; kill -9 $$'
    [ "$(rows)" = "$before" ]
    [[ $stderr == *"killed by signal 9"* ]]
}

@test "an interrupt is passed on, the change is rolled back, exit code 130" {
    local before
    before=$(rows)
    backout run --db shop.db -- sh -c \
        'sqlite3 "$BACKOUT_SQLITE_FILE" "DELETE FROM items"; touch ready; sleep 30' 2>said &
    local pid=$!
    eventually test -e ready
    kill -TERM "$pid"
    local code=0
    wait "$pid" || code=$?
    [ "$code" = 130 ]
    [ "$(rows)" = "$before" ]
    grep -q "was interrupted and was rolled back" said
}

# A process that nobody has waited for yet has no program any more.
is_gone() {
    ! readlink "/proc/$1/exe" >/dev/null
}

@test "when backout itself is killed, the command ends and details says what to do" {
    local before
    before=$(rows)
    backout run --db shop.db -- sh -c 'sqlite3 "$BACKOUT_SQLITE_FILE" "DELETE FROM items"
        echo $$ >ready; while :; do sleep 0.1; done' 2>/dev/null &
    local pid=$!
    eventually test -s ready
    kill -KILL "$pid"
    wait "$pid" || true
    eventually is_gone "$(cat ready)"
    run -0 --separate-stderr backout details latest
    [[ $output == *"next: backout assess rb_sh_"* ]]
    run -0 --separate-stderr backout execute latest --yes
    [ "$(rows)" = "$before" ]
}

@test "a URL without its --db is no program, and its password is said and kept nowhere" {
    local word
    for word in postgresql://ann:hush-hush@db.example/shop mongodb://ann:hush-hush@db.example/shop; do
        run -2 --separate-stderr backout run --db shop.db -- "$word"
        [[ $stderr == *"is a URL, no file and no program"* ]]
        [[ $stderr == *"--db URL"* ]]
        [[ $stderr != *hush* ]]
        run -2 --separate-stderr backout run --db shop.db "$word"
        [[ $stderr != *hush* ]]
    done
    run -0 backout list
    [[ $output != *rb_* ]]
    run backout audit
    [[ $output != *hush* ]]
}

@test "a program that does not exist changes nothing" {
    local before
    before=$(rows)
    run --separate-stderr backout run --db shop.db -- ./nothing-here
    [ "$status" -ne 0 ]
    [ "$(rows)" = "$before" ]
    [[ $stderr == *"cannot start './nothing-here'"* ]]
}

@test "run --rollback takes the latest point of the migration that the file names" {
    local before
    before=$(rows)
    damage
    backout -q run --db shop.db --migration other --tables customers -- true
    run -0 --separate-stderr backout run --rollback damage.sql --yes --output json
    [ "$(jq -r .id <<<"$output")" = "$id" ]
    [ "$(rows)" = "$before" ]
}

@test "run --rollback takes what one can return to: no attempt that failed, no dry run, no backup" {
    local before
    before=$(rows)
    damage
    run -3 backout -q run --db shop.db --tables nothing damage.sql
    echo 'DELETE FROM items;' >nothing.sql
    backout -q run --db shop.db --dry-run --migration damage nothing.sql
    backout -q backup customers orders items --db shop.db
    local named
    for named in "damage.sql" "--migration damage" ""; do
        # shellcheck disable=SC2086 # words
        run -0 --separate-stderr backout run --rollback $named --yes --output json
        [ "$(jq -r .id <<<"$output")" = "$id" ]
        [ "$(rows)" = "$before" ]
    done
    run -3 --separate-stderr backout run --rollback --migration other --yes
    [[ ${stderr_lines[0]} == *"no rollback point of the migration 'other'"* ]]
    [[ $stderr == *"hint: list the points with: backout list --all"* ]]
}

@test "run --rollback of a database that is named takes the latest point of that one" {
    cp shop.db other.db
    local before
    before=$(rows)
    damage
    backout -q run --db other.db damage.sql
    run -0 --separate-stderr backout run --rollback damage.sql --db shop.db --yes --output json
    [ "$(jq -r .id <<<"$output")" = "$id" ]
    [ "$(rows)" = "$before" ]
    [ "$(rows other.db)" != "$before" ]
    run -0 backout run --rollback damage.sql --yes
    [ "$(rows other.db)" = "$before" ]
}

@test "run --rollback that is refused for what others wrote hints at what there is" {
    damage
    sqlite3 shop.db "UPDATE orders SET status = 'sent' WHERE id = 13"
    run -3 --separate-stderr backout run --rollback damage.sql --yes
    [[ $stderr == *"hint: keep them: backout execute $id --type partial; give them up"*"$id --discard-later"* ]]
    run -0 backout execute "$id" --type partial --yes
    [ "$(sqlite3 shop.db 'SELECT status, total_cents FROM orders WHERE id IN (11, 13)')" = $'paid|700\nsent|100' ]
}
