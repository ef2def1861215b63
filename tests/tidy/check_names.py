"""Names, words and constructs that style refuses: names that say nothing, comments that tell history,
hidden state, exceptions, owning pointers, sleeps and skips in tests, unordered iteration in core."""
import pathlib
import re
from collections.abc import Iterator

import check_sizes
import tree

EMPTY_NAMES = {"util", "utils", "common", "helper", "helpers", "misc", "manager"}
LIBRARY_NAMES = {"common_type_t", "common_reference_t"}
SOURCES = ("src", "tests", "bench", "packaging", "web")
IDENTIFIER = re.compile(r"(?<![\w:.>])[A-Za-z_]\w+")  # Not behind `::`, `.` or `->`: those may be others'.
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

HISTORY = re.compile(
    r"\bFIXME\b|\bXXX\b|\bTODO\b(?!\(#\d+\))|\bno longer\b(?! than\b)|\bpreviously\b", re.I
)
SCRIPT_COMMENT = re.compile(r"(?:^|\s)#(?!!)(.*)$", re.M)
SCRIPTS = (".py", ".sh", ".cmake")
SCRIPT_NAMES = {"CMakeLists.txt", "x", "packages.txt"}

# In src only.
BANNED_CODE = [
    (re.compile(r"\bthrow\b(?!\s*\()"), "errors are values; the wrapper of a library catches"),
    (re.compile(r"(?<!operator )\bnew\b(?!\s*>)"), "own through values and unique_ptr"),
    (re.compile(r"(?<!operator )(?<!= )(?<!=)\bdelete\b"), "own through values and unique_ptr"),
]
# A private constructor is out of make_unique's reach.
OWNED_NEW = re.compile(r"unique_ptr<[\w:]+>(\s+\w+)?\((?=new\b)new\b")
# In tests only.
BANNED_TEST = [
    (re.compile(r"\bGTEST_SKIP\b|\bDISABLED_\w"), "a test that does not run proves nothing"),
    (re.compile(r"\bsleep_(for|until)\b|\bu?sleep\s*\("), "simulated time, or waiting for a condition"),
]
SHELL_SLEEP = re.compile(r"^\s*sleep\b", re.M)
# In a shell of its own, without pipefail, it is right; so it is in the guests of kernel_*.sh.
CUT_OFF = re.compile(r"^(?!.*\b(?:ba)?sh -c)[^#\n]*\| grep -q", re.M)
GUEST = re.compile(r"tests/netns/kernel_\w+\.sh")
# What others wait with.
MAY_SLEEP = {"tests/netns/lib.sh", "tests/kernel-peer.sh", "tests/unit/os/private_network.h"}

STATIC = re.compile(r"\b(?:static|thread_local)\b([^;={(]*)([;={(])")
IMMUTABLE = re.compile(r"\b(const|constexpr)\b")
NOT_AN_OBJECT = re.compile(
    r"\b(using|typedef|extern|class|struct|union|enum|template|friend|static_assert|namespace|"
    r"concept|operator|constexpr|const)\b"
)
UNORDERED = re.compile(r"\bunordered_(?:multi)?(?:map|set)\s*<")


def line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def is_empty_name(name: str) -> bool:
    """Whether a type or file has such a word in its name, or anything else has it for its noun."""
    parts = [part.lower() for part in PART.findall(name)]
    if name in LIBRARY_NAMES or not parts or parts == ["common"]:
        return False  # A common prefix may be called that.
    return parts[-1] in EMPTY_NAMES or (name[0].isupper() and not EMPTY_NAMES.isdisjoint(parts))


def name_problems(where: str, code: str) -> Iterator[str]:
    seen = set()
    for match in IDENTIFIER.finditer(code):
        if match[0] not in seen and is_empty_name(match[0]):
            seen.add(match[0])
            yield f"{where}:{line_of(code, match.start())}: \"{match[0]}\" says nothing; find the noun"


def history_problems(where: str, text: str, is_cpp: bool) -> Iterator[str]:
    if is_cpp:
        comments = tree.comments(text)
    else:
        comments = ((line_of(text, m.start(1)), m[1]) for m in SCRIPT_COMMENT.finditer(text))
    for line, comment in comments:
        if word := HISTORY.search(comment):
            yield f"{where}:{line}: \"{word[0]}\" in a comment: say what is, or open an issue: TODO(#1)"


