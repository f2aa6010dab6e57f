"""The binary as its operator meets it: signals, crashes, full disks, and bad input."""
import glob
import json
import os
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import threading
import time
import unittest

import harness
import namespaces
import raw_origin
import wire


class LifeTest(harness.TestCase):
    def test_sigterm_lets_a_running_request_finish_and_accepts_no_more(self):
        go_on = threading.Event()

        def behave(connection):
            connection.read_request()
            go_on.wait(10)
            connection.respond(b'finished')
        edge, origin = self.edge_before(behave, flags=('--read-timeout', '20s'))
        with edge.client() as client:
            client.send(wire.request())
            self.assertTrue(wire.eventually(lambda: origin.requests))
            edge.process.send_signal(signal.SIGTERM)

            def refused():
                try:
                    socket.create_connection(edge.address, 1).close()
                    return False
                except OSError:
                    return True
            self.assertTrue(wire.eventually(refused), 'new connections are refused')
            self.assertIsNone(edge.process.poll())
            go_on.set()
            response = client.response()
            self.assertEqual((response.status, response.body), (200, b'finished'))
        self.assertEqual(edge.process.wait(10 * harness.SLOWNESS), 0)
        self.assertEqual(edge.ray(response.ray)['cause'], 'none')

    def test_sigterm_ends_an_edge_with_idle_clients_at_once(self):
        edge, _ = self.edge_before(raw_origin.answering())
        with edge.client() as client, edge.client() as silent:
            self.assertEqual(client.get().status, 200)
            started = time.monotonic()
            edge.process.send_signal(signal.SIGTERM)
            self.assertEqual(edge.process.wait(10), 0)
            self.assertLess(time.monotonic() - started, 3 * harness.SLOWNESS)
            self.assertEqual((client.until_end(), silent.until_end()), (b'', b''))

    def test_sigint_ends_an_edge_cleanly_too(self):
        edge, _ = self.edge_before(raw_origin.answering())
        edge.process.send_signal(signal.SIGINT)
        self.assertEqual(edge.process.wait(10 * harness.SLOWNESS), 0)

    def test_sighup_disturbs_no_request(self):
        """A connection ends only behind a response that says so."""
        edge, _ = self.edge_before(raw_origin.answering())
        client = edge.client()
        self.assertEqual(client.get().status, 200)
        edge.process.send_signal(signal.SIGHUP)
        for _ in range(20):
            response = client.get()
            self.assertEqual(response.status, 200)
            if (response.header('connection') or '').lower() == 'close':
                client.close()
                client = edge.client()
            time.sleep(0.02)
        client.close()

    def test_records_are_readable_after_kill_9_and_the_file_is_intact(self):
        directory = self.temporary_directory()
        origin = self.origin(raw_origin.sending(b''))
        edge = harness.Edge(origin.url, data_dir=directory)
        self.addCleanup(shutil.rmtree, edge.own_directory)
        rays = [edge.fetch(f'/{i}').ray for i in range(20)]
        edge.ray(rays[-1])
        edge.kill()
        for path in glob.glob(os.path.join(directory, '*.sqlite')):
            with sqlite3.connect(f'file:{path}?mode=ro', uri=True) as database:
                self.assertEqual(database.execute('PRAGMA integrity_check').fetchall(), [('ok',)])
        again = self.edge(origin, data_dir=directory)
        for ray in rays:
            self.assertEqual(again.ray(ray)['cause'], 'resp.empty_fin')
        self.assertEqual(again.ray(again.fetch().ray)['cause'], 'resp.empty_fin')

    def test_successes_are_on_record_too(self):
        edge, _ = self.edge_before(raw_origin.answering())
        response = edge.fetch('/fine?a=b')
        case = self.assert_ray(edge, response, 'none', 200, edge_status=200, origin_status=200,
                               actor='none')
        self.assertEqual((case['request']['method'], case['request']['uri']), ('GET', '/fine?a=b'))
        self.assertEqual(case['request']['host'], 'edge.test')

    def test_a_record_is_readable_within_a_second_of_its_response(self):
        edge, _ = self.edge_before(raw_origin.by_path)
        took = []
        for _ in range(5):
            ray, answered = edge.fetch().ray, time.monotonic()
            edge.ray(ray)
            took.append(time.monotonic() - answered)
        # The command that reads it takes its time too, and a busy machine delays one or two.
        self.assertLess(statistics.median(took), 1.3 * harness.SLOWNESS, took)

    def test_many_workers_serve_and_record(self):
        edge, _ = self.edge_before(raw_origin.answering(), flags=('--workers', '3'))
        rays = {edge.fetch().ray for _ in range(30)}
        self.assertEqual(len(rays), 30)
        for ray in rays:
            self.assertEqual(edge.ray(ray)['cause'], 'none')

    def test_client_and_origin_may_speak_ipv6(self):
        origin = self.origin(raw_origin.answering(), host='::1')
        edge = self.edge(origin, listen='[::1]:0')
        self.assertEqual(edge.fetch().status, 200)
        self.assertEqual(origin.requests[0].header('cf-connecting-ip'), '::1')

    @unittest.skipIf(harness.SANITIZED, 'the sanitizer itself needs descriptors')
    def test_an_edge_out_of_descriptors_does_not_spin_and_recovers(self):
        edge, _ = self.edge_before(raw_origin.answering())
        self.assertEqual(edge.fetch().status, 200)
        in_use = len(os.listdir(f'/proc/{edge.pid}/fd'))
        subprocess.run(['prlimit', f'--pid={edge.pid}', f'--nofile={in_use + 4}'], check=True)
        held = [edge.client(timeout=0.3) for _ in range(12)]
        for client in held:
            client.send(wire.request())
        before = cpu_seconds(edge.pid)
        time.sleep(1)
        self.assertLess(cpu_seconds(edge.pid) - before, 0.5, 'busy while it can do nothing')
        for client in held:
            client.close()
        self.assertTrue(wire.eventually(lambda: self.status_of(edge) == 200, 8))

    @staticmethod
    def status_of(edge):
        try:
            return edge.fetch(timeout=1).status
        except (OSError, wire.Malformed):
            return None


