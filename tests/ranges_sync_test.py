"""`edgecase ranges sync`: what is written, what is kept, and what a run that was killed leaves to the next."""
import http.server
import os
import shutil
import signal
import subprocess
import threading
import time
import unittest

import harness


class SyncCase(harness.TestCase):
    LIST = '104.16.0.0/13\n104.24.0.0/14\n162.158.0.0/15\n2400:cb00::/32\n'

    def file(self, name, content, mode=0o644):
        if not hasattr(self, 'directory'):
            self.directory = self.temporary_directory()
        path = os.path.join(self.directory, name)
        with open(path, 'w') as file:
            file.write(content)
        os.chmod(path, mode)
        return path

    def sync(self, source, *flags, status=0, to=None, said=''):
        self.to = to or os.path.join(self.temporary_directory(), 'edge.conf')
        result = harness.run('ranges', 'sync', '--to', self.to, '--format', 'nginx', '--from', source, *flags)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertIn(said, result.stderr)
        return result.stdout

    def content(self):
        with open(self.to) as file:
            return file.read()

    def kept_path(self, name):
        return os.path.join(os.path.dirname(self.to), f'.{os.path.basename(self.to)}.{name}')

    def kept(self, name):
        with open(self.kept_path(name)) as file:
            return file.read()

    def leftovers(self):
        return sorted(os.listdir(os.path.dirname(self.to)))


class Site:
    """An HTTP server that gives one answer."""

    def __init__(self, test, body, status=200):
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(site.status)
                self.send_header('Content-Length', str(len(site.body)))
                self.end_headers()
                self.wfile.write(site.body)

            def log_message(self, *_):
                pass
        self.body, self.status = body.encode(), status
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}/ips'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)


class SyncTest(SyncCase):
    def test_a_list_from_the_network_is_written_and_told(self):
        site = Site(self, self.LIST)
        said = self.sync(site.url)
        self.assertEqual(said.count('+ '), 4)
        self.assertIn('allow 104.16.0.0/13;', self.content())
        self.assertEqual(self.sync(site.url, to=self.to, said='unchanged'), '')
        site.body = self.LIST.replace('104.24.0.0/14', '172.64.0.0/13').encode()
        self.assertEqual(self.sync(site.url, '--dry-run', to=self.to, status=1),
                         '- 104.24.0.0/14\n+ 172.64.0.0/13\n')
        self.assertIn('104.24.0.0/14', self.content())
        os.chmod(self.to, 0o640)
        self.sync(site.url, to=self.to)
        self.assertIn('104.24.0.0/14', self.kept('previous'))
        self.assertNotIn('104.24.0.0/14', self.content())
        self.assertEqual(os.stat(self.to).st_mode & 0o777, 0o640)
        self.assertEqual(self.leftovers(), ['.edge.conf.previous', 'edge.conf'])

    def test_what_is_no_good_list_changes_nothing(self):
        good = self.file('good', self.LIST)
        self.sync(good)
        before = self.content()
        for body, status, said in (('', 200, 'no range in it'), ('<html>', 200, 'a page of HTML'),
                                   (self.LIST, 500, '500'), ('0.0.0.0/0\n' + self.LIST, 200, 'broader'),
                                   ('10.0.0.0/8\n' + self.LIST, 200, 'private'),
                                   ('104.16.0.0/13\n', 200, 'lacks 3 of the 4 ranges'),
                                   ('1' * 5_000_000, 200, 'larger than a list')):
            site = Site(self, body, status)
            self.sync(site.url, to=self.to, status=1, said=said)
            self.assertEqual(self.content(), before, said)
        self.sync(Site(self, '104.16.0.0/13\n').url, '--force', to=self.to)
        self.assertNotEqual(self.content(), before)

    def test_a_family_and_a_file_of_another_kind_are_not_lost(self):
        good = self.file('good', self.LIST)
        self.sync(good)
        v4 = self.file('v4', self.LIST.replace('2400:cb00::/32\n', ''))
        self.sync(v4, to=self.to, status=1, said='lacks 1 of the 1 ranges of IPv6')
        other = self.file('other.conf', 'server { listen 443; }\n')
        self.sync(good, to=other, status=1, said='--force')
        self.assertEqual(self.content(), 'server { listen 443; }\n')
        self.sync(good, '--force', to=other)

    def test_a_link_stays_and_what_was_there_keeps_its_mode(self):
        good = self.file('good', self.LIST)
        self.sync(good)
        os.chmod(self.to, 0o600)
        target, link = self.to, self.to + '.link'
        os.symlink(target, link)
        self.sync(self.file('more', self.LIST + '172.64.0.0/13\n'), to=link)
        self.assertTrue(os.path.islink(link))
        self.to = target
        self.assertIn('172.64.0.0/13', self.content())
        self.assertEqual(os.stat(self.kept_path('previous')).st_mode & 0o777, 0o600)

    def test_a_reload_ends_when_its_command_does(self):
        script = self.file('reload', '#!/bin/sh\nsleep 5 &\nexit 0\n')
        os.chmod(script, 0o755)
        begin = time.monotonic()
        self.sync(self.file('good', self.LIST), '--reload', script)
        self.assertLess(time.monotonic() - begin, 4)

    def test_a_list_comes_over_https_or_from_this_machine(self):
        self.sync('http://192.0.2.1/ips', status=1, said='https')
        self.sync('ftp://127.0.0.1/ips', status=1, said='https')
        self.sync('/nonexistent', status=1, said='No such file')
        self.assertEqual(self.leftovers(), [])
        closed = harness.ClosedPort()
        self.addCleanup(closed.stop)
        self.sync(closed.url, status=1, said='nothing was changed')

    def test_a_reload_that_fails_is_taken_back(self):
        good = self.file('good', self.LIST)
        mark = os.path.join(self.temporary_directory(), 'mark file')
        self.sync(good, '--reload', f'touch "{mark}"')
        self.assertTrue(os.path.exists(mark))
        before = self.content()
        more = self.file('more', self.LIST + '172.64.0.0/13\n')
        self.sync(more, '--reload', 'false', to=self.to, status=1, said='the file is as it was: false')
        self.assertEqual(self.content(), before)
        self.sync(more, '--reload', '/nonexistent', to=self.to, status=1, said='no such program')
        self.assertEqual(self.content(), before)
        self.sync(good, '--reload', 'false', status=1)
        self.assertEqual(self.leftovers(), [], 'there was no file before')

    def test_several_sources_are_one_list(self):
        v4, v6 = self.file('v4', '104.16.0.0/13\n'), self.file('v6', '2400:cb00::/32')
        self.sync(v4, '--from', v6)
        self.assertIn('allow 104.16.0.0/13;\nallow 2400:cb00::/32;\ndeny all;\n', self.content())


