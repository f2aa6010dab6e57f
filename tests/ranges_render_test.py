"""`edgecase ranges render`: the real tools take what is rendered, whatever the list is like."""
import json
import os
import shutil
import subprocess
import unittest

import harness
import namespaces
import ranges_kernel

LISTS = {
    'overlapping': '104.16.0.0/13\n104.16.0.0/12\n104.24.0.0/14\n104.16.0.0/12\n2400:cb00::/32\n2400:cb00:1::/48\n',
    'adjacent': '104.16.0.0/14\n104.20.0.0/14\n104.24.0.0/13\n2400:cb00::/33\n2400:cb00:8000::/33\n',
    'single addresses': '104.16.0.1/32\n104.16.0.2/32\n2400:cb00::1/128\n',
    'everybody': '0.0.0.0/0\n104.16.0.0/13\n::/0\n',
    'only IPv4': '104.16.0.0/13\n162.158.0.0/15\n',
    'only IPv6': '2400:cb00::/32\n2606:4700::/32\n',
    'the edge': '',
}
FORMATS = ('nft', 'ipset', 'iptables', 'ip6tables', 'ufw', 'nginx', 'nginx-realip', 'apache', 'caddy',
           'aws-prefix-list', 'terraform', 'text')
PORTS = [word for port in (80, 443, *range(8000, 8014)) for word in ('--port', str(port))]  # more than multiport takes


class RenderCase(harness.TestCase):
    def setUp(self):
        self.directory = self.temporary_directory()
        os.chmod(self.directory, 0o755)

    def file(self, name, content):
        path = os.path.join(self.directory, name)
        with open(path, 'w') as file:
            file.write(content)
        return path

    def rendered(self, name, ranges='', *flags):
        list_flags = ('--ranges', self.file('ranges', ranges)) if ranges else ()
        result = harness.run('ranges', 'render', '--format', name, *list_flags, *flags)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def each_list(self, name, take, *flags):
        """`take` is given what is rendered of every list."""
        for title, ranges in LISTS.items():
            with self.subTest(title):
                take(self.rendered(name, ranges, *flags))

    def taken(self, argv, **options):
        result = subprocess.run(argv, capture_output=True, text=True, timeout=60, **options)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout


class RenderTest(RenderCase):
    def check(self, *texts):
        paths = [self.file(f'rules{i}', text) for i, text in enumerate(texts)]
        result = harness.run('ranges', 'check', '--rules', *paths)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_what_is_rendered_admits_the_edge(self):
        for name in ('nft', 'nginx', 'apache'):
            self.check(self.rendered(name))
        result = harness.run('ranges', 'render', '--format', 'pf')
        self.assertEqual(result.returncode, 2)
        self.assertIn('--format pf: not one of nft, ipset', result.stderr)

    def test_an_empty_list_is_refused_in_every_format(self):
        empty = self.file('empty', '# nothing\n')
        for name in FORMATS:
            result = harness.run('ranges', 'render', '--format', name, '--ranges', empty)
            self.assertEqual((result.returncode, result.stdout), (2, ''), name)
            self.assertIn('no range in it', result.stderr)

    def test_a_block_that_is_in_another_is_left_out(self):
        text = self.rendered('text', LISTS['overlapping'])
        self.assertEqual(text, '104.16.0.0/12\n2400:cb00::/32\n')
        self.assertEqual(self.rendered('text', LISTS['adjacent']), LISTS['adjacent'])


