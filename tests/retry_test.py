"""The pool and the retries: what is sent again, what never is, and that no client sees another's
bytes."""
import collections
import concurrent.futures
import contextlib
import socket
import threading
import time

import harness
import raw_origin
import wire


def dying_when_reused(then='close', first=b'fresh', says=b''):
    """An origin that answers the first request of a connection, reads the second whole, says `says`
    and ends the connection."""
    def behave(connection):
        while request := connection.read_head():
            connection.read_body(request)
            if connection.nth == 1:
                connection.respond(first)
            else:
                connection.send(says)
                getattr(connection, then)()
                return
    return behave


class NameServer:
    """Answers every question for an A record with the same addresses, and all others with
    nothing."""

    def __init__(self, addresses):
        head = b'\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4'  # name, A, IN, TTL, size
        self.records = b''.join(head + socket.inet_aton(address) for address in addresses)
        self.count = len(addresses)
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.address = '127.0.0.1:%d' % self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                query, client = self.socket.recvfrom(512)
            except OSError:
                return
            end = query.index(b'\0', 12) + 5
            is_a = query[end - 4:end - 2] == b'\0\1'
            count, records = (self.count, self.records) if is_a else (0, b'')
            head = query[:2] + b'\x81\x80\0\1' + count.to_bytes(2, 'big') + bytes(4)
            self.socket.sendto(head + query[12:end] + records, client)

    def stop(self):
        self.socket.close()


