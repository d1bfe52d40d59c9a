# Draws cost.png from cost.dat: gnuplot cost.gnuplot
set terminal pngcairo size 1720,798 fontscale 1.5 linewidth 2 pointscale 2 noenhanced font 'sans-serif,13' background '#ffffff'
set output 'cost.png'
data = 'cost.dat'
set encoding utf8
set border 0
unset key
set grid back lc rgb '#d8dee4' lt 1 lw 1
set style fill solid noborder
set multiplot

set label 'Cost of a connection to the server (accept)' at screen 0.01860,0.93061 left font 'sans-serif,18' textcolor rgb '#1f2329'
set label 'n = 3 rounds of 400 ms · 2 workers, 64 connections · pinned server=0 client=1 · Linux 6.18.44-fc-v657 · commit 0d346c7832' at screen 0.01860,0.88026 left font 'sans-serif,12' textcolor rgb '#59636e'
set label 'uring-multishot' at screen 0.25907,0.75276 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'uring-direct' at screen 0.25907,0.70015 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'epoll-oneshot (shared-set)' at screen 0.25907,0.64755 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'epoll-lt' at screen 0.25907,0.59494 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'select' at screen 0.25907,0.54233 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'poll' at screen 0.25907,0.48973 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'blocking' at screen 0.25907,0.43712 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'epoll-exclusive' at screen 0.25907,0.38452 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'epoll-et' at screen 0.25907,0.33191 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'epoll-et-exclusive' at screen 0.25907,0.27931 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'dispatcher (shared-set)' at screen 0.25907,0.22670 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'uring-single' at screen 0.25907,0.17410 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'uring-poll' at screen 0.25907,0.12149 right font 'sans-serif,13' textcolor rgb '#1f2329'
set label 'server CPU time per connection' at screen 0.26837,0.80912 left font 'sans-serif,13' textcolor rgb '#1f2329'
set label '11.0 µs' at screen 0.56442,0.75276 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '11.4 µs' at screen 0.56442,0.70015 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '12.1 µs' at screen 0.56442,0.64755 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '12.4 µs' at screen 0.56442,0.59494 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '12.9 µs' at screen 0.56442,0.54233 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '13.4 µs' at screen 0.56442,0.48973 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '13.9 µs' at screen 0.56442,0.43712 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '14.0 µs' at screen 0.56442,0.38452 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '15.1 µs' at screen 0.56442,0.33191 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '16.0 µs' at screen 0.56442,0.27931 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '16.5 µs' at screen 0.56442,0.22670 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '16.8 µs' at screen 0.56442,0.17410 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '17.0 µs' at screen 0.56442,0.12149 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '0' at screen 0.26837,0.06513 center font 'sans-serif,12' textcolor rgb '#59636e'
set label '10 µs' at screen 0.40252,0.06513 center font 'sans-serif,12' textcolor rgb '#59636e'
set label '20 µs' at screen 0.53667,0.06513 center font 'sans-serif,12' textcolor rgb '#59636e'
set lmargin at screen 0.26837
set rmargin at screen 0.55512
set tmargin at screen 0.77906
set bmargin at screen 0.09519
unset logscale x
set xrange [0:21374.73]
set xtics scale 0 ('' 0, '' 10000, '' 20000)
set grid xtics
unset logscale y
set yrange [13.5:0.5]
unset ytics
set grid noytics
plot data index 0 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#d55e00', \
     data index 1 using 1:2 with points pt 7 ps 0.75 lc rgb '#d55e00', \
     data index 2 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#d55e00', \
     data index 3 using 1:2 with points pt 7 ps 0.75 lc rgb '#d55e00', \
     data index 3 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 4 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#009e73', \
     data index 5 using 1:2 with points pt 7 ps 0.75 lc rgb '#009e73', \
     data index 6 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#0072b2', \
     data index 7 using 1:2 with points pt 7 ps 0.75 lc rgb '#0072b2', \
     data index 8 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#cc79a7', \
     data index 9 using 1:2 with points pt 7 ps 0.75 lc rgb '#cc79a7', \
     data index 10 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#cc79a7', \
     data index 11 using 1:2 with points pt 7 ps 0.75 lc rgb '#cc79a7', \
     data index 11 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 12 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#1f2328', \
     data index 13 using 1:2 with points pt 7 ps 0.75 lc rgb '#1f2328', \
     data index 14 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#0072b2', \
     data index 15 using 1:2 with points pt 7 ps 0.75 lc rgb '#0072b2', \
     data index 15 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 16 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#56b4e9', \
     data index 17 using 1:2 with points pt 7 ps 0.75 lc rgb '#56b4e9', \
     data index 18 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#56b4e9', \
     data index 19 using 1:2 with points pt 7 ps 0.75 lc rgb '#56b4e9', \
     data index 19 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 20 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#009e73', \
     data index 21 using 1:2 with points pt 7 ps 0.75 lc rgb '#009e73', \
     data index 21 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 22 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#e69f00', \
     data index 23 using 1:2 with points pt 7 ps 0.75 lc rgb '#e69f00', \
     data index 24 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#e69f00', \
     data index 25 using 1:2 with points pt 7 ps 0.75 lc rgb '#e69f00', \
     data index 25 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff'
