# SPDX-License-Identifier: Apache-2.0
# bench/curves.jq - the samples curve/FIGURE/LINE/X as gnuplot reads them: a block for each line.
def median: sort | if length % 2 == 1 then .[length / 2 | floor]
    else (.[length / 2 - 1] + .[length / 2]) / 2 end;

[.cases.growth.samples // [] | .[] | select(.wall) | . + (.name | capture("^curve/(?<figure>[^/]+)/(?<line>.+)/(?<x>[0-9]+)$"))
    | select(.figure == $figure) | .x |= tonumber]
| group_by(.line) | sort_by(.[0].line | test("backout|^undo") | not)[]
| "\"\(.[0].line)\"", (group_by(.x)[] | "\(.[0].x) \(map(.wall) | median)"), "", ""
