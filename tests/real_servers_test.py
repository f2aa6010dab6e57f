"""Real servers that fail the way they do in the field: the cause must be right for each."""
import concurrent.futures
import os
import signal
import sys
import time
import unittest

import harness
import wire
from real_servers import Apache, Nginx, Node, PhpBehindNginx, missing


class RealServerTest(harness.TestCase):
    def up(self, server):
        self.addCleanup(server.stop)
        return server.up()

    def broken(self, server, cause, status, path='/', cut=True, flags=(), kill=None, **request):
        """Fetches `path` through an edge (`kill()` runs once the body has begun) and checks the
        case."""
        # Whoever should be held back is, however busy the machine.
        config = '[limits]\nhold_back_time = "5s"\n' if status == 520 else None
        edge = self.edge(server, flags=flags, config=config)
        with edge.client(timeout=30) as client:
            client.send(wire.request('GET', path,
                                     (('Connection', 'close'), ('Accept-Encoding', 'gzip')),
                                     **request))
            response = client.response(body=False)
            if kill:
                kill()
            client.read_body(response)
            client.until_end(response)
        self.assertEqual(response.cut, cut, response)
        case = self.assert_ray(edge, response, cause, status)
        self.assertEqual(case['edge_status'], status)
        return case


@unittest.skipIf(missing('nginx'), missing('nginx'))
class NginxTest(RealServerTest):
    def big_file(self, options):
        nginx = Nginx(f'root DIR; location / {{ {options} }}')
        nginx.write('big.txt', os.urandom(400_000).hex())
        return self.up(nginx)

    def test_nginx_return_444_is_an_empty_reply_ended_by_fin(self):
        nginx = self.up(Nginx('location / { return 444; }'))
        case = self.broken(nginx, 'resp.empty_fin', 520, cut=False)
        self.assertEqual(case['origin_status'], 0)
        self.assertEqual(len(case['attempts']), 1)
        self.assertFalse(case['attempts'][0]['connection']['reused'])

    def test_an_nginx_worker_killed_inside_a_body_of_known_length_is_a_short_body(self):
        nginx = self.big_file('limit_rate 40k;')
        case = self.broken(nginx, 'body.short_fin', 200, '/big.txt', kill=nginx.kill_workers)
        self.assertEqual(case['origin_status'], 200)

    def test_an_nginx_worker_killed_inside_a_chunked_body_is_a_truncated_chunked_body(self):
        nginx = self.big_file('limit_rate 40k; gzip on; gzip_types text/plain;')
        self.broken(nginx, 'body.chunk_truncated', 200, '/big.txt', kill=nginx.kill_workers)

    def test_forty_kilobytes_of_cookies_from_nginx_are_headers_too_large(self):
        cookies = ''.join(f'add_header Set-Cookie "session_{i}={"x" * 2000}"; ' for i in range(20))
        nginx = self.up(Nginx(f'location / {{ {cookies} return 200 fine; }}'))
        case = self.broken(nginx, 'resp.headers_too_large', 520, cut=False)
        self.assertIn('set-cookie', str(case['evidence']).lower())
        self.assertNotIn('x' * 100, str(case), 'the value of a cookie is in the case file')

    def test_forty_kilobytes_of_cookies_pass_under_the_profile_of_2026(self):
        cookies = ''.join(f'add_header Set-Cookie "session_{i}={"x" * 2000}"; ' for i in range(20))
        nginx = self.up(Nginx(f'location / {{ {cookies} return 200 fine; }}'))
        edge = self.edge(nginx, flags=('--profile', 'cloudflare-2026'))
        response = edge.fetch()
        self.assertEqual((response.status, response.body), (200, b'fine'))
        self.assertEqual(len(response.all('set-cookie')), 20)

    def test_an_error_page_of_nginx_itself_passes_and_is_the_origins(self):
        nginx = self.up(Nginx('location / { return 503 "down for maintenance"; }'))
        edge = self.edge(nginx)
        response = edge.fetch()
        self.assertEqual(response.body, b'down for maintenance')
        self.assert_ray(edge, response, 'origin.status', 503, origin_status=503)

    def test_an_nginx_keepalive_limit_is_never_seen_by_clients(self):
        nginx = self.up(Nginx('keepalive_requests 3; location / { return 200 fine; }'))
        edge = self.edge(nginx)
        with edge.client() as client:
            self.assertEqual([client.get().status for _ in range(10)], [200] * 10)


