# SPDX-License-Identifier: Apache-2.0
# tests/cli/mariadb.bats - the same commands on MariaDB, and what only MariaDB has.

load ../support/bats/common
setup() {
    common_setup
    [ -n "${BACKOUT_TEST_MY_DIR:-}" ] || skip "no MariaDB server (tools/run-tests starts one)"
    database=bats_$(printf '%s' "$BATS_TEST_NAME" | md5sum | cut -c1-12)_$$
    url="mariadb://app@localhost/$database?socket=$BACKOUT_TEST_MY_DIR/socket"
    client root -e "CREATE DATABASE $database; GRANT ALL ON $database.* TO app@localhost"
    sql "CREATE TABLE customers (id int PRIMARY KEY, name varchar(20) NOT NULL UNIQUE);
        CREATE TABLE orders (id int AUTO_INCREMENT PRIMARY KEY, customer_id int,
            total decimal(10, 2), state enum('', 'paid'), at timestamp(3) NULL, note blob,
            up int, FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE,
            FOREIGN KEY (up) REFERENCES orders (id));
        CREATE TABLE log (a int, b varchar(9) CHARACTER SET latin1);
        INSERT INTO customers SELECT seq, CONCAT('c', seq) FROM seq_1_to_50;
        INSERT INTO orders (customer_id, total, state, at, note, up)
            SELECT 1 + seq % 50, seq, IF(seq % 3, '', 'paid'), FROM_UNIXTIME(seq / 3),
                CHAR(seq % 256), IF(seq > 1, seq - 1, NULL) FROM seq_1_to_200;
        INSERT INTO log VALUES (1, 'é'), (1, 'é'), (2, NULL), (3, 'x ')"
    backout -q init
    before=$(rows)
}
teardown() {
    [ -z "${database:-}" ] || client root -e "DROP DATABASE IF EXISTS $database"
}

client() { # USER ARG…
    local user=$1
    shift
    mariadb --no-defaults --batch --skip-column-names --socket="$BACKOUT_TEST_MY_DIR/socket" \
        --default-character-set=utf8mb4 --user="$user" "$@"
}

sql() {
    client app "$database" -e "$1"
}

rows() {
    sql "SELECT * FROM customers ORDER BY 1; SELECT *, HEX(note), state + 0 FROM orders ORDER BY 1;
        SELECT a, HEX(b), COUNT(*) FROM log GROUP BY a, BINARY b ORDER BY 1, 2"
}

change() {
    cat >damage.sql <<'SQL'
UPDATE orders SET up = NULL;
DELETE FROM customers WHERE id < 10;
UPDATE customers SET name = UPPER(name) WHERE id IN (20, 21);
UPDATE orders SET total = 0, state = 'paid' WHERE id > 190;
DELETE FROM log WHERE a = 1 LIMIT 1;
UPDATE log SET b = 'y' WHERE a = 3;
INSERT INTO log VALUES (9, 'new');
SQL
    id=$(backout -q run --db "$url" damage.sql --output json | jq -r .id)
}

@test "a change that cascades is rolled back with proof" {
    change
    [ "$(sql 'SELECT COUNT(*) FROM orders')" -lt 200 ]
    run -0 --separate-stderr backout execute "$id" --yes --output json
    [ "$(jq -r .proof <<<"$output")" = match ]
    [ "$(rows)" = "$before" ]
}

@test "partial keeps what others wrote" {
    change
    sql "UPDATE customers SET name = 'theirs' WHERE id = 30"
    run -3 --separate-stderr backout execute "$id" --yes --type full
    run -0 --separate-stderr backout execute "$id" --yes --type partial
    sql "UPDATE customers SET name = 'c30' WHERE id = 30"
    [ "$(rows)" = "$before" ]
}

@test "what commits by itself is refused before it does" {
    printf 'DELETE FROM log;\nALTER TABLE log ADD c int;\n' >damage.sql
    run -1 --separate-stderr backout run --db "$url" --type transaction damage.sql
    [[ $stderr == *"line 2: ALTER TABLE commits implicitly"* ]]
    [ "$(rows)" = "$before" ]
    run -3 --separate-stderr backout run --db "$url" --dry-run damage.sql
    [[ $stderr == *"line 2: ALTER TABLE commits implicitly"* ]]
    [ "$(rows)" = "$before" ]
    run -0 backout -q run --db "$url" damage.sql # statement by statement it may
}

