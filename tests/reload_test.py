"""A configuration taken while the edge runs: what changes, what stays, and that nobody notices."""
import os
import shutil
import threading
import time

import certificates
import harness
import http2_wire
import raw_origin
import wire

IN_FORCE = 'the new configuration is in force'


class ReloadTest(harness.TestCase):
    def configured(self, text, **more):
        return self.edge(config=text, **more)

    def rewrite(self, edge, text):
        path = os.path.join(edge.own_directory, 'edge.toml')
        with open(path + '.new', 'w') as file:
            file.write(text)
        os.rename(path + '.new', path)

    def reload(self, edge, text=None):
        """SIGHUP, and what the edge said to it."""
        if text is not None:
            self.rewrite(edge, text)
        said = edge.reload()
        self.assertTrue(said, 'nothing was said to SIGHUP')
        return said

    def two_origins(self):
        return self.origin(raw_origin.answering(b'old')), self.origin(raw_origin.answering(b'new'))

    def test_another_origin_is_in_force_after_sighup(self):
        old, new = self.two_origins()
        edge = self.configured(f'origin = "{old.url}"\n')
        self.assertEqual(edge.fetch().body, b'old')
        self.assertIn(IN_FORCE, self.reload(edge, f'origin = "{new.url}"\n'))
        self.assertEqual(edge.fetch().body, b'new')

    def test_a_bad_file_is_told_with_its_place_and_changes_nothing(self):
        old, _ = self.two_origins()
        edge = self.configured(f'origin = "{old.url}"\n')
        said = self.reload(edge, f'origin = "{old.url}"\nworkrs = 2\n')
        self.assertRegex(said, r'edge\.toml:2:1: unknown key `workrs`.*stays')
        self.assertEqual(edge.fetch().body, b'old')

    def test_a_file_that_is_gone_changes_nothing(self):
        old, _ = self.two_origins()
        edge = self.configured(f'origin = "{old.url}"\n')
        os.unlink(os.path.join(edge.own_directory, 'edge.toml'))
        self.assertIn('stays', self.reload(edge))
        self.assertEqual(edge.fetch().body, b'old')

    def test_a_port_that_is_taken_changes_nothing(self):
        old, new = self.two_origins()
        edge = self.configured(f'origin = "{old.url}"\n')
        taken = f'listen_plain = "127.0.0.1:{new.port}"\n'
        leaf = certificates.authority().localhost
        said = self.reload(edge, f'origin = "{new.url}"\ntls_cert = "{leaf.certificate}"\n'
                                 f'tls_key = "{leaf.key}"\n{taken}')
        self.assertRegex(said, 'cannot listen on .*in use.*stays')
        self.assertEqual(edge.fetch().body, b'old')

    def test_a_request_that_runs_is_finished_by_the_configuration_it_began_with(self):
        go_on = threading.Event()

        def behave(connection):
            while connection.read_request():
                go_on.wait(10)
                connection.respond(b'old')
        old = self.origin(behave)
        new = self.origin(raw_origin.answering(b'new'))
        edge = self.configured(f'origin = "{old.url}"\n', flags=['--read-timeout', '20s'])
        with edge.client() as client:
            client.send(wire.request())
            self.assertTrue(wire.eventually(lambda: old.requests))
            self.assertIn(IN_FORCE, self.reload(edge, f'origin = "{new.url}"\n'))
            self.assertEqual(edge.fetch().body, b'new')
            go_on.set()
            response = client.response()
            self.assertEqual(response.body, b'old')
            self.assertEqual(response.header('connection').lower(), 'close')

    def test_an_idle_connection_may_be_used_once_more(self):
        old, new = self.two_origins()
        edge = self.configured(f'origin = "{old.url}"\n')
        with edge.client() as client:
            self.assertEqual(client.get().body, b'old')
            self.assertIn(IN_FORCE, self.reload(edge, f'origin = "{new.url}"\n'))
            self.assertEqual(client.get().body, b'old')

    def test_no_request_is_lost_while_configurations_change(self):
        old, new = self.two_origins()
        edge = self.configured(f'origin = "{old.url}"\n', flags=('--workers', '2'))
        ended = threading.Event()
        bodies, problems = set(), []

        def ask():
            while not ended.is_set():
                try:
                    bodies.add(edge.fetch().body)
                except Exception as problem:  # whatever it is, it must not be
                    problems.append(problem)
        clients = [threading.Thread(target=ask) for _ in range(4)]
        for client in clients:
            client.start()
        for origin in (new, old, new, old, new):
            self.assertIn(IN_FORCE, self.reload(edge, f'origin = "{origin.url}"\n'))
            time.sleep(0.1)
        ended.set()
        for client in clients:
            client.join()
        self.assertEqual(problems, [])
        self.assertEqual(bodies, {b'old', b'new'})
        self.assertEqual([c for c in edge.cases() if c['status'] != 200], [])

    def test_rays_of_two_generations_are_never_the_same(self):
        old, _ = self.two_origins()
        text = f'origin = "{old.url}"\n'
        edge = self.configured(text)
        rays = [edge.fetch().ray for _ in range(20)]
        self.reload(edge, text)
        rays += [edge.fetch().ray for _ in range(20)]
        self.assertEqual(len(set(rays)), 40)
        for ray in rays:
            self.assertEqual(edge.ray(ray)['cause'], 'none')

    def test_the_counters_go_on_and_the_old_connections_are_gone(self):
        old, _ = self.two_origins()
        text = f'origin = "{old.url}"\n'
        edge = self.configured(text)
        for _ in range(5):
            edge.fetch()
        self.reload(edge, text)
        for _ in range(5):
            edge.fetch()

        def metrics():
            return wire.fetch(edge.admin, path='/metrics', host='localhost').body.decode()
        self.assertIn('edgecase_requests_total{status="2xx"} 10', metrics())
        self.assertIn('edgecase_reloads_total 1', metrics())
        self.assertTrue(wire.eventually(lambda: 'edgecase_connections_open 0\n' in metrics()))

    def test_a_renewed_certificate_is_shown_without_a_signal(self):
        authority = certificates.authority()
        folder = self.temporary_directory()
        cert, key = os.path.join(folder, 'edge.pem'), os.path.join(folder, 'edge.key')

        def install(leaf):
            shutil.copy(leaf.key, key)
            shutil.copy(leaf.certificate, cert)
        install(authority.localhost)
        old, _ = self.two_origins()
        edge = self.configured(f'origin = "{old.url}"\n',
                               flags=('--tls-cert', cert, '--tls-key', key))
        self.assertEqual(certificates.shown(edge.address), authority.localhost.pem())
        install(authority.other)
        self.assertTrue(wire.eventually(
            lambda: certificates.shown(edge.address) == authority.other.pem(),
            15 * harness.SLOWNESS))

    def test_a_renewed_certificate_without_its_key_changes_nothing(self):
        authority = certificates.authority()
        folder = self.temporary_directory()
        cert, key = os.path.join(folder, 'edge.pem'), os.path.join(folder, 'edge.key')
        shutil.copy(authority.localhost.key, key)
        shutil.copy(authority.localhost.certificate, cert)
        old, _ = self.two_origins()
        edge = self.configured(f'origin = "{old.url}"\n',
                               flags=('--tls-cert', cert, '--tls-key', key))
        shutil.copy(authority.other.certificate, cert)
        said = wire.eventually(lambda: edge.errors() if 'stays' in edge.errors() else '',
                               15 * harness.SLOWNESS)
        self.assertIn(key, said)
        self.assertEqual(certificates.shown(edge.address), authority.localhost.pem())


class OpenConnectionsTest(harness.TestCase):
    def test_a_connection_of_http_2_is_one_open_connection(self):
        edge, _ = self.edge_before(raw_origin.answering())

        def open_now():
            text = wire.fetch(edge.admin, path='/metrics', host='localhost').body.decode()
            return [line for line in text.splitlines()
                    if line.startswith('edgecase_connections_open ')]
        self.assertEqual(open_now(), ['edgecase_connections_open 0'])
        with edge.client() as client:
            client.send(http2_wire.PREFACE + http2_wire.settings_frame())
            self.assertTrue(wire.eventually(
                lambda: open_now() == ['edgecase_connections_open 1']), open_now())
        self.assertTrue(wire.eventually(lambda: open_now() == ['edgecase_connections_open 0']))


if __name__ == '__main__':
    harness.main()
