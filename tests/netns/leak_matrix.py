#!/usr/bin/env python3
"""Whether certificates of `ginnel killswitch test --json` prove all that they are to prove.

  leak_matrix.py CERTIFICATE...     prints a table of classes; fails, naming the cell, when one is
                                    missing or did not pass
"""
import collections
import json
import sys

# Those that no packet can show; the certificate says why.
UNTESTED = {"L2", "L17", "L23", "L26", "L27", "L28", "L31"}
# Where a class is nothing of one family or side: ARP and broadcast aside, all the others are both.
ONE_FAMILY = {"L9": "v6", "L6": "v4"}
FROM_HOST_ALONE = {"L4", "L6", "L12", "L14", "L18", "L19", "L20", "L24"}
FROM_OUTSIDE_ALONE = {"L22", "L30"}
FROM_MEMBERS_ALONE = {"L21"}
FROM_MEMBERS_AND_OUTSIDE = {"L25"}


def origins(leak_class):
    if leak_class in FROM_OUTSIDE_ALONE:
        return ["outside"]
    if leak_class in FROM_MEMBERS_AND_OUTSIDE:
        return ["outside", "forwarded", "container"]
    if leak_class in FROM_MEMBERS_ALONE:
        return ["forwarded", "container"]
    return ["local"] if leak_class in FROM_HOST_ALONE else ["local", "forwarded", "container"]


def main(paths):
    passed = collections.Counter()
    problems = []
    tried = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            certificate = json.load(file)
        tried += certificate["tried"]
        if certificate["verdict"] != "passed" or certificate["escaped"] != 0:
            problems.append(f"{path}: {certificate['verdict']}, {certificate['escaped']} escaped")
        for check in certificate["checks"]:
            if check["verdict"] != "passed":
                problems.append(f"{path}: {check['name']}: {check['detail']}")
        problems += [f"{path}: unexpected frame: {stray}" for stray in certificate["strays"]]
        for cell in certificate["cells"]:
            where = (cell["leak_class"], cell["family"], cell["origin"])
            if cell["verdict"] == "passed" and cell["tried"] > 0 and cell["escaped"] == 0:
                passed[where] += 1
            elif cell["verdict"] != "skipped" or not cell["reason"]:
                problems.append(f"{path}: {cell}")
    if len(paths) > 1:
        for number in range(1, 32):
            leak_class = f"L{number}"
            if leak_class in UNTESTED:
                continue
            for family in ("v4", "v6"):
                if ONE_FAMILY.get(leak_class, family) != family:
                    continue
                for origin in origins(leak_class):
                    if not passed[leak_class, family, origin]:
                        problems.append(f"no cell of {leak_class}, {family}, {origin} passed")
    for (leak_class, family, origin), count in sorted(passed.items(), key=lambda i: int(i[0][0][1:])):
        print(f"{leak_class:4} {family} {origin:10} {count:6} cells passed")
    print(f"{tried} packets tried")
    print("\n".join(problems[:40]), file=sys.stderr)
    return bool(problems)


sys.exit(main(sys.argv[1:]))
