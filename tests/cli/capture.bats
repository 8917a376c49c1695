#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tests/cli/capture.bats - points whose changes are captured, on the engine of BACKOUT_TEST_ENGINE.

load ../support/bats/common
load capture
setup() {
    common_setup
    make_captured_shop
}
teardown() { common_teardown; }

# doctor EXIT OPTION...: its findings as JSON are in $output.
doctor() {
    local code=$1
    shift
    run "-$code" --separate-stderr backout doctor --db "$DB" --output json "$@"
}

kinds() {
    jq -c '[.findings[] | select(.fixed | not) | .kind] | unique' <<<"$output"
}

# ---- points ----

@test "a captured point says of each table what keeps it, and why" {
    run -0 --separate-stderr backout point create --db "$DB" --method capture --output json
    [ "$(jq -c '[.tables[] | [.name, .stored, .captured, (.coverage | split(" ")[0])]] | sort' \
        <<<"$output")" = \
        '[["customers",false,true,"covered"],["notes",true,false,"uncovered"],["orders",false,true,"covered"]]' ]
    [[ $(jq -r '.tables[] | select(.name == "notes") | .reasons[0]' <<<"$output") == *key* ]]
    run -0 --separate-stderr backout list --output json
    [ "$(jq -c '.[0] | [.method, .stored, (.captured | sort)]' <<<"$output")" = \
        '["capture",["notes"],["customers","orders"]]' ]
}

@test "rows that nobody counted are about so many" {
    run -0 --separate-stderr backout point create --db "$DB" --method capture --tables orders,notes
    [[ ${lines[0]} == *"2 tables, about "*" rows" ]]
    [[ $output =~ orders\ +about\ [0-9]+\ +capture\ +covered ]]
    [[ $output =~ notes\ +1\ +snapshot\ +uncovered\ +"it has no key" ]]
    run -0 --separate-stderr backout details latest
    [[ $output =~ Method\ +capture ]]
    [[ $output =~ orders\ +about\ [0-9]+ ]]
}

@test "method both stores and captures; the default captures nothing" {
    captured --method both
    run -0 --separate-stderr backout details "$id" --output json
    [ "$(jq -c '[.tables[] | .stored and .captured] | all' <<<"$output")" = true ]
    captured
    run -0 --separate-stderr backout details "$id" --output json
    [ "$(jq -c '[.method, (.tables[] | .captured)]' <<<"$output")" = '["snapshot",false,false]' ]
}

@test "what is covered stands there before the change runs" {
    echo 'SELECT 1;' >nothing.sql
    run -0 --separate-stderr backout run --db "$DB" --method capture nothing.sql
    [[ $stderr =~ customers\ +about\ [0-9]+\ +capture\ +covered ]]
    [[ $stderr =~ notes\ +1\ +snapshot\ +uncovered ]]
}

@test "a captured change is undone, what others wrote later stays" {
    backout -q run --db "$DB" --method capture damage.sql
    ask "INSERT INTO customers VALUES (5, 'Eve'); UPDATE orders SET total = 1 WHERE id = 12"
    run -0 --separate-stderr backout execute latest --type partial --yes --output json
    [ "$(jq -r .proof <<<"$output")" = match ]
    [ "$(ask "SELECT id, name FROM customers ORDER BY 1" | tr '\n' ' ')" = "1|Ann 2|Bob 3|Cy 5|Eve " ]
    [ "$(ask "SELECT id, total FROM orders ORDER BY 1" | tr '\n' ' ')" = "10|500 11|700 12|1 13|100 " ]
}

@test "type full brings captured tables back whole, though no row of them was stored" {
    backout -q run --db "$DB" --method capture damage.sql
    ask "UPDATE orders SET total = 1 WHERE id = 12"
    run -3 --separate-stderr backout execute latest --yes
    run -0 --separate-stderr backout execute latest --discard-later --yes --output json
    [ "$(jq -r .proof <<<"$output")" = match ]
    [ "$(state)" = "$before" ]
}

@test "two points over one table, each with its own change" {
    captured --method capture
    local first=$id
    ask "UPDATE orders SET total = 1 WHERE id = 10"
    backout -q point seal "$first"
    captured --method capture
    local second=$id
    ask "UPDATE orders SET total = 2 WHERE id = 11"
    backout -q point seal "$second"
    backout -q point release "$first"
    run -0 --separate-stderr backout execute "$second" --type partial --yes
    [ "$(ask "SELECT total FROM orders WHERE id IN (10, 11) ORDER BY id" | tr '\n' ' ')" = "1 700 " ]
    run -0 --separate-stderr backout execute "$first" --type partial --yes
    [ "$(state)" = "$before" ]
    backout -q point release "$second"
    [ "$(ours)" = 0 ]
}

