"""Clients over TLS and HTTP/2: what is negotiated, what is refused and with which cause, and what
becomes of the streams of a connection."""
import json
import os
import ssl
import struct
import subprocess
import threading
import time

import certificates
import harness
import http2_wire as h2
import raw_origin
import wire
from certificates import client_context, edge_config, h1_context, h2_context

TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = (getattr(ssl.TLSVersion, f'TLSv1{minor}')
                                      for minor in ('', '_1', '_2', '_3'))


class Shared:
    """One edge that speaks TLS, and plain HTTP beside it, before an origin that answers."""

    def __init__(self):
        self.origin = raw_origin.Origin(raw_origin.answering())
        other = certificates.authority().other
        self.edge = harness.Edge(self.origin.url, config=edge_config(
            'listen_plain = "127.0.0.1:0"\n[[certificate]]\n'
            f'cert = "{other.certificate}"\nkey = "{other.key}"\n'))

    def stop(self):
        self.edge.stop()
        self.origin.stop()


shared = harness.Shared(Shared)


class TransportCase(harness.TestCase):
    def tls_edge(self, behave=None, config='', top='', **more):
        """An edge that speaks TLS before an origin that behaves so."""
        return self.edge_before(behave or raw_origin.answering(),
                                config=edge_config(top + config), **more)

    def openssl(self, edge, *argv, send='', seconds=10):
        """What `openssl s_client` says."""
        done = subprocess.run(
            ['openssl', 's_client', '-connect', '%s:%d' % edge.address, '-CAfile',
             certificates.authority().certificate, *argv],
            input=send, capture_output=True, text=True, timeout=seconds * harness.SLOWNESS)
        return done.stdout + done.stderr

    def curl(self, *argv):
        """The last line says what `-w` asks for."""
        done = subprocess.run(['curl', '-sS', '-m', '20', '--cacert',
                               certificates.authority().certificate, *argv],
                              capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


class HandshakeTest(TransportCase):
    def speak(self, version, name):
        edge = shared.get().edge
        with edge.client(tls=client_context(version=version)) as client:
            self.assertEqual(client.socket.version(), name)
            response = client.get()
        self.assertEqual((response.status, response.body), (200, b'ok'))
        case = edge.ray(response.ray)
        self.assertEqual((case['request']['tls_version'], case['request']['protocol']),
                         (name, 'HTTP/1.1'), case['request'])
        self.assertTrue(case['request']['tls_cipher'])
        self.assertEqual(case['request']['sni'], 'localhost')

    def test_a_client_of_tls_1_2_is_served(self):
        self.speak(TLS_1_2, 'TLSv1.2')

    def test_a_client_of_tls_1_3_is_served(self):
        self.speak(TLS_1_3, 'TLSv1.3')

    def refused(self, connect):
        """The case of a handshake that fails, and the connection's own word."""
        edge, origin = self.tls_edge()
        with self.assertRaises(OSError) as failed:
            connect(edge)
        case = self.assert_case(edge.only_case('client.tls_failed'), 'client.tls_failed',
                                actor='client', edge_status=400)
        self.assertEqual(case['attempts'], [])
        self.assertEqual(origin.received, b'')
        self.assertEqual(edge.fetch(tls=h1_context()).status, 200)
        return case, str(failed.exception)

    def test_a_client_of_tls_1_1_fails_with_the_version_named(self):
        case, said = self.refused(lambda e: e.client(tls=client_context(version=TLS_1_1)))
        self.assertIn('protocol_version', json.dumps(case['evidence']))
        self.assertRegex(said.lower(), 'alert protocol version|unsupported protocol')

    def test_a_client_of_tls_1_0_fails_with_the_version_named(self):
        case, _ = self.refused(lambda e: e.client(tls=client_context(version=TLS_1_0)))
        self.assertIn('protocol_version', json.dumps(case['evidence']))

    def test_a_client_that_does_not_trust_the_certificate_is_recorded_with_its_alert(self):
        case, _ = self.refused(lambda e: e.client(tls=client_context(trusted=False)))
        self.assertEqual((case['evidence']['tls_alert'], case['evidence']['tls_alert_from']),
                         ('unknown_ca', 'client'))

    def test_a_client_that_offers_only_unknown_protocols_is_refused(self):
        case, _ = self.refused(lambda e: e.client(tls=client_context('spdy/3')))
        self.assertEqual(case['evidence']['tls_alert'], 'no_application_protocol')

    def test_a_client_that_leaves_inside_the_handshake_has_failed(self):
        def leave(edge):
            with edge.client() as client:
                client.send(bytes.fromhex('1603010200010001fc0303') + b'r' * 32)
            raise OSError
        self.refused(leave)

    def test_rubbish_within_tls_records_has_failed(self):
        def send(edge):
            with edge.client() as client:
                client.send(bytes.fromhex('16030100050200000141'))
                client.until_end()
            raise OSError
        self.refused(send)

    def test_plain_http_to_the_tls_port_is_answered_in_plain_http(self):
        edge, origin = self.tls_edge()
        response = edge.fetch(headers=(('Accept', 'text/html'),))
        self.assertEqual((response.status, response.complete), (400, True), response)
        self.assertIn(b'html', response.body)
        case = self.assert_case(edge.only_case('client.tls_not_spoken'), 'client.tls_not_spoken',
                                actor='client', edge_status=400)
        self.assertEqual(case['ray_id'], response.ray, 'the page and the record are one')
        self.assertEqual(origin.received, b'')

    def test_what_is_neither_tls_nor_http_is_not_tls_either(self):
        edge, _ = self.tls_edge()
        with edge.client() as client:
            client.send(b'EHLO mail.test\r\n')
            client.until_end()
        edge.only_case('client.tls_not_spoken')

    def test_a_client_that_connects_and_is_silent_is_let_go(self):
        edge, _ = self.tls_edge(config='[timeouts]\ntls_handshake = "300ms"\n')
        with edge.client() as client:
            self.assertTrue(client.is_closed_within(3 * harness.SLOWNESS))
        case = self.assert_case(edge.only_case('client.tls_timeout'), 'client.tls_timeout',
                                actor='client', edge_status=408)
        self.assertEqual(case['evidence']['limit_ms'], 300)

    def test_a_client_that_is_silent_inside_the_handshake_is_let_go(self):
        edge, _ = self.tls_edge(config='[timeouts]\ntls_handshake = "300ms"\n')
        with edge.client() as client:
            client.send(bytes.fromhex('1603010200010001fc0303') + b'r' * 32)
            client.until_end()
        edge.only_case('client.tls_timeout')

    def test_a_client_that_connects_and_leaves_is_no_case(self):
        edge, _ = self.tls_edge()
        edge.client().close()
        self.assertEqual(edge.fetch(tls=h1_context()).status, 200)
        self.assertEqual([c['cause'] for c in edge.cases()], [])

    def test_the_name_a_client_asks_for_chooses_the_certificate(self):
        edge = shared.get().edge
        chosen = {}
        for name in ('localhost', 'other.test', 'OTHER.TEST', 'a.wild.test', 'a.b.wild.test',
                     'unknown.test'):
            context = client_context()
            context.check_hostname = False
            with edge.client(tls=context, server_name=name) as client:
                chosen[name] = dict(pair[0] for pair in client.socket.getpeercert()['subject'])
        self.assertEqual({name: subject['commonName'] for name, subject in chosen.items()},
                         {'localhost': 'localhost', 'other.test': 'other.test',
                          'OTHER.TEST': 'other.test', 'a.wild.test': 'other.test',
                          'a.b.wild.test': 'localhost', 'unknown.test': 'localhost'})

    def test_a_client_without_sni_gets_the_first_certificate(self):
        context = client_context()
        context.check_hostname = False
        with shared.get().edge.client(tls=context, server_name=None) as client:
            subject = dict(pair[0] for pair in client.socket.getpeercert()['subject'])
            self.assertEqual(subject['commonName'], 'localhost')
            self.assertEqual(client.get().status, 200)

    def resume(self, version):
        edge, context = shared.get().edge, client_context('http/1.1', version=version)

        def visit(session):
            plain = wire.Client(edge.address)
            plain.socket = context.wrap_socket(plain.socket, server_hostname='localhost',
                                               session=session)
            with plain:
                self.assertEqual(plain.get().status, 200)
                return plain.socket.session, plain.socket.session_reused
        session, reused = visit(None)
        self.assertFalse(reused)
        session, reused = visit(session)
        self.assertTrue(reused)
        self.assertTrue(visit(session)[1], 'and again')

    def test_a_session_of_tls_1_2_is_resumed(self):
        self.resume(TLS_1_2)

    def test_a_session_of_tls_1_3_is_resumed(self):
        self.resume(TLS_1_3)

    def test_openssl_resumes_its_session_five_times(self):
        said = self.openssl(shared.get().edge, '-tls1_2', '-reconnect')
        self.assertEqual(said.count('Reused, TLSv1.2'), 5, said)

    def test_alpn_chooses_h2_then_http_1_1_then_nothing(self):
        edge = shared.get().edge
        chosen = []
        for offer in (('h2', 'http/1.1'), ('http/1.1', 'h2'), ('http/1.1',), ('spdy/3', 'h2'), ()):
            with edge.client(tls=client_context(*offer)) as client:
                chosen.append(client.socket.selected_alpn_protocol())
        self.assertEqual(chosen, ['h2', 'h2', 'http/1.1', 'h2', None])

    def test_the_origin_hears_that_the_client_came_by_https(self):
        edge, origin = self.tls_edge()
        edge.fetch(tls=h1_context())
        self.assertEqual(origin.requests[0].header('x-forwarded-proto'), 'https')
        self.assertIn('https', origin.requests[0].header('cf-visitor'))

    def test_pipelined_requests_over_tls_are_answered_in_order(self):
        def behave(connection):
            while request := connection.read_request():
                connection.respond(request.target.encode())
        edge, _ = self.tls_edge(behave)
        with edge.client(tls=h1_context()) as client:
            client.send(b''.join(wire.request(path=f'/{i}') for i in range(50)))
            self.assertEqual([client.response().body for _ in range(50)],
                             [b'/%d' % i for i in range(50)])

    def test_a_refused_request_over_tls_is_answered_and_the_connection_ends_properly(self):
        edge = shared.get().edge
        with edge.client(tls=h1_context()) as client:
            client.send(b'GET / HTTP/1.1\r\nBad Name: x\r\n\r\n')
            response = client.response()
            client.until_end(response)
        self.assertEqual((response.status, response.end), (400, 'fin'))

    def test_a_client_that_renegotiates_is_not_obeyed(self):
        edge = shared.get().edge
        with subprocess.Popen(
                ['openssl', 's_client', '-connect', '%s:%d' % edge.address, '-tls1_2'],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            process.stdin.write(b'R\n')
            process.stdin.flush()
            said = process.communicate(timeout=20)[0].decode(errors='replace')
        self.assertRegex(said, 'no renegotiation|unexpected message|handshake failure', said[-800:])

    def test_a_large_body_over_tls_is_whole(self):
        body = os.urandom(1 << 20) * 5
        edge, _ = self.tls_edge(raw_origin.answering(body))
        for version in (TLS_1_2, TLS_1_3):
            response = edge.fetch(tls=client_context(version=version))
            self.assertTrue(response.body == body and response.end == 'fin', response.end)

    def test_a_response_cut_off_over_tls_has_no_proper_end(self):
        promise = b'HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n' + b'x' * 300_000
        edge, _ = self.tls_edge(raw_origin.sending(promise))
        response = edge.fetch(tls=h1_context())
        self.assertEqual((response.status, response.complete, response.end), (200, False, 'rst'))


class PlainTest(TransportCase):
    """The listener without TLS beside the one with."""

    def test_the_plain_listener_serves_http_1_1(self):
        response = wire.fetch(shared.get().edge.plain)
        self.assertEqual((response.status, response.body), (200, b'ok'))

    def test_the_origin_hears_that_the_client_came_by_http(self):
        wire.fetch(shared.get().edge.plain, path='/by-plain')
        request = next(r for r in shared.get().origin.requests if r.target == '/by-plain')
        self.assertEqual(request.header('x-forwarded-proto'), 'http')

    def test_prior_knowledge_on_the_plain_listener_is_http_2(self):
        response = h2.fetch(shared.get().edge.plain)
        self.assertEqual((response.status, response.body), (200, b'ok'))
        case = shared.get().edge.ray(response.ray)
        self.assertEqual((case['request']['protocol'], case['request']['tls_version']),
                         ('HTTP/2', None))

    def test_prior_knowledge_in_single_bytes_is_http_2(self):
        with h2.Client(shared.get().edge.plain, greet=False) as client:
            for byte in h2.PREFACE + h2.settings_frame([(h2.HEADER_TABLE_SIZE, 0)]):
                client.send(bytes([byte]))
                time.sleep(0.001)
            self.assertEqual(client.get().status, 200)

    def test_curl_speaks_http_2_with_prior_knowledge_and_is_not_upgraded_without(self):
        url = 'http://%s:%d/' % shared.get().edge.plain
        self.assertEqual(self.curl('--http2-prior-knowledge', '-w', '%{http_version}', url), 'ok2')
        self.assertEqual(self.curl('--http2', '-w', '%{http_version}', url), 'ok1.1')

    def test_tls_to_the_plain_listener_is_no_http(self):
        with self.assertRaises(OSError):
            wire.Client(shared.get().edge.plain, tls=h1_context())
        self.assertTrue(wire.eventually(
            lambda: any(c['cause'] == 'client.not_http.tls' for c in shared.get().edge.cases()), 3))


class Http2Test(TransportCase):
    """Clients that keep to the rules."""

    def test_curl_is_served_over_http_2(self):
        url = 'https://localhost:%d/' % shared.get().edge.address[1]
        self.assertEqual(self.curl('--http2', '-w', '%{http_version} %{ssl_verify_result}', url),
                         'ok2 0')

    def test_the_record_names_protocol_and_tls(self):
        edge = shared.get().edge
        response = h2.fetch(edge.address, tls=h2_context())
        case = edge.ray(response.ray)
        self.assertEqual((case['request']['protocol'], case['request']['tls_version'],
                          case['request']['sni'], case['edge_status']),
                         ('HTTP/2', 'TLSv1.3', 'localhost', 200))

    def test_a_hundred_streams_at_once_are_all_answered(self):
        gate = threading.Barrier(100)

        def behave(connection):
            request = connection.read_request()
            if request:
                gate.wait(10)
                connection.respond(request.target.encode())
        edge, _ = self.tls_edge(behave, flags=('--read-timeout', '20s'))
        with h2.Client(edge.address, h2_context()) as client:
            streams = [client.ask(path=f'/{i}') for i in range(100)]
            bodies = [client.response(stream).body for stream in streams]
        self.assertEqual(bodies, [b'/%d' % i for i in range(100)])

    def test_a_stream_beyond_the_limit_is_refused_and_may_come_again(self):
        go = threading.Event()

        def behave(connection):
            if connection.read_request():
                go.wait(10)
                connection.respond()
        edge, _ = self.tls_edge(behave, config='[limits]\nh2_concurrent_streams = 2\n')
        with h2.Client(edge.address, h2_context()) as client:
            first, second, third = (client.ask() for _ in range(3))
            self.assertEqual(client.response(third).reset, h2.REFUSED_STREAM)
            self.assertEqual(client.peer_settings[h2.MAX_CONCURRENT_STREAMS], 2)
            go.set()
            self.assertEqual([client.response(s).status for s in (first, second)], [200, 200])
            self.assertEqual(client.get().status, 200)

    def test_a_fast_stream_is_not_held_up_by_a_slow_one(self):
        go = threading.Event()

        def behave(connection):
            while request := connection.read_request():
                if request.target == '/slow':
                    go.wait(10)
                connection.respond(request.target.encode())
        edge, _ = self.tls_edge(behave)
        with h2.Client(edge.address, h2_context()) as client:
            slow = client.ask(path='/slow')
            self.assertEqual(client.get('/fast').body, b'/fast')
            go.set()
            self.assertEqual(client.response(slow).body, b'/slow')

    def test_a_fast_stream_is_not_held_up_by_one_whose_window_is_closed(self):
        edge, _ = self.tls_edge(raw_origin.answering(b'x' * 3_000_000))
        with h2.Client(edge.address, h2_context(), window=65535) as client:
            client.allow(h2.LARGEST_WINDOW - 65535)
            closed = client.ask()
            client.wait(closed, lambda r: len(r.body) == 65535)
            client.allow(3_000_000, client.ask())
            self.assertEqual(len(client.response(closed + 2).body), 3_000_000)
            client.allow(3_000_000, closed)
            self.assertEqual(len(client.response(closed).body), 3_000_000)

    def test_an_upload_waits_for_the_origin_and_not_the_edges_memory(self):
        go = threading.Event()

        def behave(connection):
            request = connection.read_head()
            go.wait(20)
            connection.read_body(request)
            connection.respond(b'%d' % len(request.body))
        origin = self.origin(behave, receive_buffer=8192)
        edge = self.edge(origin, config=edge_config('[limits]\nrequest_body_bytes = "1GiB"\n'),
                         flags=('--ack-timeout', '20s', '--write-timeout', '20s'))
        with h2.Client(edge.address, h2_context(), timeout=0.5) as client:
            stream = client.ask('POST', end=False)
            sent = 0
            with self.assertRaises(TimeoutError):
                while sent < 64_000_000:
                    client.data(stream, b'u' * 16384)
                    sent += 16384
            self.assertLess(sent, 16_000_000)
            go.set()
            client.socket.settimeout(15)
            client.data(stream, b'u' * 16384, end=True)  # what was cut short by the timeout
            response = client.response(stream)
        self.assertEqual(response.status, 200)
        self.assertGreaterEqual(int(response.body), sent)

    def test_what_http_1_1_keeps_to_itself_does_not_come_over_http_2(self):
        edge, _ = self.tls_edge(raw_origin.answering(headers=(
            ('Connection', 'keep-alive, X-Hop'), ('Keep-Alive', 'timeout=5'), ('X-Hop', 'a'),
            ('X-Stays', 'b'))))
        response = h2.fetch(edge.address, tls=h2_context())
        names = {name for name, _ in response.headers}
        self.assertEqual(response.header('x-stays'), 'b')
        self.assertEqual(names & {'connection', 'keep-alive', 'x-hop', 'transfer-encoding'}, set())
        self.assertEqual({n for n in names if n != n.lower()}, set())

    def test_cookies_cut_into_fields_reach_the_origin_as_one(self):
        edge, origin = self.tls_edge()
        h2.fetch(edge.address, tls=h2_context(), headers=(('cookie', 'a=1'), ('cookie', 'b=2')))
        self.assertEqual(origin.requests[0].all('cookie'), ['a=1; b=2'])

    def test_the_authority_becomes_the_host(self):
        edge, origin = self.tls_edge()
        h2.fetch(edge.address, tls=h2_context())
        self.assertEqual(origin.requests[0].all('host'), ['edge.test'])

    def test_a_page_of_the_edges_own_comes_over_http_2(self):
        closed = harness.ClosedPort()
        self.addCleanup(closed.stop)
        edge = self.edge(closed.url, config=edge_config())
        response = h2.fetch(edge.address, tls=h2_context(), headers=(('accept', 'text/html'),))
        self.assertEqual(response.status, 521)
        self.assertIn(b'html', response.body)
        self.assert_ray(edge, response, 'connect.refused', 521)

    def test_a_body_cut_short_by_the_origin_resets_the_stream_and_no_other(self):
        def behave(connection):
            request = connection.read_request()
            if request.target == '/cut':
                connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n' +
                                b'x' * 300_000)
                connection.finish()
                connection.wait_for_end()
            else:
                connection.respond()
        edge, _ = self.tls_edge(behave)
        with h2.Client(edge.address, h2_context()) as client:
            cut = client.get('/cut')
            self.assertEqual((cut.status, cut.complete, cut.reset),
                             (200, False, h2.INTERNAL_ERROR))
            self.assertEqual(client.get('/whole').status, 200)
        self.assert_ray(edge, cut, 'body.short_fin', 200, aborted=True)

    def test_expect_100_continue_is_answered_over_http_2(self):
        def behave(connection):
            request = connection.read_head()
            connection.send(b'HTTP/1.1 100 Continue\r\n\r\n')
            connection.read_body(request)
            connection.respond(request.body)
        edge, _ = self.tls_edge(behave)
        with h2.Client(edge.address, h2_context()) as client:
            stream = client.ask('POST', headers=(('expect', '100-continue'),), end=False)
            response = client.wait(stream, lambda r: r.interim)
            self.assertEqual([i.status for i in response.interim], [100])
            client.data(stream, b'hello', end=True)
            self.assertEqual(client.response(stream).body, b'hello')

    def test_an_answer_before_the_upload_has_ended_comes_and_the_rest_is_not_wanted(self):
        def behave(connection):
            connection.read_head()
            connection.send(b'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n'
                            b'Connection: close\r\n\r\nno')
            connection.wait_for_end(5)
        edge, _ = self.tls_edge(behave)
        with h2.Client(edge.address, h2_context()) as client:
            stream = client.ask('POST', end=False)
            client.data(stream, b'u' * 50_000)
            response = client.response(stream)
            self.assertEqual((response.status, response.body, response.complete),
                             (403, b'no', True))
            client.ping()
            self.assertIn(response.reset, (h2.NO_ERROR, h2.CANCEL, None))
            self.assertEqual(client.get().status, 403, 'the connection goes on')

    def test_a_body_that_ends_with_the_origins_connection_is_whole(self):
        edge, _ = self.tls_edge(raw_origin.sending(b'HTTP/1.0 200 OK\r\n\r\nuntil the end'))
        response = h2.fetch(edge.address, tls=h2_context())
        self.assertEqual((response.body, response.complete), (b'until the end', True))

    def test_a_chunked_body_cut_short_is_no_proper_end(self):
        edge, _ = self.tls_edge(raw_origin.sending(
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
            wire.chunk(b'x' * 100_000)))
        response = h2.fetch(edge.address, tls=h2_context())
        self.assertEqual((response.status, response.complete, response.reset),
                         (200, False, h2.INTERNAL_ERROR))
        self.assert_ray(edge, response, 'body.chunk_truncated', 200)

    def test_a_large_response_head_comes_in_several_frames(self):
        fields = tuple((f'X-Large-{i}', 'v' * 2000) for i in range(15))
        edge, _ = self.tls_edge(raw_origin.answering(headers=fields))
        response = h2.fetch(edge.address, tls=h2_context())
        self.assertEqual([response.header(name) for name, _ in fields], ['v' * 2000] * 15)

    def test_a_304_with_a_length_has_no_body_and_leaves_the_connection_good(self):
        edge, _ = self.tls_edge(lambda c: [c.send(
            b'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\nETag: "a"\r\n\r\n')
            for _ in iter(c.read_request, None)])
        with h2.Client(edge.address, h2_context()) as client:
            for _ in range(3):
                response = client.get()
                self.assertEqual((response.status, response.body, response.complete),
                                 (304, b'', True))

    def test_fields_of_the_origin_that_http_2_forbids_do_not_break_the_stream(self):
        edge, _ = self.tls_edge(raw_origin.answering(headers=(
            ('Proxy-Connection', 'keep-alive'), ('Upgrade', 'h2c'), ('TE', 'gzip'),
            ('X-Empty', ''), ('X-Padded', '   a   '))))
        response = h2.fetch(edge.address, tls=h2_context())
        self.assertEqual((response.status, response.body, response.header('x-padded'),
                          response.header('x-empty'), response.header('upgrade')),
                         (200, b'ok', 'a', '', None))

    def test_data_with_padding_is_passed_without_it(self):
        edge, origin = self.tls_edge()
        with h2.Client(edge.address, h2_context()) as client:
            stream = client.ask('POST', end=False)
            for _ in range(50):  # the padding is given back to the windows too
                client.send_frame(h2.DATA, h2.PADDED, stream, b'\xc8' + b'u' * 20 + b'\0' * 200)
            client.send_frame(h2.DATA, h2.PADDED | h2.END_STREAM, stream, b'\x01u\0')
            self.assertEqual(client.response(stream).status, 200)
        self.assertEqual(origin.requests[0].body, b'u' * 1001)

    def test_frames_and_settings_that_nobody_knows_are_ignored(self):
        edge = shared.get().edge
        with h2.Client(edge.address, h2_context(), settings={0x1234: 5}) as client:
            client.send_frame(0x77, 0xff, 0, b'unknown')
            stream = client.ask()
            client.send_frame(0x77, 0xff, stream, b'unknown')
            client.send_frame(h2.PRIORITY, 0, stream, b'\0\0\0\0\x10')
            self.assertEqual(client.response(stream).status, 200)

    def test_connect_is_refused(self):
        edge = shared.get().edge
        with h2.Client(edge.address, h2_context()) as client:
            stream = client.headers([(':method', 'CONNECT'), (':authority', 'edge.test:443')])
            response = client.response(stream)
        self.assert_ray(edge, response, 'client.bad_target', 400)

    def test_a_host_without_a_route_is_409_over_http_2(self):
        origin = self.origin(raw_origin.answering())
        edge = self.edge(routes=(f'known.test={origin.url}',), config=edge_config())
        response = h2.fetch(edge.address, tls=h2_context())
        self.assert_ray(edge, response, 'edge.no_route', 409)

    def test_an_idle_connection_is_sent_away_without_a_case(self):
        edge, _ = self.tls_edge(config='[timeouts]\nclient_idle = "300ms"\n')
        with h2.Client(edge.address, h2_context()) as client:
            self.assertEqual(client.get().status, 200)
            goaway = client.until_end()
        self.assertEqual((goaway.error, client.end), (h2.NO_ERROR, 'fin'))
        self.assertEqual(edge.cases(), [])

    def test_a_head_that_never_ends_is_closed_on_its_stream(self):
        edge, _ = self.tls_edge(config='[timeouts]\nclient_head = "300ms"\nclient_idle = "2s"\n')
        with h2.Client(edge.address, h2_context()) as client:
            client.headers([(':method', 'GET')])  # the numbers go on behind it
            client.send_frame(h2.HEADERS, h2.END_STREAM, 3, h2.encode([(':method', 'GET')]))
            started = time.monotonic()
            client.until_end()
        self.assertLess(time.monotonic() - started, 8 * harness.SLOWNESS)

    def test_a_request_whose_head_comes_in_pieces_is_served(self):
        edge, _ = self.tls_edge()
        with h2.Client(edge.address, h2_context()) as client:
            client.ping()
            block = h2.encode([(':method', 'GET'), (':scheme', 'https'), (':path', '/'),
                               (':authority', 'edge.test')])
            for stream, frames in (
                    (1, h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 1, block)),
                    (3, h2.frame(h2.HEADERS, h2.END_STREAM, 3, block[:9]) +
                     h2.frame(h2.CONTINUATION, h2.END_HEADERS, 3, block[9:]))):
                client.responses[stream] = h2.Response()
                for at in range(0, len(frames), 7):
                    client.send(frames[at:at + 7])
                    time.sleep(0.02)
                self.assertEqual(client.response(stream).status, 200)

    def test_a_header_block_that_is_never_whole_is_a_head_timeout(self):
        edge, origin = self.tls_edge(config='[timeouts]\nclient_head = "300ms"\n')
        with h2.Client(edge.address, h2_context()) as client:
            client.ping()  # nothing is owed any more
            client.send_frame(h2.HEADERS, h2.END_STREAM, 1, h2.encode([(':method', 'GET')]))
            case = edge.only_case('client.head_timeout', 5 * harness.SLOWNESS)
        self.assertEqual((case['actor'], origin.requests), ('client', []))

    def test_an_upload_that_stalls_is_408(self):
        edge, _ = self.tls_edge(lambda c: c.read_request(),
                                config='[timeouts]\nclient_body = "400ms"\n')
        with h2.Client(edge.address, h2_context()) as client:
            stream = client.ask('POST', headers=(('content-length', '100'),), end=False)
            client.data(stream, b'ten bytes.')
            response = client.response(stream)
        self.assert_ray(edge, response, 'client.body_timeout', 408)


