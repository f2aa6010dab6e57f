"""Many edges, one ledger: `[ledger]`, `edgecase ledger`, and the commands that read it: what they
read is what the edges stored. On one real ClickHouse server."""
import json
import os
import re
import statistics
import time

import certificates
import clickhouse
import harness
import raw_origin
import wire
from harness import SLOWNESS
from ledger import (HERE, STEPS, Ledger, LedgerTest, Load, OneServerTest, metrics, mixed,
                    server, until)
from raw_origin import by_path
from terminal_test import Follower

TABLES = ('cases', 'successes', 'nodes', *STEPS)
VIEWS = 2 * len(STEPS)
PASSWORD = 'a<b&"c\' %é'


def _locked():
    one = clickhouse.ClickHouseServer(user='edge', password=PASSWORD, https=True,
                                      config={'timezone': 'Asia/Kolkata'}).up()
    one.password = PASSWORD.encode().decode('latin-1')  # as a header carries it
    return one


locked = harness.Shared(_locked)


class InitTest(OneServerTest):
    def test_init_makes_the_tables_once_and_says_so(self):
        ledger = Ledger(server.get())
        made = self.command('ledger', 'init', ledger=ledger)
        self.assertEqual((made.returncode, made.stderr), (0, ''))
        self.assertRegex(made.stdout, f'^{ledger.database} at {ledger.server.url}: made, .*2\n$')
        tables = ledger.ask(f"select name from system.tables where database = '{ledger.database}'")
        self.assertLess(set(TABLES), {name for name, in tables})
        self.assertEqual(len(tables), len(TABLES) + VIEWS + 1)
        again = self.command('ledger', 'init', ledger=ledger)
        self.assertEqual((again.returncode, again.stderr), (0, ''))
        self.assertIn('there already', again.stdout)
        self.assertEqual(ledger.ask('select version from schema_versions order by version'),
                         [['1'], ['2']])
        as_json = self.command('ledger', 'init', '--json', ledger=ledger)
        self.assertEqual(json.loads(as_json.stdout), {'database': ledger.database, 'cluster': '',
                                                      'from': 2, 'to': 2})

    def test_what_init_prints_makes_the_same_ledger_by_hand(self):
        ledger = Ledger(server.get())
        printed = self.command('ledger', 'init', '--print', ledger=ledger)
        self.assertEqual((printed.returncode, printed.stderr), (0, ''))
        self.assertEqual(server.get().request(f'exists database {ledger.database}').status, 400)
        for statement in printed.stdout.split(';\n')[:-1]:
            server.get().query(statement)
        self.assertIn('there already', self.command('ledger', 'init', ledger=ledger).stdout)
        other = self.ledger()

        def made(one):
            return [[word.replace(one.database, 'X') for word in row] for row in one.ask(
                'select name, engine, create_table_query from system.tables '
                f"where database = '{one.database}' order by name")]
        self.assertEqual(made(ledger), made(other))

    def test_init_goes_on_where_it_was_killed(self):
        ledger = Ledger(server.get())
        statements = self.command('ledger', 'init', '--print', ledger=ledger).stdout.split(';\n')
        for statement in statements[:7]:
            server.get().query(statement)
        self.init(ledger)
        self.assertEqual(ledger.number('select max(version) from schema_versions'), 2)

    def test_a_server_that_is_down_unknown_or_refuses_the_password(self):
        closed = harness.ClosedPort()
        self.addCleanup(closed.stop)
        for words, urls in ((f'{closed.url} cannot be reached', [closed.url]),
                            ('no.such.host.invalid:8123 cannot be reached',
                             ['http://no.such.host.invalid:8123'])):
            ledger = Ledger(server.get(), urls=urls)
            for command in ('init', 'status', 'trim'):
                self.refused(words, 'ledger', command, ledger=ledger)
            self.refused(words, 'cases', ledger=ledger)
        wrong = Ledger(locked.get(), user='edge')
        for argv in (['ledger', 'init'], ['ledger', 'status'], ['ledger', 'trim'], ['cases'],
                     ['traffic'], ['findings'], ['ray', '066f92e3713b2520']):
            said = self.refused(r'refuses \(401\).*[Pp]assword', *argv, ledger=wrong)
            self.assertNotIn('é', said)

    def test_something_that_is_not_clickhouse_is_told(self):
        for status, body in (('200 OK', b'<html>hello</html>'), ('404 Not Found', b'\x1b[31mno'),
                             ('200 OK', b'')):
            web = self.origin(raw_origin.answering(body, status))
            ledger = Ledger(server.get(), urls=[web.url])
            said = self.refused(re.escape(web.url), 'ledger', 'init', ledger=ledger)
            self.assertNotIn('\x1b', said)
            self.refused(re.escape(web.url), 'ledger', 'status', ledger=ledger)

    def test_a_ledger_of_a_newer_schema_is_left_alone(self):
        ledger = self.ledger()
        ledger.server.query(f'insert into {ledger.database}.schema_versions values (99, now())')
        self.refused('version 99, made by a newer Edgecase', 'ledger', 'init', ledger=ledger)
        for argv in (['ledger', 'status'], ['cases'], ['findings'], ['traffic']):
            self.refused('newer Edgecase', *argv, ledger=ledger)

    def test_an_older_ledger_is_brought_up_to_date_with_what_it_has(self):
        ledger = self.ledger()
        edge = self.ledger_edge(ledger)
        rays = Load(edge, mixed(40)).wait().rays
        self.assert_exactly(ledger, rays)
        edge.stop()
        # As the first version of the schema left it: edges did not report yet.
        for sql in ('drop table nodes', 'truncate table schema_versions',
                    'insert into schema_versions values (1, now())'):
            ledger.server.query(sql, database=ledger.database)
        told = 'is of schema version 1; `edgecase ledger init` brings it up to date'
        self.refused(told, 'cases', ledger=ledger)
        waiting = self.ledger_edge(ledger)
        rays += Load(waiting, mixed(40)).wait().rays
        self.assertTrue(until(lambda: told in waiting.errors(), 10), waiting.errors())
        self.assertEqual(ledger.records(), 40)
        done = self.command('ledger', 'init', ledger=ledger)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertRegex(done.stdout, 'version 1.* 2')
        self.assertEqual(ledger.ask('select version from schema_versions order by version'),
                         [['1'], ['2']])
        self.assert_exactly(ledger, rays, 30)
        self.assertEqual(self.command('ledger', 'status', ledger=ledger).returncode, 0)

    def test_no_ledger_yet_is_told_with_what_makes_one(self):
        for argv in (['cases'], ['ledger', 'status'], ['traffic'], ['findings'],
                     ['ray', '066f92e3713b2520']):
            self.refused('there is no ledger in the database .*ledger init', *argv,
                         ledger=Ledger(server.get()))

    def test_a_table_in_the_way_is_not_taken_for_ours(self):
        for name in ('cases', 'traffic_minute', 'nodes', 'schema_versions'):
            ledger = Ledger(server.get())
            server.get().query(f'create database {ledger.database}')
            server.get().query(f'create table {ledger.database}.{name} (mine UInt8) engine = Log')
            done = self.command('ledger', 'init', ledger=ledger)
            self.assertEqual(done.returncode, 1, f'{name}: {done.stdout}')
            self.assertIn(name, done.stderr)

    def test_a_user_without_the_right_to_make_tables_is_told(self):
        one = self.own_server(settings={'readonly': 1})
        self.refused('refuses .*164', 'ledger', 'init', ledger=Ledger(one))

    def test_password_by_file_and_by_environment_and_odd_bytes_of_it(self):
        path = os.path.join(self.temporary_directory(), 'password')
        for ending in ('', '\n', '\r\nmore\n'):
            with open(path, 'w', newline='') as file:
                file.write(PASSWORD + ending)
            self.init(Ledger(locked.get(), user='edge', password_file=path))
        ledger = Ledger(locked.get(), user='edge', password_env='LEDGER_PASSWORD')
        config = self.config(ledger.toml())
        done = harness.run('ledger', 'init', '--config', config, env={
            **os.environ, 'LEDGER_PASSWORD': PASSWORD})
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        missing = harness.run('ledger', 'init', '--config', config)
        self.assertEqual(missing.returncode, 2)
        self.assertIn('LEDGER_PASSWORD', missing.stderr)
        self.refused('password_file.*/no/such', 'ledger', 'init', status=2, ledger=ledger,
                     password_env=None, password_file='/no/such')