# ---- a capture that is broken ----

@test "with both, a broken capture is replaced by the snapshot" {
    captured --method both
    break_capture orders
    ask "UPDATE orders SET total = 1 WHERE id = 10; UPDATE customers SET name = 'X' WHERE id = 1"
    doctor 4
    [ "$(kinds)" = '["broken-capture"]' ]
    run -0 --separate-stderr backout point seal "$id"
    [[ $stderr == *"the capture of table "*orders*" is broken: "*"the snapshot tells"* ]]
    run -0 --separate-stderr backout execute "$id" --type partial --yes --output json
    [ "$(jq -r .proof <<<"$output")" = match ]
    [ "$(state)" = "$before" ]
}

@test "with capture alone, what a broken one missed is not known, and nothing claims it" {
    captured --method capture
    break_capture orders
    ask "UPDATE orders SET total = 1 WHERE id = 10"
    run -4 --separate-stderr backout point seal "$id"
    [[ $stderr == *"orders"*" is broken: "*"is not known"* ]]
    run -4 --separate-stderr backout verify "$id" --output json
    [ "$(jq -r '.tables[] | select(.name | endswith("orders")) | .result' <<<"$output")" = inconclusive ]
    [ "$(jq -r '.error.message' <<<"$output")" = "whether all tables are as the point says could not be told" ]
    run -4 --separate-stderr backout verify "$id"
    [[ $output == *"its capture is broken: "* ]]
    [[ $output != *'\n'* ]]
    run -3 --separate-stderr backout execute "$id" --type partial --yes
    [[ $stderr == *"its capture was broken"*"what the change did to its rows is not known"* ]]
    run -3 --separate-stderr backout execute "$id" --yes
    [ "$(ask "SELECT total FROM orders WHERE id = 10")" = 1 ]
}

# ---- release ----

@test "release takes triggers and journals away; the sealed change can still be undone" {
    backout -q run --db "$DB" --method capture damage.sql
    [ "$(ours)" != 0 ]
    run -0 --separate-stderr backout point release latest
    [[ $output == *"no longer captured"* ]]
    [ "$(ours)" = 0 ]
    run -0 --separate-stderr backout point release latest # again is no error
    run -0 --separate-stderr backout execute latest --type partial --yes --output json
    [ "$(jq -r .proof <<<"$output")" = match ]
    [ "$(state)" = "$before" ]
    [ "$(backout details latest --output json | jq -r .released_at)" != null ]
}

@test "of a point that was released assess plans type partial, and full says that it is the only one" {
    local damaged
    backout -q run --db "$DB" --method capture damage.sql
    damaged=$(state)
    id=$(backout point release latest --output json | jq -r .id)
    run -0 --separate-stderr backout assess "$id" --output json
    [ "$(jq -r '.type + " " + .recommended' <<<"$output")" = "partial partial" ]
    [[ $(jq -r .because <<<"$output") == "it undoes what the change did, and "* ]]
    run -3 --separate-stderr backout execute "$id" --yes
    [[ $stderr == *"it was ended when the point was released"* ]]
    [[ $stderr == *"hint: what the change did can still be undone: backout execute $id --type partial"* ]]
    run -3 --separate-stderr backout execute "$id" --type backup --yes
    [[ $stderr == *"type partial undoes them, and type full while they still are"* ]]
    [ "$(state)" = "$damaged" ]
    run -0 --separate-stderr backout export "$id"
    [ "$output" != "" ]
    run -0 --separate-stderr backout script "$id"
    run -0 --separate-stderr backout execute "$id" --type partial --yes
    [ "$(state)" = "$before" ]
}

@test "release of a point that is not sealed is refused without --yes, and both are in the audit log" {
    captured --method capture
    run -3 --separate-stderr backout point release "$id"
    [[ $stderr == *"hint: when the change has ended: backout point seal $id"* ]]
    [ "$(ours)" != 0 ]
    run -0 --separate-stderr backout point release "$id" --yes
    [ "$(ours)" = 0 ]
    [ "$(backout audit --output json |
        jq -c '[.[] | select(.event == "point.release") | .outcome]')" = '["done","refused"]' ]
}

