# SPDX-License-Identifier: Apache-2.0
# bench/ratios.gp - a bar for each row in `data`, from 1 to its ratio, and a mark where its target is.
set terminal svg size 960,height noenhanced font "Helvetica,13" background "#ffffff"
set title "backout's time by that of the other (line: target)" textcolor "#1f2328"
set lmargin at screen 0.57
set rmargin at screen 0.97
set border 1 linecolor "#59636e"
set tics nomirror textcolor "#1f2328"
set grid xtics linecolor "#d0d7de" linetype 1 linewidth 0.6
set logscale x
set format x "%g"
set ytics scale 0
unset key
blue = 0x0969da
orange = 0xbc4c00
plot data using 2:0:($2 < 1 ? $2 : 1):($2 < 1 ? 1 : $2):($0 - 0.32):($0 + 0.32):($2 < 1 ? blue : orange):ytic(1) \
        with boxxyerror linecolor rgb variable fillstyle solid 0.75 noborder, \
    data using 3:($0 - 0.45):(0):(0.9) with vectors nohead linewidth 2 linecolor "#1f2328"
