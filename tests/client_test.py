"""Clients that misbehave: each is refused or let go with the exact cause, and the origin never
suffers for it."""
import json
import os
import re
import socket
import threading
import time

import harness
import malformed_requests
import raw_origin
import wire

SMUGGLED = b'GET /smuggled HTTP/1.1\r\nHost: edge.test\r\n\r\n'
NO_TEST = {'edge.internal': 'a bug of the edge, nothing a client can bring about'}


class Refusal:
    """One edge with one recording origin for all requests that are refused at sight."""

    def __init__(self):
        self.origin = raw_origin.Origin(raw_origin.answering())
        self.edge = harness.Edge(self.origin.url)

    def stop(self):
        self.edge.stop()
        self.origin.stop()


refusal = harness.Shared(Refusal)


def offsets(evidence):
    """Every offset that the evidence names."""
    found = [evidence.get('offset')]
    if isinstance(evidence.get('sample'), dict):
        found.append(evidence['sample'].get('offset'))
    return [o for o in found if o is not None]


class MalformedTest(harness.TestCase):
    """One test per row of malformed_requests, each on a connection that has served a good
    request."""

    def refuse(self, prefix, text, cause, status):
        data, offset = malformed_requests.split_mark(text)
        edge, origin = refusal.get().edge, refusal.get().origin
        with edge.client() as client:
            self.assertEqual(client.get('/good').status, 200)
            client.send(prefix + data + SMUGGLED)
            response = client.response()
            rest = client.until_end(response)
        self.assertEqual(response.status, status, response)
        self.assertTrue(response.complete, response)
        self.assertEqual(rest, b'', 'nothing follows the refusal')
        self.assertEqual((response.header('connection') or '').lower(), 'close')
        self.assertIn('error=http_request_error', response.header('proxy-status') or '')
        self.assertNotIn(b'smuggled', origin.received)
        case = self.assert_ray(edge, response, cause, edge_status=status, origin_status=0)
        self.assertEqual(case['actor'], 'client')
        if offset is not None:
            self.assertIn(offset, offsets(case['evidence']), json.dumps(case['evidence']))
        return case

    def refuse_head(self, row):
        _, cause, status, text = row
        case = self.refuse(b'', text, cause, status)
        self.assertEqual(case['attempts'], [])
        self.assertNotIn(b'refused', refusal.get().origin.received)

    def refuse_body(self, row):
        _, cause, status, text = row
        self.refuse(malformed_requests.CHUNKED.encode().replace(b'/refused', b'/body'), text, cause,
                    status)
        for request in refusal.get().origin.requests:
            self.assertFalse(request.target == '/body' and request.whole, 'a whole request arrived')


for check, rows in (('refuse_head', malformed_requests.HEADS),
                    ('refuse_body', malformed_requests.BODIES)):
    for one in rows:
        setattr(MalformedTest, f'test_{one[0]} is {one[1]}'.replace(' ', '_'),
                lambda self, row=one, check=check: getattr(self, check)(row))