class TrimTest(OneServerTest):
    def partitions(self, ledger, table):
        return [name for name, in ledger.ask(
            f"select distinct partition from system.parts where active and table = '{table}' and "
            f"database = '{ledger.database}' order by partition")]

    def insert(self, ledger, days):
        """A record that is so old, with its rollups, and a report of that age."""
        ledger.server.query(
            f'insert into {ledger.database}.cases (ray, node, EdgeStartTimestamp, ended) '
            f"select 1, 'old', now() - {days} * 86400, now() - {days} * 86400")
        ledger.server.query(f'insert into {ledger.database}.nodes (node, seen) '
                            f"select 'old', now() - {days} * 86400")

    def test_an_old_partition_goes_and_a_young_one_stays(self):
        ledger = self.ledger(keep='240h')
        for days in (0, 9, 12, 40, 400, 800):
            self.insert(ledger, days)
        before = {table: self.partitions(ledger, table) for table in TABLES}
        self.assertEqual(len(before['cases']), 6)
        done = self.command('ledger', 'trim', '--json', ledger=ledger)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        after = {table: self.partitions(ledger, table) for table in TABLES}
        self.assertEqual(after['cases'], before['cases'][-2:])
        self.assertEqual(after['nodes'], before['nodes'][-3:])
        self.assertEqual(json.loads(done.stdout)['dropped'],
                         sum(len(before[t]) - len(after[t]) for t in TABLES))
        self.assertLess(len(after['traffic_minute']), 6)
        self.assertGreaterEqual(len(after['traffic_hour']), len(after['traffic_minute']))
        self.assertIn('0 partitions', self.command('ledger', 'trim', ledger=ledger).stdout)
        self.assertEqual(after, {table: self.partitions(ledger, table) for table in TABLES})

    def test_an_edge_trims_by_itself(self):
        ledger = self.ledger(keep='24h')
        self.insert(ledger, 5)
        self.ledger_edge(ledger)
        self.assertTrue(wire.eventually(lambda: not self.partitions(ledger, 'cases'),
                                        10 * SLOWNESS))

    def test_trim_without_a_ledger_says_so(self):
        self.refused('there is no ledger', 'ledger', 'trim', ledger=Ledger(server.get()))

    def test_bad_input_of_the_subcommands(self):
        for argv, words in ((['trim'], '--config'), (['trim', '--config', '/no/such'], '/no/such'),
                            ([], 'subcommand'), (['init', '--config', '/no/such'], '/no/such'),
                            (['trimm'], 'trimm|subcommand'), (['status'], '--config')):
            done = harness.run('ledger', *argv)
            self.assertEqual((done.returncode, done.stdout), (2, ''), argv)
            self.assertRegex(done.stderr, words)
        plain = self.config('origin = "http://127.0.0.1"\n')
        for command in ('init', 'trim'):
            done = harness.run('ledger', command, '--config', plain)
            self.assertEqual((done.returncode, done.stdout), (2, ''), command)
            self.assertIn('names no ledger', done.stderr)

    def test_status_of_a_file_without_a_ledger_is_a_usage_error(self):
        done = harness.run('ledger', 'status', '--config',
                           self.config('origin = "http://127.0.0.1"\n'))
        self.assertEqual((done.returncode, done.stdout), (2, ''), done.stderr)
        self.assertIn('names no ledger', done.stderr)


