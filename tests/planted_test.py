"""`edgecase findings` over planted causes: real edges, healthy load with one thing wrong in it. Each is found,
named and set apart by the right factor, and nothing else is found."""
import json
import os
import random
import subprocess
import threading
import time
import unittest

import harness
import namespaces
import raw_origin
import wire
from certificates import authority
from firewall_test import EDGE_IP, ORIGIN_PORT, FirewallTest
from namespaces import inside
from pool_test import lab
from real_servers import Nginx, NodeHttp2, missing

NO_NAMESPACES = namespaces.why_impossible()
PART = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart'


def wrong_for(is_wrong, fail):
    """An origin that fails in that way for the requests that `is_wrong(connection, request)` picks."""
    def behave(connection):
        while request := connection.read_request():
            if is_wrong(connection, request):
                fail(connection)
                return
            connection.respond()
    return behave


def path_has(text):
    return lambda _, request: text in request.target


def send(data):
    def fail(connection):
        connection.send(data)
        connection.finish()
    return fail


def nothing(connection):
    connection.finish()


def server_error(connection):
    connection.respond(b'no', status='500 Internal Server Error')
    connection.finish()


class Planted(harness.TestCase):
    """`requests`: (method, path, more) each; they go over one connection while it lasts."""

    def load(self, edge, requests):
        client = edge.client()
        for method, path, more in requests:
            body = b'x=1' if method == 'POST' else None
            client.send(wire.request(method, path, body=body, **more))
            response = client.response(to=method)
            if response.cut or 'close' in (response.header('connection') or ''):
                client.close()
                client = edge.client()
        client.close()

    def found(self, edge, cases):
        """(cause, factor, value) of each finding, once as many cases are stored."""
        def stored():
            rows = harness.run_json('cases', '--data-dir', edge.data_dir, '--json', '--limit', '10000')
            return sum(row['cause'] != 'none' for row in rows) >= cases
        self.assertTrue(wire.eventually(stored, 10), 'the cases were not stored')
        edge.ray(edge.fetch('/last').ray, seconds=5)
        return [(one['cause'], one['factor'], one['value'])
                for one in harness.run_json('findings', '--data-dir', edge.data_dir, '--json')]

    @staticmethod
    def mixed(wrong, count=240, every=8, **more):
        """Healthy requests, and each eighth one is `wrong` (a function of its number)."""
        return [wrong(i) if i % every == 0 else ('GET', f'/item/{i}', more) for i in range(count)]


class AtThirtySecondsTest(Planted):
    """A timeout that is set to 30 s, of the origin's side or the edge's. These wait longest, and begin first."""

    def load_beside_slow_ones(self, edge, origin, paths):
        """The origin has the slow ones first: none goes over a connection that the load leaves."""
        slow = [threading.Thread(target=edge.fetch, args=(path,), kwargs={'timeout': 60}) for path in paths]
        for thread in slow:
            thread.start()
        self.assertTrue(wire.eventually(lambda: len(origin.connections) == len(paths), 10))
        self.load(edge, self.mixed(lambda i: ('POST', f'/item/{i}', {}), 160))
        for thread in slow:
            thread.join()

    def sentences(self, edge):
        return [one['sentence'] for one in harness.run_json('findings', '--data-dir', edge.data_dir, '--json')]

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_a_gateway_whose_read_timeout_is_30_s(self):
        """On one path it answers 504 then, on another it closes without a word."""
        application = self.origin(lambda connection: connection.wait_for_end(60))
        nginx = Nginx(f'''
            proxy_read_timeout 30s;
            location /report {{ proxy_pass {application.url}; }}
            location /export {{ proxy_pass {application.url}; error_page 504 = @close; }}
            location @close {{ return 444; }}
            location / {{ return 200 "ok"; }}''')
        self.addCleanup(nginx.stop)
        edge = self.edge(nginx.up(), flags=('--read-timeout', '100s'))
        paths = [f'/{name}/{i}' for i in range(8) for name in ('report', 'export')]
        self.load_beside_slow_ones(edge, application, paths)
        self.assertEqual(sorted(self.found(edge, 16)), [('origin.status', 'path', '/report/{n}'),
                                                        ('resp.empty_fin', 'path', '/export/{n}')])
        for sentence in self.sentences(edge):
            self.assertIn('They end 30 s after the request, a round number: a timeout at the origin', sentence)

    def test_an_edge_whose_read_timeout_is_30_s(self):
        origin = self.origin(wrong_for(path_has('/slow'), lambda connection: connection.wait_for_end(60)))
        edge = self.edge(origin, flags=('--read-timeout', '30s'))
        self.load_beside_slow_ones(edge, origin, [f'/slow/{i}' for i in range(8)])
        self.assertEqual(self.found(edge, 8), [('time.first_byte', 'path', '/slow/{n}')])
        case = edge.ray(edge.cases()[0]['ray_id'])
        self.assertEqual((case['edge_status'], case['evidence']['limit_name'], case['evidence']['limit_ms']),
                         (524, 'read', 30_000))
        [sentence] = self.sentences(edge)
        self.assertNotIn('a timeout at the origin', sentence)  # it is the edge's own


