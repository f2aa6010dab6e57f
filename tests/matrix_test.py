"""Each protocol of a client with each protocol of an origin: the same exchanges, the same
result."""
import hashlib
import json
import os
import queue
import threading
import unittest

import harness
import http2_wire as h2
import wire
from certificates import authority, edge_config, h1_context, h2_context
from real_servers import Node, missing

CLIENTS = ('h1', 'h1_tls', 'h2')
ORIGINS = ('h1', 'h1_tls', 'h2')

# One handler behind three servers; /say describes what came.
HANDLER = r"""
const fs = require('fs'), https = require('https'), http2 = require('http2');
const crypto = require('crypto');
const files = {key: fs.readFileSync(KEY), cert: fs.readFileSync(CERT)};
const LARGE = Buffer.alloc(1 << 20, 'large body ');
const answers = {
  '/large': (request, response) => {
    response.writeHead(200, {'content-length': LARGE.length});
    response.end(LARGE);
  },
  '/unsized': (request, response) => { response.write(LARGE); response.end(LARGE); },
  '/echo': (request, response) => {
    response.writeHead(200, {'content-type': 'x/echo'});
    if (response.flushHeaders) response.flushHeaders();
    request.pipe(response);
  },
  '/none': (request, response) => { response.writeHead(204); response.end(); },
  '/status': (request, response) => {
    response.writeHead(418, {'x-a': ['1', '2']});
    response.end('teapot');
  },
  '/hints': (request, response) => {
    response.writeEarlyHints({link: '</a.css>; rel=preload'});
    setTimeout(() => response.end('after hints'), 20);
  },
  '/trailers': (request, response) => {
    response.writeHead(200, {'trailer': 'x-sum'});
    response.write('body');
    response.addTrailers({'x-sum': 'of the response'});
    response.end();
  },
  '/cut': (request, response) => {
    const cut = () => response.stream
        ? response.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR) : request.socket.destroy();
    response.write('x'.repeat(200000), () => setTimeout(cut, 50));
  },
  '/say': (request, response) => {
    const hash = crypto.createHash('sha256');
    let size = 0;
    request.on('data', data => { hash.update(data); size += data.length; });
    request.on('end', () => {
      const said = JSON.stringify({
        protocol: request.httpVersion, method: request.method, url: request.url, size,
        host: request.headers[':authority'] || request.headers.host, hash: hash.digest('hex'),
        headers: request.headers, trailers: request.trailers});
      response.writeHead(200, {'content-length': Buffer.byteLength(said)});
      response.end(said);
    });
  }};
const handle = (request, response) => {
  (answers[request.url.split('?')[0]] || answers['/say'])(request, response);
};
function upgrade(request, socket, head) {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: ' + request.headers.upgrade +
               '\r\nConnection: Upgrade\r\n\r\nwelcome ');
  if (head.length) socket.write(head);
  socket.on('error', () => {});
  socket.pipe(socket);
}
const server = http.createServer(handle);
const secure = https.createServer({...files, ALPNProtocols: ['http/1.1']}, handle);
for (const one of [server, secure]) one.on('upgrade', upgrade);
const second = http2.createSecureServer({...files, allowHTTP1: false}, handle);
second.on('session', session => session.on('error', () => {}));
secure.listen(TLS_PORT, '127.0.0.1');
second.listen(H2_PORT, '127.0.0.1');
"""


class Everything:
    """One Node with three servers, one edge that speaks TLS and plain HTTP, a host for each."""

    def __init__(self):
        leaf = authority().localhost
        tls_port, h2_port = harness.free_port(), harness.free_port()
        script = HANDLER
        for word, value in (('KEY', repr(leaf.key)), ('CERT', repr(leaf.certificate)),
                            ('TLS_PORT', str(tls_port)), ('H2_PORT', str(h2_port))):
            script = script.replace(word, value)
        self.node = Node(script).up()
        self.edge = harness.Edge(
            config=edge_config('listen_plain = "127.0.0.1:0"\n[limits]\nhold_back_time = "0s"\n'
                               'request_body_bytes = "64MiB"\n'),
            routes=(f'h1.test={self.node.url}', f'h1_tls.test=https://127.0.0.1:{tls_port}',
                    f'h2.test=https://localhost:{h2_port}'),
            flags=('--read-timeout', '10s', '--ack-timeout', '10s'))

    def stop(self):
        self.edge.stop()
        self.node.stop()


everything = harness.Shared(Everything)