@test "a procedure that commits does not do so in a dry run" {
    sql "CREATE PROCEDURE ends() COMMIT; CREATE PROCEDURE begins() START TRANSACTION;
        CREATE PROCEDURE alters() ALTER TABLE log ADD c int; CREATE PROCEDURE works() DELETE FROM log LIMIT 1"
    local name
    for name in ends begins alters; do
        printf 'DELETE FROM log;\nCALL %s();\n' "$name" >damage.sql
        run -3 --separate-stderr backout run --db "$url" --dry-run damage.sql
        [[ $stderr == *"line 2: the statement would end the transaction that it runs in"* ]]
        [ "$(rows)" = "$before" ]
    done
    echo 'CALL works();' >damage.sql
    run -0 backout -q run --db "$url" --dry-run damage.sql
    [[ $output == *"delete 1; nothing was changed"* ]]
    [ "$(rows)" = "$before" ]
}

@test "a table that is not transactional is left out, and refused by name" {
    sql "CREATE TABLE old (a int) ENGINE = MyISAM"
    run -0 --separate-stderr backout point create --db "$url"
    [[ $stderr == *"table old: engine MyISAM is not transactional"* ]]
    run -3 --separate-stderr backout point create --db "$url" --tables old
    [[ $stderr == *"engine MyISAM is not transactional"* ]]
}

@test "the script returns to the point with mariadb alone, and only once" {
    change
    backout script "$id" >undo.sql
    client app "$database" <undo.sql
    [ "$(rows)" = "$before" ]
    run -1 client app "$database" <undo.sql
    [[ $output == *"the row is not as expected"* ]]
    [ "$(rows)" = "$before" ]
    run -0 --separate-stderr backout verify "$id"
}

@test "the script stops at a row that was written after the change, and at one that is referred to" {
    change
    backout script "$id" >undo.sql
    sql "UPDATE orders SET note = 'x' WHERE id = 195"
    local now
    now=$(rows)
    run -1 client app "$database" <undo.sql
    [[ $output == *"the row is not as expected"* ]]
    [ "$(rows)" = "$now" ]

    echo "INSERT INTO customers VALUES (99, 'new')" >damage.sql
    id=$(backout -q run --db "$url" damage.sql --output json | jq -r .id)
    backout script "$id" >undo.sql
    sql "INSERT INTO orders (customer_id) VALUES (99)"
    now=$(rows)
    run -1 client app "$database" <undo.sql
    [[ $output == *"a foreign key would be violated"* ]]
    [ "$(rows)" = "$now" ]
}

@test "a trigger that rewrites a row of the script is found by it" {
    change
    backout script "$id" >undo.sql
    sql "CREATE TRIGGER louder BEFORE INSERT ON customers FOR EACH ROW SET NEW.name = UPPER(NEW.name)"
    local now
    now=$(rows)
    run -1 client app "$database" <undo.sql
    [[ $output == *"the row is not as expected"* ]]
    [ "$(rows)" = "$now" ]
}

@test "a catalog is not kept in MariaDB" {
    run -3 --separate-stderr backout list --catalog "$url"
    [[ $stderr == *"a catalog is kept in SQLite or PostgreSQL, not in mariadb"* ]]
}

@test "what cannot be connected to says what to do" {
    run -1 --separate-stderr backout point create --db "${url/app@/locked@}"
    [[ $stderr == *"cannot connect to"*"Access denied for user"*"hint: check user and password"* ]]
    run -1 --separate-stderr backout point create --db "mariadb:///x?socket=$PWD/none"
    [[ $stderr == *"hint: is the server running"* ]]
    run -1 --separate-stderr backout point create --db "${url/$database/nowhere_at_all}"
    [[ $stderr == *"hint: "* ]]
}

@test "a table of which not all may be read stops the point" {
    client root -e "CREATE USER IF NOT EXISTS half@localhost;
        GRANT SELECT (id) ON $database.customers TO half@localhost"
    run -3 --separate-stderr backout point create --db "${url/app@/half@}"
    client root -e "DROP USER half@localhost"
    [[ $stderr == *"cannot read the definition of table 'customers'"*"needed: GRANT SELECT ON"* ]]
}

@test "a trigger that may not be read is known by name" {
    client root -e "CREATE USER IF NOT EXISTS seer@localhost;
        GRANT SELECT, INSERT, UPDATE, DELETE, LOCK TABLES ON $database.* TO seer@localhost"
    sql "CREATE TRIGGER quiet BEFORE INSERT ON log FOR EACH ROW SET NEW.a = NEW.a"
    backout -q point create --db "${url/app@/seer@}" --tables log
    client root -e "DROP USER seer@localhost"
    run -0 backout details latest
    [[ $output == *"trigger 'quiet' cannot be made again"* ]]
}
