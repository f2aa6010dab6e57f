"""Good behaviour between a client and an origin: what is passed on, what is added, what is kept
back."""
import json

import harness
import raw_origin
import wire


def scripted(*responses):
    """An origin whose nth request, over all connections, gets the nth response; connections stay
    open."""
    left = list(responses)

    def behave(connection):
        while connection.read_request():
            connection.send(left.pop(0))
    return behave


def reply(head_lines, body=b''):
    return '\r\n'.join(head_lines).encode('latin-1') + b'\r\n\r\n' + body


OK = reply(['HTTP/1.1 200 OK', 'Content-Length: 2'], b'ok')


class ConnectionTest(harness.TestCase):
    def test_a_client_keeps_its_connection_and_so_does_the_edge_to_the_origin(self):
        edge, origin = self.edge_before(raw_origin.answering())
        with edge.client() as client:
            first, second = client.get('/1'), client.get('/2')
        self.assertEqual((first.status, second.status), (200, 200))
        self.assertEqual(len(origin.connections), 1)
        reused = [edge.ray(r.ray)['attempts'][0]['connection']['reused'] for r in (first, second)]
        self.assertEqual(reused, [False, True])
        self.assertNotEqual(first.ray, second.ray)
        self.assertLess(first.ray, second.ray, 'ray ids are ordered by time')

    def test_three_requests_in_one_write_are_answered_in_order(self):
        def behave(connection):
            while request := connection.read_request():
                connection.respond(request.target.encode() * 3)
        edge, _ = self.edge_before(behave)
        with edge.client() as client:
            client.send(wire.request(path='/1') + wire.request(path='/2') + wire.request(path='/3'))
            bodies = [client.response().body for _ in range(3)]
        self.assertEqual(bodies, [b'/1/1/1', b'/2/2/2', b'/3/3/3'])

    def test_pipelined_uploads_do_not_run_into_each_other(self):
        edge, origin = self.edge_before(raw_origin.answering())
        with edge.client() as client:
            client.send(wire.request('POST', '/1', body=b'first') +
                        wire.request('POST', '/2', (('Transfer-Encoding', 'chunked'),)) +
                        wire.chunk(b'sec') + wire.chunk(b'ond') + b'0\r\n\r\n' +
                        wire.request('GET', '/3'))
            self.assertEqual([client.response().status for _ in range(3)], [200, 200, 200])
        self.assertEqual([(r.target, r.body) for r in origin.requests],
                         [('/1', b'first'), ('/2', b'second'), ('/3', b'')])

    def test_a_hundred_pipelined_requests_are_answered(self):
        edge, _ = self.edge_before(raw_origin.answering())
        with edge.client() as client:
            client.send(b''.join(wire.request(path=f'/{i}') for i in range(100)))
            self.assertEqual([client.response().status for _ in range(100)], [200] * 100)

    def test_connection_close_is_obeyed_after_a_whole_response(self):
        edge, _ = self.edge_before(raw_origin.answering())
        response = edge.fetch()
        self.assertEqual((response.complete, response.end), (True, 'fin'))
        self.assertEqual(response.header('connection').lower(), 'close')

    def test_a_client_that_half_closes_after_its_request_is_answered_or_recorded_as_gone(self):
        edge, _ = self.edge_before(raw_origin.answering())
        with edge.client() as client:
            client.send(wire.request())
            client.finish()
            try:
                self.assertEqual(client.response().status, 200)
            except wire.Malformed:
                edge.only_case('client.abort')

    def test_the_origins_connection_close_does_not_close_the_clients(self):
        def behave(connection):
            connection.read_request()
            connection.respond(headers=(('Connection', 'close'),))
        edge, origin = self.edge_before(behave)
        with edge.client() as client:
            self.assertEqual([client.get().status for _ in range(3)], [200] * 3)
        self.assertEqual(len(origin.connections), 3)
        self.assertEqual(edge.cases(), [])

    def test_an_http10_client_keeps_its_connection_if_it_asks_to(self):
        edge, _ = self.edge_before(raw_origin.answering())
        with edge.client() as client:
            for _ in range(2):
                client.send(wire.request(headers=(('Connection', 'keep-alive'),),
                                         version='HTTP/1.0'))
                response = client.response()
                self.assertEqual((response.status, response.header('connection').lower()),
                                 (200, 'keep-alive'))

    def test_a_request_behind_a_large_chunked_upload_is_answered(self):
        edge, origin = self.edge_before(raw_origin.answering())
        with edge.client() as client:
            client.send_aside(wire.request('POST', '/1', (('Transfer-Encoding', 'chunked'),)) +
                              wire.chunk(b'u' * 300_000) + b'0\r\n\r\n' +
                              wire.request('GET', '/2') +
                              wire.request('POST', '/3', body=b'v' * 300_000) +
                              wire.request('GET', '/4'))
            self.assertEqual([client.response().status for _ in range(4)], [200] * 4)
        self.assertEqual([(r.target, len(r.body)) for r in origin.requests],
                         [('/1', 300_000), ('/2', 0), ('/3', 300_000), ('/4', 0)])

    def test_an_empty_line_before_a_request_is_forgiven(self):
        edge, _ = self.edge_before(raw_origin.answering())
        with edge.client() as client:
            client.send(b'\r\n' + wire.request())
            self.assertEqual(client.response().status, 200)


