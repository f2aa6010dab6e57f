"""`edgecase trace`: made-up logs with a known truth, and the real logs of real servers."""
import contextlib
import datetime
import gzip
import json
import os
import random
import re
import shutil
import subprocess
import time
import unittest

import harness
import trace_score
import wire
from real_servers import Apache, Nginx, Node, missing

COMBINED = '1.2.3.4 - - [01/Nov/2026:10:00:01 +0000] "GET /x HTTP/1.1" 200 5 "-" "curl"'


def run(*argv, stdin=None):
    return subprocess.run([harness.BINARY, 'trace', *argv], capture_output=True, text=True,
                          input=stdin, timeout=60 * harness.SLOWNESS)


def edge_line(ray='7a1b2c3d4e5f6789', status=520, uri='/x', **more):
    return json.dumps({'RayID': ray, 'EdgeStartTimestamp': 1793527201000000000,
                       'EdgeEndTimestamp': 1793527201100000000, 'ClientRequestMethod': 'GET',
                       'ClientRequestURI': uri, 'ClientRequestHost': 'a.test',
                       'EdgeResponseStatus': status, 'OriginResponseStatus': 0, **more}) + '\n'


class TraceCase(harness.TestCase):
    def file(self, name, content):
        if not hasattr(self, 'directory'):
            self.directory = self.temporary_directory()
        path = os.path.join(self.directory, name)
        with open(path, 'wb') as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path


