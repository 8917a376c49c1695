# SPDX-License-Identifier: Apache-2.0
# bench/result.jq - samples and declared rows become the result of one case.  Ratios are taken within each
# round, where both sides met the same machine; then the median.
def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor]
    else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def of($name): map(select(.name == $name));
def mib: [.[].rss_kib | values / 1024] | max;
def megabytes: [.[].bytes | values / 1e6] | max;

def timed_row($ours; $peer):
    [$ours[].wall | values] as $walls | [$peer[].wall | values] as $peer_walls
    | select($walls != [] and $peer_walls != [])
    | ([$walls, $peer_walls] | transpose | map(select(all) | .[0] / .[1])) as $ratios
    | {
        seconds: ($walls | median), peer_seconds: ($peer_walls | median),
        ratio: ($ratios | median), best_ratio: ($ratios | min),
        peak_mib: ($ours | mib), peer_peak_mib: ($peer | mib),
        megabytes: ($ours | megabytes), peer_megabytes: ($peer | megabytes)
    };

def counted_row($ours; $peer):
    [$ours[].found | values] as $found | [$peer[].found | values] as $peer_found
    | select($found != [] and $peer_found != [])
    | { found: ($found | min), peer_found: ($peer_found | max) };

{
    $case, $about, $date, $machine, $versions, $rows, $runs,
    results: [$declared[] | . as $row
        | ($samples | of($row.sample)) as $ours | ($samples | of($row.peer_sample)) as $peer
        | {what, peer, target: (.target // "" | if . == "" then null else tonumber end)}
            + if .counts then counted_row($ours; $peer) else timed_row($ours; $peer) end
        | del(..|nulls)],
    $left_out, $samples
}