unset label
unset arrow
unset object

set label 'system calls per connection' at screen 0.62488,0.80912 left font 'sans-serif,13' textcolor rgb '#1f2329'
set label '0.92' at screen 0.92093,0.75276 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '0.97' at screen 0.92093,0.70015 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '4.00' at screen 0.92093,0.64755 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '3.00' at screen 0.92093,0.59494 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '3.01' at screen 0.92093,0.54233 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '3.02' at screen 0.92093,0.48973 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '2.00' at screen 0.92093,0.43712 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '3.09' at screen 0.92093,0.38452 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '3.25' at screen 0.92093,0.33191 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '3.24' at screen 0.92093,0.27931 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '5.69' at screen 0.92093,0.22670 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '1.00' at screen 0.92093,0.17410 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '4.64' at screen 0.92093,0.12149 left font 'sans-serif,12' textcolor rgb '#1f2329'
set label '0' at screen 0.62488,0.06513 center font 'sans-serif,12' textcolor rgb '#59636e'
set label '2' at screen 0.72032,0.06513 center font 'sans-serif,12' textcolor rgb '#59636e'
set label '4' at screen 0.81575,0.06513 center font 'sans-serif,12' textcolor rgb '#59636e'
set lmargin at screen 0.62488
set rmargin at screen 0.91163
set tmargin at screen 0.77906
set bmargin at screen 0.09519
unset logscale x
set xrange [0:6.009173]
set xtics scale 0 ('' 0, '' 2, '' 4)
set grid xtics
unset logscale y
set yrange [13.5:0.5]
unset ytics
set grid noytics
plot data index 26 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#d55e00', \
     data index 27 using 1:2 with points pt 7 ps 0.75 lc rgb '#d55e00', \
     data index 28 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#d55e00', \
     data index 29 using 1:2 with points pt 7 ps 0.75 lc rgb '#d55e00', \
     data index 29 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 30 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#009e73', \
     data index 31 using 1:2 with points pt 7 ps 0.75 lc rgb '#009e73', \
     data index 32 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#0072b2', \
     data index 33 using 1:2 with points pt 7 ps 0.75 lc rgb '#0072b2', \
     data index 34 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#cc79a7', \
     data index 35 using 1:2 with points pt 7 ps 0.75 lc rgb '#cc79a7', \
     data index 36 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#cc79a7', \
     data index 37 using 1:2 with points pt 7 ps 0.75 lc rgb '#cc79a7', \
     data index 37 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 38 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#1f2328', \
     data index 39 using 1:2 with points pt 7 ps 0.75 lc rgb '#1f2328', \
     data index 40 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#0072b2', \
     data index 41 using 1:2 with points pt 7 ps 0.75 lc rgb '#0072b2', \
     data index 41 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 42 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#56b4e9', \
     data index 43 using 1:2 with points pt 7 ps 0.75 lc rgb '#56b4e9', \
     data index 44 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#56b4e9', \
     data index 45 using 1:2 with points pt 7 ps 0.75 lc rgb '#56b4e9', \
     data index 45 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 46 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#009e73', \
     data index 47 using 1:2 with points pt 7 ps 0.75 lc rgb '#009e73', \
     data index 47 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff', \
     data index 48 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#e69f00', \
     data index 49 using 1:2 with points pt 7 ps 0.75 lc rgb '#e69f00', \
     data index 50 using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.25 noborder fc rgb '#e69f00', \
     data index 51 using 1:2 with points pt 7 ps 0.75 lc rgb '#e69f00', \
     data index 51 using 1:2 with points pt 7 ps 0.375 lc rgb '#ffffff'
unset label
unset arrow
unset object

unset multiplot
unset output
