# SPDX-License-Identifier: Apache-2.0
# tests/support/bats/common.bash - what every command-line test starts from.
#
#   load ../support/bats/common
#   setup() { common_setup; }
#   teardown() { common_teardown; }
#
# After common_setup a test stands in an empty folder of its own, `backout` is the binary that was
# built, HOME is empty, no BACKOUT_* or PG* setting is left but those of the test server, and
# nothing is a terminal.  common_teardown drops the databases that the test has made.

bats_require_minimum_version 1.5.0

common_setup() {
    [ -x "${BACKOUT_BIN:-}" ] || {
        echo "BACKOUT_BIN does not name the program: run tools/run-tests" >&2
        return 1
    }
    local name
    for name in $(compgen -e); do
        case $name in
        BACKOUT_TEST_* | BACKOUT_BIN | BACKOUT_SOURCE) ;;
        BACKOUT_* | PG*) unset "$name" ;;
        esac
    done
    export HOME=$BATS_TEST_TMPDIR/home XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/home/.config
    export PATH=${BACKOUT_BIN%/*}:$PATH LC_ALL=C.UTF-8 TZ=UTC
    mkdir -p "$HOME" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work" || return 1
}

common_teardown() {
    if [ -n "${PG_DATABASE:-}" ]; then
        psql -X -q "$BACKOUT_TEST_PG_SUPER_URL" \
            -c "DROP DATABASE IF EXISTS $PG_DATABASE WITH (FORCE)"
    fi
    if [ -n "${MY_DATABASE:-}" ]; then
        my_root -e "DROP DATABASE IF EXISTS $MY_DATABASE"
    fi
}

# eventually COMMAND...: within a minute it succeeds.
eventually() {
    local end=$((SECONDS + 60))
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# opened PID FILE: the process has opened a file of that name.
opened() {
    readlink "/proc/$1/fd/"* | grep -q "/$2\$"
}

# Makes a PostgreSQL database for this test alone, owned by the plain role `app`: its URL is
# $PG_URL, the superuser's is $PG_SUPER_URL.  Skips the test where there is no server.
pg_database() {
    [ -n "${BACKOUT_TEST_PG_DIR:-}" ] || skip "no PostgreSQL server (tools/run-tests starts one)"
    PG_DATABASE=bats_$(printf '%s' "$BATS_TEST_FILENAME $BATS_TEST_NAME" | md5sum | cut -c1-12)_$$
    psql -X -q "$BACKOUT_TEST_PG_SUPER_URL" -c "CREATE DATABASE $PG_DATABASE OWNER app"
    PG_URL=${BACKOUT_TEST_PG_APP_URL/\/\/\/app?/\/\/\/$PG_DATABASE?}
    # shellcheck disable=SC2034 # for the tests
    PG_SUPER_URL=${BACKOUT_TEST_PG_SUPER_URL/\/\/\/postgres?/\/\/\/$PG_DATABASE?}
    sql -c "SELECT 1" >/dev/null
}

# psql on the database of this test; unaligned, rows only, stops at the first error.
sql() {
    psql -X -q -A -t -v ON_ERROR_STOP=1 "$PG_URL" "$@"
}

# Makes a MariaDB database for this test alone, on which the user `app` has all rights: its URL is
# $MY_URL.  Skips the test where there is no server.
my_database() {
    [ -n "${BACKOUT_TEST_MY_DIR:-}" ] || skip "no MariaDB server (tools/run-tests starts one)"
    MY_DATABASE=bats_$(printf '%s' "$BATS_TEST_FILENAME $BATS_TEST_NAME" | md5sum | cut -c1-12)_$$
    my_root -e "CREATE DATABASE $MY_DATABASE CHARACTER SET utf8mb4;
        GRANT ALL ON $MY_DATABASE.* TO app@localhost"
    # shellcheck disable=SC2034 # for the tests
    MY_URL=${BACKOUT_TEST_MY_APP_URL/\/app\?/\/$MY_DATABASE?}
}

# my ARG...: the mariadb client as `app` on the database of this test; rows only, a|b.
my() (
    set -o pipefail
    my_client -u app "$MY_DATABASE" "$@" | tr '\t' '|'
)

# The same without a database, as the user who may do everything.
my_root() {
    my_client -u root "$@"
}

my_client() {
    mariadb --no-defaults --batch --skip-column-names --default-character-set=utf8mb4 \
        --socket="$BACKOUT_TEST_MY_DIR/socket" "$@"
}