class RequestHeadTest(harness.TestCase):
    def seen(self, *headers, method='GET', path='/', behave=None, edge_options=None, **more):
        """The request as the origin saw it, and the response."""
        edge, origin = self.edge_before(behave or raw_origin.answering(), **(edge_options or {}))
        with edge.client() as client:
            client.send(wire.request(method, path, headers, **more))
            response = client.response(to=method)
        self.assertEqual(response.status, 200)
        self.edge_used = edge
        return origin.requests[0], response

    def test_the_origin_sees_the_headers_of_cloudflare(self):
        request, response = self.seen()
        self.assertEqual(request.all('cf-ray'), [response.header('cf-ray')])
        self.assertEqual(request.all('cf-connecting-ip'), ['127.0.0.1'])
        self.assertEqual(request.all('x-forwarded-for'), ['127.0.0.1'])
        self.assertEqual(request.all('x-forwarded-proto'), ['http'])
        self.assertEqual(json.loads(request.header('cf-visitor')), {'scheme': 'http'})
        self.assertEqual(len(request.all('cdn-loop')), 1)
        self.assertEqual(request.all('host'), ['edge.test'])
        self.assertEqual(request.header('connection').lower(), 'keep-alive')

    def test_a_client_cannot_forge_the_headers_of_the_edge(self):
        request, response = self.seen(('CF-Connecting-IP', '6.6.6.6'),
                                      ('CF-Visitor', '{"scheme":"x"}'),
                                      ('True-Client-IP', '6.6.6.6'), ('X-Forwarded-Proto', 'https'),
                                      ('CF-Ray', '0123456789abcdef-BAD'))
        self.assertEqual(request.all('cf-connecting-ip'), ['127.0.0.1'])
        self.assertEqual(request.all('x-forwarded-proto'), ['http'])
        self.assertNotIn('6.6.6.6', request.head.decode())
        self.assertEqual(request.all('cf-ray'), [response.header('cf-ray')])
        self.assertNotEqual(response.ray, '0123456789abcdef')
        self.assertEqual(self.edge_used.ray(response.ray)['parent_ray_id'], '0123456789abcdef')

    def test_x_forwarded_for_is_appended_to(self):
        request, _ = self.seen(('X-Forwarded-For', '1.2.3.4'), ('X-Forwarded-For', '5.6.7.8'))
        self.assertEqual(request.all('x-forwarded-for'), ['1.2.3.4, 5.6.7.8, 127.0.0.1'])

    def test_hop_by_hop_headers_stay_on_their_hop(self):
        request, _ = self.seen(('Connection', 'X-Mine, close'), ('X-Mine', '1'),
                               ('Keep-Alive', '5'),
                               ('Connection', 'x-other'), ('X-Other', '2'),
                               ('Proxy-Connection', 'keep-alive'), ('Proxy-Authorization', 'x'),
                               ('X-Kept', '3'))
        for name in ('x-mine', 'x-other', 'keep-alive', 'proxy-connection', 'proxy-authorization'):
            self.assertEqual(request.all(name), [], name)
        self.assertEqual(request.all('x-kept'), ['3'])

    def test_connection_cannot_make_the_edge_drop_its_own_headers(self):
        request, response = self.seen(('Connection',
                                       'Host, CF-Connecting-IP, CF-Ray, X-Forwarded-For, '
                                       'X-Forwarded-Proto, CDN-Loop, Content-Length'),
                                      method='POST', body=b'body')
        self.assertEqual(request.body, b'body')
        self.assertEqual(request.all('host'), ['edge.test'])
        self.assertEqual(request.all('cf-ray'), [response.header('cf-ray')])
        self.assertEqual(request.all('cf-connecting-ip'), ['127.0.0.1'])
        self.assertEqual(request.all('x-forwarded-for'), ['127.0.0.1'])
        self.assertEqual(len(request.all('cdn-loop')), 1)

    def test_other_headers_pass_in_order_and_byte_for_byte(self):
        sent = [('X-One', 'a  b'), ('x-two', ''), ('X-ONE', '\xe9\xff'), ('Cookie', 'a=b; c="d"'),
                ('X_Under_Score', '1'), ('Accept', '*/*')]
        request, _ = self.seen(*sent)
        names = {name.lower() for name, _ in sent}
        self.assertEqual([h for h in request.headers if h[0].lower() in names], sent)

    def test_an_underscore_does_not_let_a_client_say_what_only_the_edge_may_say(self):
        # CGI and its kin read these as the names with dashes.
        request, _ = self.seen(('CF_Connecting_IP', '6.6.6.6'), ('X_Forwarded_For', '6.6.6.6'),
                               ('Transfer_Encoding', 'chunked'), ('Content_Length', '9'))
        self.assertFalse([h for h in request.headers if '_' in h[0]])

    def test_method_and_target_pass_byte_for_byte(self):
        for method, path in (('GET', '/a/../b//c;d?q=%2F%00&r="{}|"'), ('M-SEARCH', '/'),
                             ('PATCH', '/x'),
                             ('OPTIONS', '*')):
            with self.subTest(method=method):
                request, _ = self.seen(method=method, path=path)
                self.assertEqual((request.method, request.target), (method, path))

    def test_an_absolute_target_becomes_a_path_and_its_authority_the_host(self):
        request, _ = self.seen(path='http://real.test:8080/p?q', host='other.test')
        self.assertEqual((request.target, request.all('host')), ('/p?q', ['real.test:8080']))

    def test_the_origins_own_name_is_sent_when_told_so(self):
        request, _ = self.seen(edge_options={'config': 'host_to_origin = false\n'})
        self.assertRegex(request.header('host'), r'^127\.0\.0\.1:\d+$')

    def test_routes_go_by_host_and_by_whole_path_segments(self):
        def named(name):
            return self.origin(raw_origin.answering(name)).url
        edge = self.edge(named(b'default'),
                         routes=(f'a.test={named(b"a")}', f'/api={named(b"api")}',
                                                    f'a.test/api={named(b"a-api")}'))
        for host, path, expected in (('b.test', '/', b'default'), ('a.test', '/', b'a'),
                                     ('A.TEST:80', '/x', b'a'), ('b.test', '/api', b'api'),
                                     ('b.test', '/api/x', b'api'), ('b.test', '/api?x', b'api'),
                                     ('b.test', '/apiary', b'default'),
                                     ('a.test', '/api/', b'a-api')):
            self.assertEqual(edge.fetch(path, host=host).body, expected, (host, path))

    def test_a_chunked_upload_arrives_whole(self):
        edge, origin = self.edge_before(raw_origin.answering())
        with edge.client() as client:
            client.send(wire.request('POST', headers=(('Transfer-Encoding', 'Chunked'),)) +
                        b'5;name=value\r\nhello\r\n' + wire.chunk(b' ' * 70_000) + b'0\r\n\r\n')
            self.assertEqual(client.response().status, 200)
        self.assertEqual(origin.requests[0].body, b'hello' + b' ' * 70_000)

    def test_a_post_without_a_body_keeps_its_length_of_zero(self):
        request, _ = self.seen(('Content-Length', '0'), method='POST')
        self.assertEqual(request.all('content-length'), ['0'])

    def test_a_body_passes_with_any_method(self):
        for method in ('GET', 'DELETE', 'PROPFIND'):
            with self.subTest(method=method):
                request, _ = self.seen(method=method, body=b'body')
                self.assertEqual(request.body, b'body')

    def test_request_trailers_arrive(self):
        edge, origin = self.edge_before(raw_origin.answering())
        with edge.client() as client:
            client.send(wire.request('POST', headers=(('Transfer-Encoding', 'chunked'),
                                                      ('Trailer', 'X-Sum'))) +
                        wire.chunk(b'hello') + b'0\r\nX-Sum: 42\r\n\r\n')
            self.assertEqual(client.response().status, 200)
        self.assertEqual(origin.requests[0].trailers, [('X-Sum', '42')])