HEAD = 'origin = "http://127.0.0.1"\n[ledger]\nkind = "clickhouse"\n'


class ConfigurationTest(LedgerTest):
    def test_a_colon_in_a_user_is_told(self):
        """It would be cut there by Basic authentication."""
        path = self.config(HEAD + 'urls = ["http://a.test"]\nuser = "a:b"\n')
        done = harness.run('config', 'check', path)
        self.assertEqual(done.returncode, 2)
        self.assertIn('ledger.user', done.stderr)

    def test_each_mistake_is_told_with_its_place(self):
        for words, toml in (
                ('several servers', 'urls = ["http://a.test:8123", "http://b.test:8123"]'),
                ('needs `ledger.urls`', ''),
                ('needs `ledger.urls`', 'urls = []'),
                ('both give a password',
                 f'urls = ["http://a.test:8123"]\npassword_file = "{__file__}"\n'
                 'password_env = "X"'),
                ('must be a URL', 'urls = ["http://a.test:8123/db"]'),
                ('must be a URL', 'urls = ["http://edge:secret@a.test:8123"]'),
                ('must be a URL', 'urls = ["http://a.test:8123/?user=x"]'),
                ('must be a URL', 'urls = ["tcp://a.test:9000"]'),
                ('must be a URL', 'urls = ["a.test"]'),
                ('must be a URL', 'urls = [8123]'),
                ('twice', 'urls = ["http://a.test:80", "http://a.test"]\ncluster = "c"'),
                ('unknown key `url` .*ledger.urls', 'url = "http://a.test:8123"'),
                ('must be a name', 'urls = ["http://a.test"]\ndatabase = "a-b"'),
                ('must be a name', 'urls = ["http://a.test"]\ndatabase = ""'),
                ('must be a name', 'urls = ["http://a.test"]\ndatabase = "1a"'),
                ('must be a name', 'urls = ["http://a.test"]\ndatabase = "a`; drop table x"'),
                ('must be a name', 'urls = ["http://a.test"]\ncluster = "a.b"'),
                ('keep', 'urls = ["http://a.test"]\nkeep = "90m"'),
                ('keep', 'urls = ["http://a.test"]\nkeep = "0h"'),
                ('secrets', 'urls = ["http://a.test"]\nsecrets = "yes"'),
                ('node', f'urls = ["http://a.test"]\nnode = "{"x" * 65}"'),
                ('user', 'urls = ["http://a.test"]\nuser = "a\\nb"')):
            path = self.config(HEAD + toml)
            for argv in (['config', 'check', path], ['serve', '--config', path]):
                done = harness.run(*argv)
                self.assertEqual((done.returncode, done.stdout), (2, ''), (toml, done.stderr))
                self.assertRegex(done.stderr, f'^edgecase: {path}:[2-9]:[0-9]+: ', toml)
                self.assertRegex(done.stderr, words)
        for kind, words in (('"clikhouse"', 'clickhouse'), ('7', 'kind'), ('""', 'kind')):
            path = self.config(f'origin = "http://127.0.0.1"\n[ledger]\nkind = {kind}\n')
            done = harness.run('config', 'check', path)
            self.assertEqual(done.returncode, 2, kind)
            self.assertRegex(done.stderr, rf':3:\d+: .*{words}')
        path = self.config('origin = "http://127.0.0.1"\n[ledger]\nurls = ["http://a.test"]\n')
        self.assertRegex(harness.run('config', 'check', path).stderr, 'kind.*clickhouse')

    def test_a_password_in_a_url_is_not_repeated(self):
        path = self.config(HEAD + 'urls = ["http://edge:geheim@a.test:8123"]\n')
        done = harness.run('config', 'check', path)
        self.assertIn('must be a URL', done.stderr)
        self.assertNotIn('geheim', done.stderr)

    def test_files_and_variables_that_are_not_there_are_told_before_an_edge_listens(self):
        for words, more in (('/no/such', {'password_file': '/no/such'}),
                            ('/no/such', {'ca': '/no/such'}),
                            ('NO_SUCH_VARIABLE', {'password_env': 'NO_SUCH_VARIABLE'})):
            ledger = Ledger(None, urls=['http://127.0.0.1:1'], **more)
            path = self.config(ledger.toml('origin = "http://127.0.0.1"\nlisten = "127.0.0.1:0"'))
            done = harness.run('serve', '--config', path, '--data-dir',
                               os.path.join(self.temporary_directory(), 'data'))
            self.assertEqual((done.returncode, done.stdout), (2, ''), done.stderr)
            self.assertRegex(done.stderr, words)

    def test_a_wrong_file_is_the_same_usage_error_for_every_command(self):
        path = self.config('[ledger]\nkind = "clickhouse"\nurls = []\n')
        for argv in (['ledger', 'init'], ['ledger', 'status'], ['ledger', 'trim'], ['cases'],
                     ['ray', '066f92e3713b2520'], ['traffic'], ['findings'], ['top', '--once'],
                     ['tail', '--no-follow'], ['trace', '--origin-log', __file__]):
            done = harness.run(*argv, '--config', path)
            self.assertEqual((done.returncode, done.stdout), (2, ''), (argv, done.stderr))
            self.assertRegex(done.stderr, f'{path}:2:[0-9]+: .*ledger.urls', argv)

    def test_node_without_a_ledger_is_a_usage_error(self):
        for argv in (['cases', '--node', 'x'], ['tail', '--no-follow', '--node', 'x'],
                     ['traffic', '--node', 'x']):
            done = harness.run(*argv)
            self.assertEqual((done.returncode, done.stdout), (2, ''), (argv, done.stderr))
            self.assertIn('--node', done.stderr)
        done = self.command('cases', '--data-dir', '/tmp',
                            ledger=Ledger(None, urls=['http://127.0.0.1:1']))
        self.assertEqual((done.returncode, done.stdout), (2, ''), done.stderr)
        self.assertRegex(done.stderr, '--data-dir.*--config')


