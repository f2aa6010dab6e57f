#!/usr/bin/env python3
"""Holds the documentation to the code. usage: check_docs.py [REPOSITORY]

Prints one line per breach, FILE:LINE: what is wrong, and exits 1 if there is any.

Checked: every evidence key of src/origin and src/edge has a row in docs/evidence.md and every row a key; every cause
that a page names is in src/cause/table.cpp; every cause of the table is named in docs/life-of-a-request.md.
"""
import pathlib
import re
import sys
from typing import Iterator

KEY_IN_CODE = re.compile(r'\.add\(\s*"([a-z0-9_]+)"')
KEY_IN_PAGE = re.compile(r"^\| `([a-z0-9_]+)` \|")
CAUSE_IN_CODE = re.compile(r'Row\{\s*Cause::\w+,\s*"([a-z0-9_.]+)"')
# Also what ends in an asterisk: `resp.bad_*` speaks of every cause that begins so.
CAUSE_IN_PAGE = re.compile(r"(?<![\w./$-])([a-z][a-z0-9]*\.[a-z0-9_.]*[a-z0-9_*])(?![\w/(*])")
FILES = {"cpp", "hpp", "h", "md", "py", "toml", "json", "sqlite", "txt", "html"}

CATALOGUE = "docs/evidence.md"
LIFE = "docs/life-of-a-request.md"
TABLE = "src/cause/table.cpp"


def lines(path: pathlib.Path) -> Iterator[tuple]:
    if path.is_file():
        yield from enumerate(path.read_text().splitlines(), 1)


def keys_in_code(root: pathlib.Path) -> dict:
    """Key -> where it is first added."""
    found = {}
    for room in ("origin", "edge"):
        for path in sorted((root / "src" / room).rglob("*.[ch]pp")):
            if path.name.endswith("_test.cpp"):
                continue
            text = path.read_text()
            for match in KEY_IN_CODE.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found.setdefault(match[1], f"{path.relative_to(root)}:{line}")
    return found


def check_evidence(root: pathlib.Path) -> Iterator[str]:
    code, page = keys_in_code(root), {}
    for number, line in lines(root / CATALOGUE):
        if row := KEY_IN_PAGE.match(line):
            if row[1] in page:
                yield f"{CATALOGUE}:{number}: `{row[1]}` has a row already, on line {page[row[1]]}"
            page.setdefault(row[1], number)
    for key in sorted(code.keys() - page.keys()):
        yield f"{code[key]}: evidence `{key}` has no row in {CATALOGUE}"
    for key in sorted(page.keys() - code.keys()):
        yield f"{CATALOGUE}:{page[key]}: no room adds evidence `{key}`"
    if not code:
        yield f"{CATALOGUE}:1: no evidence key found in the code"


def named_causes(line: str, phases: set) -> Iterator[str]:
    for match in CAUSE_IN_PAGE.finditer(line):
        parts = match[1].split(".")
        if parts[0] in phases and parts[-1] not in FILES:
            yield match[1]


def matches(name: str, causes: list) -> set:
    """The causes that `name` speaks of: one, those of a family (`resp.not_http`), or with `*` those that fit."""
    if "*" in name:
        pattern = re.compile(re.escape(name).replace(r"\*", ".*"))
        return {cause for cause in causes if pattern.fullmatch(cause)}
    return {cause for cause in causes if cause == name or cause.startswith(name + ".")}


def check_causes(root: pathlib.Path) -> Iterator[str]:
    causes = CAUSE_IN_CODE.findall((root / TABLE).read_text())
    phases = {cause.split(".")[0] for cause in causes if "." in cause}
    if not phases:
        yield f"{TABLE}:1: no cause found in the table"
    pages = sorted(root.glob("*.md")) + sorted((root / "docs").rglob("*.md"))
    lived = set()
    for path in pages:
        page = path.relative_to(root).as_posix()
        for number, line in lines(path):
            for name in named_causes(line, phases):
                spoken_of = matches(name, causes)
                if not spoken_of:
                    yield f"{page}:{number}: there is no cause `{name}` in {TABLE}"
                if page == LIFE:
                    lived |= spoken_of
    for cause in causes:
        if cause != "none" and cause not in lived:
            yield f"{LIFE}:1: nothing leads to `{cause}`"


def check(root: pathlib.Path) -> list:
    return [*check_evidence(root), *check_causes(root)]


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    breaches = check(root)
    for breach in breaches:
        print(breach)
    print(f"{len(breaches)} breaches of the documentation" if breaches else "the documentation is in order")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