class RetryTest(harness.TestCase):
    def second(self, behave, method='GET', body=None, headers=(), **options):
        """The answer to the second request, which goes out on the connection of the first."""
        edge, origin = self.edge_before(behave, **options)
        self.assertEqual(edge.fetch().status, 200)
        response = edge.fetch(method=method, body=body, headers=headers)
        return edge, origin, response

    def stale_and_retried(self, edge, response, origin):
        self.assertEqual((response.status, response.body), (200, b'fresh'))
        case = edge.ray(response.ray)
        self.assertEqual(case['cause'], 'none')
        self.assertEqual([a['cause'] for a in case['attempts']], ['reuse.stale', 'none'])
        stale, fresh = case['attempts']
        self.assertEqual((stale['connection']['reused'], fresh['connection']['reused']),
                         (True, False))
        self.assertEqual((stale['retried'], fresh['retried']), (True, False))
        self.assertEqual(stale['connection']['nth_request'], 2)
        self.assertGreaterEqual(stale['connection']['idle_ms'], 0)
        self.assertEqual(len(origin.connections), 2)

    def test_a_get_is_sent_again_when_a_reused_connection_ends_by_fin(self):
        edge, origin, response = self.second(dying_when_reused())
        self.stale_and_retried(edge, response, origin)

    def test_a_get_is_sent_again_when_a_reused_connection_ends_by_rst(self):
        edge, origin, response = self.second(dying_when_reused('reset'))
        self.stale_and_retried(edge, response, origin)

    def test_a_small_post_is_sent_again_whole_when_a_reused_connection_died(self):
        edge, origin, response = self.second(dying_when_reused(), 'POST', b'p' * 60_000)
        self.stale_and_retried(edge, response, origin)
        self.assertEqual([len(r.body) for r in origin.requests], [0, 60_000, 60_000])

    def test_a_small_chunked_post_is_sent_again_whole_when_a_reused_connection_died(self):
        edge, origin = self.edge_before(dying_when_reused())
        self.assertEqual(edge.fetch().status, 200)
        response = edge.fetch(method='POST', headers=(('Transfer-Encoding', 'chunked'),),
                              body=wire.chunk(b'abc') + b'0\r\n\r\n')
        self.stale_and_retried(edge, response, origin)
        self.assertEqual([r.body for r in origin.requests], [b'', b'abc', b'abc'])

    def test_a_post_still_being_sent_is_sent_again_whole(self):
        died = threading.Event()

        def behave(connection):
            while request := connection.read_head():
                if connection.number == 1 and connection.nth == 2:
                    connection.take(10_000)
                    connection.close()
                    died.set()
                    return
                connection.read_body(request)
                connection.respond(b'fresh')
        edge, origin = self.edge_before(behave)
        self.assertEqual(edge.fetch().status, 200)
        with edge.client() as client:
            client.send(wire.request('POST', headers=(('Content-Length', '30000'),)) +
                        b'a' * 10_000)
            self.assertTrue(died.wait(5))
            self.assertTrue(wire.eventually(lambda: len(origin.connections) == 2))
            client.send(b'b' * 20_000)
            response = client.response()
        self.stale_and_retried(edge, response, origin)
        self.assertEqual(origin.requests[-1].body, b'a' * 10_000 + b'b' * 20_000)

    def test_a_post_larger_than_the_replay_buffer_is_not_sent_again(self):
        edge, origin, response = self.second(dying_when_reused(), 'POST', b'p' * 70_000)
        case = self.assert_ray(edge, response, 'reuse.stale', 520, origin_status=0)
        self.assertEqual(len(case['attempts']), 1)
        self.assertEqual(len(origin.requests), 2)

    def test_nothing_is_sent_again_once_a_byte_of_the_response_came(self):
        edge, origin, response = self.second(dying_when_reused(says=b'HTTP/1.'))
        case = self.assert_ray(edge, response, 'resp.truncated_status', 520)
        self.assertEqual(len(case['attempts']), 1)
        self.assertEqual(len(origin.requests), 2)

    def test_nothing_is_sent_again_on_a_fresh_connection(self):
        for then, cause in (('finish', 'resp.empty_fin'), ('reset', 'resp.empty_rst')):
            with self.subTest(then=then):
                edge, origin = self.edge_before(raw_origin.sending(b'', then))
                response = edge.fetch()
                case = self.assert_ray(edge, response, cause, 520, origin_status=0)
                self.assertEqual((len(case['attempts']), len(origin.requests)), (1, 1))

    def test_a_timeout_on_a_reused_connection_is_not_sent_again(self):
        def behave(connection):
            connection.read_request()
            connection.respond()
            connection.read_request()
            connection.wait_for_end()
        edge, origin, response = self.second(behave, flags=('--read-timeout', '400ms'))
        self.assert_ray(edge, response, 'time.first_byte', 524)
        self.assertEqual(len(origin.requests), 2)

    def test_an_end_long_after_the_request_on_a_reused_connection_is_not_stale(self):
        """A gateway before the origin gave up: the origin has the request, and would get it twice."""
        def behave(connection):
            connection.read_request()
            connection.respond()
            connection.read_request()
            connection.wait_for_end(2)
        edge, origin, response = self.second(behave, 'POST', b'pay=1', flags=('--read-timeout', '10s'))
        case = self.assert_ray(edge, response, 'resp.empty_fin', 520)
        self.assertEqual(([a['cause'] for a in case['attempts']], len(origin.requests)), (['resp.empty_fin'], 2))

    def test_a_refused_connection_is_not_tried_again_at_the_only_address(self):
        closed = harness.ClosedPort()
        self.addCleanup(closed.stop)
        edge = self.edge(closed.url)
        case = self.assert_ray(edge, edge.fetch(), 'connect.refused', 521)
        self.assertEqual([(a['cause'], a['retried']) for a in case['attempts']],
                         [('connect.refused', False)])

    def two_addresses(self, behave):
        """An edge whose origin has a name with two addresses, of which 127.0.0.2 alone listens."""
        closed = harness.ClosedPort()
        self.addCleanup(closed.stop)
        origin = self.origin(behave, host='127.0.0.2', port=closed.port)
        name_server = NameServer(['127.0.0.1', '127.0.0.2'])
        self.addCleanup(name_server.stop)
        return self.edge(f'http://two.test:{origin.port}',
                         flags=('--resolver', name_server.address))

    def test_a_refused_connection_is_tried_again_at_another_address(self):
        edge = self.two_addresses(raw_origin.answering())
        for _ in range(3):
            response = edge.fetch(method='POST', body=b'p' * 200_000)
            self.assertEqual(response.status, 200)
            attempts = edge.ray(response.ray)['attempts']
            if len(attempts) > 1:
                break
        for attempt in attempts[:-1]:
            self.assertEqual((attempt['cause'], attempt['retried']), ('connect.refused', True))
        self.assertEqual(attempts[-1]['cause'], 'none')
        self.assertIn('127.0.0.2', attempts[-1]['origin'])

    def test_each_address_that_refused_is_on_record(self):
        closed = harness.ClosedPort(host='')
        self.addCleanup(closed.stop)
        name_server = NameServer(['127.0.0.1', '127.0.0.2'])
        self.addCleanup(name_server.stop)
        edge = self.edge(f'http://two.test:{closed.port}',
                         flags=('--resolver', name_server.address))
        case = self.assert_ray(edge, edge.fetch(), 'connect.refused', 521)
        self.assertEqual({a['origin'] for a in case['attempts']},
                         {f'127.0.0.1:{closed.port}', f'127.0.0.2:{closed.port}'})
        self.assertEqual([a['retried'] for a in case['attempts']], [True, False])

    def test_retries_can_be_turned_off(self):
        edge, origin, response = self.second(dying_when_reused(), config='[limits]\nretries = 0\n')
        case = self.assert_ray(edge, response, 'reuse.stale', 520)
        self.assertEqual((len(case['attempts']), len(origin.requests)), (1, 2))

    def test_a_burst_of_stale_connections_costs_no_client_its_answer(self):
        release = threading.Event()

        def behave(connection):
            connection.read_request()
            release.wait(10)
            connection.respond()
            connection.read_request()
        edge, origin = self.edge_before(behave, flags=('--read-timeout', '20s'))
        clients = [edge.client() for _ in range(8)]
        for client in clients:
            client.send(wire.request())
        self.assertTrue(wire.eventually(lambda: len(origin.requests) == 8))
        release.set()
        self.assertEqual([c.response().status for c in clients], [200] * 8)
        for client in clients:  # now eight idle connections that will die when used
            client.send(wire.request())
        self.assertEqual([c.response().status for c in clients], [200] * 8)
        for client in clients:
            client.close()


