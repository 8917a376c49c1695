# SPDX-License-Identifier: Apache-2.0
# bench/table.jq - the result of a case as a section of the page.
def digits($n): pow(10; $n) as $p | . * $p | round / $p | tostring;
def seconds: if . < 1 then digits(3) elif . < 100 then digits(2) else digits(0) end;
def whole: if . < 10 then digits(1) else digits(0) end;
def small_ratio: if . < 0.1 then digits(3) else digits(2) end;
def thousands: tostring | [match("\\d(?=(\\d{3})+$)|\\d"; "g")] as $found
    | [$found[] | .string + (if .offset < ($found | length) - 1 and (($found | length) - 1 - .offset) % 3 == 0
        then "," else "" end)] | join("");
def pair($ours; $its; f): if $ours == null and $its == null then "" else
    [$ours, $its | if . == null then "-" else f end] | join(" / ") end;
def cells: "| " + join(" | ") + " |";

def target_cell: if .target == null then ""
    elif .ratio <= .target then "≤ \(.target)" else "≤ \(.target) **missed**" end;
def timed_cells: [.what, .peer, (.ratio | small_ratio), target_cell,
    pair(.seconds; .peer_seconds; seconds), pair(.peak_mib; .peer_peak_mib; whole),
    pair(.megabytes; .peer_megabytes; whole)];
def counted_cells: [.what, .peer, "\(.found | thousands) / \(.peer_found | thousands)", "", "", "", ""];

def section:
    "## \(.case)",
    "",
    "\(.about[:1] | ascii_upcase)\(.about[1:])",
    "",
    "\(.rows | thousands) rows, median of \(.runs), \(.date[:10]): `make bench CASES=\(.case)`",
    "",
    (["what", "beside", "ratio", "target", "seconds", "peak memory, MiB", "on disk, MB"] | cells),
    (["---", "---", "---:", "---:", "---:", "---:", "---:"] | cells),
    (.results[] | (if has("found") then counted_cells else timed_cells end) | cells),
    (select(.left_out != []) | "", "Left out: \(.left_out | unique | join("; ")).");