@unittest.skipIf(namespaces.why_impossible(), namespaces.why_impossible() or '')
class FirewallToolsTest(RenderCase):
    def setUp(self):
        super().setUp()
        self.namespace = namespaces.Namespace(f'render{id(self) % 10000}')
        self.addCleanup(self.namespace.remove)

    def load(self, *tool):
        """A second time as well: it replaces the first."""
        def take(text):
            for _ in range(2):
                ranges_kernel.run(self.namespace, *tool, text=text)
        return take

    def test_nft_takes_every_list(self):
        self.each_list('nft', self.load('nft', '-f', '-'), *PORTS)
        listing = ranges_kernel.run(self.namespace, 'nft', 'list', 'table', 'inet', 'edgecase')
        path = self.file('listing', listing)
        self.assertEqual(harness.run('ranges', 'check', '--rules', path).returncode, 0)

    @unittest.skipUnless(shutil.which('ipset'), 'ipset is not installed')
    def test_ipset_takes_every_list(self):
        self.each_list('ipset', self.load('ipset', 'restore'), *PORTS)
        self.assertEqual(ranges_kernel.run(self.namespace, 'ipset', 'save').count('add edge'), 22)

    @unittest.skipUnless(shutil.which('ipset'), 'ipset is not installed')
    def test_a_set_of_everybody_has_everybody(self):
        self.load('ipset', 'restore')(self.rendered('ipset', LISTS['everybody']))
        for name, address in (('edge4', '1.2.3.4'), ('edge4', '203.0.113.9'), ('edge6', '::2'), ('edge6', 'fd00::1')):
            ranges_kernel.run(self.namespace, 'ipset', 'test', name, address)

    @unittest.skipUnless(shutil.which('iptables-restore'), 'iptables is not installed')
    def test_iptables_takes_every_list(self):
        for name in ('iptables', 'ip6tables'):
            self.each_list(name, self.load(f'{name}-restore', '--noflush'), *PORTS)
            for line in self.rendered(name, '', *PORTS).splitlines():
                if line.startswith(f'# {name} -I'):
                    ranges_kernel.run(self.namespace, *line[2:].split())
        path = [self.file(name, ranges_kernel.run(self.namespace, f'{name}-save')) for name in ('iptables', 'ip6tables')]
        result = harness.run('ranges', 'check', '--rules', *path, *PORTS)
        self.assertEqual(result.returncode, 0, result.stdout)


class ServerToolsTest(RenderCase):
    @unittest.skipUnless(shutil.which('nginx'), 'nginx is not installed')
    def test_nginx_takes_every_list(self):
        def take(text):
            path = self.file('edge.conf', text)
            main = self.file('nginx.conf', f'pid {self.directory}/pid;\nerror_log /dev/null;\nevents {{}}\nhttp {{\n'
                             f'access_log off;\nserver {{ listen 127.0.0.1:1;\ninclude {path};\n}}\n}}\n')
            self.taken(['nginx', '-t', '-c', main])
        for name in ('nginx', 'nginx-realip'):
            self.each_list(name, take)

    @unittest.skipUnless(shutil.which('apache2'), 'Apache is not installed')
    def test_apache_takes_every_list(self):
        modules = '/usr/lib/apache2/modules'
        names = ('mpm_event', 'authz_core', 'authz_host')

        def take(text):
            path = self.file('edge.conf', text)
            main = self.file('apache.conf', ''.join(
                f'LoadModule {n}_module {modules}/mod_{n}.so\n' for n in names) +
                f'ServerName x\nListen 127.0.0.1:1\nPidFile {self.directory}/pid\nErrorLog {self.directory}/log\n'
                f'<Location />\nInclude {path}\n</Location>\n')
            self.taken(['apache2', '-t', '-f', main])
        self.each_list('apache', take)

    @unittest.skipUnless(shutil.which('caddy'), 'Caddy is not installed')
    def test_caddy_takes_every_list(self):
        def take(text):
            path = self.file('edge.caddy', text)
            main = self.file('Caddyfile', f'import {path}\nhttp://127.0.0.1:1 {{\n\timport edge_only\n\trespond ok\n}}\n')
            self.taken(['caddy', 'validate', '--adapter', 'caddyfile', '--config', main],
                       env={**os.environ, 'HOME': self.directory})
        self.each_list('caddy', take)

    def test_a_prefix_list_is_what_aws_takes(self):
        def take(text):
            for one in json.loads(text):
                self.assertEqual(set(one), {'PrefixListName', 'AddressFamily', 'MaxEntries', 'Entries'})
                cidrs = [entry['Cidr'] for entry in one['Entries']]
                self.assertEqual(len(cidrs), len(set(cidrs)), 'AWS refuses an entry twice')
                self.assertGreaterEqual(one['MaxEntries'], len(cidrs))
                self.assertEqual({':' in cidr for cidr in cidrs}, {one['AddressFamily'] == 'IPv6'})
        self.each_list('aws-prefix-list', take)

    @unittest.skipUnless(shutil.which('terraform'), 'Terraform is not installed')
    def test_terraform_takes_every_list(self):
        def take(text):
            self.assertEqual(self.taken(['terraform', 'fmt', '-'], input=text), text)
        self.each_list('terraform', take, *PORTS)

    def test_ufw_gets_commands_that_a_shell_takes(self):
        def take(text):
            said = self.taken(['sh', '-c', 'ufw() { echo "$#:$*"; }\n' + text])
            for line in said.splitlines():
                self.assertRegex(line, r'^11:allow proto tcp from [0-9a-f:.]+/\d+ to any port [0-9,]+ comment edge$')
                self.assertLess(line.count(','), 15, 'of one rule')
        self.each_list('ufw', take, *PORTS)


if __name__ == '__main__':
    harness.main()
