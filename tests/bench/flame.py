#!/usr/bin/env python3
"""Draw a flame graph: perf script | flame.py BUILD TITLE FUNCTION > figure.svg

Reads the stacks of `perf script`. Each box is a function; its width is the share of samples in
which it was on the stack, its place is above its caller. Stacks are cut so that they begin at
FUNCTION; samples without it are left out, and their share is said under the title. Boxes narrower
than a quarter of a percent are not drawn. Hovering tells a box's name and share. Colours are the
folders of the sources, by the object files below the folder BUILD.
"""
import glob
import html
import re
import subprocess
import sys

WIDTH, ROW, LEAST = 1200, 17, 0.0025
ROOMS = (  # the first that the folder of a function's object file begins with
    ("scheduler/placement", "#4c9f70"), ("scheduler/model", "#8cc9a5"), ("scheduler/core", "#cf6a5c"),
    ("scheduler/agent", "#5b8bd0"), ("sim/fleet", "#8fb6e3"), ("sim/engine", "#d98032"),
    ("sim/run", "#d9b93a"), ("sim/audit", "#b07cc6"), ("sim/world", "#c99a7a"),
)
OTHER = "#b9b9b0"



def stacks(lines, root):
    """Each sample as a list of functions from `root` to the leaf; None where it lacks the root."""
    stack = []
    for line in lines:
        if not line.strip():
            if stack:
                stack.reverse()
                yield stack[stack.index(root):] if root in stack else None
            stack = []
        elif line[0] in "\t ":
            found = re.match(r"\s+[0-9a-f]+ (.+?)(\+0x[0-9a-f]+)? \(", line)
            name = found.group(1) if found else "?"
            stack.append(re.sub(r"\.(isra|part|constprop|cold)\b.*", "", name))


def add(tree, stack):
    tree["count"] += 1
    for name in stack:
        tree = tree["calls"].setdefault(name, {"count": 0, "calls": {}})
        tree["count"] += 1


def colours(build):
    """Function to colour, by the symbols of the object files below the build folder."""
    found = {}
    for room, value in ROOMS:
        files = glob.glob(f"{build}/{room}/**/*.o", recursive=True)
        listed = subprocess.run(["nm", *files], capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines():
            fields = line.split()
            if len(fields) == 3 and fields[1] in "tT":
                found.setdefault(re.sub(r"\.(isra|part|constprop|cold)\b.*", "", fields[2]), value)
    return found


def legend():
    x = 760
    for room, value in ROOMS:
        name = room.split("/")[1]
        print(f'<rect x="{x}" y="9" width="9" height="9" fill="{value}"/>'
              f'<text x="{x + 12}" y="18" font-size="9">{name}</text>')
        x += 20 + 5.2 * len(name)


def draw(tree, total, left, level, boxes):
    """Boxes as (level, left, width, name, share); returns the highest level."""
    top = level
    for name, call in sorted(tree["calls"].items()):
        share = call["count"] / total
        if share >= LEAST:
            boxes.append((level, left, share * WIDTH, name, share))
            top = max(top, draw(call, total, left, level + 1, boxes))
        left += share * WIDTH
    return top


def main():
    build, title, root = sys.argv[1:4]
    tree, outside = {"count": 0, "calls": {}}, 0
    for stack in stacks(list(sys.stdin) + [""], root):
        if stack is None:
            outside += 1
        else:
            add(tree, stack)
    if tree["count"] == 0:
        sys.exit(f"flame.py: no sample has {root} on its stack; was it built with frame pointers?")
    boxes, colour_of = [], colours(build)
    top = draw(tree, tree["count"], 0, 0, boxes)
    height = (top + 1) * ROW + 50
    share_outside = outside / (outside + tree["count"])
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
          f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11">')
    print('<rect width="100%" height="100%" fill="#ffffff"/>')
    print(f'<text x="8" y="18" font-size="14">{html.escape(title)}</text>')
    print(f'<text x="8" y="34" fill="#666666">{tree["count"]} samples of processor time; '
          f'{share_outside:.1%} outside {root} left out</text>')
    legend()
    for level, left, width, name, share in boxes:
        y = height - (level + 1) * ROW - 4
        label = name if len(name) * 6.2 < width - 4 else name[:max(0, int((width - 10) / 6.2))]
        print(f'<g><title>{html.escape(name)}: {share:.1%}</title>'
              f'<rect x="{left:.1f}" y="{y}" width="{max(width - 0.5, 0.3):.1f}" '
              f'height="{ROW - 1}" fill="{colour_of.get(name, OTHER)}"/>'
              f'<text x="{left + 3:.1f}" y="{y + 12}">'
              f'{html.escape(label) if len(label) > 2 else ""}</text></g>')
    print("</svg>")


main()
