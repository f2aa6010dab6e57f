"""`edgecase ranges`: what firewalls let in, by their rules; every dialect, good and bad, and the proof
against the kernel."""
import json
import os
import subprocess
import unittest

import harness
import namespaces
import ranges_kernel

KERNEL_CASES = 1800  # connections; some fifteen seconds
NFT = '''table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ip saddr 104.16.0.0/13 tcp dport 443 accept
    ip saddr 104.24.0.0/15 reject with icmpx admin-prohibited
  }
}
'''


class RangesCase(harness.TestCase):
    def file(self, name, content):
        if not hasattr(self, 'directory'):
            self.directory = self.temporary_directory()
        path = os.path.join(self.directory, name)
        with open(path, 'w') as file:
            file.write(content)
        return path

    def check(self, *rules, flags=(), status=1):
        """The rows of a check, by range and port."""
        paths = [self.file(f'rules{i}', text) for i, text in enumerate(rules)]
        result = harness.run('ranges', 'check', '--rules', *paths, '--json', *flags)
        self.assertEqual(result.returncode, status, result.stderr)
        return {(row['cidr'], row['port']): row for row in json.loads(result.stdout)}

    def refused(self, *argv, said, stdin=None):
        result = subprocess.run([harness.BINARY, 'ranges', *argv], capture_output=True, text=True,
                                input=stdin, timeout=60)
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertIn(said, result.stderr)
        self.assertEqual(result.stdout, '')


class IncludesTest(RangesCase):
    def verdicts(self, path, *flags):
        result = harness.run('ranges', 'check', '--rules', path, '--json', '--port', '443', *flags)
        self.assertIn(result.returncode, (0, 1), result.stderr)
        row = next(row for row in json.loads(result.stdout) if row['cidr'] == '104.16.0.0/13')
        kinds = ('admitted', 'dropped', 'rejected', 'rate_limited', 'unknown')
        return {kind for kind in kinds if row[kind]}, row

    def test_what_a_web_server_includes_is_read_from_the_disk(self):
        main = self.file('nginx.conf', 'http { include sites-enabled/*; }\n')
        os.mkdir(os.path.join(self.directory, 'sites-enabled'))
        self.assertEqual(self.verdicts(main)[0], {'admitted'})
        site = self.file('sites-enabled/site', 'server {\n listen 443;\n include edge.list;\n}\n')
        self.assertEqual(self.verdicts(main)[0], {'unknown'})
        self.file('edge.list', 'deny 104.16.0.0/13;\n')
        kinds, row = self.verdicts(main)
        self.assertEqual(kinds, {'rejected'})
        decided = row['decided_by'][0]
        self.assertEqual((os.path.basename(decided['file']), decided['line']), ('edge.list', 1))
        self.assertEqual(self.verdicts(site)[0], {'rejected'})
        self.assertEqual(self.verdicts(main, '--no-includes')[0], {'unknown'})
        # nginx reads a copy beside it as well.
        self.file('sites-enabled/site.previous', 'server { listen 443; server_name x; }\n')
        self.assertEqual(self.verdicts(main)[0], {'unknown'})

    def test_a_copied_configuration_is_not_followed_out_of_its_folder(self):
        main = self.file('apache2.conf', 'Require all granted\nInclude /etc/hosts\n')
        self.assertEqual(self.verdicts(main)[0], {'unknown'})
        main = self.file('apache2.conf', 'Require all granted\nInclude more.conf\n')
        self.file('more.conf', '# nothing\n')
        self.assertEqual(self.verdicts(main)[0], {'admitted'})
        loop = self.file('loop.conf', 'Require all granted\nInclude loop.conf\nInclude loop.conf\n')
        self.assertEqual(self.verdicts(loop, '--format', 'apache')[0], {'unknown'})


class ListTest(RangesCase):
    def test_the_list_built_in_has_its_date(self):
        result = harness.run_json('ranges', 'list', '--json')
        self.assertEqual((len(result['ipv4_cidrs']), len(result['ipv6_cidrs'])), (15, 7))
        self.assertEqual(result['date'], '2026-11')

    def test_a_list_is_read_in_both_forms(self):
        text = self.file('list', '104.16.0.0/13\n2400:cb00::/32')
        api = self.file('api', json.dumps({'result': {'ipv4_cidrs': ['104.16.0.0/13'],
                                                      'ipv6_cidrs': ['2400:cb00::/32']}, 'success': True}))
        for path in (text, api):
            result = harness.run_json('ranges', 'list', '--ranges', path, '--json')
            self.assertEqual((result['ipv4_cidrs'], result['ipv6_cidrs'], result['date']),
                             (['104.16.0.0/13'], ['2400:cb00::/32'], None))

    def test_a_bad_list_is_refused_with_its_line(self):
        path = self.file('list', '104.16.0.0/13\n104.16.0.0/99\n')
        self.refused('list', '--ranges', path, said=f'{path}:2:1: `104.16.0.0/99` is no range')
        self.refused('list', '--ranges', '/nonexistent', said='/nonexistent: No such file')


