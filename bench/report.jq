# SPDX-License-Identifier: Apache-2.0
# Ratios are taken within each round, where both sides met the same machine; then the median.
def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor]
    else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def of($name): [$samples[] | select(.name == $name)];
def walls: [.[].wall];

{
    $date, $machine, $versions, $rows, $runs,
    results: [$declared[]
        | of(.sample) as $ours | of(.peer_sample) as $peer
        | {
            what, peer,
            seconds: ($ours | walls | median),
            peer_seconds: ($peer | walls | median),
            ratio: ([range($peer | length) | $ours[.].wall / $peer[.].wall] | median),
            target: (.target | if . == "" then null else tonumber end),
            peak_mib: ([$ours[].rss_kib | values / 1024] | max)
        }],
    $samples
}
