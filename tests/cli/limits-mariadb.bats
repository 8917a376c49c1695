# SPDX-License-Identifier: Apache-2.0
# tests/cli/limits-mariadb.bats - limits of MariaDB that docs/guide/limits.md tells of.

load ../support/bats/common
setup() {
    common_setup
    my_database
    export BACKOUT_DB=$MY_URL
    backout -q init
    my -e "CREATE TABLE t (id int PRIMARY KEY, v varchar(20)); INSERT INTO t VALUES (1, 'a'), (2, 'b')"
}
teardown() {
    [ -z "${clerk:-}" ] || my_root -e "DROP USER IF EXISTS $clerk@localhost"
    [ -z "${beside:-}" ] || my_root -e "DROP DATABASE IF EXISTS $beside"
    common_teardown
}

# said WORDS: in what was printed
said() {
    [[ $output == *"$1"* ]] || {
        echo "$output"
        return 1
    }
}

# new_clerk RIGHTS: an account with these rights on this database; its URL is $as
new_clerk() {
    clerk=clerk_$BASHPID
    my_root -e "CREATE OR REPLACE USER $clerk@localhost; GRANT $1 ON $MY_DATABASE.* TO $clerk@localhost"
    as=${MY_URL/app@/$clerk@}
}

@test "a table that has the name of another one is taken for that, unless changes are captured" {
    for method in snapshot capture; do
        backout -q point create --method $method --tables t
        my -e "CREATE TABLE t_new (id int PRIMARY KEY, v varchar(20)); RENAME TABLE t TO t_old, t_new TO t"
        code=0
        backout -q execute latest --type full --yes --output json >out || code=$?
        [ $method != snapshot ] || [ "$code $(jq -r .applied.inserted out)" = '0 2' ]
        [ $method = snapshot ] || [[ $code = 3 && $(cat out) == *"the capture is broken"* ]]
        my -e "DROP TABLE t; RENAME TABLE t_old TO t"
    done
}

@test "a foreign key of generated columns is not broken, and no plan knows it before" {
    my -e "CREATE TABLE c (id int PRIMARY KEY, b int, g int GENERATED ALWAYS AS (b * 10) STORED UNIQUE);
        CREATE TABLE d (id int PRIMARY KEY, x int, g int GENERATED ALWAYS AS (x * 10) STORED,
            FOREIGN KEY (g) REFERENCES c (g));
        INSERT INTO c (id, b) VALUES (1, 1), (2, 2), (3, 3); INSERT INTO d (id, x) VALUES (1, 2)"
    backout -q point create --tables c
    my -e "UPDATE c SET b = 5 WHERE id = 1"
    backout -q point seal latest
    my -e "UPDATE d SET x = 5 WHERE id = 1" # what it refers to would go
    run -0 backout -q execute latest --type partial --dry-run
    for policy in refuse skip; do
        run -3 backout -q execute latest --type partial --on-conflict $policy --yes
        [[ $output == *"a foreign key of generated columns would be broken"* ]] || { echo "$output"; false; }
    done
    run -3 backout -q execute latest --type full --yes
    my -e "UPDATE d SET x = 3 WHERE id = 1"
    backout -q execute latest --type partial --yes
    backout -q point create --tables d
    my -e "UPDATE d SET x = 2 WHERE id = 1"
    backout -q point seal latest
    my -e "DELETE FROM c WHERE id = 3" # it would refer to nothing
    run -3 backout -q execute latest --type partial --yes
    [[ $output == *"a foreign key of generated columns would be broken"* ]] || { echo "$output"; false; }
    [ "$(my -e 'SELECT g FROM d')$(my -e 'SELECT sum(b) FROM c')" = 203 ]
}

