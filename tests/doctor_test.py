"""`edgecase doctor` against every scenario of the lab, and against real servers, healthy and not:
the true cause must be its first suspicion, and a healthy origin must not be accused."""
import collections
import json
import os
import re
import signal
import subprocess
import time
import unittest
import xml.etree.ElementTree

import certificates
import harness
import namespaces
import raw_origin
import wire
from firewall_test import (EDGE_IP, ORIGIN_IP, ORIGIN_IP6, ORIGIN_PORT, UNUSED_IP, FirewallTest)
from real_servers import (Apache, ApacheHttp2, Caddy, Gunicorn, Haproxy, Nghttpd, Nginx, Node,
                          NodeHttp2, PhpBehindNginx, missing)

verdicts = []  # (group, what was examined, true cause, first suspicion, likelihood)
# What the edge hides by asking again, or what a healthy scenario has all the same: the doctor says so.
NAMED_ALL_THE_SAME = {
    'ok-headers_30k': 'resp.headers_too_large',
    'ok-retried': 'reuse.stale',
    'ok-retried_rst': 'reuse.stale',
    'ok-retried_post': 'reuse.stale',
    'ok-tls-retried': 'reuse.stale',
    'ok-h2-goaway': 'h2.goaway_unprocessed',
    'ok-h2-goaway_retried': 'h2.goaway_unprocessed',
    'ok-h2-retried': 'h2.refused',
    'ok-h2-fin_retried': 'h2.connection_fin',
    'ok-h2-downgrade': 'h2.http11_required',
    # The lab serves the streams of one connection in turn.
    'ok-h2-slow_body': 'time.first_byte',
}
ELSEWHERE = {'connect.limit': "a limit of the edge's own: the doctor is none"}
QUICK = ('--patience', '0s', '--rate', '200', '--time', '40s')


class Certificates:
    """An authority, and what it signed for our address and for somebody else's name."""

    def __init__(self):
        self.authority = certificates.Authority()
        self.ca = self.authority.certificate
        self.own = self.authority.leaf('127.0.0.1', 'IP:127.0.0.1')
        self.others = self.authority.leaf('other.test', 'DNS:other.test')

    def stop(self):
        self.authority.stop()


signed = harness.Shared(Certificates)


def doctor(*argv, namespace=None, timeout=120):
    """The report as JSON, with its exit status."""
    inside = ['ip', 'netns', 'exec', namespace.name] if namespace else []
    done = subprocess.run([*inside, harness.BINARY, 'doctor', '--json', *map(str, argv)],
                          capture_output=True, text=True, timeout=timeout * harness.SLOWNESS)
    if done.returncode not in (0, 1):
        raise AssertionError(f'{argv} exited {done.returncode}: {done.stderr}')
    report = json.loads(done.stdout)
    report['exit'] = done.returncode
    return report


class DoctorTest(harness.TestCase):
    def up(self, server):
        self.addCleanup(server.stop)
        return server.up()

    def judged(self, group, what, cause, report):
        """The first suspicion must be `cause`; none: there must be no suspicion."""
        first = report['verdict'][0] if report['verdict'] else {'cause': 'none', 'likelihood': 0}
        verdicts.append((group, what, cause, first['cause'], first['likelihood']))
        shown = json.dumps({'verdict': [(v['cause'], v['likelihood']) for v in report['verdict']],
                            'probes': [(p['name'], p['summary']) for p in report['probes']],
                            'failed': [(r['probe'], r['factor'], r['value'], r['cause'])
                                       for r in report['requests'] if r['cause'] != 'none'][:8]},
                           indent=1)
        self.assertEqual(first['cause'], cause, shown)
        self.assertEqual(report['exit'], 0 if cause == 'none' else 1)
        for finding in report['verdict']:
            self.assertTrue(finding['evidence_for'] and finding['fix'], finding)
        self.assertTrue(report['complete'], report['cut_short'])
        return report


def flags_of(test, row, host=None, port=None):
    """The command line that examines a scenario of the lab."""
    folder = test.temporary_directory()
    config = os.path.join(folder, 'edge.toml')
    with open(config, 'w') as file:
        file.write(harness.scenario_config(row))
    url = f"{row['scheme']}://{host or row['host']}:{port or row['port']}{row['path']}"
    flags = [url, '--config', config, '--method', row['method'], *QUICK]
    if row['cause'].startswith('time.'):
        flags += ['--read-timeout', '1s']
    for flag, value in (('--origin-ca', row['ca']), ('--origin-name', row['origin_name']),
                        ('--resolver', row['resolver'])):
        flags += [flag, value] if value else []
    for name, value in row['request_headers']:
        flags += ['--header', f'{name}: {value}']
    if row['request_body_bytes']:
        body = os.path.join(folder, 'body')
        with open(body, 'w') as file:
            file.write('u' * row['request_body_bytes'])
        flags += ['--data', '@' + body]
    return flags


