"""The access log and the traces of a real edge: a line for each request, whole, in a form that others read, through rotation and a
full disk; `traceparent` continued, replaced and begun as W3C Trace Context says."""
import collections
import json
import os
import random
import re
import signal
import subprocess
import threading
import time
import unittest

import harness
import raw_origin
import wire
from harness import SLOWNESS
from real_servers import missing

TRACE, SPAN = '0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'
USUAL = f'00-{TRACE}-{SPAN}-01'
COMBINED = re.compile(r'^127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "([^"]*)" (\d{3}) (\d+) '
                      r'"([^"]*)" "([^"]*)"$')

LONGEST_OF_GOACCESS = 4095  # bytes of a line; it takes the rest for another one


def answering_or_breaking(connection):
    while request := connection.read_request():
        if '/bad' in request.target:
            return
        connection.respond(b'hello')


def lines_of(path):
    if not os.path.exists(path):
        return []
    with open(path, 'rb') as file:
        text = file.read().decode()
    assert not text or text.endswith('\n'), f'a torn line: {text[-200:]!r}'
    return text.split('\n')[:-1]


class AccessLog(harness.TestCase):

    def logging_edge(self, form='json', **more):
        path = os.path.join(self.temporary_directory(), 'access.log')
        edge, _ = self.edge_before(answering_or_breaking,
                                   config=f'[access_log]\npath = "{path}"\nformat = "{form}"\n', **more)
        return edge, path

    def wait_for_lines(self, path, count, seconds=5):
        wire.eventually(lambda: os.path.exists(path) and
                        open(path, 'rb').read().count(b'\n') >= count, seconds * SLOWNESS)
        found = lines_of(path)
        self.assertEqual(len(found), count)
        return found

    def metric(self, edge, name):
        text = wire.fetch(edge.admin, path='/metrics', host='localhost').body.decode()
        return int(re.search(rf'^edgecase_access_log_{name}_total (\d+)$', text, re.MULTILINE)[1])

    def test_json_has_a_line_for_each_request_with_the_fields_of_a_record(self):
        edge, path = self.logging_edge()
        responses = [edge.fetch(p, headers=[('User-Agent', 'test/1')])
                     for p in ('/a?token=geheim&x=1', '/bad/2', '/c')]
        lines = [json.loads(line) for line in self.wait_for_lines(path, 3)]
        self.assertEqual([line['RayID'] for line in lines], [r.ray for r in responses])
        self.assertEqual([line['EdgeResponseStatus'] for line in lines], [200, 520, 200])
        self.assertEqual(lines[0]['ClientRequestURI'], '/a?token=[redacted]&x=1')
        self.assertEqual(lines[1]['OriginFailureCause'], 'resp.empty_fin')
        fields = {line.split('|')[1].strip() for line in open(os.path.join(
            os.path.dirname(__file__), '..', 'docs', 'fields.md')) if line.startswith('| ')}
        self.assertEqual(set(lines[0]), fields - {'Field'})
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o640)
        self.assertEqual((self.metric(edge, 'lines'), self.metric(edge, 'dropped')), (3, 0))

    def test_combined_is_escaped_as_nginx_does(self):
        edge, path = self.logging_edge('combined')
        edge.fetch('/a?x=1', headers=[('User-Agent', 'a"b\\c\tdé'), ('Referer', 'http://r.example/')])
        edge.fetch('/bad')
        with edge.client() as client:
            client.send(b'nonsense\r\n\r\n')
            client.response()
        first, second, third = (COMBINED.match(line) for line in self.wait_for_lines(path, 3))
        self.assertEqual(first.groups(), ('GET /a?x=1 HTTP/1.1', '200', '5', 'http://r.example/',
                                          'a\\x22b\\x5Cc\\x09d\\xE9'))
        self.assertEqual(second.group(1, 2, 4, 5), ('GET /bad HTTP/1.1', '520', '-', '-'))
        self.assertEqual(third[2], '400')

    def hostile_load(self, edge, count=300):
        """What readers of logs stumble over, in target, referer and user agent; the statuses it was given."""
        chance = random.Random(8)
        pieces = [b'"', b'\\', b'\\"', b'\t', b'\x7f', b'\xe9', '\u2028'.encode(), b'\xff\xfe', b'%00%0a%22', b'%',
                  b'[', b'] ',
                  b'" 200 5 "-" "-', b'"}', b'","EdgeResponseStatus":200,"', b',"OriginFailureCause"', b'x' * 200,
                  b'\x1b[2J', b'-', b'%h%d', b'{']
        words = [b'', *pieces, *(b''.join(chance.choices(pieces, k=3)) for _ in range(count))]
        statuses = []
        for i, word in enumerate(words):
            target, method = word.replace(b' ', b'') if i % 4 else b'', (b'GET', b'FOO', b'HEAD')[i % 17 % 3]
            lines = [method + b' /' + (b'bad/' if i % 10 == 0 else b'') + target + b' HTTP/1.1', b'Host: edge.test',
                     b'Connection: close', b'Referer: ' + word, b'User-Agent: ' + words[i - 1]]
            with edge.client() as client:
                client.send(b'\r\n'.join(lines) + b'\r\n\r\n')
                statuses.append(client.response(to=method.decode()).status)
        with edge.client() as client:
            client.send(b'nonsense\r\n\r\n')
            statuses.append(client.response().status)
        self.assertEqual(set(statuses), {200, 400, 520})
        return statuses

    def goaccess(self, path, word):
        """What the command of docs/logs.md with that word makes of the log: (its report, status -> requests)."""
        with open(os.path.join(os.path.dirname(__file__), '..', 'docs', 'logs.md')) as page:
            [command] = [c for c in re.findall('```sh\n(.*?)```', page.read(), re.DOTALL) if word in c]
        directory = os.path.dirname(path)
        done = subprocess.run(['sh', '-c', command.replace('report.html', 'report.json')], cwd=directory,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(directory, 'report.json')) as file:
            report = json.load(file)
        return report['general'], {int(status['data'][:3]): status['hits']['count']
                                   for kind in report['status_codes']['data'] for status in kind['items']}

    @unittest.skipIf(missing('goaccess'), missing('goaccess'))
    def test_goaccess_reads_every_line_of_combined(self):
        edge, path = self.logging_edge('combined')
        statuses = self.hostile_load(edge)
        lines = self.wait_for_lines(path, len(statuses))
        self.assertTrue(''.join(lines).isascii())
        self.assertLess(max(map(len, lines)), LONGEST_OF_GOACCESS)
        general, counts = self.goaccess(path, 'COMBINED')
        self.assertEqual((general['total_requests'], general['valid_requests'], general['failed_requests']),
                         (len(statuses), len(statuses), 0))
        self.assertEqual(counts, collections.Counter(statuses))

    @unittest.skipIf(missing('goaccess'), missing('goaccess'))
    def test_goaccess_reads_json_but_for_what_it_cannot(self):
        def can(record):
            uri = record['ClientRequestURI']
            return record['ClientRequestMethod'] in ('GET', 'HEAD') and uri and not uri.endswith('\\')
        edge, path = self.logging_edge()
        statuses = self.hostile_load(edge)
        records = [json.loads(line) for line in self.wait_for_lines(path, len(statuses))]
        known = [record['EdgeResponseStatus'] for record in records if can(record)]
        general, counts = self.goaccess(path, 'ClientIP')
        self.assertEqual((general['total_requests'], general['failed_requests']),
                         (len(statuses), len(statuses) - len(known)))
        self.assertEqual(counts, collections.Counter(known))

    def test_trace_reads_both_forms(self):
        edge, path = self.logging_edge('combined')
        rays = [edge.fetch(f'/{"bad" if i % 3 == 0 else "good"}/{i}').ray for i in range(12)]
        self.wait_for_lines(path, 12)
        found = harness.run_json('trace', '--data-dir', edge.data_dir, '--origin-log', path, '--json',
                                 '--all')
        self.assertEqual(next(c['format'] for c in found['coverage'] if c['role'] == 'origin'), 'combined')
        self.assertEqual(found['outcomes']['matched'], 12)
        done = harness.run('trace', '--data-dir', edge.data_dir, '--origin-log', path, '--ray', rays[0])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('/bad/0', done.stdout)

        # One edge behind another: the one's log is the edge's, the other's the origin's.
        behind, origin_log = self.logging_edge('combined')
        edge_log = os.path.join(self.temporary_directory(), 'edge.log')
        before = self.edge(f'http://127.0.0.1:{behind.address[1]}', flags=('--access-log', edge_log))
        ray = before.fetch('/bad/1').ray
        self.wait_for_lines(edge_log, 1)
        self.wait_for_lines(origin_log, 1)
        done = harness.run('trace', '--edge-log', edge_log, '--origin-log', origin_log, '--json')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(ray, done.stdout)

    def test_no_line_is_lost_or_torn_when_the_file_is_rotated_under_load(self):
        edge, path = self.logging_edge(flags=('--workers', '2'))
        stop, counts, rays = threading.Event(), [], []

        def ask():
            mine = []
            with edge.client() as client:
                while not stop.is_set():
                    mine.append(client.get('/a').ray)
            rays.extend(mine)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(6):
            time.sleep(0.2)
            self.assertTrue(wire.eventually(lambda: os.path.getsize(path), 5 * SLOWNESS))
            os.rename(path, f'{path}.{number}')
            edge.process.send_signal(signal.SIGUSR1)
            self.assertTrue(wire.eventually(lambda: os.path.exists(path), 5 * SLOWNESS))
        stop.set()
        for thread in threads:
            thread.join()
        files = [f'{path}.{number}' for number in range(6)] + [path]
        wire.eventually(lambda: sum(open(f, 'rb').read().count(b'\n') for f in files) >= len(rays), 10)
        logged = [json.loads(line)['RayID'] for file in files for line in lines_of(file)]
        self.assertEqual(sorted(logged), sorted(rays))
        counts = [len(lines_of(file)) for file in files]
        print(f'{len(rays)} requests in {len(files)} files through 6 rotations: {counts}')
        self.assertTrue(all(counts[:-1]), counts)
        self.assertEqual(self.metric(edge, 'dropped'), 0)

    def test_what_was_asked_just_before_the_end_is_logged(self):
        path = os.path.join(self.temporary_directory(), 'access.log')
        origin = self.origin(answering_or_breaking)
        edge = harness.Edge(origin.url, flags=('--access-log', path))
        for i in range(20):
            edge.fetch(f'/{i}')
        edge.stop()
        self.assertEqual(len(lines_of(path)), 20)

    def test_a_full_disk_is_survived_and_told_once(self):
        if os.geteuid() != 0:
            self.skipTest('mounting wants root')
        small = self.temporary_directory()
        if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=512k', 'none', small],
                          capture_output=True).returncode:
            self.skipTest('tmpfs cannot be mounted')
        self.addCleanup(subprocess.run, ['umount', '-l', small])
        path, filler = os.path.join(small, 'access.log'), os.path.join(small, 'filler')
        with open(filler, 'wb') as file:
            file.write(b'x' * (480 << 10))
        origin = self.origin(answering_or_breaking)
        edge = self.edge(origin, flags=('--access-log', path))
        rays = [edge.fetch(f'/{i}').ray for i in range(60)]
        self.assertTrue(wire.eventually(lambda: 'access log' in edge.errors(), 5 * SLOWNESS))
        rays += [edge.fetch(f'/{i}').ray for i in range(10)]
        time.sleep(1.2)
        said = [line for line in edge.errors().splitlines() if 'access log' in line]
        self.assertEqual(len(said), 1, said)
        self.assertIn('No space left', said[0])
        os.rename(path, path + '.1')
        os.remove(filler)
        edge.process.send_signal(signal.SIGUSR1)
        wire.eventually(lambda: 'writes again' in edge.errors(), 5 * SLOWNESS)
        wire.eventually(lambda: self.metric(edge, 'lines') == 70, 5 * SLOWNESS)
        logged = [json.loads(line)['RayID'] for file in (path + '.1', path) for line in lines_of(file)]
        self.assertEqual(logged, rays)

    def test_a_signal_without_a_log_and_a_wrong_setting_do_no_harm(self):
        edge, _ = self.edge_before(answering_or_breaking)
        edge.process.send_signal(signal.SIGUSR1)
        self.assertEqual(edge.fetch('/').status, 200)
        for flags, word in ((['--access-log', '-'], 'standard output'), (['--access-log', '/no/such/file'], '/no/such'),
                            (['--access-log', '/dev/null'], 'regular')):
            done = harness.run('serve', '--origin', 'http://127.0.0.1:1', '--listen', '127.0.0.1:0', '--admin',
                               '127.0.0.1:0', '--data-dir', self.temporary_directory(), *flags)
            self.assertEqual((done.returncode, done.stdout), (2, ''))
            self.assertIn(word, done.stderr)