class InterruptedTest(SyncCase):
    """`reload` ends its parent where a file named `kill` is, before it reloads; and fails where one named
    `fail` is. What it reloaded is in `loaded`."""
    RELOAD = '''#!/bin/sh
cd "$(dirname "$0")"
if [ -e kill ]; then rm kill; kill -9 $PPID; exit 0; fi
if [ -e stop ]; then exit 1; fi
if [ -e fail ]; then rm fail; exit 1; fi
cat "$1" >> loaded
'''

    def setUp(self):
        self.reload = self.file('reload', self.RELOAD, 0o755)
        self.to = os.path.join(self.temporary_directory(), 'edge.conf')
        self.lists = [self.file(f'list{i}', self.LIST + more)
                      for i, more in enumerate(('', '172.64.0.0/13\n', '131.0.72.0/22\n'))]

    def mark(self, name):
        self.file(name, '')

    def run_sync(self, source, *flags, status=0, said=''):
        return self.sync(source, '--reload', f'{self.reload} {self.to}', *flags, to=self.to, status=status, said=said)

    def loaded(self):
        path = os.path.join(self.directory, 'loaded')
        if not os.path.exists(path):
            return ''
        with open(path) as file:
            return file.read()

    def test_a_run_killed_between_the_new_file_and_the_reload_leaves_the_reload_to_the_next(self):
        self.run_sync(self.lists[0])
        self.mark('kill')
        self.run_sync(self.lists[1], status=-signal.SIGKILL)
        self.assertIn('172.64.0.0/13', self.content())
        self.assertNotIn('172.64.0.0/13', self.loaded())
        self.run_sync(self.lists[1], '--dry-run', status=1, said='would be reloaded')
        self.assertNotIn('172.64.0.0/13', self.loaded())
        self.run_sync(self.lists[1], said='reloaded: ')
        self.assertIn('172.64.0.0/13', self.loaded())
        before = self.loaded()
        self.run_sync(self.lists[1], said='unchanged')
        self.assertEqual(self.loaded(), before, 'once is enough')
        self.assertEqual(self.leftovers(), ['.edge.conf.previous', 'edge.conf'])

    def test_the_first_run_of_all_may_be_killed_as_well(self):
        self.mark('kill')
        self.run_sync(self.lists[0], status=-signal.SIGKILL)
        self.run_sync(self.lists[0], said='reloaded: ')
        self.assertIn('104.16.0.0/13', self.loaded())
        self.assertEqual(self.leftovers(), ['edge.conf'])

    def test_after_a_kill_a_reload_that_fails_brings_back_what_was_last_reloaded(self):
        self.run_sync(self.lists[0])
        good = self.content()
        for source in (self.lists[1], self.lists[2]):  # two of them, and never a reload between
            self.mark('kill')
            self.run_sync(source, status=-signal.SIGKILL)
        self.mark('stop')
        self.run_sync(self.lists[2], status=1, said='the reload failed, the file is as it was')
        self.assertEqual(self.content(), good)
        os.unlink(os.path.join(self.directory, 'stop'))
        self.run_sync(self.lists[2])
        self.assertIn('131.0.72.0/22', self.loaded())

    def test_a_reload_that_failed_is_tried_again_by_the_next_run(self):
        self.run_sync(self.lists[0])
        good = self.content()
        self.mark('fail')
        self.run_sync(self.lists[1], status=1, said='the file is as it was, and reloaded')
        self.assertEqual(self.loaded(), good * 2, 'a service that stopped over the new file runs again')
        self.run_sync(self.lists[1])
        self.assertIn('172.64.0.0/13', self.loaded())
        # The second reload failed as well: what runs is not what the file has, though no list changed.
        self.mark('stop')
        self.run_sync(self.lists[2], status=1)
        os.unlink(os.path.join(self.directory, 'stop'))
        before = self.loaded()
        self.run_sync(self.lists[1], said='reloaded: ')
        self.assertNotEqual(self.loaded(), before)

    @unittest.skipUnless(shutil.which('strace'), 'strace is not installed')
    @unittest.skipIf(harness.SANITIZED, 'the leak sanitizer does not run below strace')
    def test_a_kill_at_any_step_leaves_a_whole_file_and_no_reload_undone(self):
        """At each call that changes a file's name or flushes it, one run after the other."""
        self.run_sync(self.lists[0])
        killed, runs = [], 0
        for call in ('rename', 'fsync', 'unlink', 'openat'):
            for when in range(1, 400):
                source = self.lists[1 + runs % 2]
                runs += 1
                result = subprocess.run(
                    ['strace', '-qq', '-o', '/dev/null', '-e', f'inject={call}:signal=KILL:when={when}',
                     harness.BINARY, 'ranges', 'sync', '--to', self.to, '--format', 'nginx', '--from', source,
                     '--reload', f'{self.reload} {self.to}'], capture_output=True, text=True, timeout=60)
                if result.returncode == 0:
                    break
                killed.append(call)
                self.assertTrue(self.content().endswith('deny all;\n'), f'{call} {when}')
                self.run_sync(source)
                self.assertTrue(self.loaded().endswith(self.content()), f'{call} {when}: the reload was lost')
                self.assertEqual(self.leftovers(), ['.edge.conf.previous', 'edge.conf'], f'{call} {when}')
        self.assertGreater(killed.count('rename') + killed.count('fsync'), 8)

    def test_state_is_kept_where_it_is_said(self):
        for where in ('flag', 'systemd'):
            state = self.temporary_directory()
            flags = ('--state', state) if where == 'flag' else ()
            with self.subTest(where):
                self.to = os.path.join(self.temporary_directory(), 'edge.conf')
                env = {**os.environ, 'STATE_DIRECTORY': f'{state}:/nonexistent'} if where == 'systemd' else None
                for source in self.lists[:2]:
                    done = harness.run('ranges', 'sync', '--to', self.to, '--format', 'nginx', '--from', source,
                                       '--reload', 'true', *flags, env=env)
                    self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.leftovers(), ['edge.conf'])
                self.assertEqual(os.listdir(state), [os.path.realpath(self.to).replace('/', '%2F') + '.previous'])

    def test_one_sync_waits_for_another(self):
        slow = self.file('slow', f'#!/bin/sh\n. "$(dirname "$0")/wait"\nexec {self.reload} {self.to}\n', 0o755)
        fifo = os.path.join(self.directory, 'gate')
        os.mkfifo(fifo)
        self.file('wait', f'read line < {fifo}\n')
        argv = [harness.BINARY, 'ranges', 'sync', '--to', self.to, '--format', 'nginx', '--reload', slow, '--from']
        first = subprocess.Popen([*argv, self.lists[0]], stderr=subprocess.PIPE, text=True)
        gate = open(fifo, 'w')  # the first is at its reload
        self.file('wait', '')
        second = subprocess.Popen([*argv, self.lists[1]], stderr=subprocess.PIPE, text=True)
        try:
            with self.assertRaises(subprocess.TimeoutExpired):
                second.wait(0.5)
            self.assertNotIn('172.64.0.0/13', self.content())
        finally:
            gate.write('\n')
            gate.close()
            for process in (first, second):
                process.communicate(timeout=30)
        self.assertEqual((first.returncode, second.returncode), (0, 0))
        self.assertTrue(self.loaded().endswith(self.content()))
        self.assertIn('172.64.0.0/13', self.content())