class LabTest(DoctorTest):
    def check(self, row):
        report = doctor(*flags_of(self, lab.get().rows[row['scenario']]))
        wanted = NAMED_ALL_THE_SAME.get(row['scenario'], row['cause'])
        self.judged('lab', row['scenario'], wanted, report)


class Lab:
    """A running lab."""

    def __init__(self):
        self.server = harness.Server(['lab', '--listen', '127.0.0.1:0'])
        self.server.wait_for_line(r'main')
        main = re.search(r'main[= ](\S+):(\d+)', ' '.join(self.server.first_lines))
        listing = wire.fetch((main[1], int(main[2])), headers=[('Accept', 'application/json')])
        self.rows = {row['scenario']: row for row in json.loads(listing.body)}

    def stop(self):
        self.server.stop()


lab = harness.Shared(Lab)


class NetworkTest(DoctorTest, FirewallTest):
    """The lab's own `setup` of each scenario that needs a network."""

    def check(self, row):
        values = {'origin_ip': ORIGIN_IP, 'origin_ip6': ORIGIN_IP6, 'origin_port': str(ORIGIN_PORT),
                  'edge_ip': EDGE_IP, 'unused_ip': UNUSED_IP}

        def filled(text):
            return re.sub(r'\{(\w+)\}', lambda m: values[m[1]], text)

        host = filled(row['host'])
        is_v6 = ':' in host
        edge_side, origin_side = self.network(ipv6=is_v6)
        listen = f'[{ORIGIN_IP6}]' if is_v6 else ORIGIN_IP
        server = harness.Server(['lab', '--listen', f'{listen}:{ORIGIN_PORT}'], origin_side)
        server.wait_for_line('main')
        self.addCleanup(server.stop)
        side = {'edge': edge_side, 'origin': origin_side}[row['setup_side']]
        side.run('sh', '-c', filled(row['setup']))
        flags = flags_of(self, row, f'[{host}]' if is_v6 else host, ORIGIN_PORT)
        self.judged('network', row['scenario'], row['cause'],
                    doctor(*flags, namespace=edge_side))


FINE = "(request, response) => response.end('fine')"


