"""`edgecase ranges` fetches lists over real TLS: whatever goes wrong changes nothing and is told in a line."""
import gzip
import http.server
import json
import os
import socket
import ssl
import threading
import time
import unittest

import certificates
import harness

LIST = '104.16.0.0/13\n104.24.0.0/14\n162.158.0.0/15\n2400:cb00::/32\n'
NEW = LIST + '172.64.0.0/13\n'
ENVIRONMENT = {**os.environ, 'no_proxy': '*', 'NO_PROXY': '*'}


class Site:
    """An https server; `answer(handler)` gives each answer, by default the body as it is."""

    def __init__(self, test, body=NEW, answer=None, leaf=None, status=200, headers=()):
        def plain(handler):
            data = body if isinstance(body, bytes) else body.encode()
            handler.send_response(status)
            for name, value in {'Content-Length': len(data), **dict(headers)}.items():
                handler.send_header(name, str(value))
            handler.end_headers()
            handler.wfile.write(data)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                (answer or plain)(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that goes away is what is tested
        self.server = Server(('127.0.0.1', 0), Handler)
        leaf = leaf or certificates.authority().localhost
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf.certificate, leaf.key)
        # Each connection shakes hands in its own thread.
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_port
        self.url = f'https://localhost:{self.port}/ips'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)


