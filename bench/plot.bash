# SPDX-License-Identifier: Apache-2.0
# bench/plot.bash - the record becomes plots: a chart of all ratios, and the curves of case growth.

FIGURES="point verify restore undo"

# Names of the plots that are there.
plots() {
    local figure
    for figure in ratios $FIGURES; do
        [ ! -e "$DOCS/images/bench-$figure.svg" ] || echo "$figure"
    done
}

write_plots() {
    if ! command -v gnuplot >/dev/null; then
        say "left out: plots (gnuplot is not installed)"
        return 0
    fi
    local figure curves
    curves=$(mktemp -d "${TMPDIR:-/tmp}/backout-plot.XXXXXX")
    plot_ratios "$curves/ratios"
    for figure in $FIGURES; do
        plot_curves "$figure" "$curves/$figure"
    done
    rm -r "$curves"
}

# A figure of which nothing is recorded is not made.
plot_curves() { # FIGURE FILE
    local rows="rows of the table"
    [ "$1" != undo ] || rows="changed rows, of $(thousands "$(jq -r '.cases.growth.rows // 0' "$RECORD")")"
    jq -r --arg figure "$1" -f "$BENCH/curves.jq" "$RECORD" >"$2"
    [ -s "$2" ] || return 0
    gnuplot -e "data = '$2'; lines = $(grep -c '^"' "$2"); title = '$1'; rows = '$rows'" \
        "$BENCH/curves.gp" >"$DOCS/images/bench-$1.svg"
}

plot_ratios() { # FILE
    jq -r -f "$BENCH/ratios.jq" "$RECORD" >"$1"
    [ -s "$1" ] || return 0
    gnuplot -e "data = '$1'; height = $(($(wc -l <"$1") * 22 + 90))" \
        "$BENCH/ratios.gp" >"$DOCS/images/bench-ratios.svg"
}
