"""Many requests at once before an origin that speaks TLS: what they share, and what they must not."""
import collections
import concurrent.futures
import ssl
import threading
import time

import harness
import http2_wire as h2
import raw_origin
from certificates import authority


class BurstTest(harness.TestCase):
    def secure_origin(self, behave, protocol, handshake):
        """Shakes hands only after `handshake` seconds; knows how many connections it had at most."""
        leaf = authority().localhost
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf.certificate, leaf.key)
        context.set_alpn_protocols([protocol])
        lock, counts = threading.Lock(), collections.Counter()

        def secured(connection):
            with lock:
                counts['open'] += 1
                counts['most'] = max(counts['most'], counts['open'])
            try:
                time.sleep(handshake)
                connection.socket = context.wrap_socket(connection.socket, server_side=True)
                behave(connection)
            finally:
                with lock:
                    counts['open'] -= 1
        origin = self.origin(secured)
        origin.counts = counts
        return origin

    def edge_to(self, origin, config):
        return self.edge(f'https://127.0.0.1:{origin.port}', config=f'ssl_mode = "full"\n{config}')

    def burst(self, edge, count, **more):
        """The responses and how long each took."""
        def one(_):
            begin = time.monotonic()
            response = edge.fetch(timeout=60, **more)
            return response, time.monotonic() - begin
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    def test_a_burst_does_not_pass_the_limit_of_connections(self):
        def behave(connection):
            while connection.read_request():
                time.sleep(0.3)
                connection.respond()
        origin = self.secure_origin(behave, 'http/1.1', 0.2)
        edge = self.edge_to(origin, '[limits]\norigin_connections = 4\n')
        responses = [response for response, _ in self.burst(edge, 24)]
        self.assertLessEqual(origin.counts['most'], 4)
        self.assertEqual({r.status for r in responses}, {200, 503})
        refused = next(r for r in responses if r.status == 503)
        self.assert_ray(edge, refused, 'connect.limit', 503)

    def test_who_waited_for_a_handshake_that_failed_does_not_wait_for_all_the_others(self):
        origin = self.secure_origin(lambda connection: None, 'h2', 60)
        edge = self.edge_to(origin, '[timeouts]\ntls_handshake = "1s"\n')
        ended = self.burst(edge, 8)
        self.assertEqual({r.status for r, _ in ended}, {525})
        self.assertLess(max(took for _, took in ended), 3 * harness.SLOWNESS)
        case = edge.ray(max(ended, key=lambda one: one[1])[0].ray)
        self.assertGreater(case['attempts'][0]['connect_ms'], 500, 'the wait is told')

    def test_a_post_among_others_is_not_sent_again(self):
        """The connection was busy when it began: its end is no race with a close of the idle."""
        heads = []

        def behave(connection):
            connection.take(len(h2.PREFACE))
            connection.send(h2.frame(h2.SETTINGS))
            while len(frame := connection.take(9)) == 9:
                stream, kind = int.from_bytes(frame[5:], 'big'), frame[3]
                connection.take(int.from_bytes(frame[:3], 'big'))
                if kind != h2.HEADERS:
                    continue
                heads.append((connection.number, stream))
                if connection.number > 1:
                    connection.send(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, b'\x88'))
                elif len(heads) == 3:
                    return  # the handlers were at work
        # The first one is never sent again: the connection was its own.
        for method, statuses in (('POST', [520, 520, 520]), ('PUT', [200, 200, 520])):
            heads.clear()
            edge = self.edge_to(self.secure_origin(behave, 'h2', 0.3), '')
            ended = self.burst(edge, 3, method=method, body=b'charge=1')
            self.assertEqual(sorted(response.status for response, _ in ended), statuses)
            self.assertEqual(collections.Counter(n == 1 for n, _ in heads),
                             {True: 3} if method == 'POST' else {True: 3, False: 2})


if __name__ == '__main__':
    harness.main()