@unittest.skipUnless(os.path.exists(trace_score.CORPUS), 'the generator of logs is not built')
class ProofTest(TraceCase):
    """Targets: with Ray IDs 0.9999, without 0.98, and never a false `never arrived`."""

    def proof(self, least, more=(), **options):
        directory = trace_score.make(os.path.join(self.temporary_directory(), 'corpus'), **options)
        report = trace_score.trace(directory, *more)
        score = trace_score.score(directory, report)
        print(f'{self._testMethodName}: {score}')
        self.assertGreaterEqual(score['precision'], least, score)
        self.assertGreaterEqual(score['recall'], least, score)
        self.assertEqual(score['false_never_arrived'], 0, score)
        self.assertGreater(score['never_arrived_recall'], 0.6, score)
        self.assertGreater(score['rays'], 100)
        skew = options.get('skew_ms', 3000)
        self.assertLess(abs(report['clock_skew_ms'] - skew), 150)
        return directory, report

    def test_with_ray_ids(self):
        self.proof(0.9999, seconds=20)

    def test_without_ray_ids(self):
        self.proof(0.98, seconds=20, ray=0)

    def test_without_ray_ids_every_request(self):
        self.proof(0.98, ('--all',), seconds=8, ray=0, rate=1000)

    def test_a_log_with_a_gap_in_rotated_files(self):
        for ray in (0, 1):
            _, report = self.proof(0.98, seconds=40, rate=500, failures=0.03, gap_from=12,
                                   gap_seconds=13, rotate=1, ray=ray, skew_ms=-45000)
            origin = next(log for log in report['coverage'] if log['role'] == 'origin')
            self.assertEqual((len(origin['gaps']), origin['files']), (1, 3))

    def test_an_edge_log_out_of_order_by_a_minute(self):
        for ray in (0, 1):
            self.proof(0.98, seconds=100, rate=200, failures=0.03, ray=ray, shuffle_s=60)

    def test_packed_files_say_the_same(self):
        directory, report = self.proof(0.9999, seconds=10, rate=500, failures=0.05)
        plain = os.path.join(directory, 'access.log')
        with open(plain, 'rb') as file:
            text = file.read()
        half = text.rindex(b'\n', 0, len(text) // 2) + 1
        with gzip.open(plain + '.1.gz', 'wb') as file:
            file.write(text[:half])
        with open(plain, 'wb') as file:
            file.write(text[half:])
        if shutil.which('zstd'):
            subprocess.run(['zstd', '-q', '--rm', plain], check=True)
        again = trace_score.trace(directory)
        self.assertEqual(len(trace_score.origin_logs(directory)), 2)
        self.assertEqual(again['rays'], report['rays'])


class InputTest(TraceCase):
    def test_one_ray_is_shown_with_its_line(self):
        edge = self.file('edge.ndjson', edge_line())
        origin = self.file('access.log', COMBINED + ' 7a1b2c3d4e5f6789-FRA\n')
        done = run('--edge-log', edge, '--origin-log', origin, '--ray', '7A1B2C3D4E5F6789-FRA')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(COMBINED, done.stdout)
        self.assertIn('matched', done.stdout)

    def test_a_log_that_does_not_cover_the_time_proves_nothing(self):
        edge = self.file('edge.ndjson', edge_line())
        origin = self.file('access.log', COMBINED.replace('10:00:01', '11:00:01') +
                           ' 0000000000000001-FRA\n')
        ray, = json.loads(run('--edge-log', edge, '--origin-log', origin, '--json').stdout)['rays']
        self.assertEqual((ray['outcome'], ray['origin_line']), ('not_covered', None))

    def test_input_that_cannot_be_used_gets_one_clear_line(self):
        edge = self.file('edge.ndjson', edge_line())
        origin = self.file('access.log', COMBINED + '\n')
        for argv, sentence in (
                ((), 'edge\'s side'),
                (('--edge-log', edge), 'origin\'s side'),
                (('--edge-log', '/nowhere', '--origin-log', origin), 'No such file'),
                (('--edge-log', self.directory, '--origin-log', origin), 'is a directory'),
                (('--edge-log', self.file('empty', ''), '--origin-log', origin), 'is empty'),
                (('--edge-log', self.file('binary', b'\x7fELF\0\0'), '--origin-log', origin),
                 'not text'),
                (('--edge-log', origin, '--origin-log', origin), 'no edge log'),
                (('--edge-log', edge, '--origin-log', self.file('odd', 'what is this\n')),
                 'no format known'),
                (('--edge-log', edge, '--origin-log', self.file(
                    'e.log', '2026/11/01 10:00:00 [error] 1#1: *1 message\n')), 'is an error log'),
                (('--edge-log', edge, '--error-log', origin), 'no format known for error logs'),
                (('--edge-log', edge, '--error-log', self.file('raw', 'Error: boom\n')),
                 'no times'),
                (('--edge-log', edge, '--origin-log', self.file(
                    'h.log', 'Nov  1 10:00:01 h haproxy[1]: Connect from 127.0.0.1:1 to '
                             '127.0.0.1:2 (fe/HTTP)\n')), 'option httplog'),
                (('--edge-log', edge, '--origin-log', origin, '--origin-format', '$x'), 'no time'),
                (('--edge-log', edge, '--origin-log', origin, '--origin-format', '@/nowhere'),
                 'cannot be read'),
                (('--edge-log', edge, '--origin-log', origin, '--ray', 'xyz'), 'not a Ray ID'),
                (('--edge-log', edge, '--origin-log', origin, '--zone', 'x'), '--zone'),
                (('--data-dir', '/nowhere', '--origin-log', origin), '/nowhere')):
            done = run(*argv)
            self.assertNotEqual(done.returncode, 0, argv)
            self.assertIn(sentence, done.stderr)
            self.assertEqual(done.stderr.count('\n'), 1, done.stderr)
        done = run('--edge-log', edge, '--origin-log', origin, '--ray', '0000000000000001')
        self.assertEqual(done.returncode, 1)
        self.assertIn('in no edge log', done.stderr)

    def test_what_arrived_and_left_no_line_was_never_arrived(self):
        edge = self.file('edge.ndjson', edge_line(OriginFailureCause='resp.empty_rst'))
        origin = self.file('access.log', ''.join(
            COMBINED.replace('10:00:01', f'{time_of:%H:%M:%S}').replace('/x', '/other') + '\n'
            for time_of in (datetime.datetime(2026, 11, 1, 9, 55) +
                            datetime.timedelta(seconds=second) for second in range(600))))
        ray, = json.loads(run('--edge-log', edge, '--origin-log', origin, '--json').stdout)['rays']
        self.assertEqual((ray['outcome'], ray['cause']), ('left_no_line', 'resp.empty_rst'), ray)
        self.assertIn('left no line', ray['logs_say'])

    def test_a_report_that_cannot_be_written_takes_nothing_from_the_text(self):
        edge = self.file('edge.ndjson', edge_line())
        origin = self.file('access.log', COMBINED + '\n')
        done = run('--edge-log', edge, '--origin-log', origin, '--html', '/nowhere/report.html')
        self.assertEqual(done.returncode, 1)
        self.assertIn('/nowhere/report.html: cannot be written', done.stderr)
        self.assertIn('1 requests, 1 failed', done.stdout)
        self.assertIn('outcomes: 1 ', done.stdout)

    def test_lines_that_cannot_be_read_are_counted_and_shown_escaped(self):
        edge = self.file('edge.ndjson', edge_line() + '{"RayID": broken\n')
        hostile = '\x1b[31mred\x07 ' + 'x' * 2_000_000
        origin = self.file('access.log', '\n'.join([COMBINED, hostile, COMBINED, 'short']) + '\n')
        done = run('--edge-log', edge, '--origin-log', origin)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('2 lines not read', done.stdout)
        self.assertIn('\\x1b[31mred', done.stdout)
        self.assertNotIn('\x1b', done.stdout)
        report = json.loads(run('--edge-log', edge, '--origin-log', origin, '--json').stdout)
        self.assertEqual([log['unread_lines'] for log in report['coverage']], [1, 2])

    def test_a_broken_gzip_file_is_read_as_far_as_it_goes(self):
        edge = self.file('edge.ndjson', edge_line())
        packed = gzip.compress((COMBINED + ' 7a1b2c3d4e5f6789\n').encode() +
                               os.urandom(50_000).hex().encode())
        origin = self.file('access.log.1.gz', packed[:-3000])
        done = run('--edge-log', edge, '--origin-log', origin)
        self.assertIn('ends early', done.stdout)
        self.assertIn('matched', done.stdout)

    def test_standard_input_is_a_log(self):
        origin = self.file('access.log', COMBINED + ' 7a1b2c3d4e5f6789\n')
        done = run('--edge-log', '-', '--origin-log', origin, '--json', stdin=edge_line())
        self.assertEqual(json.loads(done.stdout)['rays'][0]['outcome'], 'matched')
        self.assertNotEqual(run('--edge-log', '-', '--origin-log', '-', stdin='x').returncode, 0)

    def test_secrets_are_hidden_unless_asked_for(self):
        edge = self.file('edge.ndjson', edge_line(uri='/x?token=SECRET'))
        origin = self.file('access.log', COMBINED.replace('/x', '/x?token=SECRET') +
                           ' 7a1b2c3d4e5f6789\n')
        page = os.path.join(self.directory, 'report.html')
        for more, there in (((), False), (('--show-secrets',), True)):
            done = run('--edge-log', edge, '--origin-log', origin, '--json', '--html', page, *more)
            with open(page) as file:
                self.assertEqual(('SECRET' in done.stdout, 'SECRET' in file.read()), (there, there))

    def test_a_page_runs_nothing_of_what_strangers_sent(self):
        edge = self.file('edge.ndjson', edge_line(uri='/<script>alert(1)</script>'))
        origin = self.file('access.log', COMBINED + '\n')
        page = os.path.join(self.directory, 'report.html')
        self.assertEqual(run('--edge-log', edge, '--origin-log', origin, '--html', page).returncode,
                         0)
        with open(page) as file:
            text = file.read()
        self.assertNotIn('<script', text)
        self.assertIn('&lt;script&gt;', text)
        self.assertIn("default-src 'none'", text)
        self.assertNotRegex(text, r'(src|href)=')


class SymptomTest(TraceCase):
    """Each test is named after what went wrong."""

    BEGIN = 1793527200  # 2026-11-01 10:00:00 UTC

    def edge(self, i, at, uri, failed=False, took=0.05, **more):
        start = int((self.BEGIN + at) * 1e6) * 1000
        return edge_line(**{
            'ray': f'{0x7a1b2c3d00000000 + i:016x}', 'status': 520 if failed else 200, 'uri': uri,
            'EdgeStartTimestamp': start, 'EdgeEndTimestamp': start + int(took * 1e6) * 1000,
            'OriginResponseStatus': 0 if failed else 200, 'ClientRequestUserAgent': 'UA/1', **more})

    def origin(self, at, uri, more=''):
        clock = time.strftime('%d/%b/%Y:%H:%M:%S +0000', time.gmtime(self.BEGIN + at))
        return f'198.51.100.7 - - [{clock}] "GET {uri} HTTP/1.1" 200 0 "-" "UA/1"{more}\n'

    def requests(self, count=600, distance=0.5):
        """Both logs, each as a list of lines; every 20th request failed."""
        return ([self.edge(i, i * distance, f'/p{i}', i % 20 == 7) for i in range(count)],
                [self.origin(i * distance + 0.05, f'/p{i}') for i in range(count)])

    def outcomes(self, edge, origin, *more):
        names = []
        for name, content in (('edge.ndjson', edge), ('access.log', origin)):
            names.append(self.file(name, ''.join(content)))
        done = run('--edge-log', names[0], '--origin-log', names[1], '--json', *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.report = json.loads(done.stdout)
        return {name: count for name, count in self.report['outcomes'].items() if count}

    def test_after_one_line_from_the_future_everything_was_never_arrived(self):
        edge, origin = self.requests()
        for ahead in (3600, 400 * 86400):
            odd = origin[:100] + [self.origin(ahead, '/odd')] + origin[100:]
            self.assertEqual(self.outcomes(edge, odd), {'matched': 30})

    def test_logs_in_no_order_of_time_were_never_arrived(self):
        edge, origin = self.requests()
        shuffled = edge[:]
        for begin in range(0, len(edge), 120):
            shuffled[begin:begin + 120] = random.Random(1).sample(edge[begin:begin + 120], 120)
        for logs in ((shuffled, origin), (edge, origin[::-1]), (edge[::-1], origin)):
            self.assertEqual(self.outcomes(*logs), {'matched': 30})
            for log in self.report['coverage']:
                self.assertEqual((log['from'][11:19], log['to'][11:19], log['gaps']),
                                 ('10:00:00', '10:04:59', []))

    def test_lines_older_than_the_ray_field_were_never_arrived(self):
        edge, origin = self.requests()
        with_ray = [line.rstrip('\n') + f' "7a1b2c3d{i:08x}-LAX"\n'
                    for i, line in enumerate(origin)]
        dashes = [line.rstrip('\n') + ' "-"\n' for line in origin]
        for older in (dashes, origin):
            self.assertEqual(self.outcomes(edge, older[:300] + with_ray[300:]), {'matched': 30})
            self.assertEqual(self.report['coverage'][1]['unread_lines'], 0)

    def test_an_entry_delivered_twice_was_never_arrived_the_second_time(self):
        edge, origin = self.requests()
        with_ray = [line.rstrip('\n') + f' 7a1b2c3d{i:08x}-LAX\n' for i, line in enumerate(origin)]
        for lines in (origin, with_ray):
            self.assertEqual(self.outcomes(edge + edge[100:200], lines), {'matched': 30})
            self.assertEqual((self.report['requests'], self.report['failures']), (600, 30))

    def test_an_edge_log_without_ray_ids_was_never_arrived(self):
        edge, origin = self.requests()
        edge = [re.sub('"RayID": "[^"]*", ', '', line) for line in edge]
        self.assertEqual(self.outcomes(edge, origin), {'matched': 30})
        with_ray = [line.rstrip('\n') + f' 7a1b2c3d{i:08x}-LAX\n' for i, line in enumerate(origin)]
        self.assertEqual(self.outcomes(edge, with_ray), {'matched': 30})

    def test_many_requests_of_one_uri_took_for_ever(self):
        edge = [self.edge(i, i / 5000, '/', True) for i in range(20000)]
        origin = [self.origin(i / 5000 + 0.05, '/') for i in range(20000)]
        for i in range(50):
            edge.append(self.edge(30000 + i, 4 + i / 10, f'/u{i}'))
            origin.append(self.origin(4.05 + i / 10, f'/u{i}'))
        begin = time.monotonic()
        self.assertEqual(self.outcomes(edge, origin), {'ambiguous': 20000})
        self.assertLess(time.monotonic() - begin, 60 * harness.SLOWNESS)  # it was minutes

    def test_slow_requests_in_a_log_of_their_starts_were_never_arrived(self):
        # Apache's combined has the time of the start and is written at the end.
        took = [30 if i % 20 == 7 else 0.05 for i in range(600)]
        edge = [self.edge(i, i * 0.5, f'/p{i}', took[i] > 1, took[i],
                          EdgeTimeToFirstByteMs=int(took[i] * 1000)) for i in range(600)]
        written = sorted(range(600), key=lambda i: i * 0.5 + took[i])
        origin = [self.origin(i * 0.5 + 0.05, f'/p{i}') for i in written]
        self.assertEqual(self.outcomes(edge, origin), {'matched': 30})

    def test_with_clocks_that_cannot_be_compared_a_wrong_line_was_certain(self):
        # Six URIs, each too often to tell the clocks' difference of 90 s.
        edge = [self.edge(i, i * 0.5, f'/p{i % 6}', i % 20 == 7) for i in range(600)]
        origin = [self.origin(i * 0.5 + 90.05, f'/p{i % 6}') for i in range(600)]
        self.assertEqual(set(self.outcomes(edge, origin)), {'ambiguous', 'not_covered'})

    def test_a_log_given_twice_made_everything_ambiguous(self):
        edge, origin = self.requests()
        packed = self.file('access.log.gz', gzip.compress(''.join(origin).encode()))
        for copy in (packed, os.path.join(self.directory, 'access.log')):
            self.assertEqual(self.outcomes(edge, origin, '--origin-log', copy), {'matched': 30})
            self.assertIn('left out', self.report['coverage'][1]['damage'][0])

    def test_a_log_in_another_format_was_an_answer(self):
        edge, origin = self.requests(20)
        edge, origin = self.file('edge.ndjson', ''.join(edge)), self.file('o.log', ''.join(origin))
        done = run('--edge-log', edge, '--origin-log', origin, '--origin-format', 'haproxy')
        self.assertEqual(done.returncode, 2)
        self.assertIn('can be read as haproxy', done.stderr)

    def test_an_empty_error_log_was_an_error(self):
        edge = self.file('edge.ndjson', edge_line())
        done = run('--edge-log', edge, '--error-log', self.file('error.log', ''), '--json')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)['coverage'][1]['lines'], 0)

    def test_after_the_clocks_went_back_an_error_was_missed(self):
        # 2026-10-25 01:00 UTC: in Berlin from +0200 to +0100.
        change = 1792890000 - self.BEGIN
        edge = [self.edge(i, change - 300 + i / 2, f'/p{i}', i == 900) for i in range(1200)]
        origin = []
        for i in range(1200):
            at = change - 300 + i / 2
            zone = 2 if at < change else 1
            line = self.origin(at + zone * 3600, f'/p{i}', f' 7a1b2c3d{i:08x}-LAX')
            origin.append(line.replace('+0000', f'+0{zone}00'))
        del origin[900]
        error = self.file('error.log', '2026/10/25 02:02:30 [alert] 1#1: worker process 33 exited '
                          'on signal 11\n')
        self.assertEqual(self.outcomes(edge, origin, '--error-log', error), {'never_arrived': 1})
        self.assertEqual([event['kind'] for event in self.report['rays'][0]['nearby']],
                         ['worker_exited'])

    def test_a_thousand_idle_lines_hid_the_telling_one(self):
        edge, origin = self.requests(20)
        line = '2026/11/01 10:00:03 [{}] 1#1: {}\n'
        error = self.file('error.log', line.format('info', 'client closed keepalive connection') *
                          1500 + line.format('alert', 'worker process 33 exited on signal 11'))
        self.outcomes(edge, origin, '--error-log', error)
        self.assertEqual(self.report['rays'][0]['nearby'][0]['kind'], 'worker_exited')

    def test_a_clock_two_hours_ahead_is_called_a_zone(self):
        edge, _ = self.requests()
        origin = [self.origin(7200 + i / 2, f'/p{i}') for i in range(600)]
        self.assertEqual(self.outcomes(edge, origin), {'matched': 30})
        self.assertIn('exactly 2 h ahead', self.report['coverage'][1]['damage'][0])

    def test_a_pipe_lost_what_came_after_the_first_look(self):
        edge, origin = self.requests()
        pipe = os.path.join(self.temporary_directory(), 'pipe')
        os.mkfifo(pipe)
        plain = self.file('plain.log', ''.join(origin))
        writer = subprocess.Popen(['sh', '-c', 'cat "$1" > "$2"', 'sh', plain, pipe])
        self.addCleanup(writer.wait)
        self.addCleanup(writer.kill)
        done = run('--edge-log', self.file('edge.ndjson', ''.join(edge)), '--origin-log', pipe,
                   '--json')
        self.assertEqual(json.loads(done.stdout)['outcomes']['matched'], 30, done.stderr)

    def test_a_line_with_the_ray_that_could_not_be_read_was_never_arrived(self):
        edge, origin = self.requests()
        origin = [line.rstrip('\n') + f' 7a1b2c3d{i:08x}-LAX\n' for i, line in enumerate(origin)]
        origin[7] = origin[7].replace('" 200 0 "', '" OK ? "')
        origin[27] = origin[27].replace('01/Nov', '1/Nov')
        self.assertEqual(self.outcomes(edge, origin), {'matched': 30})
        self.assertEqual(self.report['coverage'][1]['unread_lines'], 2)