class RefusalTest(harness.TestCase):
    def test_a_refused_request_is_answered_after_those_pipelined_before_it(self):
        edge = refusal.get().edge
        with edge.client() as client:
            client.send(wire.request(path='/one') + wire.request(path='/two') +
                        b'GET /three HTTP/1.1\r\n\r\n' + SMUGGLED)
            self.assertEqual([client.response().status for _ in range(3)], [200, 200, 400])
            self.assertEqual(client.until_end(), b'')

    def test_a_refused_request_in_single_bytes_is_refused_the_same_way(self):
        edge = refusal.get().edge
        with edge.client() as client:
            for byte in b'GET /refused HTTP/1.1\r\nHost: edge.test\r\nX-A : b\r\n':
                client.send(bytes([byte]))
                time.sleep(0.001)
            response = client.response()
        self.assert_ray(edge, response, 'client.bad_header_name.space', 400)

    def test_the_client_of_a_large_refused_upload_still_gets_the_answer(self):
        edge = refusal.get().edge
        with edge.client() as client:
            client.send(b'POST /refused HTTP/1.1\r\nHost: edge.test\r\nContent-Length: +9\r\n\r\n')
            try:
                client.send(b'u' * 8_000_000)
            except ConnectionError:
                self.fail('the connection was reset before the answer could be read')
            response = client.response()
        self.assertEqual((response.status, response.complete), (400, True))

    def test_a_body_over_the_limit_is_413_before_the_origin_is_asked(self):
        edge, origin = self.edge_before(raw_origin.answering(),
                                        config='[limits]\nrequest_body_bytes = 100\n')
        self.assertEqual(edge.fetch(method='POST', body=b'u' * 100).status, 200)
        response = edge.fetch(method='POST', path='/refused', body=b'u' * 101)
        self.assert_ray(edge, response, 'client.body_too_large', 413, origin_status=0)
        self.assertNotIn(b'refused', origin.received)

    def test_a_chunked_body_that_grows_over_the_limit_is_413(self):
        edge, origin = self.edge_before(raw_origin.answering(),
                                        config='[limits]\nrequest_body_bytes = 100\n')
        with edge.client() as client:
            client.send(wire.request('POST', headers=(('Transfer-Encoding', 'chunked'),)) +
                        wire.chunk(b'u' * 80) + wire.chunk(b'u' * 80) + b'0\r\n\r\n')
            response = client.response()
            client.until_end(response)
        self.assert_ray(edge, response, 'client.body_too_large', 413)
        self.assertFalse(any(request.whole for request in origin.requests))

    def test_a_host_without_a_route_is_409(self):
        origin = self.origin(raw_origin.answering())
        edge = self.edge(routes=(f'known.test={origin.url}',))
        self.assertEqual(edge.fetch(host='known.test').status, 200)
        self.assertEqual(edge.fetch(host='KNOWN.test:8080').status, 200)
        response = edge.fetch(host='unknown.test')
        case = self.assert_ray(edge, response, 'edge.no_route', 409)
        self.assertEqual(case['actor'], 'edge')
        self.assertEqual(len(origin.requests), 2)

    def test_an_edge_without_any_of_its_egress_addresses_says_it_is_its_own(self):
        edge, origin = self.edge_before(raw_origin.answering(),
                                        config='egress = ["192.0.2.77", "192.0.2.78"]\n')
        case = self.assert_ray(edge, edge.fetch(), 'edge.egress_unavailable', 503, actor='edge')
        self.assertEqual(case['evidence']['missing_egress'], ['192.0.2.77', '192.0.2.78'])
        self.assertEqual(len(case['attempts']), 1)
        self.assertEqual(origin.connections, [])

    def test_an_edge_in_front_of_itself_finds_the_loop(self):
        port = harness.free_port()
        edge = self.edge(f'http://127.0.0.1:{port}', listen=f'127.0.0.1:{port}')
        response = edge.fetch()
        self.assertEqual(response.status, 403)
        self.assertIn('proxy_loop_detected', response.header('proxy-status'))
        self.assert_case(edge.only_case('edge.loop'), 'edge.loop', edge_status=403, actor='edge')

    def test_a_request_that_passed_another_edge_is_no_loop(self):
        edge, origin = self.edge_before(raw_origin.answering())
        self.assertEqual(edge.fetch(headers=(('CDN-Loop', 'cloudflare'),)).status, 200)
        self.assertRegex(origin.requests[0].header('cdn-loop'), r'^cloudflare, \S')

    def test_a_client_beyond_the_connection_limit_gets_503_and_the_others_are_served(self):
        edge, _ = self.edge_before(raw_origin.answering(),
                                   config='[limits]\nclient_connections = 2\n')
        with edge.client() as first, edge.client() as second:
            self.assertEqual([first.get().status, second.get().status], [200, 200])
            with edge.client() as third:
                response = third.get()
                third.until_end(response)
            self.assert_ray(edge, response, 'edge.overload', 503)
            self.assertIsNotNone(response.header('retry-after'))
            self.assertEqual([first.get().status, second.get().status], [200, 200])
        self.assertEqual(wire.eventually(lambda: edge.fetch().status == 200 and 200), 200)

    def test_a_request_that_outlives_the_drain_is_told_of_the_shutdown(self):
        edge, origin = self.edge_before(lambda c: (c.read_request(), c.wait_for_end()),
                                        config='[timeouts]\ndrain = "300ms"\n',
                                        flags=('--read-timeout', '20s'))
        with edge.client() as client:
            client.send(wire.request())
            self.assertTrue(wire.eventually(lambda: origin.requests))
            edge.process.terminate()
            response = client.response()
        self.assertEqual(response.status, 503)
        self.assertEqual(edge.process.wait(10 * harness.SLOWNESS), 0)
        self.assert_ray(edge, response, 'edge.shutdown', 503)


