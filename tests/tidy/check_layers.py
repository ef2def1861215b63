"""An #include that docs/architecture.md does not allow, and what else belongs to certain layers.

The table in the document is the rule itself, so the picture a newcomer reads cannot go stale.
"""
import graphlib
import pathlib
import re

import tree

SECTION = re.compile(r"^## Who may include whom$(.*?)^## ", re.M | re.S)
ROW = re.compile(r"^\| ([a-z/0-9]+) +\|([a-z/0-9 ]*)\|$", re.M)
INCLUDE = re.compile(r'^ *# *include "([^"]+)"', re.M)
LIBRARY = re.compile(r"^ *# *include <([^>]+)>", re.M)
ANYWHERE = {"pch.h"}  # Includes nothing of ours.

SYSTEM = re.compile(
    r"(sys|linux|net|netinet|netpacket|arpa|libmnl|libnftnl|systemd)/|"
    r"(unistd|fcntl|poll|netdb|ifaddrs|sched|signal|termios|pwd|grp|dirent|pthread|spawn)\.h$"
)
# A library is behind the modules named here, so that it can be changed there.
HOMES = {
    r"boost/(beast|asio/ssl)|.*websocket": ["http"],
    r"sqlite3\.h|libpq": ["store"],
    r"spdlog/": ["base"],
    r"CLI/": ["cli"],
    r"toml\+\+/": ["core/config"],
    r"openssl/": ["core/crypto", "http"],
    r"intel-ipsec-mb\.h": ["core/crypto"],
    r"g(test|mock)/|benchmark/": [],
}
# These take half a minute to compile: few files may, and no header.
SLOW = re.compile(r"boost/(beast|asio/ssl)|.*websocket")
MAX_SLOW_FILES = 4

# What core and net cannot have: the time, chance, threads, files and the terminal are arguments.
IMPURE_HEADER = re.compile(r"(thread|fstream|iostream|filesystem|random|ctime|time\.h|cstdlib|csignal)$")
IMPURE = re.compile(
    r"\b((steady|system|high_resolution)_clock|random_device|getenv|std::j?thread|"
    r"std::ofstream|std::ifstream|f?printf|s?rand)\b"
)


def rules(root: pathlib.Path) -> dict[str, list[str]]:
    """The table: a module, and the modules it may include."""
    section = SECTION.search((root / "docs/architecture.md").read_text())
    if section is None:
        return {}
    return {row[1]: row[2].split() for row in ROW.finditer(section[1]) if row[1] != "module"}


def table_problems(table: dict[str, list[str]]) -> list[str]:
    if not table:
        return ["docs/architecture.md: no table under \"## Who may include whom\""]
    problems = []
    for module, allowed in table.items():
        for name in allowed:
            if name not in table:
                problems.append(f"docs/architecture.md: {module} names {name}, which has no row")
    try:
        list(graphlib.TopologicalSorter(table).static_order())
    except graphlib.CycleError as cycle:
        problems.append("docs/architecture.md: cycle " + " -> ".join(cycle.args[1]))
    return problems


def library_problems(where: str, module: str, headers: list[str]) -> list[str]:
    problems = []
    for header in headers:
        if module != "os" and SYSTEM.match(header):
            problems.append(f"{where}: <{header}>: operating-system headers belong in src/os")
        for pattern, homes in HOMES.items():
            if re.match(pattern, header) and module not in homes:
                homes_text = " or ".join(homes) or "tests and bench"
                problems.append(f"{where}: <{header}> belongs in {homes_text}")
        if SLOW.match(header) and where.endswith(".h"):
            problems.append(f"{where}: <{header}> compiles for half a minute; no header includes it")
    return problems


def purity_problems(where: str, module: str, headers: list[str], code: str) -> list[str]:
    if module != "net" and not module.startswith("core/"):
        return []
    problems = [f"{where}: <{h}>: core is pure" for h in headers if IMPURE_HEADER.match(h)]
    problems += [f"{where}: {m[0]}: core is pure" for m in IMPURE.finditer(code)]
    return problems


def check(root: pathlib.Path) -> list[str]:
    table = rules(root)
    problems = table_problems(table)

    def module_of(path: str) -> str | None:
        return next((m for m in sorted(table, key=len, reverse=True) if path.startswith(m + "/")), None)

    slow = set()
    for file in tree.files(root, "src", suffixes=tree.CPP):
        path, text = file.relative_to(root / "src").as_posix(), file.read_text()
        where, module = f"src/{path}", module_of(path)
        if module is None:
            if path not in ANYWHERE:
                problems.append(f"{where}: not in any module of docs/architecture.md")
            continue
        for target in map(module_of, INCLUDE.findall(text)):
            if target not in (None, module, *table[module]):
                problems.append(f"{where}: {module} may not include {target}")
        headers = LIBRARY.findall(text)
        problems += library_problems(where, module, headers)
        problems += purity_problems(where, module, headers, tree.blank(text))
        if any(map(SLOW.match, headers)):
            slow.add(where)
    if len(slow) > MAX_SLOW_FILES:
        problems.append(f"{', '.join(sorted(slow))}: at most {MAX_SLOW_FILES} files include Beast")
    return problems
