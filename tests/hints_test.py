"""103 Early Hints that the edge makes of the Link fields it remembers."""
import time

import harness
import http2_wire as h2
import raw_origin
import wire
from certificates import edge_config, h1_context, h2_context

STYLE = '</style.css>; rel=preload; as=style'
HTML = (('Content-Type', 'text/html'),)


class HintsTest(harness.TestCase):
    def hinting(self, *fields, config='early_hints = true\n', behave=None):
        origin = self.origin(behave or raw_origin.answering(headers=(*HTML, *fields)))
        return self.edge(origin, config=edge_config(config))

    def hints(self, edge, path='/', tls=None, **more):
        with h2.Client(edge.address, tls or h2_context()) as client:
            response = client.get(path, **more)
        self.assertEqual(response.status, 200, response)
        return [(one.status, one.header('link')) for one in response.interim]

    def test_the_second_visitor_of_a_page_is_told_its_links(self):
        edge = self.hinting(('Link', f'{STYLE}, </next>; rel=next'))
        self.assertEqual(self.hints(edge), [])
        self.assertEqual(self.hints(edge), [(103, STYLE)])
        self.assertEqual(self.hints(edge, '/?q=1'), [(103, STYLE)])
        self.assertEqual(self.hints(edge, '/other'), [])
        metrics = wire.fetch(edge.admin, path='/metrics', host='localhost').body.decode()
        self.assertIn('edgecase_early_hints_total 2\n', metrics)

    def test_hints_come_before_the_origin_answers(self):
        def behave(connection):
            while connection.read_request():
                time.sleep(0.4 if connection.nth > 1 else 0)
                connection.respond(headers=(*HTML, ('Link', STYLE)))
        edge = self.hinting(behave=behave)
        with h2.Client(edge.address, h2_context()) as client:
            client.get()
            begin = time.monotonic()
            stream = client.ask()
            client.wait(stream, lambda response: response.interim)
            self.assertLess(time.monotonic() - begin, 0.3)
            self.assertEqual(client.response(stream).status, 200)

    def test_a_failure_behind_a_hint_is_still_told(self):
        def behave(connection):
            connection.read_request()
            connection.respond(headers=(*HTML, ('Link', STYLE)))
            connection.read_request()
        edge = self.hinting(behave=behave)
        with h2.Client(edge.address, h2_context()) as client:
            client.get()
            response = client.response(client.ask('GET'))
        # The origin closed: once more on a fresh connection, where it answers.
        self.assertEqual((response.status, [one.status for one in response.interim]), (200, [103]))

    def test_hints_of_the_origin_are_passed_beside(self):
        def behave(connection):
            while connection.read_request():
                connection.send(b'HTTP/1.1 103 Early Hints\r\nLink: </own>; rel=preload\r\n\r\n')
                connection.respond(headers=(*HTML, ('Link', STYLE)))
        edge = self.hinting(behave=behave)
        self.hints(edge)
        self.assertEqual(self.hints(edge), [(103, STYLE), (103, '</own>; rel=preload')])

    def test_nobody_else_is_hinted(self):
        edge = self.hinting(('Link', STYLE))
        self.hints(edge)
        self.assertEqual(self.hints(edge, headers=(('sec-fetch-mode', 'cors'),)), [])
        self.assertEqual(edge.fetch(tls=h1_context()).interim, [])
        self.assertEqual(self.hints(edge, headers=(('sec-fetch-mode', 'navigate'),)),
                         [(103, STYLE)])

    def test_it_is_off_unless_asked_for_and_for_pages_of_one_visitor(self):
        edge = self.hinting(('Link', STYLE), config='')
        self.assertEqual([self.hints(edge) for _ in range(2)], [[], []])
        edge = self.hinting(('Link', STYLE), ('Cache-Control', 'private'))
        self.assertEqual([self.hints(edge) for _ in range(2)], [[], []])


if __name__ == '__main__':
    harness.main()