class SlowTest(harness.TestCase):
    """Clients that take their time."""

    def test_a_head_that_never_ends_is_408(self):
        edge, origin = self.edge_before(raw_origin.answering(),
                                        config='[timeouts]\nclient_head = "400ms"\n')
        with edge.client() as client:
            client.send(b'GET / HTTP/1.1\r\nHost: edge')
            response = client.response()
            client.until_end(response)
        self.assert_ray(edge, response, 'client.head_timeout', 408)
        self.assertEqual(origin.received, b'')

    def test_a_head_that_drips_is_408_all_the_same(self):
        edge, origin = self.edge_before(raw_origin.answering(),
                                        config='[timeouts]\nclient_head = "600ms"\n')
        with edge.client() as client:
            client.send(b'GET / HTTP/1.1\r\nHost: edge.test\r\n')
            started = time.monotonic()
            while client.is_silent_for(0.1) and time.monotonic() < started + 8:
                client.send(b'X-A: b\r\n')
            response = client.response()
        self.assertLess(time.monotonic() - started, 3 * harness.SLOWNESS)
        self.assert_ray(edge, response, 'client.head_timeout', 408)
        self.assertEqual(origin.received, b'')

    def test_a_connection_without_a_request_is_closed_in_silence_and_leaves_no_case(self):
        edge, _ = self.edge_before(raw_origin.answering(),
                                   config='[timeouts]\nclient_idle = "400ms"\n'
                                          'client_head = "400ms"\n')
        with edge.client() as silent, edge.client() as served:
            self.assertEqual(served.get().status, 200)
            self.assertTrue(silent.is_closed_within(5), 'a client that never asked')
            self.assertTrue(served.is_closed_within(5), 'a client that asked once')
            self.assertEqual((silent.buffer, served.buffer), (b'', b''))
        self.assertEqual(edge.cases(), [])

    def test_a_body_that_stalls_is_408(self):
        edge, origin = self.edge_before(lambda c: c.read_request(),
                                        config='[timeouts]\nclient_body = "400ms"\n')
        with edge.client() as client:
            client.send(wire.request('POST', headers=(('Content-Length', '100'),)) + b'ten bytes.')
            response = client.response()
            client.until_end(response)
        self.assert_ray(edge, response, 'client.body_timeout', 408)
        self.assertFalse(any(request.whole for request in origin.requests))

    def test_a_reader_that_stops_is_let_go_after_the_write_timeout(self):
        def behave(connection):
            connection.read_request()
            connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n')
            for _ in range(500):
                if not connection.send(b'x' * 100_000):
                    break
        edge, origin = self.edge_before(behave, config='[timeouts]\nclient_write = "500ms"\n')
        with edge.client(receive_buffer=4096) as client:
            client.send(wire.request())
            response = client.response(body=False)
            case = edge.only_case('client.slow_reader')
        self.assert_case(case, 'client.slow_reader', ray_id=response.ray, edge_status=499,
                         actor='client')
        self.assertEqual(case['origin_status'], 200)

    def test_a_reader_that_is_merely_slow_is_not_let_go(self):
        edge, _ = self.edge_before(raw_origin.answering(b'x' * 3_000_000),
                                   config='[timeouts]\nclient_write = "1s"\n')
        with edge.client(receive_buffer=4096) as client:
            client.send(wire.request())
            response = client.response(body=False)
            size = 0
            for _ in range(8):
                size += len(client.take(50_000))
                time.sleep(0.25)
            size += len(client.take(3_000_000 - size))
        self.assertEqual((response.status, size), (200, 3_000_000))
        self.assertEqual(edge.ray(response.ray)['cause'], 'none')


