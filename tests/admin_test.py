"""The admin listener: what it shows, what may be switched there, and who may not."""
import json
import os
import signal
import socket
import threading
import unittest

import harness
import http2_wire
import prometheus_text
import raw_origin
import wire
from certificates import authority, edge_config, h1_context, h2_context
from real_servers import NodeHttp2, missing

HERE = '127.0.0.1'
QUIET = {'pools': [], 'requests': 0, 'failures': 0, 'p50_ms': None, 'p95_ms': None,
         'connections': {'idle': 0, 'active': 0}, 'idle_timeout_ms': None}


def origins(edge):
    return json.loads(wire.fetch(edge.admin, path='/api/origins', host=HERE).body)['origins']


def switch(edge, origin, http2):
    body = json.dumps({'origin': origin, 'http2': http2}).encode()
    return wire.fetch(edge.admin, 'PUT', '/api/origins/http2', body=body, host=HERE)


class AdminTest(harness.TestCase):
    def refused(self, edge, status, method='PUT', path='/api/origins/http2', body=b'{}', host=HERE):
        response = wire.fetch(edge.admin, method, path, body=body, host=host)
        self.assertEqual(response.status, status, response)
        return json.loads(response.body)['error']

    def test_what_is_no_order_changes_nothing(self):
        edge, origin = self.edge_before(raw_origin.answering())
        order = json.dumps({'origin': origin.url, 'http2': 'off'}).encode()
        before = origins(edge)
        self.assertEqual(before, [{'url': origin.url, 'http2': False, 'http2_configured': False,
                                   'http2_switch': 'configured', **QUIET}])
        for body in (b'', b'off', b'\xff\0', b'{}', order[:-1], order.replace(b'off', b'no'),
                     order[:-1] + b', "more": 1}'):
            self.assertIn('the body must be', self.refused(edge, 400, body=body))
        self.assertIn('no origin', self.refused(edge, 404, body=order.replace(b'http:', b'https:')))
        self.assertIn('only PUT', self.refused(edge, 405, 'DELETE', body=order))
        self.assertIn('only GET', self.refused(edge, 405, path='/api/origins', body=order))
        self.assertIn('there is', self.refused(edge, 404, path='/api/more', body=order))
        self.assertEqual(origins(edge), before)

    def test_silent_connections_keep_nobody_out(self):
        edge, _ = self.edge_before(raw_origin.answering())
        silent = [socket.create_connection(edge.admin) for _ in range(64)]
        for one in silent:
            self.addCleanup(one.close)
        for _ in range(10):
            with wire.Client(edge.admin, timeout=2) as client:
                client.send(wire.request('GET', '/healthz', host=HERE))
                self.assertEqual(client.response().status, 200)

    def test_half_sent_requests_keep_nobody_out(self):
        edge, _ = self.edge_before(raw_origin.answering())
        half = [socket.create_connection(edge.admin) for _ in range(64)]
        for one in half:
            self.addCleanup(one.close)
            one.sendall(b'POST /api/login HTTP/1.1\r\nHost: localhost\r\n'
                        b'Content-Type: application/json\r\nContent-Length: 10\r\n\r\n')
        for _ in range(10):
            with wire.Client(edge.admin, timeout=2) as client:
                client.send(wire.request('GET', '/healthz', host=HERE))
                self.assertEqual(client.response().status, 200)

    def test_without_records_there_are_none_and_why_is_told(self):
        edge, _ = self.edge_before(raw_origin.by_path, config='[retention]\nrecords = "off"\n')
        self.assertEqual(edge.fetch('/bad').status, 520)
        self.assertIn('retention.records is off', self.refused(edge, 503, 'GET', '/api/cases'))
        status = json.loads(wire.fetch(edge.admin, path='/api/status', host=HERE).body)
        self.assertEqual(status['records']['recorded'], 'off')
        self.assertFalse(os.path.exists(os.path.join(edge.data_dir, 'records.sqlite')))

    def test_failures_alone_are_recorded_and_all_is_counted(self):
        edge, _ = self.edge_before(raw_origin.by_path, config='[retention]\nrecords = "failures"\n')
        good, bad = edge.fetch('/good'), edge.fetch('/bad')
        self.assertEqual(edge.ray(bad.ray)['edge_status'], 520)

        def counted():
            page = wire.fetch(edge.admin, path='/api/traffic?since=5m', host=HERE)
            return json.loads(page.body)['totals']['requests'] == 2
        self.assertTrue(wire.eventually(counted, 5))
        self.assertEqual(harness.run('ray', good.ray, '--data-dir', edge.data_dir).returncode, 1)

    def test_a_body_beyond_any_order_is_refused_unread(self):
        edge, _ = self.edge_before(raw_origin.answering())
        with wire.Client(edge.admin) as client:
            client.send(wire.request('PUT', '/api/origins/http2',
                                     (('Content-Length', '1000000000'),), host=HERE))
            self.assertEqual(client.response().status, 400)
        with wire.Client(edge.admin) as client:
            client.send(wire.request('PUT', '/api/origins/http2',
                                     (('Transfer-Encoding', 'chunked'),), host=HERE))
            self.assertEqual(client.response().status, 400)

    def test_a_page_that_points_its_name_here_is_not_answered(self):
        edge, origin = self.edge_before(raw_origin.answering())
        for method, path in (('GET', '/api/origins'), ('PUT', '/api/origins/http2'),
                             ('GET', '/metrics')):
            self.assertIn('by address', self.refused(edge, 403, method, path, host='evil.test'))
        self.assertEqual(wire.fetch(edge.admin, path='/healthz', host='evil.test').status, 200)
        for host in ('localhost:1', 'LocalHost', '[::1]:1', '[::1]', '127.0.0.1:1', HERE):
            response = wire.fetch(edge.admin, path='/api/origins', host=host)
            self.assertEqual(response.status, 200, host)
        self.assertEqual(switch(edge, origin.url, 'off').status, 200)

    def test_origins_that_health_checks_took_out_are_in_the_metrics(self):
        live, port = self.origin(raw_origin.answering()), harness.free_port()
        edge = self.edge(config=f'''
[[pool]]
name = "site"
origins = ["{live.url}", "http://127.0.0.1:{port}"]
health = {{ path = "/", interval = "500ms", unhealthy_after = 1 }}
[[route]]
pool = "site"
''')

        def state(url):
            text = wire.fetch(edge.admin, path='/metrics', host=HERE).body.decode()
            line = f'edgecase_origin_healthy{{pool="site",origin="{url}"}} '
            return text.partition(line)[2][:1]
        self.assertTrue(wire.eventually(lambda: state(f'http://127.0.0.1:{port}') == '0'))
        self.assertEqual(state(live.url), '1')