class ResponseHeadTest(harness.TestCase):
    def through(self, data, method='GET', headers=(), then='keep', **more):
        edge, origin = self.edge_before(scripted(data, OK) if then == 'keep' else
                                        raw_origin.sending(data, then))
        with edge.client() as client:
            client.send(wire.request(method, '/', headers, **more))
            response = client.response(to=method)
            if then == 'keep':
                self.assertEqual(client.get('/next').body, b'ok', 'the connection is still in step')
        self.edge_used = edge
        return response

    def test_hop_by_hop_headers_of_a_response_stay_on_their_hop(self):
        response = self.through(reply(['HTTP/1.1 200 OK', 'Content-Length: 2', 'Connection: x-mine',
                                       'X-Mine: 1', 'Keep-Alive: timeout=5', 'X-Kept: 2'], b'ok'))
        self.assertEqual((response.all('x-mine'), response.all('keep-alive')), ([], []))
        self.assertEqual(response.all('x-kept'), ['2'])

    def test_other_headers_of_a_response_pass_in_order_and_byte_for_byte(self):
        sent = [('Set-Cookie', 'a=1'), ('X-One', '\xe9'), ('Set-Cookie', 'b=2'),
                ('Server', 'own/1.0')]
        response = self.through(reply(['HTTP/1.1 200 Very Fine', 'Content-Length: 2',
                                       *(f'{n}: {v}' for n, v in sent)], b'ok'))
        names = {name.lower() for name, _ in sent}
        self.assertEqual([h for h in response.headers if h[0].lower() in names], sent)
        self.assertEqual(response.reason, 'Very Fine')

    def test_an_origin_cannot_forge_the_ray(self):
        response = self.through(reply(['HTTP/1.1 200 OK', 'CF-Ray: 0123456789abcdef-BAD',
                                       'Content-Length: 2'], b'ok'))
        self.assertEqual(len(response.all('cf-ray')), 1)
        self.assertNotEqual(response.ray, '0123456789abcdef')

    def test_the_answer_to_head_keeps_its_length_and_has_no_body(self):
        response = self.through(reply(['HTTP/1.1 200 OK', 'Content-Length: 1234']), 'HEAD')
        self.assertEqual((response.header('content-length'), response.body), ('1234', b''))

    def test_204_and_304_have_no_body(self):
        for status in ('204 No Content', '304 Not Modified'):
            with self.subTest(status=status):
                response = self.through(reply([f'HTTP/1.1 {status}', 'ETag: "x"']))
                self.assertEqual((response.status, response.body), (int(status[:3]), b''))
        response = self.through(reply(['HTTP/1.1 304 Not Modified', 'Content-Length: 1234']))
        self.assertEqual(response.header('content-length'), '1234')

    def test_a_chunked_response_arrives_whole(self):
        response = self.through(reply(['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'],
                                      wire.chunk(b'hello ') + b'5;x=y\r\nworld\r\n' + b'0\r\n\r\n'))
        self.assertEqual((response.body, response.complete), (b'hello world', True))

    def test_response_trailers_arrive_at_a_client_that_takes_them(self):
        response = self.through(reply(['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked',
                                       'Trailer: X-Sum'],
                                      wire.chunk(b'hello') + b'0\r\nX-Sum: 42\r\n\r\n'),
                                headers=(('TE', 'trailers'), ('Connection', 'TE')))
        self.assertEqual((response.body, response.trailers), (b'hello', [('X-Sum', '42')]))

    def test_a_body_that_ends_with_the_connection_arrives_whole_and_properly_ended(self):
        for version in ('HTTP/1.1', 'HTTP/1.0'):
            with self.subTest(version=version):
                response = self.through(reply([f'{version} 200 OK'], b'hello'), then='finish')
                self.assertEqual((response.body, response.complete), (b'hello', True))
                self.assertIn(response.framing, ('chunked', 'length'))

    def test_an_http10_client_gets_no_chunks_and_no_interim_response(self):
        edge, _ = self.edge_before(scripted(reply(['HTTP/1.1 103 Early Hints', 'Link: </x>'],
                                                  reply(['HTTP/1.1 200 OK',
                                                         'Transfer-Encoding: chunked'],
                                                        wire.chunk(b'hello') + b'0\r\n\r\n'))))
        with edge.client() as client:
            client.send(wire.request(version='HTTP/1.0'))
            response = client.response()
            client.until_end(response)
        self.assertEqual((response.body, response.end, response.interim), (b'hello', 'fin', []))
        self.assertIn(response.framing, ('length', 'close'))

    def test_an_http10_client_without_a_host_is_served(self):
        edge, _ = self.edge_before(raw_origin.answering())
        response = edge.fetch(version='HTTP/1.0', host=None)
        self.assertEqual(response.status, 200)

    def test_interim_responses_pass_on(self):
        response = self.through(reply(['HTTP/1.1 103 Early Hints',
                                       'Link: </style.css>; rel=preload'],
                                      reply(['HTTP/1.1 103 Early Hints', 'Link: </b.css>'], OK)))
        self.assertEqual([(i.status, i.header('link')) for i in response.interim],
                         [(103, '</style.css>; rel=preload'), (103, '</b.css>')])
        self.assertEqual(response.body, b'ok')

    def test_an_origins_own_error_passes_untouched_and_is_the_origins(self):
        for status in (500, 502, 503, 520):
            with self.subTest(status=status):
                response = self.through(reply([f'HTTP/1.1 {status} Mine', 'Content-Length: 5',
                                               'Retry-After: 7', 'Content-Type: text/plain'],
                                              b'error'))
                self.assertEqual((response.body, response.reason), (b'error', 'Mine'))
                self.assertEqual(response.all('retry-after'), ['7'])
                self.assertNotIn('error=', response.header('proxy-status') or '')
                self.assert_ray(self.edge_used, response, 'origin.status', status,
                                origin_status=status,
                                edge_status=status, actor='origin')

    def test_an_origins_404_is_no_failure(self):
        response = self.through(reply(['HTTP/1.1 404 Not Found', 'Content-Length: 4'], b'none'))
        self.assertEqual((response.status, response.body), (404, b'none'))
        self.assertEqual(self.edge_used.ray(response.ray)['cause'], 'none')

    def test_large_response_headers_pass_with_a_warning(self):
        lines = [f'X-Debug-{i}: {"d" * 984}' for i in range(31)]
        response = self.through(reply(['HTTP/1.1 200 OK', 'Content-Length: 2', *lines], b'ok'))
        self.assertEqual(response.status, 200)
        case = self.edge_used.ray(response.ray)
        self.assertIs(case['header_warning'], True)


