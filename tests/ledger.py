"""Ledgers in ClickHouse for the tests: a database each, edges that ship into it, and what it has of
them."""
import contextlib
import itertools
import os
import sqlite3
import threading
import time

import clickhouse
import harness
import prometheus_text
import wire
from raw_origin import by_path

HERE = 'localhost'  # what the admin listener is called
STEPS = ('traffic_minute', 'traffic_ten_minutes', 'traffic_hour')
numbers = itertools.count(1)


class Ledger:
    """A database of its own on `server`. `urls`: instead of the server's. `more`: further keys of
    `[ledger]`, texts, lists or numbers."""

    def __init__(self, server, urls=None, **more):
        self.server = server
        database = f'ledger{next(numbers)}'
        self.settings = {'kind': 'clickhouse', 'urls': urls or [server.url], 'database': database,
                         'node': f'edge-of-{database}', **more}

    @property
    def database(self):
        return self.settings['database']

    def toml(self, top='', **more):
        """The configuration of an edge of this ledger, or of a command; None leaves a key out."""
        keys = {k: v for k, v in {**self.settings, **more}.items() if v is not None}
        return f'{top}\n[ledger]\n' + ''.join(f'{k} = {toml_value(v)}\n' for k, v in keys.items())

    def ask(self, sql):
        """Rows, as lists of texts."""
        return self.server.rows(sql, database=self.database)

    def number(self, sql):
        return int(self.ask(sql)[0][0])

    def rays(self):
        """Each ray as often as it is there, in hexadecimal as clients see it."""
        return sorted(f'{int(ray):016x}' for table in ('cases', 'successes')
                      for ray, in self.ask(f'select ray from {table}'))

    def records(self):
        return sum(self.number(f'select count() from {table}') for table in ('cases', 'successes'))

    def counted(self):
        """How many requests the rollups have, of each step and each family."""
        return [self.number('select toUInt64(sum(requests)) '
                            f'from {step} where family = {family}')
                for step in STEPS for family in (0, 1)]


def toml_value(value):
    if isinstance(value, list):
        return '[' + ', '.join(map(toml_value, value)) + ']'
    return str(value) if isinstance(value, int) else '"' + value + '"'


def until(condition, seconds):
    """As wire.eventually, for what costs a query each time."""
    deadline = time.monotonic() + seconds * harness.SLOWNESS * wire.PATIENCE
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return value


class Load:
    """Requests of several clients, each on a connection of its own, with a pause of so many seconds
    between two; `rays` are those of the responses."""

    def __init__(self, edge, paths, clients=3, headers=(), host='edge.test',
                 pause=0):
        self.edge, self.headers, self.host, self.pause = edge, headers, host, pause
        self.paths = iter(paths)
        self.lock = threading.Lock()
        self.rays, self.unanswered = [], 0
        self.stopped = False
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _next(self):
        with self.lock:
            return None if self.stopped else next(self.paths, None)

    def _run(self):
        client = None
        while path := self._next():
            try:
                client = client or self.edge.client()
                client.send(wire.request('GET', path, self.headers, host=self.host))
                response = client.response()
                with self.lock:
                    self.rays.append(response.ray)
                time.sleep(self.pause)
                if client.end or response.header('connection') == 'close':
                    client.close()
                    client = None
            except (OSError, wire.Malformed):
                with self.lock:
                    self.unanswered += 1
                client = None
                time.sleep(0.01)
        if client:
            client.close()

    def stop(self):
        self.stopped = True
        return self.wait()

    def wait(self):
        for thread in self.threads:
            thread.join()
        return self


def mixed(count, bad_every=4):
    """So many paths, of which every `bad_every`th fails."""
    return (f'/{"bad" if n % bad_every == 0 else "fine"}/{n}' for n in range(count))


def metrics(edge):
    """{name: sum over its labels}."""
    text = wire.fetch(edge.admin, path='/metrics', host=HERE).body.decode()
    return {name: sum(samples.values()) for name, samples in prometheus_text.parse(text).items()}


def stored(edge):
    """How many records the edge's own store has."""
    file = os.path.join(edge.data_dir, 'records.sqlite')
    with contextlib.closing(sqlite3.connect(f'file:{file}?mode=ro', uri=True)) as store:
        return store.execute('select (select count(*) from cases) + '
                             '(select coalesce(sum(count), 0) from blocks)').fetchone()[0]


class LedgerTest(harness.TestCase):
    maxDiff = 3000  # of lists of rays

    def init(self, ledger):
        """Makes its tables."""
        done = self.command('ledger', 'init', ledger=ledger)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        return ledger

    def config(self, text):
        path = os.path.join(self.temporary_directory(), 'ledger.toml')
        with open(path, 'w') as file:
            file.write(text)
        return path

    def command(self, *argv, ledger, **more):
        """`edgecase ARGV... --config`, of that ledger."""
        return harness.run(*argv, '--config', self.config(ledger.toml(**more)))

    def ledger_edge(self, ledger, origin=None, top='', more=(), **options):
        """An edge that ships there, before an origin by_path."""
        origin = origin or self.origin(by_path)
        return self.edge(origin, config=ledger.toml(top, **dict(more)), **options)

    def assert_exactly(self, ledger, rays, seconds=15):
        """These rays come into the ledger, once each, in the tables and in all rollups."""
        until(lambda: ledger.records() >= len(rays), seconds)
        there = ledger.rays()
        self.assertEqual((len(there), len(set(there))), (len(rays), len(rays)),
                         f'missing {sorted(set(rays) - set(there))[:5]}, '
                         f'strange {sorted(set(there) - set(rays))[:5]}')
        self.assertEqual(there, sorted(rays))
        # An insert is in the tables a little earlier than in the rollups.
        until(lambda: min(ledger.counted()) >= len(rays), 3)
        self.assertEqual(ledger.counted(), [len(rays)] * 6)


server = harness.Shared(lambda: clickhouse.ClickHouseServer().up())


class OneServerTest(LedgerTest):
    def ledger(self, **more):
        return self.init(Ledger(server.get(), **more))

    def own_server(self, **more):
        """One that this test may kill."""
        one = clickhouse.ClickHouseServer(**more)
        self.addCleanup(one.stop)
        return one.up()

    def refused(self, words, *argv, ledger, status=1, **more):
        """The command fails with one line on standard error that has these words; gives it."""
        done = self.command(*argv, ledger=ledger, **more)
        self.assertEqual((done.returncode, done.stdout), (status, ''), done.stderr)
        self.assertRegex(done.stderr, words)
        self.assertEqual(done.stderr.count('\n'), 1, done.stderr)
        self.assertLess(len(done.stderr), 500, done.stderr)
        return done.stderr