class ApiTest(harness.TestCase):
    """The API over real traffic."""

    def get(self, edge, path, status=200, **more):
        response = wire.fetch(edge.admin, path=path, host=HERE, **more)
        self.assertEqual(response.status, status, response)
        return json.loads(response.body)

    def failing_edge(self, **more):
        def behave(connection):
            while request := connection.read_head():
                if request.target.startswith('/fail'):
                    connection.socket.shutdown(2)
                    return
                connection.respond(b'fine')
        return self.edge_before(behave, **more)

    def test_traffic_is_counted_and_a_failure_found_from_chart_to_case(self):
        edge, origin = self.failing_edge()
        for _ in range(20):
            edge.fetch(path='/orders/4711')
        rays = {edge.fetch(path='/fail/1').header('cf-ray')[:16] for _ in range(3)}

        def traffic(**query):
            words = '&'.join(f'{name}={value}' for name, value in query.items())
            return self.get(edge, '/api/traffic?' + words)
        self.assertTrue(wire.eventually(lambda: traffic()['totals']['requests'] == 23))
        shown = traffic()
        self.assertEqual(shown['totals']['failures'], 3)
        self.assertEqual({one['key']: one['total'] for one in shown['series']},
                         {'none': 20, 'resp.empty_fin': 3})
        for one in shown['series']:
            self.assertEqual(sum(one['requests']), one['total'])
            self.assertEqual(len(one['requests']), len(shown['times']))
        self.assertEqual({one['key']: (one['requests'], one['failures'])
                          for one in shown['top']['paths']},
                         {'/orders/{n}': (20, 0), '/fail/{n}': (3, 3)})
        self.assertEqual(shown['top']['origins'][0]['key'], origin.url)
        self.assertEqual(traffic(cause='resp')['totals']['requests'], 3)
        self.assertEqual(traffic(status=200)['totals']['requests'], 20)
        self.assertEqual(traffic(host='nobody')['totals']['requests'], 0)
        self.assertEqual([one['key'] for one in traffic(cause='resp')['top']['paths']],
                         ['/fail/{n}'])
        listed = self.get(edge, '/api/cases?cause=resp.empty_fin')
        self.assertEqual({row['ray_id'] for row in listed['cases']}, rays)
        page = self.get(edge, '/api/cases?limit=2')
        rest = self.get(edge, '/api/cases?limit=2&before=' + page['next'])
        self.assertEqual([row['ray_id'] for row in page['cases'] + rest['cases']],
                         [row['ray_id'] for row in listed['cases']])
        self.assertIsNone(rest['next'])
        case = self.get(edge, f'/api/rays/{rays.pop()}')
        self.assertEqual((case['cause'], case['explain']['name']), ('resp.empty_fin',) * 2)
        one = self.get(edge, '/api/origins')['origins'][0]
        self.assertEqual((one['requests'], one['failures']), (23, 3))

    def test_a_span_of_centuries_is_no_load(self):
        edge, _ = self.failing_edge()
        found = self.get(edge, '/api/traffic?since=0001-01-01T00:00:00Z&until=9999-12-31T00:00:00Z')
        self.assertLessEqual(len(found['times']), 400 * 24 + 1)
        self.get(edge, '/api/traffic?since=9998-01-01T00:00:00Z&until=9999-01-01T00:00:00Z', 400)
        response = wire.fetch(edge.admin, path='/api/traffic', host=HERE,
                              headers=[('Sec-Fetch-Site', 'cross-site')])
        self.assertEqual(response.status, 403)

    def test_a_profile_that_was_refused_does_not_come_later(self):
        edge, _ = self.failing_edge(config='colo = "ABC"\n')
        path = edge.own_directory + '/edge.toml'
        with open(path, 'w') as file:
            file.write('colo = 7\n')
        refused = wire.fetch(edge.admin, 'PUT', '/api/switches', body=b'{"profile": "cloudflare-2026"}',
                             host=HERE)
        self.assertEqual(refused.status, 409)
        with open(path, 'w') as file:
            file.write('colo = "XYZ"\n')
        edge.process.send_signal(signal.SIGHUP)
        self.assertTrue(wire.eventually(lambda: self.get(edge, '/api/status')['colo'] == 'XYZ'))
        self.assertEqual(self.get(edge, '/api/status')['profile'], 'default')

    def test_metrics_are_as_prometheus_wants_them(self):
        edge, _ = self.failing_edge()
        for path in ('/fine', '/fail', '/fine'):
            edge.fetch(path=path)
        response = wire.fetch(edge.admin, path='/metrics', host=HERE)
        self.assertEqual(response.header('content-type'), 'text/plain; version=0.0.4')
        metrics = prometheus_text.parse(response.body.decode())
        self.assertEqual(metrics['edgecase_request_duration_seconds_count'][()], 3)
        self.assertEqual(metrics['edgecase_causes_total'][(('actor', 'origin'),
                                                           ('cause', 'resp.empty_fin'))], 1)

    def test_an_origins_connections_and_its_own_idle_timeout_are_shown(self):
        go_on = threading.Event()

        def behave(connection):
            while request := connection.read_request():
                if request.target == '/slow':
                    go_on.wait(5)
                connection.respond()
                connection.socket.settimeout(0.4)
        edge, _ = self.edge_before(behave)

        def shown():
            one = self.get(edge, '/api/origins')['origins'][0]
            return one['connections'], one['idle_timeout_ms']
        slow = threading.Thread(target=edge.fetch, args=('/slow',))
        slow.start()
        self.assertTrue(wire.eventually(lambda: shown() == ({'idle': 0, 'active': 1}, None)))
        go_on.set()
        slow.join()
        self.assertEqual(shown(), ({'idle': 1, 'active': 0}, None))
        self.assertTrue(wire.eventually(lambda: shown()[0]['idle'] == 0))
        self.assertAlmostEqual(shown()[1], 400, delta=200)

    def test_findings_name_the_path_that_fails(self):
        edge, _ = self.failing_edge()
        for i in range(60):
            edge.fetch(path='/fail' if i % 2 else '/fine')
        self.assertTrue(wire.eventually(lambda: self.get(edge, '/api/status')['records']['written'] == 60))
        found = self.get(edge, '/api/findings')
        self.assertEqual([(one['cause'], one['factor'], one['value'])
                          for one in found['findings']], [('resp.empty_fin', 'path', '/fail')])
        self.assertEqual((found['records'], found['failures'], found['sampled']), (60, 30, False))

    def test_what_is_asked_wrongly_is_told(self):
        edge, _ = self.failing_edge()
        for path, word in (('/api/traffic?since=soon', 'since'), ('/api/traffic?by=colour', 'by'),
                           ('/api/traffic?since=1h&until=2h', 'before'),
                           ('/api/traffic?points=0', 'points'), ('/api/cases?limit=501', 'limit'),
                           ('/api/cases?cause=nothing', 'no cause'),
                           ('/api/cases?status=20', 'status'), ('/api/cases?before=x', 'before'),
                           ('/api/rays/xyz', '16'), ('/api/cases?host=%', 'understood')):
            with self.subTest(path):
                self.assertIn(word, self.get(edge, path, 400)['error'])
        self.get(edge, '/api/rays/00112233445566ff', 404)
        self.assertIn('token', self.get(edge, '/api/rays/00112233445566ff?secrets=1', 403)['error'])

    def test_the_tail_shows_cases_as_they_happen(self):
        edge, _ = self.failing_edge()
        with wire.Client(edge.admin) as client:
            client.send(wire.request(path='/api/tail', host=HERE))
            self.assertTrue(wire.eventually(lambda: b'retry' in client.buffer or client.more()
                                            and b'retry' in client.buffer))
            edge.fetch(path='/fine')
            ray = edge.fetch(path='/fail').header('cf-ray')[:16]
            while b'event: record' not in client.buffer or not client.buffer.endswith(b'\n\n'):
                self.assertTrue(client.more())
            rows = [json.loads(line[6:]) for line in client.buffer.split(b'\n')
                    if line.startswith(b'data: ')]
            self.assertEqual([(row['ray_id'], row['cause']) for row in rows],
                             [(ray, 'resp.empty_fin')])

    def test_draining_is_told_to_load_balancers_and_clients(self):
        edge, _ = self.failing_edge()

        def drain(on):
            return wire.fetch(edge.admin, 'PUT', '/api/switches',
                              body=json.dumps({'draining': on}).encode(), host=HERE)
        self.assertEqual(wire.fetch(edge.admin, path='/readyz', host='any').status, 200)
        self.assertTrue(json.loads(drain(True).body)['draining'])
        self.assertEqual(wire.fetch(edge.admin, path='/readyz', host='any').status, 503)
        for on, said in ((True, 'close'), (False, None)):
            drain(on)
            with edge.client() as client:
                self.assertEqual(client.get().header('connection'), said)

    def test_draining_ends_connections_of_http_2_as_well(self):
        edge, _ = self.failing_edge(config=edge_config())
        with http2_wire.Client(edge.address, h2_context()) as client:
            self.assertEqual(client.get().status, 200)
            wire.fetch(edge.admin, 'PUT', '/api/switches', body=b'{"draining": true}', host=HERE)
            self.assertEqual(client.get().status, 200)
            self.assertIsNotNone(client.until_end())

    def test_another_profile_is_in_force_at_once(self):
        edge, _ = self.failing_edge()
        answer = wire.fetch(edge.admin, 'PUT', '/api/switches',
                            body=b'{"profile": "cloudflare-2026"}', host=HERE)
        self.assertEqual(json.loads(answer.body)['profile'], 'cloudflare-2026')
        self.assertIn('in force', edge.errors())

    def test_a_token_opens_the_door_and_nothing_else_does(self):
        directory = self.temporary_directory()
        token = '0123456789abcdef' * 2
        path = os.path.join(directory, 'token')
        with open(path, 'w', opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(token + '\n')
        edge, _ = self.failing_edge(flags=('--admin-token-file', path))
        self.get(edge, '/api/cases', 401)
        self.assertEqual(wire.fetch(edge.admin, path='/metrics', host=HERE).status, 401)
        self.assertEqual(wire.fetch(edge.admin, path='/healthz', host=HERE).status, 200)
        self.get(edge, '/api/cases', headers=[('Authorization', 'Bearer ' + token)])
        self.get(edge, '/api/cases', 401, headers=[('Authorization', 'Bearer ' + token[1:])])
        json_type = [('Content-Type', 'application/json')]
        body = json.dumps({'token': token}).encode()
        self.assertEqual(wire.fetch(edge.admin, 'POST', '/api/login', body=body,
                                    host=HERE).status, 415)
        self.assertEqual(wire.fetch(edge.admin, 'POST', '/api/login', body=b'{"token": "no"}',
                                    host=HERE, headers=json_type).status, 401)
        answer = wire.fetch(edge.admin, 'POST', '/api/login', body=body, host=HERE,
                            headers=json_type)
        cookie = answer.header('set-cookie')
        self.assertIn('HttpOnly; SameSite=Strict', cookie)
        self.get(edge, '/api/cases', headers=[('Cookie', cookie.split(';')[0])])
        ray = edge.fetch(path='/fail?token=hunter2').header('cf-ray')[:16]
        edge.ray(ray, seconds=5)
        for path, shown in ((f'/api/rays/{ray}', '/fail?token=[redacted]'),
                            (f'/api/rays/{ray}?secrets=1', '/fail?token=hunter2')):
            case = self.get(edge, path, headers=[('Authorization', 'Bearer ' + token)])
            self.assertEqual(case['request']['uri'], shown)

    def test_an_open_address_without_a_token_is_refused(self):
        for flags, word in ((('--admin', '0.0.0.0:0'), 'admin_token_file'),
                            (('--admin', '127.0.0.1:0', '--admin-token-file', '/nonexistent'),
                             'readable file')):
            result = harness.run('serve', '--origin', 'http://127.0.0.1:1', '--listen',
                                 '127.0.0.1:0', '--data-dir', self.temporary_directory(), *flags)
            self.assertEqual(result.returncode, 2, result)
            self.assertIn(word, result.stderr)

    def test_a_unix_socket_serves_the_same(self):
        path = os.path.join(self.temporary_directory(), 'admin.sock')
        edge, _ = self.failing_edge(flags=('--admin', 'unix:' + path))
        edge.fetch()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(path)
            client.sendall(b'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
            self.assertIn(b'200 OK', client.recv(4096))
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o660)
        edge.stop()
        self.assertFalse(os.path.exists(path))


@unittest.skipIf(missing('node'), missing('node'))
class SwitchTest(harness.TestCase):
    """The guide's fifth step: HTTP/2 to the origin off, to see whether the failures stop."""

    def setUp(self):
        self.node = NodeHttp2('''const server = http2.createSecureServer(
            {...files, allowHTTP1: true},
            (request, response) => response.end(request.httpVersion));''', authority().localhost)
        self.addCleanup(self.node.stop)
        self.node.up()

    def figures(self, answer):
        """What of an origin changes with traffic."""
        return {name: json.loads(answer.body)['origins'][0][name] for name in QUIET}

    def test_http_2_is_switched_off_and_on_while_requests_run(self):
        edge = self.edge(self.node, config=edge_config(), flags=('--workers', '2'))

        def versions():
            return {edge.fetch(tls=h1_context()).body for _ in range(8)}
        self.assertEqual(versions(), {b'2.0'})
        answer = switch(edge, self.node.url, 'off')
        self.assertEqual(json.loads(answer.body)['origins'],
                         [{'url': self.node.url, 'http2': False, 'http2_configured': True,
                           'http2_switch': 'off', **self.figures(answer)}])
        self.assertEqual(versions(), {b'1.1'})
        edge.process.send_signal(signal.SIGHUP)
        self.assertTrue(wire.eventually(lambda: 'in force' in edge.errors()))
        self.assertEqual(versions(), {b'1.1'}, 'it stays across a reload')
        switch(edge, self.node.url, 'configured')
        self.assertEqual(versions(), {b'2.0'})

    def test_http_2_may_be_tried_against_the_configuration(self):
        edge = self.edge(self.node, config=edge_config('origin_http2 = "off"\n'))
        self.assertEqual(edge.fetch(tls=h1_context()).body, b'1.1')
        switch(edge, self.node.url, 'on')
        with edge.client(tls=h1_context()) as client:
            bodies = [client.get().body for _ in range(3)]
        self.assertEqual(bodies, [b'2.0'] * 3)


if __name__ == '__main__':
    harness.main()