class RealLogsTest(TraceCase):
    def up(self, server):
        self.addCleanup(server.stop)
        return server.up()

    def trace(self, edge, *argv):
        def settled():
            done = run('--data-dir', edge.data_dir, '--json', *argv)
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)
        return settled()

    def by_uri(self, report):
        return {ray['uri']: ray for ray in report['rays']}

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_nginx_behind_the_edge(self):
        for log_format, has_ray in (('ray', True), ('combined', False)):
            nginx = Nginx(f'access_log DIR/access.log {log_format}; root DIR;'
                          'location /closed { return 444; } location /error { return 500; }'
                          'location /fine { return 200 fine; } location /big { limit_rate 20k; }')
            nginx.write('big/file', 'x' * 400_000)
            self.up(nginx)
            edge = self.edge(nginx)
            for _ in range(8):
                edge.fetch(path='/fine')
            edge.fetch(path='/closed')
            edge.fetch(path='/error')
            with edge.client() as client:
                client.send(wire.request(path='/big/file'))
                self.assertTrue(client.take(1000))
                nginx.kill_workers()
                with contextlib.suppress(wire.Malformed):
                    client.response()
            time.sleep(1.1)
            edge.fetch(path='/fine')
            self.assertTrue(wire.eventually(lambda: len(edge.cases()) >= 3))
            report = self.trace(edge, '--origin-log', nginx.path('access.log'), '--error-log',
                                nginx.path('error.log'))
            rays = self.by_uri(report)
            # The edge asked twice (its first connection was a used one): two lines, which only a
            # Ray ID shows to be of one request.
            self.assertEqual((rays['/closed']['outcome'], rays['/closed']['cause']),
                             ('matched' if has_ray else 'ambiguous', 'resp.empty_fin'),
                             rays['/closed'])
            self.assertEqual([line['status'] for line in rays['/closed']['origin_lines']],
                             [444, 444])
            self.assertIn('return 444', rays['/closed']['fix'])
            self.assertEqual((rays['/error']['outcome'], rays['/error']['cause'],
                              rays['/error']['origin_lines'][0]['status']),
                             ('matched', 'origin.status', 500))
            killed = rays['/big/file']
            self.assertRegex(killed['cause'], r'^body\.short')
            self.assertIn('worker_exited', [event['kind'] for event in killed['nearby']])
            self.assertIn('process of the origin ended', killed['logs_say'])
            self.assertIsNone(killed['origin_line'])
            log = next(log for log in report['coverage'] if log['role'] == 'origin')
            self.assertEqual(log['has_rays'], has_ray)

    @unittest.skipIf(missing('apache2'), missing('apache2'))
    def test_apache_behind_the_edge(self):
        apache = Apache('script', 'echo "Status: 503"; echo; echo no')
        log_format = '%h %l %u %t \\"%r\\" %>s %b %D \\"%{CF-Ray}i\\"'
        with open(apache.path('httpd.conf'), 'a') as file:
            file.write(f'LogFormat "{log_format}" edge\nCustomLog {apache.path("access.log")} edge\n')
        self.up(apache)
        edge = self.edge(apache)
        edge.fetch(path='/cgi/script')
        edge.fetch(path='/absent')
        self.assertTrue(wire.eventually(lambda: os.path.getsize(apache.path('access.log')) > 100))
        self.assertTrue(wire.eventually(edge.cases))
        report = self.trace(edge, '--origin-log', apache.path('access.log'), '--origin-format',
                            '@' + apache.path('httpd.conf'), '--error-log',
                            apache.path('error.log'))
        ray, = report['rays']
        self.assertEqual((ray['outcome'], ray['cause'], ray['origin_lines'][0]['status']),
                         ('matched', 'origin.status', 503))

    @unittest.skipIf(missing('node'), missing('node'))
    def test_node_with_json_lines_behind_the_edge(self):
        node = Node('''const fs = require('fs');
const server = http.createServer((request, response) => {
  const line = { time: new Date().toISOString(), method: request.method, url: request.url,
                 status: request.url == '/bad' ? 500 : 200, cf_ray: request.headers['cf-ray'] };
  fs.appendFileSync(__dirname + '/access.json', JSON.stringify(line) + '\\n');
  if (request.url == '/gone') return request.socket.destroy();
  response.statusCode = line.status; response.end('x');
});''')
        self.up(node)
        edge = self.edge(node)
        for path in ('/fine', '/bad', '/gone'):
            edge.fetch(path=path)
        self.assertTrue(wire.eventually(lambda: len(edge.cases()) >= 2))
        rays = self.by_uri(self.trace(edge, '--origin-log', node.path('access.json')))
        self.assertEqual({uri: (ray['outcome'], ray['cause']) for uri, ray in rays.items()},
                         {'/bad': ('matched', 'origin.status'),
                          '/gone': ('matched', 'resp.empty_fin')})


if __name__ == '__main__':
    harness.main()