class MisuseTest(TransportCase):
    """One edge and one connection for each breach: the record names it, and others are served."""

    def flooded(self, cause, flood, error=h2.ENHANCE_YOUR_CALM, behave=None, config='', **fields):
        edge, _ = self.tls_edge(behave, config=config)
        with h2.Client(edge.address, h2_context()) as client:
            self.assertEqual(client.get('/before').status, 200)
            try:
                flood(client)
            except OSError:
                pass  # the edge has had enough
            try:
                goaway = client.until_end()
            except h2.Malformed:
                goaway = client.goaway  # ended inside a frame, because we sent on
        case = self.assert_case(edge.only_case(cause), cause, actor='client', edge_status=400,
                                **fields)
        if goaway is not None or client.end == 'fin':
            self.assertEqual(goaway and goaway.error, error, goaway)
        self.assertEqual(case['request']['protocol'], 'HTTP/2')
        self.assertTrue(case['evidence']['h2_frames'], 'the last frames')
        self.assertEqual(h2.fetch(edge.address, tls=h2_context(), path='/before').status, 200)
        return case

    @staticmethod
    def before_only(connection):
        """Answers `/before` and nothing else."""
        while request := connection.read_request():
            if request.target != '/before':
                connection.wait_for_end(5)
                return
            connection.respond()

    def test_streams_opened_and_reset_are_a_rapid_reset(self):
        def flood(client):
            for _ in range(15):
                client.reset(client.ask(path='/slow'))
        case = self.flooded('client.h2_rapid_reset', flood, behave=self.before_only,
                            config='[limits]\nh2_resets_per_second = 1\n')
        self.assertEqual(case['evidence']['h2_rule'], 'rapid_reset')

    def test_resets_within_the_limit_are_no_flood(self):
        edge, _ = self.tls_edge(self.before_only, config='[limits]\nh2_resets_per_second = 1\n')
        with h2.Client(edge.address, h2_context()) as client:
            for _ in range(10):
                client.reset(client.ask(path='/slow'))
            self.assertEqual(client.get('/before').status, 200)
        self.assertTrue(wire.eventually(lambda: len(edge.cases()) == 10))
        self.assertEqual({c['cause'] for c in edge.cases()}, {'client.abort'})

    def test_streams_that_make_the_edge_reset_them_are_a_rapid_reset_too(self):
        def flood(client):
            for _ in range(15):
                client.ask(path='/slow', headers=(('connection', 'x'),))
        edge, _ = self.tls_edge(config='[limits]\nh2_resets_per_second = 1\n')
        with h2.Client(edge.address, h2_context()) as client:
            flood(client)
            goaway = client.until_end()
        self.assertEqual(goaway.error, h2.ENHANCE_YOUR_CALM)
        edge.only_case('client.h2_rapid_reset')

    def test_a_header_block_in_many_frames_is_a_continuation_flood(self):
        def flood(client):
            client.send_frame(h2.HEADERS, 0, 3, h2.encode([(':method', 'GET')]))
            for i in range(5):
                client.send_frame(h2.CONTINUATION, 0, 3, h2.encode([(f'x-{i}', 'a')]))
        self.flooded('client.h2_continuation_flood', flood,
                     config='[limits]\nh2_continuations = 4\n')

    def test_a_header_block_in_a_few_frames_is_served(self):
        edge, origin = self.tls_edge(config='[limits]\nh2_continuations = 4\n')
        with h2.Client(edge.address, h2_context()) as client:
            client.responses[1] = h2.Response()
            fields = h2.encode([(':method', 'GET'), (':scheme', 'https'), (':path', '/'),
                                (':authority', 'edge.test'), ('x-cut', 'in pieces')])
            client.send_frame(h2.HEADERS, h2.END_STREAM, 1, fields[:7])
            for at in (7, 20, 40):
                client.send_frame(h2.CONTINUATION, 0, 1, fields[at:{7: 20, 20: 40, 40: 60}[at]])
            client.send_frame(h2.CONTINUATION, h2.END_HEADERS, 1, fields[60:])
            self.assertEqual(client.response(1).status, 200)
        self.assertEqual(origin.requests[0].header('x-cut'), 'in pieces')

    def test_settings_without_end_are_a_settings_flood(self):
        self.flooded('client.h2_settings_flood',
                     lambda client: client.send(h2.settings_frame() * 12),
                     config='[limits]\nh2_settings_per_second = 1\n')

    def test_pings_without_end_are_a_ping_flood(self):
        self.flooded('client.h2_ping_flood',
                     lambda client: client.send(h2.frame(h2.PING, payload=b'x' * 8) * 12),
                     config='[limits]\nh2_pings_per_second = 1\n')

    def test_frames_without_content_are_an_empty_frame_flood(self):
        def flood(client):
            stream = client.ask('POST', '/slow', end=False)
            client.send(h2.frame(h2.DATA, 0, stream) * 12)
        self.flooded('client.h2_empty_frame_flood', flood, behave=self.before_only,
                     config='[limits]\nh2_empty_frames_per_second = 1\n')

    def test_headers_that_grow_when_decoded_are_a_header_bomb(self):
        def flood(client):
            block = h2.encode([(':method', 'GET'), (':scheme', 'https'), (':path', '/'),
                               (':authority', 'edge.test')])
            block += h2.literal('x-bomb', 'b' * 3000, indexed=True) + h2.dynamic(0) * 200
            client.send_frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 3, block)
        case = self.flooded('client.h2_header_bomb', flood)
        self.assertNotIn('b' * 1000, json.dumps(case))

    def test_headers_over_the_limit_are_too_large_and_end_their_stream_only(self):
        edge, _ = self.tls_edge()
        with h2.Client(edge.address, h2_context()) as client:
            response = client.get(headers=tuple((f'x-{i}', 'h' * 3000) for i in range(5)),
                                  host='a' * 200)
            self.assertEqual(response.status, 200)
            block = h2.encode([(':method', 'GET'), (':scheme', 'https'), (':path', '/'),
                               (':authority', 'edge.test')])
            block += h2.literal('x-large', 'b' * 3000, indexed=True) + h2.dynamic(0) * 12
            client.responses[3] = h2.Response()
            client.next_stream = 5
            client.send_frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 3, block)
            refused = client.response(3)
            self.assertTrue(refused.reset is not None or refused.status == 431, refused)
            self.assertEqual(client.get().status, 200)
        edge.only_case('client.headers_too_large')

    # ---- breaches of the protocol: each ends its connection ----

    def breach(self, send, error, rule, config=''):
        case = self.flooded('client.h2_protocol_error', send, error, config=config)
        self.assertEqual(case['evidence']['h2_rule'], rule, case['evidence'])
        return case

    def test_data_on_stream_0_is_a_protocol_error(self):
        self.breach(lambda c: c.send_frame(h2.DATA, payload=b'x'), h2.PROTOCOL_ERROR, 'protocol')

    def test_a_frame_over_the_size_limit_is_a_protocol_error(self):
        self.breach(lambda c: c.send_frame(h2.DATA, 0, 3, b'x' * 16385), h2.FRAME_SIZE_ERROR,
                    'frame_size')

    def test_a_ping_of_nine_bytes_is_a_protocol_error(self):
        self.breach(lambda c: c.send_frame(h2.PING, payload=b'x' * 9), h2.FRAME_SIZE_ERROR,
                    'frame_size')

    def test_a_frame_on_a_stream_that_was_never_opened_is_a_protocol_error(self):
        self.breach(lambda c: c.send_frame(h2.RST_STREAM, 0, 99, struct.pack('>I', 8)),
                    h2.PROTOCOL_ERROR, 'closed_stream')

    def test_headers_on_an_even_stream_are_a_protocol_error(self):
        self.breach(lambda c: c.headers([(':method', 'GET')], stream=4), h2.PROTOCOL_ERROR,
                    'closed_stream')

    def test_a_stream_number_that_goes_down_is_a_protocol_error(self):
        def send(client):
            client.headers([(':method', 'GET'), (':scheme', 'https'), (':path', '/before'),
                            (':authority', 'edge.test')], stream=9)
            client.responses[9] = client.responses[5] = h2.Response()
            client.headers([(':method', 'GET')], stream=5)
        self.breach(send, h2.STREAM_CLOSED, 'closed_stream')

    def test_a_push_promise_of_a_client_is_a_protocol_error(self):
        self.breach(lambda c: c.send_frame(h2.PUSH_PROMISE, h2.END_HEADERS, 1, b'\0\0\0\2\x82'),
                    h2.PROTOCOL_ERROR, 'protocol')

    def test_a_continuation_out_of_place_is_a_protocol_error(self):
        self.breach(lambda c: c.send_frame(h2.CONTINUATION, h2.END_HEADERS, 1, b'\x82'),
                    h2.PROTOCOL_ERROR, 'protocol')

    def test_a_frame_within_a_header_block_is_a_protocol_error(self):
        def send(client):
            client.send_frame(h2.HEADERS, 0, 3, b'\x82')
            client.send_frame(h2.PING, payload=b'x' * 8)
        self.breach(send, h2.PROTOCOL_ERROR, 'protocol')

    def test_headers_that_cannot_be_decoded_are_a_compression_error(self):
        self.breach(lambda c: c.send_frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 3,
                                           b'\xff\xff\xff\xff\xff\xff'),
                    h2.COMPRESSION_ERROR, 'compression')

    def test_a_window_update_of_zero_is_a_protocol_error(self):
        self.breach(lambda c: c.allow(0), h2.PROTOCOL_ERROR, 'protocol')

    def test_a_window_that_overflows_is_a_flow_control_error(self):
        self.breach(lambda c: c.allow(h2.LARGEST_WINDOW), h2.FLOW_CONTROL_ERROR, 'flow_control')

    def test_an_initial_window_over_the_limit_is_a_flow_control_error(self):
        self.breach(lambda c: c.send(h2.settings_frame([(h2.INITIAL_WINDOW_SIZE, 1 << 31)])),
                    h2.FLOW_CONTROL_ERROR, 'flow_control')

    def test_data_beyond_the_window_is_a_flow_control_error(self):
        def send(client):
            stream = client.ask('POST', '/slow', end=False)
            client.send(h2.frame(h2.DATA, 0, stream, b'u' * 16384) * 100)
        edge, _ = self.tls_edge(self.before_only, config=(
            '[limits]\nh2_stream_window_bytes = 65535\nh2_connection_window_bytes = 65535\n'
            'request_body_bytes = "1GiB"\n'))
        # An origin that does not read, so that the window is not opened again.
        with h2.Client(edge.address, h2_context()) as client:
            self.assertEqual(client.get('/before').status, 200)
            try:
                send(client)
                client.until_end()
            except (OSError, h2.Malformed):
                pass
        case = edge.only_case('client.h2_protocol_error')
        self.assertEqual(case['evidence']['h2_rule'], 'flow_control')

    def test_http_1_1_where_http_2_was_agreed_is_a_protocol_error(self):
        edge, _ = self.tls_edge()
        with h2.Client(edge.address, h2_context(), greet=False) as client:
            client.send(wire.request())
            client.until_end()
        case = self.assert_case(edge.only_case('client.h2_protocol_error'),
                                'client.h2_protocol_error', edge_status=400)
        self.assertEqual(case['evidence']['h2_rule'], 'not_http2')
        self.assertIn('GET / HTTP/1.1', case['evidence']['h2_detail'])

    def test_a_preface_without_settings_is_a_protocol_error(self):
        edge, _ = self.tls_edge()
        with h2.Client(edge.address, h2_context(), greet=False) as client:
            client.send(h2.PREFACE + h2.frame(h2.PING, payload=b'x' * 8))
            client.until_end()
        case = edge.only_case('client.h2_protocol_error')
        self.assertEqual(case['evidence']['h2_rule'], 'not_http2')

    def test_the_same_breach_with_prior_knowledge_is_recorded_without_tls(self):
        edge, _ = self.edge_before(raw_origin.answering())
        with h2.Client(edge.address) as client:
            self.assertEqual(client.get().status, 200)
            client.send_frame(h2.DATA, payload=b'x')
            client.until_end()
        case = edge.only_case('client.h2_protocol_error')
        self.assertEqual((case['request']['scheme'], case['request']['protocol'],
                          case['request']['tls_version']), ('http', 'HTTP/2', None))

    def test_a_breach_while_requests_run_is_recorded_and_their_origin_is_told(self):
        ended = threading.Event()

        def behave(connection):
            connection.read_request()
            if connection.wait_for_end(8):
                ended.set()
        edge, origin = self.tls_edge(behave, flags=('--read-timeout', '20s'))
        with h2.Client(edge.address, h2_context()) as client:
            client.ask()
            self.assertTrue(wire.eventually(lambda: origin.requests))
            client.send_frame(h2.DATA, payload=b'x')
            client.until_end()
        edge.only_case('client.h2_protocol_error')
        self.assertTrue(ended.wait(5), 'the origin is told that nobody waits any more')

    # ---- malformed requests: each ends its stream and no other ----

    def malformed(self, fields, rule, body=None, trailers=None):
        edge, origin = self.tls_edge()
        with h2.Client(edge.address, h2_context()) as client:
            stream = client.headers(fields, end=body is None)
            if body is not None:
                client.data(stream, body, end=trailers is None)
            if trailers:
                client.headers(trailers, stream=stream)
            response = client.response(stream)
            self.assertEqual((response.complete and response.status, response.reset),
                             (False, h2.PROTOCOL_ERROR))
            self.assertEqual(client.get('/after').status, 200)
        case = self.assert_case(edge.only_case('client.h2_bad_message'), 'client.h2_bad_message',
                                actor='client', edge_status=400)
        self.assertEqual(case['evidence']['h2_rule'], rule, case['evidence'])
        self.assertEqual([r.target for r in origin.requests if r.whole], ['/after'])
        return case

    def request_with(self, *fields, method='GET', path='/'):
        return [(':method', method), (':scheme', 'https'), (':authority', 'edge.test'),
                (':path', path), *fields]

    def test_a_connection_field_is_a_bad_message(self):
        case = self.malformed(self.request_with(('connection', 'close')), 'forbidden_field')
        self.assertIn('connection: close', case['evidence']['h2_field'])

    def test_a_transfer_encoding_is_a_bad_message(self):
        self.malformed(self.request_with(('transfer-encoding', 'chunked')), 'forbidden_field')

    def test_an_upgrade_is_a_bad_message(self):
        self.malformed(self.request_with(('upgrade', 'websocket')), 'forbidden_field')

    def test_a_te_of_more_than_trailers_is_a_bad_message(self):
        self.malformed(self.request_with(('te', 'gzip')), 'forbidden_field')

    def test_a_request_without_a_path_is_a_bad_message(self):
        self.malformed([(':method', 'GET'), (':scheme', 'https'), (':authority', 'edge.test')],
                       'bad_pseudo')

    def test_a_pseudo_header_twice_is_a_bad_message(self):
        self.malformed(self.request_with()[:1] * 2 + self.request_with()[1:], 'bad_pseudo')

    def test_a_pseudo_header_behind_a_field_is_a_bad_message(self):
        self.malformed([*self.request_with(('a', 'b'))[0:3], ('a', 'b'), (':path', '/')],
                       'bad_pseudo')

    def test_a_name_in_upper_case_is_a_bad_message(self):
        self.malformed(self.request_with(('X-Upper', 'a')), 'bad_field')

    def test_a_line_end_in_a_value_is_a_bad_message_and_smuggles_nothing(self):
        self.malformed(self.request_with(('x-a', 'b\r\nx-smuggled: c')), 'bad_field')

    def test_a_space_in_the_path_is_a_bad_message_and_smuggles_nothing(self):
        self.malformed(self.request_with(path='/ HTTP/1.1'), 'bad_pseudo')

    def test_a_line_end_in_the_path_is_a_bad_message_and_smuggles_nothing(self):
        self.malformed(self.request_with(path='/ HTTP/1.1\r\nX-Smuggled: c'), 'bad_field')

    def test_a_host_that_differs_from_the_authority_is_a_bad_message(self):
        self.malformed(self.request_with(('host', 'another.test')), 'bad_pseudo')

    def test_two_content_lengths_are_a_bad_message(self):
        self.malformed(self.request_with(('content-length', '3'), ('content-length', '4')),
                       'content_length', b'abc')

    def test_more_data_than_the_content_length_is_a_bad_message(self):
        self.malformed(self.request_with(('content-length', '3'), method='POST'), 'content_length',
                       b'abcd')

    def test_less_data_than_the_content_length_is_a_bad_message(self):
        self.malformed(self.request_with(('content-length', '3'), method='POST'), 'content_length',
                       b'ab')

    def test_a_pseudo_header_in_trailers_is_a_bad_message(self):
        self.malformed(self.request_with(method='POST'), 'bad_pseudo', b'ab', [(':path', '/x')])