@test "release of a point without capture is refused" {
    captured
    run -3 --separate-stderr backout point release "$id" --yes
    [[ $stderr == *"no changes are captured for '$id'"* ]]
}

@test "a production database is released with --production only" {
    captured --method capture
    backout -q point seal "$id"
    printf 'databases: {live: {url: "%s", production: true}}\n' "$DB" >>backout.yaml
    run -3 --separate-stderr backout point release "$id"
    [[ $stderr == *"production"* ]]
    run -0 --separate-stderr backout point release "$id" --production
}

@test "prune ends the capture of what goes" {
    captured --method capture
    backout -q point seal "$id"
    captured
    run -0 --separate-stderr backout prune --keep-last 1 --yes
    [ "$(ours)" = 0 ]
}

@test "prune goes on when the database is gone, and says so" {
    captured --method capture
    backout -q point seal "$id"
    captured
    "remove_$ENGINE"
    run -0 --separate-stderr backout prune --keep-last 1 --yes
    [[ $stderr == *"still captured in its database"*"doctor --fix"* ]]
    [[ $output == *"removed 1 point"* ]]
}

@test "a failed run is rolled back and captures nothing any more" {
    run -1 --separate-stderr backout run --db "$DB" --method capture --tables customers,orders bad.sql
    [[ $output == *"proof: match"* ]]
    [ "$(state)" = "$before" ]
    [ "$(ours)" = 0 ]
    [ "$(backout details latest --output json | jq -r .status)" = rolled-back ]
}

# ---- doctor ----

@test "doctor needs nothing of ours in the database, and leaves nothing" {
    doctor 0
    [ "$(jq -r .result <<<"$output")" = clean ]
    [ "$(jq -c '[.tables[] | [.name, (.capture | split(" ")[0])]] | sort' <<<"$output")" = \
        '[["customers","covered"],["notes","uncovered"],["orders","covered"]]' ]
    [ "$(jq -c '[.tables[] | select(.name != "notes") | .snapshot] | unique' <<<"$output")" = \
        '["covered"]' ]
    [ "$(ours)" = 0 ]
    run -0 --separate-stderr backout doctor --db "$DB"
    [[ $output =~ orders\ +covered\ +covered ]]
    [[ $output =~ notes\ +covered.*\ uncovered\ +"it has no key" ]]
    [[ $output == *"result: clean" ]]
}

@test "doctor knows what is needed: an open point is fine, a sealed one is a note" {
    captured --method capture
    doctor 0
    [ "$(kinds)" = '[]' ]
    backout -q point seal "$id"
    doctor 0
    [ "$(kinds)" = '["still-capturing"]' ]
    [ "$(jq -r '.findings[0].next' <<<"$output")" = "backout point release $id" ]
}

# Kills a `point create` when its triggers are there and its rows are not read yet.
kill_point_create() {
    ask "CREATE TABLE big (id INTEGER PRIMARY KEY, filler VARCHAR(400))"
    "fill_$ENGINE"
    backout -q point create --db "$DB" --method both --tables big,orders &
    local pid=$!
    for _ in $(seq 2000); do
        [ "$(ours)" = 0 ] || break
        sleep 0.002
    done
    kill -KILL "$pid"
    run wait "$pid"
    [ "$(ours)" != 0 ]
}
fill_sqlite() {
    ask "INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
        WHERE i < 400000) SELECT i, hex(zeroblob(180)) FROM n"
}
fill_mariadb() {
    ask "INSERT INTO big SELECT seq, repeat('0', 360) FROM seq_1_to_400000"
}
fill_postgresql() {
    ask "INSERT INTO big SELECT i, repeat('0', 360) FROM generate_series(1, 400000) i"
}

@test "doctor finds what a killed point create left, and --fix removes it" {
    kill_point_create
    doctor 4
    [ "$(kinds)" = '["half-capture"]' ]
    doctor 3 --fix
    [ "$(ours)" != 0 ]
    doctor 0 --fix --yes
    [ "$(jq -c '[.findings[] | .fixed] | all' <<<"$output")" = true ]
    [ "$(ours)" = 0 ]
    doctor 0
    [ "$(kinds)" = '[]' ]
    [ "$(backout list --all --output json | jq -c '[.[].status]')" = '["failed"]' ]
    [ "$(backout audit --output json |
        jq -c '[.[] | select(.event == "doctor.fix") | .outcome]')" = '["done","refused"]' ]
}

