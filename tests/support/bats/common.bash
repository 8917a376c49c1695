# SPDX-License-Identifier: Apache-2.0
# tests/support/bats/common.bash - what every command-line test starts from.
#
#   load ../support/bats/common
#   setup() { common_setup; }
#   teardown() { common_teardown; }
#
# After common_setup a test stands in an empty folder of its own, `backout` is the binary that was
# built, HOME is empty, no BACKOUT_* or PG* setting is left but those of the test server, and
# nothing is a terminal.

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