class OverHttp1:
    """A client over HTTP/1.1, with what the matrix asks of any client."""

    def __init__(self, edge, secure, host):
        self.host = host
        self.client = wire.Client(edge.address if secure else edge.plain,
                                  tls=h1_context() if secure else None)

    def send(self, method, path, headers=(), body=None, trailers=None):
        framing = (('Transfer-Encoding', 'chunked'),) if trailers is not None else ()
        self.client.send(wire.request(method, path, (*headers, *framing),
                                      None if framing else body, self.host))
        if framing:
            for at in range(0, len(body), 50_000):
                self.client.send(wire.chunk(body[at:at + 50_000]))
            lines = ''.join(f'{name}: {value}\r\n' for name, value in trailers)
            self.client.send(f'0\r\n{lines}\r\n'.encode())

    def receive(self, method='GET'):
        return self.client.response(to=method)

    def begin(self, path):
        self.client.send(wire.request('POST', path, (('Transfer-Encoding', 'chunked'),),
                                      host=self.host))

    def part(self, data):
        self.client.send(wire.chunk(data))

    def finish(self):
        self.client.send(b'0\r\n\r\n')

    def head(self):
        self.response = self.client.response(body=False)
        return self.response

    def next_part(self, size):
        """The next `size` bytes of a body that comes in chunks."""
        data = b''
        while len(data) < size:
            chunk_size = int(self.client.take_until(b'\r\n'), 16)
            data += self.client.take(chunk_size)
            self.client.take(2)
        return data

    def ended(self):
        return self.client.take_until(b'\r\n\r\n') == b'0'

    def close(self):
        self.client.close()


class OverHttp2:
    def __init__(self, edge, host):
        self.host = host
        self.client = h2.Client(edge.address, h2_context())

    def send(self, method, path, headers=(), body=None, trailers=None):
        headers = [(name.lower(), value) for name, value in headers]
        self.stream = self.client.ask(method, path, headers, body is None, self.host)
        if body is not None:
            self.client.data(self.stream, body, trailers is None)
        if trailers is not None:
            self.client.headers([(n.lower(), v) for n, v in trailers], stream=self.stream)

    def receive(self, method='GET'):
        return self.client.response(self.stream)

    def begin(self, path):
        self.stream = self.client.ask('POST', path, end=False, host=self.host)
        self.taken = 0

    def part(self, data):
        self.client.data(self.stream, data)

    def finish(self):
        self.client.data(self.stream, b'', end=True)

    def head(self):
        return self.client.wait(self.stream, lambda response: response.status)

    def next_part(self, size):
        self.taken += size
        response = self.client.wait(self.stream, lambda r: len(r.body) >= self.taken)
        return response.body[self.taken - size:self.taken]

    def ended(self):
        return self.client.response(self.stream).complete

    def close(self):
        self.client.close()


