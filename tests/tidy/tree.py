"""The files that the checks look at, and C++ text without its comments and strings."""
import pathlib
import re
from collections.abc import Iterator

SKIPPED = {".git", ".cache", "build", "node_modules", "__pycache__"}
CPP = (".h", ".cc")


def files(root: pathlib.Path, *folders: str, suffixes: tuple[str, ...] = ()) -> Iterator[pathlib.Path]:
    """Files below the folders of `root` (all of it when none is named), sorted."""
    found = []
    for start in [root / f for f in folders] or [root]:
        found += [p for p in start.rglob("*") if p.is_file()]
    for path in sorted(found):
        if SKIPPED.isdisjoint(path.relative_to(root).parts) and (
            not suffixes or path.suffix in suffixes
        ):
            yield path


TOKEN = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""",
    re.X | re.S,
)


def blank(text: str) -> str:
    """The same text, line for line, with comments gone and literals emptied."""

    def replacement(match: re.Match) -> str:
        token = match[0]
        lines = "\n" * token.count("\n")
        return lines if token.startswith("/") else '""' + lines

    return TOKEN.sub(replacement, text)


def comments(text: str) -> Iterator[tuple[int, str]]:
    """Line number and text of every comment."""
    for match in TOKEN.finditer(text):
        if match[0].startswith("/"):
            yield text.count("\n", 0, match.start()) + 1, match[0]