class IncludedTest(SyncCase):
    """What is kept beside the file is in no server's way."""

    def kept_beside(self):
        """A folder with a list that was written, replaced, and not reloaded."""
        folder = self.temporary_directory()
        os.chmod(folder, 0o755)
        self.to = os.path.join(folder, 'edge.conf')
        sources = [self.file('a', self.LIST), self.file('b', self.LIST + '172.64.0.0/13\n')]
        return folder, sources

    @unittest.skipUnless(shutil.which('nginx'), 'nginx is not installed')
    def test_nginx_does_not_include_copies(self):
        folder, sources = self.kept_beside()
        for source in sources:
            self.sync(source, '--reload', 'true', to=self.to)
        open(os.path.join(folder, '.edge.conf.pending'), 'w').close()
        main = self.file('nginx.conf', f'pid {self.directory}/pid;\nerror_log /dev/null;\nevents {{}}\nhttp {{\n'
                                       f'access_log off;\nserver {{ listen 127.0.0.1:1;\ninclude {folder}/*;\n}}\n}}\n')
        result = subprocess.run(['nginx', '-T', '-c', main], capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.count('# configuration file'), 2, result.stdout)

    @unittest.skipUnless(shutil.which('apachectl'), 'Apache is not installed')
    def test_apache_does_not_include_copies(self):
        folder, sources = self.kept_beside()
        for source in sources:
            done = harness.run('ranges', 'sync', '--to', self.to, '--format', 'apache', '--from', source, '--reload', 'true')
            self.assertEqual(done.returncode, 0, done.stderr)
        open(os.path.join(folder, '.edge.conf.pending'), 'w').close()
        modules = '/usr/lib/apache2/modules'
        names = ('mpm_event', 'authz_core', 'authz_host')
        main = self.file('apache.conf', ''.join(f'LoadModule {n}_module {modules}/mod_{n}.so\n' for n in names) +
                         f'ServerName x\nListen 127.0.0.1:1\nPidFile {self.directory}/pid\nErrorLog {self.directory}/log\n'
                         f'<Location />\nIncludeOptional {folder}/*\n</Location>\n')
        result = subprocess.run(['apache2', '-t', '-f', main, '-D', 'DUMP_INCLUDES'], capture_output=True, text=True,
                                timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.count(folder), 1, result.stdout)


