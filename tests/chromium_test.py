"""A real browser in front of the edge: what Chromium makes of its answers."""
import base64
import hashlib
import threading

import harness
import raw_origin
from certificates import authority, edge_config
from chromium import Browser
from real_servers import missing

ABSENT = missing('chromium')
MANY = 24
UPLOAD = 2 << 20  # eight windows of a stream


def browser(*flags):
    return harness.Shared(lambda: Browser(authority().localhost.certificate, *flags))


usual = browser()
without_http2 = browser('--disable-http2')


def site(pages):
    """An origin with these answers by path: the body, or a function of connection and request."""
    def behave(connection):
        while request := connection.read_head():
            connection.read_body(request)
            answer = pages.get(request.target.split('?')[0], b'')
            if callable(answer):
                answer(connection, request)
            else:
                html = answer.startswith(b'<')
                connection.respond(answer, headers=[('Content-Type', 'text/html' if html else
                                                     'text/plain')])
    return behave


def style(connection, _request):
    connection.respond(b'p { color: rgb(1, 2, 3) }', headers=[
        ('Content-Type', 'text/css'), ('Cache-Control', 'max-age=60')])


COLOUR = "getComputedStyle(document.querySelector('p')).color"
GALLERY = b'<p>gallery' + b''.join(b'<script src="/%d.js"></script>' % i for i in range(MANY))
SCRIPTS = {f'/{i}.js': b'window.sum = (window.sum || 0) + %d' % i for i in range(MANY)}


