#!/bin/sh
# style.sh FILE...: no function over 70 lines, no line over 100 columns, no tab, no banned call.
awk '
FNR == 1 { depth = 0 }
/\t/ { print FILENAME ":" FNR ": tab"; bad = 1 }
length($0) > 100 { print FILENAME ":" FNR ": longer than 100 columns"; bad = 1 }
/(^|[^a-z_])(strcpy|strcat|sprintf|vsprintf|gets|gmtime|localtime|strtok|alloca)\(/ {
    print FILENAME ":" FNR ": banned call"; bad = 1
}
FILENAME !~ /^tests\// && /^\{/ { start = FNR }
FILENAME !~ /^tests\// && /^\}/ {
    if (start && FNR - start > 71) { print FILENAME ":" start ": function of " FNR - start - 1 " lines; 70 is the limit"; bad = 1 }
    start = 0
}
END { if (bad) exit 1; print "style: " NR " lines" }
' "$@"
