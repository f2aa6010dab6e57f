"""Bodies under way: streaming both ways within bounded memory, 100-continue, upgrades, and the
hold-back."""
import threading
import time

import harness
import raw_origin
import wire

LONG_HOLD = '[limits]\nhold_back_time = "3s"\n'
QUICKLY = 1.5  # seconds; well below a hold of three, and far above what a busy machine needs
BULK = 128 << 20
MEMORY_BOUND = 16 << 20


class StreamingTest(harness.TestCase):
    def test_a_response_is_delivered_while_the_origin_is_still_sending_it(self):
        go_on = threading.Event()

        def behave(connection):
            connection.read_request()
            connection.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
                            wire.chunk(b'one'))
            go_on.wait(10)
            connection.send(wire.chunk(b'two') + b'0\r\n\r\n')
        edge, _ = self.edge_before(behave)
        with edge.client() as client:
            client.send(wire.request())
            response = client.response(body=False)
            self.assertEqual(client.take(8), b'3\r\none\r\n')
            go_on.set()
            client.read_body(response)
        self.assertEqual((response.body, response.complete), (b'two', True))

    def test_an_upload_is_delivered_while_the_client_is_still_sending_it(self):
        edge, origin = self.edge_before(raw_origin.answering())
        with edge.client() as client:
            client.send(wire.request('POST', headers=(('Transfer-Encoding', 'chunked'),)) +
                        wire.chunk(b'first part'))
            self.assertTrue(wire.eventually(lambda: b'first part' in origin.received))
            client.send(wire.chunk(b'second part') + b'0\r\n\r\n')
            self.assertEqual(client.response().status, 200)
        self.assertEqual(origin.requests[0].body, b'first partsecond part')

    def test_the_origins_answer_passes_while_the_upload_goes_on(self):
        def behave(connection):
            request = connection.read_head()
            connection.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
                            wire.chunk(b'early'))
            connection.read_body(request)
            connection.send(wire.chunk(request.body) + b'0\r\n\r\n')
        edge, _ = self.edge_before(behave)
        with edge.client() as client:
            client.send(wire.request('POST', headers=(('Content-Length', '10'),)) + b'12345')
            response = client.response(body=False)
            self.assertEqual(client.take(10), b'5\r\nearly\r\n')
            client.send(b'67890')
            client.read_body(response)
        self.assertEqual((response.body, response.complete), (b'1234567890', True))

    def test_a_large_download_to_a_slow_reader_needs_little_memory(self):
        sent = [0]

        def behave(connection):
            connection.read_request()
            connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % BULK)
            block = bytes(1 << 20)
            while sent[0] < BULK and connection.send(block):
                sent[0] += len(block)
        edge, _ = self.edge_before(behave)
        self.assertLess(self.growth(edge, lambda: self.read_slowly(edge, sent)), MEMORY_BOUND)

    def read_slowly(self, edge, sent):
        with edge.client(receive_buffer=65536) as client:
            client.send(wire.request())
            response = client.response(body=False)
            client.take(100_000)
            wire.eventually(lambda: self.stands_still(sent), 3)
            self.assertLess(sent[0], 48 << 20, 'the origin is held up by the slow reader')
            left = BULK - 100_000
            while left:
                self.assertTrue(client.buffer or client.more(), f'{left} bytes missing')
                left -= len(client.buffer)
                client.buffer = b''
        self.assertEqual(response.status, 200)

    @staticmethod
    def stands_still(counter):
        before = counter[0]
        time.sleep(0.2)
        return before and counter[0] == before

    def test_a_large_upload_to_a_slow_origin_needs_little_memory(self):
        go_on = threading.Event()

        def behave(connection):
            connection.read_head()
            go_on.wait(10)
            left = BULK - len(connection.buffer)
            while left:
                connection.buffer.clear()
                if not connection.more():
                    return
                left -= len(connection.buffer)
            connection.respond(b'all of it')
        edge, _ = self.edge_before(behave, config='[limits]\nrequest_body_bytes = 0\n',
                                   flags=('--write-timeout', '20s', '--read-timeout', '20s'))
        sent = [0]

        def upload():
            with edge.client(timeout=30) as client:
                client.send(wire.request('POST', headers=(('Content-Length', str(BULK)),)))

                def send_all():
                    block = bytes(1 << 20)
                    while sent[0] < BULK:
                        client.send(block)
                        sent[0] += len(block)
                sender = threading.Thread(target=send_all)
                sender.start()
                wire.eventually(lambda: self.stands_still(sent), 3)
                self.assertLess(sent[0], 48 << 20, 'the client is held up by the slow origin')
                go_on.set()
                response = client.response()
                sender.join()
            self.assertEqual((response.status, response.body), (200, b'all of it'))
        self.assertLess(self.growth(edge, upload), MEMORY_BOUND)

    def growth(self, edge, work):
        """By how many bytes the edge's resident memory grows at most during `work()`."""
        before, peak, done = harness.resident_bytes(edge.pid), [0], threading.Event()

        def watch():
            while not done.wait(0.02):
                peak[0] = max(peak[0], harness.resident_bytes(edge.pid))
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            work()
        finally:
            done.set()
            watcher.join()
        return 0 if harness.SANITIZED else peak[0] - before