UNITS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'packaging')


class UnitTest(SyncCase):
    def command(self, **settings):
        """ExecStart as systemd would expand it: `${NAME}` is one word, `$NAME` as many as it has."""
        with open(os.path.join(UNITS, 'edgecase-ranges.service')) as file:
            line, = (line for line in file if line.startswith('ExecStart='))
        words = []
        for word in line.strip().split('=', 1)[1].split():
            if word.startswith('${'):
                words.append(settings.get(word[2:-1], ''))
            elif word.startswith('$'):
                words += settings.get(word[1:], '').split()
            else:
                words.append(word)
        return [harness.BINARY, *words[1:]]

    def test_the_service_runs_what_there_is(self):
        state, source = self.temporary_directory(), self.file('list', self.LIST)
        self.to = os.path.join(self.temporary_directory(), 'edge.conf')
        for reload in ('true', ''):
            command = self.command(TO=self.to, FORMAT='nginx', RELOAD=reload, OPTIONS=f'--from {source} --port 443')
            result = subprocess.run(command, capture_output=True, text=True, timeout=60,
                                    env={**os.environ, 'STATE_DIRECTORY': state})
            self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.leftovers(), ['edge.conf'])

    @unittest.skipUnless(shutil.which('systemd-analyze'), 'systemd is not installed')
    def test_systemd_understands_the_units(self):
        """Nothing is started."""
        folder = self.temporary_directory()
        for name in ('edgecase-ranges.service', 'edgecase-ranges.timer'):
            with open(os.path.join(UNITS, name)) as unit, open(os.path.join(folder, name), 'w') as copy:
                copy.write(unit.read().replace('/usr/bin/edgecase', harness.BINARY))
        result = subprocess.run(['systemd-analyze', 'verify', *(os.path.join(folder, n) for n in os.listdir(folder))],
                                capture_output=True, text=True, timeout=60)
        self.assertEqual((result.returncode, result.stderr), (0, ''))


if __name__ == '__main__':
    harness.main()