@unittest.skipIf(NO_NAMESPACES, NO_NAMESPACES)
class EgressFirewallTest(FirewallTest, Planted):
    """A firewall before the origin turns away one of the edge's addresses. A connection carries three requests."""

    SOURCES = [EDGE_IP, '10.79.0.11', '10.79.0.12']

    def assert_named(self, *verdicts):
        """(firewall's verdict, cause) each."""
        edge_side, origin_side = self.network()
        for source in self.SOURCES[1:]:
            edge_side.run('ip', 'addr', 'add', source + '/24', 'dev', 'e0')
        origin = self.origin_in(origin_side, self.three_times)
        for verdict, cause in verdicts:
            with self.subTest(verdict):
                origin_side.filter('input', f'ip saddr {self.SOURCES[1]} tcp dport {ORIGIN_PORT} {verdict}')
                edge = self.edge(origin, namespace=edge_side, flags=('--connect-timeout', '300ms'),
                                 config=f'egress = {self.SOURCES}\n')
                with inside(edge_side):
                    self.load(edge, [('GET', f'/item/{i}', {}) for i in range(70)])
                    self.assertEqual(self.found(edge, 10), [(cause, 'egress address', self.SOURCES[1])])

    @staticmethod
    def three_times(connection):
        for left in (2, 1, 0):
            if not connection.read_request():
                return
            connection.respond(headers=[] if left else [('Connection', 'close')])

    def test_one_egress_address_whose_packets_are_dropped(self):
        self.assert_named(('drop', 'connect.timeout'))

    def test_one_egress_address_that_is_rejected(self):
        self.assert_named(('reject with tcp reset', 'connect.refused'), ('reject', 'connect.rejected'),
                          ('reject with icmp type admin-prohibited', 'connect.prohibited'))