@test "the capture of another catalog is removed only with --foreign" {
    captured --method capture
    mkdir other && (cd other && backout -q init &&
        backout -q point create --db "$DB" --method capture --tables orders --migration theirs)
    doctor 4
    [ "$(kinds)" = '["foreign-capture"]' ]
    doctor 4 --fix --yes
    [ "$(kinds)" = '["foreign-capture"]' ]
    run -0 --separate-stderr backout doctor --db "$DB" --fix --foreign --yes
    [[ $output == *"removed: "*"which this catalog does not know"* ]]
    ask "UPDATE orders SET total = 1 WHERE id = 10" # ours goes on
    backout -q point seal "$id"
    run -0 --separate-stderr backout execute "$id" --type partial --yes
    [ "$(state)" = "$before" ]
    run -2 --separate-stderr backout doctor --db "$DB" --foreign
}

@test "two catalogs that name a point alike do not share its capture" {
    mkdir other && (cd other && backout -q init)
    local theirs
    for n in {1..20}; do # until both are of one second
        (cd other && backout -q point create --db "$DB" --method capture --tables orders \
            --migration "try$n" --output json | jq -r .id >id) 3>&- &
        captured --method capture --migration "try$n"
        wait "$!"
        theirs=$(<other/id)
        [ "${theirs%_2}" != "${id%_2}" ] || break
    done
    [ "${theirs%_2}" = "${id%_2}" ]
    [ "$theirs" != "$id" ] # one of them got the next one
    (cd other && backout -q doctor --db "$DB" --fix --yes --output json >found) || true
    [ "$(jq '[.findings[] | select(.fixed)] | length' other/found)" = 0 ] # ours is not theirs to end
    run --separate-stderr backout doctor --db "$DB" --output json # ours is whole
    [ "$(jq --arg id "$id" '[.findings[] | select(.point == $id)] | length' <<<"$output")" = 0 ]
    ask "UPDATE orders SET total = 1 WHERE id = 10"
    backout -q point seal "$id"
    run -0 --separate-stderr backout execute "$id" --type partial --yes
    [ "$(state)" = "$before" ]
}

@test "doctor names a run that died, and what to do" {
    backout run --db "$DB" --method capture -- sh -c 'echo x >ready; exec sleep 30' 2>/dev/null &
    local pid=$!
    eventually test -s ready
    kill -KILL "$pid"
    run wait "$pid"
    doctor 4
    [ "$(kinds)" = '["dead-run"]' ]
    [[ $(jq -r '.findings[0].next' <<<"$output") == "backout assess rb_sh_"* ]]
    run -0 --separate-stderr backout execute latest --yes
    doctor 0
}

@test "what a failed, pruned or copied point still captures is not needed" {
    captured --method capture
    backout -q point seal "$id"
    sqlite3 .backout/catalog.db "UPDATE backout_point SET status = 'pruned' WHERE id = '$id'"
    doctor 4
    [ "$(kinds)" = '["unneeded-capture"]' ]
    doctor 0 --fix --yes
    [ "$(ours)" = 0 ]
}

# ---- wrong usage ----

@test "what one user or run wrote is no whole table: wrong usage says so" {
    run -2 --separate-stderr backout execute rb_1 --user ann --type full
    [ "${stderr_lines[0]}" = "backout: --user cannot be used with --type full: that makes whole tables as they were" ]
    run -2 --separate-stderr backout execute rb_1 --run run_1 --type backup
    run -2 --separate-stderr backout execute rb_1 --mode cascade --type full
    run -2 --separate-stderr backout execute rb_1 --user ann --discard-later
    run -2 --separate-stderr backout execute rb_1 --mode sideways
}

@test "who wrote to a table that is not captured is not known, whichever way it is named" {
    id=$(backout -q point create --db "$DB" --method capture --output json | jq -r .id)
    backout -q point seal "$id"
    local why="who wrote to table 'notes' is not known" option
    [ "$ENGINE" != sqlite ] || why="does not tell who wrote"
    for option in '--tables=notes' '--where=notes: 1 = 1'; do
        run -3 --separate-stderr backout execute "$id" --user ann "$option" --yes
        [[ $stderr == *"$why"* ]]
    done
}

@test "who wrote is not known of a point without capture" {
    captured
    ask "UPDATE orders SET total = 1 WHERE id = 10"
    backout -q point seal "$id"
    run -3 --separate-stderr backout execute "$id" --user ann --yes
    local why="a point taken with --method capture or both knows it"
    [ "$ENGINE" != sqlite ] || why="does not tell who wrote"
    [[ $stderr == *"$why"* ]]
}
