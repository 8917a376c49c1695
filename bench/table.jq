# SPDX-License-Identifier: Apache-2.0
def digits($n): if . == null then "" else pow(10; $n) as $p | . * $p | round / $p | tostring end;
def seconds: if . == null then "" elif . < 1 then digits(3) else digits(2) end;
def cells: "| " + join(" | ") + " |";

"# Measured on \(.date[:10])",
"",
"\(.machine.processor), \(.machine.cores) cores, \(.machine.memory_mib / 1024 | round) GiB, \(.machine.kernel). backout \(.versions.backout), PostgreSQL \(.versions.postgresql), SQLite \(.versions.sqlite). \(.rows) rows, median of \(.runs). How to read it: [README.md](README.md).",
"",
(["what", "seconds", "peer", "its seconds", "ratio", "target", "peak memory"] | cells),
(["---", "---:", "---", "---:", "---:", "---:", "---:"] | cells),
(.results[] | [
    .what, (.seconds | seconds), .peer, (.peer_seconds | seconds), (.ratio | digits(2)),
    (if .target then "≤ \(.target)" else "" end), (if .peak_mib then "\(.peak_mib | digits(0)) MiB" else "" end)] | cells)
