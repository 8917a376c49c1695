# SPDX-License-Identifier: Apache-2.0
# bench/curves.gp - a chart of the lines in `data`: seconds over rows, both axes logarithmic.
set terminal svg size 760,440 noenhanced font "Helvetica,14" background "#ffffff"
set title title textcolor "#1f2328"
set border 3 linecolor "#59636e"
set tics nomirror textcolor "#59636e"
set grid linecolor "#d0d7de" linetype 1 linewidth 0.6
set logscale xy
set format x "%.0s%c"
set format y "%g"
set xlabel rows textcolor "#59636e"
set ylabel "seconds" textcolor "#59636e"
set key top left Left reverse textcolor "#1f2328" noautotitle
set style line 1 linecolor "#0969da" linewidth 2.8 pointtype 7 pointsize 0.7
set style line 2 linecolor "#bc4c00" linewidth 1.6 pointtype 5 pointsize 0.6
set style line 3 linecolor "#1a7f37" linewidth 1.6 pointtype 9 pointsize 0.7
set style line 4 linecolor "#8250df" linewidth 1.6 pointtype 13 pointsize 0.7
plot for [i = 0:lines - 1] data index i using 1:2 with linespoints linestyle i + 1 title columnheader(1)