def soon():
    """A moment behind all that was recorded, so that two looks have the same window."""
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 120))


class Book:
    """Edges whose records are in a ledger and in stores of their own: `one` alone, `two` and
    `three` together."""

    def __init__(self):
        self.origin = raw_origin.Origin(by_path)
        self.alone, self.shared = Ledger(server.get()), Ledger(server.get())
        self.edges = []
        LedgerTest().init(self.alone)
        LedgerTest().init(self.shared)
        self.one = self._edge(self.alone, 'one', 1)
        self.two = self._edge(self.shared, 'two', 2)
        self.three = self._edge(self.shared, "three'\\", 3)
        for edge, count in ((self.one, 400), (self.two, 120), (self.three, 200)):
            for host in ('a.example', 'B.example:8080', 'c.example'):
                Load(edge, self._paths(count // 3, host), host=host).wait()
        for ledger, count in ((self.alone, 399), (self.shared, 120 + 198)):
            if not until(lambda: ledger.records() == count, 20):
                raise AssertionError(f'{ledger.records()} of {count}: {self.one.errors()}')

    def _edge(self, ledger, node, number):
        edge = harness.Edge(self.origin.url, config=ledger.toml(
            f'node_id = {number}', node=node.replace('\\', '\\\\')))
        edge.ledger_config = os.path.join(edge.own_directory, 'edge.toml')
        edge.ledger, edge.node = ledger, node
        self.edges.append(edge)
        return edge

    @staticmethod
    def _paths(count, host):
        for n in range(count):
            if n % 7 == 0 or host == 'c.example' and n % 2:
                yield f'/bad/{n}?token=geheim{n}'
            elif n % 11 == 0:
                yield f"/error/it's\\{n}"
            elif n % 40 == 1:
                yield '/wait/0.1'
            else:
                yield f'/fine/{n}'

    def stop(self):
        for edge in self.edges:
            edge.stop()
        self.origin.stop()


book = harness.Shared(Book)


class ReadingTest(LedgerTest):
    def both(self, edge, *argv):
        """What the edge's store and its ledger answer to the same command."""
        answers = []
        for where in (('--data-dir', edge.data_dir), ('--config', edge.ledger_config)):
            done = harness.run(*argv, *where)
            self.assertEqual((done.returncode, done.stderr), (0, ''), (argv, where))
            answers.append(json.loads(done.stdout))
        return answers

    def same(self, edge, *argv):
        from_store, from_ledger = self.both(edge, *argv, '--json')
        self.assertEqual(from_ledger, from_store, argv)
        return from_ledger

    def test_cases_and_each_filter(self):
        edge = book.get().one
        all_cases = self.same(edge, 'cases', '--limit', '10000')
        self.assertGreater(len(all_cases), 100)
        for filters, expected in ((['--since', '1h'], len(all_cases)), (['--status', '520'], None),
                                  (['--status', '404'], 0), (['--cause', 'resp'], None),
                                  (['--cause', 'resp.empty_fin'], None),
                                  (['--cause', 'connect'], 0),
                                  (['--cause', 'origin.status'], None),
                                  (['--host', 'a.example'], None), (['--host', 'A.EXAMPLE'], None),
                                  (['--host', 'b.example'], None),
                                  (['--host', 'b.example:8080'], None), (['--host', 'b.exampl'], 0),
                                  (['--host', "a' or 1 = 1 -- "], 0), (['--host', '%'], 0),
                                  (['--path', '/bad/1'], None), (['--path', '/bad/%'], 0),
                                  (['--path', "/error/it's\\"], None), (['--path', 'x'], 0),
                                  (['--limit', '1'], 1), (['--limit', '7'], 7),
                                  (['--status', '520', '--host', 'c.example', '--limit', '5'], 5)):
            found = self.same(edge, 'cases', *filters)
            if expected is None:
                self.assertTrue(0 < len(found) <= len(all_cases), filters)
            else:
                self.assertEqual(len(found), min(expected, 50), filters)
        for case in all_cases[3::17]:
            found = self.same(edge, 'cases', '--since', case['time'], '--limit', '10000')
            self.assertIn(case['ray_id'], [one['ray_id'] for one in found])

    def test_ray_of_failures_and_of_successes_with_and_without_secrets(self):
        edge = book.get().one
        rays = [c['ray_id'] for c in self.same(edge, 'cases', '--limit', '3')]
        rays += [edge.ledger.rays()[n] for n in (0, 1, -1)]
        for ray in rays:
            self.assertEqual(self.same(edge, 'ray', ray)['ray_id'], ray)
        texts = [harness.run('ray', rays[0], *where).stdout for where in
                 (('--data-dir', edge.data_dir), ('--config', edge.ledger_config))]
        self.assertEqual(*texts)
        unknown = harness.run('ray', '066f92e3713b2520', '--config', edge.ledger_config)
        self.assertEqual((unknown.returncode, unknown.stdout), (1, ''))
        self.assertIn(f'no record of ray 066f92e3713b2520 in {edge.ledger.database} at',
                      unknown.stderr)

    def test_traffic_counts_and_quantiles(self):
        edge = book.get().one
        for by in ('cause', 'status', 'host', 'origin'):
            for more in ([], ['--host', 'a.example'], ['--cause', 'resp'], ['--status', '200'],
                         ['--since', '20h'], ['--since', '20d']):
                end = soon()
                answers = self.both(edge, 'traffic', '--by', by, '--until', end, *more, '--json')
                from_store, from_ledger = map(self.without_clock, answers)
                self.assertEqual(from_ledger, from_store, (by, more))
                self.assertGreater(from_ledger['totals']['requests'], 0)

    @staticmethod
    def without_clock(traffic):
        """The window that ends now is another one a moment later."""
        return {key: value for key, value in traffic.items()
                if key not in ('since', 'until', 'start', 'end', 'time')}

    def test_findings(self):
        found = self.same(book.get().one, 'findings')
        self.assertTrue(found)
        self.same(book.get().one, 'findings', '--since', '1h')

    def test_top(self):
        edge = book.get().one
        for by in ('cause', 'status', 'host', 'origin', 'path'):
            answers = self.both(edge, 'top', '--once', '--by', by, '--window', '15m', '--json')
            from_store, from_ledger = map(self.without_clock, answers)
            self.assertEqual(from_ledger, from_store)
            self.assertEqual(from_ledger['totals']['requests'], 399)

    def test_tail_without_following(self):
        edge = book.get().one
        for more in ([], ['--host', 'c.example'], ['--cause', 'origin'], ['--lines', '10000']):
            lines = [harness.run('tail', '--no-follow', '--json', *more, *where).stdout.splitlines()
                     for where in (('--data-dir', edge.data_dir), ('--config', edge.ledger_config))]
            self.assertTrue(lines[0])
            self.assertEqual(*lines)

    def test_trace(self):
        edge = book.get().one
        log = os.path.join(self.temporary_directory(), 'access.log')
        cases = self.same(edge, 'cases', '--limit', '40')
        with open(log, 'w') as file:
            for case in reversed(cases):
                second = time.strptime(case['time'][:19], '%Y-%m-%dT%H:%M:%S')
                file.write(json.dumps({'time': time.strftime('%Y-%m-%dT%H:%M:%SZ', second),
                                       'method': 'GET', 'uri': case['request']['uri'],
                                       'status': 200, 'ray': case['ray_id']}) + '\n')
        from_store, from_ledger = self.both(
            edge, 'trace', '--origin-log', log, '--origin-format',
            'json:time=time,ray=ray,method=method,uri=uri,status=status', '--json')
        names = [next(log.pop('log') for log in trace['coverage'] if log['role'] == 'edge')
                 for trace in (from_store, from_ledger)]
        self.assertEqual(names, [edge.data_dir,
                                 f'{edge.ledger.database} at {edge.ledger.server.url}'])
        self.assertEqual(from_ledger, from_store)
        self.assertIn('matched', {ray['outcome'] for ray in from_ledger['rays']})

    def test_node_picks_one_edge_of_two(self):
        two, three = book.get().two, book.get().three
        both = harness.run_json('cases', '--config', two.ledger_config, '--limit', '10000',
                                '--json')
        alone = {edge: edge.cases('--limit', '10000') for edge in (two, three)}
        newest_first = sorted(alone[two] + alone[three], key=lambda c: c['ray_id'], reverse=True)
        self.assertEqual(both, newest_first)
        end = soon()
        for edge in (two, three):
            node = ['--node', edge.node]
            where = ['--config', edge.ledger_config, *node]
            self.assertEqual(harness.run_json('cases', *where, '--limit', '10000', '--json'),
                             alone[edge])
            for argv in (['traffic', '--json', '--until', end],
                         ['top', '--once', '--json', '--window', '15m']):
                own = ['--data-dir', edge.data_dir]
                found = [self.without_clock(harness.run_json(*argv, *place))
                         for place in (own, where, own)]
                # The steps of `top` move on with each minute.
                self.assertIn(found[1], (found[0], found[2]))
            last = harness.run('tail', '--no-follow', '--json', '--lines', '10000', *where)
            shown = [json.loads(line)['ray_id'] for line in last.stdout.splitlines()]
            self.assertEqual(sorted(shown), sorted(c['ray_id'] for c in alone[edge]))
        nobody = harness.run('cases', '--json', '--config', two.ledger_config, '--node',
                             "' or 1 -- ")
        self.assertEqual((nobody.returncode, json.loads(nobody.stdout)), (0, []))

    def test_node_picks_the_findings_and_the_ray_of_one_edge(self):
        two, three = book.get().two, book.get().three
        for edge in (two, three):
            where = ['--config', edge.ledger_config, '--node', edge.node]
            self.assertEqual(harness.run_json('findings', '--json', *where),
                             harness.run_json('findings', '--json', '--data-dir', edge.data_dir))
        of_three = three.cases('--limit', '1')[0]['ray_id']
        done = harness.run('ray', of_three, '--config', two.ledger_config, '--node', 'two')
        self.assertEqual((done.returncode, done.stdout), (1, ''))

    def test_status_lists_the_edges(self):
        two = book.get().two
        done = harness.run('ledger', 'status', '--config', two.ledger_config)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        for word in ('two', "three'", two.ledger.database):
            self.assertIn(word, done.stdout)
        listed = harness.run_json('ledger', 'status', '--json', '--config', two.ledger_config)
        self.assertEqual([(n['node'], n['node_id'], n['silent'], n['lost'])
                          for n in listed['nodes']],
                         [("three'\\", 3, False, 0), ('two', 2, False, 0)])
        self.assertEqual(listed['missing'], [])

    def test_the_admin_listener_answers_from_the_ledger(self):
        two, three = book.get().two, book.get().three

        def get(path):
            response = wire.fetch(two.admin, path=path, host=HERE)
            self.assertEqual(response.status, 200, response.body)
            return json.loads(response.body)
        of_three = three.cases('--limit', '1')[0]['ray_id']
        self.assertEqual(get(f'/api/rays/{of_three}')['ray_id'], of_three)
        listed = {c['ray_id'] for c in get('/api/cases?limit=500')['cases']}
        self.assertEqual(listed, {c['ray_id'] for edge in (two, three)
                                  for c in edge.cases('--limit', '10000')})
        totals = get('/api/traffic?since=1h')['totals']
        self.assertEqual(totals['requests'], 120 + 198)
        found = next(one for one in get('/api/findings')['findings']
                     if one['cause'] == 'resp.empty_fin')
        causes = [c['cause'] for edge in (two, three) for c in edge.cases('--limit', '10000')]
        self.assertEqual(found['failed'], causes.count('resp.empty_fin'))


class DamagedTest(OneServerTest):
    def test_damaged_rows_do_not_end_a_list(self):
        ledger = self.ledger()
        edge = self.ledger_edge(ledger)
        rays = Load(edge, mixed(40, bad_every=1)).wait().rays
        self.assert_exactly(ledger, rays)
        newest = sorted(rays, reverse=True)
        # So many without a record before each case.
        for more in range(1, 4):
            ledger.server.query(
                f'insert into {ledger.database}.cases (ray, node, EdgeStartTimestamp, ended) select '
                f'ray + {more}, node, EdgeStartTimestamp, ended from {ledger.database}.cases '
                "where record != ''")
        for limit in (1, 7, 40):
            listed = self.command('cases', '--limit', str(limit), '--json', ledger=ledger)
            self.assertEqual((listed.returncode, listed.stderr), (0, ''))
            self.assertEqual([case['ray_id'] for case in json.loads(listed.stdout)],
                             newest[:limit])
        found, more = [], ''
        while more is not None:
            page = json.loads(wire.fetch(edge.admin, path=f'/api/cases?limit=7{more}',
                                         host=HERE).body)
            found += [case['ray_id'] for case in page['cases']]
            more = page['next'] and f'&before={page["next"]}'
        self.assertEqual(found, newest)


class FollowTest(OneServerTest):
    def follow(self, node):
        """Two edges fail, and are followed, all or the one of that name: how late each is shown."""
        ledger = self.ledger()
        edges = {name: self.ledger_edge(ledger, top=f'node_id = {number}', more=[('node', name)])
                 for number, name in enumerate(('n1', 'n2'), 1)}
        tail = Follower('tail', '--json', *(['--node', node] if node else []), '--config',
                        self.config(ledger.toml()))
        self.addCleanup(tail.stop)
        answered = {}
        for i in range(12):
            for name, edge in edges.items():
                ray = edge.fetch(f'/bad/{i}').ray
                if name == (node or name):
                    answered[ray] = time.monotonic()
            time.sleep(0.25)
        tail.wait_for(len(answered), 20)
        time.sleep(1)
        shown = [(json.loads(line)['ray_id'], at) for at, line in tail.lines]
        self.assertEqual(sorted(ray for ray, _ in shown), sorted(answered))
        self.assertEqual(tail.stop(), 0)
        return [at - answered[ray] for ray, at in shown]

    def test_tail_shows_each_failure_once_and_soon(self):
        late = self.follow(None)
        print(f'a failure is shown {min(late):.2f} to {max(late):.2f} s after its response')
        # Two edges ship every two seconds, and a busy machine takes as long again; successes may wait
        # for half a minute.
        self.assertLess(statistics.median(late), 8 * SLOWNESS)

    def test_tail_of_one_node_follows_that_one_alone(self):
        self.follow('n2')

    def test_tail_waits_for_a_ledger_that_is_away(self):
        one = self.own_server()
        ledger = self.init(Ledger(one))
        edge = self.ledger_edge(ledger)
        tail = Follower('tail', '--json', '--config', self.config(ledger.toml()))
        self.addCleanup(tail.stop)
        first = edge.fetch('/bad/1').ray
        tail.wait_for(1, 6)
        one.kill()
        self.assertTrue(wire.eventually(lambda: 'waiting' in tail.said(), 10 * SLOWNESS))
        second = edge.fetch('/bad/2').ray
        one.up()
        tail.wait_for(2, 12)
        self.assertEqual([json.loads(t)['ray_id'] for t in tail.texts()], [first, second])


HOSTILE = bytes(range(256))
CHUNK_BYTES = 32  # what a sample at the very beginning shows


def hostile(connection):
    """Answers with a part of all bytes behind an empty response, or instead of one."""
    while request := connection.read_request():
        part = int(request.header('x-part') or 0)
        chunk = HOSTILE[part * CHUNK_BYTES:(part + 1) * CHUNK_BYTES]
        if request.target.startswith('/behind'):
            connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' + chunk)
            return
        if request.target.startswith('/instead'):
            connection.send(chunk + b'\r\n\r\n')
            return
        if request.target.startswith('/login'):
            connection.send(b'HTTP/1.1 200 OK\r\nSet-Cookie: s=GEHEIM-COOKIE\r\nX Bad : 1\r\n\r\n')
            return
        connection.respond()


class ContentTest(OneServerTest):
    def ask_badly(self, edge):
        for part in range(len(HOSTILE) // CHUNK_BYTES):
            for where in ('behind', 'instead'):
                edge.fetch(f'/{where}/{part}', headers=[('X-Part', str(part))])
        odd = "Robert'); DROP TABLE cases; -- \\' \\x00 \t` \" \xff\x80é {} ${x} %n"
        for path, host in (("/a%00%0a%27'\\\"`;--", 'edge.test'),
                           ("/x'||(select 1)||'", "a'b.test"),
                           ('/{id:UInt8}\\N\\0', 'a"b.test'), ('/' + 'x' * 6000 + "'", 'a\\b.test'),
                           ("/bad'\\", "' or 1=1 -- "), ('/\xff\xfe\x80', '\xff.test'),
                           ('/%ff%c3%28', 'x;drop.test')):
            for kind in ('', '/instead'):
                edge.fetch(kind + path, host=host,
                           headers=[('User-Agent', odd), ('Referer', 'http://h/' + odd)])

    def test_hostile_bytes_pass_unharmed(self):
        ledger = self.ledger(secrets='kept')
        edge = self.edge(self.origin(hostile), config=ledger.toml())
        self.ask_badly(edge)
        count = int(metrics(edge)['edgecase_requests_total'])
        self.assertTrue(until(lambda: ledger.records() == count, 20),
                        (ledger.records(), count, edge.errors()))
        config = os.path.join(edge.own_directory, 'edge.toml')
        for ray in ledger.rays():
            answers = [harness.run('ray', ray, '--show-secrets', '--json', *where)
                       for where in (('--data-dir', edge.data_dir), ('--config', config))]
            self.assertEqual([a.stderr for a in answers], ['', ''], ray)
            self.assertEqual(answers[0].stdout, answers[1].stdout)
        records = ledger.server.query_bytes(f'select record from {ledger.database}.cases '
                                            'format RowBinary')
        for part in range(len(HOSTILE) // CHUNK_BYTES):
            self.assertIn(HOSTILE[part * CHUNK_BYTES:(part + 1) * CHUNK_BYTES], records)
        self.assertEqual(harness.run_json('cases', '--json', '--limit', '1000', '--config', config),
                         edge.cases('--limit', '1000'))
        end = soon()
        for by in ('host', 'cause'):
            traffic = [harness.run_json('traffic', '--json', '--by', by, '--until', end, *where)
                       for where in (('--data-dir', edge.data_dir), ('--config', config))]
            self.assertEqual(*map(ReadingTest.without_clock, traffic))

    def secrets_in(self, ledger, edge):
        """Which of the secrets are in some column of some table."""
        edge.fetch('/login?token=GEHEIM-TOKEN&x=1&password=GEHEIM-PASSWORD',
                   headers=[('Referer', 'https://user:GEHEIM-USERINFO@h.test/?api_key=GEHEIM-KEY'),
                            ('Authorization', 'Bearer GEHEIM-BEARER'),
                            ('Cookie', 'a=GEHEIM-SENT-COOKIE')])
        edge.fetch('/fine?access_token=GEHEIM-SUCCESS#id_token=GEHEIM-FRAGMENT')
        edge.fetch('/bad GEHEIM-UNKNOWN')
        until(lambda: ledger.records() >= 2, 10)
        everything = b''.join(
            ledger.server.query_bytes(f'select * from {ledger.database}.{table} format RowBinary')
            for table in ('cases', 'successes', 'nodes'))
        for step in STEPS:
            everything += ledger.server.query_bytes(
                f'select host, label from {ledger.database}.{step} format RowBinary')
        return {word.decode() for word in re.findall(rb'GEHEIM-[A-Z-]+', everything)}

    def test_credentials_do_not_leave_the_machine_unless_told_to(self):
        for more, expected in (({}, set()), ({'secrets': 'redacted'}, set()),
                               ({'secrets': 'kept'}, {'GEHEIM-TOKEN', 'GEHEIM-PASSWORD',
                                                      'GEHEIM-USERINFO', 'GEHEIM-KEY',
                                                      'GEHEIM-SUCCESS'})):
            ledger = self.ledger(**more)
            edge = self.edge(self.origin(hostile), config=ledger.toml())
            found = self.secrets_in(ledger, edge)
            self.assertLessEqual(expected, found, more)
            if not expected:
                self.assertEqual(found - {'GEHEIM-UNKNOWN'}, set(), more)


class OwnOriginsTest(OneServerTest):
    def test_an_edges_origins_are_told_of_by_its_own_requests(self):
        ledger = self.ledger()
        origin = self.origin(by_path)
        edges = [self.ledger_edge(ledger, origin, f'node_id = {number}', [('node', f'n{number}')])
                 for number in (1, 2)]
        rays = [ray for edge, count in zip(edges, (10, 30))
                for ray in Load(edge, mixed(count)).wait().rays]
        self.assert_exactly(ledger, rays)
        shown = [json.loads(wire.fetch(edge.admin, path='/api/origins', host=HERE).body)
                 ['origins'][0]['requests'] for edge in edges]
        self.assertEqual(shown, [10, 30])


class TlsTest(OneServerTest):
    def secured(self, url=None, **more):
        path = os.path.join(self.temporary_directory(), 'password')
        with open(path, 'w') as file:
            file.write(PASSWORD)
        return Ledger(locked.get(), urls=[url or locked.get().https_url], user='edge',
                      password_file=path, **more)

    def test_https_with_a_ca_of_its_own(self):
        ledger = self.init(self.secured(ca=certificates.authority().certificate))
        edge = self.ledger_edge(ledger)
        rays = Load(edge, mixed(50)).wait().rays
        self.assert_exactly(ledger, rays)
        cases = self.command('cases', '--json', ledger=ledger)
        self.assertEqual(json.loads(cases.stdout), edge.cases())

    def test_another_ca_is_refused_in_a_sentence(self):
        other = certificates.Authority()
        self.addCleanup(other.stop)
        for ledger in (self.secured(ca=other.certificate), self.secured()):
            self.refused('cannot be reached: .*certificate', 'ledger', 'init', ledger=ledger)
        edge = self.ledger_edge(self.secured(ca=other.certificate))
        self.assertEqual(edge.fetch('/fine').status, 200)
        self.assertTrue(wire.eventually(
            lambda: re.search('cannot be reached: .*certificate', edge.errors()), 5 * SLOWNESS))

    def test_a_certificate_of_another_name_is_refused(self):
        ledger = self.secured(f'https://127.0.0.2:{locked.get().https_port}',
                              ca=certificates.authority().certificate)
        self.refused('cannot be reached', 'ledger', 'init', ledger=ledger)

    def test_plain_http_to_a_port_of_tls_and_tls_to_a_plain_one(self):
        for url in (f'http://localhost:{locked.get().https_port}',
                    f'https://localhost:{locked.get().port}'):
            ledger = self.secured(url, ca=certificates.authority().certificate)
            self.refused(re.escape(url), 'ledger', 'init', ledger=ledger)

    def test_a_certificate_file_that_is_none(self):
        path = os.path.join(self.temporary_directory(), 'ca.pem')
        with open(path, 'w') as file:
            file.write('nothing\n')
        self.refused('ca', 'ledger', 'init', ledger=self.secured(ca=path))


class NamesakeTest(OneServerTest):
    def test_two_edges_of_one_number_are_told(self):
        ledger = self.ledger()
        self.ledger_edge(ledger, top='node_id = 9', more=[('node', 'first')])
        self.assertTrue(wire.eventually(lambda: ledger.ask('select node from nodes')))
        other = self.ledger_edge(ledger, top='node_id = 9', more=[('node', 'second')])
        self.assertTrue(wire.eventually(
            lambda: 'the edge first has the number 9 too' in other.errors(), 5 * SLOWNESS),
            other.errors())
        third = self.ledger_edge(ledger, top='node_id = 10', more=[('node', 'third')])
        self.assertTrue(wire.eventually(
            lambda: ledger.number('select uniqExact(node) from nodes') == 3))
        time.sleep(0.3)
        self.assertEqual(third.errors(), '')


if __name__ == '__main__':
    harness.main(clickhouse.missing(), jobs=5)
