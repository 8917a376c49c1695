# SPDX-License-Identifier: Apache-2.0
# tests/cli/trouble-mariadb.bats - a MariaDB server that refuses, locks, stops or is cut off, at the moment
# that hurts.  Each case reads the exit code and the sentence, and compares the rows by the mariadb client.

load ../support/bats/common
load trouble
load trouble-server

# 100 orders, with triggers that can be made to stop a rollback in its middle.
setup() {
    server_program=$BATS_TEST_DIRNAME/../support/mariadb-server
    common_setup
    my_database
    make_orders
    backout -q init
    echo "databases: {shop: {url: \"$MY_URL\", lock_timeout: 1s}}" >>backout.yaml
    prepare_damage
}
teardown() {
    end_own_server
    unmount
    common_teardown
}

make_orders() {
    my -e 'CREATE TABLE orders (id int PRIMARY KEY, total decimal(10, 2), note varchar(200) UNIQUE);
        INSERT INTO orders (id, total) SELECT seq, seq FROM seq_1_to_100'
    pause 0
}

rows() {
    my -e 'SELECT * FROM orders ORDER BY 1'
}

# Makes every write of order 7 take SECONDS: 0 is the usual.
pause() {
    local event
    for event in INSERT UPDATE; do
        my -e "CREATE OR REPLACE TRIGGER pause_$event BEFORE $event ON orders FOR EACH ROW
            SET @slept = IF(NEW.id = 7 AND $1 > 0, SLEEP($1), 0)"
    done
}

