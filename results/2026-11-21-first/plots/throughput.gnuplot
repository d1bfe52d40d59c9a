# Draws throughput.png from throughput.dat: gnuplot throughput.gnuplot
set terminal pngcairo size 1720,798 fontscale 1.5 linewidth 2 pointscale 2 noenhanced font 'sans-serif,13' background '#ffffff'
set output 'throughput.png'
data = 'throughput.dat'
set encoding utf8
set border 0
unset key
set grid back lc rgb '#d8dee4' lt 1 lw 1
set style fill solid noborder
set multiplot

set label 'Throughput: connections per second (accept)' at screen 0.01860,0.93061 left font 'sans-serif,18' textcolor rgb '#1f2329'
set label 'n = 3 rounds of 400 ms · 2 workers, 64 connections · pinned server=0 client=1 · Linux 6.18.44-fc-v657 · commit 0d346c7832' at screen 0.01860,0.88026 left font 'sans-serif,12' textcolor rgb '#59636e'
set label 'dispatcher (shared-set)' at screen 0.25907,0.75276 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'select' at screen 0.25907,0.70015 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'uring-multishot' at screen 0.25907,0.64755 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'uring-poll' at screen 0.25907,0.59494 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'uring-single' at screen 0.25907,0.54233 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'epoll-et' at screen 0.25907,0.48973 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'epoll-lt' at screen 0.25907,0.43712 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'epoll-exclusive' at screen 0.25907,0.38452 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'epoll-oneshot (shared-set)' at screen 0.25907,0.33191 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'epoll-et-exclusive' at screen 0.25907,0.27931 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'blocking' at screen 0.25907,0.22670 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'poll' at screen 0.25907,0.17410 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'uring-direct' at screen 0.25907,0.12149 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'connections per second' at screen 0.26837,0.80912 left font 'sans-serif,13' textcolor rgb '#1f2329'
set label '48.1k' at screen 0.92093,0.75276 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '41.7k' at screen 0.92093,0.70015 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '41.0k' at screen 0.92093,0.64755 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '41.0k' at screen 0.92093,0.59494 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '40.9k' at screen 0.92093,0.54233 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '40.4k' at screen 0.92093,0.48973 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '39.4k' at screen 0.92093,0.43712 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '39.0k' at screen 0.92093,0.38452 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '38.8k' at screen 0.92093,0.33191 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '38.3k' at screen 0.92093,0.27931 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '36.7k' at screen 0.92093,0.22670 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '36.7k' at screen 0.92093,0.17410 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '36.6k' at screen 0.92093,0.12149 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '0' at screen 0.26837,0.06513 center font 'sans-serif,12' textcolor rgb '#59636e'
set label '20k' at screen 0.52009,0.06513 center font 'sans-serif,12' textcolor rgb '#59636e'
set label '40k' at screen 0.77182,0.06513 center font 'sans-serif,12' textcolor rgb '#59636e'
set lmargin at screen 0.26837
set rmargin at screen 0.91163
set tmargin at screen 0.77906
set bmargin at screen 0.09519
unset logscale x
set xrange [0:51108.49]
set xtics scale 0 ('' 0, '' 20000, '' 40000)
set grid xtics
unset logscale y
set yrange [13.5:0.5]
unset ytics
set grid noytics
plot data index 0 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#009e73', \
     data index 1 using 1:2 with points pt 7 ps 0.75 lc rgb '#009e73', \
     data index 1 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 2 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#cc79a7', \
     data index 3 using 1:2 with points pt 7 ps 0.75 lc rgb '#cc79a7', \
     data index 4 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#d55e00', \
     data index 5 using 1:2 with points pt 7 ps 0.75 lc rgb '#d55e00', \
     data index 6 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#e69f00', \
     data index 7 using 1:2 with points pt 7 ps 0.75 lc rgb '#e69f00', \
     data index 7 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 8 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#e69f00', \
     data index 9 using 1:2 with points pt 7 ps 0.75 lc rgb '#e69f00', \
     data index 10 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#56b4e9', \
     data index 11 using 1:2 with points pt 7 ps 0.75 lc rgb '#56b4e9', \
     data index 12 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#0072b2', \
     data index 13 using 1:2 with points pt 7 ps 0.75 lc rgb '#0072b2', \
     data index 14 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#0072b2', \
     data index 15 using 1:2 with points pt 7 ps 0.75 lc rgb '#0072b2', \
     data index 15 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 16 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#009e73', \
     data index 17 using 1:2 with points pt 7 ps 0.75 lc rgb '#009e73', \
     data index 18 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#56b4e9', \
     data index 19 using 1:2 with points pt 7 ps 0.75 lc rgb '#56b4e9', \
     data index 19 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 20 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#1f2328', \
     data index 21 using 1:2 with points pt 7 ps 0.75 lc rgb '#1f2328', \
     data index 22 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#cc79a7', \
     data index 23 using 1:2 with points pt 7 ps 0.75 lc rgb '#cc79a7', \
     data index 23 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 24 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#d55e00', \
     data index 25 using 1:2 with points pt 7 ps 0.75 lc rgb '#d55e00', \
     data index 25 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff'
unset label
unset arrow
unset object

unset multiplot
unset output