class UploadTest(harness.TestCase):
    """An upload that the origin stops taking. Who ends it, and how, must not depend on who is
    faster."""

    def stopped(self, stop, cause):
        def behave(connection):
            connection.read_head()
            connection.take(65536)
            stop(connection)
        edge, _ = self.edge_before(behave,
                                   flags=('--read-timeout', '20s', '--write-timeout', '20s'))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            responses = list(pool.map(lambda pause: self.upload(edge, pause),
                                      [0, 0.0002, 0.0005, 0.001] * 8))
        self.assertEqual({r.status for r in responses}, {520})
        causes = collections.Counter(edge.ray(r.ray)['cause'] for r in responses)
        self.assertEqual(causes, {cause: 32})

    @staticmethod
    def upload(edge, pause):
        """A large upload in small pieces, so that the end meets the edge reading, writing or
        waiting."""
        with edge.client() as client:
            client.send(wire.request('POST', headers=(('Content-Length', '8000000'),)))
            done = threading.Event()

            def send():
                for _ in range(500):
                    try:
                        client.send(b'u' * 16_000)
                    except OSError:
                        return
                    if done.wait(pause):
                        return
            sender = threading.Thread(target=send)
            sender.start()
            response = client.response()
            done.set()
            with contextlib.suppress(OSError):
                client.socket.shutdown(socket.SHUT_RDWR)  # ends a send that waits
            sender.join()
            return response

    def test_a_reset_in_the_middle_of_an_upload_is_always_told_from_a_fin(self):
        self.stopped(lambda connection: connection.reset(), 'request.write_reset')

    def test_a_fin_in_the_middle_of_an_upload_is_always_told_from_a_reset(self):
        self.stopped(lambda connection: (connection.finish(), time.sleep(3)),
                     'request.write_closed')