class LeavingTest(harness.TestCase):
    """Clients that go before they are answered: 499 in the record, and the origin is not blamed."""

    def leave(self, leave, cause='client.abort', send=None):
        ended = threading.Event()

        def behave(connection):
            connection.read_head()
            if connection.wait_for_end(8):
                ended.set()
        edge, origin = self.edge_before(behave, flags=('--read-timeout', '20s'))
        client = edge.client()
        client.send(send or wire.request())
        self.assertTrue(wire.eventually(lambda: origin.requests))
        leave(client)
        case = self.assert_case(edge.only_case(cause), cause, edge_status=499, actor='client')
        self.assertEqual(case['ray_id'], origin.requests[0].ray)
        self.assertTrue(ended.wait(5), 'the origin is told that nobody waits any more')
        client.close()
        return case

    def test_a_client_that_resets_while_the_origin_works_is_499(self):
        self.leave(lambda client: client.reset())

    def test_a_client_that_closes_while_the_origin_works_is_499(self):
        self.leave(lambda client: client.close())

    def test_a_client_that_resets_inside_its_upload_is_an_upload_abort(self):
        self.leave(lambda client: client.reset(), 'client.upload_abort',
                   wire.request('POST', headers=(('Content-Length', '100'),)) + b'ten bytes.')

    def test_a_client_that_closes_inside_its_upload_is_an_upload_abort(self):
        self.leave(lambda client: client.close(), 'client.upload_abort',
                   wire.request('POST', headers=(('Content-Length', '100'),)) + b'ten bytes.')

    def test_a_client_that_closes_inside_a_chunked_upload_is_an_upload_abort(self):
        self.leave(lambda client: client.close(), 'client.upload_abort',
                   wire.request('POST', headers=(('Transfer-Encoding', 'chunked'),)) +
                   b'5\r\nhello')

    def test_a_client_that_leaves_inside_a_long_response_is_499(self):
        def behave(connection):
            connection.read_request()
            connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n')
            for _ in range(500):
                if not connection.send(b'x' * 100_000):
                    break
        edge, _ = self.edge_before(behave)
        client = edge.client()
        client.send(wire.request())
        response = client.response(body=False)
        client.take(1_000_000)
        client.reset()
        case = self.assert_case(edge.only_case('client.abort'), 'client.abort', edge_status=499)
        self.assertEqual((case['ray_id'], case['origin_status']), (response.ray, 200))

    def test_a_client_that_leaves_during_a_connect_is_499(self):
        with socket.socket() as full:  # an accept queue that is full lets no SYN in
            full.bind(('127.0.0.1', 0))
            full.listen(0)
            with wire.Client(full.getsockname()):
                edge = self.edge('http://127.0.0.1:%d' % full.getsockname()[1],
                                 flags=('--connect-timeout', '20s'))
                client = edge.client()
                client.send(wire.request())
                time.sleep(0.2)  # nothing to poll: nobody sees the request yet
                client.reset()
                case = self.assert_case(edge.only_case('client.abort'), 'client.abort',
                                        edge_status=499)
        self.assertLess(case['duration_ms'], 5000)

    def test_a_head_cut_short_by_the_client_leaves_the_origin_in_peace(self):
        edge, origin = self.edge_before(raw_origin.answering())
        client = edge.client()
        client.send(b'GET / HTTP/1.1\r\nHost: edge')
        client.close()
        self.assertEqual(edge.fetch('/after').status, 200)
        self.assertEqual([r.target for r in origin.requests], ['/after'])


class CoverageTest(harness.TestCase):
    def test_each_cause_of_a_client_or_of_the_edge_has_a_test_here_or_in_the_transport_test(self):
        tested = set()
        for path in (__file__, os.path.join(os.path.dirname(__file__), 'transport_test.py')):
            with open(path) as file:
                tested |= set(re.findall(r"'((?:client|edge)\.[a-z0-9_.]+)'", file.read()))
        tested |= {row[1] for row in malformed_requests.HEADS + malformed_requests.BODIES}
        tested.discard('edge.test')  # the Host of the tests
        rows = harness.run_json('explain', '--list', '--json')
        causes = {row.get('cause') or row.get('name') for row in rows}
        causes = {c for c in causes if c and c.startswith(('client.', 'edge.'))}
        self.assertGreater(len(causes), 30)
        self.assertEqual(causes - tested - NO_TEST.keys(), set())
        self.assertEqual(tested - causes, set(), 'causes that do not exist')


if __name__ == '__main__':
    harness.main()
