#!/usr/bin/env python3
"""A checker that never objects proves nothing: each rule is broken here once."""
import pathlib
import tempfile
import unittest

import check_docs

FINE = {
    "src/cause/table.cpp": 'Row{Cause::none, "none"},\nRow{Cause::a, "resp.bad.size"},\nRow{Cause::b,\n    "dns.timeout"},\n',
    "src/origin/failure.cpp": 'evidence.add("limit_ms", 1);\nevidence.add(\n    "seen", 2).add("rule", 3);\n',
    "src/edge/failure_test.cpp": 'evidence.add("of_a_test", 1);\n',
    "docs/evidence.md": "| key |\n|---|\n| `limit_ms` | x |\n| `seen` | x |\n| `rule` | x |\n",
    "docs/life-of-a-request.md": "first dns.timeout, then `resp.bad.*`.\n",
}


def breaches(**changes):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {**FINE, **changes.get("files", {})}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return check_docs.check(root)


class Docs(unittest.TestCase):
    def rejects(self, part, **files):
        found = breaches(files={name.replace("__", "/") + ".md": text for name, text in files.items()})
        self.assertEqual(len(found), 1, found)
        self.assertIn(part, found[0])

    def accepts(self, **files):
        self.assertEqual(breaches(files={name + ".md": text for name, text in files.items()}), [])

    def test_what_is_in_order_is_accepted(self):
        self.accepts()

    def test_a_key_without_a_row_is_rejected_with_its_place(self):
        self.rejects("src/origin/failure.cpp:2: evidence `seen`", docs__evidence="| `limit_ms` |\n| `rule` |\n")

    def test_a_row_without_a_key_is_rejected(self):
        more = FINE["docs/evidence.md"] + "| `gone` | x |\n"
        self.rejects("docs/evidence.md:6: no room adds evidence `gone`", docs__evidence=more)

    def test_a_row_twice_is_rejected(self):
        more = FINE["docs/evidence.md"] + "| `seen` | x |\n"
        self.rejects("on line 4", docs__evidence=more)

    def test_an_unknown_cause_is_rejected_wherever_it_stands(self):
        self.rejects("README.md:2: there is no cause `dns.timeuot`", README="\nsee dns.timeuot.\n")
        self.rejects("no cause `resp.good.*`", README="`resp.good.*`\n")

    def test_families_patterns_files_and_settings_are_no_unknown_causes(self):
        self.accepts(README="`resp.bad`, `dns.*`, `timeouts.dns`, `src/dns.cpp`, dns.toml, the dns. And so on\n")

    def test_a_cause_that_no_step_leads_to_is_rejected(self):
        self.rejects("nothing leads to `dns.timeout`", **{"docs__life-of-a-request": "`resp.bad.size`\n"})


if __name__ == "__main__":
    unittest.main()
