"""Runs the checks of this folder on the tree: python3 tests/tidy/run.py [NAME...].

A check is a module check_NAME.py with check(root), which returns one line for each problem.
"""
import importlib
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def self_test() -> bool:
    suite = unittest.defaultTestLoader.discover(str(HERE), pattern="test_*.py")
    return unittest.TextTestRunner(verbosity=0).run(suite).wasSuccessful()


def run(name: str) -> bool:
    problems = importlib.import_module(f"check_{name}").check(ROOT)
    for line in problems:
        print(line)
    print(f"tidy {name}: {len(problems)} problem(s)")
    return not problems


def main(names: list[str]) -> int:
    everything = sorted(p.stem.removeprefix("check_") for p in HERE.glob("check_*.py"))
    unknown = set(names) - set(everything) - {"self"}
    if unknown:
        print(f"tidy: no check {', '.join(sorted(unknown))}; there are {', '.join(everything)}, self")
        return 2
    outcomes = [self_test() if name == "self" else run(name) for name in names or ["self", *everything]]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main(sys.argv[1:]))
