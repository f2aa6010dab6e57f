"""Bytes that must never be mistaken for others: of another request, of another client's response, of
a body that was lost. Each test is named after the symptom that once was."""
import os
import signal
import threading
import time

import harness
import raw_origin
import wire


class DesyncTest(harness.TestCase):
    def test_a_retried_upload_of_many_chunks_is_whole_and_the_request_behind_it_is_answered(self):
        close = threading.Event()
        closed = threading.Event()

        def behave(connection):
            if connection.number == 1:
                connection.read_request()
                connection.respond(b'first')
                close.wait(10)
                connection.close()
                closed.set()
                return
            while connection.read_request():
                connection.respond(b'again')
        edge, origin = self.edge_before(behave)
        for size in (200, 1000):
            close.clear()
            closed.clear()
            if size == 1000:
                edge, origin = self.edge_before(behave)
            parts = [b'%04d' % i + b'x' * (size - 4) for i in range(40_000 // size)]
            with edge.client() as client:
                self.assertEqual(client.get().status, 200)
                time.sleep(0.05)  # the connection is idle in the pool
                # The edge stands still while the upload and then the origin's FIN arrive.
                os.kill(edge.pid, signal.SIGSTOP)
                client.send(wire.request('POST', headers=(('Transfer-Encoding', 'chunked'),)) +
                            b''.join(map(wire.chunk, parts)) + b'0\r\n\r\n' +
                            wire.request(path='/next'))
                close.set()
                closed.wait(10)
                os.kill(edge.pid, signal.SIGCONT)
                self.assertEqual(client.response().status, 200)
                self.assertEqual(client.response().status, 200)
            whole = [r for r in origin.requests if r.method == 'POST' and r.body]
            self.assertEqual(whole[-1].body, b''.join(parts))
            self.assertEqual(origin.requests[-1].target, '/next')

    def test_a_body_sent_behind_a_response_to_head_reaches_nobody(self):
        def behave(connection):
            while request := connection.read_head():
                if request.method == 'HEAD':
                    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n')
                    time.sleep(0.0003)
                    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL')
                else:
                    connection.respond(b'good')
        edge, _ = self.edge_before(behave)
        for _ in range(20):
            with edge.client() as client:
                client.send(wire.request('HEAD') + wire.request(path='/victim'))
                self.assertEqual(client.response(to='HEAD').status, 200)
                self.assertEqual(client.response().body, b'good')

    def test_a_late_crlf_of_the_client_does_not_cut_a_long_response(self):
        edge, _ = self.edge_before(raw_origin.answering(b'x' * 2_000_000))
        with edge.client(receive_buffer=65536) as client:
            client.send(wire.request(headers=(('Connection', 'close'),)))
            client.send(b'\r\n')
            self.assertEqual(len(client.response().body), 2_000_000)

    def test_the_record_of_a_head_that_never_ends_shows_what_was_sent(self):
        edge, _ = self.edge_before(raw_origin.answering(),
                                   config='[timeouts]\nclient_head = "300ms"\n')
        with edge.client() as client:
            client.send(b'GET /half HTTP/1.1\r\nHost: e')
            time.sleep(0.1)
            client.send(b'dge')
            response = client.response()
        case = self.assert_ray(edge, response, 'client.head_timeout', 408)
        self.assertEqual((case['request']['method'], case['request']['uri']), ('GET', '/half'))

    def test_a_client_that_leaves_its_upload_after_an_early_answer_is_not_the_origins_fault(self):
        answered = threading.Event()

        def behave(connection):
            connection.read_head()
            connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n' + b'x' * 70_000)
            answered.set()
            connection.wait_for_end()
        edge, _ = self.edge_before(behave)
        with edge.client() as client:
            client.send(wire.request('POST', headers=(('Content-Length', '500000'),)) + b'u' * 1000)
            response = client.response(body=False)
            self.assertTrue(answered.wait(5))
        self.assertEqual(edge.ray(response.ray, seconds=4)['cause'], 'client.upload_abort')

    def test_a_blank_line_between_requests_is_no_request(self):
        edge, _ = self.edge_before(raw_origin.answering(),
                                   config='[timeouts]\nclient_head = "300ms"\n')
        with edge.client() as client:
            self.assertEqual(client.get().status, 200)
            client.send(b'\r\n')
            self.assertTrue(client.is_closed_within(2))
        self.assertEqual(edge.cases(), [])

    def test_a_client_silent_after_100_continue_is_let_go_and_blamed(self):
        def behave(connection):
            connection.read_head()
            connection.send(b'HTTP/1.1 100 Continue\r\n\r\n')
            connection.wait_for_end()
        edge, _ = self.edge_before(behave, config='[timeouts]\nclient_body = "400ms"\n',
                                   flags=('--read-timeout', '20s'))
        with edge.client() as client:
            client.send(wire.request('POST', headers=(('Content-Length', '5'),
                                                      ('Expect', '100-continue'))))
            response = client.response()
        self.assertEqual([interim.status for interim in response.interim], [100])
        self.assert_ray(edge, response, 'client.body_timeout', 408)


if __name__ == '__main__':
    harness.main()
