#!/usr/bin/env python3
"""Holds src/ to the table in ARCHITECTURE.md. usage: check_rooms.py [REPOSITORY]

Prints one line per breach, FILE:LINE: what is wrong, and exits 1 if there is any.

Checked: every quoted include goes to the same room, a lower layer, or along a named same-layer arrow; every room on
disk stands in the table; every header begins with its sentence and has #pragma once; words that belong to one room
stay in it.
"""
import pathlib
import re
import sys
from typing import Iterator, NamedTuple

ROW = re.compile(r"^\|\s*(\d+)\s*\|\s*`([a-z0-9_]+)`\s*\|\s*(.+?)\s*\|$")
ARROW = re.compile(r"^- same-layer arrow: `([a-z0-9_]+)` -> `([a-z0-9_]+)`: \S")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


class Word(NamedTuple):
    name: str
    pattern: re.Pattern
    rooms: tuple  # where it may stand
    in_text: bool = False  # looked for in string literals instead of code
    in_tests: bool = True  # unit tests may say it


ERRNO = (
    "E(CONN[A-Z]+|TIMEDOUT|HOST(UNREACH|DOWN)|NET(UNREACH|DOWN|RESET)|PIPE|AGAIN|WOULDBLOCK|INTR"
    "|INPROGRESS|ADDR(INUSE|NOTAVAIL)|PROTO|NOPROTOOPT|SHUTDOWN|MFILE|NFILE|NOBUFS|ACCES|PERM)"
)
WORDS = [
    Word("an errno name", re.compile(rf"\b{ERRNO}\b"), ("net",)),
    Word("epoll", re.compile(r"\bepoll_\w+|\bEPOLL[A-Z]+\b"), ("net",)),
    Word("an OpenSSL name", re.compile(r"\bSSL_\w+"), ("tls",)),
    Word("an nghttp2 name", re.compile(r"\bnghttp2_\w+"), ("h2",)),
    Word("an SQLite name", re.compile(r"\bsqlite3\w*"), ("store",)),
    Word(
        "SQL",
        re.compile(r"\b(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|CREATE\s+(TABLE|INDEX)|"
                   r"DELETE\s+FROM|UPDATE\s+\w+\s+SET|PRAGMA\s+\w)"),
        ("store", "clickhouse"),
        in_text=True,
    ),
    # The number follows from the cause, in one table; whoever writes it again will one day disagree.
    Word("a 52x status", re.compile(r"(?<![\w.'])52\d(?![\w.'])"), ("cause", "lab")),
    Word("the environment", re.compile(r"\b(secure_)?getenv\b"), ("cli",)),
    Word("the command line", re.compile(r"\bargv\b"), ("cli",)),
]

# Exceptions, each with its reason: (room or file below src/, name of the word).
ALLOWED = {
    ("cli", "an errno name"): "turns a failed start into one clear sentence: port in use, no permission",
    ("store", "an errno name"): "tells a full disk and an unwritable folder apart",
    ("access_log", "an errno name"): "writes a file, and tells an interrupted write from a failed one",
    ("logs", "an errno name"): "reads files, and tells an interrupted read from a failed one",
    ("diagnose", "a 52x status"): "reads the statuses that other edges gave",
    ("lab", "an errno name"): "stands apart from net: the accused must not supply the witness",
    ("lab", "epoll"): "stands apart from net, as above",
    ("lab", "an OpenSSL name"): "stands apart from tls, as above",
}


class Line(NamedTuple):
    number: int
    code: str  # without comments and string contents
    text: str  # string contents only


