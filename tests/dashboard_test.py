"""The dashboard of the real binary in Chromium: tests/web over the records of a tour through the lab."""
import os
import subprocess
import sys
import threading
import unittest

import harness
import raw_origin
from real_servers import missing

WEB = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'web')
PACKAGES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'web')
ABSENT = missing('chromium') or missing('node') or (
    None if os.path.isdir(os.path.join(PACKAGES, 'node_modules')) else
    'the packages of the dashboard are not there')


class DashboardTest(harness.TestCase):
    @unittest.skipIf(ABSENT, ABSENT)
    def test_every_page_and_the_main_journey(self):
        data = os.path.join(self.temporary_directory(), 'data')
        tour = harness.run('demo', '--once', '--json', '--listen', '127.0.0.1:0', '--data-dir', data,
                           timeout=150)
        self.assertEqual(tour.returncode, 0, tour.stderr[-2000:])
        origin = self.origin(raw_origin.answering())
        edge = self.edge(data_dir=data, config=f'''
[[pool]]
name = "site"
origins = ["{origin.url}", "http://127.0.0.1:{harness.free_port()}"]
health = {{ path = "/", interval = "1s", unhealthy_after = 1 }}
[[route]]
pool = "site"
''')
        over = threading.Event()
        self.addCleanup(over.set)

        def visit():
            """For the live tail."""
            while not over.wait(0.3):
                edge.fetch('/visited')
        visitor = threading.Thread(target=visit, daemon=True)
        visitor.start()
        tests = sorted(os.path.join(WEB, name) for name in os.listdir(WEB)
                       if name.endswith('.test.mjs'))
        result = subprocess.run(
            ['node', '--test', '--test-concurrency=2', *tests], text=True, timeout=500,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, 'EDGECASE_ADMIN_URL': f'http://127.0.0.1:{edge.admin[1]}'})
        over.set()
        visitor.join(10)
        sys.stdout.write(result.stdout[-1500:] if result.returncode == 0 else '')
        self.assertEqual(result.returncode, 0, result.stdout[-8000:])


if __name__ == '__main__':
    harness.main()