class ContinueTest(harness.TestCase):
    EXPECT = (('Expect', '100-continue'), ('Content-Length', '5'))

    def test_100_continue_of_the_origin_passes_and_the_body_follows(self):
        def behave(connection):
            request = connection.read_head()
            expects.append(request.header('expect'))
            connection.send(b'HTTP/1.1 100 Continue\r\n\r\n')
            connection.read_body(request)
            connection.respond(request.body)
        expects = []
        edge, _ = self.edge_before(behave)
        with edge.client() as client:
            client.send(wire.request('POST', headers=self.EXPECT))
            self.assertEqual(client.head().status, 100)
            client.send(b'hello')
            response = client.response()
            self.assertEqual((response.status, response.body), (200, b'hello'))
        self.assertEqual([e.lower() for e in expects], ['100-continue'])

    def test_a_final_answer_instead_of_100_continue_spares_the_body(self):
        def behave(connection):
            connection.read_head()
            connection.respond(b'no', '403 Forbidden', (('Connection', 'close'),))
            connection.wait_for_end()
        edge, origin = self.edge_before(behave)
        with edge.client() as client:
            client.send(wire.request('POST', headers=self.EXPECT))
            response = client.response()
        self.assertEqual((response.status, response.body, response.interim), (403, b'no', []))
        self.assertNotIn(b'hello', origin.received)
        self.assertEqual(edge.ray(response.ray)['cause'], 'none')

    def test_a_client_that_does_not_wait_for_100_continue_is_served(self):
        edge, origin = self.edge_before(raw_origin.answering())
        with edge.client() as client:
            client.send(wire.request('POST', headers=self.EXPECT) + b'hello')
            self.assertEqual(client.response().status, 200)
        self.assertEqual(origin.requests[0].body, b'hello')

    def test_a_client_that_tires_of_waiting_for_100_continue_is_served(self):
        edge, origin = self.edge_before(raw_origin.answering())
        with edge.client() as client:
            client.send(wire.request('POST', headers=self.EXPECT))
            self.assertTrue(client.is_silent_for(0.4))
            client.send(b'hello')
            self.assertEqual(client.response().status, 200)
        self.assertEqual(origin.requests[0].body, b'hello')

    def test_an_answer_that_leaves_the_upload_unread_says_that_the_connection_ends(self):
        def behave(connection):
            connection.read_head()
            connection.respond(b'no', '403 Forbidden')
            connection.wait_for_end()
        edge, _ = self.edge_before(behave)
        with edge.client() as client:
            client.send(wire.request('POST', headers=self.EXPECT))
            response = client.response()
            if (response.header('connection') or '').lower() != 'close':
                client.send(b'hello')  # then the body belongs to the first request still
                self.assertEqual(client.get().status, 403)
            else:
                self.assertEqual(client.until_end(), b'')

    def test_a_connection_whose_upload_was_not_taken_is_not_used_again(self):
        def behave(connection):
            connection.read_head()
            if connection.nth > 1:
                connection.respond(b'EVIL')
            connection.respond(b'early')
            connection.wait_for_end()
        edge, origin = self.edge_before(behave)
        with edge.client() as client:
            client.send(wire.request('POST', headers=(('Content-Length', '100000'),)) + b'u' * 1000)
            self.assertEqual(client.response().body, b'early')
        self.assertEqual(edge.fetch().body, b'early')
        self.assertEqual(len(origin.connections), 2)

    def test_an_early_error_from_the_origin_reaches_a_client_in_the_middle_of_its_upload(self):
        def behave(connection):
            connection.read_head()
            connection.take(1000)
            connection.respond(b'too much', '413 Content Too Large', (('Connection', 'close'),))
            connection.wait_for_end()
        edge, _ = self.edge_before(behave)
        response = edge.fetch(method='POST', body=b'u' * 3_000_000)
        self.assertEqual((response.status, response.body), (413, b'too much'))
        self.assertEqual(edge.ray(response.ray)['cause'], 'none')