def namespace_level(code: str) -> Iterator[tuple[int, str]]:
    """Declarations outside classes and functions: where each begins, and its text."""
    start = at = 0
    while at < len(code):
        c = code[at]
        if c == "(":
            at = check_sizes.matching(code, at)
        elif c == "{":
            if re.search(r"\b(namespace|extern)\b", code[start:at]):
                start = at + 1
            else:
                at = check_sizes.matching(code, at)
        elif c == "}":
            start = at + 1
        elif c == ";":
            yield start, code[start:at]
            start = at + 1
        at += 1


def state_problems(where: str, code: str) -> Iterator[str]:
    for match in STATIC.finditer(code):
        if match[2] != "(" and not IMMUTABLE.search(match[1]):
            yield f"{where}:{line_of(code, match.start())}: mutable static: state belongs to an object"
    for start, text in namespace_level(code):
        declared = re.sub(r"^(\s*[A-Z][A-Z_0-9]+\([^()]*\))+", "", text)  # Macros without a semicolon.
        if not declared.strip() or NOT_AN_OBJECT.search(declared) or re.search(r"\b(static|thread_local)\b", declared):
            continue
        head = declared.split("=")[0].split("{")[0]
        if "(" not in head and re.search(r"\w[\s*&>]+\w+\s*(\[[^]]*\])?\s*$", head):
            at = start + len(text) - len(text.lstrip())
            yield f"{where}:{line_of(code, at)}: mutable global: state belongs to an object"


def unordered_names(code: str) -> set[str]:
    """Variables and members declared with an unordered type."""
    names = set()
    for match in UNORDERED.finditer(code):
        depth, at = 1, match.end()
        while at < len(code) and depth:
            depth += (code[at] == "<") - (code[at] == ">")
            at += 1
        if name := re.match(r"[\s&]*(\w+)\s*[;={)]", code[at:]):
            names.add(name[1])
    return names


def iteration_problems(where: str, code: str, names: set[str]) -> Iterator[str]:
    for name in sorted(names):
        pattern = rf"for\s*\([^;{{}}]*:\s*[\w.>-]*\b{name}\s*\)|\b{name}\s*\.\s*c?begin\s*\("
        for match in re.finditer(pattern, code):
            yield (f"{where}:{line_of(code, match.start())}: iterates {name}, which has no order: the "
                   "same seed would not give the same bytes")


def cpp_problems(file: pathlib.Path, where: str, text: str) -> Iterator[str]:
    code = check_sizes.DIRECTIVE.sub(lambda m: "\n" * m[0].count("\n"), tree.blank(text))
    yield from name_problems(where, code)
    in_src = where.startswith("src/")
    for pattern, reason in BANNED_CODE if in_src else [] if where in MAY_SLEEP else BANNED_TEST:
        for match in pattern.finditer(OWNED_NEW.sub("", code)):
            yield f"{where}: {match[0]}: {reason}"
    if in_src:
        yield from state_problems(where, code)
    if where.startswith("src/core/"):
        header = file.with_suffix(".h")
        names = unordered_names(code) | (
            unordered_names(tree.blank(header.read_text())) if header.exists() else set()
        )
        yield from iteration_problems(where, code, names)


def shell_problems(where: str, text: str) -> Iterator[str]:
    if where not in MAY_SLEEP and SHELL_SLEEP.search(text):
        yield f"{where}: sleep: poll for a condition (eventually, wait_for)"
    for match in [] if GUEST.match(where) else CUT_OFF.finditer(text):
        yield f"{where}:{line_of(text, match.start())}: | grep -q cuts its writer off: | finds"


def check(root: pathlib.Path) -> list[str]:
    problems = []
    for file in tree.files(root):
        where = file.relative_to(root).as_posix()
        if where.startswith(SOURCES) and is_empty_name(file.stem):
            problems.append(f"{where}: \"{file.stem}\" says nothing; find the noun")
        is_cpp = file.suffix in tree.CPP
        if is_cpp or file.suffix in SCRIPTS or file.name in SCRIPT_NAMES:
            text = file.read_text()
            problems += history_problems(where, text, is_cpp)
            if is_cpp:
                problems += cpp_problems(file, where, text)
            elif file.suffix == ".sh":
                problems += shell_problems(where, text)
    return problems