# The connection that is in the middle of its writing: it sleeps.
writing() {
    connection=$(my_root -e "SELECT ID FROM information_schema.PROCESSLIST
        WHERE DB = '$MY_DATABASE' AND STATE = 'User sleep'")
    [ -n "$connection" ]
}

# hold SQL: a client executes it and keeps its session open; its connection is in `holding`.
hold() {
    hold_by "$1; SELECT CONNECTION_ID();" my_client -u app --unbuffered "$MY_DATABASE"
}

# own_server [SETTING...]: a server for this test alone, with the orders and the damage: what is set on it
# disturbs nobody.
own_server() {
    start_own_server "$BACKOUT_TEST_MY_DIR" "$@"
    shared_server+="; MY_DATABASE=$MY_DATABASE"
    MY_URL=$BACKOUT_TEST_MY_APP_URL MY_DATABASE=app
    make_orders
    echo "databases: {shop: {url: \"$MY_URL\", lock_timeout: 1s}}" >backout.yaml
    damage
}

@test "a wrong password exits 1; the sentence names the user and not the password" {
    echo "wrong-$BATS_TEST_NUMBER-secret" >password
    chmod 600 password
    local url=${MY_URL/app@/locked@}
    BACKOUT_PASSWORD_FILE=password run -1 --separate-stderr backout point create --db "$url"
    said "because: Access denied for user 'locked'@'localhost' (using password: YES)"
    said "hint: check user and password: [client] in ~/.my.cnf, or password_command in backout.yaml"
    [[ $output$stderr != *secret* ]]
    run -1 --separate-stderr backout point create --db "$url"
    said "(using password: NO)"
    no_point
}

@test "a password comes from a private file, from a command or from ~/.my.cnf" {
    my_root -e "GRANT ALL ON $MY_DATABASE.* TO locked@localhost"
    local url=${MY_URL/app@/locked@}
    printf '%s\n' "$BACKOUT_TEST_MY_PASSWORD" >secret
    chmod 644 secret
    BACKOUT_PASSWORD_FILE=secret run -3 --separate-stderr backout point create --db "$url"
    said "can be read by others"
    chmod 600 secret
    BACKOUT_PASSWORD_FILE=secret run -0 backout -q point create --db "$url"
    printf 'databases: {locked: {url: "%s", password_command: cat %s/secret}}\n' "$url" "$PWD" \
        >backout.yaml
    run -0 backout -q point create --db locked
    printf '[client]\npassword="%s"\n' "$BACKOUT_TEST_MY_PASSWORD" >"$HOME/.my.cnf"
    run -0 backout -q point create --db "$url"
    [[ $output != *"$BACKOUT_TEST_MY_PASSWORD"* ]]
}

@test "a database, a user, a socket, a port or a host that is not there exits 1 and says what to check" {
    run -1 --separate-stderr backout point create --db "${MY_URL/$MY_DATABASE/nowhere}"
    said "because: Access denied for user 'app'@'localhost' to database 'nowhere'"
    said "hint: check the name of the database in the URL, and the rights"
    run -1 --separate-stderr backout point create --db \
        "${BACKOUT_TEST_MY_SUPER_URL/\/mysql\?/\/nowhere\?}"
    said "because: Unknown database 'nowhere'"
    run -1 --separate-stderr backout point create --db "${MY_URL/app@/nobody@}"
    said "because: Access denied for user 'nobody'@'localhost'"
    run -1 --separate-stderr backout point create --db "mariadb://app@localhost/x?socket=$PWD/none"
    said "hint: is the server running, and do host, port or socket fit?"
    run -1 --separate-stderr backout point create --db mariadb://app@127.0.0.1:1/x
    said "because: cannot connect to 'x@127.0.0.1:1'"
    said "hint: is the server running, and do host, port or socket fit?"
    run -1 --separate-stderr backout point create --db mariadb://app@nowhere.invalid/x
    said "hint: check the host in the URL, and the network"
    no_point
}

@test "a missing table, and a predicate with a mistake" {
    run -3 --separate-stderr backout point create --db shop --tables orders,nowhere
    said "because: no such table: 'nowhere'"
    run -2 --separate-stderr backout point create --db shop --where 'orders: totel > 1'
    said "because: Unknown column 'totel'"
    local predicate
    for predicate in 'total >' 'true; DROP TABLE orders' 'true) OR (true'; do
        run -2 --separate-stderr backout point create --db shop --where "orders: $predicate"
        said "because: the predicate of orders is not a condition"
    done
    no_point
    [ "$(rows)" = "$before" ]
}

@test "tables with names that are SQL or have an escape in them are protected under those names" {
    local name line
    my <<'SQL'
CREATE TABLE `"order"; drop table orders --` (id int PRIMARY KEY, `a``b` int);
INSERT INTO `"order"; drop table orders --` VALUES (1, 2);
CREATE TABLE ```tick``` (id int PRIMARY KEY);
INSERT INTO ```tick``` VALUES (1);
SQL
    name=$'`a\e[31m\nb`'
    my -e "CREATE TABLE $name ($name int PRIMARY KEY); INSERT INTO $name VALUES (1)"
    for line in '`"order"; drop table orders --`' '```tick```' "$name"; do
        echo "DELETE FROM $line" >odd.sql
        backout -q run --db shop --tables "$line" odd.sql
        run -4 --separate-stderr backout verify latest
        [[ $output$stderr != *$'\e'* ]]
        run -0 --separate-stderr backout execute latest --yes
        [[ $output$stderr != *$'\e'* ]]
        [ "$(my -e "SELECT COUNT(*) FROM $line")" = 1 ]
    done
    [ "$(rows)" = "$before" ]
}

@test "a mistake in a SQL file is found by its line, and undone; values of rows are not told" {
    printf 'UPDATE orders SET total = 1;\n\nUPDATE orders SET nowhere = 2;\n' >bad.sql
    run -1 --separate-stderr backout run --db shop bad.sql
    said "because: 'bad.sql' failed"
    said "because: line 3"
    said "because: Unknown column 'nowhere'"
    echo "UPDATE orders SET note = 'tulip'" >bad.sql
    run -1 --separate-stderr backout run --db shop bad.sql
    said "because: Duplicate entry for key 'note'"
    [[ $output$stderr != *tulip* ]]
    printf "SET lc_messages = 'de_DE';\n\nUPDATE orders\nSET note = = 'tulip';\n" >bad.sql
    run -1 --separate-stderr backout run --db shop bad.sql
    said "because: line 4"
    said "because: Fehler in der SQL-Syntax"
    [[ $output$stderr != *tulip* ]]
    echo 'BEGIN; DELETE FROM orders;' >open.sql
    run -1 --separate-stderr backout run --db shop open.sql
    said "because: it begins a transaction and does not commit it"
    [ "$(rows)" = "$before" ]
}

@test "an interrupted SQL file is rolled back, exit 130" {
    echo 'DELETE FROM orders; SELECT SLEEP(30);' >slow.sql
    backout run --db shop slow.sql >told 2>&1 &
    pid=$!
    eventually writing
    kill -INT "$pid"
    ended "$pid"
    [ "$code" = 130 ]
    told "the change was interrupted and was rolled back to rb_slow_"
    [ "$(rows)" = "$before" ]
}

@test "a lock that another session holds: exit 3, table and way out are named" {
    damage
    my -e 'CREATE TABLE first (id int PRIMARY KEY)'
    local sql
    for sql in 'BEGIN; UPDATE orders SET total = 5 WHERE id = 5' 'LOCK TABLES orders WRITE'; do
        hold "$sql"
        run -3 --separate-stderr backout execute "$id" --yes
        said "because: cannot lock orders"
        said "because: Lock wait timeout exceeded"
        said "because: who holds the lock is told to users with the right PROCESS"
        said "hint: another session holds a lock"
        let_go
    done
    hold 'LOCK TABLES orders WRITE'
    run -3 --separate-stderr backout point create --db shop
    said "because: cannot lock orders"
    run -3 --separate-stderr backout verify "$id"
    said "because: cannot lock orders"
    let_go
    hold 'LOCK TABLES orders READ'
    run -3 --separate-stderr backout execute "$id" --yes
    said "hint: another session holds a lock"
    let_go
    rollback_works
}

@test "who holds a lock is named to those who may see it" {
    damage
    hold 'BEGIN; UPDATE orders SET total = 5 WHERE id = 5'
    printf 'databases: {shop: {url: "%s", lock_timeout: 1s}}\n' "${MY_URL/app@/root@}" >backout.yaml
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: the oldest open transaction is that of connection $(cat holding) of user 'app'"
    let_go
    rollback_works
}

@test "a right that is missing: exit 3, and its GRANT is named" {
    damage
    local user=bats_$$ url
    url=${MY_URL/app@/$user@}
    may() { my_root -e "GRANT $1 ON $MY_DATABASE.* TO $user@localhost"; }
    my_root -e "CREATE USER $user@localhost"
    may SELECT
    run -0 --separate-stderr backout point create --db "$url"
    run -3 --separate-stderr backout execute "$id" --yes --db "$url"
    said "because: needed: GRANT CREATE TEMPORARY TABLES ON \`$MY_DATABASE\`.* TO '$user'"
    may 'CREATE TEMPORARY TABLES'
    run -3 --separate-stderr backout execute "$id" --yes --db "$url"
    said "because: needed: GRANT SELECT, INSERT, UPDATE, DELETE ON \`$MY_DATABASE\`.\`orders\` TO '$user'"
    may 'INSERT, UPDATE, DELETE'
    run -3 --separate-stderr backout execute "$id" --yes --db "$url"
    said "because: needed: GRANT CREATE, DROP, LOCK TABLES, SELECT, INSERT, DELETE ON \`$MY_DATABASE\`.*"
    [ "$(rows)" = "$damaged" ]
    may CREATE
    run -0 --separate-stderr backout point create --db "$url" --method capture
    [[ $output == *"a right is missing: GRANT DROP, TRIGGER, LOCK TABLES ON $MY_DATABASE.*"* ]]
    my_root -e "REVOKE ALL PRIVILEGES, GRANT OPTION FROM $user@localhost;
        GRANT SELECT, INSERT, UPDATE, DELETE ON $MY_DATABASE.orders TO $user@localhost"
    may 'CREATE TEMPORARY TABLES'
    run -3 --separate-stderr backout execute "$id" --yes --db "$url"
    said "because: needed: GRANT CREATE, DROP, LOCK TABLES, SELECT, INSERT, DELETE ON \`$MY_DATABASE\`.*"
    run -0 --separate-stderr backout doctor --db "$url"
    [[ $output == *"note: whether changes are captured cannot be seen: SELECT command denied"* ]]
    [[ $output == *"note: whether markers of rollbacks are left cannot be seen: SELECT command denied"* ]]
    [ "$(rows)" = "$damaged" ]
    may 'CREATE, SELECT, INSERT, UPDATE, DELETE'
    run -0 --separate-stderr backout execute "$id" --yes --db "$url"
    [ "$stderr" = "" ]
    my_root -e "DROP USER $user@localhost"
    [ "$(rows)" = "$before" ]
}

@test "a point of another database is not used there" {
    damage
    run -3 --separate-stderr backout execute "$id" --yes --db "$BACKOUT_TEST_MY_APP_URL"
    said "is not the database the point was taken of"
    said "hint: name its database with --db"
    rollback_works
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

@test "a connection that is killed during a rollback: exit 1, nothing is changed" {
    damage
    pause 30
    begin_rollback
    my_root -e "KILL $connection"
    ended "$pid"
    [ "$code" = 1 ]
    told "because: the link to the database broke"
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
    said "because: cannot lock orders"
    my_root -e "KILL $connection"
    rollback_works
}

@test "backout killed during a captured run: the change is there to be undone, and doctor ends the capture" {
    backout run --db shop --method capture -- sh -c "mariadb --no-defaults -u app $MY_DATABASE <damage.sql
        echo >ready; exec sleep 60" 2>told &
    pid=$!
    eventually test -e ready
    kill -KILL "$pid"
    ended "$pid"
    run -4 --separate-stderr backout doctor --db shop
    [[ $output == *"assess rb_sh_"* ]]
    run -0 --separate-stderr backout execute latest --yes
    [ "$(rows)" = "$before" ]
    backout -q point release latest --yes
    [ "$(my -e 'SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE()')" = 2 ]
}

@test "a server that is stopped during a rollback: exit 1; when it is back nothing was changed" {
    own_server
    pause 30
    begin_rollback
    "$server_program" stop "$own_server/server"
    ended "$pid"
    [ "$code" = 1 ]
    told "because: the rollback changed nothing"
    run -1 --separate-stderr backout execute "$id" --yes
    said "because: cannot connect to 'app@localhost'"
    said "hint: is the server running"
    "$server_program" again "$own_server/server"
    rollback_works
}

@test "a server that takes no writes, or no large values" {
    own_server
    my_root -e 'SET GLOBAL read_only = ON'
    run -3 --separate-stderr backout execute "$id" --yes
    said "because: the server is read-only: it cannot be written to"
    said "hint: use the URL of the primary"
    run -3 --separate-stderr backout run --db shop damage.sql
    said "nothing was changed: the point could not be taken"
    run -0 --separate-stderr backout point create --db shop
    my_root -e 'SET GLOBAL read_only = OFF'

    backout -q point create --db shop --method capture
    my_root -e 'SET GLOBAL read_only = ON'
    run -3 --separate-stderr backout point release latest --yes
    said "because: the server is read-only: it cannot be written to"
    run -3 --separate-stderr backout point create --db shop --method capture
    said "because: the server is read-only: it cannot be written to"
    [[ $stderr != *warning* ]]
    run -0 backout doctor --db shop
    my_root -e 'SET GLOBAL read_only = OFF'
    backout -q point release latest --yes

    my -e "ALTER TABLE orders DROP KEY note, MODIFY note longtext;
        UPDATE orders SET note = REPEAT('x', 1000000) WHERE id < 6;
        UPDATE orders SET note = REPEAT('y', 3000000) WHERE id = 6"
    before=$(rows)
    echo 'DELETE FROM orders WHERE id < 7' >damage.sql
    damage
    my_root -e 'SET GLOBAL max_allowed_packet = 65536'
    run -1 --separate-stderr backout execute "$id" --yes
    said "because: the rollback changed nothing"
    said "hint: raise max_allowed_packet of the server"
    my_root -e 'SET GLOBAL max_allowed_packet = 4194304'
    rollback_works
}

@test "a server whose disk is full: exit 1, nothing is changed, and it is said whose disk" {
    local disk work=$PWD
    disk=$(mktemp -d "${TMPDIR:-/tmp}/disk.XXXXXX") # the server is another user, who may go there
    cd "${disk%/*}"
    small_disk "${disk##*/}" 130m
    chmod 1777 "$disk"
    cd "$work"
    TMPDIR=$disk own_server innodb_log_file_size=10M
    my -e "UPDATE orders SET note = NULL; INSERT INTO orders SELECT seq, seq, NULL FROM seq_101_to_30000"
    before=$(rows)
    echo 'UPDATE orders SET total = 0' >damage.sql
    damage
    dd if=/dev/zero of="$disk/fill" bs=4k status=none || true
    run -1 --separate-stderr backout execute "$id" --yes
    said "because: the rollback changed nothing"
    said "hint: the disk of the database server is full: free space there"
    rm "$disk/fill"
    rollback_works
}

@test "what a server gives to every session is not ours: limits of answers, modes, formats of rows" {
    own_server
    rows() {
        my -e 'SET sql_select_limit = 1000; SELECT * FROM orders ORDER BY 1'
    }
    my_root -e "SET GLOBAL sql_select_limit = 3, GLOBAL autocommit = OFF, GLOBAL wait_timeout = 1,
        GLOBAL sql_mode = 'EMPTY_STRING_IS_NULL,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES',
        GLOBAL innodb_default_row_format = redundant, GLOBAL tx_isolation = 'SERIALIZABLE'"
    rollback_works
    my_root -e 'SET GLOBAL tx_read_only = ON'
    sed -i 's/lock_timeout: 1s/lock_timeout: 2s/' backout.yaml
    for method in snapshot capture; do
        id=$(backout -q run --db shop --method "$method" --tables orders --output json -- \
            sh -c 'sleep 2; mariadb -e "SET autocommit = ON, tx_read_only = OFF; UPDATE orders SET total = 0; DELETE FROM orders WHERE id > 60"' |
            jq -r .id)
        run -0 backout execute "$id" --type partial --yes
        [[ $output == *"orders        40       60        0          0     0  match"* ]]
        [ "$(rows)" = "$before" ]
    done
}

@test "a server that logs statements: rows are put back with the right to log rows only, and it is said before" {
    own_server log_bin=binlog log_bin_trust_function_creators=ON binlog_format=STATEMENT
    my -e 'CREATE TABLE words (id int PRIMARY KEY, w varchar(9) CHARACTER SET latin1); INSERT INTO words VALUES (1, 0xE9)'
    run -0 backout point create --db shop
    [[ $output == *"limit: words: the server writes a binary log of statements: to put rows back, the right BINLOG ADMIN is needed"* ]]
    run -0 backout doctor --db shop
    [[ $output == *"the server writes a binary log of statements (binlog_format), beside which it would refuse writes to a captured table"* ]]
    my -e 'DELETE FROM words'
    id=$(backout -q point seal latest --output json | jq -r .id)
    run -3 --separate-stderr backout execute "$id" --yes
    said "needed: GRANT BINLOG ADMIN ON *.* TO 'app'"
    run -1 --separate-stderr backout run --db shop --tables words --type transaction damage.sql
    said "impossible to write to binary log since BINLOG_FORMAT = STATEMENT"
    my_root -e 'GRANT BINLOG ADMIN ON *.* TO app@localhost; FLUSH LOGS'
    run -0 --separate-stderr backout execute "$id" --yes
    run -0 --separate-stderr backout run --db shop --tables words --type transaction damage.sql
    my_root -e 'FLUSH LOGS'
    [ "$(my -e 'SELECT HEX(w) FROM words')" = E9 ]
    my -e 'DELETE FROM words'
    mariadb-binlog --no-defaults "$BACKOUT_TEST_MY_DIR/data/binlog.000002" | my_root # as a replica does
    [ "$(my -e 'SELECT HEX(w) FROM words')" = E9 ]
}

@test "a repository without room: the change is not begun" {
    small_disk full 200k
    my -e "CREATE TABLE fat (id int PRIMARY KEY, body varbinary(5000)); INSERT INTO fat SELECT seq,
        (SELECT GROUP_CONCAT(SHA2(CONCAT(n.seq, b.seq), 512) SEPARATOR '') FROM seq_1_to_20 AS b)
        FROM seq_1_to_200 AS n"
    run -1 --separate-stderr backout run --db shop --repository full damage.sql
    said "nothing was changed: the point could not be taken"
    said "because: no room in the repository"
    no_point
    unmount
    [ "$(rows)" = "$before" ]
}

@test "a password is in no output, file, environment or command line of ours" {
    local marker=tulip-$$-$RANDOM-mark user=bats_$$
    my_root -e "CREATE USER $user@localhost IDENTIFIED BY '$marker';
        GRANT ALL ON $MY_DATABASE.* TO $user@localhost"
    printf '%s' "$marker" >../marker
    chmod 600 ../marker
    local url=${MY_URL/app@/$user@}
    printf 'databases: {shop: {url: "%s", password_command: cat %s/../marker}}\n' "$url" "$PWD" \
        >backout.yaml
    {
        backout -v run --db shop -- sh -c \
            'grep -laf ../marker /proc/[0-9]*/cmdline /proc/self/environ 2>/dev/null; exit 0'
        backout -v run --db shop --method both damage.sql
        backout -v list --output json
        backout -v details latest --output json
        backout -v execute latest --yes --output jsonl
        backout -v doctor --db shop
        backout -v audit --export audit.json
        backout script latest
        echo 'SELECT nothing' >bad.sql
        backout -v run --db shop bad.sql
        my_root -e "ALTER USER $user@localhost IDENTIFIED BY 'another'"
        backout -v point create --db shop
        backout -v point create --db "${url/@/:$marker@}"
        BACKOUT_DB=${url/@/:$marker@} backout -v point create
    } >outputs 2>&1 || true
    my_root -e "DROP USER $user@localhost"
    [ "$(grep -c 'proof: match\|"proof": *"match"' outputs)" -ge 1 ]
    grep -q "Access denied for user" outputs
    grep -q "the URL of the database has a password in it" outputs
    run -1 grep -raf ../marker .
    run -1 grep /proc/ outputs
    [ "$(rows)" = "$before" ]
}
