"""`edgecase traffic`, `top` and `tail` beside real edges: what they print is what was asked, a failure is there within a
second, and the terminal is given back on every way out."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import threading
import time

import harness
import wire
from harness import SLOWNESS
from raw_origin import by_path

ENTER, LEAVE = b'\x1b[?1049h', b'\x1b[?1049l'


class Follower:
    """A command whose output is read line by line, each with the time of its coming."""

    def __init__(self, *argv):
        self.errors = tempfile.NamedTemporaryFile(mode='w+', prefix='edgecase-test-')
        self.process = harness.spawn([harness.BINARY, *map(str, argv)], stdout=subprocess.PIPE,
                                     stderr=self.errors, text=True)
        self.lines = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line.rstrip('\n')))

    def texts(self):
        return [line for _, line in self.lines]

    def said(self):
        with open(self.errors.name) as file:
            return file.read()

    def wait_for(self, count, seconds=5):
        wire.eventually(lambda: len(self.lines) >= count, seconds * SLOWNESS)
        if len(self.lines) < count:
            raise AssertionError(f'{len(self.lines)} of {count} lines: {self.texts()} {self.said()}')
        return self.texts()

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(10 * SLOWNESS)
        self.thread.join(10)
        self.process.stdout.close()
        return status


class Terminal:
    """A command on a pseudo-terminal of its own."""

    def __init__(self, argv, columns=100, rows=30):
        self.master, slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = harness.spawn([harness.BINARY, *map(str, argv)], stdin=slave, stdout=slave,
                                     stderr=slave, start_new_session=True,
                                     preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.output = b''

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def read(self, seconds=0.2):
        new = b''
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.master], [], [], left)[0]:
                break
            try:
                data = os.read(self.master, 65536)
            except OSError:
                break
            if not data:
                break
            new += data
        self.output += new
        return new

    def wait_for(self, pattern, seconds=8):
        """Reads until the last whole screen has the pattern; gives that screen's text."""
        deadline = time.monotonic() + seconds * SLOWNESS * wire.PATIENCE
        while time.monotonic() < deadline:
            self.read(0.1)
            for screen in reversed(self.output.split(b'\x1b[H')[1:]):
                if not screen.endswith(b'\x1b[J') and b'\x1b[J' not in screen:
                    continue
                text = re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', screen.split(b'\x1b[J')[0].decode())
                if re.search(pattern, text):
                    return text
                break
        raise AssertionError(f'never showed {pattern!r}: {self.output[-3000:]!r}')

    def send(self, keys):
        os.write(self.master, keys)

    def end(self, seconds=10):
        deadline = time.monotonic() + seconds * SLOWNESS * wire.PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.1)
        self.read(0.1)
        return self.process.poll()

    def is_given_back(self):
        return (self.output.count(ENTER) == self.output.count(LEAVE) > 0 and
                self.output.rstrip().endswith(LEAVE) and b'\x1b[?25h' in self.output and
                termios.tcgetattr(self.slave) == self.before)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


