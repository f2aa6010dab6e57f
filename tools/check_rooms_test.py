#!/usr/bin/env python3
"""A checker that never objects proves nothing: each rule is broken here once."""
import pathlib
import tempfile
import unittest

import check_rooms

TABLE = """| L | room | owns |
|---|---|---|
| 0 | `base` | words |
| 1 | `left` | one side |
| 1 | `right` | the other side |
| 3 | `net` | sockets |
| 4 | `later` | (planned) something |

- same-layer arrow: `left` -> `right`: because the test needs one
"""
HEADER = "// Owns a thing.\n#pragma once\n"


def breaches(**files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "ARCHITECTURE.md").write_text(TABLE)
        for name, source in files.items():
            room, _, file = name.partition("__")
            path = root / "src" / room / file.replace("_hpp", ".hpp").replace("_cpp", ".cpp")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return check_rooms.check(root)


class Rooms(unittest.TestCase):
    def rejects(self, part, **files):
        found = breaches(**files)
        self.assertEqual(len(found), 1, found)
        self.assertIn(part, found[0])

    def accepts(self, **files):
        self.assertEqual(breaches(**files), [])

    def test_lower_layers_and_named_arrows_are_fine(self):
        self.accepts(left__a_cpp='#include "base/x.hpp"\n#include "left/x.hpp"\n#include "right/x.hpp"\n')

    def test_upward_and_unnamed_sideways_includes_are_rejected(self):
        self.rejects("above it", base__a_cpp='#include "left/x.hpp"\n')
        self.rejects("on the same layer", right__a_cpp='#include "left/x.hpp"\n')
        self.rejects("no room", left__a_cpp='#include "nowhere/x.hpp"\n')
        self.rejects("with its room", left__a_cpp='#include "x.hpp"\n')

    def test_the_line_is_told(self):
        self.assertTrue(breaches(base__a_cpp='\n#include "left/x.hpp"\n')[0].startswith("src/base/a.cpp:2:"))

    def test_rooms_must_stand_in_the_table(self):
        self.rejects("missing in the table", cellar__a_cpp="int x;\n")
        self.rejects("take its (planned) away", later__a_cpp="int x;\n")

    def test_headers_begin_with_their_sentence(self):
        self.accepts(base__a_hpp=HEADER)
        self.rejects("Owns", base__a_hpp="#include <x>\n#pragma once\n")
        self.rejects("pragma", base__a_hpp="// Owns a thing.\n")

    def test_words_stay_in_their_room(self):
        self.rejects("errno", base__a_cpp="if (e == ECONNRESET) {}\n")
        self.rejects("epoll", base__a_cpp="epoll_wait(1);\n")
        self.rejects("52x", base__a_cpp="status = 520;\n")
        self.rejects("SQL", base__a_cpp='f("SELECT a FROM b");\n')
        self.rejects("SQLite", base__a_cpp="sqlite3_open(p);\n")
        self.rejects("environment", base__a_cpp='std::getenv("HOME");\n')
        self.rejects("command line", base__a_cpp="use(argv[1]);\n")
        self.accepts(net__a_cpp="if (e == ECONNRESET) epoll_wait(1);\n")

    def test_comments_strings_and_other_numbers_are_no_words(self):
        self.accepts(base__a_cpp='// ECONNRESET 520\nf("ECONNRESET", "520"); /* epoll_wait */ int x = 520\'000;\n')
        self.accepts(base__a_cpp="port = 8520; x = 0x520; y = 52;\n")
        self.rejects("52x", base__a_cpp="x = 1'000; s = 521;\n")

    def test_unit_tests_may_say_numbers(self):
        self.accepts(base__a_test_cpp="EXPECT_EQ(status, 520);\n")


if __name__ == "__main__":
    unittest.main()
