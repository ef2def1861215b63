"""Compares the program's verb table with the README's, and with the page that documents each verb:
python3 tests/tidy/compare_verbs.py PROGRAM [--write]

--write puts the program's table into the README.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BLOCK = re.compile(r"(<!-- verbs[^>]*-->\n).*?(<!-- /verbs -->)", re.S)


def table(verbs: list[dict]) -> str:
    rows = ["| verb | what it does | documented in |", "| --- | --- | --- |"]
    for verb in verbs:
        rows.append(f"| `ginnel {verb['name']}` | {verb['summary']} | [{verb['page']}]({verb['page']}) |")
    return "\n".join(rows) + "\n"


def page_problems(root: pathlib.Path, verb: dict) -> list[str]:
    page = root / verb["page"]
    if not page.exists():
        return [f"{verb['page']}: missing; it documents \"ginnel {verb['name']}\""]
    text = page.read_text()
    wanted = [f"ginnel {verb['name']}", *(flag["name"] for flag in verb["flags"])]
    return [
        f"{verb['page']}: does not say {name}, of \"ginnel {verb['name']}\""
        for name in wanted
        if not re.search(re.escape(name) + r"(?![\w-])", text)
    ]


def compare(root: pathlib.Path, verbs: list[dict]) -> list[str]:
    problems = [problem for verb in verbs for problem in page_problems(root, verb)]
    block = BLOCK.search((root / "README.md").read_text())
    if block is None:
        problems.append("README.md: no table between <!-- verbs --> and <!-- /verbs -->")
    elif block[0] != block[1] + table(verbs) + block[2]:
        problems.append("README.md: the table differs from the program's; put that in with "
                        "\"python3 tests/tidy/compare_verbs.py PROGRAM --write\"")
    return problems


def main(program: str, *options: str) -> int:
    shown = subprocess.run([program, "help", "--json"], check=True, capture_output=True, text=True)
    verbs = json.loads(shown.stdout)["verbs"]
    if "--write" in options:
        readme = ROOT / "README.md"
        readme.write_text(BLOCK.sub(lambda m: m[1] + table(verbs) + m[2], readme.read_text()))
    problems = compare(ROOT, verbs)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