@unittest.skipIf(missing('node'), missing('node'))
class NodeTest(RealServerTest):
    DIES_WHEN_REUSED = """(request, response) => {
      request.socket.requests = (request.socket.requests || 0) + 1;
      if (request.socket.requests == 1) response.end('fine');
      else request.resume().on('end', () => request.socket.destroy()); }"""

    def node(self, handler, more=''):
        return self.up(Node(f'const server = http.createServer({handler});\n{more}'))

    def test_node_crashing_inside_a_body_of_known_length_is_a_short_body(self):
        node = self.node("""(request, response) => {
          response.writeHead(200, {'Content-Length': 1000000});
          response.write('x'.repeat(100000), () => setTimeout(() => process.abort(), 100)); }""")
        case = self.broken(node, 'body.short_fin', 200)
        self.assertEqual(case['origin_status'], 200)

    def test_node_exiting_inside_a_small_body_is_520_because_it_was_held_back(self):
        node = self.node("""(request, response) => {
          response.writeHead(200, {'Content-Length': 1000});
          response.write('part', () => process.exit(1)); }""")
        case = self.broken(node, 'body.short_fin', 520, cut=False)
        self.assertEqual(case['origin_status'], 200)

    def test_node_exiting_inside_a_chunked_body_is_a_truncated_chunked_body(self):
        node = self.node("""(request, response) => {
          response.write('x'.repeat(100000), () => setTimeout(() => process.exit(1), 100)); }""")
        self.broken(node, 'body.chunk_truncated', 200)

    def test_destroying_a_node_response_before_its_headers_is_an_empty_reply(self):
        node = self.node('(request, response) => { response.destroy(); }')
        self.broken(node, 'resp.empty_fin', 520, cut=False)

    def test_destroying_a_node_response_after_its_headers_is_a_truncated_chunked_body(self):
        node = self.node("""(request, response) => {
          response.write('part', () => response.destroy()); }""")
        self.broken(node, 'body.chunk_truncated', 520, cut=False)

    def test_a_node_socket_reset_before_its_headers_is_an_empty_reply_ended_by_rst(self):
        node = self.node('(request, response) => { request.socket.resetAndDestroy(); }')
        self.broken(node, 'resp.empty_rst', 520, cut=False)

    def test_a_node_socket_reset_inside_a_chunked_body_is_a_reset_chunked_body(self):
        node = self.node("""(request, response) => {
          response.write('x'.repeat(100000), () =>
            setTimeout(() => request.socket.resetAndDestroy(), 200)); }""")
        self.broken(node, 'body.chunk_reset', 200)

    def test_a_node_handler_that_never_answers_is_a_first_byte_timeout(self):
        node = self.node('(request, response) => {}')
        self.broken(node, 'time.first_byte', 524, cut=False, flags=('--read-timeout', '700ms'))

    def test_node_closing_a_reused_connection_is_stale_and_a_get_is_sent_again(self):
        node = self.node(self.DIES_WHEN_REUSED)
        edge = self.edge(node)
        self.assertEqual(edge.fetch().status, 200)
        response = edge.fetch()
        self.assertEqual((response.status, response.body), (200, b'fine'))
        case = edge.ray(response.ray)
        self.assertEqual([a['cause'] for a in case['attempts']], ['reuse.stale', 'none'], case)

    def test_node_closing_a_reused_connection_under_a_large_upload_is_reuse_stale(self):
        node = self.node(self.DIES_WHEN_REUSED)
        edge = self.edge(node)
        self.assertEqual(edge.fetch().status, 200)
        response = edge.fetch(method='POST', body=b'u' * 500_000)
        self.assert_ray(edge, response, 'reuse.stale', 520)

    def test_the_keep_alive_race_of_node_never_reaches_a_client(self):
        idle = 0.25
        node = self.node("(request, response) => { response.end('fine'); }",
                         f'server.keepAliveTimeout = {int(idle * 1000)};')
        edge = self.edge(node)

        def visits(offset):
            with edge.client() as client:
                for step in range(12):
                    yield client.get()
                    time.sleep(idle + offset + step * 0.001)  # around the origin's own idle close

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            series = pool.map(lambda offset: list(visits(offset)),
                              [-0.008, -0.005, -0.002, 0.001, 0.004, 0.007])
        responses = [response for one in series for response in one]
        self.assertEqual({(r.status, r.body) for r in responses}, {(200, b'fine')})
        retried = [r for r in responses if len(edge.ray(r.ray)['attempts']) > 1][:5]
        for response in retried:
            causes = [a['cause'] for a in edge.ray(response.ray)['attempts']]
            self.assertEqual((causes[0], causes[-1]), ('reuse.stale', 'none'))