class PoolTest(harness.TestCase):
    def test_a_connection_that_the_origin_closed_while_idle_is_not_used(self):
        closed = threading.Event()

        def behave(connection):
            connection.read_request()
            connection.respond()
            connection.close()
            closed.set()
        edge, origin = self.edge_before(behave)
        for number in range(3):
            response = edge.fetch()
            self.assertTrue(closed.wait(5))
            closed.clear()
            self.assertTrue(wire.eventually(lambda: len(origin.connections) == number + 1))
            time.sleep(0.05)  # on a busy machine the FIN is under way a little longer
        self.assertEqual(len(edge.ray(response.ray)['attempts']), 1)

    def test_bytes_after_the_end_of_a_response_never_reach_the_next_client(self):
        sent = threading.Event()

        def behave(connection):
            while connection.read_request():
                connection.respond(b'ok')
                connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL')
                sent.set()
        edge, origin = self.edge_before(behave)
        with edge.client() as client:
            for _ in range(20):
                self.assertEqual(client.get().body, b'ok')
                self.assertTrue(sent.wait(5))
                sent.clear()
        self.assertEqual(len(origin.connections), 20,
                         'a connection with bytes left over is not used again')

    def test_bytes_after_the_end_of_a_response_in_the_same_packet_are_recorded(self):
        edge, _ = self.edge_before(raw_origin.sending(
            b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokEVIL'))
        response = edge.fetch()
        self.assertEqual((response.status, response.body, response.surplus), (200, b'ok', b''))
        case = self.assert_ray(edge, response, 'body.extra_bytes', 200, edge_status=200,
                               origin_status=200)
        self.assertIn('EVIL', str(case['evidence']))

    def test_a_body_sent_with_head_204_or_304_never_reaches_the_next_client(self):
        for method, head in (('HEAD', '200 OK'), ('GET', '204 No Content'),
                             ('GET', '304 Not Modified')):
            with self.subTest(head=head):
                def behave(connection, head=head):
                    while request := connection.read_request():
                        if request.target == '/good':
                            connection.respond(b'ok')
                        else:
                            connection.send(f'HTTP/1.1 {head}\r\n\r\nEVIL'.encode())
                edge, _ = self.edge_before(behave)
                with edge.client() as client:
                    client.send(wire.request(method, '/bad'))
                    response = client.response(to=method)
                    self.assertEqual(client.get('/good').body, b'ok')
                self.assert_ray(edge, response, 'body.extra_bytes', int(head[:3]))

    def test_a_response_sent_ahead_of_its_request_is_not_taken_for_an_answer(self):
        sent = threading.Event()

        def behave(connection):
            connection.read_request()
            connection.respond(b'ok')
            if connection.number == 1:
                threading.Timer(0.1, lambda: (connection.respond(b'EVIL'), sent.set())).start()
            connection.wait_for_end(10) if connection.number == 1 else connection.read_request()
        edge, origin = self.edge_before(behave)
        self.assertEqual(edge.fetch().body, b'ok')
        self.assertTrue(sent.wait(5))
        self.assertEqual(edge.fetch().body, b'ok')
        self.assertEqual(len(origin.connections), 2)

    def test_idle_connections_are_closed_after_the_idle_limit(self):
        ended = threading.Event()

        def behave(connection):
            connection.read_request()
            connection.respond()
            if connection.wait_for_end(10):
                ended.set()
        edge, _ = self.edge_before(behave, config='[timeouts]\npool_idle = "300ms"\n')
        self.assertEqual(edge.fetch().status, 200)
        self.assertTrue(ended.wait(5))

    def test_connections_to_an_origin_have_a_limit_of_their_own(self):
        release = threading.Event()

        def behave(connection):
            while connection.read_request():
                release.wait(10)
                connection.respond()
        edge, origin = self.edge_before(behave, config='[limits]\norigin_connections = 1\n',
                                        flags=('--read-timeout', '20s'))
        with edge.client() as first:
            first.send(wire.request())
            self.assertTrue(wire.eventually(lambda: origin.requests))
            response = edge.fetch()
            case = self.assert_ray(edge, response, 'connect.limit', 503)
            self.assertEqual(case['actor'], 'edge')
            release.set()
            self.assertEqual(first.response().status, 200)


class EvidenceTest(harness.TestCase):
    def test_an_acknowledged_request_without_answer_proves_it_by_tcp(self):
        edge, _ = self.edge_before(lambda c: (c.read_request(), c.wait_for_end()),
                                   flags=('--read-timeout', '500ms'))
        case = self.assert_ray(edge, edge.fetch(), 'time.first_byte', 524)
        self.assertEqual(case['evidence']['tcp_unacked_bytes'], 0)
        self.assertGreater(case['evidence']['tcp_bytes_acked'], 40)

    def test_secrets_do_not_stand_in_a_case_file_but_their_names_do(self):
        cookie = 's3cr3t' * 400
        edge, _ = self.edge_before(raw_origin.sending(
            b'HTTP/1.1 200 OK\r\nSet-Cookie: sid=' + cookie.encode() + b'\x01\r\n\r\n'))
        case = self.assert_ray(edge, edge.fetch(), 'resp.bad_header_value.control', 520)
        self.assertNotIn('s3cr3t', str(case))
        self.assertIn('set-cookie', str(case).lower())

    def test_secrets_of_clients_do_not_stand_in_a_case_file_unless_asked_for(self):
        edge, _ = self.edge_before(raw_origin.sending(b''))
        hidden = edge.fetch('/x?access_token=s3cr3t&page=2',
                            headers=(('Authorization', 'Bearer s3cr3t'),))
        case = edge.ray(hidden.ray)
        self.assertNotIn('s3cr3t', str(case))
        self.assertIn('page=2', case['request']['uri'])
        with edge.client() as client:
            client.send(b'GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer s3cr3t\x01\r\n\r\n')
            refused = client.response()
        self.assertNotIn('s3cr3t', str(edge.ray(refused.ray)))
        shown = harness.run('ray', refused.ray, '--data-dir', edge.data_dir, '--json',
                            '--show-secrets')
        self.assertIn('s3cr3t', shown.stdout)

    def test_a_broken_head_is_shown_with_offset_and_caret(self):
        head = b'HTTP/1.1 200 OK\r\nX-Fine: 1\r\nX Broken: 2\r\n\r\n'
        edge, _ = self.edge_before(raw_origin.sending(head))
        case = self.assert_ray(edge, edge.fetch(), 'resp.bad_header_name.byte', 520)
        self.assertEqual(case['evidence']['offset'], head.index(b' Broken'))
        sample = case['evidence']['sample']
        self.assertEqual(sample['text'][sample['caret']:], ' Broken: 2\\r\\n\\r\\n')


if __name__ == '__main__':
    harness.main()