class UpgradeTest(harness.TestCase):
    ASK = (('Connection', 'Upgrade'), ('Upgrade', 'websocket'),
           ('Sec-WebSocket-Key', 'x' * 22 + '=='))
    SWITCH = (b'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n'
              b'Upgrade: websocket\r\n\r\n')

    def test_a_websocket_echoes_both_ways_through_the_edge(self):
        def behave(connection):
            connection.read_head()
            connection.send(self.SWITCH + b'\x81\x02hi')
            while connection.more():
                connection.send(connection.buffer)
                connection.buffer.clear()
        edge, origin = self.edge_before(behave)
        with edge.client() as client:
            client.send(wire.request(headers=self.ASK))
            response = client.response()
            self.assertEqual(response.status, 101)
            self.assertEqual(response.header('upgrade'), 'websocket')
            self.assertEqual(response.header('connection').lower(), 'upgrade')
            self.assertEqual(client.take(4), b'\x81\x02hi')
            for message in (b'ping', b'\x00\xff' * 40_000, b'last'):
                client.send(message)
                self.assertEqual(client.take(len(message)), message)
        self.assertEqual(origin.requests[0].header('upgrade'), 'websocket')
        self.assertEqual(origin.requests[0].header('connection').lower(), 'upgrade')

    def test_each_side_of_a_tunnel_can_end_before_the_other(self):
        def behave(connection):
            connection.read_head()
            connection.send(self.SWITCH)
            got = b''
            while connection.more():
                got += connection.cut(len(connection.buffer))
            connection.send(b'you said ' + got)
        edge, _ = self.edge_before(behave)
        with edge.client() as client:
            client.send(wire.request(headers=self.ASK))
            response = client.response()
            client.send(b'everything')
            client.finish()
            self.assertEqual(client.until_end(), b'you said everything')
            self.assertEqual(client.end, 'fin')
        case = edge.ray(response.ray)
        self.assertEqual((case['cause'], case['edge_status'], case['origin_status']),
                         ('none', 101, 101))

    def test_when_one_side_of_a_tunnel_vanishes_the_other_is_told(self):
        for who in ('client', 'origin'):
            with self.subTest(who=who):
                ended, vanish = threading.Event(), threading.Event()

                def behave(connection, who=who, ended=ended, vanish=vanish):
                    connection.read_head()
                    connection.send(self.SWITCH)
                    if who == 'origin':
                        vanish.wait(10)
                        connection.reset()
                    elif connection.wait_for_end(10):
                        ended.set()
                edge, _ = self.edge_before(behave)
                with edge.client() as client:
                    client.send(wire.request(headers=self.ASK))
                    self.assertEqual(client.response().status, 101)
                    if who == 'client':
                        client.reset()
                        self.assertTrue(ended.wait(5),
                                        'the origin still waits for a client that is gone')
                    else:
                        vanish.set()
                        self.assertTrue(client.is_closed_within(5))

    def test_a_tunnel_outlives_the_read_timeout(self):
        def behave(connection):
            connection.read_head()
            connection.send(self.SWITCH)
            while connection.more():
                connection.send(connection.buffer)
                connection.buffer.clear()
        edge, _ = self.edge_before(behave, flags=('--read-timeout', '1s'))
        with edge.client() as client:
            client.send(wire.request(headers=self.ASK))
            self.assertEqual(client.response().status, 101)
            self.assertTrue(client.is_silent_for(1.6))
            client.send(b'still here')
            self.assertEqual(client.take(10), b'still here')

    def test_an_upgrade_granted_in_the_middle_of_an_upload_does_not_mix_the_two_up(self):
        def behave(connection):
            connection.read_head()
            connection.send(self.SWITCH + b'hi')
            connection.wait_for_end()
        edge, _ = self.edge_before(behave)
        with edge.client() as client:
            client.send(wire.request('POST', headers=(*self.ASK, ('Content-Length', '10'))) +
                        b'12345')
            response = client.response()
            self.assertIn(response.status, (101, 520))
            client.send(b'67890')
            client.finish()
            client.until_end()
        self.assertIsNone(edge.process.poll())
        self.assertIsNotNone(edge.ray(response.ray))

    def test_an_upgrade_that_the_origin_ignores_is_an_ordinary_response(self):
        edge, _ = self.edge_before(raw_origin.answering())
        with edge.client() as client:
            self.assertEqual([client.get(headers=self.ASK).status, client.get().status], [200, 200])

    def test_h2c_is_not_offered_to_the_origin(self):
        edge, origin = self.edge_before(raw_origin.answering())
        response = edge.fetch(headers=(('Upgrade', 'h2c'), ('HTTP2-Settings', 'AAMAAABkAAQAAP__')))
        self.assertEqual(response.status, 200)
        self.assertIsNone(origin.requests[0].header('upgrade'))