class ErrorReplyTest(harness.TestCase):
    """What a visitor gets when the edge answers itself."""

    def failed(self, accept='*/*', method='GET'):
        edge, _ = self.edge_before(raw_origin.sending(b'SSH-2.0-secret_version\r\n'))
        return edge, edge.fetch('/page', method=method, headers=(('Accept', accept),))

    def test_the_headers_say_what_failed_and_forbid_storing(self):
        _, response = self.failed()
        self.assertEqual(response.status, 520)
        self.assertIn('error=http_protocol_error', response.header('proxy-status'))
        self.assertIn('no-store', response.header('cache-control'))
        self.assertEqual(response.header('retry-after'), '60')
        self.assertRegex(response.header('cf-ray'), r'^[0-9a-f]{16}-[A-Z]{3}$')
        self.assertIsNotNone(response.header('date'))

    def test_each_media_type_carries_the_ray_and_nothing_of_the_evidence(self):
        for accept, expected in (('text/html', 'text/html'),
                                 ('application/json', 'application/json'),
                                 ('application/problem+json', 'application/problem+json'),
                                 ('text/markdown', 'text/markdown')):
            with self.subTest(accept=accept):
                _, response = self.failed(accept)
                self.assertTrue(response.header('content-type').startswith(expected), response)
                self.assertIn(response.ray, response.body.decode())
                for secret in (b'SSH', b'secret', b'resp.', b'not_http', b'127.0.0.1'):
                    self.assertNotIn(secret, response.body)
                if 'json' in expected:
                    page = json.loads(response.body)
                    self.assertEqual((page['ray_id'], page['status']), (response.ray, 520))

    def test_head_gets_the_headers_without_the_page(self):
        _, response = self.failed(method='HEAD')
        self.assertEqual((response.status, response.surplus), (520, b''))

    def test_the_connection_of_a_client_survives_a_failure_of_the_origin(self):
        def behave(connection):
            request = connection.read_request()
            if request.target == '/good':
                connection.respond()
        edge, _ = self.edge_before(behave)
        with edge.client() as client:
            statuses = [client.get(path).status for path in ('/good', '/bad', '/good', '/bad')]
        self.assertEqual(statuses, [200, 520, 200, 520])


if __name__ == '__main__':
    harness.main()
