"""What must not be committed: paths of one machine, hosts of package registries, credentials, and
files too large to be a source."""
import pathlib
import re

import tree

MAX_BYTES = 1024 * 1024
PATTERNS = [
    (r"/work/\w|/home/(?!(anna|alice|bob|you)\b)\w|/Users/\w|/tmp/(wt|bash_jobs)\b", "a path of somebody's machine"),
    (r"\b(deb|security|ftp)\.debian\.org|registry\.(npmjs|yarnpkg)\.|\bpypi\.org|pythonhosted\.org|"
     r"\bcrates\.io|proxy\.golang\.org|\bpkg\.dev\b|jfrog\.io|repo\d?\.maven", "a registry's host"),
    (r"BEGIN (RSA |EC |OPENSSH )?PRIVATE KEY|\bgh[pousr]_\w{20}|\bAKIA[0-9A-Z]{16}\b|\bxox[abp]-\w",
     "a credential"),
]
COMPILED = [(re.compile(pattern.encode()), what) for pattern, what in PATTERNS]
IGNORED = {"compile_commands.json"}


def check(root: pathlib.Path) -> list[str]:
    problems = []
    for file in tree.files(root):
        if file.name in IGNORED:
            continue
        where = file.relative_to(root).as_posix()
        if file.stat().st_size > MAX_BYTES:
            problems.append(f"{where}: over {MAX_BYTES} bytes; make it when it is needed")
            continue
        data = file.read_bytes()
        for pattern, what in COMPILED:
            if match := pattern.search(data):
                line = data.count(b"\n", 0, match.start()) + 1
                problems.append(f"{where}:{line}: {what}: {match[0].decode(errors='replace')}")
    return problems