class HoldBackTest(harness.TestCase):
    """A response is held back until it is complete or past a small bound."""

    def begins(self, head, body, config=LONG_HOLD):
        """Seconds until the client has the head of a response that never ends."""
        done = threading.Event()
        self.addCleanup(done.set)

        def behave(connection):
            connection.read_request()
            connection.send('\r\n'.join(('HTTP/1.1 200 OK', *head)).encode() + b'\r\n\r\n' + body)
            done.wait(10)
        edge, _ = self.edge_before(behave, config=config, flags=('--read-timeout', '20s'))
        with edge.client() as client:
            client.send(wire.request())
            started = time.monotonic()
            client.response(body=False)
            return time.monotonic() - started

    def test_a_small_truncated_response_is_520_and_not_a_cut_200(self):
        edge, _ = self.edge_before(raw_origin.sending(
            b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart'), config=LONG_HOLD)
        response = edge.fetch()
        self.assertFalse(response.cut)
        case = self.assert_ray(edge, response, 'body.short_fin', 520, edge_status=520,
                               origin_status=200)
        self.assertNotIn(b'part', response.body)
        self.assertEqual(len(case['attempts']), 1)

    def test_a_large_truncated_response_is_cut_and_never_ends_cleanly(self):
        edge, _ = self.edge_before(raw_origin.sending(
            b'HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n' + b'x' * 150_000))
        response = edge.fetch()
        self.assertTrue(response.cut)
        case = self.assert_ray(edge, response, 'body.short_fin', 200, edge_status=200,
                               origin_status=200)
        self.assertIs(case['aborted'], True)

    def test_a_large_truncated_chunked_response_never_gets_its_last_chunk(self):
        edge, _ = self.edge_before(raw_origin.sending(
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' + wire.chunk(b'x' * 150_000)))
        response = edge.fetch()
        self.assertFalse(response.complete)
        self.assert_ray(edge, response, 'body.chunk_truncated', 200, aborted=True)

    def test_an_http10_client_is_reset_because_only_that_tells_it_of_the_cut(self):
        edge, _ = self.edge_before(raw_origin.sending(
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' + wire.chunk(b'x' * 150_000)))
        response = edge.fetch(version='HTTP/1.0')
        self.assertEqual((response.framing, response.end), ('close', 'rst'))
        self.assertTrue(response.cut)

    def test_a_slow_stream_is_delivered_after_the_hold_back_time(self):
        seconds = self.begins(['Transfer-Encoding: chunked'], wire.chunk(b'part'), config=None)
        self.assertGreater(seconds, 0.08)
        self.assertLess(seconds, QUICKLY)

    def test_a_stream_below_the_bound_is_held_for_the_time_that_is_set(self):
        seconds = self.begins(['Transfer-Encoding: chunked'], wire.chunk(b'part'),
                              '[limits]\nhold_back_time = "600ms"\n')
        self.assertGreater(seconds, 0.55)

    def test_an_event_stream_is_delivered_at_once(self):
        seconds = self.begins(['Content-Type: text/event-stream; charset=utf-8',
                               'Transfer-Encoding: chunked'], wire.chunk(b'data: 1\n\n'))
        self.assertLess(seconds, QUICKLY)

    def test_what_content_length_says_is_large_is_not_held_back(self):
        self.assertLess(self.begins(['Content-Length: 65537'], b'x'), QUICKLY)

    def test_what_content_length_says_is_small_is_held_back(self):
        self.assertGreater(self.begins(['Content-Length: 65536'], b'x',
                                       '[limits]\nhold_back_time = "600ms"\n'), 0.55)

    def test_a_stream_past_the_bound_is_delivered_at_once(self):
        self.assertLess(self.begins(['Transfer-Encoding: chunked'], wire.chunk(b'x' * 70_000)),
                        QUICKLY)

    def test_a_whole_small_response_is_delivered_at_once(self):
        edge, _ = self.edge_before(raw_origin.answering(b'x' * 1000), config=LONG_HOLD)
        started = time.monotonic()
        self.assertEqual(len(edge.fetch().body), 1000)
        self.assertLess(time.monotonic() - started, QUICKLY)


if __name__ == '__main__':
    harness.main(jobs=6)