def cpu_seconds(pid):
    with open(f'/proc/{pid}/stat') as file:
        words = file.read().rpartition(')')[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf('SC_CLK_TCK')


@unittest.skipIf(os.geteuid() != 0, 'only root can mount a small file system')
class FullDiskTest(harness.TestCase):
    def test_a_full_disk_is_reported_and_the_proxying_goes_on(self):
        directory = self.temporary_directory()
        mounted = namespaces.run('mount', '-t', 'tmpfs', '-o', 'size=1536k', 'tmpfs', directory,
                                 check=False)
        if mounted.returncode:
            self.skipTest(f'no right to mount: {mounted.stderr.strip()}')
        self.addCleanup(namespaces.run, 'umount', '-l', directory)
        edge, _ = self.edge_before(raw_origin.sending(b'HTTP/1.1 200 OK\r\nX Y: 1\r\n\r\n'),
                                   data_dir=os.path.join(directory, 'data'))
        self.assertEqual(edge.ray(edge.fetch().ray)['cause'], 'resp.bad_header_name.byte')
        filler = os.path.join(directory, 'filler')
        with open(filler, 'wb', buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
        path = '/' + 'p' * 2000
        told = wire.eventually(lambda: [edge.fetch(path).status for _ in range(10)]
                               and edge.errors(), 10)
        self.assertRegex(told, r'(?i)full|no space|space left')
        self.assertLess(len(told.splitlines()), 20, 'one line, not one for each record')
        self.assertEqual(edge.fetch().status, 520)
        os.remove(filler)
        wire.eventually(lambda: self.is_recorded(edge), 5 * harness.SLOWNESS)
        self.assertTrue(self.is_recorded(edge), 'recording goes on once there is room again')

    @staticmethod
    def is_recorded(edge):
        try:
            return edge.ray(edge.fetch().ray)
        except AssertionError:
            return None


class BadInputTest(harness.TestCase):
    """One clear line, and the exit status of the contract."""

    def refused(self, *argv, status=2, says=''):
        result = harness.run(*argv)
        self.assertEqual(result.returncode, status, result)
        lines = result.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertRegex(lines[0], says)
        self.assertEqual(result.stdout, '')

    def serve(self, *argv, **more):
        self.refused('serve', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', *argv, **more)

    def file(self, text):
        path = os.path.join(self.temporary_directory(), 'edge.toml')
        with open(path, 'w') as file:
            file.write(text)
        return path

    def test_an_unknown_ray_exits_with_1(self):
        edge, _ = self.edge_before(raw_origin.answering())
        self.refused('ray', '0000000000000000', '--data-dir', edge.data_dir, status=1,
                     says='0000000000000000')

    def test_what_is_no_ray_exits_with_2(self):
        edge, _ = self.edge_before(raw_origin.answering())
        self.refused('ray', 'xyz', '--data-dir', edge.data_dir, says='xyz')

    def test_a_ray_is_found_with_its_colo_too(self):
        edge, _ = self.edge_before(raw_origin.answering())
        response = edge.fetch()
        self.assertEqual(edge.ray(response.header('cf-ray'))['ray_id'], response.ray)

    def test_a_folder_without_records_exits_with_1(self):
        for command in (('ray', '0123456789abcdef'), ('cases',)):
            self.refused(*command, '--data-dir', '/nonexistent', status=1, says='/nonexistent')

    def test_a_wrong_flag_exits_with_2(self):
        self.refused('serve', '--no-such-flag', says='no-such-flag')

    def test_a_missing_origin_exits_with_2(self):
        self.serve('--data-dir', self.temporary_directory(), says='origin')

    def test_a_wrong_origin_exits_with_2(self):
        for url in ('ftp://a', 'http://', '127.0.0.1:80', 'http://a:99999', 'http://a/path'):
            with self.subTest(url=url):
                self.serve('--origin', url, '--data-dir', self.temporary_directory(), says='origin')

    def test_a_wrong_duration_exits_with_2(self):
        self.serve('--origin', 'http://a', '--read-timeout', '5', says='read-timeout|read_timeout')

    def test_a_port_in_use_exits_with_2(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.refused('serve', '--listen', f'127.0.0.1:{port}', '--origin', 'http://127.0.0.1:1',
                         '--data-dir', self.temporary_directory(), says=f'127.0.0.1:{port}')
            self.refused('serve', '--listen', '127.0.0.1:0', '--admin', f'127.0.0.1:{port}',
                         '--origin', 'http://127.0.0.1:1', '--data-dir', self.temporary_directory(),
                         says=f'127.0.0.1:{port}')

    def test_a_second_edge_on_the_port_of_the_first_exits_with_2(self):
        edge, _ = self.edge_before(raw_origin.answering())
        self.refused('serve', '--listen', f'127.0.0.1:{edge.address[1]}',
                     '--origin', 'http://127.0.0.1:1', '--data-dir', self.temporary_directory(),
                     says=str(edge.address[1]))

    def test_an_unwritable_folder_exits_with_2(self):
        for path, says in (('/proc/edgecase', '/proc/edgecase'),
                           ('/dev/null/edgecase', '/dev/null')):
            self.serve('--origin', 'http://127.0.0.1:1', '--data-dir', path, says=says)

    def test_a_malformed_file_is_named_with_line_and_column(self):
        path = self.file('workers = 1\norigin = [\n')
        self.serve('--config', path, says=r'edge\.toml:[23]:\d+: ')
        self.refused('config', 'check', path, says=r'edge\.toml:[23]:\d+: ')

    def test_an_unknown_key_is_named_with_line_and_column(self):
        path = self.file('origin = "http://127.0.0.1:1"\n\n[timeouts]\nraed = "2s"\n')
        self.serve('--config', path, says=r'edge\.toml:4:1: .*raed')
        self.refused('config', 'check', path, says=r'edge\.toml:4:1: .*raed')

    def test_a_wrong_value_is_named_with_line_and_column(self):
        path = self.file('origin = "http://127.0.0.1:1"\n[timeouts]\nread = 2\n')
        self.refused('config', 'check', path, says=r'edge\.toml:3:\d+: .*read')

    def test_a_missing_file_exits_with_2(self):
        self.refused('config', 'check', '/nonexistent/edge.toml', says='/nonexistent/edge.toml')

    def test_a_good_file_passes_the_check(self):
        path = self.file('origin = "http://127.0.0.1:1"\n[timeouts]\nread = "2s"\n')
        result = harness.run('config', 'check', path)
        self.assertEqual((result.returncode, result.stderr), (0, ''), result)

    def test_explaining_what_nobody_knows_exits_with_1_or_2(self):
        result = harness.run('explain', 'no.such.cause')
        self.assertIn(result.returncode, (1, 2))
        self.assertEqual(len(result.stderr.strip().splitlines()), 1)

    def test_no_subcommand_exits_with_2_and_points_to_the_help(self):
        self.refused(says='--help')

    def test_an_unknown_command_is_named_with_the_help_that_knows_better(self):
        for words, help_text in ((('frob',), 'edgecase --help'),
                                 (('ledger', 'frob'), 'edgecase ledger --help'),
                                 (('ranges', 'frob', '--json'), 'edgecase ranges --help')):
            said = 'there is no command "' + ' '.join(w for w in words if w != '--json') + '"'
            self.refused(*words, says=rf'{said} \({help_text} says what there is\)$')

    def test_help_exits_with_0(self):
        for command in ('serve', 'lab', 'demo', 'ray', 'cases', 'explain', 'config'):
            result = harness.run(command, '--help')
            self.assertEqual(result.returncode, 0, command)
            self.assertIn(command, harness.run('--help').stdout)


class CasesTest(harness.TestCase):
    def test_cases_are_found_by_status_cause_host_path_and_time(self):
        def behave(connection):
            request = connection.read_request()
            if request.target.startswith('/empty'):
                return
            connection.respond(b'own', '503 Own' if request.target == '/own' else '200 OK')
        edge, _ = self.edge_before(behave)
        rays = {path: edge.fetch(path, host=host).ray
                for path, host in (('/empty/a', 'a.test'), ('/own', 'a.test'),
                                   ('/empty/b', 'b.test'),
                                   ('/fine', 'a.test'))}
        edge.ray(rays['/fine'])

        def found(*filters):
            return {case['ray_id'] for case in edge.cases(*filters)}
        empty = {rays['/empty/a'], rays['/empty/b']}
        self.assertEqual(found(), empty | {rays['/own']})
        self.assertEqual(found('--status', '520'), empty)
        self.assertEqual(found('--cause', 'origin.status'), {rays['/own']})
        self.assertEqual(found('--cause', 'resp'), empty)
        self.assertEqual(found('--host', 'b.test'), {rays['/empty/b']})
        self.assertEqual(found('--path', '/empty'), empty)
        self.assertEqual(found('--path', '/empty', '--host', 'a.test'), {rays['/empty/a']})
        self.assertEqual(found('--since', '1h'), empty | {rays['/own']})
        self.assertEqual(found('--status', '524'), set())

    def test_people_get_text_and_no_colour_when_it_is_not_a_terminal(self):
        edge, _ = self.edge_before(raw_origin.sending(b''))
        ray = edge.fetch('/empty').ray
        edge.ray(ray)
        one = harness.run('ray', ray, '--data-dir', edge.data_dir)
        many = harness.run('cases', '--data-dir', edge.data_dir)
        for result in (one, many):
            self.assertEqual((result.returncode, result.stderr), (0, ''))
            self.assertIn(ray, result.stdout)
            self.assertIn('resp.empty_fin', result.stdout)
            self.assertNotIn('\x1b', result.stdout)

    def test_what_the_network_sent_cannot_reach_the_terminal(self):
        edge, _ = self.edge_before(raw_origin.sending(b'\x1b[2J\x1b]0;owned\x07\r\n\r\n'))
        ray = edge.fetch('/x', headers=(('User-Agent', '\xe2\x80\xae\x9b31m'),)).ray
        edge.ray(ray)
        shown = harness.run('ray', ray, '--data-dir', edge.data_dir)
        self.assertEqual(shown.returncode, 0)
        self.assertNotRegex(shown.stdout, '[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]')


class DemoTest(harness.TestCase):
    def test_the_tour_names_every_cause_rightly(self):
        result = harness.run('demo', '--once', '--json', '--listen', '127.0.0.1:0', timeout=110,
                             cwd=self.temporary_directory())
        self.assertEqual(result.stderr[-2000:] if result.returncode else '', '')
        stops = json.loads(result.stdout)
        self.assertEqual([stop for stop in stops if stop['problem']], [])
        self.assertGreater(len({stop['true_cause'] for stop in stops}), 60)


if __name__ == '__main__':
    harness.main(jobs=6)