@test "no number of a counter comes twice, and numbers may be left out" {
    my -e "CREATE SEQUENCE s CACHE 10; CREATE TABLE u (id int PRIMARY KEY DEFAULT nextval(s));
        CREATE TABLE a (id int AUTO_INCREMENT PRIMARY KEY); INSERT INTO u VALUES (); INSERT INTO a VALUES ()"
    backout -q point create --tables u,a
    my -e "INSERT INTO u VALUES (), (); INSERT INTO a VALUES (), ()"
    backout -q point seal latest
    backout -q execute latest --type full --yes
    my -e "INSERT INTO u VALUES (); INSERT INTO a VALUES ()"
    [ "$(my -e 'SELECT GROUP_CONCAT(id) FROM a')" = 1,2 ]
    [ "$(my -e 'SELECT MIN(id) = 1 AND MAX(id) > 3 AND COUNT(*) = 2 FROM u')" = 1 ]
}

@test "a dropped column or table is not made again by type full" {
    my -e "CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)"
    backout -q point create --tables t,u
    my -e "ALTER TABLE t DROP COLUMN v; DROP TABLE u"
    backout -q point seal latest
    for name in t u; do
        run -3 backout execute latest --type full --discard-later --tables $name --yes
        said "this database cannot make '$name' again inside a transaction"
    done
}

@test "rows of another database that the account may not see are left without their parent" {
    new_clerk "ALL"
    beside=${MY_DATABASE}_b
    my_root -e "CREATE DATABASE $beside; CREATE TABLE $beside.c (id int PRIMARY KEY,
        FOREIGN KEY (id) REFERENCES $MY_DATABASE.t (id))"
    backout -q point create --db "$as" --tables t
    my -e "INSERT INTO t VALUES (3, 'c')"
    backout -q point seal latest --db "$as"
    my_root -e "INSERT INTO $beside.c VALUES (3)"
    backout -q execute latest --db "$as" --type partial --yes
    [ "$(my -e 'SELECT COUNT(*) FROM t')" = 2 ]
    [ "$(my_root -e "SELECT COUNT(*) FROM $beside.c")" = 1 ]
}

@test "time to wait for a lock is rounded up to seconds" {
    echo "databases: {x: {url: '$MY_URL', lock_timeout: 1ms}}" >>backout.yaml
    backout -q point create --tables t
    mkfifo hold
    my_client -u app "$MY_DATABASE" --unbuffered <hold >held 3>&- &
    exec 4>hold
    echo "BEGIN; UPDATE t SET v = 'x'; SELECT 'held';" >&4
    eventually grep -q held held
    local begun=${EPOCHREALTIME/./}
    run -3 backout execute latest --type full --yes
    exec 4>&-
    wait
    [ $((${EPOCHREALTIME/./} - begun)) -gt 900000 ]
}

@test "the account that took a captured point must stay" {
    new_clerk "ALL"
    backout -q point create --db "$as" --method capture --tables t
    my -e "UPDATE t SET v = 'x'"
    my_root -e "DROP USER $clerk@localhost"
    run ! my -e "UPDATE t SET v = 'y'"
    said "definer"
}

# spied: a function `spy` tells in table `spied` as whom it runs
prepare_spy() {
    my -e "CREATE TABLE spied (who varchar(200));
        CREATE FUNCTION spy() RETURNS int NOT DETERMINISTIC MODIFIES SQL DATA SQL SECURITY INVOKER
        BEGIN
            INSERT INTO spied VALUES (CURRENT_USER());
            RETURN 1;
        END" --delimiter='//'
}

@test "a view in the place of a captured table runs nothing with the rights of the account that captured" {
    prepare_spy
    my -e "CREATE TABLE c (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES t (id) ON DELETE CASCADE);
        INSERT INTO c VALUES (1, 2)"
    new_clerk "ALL"
    backout -q point create --db "$as" --method capture --tables t,c
    my -e "RENAME TABLE t TO t2, c TO c2;
        CREATE SQL SECURITY INVOKER VIEW t AS SELECT spy() AS id;
        CREATE SQL SECURITY INVOKER VIEW c AS SELECT spy() AS id, 2 AS p;
        UPDATE t2 SET id = 3 WHERE id = 1; DELETE FROM t2 WHERE id = 2"
    [ "$(my -e 'SELECT COUNT(*) FROM spied')" = 0 ]
    [ "$(my -e 'SELECT COUNT(*) FROM backout_journal_1 WHERE backout_op = '"'X'")" -gt 0 ]
}

