#!/bin/sh
# layers.sh: every #include "..." goes downwards in layers.txt.
awk '
FILENAME ~ /layers.txt$/ {
    if ($0 ~ /^#/ || NF < 2) next
    layer[$2] = $1
    for (i = 4; i <= NF; i++) also[$2 " " $i] = 1
    next
}
FNR == 1 { from = FILENAME; sub(/\/[^\/]*$/, "", from) }
/^#include "/ {
    target = $2; gsub(/"/, "", target)
    if (target == "build_id.h") next
    to = target; sub(/\/[^\/]*$/, "", to)
    if (!(from in layer)) { print FILENAME ": folder is not in layers.txt"; bad = 1; next }
    if (!(to in layer)) { print FILENAME ": includes " target ", whose folder is not in layers.txt"; bad = 1; next }
    if (to != from && layer[to] + 0 >= layer[from] + 0 && !((from " " to) in also)) {
        print FILENAME ":" FNR ": includes " target ", which is not below it"; bad = 1
    }
}
END { if (bad) exit 1; print "layers: every include goes downwards" }
' "$(dirname "$0")/layers.txt" $(find scheduler sim -name '*.[ch]' | sort)