@unittest.skipIf(missing('apache2'), missing('apache2'))
class ApacheTest(RealServerTest):
    def test_a_cgi_killed_after_its_own_http_headers_is_a_short_body(self):
        apache = self.up(Apache('nph-dies', r'''
printf 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\npart'
kill -9 $$
'''))
        case = self.broken(apache, 'body.short_fin', 520, '/cgi/nph-dies', cut=False)
        self.assertEqual(case['origin_status'], 200)

    def test_a_cgi_that_hangs_after_its_headers_until_apache_gives_up_is_a_truncated_body(self):
        apache = self.up(Apache('hangs', r'''
printf 'Content-Type: text/plain\r\n\r\n'
head -c 30000 /dev/zero | tr '\0' x
exec sleep 8
'''))
        self.broken(apache, 'body.chunk_truncated', 200, '/cgi/hangs',
                    flags=('--read-timeout', '20s'))

    def test_a_cgi_that_hangs_longer_than_the_edge_waits_is_an_idle_body(self):
        apache = self.up(Apache('hangs', r'''
printf 'Content-Type: text/plain\r\n\r\n'
head -c 30000 /dev/zero | tr '\0' x
exec sleep 8
'''))
        self.broken(apache, 'time.body_idle', 200, '/cgi/hangs', flags=('--read-timeout', '500ms'))

    def test_a_cgi_killed_before_its_headers_end_is_apaches_own_500(self):
        apache = self.up(Apache('dies', r'''
printf 'Content-Type: text/plain\r\n'
kill -9 $$
'''))
        case = self.broken(apache, 'origin.status', 500, '/cgi/dies', cut=False)
        self.assertEqual(case['origin_status'], 500)

    def test_a_cgi_killed_after_its_headers_is_hidden_by_apache_behind_a_whole_reply(self):
        # mod_cgi drops the script's Content-Length and ends the chunks properly (2.4.71): nothing
        # on the wire tells this from success, so no cause may be claimed.
        apache = self.up(Apache('dies', r'''
printf 'Content-Type: text/plain\r\nContent-Length: 1000\r\n\r\npart'
kill -9 $$
'''))
        self.broken(apache, 'none', 200, '/cgi/dies', cut=False)

    def test_an_apache_child_killed_inside_a_body_is_a_truncated_body(self):
        apache = self.up(Apache('streams', r'''
printf 'Content-Type: text/plain\r\n\r\n'
head -c 100000 /dev/zero | tr '\0' x
exec sleep 8
'''))
        self.broken(apache, 'body.chunk_truncated', 200, '/cgi/streams', kill=apache.kill_workers)