@test "a view in the place of a journal runs functions with the rights of the account that captured" {
    prepare_spy
    new_clerk "ALL"
    backout -q point create --db "$as" --method capture --tables t
    my -e "RENAME TABLE backout_journal_1 TO j; CREATE SQL SECURITY INVOKER VIEW backout_journal_1 AS
        SELECT * FROM j WHERE spy() = 1 WITH CHECK OPTION; UPDATE t SET v = 'x'"
    [[ $(my -e 'SELECT DISTINCT who FROM spied') == clerk_* ]]
}

@test "the server keeps one row for each transaction that was captured" {
    registry="SELECT COUNT(*) FROM mysql.transaction_registry"
    backout -q point create --method capture --tables t
    before=$(my_root -e "$registry")
    my -e "UPDATE t SET v = 'x'; UPDATE t SET v = 'y'"
    backout -q point seal latest
    backout -q point release latest
    [ "$(my_root -e "$registry")" -ge $((before + 2)) ]
}

@test "more than 200 ways that actions can take are too many" {
    my -e "CREATE TABLE p (id int PRIMARY KEY)"
    ways=
    for ((i = 0; i < 15; i++)); do
        ways+="CREATE TABLE a$i (id int PRIMARY KEY, FOREIGN KEY (id) REFERENCES p (id) ON DELETE CASCADE);"
    done
    ways+="CREATE TABLE b (id int PRIMARY KEY"
    for ((i = 0; i < 15; i++)); do ways+=", c$i int, FOREIGN KEY (c$i) REFERENCES a$i (id) ON DELETE CASCADE"; done
    ways+="); CREATE TABLE c (id int PRIMARY KEY"
    for ((i = 0; i < 15; i++)); do ways+=", c$i int, FOREIGN KEY (c$i) REFERENCES b (id) ON DELETE CASCADE"; done
    my -e "$ways)"
    run -0 backout point create --method capture --no-closure --tables p
    said "its foreign keys reach rows in more than 200 ways"
}

@test "a table of more than 1010 columns is not captured and comes back with restore only" {
    columns=
    for ((i = 0; i < 1012; i++)); do columns+=", c$i tinyint"; done
    my -e "CREATE TABLE u (id int PRIMARY KEY$columns); INSERT INTO u (id, c7) VALUES (1, 1), (2, 2)"
    run -0 backout point create --method capture --tables u
    said "it has too many columns: a journal needs seven more"
    said "it has more than 1010 columns: it comes back as a whole with restore only"
    my -e "UPDATE u SET c7 = 3"
    backout -q point seal latest
    run -1 backout execute latest --yes
    said "Too many columns"
    run -0 backout restore latest --yes
    [ "$(my -e 'SELECT GROUP_CONCAT(c7 ORDER BY id) FROM u')" = 1,2 ]
}

@test "a row that a journal has no room for is written all the same, and breaks the capture" {
    columns='' values=''
    for ((i = 0; i < 40; i++)); do
        columns+=", c$i varchar(200)" values+=", REPEAT('x', 200)"
    done
    my -e "CREATE TABLE u (id int PRIMARY KEY$columns, last varchar(50)) CHARACTER SET latin1;
        INSERT INTO u VALUES (1$values, REPEAT('y', 50)), (2$values, REPEAT('y', 50))"
    backout -q point create --method both --tables u
    my -e "UPDATE u SET c1 = 'y' WHERE id = 1; DELETE FROM u WHERE id = 2"
    run -0 backout point seal latest
    said "of rows that are too large for the journal; the snapshot tells what the change did"
    run -0 backout execute latest --yes
    [ "$(my -e "SELECT GROUP_CONCAT(id), MIN(c1) = REPEAT('x', 200) FROM u")" = "1,2|1" ]
}

@test "a stored column that is computed from a TIMESTAMP is computed in UTC" {
    my -e "CREATE TABLE u (id int PRIMARY KEY, at timestamp NULL, day date AS (CAST(at AS date)) STORED);
        SET time_zone = '+02:00'; INSERT INTO u (id, at) VALUES (1, '2026-07-01 00:30:00')"
    run -0 backout point create --tables u
    said "column 'day' is computed from a TIMESTAMP: in UTC, when rows are put back"
    my -e "DELETE FROM u"
    backout -q point seal latest
    backout -q execute latest --yes
    [ "$(my -e "SET time_zone = '+02:00'; SELECT at, day FROM u")" = "2026-07-01 00:30:00|2026-06-30" ]
}

