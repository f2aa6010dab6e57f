"""Starts and ends the real binary for the tests, reads its records, and runs test cases side by
side."""
import concurrent.futures
import contextlib
import itertools
import json
import mmap
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import namespaces
import raw_origin
import wire

BINARY = os.path.abspath(os.environ.get('EDGECASE_BINARY', os.path.join(
    os.path.dirname(__file__), '..', 'build', 'release', 'edgecase')))
SKIPPED = 77  # ctest's SKIP_RETURN_CODE
SANITIZER_REPORT = re.compile(r'ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error: ')
CRASH = re.compile(SANITIZER_REPORT.pattern + r'|exit status -?[1-9]')
TIMEOUTS = {'--connect-timeout': '1s', '--ack-timeout': '2s', '--read-timeout': '2s',
            '--write-timeout': '2s'}


def _is_sanitized():
    with open(BINARY, 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
        return any(image.find(mark) >= 0 for mark in (b'__asan_init', b'__tsan_init'))


SANITIZED = os.path.exists(BINARY) and _is_sanitized()
SLOWNESS = 4 if SANITIZED else 1  # factor on every upper bound of time


def spawn(argv, namespace=None, **options):
    """A process that ends with us, come what may."""
    inside = ['ip', 'netns', 'exec', namespace.name] if namespace else []
    options.setdefault('stdin', subprocess.DEVNULL)
    return subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', '--', *inside, *argv], **options)


def run(*argv, timeout=60, **options):
    """One subcommand to its end: `edgecase ARGV...`."""
    return subprocess.run([BINARY, *map(str, argv)], capture_output=True, text=True,
                          timeout=timeout, **options)


def run_json(*argv):
    result = run(*argv)
    if result.returncode:
        raise AssertionError(f'{argv} exited {result.returncode}: {result.stderr}')
    return json.loads(result.stdout)


class Server:
    """A subcommand that stays up and says `ready ...`."""

    def __init__(self, argv, namespace=None, environment=None):
        self.argv = [str(a) for a in argv]
        self.log = tempfile.NamedTemporaryFile(mode='a', prefix='edgecase-test-', suffix='.log')
        self.process = spawn([BINARY, *self.argv], namespace, stdout=subprocess.PIPE,
                             stderr=self.log, text=True, env={**os.environ, **(environment or {})})
        self.first_lines = []

    @property
    def pid(self):
        return self.process.pid

    def wait_for_line(self, pattern, seconds=10):
        """The match of the first line of standard output that has the pattern."""
        deadline = time.monotonic() + seconds * SLOWNESS * wire.PATIENCE
        while time.monotonic() < deadline:
            if not select.select([self.process.stdout], [], [], 0.5)[0]:
                continue
            line = self.process.stdout.readline()
            if not line:
                break
            self.first_lines.append(line)
            if match := re.search(pattern, line):
                return match
        said = self.errors()
        self.kill()
        raise AssertionError(f'{self.argv} never said {pattern}: {self.first_lines} {said[-2000:]}')

    def errors(self):
        """What it wrote to standard error so far."""
        with open(self.log.name, errors='replace') as file:
            return file.read()

    def reload(self):
        """SIGHUP, and what was said to it."""
        before = len(self.errors())
        self.process.send_signal(signal.SIGHUP)
        return wire.eventually(lambda: self.errors()[before:] if self.errors()[before:].endswith('\n')
                               else '', 10 * SLOWNESS)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=15):
        """SIGTERM, the exit status must be 0 and no sanitizer may have complained."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds * SLOWNESS)
            except subprocess.TimeoutExpired:
                self.kill()
                said = self.errors()[-2000:]
                raise AssertionError(f'still up {seconds} s after SIGTERM: {said}') from None
        self.process.stdout.close()
        said = self.errors()
        if self.process.returncode or SANITIZER_REPORT.search(said):
            raise AssertionError(f'exit status {self.process.returncode}: {said[-8000:]}')


def scenario_config(row):
    """The configuration that a scenario of the lab needs: the usual short timeouts, and a hold-back
    that a busy machine does not overrun, under its own lines."""
    lines = {'limits.hold_back_time': '"400ms"', 'timeouts.connect': '"1500ms"',
             'timeouts.ack': '"2s"', 'timeouts.read': '"2s"', 'timeouts.write': '"2s"',
             'timeouts.dns': '"1s"', 'timeouts.tls_handshake': '"2s"',
             'timeouts.h2_settings': '"2s"'}
    lines |= dict(re.findall(r'^\s*(\S+)\s*=\s*(.+)$', row['edge_config'], re.MULTILINE))
    return ''.join(f'{key} = {value}\n' for key, value in lines.items())


class Edge(Server):
    """`edgecase serve` in front of `origin` (a URL). `config` is TOML text, `routes` are
    `[HOST][/PATH]=URL`. The usual timeouts are short flags, which win over the file; those among
    `flags` (names and values in turn) replace them."""

    def __init__(self, origin=None, config=None, routes=(), flags=(), data_dir=None, namespace=None,
                 listen='127.0.0.1:0', environment=None, timeouts=TIMEOUTS):
        self.own_directory = tempfile.mkdtemp(prefix='edgecase-test-')
        self.data_dir = data_dir or os.path.join(self.own_directory, 'data')
        named = {'--listen': listen, '--admin': '127.0.0.1:0', '--data-dir': self.data_dir,
                 '--workers': '1', **timeouts, **dict(zip(flags[::2], flags[1::2]))}
        argv = ['serve', *(word for pair in named.items() for word in pair)]
        if origin:
            argv += ['--origin', origin]
        for route in routes:
            argv += ['--route', route]
        if config is not None:
            path = os.path.join(self.own_directory, 'edge.toml')
            with open(path, 'w') as file:
                file.write(config)
            argv += ['--config', path]
        super().__init__(argv, namespace, environment)
        endpoint = r'\[?([^\]\s]+?)\]?:(\d+)'
        admin = r'(unix):(\S+)' if named['--admin'].startswith('unix:') else endpoint
        ready = self.wait_for_line(f'^ready edge={endpoint} admin={admin}'
                                   f'(?: plain={endpoint})?$')
        self.address = (ready[1], int(ready[2]))
        self.admin = (ready[3], ready[4] if ready[3] == 'unix' else int(ready[4]))
        self.plain = ready[5] and (ready[5], int(ready[6]))

    def fetch(self, path='/', **more):
        return wire.fetch(self.address, path=path, **more)

    def client(self, **more):
        return wire.Client(self.address, **more)

    def ray(self, ray, seconds=1.5):
        """The case file of that ray. A record is readable within a second of its response, says the
        contract; operation_test holds the edge to that."""
        deadline = time.monotonic() + seconds * SLOWNESS * wire.PATIENCE
        while True:
            result = run('ray', ray, '--data-dir', self.data_dir, '--json')
            if result.returncode == 0:
                return json.loads(result.stdout)
            if time.monotonic() > deadline:
                said = self.errors()[-500:]
                raise AssertionError(f'no record of ray {ray!r}: {result.stderr} {said}')
            time.sleep(0.05)

    def cases(self, *filters):
        return run_json('cases', '--data-dir', self.data_dir, '--json', *filters)

    def only_case(self, cause, seconds=3):
        """Waits for a case with that cause and gives its case file; for faults without a
        response."""
        found = wire.eventually(lambda: [c for c in self.cases() if c['cause'] == cause],
                                seconds * SLOWNESS)
        if len(found) != 1:
            raise AssertionError(f'{len(found)} cases of {cause}, all: '
                                 f'{[(c["cause"], c["edge_status"]) for c in self.cases()]}')
        return self.ray(found[0]['ray_id'])

    def stop(self, seconds=15):
        try:
            super().stop(seconds)
        finally:
            shutil.rmtree(self.own_directory, ignore_errors=True)


_given_ports = set()
_giving_port = threading.Lock()


def free_port():
    """A free loopback port below those the kernel gives to clients, so that it stays free until its
    server is up, and while that is down. Each is given once."""
    with open('/proc/sys/net/ipv4/ip_local_port_range') as file:
        first_of_clients = int(file.read().split()[0])
    while True:
        port = random.randrange(10_000, max(first_of_clients, 11_000))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(('127.0.0.1', port))
            except OSError:
                continue
        with _giving_port:
            if port not in _given_ports:
                _given_ports.add(port)
                return port


class ClosedPort:
    """A port that nobody else can take and that refuses connections; of every address if `host` is
    empty."""

    def __init__(self, host='127.0.0.1', port=0):
        self.socket = socket.socket()
        self.socket.bind((host, port))
        self.port = self.socket.getsockname()[1]
        self.url = f'http://127.0.0.1:{self.port}'

    def stop(self):
        self.socket.close()


def resident_bytes(pid):
    with open(f'/proc/{pid}/statm') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def connections_to(pid, port):
    """How many established TCP connections that process has to that port."""
    sockets = set()
    for fd in os.listdir(f'/proc/{pid}/fd'):
        with contextlib.suppress(FileNotFoundError):
            sockets.add(os.readlink(f'/proc/{pid}/fd/{fd}'))
    with open('/proc/net/tcp') as table:
        rows = [line.split() for line in list(table)[1:]]
    return sum(row[3] == '01' and int(row[2].split(':')[1], 16) == port and
               f'socket:[{row[9]}]' in sockets for row in rows)


class Shared:
    """Something many tests use: made when the first one asks, stopped after the last one."""

    made = []

    def __init__(self, make):
        self.make = make
        self.lock = threading.Lock()
        self.value = None

    def get(self):
        with self.lock:
            if self.value is None:
                self.value = self.make()
                if hasattr(self.value, 'stop'):
                    Shared.made.append(self.value)
            return self.value

    @staticmethod
    def stop_all():
        """Newest first; gives the sentences of what did not end well."""
        trouble = []
        for value in reversed(Shared.made):
            try:
                value.stop()
            except AssertionError as error:
                trouble.append(str(error))
        return trouble


class TestCase(unittest.TestCase):
    """What a test starts through these methods ends with it; an edge must end with status 0."""

    maxDiff = None

    def edge(self, origin=None, **more):
        edge = Edge(getattr(origin, 'url', origin), **more)
        self.addCleanup(edge.stop)
        return edge

    def origin(self, behave, **more):
        origin = raw_origin.Origin(behave, **more)
        self.addCleanup(origin.stop)
        return origin

    def edge_before(self, behave, **more):
        """An origin that behaves so, and an edge in front of it."""
        origin = self.origin(behave)
        return self.edge(origin, **more), origin

    def temporary_directory(self):
        path = tempfile.mkdtemp(prefix='edgecase-test-')
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path

    def assert_case(self, case, cause, **fields):
        """The case file names this cause, and has these fields; what matters of it is shown if
        not."""
        shown = json.dumps({key: case[key]
                            for key in ('ray_id', 'edge_status', 'origin_status', 'cause', 'actor',
                                                       'summary', 'aborted', 'evidence')} |
                           {'attempts': [a['cause'] for a in case['attempts']]})
        self.assertEqual(case['cause'], cause, shown)
        self.assertEqual(case['phase'], cause.split('.')[0], shown)
        for name, value in fields.items():
            self.assertEqual(case.get(name), value, f'{name} of {shown}')
        return case

    def assert_ray(self, edge, response, cause, status=None, **fields):
        """The response carries a ray whose record has this cause."""
        if status is not None:
            self.assertEqual(response.status, status, response)
        self.assertRegex(response.header('cf-ray') or '', r'^[0-9a-f]{16}-[A-Z]{3}$', response)
        return self.assert_case(edge.ray(response.ray), cause, **fields)


def _flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from _flatten(item)
        else:
            yield item


def _sentence(test):
    return test._testMethodName.removeprefix('test_').replace('_', ' ')


def _run_one(test):
    result = unittest.TestResult()
    start = time.monotonic()
    test.run(result)
    trouble = [text for _, text in itertools.chain(result.failures, result.errors)]
    return test, trouble, [reason for _, reason in result.skipped], time.monotonic() - start


def _still_failing(pool, failed):
    """Those of the failed tests that fail again, each run alone: on two cores, dozens of programs
    beside a test can use up any time it allows. It is said, and never done for a crash, a
    sanitizer's report, or when more than two fail."""
    if len(failed) > 2:
        return failed
    found = []
    for test, trouble in failed:
        if CRASH.search(' '.join(trouble)):
            found.append((test, trouble))
            continue
        anew = type(test)(test._testMethodName)
        _, again, _, seconds = pool.submit(_run_one, anew).result()
        print(f'again   {seconds:5.1f} s  {_sentence(test)}:',
              'fails alone too' if again else 'failed beside others, passes alone', flush=True)
        for text in again:
            print('    ' + text.replace('\n', '\n    '), flush=True)
        if again:
            found.append((test, again))
    return found


