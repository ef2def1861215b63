"""Files that nothing builds, includes, runs or links to, and links that lead nowhere."""
import os
import pathlib
import re
from collections.abc import Iterator

import tree

INCLUDE = re.compile(r'^ *# *include "([^"]+)"', re.M)
LINK = re.compile(r"\]\(([^)\s]+)\)|<img[^>]* src=\"([^\"]+)\"")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
HEADING = re.compile(r"^#+ +(.*)$", re.M)
ENTRY_PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
SHELL_LIBRARIES = {"lib.sh", "cage_lib.sh", "dev_lib.sh", "gateway_lib.sh", "host_lib.sh", "kernel_lib.sh",
                   "killswitch_lib.sh", "resolved_lib.sh", "server_lib.sh", "up_lib.sh"}


def cmake_text(root: pathlib.Path, folder: pathlib.Path) -> Iterator[tuple[pathlib.Path, str]]:
    """The CMake files of `folder` and above, with the folder each stands in."""
    while True:
        if (file := folder / "CMakeLists.txt").exists():
            yield folder, file.read_text()
        if folder == root:
            return
        folder = folder.parent


def is_built(root: pathlib.Path, source: pathlib.Path) -> bool:
    """Whether a CMake file names the source, its folder, or the fuzzer that it is."""
    fuzzer = source.stem.removesuffix("_fuzz")
    for base, text in cmake_text(root, source.parent):
        folder = source.parent.relative_to(base).as_posix()
        names = [source.relative_to(base).as_posix()] + ([folder] if folder != "." else [])
        if fuzzer != source.stem:
            names.append(f"ginnel_fuzzer({fuzzer}")
        if any(re.search(rf"(?<![\w/-]){re.escape(n)}(?![\w/-])", text) for n in names):
            return source.name != "main.cc" or names[0] in text
    return False


def cpp_problems(root: pathlib.Path) -> list[str]:
    problems, included = [], set()
    sources = list(tree.files(root, "src", "tests", "bench", suffixes=tree.CPP))
    for file in sources:
        for target in INCLUDE.findall(file.read_text()):
            included |= {root / "src" / target, root / "tests" / target, root / "bench" / target,
                         file.parent / target}
    for file in sources:
        where = file.relative_to(root).as_posix()
        if file.suffix == ".cc" and not is_built(root, file):
            problems.append(f"{where}: no CMakeLists.txt builds it")
        if file.suffix == ".h" and file not in included and file.name != "pch.h":
            problems.append(f"{where}: nothing includes it")
    return problems


def script_problems(root: pathlib.Path) -> list[str]:
    problems = []
    for file in tree.files(root, suffixes=(".sh",)):
        where = file.relative_to(root).as_posix()
        text = file.read_text()
        if file.name in SHELL_LIBRARIES:
            continue
        if not os.access(file, os.X_OK) or not text.startswith("#!"):
            problems.append(f"{where}: not executable; chmod +x, and begin it with #!")
        elif not text.split("\n", 2)[1].startswith("# "):
            problems.append(f"{where}: the second line says in a comment what it shows or does")
    for folder in (root / "tests/fuzz/corpus").glob("*"):
        if not (root / f"tests/fuzz/{folder.name}_fuzz.cc").exists():
            problems.append(f"{folder.relative_to(root)}: no fuzzer of this name")
    return problems


def vector_problems(root: pathlib.Path) -> list[str]:
    texts = "".join(f.read_text() for f in tree.files(root, "tests", "bench", suffixes=(".cc", ".py", ".sh", ".txt")))
    return [
        f"{file.relative_to(root).as_posix()}: no test names it"
        for file in tree.files(root, "tests/vectors")
        if file.suffix != ".md" and file.name not in texts
    ]


def slug(heading: str) -> str:
    """The anchor that a heading gets on the usual sites."""
    return re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).strip().replace(" ", "-")


def links(page: pathlib.Path) -> list[str]:
    return [a or b for a, b in LINK.findall(FENCE.sub("", page.read_text()))]


def page_problems(root: pathlib.Path) -> list[str]:
    problems, reached = [], set()
    pages = [root / p for p in ENTRY_PAGES if (root / p).exists()]
    while pages:
        page = pages.pop()
        if page in reached:
            continue
        reached.add(page)
        for link in links(page):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            where = page.relative_to(root).as_posix()
            if not target.exists():
                problems.append(f"{where}: the link {link} leads nowhere")
            elif anchor and anchor not in map(slug, HEADING.findall(target.read_text())):
                problems.append(f"{where}: {link}: no heading of that name")
            elif target.suffix == ".md" and target.is_relative_to(root):
                pages.append(target)
            else:
                reached.add(target)
    for file in tree.files(root, "docs"):
        if file not in reached and file.parent not in reached:
            problems.append(f"{file.relative_to(root).as_posix()}: no page links to it")
    return problems


def check(root: pathlib.Path) -> list[str]:
    root = root.resolve()
    return cpp_problems(root) + script_problems(root) + vector_problems(root) + page_problems(root)