class LeavingTest(TransportCase):
    """Clients that go before they are answered, and those that read slowly."""

    def leave(self, leave, cause='client.abort', end=True, body=b''):
        ended = threading.Event()

        def behave(connection):
            request = connection.read_head()
            if request.target == '/after':
                connection.respond()
            elif connection.wait_for_end(8):
                ended.set()
        edge, origin = self.tls_edge(behave, flags=('--read-timeout', '20s'))
        client = h2.Client(edge.address, h2_context())
        stream = client.ask('GET' if end else 'POST', end=end)
        if body:
            client.data(stream, body)
        self.assertTrue(wire.eventually(lambda: origin.requests))
        leave(client, stream)
        case = self.assert_case(edge.only_case(cause), cause, edge_status=499, actor='client')
        self.assertEqual(case['ray_id'], origin.requests[0].ray)
        self.assertTrue(ended.wait(5), 'the origin is told that nobody waits any more')
        client.close()
        return case

    def test_a_stream_reset_while_the_origin_works_is_499_and_the_connection_goes_on(self):
        def leave(client, stream):
            client.reset(stream)
            self.assertEqual(client.get('/after').status, 200)
        self.leave(leave)

    def test_a_stream_that_is_reset_at_once_reaches_no_origin(self):
        edge, origin = self.tls_edge()
        with h2.Client(edge.address, h2_context()) as client:
            fields = [(':method', 'POST'), (':scheme', 'https'), (':authority', 'edge.test'),
                      (':path', '/never')]
            client.next_stream = 3
            client.send(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 1, h2.encode(fields)) +
                        h2.frame(h2.RST_STREAM, 0, 1, struct.pack('>I', h2.CANCEL)))
            edge.only_case('client.abort')
            self.assertEqual(client.get('/after').status, 200)
        self.assertEqual([request.target for request in origin.requests], ['/after'])

    def test_a_client_over_the_limit_is_refused_and_its_connection_ends(self):
        edge, _ = self.tls_edge(config='[limits]\nclient_connections = 1\n')
        with h2.Client(edge.address, h2_context()) as first:
            self.assertEqual(first.get().status, 200)
            with h2.Client(edge.address, h2_context()) as second:
                self.assert_ray(edge, second.get(), 'edge.overload', 503)
                self.assertEqual(second.until_end().error, h2.NO_ERROR)

    def test_a_body_that_breaks_its_length_while_the_origin_works_is_the_clients(self):
        edge, _ = self.tls_edge(lambda c: c.read_request())
        with h2.Client(edge.address, h2_context()) as client:
            stream = client.ask('POST', headers=(('content-length', '100000'),), end=False)
            client.data(stream, b'x' * 50_000)
            client.data(stream, b'too few', end=True)
            client.response(stream)
        case = edge.only_case('client.h2_bad_message')
        self.assertEqual(case['evidence']['h2_rule'], 'content_length')

    def test_a_download_is_whole_although_the_client_still_sends_when_the_edge_ends(self):
        """Its window updates must not be answered with RST, which drops what is on its way."""
        edge, _ = self.tls_edge(raw_origin.answering(b'x' * 3_000_000))
        with h2.Client(edge.address, h2_context(), receive_buffer=8192) as client:
            stream = client.ask()
            client.wait(stream, lambda r: len(r.body) > 0)
            edge.process.terminate()
            while not client.responses[stream].complete:
                self.assertIsNotNone(client.step(), f'ended ({client.end}) early')
                client.allow(1)
        self.assertEqual(len(client.responses[stream].body), 3_000_000)

    def test_a_stream_reset_inside_its_upload_is_an_upload_abort(self):
        self.leave(lambda client, stream: client.reset(stream), 'client.upload_abort', False,
                   b'some')

    def test_a_connection_reset_while_the_origin_works_is_499(self):
        self.leave(lambda client, _: client.reset())

    def test_a_connection_closed_while_the_origin_works_is_499(self):
        self.leave(lambda client, _: client.close())

    def test_a_goaway_of_the_client_with_its_close_is_499(self):
        def leave(client, _):
            client.send_frame(h2.GOAWAY, payload=struct.pack('>II', 0, 0))
            client.close()
        self.leave(leave)

    def test_a_goaway_of_the_client_lets_its_streams_end(self):
        go = threading.Event()

        def behave(connection):
            connection.read_request()
            go.wait(10)
            connection.respond()
        edge, origin = self.tls_edge(behave)
        with h2.Client(edge.address, h2_context()) as client:
            stream = client.ask()
            self.assertTrue(wire.eventually(lambda: origin.requests))
            client.send_frame(h2.GOAWAY, payload=struct.pack('>II', 0, 0))
            go.set()
            self.assertEqual(client.response(stream).status, 200)

    @staticmethod
    def long_response(connection):
        while connection.read_request():
            connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n')
            for _ in range(500):
                if not connection.send(b'x' * 100_000):
                    return

    def test_a_stream_reset_inside_a_long_response_is_499(self):
        edge, _ = self.tls_edge(self.long_response)
        with h2.Client(edge.address, h2_context()) as client:
            stream = client.ask()
            response = client.wait(stream, lambda r: len(r.body) > 1_000_000)
            client.reset(stream)
            case = self.assert_case(edge.only_case('client.abort'), 'client.abort',
                                    edge_status=499, ray_id=response.ray, origin_status=200)
        self.assertLess(case['response']['body_bytes'], 50_000_000)

    def test_a_reader_that_opens_no_window_is_let_go_after_the_write_timeout(self):
        edge, _ = self.tls_edge(self.long_response, config='[timeouts]\nclient_write = "500ms"\n')
        with h2.Client(edge.address, h2_context(), window=65535) as client:
            stream = client.ask()
            response = client.wait(stream, lambda r: len(r.body) == 65535)
            self.assertIsNotNone(client.response(stream).reset)
        self.assert_case(edge.only_case('client.slow_reader'), 'client.slow_reader',
                         ray_id=response.ray, edge_status=499, origin_status=200)

    def test_a_reader_that_stops_reading_the_connection_is_let_go_after_the_write_timeout(self):
        edge, _ = self.tls_edge(self.long_response, config='[timeouts]\nclient_write = "500ms"\n')
        with h2.Client(edge.address, h2_context(), receive_buffer=4096) as client:
            stream = client.ask()
            response = client.wait(stream, lambda r: r.status)
            case = edge.only_case('client.slow_reader', 6)
        self.assert_case(case, 'client.slow_reader', ray_id=response.ray, edge_status=499)

    def test_a_reader_that_is_merely_slow_is_not_let_go(self):
        edge, _ = self.tls_edge(raw_origin.answering(b'x' * 600_000),
                                config='[timeouts]\nclient_write = "1s"\n')
        with h2.Client(edge.address, h2_context(), window=65535) as client:
            stream = client.ask()
            for step in range(1, 8):
                client.wait(stream, lambda r, n=step: len(r.body) >= n * 65535)
                time.sleep(0.25)
                client.allow(65535)
                client.allow(65535, stream)
            client.allow(200_000)
            client.allow(200_000, stream)
            response = client.response(stream)
        self.assertEqual((response.status, len(response.body)), (200, 600_000))
        self.assertEqual(edge.ray(response.ray)['cause'], 'none')