def main(impossible=None, jobs=8, after=None, first=()):
    """Runs the test cases of the calling module, `jobs` at a time: they mostly wait. Arguments pick
    tests by a part of their name. `impossible`: a sentence why nothing here can run. `after()` may
    print. `first`: parts of the names of the longest ones, which begin before the others."""
    if impossible is None and not os.path.exists(BINARY):
        impossible = f'no binary at {BINARY}; set EDGECASE_BINARY'
    if impossible:
        print(f'skipped: {impossible}')
        sys.exit(SKIPPED)
    tests = list(_flatten(unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])))
    if len(sys.argv) > 1:
        tests = [t for t in tests if any(a.replace(' ', '_') in t.id() for a in sys.argv[1:])]
    tests.sort(key=lambda t: not any(part in t.id() for part in first))
    failed, skipped = [], 0
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(_run_one, t) for t in tests]):
            test, trouble, reasons, seconds = done.result()
            word = 'FAILED' if trouble else 'skipped' if reasons else 'ok'
            print(f'{word:7} {seconds:5.1f} s  {_sentence(test)}', *(f'({r})' for r in reasons))
            for text in trouble:
                print('    ' + text.replace('\n', '\n    '), flush=True)
            if trouble:
                failed.append((test, trouble))
            skipped += bool(reasons) and not trouble
        failed = _still_failing(pool, failed)
        # Within the pool: what its threads started ends with them (see spawn).
        if after:
            after()
        for text in Shared.stop_all():
            print('FAILED  the shared edge ends well\n    ' + text)
            failed.append(text)
    seconds = time.monotonic() - start
    print(f'{len(tests)} tests, {len(failed)} failed, {skipped} skipped, {seconds:.1f} s')
    if failed or not tests:
        sys.exit(1)
    sys.exit(SKIPPED if skipped == len(tests) else 0)


__all__ = ['BINARY', 'ClosedPort', 'Edge', 'SANITIZED', 'SLOWNESS', 'Server', 'Shared', 'TestCase',
           'connections_to', 'free_port', 'main', 'namespaces', 'resident_bytes', 'run', 'run_json',
           'scenario_config', 'spawn']
