#!/usr/bin/env python3
"""run.py [NAME...]: plant each mutant of mutants.txt in a copy of the tree; one that lives fails.

The copy is build/mutants/tree. It is built once; each mutant then builds what it changes, runs the
tests it names and, when they pass, a short explore. Stale mutants (their text is not there, or not
once) fail before anything is built.
"""
import filecmp
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TREE = os.path.join(ROOT, "build", "mutants", "tree")
JOBS = str(os.cpu_count() or 2)
PARTS = ("Makefile", ".ci", "scheduler", "sim", "tests", "scenarios", "results/baselines")


def read_mutants(path):
    mutants, block, key = [], None, None
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        if key in ("old", "new"):
            if line == "new\n" and key == "old":
                key = "new"
            elif line == "end\n" and key == "new":
                mutants.append(block)
                key = None
            else:
                block[key] += line
        elif line.startswith("mutant "):
            name, what = line[len("mutant "):].rstrip("\n").split(": ", 1)
            block = {"name": name, "what": what, "old": "", "new": "", "tests": [],
                     "explore": ["--seeds", "300"]}
        elif line.startswith("file "):
            block["file"] = line.split()[1]
        elif line.startswith(("tests ", "explore ")):
            block[line.split()[0]] = line.split()[1:]
        elif line == "old\n":
            key = "old"
        elif line.strip() and not line.startswith("#"):
            sys.exit(f"{path}:{number}: not understood: {line.rstrip()}")
    return mutants


def planted(mutant):
    """The file with the mutant in it, or None when it is stale. The last line may be cut short."""
    text = open(os.path.join(ROOT, mutant["file"]), encoding="utf-8").read()
    if text.count(mutant["old"][:-1]) != 1:
        return None
    return text.replace(mutant["old"][:-1], mutant["new"][:-1])


def copy_file(path):
    """Only when it differs: what was built of it stays good."""
    source, target = os.path.join(ROOT, path), os.path.join(TREE, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
        shutil.copy(source, target)


def copy_tree():
    kept = set()
    for part in PARTS:
        if os.path.isfile(os.path.join(ROOT, part)):
            kept.add(part)
        for folder, _, names in os.walk(os.path.join(ROOT, part)):
            kept.update(os.path.relpath(os.path.join(folder, n), ROOT) for n in names)
    for path in kept:
        copy_file(path)
    for folder, _, names in os.walk(TREE):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), TREE)
            if path not in kept and not path.startswith("build" + os.sep):
                os.remove(os.path.join(TREE, path))


def build(targets):
    done = subprocess.run(["make", "--no-print-directory", "-s", "-j" + JOBS, "OPT=-O1", "WARN=-w",
                           *["build/" + t for t in targets]], cwd=TREE, capture_output=True,
                          text=True)
    return done.returncode == 0, done.stderr


def passes(command, seconds):
    try:
        return subprocess.run(command, cwd=TREE, capture_output=True, timeout=seconds).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def catcher(mutant):
    """Who notices; None: nobody does."""
    targets = ["tests/" + t for t in mutant["tests"]]
    is_built, errors = build(["berth"] + targets)
    if not is_built:
        sys.exit(f"{mutant['name']} does not build; mend it:\n{errors}")
    for test in mutant["tests"]:
        if not passes(["build/tests/" + test], 120):
            return test
    if not passes(["build/berth", "explore", "--quiet", *mutant["explore"]], 300):
        return "explore " + " ".join(mutant["explore"])
    return None


def main():
    mutants = read_mutants(os.path.join(ROOT, "tests", "mutants", "mutants.txt"))
    if len(sys.argv) > 1:
        mutants = [m for m in mutants if m["name"] in sys.argv[1:]]
    stale = [m for m in mutants if planted(m) is None]
    for mutant in stale:
        print(f"stale: {mutant['name']}: its text is not in {mutant['file']}, or not once")
    if stale or not mutants:
        sys.exit(1)
    began = time.time()
    copy_tree()
    tests = sorted({t for m in mutants for t in m["tests"]})
    is_built, errors = build(["berth"] + ["tests/" + t for t in tests])
    if not is_built:
        sys.exit("the tree itself does not build:\n" + errors)
    broken = [t for t in tests if not passes(["build/tests/" + t], 300)]
    if not passes(["build/berth", "explore", "--quiet", "--seeds", "300"], 300):
        broken.append("explore --seeds 300")
    if broken:
        sys.exit("fails without any mutant: " + ", ".join(broken))
    print(f"built and sound without mutants: {time.time() - began:.0f} s", flush=True)
    print(f"{'mutant':28} {'caught by':44} {'s':>5}", flush=True)
    alive = 0
    for mutant in mutants:
        path = os.path.join(TREE, mutant["file"])
        before = time.time()
        with open(path, "w", encoding="utf-8") as out:
            out.write(planted(mutant))
        who = catcher(mutant)
        shutil.copyfile(os.path.join(ROOT, mutant["file"]), path)
        alive += who is None
        print(f"{mutant['name']:28} {who or 'NOBODY: ' + mutant['what']:44} "
              f"{time.time() - before:5.1f}", flush=True)
    print(f"{len(mutants) - alive} caught, {alive} alive, {time.time() - began:.0f} s")
    sys.exit(alive > 0)


main()
