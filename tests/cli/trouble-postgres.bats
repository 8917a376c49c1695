# SPDX-License-Identifier: Apache-2.0
# tests/cli/trouble-postgres.bats - a server that refuses, locks, stops or is cut off, at the moment that
# hurts.  Each case reads the exit code and the sentence, and compares the rows by psql.

load ../support/bats/common
load trouble
load trouble-server

# 100 orders; their CHECK calls pause(), which can be made to stop a rollback in its middle.
setup() {
    server_program=$BATS_TEST_DIRNAME/../support/pg-server
    common_setup
    pg_database
    make_orders
    backout -q init
    echo "databases: {shop: {url: \"$PG_URL\", lock_timeout: 500ms}}" >>backout.yaml
    prepare_damage
}
teardown() {
    end_own_server
    common_teardown
}

make_orders() {
    sql -c "CREATE FUNCTION pause(int) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE TABLE orders (id int PRIMARY KEY, total numeric(10, 2), CHECK (pause(id)));
        INSERT INTO orders SELECT i, i FROM generate_series(1, 100) i"
}

rows() {
    sql -c 'SELECT * FROM orders ORDER BY 1'
}

# Makes every write of order 7 take SECONDS: 0 is the usual.
pause() {
    sql -c "CREATE OR REPLACE FUNCTION pause(int) RETURNS boolean LANGUAGE sql AS
        'SELECT pg_sleep(CASE WHEN \$1 = 7 THEN $1 ELSE 0 END) IS NOT NULL'"
}

