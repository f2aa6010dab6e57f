"""Real servers and clients that speak TLS and HTTP/2: nothing of theirs may surprise the edge."""
import concurrent.futures
import json
import os
import re
import struct
import subprocess
import unittest

import harness
import http2_wire as h2
import wire
from certificates import authority, edge_config, h1_context, h2_context
from real_servers import ApacheHttp2, Nghttpd, Nginx, NodeHttp2, missing


class RealHttp2Test(harness.TestCase):
    def up(self, server):
        self.addCleanup(server.stop)
        return server.up()

    def edge_to(self, server, config='', **more):
        # Bursts of handshakes: a SYN may be lost to a full accept queue and come again after 1 s.
        patient = {**harness.TIMEOUTS, '--connect-timeout': '5s'}
        return self.edge(server, config=edge_config(config), timeouts=patient, **more)

    def attempt(self, edge, response, protocol='HTTP/2'):
        case = edge.ray(response.ray)
        self.assertEqual((case['cause'], case['attempts'][-1]['protocol']), ('none', protocol))
        return case['attempts'][-1]

    def many(self, edge, count, path='/', clients=8, **more):
        """The responses to so many GETs, from clients side by side over HTTP/2."""
        def visit(part):
            with h2.Client(edge.address, h2_context()) as client:
                streams = [client.ask(path=path, **more) for _ in range(part)]
                return [client.response(stream) for stream in streams]
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            return sum(pool.map(visit, [count // clients] * clients), [])

    def assert_all_well(self, edge, responses, body):
        bad = [r for r in responses if (r.status, r.body) != (200, body)]
        self.assertEqual(bad, [], [edge.ray(r.ray)['attempts'] for r in bad[:2] if r.ray])


@unittest.skipIf(missing('node'), missing('node'))
class NodeHttp2Test(RealHttp2Test):
    def node(self, handler, more='', options='...files'):
        return self.up(NodeHttp2(
            f'const server = http2.createSecureServer({{{options}}}, {handler});\n'
            f"server.on('session', session => session.on('error', () => {{}}));\n{more}",
            authority().localhost))

    def test_node_keeps_a_connection_field_to_itself(self):
        # Its compatible API warns and drops it; what a server that sends it gets is in the lab.
        node = self.node("""(request, response) => {
          response.setHeader('Connection', 'close'); response.setHeader('X-A', 'b');
          response.end('fine'); }""")
        edge = self.edge_to(node)
        for _ in range(3):
            response = edge.fetch(tls=h1_context())
            self.assertEqual((response.body, response.header('x-a')), (b'fine', 'b'))
        self.assertTrue(self.attempt(edge, response)['connection']['reused'])

    def test_node_that_speaks_both_gets_http_2_unless_told_otherwise(self):
        node = self.node('(request, response) => { response.end(request.httpVersion); }',
                         options='...files, allowHTTP1: true')
        edge = self.edge_to(node)
        self.assertEqual(edge.fetch(tls=h1_context()).body, b'2.0')
        edge = self.edge_to(node, 'origin_http2 = "off"\n')
        self.assertEqual(edge.fetch(tls=h1_context()).body, b'1.1')

    def test_an_upgrade_reaches_an_origin_that_prefers_http_2(self):
        node = self.node('(request, response) => { response.end(request.httpVersion); }',
                         """server.on('upgrade', (request, socket) => {
                           socket.on('error', () => {});
                           socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket' +
                                        '\\r\\nConnection: Upgrade\\r\\n\\r\\n');
                           socket.pipe(socket); });""", '...files, allowHTTP1: true')
        edge = self.edge_to(node)
        self.assertEqual(edge.fetch(tls=h1_context()).body, b'2.0')
        with edge.client(tls=h1_context()) as client:
            client.send(wire.request(headers=(('Connection', 'Upgrade'), ('Upgrade', 'websocket'))))
            response = client.response()
            self.assertEqual(response.status, 101, response)
            client.send(b'through')
            self.assertEqual(client.take(7), b'through')
        case = edge.ray(response.ray, 3)
        self.assertEqual((case['attempts'][0]['protocol'], case['attempts'][0]['downgraded']),
                         ('HTTP/1.1', False))
        self.assertEqual(edge.fetch(tls=h1_context()).body, b'2.0', 'HTTP/2 goes on')

    def test_goaway_while_requests_run_is_never_seen_by_clients(self):
        node = self.node("""(request, response) => {
          const session = request.stream.session;
          session.served = (session.served || 0) + 1;
          if (session.served == 7) session.close();  // GOAWAY, and the streams under way go on
          setTimeout(() => response.end('fine'), Math.random() * 20); }""")
        edge = self.edge_to(node)
        self.assert_all_well(edge, self.many(edge, 400), b'fine')

    def test_a_goaway_that_leaves_requests_unprocessed_sends_them_again_posts_too(self):
        node = self.node("""(request, response) => {
          const session = request.stream.session;
          session.served = (session.served || 0) + 1;
          if (session.served == 3) session.goaway(0, request.stream.id);
          if (session.served >= 3) setTimeout(() => session.close(), 5);
          setTimeout(() => response.end('fine'), 10); }""")
        edge = self.edge_to(node)
        with h2.Client(edge.address, h2_context()) as client:
            streams = [client.ask('POST', end=False) for _ in range(30)]
            for stream in streams:
                client.data(stream, b'body', end=True)
            responses = [client.response(stream) for stream in streams]
        self.assert_all_well(edge, responses, b'fine')

    def test_a_burst_of_first_requests_shares_one_connection(self):
        node = self.node('(request, response) => { response.end(String(sessions)); }',
                         "let sessions = 0; server.on('session', () => { ++sessions; });")
        edge = self.edge_to(node)
        with h2.Client(edge.address, h2_context()) as client:
            streams = [client.ask() for _ in range(40)]
            bodies = {client.response(stream).body for stream in streams}
        self.assertEqual(bodies, {b'1'})

    def test_a_session_that_node_destroys_between_requests_is_replaced(self):
        node = self.node("""(request, response) => {
          response.end('fine');
          request.stream.on('close', () => setImmediate(() => request.stream.session &&
            request.stream.session.destroy())); }""")
        edge = self.edge_to(node)
        with edge.client(tls=h1_context()) as client:
            self.assertEqual([client.get().status for _ in range(20)], [200] * 20)

    def test_a_session_that_node_destroys_under_requests_leaves_a_cause(self):
        node = self.node("""(request, response) => { request.stream.session.destroy(); }""")
        edge = self.edge_to(node)
        response = edge.fetch(tls=h1_context())
        case = edge.ray(response.ray)
        self.assertEqual((response.status // 10, case['actor']), (52, 'origin'), case['cause'])

    def test_a_stream_that_node_resets_leaves_a_cause_and_the_connection_goes_on(self):
        node = self.node("""(request, response) => {
          if (request.url == '/reset') request.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
          else response.end('fine'); }""")
        edge = self.edge_to(node)
        first = edge.fetch(tls=h1_context())
        response = edge.fetch(method='POST', path='/reset', body=b'x', tls=h1_context())
        case = edge.ray(response.ray)
        self.assertEqual((response.status, case['actor']), (520, 'origin'), case['cause'])
        self.assertIn('INTERNAL_ERROR', json.dumps(case['evidence']), case['cause'])
        last = edge.fetch(tls=h1_context())
        self.assertEqual([self.attempt(edge, r)['connection']['id'] for r in (first, last)],
                         [case['attempts'][0]['connection']['id']] * 2)

    def test_streams_beyond_what_node_allows_wait_or_go_elsewhere(self):
        node = self.node("(request, response) => { setTimeout(() => response.end('fine'), 20); }",
                         options='...files, settings: {maxConcurrentStreams: 3}')
        edge = self.edge_to(node)
        self.assert_all_well(edge, self.many(edge, 80), b'fine')

    def test_a_large_upload_and_download_through_small_windows(self):
        node = self.node('(request, response) => { request.pipe(response); }',
                         options='...files, settings: {initialWindowSize: 1000}')
        edge = self.edge_to(node, '[limits]\nhold_back_time = "0s"\n')
        body = os.urandom(300_000)
        with h2.Client(edge.address, h2_context()) as client:
            stream = client.ask('POST', end=False)
            client.data(stream, body, end=True)
            response = client.response(stream)
        self.assertTrue(response.body == body and response.complete, response)


@unittest.skipIf(missing('node'), missing('node'))
class GrpcTest(RealHttp2Test):
    """What gRPC needs of a proxy: HTTP/2 on both sides, `te`, trailers, streams both ways, RST."""

    SERVER = """
const server = http2.createSecureServer(files);
const seen = [];
server.on('session', session => session.on('error', () => {}));
server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  stream.on('close', () => seen.push(headers[':path'] + ' ' + stream.rstCode));
  const path = headers[':path'];
  if (path == '/seen') { stream.respond({':status': 200}); stream.end(seen.join('\\n')); return; }
  if (path == '/Refuses') {
    stream.respond({':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12'},
                   {endStream: true});
    return;
  }
  if (path == '/Hangs') return;
  stream.respond({':status': 200, 'content-type': 'application/grpc', 'x-te': headers.te || 'none',
                  'x-type': headers['content-type']}, {waitForTrailers: true});
  stream.on('wantTrailers', () => stream.sendTrailers(
      {'grpc-status': '0', 'grpc-message': 'fine'}));
  stream.pipe(stream);
});
"""
    HEADERS = (('content-type', 'application/grpc'), ('te', 'trailers'))

    def setUp(self):
        node = self.up(NodeHttp2(self.SERVER, authority().localhost))
        self.grpc = self.edge_to(node, '[limits]\nhold_back_time = "0s"\n')
        self.client = h2.Client(self.grpc.address, h2_context())
        self.addCleanup(self.client.close)

    @staticmethod
    def message(text):
        return b'\0' + struct.pack('>I', len(text)) + text

    def test_a_unary_call(self):
        stream = self.client.ask('POST', '/Echo', self.HEADERS, end=False)
        self.client.data(stream, self.message(b'hello'), end=True)
        response = self.client.response(stream)
        self.assertEqual((response.status, response.body), (200, self.message(b'hello')))
        self.assertEqual((response.header('x-te'), response.header('x-type'),
                          response.header('content-type')),
                         ('trailers', 'application/grpc', 'application/grpc'))
        self.assertEqual(response.trailers, [('grpc-status', '0'), ('grpc-message', 'fine')])
        self.attempt(self.grpc, response)

    def test_a_stream_of_messages_both_ways(self):
        stream = self.client.ask('POST', '/Echo', self.HEADERS, end=False)
        for i in range(20):
            sent = self.message(b'message %d' % i)
            before = len(self.client.responses[stream].body)
            self.client.data(stream, sent)
            response = self.client.wait(stream, lambda r: len(r.body) == before + len(sent))
            self.assertEqual(response.body[before:], sent)
        self.client.data(stream, end=True)
        self.assertEqual(self.client.response(stream).trailers[0], ('grpc-status', '0'))

    def test_an_answer_of_trailers_only(self):
        stream = self.client.ask('POST', '/Refuses', self.HEADERS, end=False)
        self.client.data(stream, self.message(b'hello'), end=True)
        response = self.client.response(stream)
        self.assertEqual((response.status, response.header('grpc-status'), response.body,
                          response.complete), (200, '12', b'', True))

    def test_a_call_that_the_client_cancels_is_cancelled_at_the_origin(self):
        stream = self.client.ask('POST', '/Hangs', self.HEADERS, end=False)
        self.client.data(stream, self.message(b'hello'), end=True)
        self.client.ping()
        self.assertNotIn(b'/Hangs', self.client.get('/seen').body)
        self.client.reset(stream)
        self.assertTrue(wire.eventually(
            lambda: b'/Hangs %d' % h2.CANCEL in self.client.get('/seen').body), 'CANCEL')
        self.grpc.only_case('client.abort')


@unittest.skipIf(missing('nginx'), missing('nginx'))
class NginxTest(RealHttp2Test):
    def nginx(self, locations, listen=''):
        return self.up(Nginx(locations, authority().localhost, listen))

    def test_the_keepalive_limit_of_nginx_over_tls_is_never_seen_by_clients(self):
        edge = self.edge_to(self.nginx('keepalive_requests 3; location / { return 200 fine; }'))
        with edge.client(tls=h1_context()) as client:
            responses = [client.get() for _ in range(10)]
        self.assert_all_well(edge, responses, b'fine')
        self.attempt(edge, responses[0], 'HTTP/1.1')

    def test_the_keepalive_limit_of_nginx_over_http_2_is_never_seen_by_clients(self):
        edge = self.edge_to(self.nginx('keepalive_requests 3; location / { return 200 fine; }',
                                       'http2'))
        with edge.client(tls=h1_context()) as client:
            responses = [client.get() for _ in range(10)]
        self.assert_all_well(edge, responses, b'fine')
        self.attempt(edge, responses[0], 'HTTP/2')

    def test_the_keepalive_limit_of_nginx_under_many_streams_is_never_seen_by_clients(self):
        # 32 at a time: nginx has places for 256 connections.
        for listen in ('', 'http2'):
            edge = self.edge_to(self.nginx('keepalive_requests 5; location / { return 200 fine; }',
                                           listen))
            for _ in range(6):
                self.assert_all_well(edge, self.many(edge, 32, clients=4), b'fine')

    def test_a_session_is_resumed_with_nginx(self):
        nginx = self.nginx('keepalive_requests 1; location / { return 200 fine; }')
        edge = self.edge_to(nginx)
        responses = [edge.fetch(tls=h1_context()) for _ in range(3)]
        self.assertEqual([self.attempt(edge, r, 'HTTP/1.1')['tls_resumed'] for r in responses],
                         [False, True, True])

    def test_an_nginx_worker_killed_inside_a_body_over_http_2_is_told(self):
        nginx = Nginx('root DIR; location / { limit_rate 40k; }', authority().localhost, 'http2')
        nginx.write('big.txt', os.urandom(400_000).hex())
        self.up(nginx)
        edge = self.edge_to(nginx)
        with h2.Client(edge.address, h2_context()) as client:
            stream = client.ask(path='/big.txt')
            client.wait(stream, lambda r: r.body)
            nginx.kill_workers()
            response = client.response(stream)
        self.assertEqual((response.status, response.complete, response.reset),
                         (200, False, h2.INTERNAL_ERROR))
        case = edge.ray(response.ray)
        # What the worker had not read makes its kernel say RST.
        self.assertIn(case['cause'], ('h2.connection_fin', 'h2.connection_rst'))
        self.assertEqual((case['actor'], case['aborted'], case['origin_status']),
                         ('origin', True, 200))


@unittest.skipIf(missing('nghttpd', 'h2load'), missing('nghttpd', 'h2load'))
class NghttpdTest(RealHttp2Test):
    def test_nghttpd_serves_files_and_errors(self):
        nghttpd = Nghttpd(authority().localhost)
        nghttpd.write('files/large.bin', 'x' * 3_000_000)
        edge = self.edge_to(self.up(nghttpd))
        with h2.Client(edge.address, h2_context()) as client:
            hello, large, absent = (client.get(p) for p in ('/hello.txt', '/large.bin', '/none'))
        self.assertEqual((hello.status, hello.body), (200, b'hello'))
        self.assertEqual((large.status, len(large.body)), (200, 3_000_000))
        self.assertEqual(absent.status, 404)
        self.attempt(edge, large)

    def test_nghttpd_echoes_an_upload(self):
        edge = self.edge_to(self.up(Nghttpd(authority().localhost, '--echo-upload')))
        body = os.urandom(1 << 20)
        response = h2.fetch(edge.address, 'POST', '/echo', (), body, tls=h2_context())
        self.assertTrue(response.body == body, response)

    def test_nghttpd_with_small_windows_gets_a_large_upload(self):
        edge = self.edge_to(self.up(Nghttpd(authority().localhost, '--echo-upload', '-w', '10')))
        body = os.urandom(500_000)
        with h2.Client(edge.address, h2_context()) as client:
            # nghttpd now and then resets a stream (FLOW_CONTROL_ERROR) whose body came before the
            # smaller window was acknowledged, though 65,535 bytes are allowed until then.
            client.get('/')
            stream = client.ask('POST', '/echo', end=False)
            client.data(stream, body, end=True)
            response = client.response(stream)
        self.assertTrue(response.body == body,
                        response.status == 200 or edge.ray(response.ray))

    def load(self, edge, *options):
        done = subprocess.run(['h2load', *options, 'https://localhost:%d/hello.txt' %
                               edge.address[1]], capture_output=True, text=True, timeout=120)
        found = re.search(r'requests: (\d+) total.*?(\d+) succeeded, (\d+) failed', done.stdout)
        self.assertTrue(found, done.stdout + done.stderr)
        return [int(n) for n in found.groups()], done.stdout

    def test_two_thousand_requests_of_h2load_are_all_served(self):
        edge = self.edge_to(self.up(Nghttpd(authority().localhost)), flags=('--workers', '2'))
        counts, said = self.load(edge, '-n', '2000', '-c', '10', '-m', '20')
        self.assertEqual(counts, [2000, 2000, 0], said)
        self.assertRegex(said, 'status codes: 2000 2xx', said)

    def test_two_thousand_requests_of_h2load_over_http_1_1_are_all_served(self):
        edge = self.edge_to(self.up(Nghttpd(authority().localhost)))
        counts, said = self.load(edge, '-n', '2000', '-c', '10', '--h1')
        self.assertEqual(counts, [2000, 2000, 0], said)
        self.assertRegex(said, 'status codes: 2000 2xx', said)

    def test_nghttp_sees_no_error(self):
        edge = self.edge_to(self.up(Nghttpd(authority().localhost)))
        done = subprocess.run(['nghttp', '-nv', 'https://localhost:%d/hello.txt' % edge.address[1]],
                              capture_output=True, text=True, timeout=60)
        self.assertIn(':status: 200', done.stdout)
        self.assertNotIn('RST_STREAM', done.stdout)
        self.assertNotIn('rror', done.stdout.replace('error_code=NO_ERROR(0x00)', ''))


HTTP2_MODULE = '/usr/lib/apache2/modules/mod_http2.so'


@unittest.skipIf(missing('apache2') or not os.path.exists(HTTP2_MODULE), 'no Apache with mod_http2')
class ApacheTest(RealHttp2Test):
    def test_apache_serves_over_http_2(self):
        edge = self.edge_to(self.up(ApacheHttp2(authority().localhost)))
        with h2.Client(edge.address, h2_context()) as client:
            response = client.get('/hello.txt')
            self.assertEqual((response.status, response.body), (200, b'hello'))
            self.assertEqual(client.get('/none').status, 404)
        self.attempt(edge, response)

    def test_an_apache_that_ends_its_connections_early_is_never_seen_by_clients(self):
        edge = self.edge_to(self.up(ApacheHttp2(authority().localhost,
                                                'MaxKeepAliveRequests 4\nKeepAliveTimeout 1')))
        self.assert_all_well(edge, self.many(edge, 200, '/hello.txt'), b'hello')

    def test_an_apache_that_restarts_gracefully_costs_at_most_what_it_drops_unsaid(self):
        apache = self.up(ApacheHttp2(authority().localhost))
        edge = self.edge_to(apache)

        def visits():
            with h2.Client(edge.address, h2_context()) as client:
                return [client.get('/hello.txt') for _ in range(60)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            series = [pool.submit(visits) for _ in range(4)]
            apache.processes[0].send_signal(10)  # SIGUSR1
            responses = sum((one.result() for one in series), [])
        # Now and then it takes a new connection and closes it without GOAWAY: that is no race on a
        # connection that had served, and is told as what it is.
        for response in [r for r in responses if r.status != 200]:
            attempt = edge.ray(response.ray)['attempts'][-1]
            self.assertIn(attempt['cause'], ('h2.connection_fin', 'h2.connection_rst'))
            self.assertEqual((attempt['connection']['nth_request'], attempt['received_bytes']),
                             (1, 0), attempt)
        self.assertGreater(sum(r.body == b'hello' for r in responses), 235)


if __name__ == '__main__':
    harness.main()