class RealTest(DoctorTest):
    """Servers that are set up wrong the way it happens in the field."""

    def wrong(self, server, cause, *flags, path='/', what=None):
        report = doctor(server.url + path, *QUICK, *flags)
        return self.judged('misconfigured', what or self._testMethodName[5:], cause, report)

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_nginx_returning_444(self):
        report = self.wrong(self.up(Nginx('location / { return 444; }')), 'resp.empty_fin')
        self.assertTrue(any('100 %' in line for line in report['verdict'][0]['evidence_for']))

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_nginx_returning_444_to_a_crawler_only(self):
        nginx = self.up(Nginx('location / { if ($http_user_agent ~* Ahrefs) { return 444; } '
                              'return 200 fine; }'))
        report = self.wrong(nginx, 'resp.empty_fin')
        self.assertTrue(any('user agent' in line and 'crawler' in line
                            for line in report['verdict'][0]['evidence_for']), report['verdict'])
        self.assertEqual(report['server']['name'], 'nginx')
        self.assertIn('444', report['verdict'][0]['fix'])

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_nginx_with_forty_kilobytes_of_cookies(self):
        cookies = ''.join(f'add_header Set-Cookie "session_{i}={"x" * 2000}"; ' for i in range(20))
        report = self.wrong(self.up(Nginx(f'location / {{ {cookies} return 200 fine; }}')),
                            'resp.headers_too_large')
        self.assertNotIn('x' * 100, json.dumps(report), 'the value of a cookie is in the report')

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_nginx_with_thirty_one_kilobytes_of_header_is_a_warning(self):
        lines = ''.join(f'add_header X-Debug-{i} "{"x" * 1000}"; ' for i in range(31))
        report = self.wrong(self.up(Nginx(f'location / {{ {lines} return 200 fine; }}')),
                            'resp.headers_too_large')
        self.assertIn('proxy_hide_header', report['verdict'][0]['fix'])

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_nginx_with_a_dead_upstream(self):
        closed = harness.ClosedPort()
        self.addCleanup(closed.stop)
        self.wrong(self.up(Nginx(f'location / {{ proxy_pass {closed.url}; }}')), 'origin.status')

    @unittest.skipIf(missing('nginx', 'php-fpm8.2'), missing('nginx', 'php-fpm8.2'))
    def test_php_that_stops_in_the_middle_of_its_answer(self):
        php = self.up(PhpBehindNginx(
            "header('Content-Length: 5000'); echo str_repeat('x', 1000); flush(); "
            "posix_kill(getmypid(), 9);"))
        report = self.wrong(php, 'body.short_fin')
        self.assertEqual(report['server']['name'], 'nginx')

    @unittest.skipIf(missing('nginx', 'php-fpm8.2'), missing('nginx', 'php-fpm8.2'))
    def test_php_that_stands_still_after_its_headers(self):
        php = self.up(PhpBehindNginx("echo str_repeat('x', 1000); flush(); sleep(20);",
                                     'pm.max_children = 40'))
        self.wrong(php, 'time.body_idle', '--read-timeout', '1s')

    @unittest.skipIf(missing('apache2'), missing('apache2'))
    def test_an_apache_script_that_needs_too_long(self):
        apache = self.up(Apache('slow', 'sleep 15; echo "Content-Type: text/plain"; echo; echo x\n'))
        self.wrong(apache, 'time.first_byte', '--read-timeout', '600ms', path='/cgi/slow')

    @unittest.skipIf(missing('node'), missing('node'))
    def test_node_that_dies_and_is_not_started_again(self):
        node = self.up(Node("""const server = http.createServer((request, response) => {
          response.writeHead(200, {'Content-Length': 1000});
          response.write('part', () => process.exit(1)); });"""))
        report = self.wrong(node, 'body.short_fin')
        self.assertTrue(any('refused' in line for line in report['verdict'][0]['evidence_for']),
                        report['verdict'])

    @unittest.skipIf(missing('node'), missing('node'))
    def test_node_that_dies_and_is_started_again(self):
        node = Node("""const server = http.createServer((request, response) => {
          response.writeHead(200, {'Content-Length': 1000});
          response.write('part', () => process.exit(1)); });""")
        self.addCleanup(node.stop)
        script = f'while :; do node {node.path("server.js")}; done'
        node.start(['sh', '-c', script], node.listens)
        report = self.wrong(node, 'body.short_fin')
        [restarts] = [p for p in report['probes'] if p['name'] == 'restarts']
        self.assertEqual(restarts['state'], 'bad', restarts)
        self.assertGreater(restarts['facts']['away_ms'], 0)

    @unittest.skipIf(missing('node'), missing('node'))
    def test_node_that_destroys_reused_connections(self):
        node = self.up(Node("""const server = http.createServer((request, response) => {
          request.socket.requests = (request.socket.requests || 0) + 1;
          if (request.socket.requests == 1) response.end('fine');
          else request.socket.destroy(); });"""))
        report = self.wrong(node, 'reuse.stale')
        self.assertIn('keepAliveTimeout', report['verdict'][0]['fix'])

    @unittest.skipIf(missing('node'), missing('node'))
    def test_node_whose_http2_alone_fails(self):
        node = NodeHttp2("""const server = http2.createSecureServer(
            {...files, allowHTTP1: true}, (request, response) => {
          if (request.httpVersion == '2.0') request.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
          else response.end('fine'); });
          server.on('sessionError', () => {});
          server.on('stream', stream => stream.on('error', () => {}));""",
                         signed.get().own)
        report = self.wrong(self.up(node), 'h2.rst_stream', '--origin-ca',
                            signed.get().ca)
        [isolation] = [p for p in report['probes'] if p['name'] == 'http2_isolation']
        self.assertIn("the failures are HTTP/2's", isolation['summary'])
        self.assertIn('--origin-http2 off', report['verdict'][0]['fix'])

    @unittest.skipIf(missing('gunicorn'), missing('gunicorn'))
    def test_gunicorn_whose_workers_run_out_of_time(self):
        gunicorn = self.up(Gunicorn('time.sleep(30)', '--timeout', '1'))
        report = self.wrong(gunicorn, 'resp.empty_fin', '--read-timeout', '6s')
        self.assertTrue(report['verdict'][0]['evidence_for'])

    @unittest.skipIf(missing('gunicorn'), missing('gunicorn'))
    def test_gunicorn_whose_worker_kills_itself(self):
        self.wrong(self.up(Gunicorn('os.kill(os.getpid(), 9)', '--workers', '2')), 'resp.empty_fin')

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_a_certificate_for_another_name(self):
        nginx = self.up(Nginx('location / { return 200 fine; }',
                              tls=signed.get().others))
        report = self.wrong(nginx, 'tls.cert.name', '--origin-ca', signed.get().ca)
        self.assertIn('127.0.0.1', report['verdict'][0]['fix'])

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_plain_http_where_tls_is_wanted(self):
        nginx = self.up(Nginx('location / { return 200 fine; }'))
        report = doctor(nginx.url.replace('http:', 'https:') + '/', *QUICK)
        self.judged('misconfigured', 'plain HTTP behind an https URL', 'tls.peer_plaintext', report)

    def test_an_origin_that_fails_now_and_then(self):
        count = iter(range(10_000))

        def behave(connection):
            while head := connection.read_head():
                if next(count) % 7 == 6:
                    return
                body = b'' if head.method == 'HEAD' else b'fine'
                connection.send(b'HTTP/1.1 200 OK\r\nDate: Sat, 28 Nov 2026 12:00:00 GMT\r\n'
                                b'Content-Type: text/plain\r\nContent-Length: 4\r\n\r\n' + body)

        origin = self.origin(behave)
        report = doctor(origin.url + '/', *QUICK)
        causes = {v['cause'] for v in report['verdict']}
        self.assertLessEqual(causes, {'resp.empty_fin', 'reuse.stale'})
        self.assertIn('resp.empty_fin', causes)
        [rate] = [p for p in report['probes'] if p['name'] == 'intermittence']
        self.assertEqual(rate['state'], 'bad')
        self.assertRegex(rate['summary'], r'\d+ of \d+ requests .* failed \(95 % confidence')