class FetchTest(harness.TestCase):
    def setUp(self):
        self.folder = self.temporary_directory()
        self.to = os.path.join(self.folder, 'edge.conf')

    def sync(self, *sources, ca=True, flags=()):
        froms = [word for source in sources for word in ('--from', source)]
        trusted = ('--ca', certificates.authority().certificate) if ca else ()
        return harness.run('ranges', 'sync', '--to', self.to, '--format', 'nginx', *froms, *trusted, *flags,
                           env=ENVIRONMENT)

    def content(self):
        with open(self.to) as file:
            return file.read()

    def refused(self, site, *words, ca=True, url=None):
        """It changes nothing, by `sync` and `list`; and one line says why."""
        if not os.path.exists(self.to):
            source = os.path.join(self.temporary_directory(), 'list')
            with open(source, 'w') as file:
                file.write(LIST)
            self.assertEqual(self.sync(source).returncode, 0)
        before, names = self.content(), os.listdir(self.folder)
        result = self.sync(url or site.url, ca=ca, flags=('--reload', f'touch {self.folder}/reloaded'))
        self.assertEqual((result.returncode, result.stdout), (1, ''), result.stderr)
        self.assertEqual(result.stderr.count('\n'), 1, result.stderr)
        self.assertIn('nothing was changed', result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual((self.content(), os.listdir(self.folder)), (before, names))

    def test_a_list_comes_over_tls_from_an_authority_that_is_named(self):
        site = Site(self)
        result = self.sync(site.url)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('allow 172.64.0.0/13;', self.content())
        listed = harness.run('ranges', 'list', '--url', site.url, '--ca', certificates.authority().certificate,
                             env=ENVIRONMENT)
        self.assertEqual(listed.stdout.splitlines()[1:], NEW.splitlines())
        by_address = self.sync(f'https://127.0.0.1:{site.port}/')
        self.assertEqual(by_address.returncode, 0, by_address.stderr)

    def test_the_answer_of_the_api_is_read(self):
        body = json.dumps({'success': True, 'errors': [], 'result': {
            'ipv4_cidrs': ['104.16.0.0/13'], 'ipv6_cidrs': ['2400:cb00::/32'], 'etag': 'x'}})
        self.assertEqual(self.sync(Site(self, body).url).returncode, 0)
        self.assertIn('allow 2400:cb00::/32;', self.content())

    def test_an_answer_of_the_api_that_failed_is_refused_with_its_message(self):
        body = json.dumps({'success': False, 'errors': [{'code': 10000, 'message': 'Authentication error'}],
                           'result': None})
        self.refused(Site(self, body), 'says that it failed: Authentication error')

    def test_who_is_not_who_they_say_is_refused(self):
        ca = certificates.authority()
        self.refused(Site(self, leaf=ca.leaf('over', 'DNS:localhost', days=-1)), 'expired')
        self.refused(Site(self, leaf=ca.other), "no alternative certificate subject name matches target host name")
        self.refused(Site(self), 'local issuer', ca=False)
        result = harness.run('ranges', 'list', '--url', Site(self).url, env=ENVIRONMENT)
        self.assertEqual((result.returncode, result.stdout), (2, ''))
        self.assertEqual(result.stderr.count('\n'), 1)

    def test_a_server_without_tls_is_refused(self):
        listener = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(listener.close)

        def answer():
            with listener.accept()[0] as client:
                client.recv(100)
                client.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
        threading.Thread(target=answer, daemon=True).start()
        self.refused(None, 'SSL', url=f'https://localhost:{listener.getsockname()[1]}/')

    def redirect(self, location):
        return Site(self, '', status=302, headers=(('Location', location),))

    def test_a_redirect_is_followed_over_https_alone(self):
        good = Site(self)
        self.assertEqual(self.sync(self.redirect(good.url).url).returncode, 0)
        for target in ('http://127.0.0.1:1/', f'http://localhost:{good.port}/ips', 'file:///etc/hosts', 'ftp://127.0.0.1/x'):
            self.refused(self.redirect(target), 'rotocol')

    def test_redirects_without_end_are_given_up(self):
        def answer(handler):
            handler.send_response(302)
            handler.send_header('Location', handler.path + 'x')
            handler.send_header('Content-Length', '0')
            handler.end_headers()
        self.refused(Site(self, answer=answer), 'Maximum (3) redirects followed')

    def test_other_statuses_are_told(self):
        for status in (404, 500, 503, 403, 429):
            self.refused(Site(self, status=status), f'error: {status}')
        self.refused(Site(self, status=202), 'answers with 202')
        self.refused(Site(self, '', answer=lambda h: (h.send_response(204), h.end_headers())), 'answers with 204')

    def test_a_page_instead_of_a_list_is_told(self):
        self.refused(Site(self, '<!DOCTYPE html>\n<html><body>Sign in</body></html>'), 'a page of HTML')
        self.refused(Site(self, '\n <?xml version="1.0"?>'), 'a page of HTML or XML')
        self.refused(Site(self, 'Not today.\n'), '`Not today.` is no range')
        self.refused(Site(self, b'\x00\xff\x1b[31m'), 'is no range')

    def test_a_compressed_list_is_read_and_stays_bounded(self):
        headers = (('Content-Encoding', 'gzip'),)
        self.assertEqual(self.sync(Site(self, gzip.compress(NEW.encode()), headers=headers).url).returncode, 0)
        self.assertIn('allow 172.64.0.0/13;', self.content())
        self.refused(Site(self, gzip.compress(b'1' * 50_000_000), headers=headers), 'larger than a list')
        self.refused(Site(self, gzip.compress(NEW.encode())[:-12], headers=headers))
        self.refused(Site(self, NEW, headers=headers))

    def test_a_body_that_is_cut_off_is_refused(self):
        def answer(handler):
            handler.send_response(200)
            handler.send_header('Content-Length', '500')
            handler.end_headers()
            handler.wfile.write(LIST.encode())
            handler.close_connection = True
        self.refused(Site(self, answer=answer), 'transfer closed')

    def test_a_body_without_its_end_is_refused(self):
        def chunked(handler):
            handler.send_response(200)
            handler.send_header('Transfer-Encoding', 'chunked')
            handler.end_headers()
            handler.wfile.write(b'%x\r\n%s\r\n' % (len(NEW), NEW.encode()))
            handler.wfile.flush()
            handler.close_connection = True
        self.refused(Site(self, answer=chunked))

        def unbounded(handler):
            """No length, and the connection is cut without TLS's own end."""
            handler.send_response(200)
            handler.send_header('Connection', 'close')
            handler.end_headers()
            handler.wfile.write(NEW.encode())
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
        self.refused(Site(self, answer=unbounded), 'without a length')

    def test_too_large_a_body_is_not_read_to_its_end(self):
        self.refused(Site(self, '1' * 5_000_000), 'larger than a list')
        sent = []

        def endless(handler):
            handler.send_response(200)
            handler.send_header('Connection', 'close')
            handler.end_headers()
            try:
                while len(sent) < 3000:
                    handler.wfile.write(b'104.16.0.0/13\n' * 5000)
                    sent.append(70_000)
            finally:
                handler.close_connection = True
        self.refused(Site(self, answer=endless), 'larger than a list')
        self.assertLess(sum(sent), 20_000_000)

    def test_a_server_that_drips_is_given_up_after_ten_seconds(self):
        stop = threading.Event()
        self.addCleanup(stop.set)

        def drip(handler):
            handler.send_response(200)
            handler.send_header('Content-Length', str(len(NEW)))
            handler.end_headers()
            for byte in NEW.encode():
                if stop.wait(1):
                    return
                handler.wfile.write(bytes([byte]))
                handler.wfile.flush()
        begin = time.monotonic()
        self.refused(Site(self, answer=drip), 'Operation too slow')
        self.assertLess(time.monotonic() - begin, 20 * harness.SLOWNESS)

    def test_a_server_that_says_nothing_is_given_up_after_ten_seconds(self):
        listener = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(listener.close)
        begin = time.monotonic()
        self.refused(None, 'connection timeout', url=f'https://localhost:{listener.getsockname()[1]}/')
        self.assertLess(time.monotonic() - begin, 20 * harness.SLOWNESS)

    def test_a_list_of_one_family_is_told_and_does_not_replace_one_of_both(self):
        only = Site(self, '2400:cb00::/32\n2606:4700::/32\n')
        self.refused(only, 'lacks 3 of the 4 ranges')
        os.unlink(self.to)
        result = self.sync(only.url)
        self.assertEqual(result.returncode, 0)
        self.assertIn('the list has no range of IPv4', result.stderr)

    def test_one_source_that_fails_fails_all(self):
        good, bad = Site(self), Site(self, status=500)
        self.assertEqual(self.sync(good.url).returncode, 0)
        before = self.content()
        for order in ((good.url, bad.url), (bad.url, good.url)):
            self.assertEqual(self.sync(*order).returncode, 1)
        self.assertEqual(self.content(), before)

    def test_an_authority_that_cannot_be_read_is_told(self):
        site = Site(self)
        for path in ('/nonexistent', '/etc/hosts'):
            result = self.sync(site.url, ca=False, flags=('--ca', path))
            self.assertEqual((result.returncode, os.path.exists(self.to)), (1, False))
            self.assertIn(path, result.stderr)


if __name__ == '__main__':
    harness.main()