# The backend that is in the middle of its writing: it sleeps.
writing() {
    backend=$(psql -X -q -A -t "$PG_SUPER_URL" -c "SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'
        AND application_name LIKE 'backout%'")
    [ -n "$backend" ]
}

# hold SQL: a psql called 'teller' executes it in a transaction and keeps it open; its pid is in $holder.
hold() {
    PGAPPNAME=teller hold_by "BEGIN; $1; SELECT pg_backend_pid();" psql -X -q -A -t "$PG_URL"
}

@test "where no second connection is allowed it is said how to work with one" {
    sql -c "CREATE TABLE second (id int PRIMARY KEY); INSERT INTO second VALUES (1)"
    psql -X -q "$PG_SUPER_URL" -c "ALTER DATABASE $PG_DATABASE CONNECTION LIMIT 1"
    run -1 --separate-stderr backout point create --db shop
    said "because: too many connections for database"
    said "hint: no further connection is allowed: set workers: 1 in backout.yaml"
}

@test "one connection is enough with workers: 1, for type backup too" {
    sed -i 's/lock_timeout: 500ms/&, workers: 1/' backout.yaml
    backout -q point create --db shop
    psql -X -q "$PG_SUPER_URL" -c "ALTER DATABASE $PG_DATABASE CONNECTION LIMIT 1"
    run -0 --separate-stderr backout execute latest --type backup --dry-run
    run -0 --separate-stderr backout execute latest --type backup --yes
}

@test "a wrong password exits 1; the sentence names the user and not the password" {
    echo "wrong-$BATS_TEST_NUMBER-secret" >password
    chmod 600 password
    BACKOUT_PASSWORD_FILE=password run -1 --separate-stderr backout point create \
        --db "$BACKOUT_TEST_PG_PASSWORD_URL"
    said "because: password authentication failed for user 'locked'"
    said "hint: check user and password: ~/.pgpass, PGPASSFILE, or password_command in backout.yaml"
    [[ $output$stderr != *secret* ]]
    run -1 --separate-stderr backout point create --db "$BACKOUT_TEST_PG_PASSWORD_URL"
    said "no password supplied"
    said "hint: put the password into ~/.pgpass"
    no_point
}

@test "a database, a user or a server that is not there exits 1 and says what to check" {
    run -1 --separate-stderr backout point create --db "${PG_URL/$PG_DATABASE/nowhere}"
    said "because: database 'nowhere' does not exist"
    said "hint: check the names of database and user in the URL"
    run -1 --separate-stderr backout point create --db "${PG_URL/user=app/user=nobody}"
    said "because: role 'nobody' does not exist"
    run -1 --separate-stderr backout point create --db "postgresql:///x?host=$PWD"
    said "hint: is the server running"
    no_point
}

@test "a missing table, and a predicate with a mistake" {
    run -3 --separate-stderr backout point create --db shop --tables orders,nowhere
    said "because: no such table: 'nowhere'"
    run -2 --separate-stderr backout point create --db shop --where 'orders: totel > 1'
    said 'because: column "totel" does not exist'
    run -2 --separate-stderr backout point create --db shop --where 'orders: total >'
    said "because: the condition is not valid SQL"
    run -2 --separate-stderr backout point create --db shop --where 'orders: true; DROP TABLE orders'
    said "because: there is more in it than one condition"
    no_point
    [ "$(rows)" = "$before" ]
}

@test "a table with a name that is SQL is protected under that name" {
    local name='"order"; drop table orders --'
    sql -c 'CREATE TABLE """order""; drop table orders --" (id int PRIMARY KEY);
        INSERT INTO """order""; drop table orders --" VALUES (1)'
    echo 'DELETE FROM """order""; drop table orders --"' >odd.sql
    backout -q run --db shop --tables "$name" odd.sql
    run -0 --separate-stderr backout execute latest --yes
    [ "$(sql -c 'SELECT count(*) FROM """order""; drop table orders --"')" = 1 ]
    [ "$(rows)" = "$before" ]
}

@test "a mistake in a SQL file is found by its line, and undone" {
    printf 'UPDATE orders SET total = 1;\n\nUPDATE orders SET nowhere = 2;\n' >bad.sql
    run -1 --separate-stderr backout run --db shop bad.sql
    said "because: 'bad.sql' failed"
    said "because: line 3"
    said 'because: column "nowhere" of relation "orders" does not exist'
    [ "$(rows)" = "$before" ]
}

@test "a file that ends within its own transaction has failed" {
    echo 'BEGIN; DELETE FROM orders;' >open.sql
    run -1 --separate-stderr backout run --db shop open.sql
    said "because: it begins a transaction and does not commit it"
    [ "$(rows)" = "$before" ]
}

@test "an interrupted SQL file is rolled back, exit 130" {
    echo 'DELETE FROM orders; SELECT pg_sleep(30);' >slow.sql
    backout run --db shop slow.sql >told 2>&1 &
    pid=$!
    eventually writing
    kill -INT "$pid"
    ended "$pid"
    [ "$code" = 130 ]
    told "the change was interrupted and was rolled back to rb_slow_"
    [ "$(rows)" = "$before" ]
}

@test "a name with a line end and an escape is printed as text, and protected" {
    local name=$'a\e[31m\nb'
    sql -c "CREATE TABLE \"$name\" (\"c$name\" int PRIMARY KEY); INSERT INTO \"$name\" VALUES (1)"
    echo "DELETE FROM \"$name\"" >odd.sql
    backout -q run --db shop --tables "\"$name\"" odd.sql
    run -4 --separate-stderr backout verify latest
    [[ $output$stderr != *$'\e'* ]]
    run -0 --separate-stderr backout execute latest --yes
    [[ $output$stderr != *$'\e'* ]]
    [ "$(sql -c "SELECT count(*) FROM \"$name\"")" = 1 ]
}

@test "a lock that a prepared transaction holds: exit 3, and what ends it is named" {
    damage
    sql -c "BEGIN; UPDATE orders SET total = 5 WHERE id = 5; PREPARE TRANSACTION '$PG_DATABASE it''s'"
    run -3 --separate-stderr backout execute "$id" --yes
    sql -c "ROLLBACK PREPARED '$PG_DATABASE it''s'"
    said "because: held by the prepared transaction '$PG_DATABASE it's' of user 'app', which COMMIT PREPARED or ROLLBACK PREPARED ends"
    rollback_works
}

@test "a lock that another session holds: exit 3, and the session is named" {
    damage
    hold 'UPDATE orders SET total = 5 WHERE id = 5'
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: cannot lock orders"
    said "because: held by process $(cat holding) of user 'app' (teller)"
    said "hint: another session holds a lock"
    let_go
    hold 'LOCK TABLE orders IN ACCESS EXCLUSIVE MODE'
    local said_of
    said_of="held by process $(cat holding) of user 'app' (teller)"
    run -3 --separate-stderr backout execute "$id" --yes
    said "$said_of"
    run -3 --separate-stderr backout point create --db shop
    said "$said_of"
    run -3 --separate-stderr backout verify "$id"
    said "$said_of"
    let_go
    rollback_works
}

@test "what others refer to is not emptied beside them, where no foreign key is enforced: exit 3" {
    sql -c "CREATE TABLE notes (id int REFERENCES orders)"
    echo "databases: {shop: {url: \"${PG_URL/user=app/user=postgres}\", lock_timeout: 500ms}}" >backout.yaml
    backout -q point create --db shop --tables orders --no-closure
    sql -c "INSERT INTO orders VALUES (101, 1)"
    hold 'INSERT INTO notes VALUES (101)'
    run -3 --separate-stderr backout restore latest --db shop --yes
    said "because: cannot lock notes"
    said "because: held by process $(cat holding) of user 'app' (teller)"
    let_go
    run -0 --separate-stderr backout restore latest --db shop --yes
    [ "$(sql -c 'SELECT count(*) FROM orders')" = 100 ]
}

@test "what a table that comes back refers to is not gone by then, where no foreign key is enforced: exit 3" {
    sql -c "CREATE TABLE notes (id int REFERENCES orders); INSERT INTO notes VALUES (5)"
    echo "databases: {shop: {url: \"${PG_URL/user=app/user=postgres}\", lock_timeout: 500ms}}" >backout.yaml
    backout -q point create --db shop --tables notes --no-closure
    sql -c "DELETE FROM notes"
    hold 'DELETE FROM orders WHERE id = 5'
    run -3 --separate-stderr backout restore latest --db shop --yes
    said "because: cannot hold the rows that foreign key 'notes_id_fkey' of public.notes needs"
    said "hint: another session holds a lock"
    let_go
    run -0 --separate-stderr backout restore latest --db shop --yes
}

@test "a right that is missing: exit 3, and its GRANT is named" {
    damage
    psql -X -q "$PG_SUPER_URL" -c 'ALTER TABLE orders OWNER TO postgres; REVOKE ALL ON orders FROM app'
    run -3 --separate-stderr backout point create --db shop --tables orders
    said "because: a right is missing: GRANT SELECT ON orders TO app"
    psql -X -q "$PG_SUPER_URL" -c 'GRANT SELECT ON orders TO app'
    run -3 --separate-stderr backout execute "$id" --yes
    said 'because: needed: GRANT INSERT, UPDATE, DELETE ON "public"."orders" TO "app"'
    [ "$(rows)" = "$damaged" ]
    psql -X -q "$PG_SUPER_URL" -c 'GRANT INSERT, UPDATE, DELETE ON orders TO app'
    run -0 --separate-stderr backout execute "$id" --yes
    [ "$(rows)" = "$before" ]
}

@test "a point of another database is not used there" {
    damage
    run -3 --separate-stderr backout execute "$id" --yes --db "$BACKOUT_TEST_PG_APP_URL"
    said "is not the database the point was taken of"
    said "hint: name its database with --db"
    rollback_works
}

@test "in a copy that took over, a script undoes the change alone" {
    for method in snapshot capture; do
        id=$(backout -q run --db shop --method "$method" damage.sql --output json | jq -r .id)
        psql -X -q "$BACKOUT_TEST_PG_SUPER_URL" -c "CREATE DATABASE ${PG_DATABASE}_2 OWNER app"
        copy=${PG_URL/$PG_DATABASE/${PG_DATABASE}_2}
        pg_dump -O "$PG_URL" | psql -X -q "$copy" >/dev/null
        psql -X -q "$copy" -c "UPDATE orders SET total = 5000 WHERE id = 50"
        for which in since before; do
            run -3 --separate-stderr backout export "$id" --which "$which" --db "$copy"
        done
        run -3 --separate-stderr backout script "$id" --db trouble.sqlite
        run -0 --separate-stderr backout export "$id" --db "$copy"
        said "is not the database the point was taken of: it should be a copy that took over from it"
        run -0 --separate-stderr backout script "$id" --db "$copy" --output-file undo.sql
        said "it should be a copy that took over from it"
        psql -X -q -f undo.sql "$copy"
        rm undo.sql
        [ "$(psql -X -q -A -t "$copy" -c 'SELECT * FROM orders ORDER BY 1')" = \
            "$(sed 's/^50|.*/50|5000.00/' <<<"$before")" ]
        psql -X -q "$BACKOUT_TEST_PG_SUPER_URL" -c "DROP DATABASE ${PG_DATABASE}_2"
        backout -q execute "$id" --type partial --yes
    done
}

@test "a second rollback of the same point waits for lock_timeout, exits 3 and names the first" {
    damage
    echo 'lock_timeout: 500ms' >>backout.yaml
    pause 3
    begin_rollback
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: '$id' is in use: run run_"
    said "(rollback) of process $pid on "
    said "is at step 'applying', since "
    said "because: it was begun by $(id -un)@$(hostname)[$pid]"
    said "lock_timeout in backout.yaml waits longer"
    ended "$pid"
    [ "$code" = 0 ]
    [ "$(rows)" = "$before" ]
}

@test "a backend that is killed during a rollback: exit 1, nothing is changed" {
    damage
    pause 30
    begin_rollback
    psql -X -q "$PG_SUPER_URL" -c "SELECT pg_terminate_backend($backend)" >/dev/null
    ended "$pid"
    [ "$code" = 1 ]
    told "terminating connection due to administrator command"
    told "because: the rollback changed nothing"
    told "hint: check that the server can be reached, then try again"
    rollback_works
}

@test "an interrupt during a rollback: exit 130, nothing is changed" {
    local signal
    damage
    pause 60
    for signal in INT TERM HUP; do
        begin_rollback
        kill -"$signal" "$pid"
        ended "$pid"
        [ "$code" = 130 ]
        told "because: the rollback changed nothing"
        [ "$(rows)" = "$damaged" ]
    done
    rollback_works
}

@test "backout killed during a rollback: the next one tells of it and goes on" {
    damage
    pause 3
    begin_rollback
    kill -KILL "$pid"
    ended "$pid"
    run -0 --separate-stderr backout details "$id"
    [[ $output == *"died"* ]]
    run -3 --separate-stderr backout execute "$id" --yes
    said "warning: an earlier rollback (run_"
    said "had died at 'applying': it changed nothing"
    said "because: held by process $backend of user 'app' (backout)"
    psql -X -q "$PG_SUPER_URL" -c "SELECT pg_terminate_backend($backend)" >/dev/null
    rollback_works
}

@test "a server that is stopped during a rollback: exit 1; when it is back nothing was changed" {
    start_own_server "$BACKOUT_TEST_PG_DIR"
    PG_URL=$BACKOUT_TEST_PG_APP_URL PG_SUPER_URL=${BACKOUT_TEST_PG_SUPER_URL/postgres\?/app?}
    make_orders
    echo "databases: {shop: {url: \"$PG_URL\"}}" >backout.yaml
    damage
    pause 30
    begin_rollback
    "$server_program" stop "$own_server/server"
    ended "$pid"
    [ "$code" = 1 ]
    told "because: the rollback changed nothing"
    run -1 --separate-stderr backout execute "$id" --yes
    said "because: cannot connect to 'app@"
    said "hint: is the server running"
    "$server_program" again "$own_server/server"
    rollback_works
}

@test "a password is in no output, file, environment or command line of ours" {
    local marker=tulip-$$-$RANDOM-mark role=bats_role_$$
    psql -X -q "$PG_SUPER_URL" -c "CREATE ROLE $role LOGIN PASSWORD '$marker' IN ROLE app"
    printf '%s' "$marker" >../marker
    chmod 600 ../marker
    local url=postgresql://$role@127.0.0.1:$BACKOUT_TEST_PG_PORT/$PG_DATABASE
    printf 'databases: {shop: {url: "%s", password_command: cat %s/../marker}}\n' "$url" "$PWD" \
        >backout.yaml
    {
        backout -v run --db shop -- sh -c \
            'grep -laf ../marker /proc/[0-9]*/cmdline /proc/self/environ 2>/dev/null; exit 0'
        backout -v run --db shop damage.sql
        backout -v list --output json
        backout -v details latest --output json
        backout -v execute latest --yes --output jsonl
        backout -v audit --export audit.json
        echo 'SELECT nothing' >bad.sql
        backout -v run --db shop bad.sql
        psql -X -q "$PG_SUPER_URL" -c "ALTER ROLE $role PASSWORD 'another'"
        backout -v point create --db shop
        backout -v point create --db "${url/@/:$marker@}"
        backout -v --catalog "${url/@/:$marker@}" list
        BACKOUT_DB=${url/@/:$marker@} backout -v point create
    } >outputs 2>&1 || true
    psql -X -q "$PG_SUPER_URL" -c "DROP ROLE $role"
    [ "$(grep -c 'proof: match\|"proof": *"match"' outputs)" -ge 1 ]
    grep -q "password authentication failed" outputs
    grep -q "the URL of the database has a password in it" outputs
    run -1 grep -raf ../marker .
    run -1 grep /proc/ outputs
    [ "$(rows)" = "$before" ]
}