@unittest.skipIf(missing('nginx', 'php-fpm8.2'), missing('nginx', 'php-fpm8.2'))
class PhpTest(RealServerTest):
    START = "echo str_repeat('x', 90000); flush(); "

    def php(self, script, pool=''):
        return self.up(PhpBehindNginx(script, pool))

    def test_a_php_worker_killed_before_it_answers_is_nginxs_own_502(self):
        php = self.php('posix_kill(getmypid(), 9);')
        case = self.broken(php, 'origin.status', 502, cut=False)
        self.assertEqual(case['origin_status'], 502)

    def test_a_php_worker_killed_inside_its_output_is_a_truncated_chunked_body(self):
        php = self.php(self.START + 'usleep(200000); posix_kill(getmypid(), 9);')
        self.broken(php, 'body.chunk_truncated', 200)

    def test_a_php_worker_killed_inside_output_of_known_length_is_a_short_body(self):
        php = self.php("header('Content-Length: 200000'); " + self.START +
                       'usleep(200000); posix_kill(getmypid(), 9);')
        self.broken(php, 'body.short_fin', 200)

    def test_a_php_worker_killed_from_outside_inside_its_output_is_a_truncated_body(self):
        php = self.php(self.START + 'sleep(30);')

        def kill():
            for pid in php.workers(php.processes[0]):
                os.kill(pid, signal.SIGKILL)
        self.broken(php, 'body.chunk_truncated', 200, kill=kill)

    def test_max_execution_time_inside_output_of_known_length_is_a_short_body(self):
        php = self.php("set_time_limit(1); header('Content-Length: 200000'); " + self.START +
                       'while (true) {}')
        self.broken(php, 'body.short_fin', 200, flags=('--read-timeout', '30s'))

    def test_max_execution_time_inside_chunked_output_is_hidden_behind_a_whole_reply(self):
        # PHP ends the FastCGI request normally and nginx closes the chunks: the wire shows success.
        php = self.php('set_time_limit(1); ' + self.START + 'while (true) {}')
        self.broken(php, 'none', 200, cut=False, flags=('--read-timeout', '30s'))

    def test_max_execution_time_before_any_output_is_phps_own_500(self):
        php = self.php('set_time_limit(1); while (true) {}')
        self.broken(php, 'origin.status', 500, cut=False, flags=('--read-timeout', '30s'))

    def test_a_terminated_request_of_php_fpm_before_any_output_is_nginxs_own_502(self):
        php = self.php('sleep(30);', 'request_terminate_timeout = 1s')
        self.broken(php, 'origin.status', 502, cut=False, flags=('--read-timeout', '30s'))

    def test_a_stopped_php_fpm_is_nginxs_own_502(self):
        php = self.php("echo 'fine';")
        php.processes[0].terminate()
        php.processes[0].wait(10)
        self.broken(php, 'origin.status', 502, cut=False)


LIAR = '''
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        length, body = int(self.path[1:]), b'twenty bytes of body'
        self.send_response(200); self.send_header('Content-Length', str(length)); self.end_headers()
        self.wfile.write(body)
        self.close_connection = length > len(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
'''


class LyingPythonServer(Node):
    def __init__(self):
        super().__init__('')
        self.write('liar.py', LIAR)

    def up(self):
        self.start([sys.executable, self.path('liar.py'), str(self.port)], self.listens)
        return self


class PythonTest(RealServerTest):
    def test_a_python_server_that_promises_more_than_it_sends_is_a_short_body(self):
        case = self.broken(self.up(LyingPythonServer()), 'body.short_fin', 520, '/1000', cut=False)
        self.assertEqual(case['origin_status'], 200)

    def test_a_python_server_that_sends_more_than_it_promised_has_extra_bytes(self):
        edge = self.edge(self.up(LyingPythonServer()))
        response = edge.fetch('/6')
        self.assertEqual((response.status, response.body, response.surplus), (200, b'twenty', b''))
        self.assert_ray(edge, response, 'body.extra_bytes', 200, origin_status=200)
        self.assertEqual(edge.fetch('/20').body, b'twenty bytes of body')


if __name__ == '__main__':
    harness.main()