class Traces(harness.TestCase):

    def asked(self, edge, origin, headers):
        """What the origin got, and the case file of that request."""
        response = edge.fetch('/bad', headers=headers)
        request = next(r for r in origin.requests if r.ray == response.ray)
        return request, edge.ray(response.ray)

    def test_a_valid_one_is_continued_with_the_ray_as_span(self):
        edge, origin = self.edge_before(answering_or_breaking)
        for sent, flags in ((USUAL, '01'), (f'00-{TRACE}-{SPAN}-00', '00'), (f'00-{TRACE}-{SPAN}-ff', '03'),
                            (f'01-{TRACE}-{SPAN}-01', '01'), (f'01-{TRACE}-{SPAN}-01-what-ever', '01')):
            request, case = self.asked(edge, origin, [('Traceparent', sent), ('tracestate', 'a=1'),
                                                      ('tracestate', 'b=2')])
            self.assertEqual(request.all('traceparent'), [f'00-{TRACE}-{request.ray}-{flags}'], sent)
            self.assertEqual(request.all('tracestate'), ['a=1', 'b=2'])
            self.assertEqual((case['trace_id'], case['span_id'], case['parent_span_id']),
                             (TRACE, request.ray, SPAN))
        self.assertIn(TRACE, harness.run('ray', case['ray_id'], '--data-dir', edge.data_dir).stdout)

    def test_one_that_is_not_valid_is_replaced_and_its_state_dropped(self):
        edge, origin = self.edge_before(answering_or_breaking)
        zeros, seen = '0' * 32, set()
        for sent in ([USUAL, USUAL], [f'00-{TRACE.upper()}-{SPAN}-01'], [f'ff-{TRACE}-{SPAN}-01'],
                     [f'00-{zeros}-{SPAN}-01'], [f'00-{TRACE}-{zeros[:16]}-01'], [USUAL + '-00'], [USUAL[:-1]],
                     [USUAL + ',' + USUAL], [''], ['nonsense']):
            request, case = self.asked(edge, origin, [*(('traceparent', v) for v in sent), ('tracestate', 'a=1')])
            self.assertEqual(len(request.all('traceparent')), 1, sent)
            got = re.fullmatch(rf'00-([0-9a-f]{{32}})-{request.ray}-03', request.header('traceparent'))
            self.assertTrue(got, (sent, request.header('traceparent')))
            self.assertNotIn(got[1], (TRACE, zeros))
            self.assertIsNone(request.header('tracestate'))
            self.assertEqual((case['trace_id'], case['span_id'], case['parent_span_id']),
                             (got[1], request.ray, None))
            seen.add(got[1])
        self.assertEqual(len(seen), 10)

    def test_without_one_there_is_none_unless_always_is_set(self):
        edge, origin = self.edge_before(answering_or_breaking)
        request, case = self.asked(edge, origin, [('tracestate', 'a=1')])
        self.assertEqual((request.header('traceparent'), request.header('tracestate')), (None, None))
        self.assertEqual((case['trace_id'], case['span_id'], case['parent_span_id']), (None, None, None))
        edge, origin = self.edge_before(answering_or_breaking, flags=('--traceparent', 'always'))
        request, case = self.asked(edge, origin, [])
        self.assertRegex(request.header('traceparent'), rf'^00-{case["trace_id"]}-{request.ray}-03$')
        request, case = self.asked(edge, origin, [('traceparent', USUAL)])
        self.assertEqual(case['trace_id'], TRACE)

    def test_off_passes_both_fields_as_they_are(self):
        edge, origin = self.edge_before(answering_or_breaking, config='traceparent = "off"\n')
        request, case = self.asked(edge, origin, [('traceparent', 'Nonsense'), ('tracestate', 'a=1')])
        self.assertEqual((request.header('traceparent'), request.header('tracestate')), ('Nonsense', 'a=1'))
        self.assertIsNone(case['trace_id'])

    def test_a_success_has_its_trace_in_the_record_too(self):
        edge, _ = self.edge_before(answering_or_breaking)
        response = edge.fetch('/good', headers=[('traceparent', USUAL)])
        self.assertEqual(edge.ray(response.ray)['trace_id'], TRACE)


if __name__ == '__main__':
    harness.main()
