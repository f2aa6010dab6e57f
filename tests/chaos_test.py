"""Disorder: mutilated messages in both directions and clients that leave at any moment. Nothing may
crash, leak or reach a client unparsed. The disorder is random with a fixed seed, so a failure comes
again."""
import contextlib
import os
import random
import threading
import time

import harness
import raw_origin
import wire

RESPONSES = [
    b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nSet-Cookie: a=b\r\n\r\nhello world',
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n'
    b'6\r\nhello \r\n5;a=b\r\nworld\r\n0\r\nX-Sum: 1\r\n\r\n',
    b'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n',
    b'HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\nnothing here',
    b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 5\r\n\r\n',
]
REQUESTS = [
    b'GET /a?b=c HTTP/1.1\r\nHost: edge.test\r\nAccept: */*\r\n\r\n',
    b'POST /a HTTP/1.1\r\nHost: edge.test\r\nContent-Length: 5\r\n\r\nhello',
    b'POST /a HTTP/1.1\r\nHost: edge.test\r\nTransfer-Encoding: chunked\r\n\r\n'
    b'5\r\nhello\r\n0\r\nX-A: b\r\n\r\n',
    b'GET http://edge.test/ HTTP/1.1\r\nHost: edge.test\r\nConnection: x, close\r\nX: y\r\n\r\n',
    b'GET / HTTP/1.0\r\n\r\n',
]
PIECES = [b'\r\n', b'\n', b'\r', b'\0', b' ', b':', b'\t', b'\xff', b'\r\n\r\n', b'0\r\n\r\n',
          b'ffffffffffffffff\r\n', b'Content-Length: 5\r\n', b'Transfer-Encoding: chunked\r\n',
          b'HTTP/1.1 200 OK\r\n']


def mutilated(chance, message):
    """The message with one to four random wounds."""
    message = bytearray(message)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(message) + 1)
        wound = chance.randrange(5)
        if wound == 0:
            message[at:at] = chance.choice(PIECES)
        elif wound == 1:
            del message[at:at + chance.randint(1, 8)]
        elif wound == 2 and at < len(message):
            message[at] = chance.randrange(256)
        elif wound == 3:
            message[at:at] = message[at:at + chance.randint(1, 40)]
        else:
            message[at:at + 1] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 4)))
    return bytes(message)


def in_pieces(chance, message):
    """One to three parts of the message."""
    cuts = sorted(chance.randrange(len(message) + 1) for _ in range(chance.randrange(3)))
    return [message[a:b] for a, b in zip([0, *cuts], [*cuts, len(message)])]


class MutilationTest(harness.TestCase):
    def test_mutilated_responses_become_honest_answers(self):
        def behave(connection):
            request = connection.read_request()
            if request is None or not request.target.startswith('/case/'):
                connection.respond(b'fine')
                return
            chance = random.Random(int(request.target[6:]))
            for piece in in_pieces(chance, mutilated(chance, chance.choice(RESPONSES))):
                connection.send(piece)
                time.sleep(chance.choice((0, 0, 0.002)))
            chance.choice((connection.finish, connection.reset, connection.finish))()
            connection.wait_for_end(2)
        edge, _ = self.edge_before(behave, flags=('--read-timeout', '500ms'))
        started = time.monotonic()
        for number in range(400):
            method = random.Random(number).choice(('GET', 'GET', 'HEAD'))
            try:
                response = edge.fetch(f'/case/{number}', method=method)
            except wire.Malformed as error:
                self.fail(f'case {number}: {error}')
            self.assertRegex(response.ray, r'^[0-9a-f]{16}$', f'case {number}: {response}')
            self.assertEqual(response.surplus, b'', f'case {number}: {response}')
            for name, value in response.headers:
                self.assertNotRegex(name + value, '[\x00-\x08\x0a-\x1f\x7f]', f'case {number}')
            if response.status >= 520:
                self.assertNotIn(response.header('cf-ray'), (None, ''))
        self.assertEqual(edge.fetch('/good').body, b'fine')
        self.assertLess(time.monotonic() - started, 60 * harness.SLOWNESS)

    def test_mutilated_requests_are_refused_or_arrive_well_formed(self):
        edge, origin = self.edge_before(raw_origin.answering(), config=(
            '[timeouts]\nclient_head = "300ms"\nclient_body = "300ms"\nclient_idle = "300ms"\n'))
        for number in range(400):
            chance = random.Random(number)
            with edge.client(timeout=5 * harness.SLOWNESS) as client, contextlib.suppress(OSError):
                for piece in in_pieces(chance, mutilated(chance, chance.choice(REQUESTS))):
                    client.send(piece)
                if chance.random() < 0.7:
                    client.finish()
                try:
                    client.until_end()
                except TimeoutError:
                    self.fail(f'case {number} neither answered nor closed')
        self.assertEqual(edge.fetch('/good').status, 200)
        self.assertEqual(origin.troubles, [])
        for request in origin.requests:  # RawOrigin would have failed on what is not well-formed
            self.assertLessEqual(len(request.all('content-length')) +
                                 len(request.all('transfer-encoding')), 1, request.head)
            self.assertEqual(len(request.all('host')), 1, request.head)


class LeavingTest(harness.TestCase):
    """Clients that leave at any moment of any exchange."""

    CLIENTS = 300

    def test_clients_that_leave_at_any_moment_leave_nothing_behind(self):
        def behave(connection):
            chance = random.Random(connection.number)
            while request := connection.read_request():
                time.sleep(chance.choice((0, 0, 0.01)))
                body = b'x' * chance.choice((0, 10, 70_000, 900_000))
                if chance.random() < 0.2:
                    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n' +
                                    body[:50_000])
                    return
                if not connection.respond(body) or request is None:
                    return
        edge, _ = self.edge_before(behave, flags=('--read-timeout', '5s'))
        self.assertEqual(edge.fetch().status, 200)
        before = len(os.listdir(f'/proc/{edge.pid}/fd'))
        threads = [threading.Thread(target=self.visit, args=(edge, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        def open_now():
            return len(os.listdir(f'/proc/{edge.pid}/fd'))
        # What may remain open are connections to the origin that wait in the pool.
        self.assertTrue(wire.eventually(lambda: open_now() <= before + 8, 8),
                        f'{before} -> {open_now()}')
        response = edge.fetch()
        self.assertEqual(response.status, 200, edge.ray(response.ray))
        causes = {case['cause'] for case in edge.cases('--limit', '2000')}
        self.assertNotIn('edge.internal', causes)

    def visit(self, edge, thread):
        for number in range(thread, self.CLIENTS, 8):
            chance = random.Random(number)
            with contextlib.suppress(OSError, wire.Malformed), edge.client(timeout=3) as client:
                body = b'u' * chance.choice((0, 10, 100_000))
                message = wire.request('POST', '/', body=body) * chance.randint(1, 3)
                client.send_aside(message[:chance.randrange(len(message)) + 1])
                client.socket.settimeout(chance.choice((0.001, 0.02, 0.1)))
                with contextlib.suppress(TimeoutError):
                    client.take(chance.choice((0, 1, 300, 100_000, 800_000)))
                chance.choice((client.close, client.reset, client.finish))()


if __name__ == '__main__':
    harness.main()