class MatrixCase(harness.TestCase):
    """What one client asks of one origin. Each test here is run for each pair."""

    client = origin = None

    def setUp(self):
        self.edge_ = everything.get().edge
        self.host = f'{self.origin}.test'
        self.connection = self.connect()

    def connect(self):
        made = OverHttp2(self.edge_, self.host) if self.client == 'h2' else \
            OverHttp1(self.edge_, self.client == 'h1_tls', self.host)
        self.addCleanup(made.close)
        return made

    def ask(self, method='GET', path='/say', **more):
        self.connection.send(method, path, **more)
        response = self.connection.receive(method)
        self.assertTrue(response.complete, response)
        return response

    def said(self, response):
        self.assertEqual(response.status, 200, response)
        said = json.loads(response.body)
        self.assertEqual(said['protocol'], '2.0' if self.origin == 'h2' else '1.1')
        self.assertEqual(said['host'], self.host)
        return said

    def digest(self, data):
        return len(data), hashlib.sha256(data).hexdigest()

    def check_get(self):
        response = self.ask(path='/say?a=b', headers=(('X-Asked', 'yes'),))
        said = self.said(response)
        self.assertEqual((said['method'], said['url'], said['headers']['x-asked']),
                         ('GET', '/say?a=b', 'yes'))
        self.assertEqual(said['headers']['x-forwarded-proto'],
                         'http' if self.client == 'h1' else 'https')
        case = self.edge_.ray(response.ray)
        self.assertEqual((case['cause'], case['request']['protocol']),
                         ('none', 'HTTP/2' if self.client == 'h2' else 'HTTP/1.1'))
        attempt = case['attempts'][0]
        self.assertEqual((attempt['protocol'], attempt['tls_version']),
                         ('HTTP/2' if self.origin == 'h2' else 'HTTP/1.1',
                          None if self.origin == 'h1' else 'TLSv1.3'))

    def check_twice_on_one_connection(self):
        first, second = self.ask(), self.ask()
        self.assertEqual([self.said(r)['method'] for r in (first, second)], ['GET', 'GET'])

    def check_head(self):
        response = self.ask('HEAD', '/large')
        self.assertEqual((response.status, response.body, response.header('content-length')),
                         (200, b'', str(1 << 20)))
        self.assertEqual(self.said(self.ask())['method'], 'GET', 'the connection is still good')

    def check_status_and_repeated_fields(self):
        response = self.ask(path='/status')
        self.assertEqual((response.status, response.body), (418, b'teapot'))
        self.assertEqual(', '.join(response.all('x-a')), '1, 2')

    def check_a_response_without_a_body(self):
        self.assertEqual(self.ask(path='/none').status, 204)
        self.said(self.ask())

    def check_a_post_without_a_body(self):
        self.assertEqual(self.said(self.ask('POST', body=b''))['size'], 0)

    def check_a_post_of_one_mebibyte(self):
        body = os.urandom(1 << 20)
        said = self.said(self.ask('POST', body=body))
        self.assertEqual((said['size'], said['hash']), self.digest(body))

    def check_a_post_of_one_mebibyte_with_its_length(self):
        body = os.urandom(1 << 20)
        said = self.said(self.ask('POST', body=body, headers=(('Content-Length', str(len(body))),)))
        self.assertEqual((said['size'], said['hash']), self.digest(body))
        self.assertEqual(said['headers'].get('content-length'), str(1 << 20))

    def check_a_large_response_of_known_length(self):
        response = self.ask(path='/large')
        self.assertEqual((response.status, len(response.body), response.header('content-length')),
                         (200, 1 << 20, str(1 << 20)))

    def check_a_large_response_of_unknown_length(self):
        response = self.ask(path='/unsized')
        self.assertEqual((response.status, len(response.body)), (200, 2 << 20))
        self.assertIsNone(response.header('content-length'))

    def check_upload_and_download_stream_at_the_same_time(self):
        self.connection.begin('/echo')
        self.connection.part(b'first part')
        response = self.connection.head()
        self.assertEqual((response.status, response.header('content-type')), (200, 'x/echo'))
        self.assertEqual(self.connection.next_part(10), b'first part')
        for _ in range(5):
            data = os.urandom(40_000)
            self.connection.part(data)
            self.assertEqual(self.connection.next_part(40_000), data)
        self.connection.finish()
        self.assertTrue(self.connection.ended())
        self.assertEqual(self.edge_.ray(response.ray)['cause'], 'none')

    def check_trailers_of_a_request(self):
        response = self.ask('POST', body=b'with trailers', trailers=(('X-Sum', 'of the request'),))
        said = self.said(response)
        self.assertEqual(said['size'], 13)
        self.assertEqual(said['trailers'].get('x-sum'), 'of the request', said)

    def check_trailers_of_a_response(self):
        response = self.ask(path='/trailers', headers=(('TE', 'trailers'), ('Connection', 'TE'))
                            if self.client != 'h2' else (('te', 'trailers'),))
        self.assertEqual(response.body, b'body')
        self.assertEqual([(n.lower(), v) for n, v in response.trailers],
                         [('x-sum', 'of the response')])

    def check_early_hints(self):
        response = self.ask(path='/hints')
        self.assertEqual([(i.status, i.header('link')) for i in response.interim],
                         [(103, '</a.css>; rel=preload')])
        self.assertEqual((response.status, response.body), (200, b'after hints'))

    def check_a_response_cut_short(self):
        self.connection.send('GET', '/cut')
        response = self.connection.receive()
        self.assertEqual((response.status, response.complete), (200, False), response)
        case = self.edge_.ray(response.ray)
        self.assertEqual((case['aborted'], case['actor']), (True, 'origin'), case['cause'])

    def check_eight_connections_at_once(self):
        answers = queue.Queue()

        def visit():
            connection = self.connect()
            for i in range(10):
                connection.send('POST', f'/say?{i}', body=b'b' * i * 1000)
                answers.put(connection.receive('POST').status)
        threads = [threading.Thread(target=visit) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([answers.get() for _ in range(answers.qsize())], [200] * 80)


class UpgradeCase(MatrixCase):
    """An upgrade exists over HTTP/1.1 only."""

    def ask_for_upgrade(self):
        client = self.connection.client
        client.send(wire.request('GET', '/', (('Connection', 'Upgrade'), ('Upgrade', 'websocket'),
                                              ('Sec-WebSocket-Key', 'eA=='),
                                              ('Sec-WebSocket-Version', '13')), host=self.host))
        return client, client.response()

    def check_an_upgrade(self):
        client, response = self.ask_for_upgrade()
        if self.origin == 'h2':
            # This origin has no HTTP/1.1 to upgrade: whatever it says, the client is answered.
            self.assertNotEqual(response.status, 101)
            self.assertTrue(response.complete)
            return
        self.assertEqual((response.status, response.header('upgrade')), (101, 'websocket'))
        self.assertEqual(client.take(8), b'welcome ')
        for size in (1, 100_000):
            data = os.urandom(size)
            client.send(data)
            self.assertEqual(client.take(size), data)
        client.close()
        self.assertEqual(self.edge_.ray(response.ray, 3)['edge_status'], 101)


def _make(client, origin):
    base = MatrixCase if client == 'h2' else UpgradeCase
    methods = {f'test_{client}_to_{origin}_{name.removeprefix("check_")}':
               (lambda self, name=name: getattr(self, name)())
               for name in dir(base) if name.startswith('check_')}
    made = type(f'{client}_to_{origin}', (base,), {'client': client, 'origin': origin, **methods})
    return unittest.skipIf(missing('node'), missing('node'))(made)


for _client in CLIENTS:
    for _origin in ORIGINS:
        globals()[f'{_client}_to_{_origin}'] = _make(_client, _origin)


if __name__ == '__main__':
    harness.main()