class HardToTellTest(DoctorTest):
    """Where a careless examination goes wrong."""

    def stream_origin(self):
        def behave(connection):
            if not connection.read_request():
                return
            connection.send(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'
                            b'Connection: close\r\n\r\n')
            while connection.send(b'data: tick\n\n'):
                time.sleep(0.2)
        return self.origin(behave)

    def test_an_event_stream_without_an_end_is_healthy_and_ends_nothing_late(self):
        report = doctor(self.stream_origin().url + '/', '--patience', '0s', '--time', '12s')
        self.assertTrue(report['requests'])
        self.assertEqual([v['cause'] for v in report['verdict'] if v['cause'] != 'body.extra_bytes'],
                         [])
        self.assertLess(report['elapsed_ms'], 14_000 * harness.SLOWNESS)

    def test_a_check_of_an_event_stream_ends_and_can_be_interrupted(self):
        origin = self.stream_origin()
        done = harness.run('check', origin.url, '--skip', 'keep-alive', '--path-time', '1s')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('not read to its end', done.stdout)
        process = harness.spawn([harness.BINARY, 'check', origin.url, '--skip', 'keep-alive'],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertTrue(wire.eventually(lambda: len(origin.connections) > 1, 20))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20 * harness.SLOWNESS)
        self.assertEqual(process.returncode, 1)
        self.assertIn('interrupted', said)

    def test_an_origin_that_fails_every_second_time_has_no_stale_connections(self):
        count = iter(range(10_000))

        def behave(connection):
            while head := connection.read_head():
                if next(count) % 2:
                    return
                body = b'' if head.method == 'HEAD' else b'fine'
                connection.send(b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n'
                                b'Content-Length: 4\r\n\r\n' + body)

        report = doctor(self.origin(behave).url + '/', *QUICK)
        self.assertEqual(report['exit'], 1)
        self.assertIn('resp.empty_fin', [v['cause'] for v in report['verdict']])
        self.assertFalse(any('It follows the connection' in line for v in report['verdict']
                             for line in v['evidence_for'] if 'fresh' in line), report['verdict'])

    def test_a_large_body_is_fetched_whole_once(self):
        size = 4 << 20

        def behave(connection):
            while head := connection.read_head():
                body = b'' if head.method == 'HEAD' else b'x' * size
                if not connection.send(b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n'
                                       b'Content-Length: %d\r\n\r\n' % size + body):
                    return

        report = doctor(self.origin(behave).url + '/', *QUICK)
        self.judged('healthy', 'large bodies', 'none', report)
        read = sum(r['body_bytes'] for r in report['requests'])
        self.assertLess(read, size + len(report['requests']) * (1 << 20))

    def test_fields_of_the_command_line_replace_the_doctors(self):
        origin = self.origin(raw_origin.answering())
        doctor(origin.url + '/', '--header', 'User-Agent: Mine/1', '--header', 'Accept: text/plain',
               '--requests', '1', *QUICK)
        head = origin.requests[0].head.decode()
        self.assertEqual(head.count('User-Agent:'), 1)
        self.assertIn('User-Agent: Mine/1', head)
        self.assertNotIn('Accept: */*', head)
        for field in ('Host: a', 'Content-Length: 5', 'CF-Ray: 1'):
            self.assertEqual(harness.run('doctor', origin.url, '--header', field).returncode, 2)

    def test_a_budget_that_runs_out_is_said(self):
        origin = self.origin(raw_origin.answering())
        report = doctor(origin.url + '/', '--requests', '3', *QUICK)
        self.assertFalse(report['complete'])
        self.assertIn('used up', report['cut_short'])
        self.assertEqual(report['ruled_out'], [])

    @unittest.skipIf(missing('nginx', 'node'), missing('nginx', 'node'))
    def test_nginx_before_node_gets_nginxs_keep_alive_fix(self):
        node = self.up(Node("""const server = http.createServer((request, response) => {
          response.setHeader('X-Powered-By', 'Express'); response.end('fine'); });"""))
        nginx = self.up(Nginx(f'keepalive_timeout 1s; location / {{ proxy_pass {node.url}; }}'))
        report = doctor(nginx.url + '/', '--patience', '4s')
        self.assertEqual((report['server']['name'], report['server']['behind']), ('nginx', 'node'))
        [advice] = [a for a in report['advice'] if a['topic'] == 'keep_alive']
        self.assertIn('keepalive_timeout 910s;', advice['fix'])

    @unittest.skipIf(missing('caddy'), missing('caddy'))
    def test_caddys_fix_is_a_caddyfile(self):
        caddy = self.up(Caddy('respond "fine"'))
        report = doctor(caddy.url + '/', '--requests', '5', *QUICK)
        self.assertEqual(report['server']['name'], 'caddy')
        fix = '{\n  servers {\n    timeouts {\n      idle 910s\n    }\n  }\n}\n:1 {\n}\n'
        done = subprocess.run(['caddy', 'adapt', '--config', caddy.write('fix', fix), '--adapter',
                               'caddyfile'], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_tokens_stay_out_of_what_the_logs_say(self):
        closed = harness.ClosedPort()
        self.addCleanup(closed.stop)
        nginx = self.up(Nginx(f'location / {{ proxy_pass {closed.url}; }}'))
        for form in ('--json', '--markdown'):
            done = harness.run('doctor', nginx.url + '/?access_token=TOPSECRET', '--requests', '6',
                               '--error-log', nginx.path('error.log'), *QUICK, form)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertNotIn('TOPSECRET', done.stdout)


class HealthyTest(DoctorTest):
    """Healthy servers of each kind: no accusation."""

    def fine(self, server, *flags, path='/', name=None):
        report = doctor(server.url + path, *QUICK, *flags)
        self.judged('healthy', self._testMethodName[5:], 'none', report)
        if name:
            self.assertEqual(report['server']['name'], name, report['server'])
        return report

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_nginx(self):
        report = self.fine(self.up(Nginx('location / { return 200 fine; }')), name='nginx')
        self.assertEqual(len(report['ruled_out']), 6)

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_nginx_over_tls_and_http2(self):
        nginx = self.up(Nginx('location / { return 200 fine; }', listen='http2',
                              tls=signed.get().own))
        report = self.fine(nginx, '--origin-ca', signed.get().ca, name='nginx')
        [tls] = [p for p in report['probes'] if p['name'] == 'tls']
        self.assertEqual(tls['facts']['alpn'], 'h2')
        [isolation] = [p for p in report['probes'] if p['name'] == 'http2_isolation']
        self.assertEqual(isolation['facts']['http2_requests'], 16)

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_nginx_with_gzip_and_a_missing_path(self):
        nginx = Nginx('root DIR; gzip on; gzip_types text/plain; gzip_min_length 10;')
        nginx.write('page.txt', 'words ' * 5000)
        report = self.fine(self.up(nginx), path='/page.txt', name='nginx')
        [coding] = [p for p in report['probes'] if p['name'] == 'coding']
        self.assertEqual(coding['facts']['plain_bytes'], 30000)

    @unittest.skipIf(missing('apache2'), missing('apache2'))
    def test_apache(self):
        apache = Apache('fine', 'echo "Content-Type: text/plain"; echo; echo fine\n')
        self.fine(self.up(apache), path='/cgi/fine', name='apache')

    @unittest.skipIf(missing('apache2'), missing('apache2'))
    def test_apache_over_http2(self):
        apache = self.up(ApacheHttp2(signed.get().own))
        self.fine(apache, '--origin-ca', signed.get().ca, path='/hello.txt',
                  name='apache')

    @unittest.skipIf(missing('node'), missing('node'))
    def test_node(self):
        self.fine(self.up(Node(f'const server = http.createServer({FINE});')), name='node')

    @unittest.skipIf(missing('node'), missing('node'))
    def test_node_over_http2(self):
        node = NodeHttp2(f'const server = http2.createSecureServer({{...files, allowHTTP1: true}}, '
                         f'{FINE});', signed.get().own)
        self.fine(self.up(node), '--origin-ca', signed.get().ca)

    @unittest.skipIf(missing('nginx', 'php-fpm8.2'), missing('nginx', 'php-fpm8.2'))
    def test_php(self):
        self.fine(self.up(PhpBehindNginx("echo 'fine';")), name='nginx')

    @unittest.skipIf(missing('gunicorn'), missing('gunicorn'))
    def test_gunicorn(self):
        gunicorn = self.up(Gunicorn("start_response('200 OK', [('Content-Type', 'text/plain'), "
                                    "('Content-Length', '4')])\n"
                                    "return [b'fine'] if environ['REQUEST_METHOD'] != 'HEAD' else []",
                                    '--workers', '2', '--threads', '4'))
        self.fine(gunicorn, name='gunicorn')

    @unittest.skipIf(missing('caddy'), missing('caddy'))
    def test_caddy(self):
        self.fine(self.up(Caddy('respond "fine"')), name='caddy')

    @unittest.skipIf(missing('haproxy', 'nginx'), missing('haproxy', 'nginx'))
    def test_haproxy_before_nginx(self):
        nginx = self.up(Nginx('location / { return 200 fine; }'))
        self.fine(self.up(Haproxy(nginx.port)))

    @unittest.skipIf(missing('nghttpd'), missing('nghttpd'))
    def test_nghttpd_which_speaks_http2_alone(self):
        nghttpd = self.up(Nghttpd(signed.get().own))
        self.fine(nghttpd, '--origin-ca', signed.get().ca, path='/hello.txt')

    @unittest.skipIf(missing('node'), missing('node'))
    def test_nodes_keep_alive_time_is_measured_and_its_fix_is_nodes(self):
        node = self.up(Node(f'const server = http.createServer({FINE});\n'
                            'server.keepAliveTimeout = 1500;'))
        report = doctor(node.url + '/')
        self.judged('healthy', 'node with a keep-alive of 1.5 s', 'none', report)
        [keep_alive] = [p for p in report['probes'] if p['name'] == 'keep_alive']
        # Newer Nodes wait a second longer than they say.
        self.assertTrue(1400 < keep_alive['facts']['closed_after_ms'] < 3200, keep_alive)
        [advice] = [a for a in report['advice'] if a['topic'] == 'keep_alive']
        self.assertIn('server.keepAliveTimeout = 910000', advice['fix'])

    @unittest.skipIf(missing('nginx'), missing('nginx'))
    def test_the_whole_examination_with_its_own_patience_ends_within_its_time(self):
        nginx = self.up(Nginx('location / { return 200 fine; }'))
        report = doctor(nginx.url + '/')
        self.judged('healthy', 'nginx with the default patience', 'none', report)
        [keep_alive] = [p for p in report['probes'] if p['name'] == 'keep_alive']
        self.assertGreaterEqual(keep_alive['facts']['waited_ms'], 5900)
        self.assertLess(report['elapsed_ms'], 10_000 * harness.SLOWNESS)


class MannersTest(DoctorTest):
    def test_no_more_requests_are_made_than_the_budget_has(self):
        origin = self.origin(raw_origin.answering())
        report = doctor(origin.url + '/', '--requests', '9', '--patience', '0s', '--rate', '100')
        self.assertLessEqual(len(report['requests']), 9)
        self.assertEqual(origin.received.count(b'CF-Ray'), 9)

    def test_requests_are_no_quicker_than_the_rate(self):
        origin = self.origin(raw_origin.answering())
        begin = time.monotonic()
        report = doctor(origin.url + '/', '--requests', '20', '--patience', '0s', '--rate', '10')
        self.assertGreater(time.monotonic() - begin, (len(report['requests']) - 1) / 10 - 0.2)

    def test_a_method_that_changes_something_is_sent_twice_at_most(self):
        origin = self.origin(raw_origin.answering())
        doctor(origin.url + '/', '--method', 'POST', '--data', 'x', *QUICK)
        self.assertIn(origin.received.count(b'POST / '), (1, 2))

    def test_each_request_has_a_ray_id_of_its_own(self):
        origin = self.origin(raw_origin.answering())
        report = doctor(origin.url + '/', '--requests', '30', *QUICK)
        rays = re.findall(rb'CF-Ray: ([0-9a-f]{16})-LAB', origin.received)
        self.assertEqual(len(rays), len(set(rays)))
        self.assertEqual({r.decode() for r in rays}, {r['ray_id'] for r in report['requests']})

    def test_an_interrupt_ends_it_with_what_is_known(self):
        origin = self.origin(raw_origin.answering())
        process = harness.spawn([harness.BINARY, 'doctor', origin.url + '/', '--json', '--rate',
                                 '5'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertTrue(wire.eventually(lambda: len(origin.connections) > 3, 20))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=10 * harness.SLOWNESS)
        report = json.loads(out)
        self.assertFalse(report['complete'])
        self.assertIn('interrupted', report['cut_short'])
        self.assertTrue(report['requests'])

    def test_its_time_ends_it_too(self):
        origin = self.origin(raw_origin.answering())
        report = doctor(origin.url + '/', '--time', '700ms', '--rate', '10')
        self.assertIn('time was over', report['cut_short'])

    def test_bad_input_is_a_clear_error(self):
        origin = self.origin(raw_origin.answering())
        for argv, words in (
                (['ftp://x/'], 'ftp'),
                (['http://a b/'], 'space'),
                ([origin.url + '/', '--patience', 'soon'], 'duration'),
                ([origin.url + '/', '--header', 'no colon'], 'Name: value'),
                ([origin.url + '/', '--header', 'A: b\r\nEvil: 1'], 'Name: value'),
                ([origin.url + '/', '--method', 'G T'], '--method'),
                ([origin.url + '/', '--requests', '0'], '--requests'),
                ([origin.url + '/', '--rate', '1000000'], '--rate'),
                ([origin.url + '/', '--data', '@/does/not/exist'], 'cannot be read'),
                ([origin.url + '/', '--access-log', '/does/not/exist'], '/does/not/exist'),
                ([origin.url + '/', '--origin-ca', '/does/not/exist', '--ssl-mode', 'strict'],
                 '/does/not/exist'),
                ([], 'URL')):
            done = harness.run('doctor', *argv)
            self.assertEqual((done.returncode, done.stdout), (2, ''), argv)
            self.assertIn(words, done.stderr)
        self.assertEqual(origin.received, b'')


class FormsTest(DoctorTest):
    EVIL = b'<script>alert(1)</script>\x1b[31m'

    def evil_origin(self):
        def behave(connection):
            connection.read_request()
            connection.send(b'HTTP/1.1 200 OK\r\nServer: ' + self.EVIL[:25] + b'\r\nX-' + self.EVIL +
                            b': x\r\n\r\n')
        return self.origin(behave)

    def test_markdown_html_and_text_obey_no_origin(self):
        origin = self.evil_origin()
        page = os.path.join(self.temporary_directory(), 'report.html')
        text = harness.run('doctor', origin.url + '/', *QUICK, '--html', page)
        markdown = harness.run('doctor', origin.url + '/', *QUICK, '--markdown')
        self.assertEqual((text.returncode, markdown.returncode), (1, 1), text.stderr)
        with open(page) as file:
            html = file.read()
        for form in (text.stdout, markdown.stdout, html):
            self.assertIn('resp.bad_header_name.byte', form)
            self.assertNotIn('\x1b', form)
        self.assertNotIn('<script>alert', html)
        self.assertNotIn('<script>alert', markdown.stdout)

    def test_a_report_that_cannot_be_written_is_an_error(self):
        origin = self.origin(raw_origin.answering())
        done = harness.run('doctor', origin.url + '/', '--requests', '3', *QUICK, '--html', '/no/x')
        self.assertEqual(done.returncode, 2)
        self.assertIn('/no/x', done.stderr)

    def test_secrets_stay_out_of_the_report(self):
        def behave(connection):
            connection.read_request()
            connection.send(b'HTTP/1.1 200 OK\r\nSet-Cookie: id=topsecret; \x01\r\n\r\n')
        origin = self.origin(behave)
        for form in ('--json', '--markdown'):
            done = harness.run('doctor', origin.url + '/?token=topsecret', *QUICK, form)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertNotIn('topsecret', done.stdout)


@unittest.skipIf(missing('nginx'), missing('nginx'))
class LogsTest(DoctorTest):
    def test_the_origins_logs_are_joined_at_once(self):
        nginx = Nginx('location / { return 444; } access_log DIR/access.log ray;')
        self.up(nginx)
        report = doctor(nginx.url + '/', *QUICK, '--access-log', nginx.path('access.log'),
                        '--origin-format',
                        '$remote_addr - - [$time_local] "$request" $status $body_bytes_sent '
                        '"$http_referer" "$http_user_agent" $request_time $http_cf_ray $pid')
        self.judged('misconfigured', 'nginx returning 444, with its log', 'resp.empty_fin', report)
        self.assertTrue(report['logs'] and all('matched' in line for line in report['logs']),
                        report['logs'])
        self.assertTrue(any('In the logs' in line for line in report['verdict'][0]['evidence_for']))


@unittest.skipIf(missing('node'), missing('node'))
class CheckTest(DoctorTest):
    """`edgecase check`, as a pipeline runs it."""

    def node(self):
        return self.up(Node("""const server = http.createServer((request, response) => {
          if (request.url == '/bad') return request.socket.destroy();
          if (request.url == '/big') response.setHeader('X-A', Array(3).fill('x'.repeat(9000)));
          if (request.url == '/own') response.statusCode = 500;
          response.end(request.headers.host); });
          server.keepAliveTimeout = 1000;"""))

    def check(self, *argv):
        done = harness.run('check', *argv)
        return done, {r['name']: r for r in json.loads(done.stdout)['results']} if \
            '--json' in argv else None

    def test_what_would_be_a_52x_or_nearly_fails_and_all_else_passes(self):
        node = self.node()
        done, results = self.check(node.url, '/', '/bad', '/big', '/own', '--json', '--patience',
                                   '4s')
        self.assertEqual(done.returncode, 1)
        self.assertEqual({name: r['cause'] for name, r in results.items() if not r['ok']},
                         {'/bad': 'resp.empty_fin', '/big': 'resp.headers_too_large',
                          'keep-alive': 'reuse.stale'})
        self.assertEqual(results['/bad']['status'], 520)
        self.assertIn('by itself', results['/own']['note'])
        self.assertRegex(results['/bad']['ray_id'], '^[0-9a-f]{16}$')

    def test_what_is_skipped_or_allowed_does_not_fail(self):
        node = self.node()
        done, _ = self.check(node.url, '/', '/big', '--skip', 'keep-alive', '--header-share', '95')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertIn('2 checked, 0 failed', done.stdout)

    def test_junit_and_annotations_have_what_failed(self):
        node = self.node()
        report = os.path.join(self.temporary_directory(), 'junit.xml')
        done, _ = self.check(node.url, '/', '/bad', '--skip', 'keep-alive', '--github', '--junit',
                             report)
        self.assertIn('::error title=edgecase resp.empty_fin /bad::', done.stdout)
        suite = xml.etree.ElementTree.parse(report).getroot().find('testsuite')
        self.assertEqual((suite.get('tests'), suite.get('failures')), ('2', '1'))
        [failure] = suite.iter('failure')
        self.assertEqual(failure.get('type'), 'resp.empty_fin')

    def test_paths_come_from_a_file_or_from_standard_input(self):
        node = self.node()
        paths = os.path.join(self.temporary_directory(), 'paths')
        with open(paths, 'w') as file:
            file.write('# all of them\n/\n\n/own\n')
        done, results = self.check(node.url, '--paths', paths, '--skip', 'keep-alive', '--json')
        self.assertEqual((done.returncode, list(results)), (0, ['/', '/own']))
        done = subprocess.run([harness.BINARY, 'check', node.url, '--paths', '-', '--skip',
                               'keep-alive'], input='/bad\n', capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)

    def test_it_waits_for_a_server_that_is_just_starting(self):
        done, _ = self.check('http://127.0.0.1:1', '/', '--wait', '300ms')
        self.assertEqual(done.returncode, 1)
        self.assertIn('took no connection within 300ms', done.stderr)

    def test_bad_input_is_a_clear_error(self):
        for argv, words in ((['x y'], 'no URL carries'), (['http://127.0.0.1:1', 'a'], 'path'),
                            (['http://127.0.0.1:1', '--paths', '/no/such'], '/no/such'),
                            (['http://127.0.0.1:1', '--skip', 'all'], '--skip'),
                            (['http://127.0.0.1:1', '--header-share', '0'], '--header-share')):
            done = harness.run('check', *argv)
            self.assertEqual(done.returncode, 2, argv)
            self.assertIn(words, done.stderr)


def print_table():
    groups = collections.defaultdict(lambda: [0, 0])
    for group, _, true, claimed, _ in verdicts:
        groups[group][0] += true == claimed
        groups[group][1] += 1
    print('first suspicion of the doctor against the true cause:')
    for group, (right, all_of_them) in sorted(groups.items()):
        print(f'  {group:14} {right} of {all_of_them}')
    for group, what, true, claimed, likelihood in sorted(verdicts):
        if group != 'lab' and group != 'network' or true != claimed:
            mark = 'right' if true == claimed else 'WRONG'
            print(f'  {mark} {group:13} {what.replace("_", " "):60} {true:24} {claimed} '
                  f'{likelihood:.2f}')


def add_lab_tests():
    impossible = namespaces.why_impossible()
    for row in harness.run_json('lab', '--list', '--json'):
        if row['scenario'] in ELSEWHERE:
            continue
        name = f'test_{row["scenario"]}: {row["description"]}'.replace(' ', '_')
        network = row['target'] == 'namespace'
        check = (NetworkTest if network else LabTest).check

        def test(self, row=row, check=check):
            check(self, row)
        if network and impossible:
            test = unittest.skip(impossible)(test)
        setattr(NetworkTest if network else LabTest, name, test)


if __name__ == '__main__':
    if os.path.exists(harness.BINARY):
        add_lab_tests()
    harness.main(jobs=16, after=print_table,
                 first=('connection_lost', 'slow_body', 'not_acked', 'out_of_time', 'stands_still'))
