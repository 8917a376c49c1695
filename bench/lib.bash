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
        BACKOUT_* | PG* | MYSQL_* | MARIADB_*) unset "$name" ;;
        esac
    done
    export LC_ALL=C.UTF-8 TZ=UTC
}

# shellcheck disable=SC2329 # the trap calls it
clean_up() {
    stop_server
    stop_mariadb
    rm -rf "$WORK"
}

make_work_folder() {
    export WORK
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/backout-bench.XXXXXX")
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    chmod 711 "$WORK" # the servers run as users of their own
    mkdir "$WORK/home"
    export HOME=$WORK/home
    local free_kib needed_kib=$((ROWS * 8 / 5 + 500000))
    free_kib=$(df --output=avail -k "$WORK" | tail -n 1)
    [ "$free_kib" -ge $needed_kib ] || die "$WORK needs $((needed_kib / 1024)) MiB of free space"
}

# ---- samples ----

# timed NAME COMMAND...: one sample; its output is in $WORK/out.
timed() {
    timed_as 0 "$@"
}

# timed_as STATUS NAME COMMAND...: the same for a command that ends with this status, or one of these.
timed_as() {
    local wanted=$1 name=$2 status=0
    shift 2
    settle
    "$TOOLS/measure" "$WORK/sample" "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
    if [[ " $wanted " != *" $status "* ]]; then
        tail -n 20 "$WORK/out" "$WORK/err" >&2
        die "$name: ended with $status: $*"
    fi
    jq -c --arg name "$name" --argjson round "$ROUND" '{name: $name, round: $round} + .' \
        "$WORK/sample" | tee -a "$WORK/samples" | jq -r '"  \(.name)  \(.wall) s"' >&2
}

# on_disk NAME PATH...: how many bytes that which NAME measured has written.
on_disk() {
    local name=$1
    shift
    add_number "$name" bytes "$(du -cbs -- "$@" | awk 'END { print $1 }')"
}

# found NAME COUNT: how many differences that which NAME measured has found.
found() {
    say "  $1  $2 differences"
    add_number "$1" found "$2"
}

add_number() { # NAME KEY NUMBER
    jq -nc --arg name "$1" --argjson round "$ROUND" --arg key "$2" --argjson number "$3" \
        '{$name, $round, ($key): $number}' >>"$WORK/samples"
}

# peer PROGRAM [PACKAGE]: is it here?  When it is not, the report says that it was left out.
peer() {
    command -v "$1" >/dev/null && return 0
    [ "$ROUND" -gt 1 ] || leave_out "$1 is not installed (Debian's package: ${2:-$1})"
    return 1
}

leave_out() { # TEXT
    say "  left out: $*"
    jq -nc --arg text "$*" '$text' >>"$WORK/left_out"
}

# ---- rows ----

# row TEXT SAMPLE [PEER-TEXT PEER-SAMPLE [TARGET]]: a row of the report; target: at most this ratio.
# Without samples of both there is no row.
row() {
    jq -nc --arg what "$1" --arg sample "$2" --arg peer "${3:-}" --arg peer_sample "${4:-}" \
        --arg target "${5:-}" '$ARGS.named' >>"$WORK/rows"
}

# row_found TEXT SAMPLE PEER-TEXT PEER-SAMPLE: differences that the one has found, and the other.
row_found() {
    jq -nc --arg what "$1" --arg sample "$2" --arg peer "$3" --arg peer_sample "$4" \
        '$ARGS.named + {counts: true}' >>"$WORK/rows"
}

# ---- the program ----

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

# timed_point NAME ARGUMENT...: a point, its size on disk, and its id in $id.
timed_point() {
    local name=$1
    shift
    timed_backout "$name" point create "$@"
    id=$(answer .id)
    on_disk "$name" "$WORK/catalog/.backout/repository/$id"*
}

# timed_differences NAME ID [OPTION...]: verify where it finds differences; counts them.
timed_differences() {
    local name=$1
    shift
    timed_as 4 "$name" "$PROGRAM" --output json --quiet verify "$@"
    found "$name" "$(answer '[.tables[].difference_count] | add')"
}

answer() { # JQ-FILTER: of the last answer
    jq -r "$1" "$WORK/out"
}