def split_lines(source: str) -> Iterator[Line]:
    """Cuts C++ into code and text, line by line. Digit separators are not character literals."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
        re.S,
    )
    code, text, at = [], [], 0
    blank = lambda part: re.sub(r"[^\n]", " ", part)  # noqa: E731 (keeps lines and columns)
    for match in token.finditer(source):
        between, part = source[at:match.start()], match.group()
        code += [between, blank(part)]
        text += [blank(between), blank(part) if part.startswith("/") else part]
        at = match.end()
    code.append(source[at:])
    text.append(blank(source[at:]))
    pairs = zip("".join(code).split("\n"), "".join(text).split("\n"))
    for number, (code_line, text_line) in enumerate(pairs, 1):
        yield Line(number, code_line, text_line)


class House(NamedTuple):
    layers: dict
    planned: set
    arrows: set

    @staticmethod
    def read(path: pathlib.Path) -> "House":
        house = House({}, set(), set())
        for line in path.read_text().splitlines():
            if row := ROW.match(line):
                house.layers[row[2]] = int(row[1])
                if row[3].startswith("(planned)"):
                    house.planned.add(row[2])
            elif arrow := ARROW.match(line):
                house.arrows.add((arrow[1], arrow[2]))
        return house

    def objection(self, room: str, target: str) -> str:
        """Why `room` may not include `target`; empty if it may."""
        if target == room or (room, target) in self.arrows:
            return ""
        if target not in self.layers:
            return f"includes `{target}`, which is no room in ARCHITECTURE.md"
        if self.layers[target] < self.layers.get(room, 0):
            return ""
        where = "on the same layer" if self.layers[target] == self.layers.get(room) else "above it"
        return f"room `{room}` includes `{target}`, {where}"


def check_header(source: str) -> Iterator[str]:
    if not source.startswith("// Owns "):
        yield "the first line must say what the header owns: `// Owns ...`"
    if "\n#pragma once\n" not in source:
        yield "#pragma once is missing"


def check_file(house: House, path: pathlib.Path, src: pathlib.Path) -> Iterator[tuple]:
    source = path.read_text()
    below = path.relative_to(src)
    room = below.parts[0]
    is_test = path.name.endswith("_test.cpp") or path.name.startswith("test_")
    if path.suffix == ".hpp":
        for breach in check_header(source):
            yield 1, breach
    for number, line in enumerate(source.split("\n"), 1):
        if include := INCLUDE.match(line):
            if "/" not in include[1]:
                yield number, f'`{include[1]}` must be included with its room: "{room}/..."'
            elif breach := house.objection(room, include[1].split("/")[0]):
                yield number, breach
    for line in split_lines(source):
        if INCLUDE.match(line.code):
            continue
        for word in WORDS:
            if room in word.rooms or (is_test and word.in_tests):
                continue
            if (room, word.name) in ALLOWED or (below.as_posix(), word.name) in ALLOWED:
                continue
            if found := word.pattern.search(line.text if word.in_text else line.code):
                yield line.number, (f"`{found[0][:40]}`: {word.name} belongs to "
                                    f"{' and '.join(word.rooms)}, not to `{room}`")


def check(root: pathlib.Path) -> list:
    house = House.read(root / "ARCHITECTURE.md")
    src = root / "src"
    breaches = []
    if not house.layers:
        breaches.append("ARCHITECTURE.md:1: no table of rooms")
    for low, high in house.arrows:
        if house.layers.get(low) != house.layers.get(high):
            breaches.append(f"ARCHITECTURE.md:1: `{low}` -> `{high}` is not within one layer")
    rooms = set()
    for path in sorted(src.rglob("*.[ch]pp")):
        below = path.relative_to(src)
        if len(below.parts) < 2:
            breaches.append(f"src/{below}:1: source stands in a room, not in src/ itself")
            continue
        rooms.add(below.parts[0])
        breaches += [f"src/{below}:{n}: {what}" for n, what in check_file(house, path, src)]
    for room in sorted(rooms - house.layers.keys()):
        breaches.append(f"src/{room}:1: room `{room}` is missing in the table of ARCHITECTURE.md")
    for room in sorted(rooms & house.planned):
        breaches.append(f"ARCHITECTURE.md:1: room `{room}` is there; take its (planned) away")
    return breaches


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    breaches = check(root)
    for breach in breaches:
        print(breach)
    print(f"{len(breaches)} breaches of ARCHITECTURE.md" if breaches else "the rooms are in order")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
