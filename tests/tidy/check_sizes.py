"""Functions over 70 lines and files over 800. In a test, a table of rows counts as one line.

An exception is a comment "SIZE: reason" on the line above the function, or in the first five lines
of the file. The run lists them.
"""
import ast
import pathlib
import re
from collections.abc import Iterator

import tree

MAX_FUNCTION_LINES = 70
MAX_FILE_LINES = 800
FILE_SUFFIXES = (".h", ".cc", ".py", ".sh", ".js", ".ts", ".css", ".html", ".cmake", ".proto")
PLAIN_NAMES = {"x", "CMakeLists.txt"}
MARK = re.compile(r"(?://|#) SIZE: (\S.*)")
MARK_LINES = 5

Function = tuple[str, int, int]  # Name, first line, last line (less what does not count).

SCOPE = re.compile(r'^\s*(?:\[\[.*?\]\]\s*)?(?:inline\s+)?(?:namespace\b|extern\s*"")|'
                   r"^[^()=]*\b(?:class|struct|union|enum)\b(?:[^()]|\([^()]*\))*$", re.S)
NAME = re.compile(r"([\w:~]+|operator\s*\S+?)\s*\(", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
TEMPLATE = re.compile(r"^\s*template\s*<")


def skip_template(head: str) -> str:
    """The head without its leading `template <...>`, whose `class T` is not a class."""
    while TEMPLATE.match(head):
        depth, at = 0, head.index("<")
        for at in range(at, len(head)):
            depth += {"<": 1, ">": -1}.get(head[at], 0)
            if depth == 0:
                break
        head = head[at + 1 :]
    return head


def has_top_level_assignment(head: str) -> bool:
    depth = 0
    for i, c in enumerate(head):
        depth += c in "([<"
        depth -= c in ")]>" and depth > 0
        if c == "=" and depth == 0 and "operator" not in head[:i]:
            return True
    return False


def classify(head: str) -> str:
    """What a brace at namespace or class level opens: "scope", "function" or "value"."""
    head = skip_template(head)
    if has_top_level_assignment(head):
        return "value"
    if SCOPE.search(head):
        return "scope"
    return "function" if "(" in head else "value"


def table_lines(body: str) -> int:
    """The lines that the tables in a function have beyond their first."""
    return sum(
        body.count("\n", match.end(), matching(body, match.end() - 1))
        for match in re.finditer(r"\[\]\s*=\s*\{", body)
    )


def matching(text: str, at: int) -> int:
    """The index of the bracket that closes the one at `at`, or the end of the text."""
    pair = {"{": "}", "(": ")"}[text[at]]
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == text[at]) - (text[i] == pair)
        if depth == 0:
            return i
    return len(text)


def cpp_functions(text: str, tables_count: bool) -> Iterator[Function]:
    code = DIRECTIVE.sub(lambda m: "\n" * m[0].count("\n"), tree.blank(text))
    start = at = 0  # `start` is where the head of the next declaration begins.
    while at < len(code):
        c = code[at]
        if c == "(":
            at = matching(code, at)
        elif c in ";}":
            start = at + 1
        elif c == "{":
            head = code[start:at]
            kind = classify(head)
            if kind == "scope":
                start = at + 1
            else:
                at = matching(code, at)
                # The braces of a constructor's initialisers are followed by more of it.
                while kind == "function" and (more := re.match(r"\s*(,[^;{}]*)?\{", code[at + 1 :])):
                    at = matching(code, at + more.end())
                if kind == "function":
                    name = NAME.search(skip_template(head))
                    first = start + len(head) - len(head.lstrip())
                    rows = 0 if tables_count else table_lines(code[first:at])
                    yield (name[1] if name else "?", code.count("\n", 0, first) + 1,
                           code.count("\n", 0, at) + 1 - rows)
                    start = at + 1
        at += 1


def python_functions(text: str) -> Iterator[Function]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno or node.lineno


def shell_functions(text: str) -> Iterator[Function]:
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if opening := re.match(r"(\s*)([\w-]+)\(\) [{(]$", line):
            closing = {opening[1] + "}", opening[1] + ")"}
            last = next((n for n in range(number, len(lines)) if lines[n] in closing), number)
            yield opening[2], number, last + 1


def functions(file: pathlib.Path, text: str) -> Iterator[Function]:
    if file.suffix in tree.CPP:
        return cpp_functions(text, tables_count=not file.name.endswith("_test.cc"))
    if file.suffix == ".py":
        return python_functions(text)
    if file.suffix == ".sh" or file.name == "x":
        return shell_functions(text)
    return iter(())


def judge(root: pathlib.Path) -> tuple[list[str], list[str]]:
    """Problems, and the exceptions with their reasons."""
    problems, exceptions = [], []
    for file in tree.files(root):
        if file.suffix not in FILE_SUFFIXES and file.name not in PLAIN_NAMES:
            continue
        where, text = file.relative_to(root).as_posix(), file.read_text()
        lines = text.splitlines()

        def note(what: str, marked: list[str]) -> None:
            reasons = [m[1] for m in map(MARK.search, marked) if m]
            if reasons:
                exceptions.append(f"{what} (allowed: {reasons[0]})")
            else:
                problems.append(what)

        if len(lines) > MAX_FILE_LINES:
            note(f"{where}: {len(lines)} lines, over {MAX_FILE_LINES}", lines[:MARK_LINES])
        for name, first, last in functions(file, text):
            if (length := last - first + 1) > MAX_FUNCTION_LINES:
                above = lines[first - 2 : first - 1]
                note(f"{where}:{first}: {name} has {length} lines, over {MAX_FUNCTION_LINES}", above)
    return problems, exceptions


def check(root: pathlib.Path) -> list[str]:
    problems, exceptions = judge(root)
    for line in exceptions:
        print(line)
    return problems