class ChromiumTest(harness.TestCase):
    def start(self, pages, browser=usual, more='', flags=()):
        """A tab, the URL of an edge in front of an origin with these pages, both of these."""
        edge, origin = self.edge_before(site(pages), config=edge_config(more), flags=flags)
        page = self.enterContext(browser.get().page())
        return page, f'https://localhost:{edge.address[1]}', edge, origin

    def header(self, response, name):
        return next((v for n, v in response['headers'].items() if n.lower() == name), None)

    def test_a_page_and_its_scripts_come_over_one_http_2_connection(self):
        page, url, _, _ = self.start({'/': GALLERY, **SCRIPTS})
        page.open(url + '/')
        self.assertEqual(page.run('sum'), sum(range(MANY)))
        responses = [r for r in page.responses() if r['url'].endswith(('/', '.js'))]
        self.assertEqual(len(responses), MANY + 1)
        self.assertEqual({(r['protocol'], r['status'], r['connectionId']) for r in responses},
                         {('h2', 200, responses[0]['connectionId'])})
        self.assertEqual(responses[0]['securityDetails']['protocol'], 'TLS 1.3')

    def test_a_browser_without_http_2_is_served_over_http_1_1(self):
        page, url, _, _ = self.start({'/': GALLERY, **SCRIPTS}, without_http2)
        page.open(url + '/')
        self.assertEqual(page.run('sum'), sum(range(MANY)))
        responses = [r for r in page.responses() if r['url'].endswith(('/', '.js'))]
        self.assertEqual({(r['protocol'], r['status']) for r in responses}, {('http/1.1', 200)})
        self.assertTrue(any(r['connectionReused'] for r in responses))

    def test_the_page_of_a_failing_origin_shows_the_ray_of_its_header(self):
        def die(connection, _request):
            connection.socket.shutdown(2)
        page, url, edge, _ = self.start({'/': die})
        response = page.open(url + '/')
        self.assertEqual(response['status'], 520)
        ray = self.header(response, 'cf-ray')[:16]
        text = page.run('document.body.innerText')
        self.assertIn(ray, text)
        self.assertIn('520', page.run('document.title'))
        self.assertEqual(page.run('document.documentElement.scrollWidth <= innerWidth'), True)
        self.assert_case(edge.ray(ray), 'resp.empty_fin', edge_status=520)

    def visit_until_hinted(self, page, url):
        """The parameters of the first 103, and the query of the visit it came with. Chromium drops a
        103 that is quicker than its own note that the request was sent, so one may go unseen."""
        for query in ('?1', '?2', '?3', '?4', '?5'):
            self.assertEqual(page.open(url + '/' + query)['protocol'], 'h2')
            if 'Network.responseReceivedEarlyHints' in page.seen:
                return page.wait_for('Network.responseReceivedEarlyHints'), query
        self.fail(f'no 103 came in five visits, but {list(page.seen)}')

    def test_early_hints_of_the_origin_are_followed_before_its_answer(self):
        followed = {query: threading.Event() for query in ('?1', '?2', '?3', '?4', '?5')}

        def slow(connection, request):
            query = request.target[1:]
            link = '/hinted.css' + query
            connection.send(b'HTTP/1.1 103 Early Hints\r\n'
                            b'Link: <%s>; rel=preload; as=style\r\n\r\n' % link.encode())
            came = followed[query].wait(2)
            connection.respond(f'<link rel=stylesheet href={link}><p>followed: {came}'.encode(),
                               headers=[('Content-Type', 'text/html')])

        def hinted_style(connection, request):
            followed[request.target.removeprefix('/hinted.css')].set()
            style(connection, request)
        page, url, _, origin = self.start({'/': slow, '/hinted.css': hinted_style})
        event, query = self.visit_until_hinted(page, url)
        link = '/hinted.css' + query
        self.assertEqual(self.header(event, 'link'), f'<{link}>; rel=preload; as=style')
        self.assertEqual(page.run('document.body.innerText'), 'followed: True')
        self.assertEqual(page.run(COLOUR), 'rgb(1, 2, 3)')
        self.assertEqual([r.target for r in origin.requests].count(link), 1)

    def test_early_hints_of_the_edge_itself_come_with_the_second_visit(self):
        def linking(connection, _request):
            connection.respond(b'<link rel=stylesheet href=/hinted.css><p>linked', headers=[
                ('Content-Type', 'text/html'), ('Link', '</hinted.css>; rel=preload; as=style')])
        page, url, _, _ = self.start({'/': linking, '/hinted.css': style},
                                     more='early_hints = true\n')
        page.open(url + '/')
        self.assertNotIn('Network.responseReceivedEarlyHints', page.seen)
        event, _ = self.visit_until_hinted(page, url)
        self.assertEqual(self.header(event, 'link'), '</hinted.css>; rel=preload; as=style')
        self.assertEqual(page.run(COLOUR), 'rgb(1, 2, 3)')

    def test_a_large_upload_arrives_whole(self):
        def digest(connection, request):
            connection.respond(hashlib.sha256(request.body).hexdigest().encode())
        page, url, _, _ = self.start({'/': b'<p>form', '/upload': digest},
                                     flags=('--read-timeout', '20s'))
        page.open(url + '/')
        answer = page.run(f"""(async () => {{
          const body = new Uint8Array({UPLOAD}).map((_, i) => i * 7 % 251);
          const response = await fetch('/upload', {{method: 'POST', body}});
          return [response.status, await response.text()]; }})()""")
        body = bytes(i * 7 % 251 for i in range(251)) * (UPLOAD // 251 + 1)
        self.assertEqual(answer, [200, hashlib.sha256(body[:UPLOAD]).hexdigest()])

    def test_half_a_body_never_looks_like_a_whole_one(self):
        def cut(connection, _request):
            connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n' + b'x' * 400_000)
            connection.socket.shutdown(2)
        for name, wanted in (('usual', usual), ('without_http2', without_http2)):
            with self.subTest(name):
                page, url, edge, _ = self.start({'/': b'<p>half', '/cut': cut}, wanted)
                page.open(url + '/')
                said = page.run("fetch('/cut').then(r => r.text()).catch(e => e.name)")
                self.assertEqual(said, 'TypeError')
                self.assertTrue(edge.only_case('body.short_fin')['aborted'])

    def test_events_come_one_by_one(self):
        go_on = threading.Event()

        def stream(connection, _request):
            connection.send(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'
                            b'Transfer-Encoding: chunked\r\n\r\nb\r\ndata: one\n\n\r\n')
            came = go_on.wait(5)
            connection.send(b'c\r\ndata: %s\n\n\r\n0\r\n\r\n' % (b'then' if came else b'late'))

        def arrived(connection, _request):
            go_on.set()
            connection.respond(b'')
        page, url, _, _ = self.start({'/': b'<p>events', '/events': stream, '/one': arrived})
        page.open(url + '/')
        self.assertEqual(page.run("""new Promise(done => {
          const got = [], source = new EventSource('/events');
          source.onmessage = event => { got.push(event.data); if (got.length == 1) fetch('/one'); };
          source.onerror = () => { source.close(); done(got); }; })"""), ['one', 'then'])

    def test_a_websocket_echoes_both_ways(self):
        def echo(connection, request):
            key = request.header('sec-websocket-key') + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
            accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
            connection.send((f'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n'
                             f'Upgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n')
                            .encode())
            while head := connection.take(2):
                size = head[1] & 127
                extended = connection.take({126: 2, 127: 8}.get(size, 0))
                mask = connection.take(4)
                payload = connection.take(int.from_bytes(extended, 'big') if extended else size)
                plain = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
                connection.send(bytes([head[0], head[1] & 127]) + extended + plain)
        page, url, edge, _ = self.start({'/': b'<p>socket', '/echo': echo})
        page.open(url + '/')
        self.assertEqual(page.run("""new Promise(done => {
          const socket = new WebSocket('wss://' + location.host + '/echo'), got = [];
          const texts = ['hello', 'x'.repeat(70000), 'bye'];
          socket.onopen = () => texts.forEach(text => socket.send(text));
          socket.onmessage = event => {
            got.push(event.data); if (got.length == 3) socket.close(1000); };
          socket.onclose = event => done([got.every((t, i) => t == texts[i]), got.length,
                                          event.code, event.wasClean]); })"""),
            [True, 3, 1000, True])
        handshake = page.wait_for('Network.webSocketHandshakeResponseReceived')['response']
        self.assertEqual(handshake['status'], 101)
        ray = self.header(handshake, 'cf-ray')[:16]
        self.assertEqual(edge.ray(ray, 3)['cause'], 'none')


if __name__ == '__main__':
    harness.main(impossible=ABSENT, jobs=4)