class Traffic(harness.TestCase):

    def busy_edge(self):
        edge, _ = self.edge_before(by_path)
        for i in range(12):
            edge.fetch(f'/orders/{1000 + i}', host='shop.example')
        for i in range(3):
            edge.fetch(f'/bad/{i}', host='shop.example')
        edge.fetch('/error', host='other.example')
        self.assertTrue(wire.eventually(
            lambda: self.totals(edge)['requests'] == 16, 5 * SLOWNESS), self.totals(edge))
        return edge

    def totals(self, edge, *flags):
        return harness.run_json('traffic', '--data-dir', edge.data_dir, '--json', *flags)['totals']

    def test_what_was_asked_is_counted_and_told_apart(self):
        edge = self.busy_edge()
        traffic = harness.run_json('traffic', '--data-dir', edge.data_dir, '--json', '--since', '10m')
        self.assertEqual({s['key']: s['total'] for s in traffic['series']},
                         {'none': 12, 'resp.empty_fin': 3, 'origin.status': 1})
        self.assertEqual({k: traffic['totals'][k] for k in ('requests', 'failures', 'edge_errors',
                                                            'origin_errors')},
                         {'requests': 16, 'failures': 4, 'edge_errors': 3, 'origin_errors': 1})
        self.assertEqual(traffic['before']['requests'], 0)
        self.assertEqual(sum(map(sum, (s['requests'] for s in traffic['series']))), 16)
        for flags, expected in ((['--host', 'shop.example'], 15), (['--cause', 'resp'], 3),
                                (['--status', '500'], 1), (['--since', '2026-01-01T00:00:00Z'], 16),
                                (['--since', '7d'], 16), (['--host', 'no.example'], 0)):
            self.assertEqual(self.totals(edge, *flags)['requests'], expected, flags)

    def test_the_text_has_it_too_and_fits_eighty_columns(self):
        edge = self.busy_edge()
        for by, key in (('cause', 'resp.empty_fin'), ('status', '520'), ('host', 'shop.example'),
                        ('origin', 'http://127.0.0.1:')):
            done = harness.run('traffic', '--data-dir', edge.data_dir, '--by', by)
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            for part in (key, 'p95', 'max', '/orders/{n}', 'failures', '█', by.upper()):
                self.assertIn(part, done.stdout)
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80, done.stdout)
            self.assertNotIn('\x1b', done.stdout)

    def test_a_wide_terminal_is_used_and_coloured(self):
        edge = self.busy_edge()
        terminal = Terminal(['traffic', '--data-dir', edge.data_dir], columns=150)
        self.addCleanup(terminal.stop)
        self.assertEqual(terminal.end(), 0)
        plain = re.sub(r'\x1b\[[0-9;]*m', '', terminal.output.decode())
        self.assertNotEqual(plain, terminal.output.decode())
        widest = max(map(len, plain.splitlines()))
        self.assertTrue(100 < widest <= 150, widest)

    def test_bad_input_is_a_clear_error(self):
        for command in ('traffic', 'top', 'tail'):
            ending = ['--no-follow'] if command == 'tail' else []
            done = harness.run(command, '--data-dir', '/no/such', *ending)
            self.assertEqual((done.returncode, done.stdout), (1, ''), command)
            self.assertIn('/no/such', done.stderr)
        for argv, word in ((['traffic', '--since', 'yesterday'], '--since'),
                           (['traffic', '--until', '1x'], '--until'),
                           (['traffic', '--since', '1h', '--until', '2h'], '--since'),
                           (['traffic', '--by', 'colour'], '--by'),
                           (['traffic', '--cause', 'nonsense'], 'nonsense'),
                           (['traffic', '--status', '9'], '--status'),
                           (['top', '--interval', '1'], '--interval'),
                           (['top', '--interval', '1ms'], '--interval'),
                           (['top', '--window', '5s'], '--window'),
                           (['top', '--by', 'colour'], '--by'),
                           (['tail', '--since', 'x'], '--since'),
                           (['tail', '--cause', 'nonsense'], 'nonsense'),
                           (['tail', '--lines', '-1'], '--lines')):
            done = harness.run(*argv)
            self.assertEqual((done.returncode, done.stdout), (2, ''), argv)
            self.assertIn(word, done.stderr)
            self.assertEqual(done.stderr.count('\n'), 1, done.stderr)


