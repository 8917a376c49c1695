# SPDX-License-Identifier: Apache-2.0
# tests/cli/mariadb-commands.bats - a change and its way back on MariaDB, command by command; rows are
# compared by mariadb-dump.

load ../support/bats/common
load trouble

# regions > shops > tills > receipts: each level has the key of the one above in its own, and goes or
# changes with it.  prices has values of every kind; log has no key.
setup() {
    common_setup
    my_database
    my <<'SQL'
CREATE TABLE regions (country char(2), region smallint unsigned, name varchar(40) NOT NULL,
    PRIMARY KEY (country, region));
CREATE TABLE shops (country char(2), region smallint unsigned, shop int, name varchar(40),
    PRIMARY KEY (country, region, shop), FOREIGN KEY (country, region)
    REFERENCES regions (country, region) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE tills (country char(2), region smallint unsigned, shop int, till tinyint,
    PRIMARY KEY (country, region, shop, till), FOREIGN KEY (country, region, shop)
    REFERENCES shops (country, region, shop) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE receipts (id int AUTO_INCREMENT PRIMARY KEY, country char(2), region smallint unsigned,
    shop int, till tinyint, cents bigint unsigned NOT NULL, FOREIGN KEY (country, region, shop, till)
    REFERENCES tills (country, region, shop, till) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE lost (id int PRIMARY KEY, country char(2), region smallint unsigned, shop int,
    FOREIGN KEY (country, region, shop) REFERENCES shops (country, region, shop)
    ON DELETE SET NULL ON UPDATE CASCADE);
INSERT INTO regions SELECT c.c, n.seq, CONCAT('region ', c.c, n.seq)
    FROM (SELECT 'at' AS c UNION SELECT 'ch') AS c, seq_1_to_3 AS n;
INSERT INTO shops SELECT country, region, seq, CONCAT('Läden ', seq) FROM regions, seq_1_to_4;
INSERT INTO tills SELECT country, region, shop, seq FROM shops, seq_1_to_3;
INSERT INTO receipts (country, region, shop, till, cents)
    SELECT country, region, shop, till, 18446744073709551615 - seq * shop FROM tills, seq_1_to_5
    ORDER BY 1, 2, 3, 4, seq;
INSERT INTO lost SELECT 10 * region + shop, country, region, shop FROM shops WHERE country = 'at';
SET sql_mode = 'ALLOW_INVALID_DATES';
CREATE TABLE prices (sku varchar(20) CHARACTER SET latin1 COLLATE latin1_german2_ci PRIMARY KEY,
    price decimal(30, 10), weight double, bits bit(12), day date, at timestamp(6) NULL,
    kind set('a', 'b', 'c'), size enum('', 's', 'm'), raw varbinary(20), doc json,
    half decimal(31, 10) AS (price / 2) STORED, hidden int INVISIBLE DEFAULT 7);
INSERT INTO prices (sku, price, weight, bits, day, at, kind, size, raw, doc) VALUES
    ('straße', 0.1, 0.1, b'101', '0000-00-00', '2026-03-29 01:30:00.000001', 'a,c', '', x'00ff27', '{"a":1}'),
    ('tick`', 12345678901234567890.123456789, 1e-300, 4095, '2026-02-31', NULL, '', 's', '', NULL),
    (' x ', -1, -0.0, 0, NULL, '1970-01-01 00:00:01', NULL, NULL, NULL, '[]');
CREATE TABLE log (a int, b varchar(9));
INSERT INTO log VALUES (1, 'é'), (1, 'é'), (2, NULL), (3, 'x ')
SQL
    backout -q init
    echo "databases: {shop: {url: \"$MY_URL\", lock_timeout: 1s}}" >>backout.yaml
    rows >before
    cat >change.sql <<'SQL'
DELETE FROM regions WHERE country = 'at' AND region = 2;
UPDATE regions SET region = 30 WHERE country = 'ch' AND region = 3;
UPDATE prices SET price = price + 1, bits = bits | 2, day = '2026-01-01', size = 'm';
DELETE FROM prices WHERE sku LIKE 'tick%';
INSERT INTO prices (sku, hidden) VALUES ('new', NULL);
DELETE FROM log WHERE a = 1 LIMIT 1;
INSERT INTO log VALUES (9, 'new');
SQL
}
teardown() {
    if [ -n "${other:-}" ]; then
        my_root -e "DROP DATABASE ${MY_DATABASE}_b"
    fi
    common_teardown
}

# dump TABLE…: definitions and rows; not the triggers of a capture.
dump() {
    mariadb-dump --no-defaults -u app -S "$BACKOUT_TEST_MY_DIR/socket" --skip-comments --skip-triggers \
        --order-by-primary --hex-blob "$MY_DATABASE" "$@"
}

# All tables; the order of rows without a key is nobody's.
rows() {
    dump regions shops tills receipts lost prices
    dump log | sed 's/[,;]$//' | sort
}

unchanged() {
    rows | diff before - >&2
}

# The change, as a point in $id; its rows are in `damaged`.
damage() {
    id=$(backout -q run --db shop change.sql --output json | jq -r .id)
    rows >damaged
    ! cmp -s before damaged
}

execute() { # as one object in $result
    result=$(backout -q execute "$@" --yes --output json)
}

# ---- what foreign keys do, which MariaDB tells to no trigger ----

@test "a parent with three levels of composite keys is deleted and comes back: byte-identical tables" {
    local method
    for method in snapshot capture both; do
        echo "DELETE FROM regions WHERE country = 'at' AND region = 2" >gone.sql
        id=$(backout -q run --db shop --method "$method" --tables regions gone.sql --output json |
            jq -r .id)
        [ "$(my -e 'SELECT COUNT(*) FROM receipts')" = 300 ]
        [ "$(my -e 'SELECT COUNT(*) FROM lost WHERE shop IS NULL')" = 4 ]
        execute "$id" --type partial
        [ "$(jq -r .proof <<<"$result")" = match ]
        unchanged
        execute "$(jq -r .undo_point <<<"$result")"
        [ "$(my -e 'SELECT COUNT(*) FROM receipts')" = 300 ]
        execute "$id"
        unchanged
        if [ "$method" != snapshot ]; then
            backout -q point release "$id"
        fi
    done
    [ "$(my -e "SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE()")" = 0 ]
}

@test "a key that moves takes three levels with it and back" {
    local method
    for method in snapshot capture both; do
        echo "UPDATE regions SET region = 9, country = 'li' WHERE country = 'ch' AND region = 1" >move.sql
        id=$(backout -q run --db shop --method "$method" --tables regions move.sql --output json |
            jq -r .id)
        [ "$(my -e "SELECT COUNT(*) FROM receipts WHERE country = 'li'")" = 60 ]
        execute "$id" --type partial
        [ "$(jq -r .proof <<<"$result")" = match ]
        unchanged
    done
}

# ---- command by command ----

@test "init, run, list, details, assess, execute, verify" {
    damage
    run -0 --separate-stderr backout list --output json
    [ "$(jq -c '[.[] | [.id == "'"$id"'", .status]]' <<<"$output")" = '[[true,"sealed"]]' ]
    run -0 --separate-stderr backout details "$id"
    [[ $output =~ Engine\ +MariaDB\ 1 ]]
    [[ $output == *"mariadb://app@localhost/$MY_DATABASE"* ]]
    [[ $output =~ log\ +4\ +1\ +0\ +1\ +all\ values ]]
    run -4 --separate-stderr backout verify "$id"
    [[ $output == *"mismatch"* ]]
    run -0 --separate-stderr backout verify "$id" --against after
    run -0 --separate-stderr backout assess "$id" --output json
    [ "$(jq -r .recommended <<<"$output")" = full ]
    run -0 --separate-stderr backout execute "$id" --dry-run --output json
    [ "$(jq -r .status <<<"$output")" = planned ]
    rows | cmp - damaged
    execute "$id"
    [ "$(jq -r '.status + " " + .proof' <<<"$result")" = "done match" ]
    unchanged
    run -0 --separate-stderr backout verify "$id"
    run -0 --separate-stderr backout audit --verify
}

@test "a point by hand, a change by hand, a seal" {
    id=$(backout -q point create --db shop --output json | jq -r .id)
    my <change.sql
    run -3 --separate-stderr backout execute "$id" --type partial --yes
    said "hint: the change has no recorded end: backout point seal $id"
    run -0 --separate-stderr backout point seal "$id"
    execute "$id" --type partial
    unchanged
}

@test "a file that fails is rolled back whole and exits 1" {
    { cat change.sql; echo "INSERT INTO regions VALUES ('ch', 1, 'twice');"; } >bad.sql
    run -1 --separate-stderr backout run --db shop bad.sql
    said "because: line 8"
    said "because: Duplicate entry"
    [[ $output == *"proof: match"* ]]
    unchanged
    run -1 --separate-stderr backout run --db shop --type transaction bad.sql
    unchanged
}

@test "the program of a run may be mariadb; when it fails it is rolled back" {
    backout -q run --db shop -- sh -c \
        'mariadb --no-defaults -u "$MYSQL_USER" "$MYSQL_DATABASE" <change.sql'
    execute latest
    unchanged
    { cat change.sql; echo 'SELECT nothing;'; } >bad.sql
    run -1 --separate-stderr backout run --db shop -- sh -c \
        'mariadb --no-defaults -u "$MYSQL_USER" "$MYSQL_DATABASE" <bad.sql'
    said "because: 'sh' ended with exit code 1"
    [[ $output == *"proof: match"* ]]
    unchanged
}

@test "a dry run tells every row, those that foreign keys reach too, and changes nothing" {
    run -0 --separate-stderr backout run --db shop --dry-run change.sql --output json
    unchanged
    [ "$(jq -c .change <<<"$output")" = '{"inserted":19,"updated":66,"deleted":96}' ]
    run -0 --separate-stderr backout run --db shop --where "regions: region = 2" --dry-run change.sql
    said "warning: table shops is in the point as well: rows of it would go with regions"
    unchanged
}

@test "a conflict is refused, skipped, replaced, and settled by column" {
    damage
    my -e "UPDATE prices SET price = 5 WHERE sku = 'straße'; UPDATE prices SET weight = 5 WHERE sku = ' x '"
    run -3 --separate-stderr backout execute "$id" --type partial --yes --output json
    [ "$(jq -c '[.conflicts[] | [.table, .key, .class, .columns]] | sort' <<<"$output")" = \
        '[["prices"," x ","data",["weight"]],["prices","straße","data",["price"]]]' ]
    run -4 --separate-stderr backout execute "$id" --type partial --yes --on-conflict skip --output json
    local undo
    undo=$(jq -r .undo_point <<<"$output")
    [ "$(my -e "SELECT price, size FROM prices WHERE sku = 'straße'")" = "5.0000000000|m" ]
    [ "$(my -e "SELECT COUNT(*) FROM receipts")" = 360 ]
    execute "$undo"
    run -4 --separate-stderr backout execute "$id" --type partial --yes --by column --on-conflict skip
    [ "$(my -e "SELECT price, weight, size FROM prices WHERE sku = ' x '")" = "-1.0000000000|5|NULL" ]
    backout -q execute latest --all --type partial --yes 2>/dev/null || backout -q list --all
    execute "$id" --type partial --on-conflict replace
    unchanged
}

@test "full gives up what others wrote only when told so, and exports it" {
    damage
    my -e "INSERT INTO regions VALUES ('de', 1, 'walk-in'); UPDATE prices SET weight = 2 WHERE sku = 'new'"
    rows >both
    run -3 --separate-stderr backout execute "$id" --yes
    said "--discard-later"
    rows | cmp - both
    execute "$id" --discard-later
    [ "$(jq .lost.rows <<<"$result")" = 2 ]
    grep -q walk-in "$(jq -r .lost.export <<<"$result")"
    unchanged
    execute "$(jq -r .undo_point <<<"$result")"
    rows | diff both - >&2
}

@test "--tables, --where and --only-added limit a rollback" {
    damage
    execute "$id" --type partial --tables log
    [ "$(my -e 'SELECT COUNT(*) FROM log WHERE a = 1')" = 2 ]
    [ "$(my -e 'SELECT COUNT(*) FROM receipts')" = 300 ]
    execute "$id" --type partial --tables prices --only-added
    [ "$(my -e "SELECT COUNT(*) FROM prices WHERE sku = 'new'")" = 0 ]
    [ "$(my -e "SELECT COUNT(*) FROM prices")" = 2 ]
    execute "$id" --type partial --where "prices: sku LIKE 'tick%'"
    [ "$(my -e "SELECT COUNT(*) FROM prices")" = 3 ]
}

@test "export has every format, with values as MariaDB writes them" {
    damage
    run -0 --separate-stderr backout export "$id"
    [ "$(jq -r 'select(.table == "prices" and .op == "delete") | .before | [.sku, .price, .day] | join(" ")' \
        <<<"$output")" = 'tick` 12345678901234567890.1234567890 2026-02-31' ]
    run -0 --separate-stderr backout export "$id" --format json
    jq -e . <<<"$output" >/dev/null
    run -0 --separate-stderr backout export "$id" --format csv --which before
    [[ $output == $'table,a,b\r\nlog,1,é\r\n'*$'regions,at,1,"region at1"\r\n'* ]]
    backout export "$id" --format sql --which before >rows.sql
    my -e 'SET foreign_key_checks = 0; DELETE FROM receipts; DELETE FROM tills; DELETE FROM shops;
        DELETE FROM regions; DELETE FROM lost; DELETE FROM prices; DELETE FROM log'
    my <rows.sql
    unchanged
}

@test "artefacts restore the rows with mariadb alone" {
    backout -q point create --db shop --migration prices
    run -0 --separate-stderr backout export latest --artefacts out
    my -e 'DELETE FROM prices; DELETE FROM regions; DELETE FROM lost; DELETE FROM log'
    local table
    for table in regions shops tills receipts lost prices log; do
        my <"$(echo out/*_"$table".sql)"
    done
    unchanged
}

@test "a backup is restored, checked and test-restored; an emptied table comes back" {
    backup_all
    run -0 --separate-stderr backout check --output json
    [ "$(jq -r .result <<<"$output")" = match ]
    run -0 --separate-stderr backout check "$id" --test-restore
    [[ $output == *"result: match"* ]]
    my <change.sql
    my -e 'TRUNCATE prices; DELETE FROM regions'
    rows >damaged
    run -0 --separate-stderr backout restore "$id" --db shop --yes --output json
    [ "$(jq -r .proof <<<"$output")" = match ]
    unchanged
    execute "$(jq -r .undo_point <<<"$output")"
    rows | diff damaged - >&2
}

# other_database: of this server, without tables; its URL is in $other.
other_database() {
    my_root -e "CREATE DATABASE ${MY_DATABASE}_b; GRANT ALL ON ${MY_DATABASE}_b.* TO app@localhost"
    other=${MY_URL/$MY_DATABASE/${MY_DATABASE}_b}
}

# The tables of the other database, as `rows` tells them.
other_rows() {
    MY_DATABASE=${MY_DATABASE}_b rows
}

backup_all() {
    id=$(backout -q backup regions shops tills receipts lost prices log --db shop --output json |
        jq -r .id)
}

@test "a backup makes its tables in another database: keys before the rows, triggers after them" {
    my -e 'CREATE TRIGGER louder BEFORE INSERT ON log FOR EACH ROW SET NEW.b = UPPER(NEW.b)'
    backup_all
    other_database
    run -0 --separate-stderr backout restore "$id" --db "$other" --yes --output json
    [ "$(jq -r .proof <<<"$output")" = match ]
    other_rows | diff before - >&2
    run -0 --separate-stderr my_root -e "SHOW CREATE TRIGGER ${MY_DATABASE}_b.louder"
    [[ $output == *'TRIGGER `louder` BEFORE INSERT ON `log`'* ]]
}

# Making a table commits, so these are made before the transaction of the restore.
@test "a restore that fails takes away the tables that it has made, and changes nothing" {
    backup_all
    other_database
    backout -q restore "$id" --db "$other" --yes --output json
    my_root "${MY_DATABASE}_b" -e "DROP TABLE receipts, log; DELETE FROM prices;
        CREATE TRIGGER louder BEFORE INSERT ON regions FOR EACH ROW SET NEW.name = 'x'"
    tables() { my_root "${MY_DATABASE}_b" -e "SHOW TABLES; SELECT * FROM regions; SELECT * FROM prices"; }
    tables >was
    run -4 --separate-stderr backout restore "$id" --db "$other" --yes
    said "nothing was changed"
    tables | diff was - >&2
    my_root "${MY_DATABASE}_b" -e "DROP TRIGGER louder; ALTER TABLE prices DROP weight"
    run -3 --separate-stderr backout restore "$id" --db "$other" --yes
    said "because: this database cannot make columns of 'prices' again inside a transaction"
    my_root -e "REVOKE CREATE ON ${MY_DATABASE}_b.* FROM app@localhost"
    my_root "${MY_DATABASE}_b" -e "ALTER TABLE prices ADD weight double AFTER price"
    run -3 --separate-stderr backout restore "$id" --db "$other" --yes
    said "because: needed: GRANT CREATE, ALTER, DROP, REFERENCES ON \`${MY_DATABASE}_b\`.* TO 'app'"
    my_root -e "GRANT CREATE ON ${MY_DATABASE}_b.* TO app@localhost"
    run -0 --separate-stderr backout restore "$id" --db "$other" --yes
    other_rows | diff before - >&2
}

@test "the script is SQL that mariadb can run, once" {
    damage
    run -0 --separate-stderr backout script "$id" --output-file undo.sql
    my <undo.sql
    unchanged
    run -1 my_client -u app "$MY_DATABASE" <undo.sql
    unchanged
}

@test "a table that the change empties with TRUNCATE comes back" {
    printf 'TRUNCATE receipts;\nDELETE FROM regions;\n' >empty.sql
    run -0 --separate-stderr backout -q run --db shop empty.sql
    [ "$(my -e 'SELECT COUNT(*) FROM receipts')" = 0 ]
    execute latest
    unchanged
}