@test "between LOCK TABLES and UNLOCK TABLES a captured table may take no writes, and no write goes unnoticed" {
    backout -q point create --method capture --tables t
    my -e "LOCK TABLES t WRITE; UPDATE t SET v = 'x' WHERE id = 1" || true
    my -e "UPDATE t SET v = 'y' WHERE id = 2"
    backout -q point seal latest
    backout -q execute latest --yes
    [ "$(my -e 'SELECT GROUP_CONCAT(v ORDER BY id) FROM t')" = a,b ]
}

@test "a column whose character set changed is refused until it is changed back; utf8mb3 and utf8mb4 are one" {
    my -e "CREATE TABLE u (id int PRIMARY KEY, v varchar(9) CHARACTER SET latin1); INSERT INTO u VALUES (1, 0xC3A9);
        CREATE TABLE w (id int PRIMARY KEY, v varchar(9) CHARACTER SET utf8mb3); INSERT INTO w VALUES (1, 0xC3A9)"
    backout -q point create --tables u,w
    my -e "UPDATE u SET v = 'z'; ALTER TABLE u CONVERT TO CHARACTER SET utf8mb4;
        UPDATE w SET v = 'z'; ALTER TABLE w CONVERT TO CHARACTER SET utf8mb4"
    backout -q point seal latest
    run -3 backout execute latest --yes
    said "the type of column 'v' changed since the point (from latin1_swedish_ci to utf8mb4_general_ci)"
    run -0 backout execute latest --tables w --type partial --yes
    my -e "ALTER TABLE u CONVERT TO CHARACTER SET latin1"
    run -0 backout execute latest --tables u --discard-later --yes
    [ "$(my -e 'SELECT HEX(u.v), HEX(w.v) FROM u, w')" = "C3A9|C3A9" ]
}

@test "a table that is of another engine by now takes no rollback until it is InnoDB again" {
    backout -q point create
    my -e "UPDATE t SET v = 'x'; ALTER TABLE t ENGINE = Aria"
    backout -q point seal latest
    run -3 backout execute latest --yes
    said "engine Aria is not transactional"
    my -e "ALTER TABLE t ENGINE = InnoDB"
    run -0 backout execute latest --yes
    [ "$(my -e 'SELECT GROUP_CONCAT(v ORDER BY id) FROM t')" = a,b ]
}

@test "a primary key that the change dropped is no reason to refuse" {
    backout -q point create
    my -e "UPDATE t SET v = 'x'; ALTER TABLE t DROP PRIMARY KEY; INSERT INTO t VALUES (1, 'y')"
    backout -q point seal latest
    run -0 backout execute latest --yes
    said "key 'PRIMARY' is gone since the point, and is not made again"
    [ "$(my -e 'SELECT GROUP_CONCAT(v ORDER BY id) FROM t')" = a,b ]
}

@test "another database is not the one the point was taken of, and takes a restore" {
    beside=${MY_DATABASE}_b
    my_root -e "CREATE DATABASE $beside; GRANT ALL ON $beside.* TO app@localhost"
    my -e "CREATE TABLE $beside.t LIKE t"
    backout -q point create --tables t
    run -3 backout execute latest --db "${MY_URL/$MY_DATABASE/$beside}" --yes
    said "is not the database the point was taken of"
    backout -q restore latest --db "${MY_URL/$MY_DATABASE/$beside}" --yes
    [ "$(my -e "SELECT COUNT(*) FROM $beside.t")" = 2 ]
}

@test "a table of another database than the URL's is stored, not captured" {
    beside=${MY_DATABASE}_b
    my_root -e "CREATE DATABASE $beside; GRANT ALL ON $beside.* TO app@localhost"
    my -e "CREATE TABLE $beside.u (id int PRIMARY KEY)"
    run -0 backout point create --method capture --tables "$beside.u"
    said "it is in another database than the connection's"
}