class PlantedTest(Planted):
    def assert_planted(self, behave, requests, expected, cases=5, config='', flags=()):
        edge = self.edge(self.origin(behave), config=config + '[limits]\nhold_back_time = "1s"\n', flags=flags)
        self.load(edge, requests)
        self.assertEqual(self.found(edge, cases), [expected])

    def on_path(self, fail, cause, count=240):
        """The plainest plant: all that goes to one path fails."""
        requests = self.mixed(lambda i: ('GET', f'/orders/{i}/report', {}), count)
        self.assert_planted(wrong_for(path_has('/report'), fail), requests,
                            (cause, 'path', '/orders/{n}/report'), cases=count // 8)

    def test_a_script_that_dies_on_one_path(self):
        self.on_path(nothing, 'resp.empty_fin')

    def test_a_script_that_dies_in_its_answer(self):
        self.on_path(send(PART), 'body.short_fin')

    def test_a_status_line_that_is_none(self):
        self.on_path(send(b'HTTP/1.1 2OO OK\r\n\r\n'), 'resp.bad_status_code.not_numeric')

    def test_a_chunk_that_is_cut(self):
        self.on_path(send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nshort'),
                     'body.chunk_truncated')

    def test_a_header_line_with_a_space_before_its_colon(self):
        self.on_path(send(b'HTTP/1.1 200 OK\r\nX-A : 1\r\nContent-Length: 0\r\n\r\n'),
                     'resp.bad_header_name.space')

    def test_two_content_lengths(self):
        self.on_path(send(b'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
                     'resp.conflicting_length')

    def test_headers_that_grew_on_one_path(self):
        def grown(connection):
            connection.respond(headers=[('X-Debug', 'd' * 12_000)] * 3)
        self.on_path(grown, 'resp.headers_too_large')

    def test_an_application_that_answers_500_on_one_path(self):
        self.on_path(server_error, 'origin.status')

    def test_a_reset_instead_of_an_answer(self):
        def reset(connection):
            connection.reset()
        self.on_path(reset, 'resp.empty_rst')

    def test_a_slow_path_that_never_answers(self):
        def silent(connection):
            connection.wait_for_end(5)
        requests = self.mixed(lambda i: ('GET', f'/slow/{i}', {}), 60, 10)
        self.assert_planted(wrong_for(path_has('/slow'), silent), requests,
                            ('time.first_byte', 'path', '/slow/{n}'), cases=6,
                            flags=('--read-timeout', '300ms'))

    def test_an_end_after_five_seconds_is_called_a_timeout(self):
        def ends(connection):
            time.sleep(5.02)
            connection.finish()
        edge = self.edge(self.origin(wrong_for(path_has('/slow'), ends)), flags=('--read-timeout', '20s'))
        slow = [threading.Thread(target=edge.fetch, args=(f'/slow/{i}',)) for i in range(8)]
        for thread in slow:
            thread.start()
        self.load(edge, self.mixed(lambda i: ('GET', f'/item/{i}', {}), 100))
        for thread in slow:
            thread.join()
        self.assertEqual(self.found(edge, 8), [('resp.empty_fin', 'path', '/slow/{n}')])
        [one] = harness.run_json('findings', '--data-dir', edge.data_dir, '--json')
        self.assertIn('5 s after the request', one['sentence'])

    def test_one_method_that_fails(self):
        self.assert_planted(wrong_for(lambda _, request: request.method == 'POST', nothing),
                            self.mixed(lambda i: ('POST', f'/item/{i}', {})),
                            ('resp.empty_fin', 'method', 'POST'), cases=30)

    def test_one_host_of_many(self):
        def wrong(_, request):
            return request.header('host') == 'b.test'
        requests = self.mixed(lambda i: ('GET', f'/item/{i}', {'host': 'b.test'}))
        self.assert_planted(wrong_for(wrong, nothing), requests, ('resp.empty_fin', 'host', 'b.test'), cases=30)

    def test_large_cookies(self):
        def wrong(_, request):
            return len(request.header('cookie') or '') > 8_000
        cookie = {'headers': [('Cookie', 'a=' + 'c' * 9_000)]}
        self.assert_planted(wrong_for(wrong, nothing), self.mixed(lambda i: ('GET', f'/item/{i}', cookie)),
                            ('resp.empty_fin', 'request header', '8 to 16 KiB'), cases=30)

    def test_clients_of_an_old_protocol(self):
        def wrong(_, request):
            return 'HTTP/1.0' in (request.header('via') or request.header('x-version') or '')
        old = {'version': 'HTTP/1.0', 'headers': [('X-Version', 'HTTP/1.0')]}
        self.assert_planted(wrong_for(wrong, nothing), self.mixed(lambda i: ('GET', f'/item/{i}', old)),
                            ('resp.empty_fin', 'client protocol', 'HTTP/1.0'), cases=30)

    def test_the_keep_alive_race(self):
        """The origin closes after some answers without saying so; the edge's retry hides it from visitors."""
        def behave(connection):
            for _ in range(2):
                if not connection.read_request():
                    return
                connection.respond()
            connection.read_head()
            connection.reset()
        edge = self.edge(self.origin(behave))
        self.load(edge, [('POST', f'/item/{i}', {}) for i in range(120)])
        self.assertEqual(self.found(edge, 0), [('reuse.stale', 'connection', 'reused')])
        [one] = harness.run_json('findings', '--data-dir', edge.data_dir, '--json')
        self.assertTrue(one['hidden_by_retry'])
        self.assertEqual(one['unit'], 'attempts')
        self.assertAlmostEqual(one['inside_rate'], 0.5, delta=0.02)  # each second one that is reused

    def test_one_bad_origin_of_three(self):
        good = [self.origin(raw_origin.answering()) for _ in range(2)]
        bad = self.origin(wrong_for(lambda *_: True, send(PART)))
        urls = ', '.join(f'"{origin.url}"' for origin in (*good, bad))
        edge = self.edge(None, config=f'[[pool]]\nname = "three"\norigins = [{urls}]\n'
                                      '[pool.ejection]\nfailures = 0\n'
                                      '[[route]]\npool = "three"\n[limits]\nhold_back_time = "1s"\n')
        self.load(edge, [('GET', f'/item/{i}', {}) for i in range(150)])
        self.assertEqual(self.found(edge, 40), [('body.short_fin', 'origin', f'127.0.0.1:{bad.port}')])

    def test_one_egress_address_that_is_turned_away(self):
        def behave(connection):
            if connection.socket.getpeername()[0] == '127.0.0.3':
                connection.read_head()
                connection.finish()
                return
            while connection.read_request():
                connection.respond(headers=[('Connection', 'close')])
                return
        self.assert_planted(behave, [('GET', f'/item/{i}', {}) for i in range(150)],
                            ('resp.empty_fin', 'egress address', '127.0.0.3'), cases=30,
                            config='egress = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]\n')

    def two_sites(self, second, cause, more='', cases=20):
        """One site is healthy, the other one's origin is not there in some way."""
        good = self.origin(raw_origin.answering())
        edge = self.edge(good, routes=(f'b.test={second}',), config=more or None)
        self.load(edge, self.mixed(lambda i: ('GET', f'/item/{i}', {'host': 'b.test'}), cases * 8))
        found = self.found(edge, cases)
        self.assertEqual([(one[0], one[1]) for one in found], [(cause, 'host')])

    def test_an_origin_that_is_down(self):
        self.two_sites(f'http://127.0.0.1:{harness.free_port()}', 'connect.refused')

    def test_an_origin_whose_name_is_gone(self):
        self.two_sites('http://no-such-origin.invalid', 'dns.nxdomain')

    def test_an_origin_with_another_names_certificate(self):
        self.two_sites(lab.get().url('tls.cert.name'), 'tls.cert.name',
                       more=f'origin_ca = "{lab.get().ca}"\n')

    def test_failures_without_a_pattern_are_one_finding_without_a_factor(self):
        chance = random.Random(4)
        self.assert_planted(wrong_for(lambda *_: chance.random() < 0.08, nothing),
                            [('GET', f'/item/{i}', {}) for i in range(300)], ('resp.empty_fin', '', ''))

    def test_two_causes_at_once_are_two_findings(self):
        def behave(connection):
            while request := connection.read_request():
                if '/a/' in request.target:
                    return nothing(connection)
                if request.method == 'POST':
                    return send(PART)(connection)
                connection.respond()
        requests = [('GET', f'/a/{i}', {}) if i % 6 == 0 else ('POST', f'/b/{i}', {}) if i % 6 == 3 else
                    ('GET', f'/b/{i}', {}) for i in range(240)]
        edge = self.edge(self.origin(behave), config='[limits]\nhold_back_time = "1s"\n')
        self.load(edge, requests)
        self.assertEqual(sorted(self.found(edge, 80)),
                         [('body.short_fin', 'method', 'POST'), ('resp.empty_fin', 'path', '/a/{n}')])

    def test_a_deploy_that_restarts_the_origin(self):
        """A day of traffic, written as the edge would have: nobody listened for two minutes of it."""
        data = self.temporary_directory() + '/data'
        corpus = os.path.join(os.path.dirname(harness.BINARY), 'bench', 'record_corpus')
        if not os.path.exists(corpus):
            self.skipTest('record_corpus was not built')
        subprocess.run([corpus, data, '60000', '1', 'restart'], check=True, stdout=subprocess.DEVNULL)
        [one] = harness.run_json('findings', '--data-dir', data, '--json')
        self.assertEqual((one['cause'], one['factor']), ('connect.refused', 'time'))
        self.assertRegex(one['value'], 'for 3 min$')
        self.assertGreater(one['inside_rate'], 0.5)

    def test_healthy_traffic_of_many_kinds_has_none(self):
        chance = random.Random(5)
        requests = [(chance.choice(('GET', 'POST', 'PUT')), f'/{chance.choice("abcdef")}/{i}',
                     {'host': chance.choice(('a.test', 'b.test'))}) for i in range(1500)]
        edge = self.edge(self.origin(raw_origin.answering()))
        self.load(edge, requests)
        self.assertEqual(self.found(edge, 0), [])

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_a_rule_of_nginx_that_closes_silently(self):
        nginx = Nginx('location /gone { return 444; } location / { return 200 "ok"; }')
        self.addCleanup(nginx.stop)
        edge = self.edge(nginx.up())
        self.load(edge, self.mixed(lambda i: ('GET', f'/gone/{i}', {})))
        self.assertEqual(self.found(edge, 30), [('resp.empty_fin', 'path', '/gone/{n}')])

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_a_header_of_nginx_beyond_the_limit(self):
        header = ' '.join(f'add_header X-{i} "{"h" * 3_000}";' for i in range(12))
        nginx = Nginx('location /big { %s return 200 "ok"; } location / { return 200 "ok"; }' % header)
        self.addCleanup(nginx.stop)
        edge = self.edge(nginx.up())
        self.load(edge, self.mixed(lambda i: ('GET', f'/big/{i}', {})))
        self.assertEqual(self.found(edge, 30), [('resp.headers_too_large', 'path', '/big/{n}')])

    @unittest.skipIf(missing('node'), missing('node'))
    def test_node_resets_streams_when_there_are_several(self):
        """The guide's fifth step on the way: some of the load goes over HTTP/1.1, which is healthy."""
        node = NodeHttp2('''let open = 0;
            const server = http2.createSecureServer({...files, allowHTTP1: true}, (request, response) => {
              const http2_ = request.httpVersion === '2.0';
              if (http2_) { open += 1; request.stream.on('close', () => { open -= 1; }); }
              if (http2_ && open > 2) request.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
              else setTimeout(() => response.end('fine'), 10);
            });''', authority().localhost)
        self.addCleanup(node.stop)
        edge = self.edge(node.up(), config=f'origin_ca = "{authority().certificate}"\n')

        def at_once():
            threads = [threading.Thread(target=self.load, args=(
                edge, [('POST', f'/item/{i}', {}) for i in range(25)])) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        at_once()
        order = json.dumps({'origin': node.url, 'http2': 'off'}).encode()
        self.assertEqual(wire.fetch(edge.admin, 'PUT', '/api/origins/http2', body=order, host='127.0.0.1').status, 200)
        at_once()
        found = self.found(edge, 20)
        self.assertEqual([one[1:] for one in found], [('protocol', 'HTTP/2')] * len(found), found)
        self.assertTrue(all(one[0].startswith('h2.') for one in found) and found, found)


if __name__ == '__main__':
    harness.main()
