"""The admin listener: what it shows, what may be switched there, and who may not."""
import json
import signal
import unittest

import harness
import raw_origin
import wire
from certificates import authority, edge_config, h1_context
from real_servers import NodeHttp2, missing

HERE = '127.0.0.1'


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
                                   'http2_switch': 'configured'}])
        for body in (b'', b'off', b'\xff\0', b'{}', order[:-1], order.replace(b'off', b'no'),
                     order[:-1] + b', "more": 1}'):
            self.assertIn('the body must be', self.refused(edge, 400, body=body))
        self.assertIn('no origin', self.refused(edge, 404, body=order.replace(b'http:', b'https:')))
        self.assertIn('only PUT', self.refused(edge, 405, 'POST', body=order))
        self.assertIn('only GET', self.refused(edge, 405, path='/api/origins', body=order))
        self.assertIn('there is', self.refused(edge, 404, path='/api/more', body=order))
        self.assertEqual(origins(edge), before)

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
health = {{ path = "/", interval = "100ms", unhealthy_after = 1 }}
[[route]]
pool = "site"
''')

        def state(url):
            text = wire.fetch(edge.admin, path='/metrics', host=HERE).body.decode()
            line = f'edgecase_origin_healthy{{pool="site",origin="{url}"}} '
            return text.partition(line)[2][:1]
        self.assertTrue(wire.eventually(lambda: state(f'http://127.0.0.1:{port}') == '0'))
        self.assertEqual(state(live.url), '1')


@unittest.skipIf(missing('node'), missing('node'))
class SwitchTest(harness.TestCase):
    """The guide's fifth step: HTTP/2 to the origin off, to see whether the failures stop."""

    def setUp(self):
        self.node = NodeHttp2('''const server = http2.createSecureServer(
            {...files, allowHTTP1: true},
            (request, response) => response.end(request.httpVersion));''', authority().localhost)
        self.addCleanup(self.node.stop)
        self.node.up()

    def test_http_2_is_switched_off_and_on_while_requests_run(self):
        edge = self.edge(self.node, config=edge_config(), flags=('--workers', '2'))

        def versions():
            return {edge.fetch(tls=h1_context()).body for _ in range(8)}
        self.assertEqual(versions(), {b'2.0'})
        answer = switch(edge, self.node.url, 'off')
        self.assertEqual(json.loads(answer.body)['origins'],
                         [{'url': self.node.url, 'http2': False, 'http2_configured': True,
                           'http2_switch': 'off'}])
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