class DrainTest(TransportCase):
    def test_a_running_stream_ends_well_after_sigterm_and_new_ones_are_turned_away(self):
        go = threading.Event()

        def behave(connection):
            connection.read_request()
            go.wait(10)
            connection.respond(b'late')
        edge, origin = self.tls_edge(behave, flags=('--read-timeout', '20s'))
        with h2.Client(edge.address, h2_context()) as client:
            stream = client.ask()
            self.assertTrue(wire.eventually(lambda: origin.requests))
            edge.process.terminate()
            while client.goaway is None:
                self.assertIsNotNone(client.step(), 'ended without GOAWAY')
            self.assertEqual(client.goaway.error, h2.NO_ERROR)
            go.set()
            response = client.response(stream)
            self.assertEqual((response.status, response.body), (200, b'late'))
            goaway = client.until_end()
        self.assertEqual((goaway.error, goaway.last_stream, client.end),
                         (h2.NO_ERROR, stream, 'fin'))
        self.assertEqual(edge.process.wait(10 * harness.SLOWNESS), 0)
        self.assertEqual(edge.ray(response.ray)['cause'], 'none')

    def test_a_response_that_waits_for_its_windows_is_whole_in_spite_of_sigterm(self):
        edge, _ = self.tls_edge(raw_origin.answering(b'x' * 50_000))
        with h2.Client(edge.address, h2_context(), window=10_000) as client:
            stream = client.ask()
            client.wait(stream, lambda r: len(r.body) == 10_000)
            self.assertTrue(wire.eventually(lambda: edge.ray(client.responses[stream].ray)))
            edge.process.terminate()
            while client.goaway is None:
                self.assertIsNotNone(client.step(), 'ended without GOAWAY')
            client.allow(20_000, stream)
            client.wait(stream, lambda r: len(r.body) == 30_000)
            client.allow(20_000, stream)
            response = client.response(stream)
        self.assertEqual((len(response.body), response.complete), (50_000, True))
        self.assertEqual(edge.process.wait(10 * harness.SLOWNESS), 0)

    def test_a_response_that_waits_for_its_windows_is_whole_in_spite_of_the_clients_goaway(self):
        edge, _ = self.tls_edge(raw_origin.answering(b'x' * 50_000))
        with h2.Client(edge.address, h2_context(), window=10_000) as client:
            stream = client.ask()
            client.wait(stream, lambda r: len(r.body) == 10_000)
            client.send_frame(h2.GOAWAY, payload=struct.pack('>II', 0, 0))
            client.ping()
            client.allow(40_000, stream)
            response = client.response(stream)
        self.assertEqual((len(response.body), response.complete), (50_000, True))

    def test_an_idle_connection_ends_at_once_with_goaway(self):
        edge, _ = self.tls_edge()
        with h2.Client(edge.address, h2_context()) as client:
            self.assertEqual(client.get().status, 200)
            started = time.monotonic()
            edge.process.terminate()
            goaway = client.until_end()
        self.assertEqual(edge.process.wait(10 * harness.SLOWNESS), 0)
        self.assertEqual((goaway.error, client.end), (h2.NO_ERROR, 'fin'))
        self.assertLess(time.monotonic() - started, 3 * harness.SLOWNESS)

    def test_a_stream_that_outlives_the_drain_is_told_of_the_shutdown(self):
        edge, origin = self.tls_edge(lambda c: (c.read_request(), c.wait_for_end()),
                                     config='[timeouts]\ndrain = "300ms"\n',
                                     flags=('--read-timeout', '20s'))
        with h2.Client(edge.address, h2_context()) as client:
            stream = client.ask()
            self.assertTrue(wire.eventually(lambda: origin.requests))
            edge.process.terminate()
            response = client.response(stream)
        self.assertEqual(response.status, 503)
        self.assertEqual(edge.process.wait(10 * harness.SLOWNESS), 0)
        self.assert_ray(edge, response, 'edge.shutdown', 503)

    def test_a_handshake_under_way_does_not_hold_up_the_end(self):
        edge, _ = self.tls_edge(config='[timeouts]\ndrain = "5s"\n')
        with edge.client():
            time.sleep(0.1)
            started = time.monotonic()
            edge.process.terminate()
            self.assertEqual(edge.process.wait(10 * harness.SLOWNESS), 0)
        self.assertLess(time.monotonic() - started, 7 * harness.SLOWNESS)


if __name__ == '__main__':
    harness.main()
