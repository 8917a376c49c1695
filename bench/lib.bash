# SPDX-License-Identifier: Apache-2.0
# bench/lib.bash - one measurement, and one row of the report.

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "bench: $*"
    exit 1
}

# The settings of whoever runs this must not decide what is measured.
forget_environment() {
    local name
    for name in $(compgen -e); do
        case $name in
        BACKOUT_* | PG*) unset "$name" ;;
        esac
    done
    export LC_ALL=C.UTF-8 TZ=UTC
}

# shellcheck disable=SC2329 # the trap calls it
clean_up() {
    stop_server
    rm -rf "$WORK"
}

make_work_folder() {
    export WORK
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/backout-bench.XXXXXX")
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    chmod 711 "$WORK" # the server runs as its own user
    mkdir "$WORK/home"
    export HOME=$WORK/home
    local free_kib needed_kib=$((ROWS * 8 / 5 + 500000))
    free_kib=$(df --output=avail -k "$WORK" | tail -n 1)
    [ "$free_kib" -ge $needed_kib ] || die "$WORK needs $((needed_kib / 1024)) MiB of free space"
}

# timed NAME COMMAND...: one sample; its output is in $WORK/out.
timed() {
    timed_as 0 "$@"
}

# timed_as STATUS NAME COMMAND...: the same for a command that ends with this status.
timed_as() {
    local wanted=$1 name=$2 status=0
    shift 2
    settle
    "$TOOLS/measure" "$WORK/sample" "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
    if [ $status -ne "$wanted" ]; then
        cat "$WORK/out" "$WORK/err" >&2
        die "$name: ended with $status: $*"
    fi
    jq -c --arg name "$name" --argjson round "$ROUND" '{name: $name, round: $round} + .' \
        "$WORK/sample" | tee -a "$WORK/samples" | jq -r '"  \(.name)  \(.wall) s"' >&2
}

# row TEXT SAMPLE [PEER-TEXT PEER-SAMPLE [TARGET]]: a row of the report; target: at most this ratio.
row() {
    jq -nc --arg what "$1" --arg sample "$2" --arg peer "${3:-}" --arg peer_sample "${4:-}" \
        --arg target "${5:-}" '$ARGS.named' >>"$WORK/rows"
}

# A catalog and a repository without points, for `backout`.
new_catalog() {
    rm -rf "$WORK/catalog"
    "$PROGRAM" init "$WORK/catalog" --quiet >/dev/null
    cd "$WORK/catalog" || die "no catalog was made"
}

# backout ARGUMENT...: not measured; its answer is in $WORK/out.
backout() {
    "$PROGRAM" --output json --quiet "$@" >"$WORK/out" 2>"$WORK/err" ||
        die "backout $*: $(cat "$WORK/out" "$WORK/err")"
}

# timed_backout NAME ARGUMENT...
timed_backout() {
    local name=$1
    shift
    timed "$name" "$PROGRAM" --output json --quiet "$@"
}

answer() { # JQ-FILTER: of the last answer
    jq -r "$1" "$WORK/out"
}