class CheckTest(RangesCase):
    def test_the_rows_add_up_and_name_the_rules(self):
        rows = self.check(NFT)
        self.assertEqual(len(rows), 44)
        row = rows['104.16.0.0/13', 443]
        self.assertEqual((row['admitted'], row['dropped']), (['104.16.0.0/13'], []))
        self.assertEqual(row['decided_by'][0]['line'], 4)
        row = rows['104.24.0.0/14', 443]
        self.assertEqual((row['rejected'], row['dropped']), (['104.24.0.0/15'], ['104.26.0.0/15']))
        seen = {d['line']: (d['cause'], d['edge_status']) for d in row['decided_by']}
        self.assertEqual(seen, {5: ('connect.prohibited', 523), 3: ('connect.timeout', 522)})

    def test_exit_status_0_means_that_everything_gets_in(self):
        rows = self.check(NFT.replace('policy drop', 'policy accept').replace('reject', 'counter #'), status=0)
        self.assertTrue(all(row['admitted'] == [row['cidr']] for row in rows.values()))
        only = self.file('only', '104.16.0.0/13\n')
        rows = self.check(NFT, flags=('--port', '443', '--ranges', only), status=0)
        self.assertEqual(list(rows), [('104.16.0.0/13', 443)])

    def test_the_text_says_what_to_do(self):
        result = harness.run('ranges', 'check', '--rules', self.file('r.nft', NFT), '--port', '443')
        self.assertEqual(result.returncode, 1)
        for part in ('port 443: 21 of 22 ranges do not wholly get in', 'r.nft:3', '522 (connect.timeout)',
                     '523 (connect.prohibited)', 'nft insert rule inet filter input ip saddr'):
            self.assertIn(part, result.stdout)
        self.assertNotIn('\x1b', result.stdout)

    def test_rules_come_from_standard_input_too(self):
        result = subprocess.run([harness.BINARY, 'ranges', 'check', '--rules', '-', '--json'], input=NFT,
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(json.loads(result.stdout)[0]['decided_by'][0]['file'], 'standard input')

    def test_what_cannot_be_read_is_told_with_its_place(self):
        path = self.file('bad', 'table inet f {\n chain c {\n  type filter hook input\n')
        self.refused('check', '--rules', path, said=f'{path}:3:')
        path = self.file('other', 'hello\nworld\n')
        self.refused('check', '--rules', path, said=f'{path}:1:1: not recognised')
        self.refused('check', '--rules', path, '--format', 'pf', said='--format pf: not one of nft-json, nft')
        self.refused('check', '--rules', '/nonexistent', said='/nonexistent: No such file')
        self.refused('check', said='--rules FILE or --live')
        self.refused('check', '--rules', path, '--destination', 'x', said='--destination x: no address')


LIVE = """#!/bin/sh
case "$0 $*" in
    */nft*) printf 'table inet f {\\n chain i {\\n type filter hook input priority 0; policy drop;\\n }\\n}\\n' ;;
    *) exit ${LIVE_STATUS:-0} ;;
esac
"""


class LiveTest(RangesCase):
    def live(self, **environment):
        folder = self.temporary_directory()
        for name in ('nft', 'iptables-save', 'ip6tables-save', 'iptables-legacy-save', 'ip6tables-legacy-save',
                     'ipset'):
            path = os.path.join(folder, name)
            with open(path, 'w') as file:
                file.write(LIVE)
            os.chmod(path, 0o755)
        return subprocess.run([harness.BINARY, 'ranges', 'check', '--live', '--json'], capture_output=True,
                              text=True, timeout=60, env={**os.environ, 'PATH': f'{folder}:/usr/bin:/bin', **environment})

    def test_the_tools_are_asked(self):
        result = self.live()
        self.assertEqual(result.returncode, 1, result.stderr)
        row = json.loads(result.stdout)[0]
        self.assertEqual(row['dropped'], [row['cidr']])
        self.assertEqual(row['decided_by'][0]['file'], 'nft -a list ruleset')

    def test_a_tool_that_may_not_look_is_no_firewall_without_rules(self):
        result = self.live(LIVE_STATUS='4')
        self.assertEqual((result.returncode, result.stdout), (2, ''))
        self.assertIn('iptables-save: ended with 4', result.stderr)


class KernelTest(RangesCase):
    """What is predicted is what a kernel does."""

    @unittest.skipIf(namespaces.why_impossible(), namespaces.why_impossible() or '')
    def test_predictions_are_what_connections_meet(self):
        kinds, reasons = ranges_kernel.possible_kinds()
        print('left out:', *reasons) if reasons else None
        if not kinds:
            self.skipTest('; '.join(reasons))
        proof = ranges_kernel.Proof('ctest', kinds, KERNEL_CASES // harness.SLOWNESS).run()
        print(f'{sum(proof.done.values())} connections: {dict(proof.done)}, {dict(proof.outcomes)}')
        self.assertEqual(proof.failures, [], '\n'.join(proof.failures[:1]))
        self.assertGreater(len(proof.outcomes), 3)


if __name__ == '__main__':
    harness.main()
