"""Runs the suite of record sources (src/clickhouse/source_test.cpp) against a real ClickHouse server."""
import os
import subprocess

import clickhouse
import harness

PROGRAM = os.environ.get('EDGECASE_CLICKHOUSE_TEST', os.path.join(
    os.path.dirname(harness.BINARY), 'src', 'clickhouse', 'clickhouse_test'))
MISSING = clickhouse.missing()


class LedgerSuiteTest(harness.TestCase):

    def run_suite(self, **server):
        with clickhouse.ClickHouseServer(**server) as one:
            result = subprocess.run([PROGRAM], capture_output=True, text=True, timeout=120,
                                    env={**os.environ, 'EDGECASE_CLICKHOUSE': one.url})
        self.assertEqual(result.returncode, 0, result.stdout[-4000:] + result.stderr[-2000:])
        self.assertIn('/clickhouse', result.stdout)
        self.assertNotIn('SKIPPED', result.stdout)

    def test_both_places_answer_alike(self):
        self.run_suite()


if __name__ == '__main__':
    harness.main(MISSING)