class Tail(harness.TestCase):

    def tail(self, edge, *flags):
        data_dir = getattr(edge, 'data_dir', edge)
        follower = Follower('tail', '--data-dir', data_dir, *flags)
        self.addCleanup(follower.stop)
        return follower

    def test_a_failure_is_there_within_a_second_of_its_response(self):
        edge, _ = self.edge_before(by_path)
        edge.fetch('/bad/first')
        wire.eventually(lambda: edge.cases(), 3)
        tail = self.tail(edge)
        tail.wait_for(1)
        late = []
        for i in range(10):
            response = edge.fetch(f'/bad/{i}?token=geheim')
            answered = time.monotonic()
            line = tail.wait_for(i + 2)[i + 1]
            late.append(tail.lines[i + 1][0] - answered)
            for part in (response.ray, '520', 'resp.empty_fin', 'GET', f'edge.test/bad/{i}',
                         'http://127.0.0.1:', 'The origin'):
                self.assertIn(part, line)
            time.sleep(0.07)
        print(f'a failure is shown {min(late):.2f} to {max(late):.2f} s after its response')
        self.assertLess(max(late), 1.0 * SLOWNESS)
        self.assertNotIn('geheim', '\n'.join(tail.texts()))
        self.assertEqual(tail.stop(signal.SIGINT), 0)
        self.assertEqual(tail.said(), '')

    def test_none_is_missed_or_repeated_while_many_long_and_short_ones_end(self):
        edge, _ = self.edge_before(by_path, flags=('--workers', '2', '--read-timeout', '20s'))
        edge.fetch('/bad/first')
        wire.eventually(lambda: edge.cases(), 3)
        tail = self.tail(edge, '--json')
        tail.wait_for(1)  # from here on it follows; what was stored before is none of its business
        rays, lock = [edge.cases()[0]['ray_id']], threading.Lock()

        def ask(worker):
            for i in range(60):
                # Every tenth takes long: it is written after many that began later.
                wait = f'/wait/{1 + worker % 3 * 0.4}' if i % 20 == 5 else ''
                response = edge.fetch(f'{wait}/bad/{worker}/{i}')
                with lock:
                    rays.append(response.ray)

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        cases = [json.loads(line) for line in tail.wait_for(len(rays))]
        time.sleep(0.5)
        self.assertEqual(len(tail.lines), len(rays))
        self.assertEqual(sorted(c['ray_id'] for c in cases), sorted(rays))
        times = [c['time'] for c in cases]
        self.assertNotEqual(times, sorted(times), 'no long request among them')
        self.assertEqual(tail.stop(), 0)

    def test_the_last_ones_come_first_and_filters_hold_for_both(self):
        edge, _ = self.edge_before(by_path)
        for i in range(15):
            edge.fetch(f'/bad/{i}', host='a.example' if i % 2 else 'b.example')
        edge.fetch('/error/x')
        wire.eventually(lambda: len(edge.cases()) == 16, 5)
        last = harness.run('tail', '--data-dir', edge.data_dir, '--no-follow')
        self.assertEqual(last.returncode, 0)
        paths = re.findall(r'/(?:bad|error)/\w+', last.stdout)
        self.assertEqual(paths, [f'/bad/{i}' for i in range(6, 15)] + ['/error/x'])
        for flags, expected in ((['--lines', '2', '--host', 'a.example'], ['/bad/11', '/bad/13']),
                                (['--cause', 'origin'], ['/error/x']), (['--status', '500'], ['/error/x']),
                                (['--path', '/bad/14'], ['/bad/14']), (['--lines', '0'], []),
                                (['--since', '2030-01-01T00:00:00Z'], [])):
            done = harness.run('tail', '--data-dir', edge.data_dir, '--no-follow', *flags)
            self.assertEqual(re.findall(r'/(?:bad|error)/\w+', done.stdout), expected, flags)
        tail = self.tail(edge, '--host', 'A.example', '--path', '/bad/', '--cause', 'resp.',
                         '--lines', '1')
        tail.wait_for(1)
        for i in range(20, 24):
            edge.fetch(f'/bad/{i}', host='a.example:80' if i % 2 else 'b.example')
        edge.fetch('/error/2', host='a.example')
        edge.fetch('/bad/29', host='a.example')
        texts = tail.wait_for(4)
        self.assertEqual([re.search(r'/bad/\d+', t)[0] for t in texts],
                         ['/bad/13', '/bad/21', '/bad/23', '/bad/29'])

    def test_it_waits_for_a_store_and_goes_on_when_the_file_is_replaced(self):
        origin = self.origin(by_path)
        data_dir = os.path.join(self.temporary_directory(), 'data')
        tail = self.tail(data_dir, '--json')
        self.assertTrue(wire.eventually(lambda: 'waiting' in tail.said(), 5 * SLOWNESS))
        edge = harness.Edge(origin.url, data_dir=data_dir)
        rays = [edge.fetch(f'/bad/{i}').ray for i in range(3)]
        tail.wait_for(3)
        edge.stop()
        for name in os.listdir(data_dir):
            os.rename(os.path.join(data_dir, name), os.path.join(data_dir, 'old-' + name))
        edge = self.edge(origin, data_dir=data_dir)
        rays += [edge.fetch(f'/bad/{i}').ray for i in range(3)]
        tail.wait_for(6)
        time.sleep(0.3)
        self.assertEqual([json.loads(t)['ray_id'] for t in tail.texts()], rays)
        self.assertEqual(tail.stop(), 0)
        self.assertIn('following', tail.said())

    def test_it_ends_when_its_pipe_closes_and_when_told_to_while_nobody_reads(self):
        edge, _ = self.edge_before(by_path)
        edge.fetch('/bad/1')
        wire.eventually(lambda: edge.cases(), 3)
        argv = [harness.BINARY, 'tail', '--data-dir', edge.data_dir, '--json', '--lines', '10000']
        process = harness.spawn(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.readline()
        process.stdout.close()  # nothing is written any more, yet it notices
        self.assertEqual(process.wait(5 * SLOWNESS), 0)
        self.assertEqual(process.stderr.read(), b'')
        process.stderr.close()
        for i in range(60):
            edge.fetch(f'/bad/{i}' + 'x' * 1000)
        wire.eventually(lambda: len(edge.cases('--limit', '1000')) == 61, 5)
        stuck = harness.spawn(argv, stdout=subprocess.PIPE)
        time.sleep(0.7)  # the pipe is full now
        self.assertIsNone(stuck.poll())
        stuck.send_signal(signal.SIGTERM)
        self.assertEqual(stuck.wait(5 * SLOWNESS), 0)
        stuck.stdout.close()

    def test_a_line_fits_the_terminal(self):
        edge, _ = self.edge_before(by_path)
        edge.fetch('/bad/' + 'x' * 300)
        wire.eventually(lambda: edge.cases(), 3)
        for columns in (60, 90, 160):
            terminal = Terminal(['tail', '--data-dir', edge.data_dir, '--no-follow'], columns)
            self.addCleanup(terminal.stop)
            self.assertEqual(terminal.end(), 0)
            plain = re.sub(r'\x1b\[[0-9;]*m', '', terminal.output.decode()).splitlines()
            self.assertEqual(len(plain), 1)
            self.assertLessEqual(len(plain[0]), columns)


class Top(harness.TestCase):

    def top(self, edge, *flags, **more):
        terminal = Terminal(['top', '--data-dir', edge.data_dir, '--interval', '300ms', *flags],
                            **more)
        self.addCleanup(terminal.stop)
        return terminal

    def busy_edge(self):
        edge, _ = self.edge_before(by_path)
        for i in range(8):
            edge.fetch(f'/orders/{i}', host='shop.example')
        edge.fetch('/bad/1', host='bad.example')
        time.sleep(1.5)
        return edge

    def test_it_shows_what_comes_and_keys_choose_what_is_told_apart(self):
        edge = self.busy_edge()
        terminal = self.top(edge)
        self.assertIn('resp.empty_fin', terminal.wait_for(r'\[CAUSE\].*\n(.*\n)*.*resp.empty_fin'))
        edge.fetch('/error')
        terminal.wait_for('origin.status')
        for key, shown in ((b'\t', r'\[STATUS\](.|\n)*\n520 '), (b'\x1b[C', r'\[HOST\](.|\n)*bad.example'),
                           (b'\x1bOC', r'\[ORIGIN\](.|\n)*http://127'), (b'\x1b[B', r'\[PATH\](.|\n)*/orders/\{n\}'),
                           (b'\x1b[D', r'\[ORIGIN\]'), (b'p', 'PAUSED'), (b's', 'sort by requests'),
                           (b'p', 'p pause')):
            terminal.send(key)
            terminal.wait_for(shown)
        terminal.send(b'q')
        self.assertEqual(terminal.end(), 0)
        self.assertTrue(terminal.is_given_back(), terminal.output[-200:])

    def test_the_screen_is_used_whole_and_follows_a_resize(self):
        edge = self.busy_edge()
        terminal = self.top(edge, columns=90, rows=20)
        for columns, rows in ((90, 20), (120, 40), (80, 12)):
            terminal.resize(columns, rows)
            terminal.output = terminal.output[:0]
            text = terminal.wait_for('q quit')
            deadline = time.monotonic() + 5
            while len(text.replace('\r', '').split('\n')) != rows and time.monotonic() < deadline:
                terminal.output = terminal.output[:0]
                text = terminal.wait_for('q quit')
            lines = text.replace('\r', '').split('\n')
            self.assertEqual(len(lines), rows)
            self.assertLessEqual(max(map(len, lines)), columns, text)

    def test_the_terminal_is_given_back_on_every_way_out(self):
        edge = self.busy_edge()
        for way in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, b'\x03', b'q'):
            terminal = self.top(edge)
            terminal.wait_for('q quit')
            if isinstance(way, bytes):
                terminal.send(way)
            else:
                terminal.process.send_signal(way)
            self.assertEqual(terminal.end(), 0, way)
            self.assertTrue(terminal.is_given_back(), (way, terminal.output[-200:]))

    def test_a_stopped_one_gives_the_terminal_back_until_it_goes_on(self):
        edge = self.busy_edge()
        terminal = self.top(edge)
        terminal.wait_for('q quit')
        terminal.send(b'\x1a')
        state = lambda: open(f'/proc/{terminal.process.pid}/stat').read().rsplit(')', 1)[1].split()[0]
        self.assertTrue(wire.eventually(lambda: state() == 'T', 5 * SLOWNESS))
        terminal.read()
        self.assertTrue(terminal.is_given_back())
        terminal.process.send_signal(signal.SIGCONT)
        terminal.output = terminal.output[:0]
        terminal.wait_for('q quit')
        terminal.send(b'q')
        self.assertEqual(terminal.end(), 0)

    def test_a_store_that_goes_away_is_told_and_comes_back(self):
        edge = self.busy_edge()
        terminal = self.top(edge)
        terminal.wait_for('q quit')
        os.rename(edge.data_dir, edge.data_dir + '.away')
        terminal.wait_for('no record store|no such|cannot|does not exist|is not there')
        os.rename(edge.data_dir + '.away', edge.data_dir)
        terminal.output = terminal.output[:0]
        terminal.wait_for(r'now [^\n]*\n\s*\n')
        terminal.send(b'q')
        self.assertEqual(terminal.end(), 0)

    def test_without_a_terminal_it_prints_once_and_json_at_each_look(self):
        edge = self.busy_edge()
        done = harness.run('top', '--data-dir', edge.data_dir, '--by', 'path')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertIn('/orders/{n}', done.stdout)
        self.assertNotIn('\x1b', done.stdout)
        one = harness.run('top', '--data-dir', edge.data_dir, '--json', '--once')
        self.assertEqual(json.loads(one.stdout)['totals']['requests'], 9)
        follower = Follower('top', '--data-dir', edge.data_dir, '--json', '--interval', '200ms')
        self.addCleanup(follower.stop)
        looks = [json.loads(line) for line in follower.wait_for(3)]
        self.assertEqual([look['totals']['requests'] for look in looks], [9, 9, 9])
        self.assertEqual(follower.stop(), 0)


if __name__ == '__main__':
    harness.main(jobs=6)
