"""The way of a packet over 1,500 lines, or longer than docs/architecture.md says.

The document names the files in the order in which they are read, and for some the function from
which on, or of which alone, the way leads through them. Comments and blank lines do not count.
"""
import pathlib
import re
from collections.abc import Iterator

import tree
from check_sizes import cpp_functions

DOCUMENT = "docs/architecture.md"
MAX_LINES = 1500
SLACK = 20  # Lines by which the document's number may be off.
PASSAGE = re.compile(r"^Read in this order it is .*?\.(?:\n\n|\Z)", re.M | re.S)
SAID = re.compile(r"([\d,]+) lines")
PART = re.compile(r"`([\w/]+\.(?:cc|h))`(?: \((from )?`(\w+)`\))?")


def code_lines(text: str) -> int:
    return sum(1 for line in tree.blank(text).splitlines() if line.strip())


def part_of(text: str, since: bool, function: str) -> str | None:
    """The text of a function, or from it on; all of it when none is named."""
    if not function:
        return text
    lines = text.splitlines()
    for name, first, last in cpp_functions(text, tables_count=True):
        if name.split("::")[-1] == function:
            return "\n".join(lines[first - 1 : None if since else last])
    return None


def parts(root: pathlib.Path, passage: str) -> Iterator[tuple[str, str | None]]:
    for path, since, function in PART.findall(passage):
        file = root / "src" / path
        yield path, part_of(file.read_text(), bool(since), function) if file.exists() else None


def check(root: pathlib.Path) -> list[str]:
    passage = PASSAGE.search((root / DOCUMENT).read_text())
    if passage is None:
        return [f"{DOCUMENT}: does not name the files that are the way of a packet"]
    problems, total = [], 0
    for path, text in parts(root, passage[0]):
        if text is None:
            problems.append(f"{DOCUMENT}: {path} is not there, or not what it says of it")
        else:
            total += code_lines(text)
    said = SAID.search(passage[0])
    if total > MAX_LINES:
        problems.append(f"{DOCUMENT}: the way of a packet has {total} lines, over {MAX_LINES}")
    elif said is None or abs(int(said[1].replace(",", "")) - total) > SLACK:
        problems.append(f"{DOCUMENT}: says another length of the way of a packet than {total} lines")
    return problems
